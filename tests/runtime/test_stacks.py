"""Where code stands, as a log shows it."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import anyio.to_thread
import pytest

from lambent.invocation import CURRENT, Handled
from lambent.runtime import stacks
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


def sleep(seconds: float) -> None:
    time.sleep(seconds)


@pytest.mark.parametrize("function", [time.sleep, sleep])
def test_a_thread_of_a_pool_is_shown_while_it_is_busy(function: Callable[[float], None]) -> None:
    """What is not written in Python, too."""

    async def main() -> None:
        for run in (asyncio.to_thread, anyio.to_thread.run_sync):
            before = stacks.of_pools()
            call = asyncio.create_task(run(function, 0.1))
            await asyncio.sleep(0.05)
            during = stacks.of_pools()
            await call
            assert before == ""
            assert during.startswith("thread ")

    asyncio.run(main())


def test_a_thread_of_a_pool_that_waits_is_not_shown() -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(int).result()
        assert stacks.of_pools() == ""
