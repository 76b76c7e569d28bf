"""Query strings, as the standard library reads them, and as clients should not write them."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.api.exceptions import HTTPException
from lambent.api.query import EMPTY, QueryParams, parse_query, unquote

pieces = st.one_of(st.sampled_from([*"&=+%;abAB09 é/", "%20", "%C3%A9", "%ff", "%zz", "%2", "a=b"]), st.text())
ascii_pieces = pieces.filter(str.isascii).filter(lambda each: "\t" not in each and "\r" not in each)


def pairs(query: str | bytes) -> list[tuple[str, str]]:
    return parse_query(query if isinstance(query, bytes) else query.encode()).multi_items()


def test_values_by_names() -> None:
    query = parse_query(b"a=1&b=2&a=3")
    assert query["a"] == query.get("a") == "3"
    assert query.getlist("a") == ["1", "3"]
    assert query.getlist("c") == []
    assert query.get("c") is None
    assert query.get("c", "d") == "d"
    assert dict(query) == {"a": "3", "b": "2"}
    assert "b" in query
    assert len(query) == 2
    with pytest.raises(KeyError):
        query["c"]


def test_a_list_of_values_is_the_caller_s() -> None:
    query = parse_query(b"a=1")
    query.getlist("a").append("2")
    assert query.getlist("a") == ["1"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", []),
        ("a", [("a", "")]),
        ("a=", [("a", "")]),
        ("=a", [("", "a")]),
        ("=", [("", "")]),
        ("&&a=b&&", [("a", "b")]),
        ("a=b=c", [("a", "b=c")]),
        ("a;b=c;d", [("a;b", "c;d")]),
        ("a+b=c+d", [("a b", "c d")]),
        ("a%20b=c%2Bd", [("a b", "c+d")]),
        ("a=%C3%A9", [("a", "é")]),
        ("a=é", [("a", "é")]),
        ("a=%", [("a", "%")]),
        ("a=%4", [("a", "%4")]),
        ("a=%zz%41", [("a", "%zzA")]),
        ("a=% 1&b=%+1", [("a", "% 1"), ("b", "% 1")]),
        ("a=%00", [("a", "\0")]),
        ("a=%26&b=%3D", [("a", "&"), ("b", "=")]),
        ("a=%ff", [("a", "\ufffd")]),
        (b"a=\xff", [("a", "\ufffd")]),
        (b"a=\xff&b=%20", [("a", "\ufffd"), ("b", " ")]),
    ],
)
def test_queries(query: str | bytes, expected: list[tuple[str, str]]) -> None:
    assert pairs(query) == expected


@given(st.lists(ascii_pieces).map("".join))
def test_queries_are_read_as_the_standard_library_reads_them(query: str) -> None:
    expected: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        expected.setdefault(name, []).append(value)
    assert {name: parse_query(query.encode()).getlist(name) for name in parse_query(query.encode())} == expected


@given(st.lists(st.tuples(st.text(), st.text())))
def test_what_is_encoded_is_decoded(fields: list[tuple[str, str]]) -> None:
    fields = [(name, value) for name, value in fields if max(name + value, default="") < "\ud800"]
    expected = QueryParams({})._values
    for name, value in fields:
        expected.setdefault(name, []).append(value)
    assert parse_query(urlencode(fields).encode())._values == expected


@given(st.binary())
def test_any_bytes_can_be_read(query: bytes) -> None:
    parse_query(query)


@given(st.lists(ascii_pieces).map("".join))
def test_percent_signs_are_read_as_the_standard_library_reads_them(text: str) -> None:
    assert unquote(text.encode()) == unquote_plus(text)


def test_so_many_parameters_and_no_more() -> None:
    assert len(parse_query(b"&".join(b"%d" % each for each in range(1000)))) == 1000
    with pytest.raises(HTTPException, match="Expected at most 1000 query parameters") as raised:
        parse_query(b"&".join(b"%d" % each for each in range(1001)))
    assert raised.value.status_code == 400
    with pytest.raises(HTTPException, match="at most 2"):
        parse_query(b"a&b&c", 2)


def test_a_hundred_thousand_parameters_are_refused_unread() -> None:
    """Reading them would make as many texts: far more than the error does."""
    import tracemalloc

    query = b"%61=1&" * 100_000
    tracemalloc.start()
    try:
        with pytest.raises(HTTPException):
            parse_query(query)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def test_values_are_not_shown() -> None:
    assert repr(parse_query(b"token=secret&a=b")) == "QueryParams(token, a)"


def test_no_query() -> None:
    assert parse_query(b"") is EMPTY
    assert not EMPTY
