"""How long an event may take: until a while before Lambda's own deadline."""

from __future__ import annotations

import os
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from lambent.types import Context

BEFORE_SECONDS = 0.25
"""By which records are given up before Lambent's runtime answers in the place of a handler that is late."""

_GRACE_SECONDS = 0.125
"""In which what is cancelled may end."""


def default_margin() -> float:
    """In front of the runtime's own margin, so that it is told in time which records have failed."""
    try:
        return BEFORE_SECONDS + float(os.environ.get("LAMBENT_DEADLINE_MARGIN") or 0.25)
    except ValueError:  # the runtime says what is wrong with it
        return 2 * BEFORE_SECONDS


class Deadline:
    """Of one event. None without a context that has a clock, and where it has passed already: some local services do
    not know theirs.

    Of a short time that is left, three quarters are kept at most: the runtime keeps half of it.
    """

    __slots__ = ("_until", "grace")

    def __init__(self, context: Context | None, margin: float) -> None:
        self._until: float | None = None
        self.grace = 0.0
        """Seconds in which what is cancelled may end."""
        clock: Callable[[], int] | None = getattr(context, "get_remaining_time_in_millis", None)
        left = 0.0 if clock is None else clock() / 1000
        if left > 0:
            margin = min(margin, left * 0.75)
            self._until = monotonic() + left - margin
            self.grace = min(margin / 4, _GRACE_SECONDS)

    def remaining(self) -> float | None:
        """Seconds until what is not done counts as failed, never negative; None for no deadline."""
        return None if self._until is None else max(0.0, self._until - monotonic())
