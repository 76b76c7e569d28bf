"""Classes with fields: which are the body's, and how they are made of texts, each field by its name. Pure."""

from __future__ import annotations

from lambent.api.binding.texts import is_many, reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from lambent.values.mismatch import Convert


def is_model(annotation: Any) -> bool:
    """A class with fields: of pydantic, msgspec, a dataclass, a TypedDict or a NamedTuple."""
    kind = getattr(annotation, "__origin__", annotation)
    if not isinstance(kind, type):
        return False
    if issubclass(kind, tuple):
        return hasattr(kind, "_field_defaults")
    if issubclass(kind, dict):
        return hasattr(kind, "__required_keys__")
    return any(hasattr(kind, each) for each in ("__dataclass_fields__", "__struct_fields__", "__pydantic_validator__"))


def is_document(annotation: Any) -> bool:
    """What only JSON has: a model, or an object with any keys; an array, a union or an option with one."""
    return _is_document(annotation, set())


def _is_document(annotation: Any, seen: set[Any]) -> bool:
    """`seen`: aliases that have been looked into; `type Name = ...` may have itself in it."""
    from collections.abc import Mapping
    from enum import Enum

    origin = getattr(annotation, "__origin__", annotation)
    if isinstance(origin, type):
        if issubclass(origin, Enum):
            return False
        if issubclass(origin, Mapping):  # dict is one
            return True
    if is_model(annotation):
        return True
    for inner in ("__supertype__", "__value__"):  # NewType, `type Name = ...`
        if hasattr(annotation, inner) and not isinstance(annotation, type):
            if origin in seen:
                return False
            seen.add(origin)
            return _is_document(getattr(annotation, inner), seen)
    return any(_is_document(each, seen) for each in getattr(annotation, "__args__", ()))


class Fields:
    """How a model is made of texts.

    - `names`: as a request has them → as the model has them, and whether all texts of one are taken
    - `is_open`: names that are not known are given to the model, which may refuse them
    - `convert`: of a dict of texts, and of lists of them. Raises Mismatch
    """

    __slots__ = ("convert", "is_open", "names")

    def __init__(self, names: dict[str, tuple[str, bool]], convert: Convert, *, is_open: bool) -> None:
        self.names = names
        self.convert = convert
        self.is_open = is_open

    def collect(self, getlist: Callable[[str], list[Any]], keys: Iterable[str]) -> dict[str, Any] | None:
        """What there is of them; None for nothing."""
        found: dict[str, Any] = {}
        for wire, (name, many) in self.names.items():
            texts = getlist(wire)
            if texts:
                found[name] = texts if many else texts[-1]
        if self.is_open:
            for key in keys:
                if key not in self.names:
                    found[key] = getlist(key)[-1]
        return found or None


def fields(annotation: Any, *, dashes: bool = False) -> Fields:
    """Of a model. Raises ConfigurationError for fields that are not made of text.

    - `dashes`: names have dashes for underscores in the request: those of headers
    """
    from lambent.values.validators import library

    models = library(annotation)
    if models is not None:
        names = dict(_of_library(annotation))
        convert: Convert = models.spell
    else:
        known = _of_class(annotation)
        names = dict.fromkeys(known.keys, True)
        convert = known
    wires = {name.replace("_", "-").lower() if dashes else name: (name, many) for name, many in names.items()}
    return Fields(wires, convert, is_open=models is not None and not dashes)


def _of_library(annotation: Any) -> Iterable[tuple[str, bool]]:
    kind = getattr(annotation, "__origin__", annotation)
    if hasattr(kind, "__struct_fields__"):
        import sys

        for each in sys.modules["msgspec"].structs.fields(annotation):
            yield each.encode_name, is_many(each.type)
        return
    for name, told in kind.__pydantic_fields__.items():
        many = is_many(told.annotation)
        for alias in (name, told.alias, told.validation_alias, *getattr(told.validation_alias, "choices", ())):
            if isinstance(alias, str):
                yield alias, many


def _of_class(annotation: Any) -> Any:
    from lambent.values import objects

    def build(hint: Any) -> Convert:
        return reader(hint).of_list

    if objects.is_typed_dict(annotation):
        return objects.typed_dict(annotation, build)
    if objects.is_named_tuple(annotation):
        return objects.named_tuple(annotation, build)
    return objects.dataclass(annotation, build)
