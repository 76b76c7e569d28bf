"""Calls in threads that nobody has to wait for."""

from __future__ import annotations

import asyncio
import threading

import pytest

from lambent.dev.sources.threads import in_thread


def test_what_a_call_returns_and_raises_comes_back() -> None:
    async def run() -> int:
        with pytest.raises(ZeroDivisionError):
            await in_thread(lambda: 1 // 0)
        assert await in_thread(threading.get_ident) != threading.get_ident()
        return await in_thread(lambda: 7)

    assert asyncio.run(run()) == 7


def test_a_call_that_is_not_waited_for_ends_unheard() -> None:
    gate, ended = threading.Event(), threading.Event()

    def work() -> None:
        gate.wait(60)
        threading.current_thread().name = "done"
        ended.set()

    async def run() -> None:
        waiting = asyncio.ensure_future(in_thread(work))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(run())
    gate.set()
    assert ended.wait(60)
