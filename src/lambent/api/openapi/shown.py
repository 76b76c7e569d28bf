"""Defaults and examples, as a document can show them: values of JSON. Pure."""

from __future__ import annotations

from lambent.api.openapi.fields import ABSENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def shown(value: Any) -> Any:
    """The value as an answer would have it; ABSENT for what JSON does not have."""
    from json import dumps, loads
    from math import isfinite

    if value is ABSENT or (isinstance(value, float) and not isfinite(value)):
        return ABSENT
    try:
        return loads(dumps(value, allow_nan=False, default=_plain))
    except (TypeError, ValueError, RecursionError):
        return ABSENT


def with_default(schema: dict[str, Any], default: Any) -> dict[str, Any]:
    """Null is not told: it is what is not there."""
    value = ABSENT if default is None else shown(default)
    return schema if value is ABSENT else {**schema, "default": value}


def _plain(value: Any) -> Any:
    """What JSON has no type for. Raises TypeError for what is not known."""
    from datetime import date, time
    from decimal import Decimal
    from enum import Enum
    from uuid import UUID

    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date | time):  # a datetime is a date
        return value.isoformat()
    if isinstance(value, Decimal | UUID):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value, key=repr)
    return _object(value)


def _object(value: Any) -> Any:
    if hasattr(value, "model_dump"):  # pydantic
        return value.model_dump(mode="json")
    names = getattr(value, "__struct_fields__", None) or getattr(value, "__dataclass_fields__", None)
    if not names or isinstance(value, type):
        raise TypeError
    return {name: getattr(value, name) for name in names}
