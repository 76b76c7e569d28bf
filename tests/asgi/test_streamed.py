"""A conversation whose response leaves piece by piece."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.asgi.http import AWAIT_BODY, COMPLETE, FAILED
from lambent.asgi.streamed import STREAMING, StreamedConversation
from lambent.errors import InvalidMessage, UnexpectedMessage
from lambent.gateway.model import Response
from lambent.types import Message

START: Message = {"type": "http.response.start", "status": 200, "headers": [(b"x-a", b"1")]}
END: Message = {"type": "http.response.body"}
HEADERS = [(b"x-a", b"1")]


def piece(body: Any, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


class Door:
    """Both roads of a response, and what went over them."""

    def __init__(self, *, fails: Exception | None = None) -> None:
        self.went: list[Any] = []
        self._fails = fails

    async def respond(self, response: Response) -> None:
        self.went.append(response)

    async def begin(self, response: Response) -> "Door":
        self.went.append(response)
        return self

    async def write(self, data: bytes) -> None:
        if self._fails:
            raise self._fails
        self.went.append(data)

    async def close(self) -> None:
        self.went.append("end")

    def conversation(self, *, head: bool = False, held: int = 0, pad: bool = False) -> StreamedConversation:
        return StreamedConversation(b"", self.respond, head, lambda status: status != held, self.begin, pad)


async def told(talk: StreamedConversation, *messages: Message) -> StreamedConversation:
    for message in messages:
        await talk.send(message)
    return talk


def say(*messages: Message, **options: Any) -> list[Any]:
    door = Door()
    talk = asyncio.run(told(door.conversation(**options), *messages))
    assert talk.state is COMPLETE
    return door.went


BEGIN = Response(200, HEADERS, b"")


def test_it_begins_with_the_first_piece() -> None:
    async def scene() -> None:
        door = Door()
        talk = await told(door.conversation(), START)
        assert (talk.state, talk.began, door.went) == (AWAIT_BODY, False, [])
        await talk.send(piece(b"one"))
        assert (talk.state, talk.began, door.went) == (STREAMING, True, [BEGIN, b"one"])
        await told(talk, piece(b""), piece(bytearray(b"two")), piece(b"three", more=False))
        assert (talk.state, door.went[2:]) == (COMPLETE, [b"two", b"three", "end"])

    asyncio.run(scene())


@given(st.lists(st.binary(max_size=20), min_size=1))
def test_what_is_sent_is_what_arrives(bodies: list[bytes]) -> None:
    begin, *rest, end = say(START, *map(piece, bodies), END)
    assert (begin, b"".join(rest), end) == (BEGIN, b"".join(bodies), "end")
    assert b"" not in rest


def test_an_empty_first_piece_sends_the_headers_off() -> None:
    assert say(START, piece(b""), END) == [BEGIN, "end"]


@pytest.mark.parametrize("size", [0, 1 << 16])
def test_a_small_body_that_is_whole_goes_whole(size: int) -> None:
    assert say(START, piece(bytes(size), more=False)) == [Response(200, HEADERS, bytes(size))]


def test_a_large_one_goes_as_a_piece() -> None:
    assert say(START, piece(bytes(65537), more=False)) == [BEGIN, bytes(65537), "end"]


def test_the_answer_to_head_and_one_that_is_held_go_whole() -> None:
    assert say(START, piece(b"a"), piece(b"b"), END, head=True) == [Response(200, HEADERS, b"")]
    assert say(START, piece(b"a"), piece(b"b"), END, held=200) == [Response(200, HEADERS, b"ab")]


def test_a_stream_without_a_byte_is_padded() -> None:
    assert say(START, piece(b""), END, pad=True) == [BEGIN, b" ", "end"]
    assert say(START, piece(b"a"), END, pad=True) == [BEGIN, b"a", "end"]
    assert say(START, piece(b""), piece(b"a"), END, pad=True) == [BEGIN, b"a", "end"]


@pytest.mark.parametrize("body", [None, "text", 1, [1]])
@pytest.mark.parametrize("before", [(), (piece(b"one"),)])
@pytest.mark.parametrize("more", [True, False])
def test_a_body_that_is_none_changes_nothing(body: Any, before: tuple[Message, ...], more: bool) -> None:
    async def scene() -> None:
        door = Door()
        talk = await told(door.conversation(), START, *before)
        state, went = talk.state, list(door.went)
        with pytest.raises(InvalidMessage, match="Expected `body` to be bytes"):
            await talk.send(piece(body, more=more))
        assert (talk.state, door.went) == (state, went)
        await talk.send(END)

    asyncio.run(scene())


@pytest.mark.parametrize("message", [START, {"type": "http.response.trailers"}])
def test_in_the_middle_nothing_but_more_of_the_body_may_come(message: Message) -> None:
    async def scene() -> None:
        talk = await told(Door().conversation(), START, piece(b"one"))
        with pytest.raises(UnexpectedMessage, match=r"Expected .* 'http.response.body', but it sent"):
            await talk.send(message)
        assert talk.state is STREAMING

    asyncio.run(scene())


def test_once_it_has_ended_nothing_may_come() -> None:
    async def scene() -> None:
        talk = await told(Door().conversation(), START, piece(b"one"), END)
        with pytest.raises(UnexpectedMessage, match="nothing after its response"):
            await talk.send(piece(b"two"))

    asyncio.run(scene())


@pytest.mark.parametrize("error", [ConnectionResetError(), asyncio.CancelledError()])
def test_what_is_not_taken_any_more_ends_it_and_the_application_hears_of_it(error: Exception) -> None:
    async def scene() -> None:
        talk = await told(Door(fails=error).conversation(), START)
        await talk.receive()
        waiting = asyncio.create_task(talk.receive())
        await asyncio.sleep(0)
        with pytest.raises(type(error)):
            await talk.send(piece(b"one"))
        assert (talk.state, talk.began) == (FAILED, True)
        assert await waiting == {"type": "http.disconnect"}

    asyncio.run(scene())


def test_the_client_is_there_until_the_last_piece() -> None:
    async def scene() -> None:
        talk = await told(Door().conversation(), START, piece(b"one"))
        await talk.receive()
        waiting = asyncio.create_task(talk.receive())
        await asyncio.sleep(0)
        assert not waiting.done()
        await talk.send(END)
        assert await waiting == {"type": "http.disconnect"}

    asyncio.run(scene())


def test_the_application_hears_a_disconnect_when_the_stream_has_ended_and_not_before() -> None:
    """Starlette listens for it while it streams, and would stop."""

    async def converse() -> list[str]:
        talk = Door().conversation()
        assert (await talk.receive())["type"] == "http.request"
        await told(talk, START, piece(b"one"))
        listening = asyncio.ensure_future(talk.receive())
        await asyncio.sleep(0)
        assert not listening.done()
        await told(talk, END)
        return [(await listening)["type"], (await talk.receive())["type"]]

    assert asyncio.run(converse()) == ["http.disconnect", "http.disconnect"]
