"""Requests as tests write them."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.errors import ConfigurationError
from lambent.testing.requests import Options, Verbs, written

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)


@given(pairs=st.lists(st.tuples(TEXT, TEXT), max_size=5))
def test_a_query_arrives_as_it_was_given(pairs: list[tuple[str, str]]) -> None:
    request = written("GET", "/a?b=1", {"params": pairs}).request
    assert parse_qsl(request.query_string.decode("ascii"), keep_blank_values=True) == [("b", "1"), *pairs]


@given(value=st.recursive(TEXT | st.integers() | st.none(), lambda each: st.lists(each) | st.dictionaries(TEXT, each)))
def test_json_arrives_as_it_was_given(value: object) -> None:
    request = written("POST", "/", {"json": value}).request
    assert json.loads(request.body) == value
    assert dict(request.headers)[b"content-type"] == b"application/json"


@given(fields=st.dictionaries(TEXT, TEXT, min_size=1))
def test_a_form_arrives_as_it_was_given(fields: dict[str, str]) -> None:
    request = written("POST", "/", {"data": fields}).request
    assert request.body == urlencode(fields).encode()
    assert dict(request.headers)[b"content-type"] == b"application/x-www-form-urlencoded"


def test_what_is_said_stands_in_place_of_what_is_usual() -> None:
    options: Options = {
        "headers": {"User-Agent": "mine", "Content-Type": "text/csv"},
        "data": "a,b",
        "cookies": {"s": "1"},
    }
    order = written("put", "https://shop.example/a#b", options)
    headers = dict(order.request.headers)
    assert len(headers) == len(order.request.headers)
    assert (headers[b"user-agent"], headers[b"content-type"], headers[b"cookie"]) == (b"mine", b"text/csv", b"s=1")
    assert (headers[b"host"], order.is_located, order.request.method) == (b"shop.example", True, "PUT")
    assert (order.request.raw_path, order.request.body) == (b"/a", b"a,b")


@pytest.mark.parametrize(
    ("url", "params", "query"),
    [
        ("/a", {"b": [1, 2]}, b"b=1&b=2"),
        ("/a?c=3", "b=1", b"c=3&b=1"),
        ("/a#there", {"b": 1}, b"b=1"),
        ("/a", {}, b""),
        ("/a", [("b", "x y"), ("b", "ü")], b"b=x+y&b=%C3%BC"),
    ],
)
def test_a_query_is_added(url: str, params: dict[str, object] | str, query: bytes) -> None:
    assert written("GET", url, {"params": params}).request.query_string == query


@pytest.mark.parametrize(
    ("method", "url", "options", "complaint"),
    [
        ("GET", "items", {}, "GET items: expected a path, such as /items"),
        ("G T", "/", {}, "G T /: expected a method, such as GET"),
        ("GET", "/", {"headers": {"a b": "c"}}, "GET /: expected a header"),
        ("GET", "/", {"headers": {"a": "c\nd"}}, "GET /: expected a header"),
        ("POST", "/", {"json": 1, "data": "x"}, "Expected a body as `json`, or as `data` and `files`, but got both"),
        ("POST", "/", {"json": 1, "files": {}}, "Expected a body as `json`, or as `data` and `files`, but got both"),
        ("POST", "/", {"files": {}, "data": "x"}, "Expected the fields of a form as `data` beside `files`"),
        ("POST", "/", {"body": "x"}, "POST /: expected options of params, .*, but got body"),
    ],
)
def test_what_is_no_request_is_refused(method: str, url: str, options: Options, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{complaint}"):
        written(method, url, options)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"data": 5}, "Expected `data` to be bytes, text or the fields of a form, .*, but got 5"),
        ({"data": ["a", "b"]}, "Expected `data` to be bytes"),
        ({"headers": {"a": 1}}, r"Expected a header's name and value to be text, but got \('a', 1\)"),
        ({"headers": {"a": None}}, "Expected a header's name and value to be text"),
        ({"headers": {b"a": "b"}}, "Expected a header's name and value to be text"),
        ({"headers": ["a"]}, "Expected `headers` to be names and values, .*, but got \\['a'\\]"),
        ({"headers": "a: b"}, "Expected `headers` to be names and values"),
        ({"headers": 5}, "Expected `headers` to be names and values"),
    ],
)
def test_what_is_of_another_type_is_refused(options: Any, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{complaint}"):
        written("POST", "/", options)


@pytest.mark.parametrize(
    ("data", "body"),
    [(None, b""), (b"a\0", b"a\0"), (bytearray(b"a\0"), b"a\0"), (memoryview(b"a\0"), b"a\0"), ("ü", "ü".encode())],
)
def test_a_body_is_sent_as_it_is_and_none_is_none(data: Any, body: bytes) -> None:
    request = written("POST", "/", {"data": data}).request
    assert request.body == body
    assert b"content-type" not in dict(request.headers) or body


def test_json_beside_no_data_is_the_body() -> None:
    assert written("POST", "/", {"json": 1, "data": None, "files": None}).request.body == b"1"


def test_no_files_leave_the_fields_of_a_form() -> None:
    request = written("POST", "/", {"data": {"a": "b"}, "files": None}).request
    assert (request.body, dict(request.headers)[b"content-type"]) == (b"a=b", b"application/x-www-form-urlencoded")


def test_who_sends_nothing_is_no_client() -> None:
    with pytest.raises(TypeError, match=r"abstract method '?send"):
        Verbs()  # type: ignore[abstract]  # as who forgets to say how it is sent
