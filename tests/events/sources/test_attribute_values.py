"""DynamoDB's attribute values, against those that our builders and boto3 write."""

from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from lambent.errors import MalformedEvent
from lambent.events.sources.attribute_values import item, number, value
from lambent.testing.events.attribute_values import attribute_value

NUMBERS = st.integers(-(10**37), 10**37) | st.decimals(-1000, 1000, places=3, allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | st.text() | NUMBERS | st.binary()
SETS = st.sets(st.text(), min_size=1) | st.sets(st.binary(), min_size=1) | st.sets(NUMBERS, min_size=1)
VALUES = st.recursive(
    SCALARS | SETS, lambda held: st.lists(held, max_size=3) | st.dictionaries(st.text(), held, max_size=3), max_leaves=8
)


@given(VALUES)
def test_what_our_builders_write_is_read_back(content: Any) -> None:
    assert value(attribute_value(content)) == content


@given(
    SCALARS.filter(lambda content: not isinstance(content, bytes))
    | SETS.filter(lambda held: bytes not in set(map(type, held)))
)
def test_boto3_agrees(content: Any) -> None:
    """But for the types: its numbers are Decimals all."""
    written = TypeSerializer().serialize(content)
    assert value(written) == TypeDeserializer().deserialize(written)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7", 7),
        ("-7", -7),
        ("12345678901234567890123456789012345678", 12345678901234567890123456789012345678),
        ("1E+2", 100),
        ("7.00", 7),
        ("-0", 0),
        ("0E+999999", 0),
        ("0.1", Decimal("0.1")),
        ("1E-130", Decimal("1E-130")),
    ],
)
def test_a_whole_number_is_an_int(text: str, expected: object) -> None:
    assert number(text) == expected
    assert type(number(text)) is type(expected)


@pytest.mark.parametrize(
    "text", ["", "x", "--7", "NaN", "Infinity", "1E+999999999", "1E-999", "9" * 5000, "٣", "²", 7, None]
)
def test_what_is_no_number_is_refused_at_once(text: object) -> None:
    with pytest.raises(MalformedEvent) as raised:
        number(text)
    assert len(str(raised.value)) < 120


@pytest.mark.parametrize(
    "content",
    [
        None,
        "a",
        {},
        {"S": "a", "N": "1"},
        {"X": 1},
        {"S": 1},
        {"B": 1},
        {"B": "!"},
        {"BOOL": "true"},
        {"NULL": False},
        {"L": {}},
        {"M": []},
        {"SS": "ab"},
        {"NS": [1]},
        {"M": {"a": {"S": None}}},
    ],
)
def test_what_is_no_attribute_value_is_refused(content: Any) -> None:
    with pytest.raises(MalformedEvent):
        item({"a": content})


def test_what_is_nested_too_deeply_is_refused() -> None:
    deep: Any = {"S": "a"}
    for _ in range(3000):
        deep = {"L": [deep]}
    with pytest.raises(MalformedEvent, match="32 levels"):
        item({"a": deep})


def test_an_item_is_an_object() -> None:
    with pytest.raises(MalformedEvent):
        item([])
