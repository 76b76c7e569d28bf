"""A thread of one's own for functions that may block, with the event loop waiting for what comes of them."""

from __future__ import annotations

import asyncio
from queue import SimpleQueue
from threading import Thread
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Outcome(NamedTuple):
    """What a function returned, or else raised: a value, for a StopIteration cannot be raised through a coroutine."""

    value: Any
    error: BaseException | None

    def drop(self) -> None:
        """Nobody wants it any more: a coroutine among it will not be awaited."""
        if asyncio.iscoroutine(self.value):
            self.value.close()


class Call(NamedTuple):
    """One function to be called, and who waits for it."""

    function: Callable[[], Any]
    outcome: asyncio.Future[Outcome]


class Worker:
    """Calls one function at a time, in a thread that begins with the first one.

    The thread is a daemon: a function that never returns does not keep the process from ending, as it would in a
    ThreadPoolExecutor, which is waited for.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._calls: SimpleQueue[Call | None] = SimpleQueue()
        self._thread: Thread | None = None

    def begin(self, function: Callable[[], Any]) -> asyncio.Future[Outcome]:
        """Have `function` called as soon as the one before has returned. To be called on the loop that waits."""
        if self._thread is None:
            self._thread = Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._calls.put(Call(function, outcome))
        return outcome

    def close(self) -> None:
        """End the thread, once the function that it is in has returned."""
        self._calls.put(None)

    @property
    def stack(self) -> str:
        """Where the thread stands, from the user's first frame on."""
        from lambent.runtime import stacks

        return stacks.of_thread(self._thread.ident) if self._thread is not None else ""

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            try:
                outcome = Outcome(call.function(), None)
            except BaseException as error:  # whoever waits is told, whatever it is
                outcome = Outcome(None, error)
            try:
                call.outcome.get_loop().call_soon_threadsafe(_settle, call.outcome, outcome)
            except RuntimeError:  # the loop is closed: nobody waits any more
                outcome.drop()
            del call, outcome  # kept until the next call, they would keep an event and a reply alive


def _settle(future: asyncio.Future[Outcome], outcome: Outcome) -> None:
    if future.done():
        outcome.drop()
    else:
        future.set_result(outcome)
