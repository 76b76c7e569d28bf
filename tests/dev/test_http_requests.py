"""Requests out of bytes, in whatever pieces these come."""

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.dev.http_requests import HEAD_LIMIT, End, Event, Head, Malformed, Requests

HOST = b"Host: 127.0.0.1:9001\r\n"
POST = b"POST /a%20b?c=d HTTP/1.1\r\n" + HOST
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
GET = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"
GOT = [Head("GET", "/", {"host": "127.0.0.1:9001"}, keeps_alive=True), End([])]


def read(*pieces: bytes) -> list[Event]:
    """What comes out; neighbouring pieces of a body as one."""
    requests = Requests()
    for piece in pieces:
        requests.feed(piece)
    events: list[Event] = []
    for event in requests.events:
        if isinstance(event, bytes) and events and isinstance(events[-1], bytes):
            events[-1] += event
        else:
            events.append(event)
    return events


def test_a_request_is_its_head_its_body_and_its_end() -> None:
    head, *rest = read(POST + b"Content-Length: 3\r\nX-A:  b \t\r\nx-a: c\r\n\r\nabc")

    headers = {"host": "127.0.0.1:9001", "content-length": "3", "x-a": "c"}
    assert head == Head("POST", "/a%20b", headers, keeps_alive=True)
    assert rest == [b"abc", End([])]


def test_trailers_come_with_the_end_and_extensions_of_chunks_are_dropped() -> None:
    _, *rest = read(CHUNKED + b"2;x=y\r\nab\r\n1\r\nc\r\n0\r\nX-End: yes \r\nX-More: 1\r\n\r\n")

    assert rest == [b"abc", End([(b"x-end", b"yes"), (b"x-more", b"1")])]


def test_requests_follow_one_another() -> None:
    assert read(GET + CHUNKED + b"0\r\nA: b\r\n\r\n" + GET)[3:] == [End([(b"a", b"b")]), *GOT]


@pytest.mark.parametrize(
    ("text", "keeps"),
    [
        (GET, True),
        (GET.replace(HOST, HOST + b"Connection: close\r\n"), False),
        (GET.replace(b"1.1", b"1.0"), False),
        (GET.replace(b"1.1", b"1.0").replace(HOST, HOST + b"Connection: keep-alive\r\n"), True),
    ],
)
def test_a_head_says_whether_another_may_follow(text: bytes, keeps: bool) -> None:
    head, _ = read(text)

    assert isinstance(head, Head)
    assert head.keeps_alive is keeps


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"\x16\x03\x01 hello\r\n\r\n", "Invalid method"),
        (GET.replace(HOST, b""), "one Host, but this one has 0"),
        (GET.replace(HOST, HOST * 2), "one Host, but this one has 2"),
        (GET.replace(b"1.1", b"2.0"), "not HTTP/2.0"),
        (b"GET /\r\n" + HOST + b"\r\n", ""),
        (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "not 'gzip, chunked'"),
        (POST + b"Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nab", "no other protocol"),
        (b"CONNECT a:1 HTTP/1.1\r\n" + HOST + b"\r\n", "no other protocol"),
        (POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nab", "Content-Length"),
        (POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "Content-Length"),
        (POST + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n", "Content-Length"),
        (POST + b"Content-Length: +2\r\n\r\nab", "Content-Length"),
        (GET.replace(b"\r\n", b"\n"), ""),
        (POST + b"X: a\x00b\r\n\r\n", "header value"),
        (CHUNKED + b"2\nab\n0\n\n", "chunk size"),
        (CHUNKED + b"0x2\r\nab\r\n0\r\n\r\n", "chunk size"),
        (CHUNKED + b"fffffffffffffffff\r\n", "overflow"),
        (CHUNKED + b"2\r\nabcd\r\n", ""),
    ],
)
def test_what_is_ambiguous_or_none_is_malformed_and_nothing_follows(text: bytes, reason: str) -> None:
    events = read(text, GET)

    assert isinstance(events[-1], Malformed)
    assert reason in events[-1].reason
    assert End([]) not in events


@pytest.mark.parametrize("beginning", [POST + b"X: ", POST + b"A: b\r\n" * 9, CHUNKED + b"0\r\nX: ", CHUNKED + b"1;"])
def test_a_head_trailers_and_extensions_without_end_are_malformed(beginning: bytes) -> None:
    *_, last = read(beginning, b"x" * HEAD_LIMIT, b"x")

    assert last == Malformed(f"the head of a request has at most {HEAD_LIMIT} bytes")


def test_a_head_of_a_megabyte_and_a_body_of_any_size_are_none_of_that() -> None:
    _, *rest = read(POST + b"Content-Length: %d\r\n" % (3 * HEAD_LIMIT), b"X: " + b"x" * (1 << 20) + b"\r\n\r\n")
    assert rest == []
    body = bytes(HEAD_LIMIT)
    assert read(POST + b"Content-Length: %d\r\n\r\n" % (3 * HEAD_LIMIT), body, body, body)[-1] == End([])


def test_it_is_midway_from_the_first_byte_to_the_last() -> None:
    requests = Requests()
    seen = []
    for index in range(len(GET)):
        requests.feed(GET[index : index + 1])
        seen.append(requests.midway)

    assert seen == [*[True] * (len(GET) - 1), False]


SMALL = st.binary(max_size=30)
NAMES = st.sampled_from([b"X-A", b"x-b", b"Expect", b"Accept"])
VALUES = st.text("abc ;=,\t\u00e9", max_size=9).map(lambda text: text.encode("latin-1").strip(b" \t"))


@st.composite
def requests_of_all_kinds(draw: st.DrawFn) -> bytes:
    """One request, as a client may write it."""
    fields = draw(st.lists(st.tuples(NAMES, VALUES), max_size=4))
    head = b"".join(b"%b: %b\r\n" % field for field in [(b"Host", b"127.0.0.1"), *fields])
    pieces = draw(st.lists(SMALL.filter(bool), max_size=4))
    start = b"%b %b HTTP/1.1\r\n" % (draw(st.sampled_from([b"GET", b"POST"])), draw(st.sampled_from([b"/", b"/a?b"])))
    if draw(st.booleans()):
        body = b"".join(pieces)
        return start + head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    trailers = b"".join(b"%b: %b\r\n" % field for field in draw(st.lists(st.tuples(NAMES, VALUES), max_size=2)))
    return start + head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n" + trailers + b"\r\n"


@given(st.lists(requests_of_all_kinds(), min_size=1, max_size=3), st.data())
def test_however_they_are_cut_the_requests_are_the_same_and_those_that_h11_reads(
    texts: list[bytes], data: st.DataObject
) -> None:
    text = b"".join(texts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    pieces = [text[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]

    expected = [event for each in texts for event in read_by_h11(each)]
    assert read(*filter(None, pieces)) == expected


def read_by_h11(text: bytes) -> list[Event]:
    """One request, as another implementation understands it."""
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(text)
    events: list[Event] = []
    body = b""
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Request):
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in event.headers}
            path = event.target.partition(b"?")[0].decode("latin-1")
            events.append(Head(event.method.decode("ascii"), path, headers, keeps_alive=True))
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        else:
            assert isinstance(event, h11.EndOfMessage)
            return [*events, *filter(None, [body]), End(list(event.headers))]
