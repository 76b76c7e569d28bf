"""What is sent: seen by the log, with the request's id; and the clock that stops when it begins."""

from __future__ import annotations

import asyncio

import pytest

from lambent.api.access_log import Entry
from lambent.api.reply import Begun, noted
from lambent.types import Message, Send
from tests.api.asking import run


class Sent(list[Message]):
    async def __call__(self, message: Message) -> None:
        self.append(message)


def entry() -> Entry:
    return Entry("GET", "/", "abc", None, None, None)


def test_the_status_is_noted_and_the_id_is_added() -> None:
    sent, told = Sent(), entry()

    async def main() -> None:
        reply = noted(sent, told)
        await reply({"type": "http.response.start", "status": 201, "headers": [(b"a", b"b")]})
        await reply({"type": "http.response.body", "body": b"x"})

    run(main())
    assert told.status_code == 201
    assert sent == [
        {"type": "http.response.start", "status": 201, "headers": [(b"a", b"b"), (b"x-request-id", b"abc")]},
        {"type": "http.response.body", "body": b"x"},
    ]


@pytest.mark.parametrize("given", [[(b"x-request-id", b"own")], ((b"x-request-id", b"own"),)])
def test_an_id_of_the_response_stays(given: list[tuple[bytes, bytes]]) -> None:
    sent = Sent()
    run(_sent(noted(sent, entry()), {"type": "http.response.start", "status": 200, "headers": given}))
    assert sent[0]["headers"] is given


def test_headers_need_not_be_there_and_the_message_stays_as_it_is() -> None:
    sent = Sent()
    message: Message = {"type": "http.response.start", "status": 200}
    run(_sent(noted(sent, entry()), message))
    assert list(sent[0]["headers"]) == [(b"x-request-id", b"abc")]
    assert message == {"type": "http.response.start", "status": 200}


def test_other_messages_are_passed_on() -> None:
    sent, told = Sent(), entry()
    push: Message = {"type": "http.response.push", "path": "/", "headers": []}
    run(_sent(noted(sent, told), push))
    assert sent[0] is push
    assert told.status_code == 0


def test_the_clock_stops_when_the_response_begins() -> None:
    sent = Sent()

    async def main() -> None:
        async with asyncio.timeout(0.01) as timer:
            begun = Begun(sent, timer)
            assert not begun.begun
            await begun({"type": "http.response.start", "status": 200})
            assert begun.begun
            assert timer.when() is None
            await asyncio.sleep(0.02)
            await begun({"type": "http.response.body"})

    run(main())
    assert len(sent) == 2


def test_a_response_that_begins_too_late_begins_nevertheless_and_the_clock_has_run_out() -> None:
    sent = Sent()

    async def late(begun: Begun, timer: asyncio.Timeout) -> None:
        async with timer:
            try:
                await asyncio.Event().wait()
            finally:
                await begun({"type": "http.response.start", "status": 200})

    async def main() -> None:
        timer = asyncio.timeout(0)
        begun = Begun(sent, timer)
        with pytest.raises(TimeoutError):
            await late(begun, timer)
        assert begun.begun

    run(main())
    assert len(sent) == 1


async def _sent(reply: Send, message: Message) -> None:
    await reply(message)
