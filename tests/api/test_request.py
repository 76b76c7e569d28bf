"""Requests: what Starlette says of the same ones, bodies in one piece and in many, and limits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request as StarletteRequest

from lambent.api.exceptions import HTTPException, RequestInvalid
from lambent.api.request import ClientDisconnect, Request
from lambent.api.uploads import UploadFile
from lambent.errors import ConfigurationError
from lambent.types import Message

T = TypeVar("T")

PATH = "abcXYZ019-._~!$&'()*+,;=:@/"

tokens = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=8)
field_values = st.text(st.characters(min_codepoint=33, max_codepoint=255, exclude_characters="\x7f"), max_size=10)
queries = st.lists(st.sampled_from([*"ab=&+", "%20", "%C3%A9", "%zz", "a=b&", "%26"])).map("".join).map(str.encode)
cookies = st.lists(st.sampled_from([*'ab=; "\\', "a=b; ", '="c"']), max_size=8).map("".join)
hosts = st.sampled_from(["example.com", "example.com:8080", "[::1]", "[::1]:80", "", "a b", "a/b", "a@b", "a\\b"])


def scope(**more: Any) -> dict[str, Any]:
    return {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": "/",
        "query_string": b"",
        "headers": [],
        "server": ("testserver", 80),
    } | more


class Messages:
    """What comes, one after the other; what is asked for beyond it is an error."""

    def __init__(self, *bodies: bytes, ends: bool = True) -> None:
        self.left: list[Message] = [{"type": "http.request", "body": body, "more_body": True} for body in bodies]
        if ends and bodies:
            self.left[-1]["more_body"] = False
        if not ends:
            self.left.append({"type": "http.disconnect"})

    async def __call__(self) -> Message:
        return self.left.pop(0)


def request(*bodies: bytes, ends: bool = True, max_body: int = 100, **more: Any) -> Request:
    return Request(scope(**more), Messages(*(bodies or (b"",)), ends=ends), {}, max_body)


def typed(content_type: str, *bodies: bytes, max_body: int = 1000) -> Request:
    return request(*bodies, headers=[(b"content-type", content_type.encode())], max_body=max_body)


def run(coroutine: Awaitable[T]) -> T:
    async def main() -> T:
        return await coroutine

    return asyncio.run(main())


async def listed(request: Request) -> list[bytes]:
    return [piece async for piece in request.stream()]


# Beside Starlette's


@given(
    path=st.text(PATH, max_size=10),
    root_path=st.sampled_from(["", "/prod", "/a/b"]),
    query=queries,
    host=hosts,
    cookie=cookies,
    fields=st.lists(st.tuples(tokens, field_values), max_size=5),
    server=st.sampled_from([("testserver", 80), ("10.0.0.1", 8000), ("::1", 443), None]),
    scheme=st.sampled_from(["http", "https"]),
)
def test_it_says_what_starlette_says(
    path: str,
    root_path: str,
    query: bytes,
    host: str,
    cookie: str,
    fields: list[tuple[str, str]],
    server: tuple[str, int] | None,
    scheme: str,
) -> None:
    """But for a field that came more than once: Starlette gives the first, we all of them."""
    fields = [each for each in fields if each[0] not in {"host", "cookie"}]
    raw = [(name.encode(), value.encode("latin-1")) for name, value in fields]
    raw += [(b"host", host.encode()), (b"cookie", cookie.encode())]
    both = scope(
        path=f"{root_path}/{path}",
        root_path=root_path,
        query_string=query,
        headers=raw,
        server=server,
        scheme=scheme,
        client=("1.2.3.4", 5),
    )
    theirs, ours = StarletteRequest(both), Request(both, Messages(b""), {})
    assert ours.url == str(theirs.url)
    assert ours.method == theirs.method
    assert ours.client == theirs.client
    assert list(ours.query.items()) == list(theirs.query_params.items())
    assert ours.cookies == theirs.cookies
    assert sorted(ours.headers) == sorted(set(theirs.headers))
    for name in ours.headers:
        assert ours.headers.getlist(name) == theirs.headers.getlist(name)
        assert ours.headers[name] == ", ".join(theirs.headers.getlist(name))
    for name in ours.query:
        assert ours.query.getlist(name) == theirs.query_params.getlist(name)


def test_differences_to_starlette() -> None:
    """Paths are percent-encoded again; a root that the server left out is there; bytes of a query need no UTF-8."""
    both = scope(path="/ä b", root_path="/prod", headers=[(b"host", b"a")])
    assert str(StarletteRequest(both).url) == "http://a/ä b"
    assert Request(both, Messages(b""), {}).url == f"http://a/prod{quote('/ä b')}"
    both = scope(query_string=b"a=\xff")
    with pytest.raises(UnicodeDecodeError):
        _ = StarletteRequest(both).url
    assert Request(both, Messages(b""), {}).url == "http://testserver/?a=%FF"
    assert Request(both, Messages(b""), {}).query == {"a": "\ufffd"}


@given(st.dictionaries(tokens, st.text(st.characters(exclude_categories=["Cs"])), min_size=1), st.booleans())
def test_forms_are_what_starlette_says(texts: dict[str, str], multipart: bool) -> None:
    sent = httpx.Request("POST", "http://a", data=texts, files={"file": ("a.txt", b"x")} if multipart else None)
    body = sent.read()
    both = scope(headers=[(b"content-type", sent.headers["content-type"].encode())])

    async def theirs() -> dict[str, object]:
        async with StarletteRequest(both, Messages(body)).form() as form:
            return {name: value if isinstance(value, str) else await value.read() for name, value in form.items()}

    async def ours() -> dict[str, object]:
        request = Request(both, Messages(body), {})
        form = await request.form()
        found: dict[str, object] = {
            name: value if isinstance(value, str) else await value.read() for name, value in form.items()
        }
        request.close()
        return found

    assert run(ours()) == run(theirs())


# What is not of the body


def test_what_is_known_of_a_request() -> None:
    event, context, state = {"a": 1}, object(), {"pool": 1}
    ours = request(
        method="POST",
        path="/prod/items/5",
        root_path="/prod",
        query_string=b"a=1&a=2",
        headers=[(b"cookie", b"a=b")],
        client=["1.2.3.4", 5],
        state=state,
    )
    ours.scope.update({"aws.event": event, "aws.context": context})
    assert (ours.method, ours.path, ours.query_string) == ("POST", "/items/5", b"a=1&a=2")
    assert ours.query.getlist("a") == ["1", "2"]
    assert ours.cookies == {"a": "b"}
    assert ours.client == ("1.2.3.4", 5)
    assert ours.event is event
    assert ours.context is context
    assert ours.headers is ours.headers
    assert ours.query is ours.query
    assert ours.cookies is ours.cookies
    assert repr(ours) == "Request(POST, id='')"


def test_what_is_not_known() -> None:
    bare = Request({"type": "http", "method": "GET", "path": "/", "headers": []}, Messages(b""), {"id": "5"})
    assert bare.client is None
    assert bare.event is None
    assert bare.context is None
    assert bare.cookies == {}
    assert bare.query == {}
    assert bare.query_string == b""
    assert bare.path_params == {"id": "5"}
    assert bare.url == "/"


def test_the_id_can_be_set() -> None:
    ours = request()
    ours.id = "abc"
    assert ours.id == "abc"


def test_state_is_that_of_the_scope() -> None:
    ours = request(state={"pool": 1})
    assert ours.state.pool == 1
    ours.state.user = "a"
    assert ours.scope["state"] == {"pool": 1, "user": "a"}
    del ours.state.pool
    assert not hasattr(ours.state, "pool")
    with pytest.raises(AttributeError, match="no 'pool'"):
        del ours.state.pool
    empty = request()
    empty.state.user = "b"
    assert empty.state.user == "b"


def test_more_parameters_than_there_may_be() -> None:
    with pytest.raises(HTTPException, match="at most 2 query") as raised:
        _ = Request(scope(query_string=b"a&b&c"), Messages(b""), {}, max_fields=2).query
    assert raised.value.status_code == 400


# Bodies


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=5))
def test_a_body_is_the_same_in_one_piece_and_in_many(bodies: list[bytes]) -> None:
    ours = request(*bodies)
    assert run(ours.body()) == b"".join(bodies)
    assert run(ours.body()) == b"".join(bodies)
    assert run(listed(ours)) == [b"".join(bodies)] * any(bodies)
    assert run(listed(request(*bodies))) == [each for each in bodies if each]


def test_messages_without_optional_keys() -> None:
    async def receive() -> Message:
        return {"type": "http.request"}

    assert run(Request(scope(), receive, {}).body()) == b""
    assert run(listed(Request(scope(), receive, {}))) == []


@pytest.mark.parametrize("read", [Request.body, listed, Request.json, Request.text])
@pytest.mark.parametrize("bodies", [[b"x" * 101], [b"x" * 100, b"x"], [b"x"] * 101])
def test_a_body_that_is_too_large(read: Callable[[Request], Coroutine[Any, Any, Any]], bodies: list[bytes]) -> None:
    with pytest.raises(HTTPException, match="at most 100 bytes") as raised:
        run(read(request(*bodies)))
    assert raised.value.status_code == 413


@pytest.mark.parametrize("length", [b"101", b"9" * 5000])
def test_a_body_that_says_to_be_too_large_is_not_read(length: bytes) -> None:
    for read in (Request.body, listed):
        ours = Request(scope(headers=[(b"content-length", length)]), Messages(), {}, 100)
        for _ in range(2):
            with pytest.raises(HTTPException) as raised:
                run(read(ours))
            assert raised.value.status_code == 413


@pytest.mark.parametrize("length", [b"100", b"", b"-1", b"\xb2", b"1, 1", b"abc", b"0"])
def test_what_a_body_says_otherwise_is_not_believed(length: bytes) -> None:
    ours = request(b"x" * 50, b"x" * 50, headers=[(b"content-length", length)])
    assert run(ours.body()) == b"x" * 100


def test_a_body_of_just_the_size() -> None:
    assert len(run(request(b"x" * 100).body())) == 100
    assert len(run(request(b"x" * 99, b"x").body())) == 100


def test_a_client_that_goes_away() -> None:
    with pytest.raises(ClientDisconnect, match="went away"):
        run(request(b"a", ends=False).body())

    async def gone() -> Message:
        return {"type": "http.disconnect"}

    with pytest.raises(ClientDisconnect):
        run(Request(scope(), gone, {}).body())

    found: list[bytes] = []

    async def streamed() -> None:
        async for piece in request(b"a", b"b", ends=False).stream():
            found.append(piece)  # noqa: PERF401 - what came before the error counts

    with pytest.raises(ClientDisconnect):
        run(streamed())
    assert found == [b"a", b"b"]


def test_what_was_streamed_is_gone() -> None:
    ours = request(b"a")
    assert run(listed(ours)) == [b"a"]
    with pytest.raises(ConfigurationError, match=r"Call `await request.body\(\)` before"):
        run(ours.body())
    with pytest.raises(ConfigurationError):
        ours.stream()


# JSON and text


def test_json_is_read_once() -> None:
    ours = request(b'{"a"', b": [1]}")
    value = run(ours.json())
    assert value == {"a": [1]}
    assert run(ours.json()) is value
    null = request(b"null")
    assert run(null.json()) is None
    assert run(null.json()) is None


def test_what_is_no_json() -> None:
    with pytest.raises(RequestInvalid, match="body: Expected JSON"):
        run(request(b"").json())


def test_text() -> None:
    assert run(request("é".encode()).text()) == "é"
    assert run(typed('Text/Plain; Charset="ISO-8859-1"', b"\xe9").text()) == "é"
    with pytest.raises(RequestInvalid, match="byte 1 is not"):
        run(typed("text/plain", b"a\xff").text())


@pytest.mark.parametrize("charset", ["idna", "unicode_escape", "hex", "nonsense", "utf-7"])
def test_text_of_a_charset_that_is_not_known(charset: str) -> None:
    with pytest.raises(HTTPException, match="UTF-8") as raised:
        run(typed(f"text/plain; charset={charset}", b"a").text())
    assert raised.value.status_code == 415


# Forms


FORM = b'--b\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\nx\r\n--b--\r\n'


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("application/x-www-form-urlencoded", b"f=x", {"f": "x"}),
        ("Application/X-WWW-Form-Urlencoded ; Charset=UTF-8", b"f=x", {"f": "x"}),
        ("application/x-www-form-urlencoded", b"", {}),
        ("", b"f=x", {}),
    ],
)
def test_urlencoded_forms(content_type: str, body: bytes, expected: dict[str, str]) -> None:
    ours = typed(content_type, body)
    form = run(ours.form())
    assert form == expected
    assert run(ours.form()) is form
    ours.close()


@pytest.mark.parametrize("content_type", ["multipart/form-data; boundary=b", 'MultiPart/Form-Data;BOUNDARY="b"'])
@pytest.mark.parametrize("first", [False, True])
def test_multipart_forms_are_closed_with_the_request(content_type: str, first: bool) -> None:
    ours = typed(content_type, FORM[:20], FORM[20:])
    if first:
        assert run(ours.body()) == FORM
    file = run(ours.form())["f"]
    assert isinstance(file, UploadFile)
    assert run(file.read()) == b"x"
    ours.close()
    assert file.file.closed


def test_a_request_without_a_form_can_be_closed() -> None:
    request().close()


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 415),
        ("multipart/mixed; boundary=b", 415),
        ("application/x-www-form-urlencoded; charset=utf-16", 415),
        ("multipart/form-data", 400),
        ("multipart/form-data; boundary=c", 400),
    ],
)
def test_what_is_no_form(content_type: str, status: int) -> None:
    with pytest.raises(HTTPException) as raised:
        run(typed(content_type, FORM).form())
    assert raised.value.status_code == status


@pytest.mark.parametrize("content_type", ["multipart/form-data; boundary=b", "application/x-www-form-urlencoded"])
def test_a_form_that_is_too_large(content_type: str) -> None:
    with pytest.raises(HTTPException, match="at most 50 bytes") as raised:
        run(typed(content_type, FORM[:40], FORM[40:], max_body=50).form())
    assert raised.value.status_code == 413


def test_limits_of_a_form() -> None:
    kind = "application/x-www-form-urlencoded"
    with pytest.raises(HTTPException, match="at most 1 form fields"):
        run(typed(kind, b"a&b").form(max_fields=1))
    with pytest.raises(HTTPException, match="at most 3 bytes"):
        run(typed(kind, b"a=1234").form(max_part_size=3))
    with pytest.raises(HTTPException, match="at most 0 files"):
        run(typed("multipart/form-data; boundary=b", FORM).form(max_files=0))
    both = scope(headers=[(b"content-type", kind.encode())])
    with pytest.raises(HTTPException, match="at most 2 form fields"):
        run(Request(both, Messages(b"a&b&c"), {}, max_fields=2).form())
