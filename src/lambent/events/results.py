"""What a function has returned → plain JSON, that can be kept and given again. Pure.

| of type                                      | becomes                                       |
|----------------------------------------------|-----------------------------------------------|
| null, boolean, number, text, list, dict      | the same; keys are text                       |
| tuple, named tuple                           | a list                                        |
| pydantic model                               | what `model_dump(mode="json")` says           |
| msgspec Struct                               | what `msgspec.to_builtins` says               |
| dataclass                                    | an object of its fields                       |
| Enum                                         | its value                                     |
| datetime, date, time                         | text, ISO 8601                                |
| UUID, Decimal                                | text                                          |
| anything else, bytes too                     | nothing: TypeError                            |
"""

from __future__ import annotations

import json
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.types import Event


def plain(result: Event) -> Event:
    """As a table above says. Raises TypeError, ValueError and RecursionError for what JSON cannot hold."""
    return json.loads(json.dumps(result, default=shaped))


def shaped(value: Event) -> Event:
    """What JSON does not know, one level nearer to it. Raises TypeError."""
    if isinstance(value, type):
        raise TypeError(f"Expected a value that JSON can hold, but got the class {value.__name__}.")
    kind = type(value)
    if hasattr(kind, "model_dump"):
        return value.model_dump(mode="json")
    if hasattr(kind, "__struct_fields__"):
        return sys.modules["msgspec"].to_builtins(value)
    if hasattr(kind, "__dataclass_fields__"):
        return {name: getattr(value, name) for name in kind.__dataclass_fields__}
    return _scalar(value)


def _scalar(value: Event) -> Event:
    from datetime import date, datetime, time
    from decimal import Decimal
    from enum import Enum
    from uuid import UUID

    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, UUID | Decimal):
        return str(value)
    raise TypeError(f"Expected a value that JSON can hold, but got a {type(value).__name__}.")
