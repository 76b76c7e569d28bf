"""A streamed reply for an invoker that takes it whole, or not at all."""

from __future__ import annotations

import asyncio

from lambent.dev import failures
from lambent.dev.doors.model import PAYLOAD_LIMIT
from lambent.dev.model import Cause, Failed, Replied, Result, Streaming
from lambent.dev.stream import Stream, StreamFailed


async def whole(result: Result) -> Replied | Failed:
    """The result, once all of it is there: prelude and separator too, as AWS delivers it."""
    return await read(result.stream) if isinstance(result, Streaming) else result


async def read(stream: Stream) -> Replied | Failed:
    received = bytearray()
    try:
        while piece := await stream.read():
            received += piece
            if len(received) > PAYLOAD_LIMIT:
                return failures.too_large()
    except StreamFailed as error:
        return Failed(Cause.FUNCTION, error.payload)
    finally:
        stream.abandon()
    return Replied(bytes(received))


def let_go(result: asyncio.Future[Result]) -> None:
    """Nobody takes it any more; a streamed one is not to wait for that."""
    if not result.cancelled() and isinstance(late := result.result(), Streaming):
        late.stream.abandon()
