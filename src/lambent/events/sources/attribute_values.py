"""DynamoDB's attribute values → Python's. Pure.

    {"id": {"S": "1"}, "price": {"N": "9.5"}}  →  {"id": "1", "price": Decimal("9.5")}

Source: docs.aws.amazon.com/amazondynamodb, "DynamoDB low-level API" (data type descriptors), "Supported data types".

| S | N | B | BOOL | NULL | L | M | SS, NS, BS |
|---|---|---|---|---|---|---|---|
| str | int; Decimal with a fraction | bytes | bool | None | list | dict | set |
"""

from __future__ import annotations

from lambent.errors import MalformedEvent
from lambent.events.sources import fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from lambent.types import Event

_MAGNITUDE = 130
"""Powers of ten that a number may have: DynamoDB's go from 1e-130 to 9.9…e125. What has more fills the memory."""

_CHARACTERS = frozenset("0123456789+-.eE")
"""Of a number: Decimal takes other digits, spaces and underscores, too."""

_INTEGER_LENGTH = 40
"""Up to which text is tried as an integer first: numbers have 38 digits at most."""


def item(image: Event) -> dict[str, Event]:
    """Every attribute of an item. Raises MalformedEvent, which names the attribute."""
    if not isinstance(image, dict):
        raise fields.wrong(("item",), "an object of attribute values", image)
    decoded = {}
    for name, each in image.items():
        try:
            decoded[name] = value(each)
        except MalformedEvent as error:
            raise MalformedEvent(f"Attribute {name!r:.80}: {error}") from None
        except RecursionError:
            raise MalformedEvent(f"Attribute {name!r:.80}: Expected lists and maps of 32 levels at most.") from None
    return decoded


def value(attribute: Event) -> Event:
    """One attribute value. Raises MalformedEvent, and RecursionError for what is nested too deeply."""
    if isinstance(attribute, dict) and len(attribute) == 1:
        ((descriptor, content),) = attribute.items()
        decode = _DECODERS.get(descriptor)
        if decode is not None:
            return decode(content)
    raise MalformedEvent(f"Expected an attribute value, an object with one of {', '.join(_DECODERS)}.")


def number(text: Event) -> int | Decimal:
    """An int where it is whole, with all its digits. Raises MalformedEvent."""
    if not isinstance(text, str):
        raise fields.wrong(("N",), "a string", text)
    if len(text) <= _INTEGER_LENGTH and text.lstrip("-").isdecimal() and text.isascii():
        try:
            return int(text)
        except ValueError:
            pass  # two signs
    return _decimal(text)


def _decimal(text: str) -> int | Decimal:
    from decimal import Decimal, InvalidOperation

    try:
        exact = Decimal(text if set(text) <= _CHARACTERS else "NaN")
    except InvalidOperation:
        exact = Decimal("NaN")
    if not exact.is_finite() or (exact and abs(exact.adjusted()) > _MAGNITUDE):
        raise MalformedEvent("Expected `N` to be a number from 1e-130 to 9.9e125, but it is none.")
    if not exact:
        return 0
    return int(exact) if exact == exact.to_integral_value() else exact


def _text(content: Event) -> str:
    if not isinstance(content, str):
        raise fields.wrong(("S",), "a string", content)
    return content


def _binary(content: Event) -> bytes:
    if not isinstance(content, str):
        raise fields.wrong(("B",), "a string", content)
    return fields.base64(content, "`B`")


def _boolean(content: Event) -> bool:
    if not isinstance(content, bool):
        raise fields.wrong(("BOOL",), "a boolean", content)
    return content


def _null(content: Event) -> None:
    if content is not True:
        raise fields.wrong(("NULL",), "true", content)


def _list(content: Event) -> list[Event]:
    if not isinstance(content, list):
        raise fields.wrong(("L",), "a list", content)
    return [value(each) for each in content]


def _map(content: Event) -> dict[str, Event]:
    if not isinstance(content, dict):
        raise fields.wrong(("M",), "an object", content)
    return {name: value(each) for name, each in content.items()}


def _set(name: str, decode: Callable[[Event], Event]) -> Callable[[Event], Event]:
    def decoded(content: Event) -> set[Event]:
        if not isinstance(content, list):
            raise fields.wrong((name,), "a list", content)
        return {decode(each) for each in content}

    return decoded


_DECODERS: dict[str, Callable[[Event], Event]] = {
    "S": _text,
    "N": number,
    "B": _binary,
    "BOOL": _boolean,
    "NULL": _null,
    "L": _list,
    "M": _map,
    "SS": _set("SS", _text),
    "NS": _set("NS", number),
    "BS": _set("BS", _binary),
}
