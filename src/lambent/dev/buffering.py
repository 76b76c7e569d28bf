"""A streamed reply for an invoker that takes it whole."""

from __future__ import annotations

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
