"""gzip, read again by Python's own, piece by piece, and through a front door."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.middleware.gzip import GZipMiddleware as Starlette

from lambent.api.middleware.gzip import GZipMiddleware, accepts_gzip
from lambent.errors import ConfigurationError
from lambent.testing import Client
from lambent.types import ASGIApp, Message, Receive, Scope, Send

LONG = json.dumps([{"name": f"item {number}", "price": number} for number in range(100)]).encode()
JSON = {"content-type": "application/json"}
GZIP = "gzip, deflate, br, zstd"


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    pieces: list[bytes]

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    @property
    def is_packed(self) -> bool:
        return self.headers.get("content-encoding") == "gzip"


def answering(
    *pieces: bytes, status: int = 200, headers: Mapping[str, str] | None = None, sized: bool = True
) -> ASGIApp:
    fields = {**JSON, **(headers or {})}
    if sized:
        fields["content-length"] = str(sum(map(len, pieces)))
    raw = [(name.encode(), value.encode()) for name, value in fields.items() if value]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": raw})
        for number, piece in enumerate(pieces, 1):
            more = {"more_body": True} if number < len(pieces) else {}
            body = b"" if scope["method"] == "HEAD" else piece
            await send({"type": "http.response.body", "body": body, **more})

    return app


def sent_by(
    app: ASGIApp, accepted: str | None = GZIP, method: str = "GET", more: Mapping[str, str] | None = None
) -> list[Message]:
    sent: list[Message] = []

    async def run() -> None:
        async def send(message: Message) -> None:
            sent.append(message)

        headers = [(name.encode(), value.encode()) for name, value in (more or {}).items()]
        headers += [] if accepted is None else [(b"accept-encoding", accepted.encode("latin-1"))]
        await app({"type": "http", "method": method, "path": "/", "headers": headers}, cast("Any", None), send)

    asyncio.run(run())
    return sent


def ask(
    app: ASGIApp, accepted: str | None = GZIP, method: str = "GET", headers: Mapping[str, str] | None = None
) -> Reply:
    start, *bodies = sent_by(app, accepted, method, headers)
    assert [each.get("more_body", False) for each in bodies] == [True] * (len(bodies) - 1) + [False]
    names = [name for name, _ in start["headers"]]
    assert len(names) == len(set(names)), names
    fields = {name.decode(): value.decode() for name, value in start["headers"]}
    return Reply(start["status"], fields, [each["body"] for each in bodies])


def test_a_body_is_compressed() -> None:
    reply = ask(GZipMiddleware(answering(LONG)))

    assert gzip.decompress(reply.body) == LONG
    assert reply.headers == {
        "content-type": "application/json",
        "content-encoding": "gzip",
        "content-length": str(len(reply.body)),
        "vary": "Accept-Encoding",
    }
    assert len(reply.body) < len(LONG) / 3


def test_the_same_bytes_come_again() -> None:
    """Nothing of the time is in them: caches and tags may compare."""
    assert ask(GZipMiddleware(answering(LONG))) == ask(GZipMiddleware(answering(LONG)))


@pytest.mark.parametrize("accepted", [None, "", "br", "gzip;q=0", "identity, gzip;q=0.5"])
def test_who_does_not_take_it_gets_the_body_as_it_is(accepted: str | None) -> None:
    reply = ask(GZipMiddleware(answering(LONG)), accepted)
    assert reply.body == LONG
    assert reply.headers == {**JSON, "content-length": str(len(LONG)), "vary": "Accept-Encoding"}


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("gzip", True),
        ("GZip", True),
        ("x-gzip", True),
        ("deflate, gzip;q=1.0, *;q=0.5", True),
        ("br;q=1.0, gzip;q=0.8", True),
        ("*", True),
        ("*;q=0.1", True),
        ("gzip ; q=0.001", True),
        ("gzip;q=1.000, identity;q=1", True),
        ("identity;q=0, gzip", True),
        ("gzip;q=0", False),
        ("gzip;q=0.000", False),
        ("gzip;q=0, *", False),
        ("*;q=0", False),
        ("identity", False),
        ("gzip;q=0.5, identity", False),
        ("gzipped", False),
        ("notgzip, br", False),
        ("gzip;q=", False),
        ("gzip;q=nan", False),
        ("gzip;q=-1", False),
        ("gzip;q=1e9", False),
        ("", False),
    ],
)
def test_weights(field: str, expected: bool) -> None:
    assert accepts_gzip(field.encode()) is expected


@given(
    st.binary(max_size=60)
    | st.lists(st.sampled_from([b"gzip", b"*", b";", b"q=", b".", b"0", b",", b" "])).map(b"".join)
)
def test_any_field_is_read(field: bytes) -> None:
    assert accepts_gzip(field) in {True, False}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-encoding": "br"}, 200),
        ({"content-encoding": "gzip"}, 200),
        ({"content-range": "bytes 0-9/100"}, 200),
        ({}, 204),
        ({"content-type": "image/png"}, 206),
        ({"cache-control": "private, No-Transform"}, 200),
        ({"content-digest": "sha-256=:x:"}, 200),
        ({"content-type": "image/png"}, 200),
        ({"content-type": "application/zip"}, 200),
        ({"content-type": "video/mp4"}, 200),
        ({"content-type": "application/octet-stream"}, 200),
        ({"content-type": "text/event-stream; charset=utf-8"}, 200),
        ({"content-type": ""}, 200),
    ],
)
def test_what_is_left_alone(headers: dict[str, str], status: int) -> None:
    app = answering(LONG, status=status, headers=headers)
    assert sent_by(GZipMiddleware(app)) == sent_by(app)


@pytest.mark.parametrize(
    "media_type",
    ["text/html; charset=utf-8", "TEXT/PLAIN", "application/problem+json", "image/svg+xml", "application/jsonl"],
)
def test_what_becomes_smaller(media_type: str) -> None:
    assert ask(GZipMiddleware(answering(LONG, headers={"content-type": media_type}))).is_packed


@pytest.mark.parametrize(("size", "packed"), [(0, False), (499, False), (500, True)])
@pytest.mark.parametrize("sized", [True, False])
def test_what_is_small_is_left_alone(size: int, packed: bool, sized: bool) -> None:
    app = answering(b"x" * size, sized=sized)
    assert ask(GZipMiddleware(app)).is_packed is packed
    if not packed:
        assert sent_by(GZipMiddleware(app)) == sent_by(app)


def test_what_does_not_become_smaller_leaves_as_it_is() -> None:
    noise = zlib.compress(b"".join(b"%x" % (number**9) for number in range(2000)), 9)
    reply = ask(GZipMiddleware(answering(noise, headers={"content-type": "text/plain"})))
    assert (reply.body, reply.headers["vary"]) == (noise, "Accept-Encoding")
    assert reply.headers["content-length"] == str(len(noise))


def test_head_has_the_fields_of_the_plain_body() -> None:
    reply = ask(GZipMiddleware(answering(LONG)), method="HEAD")
    assert (reply.body, reply.headers) == (
        b"",
        {**JSON, "content-length": str(len(LONG)), "vary": "Accept-Encoding"},
    )


@pytest.mark.parametrize(("tag", "weak"), [('"a"', 'W/"a"'), ('W/"a"', 'W/"a"')])
def test_a_tag_becomes_weak(tag: str, weak: str) -> None:
    app = GZipMiddleware(answering(LONG, headers={"etag": tag, "accept-ranges": "bytes"}))
    packed, plain = ask(app), ask(app, "identity")
    assert (packed.headers["etag"], plain.headers["etag"]) == (weak, tag)
    assert "accept-ranges" not in packed.headers
    assert plain.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize("status", [206, 304])
def test_a_part_and_what_has_not_changed_vary_as_the_whole_does(status: int) -> None:
    app = GZipMiddleware(answering(b"", status=status, headers={"etag": '"a"', "vary": "Origin"}))
    for accepted in (GZIP, None):
        headers = ask(app, accepted).headers
        assert (headers["vary"], headers["etag"]) == ("Origin, Accept-Encoding", '"a"')


@pytest.mark.parametrize(
    ("known", "tag"), [('"a"', '"a"'), ('W/"a"', 'W/"a"'), ('"b", W/"a"', 'W/"a"'), ("*", '"a"'), ('W/"b"', '"a"')]
)
def test_what_has_not_changed_has_the_tag_that_the_client_has(known: str, tag: str) -> None:
    app = GZipMiddleware(answering(b"", status=304, headers={"etag": '"a"'}))
    assert ask(app, headers={"if-none-match": known}).headers["etag"] == tag


def test_vary_is_joined() -> None:
    app = GZipMiddleware(answering(LONG, headers={"vary": "Origin"}))
    assert ask(app).headers["vary"] == ask(app, "br").headers["vary"] == "Origin, Accept-Encoding"


# Streams


def unpacked(pieces: Iterable[bytes]) -> list[bytes]:
    """What a client has after each piece."""
    reader = zlib.decompressobj(31)
    return [reader.decompress(piece) for piece in pieces]


@given(st.lists(st.binary(max_size=50), min_size=2, max_size=6), st.integers(1, 9))
def test_each_piece_leaves_at_once(pieces: list[bytes], level: int) -> None:
    reply = ask(GZipMiddleware(answering(*pieces, sized=False), compresslevel=level))
    assert reply.is_packed
    assert "content-length" not in reply.headers
    assert unpacked(reply.pieces) == pieces
    assert gzip.decompress(reply.body) == b"".join(pieces)


def test_the_head_leaves_with_the_first_piece_though_it_is_empty() -> None:
    reply = ask(GZipMiddleware(answering(b"", b"a", b"", sized=False)))
    assert reply.pieces[0] == b""
    assert unpacked(reply.pieces) == [b"", b"a", b""]


def test_a_stream_that_is_known_to_be_small_is_left_alone() -> None:
    app = answering(b"a", b"b")
    assert sent_by(GZipMiddleware(app)) == sent_by(app)


def test_a_stream_for_who_does_not_take_it() -> None:
    reply = ask(GZipMiddleware(answering(b"a", b"b", sized=False)), None)
    assert (reply.pieces, reply.headers) == ([b"a", b"b"], {**JSON, "vary": "Accept-Encoding"})


@pytest.mark.parametrize("types", [["text/event-stream"], ["text/*", "text/event-stream"]])
def test_events_are_compressed_where_asked_for(types: Sequence[str]) -> None:
    app = answering(b"data: 1\n\n", b"data: 2\n\n", b"", headers={"content-type": "text/event-stream"}, sized=False)
    assert unpacked(ask(GZipMiddleware(app, types=types)).pieces) == [b"data: 1\n\n", b"data: 2\n\n", b""]
    assert not ask(GZipMiddleware(app, types=["text/*"])).is_packed


def test_other_messages_let_the_head_go() -> None:
    messages: list[Message] = [
        {"type": "http.response.debug", "info": {}},
        {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]},
        {"type": "http.response.pathsend", "path": "/file"},
    ]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    assert sent_by(GZipMiddleware(app)) == messages


def test_what_the_application_raises_comes_out_and_no_head_before_it() -> None:
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        raise KeyError("a")

    async def run() -> None:
        async def send(message: Message) -> None:
            sent.append(message)

        await GZipMiddleware(app)({"type": "http", "method": "GET", "headers": []}, cast("Any", None), send)

    with pytest.raises(KeyError):
        asyncio.run(run())
    assert sent == []


# Others


@pytest.mark.parametrize("size", [0, 499, 500, 5000])
def test_a_client_reads_the_same_as_through_starlettes(size: int) -> None:
    app = answering(LONG[:size] + b" " * (size - len(LONG[:size])))
    ours, theirs = ask(GZipMiddleware(app)), ask(cast("ASGIApp", Starlette(cast("Any", app))))
    assert ours.is_packed is theirs.is_packed
    assert _read(ours) == _read(theirs)


def _read(reply: Reply) -> bytes:
    return gzip.decompress(reply.body) if reply.is_packed else reply.body


@pytest.mark.parametrize("door", ["http", "url", "rest", "alb"])
def test_it_comes_through_a_front_door(door: str) -> None:
    response = Client(GZipMiddleware(answering(LONG)), door=door).get("/", headers={"accept-encoding": "gzip"})
    assert response.headers["content-encoding"] == "gzip"
    assert gzip.decompress(response.body) == LONG


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"compresslevel": 0}, "compresslevel: expected 1 to 9, but got 0"),
        ({"compresslevel": 10}, "compresslevel: expected 1 to 9"),
        ({"minimum_size": -1}, "minimum_size: expected a number of bytes"),
        ({"types": "text/html"}, r"write \['text/html'\]"),
        ({"types": ["html"]}, "types: expected 'text/html'"),
        ({"types": ["text/"]}, "types: expected 'text/html'"),
    ],
)
def test_what_cannot_work_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        GZipMiddleware(answering(), **options)


@pytest.mark.parametrize("kind", ["websocket", "lifespan"])
def test_what_is_not_http_passes(kind: str) -> None:
    seen: list[object] = []

    async def app(*given: object) -> None:
        seen.extend(given)

    given = [{"type": kind}, object(), object()]
    asyncio.run(cast("Any", GZipMiddleware(cast("ASGIApp", app)))(*given))
    assert seen == given
