"""What a marker says of a value beside its type: `Query(ge=1)`. Pure.

Numbers and the pattern hold for each item of an array, the lengths for the array itself. None is not looked at.
"""

from __future__ import annotations

from lambent.errors import ConfigurationError
from lambent.values.mismatch import Mismatch, mismatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lambent.api.markers import Bounds
    from lambent.values.mismatch import Convert

    Check = Callable[[Any], None]


def bounded(convert: Convert, bounds: Bounds | None) -> Convert:
    """What has been converted, looked at. Raises ConfigurationError for a pattern that is none."""
    if not bounds:
        return convert
    each, whole = _each(bounds), _lengths(bounds)

    def converted(value: Any) -> Any:
        made = convert(value)
        if made is not None:
            for check in whole:
                check(made)
            if each:
                _items(made, each)
        return made

    return converted


def _items(value: Any, checks: list[Check]) -> None:
    if not isinstance(value, list | tuple | set | frozenset):
        for check in checks:
            check(value)
        return
    for index, item in enumerate(value):
        try:
            _items(item, checks)
        except Mismatch as error:
            raise error.within(index) from None


def _each(bounds: Bounds) -> list[Check]:
    checks = [
        _compared(bound, holds, words)
        for bound, holds, words in (
            (bounds.ge, lambda value, bound: value >= bound, "at least"),
            (bounds.gt, lambda value, bound: value > bound, "more than"),
            (bounds.le, lambda value, bound: value <= bound, "at most"),
            (bounds.lt, lambda value, bound: value < bound, "less than"),
        )
        if bound is not None
    ]
    return checks + [_matching(each) for each in bounds.patterns]


def _compared(bound: Any, holds: Callable[[Any, Any], bool], words: str) -> Check:
    def check(value: Any) -> None:
        try:
            held = holds(value, bound)
        except TypeError:  # a text, where the annotation has other types, too
            raise mismatch(f"{words} {bound}", value) from None
        if not held:
            raise Mismatch(f"{words} {bound}", "it is not")

    return check


def _matching(pattern: str) -> Check:
    import re

    try:
        match = re.compile(pattern).match
    except re.error as error:
        raise ConfigurationError(f"Expected a regular expression, but {pattern!r:.200} is none: {error}.") from None

    def check(value: Any) -> None:
        if not isinstance(value, str):
            raise mismatch(f"a text that matches {pattern}", value)
        if match(value) is None:
            raise Mismatch(f"a text that matches {pattern}", "it does not")

    return check


def _lengths(bounds: Bounds) -> list[Check]:
    least, most = bounds.min_length, bounds.max_length

    def check(value: Any) -> None:
        try:
            length = len(value)
        except TypeError:
            raise mismatch("of a certain length", value) from None
        if least is not None and length < least:
            raise Mismatch(f"{least} {_units(value)} at least", f"it has {length}")
        if most is not None and length > most:
            raise Mismatch(f"{most} {_units(value)} at most", f"it has {length}")

    return [] if least is None and most is None else [check]


def _units(value: Any) -> str:
    return "characters" if isinstance(value, str) else "bytes" if isinstance(value, bytes) else "items"
