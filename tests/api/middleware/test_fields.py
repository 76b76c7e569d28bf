"""Header fields, found, set and joined."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.api.middleware.fields import is_token, replaced, value_of, varied

NAMES = st.lists(st.sampled_from([b"Origin", b"origin", b"Accept", b"Cookie"]), max_size=3)


@given(before=st.lists(NAMES.map(b", ".join), max_size=3), names=NAMES)
def test_vary_has_each_name_and_twice_is_as_once(before: list[bytes], names: list[bytes]) -> None:
    headers = [(b"vary", each) for each in before]
    once = varied(headers, names)
    listed = [each.strip().lower() for each in dict(once)[b"vary"].split(b",")]
    assert varied(once, names) == once
    assert {each.lower() for each in names} <= set(listed)


def test_a_repeated_field_is_one_value() -> None:
    headers = [(b"accept", b"a"), (b"accept-encoding", b"gzip"), (b"accept", b"b")]
    assert [value_of(headers, name) for name in (b"accept", b"accept-encoding", b"x")] == [b"a, b", b"gzip", None]


def test_a_field_takes_the_place_of_those_of_its_name() -> None:
    headers = [(b"A", b"1"), (b"b", b"2"), (b"a", b"3")]
    assert replaced(headers, [(b"a", b"4")]) == [(b"b", b"2"), (b"a", b"4")]
    assert headers == [(b"A", b"1"), (b"b", b"2"), (b"a", b"3")]


@pytest.mark.parametrize(
    ("text", "expected"), [("X-A", True), ("GET", True), ("", False), ("a b", False), ("a\n", False)]
)
def test_tokens(text: str, expected: bool) -> None:
    assert is_token(text) is expected
