"""Requests in short."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.errors import DecodingError
from lambent.events.compact import compact, is_compact
from lambent.testing import events


def said(**fields: Any) -> dict[str, Any]:
    return {"method": "POST", "path": "/jobs"} | fields


def test_method_and_path_are_enough() -> None:
    request = compact({"method": "get", "path": "/"})
    assert (request.method, request.path, request.raw_path, request.query_string) == ("GET", "/", b"/", b"")
    assert (request.scheme, request.root_path, request.headers, request.body) == ("https", "", [], b"")
    assert request.client is request.server is None


@pytest.mark.parametrize(
    ("path", "decoded", "raw"),
    [
        ("/a b", "/a b", b"/a%20b"),
        ("/a%20b", "/a b", b"/a%20b"),
        ("/ä", "/ä", b"/%C3%A4"),
        ("/a//b/", "/a//b/", b"/a//b/"),
        ("//host/a", "//host/a", b"//host/a"),
    ],
)
def test_a_path_is_encoded_where_that_is_needed(path: str, decoded: str, raw: bytes) -> None:
    request = compact(said(path=path))
    assert (request.path, request.raw_path) == (decoded, raw)


@pytest.mark.parametrize(
    ("fields", "query"),
    [
        ({"query": "a=1&b=%20"}, b"a=1&b=%20"),
        ({"query": "a=ä"}, b"a=%C3%A4"),
        ({"query": "?a=1"}, b"?a=1"),
        ({"path": "/jobs?a=1"}, b"a=1"),
        ({"query": {"a": 1, "b": True, "c": "x y", "d": 1.5}}, b"a=1&b=true&c=x+y&d=1.5"),
        ({"query": {"a": ["1", 2]}}, b"a=1&a=2"),
        ({"query": {}}, b""),
        ({"query": None}, b""),
    ],
)
def test_a_query_is_text_or_an_object(fields: Any, query: bytes) -> None:
    assert compact(said(**fields)).query_string == query


def test_headers_have_their_values_one_after_the_other() -> None:
    request = compact(said(headers={"X-A": ["1", "2"], "Host": "example.com:8080", "x-b": "é"}))
    assert request.headers == [(b"x-a", b"1"), (b"x-a", b"2"), (b"host", b"example.com:8080"), (b"x-b", b"\xe9")]
    assert request.server == ("example.com", 8080)


@pytest.mark.parametrize(
    ("fields", "body", "types"),
    [
        ({"body": "héllo"}, "héllo".encode(), []),
        ({"body": {"id": 1}}, b'{"id": 1}', [b"application/json"]),
        ({"body": [1]}, b"[1]", [b"application/json"]),
        ({"body": 0}, b"0", [b"application/json"]),
        ({"body": False}, b"false", [b"application/json"]),
        ({"body": {}, "headers": {"Content-Type": "application/x+json"}}, b"{}", [b"application/x+json"]),
        ({"body": "/w==", "isBase64Encoded": True}, b"\xff", []),
        ({"body": None}, b"", []),
        ({"body": ""}, b"", []),
    ],
)
def test_a_body_is_text_or_json(fields: Any, body: bytes, types: list[bytes]) -> None:
    request = compact(said(**fields))
    assert request.body == body
    assert [value for name, value in request.headers if name == b"content-type"] == types


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"querry": "a"}, "but it has 'querry'"),
        ({"method": "GET IT"}, "`method`"),
        ({"method": ""}, "`method`"),
        ({"method": 7}, "`method`"),
        ({"path": "jobs"}, "`path`"),
        ({"path": "/a#b"}, "`path`"),
        ({"path": None}, "`path`"),
        ({"path": "/\ud800"}, "UTF-8"),
        ({"path": "/a?b=1", "query": "c=2"}, "both have one"),
        ({"query": [1]}, "`query` to be text or an object, but got a list"),
        ({"query": {"a": None}}, "in `query` text, numbers or booleans, but got a NoneType"),
        ({"query": {"a": "\ud800"}}, "UTF-8"),
        ({"headers": []}, "`headers` to be an object"),
        ({"headers": {"a b": "x"}}, "'a b' is none"),
        ({"headers": {"": "x"}}, "'' is none"),
        ({"headers": {"a": 1}}, "text of one line"),
        ({"headers": {"a": "pa55\r\nx: y"}}, "text of one line"),
        ({"body": "pa55!", "isBase64Encoded": True}, "base64"),
        ({"body": {}, "isBase64Encoded": True}, "base64"),
        ({"body": "\ud800"}, "UTF-8"),
    ],
)
def test_what_is_wrong_is_named_without_values(fields: Any, message: str) -> None:
    with pytest.raises(DecodingError, match=message) as caught:
        compact(said(**fields))
    assert "pa55" not in str(caught.value)


@given(
    st.dictionaries(
        st.sampled_from(["method", "path", "query", "headers", "body", "isBase64Encoded", "x"]),
        st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.lists(st.text(max_size=3), max_size=3)
        | st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.integers() | st.none(), max_size=3),
    )
)  # fmt: skip
def test_anything_is_a_request_or_an_error_that_says_why(content: dict[str, Any]) -> None:
    if not is_compact(content):
        return
    try:
        request = compact(content)
    except DecodingError:
        return
    assert request.path.startswith("/")
    assert b"\n" not in request.raw_path + request.query_string + b"".join(n + v for n, v in request.headers)


@given(
    st.sampled_from(["GET", "POST", "PATCH"]),
    st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#"), max_size=20),
    st.binary(max_size=20) | st.text(max_size=20) | st.dictionaries(st.text(), st.integers()),
)
def test_what_the_builder_builds_is_read(method: str, rest: str, body: Any) -> None:
    request = compact(events.message_request(method, f"/{rest.lstrip('/')}", headers={"X-A": "b"}, body=body))
    path, _, query = f"/{rest.lstrip('/')}".partition("?")
    assert (request.method, request.path) == (method, unquote(path))
    assert unquote(request.query_string.decode()) == unquote(query)
    if isinstance(body, bytes | str):
        assert request.body == (body if isinstance(body, bytes) else body.encode())
    assert (b"x-a", b"b") in request.headers


def test_the_builder_refuses_what_is_no_request() -> None:
    for arguments in (("GET IT", "/"), ("GET", "https://example.com/"), ("GET", "x")):
        with pytest.raises(ValueError, match="expected"):
            events.message_request(*arguments)
