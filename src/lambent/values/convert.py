"""Values as functions want them: by an annotation, read once. Pure.

| annotation | JSON |
|---|---|
| str, int, float, bool, None | the same; an integer does for a float, and 3.0 for 3; nothing else for anything |
| bytes, Decimal, datetime, date, time, UUID | text: base64, digits, ISO 8601; a Decimal of a number, too |
| Enum, Literal | a value of it, of the same type |
| dataclass, TypedDict, NamedTuple | an object; keys that they do not have are left out |
| list, tuple, set, frozenset, dict, and what they implement | an array, an object |
| Union | the member of just this type, else the first that takes it; of objects the one that knows most keys |
| models of pydantic, Structs of msgspec | as they say |
| Any, object, none at all | anything |

What is a value of the type already is taken as it is: DynamoDB and Avro have such.
"""

from __future__ import annotations

import collections.abc
from enum import Enum
from functools import partial
from json import JSONDecoder
from types import UnionType
from typing import Annotated, Any, Literal, NewType, TypeVar, Union, get_args, get_origin

from lambent.errors import ConfigurationError, DecodingError
from lambent.values import containers, objects, scalars
from lambent.values.mismatch import Mismatch
from lambent.values.validators import library, owner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lambent.types import Event
    from lambent.values.mismatch import Convert

_ARRAYS: dict[Event, containers.Make | None] = {
    list: None,
    collections.abc.Iterable: None,
    collections.abc.Collection: None,
    collections.abc.Sequence: None,
    collections.abc.MutableSequence: None,
    set: containers.hashed(set),
    collections.abc.Set: containers.hashed(set),
    collections.abc.MutableSet: containers.hashed(set),
    frozenset: containers.hashed(frozenset),
}
_MAPPINGS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)


class Fitting:
    """How the values of an annotation are made.

    - `convert`: of a value read from JSON. Raises Mismatch, and RecursionError for what is nested too deeply
    - `read`: of JSON, as text or as UTF-8. Raises the same, and DecodingError for what is no JSON
    - `exact`: whether there is a Decimal anywhere, which a float would cut: then `parse_exactly` is for it
    """

    __slots__ = ("convert", "exact", "read")

    def __init__(self, convert: Convert, read: Callable[[str | bytes], Event], exact: bool = False) -> None:
        self.convert = convert
        self.read = read
        self.exact = exact


def fitting(annotation: Event) -> Fitting:
    """Raises ConfigurationError for an annotation that nothing is made of."""
    models = library(annotation)
    if models is not None:
        return Fitting(models.convert, models.read)
    builder = _Builder()
    convert = builder.build(annotation)
    if builder.exact:
        convert = _Builder(scalars.inexact).build(annotation)
    read = parse_exactly if builder.exact else parse
    return Fitting(convert, read if convert is scalars.anything else _chained(read, convert), builder.exact)


def converter(annotation: Event) -> Callable[[Event], Event]:
    """A decoded value → what the annotation says. Raises ConfigurationError for an annotation that nothing is made of.

    What it returns raises DecodingError for a value that does not fit.
    """
    models = library(annotation)
    return _telling(_Builder().build(annotation) if models is None else models.convert)


def json_converter(annotation: Event) -> Callable[[str | bytes], Event]:
    """JSON, as text or as UTF-8 → what the annotation says. Raises as `converter` does."""
    return _telling(fitting(annotation).read)


def _chained(read: Callable[[str | bytes], Event], convert: Convert) -> Callable[[str | bytes], Event]:
    return lambda text: convert(read(text))


def _telling(convert: Convert) -> Convert:
    if convert in (scalars.anything, parse, parse_exactly):
        return convert

    def told(value: Event) -> Event:
        try:
            return convert(value)
        except Mismatch as error:
            raise DecodingError(str(error)) from None
        except RecursionError:
            raise DecodingError("Expected a value that is not nested so deeply.") from None

    return told


_SPACE = " \t\n\r"
"""What JSON may have around a value."""


def _refuse(constant: str) -> Event:
    raise ValueError(f"{constant} is not JSON")


def _read(decoder: JSONDecoder, text: str | bytes) -> Event:
    """As `decode` of the decoder, which takes half as long again to look for white space."""
    try:
        if not isinstance(text, str):
            text = str(text, "utf-8").removeprefix("\ufeff")
        value, end = decoder.raw_decode(text, len(text) - len(text.lstrip(_SPACE)))
        is_all = end == len(text) or not text[end:].strip(_SPACE)
        return value if is_all else decoder.decode(text)  # that says what is wrong
    except UnicodeDecodeError as error:
        raise DecodingError(f"Expected JSON in UTF-8, but byte {error.start} is not.") from None
    except ValueError as error:
        raise DecodingError(f"Expected JSON, but: {error}.") from None
    except RecursionError:
        raise DecodingError("Expected JSON that is not nested so deeply.") from None


def _decimal(digits: str) -> Event:
    from decimal import Decimal

    try:
        return Decimal(digits)
    except ArithmeticError:
        raise ValueError("a number has an exponent that is too large") from None


parse = partial(_read, JSONDecoder(parse_constant=_refuse))
"""JSON → its value. orjson is not used: it makes floats of long integers. Raises DecodingError."""

parse_exactly = partial(_read, JSONDecoder(parse_constant=_refuse, parse_float=_decimal))
"""JSON → its value, with a Decimal for each number that has a fraction. Raises DecodingError."""


class _Builder:
    """Makes converters of annotations; one for each class, so that a class may hold its own kind."""

    __slots__ = ("_anything", "_classes", "exact")

    def __init__(self, anything: Convert = scalars.anything) -> None:
        self._anything = anything
        self._classes: dict[Event, list[Convert]] = {}
        self.exact = False
        """Whether there is a Decimal anywhere, which a float would cut."""

    def build(self, annotation: Event, variables: Mapping[Event, Event] | None = None) -> Convert:
        """Raises ConfigurationError for what nothing is made of. `variables`: what type variables stand for."""
        build = partial(self.build, variables=variables)
        if isinstance(annotation, TypeVar):
            return self.build((variables or {}).get(annotation, _unbound(annotation)))
        if annotation is Any or annotation is object:
            return self._anything
        if isinstance(annotation, str | list) or getattr(annotation, "__unpacked__", False):
            raise unsuitable(annotation)
        if variables and objects.is_generic(annotation):  # `Node[T]` within `Page[int]`
            return self.build(objects.applied(annotation, variables))
        origin = get_origin(annotation)
        if origin not in (None, annotation) and not hasattr(annotation, "__args__"):  # `List` of typing, alone
            return build(origin)
        if origin is not None:
            return self._parametrised(annotation, origin, build)
        if isinstance(annotation, NewType):
            return build(annotation.__supertype__)
        if _is_alias(annotation):
            return self._once(annotation, lambda: self.build(annotation.__value__))
        scalar = _scalar(annotation)
        if scalar is not None:
            self.exact = self.exact or scalars.is_exact(annotation)
            return scalar
        if annotation is tuple or annotation in _ARRAYS:
            return containers.array(self._anything, tuple if annotation is tuple else _ARRAYS[annotation])
        if annotation in _MAPPINGS:
            return containers.mapping(scalars.anything, self._anything)
        return self._once(annotation, partial(_fields, annotation, annotation, self.build))

    def _parametrised(self, annotation: Event, origin: Event, build: objects.Build) -> Convert:
        args = get_args(annotation)
        if origin is Annotated:
            models = None if isinstance(args[0], TypeVar) else library(annotation)  # Field(ge=1), Meta(ge=1)
            return _bounded(build(args[0]), args[1:]) if models is None else models.convert
        if origin is Literal:
            return scalars.literal(args)
        if origin in (Union, UnionType):
            return self._union(args, build)
        if origin is tuple:
            if len(args) == 2 and args[1] is Ellipsis:
                return containers.array(build(args[0]), tuple)
            return containers.fixed([build(each) for each in args])
        if origin in _ARRAYS:
            return containers.array(build(args[0]), _ARRAYS[origin])
        if origin in _MAPPINGS:
            return containers.mapping(scalars.key(build(args[0])), build(args[1]))
        if _is_alias(origin):  # `type Page[T] = list[T]`
            variables = dict(zip(origin.__type_params__, args, strict=False))
            return self._once(annotation, lambda: self.build(origin.__value__, variables))
        variables = dict(zip(getattr(origin, "__parameters__", ()), args, strict=False))
        return self._once(annotation, partial(_fields, annotation, origin, partial(self.build, variables=variables)))

    def _union(self, args: tuple[Event, ...], build: objects.Build) -> Convert:
        members = [(each, build(each)) for each in args if each is not type(None)]
        convert = members[0][1] if len(members) == 1 else containers.union(members)
        return convert if len(members) == len(args) else containers.optional(convert)

    def _once(self, annotation: Event, make: Callable[[], Convert]) -> Convert:
        """A class or an alias. One that is being read already, because it holds its own kind, is looked up later."""
        known = self._classes.get(annotation)
        if known is not None:
            return known[0] if known else _later(known)
        cell = self._classes[annotation] = []
        cell.append(make())
        return cell[0]


def _bounded(convert: Convert, said: tuple[Event, ...]) -> Convert:
    """With what must hold beside the type, of those of ours that say so with a method: `Body(ge=1)`."""
    for each in said:
        bound = getattr(each, "__lambent_bounded__", None)
        convert = convert if isinstance(each, type) or not callable(bound) else bound(convert)
    return convert


def _unbound(variable: Event) -> Event:
    """What a type variable stands for that nothing was given for: its default, else its bound, else anything."""
    has_default: Callable[[], bool] = getattr(variable, "has_default", bool)
    return variable.__default__ if has_default() else variable.__bound__ or object


def _later(cell: list[Convert]) -> Convert:
    return lambda value: cell[0](value)  # noqa: PLW0108 - what is in the cell is not there yet


def _is_alias(annotation: Event) -> bool:
    """Whether this is a `type Name = ...`. Raises ConfigurationError for one whose value cannot be read."""
    try:
        return hasattr(annotation, "__value__")  # which makes its value
    except (NameError, TypeError) as error:
        raise ConfigurationError(f"The type {annotation!r:.200} cannot be read: {error}.") from error


def _scalar(annotation: Event) -> Convert | None:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return scalars.enumeration(annotation)
    return scalars.scalar(annotation)


def _fields(annotation: Event, kind: Event, build: objects.Build) -> Convert:
    if owner(kind):
        models = library(annotation)
        if models is not None:
            return models.convert
    if objects.is_typed_dict(kind):
        return objects.typed_dict(kind, build)
    if objects.is_named_tuple(kind):
        return objects.named_tuple(kind, build)
    if isinstance(kind, type) and hasattr(kind, "__dataclass_fields__"):
        return objects.dataclass(kind, build)
    raise unsuitable(annotation)


def unsuitable(annotation: Event) -> ConfigurationError:
    return ConfigurationError(
        f"Expected an annotation that a value can be made of, but got {annotation!r:.200}. "
        "Use a pydantic model, a Struct of msgspec, a dataclass, a TypedDict, a NamedTuple, or types that JSON has."
    )
