"""Invocations that nobody waits for: queued, tried again, and told of where that is wanted.

    queued ──▶ in flight ──▶ done: a success, or given up     the record goes to a destination, the event of what was
       ▲           │                                          given up to the dead letters
       └─ waiting ◀┘  failed or throttled

Source: Lambda Developer Guide, "How Lambda handles errors and retries with asynchronous invocation".
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter, defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import NamedTuple, Protocol

from lambent.dev import identifiers, lineage
from lambent.dev.asynchronous import destinations
from lambent.dev.asynchronous.destinations import FILE, Condition, Outcome
from lambent.dev.buffering import whole
from lambent.dev.model import ASYNCHRONOUS_LIMIT, Cause, Failed, Function, Invocation, InvokeRequest, Replied
from lambent.errors import UnknownFunction

LIMIT = 1000
"""Events that may be on their way; further ones are throttled."""

RETRY_WAIT = 60.0
"""Seconds before the first retry of an invocation that failed; before the second, twice as many."""

THROTTLE_WAIT = 300.0
"""Seconds that a throttled invocation waits at most; it begins with one, and doubles."""


class Service(Protocol):
    """Whoever has the functions: see `lambent.dev.service.Service`."""

    @property
    def functions(self) -> Mapping[str, Function]: ...
    def invoke(self, name: str, request: InvokeRequest) -> Invocation: ...


class Clock(NamedTuple):
    """A clock that only goes on, in seconds."""

    now: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]


def clock_of(time_scale: float) -> Clock:
    """One that goes `time_scale` times as fast as the world's."""
    return Clock(lambda: time.monotonic() * time_scale, lambda seconds: asyncio.sleep(seconds / time_scale))


class Stage(Enum):
    QUEUED = "queued"
    IN_FLIGHT = "in_flight"
    WAITING = "waiting_for_retry"


class Event:
    """One on its way."""

    def __init__(self, function: Function, request: InvokeRequest, since: float) -> None:
        self.function = function
        """As it was configured when it was last looked at."""
        self.request = request
        self.since = since
        self.stage = Stage.QUEUED
        self.attempts = 0
        """That ran."""
        self.throttled = 0
        """Times in a row."""
        self.answer: Replied | Failed | None = None
        """Of the last attempt."""

    def next(self, age: float) -> Condition | float:
        """What follows an attempt: the end, or a wait of so many seconds."""
        settings = self.function.asynchronous
        if self.throttled and self.function.reserved_concurrency == 0:
            return Condition.ZERO_RESERVED_CONCURRENCY
        if not self.throttled and isinstance(self.answer, Replied):
            return Condition.SUCCESS
        if not self.throttled and self.attempts > settings.retries:
            return Condition.RETRIES_EXHAUSTED
        wait = min(2.0 ** min(self.throttled - 1, 16), THROTTLE_WAIT) if self.throttled else RETRY_WAIT * self.attempts
        return wait if age + wait <= settings.max_age else Condition.EVENT_AGE_EXCEEDED


class Asynchronously:
    """The queue. Its methods are called in the event loop.

    - `say`: writes a line for people
    - `time_scale`: how many times faster than on AWS its clock goes
    """

    def __init__(
        self, service: Service, say: Callable[[str], None], time_scale: float = 1.0, clock: Clock | None = None
    ) -> None:
        self._service = service
        self._say = say
        self._scale = time_scale
        self._clock = clock or clock_of(time_scale)
        self._events: set[Event] = set()
        self._queues: defaultdict[str, deque[Event]] = defaultdict(deque)
        self._running: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def take(self, function: Function, request: InvokeRequest) -> bool:
        """Invoke the function some time from now. False if too much is on its way already."""
        if len(self._events) >= LIMIT or self._closed:
            return False
        event = Event(function, request, self._clock.now())
        self._events.add(event)
        self._enqueue(event)
        return True

    def status(self) -> dict[str, dict[str, int]]:
        """By function and stage: how many there are."""
        counts = Counter((event.function.name, event.stage) for event in self._events)
        names = sorted({event.function.name for event in self._events})
        return {name: {stage.value: counts[name, stage] for stage in Stage} for name in names}

    async def close(self) -> None:
        """Take no more, and tell of what is left."""
        self._closed = True
        left, self._events = self._events, set()
        if left:
            counts = Counter(f"{event.function.name} {event.stage.value.replace('_', ' ')}" for event in left)
            told = ", ".join(f"{count} of {what}" for what, count in sorted(counts.items()))
            self._say(f"Asynchronous invocations that are dropped, for the queue is in memory: {told}.")
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # On its way

    def _enqueue(self, event: Event) -> None:
        event.stage = Stage.QUEUED
        self._queues[event.function.name].append(event)
        self._hand_over(event.function.name)

    def _hand_over(self, name: str) -> None:
        """Give the service as much as the function can do at once: what waits here keeps nobody waiting there."""
        queue = self._queues[name]
        while queue and self._running[name] < room(self._service.functions.get(name, queue[0].function)):
            event = queue.popleft()
            event.stage = Stage.IN_FLIGHT
            self._running[name] += 1
            self._start(self._attempt(event))

    def _start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _attempt(self, event: Event) -> None:
        name = event.function.name
        try:
            if self._clock.now() - event.since > event.function.asynchronous.max_age:
                self._end(event, Condition.EVENT_AGE_EXCEEDED)
            elif await self._invoke(event):
                self._go_on(event)
        finally:
            self._running[name] -= 1
        self._hand_over(name)

    def _go_on(self, event: Event) -> None:
        following = event.next(self._clock.now() - event.since)
        if isinstance(following, Condition):
            self._end(event, following)
        else:
            event.stage = Stage.WAITING
            self._start(self._wait(event, following))

    async def _invoke(self, event: Event) -> bool:
        """Once. False if there is nobody to invoke any more."""
        try:
            invocation = self._service.invoke(event.function.name, event.request)
        except UnknownFunction:
            self._events.discard(event)
            gone = f"the function {event.function.name} is not there any more"
            self._say(f"RequestId: {event.request.request_id} The asynchronous invocation is dropped: {gone}.")
            return False
        event.function = self._service.functions.get(event.function.name, event.function)
        answer = await whole(await invocation.result)
        if isinstance(answer, Failed) and answer.cause is Cause.THROTTLED:
            event.throttled += 1
        else:
            event.throttled = 0
            event.attempts += 1
            event.answer = answer
        return True

    async def _wait(self, event: Event, seconds: float) -> None:
        if event.throttled <= 1:
            self._say(f"RequestId: {event.request.request_id} {self._what_follows(event, seconds)}")
        await self._clock.sleep(seconds)
        self._enqueue(event)

    def _what_follows(self, event: Event, seconds: float) -> str:
        name, settings = event.function.name, event.function.asynchronous
        if event.throttled:
            most = settings.max_age / self._scale
            return f"{name} is throttled: the asynchronous invocation waits, {most:g} s at most."
        attempt = f"attempt {event.attempts + 1} of {settings.retries + 1}"
        return f"{name} failed: the asynchronous invocation is tried again in {seconds / self._scale:g} s, {attempt}."

    # Its end

    def _end(self, event: Event, condition: Condition) -> None:
        """Tell of it where that is wanted."""
        self._events.discard(event)
        settings = event.function.asynchronous
        outcome = Outcome(condition, event.attempts, event.answer)
        record = destinations.record(event.function, event.request, outcome, time.time())
        if condition is Condition.SUCCESS:
            self._send(event, settings.on_success, record)
            return
        times = f"{event.attempts} attempt{'s' if event.attempts != 1 else ''}"
        told = f"the asynchronous invocation of {event.function.name} is given up after {times}"
        self._say(f"RequestId: {event.request.request_id} {condition.value}: {told}.")
        self._send(event, settings.on_failure, record)
        to_file = settings.dead_letter.startswith(f"{FILE}:")
        letter = destinations.dead_letter(event.request, outcome) if to_file else event.request.payload
        self._send(event, settings.dead_letter, letter)

    def _send(self, event: Event, where: str, document: bytes) -> None:
        """Bring a document to a destination; that it cannot be brought is told."""
        try:
            destination = destinations.destination(where)
            if destination is None:
                return
            if destination.kind == FILE:
                destinations.append(Path(destination.target), document)
            else:
                self._forward(destination.target, event.request, document)
        except (OSError, ValueError) as error:
            self._say(f"RequestId: {event.request.request_id} Nothing was sent to {where}: {error}.")

    def _forward(self, name: str, request: InvokeRequest, document: bytes) -> None:
        """Invoke another function with it. ValueError if that cannot be."""
        function = self._service.functions.get(name)
        if function is None:
            raise ValueError(f"there is no function {name!r} here, but: {', '.join(self._service.functions)}")
        if len(document) > ASYNCHRONOUS_LIMIT:
            raise ValueError(
                f"it has {len(document)} bytes, and an event that nobody waits for {ASYNCHRONOUS_LIMIT} at most"
            )
        trace = lineage.extend(identifiers.trace(request.trace, time.time(), os.urandom), request.trace, function.arn)
        if lineage.exhausted(trace, function.arn):
            raise ValueError(f"a recursive loop, in which {name} was invoked {lineage.LIMIT} times")
        if not self.take(function, InvokeRequest(identifiers.request_id(os.urandom), document, trace)):
            raise ValueError(f"the queue of asynchronous invocations is full, with {LIMIT} in it")


def room(function: Function) -> int:
    """How many of its invocations may be in flight from here."""
    most = function.environments * function.concurrency
    return most if function.reserved_concurrency is None else max(1, min(most, function.reserved_concurrency))
