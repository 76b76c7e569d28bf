"""What a function wants to be given: read from its signature, once."""

from __future__ import annotations

import asyncio
import inspect
import logging
from contextvars import copy_context
from functools import partial
from types import NoneType
from typing import get_args, get_origin

from lambent.errors import ConfigurationError
from lambent.events.model import Record
from lambent.functions import is_async, is_context, is_generator, is_variadic, members, parameters, place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from lambent.events.decode import Decoder
    from lambent.threads import Threads
    from lambent.types import Context, Event

    Give = Callable[[Sequence[Record], Context | None], object]
    """Records (one, unless the function takes batches) and the context → an argument. Raises DecodingError."""

logger = logging.getLogger("lambent.events")

NONE: Mapping[str, object] = {}


class Bound:
    """A function that can be called with a record; or with many, if it `takes_batch`.

    Of its parameters those are given that are annotated with a record type, or with a list of one, or with Context, or
    are called `record`, `records` or `context` and not annotated; and one more, which gets what the record carries.
    Others must have a default. They keep it, but where nothing else is given of the record: then the first of them
    gets what it carries, if it `has_body`. Raises ConfigurationError.
    """

    __slots__ = ("_by_name", "_function", "_gives", "_only", "is_async", "takes_batch")

    def __init__(self, function: Callable[..., Event], decoder: Decoder, *, has_body: bool = True) -> None:
        if is_generator(function):
            raise ConfigurationError(f"{place(function)} yields: calling it would do nothing. Return instead.")
        if is_variadic(function):
            raise ConfigurationError(
                f"{place(function)} takes `*args` or `**kwargs` alone, which do not tell what it wants. Name its "
                "parameters; where a decorator has hidden them, use functools.wraps in it."
            )
        self._function = function
        self.is_async = is_async(function)
        self._gives: list[Give] = []
        self._by_name: dict[str, Give] = {}
        found = [(each, _giver(each.name, each.annotation)) for each in parameters(function)]
        self.takes_batch = any(_batch_of(each.name, each.annotation) for each, _ in found)
        body = _body_of(function, found, takes_batch=self.takes_batch, has_body=has_body)
        for parameter, given in found:
            give = _body(function, parameter, decoder) if parameter is body else given or _constant(parameter.default)
            if parameter.kind is parameter.KEYWORD_ONLY:
                self._by_name[parameter.name] = give
            else:
                self._gives.append(give)
        is_simple = self.is_async and len(self._gives) == 1 and not self._by_name
        self._only = self._gives[0] if is_simple else None
        """What makes the argument of an async function that has just one: of most."""

    def call(self, records: Sequence[Record], context: Context | None, threads: Threads) -> Awaitable[Event]:
        """Call it, a sync function in a thread. Raises DecodingError at once; what it raises when awaited."""
        function: Callable[..., Awaitable[Event]] = self._function
        if self._only is not None:
            return function(self._only(records, context))
        given = [give(records, context) for give in self._gives]
        named = {name: give(records, context) for name, give in self._by_name.items()} if self._by_name else NONE
        if self.is_async:
            return function(*given, **named)
        return self._call_in_thread(partial(self._function, *given, **named), threads)

    async def _call_in_thread(self, call: Callable[[], Event], threads: Threads) -> Event:
        try:
            result = await threads.call(partial(copy_context().run, call))
        except asyncio.CancelledError:
            logger.warning("%s was called in a thread and goes on there: nothing can end it.", place(self._function))
            raise
        return await result if inspect.isawaitable(result) else result


def _body_of(
    function: Callable[..., Event],
    found: Sequence[tuple[inspect.Parameter, Give | None]],
    *,
    takes_batch: bool,
    has_body: bool,
) -> inspect.Parameter | None:
    """The parameter for what a record carries; None if there is none."""
    others = [each for each, give in found if give is None]
    bodies = [each for each in others if each.default is each.empty]
    if len(bodies) > 1:
        raise ConfigurationError(
            f"{place(function)} has {len(bodies)} parameters for what a record carries: "
            f"{', '.join(each.name for each in bodies)}. Annotate all but one with a record type, such as SqsRecord, "
            "or with Context, or give them a default."
        )
    if bodies and takes_batch:
        raise ConfigurationError(
            f"{place(function)} wants all records, and what one of them carries ({bodies[0].name!r}). Decode the "
            "records' bodies in it."
        )
    if not bodies and has_body and all(give in (None, _context) for _, give in found):  # or it would be told nothing
        bound = _bound(function)
        bodies = [each for each in others if each.name not in bound]
    return bodies[0] if bodies else None


def _bound(function: Callable[..., Event]) -> set[str]:
    """The parameters that `partial` has given already."""
    names: set[str] = set()
    while isinstance(function, partial):
        names |= function.keywords.keys()
        function = function.func
    return names


def _giver(name: str, annotation: Event) -> Give | None:
    """How to make an argument; None if it is what a record carries, or nothing of ours."""
    batch = _batch_of(name, annotation)
    if batch:
        return _all(tuple if _origin(annotation) is tuple else list, batch)
    kinds = _records_of(annotation)
    if kinds:
        return _first(kinds, is_optional=NoneType in members(annotation))
    if annotation is inspect.Parameter.empty and name == "record":
        return _first((Record,))
    return _context if is_context(name, _single(annotation)) else None


def _single(annotation: Event) -> Event:
    """What is meant, null aside; of a union of several the union."""
    kinds = [each for each in members(annotation) if each is not NoneType]
    return kinds[0] if len(kinds) == 1 else annotation


def _origin(annotation: Event) -> object:
    return get_origin(_single(annotation))


def _records_of(annotation: Event) -> tuple[type[Record], ...]:
    """The types of records that it is one of; none if it is, or may be, anything else but null."""
    kinds = [each for each in members(annotation) if each is not NoneType]
    records = tuple(each for each in kinds if isinstance(each, type) and issubclass(each, Record))
    return records if len(records) == len(kinds) else ()


def _batch_of(name: str, annotation: Event) -> tuple[type[Record], ...]:
    """The types of records that it is a list of; none if it is no such list."""
    if annotation is inspect.Parameter.empty:
        return (Record,) if name == "records" else ()
    origin, args = _origin(annotation), get_args(_single(annotation))
    records = _records_of(args[0]) if args else ()
    if not records or not isinstance(origin, type):
        return ()
    return records if issubclass(list, origin) or issubclass(tuple, origin) else ()


def _first(kinds: tuple[type[Record], ...], *, is_optional: bool = False) -> Give:
    """The record itself, or the one that has carried it, whichever is of one of these kinds."""

    def give(records: Sequence[Record], _: Context | None) -> object:
        record: Record | None = records[0]
        while not isinstance(record, kinds):
            if record is None:
                if is_optional:
                    return None
                raise _unexpected(kinds, records[0])
            record = record.carrier
        return record

    return give


def _all(kind: Callable[[Sequence[Record]], object], kinds: tuple[type[Record], ...]) -> Give:
    def give(records: Sequence[Record], _: Context | None) -> object:
        for each in records:
            if not isinstance(each, kinds):
                raise _unexpected(kinds, each)
        return kind(records)

    return give


def _unexpected(kinds: tuple[type[Record], ...], record: Record) -> ConfigurationError:
    names = " or ".join(each.__name__ for each in kinds)
    return ConfigurationError(f"Expected a {names}, but this is a {type(record).__name__}.")


def _constant(value: object) -> Give:
    return lambda _, __: value


def _context(_: Sequence[Record], context: Context | None) -> object:
    return context


def _body(function: Callable[..., Event], parameter: inspect.Parameter, decoder: Decoder) -> Give:
    from lambent.events.decode import body_reader

    try:
        read = body_reader(parameter.annotation, decoder)
    except ConfigurationError as error:
        raise ConfigurationError(f"{place(function)}, parameter {parameter.name!r}: {error}") from None
    return lambda records, _: read(records[0])
