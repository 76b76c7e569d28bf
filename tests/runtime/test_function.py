"""A plain function as a Handler."""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from typing import Any

import pytest

from lambent.managed import ReturnedInvocation
from lambent.runner import Runner
from lambent.runtime.function import Function


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
    return invocation.result


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
