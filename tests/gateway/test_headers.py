"""Header fields to bytes, and the `Host` field to a server."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambent.errors import MalformedEvent
from lambent.gateway import headers

ANY_TEXT = st.text(st.characters(codec=None), max_size=12)  # lone surrogates too: JSON can carry them


@settings(max_examples=40)
@given(st.dictionaries(ANY_TEXT | st.sampled_from(["Host", "X-Forwarded-For"]), ANY_TEXT))
def test_any_strings_become_pairs_of_bytes_with_names_in_lower_case(fields: Mapping[str, str]) -> None:
    encoded = headers.encode(fields)
    assert len(encoded) == len(fields)
    for name, value in encoded:
        assert isinstance(name, bytes)
        assert isinstance(value, bytes)
        assert name == name.lower()


@settings(max_examples=40)
@given(st.dictionaries(st.text("abcABC-", min_size=1), st.text(st.characters(max_codepoint=255))))
def test_latin_1_values_come_back_as_they_were(fields: Mapping[str, str]) -> None:
    decoded = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers.encode(fields)]
    assert decoded == [(name.lower(), value) for name, value in fields.items()]


def test_fields_keep_their_order() -> None:
    fields = {"x-b": "1", "Host": "2", "x-a": "3"}
    assert headers.encode(fields) == [(b"x-b", b"1"), (b"host", b"2"), (b"x-a", b"3")]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("café", b"caf\xe9"),
        ("caf\u00c3\u00a9", b"caf\xc3\xa9"),  # UTF-8 that a door has read as latin-1
        ("日本", "日本".encode()),
        ("\ud800", b"?"),
        ("", b""),
    ],
)
def test_a_value_that_is_not_ascii_becomes_bytes(value: str, expected: bytes) -> None:
    assert headers.encode({"x-name": value}) == [(b"x-name", expected)]


def test_one_value_beyond_latin_1_leaves_the_others_latin_1() -> None:
    assert headers.encode({"a": "é", "b": "日"}) == [(b"a", b"\xe9"), (b"b", "日".encode())]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"host": "h", "x-secret": None}, "a NoneType under 'x-secret'"),
        ({"x-secret": 7}, "a int under 'x-secret'"),
        ({"x-secret": ["v"]}, "a list under 'x-secret'"),
        ({"日本": "日本", "x-secret": 7}, "a int under 'x-secret'"),
        (["host"], "a JSON list"),
        ("host", "a JSON str"),
        (7, "a JSON int"),
    ],
)
def test_a_map_of_anything_else_is_refused_by_name(fields: Any, told: str) -> None:
    with pytest.raises(MalformedEvent) as caught:
        headers.encode(fields)
    assert str(caught.value) == f"Expected `headers` to map strings to strings, but got {told}."


@pytest.mark.parametrize(
    ("host", "port", "scheme", "expected"),
    [
        ("example.com", "", "https", ("example.com", 443)),
        ("example.com", "", "http", ("example.com", 80)),
        ("example.com", "8443", "https", ("example.com", 8443)),
        ("example.com:8000", "443", "https", ("example.com", 8000)),
        ("example.com", "443, 443", "https", ("example.com", 443)),
        ("example.com", "8443,443", "http", ("example.com", 80)),
        ("a:443, 443", "", "https", ("a", 443)),
        ("h:abc", "", "https", ("h", 443)),
        ("h:", "", "http", ("h", 80)),
        ("h:123456", "", "http", ("h", 80)),
        ("h:٣", "", "http", ("h", 80)),  # decimal, but not ASCII
        ("h:-1", "8080", "http", ("h", 8080)),
        ("[::1]", "", "http", ("::1", 80)),
        ("[::1]:8000", "443", "http", ("::1", 8000)),
        ("[::1]:abc", "443", "http", ("::1", 443)),
        ("127.0.0.1:3000", "", "http", ("127.0.0.1", 3000)),
        ("example.com", "", "ws", ("example.com", 80)),
        ("example.com", "", "wss", ("example.com", 443)),
        ("example.com", "", "gopher", ("example.com", 80)),
        ("", "", "https", None),
        ("", "443", "https", None),
        (":8000", "", "http", None),
        (":", "", "http", None),
        (":abc", "", "http", None),
        ("[]:8000", "", "http", None),
    ],
)
def test_a_server_is_read_from_any_host(host: str, port: str, scheme: str, expected: tuple[str, int] | None) -> None:
    assert headers.server(host, port, scheme) == expected


@given(ANY_TEXT | st.text(":[]0123456789a,"), st.text("0123456789, x"), st.sampled_from(["http", "https", ""]))
def test_any_host_gives_a_server_or_none(host: str, port: str, scheme: str) -> None:
    server = headers.server(host, port, scheme)
    if server is not None:
        assert server[0]
        assert 0 <= server[1] <= 99999
