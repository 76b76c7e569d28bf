"""What a function wants to be given: read from its signature, once."""

from __future__ import annotations

import asyncio
import inspect
import logging
from contextvars import copy_context
from functools import partial
from types import NoneType, UnionType
from typing import Annotated, Union, get_args, get_origin

from lambent.errors import ConfigurationError
from lambent.events.model import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from lambent.events.decode import Decoder
    from lambent.events.threads import Threads
    from lambent.types import Context, Event

    Give = Callable[[Sequence[Record], Context | None], object]
    """Records (one, unless the function takes batches) and the context → an argument. Raises DecodingError."""

logger = logging.getLogger("lambent.events")

NONE: Mapping[str, object] = {}
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class Bound:
    """A function that can be called with a record; or with many, if it `takes_batch`.

    Of its parameters those are given that are annotated with a record type, or with a list of one, or with Context, or
    are called `record`, `records` or `context` and not annotated; and one more, which gets what the record carries.
    Others must have a default. Raises ConfigurationError.
    """

    __slots__ = ("_by_name", "_function", "_gives", "_only", "is_async", "takes_batch")

    def __init__(self, function: Callable[..., Event], decoder: Decoder) -> None:
        self._function = function
        self.is_async = _is_async(function)
        self._gives: list[Give] = []
        self._by_name: dict[str, Give] = {}
        self.takes_batch = False
        bodies: list[str] = []
        for parameter in _parameters(function):
            annotation = _bare(parameter.annotation)
            give = _giver(parameter.name, annotation)
            if give is None and parameter.default is not parameter.empty:
                give = _constant(parameter.default)
            elif give is None:
                bodies.append(parameter.name)
                give = _body(parameter.annotation, decoder)
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


def _bare(annotation: Event) -> Event:
    """Without what is said beside it: `Annotated[T, ...]` and `T | None` are T."""
    origin: object = get_origin(annotation)
    if origin is Annotated:
        return _bare(get_args(annotation)[0])
    if origin in (Union, UnionType):
        members = [each for each in get_args(annotation) if each is not NoneType]
        if len(members) == 1:
            return _bare(members[0])
    return annotation


def _giver(name: str, annotation: Event) -> Give | None:
    """How to make an argument; None if it is what a record carries, or nothing of ours."""
    origin: object = get_origin(annotation)
    if _holds_records(name, annotation):
        return _all(tuple if origin is tuple else list)
    if isinstance(annotation, type) and issubclass(annotation, Record):
        return _first(annotation)
    if annotation is inspect.Parameter.empty and name == "record":
        return _first(Record)
    return _context if _is_context(name, annotation) else None


def _holds_records(name: str, annotation: Event) -> bool:
    if annotation is inspect.Parameter.empty:
        return name == "records"
    origin, args = get_origin(annotation), get_args(annotation)
    if not isinstance(origin, type) or not args or not isinstance(args[0], type) or not issubclass(args[0], Record):
        return False
    return issubclass(list, origin) or issubclass(tuple, origin)


def _is_context(name: str, annotation: Event) -> bool:
    """Lambda's, whose type everybody writes anew: ours, AWS's and those of the packages of types."""
    if annotation is inspect.Parameter.empty:
        return name == "context"
    kind = getattr(annotation, "__name__", "")
    home = getattr(annotation, "__module__", "")
    return kind == "LambdaContext" or (kind == "Context" and home.startswith(("lambent.", "aws")))


def _first(kind: type[Record]) -> Give:
    """The record itself, or the one that has carried it, whichever is of this kind."""

    def give(records: Sequence[Record], _: Context | None) -> object:
        record: Record | None = records[0]
        while not isinstance(record, kind):
            if record is None:
                raise ConfigurationError(f"Expected a {kind.__name__}, but this is a {type(records[0]).__name__}.")
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


def _parameters(function: Callable[..., Event]) -> list[inspect.Parameter]:
    try:
        signature = inspect.signature(function, eval_str=True)
    except Exception as error:  # annotations are evaluated, and may raise anything
        raise ConfigurationError(
            f"The signature of {place(function)} cannot be read: {type(error).__name__}: {error}. What annotations "
            "name must be there when the first event comes, not under TYPE_CHECKING only."
        ) from error
    return [each for each in signature.parameters.values() if each.kind not in _VARIADIC]


def _is_async(function: Callable[..., Event]) -> bool:
    """Whether calling it only makes a coroutine. What wraps an async function may block: then a thread calls it."""
    while isinstance(function, partial):
        function = function.func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004 - the method itself is wanted


def place(function: Callable[..., Event]) -> str:
    """`module.function (file:line)`"""
    inner = inspect.unwrap(function)
    while isinstance(inner, partial):
        inner = inspect.unwrap(inner.func)
    if not hasattr(inner, "__qualname__"):  # an object that can be called
        inner = type(inner)
    code = getattr(inner, "__code__", None) or getattr(getattr(inner, "__call__", None), "__code__", None)  # noqa: B004
    name = f"{inner.__module__}.{inner.__qualname__}"
    return f"{name} ({code.co_filename}:{code.co_firstlineno})" if code is not None else name
