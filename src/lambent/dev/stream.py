"""A streamed reply on its way from a runtime to whoever asked: a pipe that holds little."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from lambent.errors import InvalidMessage

HIGH_WATER = 64 * 1024
"""Bytes that may wait; with more the runtime is not listened to, so that its writes wait."""

STREAM_LIMIT = 200 * 1024 * 1024
"""Bytes that a streamed reply may have (AWS: 200 MB)."""

PRELUDE_LIMIT = 16 * 1024
"""Bytes within which prelude and separator must end (AWS: 16 KB)."""

HTTP_INTEGRATION = "application/vnd.awslambda.http-integration-response"
"""The content type of a stream that begins with a prelude."""

SEPARATOR = bytes(8)
"""What stands between prelude and body."""


class StreamFailed(Exception):
    """The reply ended where it was not to end. `payload` is the error JSON."""

    def __init__(self, payload: bytes) -> None:
        super().__init__(payload)
        self.payload = payload


class Stream:
    """Pieces in the order in which they came. One side feeds and ends it, the other reads or abandons it.

    `throttle` is called with True when enough waits to be read, and with False when there is room again.
    """

    def __init__(self, content_type: str, throttle: Callable[[bool], object]) -> None:
        self.content_type = content_type
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the last piece has been fed."""
        self._throttle = throttle
        self._pieces: deque[bytes] = deque()
        self._waiting = 0
        self._total = 0
        self._throttled = False
        self._failure: bytes | None = None
        self._abandoned = False
        self._more = asyncio.Event()

    def feed(self, piece: bytes) -> bool:
        """Take a piece. Returns False if that is more than a reply may have: then it is dropped."""
        self._total += len(piece)
        if self._total > STREAM_LIMIT:
            return False
        if piece and not self._abandoned:
            self._pieces.append(piece)
            self._waiting += len(piece)
            self._set_throttle(self._waiting > HIGH_WATER)
            self._more.set()
        return True

    def end(self, failure: bytes | None = None) -> None:
        """No more will come; with an error JSON, that it should have. Once ended, it has ended."""
        if not self.ended.done():
            self._failure = failure
            self.ended.set_result(None)
            self._more.set()

    async def read(self) -> bytes:
        """Wait for the next piece. Empty at the end. Raises StreamFailed at the wrong one."""
        while not self._pieces and not self.ended.done():
            self._more.clear()
            await self._more.wait()
        if not self._pieces:
            if self._failure is not None:
                raise StreamFailed(self._failure)
            return b""
        piece = self._pieces.popleft()
        self._waiting -= len(piece)
        self._set_throttle(self._waiting > HIGH_WATER)
        return piece

    def abandon(self) -> None:
        """Nobody reads any more. The runtime is not told, as on AWS: it writes on, and what comes is dropped."""
        self._abandoned = True
        self._pieces.clear()
        self._waiting = 0
        self._set_throttle(False)

    def _set_throttle(self, throttled: bool) -> None:
        if throttled is not self._throttled:
            self._throttled = throttled
            self._throttle(throttled)


async def read_prelude(stream: Stream) -> tuple[bytes | None, bytes]:
    """The prelude's JSON, and what came of the body with it; None where the stream says that it has no prelude.

    Raises StreamFailed, and InvalidMessage if the separator does not come in time.
    """
    if stream.content_type != HTTP_INTEGRATION:
        return None, b""
    received = b""
    while len(received) <= PRELUDE_LIMIT:
        piece = await stream.read()
        received += piece
        prelude, separator, body = received.partition(SEPARATOR)
        if separator and len(prelude) + len(separator) <= PRELUDE_LIMIT:
            return prelude, body
        if not piece:
            break
    raise InvalidMessage(
        f"a streamed reply must begin with JSON and eight NUL bytes, within {PRELUDE_LIMIT} bytes, "
        f"but it begins with {received[:80]!r}."
    )
