"""Where code stands, as a log shows it."""

import asyncio
import re
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any

import anyio.from_thread
import anyio.to_thread
import pytest

from lambent.invocation import CURRENT, Handled
from lambent.runtime import stacks
from lambent.threads import Threads
from tests.support.runtime_api import LIMIT


def shown(text: str) -> list[str]:
    """The lines without those that name files."""
    return [line.strip() for line in text.splitlines() if not line.startswith("  File")]


async def asleep() -> None:
    await asyncio.sleep(LIMIT)


async def nested() -> None:
    await asleep()


def seen_while(work: Callable[[], Coroutine[Any, Any, None]]) -> str:
    """What is shown of an invocation whose one task does this, among tasks of others."""

    async def main() -> str:
        others = [asyncio.create_task(asleep(), name="outside")]
        mine, other = Handled(1, None), Handled(2, None)
        CURRENT.set(other)
        others.append(asyncio.create_task(asleep(), name="other"))
        CURRENT.set(mine)
        task = asyncio.create_task(work(), name="mine")
        await asyncio.sleep(0.01)
        text = stacks.of_tasks(asyncio.get_running_loop(), mine)
        for each in (*others, task):
            each.cancel()
            with suppress(asyncio.CancelledError):
                await each
        return text.partition("task mine:")[2] and text[text.index("task mine:") :]

    return asyncio.run(main())


def test_a_task_is_shown_down_to_what_it_awaits() -> None:
    lines = shown(seen_while(nested))
    assert lines[:3] == ["task mine:", "await asleep()", "await asyncio.sleep(LIMIT)"]
    assert "task other:" not in lines
    assert "task outside:" not in lines


def test_an_async_generator_is_shown_where_it_is_iterated() -> None:
    async def pieces() -> Any:
        yield 1
        await asleep()

    async def iterate() -> None:
        async for _ in pieces():
            pass

    assert shown(seen_while(iterate))[1] == "async for _ in pieces():"


def test_a_thread_is_shown_from_the_user_s_first_frame_on() -> None:
    over = threading.Event()
    begun = threading.Event()

    def work() -> None:
        begun.set()
        over.wait(LIMIT)

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait(LIMIT)
    lines = shown(stacks.of_thread(thread.ident))
    over.set()
    thread.join()
    assert lines[0] in ("begun.set()", "over.wait(LIMIT)")
    assert stacks.of_thread(None) == ""


def test_a_loop_that_waits_is_not_shown() -> None:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    while not loop.is_running():
        time.sleep(0)
    assert stacks.of_thread(thread.ident) == ""
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def wait_for(gate: threading.Lock) -> None:
    gate.acquire()


async def pools(*, busy: int) -> None:
    """Wait until so many of their threads are shown, those that are busy."""
    async with asyncio.timeout(LIMIT):
        while len(re.findall(r"^thread ", stacks.of_pools(), re.MULTILINE)) != busy:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)


@pytest.mark.parametrize("written", ["in Python", "in C"])
def test_a_thread_of_a_pool_is_shown_while_it_is_busy(written: str) -> None:
    async def main() -> None:
        threads = Threads()

        async def run_in_ours(function: Callable[..., object], *args: object) -> None:
            await threads.call(partial(function, *args))

        runs: list[Callable[..., Coroutine[Any, Any, Any]]]
        runs = [asyncio.to_thread, anyio.to_thread.run_sync, run_in_ours]
        for run in runs:
            gate = threading.Lock()
            gate.acquire()
            await pools(busy=0)
            call = asyncio.create_task(run(gate.acquire) if written == "in C" else run(wait_for, gate))
            await pools(busy=1)
            gate.release()
            await call
        threads.close()

    asyncio.run(main())


def test_threads_and_tasks_of_one_name_are_all_shown() -> None:
    """All threads of AnyIO's pools have one name, and so have ours: one that waits hid one that is busy."""

    async def main() -> None:
        threads = Threads()
        runs: list[Callable[[Callable[[], object]], Coroutine[Any, Any, Any]]]
        runs = [anyio.to_thread.run_sync, threads.call]
        for run in runs:
            gates = [threading.Lock(), threading.Lock()]
            calls = []
            for gate in gates:
                gate.acquire()
                calls.append(asyncio.create_task(run(partial(wait_for, gate))))
            for busy in (2, 1):
                await pools(busy=busy)
                gates.pop().release()
                await calls.pop()
            await pools(busy=0)
        threads.close()

    asyncio.run(main())
    tasks = [seen for seen in shown(seen_while(two_of_one_name)) if seen == "await asleep()"]
    assert len(tasks) == 2


async def two_of_one_name() -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(a_task(), name="resize")


async def a_task() -> None:
    await asleep()


def test_a_thread_with_a_loop_of_its_own_is_none_of_a_pool() -> None:
    with anyio.from_thread.start_blocking_portal():
        asyncio.run(pools(busy=0))


def test_a_thread_of_a_pool_that_waits_is_not_shown() -> None:
    async def main() -> None:
        threads = Threads()
        await asyncio.to_thread(int)
        await threads.call(int)
        await pools(busy=0)
        threads.close()

    asyncio.run(main())
