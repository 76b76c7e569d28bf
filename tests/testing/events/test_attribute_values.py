"""DynamoDB's values, against boto3's reading of them, and AWS's figures of what they weigh."""

import base64
import math
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import Binary, TypeDeserializer
from hypothesis import given
from hypothesis import strategies as st

from lambent.testing.events.attribute_values import attribute_value, item, size

NUMBERS = (
    st.integers(-(10**38) + 1, 10**38 - 1)
    | st.floats(1e-100, 1e100)
    | st.decimals(-1000, 1000, allow_nan=False, places=5)
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.text()
    | NUMBERS
    | st.binary()
    | st.sets(st.text(), min_size=1)
    | st.sets(st.integers(-9, 9), min_size=1),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def read(value: Any) -> Any:
    """As the stream's JSON comes out of boto3, whose bytes are none yet."""
    if isinstance(value, dict):
        return (
            {"B": base64.b64decode(value["B"])}
            if set(value) == {"B"} and isinstance(value["B"], str)
            else {name: read(each) for name, each in value.items()}
        )
    return [read(each) for each in value] if isinstance(value, list) else value


def plain(value: Any) -> Any:
    """What boto3 makes of a value that it is given back."""
    match value:
        case bool():
            return value
        case int() | float():
            return Decimal(str(value))
        case bytes():
            return Binary(value)
        case dict():
            return {name: plain(each) for name, each in value.items()}
        case list():
            return [plain(each) for each in value]
        case set():
            return {plain(each) for each in value}
    return value


@given(VALUES)
def test_boto3_reads_what_was_written(value: Any) -> None:
    assert TypeDeserializer().deserialize(read(attribute_value(value))) == plain(value)


@pytest.mark.parametrize(
    ("number", "text"),
    [(1, "1"), (1.10, "1.1"), (Decimal("1.10"), "1.1"), (100, "100"), (-0.5, "-0.5"), (1e20, "100000000000000000000")],
)
def test_a_number_is_written_without_trailing_zeros(number: float | Decimal, text: str) -> None:
    assert attribute_value(number) == {"N": text}


@pytest.mark.parametrize("number", [math.nan, math.inf, 10**38 + 1, Decimal("1e126"), Decimal("1e-131")])
def test_a_number_that_dynamodb_does_not_have_is_refused(number: float | Decimal) -> None:
    with pytest.raises(ValueError, match="38 digits"):
        attribute_value(number)


@pytest.mark.parametrize("value", [object(), {1, "a"}, set(), {None}])
def test_a_value_that_dynamodb_does_not_have_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        attribute_value(value)


def test_an_error_names_the_attribute() -> None:
    with pytest.raises(TypeError, match="outer: inner: Expected"):
        item({"outer": {"inner": object()}})


def test_items_weigh_what_they_do_in_aws_s_example() -> None:
    keys, before = item({"Id": 101}), item({"Message": "New item!", "Id": 101})
    after = item({"Message": "This item has changed", "Id": 101})
    assert size(keys) + size(before) == 26
    assert size(keys) + size(before) + size(after) == 59


@pytest.mark.parametrize(
    ("value", "weight"),
    [(None, 1), (True, 1), ("é", 2), (-1, 3), (b"abcd", 4), ([], 3), (["a"], 5), ({"a": "b"}, 6), ({"x", "yz"}, 3)],
)
def test_every_type_has_its_weight(value: object, weight: int) -> None:
    assert size(item({"": value})) == weight
