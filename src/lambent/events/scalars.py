"""Values that hold no others: how each type is made of what JSON has. Pure.

As strict as JSON: "3" is no number and true is no integer; an integer does for a float. What JSON has no type for comes
as text: times in ISO 8601, UUIDs, decimals, bytes as base64. What is of the type already, as Avro and DynamoDB have it,
is taken as it is.
"""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import partial
from uuid import UUID

from lambent.events.mismatch import Mismatch, mismatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lambent.events.mismatch import Convert
    from lambent.types import Event


def anything(value: Event) -> Event:
    return value


def plain(wanted: type, expected: str) -> Convert:
    """Of just this type; true and false are no integers."""

    def convert(value: Event) -> Event:
        if isinstance(value, wanted) and type(value) is not bool:
            return value
        raise mismatch(expected, value)

    return convert


def boolean(value: Event) -> bool:
    if isinstance(value, bool):
        return value
    raise mismatch("a boolean", value)


def null(value: Event) -> None:
    if value is not None:
        raise mismatch("null", value)


def floating(value: Event) -> float:
    if isinstance(value, float | int | Decimal) and type(value) is not bool:
        try:
            return float(value)
        except OverflowError:
            raise Mismatch("a number that a float can be", "it is too large") from None
    raise mismatch("a number", value)


def decimal(value: Event) -> Decimal:
    """Of text or of a number, with the digits that are written."""
    if isinstance(value, str | int | float | Decimal) and type(value) is not bool:
        try:
            exact = Decimal(repr(value) if isinstance(value, float) else value)
        except InvalidOperation:
            exact = Decimal("NaN")
        if exact.is_finite():
            return exact
        raise Mismatch("a decimal number", "it is none")
    raise mismatch("a decimal number", value)


def binary(value: Event) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        from binascii import a2b_base64

        try:
            return a2b_base64(value, strict_mode=True)
        except ValueError:
            raise Mismatch("base64", "it is not") from None
    raise mismatch("base64", value)


def parsed(wanted: type, form: str, parse: Callable[[str], Event]) -> Convert:
    """Of text in a form that `parse` takes. It raises ValueError for any other."""

    def convert(value: Event) -> Event:
        if isinstance(value, str):
            try:
                return parse(value)
            except ValueError:
                raise Mismatch(form, "it is none") from None
        if isinstance(value, wanted) and (wanted is not date or not isinstance(value, datetime)):
            return value
        raise mismatch(form, value)

    return convert


def _datetime(text: str) -> datetime:
    if len(text) <= 10:  # a date alone
        raise ValueError
    return datetime.fromisoformat(text)


def _date(text: str) -> date:
    if len(text) != 10 or text[4] != "-" or text[7] != "-":  # other forms of ISO 8601
        raise ValueError
    return date.fromisoformat(text)


def _time(text: str) -> time:
    if text[2:3] != ":":
        raise ValueError
    return time.fromisoformat(text)


def _uuid(text: str) -> UUID:
    if len(text) not in (32, 36) or (len(text) == 36) != (text[8::5][:4] == "----"):
        raise ValueError
    return UUID(text)


SCALARS: dict[Event, Convert] = {
    object: anything,
    str: plain(str, "a string"),
    int: plain(int, "an integer"),
    bool: boolean,
    float: floating,
    bytes: binary,
    None: null,
    type(None): null,
    Decimal: decimal,
    datetime: parsed(datetime, "a time, such as 2026-01-01T12:00:00Z", _datetime),
    date: parsed(date, "a date, such as 2026-01-01", _date),
    time: parsed(time, "a time of day, such as 12:00:00", _time),
    UUID: parsed(UUID, "a UUID", _uuid),
}


def enumeration(wanted: type[Enum]) -> Convert:
    """A member by its value, which is of the same type: 1 is not true."""
    types = {type(each.value) for each in wanted}

    def convert(value: Event) -> Event:
        if isinstance(value, wanted):
            return value
        if type(value) not in types:
            raise mismatch(f"a value of {wanted.__name__}", value)
        try:
            return wanted(value)
        except ValueError:
            raise Mismatch(f"a value of {wanted.__name__}", "it is none") from None

    return convert


def literal(wanted: Sequence[Event]) -> Convert:
    """One of these, and of its type; for a member of an enumeration its value."""
    table = {(type(raw), raw): each for each in wanted for raw in [each.value if isinstance(each, Enum) else each]}
    expected = " or ".join(repr(each) for each in wanted)

    def convert(value: Event) -> Event:
        try:
            return table[type(value), value]
        except KeyError:
            raise Mismatch(expected, "it is not") from None
        except TypeError:  # an array or an object
            raise mismatch(expected, value) from None

    return convert


def key(convert: Convert, wanted: Event) -> Convert:
    """Of an object's key, which is always text: 1 is "1" there."""
    return partial(_integer_key, convert) if wanted is int else convert


def _integer_key(convert: Convert, value: Event) -> Event:
    if isinstance(value, str):
        digits = value.removeprefix("-")
        if not (digits.isascii() and digits.isdecimal()) or len(digits) > 4000 or (digits[0] == "0" and value != "0"):
            raise Mismatch("an integer as text", "it is none")
        return int(value)
    return convert(value)
