"""Classes with fields: which are the body's, and how they are made of texts, each field by its name. Pure."""

from __future__ import annotations

from lambent.api.binding.texts import is_many, reader
from lambent.values.mismatch import Mismatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from lambent.api.binding.texts import Reader
    from lambent.values.mismatch import Convert
    from lambent.values.objects import Objects


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
    - `taken`: names that are others', and not given to the model
    - `filled`: names of which an empty text is none
    """

    __slots__ = ("convert", "filled", "is_open", "names", "taken")

    def __init__(self, names: dict[str, tuple[str, bool]], convert: Convert, *, is_open: bool) -> None:
        self.names = names
        self.convert = convert
        self.is_open = is_open
        self.taken: frozenset[str] = frozenset()
        self.filled: frozenset[str] = frozenset()

    def collect(self, getlist: Callable[[str], list[Any]], keys: Iterable[str]) -> dict[str, Any] | None:
        """What there is of them; None for nothing."""
        found: dict[str, Any] = {}
        for wire, (name, many) in self.names.items():
            texts = getlist(wire)
            if texts and (texts[-1] or wire not in self.filled):
                found[name] = texts if many else texts[-1]
        if self.is_open:
            for key in keys:
                if key not in self.names and key not in self.taken:
                    found[key] = getlist(key)[-1]
        return found or None


def fields(annotation: Any, source: str = "query") -> Fields:
    """Of a model. Raises ConfigurationError for fields that are not made of text.

    Names of headers have dashes for underscores. An empty field of a form is one that was not filled in, unless it may
    be empty.
    """
    from lambent.values.validators import library

    models = library(annotation)
    if models is not None:
        hints = dict(_of_library(annotation))
        names = {name: is_many(hint) for name, hint in hints.items()}
        texts = {name for name, hint in hints.items() if names[name] or _may_be_empty(hint)}
        convert: Convert = models.spell
    else:
        convert, readers = _of_class(annotation)
        names = dict.fromkeys(readers, True)
        texts = {name for name, each in readers.items() if each.many or _takes_empty(each)}
    dashes = source == "header"
    wires = {name.replace("_", "-").lower() if dashes else name: (name, many) for name, many in names.items()}
    found = Fields(wires, convert, is_open=models is not None and not dashes)
    if source == "form":
        found.filled = frozenset(wires.keys() - texts)
    return found


def _of_library(annotation: Any) -> Iterable[tuple[str, Any]]:
    """Names, and their annotations."""
    kind = getattr(annotation, "__origin__", annotation)
    if hasattr(kind, "__struct_fields__"):
        import sys

        for each in sys.modules["msgspec"].structs.fields(annotation):
            yield each.encode_name, each.type
        return
    for name, told in kind.__pydantic_fields__.items():
        for alias in (name, told.alias, told.validation_alias, *getattr(told.validation_alias, "choices", ())):
            if isinstance(alias, str):
                yield alias, told.annotation


def _may_be_empty(annotation: Any) -> bool:
    """Whether a library makes a value of an empty text; of those that one has for texts, the secret ones."""
    from enum import Enum
    from typing import Any, Literal, get_args, get_origin

    from lambent.functions import members

    for each in members(annotation):
        if each in (str, bytes, Any) or hasattr(each, "get_secret_value"):
            return True
        origin: Any = get_origin(each)
        values = get_args(each) if origin is Literal else ()
        if isinstance(each, type) and issubclass(each, Enum):
            values = tuple(member.value for member in each)
        if "" in values:
            return True
    return False


def _takes_empty(reader: Reader) -> bool:
    if reader.rank == "str":  # also of a certain length
        return True
    try:
        reader.convert("")
    except (Mismatch, TypeError, ValueError):  # an Enum may raise what it likes
        return False
    return True


def _of_class(annotation: Any) -> tuple[Convert, dict[str, Reader]]:
    """What makes it, and of what its fields are made."""
    readers: list[Reader] = []

    def build(hint: Any) -> Convert:
        found = reader(hint)
        readers.append(found)
        return found.of_list

    made = _objects(annotation, build)
    return made, dict(zip(made.names, readers, strict=True))


def _objects(annotation: Any, build: Callable[[Any], Convert]) -> Objects:
    from lambent.values import objects

    if objects.is_typed_dict(annotation):
        return objects.typed_dict(annotation, build)
    if objects.is_named_tuple(annotation):
        return objects.named_tuple(annotation, build)
    return objects.dataclass(annotation, build)
