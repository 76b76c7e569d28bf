import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.api.responses.sse import PING, EventSourceResponse, ServerSentEvent, encode
from lambent.errors import InvalidMessage, InvalidResult


def parse(stream: bytes) -> tuple[list[tuple[str, str, str]], int | None]:
    """Events as a browser dispatches them (type, data, last event id), and its reconnection time.

    Written from html.spec.whatwg.org, 9.2.6, character by character.
    """
    text = stream.decode("utf-8").removeprefix("\ufeff")
    lines, line, index = [], "", 0
    while index < len(text):
        character = text[index]
        if character in "\r\n":
            lines.append(line)
            line = ""
            index += 2 if text[index : index + 2] == "\r\n" else 1
        else:
            line += character
            index += 1
    events, data, kind, last_id, retry = [], "", "", "", None
    for each in lines:
        if not each:
            if data:
                events.append((kind or "message", data.removesuffix("\n"), last_id))
            data, kind = "", ""
            continue
        name, colon, value = each.partition(":")
        if not name and colon:
            continue
        value = value.removeprefix(" ")
        if name == "event":
            kind = value
        elif name == "data":
            data += value + "\n"
        elif name == "id" and "\0" not in value:
            last_id = value
        elif name == "retry" and value and all(digit in "0123456789" for digit in value):
            retry = int(value)
    return events, retry


LINE = st.text().map(lambda text: text.replace("\n", "").replace("\r", "").replace("\0", ""))
TEXT = st.text() | st.text("a \r\n:\ufeff\u2028\x85\x0b\0")
EVENTS = st.builds(
    ServerSentEvent,
    data=st.none() | TEXT,
    event=st.none() | LINE,
    id=st.none() | LINE,
    retry=st.none() | st.integers(0, 10**9),
    comment=st.none() | TEXT,
)


@given(st.lists(EVENTS))
def test_a_browser_reads_what_was_sent(events: list[ServerSentEvent]) -> None:
    expected, last_id, retry = [], "", None
    for each in events:
        last_id = last_id if each.id is None else each.id
        retry = retry if each.retry is None else each.retry
        if each.data is not None:
            data = each.data.replace("\r\n", "\n").replace("\r", "\n")
            expected.append((each.event or "message", data, last_id))
    assert parse(b"".join(map(encode, events))) == (expected, retry)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (ServerSentEvent("a"), "data: a\n\n"),
        (ServerSentEvent(""), "data: \n\n"),
        (ServerSentEvent(" a\r\nb\rc\n\u2028d"), "data:  a\ndata: b\ndata: c\ndata: \u2028d\n\n"),
        (ServerSentEvent({"a": "é\n"}), 'data: {"a":"é\\n"}\n\n'),
        (ServerSentEvent(False), "data: false\n\n"),
        (ServerSentEvent("a", "b", "c", 5, "d\ne"), ": d\n: e\nevent: b\nid: c\nretry: 5\ndata: a\n\n"),
        (ServerSentEvent(id=""), "id: \n\n"),
        (ServerSentEvent(), "\n"),
    ],
)
def test_an_event_is_written(event: ServerSentEvent, expected: str) -> None:
    assert encode(event).decode() == expected


@pytest.mark.parametrize("bad", ["a\nb", "a\rb", "a\0b", 5])
def test_ids_and_types_have_no_line_ends(bad: Any) -> None:
    with pytest.raises(InvalidMessage, match="`event`"):
        ServerSentEvent("a", event=bad)
    with pytest.raises(InvalidMessage, match="`id`"):
        ServerSentEvent("a", id=bad)


@pytest.mark.parametrize("bad", [-1, 1.5, True, "1"])
def test_retry_is_in_whole_milliseconds(bad: Any) -> None:
    with pytest.raises(InvalidMessage, match="`retry`"):
        ServerSentEvent("a", retry=bad)


def test_data_that_is_no_json_is_refused() -> None:
    with pytest.raises(InvalidResult):
        encode(ServerSentEvent(object()))


class Model(pydantic.BaseModel):
    a: int


@dataclass
class Item:
    a: int


SCOPE = {"type": "http", "method": "GET", "headers": [], "asgi": {"spec_version": "2.5"}}


async def nothing() -> Any:
    raise AssertionError


def test_items_are_events_or_their_data() -> None:
    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)

    async def events() -> AsyncIterator[Any]:
        for each in ["a\nb", {"a": 1}, Model(a=2), Item(3), None, ServerSentEvent("c", id="7")]:
            yield each

    asyncio.run(EventSourceResponse(events())(SCOPE, nothing, send))
    start, *pieces, last = messages
    assert start["headers"] == [
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
        (b"content-type", b"text/event-stream; charset=utf-8"),
    ]
    assert [each["more_body"] for each in pieces] == [True] * 6
    assert last == {"type": "http.response.body", "body": b"", "more_body": False}
    found, _ = parse(b"".join(each["body"] for each in pieces))
    assert [data for _, data, _ in found[:1]] == ["a\nb"]
    assert [json.loads(data) for _, data, _ in found[1:5]] == [{"a": 1}, {"a": 2}, {"a": 3}, None]
    assert found[5] == ("message", "c", "7")


def test_given_headers_hold() -> None:
    response = EventSourceResponse(iter(()), headers={"cache-control": "no-cache"})
    assert response.headers.getlist("cache-control") == ["no-cache"]


def test_a_comment_is_sent_while_there_is_no_event() -> None:
    messages: list[Any] = []
    pinged = asyncio.Event()

    async def send(message: Any) -> None:
        messages.append(message)
        if message.get("body") == PING:
            pinged.set()

    async def events() -> AsyncIterator[str]:
        await pinged.wait()
        yield "a"
        pinged.clear()
        await pinged.wait()

    asyncio.run(EventSourceResponse(events(), ping=0.001)(SCOPE, nothing, send))
    assert [each["type"] for each in messages].count("http.response.start") == 1
    bodies = [each["body"] for each in messages[1:]]
    assert bodies[0] == PING
    assert [each for each in bodies if each != PING] == [b"data: a\n\n", b""]
    assert bodies[-2] == PING
    assert parse(b"".join(bodies))[0] == [("message", "a", "")]


def test_without_a_ping_nothing_is_sent_beside_events() -> None:
    async def send(message: Any) -> None:
        tasks.append(len(asyncio.all_tasks()))

    tasks: list[int] = []
    asyncio.run(EventSourceResponse(iter(["a"]), ping=None)(SCOPE, nothing, send))
    assert set(tasks) == {1}


def test_a_ping_that_is_not_taken_ends_the_stream() -> None:
    closed = []

    async def send(message: Any) -> None:
        raise OSError("gone")

    async def events() -> AsyncIterator[str]:
        try:
            await asyncio.Event().wait()
            yield ""
        finally:
            closed.append(True)

    asyncio.run(EventSourceResponse(events(), ping=0.001)(SCOPE, nothing, send))
    assert closed == [True]
