"""What invokes functions without anybody's request: schedules, and queues that are polled.

schedules.py    when a schedule fires, and with which event; by cron.py
ticker.py       a schedule
messages.py     messages of SQS as a function gets them, and its answer; patterns.py, which of them it wants
queues.py       a queue, by boto3 in threads.py
poller.py       an event source mapping
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from lambent.dev.asynchronous import Clock, clock_of
from lambent.dev.model import Source
from lambent.dev.sources import queues
from lambent.dev.sources.poller import Poller, Service
from lambent.dev.sources.queues import Connect
from lambent.dev.sources.ticker import NotFired, Taker, Ticker, calendar


class Running(Protocol):
    """A source at work."""

    source: Source

    def start(self) -> None: ...
    async def stop(self, grace: float | None) -> None: ...
    def status(self) -> dict[str, object]: ...


class Answer(NamedTuple):
    """To who fires a source by hand."""

    status: int
    document: dict[str, object]


class EventSources:
    """Every source of a project. Its methods are called in the event loop.

    - `say`: writes a line for people
    - `time_scale`: how many times faster than the world's the clock of schedules goes
    """

    def __init__(
        self,
        service: Service,
        taker: Taker,
        say: Callable[[str], None],
        time_scale: float = 1.0,
        *,
        connect: Connect = queues.connect,
        clock: Clock | None = None,
    ) -> None:
        self._service = service
        self._taker = taker
        self._say = say
        self._connect = connect
        self._calendar = clock or calendar(time_scale)
        self._clock = clock or clock_of(1)
        self._sources: dict[str, Source] = {}
        self._running: dict[str, Running] = {}
        self._leaving: dict[asyncio.Task[None], Running] = {}

    def deploy(self, sources: Iterable[Source]) -> None:
        """Have these and no others: new ones start, changed ones start anew, the rest goes on."""
        self._sources = {source.name: source for source in sources}
        for name, running in list(self._running.items()):
            if self._sources.get(name) != running.source:
                del self._running[name]
                self._leave(running)
        for name, source in self._sources.items():
            if source.enabled and name not in self._running and (made := self._make(source)):
                self._running[name] = made
                made.start()

    def status(self) -> dict[str, object]:
        """Of each by its name, as JSON."""
        return {name: self._describe(source) for name, source in self._sources.items()}

    def fire(self, name: str, event: bytes = b"") -> Answer:
        """A schedule, now, whatever its time: with its own event, or with this one, which must be JSON."""
        if name not in self._sources:
            known = ", ".join(self._sources) or "none"
            return refusal(404, f"There is no source {name!r} here. There are: {known}.")
        running = self._running.get(name)
        if not isinstance(running, Ticker):
            of_it = "it does not run" if running is None else "it polls a queue: send a message there"
            return refusal(409, f"{name} cannot be fired: {of_it}.")
        try:
            json.loads(event or b"null")
        except (ValueError, RecursionError) as error:
            return refusal(400, f"Expected no body, or the event as JSON, but got: {error}.")
        try:
            return Answer(202, {"requestId": running.fire(payload=event)})
        except NotFired as error:
            return refusal(503, f"{name} has not fired: {error}.")

    async def close(self, grace: float) -> None:
        """Stop all of them: batches that are in flight have `grace` seconds to end."""
        every = [*self._running.values(), *self._leaving.values()]
        await asyncio.gather(*(running.stop(grace) for running in every), *self._leaving)

    def _make(self, source: Source) -> Running | None:
        try:
            if source.kind == "schedule":
                functions = lambda: self._service.functions  # noqa: E731 - as they are at that time
                return Ticker(source, functions, self._taker, self._say, self._calendar)
            return Poller(source, self._service, self._connect, self._say, self._clock)
        except ValueError as error:
            self._say(f"{source.name}: {error}. The source is left out.")
            return None

    def _leave(self, running: Running) -> None:
        """Its batches end as they would have."""
        task = asyncio.create_task(running.stop(None))
        self._leaving[task] = running
        task.add_done_callback(self._leaving.pop)

    def _describe(self, source: Source) -> dict[str, object]:
        running = self._running.get(source.name)
        if running is not None:
            return running.status()
        return {"kind": source.kind, "function": source.function, "state": "ended" if source.enabled else "disabled"}


def refusal(status: int, message: str) -> Answer:
    return Answer(status, {"message": message})
