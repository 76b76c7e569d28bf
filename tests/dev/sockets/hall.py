"""Live sockets on a port, in front of a function that is a few lines of the test: no process, no uvicorn."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from lambent.dev.doors.model import RawHeaders
from lambent.dev.guard import Guard
from lambent.dev.hosts import Hosts
from lambent.dev.model import Cause, Entrance, Failed, Function, Invocation, InvokeRequest, Replied, Result
from lambent.dev.routes.sockets import SocketRoutes
from lambent.dev.service import Service
from lambent.dev.sockets import Sockets
from lambent.dev.sockets.live import Limits
from lambent.dev.sockets.management import Management
from lambent.dev.sockets.wire import of
from lambent.errors import UnknownFunction
from lambent.types import Message

LIMIT = 60
"""Seconds after which a test that waits has failed."""

CHAT = Function("chat", "chat.handler", door="websocket")
WELL: dict[str, object] = {"statusCode": 200}

Handler = Callable[[dict[str, Any]], object]
"""An event → the result, or an awaitable of one; a Failed is one as well. What it raises is the function's error."""


class Functions:
    """A service whose functions are all the same one."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.events: list[dict[str, Any]] = []
        self.withdrawn: list[Invocation] = []
        self.ended = asyncio.Event()
        """Once an end has been told of."""
        self.names = {"chat", "join", "who"}
        self._tasks: set[asyncio.Task[None]] = set()

    def invoke(self, name: str, request: InvokeRequest) -> Invocation:
        if name not in self.names:
            raise UnknownFunction(f"There is no function {name!r} here.")
        invocation = Invocation(request, asyncio.get_running_loop())
        task = asyncio.get_running_loop().create_task(self._run(invocation))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return invocation

    def withdraw(self, invocation: Invocation) -> None:
        self.withdrawn.append(invocation)

    def generation(self, name: str) -> int:
        return 1

    async def _run(self, invocation: Invocation) -> None:
        event = json.loads(invocation.request.payload)
        self.events.append(event)
        result: Result
        try:
            answer = self.handler(event)
            answer = await answer if isinstance(answer, Awaitable) else answer
            result = answer if isinstance(answer, Failed) else Replied(json.dumps(answer).encode())
        except Exception as error:
            result = Failed(Cause.FUNCTION, json.dumps({"errorMessage": str(error)}).encode())
        invocation.resolve(result)
        if event.get("requestContext", {}).get("eventType") == "DISCONNECT":
            self.ended.set()

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


class Place:
    """What a scene has."""

    def __init__(self, sockets: Sockets, functions: Functions, said: list[str], port: int) -> None:
        self.sockets = sockets
        self.functions = functions
        self.said = said
        self.port = port
        self._management = Management(sockets)

    def connect(self, path: str = "/local", **options: Any) -> connect:
        return connect(f"ws://127.0.0.1:{self.port}{path}", **{"ping_interval": None, "max_size": None, **options})

    async def refused(self, path: str = "/local", **options: Any) -> Answer:
        """How a client is answered that is not let in."""
        try:
            await self.connect(path, **options)
        except InvalidStatus as error:
            found = error.response
            return Answer(found.status_code, found.headers, bytes(found.body or b""))
        raise AssertionError("it was let in")

    async def ask(self, method: str, connection_id: str, body: bytes = b"", stage: str = "/local") -> Answer:
        """The management API."""
        raw_path = f"{stage}/@connections/{connection_id}".encode()
        assert self._management.owns(raw_path)
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        scope: dict[str, Any] = {"method": method, "raw_path": raw_path, "path": raw_path.decode(), "headers": []}
        await self._management(scope, receive, send)
        start, end = sent
        headers = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        return Answer(start["status"], headers, end["body"])

    def id(self) -> str:
        """Of the only connection."""
        (found,) = self.sockets.status()
        return found

    async def told(self) -> tuple[int, str]:
        """Code and reason of the end, once the function knows of it."""
        await self.functions.ended.wait()
        self.functions.ended.clear()
        context = self.functions.events[-1]["requestContext"]
        return context["disconnectStatusCode"], context["disconnectReason"]


@asynccontextmanager
async def opened(
    handler: Handler = lambda _: WELL,
    functions: tuple[Function, ...] = (CHAT,),
    entrances: tuple[Entrance, ...] = (),
    limits: Limits | None = None,
    guard: Callable[[Service, Callable[[str], None]], Guard] | None = None,
) -> AsyncIterator[Place]:
    service, said, hosts = Functions(handler), list[str](), Hosts("127.0.0.1", origins=("https://mine.test",))

    def stranger(headers: RawHeaders) -> str | None:
        return hosts.refusal(headers)

    theirs = cast("Service", service)
    sockets = Sockets(
        theirs,
        SocketRoutes(functions, entrances),
        said.append,
        guard(theirs, said.append) if guard else None,
        stranger=stranger,
        limits=limits,
    )
    kind, state = of(sockets), cast("Any", SimpleNamespace(connections=set()))
    server = await asyncio.get_running_loop().create_server(lambda: kind(cast("Any", None), state, {}), "127.0.0.1", 0)
    try:
        async with asyncio.timeout(LIMIT):
            yield Place(sockets, service, said, server.sockets[0].getsockname()[1])
    finally:
        await sockets.end()
        service.close()
        server.close()
        await until(lambda: not state.connections)  # aborted ones are told so by the loop
        await server.wait_closed()


async def until(holds: Callable[[], object]) -> None:
    """Look again whenever the loop has gone round."""
    while not holds():  # noqa: ASYNC110 - what is looked at is not ours, and tells nobody
        await asyncio.sleep(0)


async def end_of(client: ClientConnection) -> tuple[int, str]:
    """How the client is told of the end. What is sent to it before that is read."""
    try:
        async for _ in client:
            pass
    except ConnectionClosed:
        pass
    await client.wait_closed()
    return client.close_code or 0, client.close_reason or ""
