"""Which function takes which record, and what becomes of an event."""

from __future__ import annotations

from time import perf_counter

from lambent.errors import BatchFailed, ConfigurationError, LambentError, MalformedEvent, NoFunction, Unfinished
from lambent.events import log
from lambent.events.batch import BROKEN, Batch, Work
from lambent.events.deadline import Deadline
from lambent.events.model import Record
from lambent.events.sources import INVOKE, detect, named
from lambent.threads import Threads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

    from lambent.events.model import Source
    from lambent.events.registration import ErrorHandler, Middleware, Registration
    from lambent.types import Event, Invocation, Result

    Outcome = Work | list[tuple[Work, Record]] | Exception
    """What handles a record, or each of those that it carries; or why nothing does."""

LAST_RESORT = "any"
"""In place of a source: registrations for whatever nobody else takes."""

_NONE: tuple[tuple[()], tuple[()]] = ((), ())

_MESSAGES = ("s3", "schedule", "eventbridge", "destination")
_KNOWN = 1000
"""Names of a source that are kept in mind."""

CARRIED = {"sqs": ("sns", *_MESSAGES), "sns": _MESSAGES, "eventbridge": ("s3",)}
"""A source → those whose records its own may carry."""


class Router:
    """Registrations by source, the most demanding first, and what is around all of them."""

    def __init__(self, margin: float, *, partial_failures: bool = True) -> None:
        self._registrations: dict[str, list[Registration]] = {}
        self._known: dict[str, dict[str, Registration]] = {}
        """Of sources where nothing but a name is asked for: names that have come, and who takes them."""
        self._margin = margin
        self._partial_failures = partial_failures
        self.middleware: list[Middleware] = []
        self._error_handlers: list[tuple[type[Exception], ErrorHandler]] = []
        self.threads = Threads()

    def add(self, registration: Registration) -> None:
        """Register. Raises ConfigurationError if another function wants the same."""
        selection = registration.selection
        others = self._registrations.setdefault(selection.source, [])
        for other in others:
            if other.selection.key == selection.key:
                raise ConfigurationError(
                    f"Two functions are registered for {selection}: {other.place} and {registration.place}. "
                    "Keep one, or tell them apart by a name or a pattern."
                )
            if other.selection.rivals(selection):
                raise ConfigurationError(
                    f"Some records fit {other.selection} as well as {selection}, and neither asks for more: "
                    f"{other.place} and {registration.place}. Ask for more in one of them."
                )
        if selection.asks_name_only and not (others and selection.source not in self._known):
            self._known[selection.source] = {}
        else:
            self._known.pop(selection.source, None)
        others.append(registration)
        others.sort(key=lambda each: each.selection.rank, reverse=True)

    def add_error_handler(self, kind: type[Exception], handler: ErrorHandler) -> None:
        """Register. Of several that an exception is one of, the most derived is taken. Raises ConfigurationError."""
        from lambent.functions import place

        for known, other in self._error_handlers:
            if known is kind:
                places = f"{place(other)} and {place(handler)}"
                raise ConfigurationError(f"Two functions are registered for {kind.__name__}: {places}. Keep one.")
        self._error_handlers.append((kind, handler))
        self._error_handlers.sort(key=lambda each: len(each[0].__mro__), reverse=True)

    def __iter__(self) -> Iterator[Registration]:
        return (each for others in self._registrations.values() for each in others)

    def find(self, record: Record) -> Registration | None:
        """The function for a record. Raises what the properties of a malformed one raise."""
        known = self._known.get(record.source)
        if known is None:
            return self._find(record)
        name = record.name
        found = known.get(name)
        if found is None:
            found = self._find(record)
            if found is not None and len(known) < _KNOWN:
                known[name] = found
        return found

    def _find(self, record: Record) -> Registration | None:
        for registration in self._registrations.get(record.source, ()):
            if registration.selection.matches(record):
                return registration
        return None

    def knows(self, event: Event) -> bool:
        """Whether there may be a function for the event."""
        name = detect(event).name
        return bool(self._registrations.keys() & {name, LAST_RESORT, *CARRIED.get(name, ())})

    def open(self) -> None:
        """Read all signatures. Raises ConfigurationError."""
        for each in self:
            _ = each.bound

    async def close(self) -> None:
        """Let go of what functions have made, and of the threads, which end with what they do.

        What fails to be let go does not keep the others.
        """
        from contextlib import AsyncExitStack

        async with AsyncExitStack() as stack:
            threads, self.threads = self.threads, Threads()
            stack.callback(threads.close)
            for store in {id(each.options.idempotency): each.options.idempotency for each in self}.values():
                if store is not None:
                    stack.push_async_callback(store.close)

    async def serve(self, invocation: Invocation) -> None:
        """Handle an event. Raises EventError, BatchFailed, and of a single record what its function raises."""
        event = invocation.event
        kind = detect(event)
        source = kind.source
        try:
            records = source.records(event)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise MalformedEvent(f"Expected an event of {kind.name}, but: {type(error).__name__}: {error}.") from error
        handling = Handling(self, invocation, Deadline(invocation.context, self._margin))
        if source.SINGLE:
            result = await self._single(source, records[0], handling)
        else:
            works, outcomes, are_planned = self._planned(source, records)
            batch = Batch(works, handling.handle, handling.is_held)
            if works:
                await batch.run(handling.remaining(), handling.grace)
            failed, errors = _failed(records, works, outcomes) if batch.left or not are_planned else _NONE
            result = source.reply(records, failed) if self._partial_failures else None
            if result is None and errors:
                raise BatchFailed(len(records), errors)
        await invocation.reply(result)

    async def _single(self, source: Source, record: Record, handling: Handling) -> Result:
        """Handle an event that is one record. What its function returns is the reply, in the form of the source.

        Without a reply there is nothing to save, so a sync function, which nothing can cancel, is not given up; and one
        that does not end when it is cancelled is waited for: it would go on in the next invocation.
        """
        routed = self._routed(source, record)
        if not routed:
            raise NoFunction(_unmatched(record))
        ((registration, inner),) = routed
        handling.result = getattr(source, "result", None)
        work = Work([inner], registration, None)
        returned: Result = None

        async def handle(work: Work) -> None:
            nonlocal returned
            returned = await handling.handle(work)

        seconds = handling.remaining() if registration.bound.is_async else None
        await Batch([work], handle, handling.is_held).run(seconds, grace=None)
        _log_unfinished([work])
        error = work.error_of(inner)
        if error is not None:
            raise error
        return returned if handling.result is None else handling.result(record, returned)

    def _planned(self, source: Source, records: Sequence[Record]) -> tuple[list[Work], list[Outcome], bool]:
        """What is to be done about records, and whether something is about all of them.

        One that cannot be told, or that nobody takes, has failed. So have those that follow it in its group.
        """
        works: list[Work] = []
        outcomes: list[Outcome] = []
        together: dict[Registration, Work] = {}
        broken: set[Hashable] = set()
        are_planned = True
        known = self._known.get(records[0].source) if records else None
        for record in records:
            group = None
            try:
                group = record.group
                if group in broken:
                    raise Unfinished(BROKEN)
                registration = known.get(record.name) if known else None  # as `find` does, for 10 000 of one queue
                if registration is None:
                    registration = self.find(record)
                if registration is not None:
                    outcomes.append(_part(registration, record, group, works, together))
                    continue
                routed = self._routed(source, record)
                if not routed and not _is_nothing(source, record) and not self._passes_over(record):
                    raise NoFunction(_unmatched(record))
                outcomes.append([(_part(each, inner, group, works, together), inner) for each, inner in routed])
            except Exception as error:
                outcomes.append(error)
                are_planned = False
                if group is not None:
                    broken.add(group)
                log.failed([record], error.with_traceback(None))
        return works, outcomes, are_planned

    def _routed(self, source: Source, record: Record) -> list[tuple[Registration, Record]]:
        """The function for a record; or those for the records that it carries; or one of last resort.

        Raises NoFunction for one that carries several, of which somebody takes one and nobody another.
        """
        registration = self.find(record)
        if registration is not None:
            return [(registration, record)]
        last_resort = self._registrations.get(LAST_RESORT, ())[:1]
        routed: list[tuple[Registration, Record]] = []
        left = []
        for inner in source.inner(record):
            found = self._routed(named(inner.source).source, inner)
            routed += found
            if not found:
                left.append(inner)
        if routed and left and not last_resort:
            raise NoFunction(_unmatched(left[0]))
        if routed:
            routed += [(each, inner) for inner in left for each in last_resort]
        elif record.carrier is None and not _is_nothing(source, record):
            routed = [(each, record) for each in last_resort]
        return routed

    def _passes_over(self, record: Record) -> bool:
        """Whether it is a change that the functions of its table do not ask for: failing, it would block its shard."""
        others = self._registrations.get(record.source, ()) if record.source == "dynamodb" else ()
        return any(each.selection.is_from(record) for each in others)

    def error_handler(self, error: Exception) -> ErrorHandler | None:
        """What is registered for an exception; for one of Lambent's own, by one of their names.

        A handler for whatever its functions may raise would else take a record for done that nobody has begun: one
        that is in progress elsewhere, or whose store does not answer.
        """
        ours = isinstance(error, LambentError)
        for kind, handler in self._error_handlers:
            if isinstance(error, kind) and (not ours or issubclass(kind, LambentError)):
                return handler
        return None


class Handling:
    """One event on its way through its functions."""

    __slots__ = (
        "_error_handler",
        "_invocation",
        "_is_told",
        "context",
        "grace",
        "middleware",
        "remaining",
        "result",
        "threads",
    )

    def __init__(self, router: Router, invocation: Invocation, deadline: Deadline) -> None:
        self._error_handler = router.error_handler
        self._invocation = invocation
        self._is_told = log.is_on()
        self.context = invocation.context
        self.grace = deadline.grace
        self.remaining = deadline.remaining
        self.result: Callable[[Record, Result], Result] | None = None
        self.middleware = router.middleware
        self.threads = router.threads

    def is_held(self) -> bool:
        """Whether a debugger holds it."""
        return getattr(self._invocation, "held", False)

    async def handle(self, work: Work) -> Result:
        """Have a function handle a record, and log how that went. Raises what it raises at last."""
        began = perf_counter()
        records, registration = work.records, work.registration
        try:
            try:
                result = await registration.handle(records, self)
            except Exception as error:
                handler = self._error_handler(error)
                if handler is None:
                    raise
                result = handler(error, records[0])
                if hasattr(result, "__await__"):
                    result = await result
                if registration.bound.takes_batch:  # what it returns is no list of failures: the records are done
                    result = None
            if result is not None and registration.bound.takes_batch:
                work.fail(result)
        except (Exception, SystemExit) as error:
            log.failed(records, error, began)
            raise
        if self._is_told or work.failed:
            log.done(records, began, len(work.failed))
        return result


def _part(
    registration: Registration, record: Record, group: Hashable, works: list[Work], together: dict[Registration, Work]
) -> Work:
    """The work that a record is part of."""
    if not registration.bound.takes_batch:
        work = Work([record], registration, group)
    elif registration in together:
        work = together[registration]
        work.records.append(record)
        return work
    else:
        work = together[registration] = Work([record], registration, None)
    works.append(work)
    return work


def _failed(
    records: Sequence[Record], works: Sequence[Work], outcomes: Sequence[Outcome]
) -> tuple[list[Record], list[BaseException]]:
    """The records that have failed, and each one's error."""
    _log_unfinished(works)
    failed = []
    errors = []
    for record, outcome in zip(records, outcomes, strict=True):
        if isinstance(outcome, Work):
            error = outcome.error_of(record) if outcome.failed else outcome.error
        else:
            error = _error(outcome)
        if error is not None:
            failed.append(record)
            errors.append(error)
    return failed, errors


def _log_unfinished(works: Iterable[Work]) -> None:
    """What its function has not ended has no line yet."""
    for work in works:
        if isinstance(work.error, Unfinished):
            log.failed(work.records, work.error)


def _error(outcome: list[tuple[Work, Record]] | Exception) -> BaseException | None:
    """Why a record has failed, or one that it carries; None if none has."""
    if isinstance(outcome, Exception):
        return outcome
    return next((error for work, record in outcome if (error := work.error_of(record)) is not None), None)


def _is_nothing(source: Source, record: Record) -> bool:
    """Whether a record is no news: a test message of S3, a control message of CloudWatch Logs."""
    is_nothing: Callable[[Record], bool] | None = getattr(source, "is_nothing", None)
    return is_nothing is not None and is_nothing(record)


def _unmatched(record: Record) -> str:
    kind = "this event" if record.source == INVOKE.name else _told(record)
    return f"No function is registered for {kind}. Register one for it, or one of last resort: @events.otherwise."


_TOLD = ("event_name", "key", "detail_type", "condition")
"""What else functions may ask for, beside the name."""


def _told(record: Record) -> str:
    """`s3 'uploads' (event_name 'ObjectCreated:Put', key 'a.png'), inside of sqs 'orders'`"""
    more = [f"{name} {getattr(record, name)!r:.200}" for name in _TOLD if hasattr(type(record), name)]
    told = f"{record.source} {record.name!r:.200}{' (' + ', '.join(more) + ')' if more else ''}"
    return told if record.carrier is None else f"{told}, inside of {record.carrier.source} {record.carrier.name!r:.200}"
