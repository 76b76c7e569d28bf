"""Sync functions, in threads."""

import asyncio
import functools
import gc
import logging
from collections.abc import Iterator
from contextlib import suppress
from contextvars import ContextVar
from threading import Event, Thread, current_thread, main_thread
from typing import Annotated, Any

import pytest

from lambent.api.binding import Plan
from lambent.api.binding.workers import Workers
from lambent.api.markers import Depends
from tests.api.binding.doubles import LIMIT, bound, exchange, plan, run

VARIABLE: ContextVar[str] = ContextVar("VARIABLE", default="outside")


def blocking(a: int) -> Any:
    return a, current_thread() is main_thread(), VARIABLE.get()


def test_a_sync_function_runs_in_a_thread_with_the_context() -> None:
    async def called() -> object:
        VARIABLE.set("request")
        return await plan(blocking).call(exchange(query="a=1"))

    assert run(called()) == (1, False, "request")


def test_what_it_sets_stays_in_its_copy() -> None:
    def setting() -> None:
        VARIABLE.set("thread")

    async def called() -> str:
        await plan(setting).call(exchange())
        return VARIABLE.get()

    assert run(called()) == "outside"


def test_what_it_raises_is_raised() -> None:
    def broken() -> None:
        raise StopIteration

    with pytest.raises(RuntimeError):
        bound(broken)

    def lost() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        bound(lost)


def test_an_async_function_that_is_wrapped_by_a_sync_one_is_awaited() -> None:
    async def inner(a: int) -> int:
        return a

    @functools.wraps(inner)
    def outer(*args: Any, **kwargs: Any) -> Any:
        return inner(*args, **kwargs)

    assert bound(outer, query="a=1") == 1


def test_several_run_at_a_time() -> None:
    met = [Event(), Event()]

    def meeting(n: int) -> bool:
        met[n].set()
        return met[1 - n].wait(LIMIT)

    async def both() -> list[object]:
        made = plan(meeting)
        return await asyncio.gather(*(made.call(exchange(query=f"n={n}")) for n in range(2)))

    assert run(both()) == [True, True]


def cancelled(function: Any, begun: Event, go_on: Event) -> None:
    async def cancel() -> None:
        task = asyncio.create_task(plan(function).call(exchange()))
        await asyncio.to_thread(begun.wait, LIMIT)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        go_on.set()

    run(cancel())


def test_one_that_is_cancelled_goes_on_and_that_is_told(caplog: pytest.LogCaptureFixture) -> None:
    begun, go_on = Event(), Event()

    def slow() -> None:
        begun.set()
        go_on.wait(LIMIT)

    with caplog.at_level(logging.WARNING, "lambent.api"):
        cancelled(slow, begun, go_on)
    assert "slow" in caplog.text
    assert "goes on" in caplog.text


def test_a_dependency_that_is_cancelled_while_it_is_entered_ends_nevertheless(caplog: pytest.LogCaptureFixture) -> None:
    begun, go_on, ended = Event(), Event(), Event()

    def slow() -> Iterator[None]:
        begun.set()
        go_on.wait(LIMIT)
        try:
            yield
        finally:
            ended.set()

    async def function(a: Annotated[None, Depends(slow)]) -> None: ...

    with caplog.at_level(logging.WARNING, "lambent.api"):
        cancelled(function, begun, go_on)
    gc.collect()
    assert ended.wait(LIMIT)


class Slow:
    """A dependency that is entered when it may be, and what was raised where it yields."""

    def __init__(self) -> None:
        self.thread: Thread | None = None
        self.begun, self.go_on, self.left = Event(), Event(), Event()
        self.raised: type[BaseException] | None = None

    def __call__(self) -> Iterator[None]:
        self.thread = current_thread()
        self.begun.set()
        self.go_on.wait(LIMIT)
        try:
            yield
        except BaseException as error:
            self.raised = type(error)
            raise
        finally:
            self.left.set()


def needing(slow: Slow) -> Any:
    async def function(a: Annotated[None, Depends(slow)]) -> None: ...

    return function


def test_a_dependency_that_is_entered_after_it_was_cancelled_is_left(caplog: pytest.LogCaptureFixture) -> None:
    slow = Slow()
    with caplog.at_level(logging.WARNING, "lambent.api"):
        cancelled(needing(slow), slow.begun, slow.go_on)
    assert slow.left.wait(LIMIT)
    assert slow.raised is asyncio.CancelledError, "not GeneratorExit: that is what collecting garbage raises"
    assert caplog.text.count("goes on there") == 1


def test_a_dependency_that_is_entered_after_its_loop_has_ended_is_left() -> None:
    slow = Slow()
    cancelled(needing(slow), slow.begun, Event())
    slow.go_on.set()
    assert slow.left.wait(LIMIT)
    assert slow.raised is asyncio.CancelledError


def test_a_dependency_that_was_entered_before_it_was_cancelled_is_left() -> None:
    slow, workers = Slow(), Workers()
    slow.go_on.set()

    async def cancel() -> None:
        task = asyncio.create_task(Plan(needing(slow), workers=workers).call(exchange()))
        await asyncio.sleep(0)  # its first step, which hands it to a thread
        assert slow.begun.wait(LIMIT)
        workers.close()
        assert slow.thread is not None
        assert has_ended(slow.thread), "it has entered; the loop, which is held up, does not know yet"
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(cancel())
    workers.close()
    assert slow.left.is_set()
    assert slow.raised is asyncio.CancelledError


def which() -> Thread:
    return current_thread()


def has_ended(thread: Thread) -> bool:
    """A thread that was told to end does it on its own."""
    thread.join(LIMIT)
    return not thread.is_alive()


def test_threads_are_used_again_and_end_with_their_loop() -> None:
    made = Plan(which)

    async def called() -> set[object]:
        return {await made.call(exchange()) for _ in range(5)}

    [thread] = run(called())
    gc.collect()
    assert isinstance(thread, Thread)
    assert has_ended(thread)


def test_plans_may_share_threads_and_these_end_when_closed() -> None:
    workers = Workers()
    plans = [Plan(which, workers=workers), Plan(which, workers=workers)]

    async def called() -> bool:
        [thread] = {await each.call(exchange()) for each in plans}
        assert isinstance(thread, Thread)
        assert thread.is_alive()
        workers.close()
        return has_ended(thread)

    assert run(called())
