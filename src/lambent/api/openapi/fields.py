"""What classes with fields say of them: dataclasses, TypedDicts, NamedTuples, models of pydantic and msgspec. Pure."""

from __future__ import annotations

import sys
from dataclasses import MISSING, InitVar
from typing import Annotated, Any, ClassVar, NamedTuple, TypeVar, Union, get_args, get_origin

from lambent.functions import bare
from lambent.values.objects import is_named_tuple, is_typed_dict, type_hints
from lambent.values.validators import MSGSPEC, PYDANTIC, owner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

VALIDATION = "validation"
"""Of what comes: a field with a default need not be there."""

SERIALIZATION = "serialization"
"""Of what goes: each field is there."""

ABSENT: Any = ...
"""There is no default, or none that can be shown."""


class Field(NamedTuple):
    """One field: its name in JSON, and what is said about it."""

    name: str
    annotation: Any
    required: bool
    default: Any = ABSENT
    description: str = ""


def has_fields(annotation: Any) -> bool:
    """Whether an annotation is one class with fields, but for `None` and `Annotated` around it."""
    return _reader(_kind(bare(annotation))) is not None


def fields(annotation: Any, mode: str = VALIDATION) -> list[Field]:
    """Of a class that `has_fields`, or of a generic one with its arguments. Raises ConfigurationError for hints that
    cannot be read.
    """
    annotation = bare(annotation)
    kind = _kind(annotation)
    read = _reader(kind)
    if read is None:
        return []
    variables = dict(zip(getattr(kind, "__parameters__", ()), get_args(annotation), strict=False))
    return [each._replace(annotation=substituted(each.annotation, variables)) for each in read(kind, mode)]


def substituted(annotation: Any, variables: dict[Any, Any]) -> Any:
    """With what its type variables stand for."""
    if isinstance(annotation, TypeVar):
        return variables.get(annotation, annotation)
    free = getattr(annotation, "__parameters__", ())
    if not free or not variables or isinstance(annotation, type):
        return annotation
    return annotation[tuple(variables.get(each, each) for each in free)]


def without_none(annotation: Any) -> Any:
    """What is read of text is never null: `Annotated[T | None, ...]` is `Annotated[T, ...]`."""
    args = get_args(annotation)
    if get_origin(annotation) is Annotated:
        return Annotated[(without_none(args[0]), *annotation.__metadata__)]
    if type(None) not in args or type(None) is annotation:
        return annotation
    members = tuple(each for each in args if each is not type(None))
    return Union[members] if members else annotation  # noqa: UP007 - how many there are is seen here only


def _kind(annotation: Any) -> Any:
    """The class of `Page[int]`; pydantic's are classes with their arguments already."""
    return annotation if isinstance(annotation, type) else get_origin(annotation)


def _reader(kind: Any) -> Callable[[Any, str], Iterator[Field]] | None:
    """How the fields of a class are read; None for a class without."""
    library = owner(kind)
    if library == PYDANTIC:
        return _of_pydantic if _pydantic_fields(kind) else None
    if library == MSGSPEC:
        return _of_struct
    if is_typed_dict(kind):
        return _of_typed_dict
    if is_named_tuple(kind):
        return _of_named_tuple
    return _of_dataclass if isinstance(kind, type) and hasattr(kind, "__dataclass_fields__") else None


def _pydantic_fields(kind: Any) -> dict[str, Any]:
    """Of its models and dataclasses. A RootModel is no object; other types of it have none."""
    if getattr(kind, "__pydantic_root_model__", False):
        return {}
    return getattr(kind, "__pydantic_fields__", None) or getattr(kind, "model_fields", None) or {}


def _of_dataclass(kind: Any, mode: str) -> Iterator[Field]:
    """What its `__init__` takes; in an answer what its instances have, but for names that begin with `_`."""
    hints = type_hints(kind)
    for name, told in kind.__dataclass_fields__.items():
        hint: Any = hints[name]
        origin: Any = get_origin(hint)
        outgoing = mode == SERIALIZATION
        if ClassVar in (hint, origin) or (outgoing and name.startswith("_")):
            continue
        if isinstance(hint, InitVar):
            if outgoing:
                continue
            hint = hint.type
        elif not outgoing and not told.init:
            continue
        optional = told.default is not MISSING or told.default_factory is not MISSING
        yield Field(name, hint, outgoing or not optional, ABSENT if told.default is MISSING else told.default)


def _of_typed_dict(kind: Any, mode: str) -> Iterator[Field]:
    """With Required, NotRequired and ReadOnly; where annotations are text, the class did not see them itself."""
    del mode
    for name, told in type_hints(kind).items():
        hint, required = told, name in kind.__required_keys__
        while (mark := getattr(get_origin(hint), "_name", None)) in {"Required", "NotRequired", "ReadOnly"}:
            required = required if mark == "ReadOnly" else mark == "Required"
            hint = get_args(hint)[0]
        yield Field(name, hint, required)


def _of_named_tuple(kind: Any, mode: str) -> Iterator[Field]:
    hints = type_hints(kind)
    for name in kind._fields:
        default = kind._field_defaults.get(name, ABSENT)
        yield Field(name, hints.get(name, Any), mode == SERIALIZATION or default is ABSENT, default)


def _of_pydantic(kind: Any, mode: str) -> Iterator[Field]:
    del mode
    for name, told in _pydantic_fields(kind).items():
        choices = getattr(told.validation_alias, "choices", (told.validation_alias,))
        alias = next((each for each in choices if isinstance(each, str)), told.alias)
        undefined = type(told.default).__name__ == "PydanticUndefinedType"
        default = ABSENT if undefined else told.default
        metadata = tuple(told.metadata)
        annotation = Annotated[(told.annotation, *metadata)] if metadata else told.annotation
        yield Field(alias or name, annotation, told.is_required(), default, told.description or "")


def _of_struct(kind: Any, mode: str) -> Iterator[Field]:
    del mode
    msgspec = sys.modules["msgspec"]
    for told in msgspec.structs.fields(kind):
        default = ABSENT if told.default is msgspec.NODEFAULT else told.default
        yield Field(told.encode_name, told.type, told.required, default)
