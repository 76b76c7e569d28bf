"""One WebSocket's conversation: what an application may say when, and what it hears."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambent.asgi.websocket import (
    CLOSED,
    CONNECTING,
    DENYING,
    ENDED,
    GONE,
    MESSAGE_LIMIT,
    OPEN,
    TRANSITIONS,
    UNWINDING,
    WebSocketConversation,
)
from lambent.errors import AppError, ConnectionGone, InvalidMessage, UnexpectedMessage
from lambent.gateway.model import Response
from lambent.types import Message, RawHeaders

ACCEPT: Message = {"type": "websocket.accept"}
SEND: Message = {"type": "websocket.send", "text": "hi"}
CLOSE: Message = {"type": "websocket.close"}
START: Message = {"type": "websocket.http.response.start", "status": 401, "headers": [(b"x-a", b"1")]}
BODY: Message = {"type": "websocket.http.response.body", "body": b"no"}
MESSAGES = {message["type"]: message for message in (ACCEPT, SEND, CLOSE, START, BODY)}
OTHERS = ("websocket.receive", "websocket.disconnect", "http.response.start", "WEBSOCKET.SEND", "")
CONNECT = {"type": "websocket.connect"}
HELLO: Message = {"type": "websocket.receive", "text": "hello"}
LEFT: Message = {"type": "websocket.disconnect", "code": 1001, "reason": "tab closed"}


class Client:
    """A peer that notes down what it is told; `slow` lets others run in the middle of a send."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.gone = False

    async def accept(self, subprotocol: str | None, headers: RawHeaders) -> None:
        self.told.append(("accept", subprotocol, headers))

    async def send(self, data: str | bytes) -> None:
        for _ in range(3 - len(self.told) % 3):  # the later ones are the faster ones
            await asyncio.sleep(0)
        if self.gone:
            raise ConnectionGone("It is gone.", 410, "GoneException")
        self.told.append(data)

    async def close(self, code: int, reason: str) -> None:
        self.told.append(("close", code, reason))

    async def deny(self, response: Response) -> None:
        self.told.append(response)


def conversation(message: Message | None = None, *, replaying: bool = False) -> tuple[WebSocketConversation, Client]:
    client = Client()
    return WebSocketConversation(client, message, replaying=replaying), client


async def led_to(state: str) -> tuple[WebSocketConversation, Client]:
    talk, client = conversation()
    if state in (OPEN, GONE):
        await talk.send(ACCEPT)
    if state is DENYING:
        await talk.send(START)
    if state is CLOSED:
        await talk.send(CLOSE)
    if state is GONE:
        client.gone = True
        with pytest.raises(ConnectionGone):
            await talk.send(SEND)
    if state in (UNWINDING, ENDED):
        talk.state = state  # which the run says
    assert talk.state is state
    return talk, client


def run(story: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(60):
            await story()

    asyncio.run(main())


async def never_received(talk: WebSocketConversation) -> bool:
    """Whether the application waits, once everything that can happen has happened."""
    task = asyncio.ensure_future(talk.receive())
    for _ in range(5):
        await asyncio.sleep(0)
    waits = not task.done()
    task.cancel()
    await asyncio.wait({task})
    return waits


# The table


def test_the_table_has_every_state_and_nothing_else() -> None:
    assert set(TRANSITIONS) == {CONNECTING, OPEN, DENYING, CLOSED, GONE, UNWINDING, ENDED}
    assert {kind for steps in TRANSITIONS.values() for kind in steps} == set(MESSAGES)


@pytest.mark.parametrize(
    ("state", "kind", "after"),
    [
        (CONNECTING, "websocket.accept", OPEN),
        (CONNECTING, "websocket.close", CLOSED),
        (CONNECTING, "websocket.http.response.start", DENYING),
        (DENYING, "websocket.http.response.body", CLOSED),
        (OPEN, "websocket.send", OPEN),
        (OPEN, "websocket.close", CLOSED),
        (GONE, "websocket.close", GONE),
        *((UNWINDING, kind, UNWINDING) for kind in MESSAGES),
    ],
)
def test_a_message_of_the_table_leads_where_it_says(state: str, kind: str, after: str) -> None:
    async def story() -> None:
        talk, _ = await led_to(state)
        await talk.send(MESSAGES[kind])
        assert talk.state is after

    run(story)


@pytest.mark.parametrize(
    ("state", "kind"),
    [(state, kind) for state, steps in TRANSITIONS.items() for kind in (*MESSAGES, *OTHERS) if kind not in steps],
)
def test_a_message_that_is_not_in_the_table_is_refused_and_changes_nothing(state: str, kind: str) -> None:
    async def story() -> None:
        talk, client = await led_to(state)
        told = list(client.told)
        with pytest.raises(UnexpectedMessage) as caught:
            await talk.send({**MESSAGES.get(kind, {}), "type": kind})
        assert repr(kind) in str(caught.value)
        assert talk.state is state
        assert client.told == told

    run(story)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (CONNECTING, "'websocket.accept' or 'websocket.close' or 'websocket.http.response.start'"),
        (OPEN, "'websocket.send' or 'websocket.close'"),
        (DENYING, "'websocket.http.response.body'"),
        (CLOSED, "nothing after it has closed the connection"),
    ],
)
def test_a_refusal_names_what_was_expected(state: str, expected: str) -> None:
    async def story() -> None:
        talk, _ = await led_to(state)
        with pytest.raises(UnexpectedMessage) as caught:
            await talk.send({"type": "wrong"})
        assert str(caught.value) == f"Expected the application to send {expected}, but it sent 'wrong'."

    run(story)


@pytest.mark.parametrize(("state", "kind"), [(GONE, "websocket.send"), *((ENDED, kind) for kind in TRANSITIONS[ENDED])])
def test_what_cannot_reach_the_client_raises_an_oserror(state: str, kind: str) -> None:
    async def story() -> None:
        talk, client = await led_to(state)
        told = list(client.told)
        with pytest.raises(OSError, match=r"gone|after the end of the event"):
            await talk.send(MESSAGES[kind])
        assert client.told == told

    run(story)


@pytest.mark.parametrize("kind", MESSAGES)
def test_what_is_sent_while_unwinding_reaches_nobody(kind: str) -> None:
    async def story() -> None:
        talk, client = await led_to(UNWINDING)
        await talk.send(MESSAGES[kind])
        assert client.told == []

    run(story)


# What is in them


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (ACCEPT, (None, [])),
        ({**ACCEPT, "subprotocol": None, "headers": None}, (None, [])),
        ({**ACCEPT, "subprotocol": "chat.v2"}, ("chat.v2", [])),
        ({**ACCEPT, "headers": [(b"X-A", b"1"), [b"x-a", bytearray(b"2")]]}, (None, [(b"x-a", b"1"), (b"x-a", b"2")])),
    ],
)
def test_an_accept_is_passed_on(message: Message, told: Any) -> None:
    async def story() -> None:
        talk, client = conversation()
        await talk.send(message)
        assert client.told == [("accept", *told)]
        assert talk.accepted

    run(story)


@pytest.mark.parametrize(
    "wrong",
    [
        {"subprotocol": "chat\r\nset-cookie: a=1"},
        {"subprotocol": "a\0b"},
        {"subprotocol": b"chat"},
        {"subprotocol": 7},
        {"headers": [(b"x-a", b"1\r\nset-cookie: a=1")]},
        {"headers": [(b"x-a\r\nx-b", b"1")]},
        {"headers": [(b"x-a", b"\0")]},
        {"headers": [("x-a", "1")]},
        {"headers": [(b"x-a",)]},
        {"headers": 7},
    ],
)
def test_an_accept_that_is_not_well_formed_is_refused_and_lets_nobody_in(wrong: Any) -> None:
    async def story() -> None:
        talk, client = conversation()
        with pytest.raises(InvalidMessage):
            await talk.send({**ACCEPT, **wrong})
        assert (talk.state, talk.accepted, client.told) == (CONNECTING, False, [])
        await talk.send(ACCEPT)  # it can still do better

    run(story)


@pytest.mark.parametrize(
    ("content", "data"),
    [
        ({"text": "hi"}, "hi"),
        ({"text": ""}, ""),
        ({"text": "hi", "bytes": None}, "hi"),
        ({"bytes": b"\xff\0"}, b"\xff\0"),
        ({"bytes": b"", "text": None}, b""),
        ({"bytes": bytearray(b"a")}, b"a"),
        ({"bytes": memoryview(b"a")}, b"a"),
        ({"text": "x" * MESSAGE_LIMIT}, "x" * 131072),
        ({"text": "é" * (MESSAGE_LIMIT // 2)}, "é" * 65536),
        ({"bytes": b"x" * MESSAGE_LIMIT}, b"x" * 131072),
    ],
)
def test_text_and_bytes_are_passed_on_as_they_are(content: Any, data: Any) -> None:
    async def story() -> None:
        talk, client = await led_to(OPEN)
        await talk.send({"type": "websocket.send", **content})
        assert client.told[1:] == [data]
        assert type(client.told[1]) is type(data)

    run(story)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "both are missing"),
        ({"text": None, "bytes": None}, "both are missing"),
        ({"text": "a", "bytes": b"a"}, "`text` of type str and `bytes` of type bytes"),
        ({"text": b"a"}, "`text` of type bytes"),
        ({"text": 7}, "`text` of type int"),
        ({"bytes": "a"}, "str"),
        ({"text": "x" * (MESSAGE_LIMIT + 1)}, "has 131073 bytes, and API Gateway takes 131072"),
        ({"text": "é" * (MESSAGE_LIMIT // 2) + "x"}, "has 131073 bytes"),
        ({"bytes": b"x" * (MESSAGE_LIMIT + 1)}, "has 131073 bytes"),
    ],
)
def test_a_message_that_is_neither_or_too_long_is_refused_and_not_sent(content: Any, message: str) -> None:
    async def story() -> None:
        talk, client = await led_to(OPEN)
        with pytest.raises(InvalidMessage, match=message):
            await talk.send({"type": "websocket.send", **content})
        assert client.told[1:] == []
        await talk.send(SEND)
        assert client.told[1:] == ["hi"]

    run(story)


@pytest.mark.parametrize("code", [1000, 1001, 1008, 3000, 4000, 4999, True + 1000])
def test_a_close_has_a_code_and_a_reason(code: int) -> None:
    async def story() -> None:
        talk, client = await led_to(OPEN)
        await talk.send({**CLOSE, "code": code, "reason": "bye"})
        assert client.told[1:] == [("close", code, "bye")]

    run(story)


@pytest.mark.parametrize("code", [0, 999, 5000, -1, "1000", 1000.0, None, True])
def test_a_close_with_a_code_that_is_none_is_refused(code: Any) -> None:
    async def story() -> None:
        talk, client = await led_to(OPEN)
        with pytest.raises(InvalidMessage, match="integer from 1000 to 4999"):
            await talk.send({**CLOSE, "code": code})
        assert talk.state is OPEN
        assert client.told[1:] == []

    run(story)


def test_a_close_without_anything_is_a_normal_one() -> None:
    async def story() -> None:
        talk, client = await led_to(OPEN)
        await talk.send({**CLOSE, "reason": None})
        assert client.told[1:] == [("close", 1000, "")]

    run(story)


def test_a_denial_is_a_response_of_any_number_of_pieces() -> None:
    async def story() -> None:
        talk, client = conversation()
        await talk.send(START)
        for piece in (b"not ", b"", b"you"):
            await talk.send({**BODY, "body": piece, "more_body": True})
        assert (client.told, talk.state) == ([], DENYING)
        await talk.send({"type": BODY["type"]})
        assert client.told == [Response(401, [(b"x-a", b"1")], b"not you")]
        assert not talk.accepted

    run(story)


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": 99},
        {"status": "401"},
        {"status": None},
        {"headers": [(b"x-a", b"1\r\nset-cookie: a=1")]},
        {"headers": [("x-a", "1")]},
    ],
)
def test_a_denial_that_is_not_well_formed_is_refused_and_changes_nothing(wrong: Any) -> None:
    async def story() -> None:
        talk, client = conversation()
        with pytest.raises(InvalidMessage):
            await talk.send({**START, **wrong})
        assert (talk.state, client.told) == (CONNECTING, [])

    run(story)


def test_the_body_of_a_denial_is_bytes() -> None:
    async def story() -> None:
        talk, client = await led_to(DENYING)
        with pytest.raises(InvalidMessage):
            await talk.send({**BODY, "body": "no"})
        assert (talk.state, client.told) == (DENYING, [])

    run(story)


# Hearing


def test_it_hears_of_the_connection_first_and_of_the_message_then() -> None:
    async def story() -> None:
        talk, _ = conversation(HELLO)
        assert await talk.receive() == CONNECT
        await talk.send(ACCEPT)
        assert await talk.receive() == HELLO
        assert not talk.waits
        assert await never_received(talk)
        assert talk.waits

    run(story)


def test_whoever_asks_for_more_is_heard_of_each_time() -> None:
    async def story() -> None:
        talk, _ = conversation()
        asked = []
        talk.on_idle = lambda: asked.append(talk.waits)
        await talk.receive()
        assert asked == []
        assert await never_received(talk)
        assert await never_received(talk)
        assert asked == [True, True]

    run(story)


def test_an_end_is_heard_once() -> None:
    async def story() -> None:
        talk, client = conversation(LEFT, replaying=True)
        await talk.receive()
        await talk.send(ACCEPT)
        assert await talk.receive() == LEFT
        assert talk.state is GONE
        with pytest.raises(OSError, match="gone"):
            await talk.send(SEND)
        await talk.send(CLOSE)
        assert client.told == []
        assert await never_received(talk)

    run(story)


@pytest.mark.parametrize(
    ("state", "code"),
    [(GONE, 1006), (CLOSED, 1006)],
)
def test_who_asks_after_the_end_hears_of_it_once(state: str, code: int) -> None:
    async def story() -> None:
        talk, _ = await led_to(state)
        assert await talk.receive() == CONNECT
        assert await talk.receive() == {"type": "websocket.disconnect", "code": code, "reason": ""}
        assert await never_received(talk)

    run(story)


def test_who_has_closed_hears_its_own_code() -> None:
    async def story() -> None:
        talk, _ = await led_to(OPEN)
        await talk.receive()
        await talk.send({**CLOSE, "code": 4321})
        assert (await talk.receive())["code"] == 4321

    run(story)


def test_a_task_that_waits_hears_that_another_has_closed_once_the_client_is_told() -> None:
    async def story() -> None:
        talk, client = await led_to(OPEN)
        await talk.receive()
        tasks = [asyncio.ensure_future(talk.receive()) for _ in range(2)]
        await asyncio.sleep(0)
        await talk.send({**CLOSE, "code": 4321})
        assert client.told[-1] == ("close", 4321, "")
        done, left = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        assert [task.result() for task in done] == [{"type": "websocket.disconnect", "code": 4321, "reason": ""}]
        await asyncio.sleep(0)
        assert talk.waits
        for task in left:
            task.cancel()
        await asyncio.wait(left)

    run(story)


def test_what_is_fed_wakes_who_waits() -> None:
    async def story() -> None:
        talk, _ = await led_to(OPEN)
        await talk.receive()
        task = asyncio.ensure_future(talk.receive())
        await asyncio.sleep(0)
        talk.feed(HELLO)
        assert not talk.waits
        assert await task == HELLO

    run(story)


def test_what_is_fed_before_anybody_asks_is_there_when_somebody_does() -> None:
    async def story() -> None:
        talk, _ = await led_to(OPEN)
        await talk.receive()
        talk.feed(HELLO)
        assert await talk.receive() == HELLO

    run(story)


def test_of_several_that_wait_one_hears_and_the_others_wait_on() -> None:
    async def story() -> None:
        talk, _ = await led_to(OPEN)
        await talk.receive()
        tasks = [asyncio.ensure_future(talk.receive()) for _ in range(3)]
        await asyncio.sleep(0)
        for number in range(3):
            message = {"type": "websocket.receive", "text": str(number)}
            talk.feed(message)
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            (first,) = done
            tasks.remove(first)
            assert first.result() == message
        assert not talk.waits

    run(story)


def test_one_that_waits_and_is_cancelled_does_not_end_the_others() -> None:
    async def story() -> None:
        talk, _ = await led_to(OPEN)
        await talk.receive()
        one, other = (asyncio.ensure_future(talk.receive()) for _ in range(2))
        await asyncio.sleep(0)
        one.cancel()
        await asyncio.wait({one})
        assert one.cancelled()
        talk.feed(HELLO)
        assert await other == HELLO

    run(story)


@pytest.mark.parametrize("state", [UNWINDING, ENDED])
def test_who_asks_while_unwinding_gets_nothing_and_no_exception(state: str) -> None:
    async def story() -> None:
        talk, _ = conversation(HELLO)
        await talk.receive()
        talk.state = state
        assert await never_received(talk)

    run(story)


# A replay


def test_a_replay_has_no_effect_up_to_the_first_message() -> None:
    async def story() -> None:
        talk, client = conversation(HELLO, replaying=True)
        await talk.receive()
        await talk.send({**ACCEPT, "subprotocol": "chat"})
        await talk.send(SEND)
        assert client.told == []
        await talk.receive()
        assert not talk.replaying
        await talk.send({**SEND, "text": "again"})
        assert client.told == ["again"]

    run(story)


@pytest.mark.parametrize("wrong", [{"text": 7}, {"text": "x" * (MESSAGE_LIMIT + 1)}])
def test_a_replay_refuses_what_was_refused(wrong: Any) -> None:
    async def story() -> None:
        talk, _ = conversation(HELLO, replaying=True)
        await talk.send(ACCEPT)
        with pytest.raises(InvalidMessage):
            await talk.send({"type": "websocket.send", **wrong})

    run(story)


def test_a_replay_that_closes_means_it() -> None:
    async def story() -> None:
        talk, client = conversation(HELLO, replaying=True)
        await talk.send({**CLOSE, "code": 1008})
        assert client.told == [("close", 1008, "")]

    run(story)


def test_a_replay_that_denies_means_it() -> None:
    async def story() -> None:
        talk, client = conversation(HELLO, replaying=True)
        await talk.send(START)
        await talk.send(BODY)
        assert [type(each) for each in client.told] == [Response]

    run(story)


# Several tasks


def test_what_several_tasks_send_leaves_in_the_order_in_which_they_asked() -> None:
    async def story() -> None:
        talk, client = await led_to(OPEN)
        texts = [str(number) for number in range(20)]
        await asyncio.gather(*(talk.send({**SEND, "text": text}) for text in texts))
        assert client.told[1:] == texts

    run(story)


def test_a_close_leaves_after_what_was_asked_for_before_it() -> None:
    async def story() -> None:
        talk, client = await led_to(OPEN)
        await asyncio.gather(talk.send(SEND), talk.send({**SEND, "text": "there"}), talk.send(CLOSE))
        assert client.told[1:] == ["hi", "there", ("close", 1000, "")]

    run(story)


def test_what_waits_for_its_turn_when_the_event_ends_reaches_nobody() -> None:
    async def story() -> None:
        talk, client = await led_to(OPEN)
        tasks = [asyncio.ensure_future(talk.send(SEND)) for _ in range(2)]
        await asyncio.sleep(0)
        talk.state = UNWINDING
        await asyncio.gather(*tasks)
        assert client.told[1:] == ["hi"]

    run(story)


def test_a_client_that_goes_while_the_event_ends_does_not_undo_the_end() -> None:
    async def story() -> None:
        talk, client = await led_to(OPEN)
        client.gone = True
        task = asyncio.ensure_future(talk.send(SEND))
        await asyncio.sleep(0)
        talk.state = UNWINDING
        with pytest.raises(ConnectionGone):
            await task
        assert talk.state is UNWINDING

    run(story)


def test_once_one_task_has_found_the_client_gone_the_others_are_told_without_another_try() -> None:
    async def story() -> None:
        talk, client = await led_to(OPEN)
        client.gone = True
        results = await asyncio.gather(*(talk.send(SEND) for _ in range(3)), return_exceptions=True)
        assert [type(result) for result in results] == [ConnectionGone] * 3
        assert talk.state is GONE
        client.gone = False
        with pytest.raises(ConnectionGone):
            await talk.send(SEND)

    run(story)


# Any sequence

ANY = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 5000),
    st.text(max_size=3),
    st.binary(max_size=3),
    st.lists(st.tuples(st.binary(max_size=3), st.binary(max_size=3)), max_size=2),
    st.lists(st.integers(), max_size=2),
)
FIELDS = ("text", "bytes", "code", "reason", "subprotocol", "headers", "status", "body", "more_body")
SAID = st.builds(
    lambda kind, fields: {**fields, "type": kind},
    st.sampled_from([*MESSAGES, "wrong"]),
    st.dictionaries(st.sampled_from(FIELDS), ANY, max_size=4),
)


@settings(max_examples=150, deadline=None)
@given(
    said=st.lists(st.sampled_from(list(MESSAGES.values())) | SAID, max_size=8),
    gone=st.booleans(),
    replaying=st.booleans(),
    message=st.sampled_from([None, HELLO, LEFT]),
)
def test_any_sequence_leads_to_a_state_of_the_table_and_raises_what_is_meant_for_applications(
    said: list[Message], gone: bool, replaying: bool, message: Message | None
) -> None:
    async def story() -> None:
        talk, client = conversation(message, replaying=replaying)
        client.gone = gone
        for each in said:
            before = talk.state, list(client.told)
            try:
                await talk.send(each)
            except AppError:
                assert (talk.state, client.told) == before
            except ConnectionGone:
                assert talk.state is GONE
            assert talk.state in TRANSITIONS
            assert talk.state not in (UNWINDING, ENDED)  # where only the run leads

    run(story)
