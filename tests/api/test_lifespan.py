"""The ASGI lifespan of an application: what is told, in which order it ends, and what is raised."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from lambent.api import Api, Request
from lambent.errors import ConfigurationError, LifespanEnded
from lambent.types import ASGIApp, Message
from tests.api.asking import LIMIT, asking, run

Lifespan = Callable[[Api], AbstractAsyncContextManager[dict[str, object] | None]]


class Server:
    """That side of a lifespan; `stops`: whether it shuts down at once."""

    def __init__(self, *, stops: bool = True) -> None:
        self.sent: list[Message] = []
        self.begun = asyncio.Event()
        self._coming = [{"type": "lifespan.startup"}, *([{"type": "lifespan.shutdown"}] if stops else [])]
        self.scope: dict[str, Any] = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}

    async def receive(self) -> Message:
        if self._coming:
            return self._coming.pop(0)
        await asyncio.Event().wait()
        raise AssertionError

    async def send(self, message: Message) -> None:
        self.sent.append(message)
        self.begun.set()

    @property
    def said(self) -> list[str]:
        return [each["type"].removeprefix("lifespan.") for each in self.sent]

    async def serve(self, api: Api) -> None:
        await api(self.scope, self.receive, self.send)


def living(said: list[str], *, state: dict[str, object] | None = None, fails: str = "") -> Lifespan:
    @asynccontextmanager
    async def lifespan(api: Api) -> AsyncIterator[dict[str, object] | None]:
        if fails == "startup":
            raise ValueError("no database")
        said.append("entered")
        try:
            yield state
        finally:
            said.append("left")
            if fails == "shutdown":
                raise ValueError("still in use")

    return lifespan


@asynccontextmanager
async def resource(said: list[str]) -> AsyncIterator[str]:
    said.append("early entered")
    yield "a pool"
    said.append("early left")


def test_without_one_it_is_told_that_all_is_well() -> None:
    server = Server()
    run(server.serve(Api()))
    assert server.said == ["startup.complete", "shutdown.complete"]
    assert server.scope["state"] == {}


def test_it_is_entered_and_left_and_its_state_is_the_server_s() -> None:
    said: list[str] = []
    server = Server()
    run(server.serve(Api(lifespan=living(said, state={"pool": 1}))))
    assert said == ["entered", "left"]
    assert server.scope["state"] == {"pool": 1}


def test_a_server_without_state_is_told_so() -> None:
    server = Server()
    del server.scope["state"]
    with pytest.raises(ConfigurationError, match="state"):
        run(server.serve(Api(lifespan=living([], state={"pool": 1}))))
    assert server.said == ["startup.failed"]
    without = Server()
    del without.scope["state"]
    run(without.serve(Api(lifespan=living([]))))
    assert without.said == ["startup.complete", "shutdown.complete"]


@pytest.mark.parametrize(
    ("fails", "expected", "message"),
    [
        ("startup", ["startup.failed"], "ValueError: no database"),
        ("shutdown", ["startup.complete", "shutdown.failed"], "ValueError: still in use"),
    ],
)
def test_what_fails_is_told_and_raised(fails: str, expected: list[str], message: str) -> None:
    server = Server()
    with pytest.raises(ValueError):
        run(server.serve(Api(lifespan=living([], fails=fails))))
    assert server.said == expected
    assert server.sent[-1]["message"] == message


def test_one_that_is_cancelled_leaves_what_it_has_entered() -> None:
    said: list[str] = []
    server = Server(stops=False)

    async def main() -> None:
        task = asyncio.create_task(server.serve(Api(lifespan=living(said))))
        await server.begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())
    assert said == ["entered", "left"]
    assert server.said == ["startup.complete", "shutdown.failed"], "as Starlette has it"


def on_its_loop(main: Callable[[Api], Any], api: Api) -> None:
    """On the loop of what was entered at import."""
    from lambent.ahead import AHEAD

    loop = AHEAD.take()
    assert loop is not None
    try:
        loop.run_until_complete(asyncio.wait_for(main(api), 10))
    finally:
        loop.close()


def test_what_was_entered_at_import_is_left_after_the_lifespan() -> None:
    said: list[str] = []
    api = Api(lifespan=living(said))
    assert api.enter_async_context(resource(said)) == "a pool"
    server = Server()
    on_its_loop(server.serve, api)
    assert said == ["early entered", "entered", "left", "early left"]
    assert server.said == ["startup.complete", "shutdown.complete"]


def test_what_was_entered_at_import_is_left_when_the_startup_fails() -> None:
    said: list[str] = []
    api = Api(lifespan=living(said, fails="startup"))
    api.enter_async_context(resource(said))
    server = Server()
    with pytest.raises(ValueError, match="no database"):
        on_its_loop(server.serve, api)
    assert said == ["early entered", "early left"]
    assert server.said == ["startup.failed"]


def test_what_was_entered_at_import_is_no_use_on_another_loop() -> None:
    api = Api()
    api.enter_async_context(resource([]))
    server = Server()
    with pytest.raises(ConfigurationError, match="another event loop"):
        run(server.serve(api))
    assert server.said == ["startup.failed"]
    with pytest.raises(ConfigurationError, match="another event loop"):
        run(asking(api, "GET", "/"))  # some servers have no lifespan

    on_its_loop(Server().serve, api)


def test_what_was_entered_at_import_and_ends_by_itself_ends_the_lifespan() -> None:
    ended = asyncio.Event()

    @asynccontextmanager
    async def failing() -> AsyncIterator[None]:
        async def fail(host: asyncio.Task[Any] | None) -> None:
            await ended.wait()
            assert host is not None
            host.cancel()

        task = asyncio.create_task(fail(asyncio.current_task()))
        yield
        await task

    api = Api()
    api.enter_async_context(failing())
    server = Server(stops=False)

    async def main(api: Api) -> None:
        task = asyncio.create_task(server.serve(api))
        await server.begun.wait()
        ended.set()
        with pytest.raises((LifespanEnded, asyncio.CancelledError)):
            await task

    on_its_loop(main, api)
    assert server.said == ["startup.complete", "shutdown.failed"], "as Starlette has it"


def test_threads_of_functions_end_with_it_and_begin_again() -> None:
    api = Api()
    names: list[str] = []

    @api.get("/")
    def read(request: Request) -> str:
        names.append(threading.current_thread().name)
        return request.path

    async def main() -> None:
        before = set(threading.enumerate())
        for _ in range(2):
            server = Server(stops=False)
            task = asyncio.create_task(server.serve(api))
            await server.begun.wait()
            assert (await asking(api, "GET", "/")).body == b"/"
            server._coming.append({"type": "lifespan.shutdown"})
            task.cancel()
            await asyncio.wait([task])
        for each in set(threading.enumerate()) - before:
            await asyncio.to_thread(each.join, 5)
            assert not each.is_alive() or "asyncio" in each.name

    run(main())
    assert len(names) == 2


def test_threads_of_functions_end_where_leaving_what_was_entered_at_import_fails() -> None:
    @asynccontextmanager
    async def failing() -> AsyncIterator[None]:
        yield
        raise ConnectionError("still in use")

    api = Api()
    threads: list[threading.Thread] = []
    api.get("/")(lambda: threads.append(threading.current_thread()))
    api.enter_async_context(failing())
    server = Server(stops=False)

    async def main(api: Api) -> None:
        task = asyncio.create_task(server.serve(api))
        await server.begun.wait()
        await asking(api, "GET", "/")
        task.cancel()
        with pytest.raises(ConnectionError, match="still in use"):
            await task

    on_its_loop(main, api)
    assert server.said == ["startup.complete", "shutdown.failed"]
    [thread] = threads
    thread.join(LIMIT)
    assert not thread.is_alive()


def test_middleware_that_cannot_be_made_fails_the_startup() -> None:
    def wrap(app: ASGIApp) -> ASGIApp:
        raise ConfigurationError("Expected other options.")

    server = Server()
    with pytest.raises(ConfigurationError, match="other options"):
        run(server.serve(Api(middleware=[wrap])))
    assert server.said == ["startup.failed"]


def test_a_lifespan_may_still_add_routes() -> None:
    @asynccontextmanager
    async def lifespan(api: Api) -> AsyncIterator[None]:
        api.get("/late")(lambda: "here")
        yield

    api = Api(lifespan=lifespan)
    run(Server().serve(api))
    assert run(asking(api, "GET", "/late")).body == b"here"
