import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import ContextVar
from typing import Any

import pytest
import uvicorn

from lambent.api.responses.base import Response
from lambent.api.responses.sse import EventSourceResponse
from lambent.api.responses.streams import JSONLinesResponse, StreamingResponse
from lambent.api.responses.undecided import Undecided
from lambent.errors import InvalidResult

VARIABLE = ContextVar("VARIABLE", default="")
NEW = {"type": "http", "method": "GET", "headers": [], "asgi": {"spec_version": "2.4"}}
OLD = {"type": "http", "method": "GET", "headers": [], "asgi": {"spec_version": "2.3"}}
OLDEST = {"type": "http", "method": "GET", "headers": []}


class Server:
    """Keeps what is sent. `gone`: the client has; `fails` after so many messages."""

    def __init__(self, fails: int = 1000) -> None:
        self.messages: list[Any] = []
        self.fails = fails
        self.gone = asyncio.Event()
        self.received: list[Any] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive(self) -> Any:
        if self.received:
            return self.received.pop()
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if len(self.messages) >= self.fails:
            raise OSError("gone")
        self.messages.append(message)

    def run(self, response: Any, scope: dict[str, Any] = NEW) -> list[Any]:
        asyncio.run(response(scope, self.receive, self.send))
        return self.messages


async def numbers() -> AsyncIterator[str]:
    for each in "123":
        yield each


@pytest.mark.parametrize("scope", [NEW, OLD, OLDEST])
def test_each_item_is_one_message(scope: dict[str, Any]) -> None:
    async def items() -> AsyncIterator[Any]:
        yield "é"
        yield b"\0"
        yield bytearray(b"a")
        yield ""

    assert Server().run(StreamingResponse(items(), 201, media_type="text/plain"), scope) == [
        {"type": "http.response.start", "status": 201, "headers": [(b"content-type", b"text/plain; charset=utf-8")]},
        {"type": "http.response.body", "body": "é".encode(), "more_body": True},
        {"type": "http.response.body", "body": b"\0", "more_body": True},
        {"type": "http.response.body", "body": b"a", "more_body": True},
        {"type": "http.response.body", "body": b"", "more_body": True},
        {"type": "http.response.body", "body": b"", "more_body": False},
    ]


def test_an_empty_one_has_an_empty_body() -> None:
    assert [each.get("body") for each in Server().run(StreamingResponse(iter(())))] == [None, b""]


def test_a_sync_iterator_runs_in_threads() -> None:
    seen: list[object] = []

    def items() -> Iterator[str]:
        seen.append(threading.current_thread() is threading.main_thread())
        yield VARIABLE.get()
        seen.append("closed")

    async def run() -> None:
        VARIABLE.set("context")
        await StreamingResponse(items())(NEW, server.receive, server.send)

    server = Server()
    asyncio.run(run())
    assert seen == [False, "closed"]
    assert server.messages[1]["body"] == b"context"


def set_and_reset(seen: list[object]) -> Iterator[str]:
    token = VARIABLE.set("of the generator")
    try:
        yield VARIABLE.get()
        yield VARIABLE.get()
    finally:
        seen.append(VARIABLE.get())
        VARIABLE.reset(token)
        seen.append(VARIABLE.get())


@pytest.mark.parametrize("response", [StreamingResponse, Undecided])
@pytest.mark.parametrize("fails", [1, 2, 1000])
def test_a_sync_generator_has_one_context_to_its_end(response: Callable[[Any], Any], fails: int) -> None:
    seen: list[object] = []
    server = Server(fails)

    async def run() -> None:
        VARIABLE.set("of the request")
        await response(set_and_reset(seen))(NEW, server.receive, server.send)
        assert VARIABLE.get() == "of the request"

    asyncio.run(run())
    assert seen == ["of the generator", "of the request"]
    assert {each["body"] for each in server.messages[1:]} <= {b"of the generator", b""}


def test_a_sync_iterator_that_gave_nothing_is_closed_in_the_context_of_the_request() -> None:
    seen: list[str] = []

    class Rows:
        def __iter__(self) -> Iterator[str]:
            return self

        def __next__(self) -> str:
            return "a"

        def close(self) -> None:
            seen.append(VARIABLE.get())

    async def run() -> None:
        VARIABLE.set("of the request")
        await StreamingResponse(Rows())({**NEW, "method": "HEAD"}, server.receive, server.send)

    server = Server()
    asyncio.run(run())
    assert seen == ["of the request"]


@pytest.mark.parametrize("response", [StreamingResponse, Undecided])
@pytest.mark.parametrize("scope", [NEW, OLD])
def test_a_sync_iterator_is_closed_once(response: Callable[[Any], Any], scope: dict[str, Any]) -> None:
    seen: list[str] = []

    class Rows:
        def __iter__(self) -> Iterator[str]:
            return self

        def __next__(self) -> str:
            raise StopIteration

        def close(self) -> None:
            seen.append("closed")

    Server().run(response(Rows()), scope)
    assert seen == ["closed"]


@pytest.mark.parametrize("content", [5, "text", b"bytes", None])
def test_what_is_no_iterator_is_refused(content: Any) -> None:
    with pytest.raises(InvalidResult, match="iterator"):
        Server().run(StreamingResponse(content))


def test_an_item_that_is_no_text_is_refused_before_the_start() -> None:
    server = Server()
    with pytest.raises(InvalidResult, match="gave a int"):
        server.run(StreamingResponse(iter([5])))
    assert server.messages == []


def failing(after: int) -> AsyncIterator[str]:
    async def items() -> AsyncIterator[str]:
        for _ in range(after):
            yield "a"
        raise ValueError("no")

    return items()


@pytest.mark.parametrize("scope", [NEW, OLD])
@pytest.mark.parametrize("after", [0, 1, 2])
def test_what_fails_is_raised_before_the_first_item_before_the_start(after: int, scope: dict[str, Any]) -> None:
    server = Server()
    with pytest.raises(ValueError, match="no"):
        server.run(StreamingResponse(failing(after)), scope)
    assert len(server.messages) == (after and after + 1)


@pytest.mark.parametrize("status_code", [204, 304])
def test_a_status_without_body_that_the_first_item_comes_with_is_kept_to(status_code: int) -> None:
    closed: list[bool] = []

    async def items() -> AsyncIterator[str]:
        try:
            response.draft = Response(status_code=status_code)
            while True:
                yield "a"
        finally:
            closed.append(True)

    response = StreamingResponse(items())
    server = Server()
    server.run(response)
    assert [message.get("status") for message in server.messages] == [status_code, None]
    assert (server.messages[1]["body"], server.messages[1]["more_body"]) == (b"", False)
    assert closed == [True]


def test_head_gets_no_body_and_closes_the_generator() -> None:
    class Closing:
        closed = 0

        def __aiter__(self) -> Any:
            return self

        async def __anext__(self) -> str:
            raise AssertionError

        async def aclose(self) -> None:
            self.closed += 1

    items = Closing()
    start, body = Server().run(StreamingResponse(items, media_type="text/csv"), {**NEW, "method": "HEAD"})
    assert start["headers"] == [(b"content-type", b"text/csv; charset=utf-8")]
    assert body == {"type": "http.response.body", "body": b""}
    assert items.closed == 1
    assert [each.get("body") for each in Server().run(StreamingResponse(numbers(), 204))] == [None, b""]


class Left:
    """A generator that tells how it was left, and in which task."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.tasks: set[Any] = set()
        self.waits = asyncio.Event()

    async def items(self, after: Callable[[], Any] = lambda: None) -> AsyncIterator[str]:
        try:
            async with asyncio.timeout(60):
                self.tasks.add(asyncio.current_task())
                yield "a"
                after()
                yield "b"
                await self.waits.wait()
                yield "c"
        except BaseException as error:
            self.told.append(type(error).__name__)
            raise
        finally:
            self.tasks.add(asyncio.current_task())


@pytest.mark.parametrize("fails", [0, 1, 2])
def test_a_client_that_has_gone_is_told_by_send(fails: int) -> None:
    left = Left()
    seen: list[bool] = []

    async def background() -> None:
        seen.append(True)

    Server(fails).run(StreamingResponse(left.items(), background=background))
    assert left.told == ["GeneratorExit"]
    assert len(left.tasks) == 1
    assert seen == [True]


def test_a_client_that_has_gone_is_told_by_receive() -> None:
    left, server = Left(), Server()
    server.run(StreamingResponse(left.items(server.gone.set)), OLD)
    assert [each.get("body") for each in server.messages] == [None, b"a", b"b"]
    assert left.told == ["CancelledError"]
    assert len(left.tasks) == 1


def test_a_generator_that_keeps_itself_from_being_cancelled_is_left_nevertheless() -> None:
    server = Server()

    async def items() -> AsyncIterator[str]:
        yield "a"
        server.gone.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            yield "b"
        yield "c"

    server.run(StreamingResponse(items()), OLD)
    assert [each.get("body") for each in server.messages] == [None, b"a"]


@pytest.mark.parametrize("scope", [NEW, OLD])
def test_a_request_that_is_cancelled_is(scope: dict[str, Any]) -> None:
    left, server = Left(), Server()

    async def run() -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.create_task(
            StreamingResponse(left.items(lambda: loop.call_later(0, task.cancel)))(scope, server.receive, server.send)
        )
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())
    assert left.told == ["CancelledError"]


def test_an_error_of_the_generator_is_not_taken_for_a_client_that_has_gone() -> None:
    async def items() -> AsyncIterator[str]:
        yield "a"
        raise ConnectionError("the database")

    with pytest.raises(ConnectionError, match="the database"):
        Server().run(StreamingResponse(items()))


def test_a_sync_generator_is_closed_when_its_thread_comes_back() -> None:
    server = Server()
    loops: list[asyncio.AbstractEventLoop] = []
    goes_on, closed = threading.Event(), threading.Event()
    seen: list[str] = []

    def items() -> Iterator[str]:
        try:
            VARIABLE.set("of the generator")
            yield "a"
            loops[0].call_soon_threadsafe(server.gone.set)
            assert goes_on.wait(60)
            yield "b"
        finally:
            seen.append(VARIABLE.get())
            closed.set()

    async def run() -> None:
        loops.append(asyncio.get_running_loop())
        await StreamingResponse(items())(OLD, server.receive, server.send)
        assert not closed.is_set()
        goes_on.set()
        assert await asyncio.to_thread(closed.wait, 60)

    asyncio.run(run())
    assert [each.get("body") for each in server.messages] == [None, b"a"]
    assert seen == ["of the generator"]


def test_json_lines() -> None:
    messages = Server().run(JSONLinesResponse(iter([{"a": "\n"}, 1, None])))
    assert messages[0]["headers"] == [(b"content-type", b"application/jsonl")]
    assert b"".join(each["body"] for each in messages[1:]) == b'{"a":"\\n"}\n1\nnull\n'


async def asked(port: int, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nhost: a\r\n\r\n".encode())
    return reader, writer


@pytest.mark.parametrize("path", ["/stream", "/events", "/undecided"])
def test_under_uvicorn_a_client_that_goes_ends_the_generator(path: str) -> None:
    left = Left()
    ended = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        kinds = {"/stream": StreamingResponse, "/events": EventSourceResponse, "/undecided": Undecided}
        await kinds[scope["path"]](left.items())(scope, receive, send)
        ended.set()

    async def run() -> None:
        config = uvicorn.Config(app, lifespan="off", ws="none", log_level="critical")
        with socket.create_server(("127.0.0.1", 0)) as listening:
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve([listening]))
            reader, writer = await asked(listening.getsockname()[1], path)
            await reader.readuntil(b"b")
            writer.close()
            await writer.wait_closed()
            await asyncio.wait_for(ended.wait(), 60)
            server.should_exit = True
            await serving

    asyncio.run(run())
    assert left.told == ["CancelledError"]
    assert len(left.tasks) == 1
