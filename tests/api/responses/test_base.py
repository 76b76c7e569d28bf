import asyncio
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.api.responses.base import (
    Draft,
    HTMLResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    content_type,
    location,
)
from lambent.api.responses.json import JSONResponse
from lambent.errors import InvalidMessage, InvalidResult


def sent(response: Response, method: str = "GET") -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)

    async def receive() -> Any:
        raise AssertionError

    asyncio.run(response({"type": "http", "method": method, "headers": []}, receive, send))
    start, *bodies = messages
    assert start["type"] == "http.response.start"
    assert [each.get("more_body", False) for each in bodies] == [True] * (len(bodies) - 1) + [False]
    return start["status"], start["headers"], b"".join(each["body"] for each in bodies)


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (Response(), (200, [(b"content-length", b"0")], b"")),
        (Response(b"\0"), (200, [(b"content-length", b"1")], b"\0")),
        (Response(bytearray(b"ab")), (200, [(b"content-length", b"2")], b"ab")),
        (Response("é"), (200, [(b"content-length", b"2")], "é".encode())),
        (
            PlainTextResponse("日本"),
            (200, [(b"content-length", b"6"), (b"content-type", b"text/plain; charset=utf-8")], "日本".encode()),
        ),
        (
            HTMLResponse("<p>", 201),
            (201, [(b"content-length", b"3"), (b"content-type", b"text/html; charset=utf-8")], b"<p>"),
        ),
        (
            JSONResponse({"é": 1}),
            (200, [(b"content-length", b"8"), (b"content-type", b"application/json")], '{"é":1}'.encode()),
        ),
        (
            Response(b"{}", media_type="application/problem+json", headers={"X-A": "1"}),
            (200, [(b"x-a", b"1"), (b"content-length", b"2"), (b"content-type", b"application/problem+json")], b"{}"),
        ),
    ],
)
def test_a_response_is_sent(response: Response, expected: object) -> None:
    assert sent(response) == expected


@pytest.mark.parametrize("status", [100, 103, 204, 304])
def test_a_status_without_a_body_has_none(status: int) -> None:
    headers = {"content-type": "text/plain", "Content-Length": "3", "etag": '"a"'}
    assert sent(PlainTextResponse("abc", status, headers)) == (status, [(b"etag", b'"a"')], b"")
    assert sent(Response(None, status)) == (status, [], b"")


def test_head_gets_the_headers_of_get() -> None:
    response = PlainTextResponse("abc", headers={"x-a": "1"})
    status, headers, body = sent(response, "HEAD")
    assert (status, headers) == sent(response)[:2]
    assert body == b""
    assert (b"content-length", b"3") in headers


def test_given_length_and_type_are_kept() -> None:
    response = JSONResponse({}, headers={"Content-Type": "application/ld+json", "Content-Length": "10"})
    assert sent(response, "HEAD")[1] == [(b"content-type", b"application/ld+json"), (b"content-length", b"10")]


def test_headers_may_be_repeated_and_changed() -> None:
    response = Response(headers=[("Link", "<a>"), ("link", "<b>")])
    response.headers["X-A"] = "1"
    assert sent(response)[1] == [(b"link", b"<a>"), (b"link", b"<b>"), (b"x-a", b"1"), (b"content-length", b"0")]


def test_raw_headers_are_a_list_of_ones_own() -> None:
    response = Response(headers={"x-a": "1"})
    response.raw_headers().clear()
    assert len(response.raw_headers()) == 2


@pytest.mark.parametrize("bad", ["a\r\nx: y", "a\nb", "a\0b"])
def test_nothing_is_injected(bad: str) -> None:
    with pytest.raises(InvalidMessage):
        Response(headers={"x-a": bad})
    with pytest.raises(InvalidMessage):
        Response(headers={bad: "a"})
    with pytest.raises(InvalidMessage):
        Response(media_type=bad).raw_headers()
    with pytest.raises(InvalidMessage):
        Response(media_type=f"text/{bad}").raw_headers()
    with pytest.raises(InvalidMessage):
        Response().set_cookie("a", "b", path=bad)
    assert not {"\r", "\n", "\0"} & set(RedirectResponse(bad).headers["location"])


def test_a_subclass_renders() -> None:
    class Shouting(Response):
        media_type = "text/plain"

        def render(self, content: Any) -> bytes:
            return str(content).upper().encode()

    assert sent(Shouting("abc"))[1:] == (
        [(b"content-length", b"3"), (b"content-type", b"text/plain; charset=utf-8")],
        b"ABC",
    )


@pytest.mark.parametrize("content", [{}, 1, object()])
def test_content_that_is_no_text_is_refused(content: object) -> None:
    with pytest.raises(InvalidResult, match="Use JSONResponse"):
        Response(content)


def test_a_charset_is_not_added_twice() -> None:
    assert content_type("text/plain; Charset=latin-1", "utf-8") == b"text/plain; Charset=latin-1"


def test_cookies_are_fields_of_their_own() -> None:
    response = Response()
    response.set_cookie("a", "1", max_age=5, httponly=True)
    response.set_cookie("b", "2", expires=datetime(2026, 1, 1, tzinfo=UTC), secure=True, samesite="none")
    response.delete_cookie("c")
    cookies = [value.decode().lower() for name, value in response.raw_headers() if name == b"set-cookie"]
    assert [each.partition(";")[0] for each in cookies] == ["a=1", "b=2", "c="]
    assert "max-age=5" in cookies[0]
    assert "httponly" in cookies[0]
    assert "samesite=none" in cookies[1]
    assert "max-age=0" in cookies[2]
    assert "expires=thu, 01 jan 1970 00:00:00 gmt" in cookies[2]


def test_a_status_may_be_an_enumeration() -> None:
    status = Response(status_code=HTTPStatus.CREATED).status_code
    assert (type(status), status) == (int, 201)


def test_the_background_is_called_after_it() -> None:
    seen = []

    async def background() -> None:
        seen.append("background")

    class Seen(Response):
        def raw_headers(self) -> list[tuple[bytes, bytes]]:
            seen.append("start")
            return []

    sent(Seen(background=background))
    assert seen == ["start", "background"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/a?b=c&d=%20#e", "/a?b=c&d=%20#e"),
        ("https://example.com/ä b", "https://example.com/%C3%A4%20b"),
        ("/a\r\nset-cookie: b=c", "/a%0D%0Aset-cookie:%20b=c"),
        ('/"<>\\^`{|}', "/%22%3C%3E%5C%5E%60%7B%7C%7D"),
        ("http://[::1]/", "http://[::1]/"),
    ],
)
def test_a_redirect_leads_there(url: str, expected: str) -> None:
    response = RedirectResponse(url)
    assert (response.status_code, response.headers["location"]) == (307, expected)


@given(st.text())
def test_a_location_is_printable_and_stays_what_it_is(url: str) -> None:
    told = location(url)
    assert told.isascii()
    assert not set(told) & set(" \r\n\0\t\x7f")
    assert location(told) == told


def test_a_draft_has_no_status_until_it_is_set() -> None:
    draft = Draft()
    assert draft.status_code is None
    draft.status_code = 201
    draft.headers["x-a"] = "1"
    assert draft.raw_headers() == [(b"x-a", b"1"), (b"content-length", b"0")]
