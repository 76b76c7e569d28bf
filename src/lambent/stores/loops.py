"""What belongs to an event loop: connections cannot be used from another one."""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class PerLoop(Generic[T]):
    """One of something for each event loop, made when it is asked for. What is left of a closed loop is dropped."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: dict[asyncio.AbstractEventLoop, T] = {}

    def get(self) -> T:
        """That of the running loop."""
        loop = asyncio.get_running_loop()
        if loop not in self._made:
            for other in [each for each in self._made if each.is_closed()]:
                del self._made[other]
            self._made[loop] = self._make()
        return self._made[loop]

    def take(self) -> T | None:
        """That of the running loop, if it was made, to be closed: the next `get` makes another."""
        return self._made.pop(asyncio.get_running_loop(), None)
