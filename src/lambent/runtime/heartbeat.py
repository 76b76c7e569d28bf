"""Says when the event loop that many invocations share is held up, and by what."""

from __future__ import annotations

import logging
import threading

from lambent.runtime import stacks

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio

logger = logging.getLogger("lambent")

_SECONDS = 1.0


class Heartbeat:
    """A thread that has the loop take a callback now and then, and warns if it does not within `seconds`.

    Made in the thread that runs the loop. One warning each time that the loop is held up.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float = _SECONDS) -> None:
        self._loop = loop
        self._seconds = seconds
        self._watched = threading.get_ident()
        self._beat = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lambent heartbeat", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._closing.set()
        self._beat.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.wait(self._seconds):
            self._beat.clear()
            try:
                self._loop.call_soon_threadsafe(self._beat.set)
            except RuntimeError:  # it is closed
                return
            if self._closing.is_set():  # `close` may have set the beat before it was cleared
                return
            if not self._beat.wait(self._seconds):
                logger.warning(
                    "The event loop is held up for more than %s s, and with it every invocation here, at:\n%s",
                    self._seconds,
                    stacks.of_thread(self._watched),
                )
                self._beat.wait()
