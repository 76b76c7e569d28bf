"""JSON values → DynamoDB's attribute values, and what they weigh.

Source: docs.aws.amazon.com/amazondynamodb, "DynamoDB low-level API" (data type descriptors), "DynamoDB item sizes and
formats".
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, InvalidOperation
from typing import Any

from lambent.testing.events.origin import encoded

AttributeValue = dict[str, Any]
"""One entry: the descriptor of the type → the value, numbers as text."""

DIGITS = 38
"""That a number may have."""


def item(values: Mapping[str, object]) -> dict[str, AttributeValue]:
    """Every attribute of an item. Raises TypeError and ValueError, which name the attribute."""
    marshalled = {}
    for name, value in values.items():
        try:
            marshalled[name] = attribute_value(value)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{name}: {error}") from None
    return marshalled


def attribute_value(value: object) -> AttributeValue:
    """One value: as boto3 writes it, and floats as JSON does. TypeError for a type that DynamoDB does not have."""
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case int() | float() | Decimal():
            return {"N": number(value)}
        case bytes():
            return {"B": encoded(value)}
        case list() | tuple():
            return {"L": [attribute_value(each) for each in value]}
        case Mapping():
            return {"M": item(value)}
        case set() | frozenset():
            return value_set(value)
    raise TypeError(f"Expected a JSON value, bytes or a set, but got {value!r:.100}.")


def number(value: float | Decimal) -> str:
    """With 38 digits at most, from 1e-130 to 9.9…e125, without trailing zeros; ValueError for any other."""
    exact = decimal(value)
    if not exact.is_finite() or len(exact.as_tuple().digits) > DIGITS or not in_range(exact):
        raise ValueError(f"Expected a number of {DIGITS} digits at most, from 1e-130 to 9.9e125, but got {value}.")
    return f"{exact:f}" if -DIGITS <= exact.adjusted() < DIGITS else str(exact)


def decimal(value: float | str | Decimal) -> Decimal:
    """Without trailing zeros. NaN for what is no number."""
    try:
        exact = Decimal(str(value))
    except InvalidOperation:
        return Decimal("NaN")
    return exact.normalize(Context(prec=max(1, len(exact.as_tuple().digits)), Emax=MAX_EMAX, Emin=MIN_EMIN))


def in_range(value: Decimal) -> bool:
    return not value or -130 <= value.adjusted() <= 125


def value_set(values: set[object] | frozenset[object]) -> AttributeValue:
    """A set of strings, numbers or bytes, none empty, in order; TypeError for any other."""
    marshalled = sorted((attribute_value(each) for each in values), key=str)
    kinds = {kind for each in marshalled for kind in each}
    if len(kinds) != 1 or not kinds <= {"S", "N", "B"}:
        raise TypeError(f"Expected a set of strings, of numbers or of bytes, but got {values!r:.100}.")
    (kind,) = kinds
    return {f"{kind}S": [each[kind] for each in marshalled]}


def size(attributes: Mapping[str, AttributeValue]) -> int:
    """Bytes of an item, by DynamoDB's rules."""
    return sum(len(name.encode()) + value_size(value) for name, value in attributes.items())


def value_size(value: AttributeValue) -> int:
    kind, content = next(iter(value.items()))
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return number_size(content)
        case "B":
            return int(len(content) * 3 // 4 - content.count("="))
        case "L":
            return 3 + sum(1 + value_size(each) for each in content)
        case "M":
            return 3 + len(content) + size(content)
        case "SS" | "NS" | "BS":
            return sum(value_size({kind[0]: each}) for each in content)
    return 1


def number_size(text: str) -> int:
    """About a byte for two digits, one more, and one more for a sign."""
    exact = decimal(text)
    return (len(exact.as_tuple().digits) + 1) // 2 + 1 + (exact < 0)
