"""Threads of functions that block."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from threading import Barrier, Event, Thread, current_thread

import pytest

from lambent.threads import Threads
from tests.events.doubles import LIMIT, run


def call(function: Callable[[], object]) -> object:
    async def called() -> object:
        threads = Threads()
        try:
            return await threads.call(function)
        finally:
            threads.close()

    return run(called())


def test_what_is_returned_is_returned() -> None:
    assert call(lambda: 7) == 7


def test_it_is_another_thread_that_keeps_no_process_alive() -> None:
    thread = call(current_thread)
    assert isinstance(thread, Thread)
    assert thread is not current_thread()
    assert thread.daemon


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(3)])
def test_what_is_raised_is_raised(error: BaseException) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(type(error)) as raised:
        call(fail)
    assert raised.value is error


def test_a_stop_iteration_is_told_as_it_is_of_a_coroutine() -> None:
    with pytest.raises(RuntimeError, match="raised StopIteration"):
        call(lambda: next(iter(())))


def test_functions_run_side_by_side_and_threads_are_used_again() -> None:
    async def called() -> set[object]:
        threads = Threads()
        barrier = Barrier(5)

        def meet() -> object:
            barrier.wait(LIMIT)
            return current_thread()

        first = set(await asyncio.gather(*(threads.call(meet) for _ in range(5))))
        second = set(await asyncio.gather(*(threads.call(meet) for _ in range(5))))
        threads.close()
        assert first == second
        return first

    assert len(run(called())) == 5


def test_a_function_that_nobody_waits_for_keeps_no_other_from_a_thread() -> None:
    release = Event()
    begun = Event()
    seen: list[object] = []

    def hang() -> None:
        seen.append(current_thread())
        begun.set()
        release.wait(LIMIT)

    async def called() -> None:
        threads = Threads()
        task = asyncio.create_task(threads.call(hang))
        await asyncio.sleep(0)
        begun.wait(LIMIT)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        other = await threads.call(current_thread)
        assert other not in seen
        threads.close()
        release.set()

    run(called())
    (hanging,) = seen
    assert isinstance(hanging, Thread)
    hanging.join(LIMIT)
    assert not hanging.is_alive(), "it ends when what it does ends, though the loop is closed"


def test_a_coroutine_that_comes_too_late_is_closed() -> None:
    release = Event()
    begun = Event()

    async def late() -> None:
        raise AssertionError

    def hang() -> object:
        begun.set()
        release.wait(LIMIT)
        return late()

    async def called() -> None:
        threads = Threads()
        task = asyncio.create_task(threads.call(hang))
        await asyncio.sleep(0)
        begun.wait(LIMIT)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        release.set()
        while not threads._idle:  # noqa: ASYNC110 - nothing else tells that it has settled
            await asyncio.sleep(0)
        threads.close()

    run(called())  # where it is not closed, a warning, which is an error, says so


def test_threads_end_when_closed() -> None:
    thread = call(current_thread)
    assert isinstance(thread, threading.Thread)
    thread.join(LIMIT)
    assert not thread.is_alive()


def test_one_that_was_busy_when_they_were_closed_is_not_used_again() -> None:
    begun, release = Event(), Event()

    def hang() -> object:
        begun.set()
        release.wait(LIMIT)
        return current_thread()

    async def called() -> None:
        threads = Threads()
        task = asyncio.create_task(threads.call(hang))
        await asyncio.sleep(0)
        begun.wait(LIMIT)
        threads.close()
        release.set()
        ended = await task
        assert await asyncio.wait_for(threads.call(current_thread), LIMIT) is not ended
        threads.close()

    run(called())
