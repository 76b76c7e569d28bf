"""Responses as tests read them."""

import pytest

from lambent.testing.response import Headers, Response


def test_headers_are_found_in_any_case_and_each_by_itself() -> None:
    headers = Headers([(b"Set-Cookie", b"a=1; Path=/"), (b"set-cookie", b"b=2"), (b"X-Id", b"7")])
    assert headers["SET-COOKIE"] == "a=1; Path=/, b=2"
    assert headers.all("Set-Cookie") == ["a=1; Path=/", "b=2"]
    assert (headers.get("x-id"), headers.get("x-none"), headers.all("x-none")) == ("7", None, [])
    assert "x-ID" in headers
    assert (list(headers), len(headers)) == (["set-cookie", "x-id"], 2)
    assert repr(headers) == "Headers({'set-cookie': 'a=1; Path=/, b=2', 'x-id': '7'})"


def test_cookies_have_names_and_values() -> None:
    fields = [(b"set-cookie", b"a=1; Path=/; HttpOnly"), (b"set-cookie", b"b=x=y")]
    assert Response(200, fields, b"").cookies == {"a": "1", "b": "x=y"}


@pytest.mark.parametrize(
    ("kind", "body", "text"),
    [
        (b"text/plain", "ü".encode(), "ü"),
        (b"text/plain; charset=latin-1", b"\xfc", "ü"),
        (b'text/html; charset="utf-16-le"', "ü".encode("utf-16-le"), "ü"),
        (b"text/plain; charset=none-such", "ü".encode(), "ü"),
        (b"", b"\xff", "\ufffd"),
    ],
)
def test_text_is_read_in_its_charset(kind: bytes, body: bytes, text: str) -> None:
    assert Response(200, [(b"content-type", kind)], body).text == text


def test_json_is_read_and_what_is_none_is_shown() -> None:
    assert Response(200, [], b'{"a": 1}').json() == {"a": 1}
    with pytest.raises(ValueError, match="Expected a body that is JSON, but got b'<html>'"):
        Response(200, [], b"<html>").json()


def test_it_shows_itself() -> None:
    fields = [(b"content-type", b"text/plain")]
    assert repr(Response(404, fields, b"not here")) == "<Response 404 text/plain b'not here'>"
