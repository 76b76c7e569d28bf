"""The event loop of the environment to come: for what is done while the application is imported.

    whoever makes the loop before it imports    AHEAD.offer(loop)
    whoever has work at import                  AHEAD.loop()
    whoever makes a loop after the import       AHEAD.take()

So what was made at import is on the loop that serves.
"""

from __future__ import annotations

import asyncio
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop


class Ahead:
    """One loop, which is offered, or made when it is asked for. For any thread."""

    __slots__ = ("_change", "_loop", "_made", "_used")

    def __init__(self) -> None:
        self._change = threading.Lock()
        self._loop: AbstractEventLoop | None = None
        self._made = False
        """Whether it was made here."""
        self._used = False
        """Whether it was asked for: what nothing lives on, nobody has to take."""

    def offer(self, loop: AbstractEventLoop) -> None:
        """Say which loop will serve. It stays the caller's, who closes it."""
        with self._change:
            self._loop = loop
            self._made = self._used = False

    def loop(self) -> AbstractEventLoop:
        """The loop that will serve: what was offered, unless that is closed; else one that ends with the process."""
        with self._change:
            loop = self._loop
            if loop is None or loop.is_closed():
                loop = self._loop = _made()
                self._made = True
            self._used = True
            return loop

    def take(self) -> AbstractEventLoop | None:
        """The loop that something was done on ahead; None if nothing was, if it runs, or is closed.

        It is lent: others may have something on it too. Who takes it does not close it.
        """
        with self._change:
            loop = self._loop
            if not self._used or loop is None or loop.is_closed() or loop.is_running():
                return None
            return loop

    def forget(self) -> None:
        """Know of no loop any more, and end one that was made here: for tests, as if each were a process of its own."""
        with self._change:
            loop = self._loop if self._made else None
            self._loop = None
            self._made = self._used = False
        if loop is not None:
            _end(loop)


def _made() -> AbstractEventLoop:
    import atexit

    loop = asyncio.new_event_loop()
    atexit.register(_end, loop)  # before whoever takes it registers: so it is after them that this is called
    return loop


def _end(loop: AbstractEventLoop) -> None:
    """Cancel what is left on the loop, and close it."""
    from lambent.runner import Runner

    if not loop.is_closed() and not loop.is_running():
        Runner(loop).stop(0)


AHEAD = Ahead()
"""The process has one, as it has one environment."""
