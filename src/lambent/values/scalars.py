"""Values that hold no others: how each type is made of what JSON has. Pure.

As strict as JSON: "3" is no number and true is no integer; an integer does for a float, and 3.0 is an integer, as JSON
Schema has it. What JSON has no type for comes as text: times in ISO 8601, UUIDs, decimals, bytes as base64. What is of
the type already, as Avro and DynamoDB have it, is taken as it is.
"""

from __future__ import annotations

import sys
from enum import Enum
from functools import partial

from lambent.values.mismatch import Mismatch, mismatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambent.types import Event
    from lambent.values.mismatch import Convert


def anything(value: Event) -> Event:
    return value


def text(value: Event) -> str:
    if isinstance(value, str):
        return value
    raise mismatch("a string", value)


def inexact(value: Event) -> Event:
    """Anything, of JSON that was read with Decimals for what else in it wants them: floats in their place."""
    if _is_decimal(value):
        return float(value)
    if isinstance(value, dict):
        return {name: inexact(each) for name, each in value.items()}
    return [inexact(each) for each in value] if isinstance(value, list) else value


_APART = 2**53
"""From here on a float may stand for several integers."""


def integer(value: Event) -> int:
    """Also a number without a fraction."""
    found = value if type(value) is int else whole(value)
    if isinstance(found, int) and type(found) is not bool:
        return found
    raise mismatch("an integer", value)


def whole(value: Event) -> Event:
    """An integer for a number without a fraction, of those that a float tells apart; all else as it is."""
    is_number = isinstance(value, float) or _is_decimal(value)
    return int(value) if is_number and -_APART < float(value) < _APART and value == int(value) else value


def boolean(value: Event) -> bool:
    if isinstance(value, bool):
        return value
    raise mismatch("a boolean", value)


def null(value: Event) -> None:
    if value is not None:
        raise mismatch("null", value)


def floating(value: Event) -> float:
    if (isinstance(value, float | int) and type(value) is not bool) or _is_decimal(value):
        try:
            return float(value)
        except OverflowError:
            raise Mismatch("a number that a float can be", "it is too large") from None
    raise mismatch("a number", value)


def _is_decimal(value: Event) -> bool:
    """Without loading its module: who has a Decimal has done that."""
    module = sys.modules.get("decimal")
    return module is not None and isinstance(value, module.Decimal)


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


SCALARS: dict[Event, Convert] = {
    object: anything,
    str: text,
    int: integer,
    bool: boolean,
    float: floating,
    bytes: binary,
    None: null,
    type(None): null,
}


_OF_TEXT = frozenset({"datetime", "decimal", "uuid"})
"""Modules of what is made of text: loaded only where an annotation has named a type of theirs."""


def scalar(annotation: Event) -> Convert | None:
    """None for what is no scalar, or an Enum."""
    convert = SCALARS.get(annotation)
    if convert is None and getattr(annotation, "__module__", None) in _OF_TEXT:
        from lambent.values.texts import TEXTS

        convert = TEXTS.get(annotation)
    return convert


def is_exact(annotation: Event) -> bool:
    """Whether this scalar is the Decimal, which a float would cut."""
    return getattr(annotation, "__module__", None) == "decimal"


def enumeration(wanted: type[Enum]) -> Convert:
    """A member by its value, which is of the same type: 1 is not true."""
    types = {type(each.value) for each in wanted}

    def convert(value: Event) -> Event:
        if isinstance(value, wanted):
            return value
        if type(value) not in types and type(value := whole(value)) not in types:
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
            return table[type(whole(value)), value]
        except KeyError:
            raise Mismatch(expected, "it is not") from None
        except TypeError:  # an array or an object
            raise mismatch(expected, value) from None

    return convert


def key(convert: Convert) -> Convert:
    """Of an object's key, which is always text: 1 is "1" there."""
    return partial(_integer_key, convert) if convert is integer else convert


def _integer_key(convert: Convert, value: Event) -> Event:
    if isinstance(value, str):
        digits = value.removeprefix("-")
        if not (digits.isascii() and digits.isdecimal()) or len(digits) > 4000 or (digits[0] == "0" and value != "0"):
            raise Mismatch("an integer as text", "it is none")
        return int(value)
    return convert(value)
