"""A plain function as a Handler."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from typing import Any

import pytest

from lambent.errors import InvalidResult
from lambent.managed import ReturnedInvocation
from lambent.runner import Runner
from lambent.runtime.function import Function
from lambent.runtime.function import Generator as FunctionGenerator


def reply(function: Callable[[Any, Any], Any], event: object = None, context: Any = None) -> Any:
    """What the function replies to the event, within its lifetime."""
    handler = Function(function)
    invocation = ReturnedInvocation(event, context)
    runner = Runner()
    try:
        runner.start(handler.lifetime())
        runner.run(handler.serve(invocation))
    finally:
        runner.stop(1)
    return invocation.result()


def test_it_is_given_the_event_and_the_context() -> None:
    context = object()
    assert reply(lambda *given: list(given), {"a": 1}, context) == [{"a": 1}, context]


def test_the_reply_is_what_it_returns() -> None:
    assert reply(lambda event, context: b"raw") == b"raw"


def test_nothing_is_the_reply_null() -> None:
    assert reply(lambda event, context: None) is None


def test_a_coroutine_is_awaited() -> None:
    async def function(event: Any, context: Any) -> str:
        await asyncio.sleep(0)
        return "awaited"

    assert reply(function) == "awaited"


def test_a_wrapper_may_return_the_coroutine_of_what_it_wraps() -> None:
    async def function(event: Any, context: Any) -> list[Any]:
        return [event]

    def wrapper(event: Any, context: Any) -> Coroutine[Any, Any, Any]:
        return function(["wrapped", event], context)

    assert reply(wrapper, 1) == [["wrapped", 1]]


def test_whatever_can_be_awaited_is() -> None:
    class Later:
        def __await__(self) -> Generator[Any, None, str]:
            yield from asyncio.sleep(0).__await__()
            return "later"

    assert reply(lambda event, context: Later()) == "later"


def test_a_method_and_a_callable_object_are_functions() -> None:
    class Greeter:
        def greet(self, event: Any, context: Any) -> str:
            return f"hello {event}"

        __call__ = greet

    assert reply(Greeter().greet, "method") == "hello method"
    assert reply(Greeter(), "object") == "hello object"


def test_it_is_called_outside_the_event_loop() -> None:
    async def inner() -> str:
        return "a loop of its own"

    assert reply(lambda event, context: asyncio.run(inner())) == "a loop of its own"


def test_a_generator_is_a_value_that_is_not_awaited() -> None:
    def function(event: Any, context: Any) -> Generator[int, None, None]:
        yield 1

    assert list(reply(function)) == [1]


@pytest.mark.parametrize("sync", [True, False])
def test_what_it_raises_is_raised(sync: bool) -> None:
    def fail(event: Any, context: Any) -> None:
        raise KeyError("a")

    async def fail_later(event: Any, context: Any) -> None:
        raise KeyError("a")

    with pytest.raises(KeyError):
        reply(fail if sync else fail_later)


# Generators


class Written:
    """An invocation that streams, and the Writer of its reply."""

    can_stream = True
    prompt = True
    event = "event"
    context = None
    late = None

    def __init__(self) -> None:
        self.said: list[Any] = []

    async def reply(self, result: Any) -> None:
        raise AssertionError

    async def stream(self, prelude: Any) -> "Written":
        self.said.append(prelude)
        return self

    async def write(self, data: bytes) -> None:
        self.said.append(data)

    async def close(self) -> None:
        self.said.append("end")


def generated(function: Callable[[Any, Any], AsyncGenerator[Any, None]]) -> list[Any]:
    """What a generator function writes."""
    written = Written()
    asyncio.run(handled(FunctionGenerator(function), written))
    return written.said


async def handled(handler: FunctionGenerator, written: Written) -> None:
    await handler.serve(written)


def test_a_generator_writes_what_it_yields() -> None:
    async def function(event: Any, context: Any) -> AsyncGenerator[Any, None]:
        yield b"bytes"
        yield "täxt"
        yield bytearray(b"buffer")
        yield memoryview(b"view")
        yield b""
        yield event

    assert generated(function) == [None, b"bytes", "täxt".encode(), b"buffer", b"view", b"event", "end"]


def test_a_dict_that_comes_first_is_the_prelude() -> None:
    async def function(event: Any, context: Any) -> AsyncGenerator[Any, None]:
        yield {"statusCode": 201}
        yield b"body"

    assert generated(function) == [{"statusCode": 201}, b"body", "end"]


def test_one_that_yields_nothing_has_an_empty_reply() -> None:
    async def function(event: Any, context: Any) -> AsyncGenerator[Any, None]:
        if event is None:
            yield b"never"

    assert generated(function) == [None, "end"]


@pytest.mark.parametrize("first", [(), (b"a",), ({"statusCode": 200},)])
@pytest.mark.parametrize("odd", [1, None, ["a"]])
def test_what_is_neither_bytes_nor_text_is_an_error_that_names_it(first: Any, odd: Any) -> None:
    async def function(event: Any, context: Any) -> AsyncGenerator[Any, None]:
        for piece in first:
            yield piece
        yield odd

    with pytest.raises(InvalidResult, match=f"it yielded a {type(odd).__name__}") as caught:
        generated(function)
    assert caught.value.error_type == "Runtime.MarshalError"


def test_nothing_is_begun_before_the_first_piece_is_known_to_be_one() -> None:
    async def function(event: Any, context: Any) -> AsyncGenerator[Any, None]:
        yield 1

    written = Written()
    with pytest.raises(InvalidResult):
        asyncio.run(handled(FunctionGenerator(function), written))
    assert written.said == []


def test_whatever_ends_it_its_own_end_is_run_at_once() -> None:
    ended: list[str] = []

    async def function(event: Any, context: Any) -> AsyncGenerator[Any, None]:
        try:
            yield b"a"
            yield b"b"
        finally:
            ended.append("finally")

    class Gone(Written):
        async def write(self, data: bytes) -> None:
            raise ConnectionResetError

    async def lost() -> None:
        with pytest.raises(ConnectionResetError):
            await handled(FunctionGenerator(function), Gone())
        assert ended == ["finally"]

    asyncio.run(lost())


def test_a_generator_never_blocks() -> None:
    async def function(event: Any, context: Any) -> AsyncGenerator[Any, None]:
        yield b""

    assert not FunctionGenerator(function).may_block
