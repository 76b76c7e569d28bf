"""One HTTP request's conversation with the application.

    AWAIT_START ──http.response.start──▶ AWAIT_BODY ──http.response.body──▶ COMPLETE
                                          ▲      │                              │
                                          └──────┘ more_body    FAILED ◀────────┘ it could not be delivered

`receive` gives the body, whole; then it waits until the response is complete, or the time for it is up, and gives
`http.disconnect` for ever.
Source: asgi.readthedocs.io, "HTTP & WebSocket ASGI Message Format", version 2.5.
"""

from __future__ import annotations

import asyncio

from lambent.errors import InvalidMessage, UnexpectedMessage
from lambent.gateway.model import Response
from lambent.invocation import CURRENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from lambent.types import Message, RawHeaders

AWAIT_START = "awaiting http.response.start"
AWAIT_BODY = "awaiting http.response.body"
COMPLETE = "complete"
FAILED = "failed"


class HTTPConversation:
    """Plays the server's part towards the application for one request.

    `respond` is awaited once, with the whole response, inside the application's own last `send`. With `head`, the body
    that the application sends is dropped, as a server does.
    """

    __slots__ = ("_body", "_chunks", "_ended", "_head", "_headers", "_respond", "_status", "state")

    _status: int
    _headers: RawHeaders

    def __init__(self, body: bytes, respond: Callable[[Response], Awaitable[None]], head: bool = False) -> None:
        self.state = AWAIT_START
        self._body: bytes | None = body
        self._respond = respond
        self._head = head
        self._chunks: list[bytes] | None = None
        self._ended: asyncio.Future[None] | None = None

    @property
    def began(self) -> bool:
        """Whether a part of the response may be with the client: never, for it is sent whole."""
        return False

    async def receive(self) -> Message:
        """The application's `receive`."""
        body = self._body
        if body is not None:
            self._body = None
            return {"type": "http.request", "body": body, "more_body": False}
        if self.state is not COMPLETE and self.state is not FAILED:
            if self._ended is None:
                self._ended = asyncio.get_running_loop().create_future()
                invocation = CURRENT.get(None)
                if invocation is not None:
                    invocation.listen(self._disconnect)
            await asyncio.shield(self._ended)  # several may wait, and one that is cancelled must not end the others
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """The application's `send`. Raises UnexpectedMessage or InvalidMessage, and then has changed nothing."""
        step = TRANSITIONS[self.state].get(message["type"])
        if step is None:
            raise refused(self.state, message)
        response = step(self, message)
        if response is not None:
            try:
                await self._respond(response)
            except BaseException:
                self.state = FAILED
                raise
            finally:
                self._disconnect()

    def fail(self) -> None:
        """The response will never be complete: `receive` gives `http.disconnect` from now on."""
        self.state = FAILED
        self._disconnect()

    def _disconnect(self) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)

    def begin(self, message: Message) -> None:
        """Take the status and the headers."""
        status = message.get("status")
        self._status = status if type(status) is int and 100 <= status <= 999 else checked_status(status)
        self._headers = checked_headers(message.get("headers", ()))
        self.state = AWAIT_BODY

    def extend(self, message: Message) -> Response | None:
        """Take one piece of the body; with the last one the response is complete, and returned."""
        body = message.get("body", b"")
        if type(body) is not bytes:
            body = as_bytes(body)
        if message.get("more_body", False):
            self._chunks = self._chunks or []
            self._chunks.append(body)
            return None
        if self._chunks is not None:
            self._chunks.append(body)
            body = b"".join(self._chunks)
        self.state = COMPLETE
        return Response(self._status, self._headers, b"" if self._head else body)


TRANSITIONS: dict[str, dict[str, Callable[[HTTPConversation, Message], Response | None]]] = {
    AWAIT_START: {"http.response.start": HTTPConversation.begin},  # → AWAIT_BODY
    AWAIT_BODY: {"http.response.body": HTTPConversation.extend},  # → AWAIT_BODY with more_body, else → COMPLETE
    COMPLETE: {},
    FAILED: {},
}


def refused(state: str, message: Message) -> UnexpectedMessage:
    """Say what an application may send in this state, and what it did."""
    *waits, expected = state.split(" ")
    what = repr(expected) if waits else "nothing after its response"
    return UnexpectedMessage(f"Expected the application to send {what}, but it sent {message['type']!r}.")


def checked_status(status: object) -> int:
    if isinstance(status, int) and 100 <= status <= 999:
        return int(status)  # an HTTPStatus too
    raise InvalidMessage(f"Expected `status` to be an integer from 100 to 999, but got {status!r}.")


def checked_headers(pairs: Iterable[tuple[bytes, bytes]]) -> RawHeaders:
    """Put the names in lower case and refuse what could end a field early. Any iterable of pairs of bytes will do.

    CR, LF and NUL must not be in a field (RFC 9110, 5.5): the door would take what follows for another field.
    """
    headers = []
    try:
        for name, value in pairs:
            if 10 in (field := name + value) or 13 in field or 0 in field:  # str, int, list: a TypeError
                raise InvalidMessage(
                    f"Expected header fields without CR, LF and NUL, but {name!r:.80} has one: nothing is sent."
                )
            headers.append((name.lower(), value))
    except (TypeError, ValueError, AttributeError):
        raise InvalidMessage(f"Expected `headers` to be pairs of bytes, but got {pairs!r:.200}.") from None
    return headers


def as_bytes(body: object) -> bytes:
    """Take what has a buffer. Raises InvalidMessage."""
    try:
        return bytes(memoryview(body))  # type: ignore[arg-type]  # what has no buffer raises the TypeError
    except TypeError:
        raise InvalidMessage(f"Expected `body` to be bytes, but got a {type(body).__name__}.") from None
