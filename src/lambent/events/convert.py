"""Values as functions want them: by an annotation, read once. Pure.

| annotation | JSON |
|---|---|
| str, int, float, bool, None | the same; an integer does for a float, nothing else for anything |
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
from lambent.events import containers, objects, scalars
from lambent.events.mismatch import Mismatch
from lambent.events.validators import library, owner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lambent.events.mismatch import Convert
    from lambent.types import Event

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


def converter(annotation: Event) -> Callable[[Event], Event]:
    """A decoded value → what the annotation says. Raises ConfigurationError for an annotation that nothing is made of.

    What it returns raises DecodingError for a value that does not fit.
    """
    models = library(annotation)
    return _telling(_Builder().build(annotation) if models is None else models.convert)


def json_converter(annotation: Event) -> Callable[[str | bytes], Event]:
    """JSON, as text or as UTF-8 → what the annotation says. Raises as `converter` does."""
    models = library(annotation)
    if models is not None:
        return models.read
    builder = _Builder()
    convert = _telling(builder.build(annotation))
    read = parse_exactly if builder.exact else parse
    return read if convert is scalars.anything else lambda text: convert(read(text))


def _telling(convert: Convert) -> Convert:
    if convert is scalars.anything:
        return convert

    def told(value: Event) -> Event:
        try:
            return convert(value)
        except Mismatch as error:
            raise DecodingError(str(error)) from None
        except RecursionError:
            raise DecodingError("Expected a value that is not nested so deeply.") from None

    return told


def _refuse(constant: str) -> Event:
    raise ValueError(f"{constant} is not JSON")


def _read(decoder: JSONDecoder, text: str | bytes) -> Event:
    try:
        return decoder.decode(text if isinstance(text, str) else str(text, "utf-8").removeprefix("\ufeff"))
    except UnicodeDecodeError as error:
        raise DecodingError(f"Expected JSON in UTF-8, but byte {error.start} is not.") from None
    except ValueError as error:
        raise DecodingError(f"Expected JSON, but: {error}.") from None
    except RecursionError:
        raise DecodingError("Expected JSON that is not nested so deeply.") from None


def _decimal(digits: str) -> Event:
    from decimal import Decimal

    return Decimal(digits)


parse = partial(_read, JSONDecoder(parse_constant=_refuse))
"""JSON → its value. orjson is not used: it makes floats of long integers. Raises DecodingError."""

parse_exactly = partial(_read, JSONDecoder(parse_constant=_refuse, parse_float=_decimal))
"""JSON → its value, with a Decimal for each number that has a fraction. Raises DecodingError."""


class _Builder:
    """Makes converters of annotations; one for each class, so that a class may hold its own kind."""

    __slots__ = ("_classes", "exact")

    def __init__(self) -> None:
        self._classes: dict[Event, list[Convert]] = {}
        self.exact = False
        """Whether there is a Decimal anywhere, which a float would cut."""

    def build(self, annotation: Event, variables: Mapping[Event, Event] | None = None) -> Convert:
        """Raises ConfigurationError for what nothing is made of. `variables`: what type variables stand for."""
        build = partial(self.build, variables=variables)
        if isinstance(annotation, TypeVar):
            return build((variables or {}).get(annotation, annotation.__bound__ or object))
        if annotation is Any:
            return scalars.anything
        if isinstance(annotation, str | list):
            raise unsuitable(annotation)
        origin = get_origin(annotation)
        if origin is not None:
            return self._parametrised(annotation, origin, build)
        if isinstance(annotation, NewType):
            return build(annotation.__supertype__)
        if hasattr(annotation, "__value__"):  # `type Name = ...`
            return build(annotation.__value__)
        scalar = _scalar(annotation)
        if scalar is not None:
            self.exact = self.exact or scalar is scalars.decimal
            return scalar
        if annotation is tuple or annotation in _ARRAYS:
            return containers.array(scalars.anything, tuple if annotation is tuple else _ARRAYS[annotation])
        if annotation in _MAPPINGS:
            return containers.mapping(scalars.anything, scalars.anything)
        return self._class(annotation, annotation, build)

    def _parametrised(self, annotation: Event, origin: Event, build: objects.Build) -> Convert:
        args = get_args(annotation)
        if origin is Annotated:
            return build(args[0])
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
            return containers.mapping(scalars.key(build(args[0]), args[0]), build(args[1]))
        variables = dict(zip(getattr(origin, "__parameters__", ()), args, strict=False))
        return self._class(annotation, origin, partial(self.build, variables=variables))

    def _union(self, args: tuple[Event, ...], build: objects.Build) -> Convert:
        members = [(each, build(each)) for each in args if each is not type(None)]
        convert = members[0][1] if len(members) == 1 else containers.union(members)
        return convert if len(members) == len(args) else containers.optional(convert)

    def _class(self, annotation: Event, kind: Event, build: objects.Build) -> Convert:
        """A class with fields. One that is being read already, because it holds its own kind, is looked up later."""
        known = self._classes.get(annotation)
        if known is not None:
            return known[0] if known else _later(known)
        cell = self._classes[annotation] = []
        cell.append(_fields(annotation, kind, build))
        return cell[0]


def _later(cell: list[Convert]) -> Convert:
    return lambda value: cell[0](value)  # noqa: PLW0108 - what is in the cell is not there yet


def _scalar(annotation: Event) -> Convert | None:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return scalars.enumeration(annotation)
    return scalars.SCALARS.get(annotation)


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
        f"Expected an annotation that a record's value can be made of, but got {annotation!r:.200}. "
        "Use a pydantic model, a Struct of msgspec, a dataclass, a TypedDict, a NamedTuple, or types that JSON has."
    )
