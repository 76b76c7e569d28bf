"""One HTTP request's conversation with the application, whose response leaves piece by piece.

    AWAIT_START ──http.response.start──▶ AWAIT_BODY ──http.response.body──▶ STREAMING ──http.response.body──▶ COMPLETE
                                             │ whole: as in `http.py`         ▲  │ more_body          │
                                             ▼                                └──┘                    ▼ it was not taken
                                          COMPLETE                                                 FAILED

The stream begins with the first piece of the body, so that an application that fails before it can still be answered
for. A response that is whole at once, or must be held, goes the way of any other.
"""

from __future__ import annotations

from lambent.asgi.http import AWAIT_BODY, COMPLETE, FAILED, HTTPConversation, as_bytes, refused
from lambent.gateway.model import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from lambent.types import Message, Writer

STREAMING = "streaming http.response.body"

_AT_ONCE = 1 << 16
"""Bytes of a whole body that are not worth a stream."""


class StreamedConversation(HTTPConversation):
    """Plays the server's part towards the application for one request.

    `may_stream` is asked with the status; `begin_stream` is given the response without its body. With `pad`, a stream
    that would have no body gets a space.
    """

    __slots__ = ("_begin_stream", "_empty", "_may_stream", "_writer")

    def __init__(
        self,
        body: bytes,
        respond: Callable[[Response], Awaitable[None]],
        head: bool,
        may_stream: Callable[[int], bool],
        begin_stream: Callable[[Response], Awaitable[Writer]],
        pad: bool = False,
    ) -> None:
        super().__init__(body, respond, head)
        self._may_stream = may_stream
        self._begin_stream = begin_stream
        self._empty = pad
        self._writer: Writer | None = None

    @property
    def began(self) -> bool:
        """Whether a part of the response may be with the client."""
        return self._writer is not None

    async def send(self, message: Message) -> None:
        """The application's `send`. Raises OSError too, if nobody takes the response any more."""
        if self.state is STREAMING or self._begins(message):
            await self._pass_on(message)
        else:
            await super().send(message)

    def _begins(self, message: Message) -> bool:
        """Whether this is the first piece of a body that is to be streamed."""
        if self.state is not AWAIT_BODY or self._chunks is not None or message["type"] != "http.response.body":
            return False
        if not message.get("more_body", False):
            body = message.get("body", b"")
            if type(body) is bytes and len(body) <= _AT_ONCE:
                return False
        return not self._head and self._may_stream(self._status)

    async def _pass_on(self, message: Message) -> None:
        if message["type"] != "http.response.body":
            raise refused(STREAMING, message)
        body = message.get("body", b"")
        if type(body) is not bytes:
            body = as_bytes(body)
        try:
            if self._writer is None:
                self._writer = await self._begin_stream(Response(self._status, self._headers, b""))
                self.state = STREAMING
            more = message.get("more_body", False)
            if body or (self._empty and not more):
                self._empty = False
                await self._writer.write(body or b" ")
            if not more:
                await self._writer.close()
                self.state = COMPLETE
        except BaseException:
            self.state = FAILED
            raise
        finally:
            if self.state is not STREAMING:
                self._disconnect()
