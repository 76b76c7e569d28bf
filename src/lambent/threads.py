"""Threads for functions that block, with the event loop waiting for what comes of them."""

from __future__ import annotations

import asyncio
from threading import Thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from queue import SimpleQueue
    from typing import Any

    Outcome = tuple[Any, BaseException | None]
    """What a function returned, or else raised: a value, for a future takes no StopIteration."""
    Calls = SimpleQueue[tuple[Callable[[], Any], asyncio.Future[Outcome]] | None]
    """What a thread is to do; None ends it."""


class Threads:
    """As many as there are functions running at a time; each is used again.

    They are daemons: a function that never returns keeps neither the process from ending, nor the next function from a
    thread. In a ThreadPoolExecutor it would do both. For one event loop.
    """

    __slots__ = ("_all", "_idle")

    def __init__(self) -> None:
        self._all: list[Calls] = []
        self._idle: list[Calls] = []

    async def call(self, function: Callable[[], object]) -> object:
        """Call it and return what it returns, or raise what it raises. Cancelled, it goes on: nothing can end it."""
        calls = self._idle.pop() if self._idle else self._begin()
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        calls.put((function, outcome))
        value, error = await outcome
        if error is not None:
            raise error
        return value

    def close(self) -> None:
        """End the threads, those that are in a function when it has returned."""
        for calls in self._all:
            calls.put(None)
        self._all.clear()
        self._idle.clear()

    def _begin(self) -> Calls:
        from queue import SimpleQueue

        calls: Calls = SimpleQueue()
        self._all.append(calls)
        Thread(target=self._run, args=[calls], name="lambent thread", daemon=True).start()
        return calls

    def _run(self, calls: Calls) -> None:
        while (call := calls.get()) is not None:
            function, future = call
            outcome = _called(function)
            try:
                future.get_loop().call_soon_threadsafe(self._settle, calls, future, outcome)
            except RuntimeError:  # the loop is closed: nobody waits any more
                return
            del call, function, future, outcome  # kept until the next call, they would keep a record alive

    def _settle(self, calls: Calls, future: asyncio.Future[Outcome], outcome: Outcome) -> None:
        """On the loop: the thread is free, unless it was told to end meanwhile."""
        if calls in self._all:
            self._idle.append(calls)
        if not future.done():
            future.set_result(outcome)
        elif asyncio.iscoroutine(outcome[0]):
            outcome[0].close()  # nobody will await it


def _called(function: Callable[[], Any]) -> Outcome:
    """A frame of its own, for a thread that shows where it stands: in `_run` it has nothing to do."""
    try:
        return function(), None
    except BaseException as error:  # whoever waits is told, whatever it is
        return None, error
