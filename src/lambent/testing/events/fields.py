r"""Any field of an event, by its path, set to another value: `Records.0.body`.

Segments are separated by dots; a dot in a name is written `\.`; `*` is every item of a list.
"""

from __future__ import annotations

import copy
import json
import re
from typing import Any

from lambent.testing.events.origin import Event

SEGMENTS = re.compile(r"(?:[^.\\]|\\.)+")
NUMBER = (int, float)


def changed(event: Event, path: str, value: object) -> Event:
    """A copy of the event in which the field has that value. Objects on the way that are not there are made.

    Raises ValueError for a path that does not fit the event, which says where.
    """
    result = copy.deepcopy(event)
    for holder, key in places(result, path):
        holder[key] = copy.deepcopy(value)
    return result


def assigned(event: Event, text: str) -> Event:
    """As `changed`, from `path=value` or `path:=JSON`.

    After `=` a value is of the type that the field has: text stays text, if it looks like a number or not; where there
    was nothing, or null, it is JSON if it can be. `:=` sets whatever JSON follows. Raises ValueError.
    """
    path, equals, value = text.partition("=")
    if not equals or not path.strip(":"):
        raise ValueError(f"expected PATH=VALUE, such as Records.0.body=hello, or PATH:=JSON, but got {text!r}")
    result = copy.deepcopy(event)
    for holder, key in places(result, path.removesuffix(":")):
        present = held(holder, key)
        try:
            holder[key] = json.loads(value) if path.endswith(":") else typed(value, present)
        except json.JSONDecodeError as error:
            raise ValueError(f"{path.removesuffix(':')}: expected JSON after :=, but got {value!r}: {error}") from None
        except TypeError as error:
            raise ValueError(f"{path}: {error}") from None
    return result


def typed(text: str, present: object) -> object:
    """Raises TypeError for what is not of the type of the value that is there."""
    if isinstance(present, str):
        return text
    try:
        value: object = json.loads(text)
    except ValueError:
        value = text
    if present is None or kind(value) == kind(present):
        return value
    raise TypeError(f"the field is {kind(present)}, but {text!r} is {kind(value)}. PATH:=JSON sets any value")


def kind(value: object) -> str:
    """As JSON calls it."""
    if isinstance(value, bool):
        return "true or false"
    names = {str: "a string", dict: "an object", list: "a list", type(None): "null"}
    return "a number" if isinstance(value, NUMBER) else names.get(type(value), type(value).__name__)


def held(holder: Any, key: str | int) -> object:
    """None for what is not there yet."""
    if isinstance(holder, dict):
        return holder.get(key)
    return holder[key] if isinstance(key, int) and key < len(holder) else None


def places(event: Event, path: str) -> list[tuple[Any, Any]]:
    """Each object or list that the path leads to, and the key or index in it. Raises ValueError."""
    segments = [re.sub(r"\\(.)", r"\1", each) for each in SEGMENTS.findall(path)]
    if not segments or ".".join(SEGMENTS.findall(path)) != path:
        raise ValueError(f"expected a path of names and indexes, such as Records.0.body, but got {path!r}")
    holders: list[Any] = [event]
    for number, segment in enumerate(segments):
        where = ".".join(segments[:number]) or "the event"
        here = [(holder, key) for holder in holders for key in keys(holder, segment, where)]
        if number == len(segments) - 1:
            return here
        holders = [descend(holder, key) for holder, key in here]
    return []


def keys(holder: Any, segment: str, where: str) -> list[str | int]:
    """What a segment means in an object or a list."""
    if isinstance(holder, dict):
        return [segment]
    if not isinstance(holder, list):
        raise ValueError(f"{where} is {kind(holder)}, which has no field {segment!r}")  # noqa: TRY004 - of the path
    if segment == "*":
        return list(range(len(holder)))
    if not segment.isdecimal() or int(segment) >= len(holder):
        raise ValueError(f"{where} is a list of {len(holder)}: expected an index below that, or *, but got {segment!r}")
    return [int(segment)]


def descend(holder: Any, key: Any) -> Any:
    """An object is made where there is none."""
    if isinstance(holder, dict) and holder.get(key) is None:
        holder[key] = {}
    return holder[key]
