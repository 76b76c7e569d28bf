"""Values that hold others of one annotation: arrays, tuples, sets, objects with any keys, unions. Pure."""

from __future__ import annotations

from lambent.values.mismatch import MOST, Mismatch, joined, kind, mismatch
from lambent.values.objects import Objects

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lambent.types import Event
    from lambent.values.mismatch import Convert

    Make = Callable[[list[Event]], Event]


def array(convert: Convert, make: Make | None = None) -> Convert:
    """All items the same. A set is taken, too: DynamoDB has them."""

    def converted(value: Event) -> Event:
        if not isinstance(value, list | tuple | set | frozenset):
            raise mismatch("an array", value)
        items = []
        wrong: list[Mismatch] = []
        for index, each in enumerate(value):
            try:
                items.append(convert(each))
            except Mismatch as error:
                wrong.append(error.within(index))
                if len(wrong) == MOST:
                    break
        if wrong:
            raise joined(wrong) from None
        return items if make is None else make(items)

    return converted


def hashed(make: Make) -> Make:
    """A set of what can be in one."""

    def made(items: list[Event]) -> Event:
        try:
            return make(items)
        except TypeError:
            raise Mismatch("an array of what can be in a set", "one of its items cannot") from None

    return made


def fixed(converts: Sequence[Convert]) -> Convert:
    """As many items as there are annotations."""

    def converted(value: Event) -> Event:
        if not isinstance(value, list | tuple):
            raise mismatch("an array", value)
        if len(value) != len(converts):
            raise Mismatch(f"an array of {len(converts)}", f"it has {len(value)}")
        items = []
        wrong: list[Mismatch] = []
        for index, (convert, each) in enumerate(zip(converts, value, strict=True)):
            try:
                items.append(convert(each))
            except Mismatch as error:
                wrong.append(error.within(index))
        if wrong:
            raise joined(wrong) from None
        return tuple(items)

    return converted


def mapping(key: Convert, convert: Convert) -> Convert:
    """An object with any keys."""

    def converted(value: Event) -> Event:
        if not isinstance(value, dict):
            raise mismatch("an object", value)
        found = {}
        wrong: list[Mismatch] = []
        for name, each in value.items():
            try:
                found[key(name)] = convert(each)
            except Mismatch as error:
                wrong.append(error.within(name))
                if len(wrong) == MOST:
                    break
        if wrong:
            raise joined(wrong) from None
        return found

    return converted


def union(members: Sequence[tuple[Event, Convert]]) -> Convert:
    """The member of just the value's type; else the first that takes it, of objects the one that knows most keys."""
    exact = {annotation: convert for annotation, convert in members if isinstance(annotation, type)}
    objects = [convert for _, convert in members if isinstance(convert, Objects)]
    others = [convert for _, convert in members if not isinstance(convert, Objects)]
    expected = " or ".join(getattr(annotation, "__name__", str(annotation)) for annotation, _ in members)

    def converted(value: Event) -> Event:
        of_its_type = exact.get(type(value))
        if of_its_type is not None:
            return of_its_type(value)
        tried = others
        if objects and isinstance(value, dict):
            tried = sorted(objects, key=lambda each: len(each.keys & value.keys()), reverse=True) + others
        errors = []
        for convert in tried:
            try:
                return convert(value)
            except Mismatch as error:
                errors.append(error)
        told = [error for error in errors if error.steps]  # they are of the value's type, and something in it is wrong
        raise told[0] if len(told) == 1 else Mismatch(expected, f"got {kind(value)} that is none of them")

    return converted


def optional(convert: Convert) -> Convert:
    """Null, or that."""
    return lambda value: None if value is None else convert(value)
