"""The place in a result of what is no JSON."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.runtime.codec import EXACT
from lambent.runtime.place import of_fault

CIRCLE: list[Any] = [1]
CIRCLE.append({"a": CIRCLE})

DEEP: list[Any] = []
for _ in range(5000):
    DEEP = [DEEP]  # pytest must not show it


@pytest.mark.parametrize(
    ("result", "place"),
    [
        ({1}, ""),
        (None, ""),
        ([1, {2}], "result[1]"),
        ({"items": [0, {"when": date(2026, 1, 1)}]}, "result['items'][1]['when']"),
        ({"a": (1, b"\xff")}, "result['a'][1]"),
        ({(1, 2): 3}, "a key of result"),
        ({"a": {b"b": 3}}, "a key of result['a']"),
        ({"k" * 1000: {1}}, f"result['{'k' * 59}]"),
        (CIRCLE, "result[1]['a'], which contains itself"),
        (DEEP, ""),
        ([Decimal(1), b"text", (None, 1.5)], ""),
    ],
    ids=map(str, range(11)),
)
def test_the_first_that_cannot_be_written_is_named(result: Any, place: str) -> None:
    assert of_fault(result) == place


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary().filter(bytes.isascii),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
def test_what_the_codec_writes_has_no_fault(result: Any) -> None:
    EXACT.encode(result)
    assert of_fault(result) == ""


@given(st.lists(JSON, max_size=3), JSON)
def test_what_it_does_not_write_has_a_place(before: list[Any], after: Any) -> None:
    result = [*before, {"a": object()}, after]
    with pytest.raises(TypeError):
        EXACT.encode(result)
    assert of_fault(result) == f"result[{len(before)}]['a']"
