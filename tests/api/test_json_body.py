"""JSON of requests: the same by orjson and by the standard library."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.api.exceptions import RequestInvalid
from lambent.api.json_body import check_texts, parse_json, read_plain, reader

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
pieces = st.sampled_from(
    [*'{}[]:,"0123456789-+.eE \\/', "null", "true", "NaN", "Infinity", '"a":', "1" * 25, "\ufeff", "\\ud800", "é", "\0"]
)


@pytest.fixture(params=["orjson", "plain"])
def read(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[bytes], Any]]:
    if request.param == "plain":
        monkeypatch.setitem(sys.modules, "orjson", None)
    reader.cache_clear()
    yield parse_json
    reader.cache_clear()


def test_it_is_orjson_that_reads_where_it_is_installed(read: Callable[[bytes], Any]) -> None:
    assert (reader() is read_plain) == (sys.modules["orjson"] is None)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"a": [1, 2.5, "b", null, true]}', {"a": [1, 2.5, "b", None, True]}),
        (b"123456789012345678901234567890", 123456789012345678901234567890),
        (b"-18446744073709551616", -18446744073709551616),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'"\xc3\xa9"', "é"),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'"\\ud83d\\ude00"', "😀"),
        (b" 1 ", 1),
    ],
)
def test_values(read: Callable[[bytes], Any], body: bytes, expected: object) -> None:
    value = read(body)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"secret",
        b'{"secret": }',
        b"{'secret': 1}",
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"[1,]",
        b"1 2",
        b"01",
        b'"\xff"',
        b"\xff\xfe1\x00",
        b'"secret',
        b'"\t"',
        b"[" * 100_000,
        b"9" * 10_000,
    ],
)
def test_what_is_no_json(read: Callable[[bytes], Any], body: bytes) -> None:
    with pytest.raises(RequestInvalid, match="Expected JSON") as raised:
        read(body)
    [problem] = raised.value.problems
    assert problem.place == ("body",)
    assert problem.kind == "invalid"
    assert raised.value.status_code == 422
    assert "secret" not in str(raised.value.detail)


@given(values)
def test_what_is_written_is_read(value: object) -> None:
    assert parse_json(json.dumps(value).encode()) == value


@given(st.lists(pieces).map("".join))
def test_both_read_the_same(text: str) -> None:
    assert outcome(parse_json, text.encode()) == outcome(read_plain, text.encode())


def outcome(read: Callable[[bytes], Any], body: bytes) -> str:
    try:
        return repr(read(body))
    except RequestInvalid as error:
        return str(error)


def test_an_escape_at_any_depth_is_read_or_refused_and_never_a_failure() -> None:
    limit = sys.getrecursionlimit()
    for depth in range(limit - 150, limit + 10):
        with suppress(RequestInvalid):
            check_texts(b"[" * depth + b'"\\ud83d\\ude00"' + b"]" * depth)
