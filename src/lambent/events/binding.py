"""What a function wants to be given: read from its signature, once."""

from __future__ import annotations

import asyncio
import inspect
import logging
from contextvars import copy_context
from functools import partial
from types import NoneType, UnionType
from typing import Union, get_args, get_origin

from lambent.errors import ConfigurationError
from lambent.events.model import Record
from lambent.functions import bare, is_async, is_context, is_generator, parameters, place

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
    Others must have a default. Raises ConfigurationError.
    """

    __slots__ = ("_by_name", "_function", "_gives", "_only", "is_async", "takes_batch")

    def __init__(self, function: Callable[..., Event], decoder: Decoder) -> None:
        if is_generator(function):
            raise ConfigurationError(f"{place(function)} yields: calling it would do nothing. Return instead.")
        self._function = function
        self.is_async = is_async(function)
        self._gives: list[Give] = []
        self._by_name: dict[str, Give] = {}
        self.takes_batch = False
        bodies: list[str] = []
        for parameter in parameters(function):
            annotation = bare(parameter.annotation)
            give = _giver(parameter.name, annotation)
            if give is None and parameter.default is not parameter.empty:
                give = _constant(parameter.default)
            elif give is None:
                bodies.append(parameter.name)
                try:
                    give = _body(parameter.annotation, decoder)
                except ConfigurationError as error:
                    raise ConfigurationError(f"{place(function)}, parameter {parameter.name!r}: {error}") from None
            self.takes_batch = self.takes_batch or _holds_records(parameter.name, annotation)
            if parameter.kind is parameter.KEYWORD_ONLY:
                self._by_name[parameter.name] = give
            else:
                self._gives.append(give)
        _check(function, bodies, takes_batch=self.takes_batch)
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


def _check(function: Callable[..., Event], bodies: Sequence[str], *, takes_batch: bool) -> None:
    if len(bodies) > 1:
        raise ConfigurationError(
            f"{place(function)} has {len(bodies)} parameters for what a record carries: {', '.join(bodies)}. Annotate "
            "all but one with a record type, such as SqsRecord, or with Context, or give them a default."
        )
    if bodies and takes_batch:
        raise ConfigurationError(
            f"{place(function)} wants all records, and what one of them carries ({bodies[0]!r}). Decode the records' "
            "bodies in it."
        )


def _giver(name: str, annotation: Event) -> Give | None:
    """How to make an argument; None if it is what a record carries, or nothing of ours."""
    origin: object = get_origin(annotation)
    if _holds_records(name, annotation):
        return _all(tuple if origin is tuple else list)
    members = get_args(annotation) if origin in (Union, UnionType) else (annotation,)
    kinds = tuple(each for each in members if isinstance(each, type) and issubclass(each, Record))
    if kinds and all(each in (*kinds, NoneType) for each in members):
        return _first(kinds)
    if annotation is inspect.Parameter.empty and name == "record":
        return _first((Record,))
    return _context if is_context(name, annotation) else None


def _holds_records(name: str, annotation: Event) -> bool:
    if annotation is inspect.Parameter.empty:
        return name == "records"
    origin, args = get_origin(annotation), get_args(annotation)
    if not isinstance(origin, type) or not args or not isinstance(args[0], type) or not issubclass(args[0], Record):
        return False
    return issubclass(list, origin) or issubclass(tuple, origin)


def _first(kinds: tuple[type[Record], ...]) -> Give:
    """The record itself, or the one that has carried it, whichever is of one of these kinds."""

    def give(records: Sequence[Record], _: Context | None) -> object:
        record: Record | None = records[0]
        while not isinstance(record, kinds):
            if record is None:
                names = " or ".join(each.__name__ for each in kinds)
                raise ConfigurationError(f"Expected a {names}, but this is a {type(records[0]).__name__}.")
            record = record.carrier
        return record

    return give


def _all(kind: Callable[[Sequence[Record]], object]) -> Give:
    return lambda records, _: kind(records)


def _constant(value: object) -> Give:
    return lambda _, __: value


def _context(_: Sequence[Record], context: Context | None) -> object:
    return context


def _body(annotation: Event, decoder: Decoder) -> Give:
    from lambent.events.decode import reader

    read = reader(annotation, decoder)
    return lambda records, _: read(records[0].body)
