"""Streamed replies, collected."""

import asyncio

from lambent.dev import buffering
from lambent.dev.doors.model import PAYLOAD_LIMIT
from lambent.dev.model import Cause, Failed, Replied, Result, Streaming
from lambent.dev.stream import Stream


def collected(*pieces: bytes, failure: bytes | None = None) -> Replied | Failed:
    async def run() -> Replied | Failed:
        stream = Stream("", lambda _: None)
        for piece in pieces:
            stream.feed(piece)
        stream.end(failure)
        return await buffering.whole(Streaming(stream))

    return asyncio.run(run())


def test_what_is_whole_stays_as_it_is() -> None:
    results: list[Result] = [Replied(b"1"), Failed(Cause.TIMEOUT, b"2")]
    for result in results:
        assert asyncio.run(buffering.whole(result)) is result


def test_pieces_are_joined_with_all_that_comes_first() -> None:
    assert collected(b"{}", bytes(8), b"a", b"\xff") == Replied(b"{}" + bytes(8) + b"a\xff")


def test_a_reply_that_breaks_off_is_an_error() -> None:
    assert collected(b"a", failure=b"{}") == Failed(Cause.FUNCTION, b"{}")


def test_the_limit_of_whole_replies_holds() -> None:
    assert collected(b"a" * PAYLOAD_LIMIT) == Replied(b"a" * PAYLOAD_LIMIT)
    result = collected(b"a" * PAYLOAD_LIMIT, b"a")
    assert isinstance(result, Failed)
    assert b"Function.ResponseSizeTooLarge" in result.payload
