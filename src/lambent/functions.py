"""What functions say of themselves: their parameters, whether they are async, where they stand. Pure."""

from __future__ import annotations

import inspect
from functools import partial
from types import NoneType, UnionType
from typing import Annotated, NewType, Union, get_args, get_origin

from lambent.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from lambent.types import Event

_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def bare(annotation: Event) -> Event:
    """Without what is said beside it: `Annotated[T, ...]` and `T | None` are T."""
    origin: object = get_origin(annotation)
    if origin is Annotated:
        return bare(get_args(annotation)[0])
    if origin in (Union, UnionType):
        members = [each for each in get_args(annotation) if each is not NoneType]
        if len(members) == 1:
            return bare(members[0])
    return annotation


def members(annotation: Event) -> tuple[Event, ...]:
    """Of a union those that it has, else itself; without what is said beside it, and for names what they stand for.

    Names are NewTypes and `type` aliases. One whose value cannot be read stays as it is.
    """
    origin: object = get_origin(annotation)
    if origin is Annotated:
        return members(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return tuple(member for each in get_args(annotation) for member in members(each))
    if isinstance(annotation, NewType):
        return members(annotation.__supertype__)
    if type(annotation).__name__ == "TypeAliasType":
        try:
            return members(annotation.__value__)
        except Exception:  # it is evaluated now, and may raise anything
            return (annotation,)
    return (annotation,)


def is_context(name: str, annotation: Event) -> bool:
    """Lambda's, whose type everybody writes anew: ours, AWS's and those of the packages of types."""
    if annotation is inspect.Parameter.empty:
        return name == "context"
    kind = getattr(annotation, "__name__", "")
    home = getattr(annotation, "__module__", "")
    return kind == "LambdaContext" or (kind == "Context" and home.startswith(("lambent.", "aws")))


def parameters(function: Callable[..., Event]) -> list[inspect.Parameter]:
    return [each for each in signature(function).parameters.values() if each.kind not in _VARIADIC]


def is_variadic(function: Callable[..., Event]) -> bool:
    """Whether all that it takes are `*args` or `**kwargs`, which tell nothing of what it wants."""
    found = signature(function).parameters.values()
    return bool(found) and all(each.kind in _VARIADIC for each in found)


def signature(function: Callable[..., Event]) -> inspect.Signature:
    """With annotations that are text evaluated. Raises ConfigurationError."""
    try:
        return inspect.signature(function, eval_str=True)
    except Exception as error:  # annotations are evaluated, and may raise anything
        raise ConfigurationError(
            f"The signature of {place(function)} cannot be read: {type(error).__name__}: {error}. What annotations "
            "name must be there when the first event comes, not under TYPE_CHECKING only."
        ) from error


def is_async(function: Callable[..., Event]) -> bool:
    """Whether calling it only makes a coroutine. What wraps an async function may block: then a thread calls it."""
    return any(inspect.iscoroutinefunction(each) for each in _called(function))


def is_awaited(function: Callable[..., Event]) -> bool:
    """Whether what it returns is to be awaited, as far as it tells: it is async, or wraps what is."""
    return is_async(function) or is_async(_innermost(function))


def is_generator(function: Callable[..., Event]) -> bool:
    """Whether calling it runs nothing of it, for it yields."""
    return any(inspect.isasyncgenfunction(each) or inspect.isgeneratorfunction(each) for each in _called(function))


def _called(function: Callable[..., Event]) -> tuple[object, object]:
    """What runs when it is called: itself, or its `__call__`."""
    while isinstance(function, partial):
        function = function.func
    return function, getattr(function, "__call__", None)  # noqa: B004 - the method itself is wanted


def _innermost(function: Callable[..., Event]) -> Event:
    """What all partials and wrappers are around."""
    inner = inspect.unwrap(function)
    while isinstance(inner, partial):
        inner = inspect.unwrap(inner.func)
    return inner


def place(function: Callable[..., Event]) -> str:
    """`module.function (file:line)`"""
    inner = _innermost(function)
    if not hasattr(inner, "__qualname__"):  # an object that can be called
        inner = type(inner)
    code = getattr(inner, "__code__", None) or getattr(getattr(inner, "__call__", None), "__code__", None)  # noqa: B004
    name = f"{inner.__module__}.{inner.__qualname__}"
    return f"{name} ({code.co_filename}:{code.co_firstlineno})" if code is not None else name
