"""A look at the memory of an environment, again and again, as long as code of it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

SECONDS = 0.1
"""From one look to the next."""


class MemoryWatch:
    """Calls `exceeded` when `measure` gives more bytes than `limit`."""

    def __init__(self, measure: Callable[[], int], limit: int, exceeded: Callable[[], object]) -> None:
        self._measure = measure
        self._limit = limit
        self._exceeded = exceeded
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SECONDS, self._look)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        self.start()
        if self._measure() > self._limit:
            self.stop()
            self._exceeded()
