"""How long a route may take, and what ends it then.

Strategy: most requests never wait, and a timer costs as much as the rest of such a request, and stays in the loop for a
pass more. So the first step of the coroutine is taken by hand, in the task that awaits it, as `await` would take it.
Only if it has come to wait for something then, a timer is armed, and the rest has the time that is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from time import monotonic

from lambent.events.deadline import default_margin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine
    from typing import Any, TypeVar

    from lambent.types import Context

    T = TypeVar("T")
    Steps = Generator[Any, Any, Any]
else:
    Steps = Generator

__all__ = ["default_margin", "effective", "limited", "seconds_left"]

_GONE: Any = object()
"""In the place of what has been passed on."""


async def limited(coroutine: Coroutine[Any, Any, T], seconds: float | None) -> T:
    """Await `coroutine`, and cancel it after so many seconds; None for no limit. For a task.

    Raises RouteTimedOut if that has ended it, and otherwise what it raises, a TimeoutError of its own too. As with
    `asyncio.timeout`: what never waits cannot be ended, what takes its time to end is waited for, and what swallows the
    cancellation has its result.
    """
    if seconds is None:
        return await coroutine
    began = monotonic()
    rest: Awaitable[T] = coroutine
    if seconds > 0:  # else what ends it comes before all that its first step begins
        try:
            rest = Rest(coroutine, coroutine.send(None))
        except StopIteration as end:
            result: T = end.value
            return result
    own: TimeoutError | None = None
    try:
        async with asyncio.timeout(seconds - (monotonic() - began)) as timer:
            try:
                result = await rest
            except TimeoutError as error:
                own = error
                raise
    except TimeoutError as error:
        if error is own or not timer.expired():
            raise
        from lambent.api.failures import RouteTimedOut

        raise RouteTimedOut(seconds) from error
    return result


class Rest(Steps):
    """What is left of a coroutine that has taken its first step: to be awaited, once.

    It gives what that step has come to wait for, and everything else is the coroutine's own. The task sees the very
    future then, with its mark `_asyncio_future_blocking` still set.
    """

    __slots__ = ("_waits_for", "gi_yieldfrom")

    gi_frame = None
    """With `gi_yieldfrom`: whoever shows where a task stands goes on to the coroutine (see lambent.runtime.stacks)."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], waits_for: object) -> None:
        self.gi_yieldfrom = coroutine
        self._waits_for = waits_for

    def __await__(self) -> Steps:
        return self

    def __next__(self) -> Any:
        waits_for = self._waits_for
        if waits_for is _GONE:
            return self.gi_yieldfrom.send(None)
        self._waits_for = _GONE
        return waits_for

    def send(self, value: Any) -> Any:
        return self.gi_yieldfrom.send(value)

    def throw(self, *error: Any) -> Any:
        """Throw it where the coroutine waits. Whoever awaits gives an exception, or as before 3.12 its three parts."""
        return self.gi_yieldfrom.throw(*error)

    def close(self) -> None:
        self.gi_yieldfrom.close()


def effective(
    route_seconds: float | None, global_seconds: float | None, context: Context | None, margin: float
) -> float | None:
    """What the route says, else the Api, and no more than the deadline of the invocation leaves; None for no limit.

    - `margin`: as for `seconds_left`; `default_margin()`, to be asked for once
    """
    seconds = global_seconds if route_seconds is None else route_seconds
    if context is None:
        return seconds
    left = seconds_left(context, margin)
    return left if seconds is None or (left is not None and left < seconds) else seconds


def seconds_left(context: Context | None, margin: float) -> float | None:
    """Seconds until `margin` before the deadline; of a short time, a quarter, for the runtime keeps half of it.

    None without a context, and where the deadline has passed already: some local services do not know theirs.
    """
    if context is None:
        return None
    left = context.get_remaining_time_in_millis() / 1000
    return left - min(margin, left * 0.75) if left > 0 else None
