"""A schedule: it fires when its time comes, into the queue of invocations that nobody waits for."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from lambent.dev import identifiers, lineage
from lambent.dev.asynchronous import Clock
from lambent.dev.model import ASYNCHRONOUS_LIMIT, Function, InvokeRequest, Source
from lambent.dev.sources import schedules

LONGEST_SLEEP = 60.0
"""Seconds at a time of the schedule's clock: one that was set, or a machine that slept, is seen by then."""

Functions = Callable[[], Mapping[str, Function]]


class Taker(Protocol):
    """Whoever invokes without keeping anybody waiting: see `lambent.dev.asynchronous.Asynchronously`."""

    def take(self, function: Function, request: InvokeRequest) -> bool: ...


class NotFired(Exception):
    """The text says why."""


def calendar(time_scale: float) -> Clock:
    """The world's time and date, which from here on pass `time_scale` times as fast."""
    began = time.time()
    return Clock(
        lambda: began + (time.time() - began) * time_scale, lambda seconds: asyncio.sleep(seconds / time_scale)
    )


class Ticker:
    """One source's. Its methods are called in the event loop.

    - `say`: writes a line for people
    """

    def __init__(
        self, source: Source, functions: Functions, taker: Taker, say: Callable[[str], None], clock: Clock
    ) -> None:
        self.source = source
        self._schedule = schedules.parse(source.schedule, scheduler=schedules.is_scheduler(source))
        self._zone = schedules.zone(source.time_zone)
        self._functions = functions
        self._taker = taker
        self._say = say
        self._clock = clock
        self._running: asyncio.Task[None] | None = None
        self._next: float | None = None
        self._fired = 0
        self._last_fired: float | None = None
        self._last_error = ""

    def start(self) -> None:
        self._running = asyncio.create_task(self._run())

    async def stop(self, _grace: float | None) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait({self._running})

    def status(self) -> dict[str, object]:
        running = self._running is not None and not self._running.done()
        return {
            "kind": "schedule",
            "function": self.source.function,
            "schedule": self.source.schedule,
            "state": "waiting" if running else "ended",
            "next": schedules.iso(self._next) if self._next is not None and running else None,
            "fired": self._fired,
            "last_fired": schedules.iso(self._last_fired) if self._last_fired is not None else None,
            "last_error": self._last_error or None,
        }

    def fire(self, moment: float | None = None, payload: bytes = b"") -> str:
        """Invoke the function, with this event if there is one. Returns the id of the request. Raises NotFired."""
        now = self._clock.now() if moment is None else moment
        function = self._functions().get(self.source.function)
        if function is None:
            raise NotFired(f"there is no function {self.source.function} here")
        payload = payload or schedules.event(self.source, function, now, identifiers.request_id(os.urandom))
        if len(payload) > ASYNCHRONOUS_LIMIT:
            raise NotFired(f"the event has {len(payload)} bytes, and may have {ASYNCHRONOUS_LIMIT}")
        request_id = identifiers.request_id(os.urandom)
        trace = lineage.extend(identifiers.trace("", time.time(), os.urandom), "", function.arn)
        if not self._taker.take(function, InvokeRequest(request_id, payload, trace)):
            raise NotFired("the queue of asynchronous invocations is full")
        self._fired += 1
        self._last_fired = now
        return request_id

    async def _run(self) -> None:
        since = self._clock.now()
        after = since
        while (due := schedules.following(self._schedule, after, since, self._zone)) is not None:
            self._next = due
            while (left := due - self._clock.now()) > 0:
                await self._clock.sleep(min(left, LONGEST_SLEEP))
            self._attempt(due)
            after = max(due, self._clock.now())  # what was missed meanwhile is not made up for

    def _attempt(self, due: float) -> None:
        try:
            self.fire(due)
            self._last_error = ""
        except NotFired as error:
            if str(error) != self._last_error:
                self._say(f"{self.source.name}: it has not fired: {error}.")
            self._last_error = str(error)
