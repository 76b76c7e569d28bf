"""Paths below a root, and URLs of requests, whatever their `Host` says."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.api.url import is_authority, moved, route_path, url_of


def scope(**more: Any) -> dict[str, Any]:
    return {"type": "http", "scheme": "https", "path": "/", "query_string": b"", "server": ("10.0.0.1", 443)} | more


@pytest.mark.parametrize(
    ("path", "root_path", "expected"),
    [
        ("/items", "", "/items"),
        ("/prod/items", "/prod", "/items"),
        ("/prod/items", "/prod/", "/items"),
        ("/prod/", "/prod", "/"),
        ("/prod", "/prod", "/"),
        ("/production", "/prod", "/production"),
        ("/items", "/prod", "/items"),
        ("/prod/prod/items", "/prod", "/prod/items"),
        ("/prod//items", "/prod", "//items"),
        ("/a/b/c", "/a/b", "/c"),
        ("/items", "/", "/items"),
        ("", "", "/"),
    ],
)
def test_the_path_of_routes(path: str, root_path: str, expected: str) -> None:
    assert route_path({"path": path, "root_path": root_path}) == expected
    if not root_path:
        assert route_path({"path": path}) == expected


@pytest.mark.parametrize(
    ("more", "host", "expected"),
    [
        ({}, "example.com", "https://example.com/"),
        ({"path": "/a", "query_string": b"b=%20c&d"}, "example.com:8443", "https://example.com:8443/a?b=%20c&d"),
        ({"path": "/prod/a", "root_path": "/prod"}, "a", "https://a/prod/a"),
        ({"path": "/a", "root_path": "/prod"}, "a", "https://a/prod/a"),
        ({"path": "/prod", "root_path": "/prod"}, "a", "https://a/prod"),
        ({"path": "/ä b%?#\\"}, "a", "https://a/%C3%A4%20b%25%3F%23%5C"),
        ({"query_string": b"a=\xff b#c\r\n<%>&d"}, "a", "https://a/?a=%FF%20b%23c%0D%0A<%>&d"),
        ({"query_string": b"a='\"<>[]{}|^`\\"}, "a", "https://a/?a='\"<>[]{}|^`\\"),
        ({}, "[::1]:80", "https://[::1]:80/"),
        ({}, "", "https://10.0.0.1/"),
        ({"server": ("10.0.0.1", 80)}, "", "https://10.0.0.1:80/"),
        ({"server": ("::1", 443)}, "", "https://[::1]/"),
        ({"server": ("/run/socket", None)}, "", "/"),
        ({"server": None, "path": "//a.example/b", "query_string": b"c"}, "", "/%2Fa.example/b?c"),
        ({"server": None, "path": "/a"}, "b c", "/a"),
    ],
)
def test_urls(more: dict[str, Any], host: str, expected: str) -> None:
    url = url_of(scope(**more), host)
    assert url == expected


def test_defaults_are_those_of_asgi() -> None:
    assert url_of({"path": "/a"}, "b") == "http://b/a"


@pytest.mark.parametrize(
    ("root_path", "path", "query", "expected"),
    [
        ("", "/a/", b"", "/a/"),
        ("/prod", "/a", b"b=c", "/prod/a?b=c"),
        ("/prod/", "/ä\r\n", b"b\r\n", "/prod/%C3%A4%0D%0A?b%0D%0A"),
        ("", "//evil.example", b"", "/%2Fevil.example"),
        ("", "/\\evil.example", b"", "/%5Cevil.example"),
    ],
)
def test_where_a_path_is_leads_to_no_other_host(root_path: str, path: str, query: bytes, expected: str) -> None:
    assert moved(scope(root_path=root_path, query_string=query), path) == expected


@pytest.mark.parametrize("host", ["a", "a.b-c_d.example", "a:1", "127.0.0.1:8000", "[::1]", "[::ffff:1.2.3.4]:80"])
def test_hosts(host: str) -> None:
    assert is_authority(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        ":80",
        "a:",
        "a:b",
        "a:8²",
        "a:\u0661",
        "a/b",
        "a?b",
        "a#b",
        "a@b",
        "a\\b",
        "a b",
        "a\r\nb",
        "a,b",
        "a, b",
        "é",
        "[]",
        "[a.b]",
        "[::1",
        "::1",
        "[::1]a",
        "[::g]",
        "a:1:2",
    ],
)
def test_what_is_no_host_is_not_believed(host: str) -> None:
    assert not is_authority(host)
    assert url_of(scope(), host) == "https://10.0.0.1/"


@given(st.text(), st.binary(), st.text())
def test_a_url_has_the_parts_that_came(path: str, query: bytes, host: str) -> None:
    url = url_of(scope(path=f"/{path}", query_string=query), host)
    split = urlsplit(url)
    assert url.isascii()
    assert split.netloc == (host if is_authority(host) else "10.0.0.1")
    assert unquote(split.path) == f"/{path}"
    assert not split.fragment
