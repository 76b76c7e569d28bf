"""HTTP/1.1 as bytes: whatever the network makes of them, the reply is the same."""

from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambent.http1 import Reply, ReplyReader, Request, head

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


class Wire(NamedTuple):
    """Bytes, and the reply that they are."""

    data: bytes
    reply: Reply
    ends: bool = False
    """Whether the end of the connection is part of it."""


WIRES = {
    "length": Wire(
        OK + b"Content-Length: 5\r\nX-Name:  value \r\n\r\nhello",
        Reply(200, {"content-length": "5", "x-name": "value"}, b"hello", True),
    ),
    "no body": Wire(
        b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", Reply(202, {"content-length": "0"}, b"", True)
    ),
    "204 without a length": Wire(b"HTTP/1.1 204 No Content\r\n\r\n", Reply(204, {}, b"", True)),
    "no reason": Wire(b"HTTP/1.1 202\r\nContent-Length: 0\r\n\r\n", Reply(202, {"content-length": "0"}, b"", True)),
    "chunks": Wire(
        CHUNKED + b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", Reply(200, {"transfer-encoding": "chunked"}, b"hello", True)
    ),
    "no chunk": Wire(CHUNKED + b"0\r\n\r\n", Reply(200, {"transfer-encoding": "chunked"}, b"", True)),
    "chunks with extensions, capitals and zeros": Wire(
        CHUNKED + b'00A;name=value\r\n0123\r\n6789\r\n1 ; q="a"\r\n!\r\n000;last\r\n\r\n',
        Reply(200, {"transfer-encoding": "chunked"}, b"0123\r\n6789!", True),
    ),
    "chunks and trailers": Wire(
        CHUNKED + b"2\r\n\r\n\r\n0\r\nX-One: 1\r\nX-Two: 2\r\n\r\n",
        Reply(200, {"transfer-encoding": "chunked"}, b"\r\n", True),
    ),
    "chunks before a length": Wire(
        OK + b"Content-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        Reply(200, {"content-length": "99", "transfer-encoding": "chunked"}, b"a", True),
    ),
    "until the end": Wire(OK + b"\r\nhello", Reply(200, {}, b"hello", False), ends=True),
    "nothing until the end": Wire(OK + b"\r\n", Reply(200, {}, b"", False), ends=True),
    "closes": Wire(
        OK + b"Connection: Close\r\nContent-Length: 1\r\n\r\na",
        Reply(200, {"connection": "Close", "content-length": "1"}, b"a", False),
    ),
    "keeps": Wire(
        OK + b"Connection: keep-alive\r\nContent-Length: 1\r\n\r\na",
        Reply(200, {"connection": "keep-alive", "content-length": "1"}, b"a", True),
    ),
    "HTTP/1.0, which does not keep": Wire(
        b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", Reply(200, {"content-length": "1"}, b"a", False)
    ),
    "HTTP/1.0 that says it keeps": Wire(
        b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\na",
        Reply(200, {"connection": "Keep-Alive", "content-length": "1"}, b"a", True),
    ),
    "after interim replies": Wire(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nContent-Length: 7\r\n\r\n"
        + OK
        + b"Content-Length: 1\r\n\r\na",
        Reply(200, {"content-length": "1"}, b"a", True),
    ),
    "empty fields": Wire(
        OK + b"Lambda-Runtime-Client-Context:\r\nX: \r\nContent-Length: 0\r\n\r\n",
        Reply(200, {"lambda-runtime-client-context": "", "x": "", "content-length": "0"}, b"", True),
    ),
    "bytes above ASCII in a field": Wire(
        OK + b"X: caf\xc3\xa9\xff\r\nContent-Length: 0\r\n\r\n",
        Reply(200, {"x": "caf\xc3\xa9\xff", "content-length": "0"}, b"", True),
    ),
}
wires = pytest.mark.parametrize("wire", WIRES.values(), ids=WIRES)


def fed(pieces: list[bytes], *, ends: bool) -> Reply | None:
    """What a reader makes of the pieces, none of which but the last may complete the reply."""
    reader = ReplyReader()
    *first, last = [*pieces, b""] if ends else pieces
    for piece in first:
        assert reader.feed(piece) is None
    return reader.feed(last)


@wires
def test_a_reply_is_read_at_once(wire: Wire) -> None:
    assert fed([wire.data], ends=wire.ends) == wire.reply


@wires
def test_a_reply_is_read_byte_by_byte(wire: Wire) -> None:
    assert fed([bytes([byte]) for byte in wire.data], ends=wire.ends) == wire.reply


@wires
def test_a_reply_is_read_in_two_wherever_it_is_cut(wire: Wire) -> None:
    for cut in range(1, len(wire.data)):
        assert fed([wire.data[:cut], wire.data[cut:]], ends=wire.ends) == wire.reply


@wires
def test_a_reply_that_is_cut_off_is_an_error(wire: Wire) -> None:
    whole = wire.data.index(b"\r\n\r\n") + 4 if wire.ends else len(wire.data)
    for cut in range(whole):
        reader = ReplyReader()
        assert cut == 0 or reader.feed(wire.data[:cut]) is None
        with pytest.raises(ValueError, match="in the middle of a reply"):
            reader.feed(b"")


@st.composite
def messages(draw: st.DrawFn) -> Wire:
    body = draw(st.binary(max_size=80))
    interim = draw(st.sampled_from([b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 102 \r\nX: 1\r\n\r\n"]))
    status = draw(st.sampled_from([200, 202, 400, 413, 500]))
    start = interim + b"HTTP/1.1 %d Said\r\n" % status
    framing = draw(st.sampled_from(["length", "chunks", "end"]))
    if framing == "length":
        headers = {"content-length": str(len(body))}
        return Wire(
            start + b"content-length: %d\r\n\r\n%s" % (len(body), body), Reply(status, headers, body, keep_alive=True)
        )
    if framing == "end":
        return Wire(start + b"\r\n" + body, Reply(status, {}, body, keep_alive=False), ends=True)
    extension = st.sampled_from([b"", b";a", b' ; a="b;c"'])
    cuts = sorted({0, len(body), *draw(st.lists(st.integers(0, len(body)), max_size=4))})
    chunks = [b"%x%s\r\n%s\r\n" % (end - begin, draw(extension), body[begin:end]) for begin, end in pairwise(cuts)]
    trailers = draw(st.sampled_from([b"", b"X-Trailer: 1\r\n", b"A: 0\r\nB:\r\n"]))
    data = start + b"Transfer-Encoding: Chunked\r\n\r\n" + b"".join(chunks)
    reply = Reply(status, {"transfer-encoding": "Chunked"}, body, keep_alive=True)
    return Wire(data + b"0" + draw(extension) + b"\r\n" + trailers + b"\r\n", reply)


@settings(max_examples=60, deadline=None)
@given(messages(), st.data())
def test_a_reply_does_not_depend_on_how_it_arrives(wire: Wire, data: st.DataObject) -> None:
    cuts = data.draw(st.sets(st.integers(1, len(wire.data) - 1)))
    pieces = [wire.data[begin:end] for begin, end in pairwise([0, *sorted(cuts), len(wire.data)])]
    assert fed(pieces, ends=wire.ends) == wire.reply


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([b"", OK, CHUNKED, OK + b"Content-Length: ", b"HTTP/1.1 ", CHUNKED + b"-"]),
    st.one_of(st.binary(max_size=40), st.text("0123456789-+_x \r\n:;").map(str.encode)),
)
def test_whatever_arrives_is_a_reply_or_an_error(start: bytes, rest: bytes) -> None:
    reader = ReplyReader()
    try:
        reply = (reader.feed(start + rest) if start + rest else None) or reader.feed(b"")
    except ValueError:
        return
    assert isinstance(reply, Reply)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"SSH-2.0-OpenSSH_9.9\r\n\r\n", "Expected an HTTP/1.1 status line, but got 'SSH-2.0-"),
        (b"HTTP/2 200\r\n\r\n", "Expected an HTTP/1.1 status line"),
        (b"HTTP/1.1 OK\r\n\r\n", "Expected an HTTP/1.1 status line"),
        (b"HTTP/1.1\r\n\r\n", "Expected an HTTP/1.1 status line"),
        (OK + b"Content-Length: five\r\n\r\n", "Expected `content-length` to be a number, but got 'five'"),
        (OK + b"Content-Length: -5\r\n\r\n", "Expected `content-length` to be a number, but got '-5'"),
        (CHUNKED + b"five\r\n", "Expected the size of a chunk, but got b'five'"),
        (CHUNKED + b"\r\n", "Expected the size of a chunk, but got b''"),
        (CHUNKED + b"-6\r\n", "Expected the size of a chunk, but got b'-6'"),
        (CHUNKED + b"-6;a\r\nabcdef\r\n0\r\n\r\n", "Expected the size of a chunk, but got b'-6;a'"),
        (b"a" * (1 << 20) + b"b", "Expected the head of a reply to end within 1048576 bytes"),
    ],
)
def test_what_is_not_http_is_named(data: bytes, words: str) -> None:
    with pytest.raises(ValueError) as caught:
        ReplyReader().feed(data)
    assert str(caught.value).startswith(words)


def test_a_get_has_no_length() -> None:
    assert head(Request("GET", "/a"), "h:1", "") == b"GET /a HTTP/1.1\r\nhost: h:1\r\n\r\n"


def test_a_post_has_its_fields_and_the_length_of_its_body() -> None:
    request = Request("POST", "/a", (("content-type", "text/plain"), ("x", "")), "é".encode())
    assert head(request, "h:1", "/.rt") == (
        b"POST /.rt/a HTTP/1.1\r\nhost: h:1\r\ncontent-type: text/plain\r\nx: \r\ncontent-length: 2\r\n\r\n"
    )


def test_an_empty_post_says_so() -> None:
    assert head(Request("POST", "/a"), "h:1", "").endswith(b"\r\ncontent-length: 0\r\n\r\n")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters()), max_size=3))
def test_no_value_can_end_its_line(values: list[str]) -> None:
    fields = tuple((f"x-{number}", value) for number, value in enumerate(values))
    lines = head(Request("GET", "/a", fields), "h:1", "").split(b"\r\n")

    assert lines[:2] == [b"GET /a HTTP/1.1", b"host: h:1"]
    assert [line.partition(b": ")[0] for line in lines[2:]] == [*(b"x-%d" % n for n in range(len(values))), b"", b""]
    assert not any(b"\r" in line or b"\n" in line for line in lines)


def test_an_answer_to_a_head_has_no_body() -> None:
    reader = ReplyReader(bodiless=True)
    assert reader.feed(OK + b"Content-Length: 5\r\n\r\n") == Reply(200, {"content-length": "5"}, b"", keep_alive=True)
