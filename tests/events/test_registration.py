"""What is around a function: retries, middleware, and what is refused before any event comes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from lambent.errors import ConfigurationError, DecodingError
from lambent.events import Idempotency, Record, SqsRecord
from lambent.events.registration import Options, Registration
from lambent.events.selection import Selection
from lambent.threads import Threads
from tests.events.doubles import Plain, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.events.registration import Middleware


class Around:
    """An event with so much time left."""

    context = None

    def __init__(self, left: float | None = None, *middleware: Middleware) -> None:
        self.left = left
        self.middleware = middleware
        self.result: Callable[[Record, Any], Any] | None = None
        self.threads = Threads()

    def remaining(self) -> float | None:
        return self.left


def registered(function: Callable[..., Any], **options: Any) -> Registration:
    return Registration(Selection("sqs", {}), function, Options(**options))


def call(registration: Registration, around: Around | None = None, *records: Record) -> Any:
    async def called() -> Any:
        return await registration.handle(records or (Plain("m1"),), around or Around())

    return run(called())


class Flaky:
    """Fails so many times, and remembers when it was called."""

    def __init__(self, failures: int, error: type[Exception] = ValueError) -> None:
        self.failures = failures
        self.error = error
        self.calls: list[float] = []

    async def __call__(self) -> str:
        self.calls.append(time.monotonic())
        if len(self.calls) <= self.failures:
            raise self.error(f"number {len(self.calls)}")
        return "done"


def test_a_function_is_called_once() -> None:
    flaky = Flaky(0)
    assert call(registered(flaky)) == "done"
    assert len(flaky.calls) == 1


def test_what_fails_is_tried_again_as_often_as_asked() -> None:
    flaky = Flaky(2)
    assert call(registered(flaky, retries=2, backoff=0.0)) == "done"
    assert len(flaky.calls) == 3


def test_the_last_failure_is_raised() -> None:
    flaky = Flaky(9)
    with pytest.raises(ValueError, match=r"^number 3$"):
        call(registered(flaky, retries=2, backoff=0.0))
    assert len(flaky.calls) == 3


def test_pauses_double_give_or_take_a_half() -> None:
    flaky = Flaky(2)
    call(registered(flaky, retries=2, backoff=0.02))
    first, second, third = flaky.calls
    assert second - first >= 0.009
    assert third - second >= 0.019


def test_what_is_tried_again_is_so_within_the_time() -> None:
    flaky = Flaky(9)
    with pytest.raises(ValueError, match=r"^number 1$"):
        call(registered(flaky, retries=5, backoff=10.0), Around(1.0))
    assert len(flaky.calls) == 1


@pytest.mark.parametrize("left", [None, 100.0])
def test_where_there_is_time_it_is_tried_again(left: float | None) -> None:
    flaky = Flaky(1)
    assert call(registered(flaky, retries=5, backoff=0.001), Around(left)) == "done"


def test_what_cannot_be_decoded_is_not_tried_again() -> None:
    flaky = Flaky(9, DecodingError)
    with pytest.raises(DecodingError, match=r"^number 1$"):
        call(registered(flaky, retries=5, backoff=0.0))
    assert len(flaky.calls) == 1


def test_cancellation_is_not_tried_again() -> None:
    calls = []
    begun = asyncio.Event()

    async def hang() -> None:
        calls.append(1)
        begun.set()
        await asyncio.Event().wait()

    async def cancelled() -> None:
        task = asyncio.ensure_future(registered(hang, retries=3, backoff=0.0).handle((Plain("m1"),), Around()))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(cancelled())
    assert calls == [1]


def test_a_sync_function_is_tried_again_too() -> None:
    calls = []

    def flaky() -> str:
        calls.append(1)
        if len(calls) < 3:
            raise ValueError
        return "done"

    assert call(registered(flaky, retries=2, backoff=0.0)) == "done"


def test_middleware_is_called_once_for_all_tries_the_first_outermost() -> None:
    seen = []

    def named(name: str) -> Middleware:
        async def middleware(record: Record, call: Callable[[], Awaitable[Any]]) -> Any:
            seen.append(f"{name} {record.id}")
            return f"{name}({await call()})"

        return middleware

    flaky = Flaky(1)
    around = Around(None, named("outer"), named("inner"))
    assert call(registered(flaky, retries=1, backoff=0.0), around) == "outer(inner(done))"
    assert seen == ["outer m1", "inner m1"]


def test_idempotency_is_within_middleware_and_around_retries() -> None:
    flaky = Flaky(1)
    registration = registered(flaky, retries=1, backoff=0.0, idempotency=Idempotency(store="memory://"))
    assert [call(registration), call(registration)] == ["done", "done"]
    assert len(flaky.calls) == 2


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"concurrency": 0}, "Expected `concurrency` to be a whole number, 1 or more, but got 0"),
        ({"concurrency": -1}, "Expected `concurrency` to be a whole number, 1 or more, but got -1"),
        ({"concurrency": 2.5}, "Expected `concurrency` to be a whole number, 1 or more, but got 2.5"),
        ({"idempotency": True}, r"Expected `idempotency` to be an Idempotency\(\), but got True"),
        ({"idempotency": Idempotency}, r"Expected `idempotency` to be an Idempotency\(\), but got <class"),
        ({"retries": -1}, "Expected `retries` to be a whole number, 0 or more, but got -1"),
        ({"retries": 1.5}, "Expected `retries` to be a whole number, 0 or more, but got 1.5"),
        ({"backoff": "1"}, "Expected `backoff` to be seconds, 0 or more, but got '1'"),
        ({"backoff": -0.1}, "Expected `backoff` to be seconds, 0 or more, but got -0.1"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], expected: str) -> None:
    with pytest.raises(ConfigurationError, match=expected):
        Options(**options)


async def all_of_them(records: list[SqsRecord]) -> None: ...


def test_a_function_of_batches_cannot_be_idempotent() -> None:
    with pytest.raises(ConfigurationError, match=r"all_of_them .* takes batches, but idempotency is about single rec"):
        _ = registered(all_of_them, idempotency=Idempotency()).bound


def test_it_has_a_place() -> None:
    assert "test_registration.all_of_them (" in registered(all_of_them).place
