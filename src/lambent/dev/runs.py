"""An invocation in an environment."""

from __future__ import annotations

import asyncio

from lambent.dev.model import Failed, Invocation, Result
from lambent.dev.stream import Stream


class Run:
    """From the moment on that the environment was given it until that is done with it."""

    __slots__ = ("invocation", "since", "stream", "timer")

    def __init__(self, invocation: Invocation, since: float) -> None:
        self.invocation = invocation
        self.since = since
        """On the loop's clock."""
        self.stream: Stream | None = None
        """If that is how it is replied to."""
        self.timer: asyncio.TimerHandle | None = None

    def resolve(self, result: Result) -> None:
        """Give the invoker the result; in the middle of a streamed one, that is only how it ended."""
        if isinstance(result, Failed) and self.stream is not None:
            self.stream.end(result.payload)
        self.invocation.resolve(result)

    def hold(self) -> None:
        """Its time counts for nothing from here on."""
        self.stop_timer()
        self.invocation.held = True

    def stop_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
