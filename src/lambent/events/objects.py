"""Objects of JSON with named fields: dataclasses, TypedDicts, NamedTuples. Pure.

Keys that nothing is known of are left out.
"""

from __future__ import annotations

from dataclasses import MISSING, InitVar
from typing import ClassVar, get_origin, get_type_hints

from lambent.errors import ConfigurationError
from lambent.events.mismatch import Mismatch, mismatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from lambent.events.mismatch import Convert
    from lambent.types import Event

    Build = Callable[[Event], Convert]
    """An annotation → how its values are made."""

_ABSENT = object()


class Field:
    """One field: its name, whether it must be there, and how its value is made."""

    __slots__ = ("convert", "exact", "name", "required")

    def __init__(self, name: str, hint: Event, required: bool, build: Build) -> None:
        self.name = name
        self.required = required
        self.convert = build(hint)
        self.exact = hint if hint in (str, int, bool) else None
        """A type of which values are taken as they are."""


class Objects:
    """Makes one kind of object; `keys` are those that it knows."""

    __slots__ = ("_expected", "_fields", "_make", "_positional", "keys")

    def __init__(self, name: str, fields: list[Field], make: Callable[..., Event], positional: bool = False) -> None:
        self._expected = f"an object ({name})"
        self._fields = [(each.name, each.exact, each.convert, each.required) for each in fields]
        self._make = make
        self._positional = positional
        self.keys = frozenset(each.name for each in fields)

    def __call__(self, value: Event) -> Event:
        if not isinstance(value, dict):
            if not self._positional or not isinstance(value, list | tuple) or len(value) > len(self._fields):
                raise mismatch(self._expected, value)
            value = dict(zip((name for name, *_ in self._fields), value, strict=False))
        found = {}
        for name, exact, convert, required in self._fields:
            given = value.get(name, _ABSENT)
            if type(given) is exact:
                found[name] = given
            elif given is not _ABSENT:
                try:
                    found[name] = convert(given)
                except Mismatch as error:
                    raise error.within(name) from None
            elif required:
                raise Mismatch("there", "it is missing").within(name)
        return self._make(found)


def dataclass(kind: Event, build: Build) -> Objects:
    """By the fields that its `__init__` takes."""
    hints, fields = type_hints(kind), []
    for name, told in kind.__dataclass_fields__.items():
        hint = hints[name]
        origin: Event = get_origin(hint)
        if isinstance(hint, InitVar):
            hint = hint.type
        elif ClassVar in (hint, origin) or not told.init:
            continue
        fields.append(Field(name, hint, told.default is MISSING and told.default_factory is MISSING, build))
    return Objects(kind.__name__, fields, making(kind))


def making(kind: type) -> Callable[[dict[str, Event]], Event]:
    """Calls the class. What it refuses itself is told without its words, which may have the value."""

    def make(found: dict[str, Event]) -> Event:
        try:
            return kind(**found)
        except (ValueError, TypeError) as error:
            raise Mismatch(f"what {kind.__name__} takes", f"it raised {type(error).__name__}") from None

    return make


def typed_dict(kind: Event, build: Build) -> Objects:
    """With Required, NotRequired and ReadOnly, and `total=False`."""
    fields = []
    for name, told in type_hints(kind).items():
        hint, required = told, name in kind.__required_keys__
        while (mark := _mark(hint)) is not None:
            required = {"Required": True, "NotRequired": False}.get(mark, required)
            hint = hint.__args__[0]
        fields.append(Field(name, hint, required, build))
    return Objects(kind.__name__, fields, dict)


def _mark(hint: Event) -> str | None:
    """Those of typing and typing_extensions, by their names. Where annotations are text, TypedDict did not see them."""
    name = getattr(getattr(hint, "__origin__", None), "_name", None)
    return name if name in ("Required", "NotRequired", "ReadOnly") else None


def named_tuple(kind: Event, build: Build) -> Objects:
    """Of an object by names, or of an array by places."""
    hints = type_hints(kind)
    fields = [Field(name, hints.get(name, object), name not in kind._field_defaults, build) for name in kind._fields]
    return Objects(kind.__name__, fields, making(kind), positional=True)


def type_hints(kind: Event) -> dict[str, Event]:
    """Raises ConfigurationError for what cannot be resolved."""
    try:
        return get_type_hints(kind, include_extras=True)
    except (NameError, TypeError, AttributeError) as error:
        raise ConfigurationError(
            f"The annotations of {kind.__module__}.{kind.__qualname__} cannot be read: {error}. "
            "Define what they name in its module, not under TYPE_CHECKING and not in a function."
        ) from error


def is_typed_dict(kind: Event) -> bool:
    return isinstance(kind, type) and issubclass(kind, dict) and hasattr(kind, "__required_keys__")


def is_named_tuple(kind: Event) -> bool:
    return isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_field_defaults")
