"""A request, as it is typed."""

import pytest

from lambent.dev.diff.request import HOST, content_type, read_header, read_request


def test_what_is_not_said_is_what_every_client_sends() -> None:
    request = read_request("post", "/a?b=c#d", {}, b"x")
    assert (request.method, request.raw_path, request.query_string, request.scheme) == ("POST", b"/a", b"b=c", "https")
    assert dict(request.headers) == {
        b"host": HOST.encode(),
        b"user-agent": b"curl/8.9.1",
        b"accept": b"*/*",
        b"content-type": b"text/plain; charset=utf-8",
        b"content-length": b"1",
    }


def test_what_is_said_stays() -> None:
    headers = [("Accept", "text/html"), ("X-A", "1"), ("X-A", "2"), ("Content-Type", "a/b"), ("Host", "b.test")]
    request = read_request("GET", "https://me@a.test:8443/", headers, b"x")
    assert [value for name, value in request.headers if name == b"x-a"] == [b"1", b"2"]
    assert dict(request.headers)[b"content-type"] == b"a/b"
    assert [value for name, value in request.headers if name == b"host"] == [b"b.test"]
    assert dict(read_request("GET", "https://me@a.test:8443/").headers)[b"host"] == b"a.test:8443"


@pytest.mark.parametrize(
    ("url", "path", "query"),
    [
        ("/", b"/", b""),
        ("https://a.test", b"/", b""),
        ("http://a.test?x", b"/", b"x"),
        ("//double/slash", b"//double/slash", b""),
        ("/a b/ü?q=ü b", b"/a%20b/%C3%BC", b"q=%C3%BC%20b"),
        ("/a%2Fb?a=%2B+&a", b"/a%2Fb", b"a=%2B+&a"),
        ("/?a?b", b"/", b"a?b"),
        ("/a://b", b"/a://b", b""),
    ],
)
def test_a_url_has_a_path_and_a_query(url: str, path: bytes, query: bytes) -> None:
    request = read_request("GET", url)
    assert (request.raw_path, request.query_string) == (path, query)


@pytest.mark.parametrize(
    ("method", "url", "headers", "complaint"),
    [
        ("/items", "GET", [], "expected a method, such as GET, but got '/items'"),
        ("GET", "items", [], "expected a path"),
        ("GET", "ftp://a.test/", [], "expected a path"),
        ("GET", "", [], "expected a path"),
        ("GET", "/a\nb", [], "expected a path"),
        ("GET", "http://[::1", [], "expected a path"),
        ("GET", "/", [("a b", "c")], "expected a header"),
        ("GET", "/", [("a", "b\r\nc: d")], "expected a header"),
        ("GET", "/", [("", "b")], "expected a header"),
    ],
)
def test_what_is_no_request_is_said(method: str, url: str, headers: list[tuple[str, str]], complaint: str) -> None:
    with pytest.raises(ValueError) as caught:
        read_request(method, url, headers)
    assert complaint in str(caught.value)


@pytest.mark.parametrize(("text", "header"), [("a: b", ("a", "b")), ("a:b:c", ("a", "b:c")), ("a:", ("a", ""))])
def test_a_header_is_typed_as_it_is_sent(text: str, header: tuple[str, str]) -> None:
    assert read_header(text) == header


@pytest.mark.parametrize("text", ["a", ": b", "a b: c"])
def test_what_is_no_header_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="NAME: VALUE"):
        read_header(text)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{}", b"application/json"),
        (b"[1]", b"application/json"),
        (b"7", b"text/plain; charset=utf-8"),
        (b"\xff", b"application/octet-stream"),
        (b"a\0", b"application/octet-stream"),
        (b"[" * 100_000, b"text/plain; charset=utf-8"),
    ],
)
def test_a_body_has_the_type_of_what_it_is(body: bytes, kind: bytes) -> None:
    assert content_type(body) == kind
