"""What must hold of a value beside its type."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.api.binding.bounds import bounded
from lambent.api.markers import Query
from lambent.errors import ConfigurationError
from lambent.values.mismatch import Mismatch


def same(value: Any) -> Any:
    return value


def check(value: Any, **bounds: Any) -> Any:
    return bounded(same, Query(**bounds).bounds)(value)


HELD: list[tuple[Any, dict[str, Any]]] = [
    (1, {"ge": 1}),
    (Decimal("1.5"), {"gt": 1}),
    (1, {"le": 1, "ge": 1}),
    (0.5, {"lt": 1}),
    ("abc", {"min_length": 3, "max_length": 3}),
    (b"abc", {"max_length": 3}),
    ([1, 2], {"min_length": 2}),
    ([1, 2], {"ge": 1}),
    ("abc", {"pattern": "[a-c]+$"}),
    ("abc and more", {"pattern": "abc"}),
    (["a", "b"], {"pattern": "[ab]"}),
    (None, {"ge": 1, "min_length": 1, "pattern": "a"}),
]


@pytest.mark.parametrize(("value", "bounds"), HELD)
def test_what_is_within_is_given(value: Any, bounds: dict[str, Any]) -> None:
    assert check(value, **bounds) == value


BROKEN: list[tuple[Any, dict[str, Any], str]] = [
    (0, {"ge": 1}, "at least 1"),
    (1, {"gt": 1}, "more than 1"),
    (2, {"le": 1}, "at most 1"),
    (1, {"lt": 1}, "less than 1"),
    (float("nan"), {"ge": 1}, "at least"),
    ("ab", {"min_length": 3}, "3 characters at least, but it has 2"),
    (b"abcd", {"max_length": 3}, "3 bytes at most, but it has 4"),
    ([], {"min_length": 1}, "1 items at least"),
    ([2, 0], {"ge": 1}, r"\$\[1\]"),
    ("xabc", {"pattern": "abc"}, "a text that matches abc"),
    ("text", {"ge": 1}, "at least 1, but got a string"),
    (1, {"min_length": 1}, "got an integer"),
    (1, {"pattern": "a"}, "got an integer"),
]


@pytest.mark.parametrize(("value", "bounds", "message"), BROKEN)
def test_what_is_not_is_refused(value: Any, bounds: dict[str, Any], message: str) -> None:
    with pytest.raises(Mismatch, match=message):
        check(value, **bounds)


@pytest.mark.parametrize(
    ("patterns", "held", "broken"),
    [
        (("[a-c]+$", "a|z"), ["abc"], ["zzz", "x", "cba"]),
        (("a", "b|c"), [], ["c", "ab", "b"]),
        (("^a", "(?i)AB"), ["ab"], ["Ab", "ax"]),
        (("(a)", r"(.)\1$"), ["aa"], ["ab"]),
    ],
)
def test_of_several_patterns_each_holds(patterns: tuple[str, str], held: list[str], broken: list[str]) -> None:
    first, second = (Query(pattern=each).bounds for each in patterns)
    convert = bounded(same, first & second)
    assert list(map(convert, held)) == held
    for each in broken:
        with pytest.raises(Mismatch, match="a text that matches"):
            convert(each)


def test_without_bounds_nothing_is_put_around() -> None:
    assert bounded(same, Query().bounds) is same
    assert bounded(same, None) is same


def test_a_pattern_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(ConfigurationError, match="regular expression"):
        bounded(same, Query(pattern="(").bounds)


@given(st.integers(), st.integers(), st.integers())
def test_bounds_are_those_of_numbers(value: int, low: int, high: int) -> None:
    try:
        check(value, ge=low, lt=high)
    except Mismatch:
        assert not low <= value < high
    else:
        assert low <= value < high
