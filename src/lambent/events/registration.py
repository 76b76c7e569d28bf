"""One function and what it is registered for: how a record is handled, with all that was asked to be around it."""

from __future__ import annotations

import asyncio
from functools import cached_property, partial

from lambent.errors import ConfigurationError, EventError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from typing import Protocol

    from lambent.events.binding import Bound
    from lambent.events.decode import Decoder
    from lambent.events.idempotency import Idempotency
    from lambent.events.model import Record
    from lambent.events.selection import Selection
    from lambent.threads import Threads
    from lambent.types import Context, Event

    class Surroundings(Protocol):
        """The event that records are of: what is around their functions."""

        result: Callable[[Record, Event], Event] | None
        """What a function has returned → the reply, where an event is one record and its source has a form for it."""

        @property
        def context(self) -> Context | None: ...
        @property
        def middleware(self) -> Sequence[Middleware]: ...
        @property
        def threads(self) -> Threads: ...
        def remaining(self) -> float | None:
            """Seconds until what is not done counts as failed; None for no deadline."""

    Call = Callable[[], Awaitable[Event]]
    Middleware = Callable[[Record, Call], Awaitable[Event]]
    ErrorHandler = Callable[[Exception, Record], Event]


class Options:
    """What can be asked of a function's records.

    - `concurrency`: how many of an event's records are handled at a time
    - `decoder`: of what a record carries: a name such as `json`, `base64+gzip`, or a function. None: by the annotation
    - `retries`: how often one is tried again before it fails, as long as there is time
    - `backoff`: seconds before the first retry, then twice as many each time, give or take a half
    - `idempotency`: that what has been done is not done again
    """

    __slots__ = ("backoff", "concurrency", "decoder", "idempotency", "retries")

    def __init__(
        self,
        concurrency: int = 10,
        decoder: Decoder = None,
        retries: int = 0,
        backoff: float = 0.2,
        idempotency: Idempotency | None = None,
    ) -> None:
        if type(concurrency) is not int or concurrency < 1:
            raise ConfigurationError(
                f"Expected `concurrency` to be a whole number, 1 or more, but got {concurrency!r}."
            )
        if type(retries) is not int or retries < 0:
            raise ConfigurationError(f"Expected `retries` to be a whole number, 0 or more, but got {retries!r:.100}.")
        if type(backoff) not in (int, float) or not 0 <= backoff < float("inf"):
            raise ConfigurationError(f"Expected `backoff` to be seconds, 0 or more, but got {backoff!r:.100}.")
        given: object = idempotency
        if given is not None and (isinstance(given, type) or not hasattr(given, "once")):
            raise ConfigurationError(f"Expected `idempotency` to be an Idempotency(), but got {given!r:.100}.")
        self.concurrency = concurrency
        self.decoder = decoder
        self.retries = retries
        self.backoff = backoff
        self.idempotency = idempotency


class Registration:
    """A function, what it wants, and how it is called."""

    def __init__(self, selection: Selection, function: Callable[..., Event], options: Options, place: str = "") -> None:
        self._place = place
        self.selection = selection
        self.function = function
        self.options = options
        self._is_plain = not options.retries and options.idempotency is None

    @cached_property
    def bound(self) -> Bound:
        """The function with its signature read, which is done once. Raises ConfigurationError."""
        from lambent.events.binding import Bound

        bound = Bound(self.function, self.options.decoder, has_body=self.selection.source != "schedule")
        if bound.takes_batch and self.options.idempotency is not None:
            raise ConfigurationError(
                f"{self.place} takes batches, but idempotency is about single records: take one record at a time."
            )
        return bound

    @property
    def place(self) -> str:
        """`module.function (file:line)`"""
        from lambent.functions import place

        return self._place or place(self.function)

    @cached_property
    def _decoded(self) -> Callable[[Record], Event] | None:
        """What a record carries, as its decoder has it; None without one."""
        if self.options.decoder is None:
            return None
        from lambent.events.decode import body_reader

        return body_reader(object, self.options.decoder)

    def handle(self, records: Sequence[Record], handling: Surroundings) -> Awaitable[Event]:
        """Call the function for a record, or for a batch. Raises what it raises at last, here or when awaited."""
        if self._is_plain and not handling.middleware:
            return self.bound.call(records, handling.context, handling.threads)
        options = self.options
        call: Call = partial(_called, self.bound, records, handling)
        if options.retries:
            call = partial(_retried, call, options, handling.remaining)
        if options.idempotency is not None:
            if handling.result is not None:  # kept and given again is the reply, which may be more than was returned
                call = partial(_replied, call, records[0], handling.result)
            once, key = options.idempotency.once, self.selection.key
            call = partial(once, records[0], call, handling.remaining, key, self._decoded)
            if handling.result is not None and records[0].filled_in:
                call = partial(_filled_in, call, records[0])
        if self.bound.takes_batch:
            return _batch(call, records[0], handling.middleware)
        return _within(call, records[0], handling.middleware)()


async def _called(bound: Bound, records: Sequence[Record], handling: Surroundings) -> Event:
    return await bound.call(records, handling.context, handling.threads)


async def _replied(call: Call, record: Record, result: Callable[[Record, Event], Event]) -> Event:
    """The reply; of one that is the event itself what is filled in: the rest may be secret, and is this event's own."""
    reply = result(record, await call())
    return {record.filled_in: reply.get(record.filled_in)} if record.filled_in else reply


async def _filled_in(call: Call, record: Record) -> Event:
    """The record's own event, with what is kept filled in; None if nothing is."""
    kept = await call()
    if kept is None:
        return None
    record.raw[record.filled_in] = kept[record.filled_in]
    return record.raw


def _within(call: Call, record: Record, middleware: Sequence[Middleware]) -> Call:
    for each in reversed(middleware):
        call = partial(each, record, call)
    return call


async def _batch(call: Call, record: Record, middleware: Sequence[Middleware]) -> Event:
    """The failures that the function has returned, whatever middleware returns."""
    failed: Event = None

    async def kept() -> Event:
        nonlocal failed
        failed = await call()
        return failed

    await _within(kept, record, middleware)()
    return failed


async def _retried(call: Call, options: Options, remaining: Callable[[], float | None]) -> Event:
    """Call, and again after what is raised, while there is time for it."""
    from random import uniform

    pause = options.backoff
    for _ in range(options.retries):
        try:
            return await call()
        except EventError:  # what cannot be read now cannot be read then
            raise
        except Exception:
            wait = pause * uniform(0.5, 1.5)  # noqa: S311 - so that many do not come back at once
            left = remaining()
            if left is not None and wait >= left:
                raise
            await asyncio.sleep(wait)
            pause *= 2
    return await call()
