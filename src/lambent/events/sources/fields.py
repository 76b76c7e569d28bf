"""Fields of events, read and checked, and times, numbers and names in Python's terms. Pure.

What cannot be read raises MalformedEvent, which names the field, what was expected and the type that came: never its
value, which may be a secret.
"""

from __future__ import annotations

from lambent.errors import MalformedEvent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from lambent.events.model import Record
    from lambent.types import Event, Result


def at(holder: Event, path: Sequence[str]) -> Any:
    """Return what is at the end of the path; None if it is not there."""
    for depth, name in enumerate(path):
        if not isinstance(holder, dict):
            if holder is None:
                return None
            raise wrong(path[:depth], "an object", holder)
        holder = holder.get(name)
    return holder


def text(holder: Event, *path: str) -> str:
    value = holder.get(path[0]) if len(path) == 1 and isinstance(holder, dict) else at(holder, path)
    if isinstance(value, str):
        return value
    raise wrong(path, "a string", value)


def text_or_none(holder: Event, *path: str) -> str | None:
    """None where it is null, or not there."""
    value = at(holder, path)
    if value is None or isinstance(value, str):
        return value
    raise wrong(path, "a string", value)


def whole_or_none(holder: Event, *path: str) -> int | None:
    """None where it is null, or not there."""
    value = at(holder, path)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise wrong(path, "a whole number", value)


def mapping(holder: Event, *path: str) -> dict[str, Event]:
    """Return the event's own object; an empty one where it is null, or not there."""
    value = at(holder, path)
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    raise wrong(path, "an object", value)


def items(holder: Event, *path: str) -> list[Event]:
    """Return a list; an empty one where it is null, or not there."""
    value = at(holder, path)
    if value is None:
        return []
    if isinstance(value, list):
        return value
    raise wrong(path, "a list", value)


def texts(holder: Event, *path: str) -> list[str]:
    """Return a list of strings; an empty one where it is null, or not there."""
    found = items(holder, *path)
    for each in found:
        if not isinstance(each, str):
            raise wrong(path, "a list of strings", each, "one of them is")
    return found


def time(holder: Event, *path: str) -> float:
    """ISO 8601 → seconds since the epoch; without an offset it is UTC."""
    from datetime import UTC, datetime

    try:
        moment = datetime.fromisoformat(text(holder, *path))
    except ValueError:
        raise MalformedEvent(
            f"Expected `{'.'.join(path)}` to be a time, such as 2026-01-01T12:00:00Z, but it is none."
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def milliseconds(holder: Event, *path: str) -> float:
    """Milliseconds since the epoch, as a number or as text → seconds."""
    value = at(holder, path)
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        try:
            return float(value) / 1000
        except (ValueError, OverflowError):
            pass
    raise wrong(path, "milliseconds since the epoch", value)


def count(holder: Event, *path: str) -> int:
    """Return a whole number that comes as text."""
    value = text(holder, *path)
    if value.isascii() and value.isdecimal() and len(value) < 20:
        return int(value)
    raise MalformedEvent(f"Expected `{'.'.join(path)}` to be a whole number, but it is none.")


def last(name: str, separator: str = ":") -> str:
    """Return the short name at the end of an ARN."""
    return name.rpartition(separator)[2]


def attribute(name: str, kind: str, value: str) -> Event:
    """Decode an attribute of a message of SQS or SNS: String, Number, Binary, or String.Array as SNS has it.

    Whoever sends may put a label of their own after the kind: `Number.int`, `Binary.png`.
    """
    base = kind.partition(".")[0]
    if base == "Number":
        try:
            return int(value) if value.lstrip("-").isdecimal() else float(value)
        except ValueError:
            raise MalformedEvent(f"Expected the attribute {name!r:.80} to be a number, but it is none.") from None
    if base == "Binary":
        return base64(value, f"the attribute {name!r:.80}")
    if kind == "String.Array":
        return _array(name, value)
    return value


def _array(name: str, value: str) -> Event:
    from json import loads

    try:
        return loads(value)
    except (ValueError, RecursionError):
        raise MalformedEvent(f"Expected the attribute {name!r:.80} to be a JSON array, but it is none.") from None


def base64(value: str, what: str) -> bytes:
    """Decode; `what` names it in the error."""
    from binascii import a2b_base64

    try:
        return a2b_base64(value, strict_mode=True)
    except ValueError:
        raise MalformedEvent(f"Expected {what} to be base64, but it is not.") from None


def raw_records(event: Event, source: str, field: str = "eventSource") -> list[dict[str, Event]]:
    """Return an event's `Records`, every one of which says that it is of that source."""
    found = at(event, ("Records",))
    if not isinstance(found, list):
        raise wrong(("Records",), "a list", found)
    for number, each in enumerate(found, 1):
        if not isinstance(each, dict):
            raise MalformedEvent(f"Expected records to be objects, but number {number} is {_a(each)}.")
        if each.get(field) != source:
            raise MalformedEvent(
                f"Expected all records of an event to be of {source}, but number {number} is not. "
                "Events of AWS never mix sources: look at who made this one."
            )
    return found


def only(event: Event, source: str) -> dict[str, Event]:
    """Return the one record of an event whose source sends one at a time."""
    found = raw_records(event, source)
    if len(found) == 1:
        return found[0]
    raise MalformedEvent(f"Expected one record of {source}, but there are {len(found)}.")


def event_object(event: Event) -> dict[str, Event]:
    if isinstance(event, dict):
        return event
    raise MalformedEvent(f"Expected the event to be an object, but got {_a(event)}.")


def wrong(path: Sequence[str], expected: str, value: object, came: str = "got") -> MalformedEvent:
    return MalformedEvent(f"Expected `{'.'.join(path) or 'the event'}` to be {expected}, but {came} {_a(value)}.")


def _a(value: object) -> str:
    """Name a value by its kind, as JSON calls it."""
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", int: "a number", float: "a number"}
    return "nothing" if value is None else names.get(type(value), f"a {type(value).__name__}")


def nothing_inside(record: Record) -> Sequence[Record]:  # noqa: ARG001 - as the Source protocol says
    """`inner` of a source whose records carry none of another one."""
    return ()


def no_partial_failures(records: Sequence[Record], failed: Iterable[Record]) -> Result | None:  # noqa: ARG001 - see above
    """`reply` of a source that retries the whole event, or nothing."""
    return None
