"""What functions return, as plain JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum, IntEnum
from typing import NamedTuple
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from lambent.events.results import plain


class Item(BaseModel):
    price: Decimal
    at: datetime


class Struct(msgspec.Struct):
    name: str
    tags: set[str]


@dataclass(slots=True)
class Order:
    id: int
    items: list[Item] = field(default_factory=list)


class Point(NamedTuple):
    x: int
    y: int


class Colour(Enum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (None, None),
        ((1, 2.5, True, "é"), [1, 2.5, True, "é"]),
        ({1: "one"}, {"1": "one"}),
        (Item(price=Decimal("1.10"), at=NOON), {"price": "1.10", "at": "2026-01-01T12:00:00Z"}),
        (Struct("a", {"t"}), {"name": "a", "tags": ["t"]}),
        (
            Order(7, [Item(price=Decimal(2), at=NOON)]),
            {"id": 7, "items": [{"price": "2", "at": "2026-01-01T12:00:00Z"}]},
        ),
        (Point(1, 2), [1, 2]),
        ([Colour.RED, Level.HIGH], ["red", 3]),
        ([NOON, date(2026, 1, 2), time(3, 4)], ["2026-01-01T12:00:00+00:00", "2026-01-02", "03:04:00"]),
        ([UUID(int=1), Decimal("0.10")], ["00000000-0000-0000-0000-000000000001", "0.10"]),
    ],
)
def test_a_result_becomes_plain(result: object, expected: object) -> None:
    assert plain(result) == expected


def looped() -> list[object]:
    loop: list[object] = []
    loop.append(loop)
    return loop


@pytest.mark.parametrize(
    "make", [lambda: b"x", object, lambda: {1, 2}, lambda: Order, lambda: {(1,): 2}, looped, lambda: open]
)
def test_what_json_cannot_hold_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises((TypeError, ValueError, RecursionError)):
        plain(make())


def test_a_refusal_names_the_type_and_not_the_value() -> None:
    with pytest.raises(TypeError, match="but got a bytes") as caught:
        plain({"password": b"pa55"})
    assert "pa55" not in str(caught.value)


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)


@given(values)
def test_json_stays_as_it_is(value: object) -> None:
    assert plain(value) == value == json.loads(json.dumps(plain(value)))
