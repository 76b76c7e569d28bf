"""API Gateway, played in memory: events to a handler, and what it posts."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from typing import Any, NamedTuple

from lambent import Lambent
from lambent.errors import ConnectionGone
from lambent.invocation import CURRENT
from lambent.managed import ReturnedInvocation
from lambent.stores.memory import MemoryStore
from lambent.types import ASGIApp
from tests.payloads import payload

Posted = tuple[str, bytes]

NUMBERS = count(1)


class Posts:
    """What the management API is told. To a connection that is not open it says that it is gone."""

    def __init__(self) -> None:
        self.open: set[str] = set()
        self.sent: list[Posted] = []
        self.ended: list[str] = []
        self.arrived = asyncio.Event()

    async def post(self, connection_id: str, data: bytes, *, connected_at: float | None = None) -> None:
        await asyncio.sleep(0)
        if connection_id not in self.open:
            raise ConnectionGone(f"Connection {connection_id} is gone.", 410, "GoneException")
        self.sent.append((connection_id, data))
        self.arrived.set()

    async def close(self, connection_id: str, *, connected_at: float | None = None) -> None:
        await asyncio.sleep(0)
        self.open.discard(connection_id)
        self.ended.append(connection_id)

    async def aclose(self) -> None: ...

    def take(self) -> list[str]:
        """What has been sent since the last time, as text, whoever it was for."""
        sent, self.sent = self.sent, []
        return [data.decode() for _, data in sent]


class Promptly(ReturnedInvocation):
    """As in Lambent's runtime: the reply leaves when it is given."""

    __slots__ = ("on_reply",)
    prompt = True

    def __init__(self, event: Any, on_reply: Callable[[Any], None]) -> None:
        super().__init__(event, None)
        self.on_reply = on_reply

    async def reply(self, result: Any) -> None:
        await super().reply(result)
        self.on_reply(result)


class Gateway:
    """One WebSocket API in front of one application; `handlers` are its environments, all of one store."""

    def __init__(
        self, app: ASGIApp, *, prompt: bool = True, environments: int = 1, store: Any = None, **options: Any
    ) -> None:
        self.posts = Posts()
        self.store = store or MemoryStore()
        options = {"lifespan": "off", **options}
        self.handlers = [
            Lambent(app, store=self.store, websocket_endpoint=self.posts, **options) for _ in range(environments)
        ]
        self._prompt = prompt
        self.now = time.time

    async def invoke(self, event: Any, environment: int = 0, on_reply: Callable[[Any], None] = lambda _: None) -> Any:
        """Have an environment serve one event. Returns its reply."""
        invocation = Promptly(event, on_reply) if self._prompt else ReturnedInvocation(event, None)
        token = CURRENT.set(invocation)
        try:
            await self.handlers[environment].serve(invocation)
        finally:
            await invocation.finish()
            invocation.work = None
            CURRENT.reset(token)
        return invocation.result()

    def socket(self) -> Socket:
        """A client that has not connected yet."""
        return Socket(self)

    async def end(self) -> None:
        """Its environments end, and with them the conversations that wait there."""
        for handler in self.handlers:
            if handler._conversations is not None:
                await handler._conversations.end()


class Socket:
    """A client."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.id = f"JCIuTfPGDoECJ{next(NUMBERS):02}="
        self.reply: Any = None

    async def connect(
        self,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        environment: int = 0,
    ) -> Any:
        """Knock. Returns the reply; with 200 the connection is open."""
        event = self.event("websocket_connect")
        for name, value in (headers or {}).items():
            event["headers"][name] = value
            event["multiValueHeaders"][name] = [value]
        if query:
            event["queryStringParameters"] = dict(query)
            event["multiValueQueryStringParameters"] = {name: [value] for name, value in query.items()}
        self.reply = await self.gateway.invoke(event, environment, self._decided)
        self._decided(self.reply)
        return self.reply

    def _decided(self, reply: Any) -> None:
        if 200 <= reply["statusCode"] < 300 and self.id not in self.gateway.posts.ended:
            self.gateway.posts.open.add(self.id)

    async def send(self, body: str | object = "", environment: int = 0, **changes: Any) -> Any:
        """Send a message: text, or anything else as JSON."""
        event = self.event("websocket_message")
        event["body"] = body if isinstance(body, str) else json.dumps(body)
        event.update(changes)
        return await self.gateway.invoke(event, environment)

    async def leave(self, code: int = 1000, reason: str = "", environment: int = 0) -> Any:
        """Go away."""
        self.gateway.posts.open.discard(self.id)
        event = self.event("websocket_message")
        event.pop("body")
        event["requestContext"] |= {
            "eventType": "DISCONNECT",
            "routeKey": "$disconnect",
            "disconnectStatusCode": code,
            "disconnectReason": reason,
        }
        return await self.gateway.invoke(event, environment)

    def event(self, name: str) -> Any:
        event = payload(name)
        event["requestContext"]["connectionId"] = self.id
        event["requestContext"]["connectedAt"] = int(self.gateway.now() * 1000)
        return event


class Kind(NamedTuple):
    """Whether the runtime's replies leave when they are given, and where messages find the application."""

    prompt: bool
    websockets: str

    @property
    def resident(self) -> bool:
        return self.websockets == "resident"

    def play(self, app: ASGIApp, story: Callable[[Gateway], Awaitable[None]], **options: Any) -> None:
        """Run a story around an application, and end it: see `played`."""

        async def main() -> None:
            gateway = Gateway(app, prompt=self.prompt, **{"websockets": self.websockets, **options})
            try:
                await story(gateway)
            finally:
                await gateway.end()

        played(main)


KINDS = [Kind(prompt, websockets) for websockets in ("replay", "resident") for prompt in (True, False)]


def played(story: Callable[[], Awaitable[None]]) -> None:
    """Run a story to its end, within ten seconds, and see that no task is left."""

    async def play() -> None:
        async with asyncio.timeout(60):
            await story()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, left

    asyncio.run(play(), debug=False)
