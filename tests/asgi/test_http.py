"""One request's conversation: what an application may say when, and what it hears."""

import asyncio
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import pytest

from lambent.asgi.http import AWAIT_BODY, AWAIT_START, COMPLETE, FAILED, TRANSITIONS, HTTPConversation
from lambent.errors import InvalidMessage, UnexpectedMessage
from lambent.gateway.model import Response
from lambent.types import Message

START: Message = {"type": "http.response.start", "status": 200, "headers": [(b"x-a", b"1")]}
BODY: Message = {"type": "http.response.body", "body": b"hi"}
STATES = (AWAIT_START, AWAIT_BODY, COMPLETE, FAILED)
TYPES = (
    "http.response.start",
    "http.response.body",
    "http.response.push",
    "http.response.trailers",
    "http.request",
    "http.disconnect",
    "websocket.accept",
    "lifespan.startup.complete",
    "HTTP.RESPONSE.START",
    "",
)
REQUEST = {"type": "http.request", "body": b"in", "more_body": False}
DISCONNECT = {"type": "http.disconnect"}


class Sink:
    """Where responses go."""

    def __init__(self) -> None:
        self.responses: list[Response] = []

    async def __call__(self, response: Response) -> None:
        self.responses.append(response)


def conversation(sink: Sink | None = None, *, head: bool = False) -> HTTPConversation:
    return HTTPConversation(b"in", sink or Sink(), head=head)


async def led_to(state: str, sink: Sink) -> HTTPConversation:
    talk = conversation(sink)
    if state is FAILED:
        talk.fail()
    if state in (AWAIT_BODY, COMPLETE):
        await talk.send(START)
    if state is COMPLETE:
        await talk.send(BODY)
    assert talk.state is state
    return talk


def say(*messages: Message, head: bool = False) -> Response:
    """What `messages` amount to."""

    async def main() -> Response:
        sink = Sink()
        talk = conversation(sink, head=head)
        for message in messages:
            await talk.send(message)
        (response,) = sink.responses
        return response

    return asyncio.run(main())


def start(status: Any = 200, headers: Any = ()) -> Message:
    return {"type": "http.response.start", "status": status, "headers": headers}


# The table


def test_the_table_is_small() -> None:
    legal = {(state, kind) for state, steps in TRANSITIONS.items() for kind in steps}
    assert legal == {(AWAIT_START, "http.response.start"), (AWAIT_BODY, "http.response.body")}


@pytest.mark.parametrize(
    ("state", "kind"), [(state, kind) for state in STATES for kind in TYPES if kind not in TRANSITIONS[state]]
)
def test_a_message_that_is_not_in_the_table_is_refused_and_changes_nothing(state: str, kind: str) -> None:
    async def main() -> None:
        sink = Sink()
        talk = await led_to(state, sink)
        sent = len(sink.responses)
        with pytest.raises(UnexpectedMessage) as caught:
            await talk.send({"type": kind, "status": 500, "headers": [], "body": b"never"})
        assert repr(kind) in str(caught.value)
        assert talk.state is state
        assert len(sink.responses) == sent

    asyncio.run(main())


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (AWAIT_START, "'http.response.start'"),
        (AWAIT_BODY, "'http.response.body'"),
        (COMPLETE, "nothing after its response"),
        (FAILED, "nothing after its response"),
    ],
)
def test_a_refusal_names_what_was_expected(state: str, expected: str) -> None:
    async def main() -> None:
        talk = await led_to(state, Sink())
        with pytest.raises(UnexpectedMessage) as caught:
            await talk.send({"type": "wrong"})
        assert str(caught.value) == f"Expected the application to send {expected}, but it sent 'wrong'."

    asyncio.run(main())


def test_start_leads_to_the_body_and_the_body_to_the_end() -> None:
    async def main() -> None:
        sink = Sink()
        talk = conversation(sink)
        states = [talk.state]
        for message in (START, {**BODY, "more_body": True}, BODY):
            await talk.send(message)
            states.append(talk.state)
        assert states == [AWAIT_START, AWAIT_BODY, AWAIT_BODY, COMPLETE]
        assert sink.responses == [Response(200, [(b"x-a", b"1")], b"hihi")]

    asyncio.run(main())


def test_after_a_refusal_the_conversation_goes_on() -> None:
    async def main() -> None:
        sink = Sink()
        talk = conversation(sink)
        for bad in (BODY, start(status="200"), start(headers=[("x", "y")])):
            with pytest.raises((UnexpectedMessage, InvalidMessage)):
                await talk.send(bad)
        await talk.send(START)
        with pytest.raises(InvalidMessage):
            await talk.send({"type": "http.response.body", "body": "text"})
        await talk.send(BODY)
        assert sink.responses == [Response(200, [(b"x-a", b"1")], b"hi")]

    asyncio.run(main())


# The response


@pytest.mark.parametrize("pieces", [[b""], [b"a"], [b"a", b"b", b"c"], [b"", b"a", b""], [b"a", b""]])
def test_a_body_in_pieces_is_joined(pieces: list[bytes]) -> None:
    messages = [{"type": "http.response.body", "body": piece, "more_body": True} for piece in pieces[:-1]]
    assert say(START, *messages, {"type": "http.response.body", "body": pieces[-1]}).body == b"".join(pieces)


@pytest.mark.parametrize("more", [{}, {"more_body": False}, {"more_body": None}, {"more_body": 0}])
def test_a_body_is_the_last_one_unless_it_says_more(more: dict[str, Any]) -> None:
    assert say(START, {"type": "http.response.body", **more}).body == b""


@pytest.mark.parametrize("body", [bytearray(b"hi"), memoryview(b"hi"), memoryview(b"h-i-")[::2]])
def test_a_body_may_be_any_buffer(body: Any) -> None:
    assert say(START, {"type": "http.response.body", "body": body}).body == b"hi"


def test_a_piece_that_is_changed_afterwards_is_as_it_was_sent() -> None:
    async def main() -> None:
        sink, buffer = Sink(), bytearray(b"one ")
        talk = conversation(sink)
        await talk.send(START)
        await talk.send({"type": "http.response.body", "body": buffer, "more_body": True})
        buffer[:] = b"two "
        await talk.send({"type": "http.response.body", "body": buffer})
        assert sink.responses[0].body == b"one two "

    asyncio.run(main())


@pytest.mark.parametrize("body", ["text", None, 7, ["a"], {"a": 1}])
def test_a_body_of_another_type_is_refused_by_name(body: Any) -> None:
    with pytest.raises(InvalidMessage, match=rf"Expected `body` to be bytes, but got a {type(body).__name__}\."):
        say(START, {"type": "http.response.body", "body": body})


def test_the_answer_to_head_has_headers_and_no_body() -> None:
    headers = [(b"content-length", b"2")]
    assert say(start(headers=headers), BODY, head=True) == Response(200, headers, b"")


def test_the_answer_to_head_in_pieces_has_no_body() -> None:
    assert say(START, {**BODY, "more_body": True}, BODY, head=True).body == b""


@pytest.mark.parametrize("status", [100, 200, 204, 418, 599, 999, HTTPStatus.NOT_FOUND])
def test_a_status_is_an_integer_of_three_digits(status: int) -> None:
    got = say(start(status=status), BODY).status
    assert got == status
    assert type(got) is int


@pytest.mark.parametrize("status", [None, "200", 99, 1000, -200, 200.0, True, [200]])
def test_any_other_status_is_refused(status: Any) -> None:
    with pytest.raises(InvalidMessage, match=r"Expected `status` to be an integer from 100 to 999, but got"):
        say(start(status=status))


def test_without_a_status_a_start_is_refused() -> None:
    with pytest.raises(InvalidMessage, match=r"`status`.* None\.$"):
        say({"type": "http.response.start"})


def test_headers_may_be_missing() -> None:
    assert say({"type": "http.response.start", "status": 200}, BODY).headers == []


@pytest.mark.parametrize(
    "headers",
    [((b"X-A", b"1"), (b"x-a", b"2")), [[b"X-A", b"1"], [b"x-a", b"2"]], iter([(b"X-A", b"1"), (b"X-a", b"2")])],
)
def test_headers_are_any_pairs_and_keep_their_order_with_names_in_lower_case(headers: Iterable[Any]) -> None:
    assert say(start(headers=headers), BODY).headers == [(b"x-a", b"1"), (b"x-a", b"2")]


@pytest.mark.parametrize(
    "headers",
    [
        None,
        7,
        "ab",
        [b"ab", b"cde"],
        [("x-a", "1")],
        [(b"x-a", "1")],
        [("x-a", b"1")],
        [(b"x-a", 1)],
        [(b"x-a", None)],
        [(b"x-a", [49])],
        [(b"x-a", (49,))],
        [(b"x-a", {49: 1})],
        [([120], b"1")],
        [(b"x-a",)],
        [(b"x-a", b"1", b"2")],
        {"x-a": "1"},
    ],
)
def test_headers_of_another_type_are_refused(headers: Any) -> None:
    with pytest.raises(InvalidMessage, match=r"Expected `headers` to be pairs of bytes, but got"):
        say(start(headers=headers))


@pytest.mark.parametrize("byte", [b"\r", b"\n", b"\0", b"\r\n"])
def test_what_could_end_a_field_early_is_refused_in_names_and_values(byte: bytes) -> None:
    for field in ((b"x-a", b"1" + byte + b"x-b: 2"), (b"x" + byte + b"a", b"1"), (b"set-cookie", byte)):
        with pytest.raises(InvalidMessage, match=r"Expected header fields without CR, LF and NUL, but b'"):
            say(start(headers=[(b"x-before", b"1"), field]))


# What the application hears


def test_receive_gives_the_body_whole() -> None:
    assert asyncio.run(conversation().receive()) == REQUEST


def test_an_empty_body_is_given_too() -> None:
    talk = HTTPConversation(b"", Sink())
    assert asyncio.run(talk.receive()) == {"type": "http.request", "body": b"", "more_body": False}


def test_after_the_body_receive_waits_until_the_response_is_complete() -> None:
    async def main() -> None:
        talk = conversation()
        await talk.receive()
        waiting = asyncio.create_task(talk.receive())
        await asyncio.sleep(0)
        await talk.send(START)
        await talk.send({**BODY, "more_body": True})
        await asyncio.sleep(0)
        assert not waiting.done()
        await talk.send(BODY)
        assert await waiting == DISCONNECT
        assert await talk.receive() == DISCONNECT

    asyncio.run(main())


def test_after_the_response_receive_gives_the_body_and_then_disconnect_for_ever() -> None:
    async def main() -> None:
        talk = await led_to(COMPLETE, Sink())
        assert [await talk.receive() for _ in range(3)] == [REQUEST, DISCONNECT, DISCONNECT]

    asyncio.run(main())


def test_every_one_of_several_receivers_hears_the_disconnect() -> None:
    async def main() -> None:
        talk = conversation()
        receivers = [asyncio.create_task(talk.receive()) for _ in range(4)]
        await asyncio.sleep(0)
        await talk.send(START)
        await talk.send(BODY)
        assert await asyncio.gather(*receivers) == [REQUEST, DISCONNECT, DISCONNECT, DISCONNECT]

    asyncio.run(main())


def test_a_receiver_that_is_cancelled_leaves_the_others_waiting() -> None:
    async def main() -> None:
        talk = conversation()
        await talk.receive()
        first, second = (asyncio.create_task(talk.receive()) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait([first])
        assert first.cancelled()
        assert not second.done()
        await talk.send(START)
        await talk.send(BODY)
        assert await second == DISCONNECT

    asyncio.run(main())


def test_a_receiver_hears_of_a_response_that_failed() -> None:
    async def main() -> None:
        talk = conversation()
        await talk.receive()
        waiting = asyncio.create_task(talk.receive())
        await asyncio.sleep(0)
        talk.fail()
        talk.fail()
        assert await waiting == DISCONNECT
        assert await talk.receive() == DISCONNECT

    asyncio.run(main())


def test_a_response_that_cannot_be_delivered_fails_the_conversation() -> None:
    async def refuse(response: Response) -> None:
        raise OSError("nobody there")

    async def main() -> None:
        talk = HTTPConversation(b"", refuse)
        await talk.receive()
        waiting = asyncio.create_task(talk.receive())
        await asyncio.sleep(0)
        await talk.send(START)
        with pytest.raises(OSError, match="nobody there"):
            await talk.send(BODY)
        assert talk.state is FAILED
        assert await waiting == DISCONNECT
        with pytest.raises(UnexpectedMessage):
            await talk.send(BODY)

    asyncio.run(main())


def test_disconnect_is_heard_after_the_response_has_left() -> None:
    heard: list[str] = []

    async def main() -> None:
        left = asyncio.Event()

        async def respond(response: Response) -> None:
            await left.wait()
            heard.append("response")

        async def listen() -> None:
            await talk.receive()
            heard.append("disconnect")

        talk = HTTPConversation(b"", respond)
        await talk.receive()
        await talk.send(START)
        async with asyncio.TaskGroup() as group:
            group.create_task(listen())
            group.create_task(talk.send(BODY))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            left.set()

    asyncio.run(main())
    assert heard == ["response", "disconnect"]


def test_a_conversation_needs_no_loop_until_it_waits() -> None:
    coroutine = conversation().receive()
    with pytest.raises(StopIteration) as stop:
        coroutine.send(None)
    assert stop.value.value == REQUEST
