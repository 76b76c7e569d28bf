"""A handler in the process of its test."""

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent import current
from lambent.errors import AlreadyReplied, IncompleteResponse, InvalidResult, LifespanEnded, WrongEventLoop
from lambent.invocation import Streamed
from lambent.runtime import stream
from lambent.runtime.target import as_handler
from lambent.testing import context
from lambent.testing.environment import Environment, Result, joined
from lambent.types import Handler, Invocation


class Kept:
    """A Handler with a lifetime, which replies as it is told to."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    async def serve(self, invocation: Invocation) -> None:
        """Do what the event says."""
        match invocation.event:
            case "twice":
                await invocation.reply(1)
                await invocation.reply(2)
            case "never":
                return
            case "streamed":
                await invocation.reply(Streamed({"statusCode": 201}, b"whole"))
            case "pieces":
                writer = await invocation.stream({"statusCode": 201})
                for piece in (b"a", b"", b"b" * 70_000):
                    await writer.write(piece)
                await writer.close()
            case "broken":
                writer = await invocation.stream(None)
                await writer.write(b"a")
                raise ValueError("in the middle")
            case "later":
                current().wait_until(self._later())
                await invocation.reply("now")
            case other:
                await invocation.reply(other)

    async def _later(self) -> None:
        await asyncio.sleep(0)
        self.steps.append("later")

    @asynccontextmanager
    async def lifetime(self) -> AsyncIterator[None]:
        """Note it down."""
        self.steps.append("enter")
        yield
        self.steps.append("leave")


def handler(function: Any) -> Handler:
    return as_handler(function, "function", lambda app: app)  # type: ignore[arg-type,return-value]  # no application


def run(environment: Environment, payload: bytes) -> Result:
    try:
        return environment.run(payload, context())
    finally:
        environment.close()


@given(pieces=st.lists(st.binary(max_size=40)))
def test_chunks_are_put_together(pieces: list[bytes]) -> None:
    chunked = b"".join(map(stream.chunk, pieces))
    assert joined(chunked) == joined(chunked + stream.LAST) == b"".join(pieces)


def test_the_lifetime_is_entered_once_and_left() -> None:
    kept = Kept()
    environment = Environment(kept)
    environment.start()
    assert [environment.run(event, context()).payload for event in (b"1", b'"a"')] == [b"1", b'"a"']
    assert kept.steps == ["enter"]
    environment.close()
    environment.close()
    assert kept.steps == ["enter", "leave"]


def test_what_is_not_closed_ends_when_nobody_has_it() -> None:
    kept = Kept()
    environment = Environment(kept)
    environment.run(b"1", context())
    del environment
    gc.collect()
    assert kept.steps == ["enter", "leave"]


def test_what_nobody_has_ends_beside_a_running_loop_too() -> None:
    kept = Kept()
    held = [Environment(kept)]
    held[0].run(b"1", context())

    async def scene() -> None:
        held.clear()
        gc.collect()

    asyncio.run(scene())
    assert kept.steps == ["enter", "leave"]


def test_work_after_the_reply_is_waited_for() -> None:
    kept = Kept()
    assert run(Environment(kept), b'"later"').payload == b'"now"'
    assert kept.steps == ["enter", "later", "leave"]


def test_streams_are_collected() -> None:
    assert run(Environment(Kept()), b'"streamed"') == Result(b"whole", streamed=True, prelude=b'{"statusCode":201}')
    assert run(Environment(Kept()), b'"pieces"').payload == b"a" + b"b" * 70_000


@pytest.mark.parametrize(
    ("event", "error"),
    [(b'"twice"', AlreadyReplied), (b'"never"', IncompleteResponse), (b'"broken"', ValueError)],
)
def test_what_breaks_the_rules_is_raised(event: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        run(Environment(Kept()), event)


def test_functions_reply_as_on_aws() -> None:
    assert run(Environment(handler(lambda event, context: Decimal("1.10"))), b"{}").payload == b"1.10"
    assert run(Environment(handler(lambda event, context: None)), b"{}").payload == b"null"
    with pytest.raises(InvalidResult, match="Object of type set is not JSON serializable"):
        run(Environment(handler(lambda event, context: {1})), b"{}")
    with pytest.raises(InvalidResult, match="Lambda takes 6291556"):
        run(Environment(handler(lambda event, context: "x" * 7_000_000)), b"{}")


def test_a_sync_function_may_run_a_loop_of_its_own() -> None:
    def function(event: Any, context: Any) -> Any:
        return asyncio.run(asyncio.sleep(0, threading.current_thread() is threading.main_thread()))

    async def scene() -> bytes:
        environment = Environment(handler(function))
        await environment.enter()
        try:
            return (await environment.handle(b"{}", context())).payload
        finally:
            await environment.leave()

    assert run(Environment(handler(function)), b"{}").payload == b"true"
    assert asyncio.run(scene()) == b"false"


def test_inside_a_running_loop_it_says_what_to_write() -> None:
    async def scene() -> None:
        Environment(Kept()).run(b"{}", context())

    with pytest.raises(WrongEventLoop, match="Write `async with Client"):
        asyncio.run(scene())


@pytest.mark.parametrize(
    "call",
    [lambda environment: environment.run(b"{}", context()), Environment.start, Environment.close],
    ids=["run", "start", "close"],
)
def test_inside_its_own_invocation_it_says_what_to_do(call: Callable[[Environment], object]) -> None:
    def function(event: Any, context: Any) -> Any:
        if event == "again":
            call(environment)
        return event

    environment = Environment(handler(function))
    with pytest.raises(WrongEventLoop, match="use a second client"):
        environment.run(b'"again"', context())
    assert run(environment, b"1").payload == b"1"


def test_on_the_callers_loop_nothing_is_handled_after_the_lifetime() -> None:
    async def scene() -> None:
        environment = Environment(Kept())
        await environment.enter()
        await environment.leave()
        with pytest.raises(LifespanEnded, match="within `async with`"):
            await environment.handle(b"1", context())

    asyncio.run(scene())


def test_on_the_callers_loop_invocations_are_concurrent() -> None:
    barrier = asyncio.Barrier(3)

    async def function(event: Any, context: Any) -> list[object]:
        await barrier.wait()
        return [event, current().request_id == context.aws_request_id, id(asyncio.get_running_loop())]

    async def scene() -> list[Result]:
        environment = Environment(handler(function))
        await environment.enter()
        results = await asyncio.gather(*(environment.handle(b"%d" % number, context()) for number in range(3)))
        await environment.leave()
        return [*results, Result(str(id(asyncio.get_running_loop())).encode())]

    *results, loop = asyncio.run(scene())
    assert [each.payload for each in results] == [b"[%d, true, %b]" % (number, loop.payload) for number in range(3)]


def test_a_startup_that_fails_is_raised_and_may_be_tried_again() -> None:
    class Failing(Kept):
        @asynccontextmanager
        async def lifetime(self) -> AsyncIterator[None]:
            self.steps.append("enter")
            if len(self.steps) == 1:
                raise ValueError("no database")
            yield

    environment = Environment(Failing())
    with pytest.raises(ValueError, match="no database"):
        environment.start()
    assert run(environment, b"1").payload == b"1"


def test_a_lifetime_that_ends_by_itself_is_told() -> None:
    lifetime: list[asyncio.Task[Any]] = []

    class Ending(Kept):
        @asynccontextmanager
        async def lifetime(self) -> AsyncIterator[None]:
            lifetime.append(asyncio.current_task())  # type: ignore[arg-type]  # there is one
            yield

        async def serve(self, invocation: Invocation) -> None:
            lifetime[0].cancel()
            await invocation.reply(1)
            await asyncio.wait(lifetime)

    environment = Environment(Ending())
    assert environment.run(b"1", context()).payload == b"1"
    with pytest.raises(LifespanEnded, match="has ended by itself"):
        environment.run(b"1", context())
    with pytest.raises(asyncio.CancelledError):
        environment.close()
