"""A line of the log: JSON on one line, whatever its values are."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet
    from typing import Any

    Encode = Callable[[dict[str, Any]], str]

MASK = "***"
"""In the place of what must not be read."""

_DEEPEST = 16
"""Levels of arrays and objects; what is deeper is text."""

_DEEP = (dict, list)


def encoder() -> Encode:
    """What writes a line of plain values: orjson where it is installed, else the standard library. Both write the same.

    A line has no character that ends it or that a terminal acts upon: such are escaped.
    """
    import json

    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode

    def standard(line: dict[str, Any]) -> str:
        text = encode(line)
        return text if text.isascii() or text.isprintable() else escaped(text)

    try:
        import orjson
    except ImportError:
        return standard

    dumps = orjson.dumps

    def fast(line: dict[str, Any]) -> str:
        try:
            text = dumps(line).decode()
        except TypeError:  # it refuses a lone surrogate
            return standard(line)
        return text if text.isascii() or text.isprintable() else escaped(text)

    return fast


def escaped(text: str, *, ascii_only: bool = False) -> str:
    """JSON with what cannot be printed as escapes, such as U+2028, or with all that is not ASCII."""
    return "".join(
        each if each.isprintable() and (each.isascii() or not ascii_only) else _escape(each) for each in text
    )


def _escape(character: str) -> str:
    """As JSON has it: the code units of UTF-16."""
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


def plain(value: object, depth: int = _DEEPEST) -> Any:
    """A value as JSON has it: what it does not have is its `str`, NaN and numbers beyond 64 bits too."""
    kind = type(value)
    if value is None or kind is str or kind is bool:
        return value
    if isinstance(value, str):  # an Enum with texts is its text
        return str.__str__(value)
    if isinstance(value, int):
        return int.__int__(value) if -(2**63) <= value < 2**64 else text_of(value)
    if isinstance(value, float):
        return float.__float__(value) if value - value == 0 else text_of(float.__float__(value))
    if depth and isinstance(value, dict):
        return {
            name if type(name) is str else text_of(name): plain(each, depth - 1) for name, each in list(value.items())
        }
    if depth and isinstance(value, list | tuple):
        return [plain(each, depth - 1) for each in value]
    return text_of(value)


def text_of(value: object) -> str:
    """Its `str`, or its type where that fails."""
    try:
        return str(value)
    except Exception:
        return f"<{type(value).__name__}>"


def redacted(value: Any, names: AbstractSet[str]) -> Any:
    """A plain value with the mask in the place of what has one of these names (in lower case), however deep."""
    if isinstance(value, dict):
        return {
            name: MASK if name.lower() in names else redacted(each, names) if isinstance(each, _DEEP) else each
            for name, each in value.items()
        }
    return [redacted(each, names) for each in value] if isinstance(value, list) else value
