"""One line of JSON, whatever its values are."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.api.log_line import encoder, escaped, plain, redacted

Encode = Callable[[dict[str, Any]], str]

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.text("\ud800\u2028\x85\x9b\x7f")
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)


def standard() -> Encode:
    """Where orjson is not installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "orjson", None)
        return encoder()


FAST, STANDARD = encoder(), standard()


@pytest.fixture(params=[FAST, STANDARD], ids=["orjson", "standard"])
def encode(request: pytest.FixtureRequest) -> Encode:
    given: Encode = request.param
    return given


def test_they_are_two() -> None:
    assert FAST.__name__ == "fast"
    assert STANDARD.__name__ == "standard"


@given(st.dictionaries(st.text(), values, max_size=4))
def test_any_plain_value_is_one_line_that_reads_the_same(value: dict[str, Any]) -> None:
    fields = plain(value)
    for encode in (FAST, STANDARD):
        line = encode(fields)
        assert json.loads(line, parse_constant=pytest.fail) == fields
        assert line.isprintable() or line.isascii()
        assert line.splitlines() == [line]


@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text(), max_size=4))
def test_both_write_the_same(value: dict[str, Any]) -> None:
    assert FAST(plain(value)) == STANDARD(plain(value))


def test_what_ends_a_line_or_moves_a_cursor_is_escaped(encode: Encode) -> None:
    line = encode({"path": 'a\n\r\0"\x1b[31m\u2028\u2029\x85\x9b\u202eé😀\ud800'})
    assert line == (
        r'{"path":"a\n\r\u0000\"\u001b[31m\u2028\u2029\u0085\u009b\u202eé😀\ud800"}'
    )  # nothing of it but é and the face is beyond ASCII


def test_all_that_is_not_ascii_can_be_escaped() -> None:
    assert escaped('{"a":"é😀"}', ascii_only=True) == r'{"a":"\u00e9\ud83d\ude00"}'


class Colour(Enum):
    RED = 1


class Size(StrEnum):
    BIG = "big"


class Rank(IntEnum):
    FIRST = 1


class Named:
    def __str__(self) -> str:
        return "named"


class Broken:
    def __str__(self) -> str:
        raise ValueError("no")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Named(), "named"),
        (Broken(), "<Broken>"),
        (Colour.RED, "Colour.RED"),
        (Size.BIG, "big"),
        (Rank.FIRST, 1),
        (Decimal("1.50"), "1.50"),
        (b"a", "b'a'"),
        (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01 00:00:00+00:00"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (2**64, "18446744073709551616"),
        (2**64 - 1, 2**64 - 1),
        pytest.param(10**5000, "<int>", id="endless digits"),
        ((1, Named()), [1, "named"]),
        ({1: Named(), None: 2}, {"1": "named", "None": 2}),
    ],
)
def test_a_value_that_json_does_not_have_is_text(value: object, expected: object, encode: Encode) -> None:
    assert plain(value) == expected
    assert type(plain(value)) is type(expected)
    assert json.loads(encode({"a": plain(value)})) == {"a": expected}


def test_so_is_what_is_too_deep_or_has_no_end(encode: Encode) -> None:
    endless: list[object] = []
    endless.append(endless)
    assert encode({"a": plain(endless)}).startswith('{"a":[[[[')


def test_redacted_are_names_however_deep() -> None:
    value = plain({"Token": 1, "a": [{"token": "t", "b": ({"TOKEN": {"c": 1}},)}], "tokens": "t"})
    assert redacted(value, {"token"}) == {
        "Token": "***",
        "a": [{"token": "***", "b": [{"TOKEN": "***"}]}],
        "tokens": "t",
    }


@given(st.dictionaries(st.text(), values, max_size=4))
def test_without_names_nothing_is_redacted(value: dict[str, Any]) -> None:
    assert redacted(plain(value), frozenset()) == plain(value)
