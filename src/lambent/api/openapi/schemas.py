"""Annotations → JSON Schema 2020-12. Pure.

They say what `lambent.values.convert` takes: own kinds here, models of pydantic and msgspec by their libraries. A class
stands once among the document's components; two if what comes and what goes differ: `Item-Input`, `Item-Output`.
"""

from __future__ import annotations

import collections.abc
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum, Flag
from types import UnionType
from typing import Annotated, Any, Literal, NewType, TypeVar, Union, get_args, get_origin
from uuid import UUID

from lambent.api.openapi import libraries
from lambent.api.openapi.fields import SERIALIZATION, VALIDATION, Field, fields, has_fields, substituted
from lambent.api.openapi.references import PLACE, names, resolved, twins
from lambent.api.openapi.shown import with_default
from lambent.values.objects import is_named_tuple
from lambent.values.validators import MSGSPEC, PYDANTIC, owners

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Json = dict[str, Any]

_NUMERIC = {"type": "string", "pattern": r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?$"}
_BASE64 = r"^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"

_SCALARS: dict[Any, Json] = {
    object: {},
    Any: {},
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    float: {"type": "number"},
    bytes: {"type": "string", "contentEncoding": "base64", "pattern": _BASE64},
    None: {"type": "null"},
    type(None): {"type": "null"},
    Decimal: {"anyOf": [{"type": "number"}, _NUMERIC]},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
    time: {"type": "string", "format": "time"},
    UUID: {"type": "string", "format": "uuid"},
}
_SETS = (set, frozenset, collections.abc.Set, collections.abc.MutableSet)
_ARRAYS = (
    *_SETS,
    list,
    tuple,
    collections.abc.Iterable,
    collections.abc.Collection,
    collections.abc.Sequence,
    collections.abc.MutableSequence,
)
_MAPPINGS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}


class Schemas:
    """Schemas of one document. What `of` gives refers to what only `completed` knows the names of."""

    def __init__(self) -> None:
        self._definitions: dict[str, Json] = {}
        """Reference → schema."""
        self._names: dict[str, Sequence[str]] = {}
        """Reference → what it would be called, best first."""
        self._known: dict[tuple[Any, str], str] = {}
        """Annotation and mode → reference."""
        self._asked: dict[str, dict[str, tuple[Any, str]]] = {PYDANTIC: {}, MSGSPEC: {}}
        """Library → reference → annotation and mode."""

    def of(self, annotation: Any, mode: str = VALIDATION) -> Json:
        """Of what nothing is known, anything is said to do. Raises ConfigurationError for hints that cannot be read."""
        found = owners(annotation)
        if len(found) != 1:
            return built(annotation, mode, self)
        library = found.pop()
        key = (_key(annotation), mode)
        if key not in self._known:
            self._known[key] = f"#asked/{len(self._known)}"
            self._asked[library][self._known[key]] = (annotation, mode)
        return {"$ref": self._known[key]}

    def named(self, annotation: Any, mode: str, choices: Sequence[str], make: Callable[[], Json]) -> Json:
        """A class or an alias, which stands among the components. It may be asked for again while it is made."""
        key = (_key(annotation), mode)
        if key not in self._known:
            reference = self._known[key] = f"#own/{len(self._known)}"
            self._names[reference] = choices
            self._definitions[reference] = {}  # keeps the order
            self._definitions[reference] = make()
        return {"$ref": self._known[key]}

    def completed(self, document: Json) -> Json:
        """The document with its components, and with all references by their names."""
        inline: dict[str, Json] = {}
        shared: dict[str, Json] = {}
        wanted: list[tuple[str, Sequence[str]]] = []
        for library, asked in self._asked.items():
            schemas, found = libraries.made(library, list(asked.values()))
            inline.update(zip(asked, schemas, strict=True))
            shared.update({f"#{library}/{name}": schema for name, schema in found.items()})
            wanted += [(f"#{library}/{name}", [name, f"{library}.{name}"]) for name in found]
        definitions = {**shared, **resolved(self._definitions, inline)}
        same = twins(self._pairs() + self._known_to_libraries(shared), definitions)
        called = names(wanted + [(each, self._choices(each, same)) for each in self._names if each not in same])
        table = {each: {"$ref": PLACE + called[same.get(each, each)]} for each in definitions}
        table |= {each: resolved(schema, table) for each, schema in inline.items()}
        components = {called[each]: resolved(schema, table) for each, schema in definitions.items() if each in called}
        components = {**document.get("components", {}), "schemas": dict(sorted(components.items()))}
        whole: Json = resolved({**document, "components": components}, table)
        return whole

    def _pairs(self) -> list[tuple[str, str]]:
        """Of what comes and what goes, of the same annotation."""
        return [
            (self._known[key, VALIDATION], reference)
            for (key, mode), reference in self._known.items()
            if mode == SERIALIZATION and reference in self._names and (key, VALIDATION) in self._known
        ]

    def _known_to_libraries(self, shared: Json) -> list[tuple[str, str]]:
        """Enumerations and the like, which models have, too: their definitions may be the same."""
        paired = {each for pair in self._pairs() for each in pair}
        return [
            (f"#{library}/{choices[0]}", reference)
            for reference, choices in self._names.items()
            for library in self._asked
            if f"#{library}/{choices[0]}" in shared and reference not in paired
        ]

    def _choices(self, reference: str, same: dict[str, str]) -> Sequence[str]:
        """With `-Input` or `-Output` where both are there, and differ."""
        for pair in self._pairs():
            if reference in pair and pair[1] not in same:
                suffix = "-Input" if reference == pair[0] else "-Output"
                return [each + suffix for each in self._names[reference]]
        return self._names[reference]


def _key(annotation: Any) -> Any:
    try:
        hash(annotation)
    except TypeError:  # of what stands in an Annotated
        return repr(annotation)
    return annotation


def built(annotation: Any, mode: str, schemas: Schemas) -> Json:
    """Of what no library has."""
    if isinstance(annotation, TypeVar):
        return schemas.of(annotation.__bound__ or object, mode)
    origin = get_origin(annotation)
    alias = origin if hasattr(origin, "__value__") else annotation
    if hasattr(alias, "__value__"):  # `type Name = ...`
        return _alias(annotation, alias, mode, schemas)
    if origin is not None:
        return _parametrised(annotation, origin, mode, schemas)
    if isinstance(annotation, NewType):
        return schemas.of(annotation.__supertype__, mode)
    if annotation is Decimal and mode == SERIALIZATION:
        return dict(_NUMERIC)
    scalar = _SCALARS.get(annotation) if _is_hashable(annotation) else None
    if scalar is not None:
        return dict(scalar)
    if annotation in _ARRAYS:
        return _array({}, annotation, mode)
    if annotation in _MAPPINGS:
        return {"type": "object"}
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return schemas.named(annotation, VALIDATION, _called(annotation), lambda: _enumeration(annotation))
    return _class(annotation, mode, schemas)


def _parametrised(annotation: Any, origin: Any, mode: str, schemas: Schemas) -> Json:
    args = get_args(annotation)
    if origin is Annotated:
        return _bounded(schemas.of(args[0], mode), args[1:])
    if origin is Literal:
        return _values([each.value if isinstance(each, Enum) else each for each in args])
    if origin in (Union, UnionType):
        return any_of([schemas.of(each, mode) for each in args])
    if origin is tuple and not (len(args) == 2 and args[1] is Ellipsis):
        return _fixed([schemas.of(each, mode) for each in args])
    if origin in _ARRAYS:
        return _array(schemas.of(args[0], mode), origin, mode)
    if origin in _MAPPINGS:
        return _mapping(args[0], schemas.of(args[0], mode), schemas.of(args[1], mode), mode)
    return _class(annotation, mode, schemas)


def _bounded(made: Json, said: Sequence[Any]) -> Json:
    """With the bounds of markers: `Annotated[int, Body(ge=1)]`."""
    from lambent.api.markers import Marker
    from lambent.api.openapi.parameters import bounded

    for each in said:
        made = bounded(made, each.bounds) if isinstance(each, Marker) else made
    return made


def any_of(members: Sequence[Json]) -> Json:
    """One of these; each once."""
    apart: list[Json] = []
    for each in members:
        apart += [] if each in apart else [each]
    return apart[0] if len(apart) == 1 else {"anyOf": apart}


def _array(items: Json, kind: Any, mode: str) -> Json:
    """A set is made of an array with items that are there twice, too; what it is in an answer has each once."""
    unique = {"uniqueItems": True} if kind in _SETS and mode == SERIALIZATION else {}
    return {"type": "array", "items": items, **unique}


def _fixed(items: list[Json], least: int | None = None) -> Json:
    """An array with a schema for each place, of which the first `least` must be there."""
    places = {"prefixItems": items} if items else {}
    return {"type": "array", **places, "minItems": len(items) if least is None else least, "maxItems": len(items)}


def _mapping(key: Any, keys: Json, values: Json, mode: str) -> Json:
    """An object's keys are text always: 1 is "1" there."""
    if key is int:
        keys = {"pattern": "^(0|-?[1-9][0-9]*)$"}
    elif keys == {"type": "string"} or keys.get("type", "string") != "string":
        keys = {} if mode == SERIALIZATION or keys == {"type": "string"} else keys
    return {"type": "object", "additionalProperties": values} | ({"propertyNames": keys} if keys else {})


def _enumeration(kind: type[Enum]) -> Json:
    """A member by its value. Flags may be combined."""
    schema = {"type": "integer"} if issubclass(kind, Flag) else _values([each.value for each in kind], alone="enum")
    return {"title": kind.__name__, **_described(kind), **schema}


def _values(values: Sequence[Any], alone: str = "const") -> Json:
    """Those that JSON has; bytes, and whatever else is in an enumeration, cannot come."""
    known = [each for each in values if type(each) in _TYPES]
    if not known:
        return {}
    types = {_TYPES[type(each)] for each in known}
    only: Json = {"const": known[0]} if len(known) == 1 and alone == "const" else {"enum": known}
    return {"type": types.pop(), **only} if len(types) == 1 else only


def _alias(annotation: Any, alias: Any, mode: str, schemas: Schemas) -> Json:
    variables = dict(zip(getattr(alias, "__type_params__", ()), get_args(annotation), strict=False))
    return schemas.named(
        annotation, mode, _called(annotation), lambda: schemas.of(substituted(alias.__value__, variables), mode)
    )


def _class(annotation: Any, mode: str, schemas: Schemas) -> Json:
    """One with fields; of any other nothing is known."""
    if not has_fields(annotation):
        return {}
    return schemas.named(annotation, mode, _called(annotation), lambda: _fields(annotation, mode, schemas))


def _fields(annotation: Any, mode: str, schemas: Schemas) -> Json:
    kind = get_origin(annotation) or annotation
    told = fields(annotation, mode)
    about = {"title": _called(annotation)[0], **_described(kind)}
    schema = properties(told, [schemas.of(each.annotation, mode) for each in told])
    if is_named_tuple(kind) and mode == VALIDATION:  # by places, too
        places = _fixed([schemas.of(each.annotation, mode) for each in told], sum(each.required for each in told))
        return {**about, "anyOf": [schema, places]}
    return {**about, **schema}


def properties(told: Sequence[Field], made: Sequence[Json]) -> Json:
    """An object with these fields, of these schemas."""
    required = [each.name for each in told if each.required]
    return {
        "type": "object",
        "properties": {each.name: with_default(schema, each.default) for each, schema in zip(told, made, strict=True)},
        **({"required": required} if required else {}),
    }


def _described(kind: Any) -> Json:
    """By its docstring, unless it is the one that dataclasses and NamedTuples are given."""
    from inspect import cleandoc

    text = vars(kind).get("__doc__") or ""
    given = text.startswith(f"{kind.__name__}(") or text == "An enumeration."
    return {} if given or not text else {"description": cleandoc(text)}


def _called(annotation: Any) -> Sequence[str]:
    """What it would be called, best first: `Page_Item`, `shop__orders__Page_Item`."""
    kind = get_origin(annotation) or annotation
    of = "".join(f"_{_called(each)[0]}" for each in get_args(annotation))
    name = getattr(kind, "__name__", str(kind))
    qualified = getattr(kind, "__qualname__", name).replace(".<locals>", "")
    home = str(getattr(kind, "__module__", ""))
    return name + of, f"{home}__{qualified}".replace(".", "__") + of


def _is_hashable(annotation: Any) -> bool:
    return _key(annotation) is annotation
