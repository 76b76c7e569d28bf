"""A task that takes its first step at once."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from contextvars import ContextVar, copy_context
from typing import Any

import pytest

from lambent.events.eager import begun
from tests.events.doubles import run

variable = ContextVar("variable", default="unset")


def test_what_does_not_wait_is_done_at_once() -> None:
    seen: list[object] = []

    async def step() -> None:
        seen.append(asyncio.current_task())

    async def outer() -> None:
        task = begun(step(), copy_context())
        assert task.done()
        assert seen == [task]
        assert asyncio.current_task() is not task
        await asyncio.sleep(0)

    run(outer())


def test_what_waits_goes_on_later_as_any_task() -> None:
    seen = []

    async def steps() -> None:
        task = asyncio.current_task()
        seen.append("first")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await asyncio.Event().wait()
        assert asyncio.current_task() is task
        seen.append("last")

    async def outer() -> None:
        task = begun(steps(), copy_context())
        assert seen == ["first"]
        assert not task.done()
        await task
        assert asyncio.current_task() is not task

    run(outer())
    assert seen == ["first", "last"]


def test_it_can_be_cancelled() -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    async def outer() -> None:
        task = begun(hang(), copy_context())
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(outer())


def test_it_has_the_context_that_it_is_given() -> None:
    async def set_it() -> None:
        assert variable.get() == "given"
        variable.set("inner")
        await asyncio.sleep(0)
        assert variable.get() == "inner"

    async def outer() -> None:
        context = copy_context()
        context.run(variable.set, "given")
        await begun(set_it(), context)
        assert variable.get() == "unset"
        assert context[variable] == "inner"

    run(outer())


async def fail() -> None:
    raise ValueError("no")


async def leave() -> None:
    sys.exit(3)


def test_what_it_raises_is_kept() -> None:
    async def outer() -> None:
        task = begun(fail(), copy_context())
        with pytest.raises(ValueError, match="no"):
            await task

    run(outer())


def test_an_exit_is_raised_and_the_task_that_began_it_is_the_current_one_again() -> None:
    async def outer() -> None:
        current = asyncio.current_task()
        with pytest.raises(SystemExit):
            await begun(leave(), copy_context())
        assert asyncio.current_task() is current

    run(outer())


def test_one_may_begin_another() -> None:
    seen = []

    async def inner() -> None:
        seen.append("inner")
        await asyncio.sleep(0)

    async def middle() -> None:
        task = begun(inner(), copy_context())
        seen.append("middle")
        await task

    async def outer() -> None:
        await begun(middle(), copy_context())

    run(outer())
    assert seen == ["inner", "middle"]


@pytest.mark.skipif(sys.platform == "win32", reason="uvloop has no Windows build")
def test_a_loop_that_cannot_be_caught_begins_it_in_its_own_time() -> None:
    uvloop = pytest.importorskip("uvloop")
    seen = []

    async def step() -> None:
        seen.append(1)

    async def outer() -> None:
        await begun(step(), copy_context())

    new_loop: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    main: Coroutine[Any, Any, None] = outer()
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(main)
    assert seen == [1]
