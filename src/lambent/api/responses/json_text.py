"""JSON by the standard library, in the bytes that orjson would write. Pure."""

from __future__ import annotations

import re
from enum import Enum
from json.encoder import encode_basestring as quoted
from math import isfinite

from lambent.errors import InvalidResult
from lambent.values.mismatch import Mismatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Write = Callable[[list[str], Any, int], None]
    """Adds the texts of a value to those before it; the number is how deep it lies."""

DEEPEST = 280
"""Levels of values in each other, more than orjson takes. Each may take three frames of the interpreter's thousand."""


class Raw:
    """JSON that is written already."""

    __slots__ = ("text",)

    def __init__(self, json: bytes) -> None:
        self.text = json.decode()


def write(value: Any) -> bytes:
    """As `lambent.api.responses.json.dumps` has it. Raises InvalidResult."""
    parts: list[str] = []
    try:
        _write(parts, value, 0)
    except Mismatch as error:
        raise InvalidResult(str(error), "Runtime.MarshalError") from None
    except RecursionError:
        raise InvalidResult(
            f"Expected a value that is nested in at most {DEEPEST} levels, but it is in more, or has itself in it.",
            "Runtime.MarshalError",
        ) from None
    text = "".join(parts)
    try:
        return text.encode()
    except UnicodeEncodeError:  # they come in strings only, where JSON has an escape for each
        return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text).encode()


_SURROGATE = re.compile("[\ud800-\udfff]")


def _write(parts: list[str], value: Any, depth: int) -> None:
    if depth > DEEPEST:
        raise RecursionError
    known = _WRITE.get(type(value))
    if known is not None:
        known(parts, value, depth)
    else:
        _write(parts, value.value if isinstance(value, Enum) else _opened(value), depth + 1)


def _opened(value: Any) -> Any:
    from lambent.api.responses.json_values import opened

    return opened(value, Raw)


def _object(parts: list[str], value: dict[Any, Any], depth: int) -> None:
    before = "{"
    for key, each in value.items():
        name = key if type(key) is str else _key(key)
        parts.append(f"{before}{quoted(name)}:")
        try:
            _write(parts, each, depth + 1)
        except Mismatch as error:
            raise error.within(name) from None
        before = ","
    parts.append("{}" if before == "{" else "}")


def _array(parts: list[str], value: list[Any] | tuple[Any, ...], depth: int) -> None:
    before = "["
    for index, each in enumerate(value):
        parts.append(before)
        try:
            _write(parts, each, depth + 1)
        except Mismatch as error:
            raise error.within(index) from None
        before = ","
    parts.append("[]" if before == "[" else "]")


def _key(key: Any) -> str:
    """As text. A number that JSON does not know is `null`."""
    if isinstance(key, Enum):
        return _key(key.value)
    if isinstance(key, str):
        return str.__str__(key)
    if key is None or isinstance(key, bool):
        return {None: "null", True: "true", False: "false"}[key]
    if isinstance(key, int):
        return _integer(key)
    if isinstance(key, float):
        return _number(key)
    text = _opened(key)
    if isinstance(text, str):
        return text
    raise Mismatch("an object whose keys are text, numbers, times or UUIDs", f"one is a {type(key).__name__}")


def _integer(value: int) -> str:
    try:
        return int.__repr__(value)
    except ValueError:  # sys.set_int_max_str_digits
        raise Mismatch("a number of at most 4300 digits", "it has more") from None


def _number(value: float) -> str:
    """With as many digits as it takes, `1e-6` and not `1e-06`, and `0.00001` before that."""
    text = float.__repr__(value)
    if "e-0" in text:
        digits, _, power = text.rpartition("e-0")
        if power != "5":
            return f"{digits}e-{power}"
        sign, digits = ("-", digits[1:]) if digits[0] == "-" else ("", digits)
        return f"{sign}0.0000{digits.replace('.', '')}"
    return text if isfinite(value) else "null"


_WRITE: dict[type, Write] = {
    dict: _object,
    list: _array,
    tuple: _array,
    str: lambda parts, value, _: parts.append(quoted(value)),
    int: lambda parts, value, _: parts.append(_integer(value)),
    float: lambda parts, value, _: parts.append(_number(value)),
    bool: lambda parts, value, _: parts.append("true" if value else "false"),
    type(None): lambda parts, _value, _: parts.append("null"),
    Raw: lambda parts, value, _: parts.append(value.text),
}
