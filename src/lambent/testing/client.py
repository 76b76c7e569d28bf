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
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Self, Unpack

from lambent.adapter import Lambent
from lambent.dev.doors.model import Site
from lambent.errors import ConfigurationError
from lambent.runtime.target import as_handler, load
from lambent.testing.contexts import context
from lambent.testing.environment import Environment, Result
from lambent.testing.front import Front, Visit, payload
from lambent.testing.requests import Options, Order, Verbs, written
from lambent.testing.response import Response
from lambent.testing.strict import Strict
from lambent.types import ASGIApp, Handler

Target = Handler | ASGIApp | Callable[..., Any] | str
"""A `Lambent`, an ASGI application, a function of an event and a context; or where it is, as `app:app`."""


class Setup:
    """What two clients have in common: the handler, its door, its contexts."""

    def __init__(self, handler: Handler, front: Front, function: str, timeout: float, memory: int, site: Site) -> None:
        self.handler = handler
        self.front = front
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
            return Strict(app, stream=stream) if strict else Lambent(app, stream=stream)

        site = Site(function, region, account)
        made = load(handler, adapt) if isinstance(handler, str) else as_handler(handler, "handler", adapt)
        self._setup = Setup(made, Front(door, site, routes, strict=strict), function, timeout, memory, site)
        self._environment = Environment(made)
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
        return read(self._environment.run(payload(event), self._setup.context()))

    def event(self, url: str, method: str = "GET", **options: Unpack[Options]) -> Any:
        """The event that a request becomes."""
        return self._setup.front.event(written(method, url, options))

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
    except ValueError:
        return result.payload
