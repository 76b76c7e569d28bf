"""What routes return → what their annotations have of it, where no library does that: plain values. Pure.

Dataclasses, TypedDicts and NamedTuples are read from mappings and from the attributes of any object.
"""

from __future__ import annotations

import collections.abc
from contextlib import suppress
from dataclasses import MISSING
from functools import partial
from types import UnionType
from typing import Annotated, Any, Literal, NewType, TypeVar, Union, get_args, get_origin

from lambent.errors import ConfigurationError
from lambent.values.containers import fixed
from lambent.values.convert import fitting
from lambent.values.mismatch import Mismatch, mismatch, missing
from lambent.values.objects import applied, is_generic, is_named_tuple, is_typed_dict, type_hints
from lambent.values.validators import owner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lambent.values.mismatch import Convert

    Build = Callable[[Any], Convert]
    Read = Callable[[Any], Convert]
    """A library's model → how a value of it is read, and written as plain values."""

_ABSENT = object()
_ARRAYS: tuple[Any, ...] = (list, tuple, set, frozenset, collections.abc.Iterable, collections.abc.Collection)
_ARRAYS += (collections.abc.Sequence, collections.abc.MutableSequence, collections.abc.Set, collections.abc.MutableSet)
_MAPPINGS: tuple[Any, ...] = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
_NO_OBJECTS = (str, bytes, int, float, list, tuple, set, frozenset, type(None))


def has_fields(kind: Any) -> bool:
    """Whether this is a dataclass, a TypedDict or a NamedTuple."""
    return (
        is_typed_dict(kind)
        or is_named_tuple(kind)
        or (isinstance(kind, type) and hasattr(kind, "__dataclass_fields__"))
    )


class Structures:
    """Makes what reads values, of annotations: one for each class and alias, so that they may hold their own kind."""

    __slots__ = ("_made", "_models")

    def __init__(self, models: Read) -> None:
        self._models = models
        self._made: dict[Any, list[Convert]] = {}

    def build(self, annotation: Any, variables: Mapping[Any, Any] | None = None) -> Convert:
        """What it returns raises Mismatch. `variables`: what type variables stand for."""
        build = partial(self.build, variables=variables)
        if isinstance(annotation, TypeVar):
            return self.build((variables or {}).get(annotation, annotation.__bound__ or object))
        if variables and is_generic(annotation):  # `Node[T]` within `Page[int]`
            return self.build(applied(annotation, variables))
        if isinstance(annotation, NewType):
            return build(annotation.__supertype__)
        origin, args = get_origin(annotation), get_args(annotation)
        if hasattr(annotation, "__value__"):  # `type Name = ...`
            given = dict(zip(getattr(annotation, "__type_params__", ()), args, strict=False))
            inner = {**(variables or {}), **given}
            return self._once((origin or annotation, *inner.items()), lambda: self.build(annotation.__value__, inner))
        if origin is Annotated:
            return build(args[0])
        if origin in (Union, UnionType):
            return _union([(each, build(each)) for each in args])
        kind = origin or annotation
        if owner(kind):
            return self._models(_given(annotation, variables or {}))
        if has_fields(kind):
            inner = dict(zip(getattr(kind, "__parameters__", ()), args, strict=False))
            return self._once(annotation, lambda: Fields(kind, partial(self.build, variables=inner)))
        if args and origin is not Literal:
            return _container(origin, args, build)
        return _scalar(annotation)

    def _once(self, key: Any, make: Callable[[], Convert]) -> Convert:
        known = self._made.get(key)
        if known is not None:
            return known[0] if known else lambda value: known[0](value)  # noqa: PLW0108 - it is not there yet
        cell = self._made[key] = []
        cell.append(make())
        return cell[0]


def _given(model: Any, variables: Mapping[Any, Any]) -> Any:
    """A generic model with what its variables stand for: of pydantic it is a class, which `applied` leaves alone."""
    free = getattr(model, "__pydantic_generic_metadata__", {}).get("parameters", ())
    return model[tuple(variables.get(each, each) for each in free)] if variables and free else model


def _container(origin: Any, args: Sequence[Any], build: Build) -> Convert:
    if origin is tuple and args[-1] is not Ellipsis:
        return _listed(fixed([build(each) for each in args]))
    if origin in _ARRAYS:
        return _array(build(args[0]))
    return _mapping(build(args[-1])) if origin in _MAPPINGS else _anything


def _scalar(annotation: Any) -> Convert:
    """Of what nothing is known it is told when it is written."""
    try:
        convert = fitting(annotation).convert
    except ConfigurationError:
        return _anything
    return _base64(convert) if annotation is bytes else convert


def _base64(convert: Convert) -> Convert:
    from base64 import b64encode

    return lambda value: b64encode(convert(value)).decode()


def _anything(value: Any) -> Any:
    return value


def _listed(convert: Convert) -> Convert:
    return lambda value: list(convert(value))


def _array(convert: Convert) -> Convert:
    def converted(value: Any) -> list[Any]:
        if not isinstance(value, collections.abc.Collection) or isinstance(
            value, str | bytes | collections.abc.Mapping
        ):
            raise mismatch("an array", value)
        items = []
        for index, each in enumerate(value):
            try:
                items.append(convert(each))
            except Mismatch as error:
                raise error.within(index) from None
        return items

    return converted


def _mapping(convert: Convert) -> Convert:
    def converted(value: Any) -> dict[Any, Any]:
        if not isinstance(value, collections.abc.Mapping):
            raise mismatch("an object", value)
        found = {}
        for key, each in value.items():
            try:
                found[key] = convert(each)
            except Mismatch as error:
                raise error.within(str(key)) from None
        return found

    return converted


def _union(members: Sequence[tuple[Any, Convert]]) -> Convert:
    """The member of just the value's type, else one of which it is a subclass; else the first that takes it.

    Of several of that type, such as `list[A] | list[B]`, the one that keeps most. Of several that could take a mapping,
    the one that knows most of its keys.
    """
    exact: dict[Any, list[Convert]] = {}
    for annotation, convert in members:
        exact.setdefault(get_origin(annotation) or annotation, []).append(convert)
    expected = " or ".join(getattr(annotation, "__name__", str(annotation)) for annotation, _ in members)

    def converted(value: Any) -> Any:
        for kind in type(value).__mro__[:-1]:
            if kind in exact:
                return _fullest(exact[kind], value, expected)
        tried = [convert for _, convert in members]
        if isinstance(value, collections.abc.Mapping):
            tried.sort(key=lambda each: len(value.keys() & getattr(each, "keys", frozenset())), reverse=True)
        for convert in tried:
            try:
                return convert(value)
            except Mismatch:
                continue
        raise mismatch(expected, value)

    return converted


def _fullest(converts: Sequence[Convert], value: Any, expected: str) -> Any:
    if len(converts) == 1:
        return converts[0](value)
    made = []
    for convert in converts:
        with suppress(Mismatch):
            made.append(convert(value))
    if not made:
        raise mismatch(expected, value)
    return max(made, key=_size)


def _size(made: Any) -> int:
    """How many values are in it."""
    inner = made.values() if isinstance(made, dict) else made if isinstance(made, list) else ()
    return 1 + sum(map(_size, inner))


class Fields:
    """The fields of a class, from a mapping or from attributes."""

    __slots__ = ("_fields", "_names", "_positional", "keys")

    def __init__(self, kind: Any, build: Build) -> None:
        self._fields = [(name, build(hint), default) for name, hint, default in _fields(kind)]
        self._names = f"an object ({kind.__name__})"
        self._positional = is_named_tuple(kind)
        self.keys = frozenset(name for name, *_ in self._fields)

    def __call__(self, value: Any) -> dict[str, Any]:
        if self._positional and type(value) is tuple and len(value) == len(self._fields):
            value = dict(zip((name for name, *_ in self._fields), value, strict=True))
        keyed = isinstance(value, collections.abc.Mapping)
        if not keyed and isinstance(value, _NO_OBJECTS) and not hasattr(type(value), "_fields"):
            raise mismatch(self._names, value)
        found = {}
        for name, convert, default in self._fields:
            given = value.get(name, _ABSENT) if keyed else getattr(value, name, _ABSENT)
            try:
                if given is not _ABSENT:
                    found[name] = convert(given)
                elif default is not None:
                    found.update(zip([name], default(), strict=False))
                else:
                    raise missing()
            except Mismatch as error:
                raise error.within(name) from None
        return found


def _fields(kind: Any) -> list[tuple[str, Any, Callable[[], Sequence[Any]] | None]]:
    """Names, annotations, and what is there instead: a default, or nothing; None for one that must be there."""
    hints = type_hints(kind)
    if is_typed_dict(kind):
        return [
            (name, hint, tuple if optional or name not in kind.__required_keys__ else None)
            for name, told in hints.items()
            for hint, optional in [_unmarked(told)]
        ]
    if is_named_tuple(kind):
        defaults = kind._field_defaults
        return [(name, hints.get(name, Any), _default(defaults.get(name, MISSING), MISSING)) for name in kind._fields]
    return [
        (name, hints[name], _default(told.default, told.default_factory))
        for name, told in kind.__dataclass_fields__.items()
        if not name.startswith("_") and told._field_type.name == "_FIELD"  # noqa: SLF001
    ]


def _default(value: Any, factory: Any) -> Callable[[], Sequence[Any]] | None:
    if value is not MISSING:
        return lambda: [value]
    return None if factory is MISSING else lambda: [factory()]


def _unmarked(hint: Any) -> tuple[Any, bool]:
    """Without NotRequired, Required and ReadOnly, of typing and typing_extensions; and whether it was NotRequired."""
    optional = False
    while getattr(get_origin(hint), "_name", None) in {"Required", "NotRequired", "ReadOnly"}:
        optional = optional or get_origin(hint)._name == "NotRequired"  # noqa: SLF001
        hint = get_args(hint)[0]
    return hint, optional
