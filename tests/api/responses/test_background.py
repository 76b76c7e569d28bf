import asyncio
import threading
from contextvars import ContextVar

import pytest

from lambent.api.responses.background import BackgroundTasks

VARIABLE = ContextVar("VARIABLE", default="")


def test_tasks_are_called_in_their_order_sync_ones_in_a_thread() -> None:
    tasks = BackgroundTasks()
    seen: list[object] = []

    async def note(value: int, *, times: int = 1) -> None:
        seen.append(value * times)
        if value == 1:
            tasks.add_task(block, "added")

    def block(value: str) -> None:
        seen.append((value, VARIABLE.get(), threading.current_thread() is threading.main_thread()))

    tasks.add_task(block, "first")
    tasks.add_task(note, 1, times=3)
    tasks.add_task(lambda: note(2))
    assert len(tasks) == 3

    async def run() -> None:
        VARIABLE.set("context")
        await tasks()

    asyncio.run(run())
    assert seen == [("first", "context", False), 3, 2, ("added", "context", False)]
    assert len(tasks) == 0


def fail(error: Exception) -> None:
    raise error


def test_one_that_fails_keeps_none_from_being_called() -> None:
    tasks = BackgroundTasks()
    seen: list[int] = []
    tasks.add_task(fail, ValueError("a"))
    tasks.add_task(seen.append, 1)
    with pytest.raises(ValueError, match="a"):
        asyncio.run(tasks())
    assert seen == [1]


def test_several_that_fail_are_told_together() -> None:
    tasks = BackgroundTasks()
    tasks.add_task(fail, ValueError("a"))
    tasks.add_task(fail, KeyError("b"))
    with pytest.raises(ExceptionGroup, match="2 background tasks failed") as raised:
        asyncio.run(tasks())
    assert [type(each) for each in raised.value.exceptions] == [ValueError, KeyError]
