"""HTTP requests to a handler in this process, through a front door; and invocations of it, with any event.

    with Client(app) as client:                    # in a test
        assert client.get("/items").json() == []

    async with Client(app) as client:              # in an async test
        response = await client.get("/items")

What goes in and comes out is what the local Lambda and AWS would make of it; what there is none of here are processes:
nothing is frozen, no time or memory limit ends anything, environment variables are those of the test.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, Unpack

from lambent.adapter import Lambent
from lambent.dev.doors.model import Site
from lambent.errors import ConfigurationError
from lambent.runtime.target import as_handler, load
from lambent.testing.contexts import context
from lambent.testing.environment import Environment, Result
from lambent.testing.front import Front, Visit, payload
from lambent.testing.line import Line, Said
from lambent.testing.requests import Options, Order, Verbs, written
from lambent.testing.response import Response
from lambent.testing.sockets import AsyncWebSocket, WebSocket
from lambent.testing.strict import Strict
from lambent.testing.wires import Wires, adapted, wired
from lambent.types import ASGIApp, Handler

Target = Handler | ASGIApp | Callable[..., Any] | str
"""A `Lambent`, an ASGI application, a function of an event and a context; or where it is, as `app:app`."""


class Setup:
    """What two clients have in common: the handler, its door, its sockets, its contexts."""

    def __init__(
        self, found: Handler, wires: Wires, front: Front, function: str, timeout: float, memory: int, site: Site
    ) -> None:
        self.handler = wired(found, wires)
        self.front = front
        self.wires = wires
        self._has_path = self.handler is found and isinstance(found, Strict | Lambent)
        """Whether sockets say which path the application sees: it has no handler of its own that would."""
        self._function = function
        self._timeout = timeout
        self._memory = memory
        self._site = site

    def context(self, visit: Visit | None = None) -> Any:
        """Of an invocation that begins now."""
        return context(
            function=self._function,
            timeout=self._timeout,
            memory=self._memory,
            request_id=visit.arrival.request_id if visit else "",
            trace=visit.arrival.trace if visit else "",
            region=self._site.region,
            account=self._site.account,
        )

    def line(self, path: str, said: Said) -> Line:
        """A connection to be. Raises ConfigurationError."""
        if path and not self._has_path:
            raise ConfigurationError(
                f"websocket: expected no path, but got {path!r}: API Gateway has none for WebSockets. Which one the "
                "application sees, its handler says: Lambent(app, websocket_path=...)."
            )
        return self.wires.line(self._site, path or "/", said, strict=self.front.strict)


class Client(Verbs[Response]):
    """A handler behind a front door.

    - `handler`: a `Lambent`, an ASGI application, a function (sync, async or an async generator), or its name
    - `door`: a key of `lambent.dev.doors.DOORS`
    - `routes`: `"GET /items/{id}"` and the like; none: every request is for it
    - `strict`: what the handler raises, and what is wrong with its reply, is raised here; otherwise the door answers
      in its place, as on AWS. That goes for all that a bare ASGI application raises, after its response too; a
      `Lambent` answers and logs that by itself, as it is told to.
    - `stream`: an ASGI application that is given bare streams its responses
    - `function`, `timeout`, `memory`, `region`, `account`: what its context tells

    Its lifespan begins with the first request, or with the block of `with`, and ends with that or with `close`.
    Redirects are not followed, and cookies are not kept: `client.get("/", cookies=response.cookies)` sends them.
    """

    def __init__(
        self,
        handler: Target,
        *,
        door: str = "http",
        routes: Sequence[str] = (),
        strict: bool = True,
        stream: bool = False,
        function: str = "my-function",
        timeout: float = 30.0,
        memory: int = 128,
        region: str = "us-east-1",
        account: str = "123456789012",
    ) -> None:
        def adapt(app: ASGIApp) -> Handler:
            return Strict(app, stream=stream, wires=wires) if strict else adapted(app, stream, wires)

        site, wires = Site(function, region, account), Wires()
        found = load(handler, adapt) if isinstance(handler, str) else as_handler(handler, "handler", adapt)
        self._setup = Setup(found, wires, Front(door, site, routes, strict=strict), function, timeout, memory, site)
        self._environment = Environment(self._setup.handler)
        self._beside: AsyncClient | None = None

    def send(self, order: Order) -> Response:
        """Send a request. Raises what the handler raises, if strict."""
        front = self._setup.front
        visit = front.enter(order)
        if isinstance(visit, Response):
            return visit
        try:
            result = self._environment.run(visit.payload, self._setup.context(visit))
        except ConfigurationError:  # of whoever wrote the test
            raise
        except Exception as error:
            return front.failed(visit, error)
        return front.leave(visit, result)

    def invoke(self, event: object) -> Any:
        """Invoke the handler with an event, whatever the door. Its result; bytes, if it was streamed.

        Raises what the handler raises, and EventError for an event that Lambda does not take.
        """
        return read(self._run(event))

    def event(self, url: str, method: str = "GET", **options: Unpack[Options]) -> Any:
        """The event that a request becomes."""
        return self._setup.front.event(written(method, url, options))

    def websocket(self, path: str = "", **said: Unpack[Said]) -> WebSocket:
        """A WebSocket to the handler, connected by `with`: `client.websocket(query={"room": "a"})`.

        It is made through a WebSocket API, whatever the door. Such an API has no paths: `path` is what an application
        sees that was given bare. What is kept of connections is in memory, unless the handler has a store that is an
        object; what it posts, `WebSocket.receive` gives. A client whose lifespan has not begun ends it with the socket.
        """
        return WebSocket(self._setup.line(path, said), lambda event: self._run(event).payload, self._for_a_while)

    @contextmanager
    def _for_a_while(self) -> Iterator[None]:
        """Within it there is a lifespan, and afterwards none if there was none before."""
        begun = self._environment.begun
        try:
            yield
        finally:
            if not begun:
                self.close()

    @property
    def management(self) -> Wires:
        """What WebSockets are posted to: to be given to `Connections` in place of an endpoint."""
        return self._setup.wires

    def _run(self, event: object) -> Result:
        return self._environment.run(payload(event), self._setup.context())

    def close(self) -> None:
        """End the lifespan. Raises what its shutdown raises."""
        self._environment.close()

    def __enter__(self) -> Self:
        self._environment.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> AsyncClient:
        if self._beside is not None:
            raise ConfigurationError("The client is in use already: one `async with` at a time, or another client.")
        client = AsyncClient(self._setup)
        self._beside = client
        try:
            await client.start()
        except BaseException:
            self._beside = None
            raise
        return client

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        client, self._beside = self._beside, None
        if client is not None:
            await client.aclose()


class AsyncClient(Verbs[Awaitable[Response]]):
    """What `async with Client(...)` gives: the handler lives on the running event loop. Requests may be concurrent."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._environment = Environment(setup.handler)

    async def send(self, order: Order) -> Response:
        """As `Client.send`."""
        front = self._setup.front
        visit = front.enter(order)
        if isinstance(visit, Response):
            return visit
        try:
            result = await self._environment.handle(visit.payload, self._setup.context(visit))
        except ConfigurationError:  # of whoever wrote the test
            raise
        except Exception as error:
            return front.failed(visit, error)
        return front.leave(visit, result)

    async def invoke(self, event: object) -> Any:
        """As `Client.invoke`."""
        return read(await self._environment.handle(payload(event), self._setup.context()))

    def event(self, url: str, method: str = "GET", **options: Unpack[Options]) -> Any:
        """The event that a request becomes."""
        return self._setup.front.event(written(method, url, options))

    def websocket(self, path: str = "", **said: Unpack[Said]) -> AsyncWebSocket:
        """As `Client.websocket`, connected by `async with`."""

        async def run(event: object) -> bytes:
            return (await self._environment.handle(payload(event), self._setup.context())).payload

        return AsyncWebSocket(self._setup.line(path, said), run)

    @property
    def management(self) -> Wires:
        """As `Client.management`."""
        return self._setup.wires

    async def start(self) -> None:
        """Begin the lifespan. Raises what its startup raises."""
        await self._environment.enter()

    async def aclose(self) -> None:
        """End the lifespan. Raises what its shutdown raises."""
        await asyncio.shield(self._environment.leave())


def read(result: Result) -> Any:
    """A result as an invoker has it."""
    if result.streamed:
        return result.payload
    try:
        return json.loads(result.payload)
    except (ValueError, RecursionError):
        return result.payload
