"""A thread that calls functions, and a loop that waits for them."""

import asyncio
import threading
from typing import Any

import pytest

from lambent.runtime.worker import Outcome, Worker
from tests.support.runtime_api import LIMIT


def fail(error: BaseException) -> None:
    raise error


def ended(thread: threading.Thread) -> bool:
    thread.join(LIMIT)
    return not thread.is_alive()


def test_a_function_is_called_in_the_thread_of_the_one_before() -> None:
    async def calls() -> list[Outcome]:
        outcomes = [await worker.begin(threading.current_thread) for _ in range(3)]
        worker.close()
        return outcomes

    worker = Worker("the worker")
    threads = {outcome.value for outcome in asyncio.run(calls())}
    (thread,) = threads
    assert thread.name == "the worker"
    assert thread.daemon
    assert ended(thread)


@pytest.mark.parametrize("error", [KeyError("a"), StopIteration(), SystemExit(1), KeyboardInterrupt()], ids=repr)
def test_what_is_raised_comes_as_a_value_and_the_thread_goes_on(error: BaseException) -> None:
    async def calls() -> list[Outcome]:
        outcomes = [await worker.begin(lambda: fail(error)), await worker.begin(lambda: 1)]
        worker.close()
        return outcomes

    worker = Worker("worker")
    assert asyncio.run(calls()) == [Outcome(None, error), Outcome(1, None)]


def test_without_a_call_there_is_no_thread() -> None:
    worker = Worker("nobody's")
    assert worker.stack == ""
    worker.close()
    assert "nobody's" not in {thread.name for thread in threading.enumerate()}


def test_the_stack_shows_where_it_stands() -> None:
    begun, release = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        assert release.wait(LIMIT)  # here

    async def call() -> str:
        outcome = worker.begin(wait)
        begun.wait(LIMIT)
        stack = worker.stack
        release.set()
        await outcome
        worker.close()
        return stack

    worker = Worker("worker")
    assert "assert release.wait(LIMIT)  # here" in asyncio.run(call())


async def coroutine() -> None: ...


def test_what_nobody_waits_for_any_more_is_dropped() -> None:
    """A coroutine among it would be a warning, which is an error here."""
    release = threading.Event()
    threads: list[threading.Thread] = []
    calls: list[asyncio.Future[Outcome]] = []

    def function() -> Any:
        threads.append(threading.current_thread())
        assert release.wait(LIMIT)
        return coroutine()

    async def cancelled() -> None:
        worker.begin(function).cancel()
        release.set()
        await worker.begin(lambda: None)  # by then the first has been settled

    async def abandoned() -> None:
        release.clear()
        calls.append(worker.begin(function))

    worker = Worker("worker")
    asyncio.run(cancelled())
    asyncio.run(abandoned())
    release.set()
    worker.close()
    assert ended(threads[-1])
