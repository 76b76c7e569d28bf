"""What values that JSON does not know are made of. Pure."""

from __future__ import annotations

import sys
from contextlib import suppress
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import cache
from uuid import UUID

from lambent.values.mismatch import Mismatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Raw = Callable[[bytes], Any]
    """JSON that is written already → what stands for it."""


def moment(value: datetime | time) -> str:
    """ISO 8601; the same moment at an offset of whole minutes, where the zone's has seconds, which RFC 3339 has not."""
    offset = None if value.tzinfo is None else value.utcoffset()
    if offset is None or not (offset.seconds % 60 or offset.microseconds):
        return value.isoformat()
    zone = timezone(timedelta(minutes=int(offset / timedelta(minutes=1))))
    if isinstance(value, datetime):
        with suppress(OverflowError):  # at either end of time
            return value.astimezone(zone).isoformat()
    return value.replace(tzinfo=zone).isoformat()


_SUBCLASSES: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (str, str.__str__),
    (int, int.__int__),
    (float, float.__float__),
    (Decimal, str),
    (UUID, UUID.__str__),
    (datetime, moment),
    (date, date.isoformat),
    (time, moment),
)
_BINARY = (bytes, bytearray, memoryview)


def opened(value: Any, raw: Raw) -> Any:
    """What it is made of, one level deep; a model as JSON that is written already. Raises Mismatch for others."""
    kind: Any = type(value)
    if kind is datetime:
        return moment(value)
    if hasattr(kind, "__pydantic_serializer__"):
        return raw(kind.__pydantic_serializer__.to_json(value, by_alias=True, fallback=_for_pydantic))
    if hasattr(kind, "__struct_fields__") and "msgspec" in sys.modules:
        return raw(sys.modules["msgspec"].json.encode(value, enc_hook=_for_msgspec))
    if hasattr(kind, "__dataclass_fields__"):
        return {name: getattr(value, name) for name in field_names(kind)}
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        return dict(zip(kind._fields, value, strict=True))
    for known, cast in _SUBCLASSES:
        if isinstance(value, known):
            return cast(value)
    if hasattr(kind, "__iter__") and hasattr(kind, "__len__") and not isinstance(value, _BINARY):
        return dict(value) if hasattr(kind, "keys") else list(value)
    raise Mismatch("something that JSON has", f"it is of the type {kind.__name__}")


@cache
def field_names(kind: type) -> tuple[str, ...]:
    """Of a dataclass, those that are for others."""
    from dataclasses import fields

    return tuple(each.name for each in fields(kind) if not each.name.startswith("_"))


def _for_pydantic(value: Any) -> Any:
    from json import loads

    return opened(value, loads)


def _for_msgspec(value: Any) -> Any:
    return opened(value, sys.modules["msgspec"].Raw)
