"""Where in a result the value is that JSON does not know: `result['items'][3]`."""

from __future__ import annotations

from decimal import Decimal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambent.types import Result

_KEY = 60
"""Characters of a key that are shown."""

_DEEP = 200
"""Levels that are looked into: Python's own encoder gives up at a thousand."""


def of_fault(result: Result) -> str:
    """Return the place of the first value, or key, that cannot be written. Empty for the result itself, or if none is.

    What `codec.EXACT` writes is no fault: Decimal, bytes that are UTF-8, tuples.
    """
    if not isinstance(result, dict | list | tuple):
        return ""
    return next(_faults(result, "result", ()), "")


def _faults(value: Result, place: str, above: tuple[int, ...]) -> Iterator[str]:
    if isinstance(value, dict | list | tuple):
        if id(value) in above:
            yield f"{place}, which contains itself"
        elif len(above) < _DEEP:
            yield from _within(value, place, (*above, id(value)))
    elif not _is_known(value):
        yield place


def _within(value: Result, place: str, above: tuple[int, ...]) -> Iterator[str]:
    if not isinstance(value, dict):
        for index, item in enumerate(value):
            yield from _faults(item, f"{place}[{index}]", above)
        return
    for key, item in value.items():
        if not (key is None or isinstance(key, str | int | float)):
            yield f"a key of {place}"
        yield from _faults(item, f"{place}[{repr(key)[:_KEY]}]", above)


def _is_known(value: Result) -> bool:
    if isinstance(value, bytes):
        try:
            value.decode()
        except UnicodeDecodeError:
            return False
        return True
    return value is None or isinstance(value, str | int | float | Decimal)
