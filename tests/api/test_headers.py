"""Header fields: found however they are spelled, and never more than one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_multipart.multipart import parse_options_header

from lambent.api.headers import Headers, MutableHeaders, media_type
from lambent.errors import InvalidMessage

NUMBER: Any = 1
"""As users without a type checker write."""

names = st.text("abcdefghijklmnopqrstuvwxyzABCDEFG0123456789-_", min_size=1, max_size=12)
values = st.text(st.characters(min_codepoint=33, max_codepoint=255, exclude_characters="\x7f"), max_size=20)


def test_a_field_is_found_however_it_is_spelled() -> None:
    headers = Headers([(b"host", b"example.com"), (b"X-Mixed", b"1")])
    assert headers["Host"] == headers.get("HOST") == "example.com"
    assert headers["x-mixed"] == headers.get("X-MIXED") == "1"
    assert "x-Mixed" in headers
    assert list(headers) == ["host", "x-mixed"]
    assert dict(headers) == {"host": "example.com", "x-mixed": "1"}


def test_a_field_that_is_not_there() -> None:
    headers = Headers([(b"host", b"example.com")])
    assert headers.get("x-a") is None
    assert headers.get("x-a", "b") == "b"
    assert headers.getlist("x-a") == []
    assert "x-a" not in headers
    assert NUMBER not in headers
    assert "å" not in headers
    with pytest.raises(KeyError, match="X-A"):
        headers["X-A"]


def test_no_fields() -> None:
    assert len(Headers()) == 0
    assert Headers().get("host") is None
    assert Headers() == {}


def test_repeated_fields_are_joined_and_can_be_had_apart() -> None:
    raw = [(b"accept", b"a"), (b"cookie", b"c=1"), (b"Accept", b"b"), (b"cookie", b"d=2")]
    headers = Headers(iter(raw))
    assert headers["accept"] == "a, b"
    assert headers["cookie"] == "c=1; d=2"
    assert headers.getlist("ACCEPT") == ["a", "b"]
    assert len(headers) == 2
    assert headers.raw() == raw


def test_values_are_latin_1() -> None:
    assert Headers([(b"x-a", b"\xe9")])["x-a"] == "é"


def test_values_are_not_shown() -> None:
    assert repr(Headers([(b"authorization", b"secret")])) == "Headers(authorization)"


def test_to_read_does_not_change_what_the_server_gave() -> None:
    raw = [(b"a", b"1")]
    Headers(raw).raw().append((b"b", b"2"))
    assert raw == [(b"a", b"1")]


def test_fields_of_a_response() -> None:
    headers = MutableHeaders({"X-A": "1"})
    headers.append("x-a", "2")
    headers.append("Set-Cookie", "a=b")
    assert headers.raw() == [(b"x-a", b"1"), (b"x-a", b"2"), (b"set-cookie", b"a=b")]
    headers["X-a"] = "3"
    assert headers.raw() == [(b"set-cookie", b"a=b"), (b"x-a", b"3")]
    assert headers["x-A"] == "3"
    assert headers.setdefault("X-A", "4") == "3"
    assert headers.setdefault("X-B", "4") == "4"
    del headers["x-a"]
    assert "x-a" not in headers
    assert headers.pop("x-b") == "4"
    headers.update({"X-C": "5"})
    headers.append_raw(b"x-d", b"6")
    assert dict(headers) == {"set-cookie": "a=b", "x-c": "5", "x-d": "6"}
    with pytest.raises(KeyError):
        del headers["x-a"]


def test_pairs_may_repeat_names() -> None:
    assert MutableHeaders([("a", "1"), ("a", "2")]).getlist("a") == ["1", "2"]


def test_space_around_a_value_is_no_part_of_it() -> None:
    assert MutableHeaders({"a": " b\t"}).raw() == [(b"a", b"b")]


def test_a_tab_within_a_value_may_be() -> None:
    assert MutableHeaders({"a": "b\tc"}).raw() == [(b"a", b"b\tc")]


@pytest.mark.parametrize("value", ["a\r\nset-cookie: b", "a\n", "a\r", "a\0", "a\x1b[0m", "a\x7f", "\r\n"])
@pytest.mark.parametrize(
    "write",
    [
        lambda _, value: MutableHeaders({"x-a": value}),
        lambda headers, value: headers.__setitem__("x-a", value),
        lambda headers, value: headers.append("x-a", value),
        lambda headers, value: headers.setdefault("x-a", value),
        lambda headers, value: headers.update({"x-a": value}),
    ],
    ids=["made", "set", "append", "setdefault", "update"],
)
def test_a_value_that_would_end_the_line_is_refused(value: str, write: Callable[[MutableHeaders, str], object]) -> None:
    headers = MutableHeaders()
    with pytest.raises(InvalidMessage, match="x-a to have no line ends") as raised:
        write(headers, value)
    assert value not in str(raised.value)
    assert headers.raw() == []


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\nb", "a\0", "é", "\u212a", "a\n", "[a]"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(InvalidMessage, match="name of a header"):
        MutableHeaders().append(name, "a")


def test_a_refused_value_leaves_what_was_there() -> None:
    headers = MutableHeaders({"a": "1"})
    with pytest.raises(InvalidMessage):
        headers["a"] = "\n"
    assert headers["a"] == "1"


def test_what_is_no_text_and_what_latin_1_does_not_have_is_refused() -> None:
    headers = MutableHeaders()
    with pytest.raises(InvalidMessage, match="x-a to be a str, but got int"):
        headers["x-a"] = NUMBER
    with pytest.raises(InvalidMessage, match="percent-encode"):
        headers["x-a"] = "€"


@given(st.lists(st.tuples(names, values)))
def test_what_is_written_is_read(pairs: list[tuple[str, str]]) -> None:
    written = MutableHeaders(pairs)
    read = Headers(written.raw())
    assert read.raw() == [(name.lower().encode(), value.strip(" \t").encode("latin-1")) for name, value in pairs]
    assert dict(read) == dict(written)
    for name, _ in pairs:
        assert read.getlist(name) == [value for each, value in pairs if each.lower() == name.lower()]


@given(st.text(st.characters(max_codepoint=255)))
def test_a_value_is_sent_as_it_is_or_not_at_all(value: str) -> None:
    try:
        sent = MutableHeaders({"a": value}).raw()[0][1]
    except InvalidMessage:
        assert any((each < " " and each != "\t") or each == "\x7f" for each in value)
    else:
        assert not any(each in sent for each in b"\r\n\0")
        assert sent == value.strip(" \t").encode("latin-1")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", ("", {})),
        ("application/json", ("application/json", {})),
        (' Text/HTML ; Charset = "UTF-8" ', ("text/html", {"charset": "UTF-8"})),
        ("a/b;charset=utf-8;charset=latin-1", ("a/b", {"charset": "utf-8"})),
        ("a/b; c; d=e; f=", ("a/b", {"d": "e"})),
        ('a/b; c="d;e=f"; g=h', ("a/b", {"c": "d;e=f", "g": "h"})),
        (r'form-data; filename="C:\dir\a.txt"; name="b"', ("form-data", {"filename": r"C:\dir\a.txt", "name": "b"})),
        (r'form-data; name="a\"b\\"; x=y', ("form-data", {"name": 'a"b\\', "x": "y"})),
        ('a; b="c', ("a", {"b": "c"})),
        ('a; b=""', ("a", {"b": ""})),
        (";=;=;", ("", {})),
    ],
)
def test_media_types(value: str, expected: tuple[str, dict[str, str]]) -> None:
    assert media_type(value) == expected


quotable = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="\\"))


@given(st.dictionaries(names.map(str.lower), quotable))
def test_media_types_are_read_as_python_multipart_reads_them(parameters: dict[str, str]) -> None:
    shown = {name: value.replace('"', '\\"') for name, value in parameters.items()}
    header = "; ".join(["a/b", *(f'{name}="{value}"' for name, value in shown.items())])
    kind, options = parse_options_header(header)
    assert media_type(header)[0] == kind.decode() == "a/b"
    assert list(media_type(header)[1].items()) == list(parameters.items())[:20]
    assert {name.decode(): value.decode() for name, value in options.items()} == parameters


@given(st.text(st.characters(max_codepoint=255)))
def test_any_media_type_can_be_read(value: str) -> None:
    media_type(value)


def test_a_media_type_of_many_parameters_costs_little() -> None:
    assert len(media_type("a/b;" + ";".join(f"p{each}=" + '"\\"' for each in range(10_000)))[1]) <= 20
