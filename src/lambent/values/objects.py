"""Objects of JSON with named fields: dataclasses, TypedDicts, NamedTuples. Pure.

Keys that nothing is known of are left out.
"""

from __future__ import annotations

import sys
from dataclasses import MISSING, InitVar
from types import SimpleNamespace
from typing import ClassVar, TypeVar, get_args, get_origin, get_type_hints

from lambent.errors import ConfigurationError
from lambent.values.mismatch import Mismatch, joined, mismatch, missing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lambent.types import Event
    from lambent.values.mismatch import Convert

    Build = Callable[[Event], Convert]
    """An annotation → how its values are made."""

_ABSENT = object()


class Field:
    """One field: its name, whether it must be there, and how its value is made."""

    __slots__ = ("as_is", "convert", "name", "required")

    def __init__(self, name: str, hint: Event, required: bool, build: Build) -> None:
        self.name = name
        self.required = required
        self.convert = build(hint)
        self.as_is = hint if hint in (str, int, bool) else None
        """A type of which values are taken as they are."""


class Objects:
    """Makes one kind of object; `names` are those of its fields, in order, and `keys` the same as a set."""

    __slots__ = ("_expected", "_fields", "_make", "_positional", "keys", "names")

    def __init__(self, name: str, fields: list[Field], make: Callable[..., Event], positional: bool = False) -> None:
        self._expected = f"an object ({name})"
        self._fields = [(each.name, each.as_is, each.convert, each.required) for each in fields]
        self._make = make
        self._positional = positional
        self.names = [each.name for each in fields]
        self.keys = frozenset(self.names)

    def __call__(self, value: Event) -> Event:
        if not isinstance(value, dict):
            if not self._positional or not isinstance(value, list | tuple) or len(value) > len(self._fields):
                raise mismatch(self._expected, value)
            value = dict(zip((name for name, *_ in self._fields), value, strict=False))
        found = {}
        wrong: list[Mismatch] = []
        for name, as_is, convert, required in self._fields:
            given = value.get(name, _ABSENT)
            if type(given) is as_is:
                found[name] = given
            elif given is not _ABSENT:
                try:
                    found[name] = convert(given)
                except Mismatch as error:
                    wrong.append(error.within(name))
            elif required:
                wrong.append(missing().within(name))
        if wrong:
            raise joined(wrong) from None
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
    """With what generic bases were given: `class Lines(Page[Line])`.

    Raises ConfigurationError for what cannot be resolved.
    """
    try:
        return _inherited(kind, get_type_hints(kind, include_extras=True))
    except (NameError, TypeError, AttributeError) as error:
        raise ConfigurationError(
            f"The annotations of {kind.__module__}.{kind.__qualname__} cannot be read: {error}. "
            "Define what they name in its module, not under TYPE_CHECKING and not in a function."
        ) from error


def _inherited(kind: Event, hints: dict[str, Event]) -> dict[str, Event]:
    """Each hint that has type variables, as the base says it that it comes from."""
    generic = {name: hint for name, hint in hints.items() if is_generic(_bare(hint))}
    if not generic:
        return hints
    found = dict(hints)
    for each in reversed(kind.__dict__.get("__orig_bases__", kind.__bases__)):
        origin: Event = get_origin(each) or each
        if not isinstance(origin, type):  # TypedDict itself
            continue
        written = get_type_hints(origin, include_extras=True)
        names = [name for name, hint in generic.items() if name in written and _bare(written[name]) == _bare(hint)]
        if names:
            base = _resolved(each, kind)
            given = dict(zip(getattr(origin, "__parameters__", ()), get_args(base), strict=False))
            theirs = _inherited(origin, written)
            found.update((name, applied(theirs[name], given)) for name in names)
    return found


def _resolved(hint: Event, kind: type) -> Event:
    """Of `class Folder(Page["Folder"])`, the class for its name."""
    names = getattr(sys.modules.get(kind.__module__), "__dict__", {})
    return get_type_hints(SimpleNamespace(__annotations__={"hint": hint}), names, include_extras=True)["hint"]


def _bare(hint: Event) -> Event:
    return hint.type if isinstance(hint, InitVar) else hint


def is_generic(hint: Event) -> bool:
    """Whether type variables are in it. In a generic class alone there are none: it holds anything."""
    return isinstance(hint, TypeVar) or (get_origin(hint) is not None and bool(getattr(hint, "__parameters__", ())))


def applied(hint: Event, variables: Mapping[Event, Event]) -> Event:
    """The hint, with what its type variables stand for."""
    if isinstance(hint, InitVar):
        return InitVar(applied(hint.type, variables))
    if not variables or not is_generic(hint):
        return hint
    if isinstance(hint, TypeVar):
        return variables.get(hint, hint)
    return hint[tuple(variables.get(each, each) for each in hint.__parameters__)]


def is_typed_dict(kind: Event) -> bool:
    return isinstance(kind, type) and issubclass(kind, dict) and hasattr(kind, "__required_keys__")


def is_named_tuple(kind: Event) -> bool:
    return isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_field_defaults")
