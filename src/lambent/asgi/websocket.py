"""One WebSocket's conversation with the application: up to where it asks for more than has come.

    CONNECTING ──accept──▶ OPEN ──close──▶ CLOSED
      │  │                  └──the client has gone──▶ GONE
      │  └──http.response.start──▶ DENYING ──its last body──▶ CLOSED
      └──close──▶ CLOSED

    any of them ──the event has no more to give──▶ UNWINDING ──the application has ended──▶ ENDED

While it is a replay, what the application accepts and sends has no effect: it had, when it was new. That ends with the
first message that it receives beyond `websocket.connect`.
Source: asgi.readthedocs.io, "HTTP & WebSocket ASGI Message Format", version 2.5.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from lambent.asgi.http import as_bytes, checked_headers, checked_status
from lambent.errors import ConnectionGone, InvalidMessage, UnexpectedMessage
from lambent.gateway.model import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from lambent.types import Message, RawHeaders

    Step = Callable[["WebSocketConversation", Message], Awaitable[None]]

CONNECTING = "connecting"
OPEN = "open"
DENYING = "denying"
CLOSED = "closed"
GONE = "gone"
UNWINDING = "unwinding"
ENDED = "ended"

MESSAGE_LIMIT = 128 * 1024
"""Bytes that API Gateway takes as one message."""

ABNORMAL = 1006


class Peer(Protocol):
    """The client, as far as an application reaches it. A `send` to one that has gone raises ConnectionGone."""

    async def accept(self, subprotocol: str | None, headers: RawHeaders) -> None: ...
    async def send(self, data: str | bytes) -> None: ...
    async def close(self, code: int, reason: str) -> None:
        """Before it was accepted: refuse it."""

    async def deny(self, response: Response) -> None:
        """Refuse it with a response."""


class WebSocketConversation:
    """Plays the server's part towards the application. `message` is what comes after `websocket.connect`."""

    __slots__ = (
        "_body",
        "_code",
        "_connected",
        "_fed",
        "_headers",
        "_message",
        "_status",
        "_turn",
        "accepted",
        "on_idle",
        "peer",
        "replaying",
        "state",
        "waiting",
    )

    _status: int
    _headers: RawHeaders
    _body: bytearray

    def __init__(self, peer: Peer, message: Message | None, *, replaying: bool) -> None:
        self.state = CONNECTING
        self.accepted = False
        self.replaying = replaying
        self.on_idle: Callable[[], object] = _nothing
        """Called each time that the application asks for more than there is."""
        self.peer = peer
        self._message = message
        self._connected = False
        self._code = ABNORMAL
        self._fed: asyncio.Future[None] | None = None
        self.waiting: set[asyncio.Task[object] | None] = set()
        """Tasks that ask for more than there is."""
        self._turn = asyncio.Lock()
        """Held for a send: what several tasks send leaves in the order in which they asked."""

    @property
    def waits(self) -> bool:
        """Whether the application asks for more than there is."""
        return self._fed is not None

    def feed(self, message: Message) -> None:
        """Give an application that waits what it waits for."""
        self._message = message
        self._wake()

    async def receive(self) -> Message:
        """The application's `receive`. Where there is nothing to give, it does not return, and never raises."""
        if not self._connected:
            self._connected = True
            return {"type": "websocket.connect"}
        while (message := self._take()) is None:
            fed = self._fed
            if fed is None:
                fed = self._fed = asyncio.get_running_loop().create_future()
            self.on_idle()
            task = asyncio.current_task()
            self.waiting.add(task)
            try:
                await asyncio.shield(fed)  # several may wait, and one that is cancelled must not end the others
            finally:
                self.waiting.discard(task)
        return message

    def _take(self) -> Message | None:
        """What there is to receive: the message that has come, or else the end, once."""
        if self.state in (UNWINDING, ENDED):
            return None
        message, self._message = self._message, None
        if message is not None:
            self.replaying = False
            if message["type"] == "websocket.disconnect":
                self.state, self._code = GONE, 0
        elif self.state in (CLOSED, GONE) and self._code:
            message = {"type": "websocket.disconnect", "code": self._code, "reason": ""}
            self._code = 0
        return message

    def _wake(self) -> None:
        fed, self._fed = self._fed, None
        if fed is not None and not fed.done():
            fed.set_result(None)

    async def send(self, message: Message) -> None:
        """The application's `send`. Raises UnexpectedMessage or InvalidMessage, and then has changed nothing.

        Raises ConnectionGone, an OSError, where the client has gone, and after the end of the event.
        """
        step = TRANSITIONS[self.state].get(message["type"])
        if step is None:
            raise refused(self.state, message)
        await step(self, message)

    async def accept(self, message: Message) -> None:
        """Let the client in."""
        subprotocol = message.get("subprotocol")
        if subprotocol is not None and (not isinstance(subprotocol, str) or not subprotocol.isprintable()):
            raise InvalidMessage(f"Expected `subprotocol` to be a name or None, but got {subprotocol!r:.80}.")
        headers = checked_headers(message.get("headers") or ())
        self.state = OPEN
        self.accepted = True
        if not self.replaying:
            await self.peer.accept(subprotocol, headers)

    async def pass_on(self, message: Message) -> None:
        """Send the client a message."""
        data = _data(message)
        if self.replaying:
            return
        async with self._turn:
            if self.state not in (OPEN, CLOSED):  # a close that came while this one waited has its turn after it
                await self.send(message)
                return
            try:
                await self.peer.send(data)
            except ConnectionGone:
                if self.state in (OPEN, CLOSED):
                    self.state = GONE
                raise

    async def close(self, message: Message) -> None:
        """End the connection, or refuse it."""
        code = message.get("code", 1000)
        if not isinstance(code, int) or not 1000 <= code <= 4999:
            raise InvalidMessage(f"Expected `code` to be an integer from 1000 to 4999, but got {code!r:.80}.")
        self._code = int(code) if self.accepted else ABNORMAL
        self.state = CLOSED
        async with self._turn:
            try:
                await self.peer.close(int(code), str(message.get("reason") or ""))
            finally:
                self._wake()  # a task that waits, be it of an event that is over, hears of it

    async def begin_denial(self, message: Message) -> None:
        """Take the status and the headers of a refusal."""
        self._status = checked_status(message.get("status"))
        self._headers = checked_headers(message.get("headers", ()))
        self._body = bytearray()
        self.state = DENYING

    async def extend_denial(self, message: Message) -> None:
        """Take one piece of its body."""
        self._body += as_bytes(message.get("body", b""))
        if not message.get("more_body", False):
            self.state = CLOSED
            await self.peer.deny(Response(self._status, self._headers, bytes(self._body)))

    async def lose(self, _: Message) -> None:
        """There is nobody to send to. Raises ConnectionGone."""
        raise ConnectionGone("The client has gone: what is sent does not reach it.", 410, "GoneException")

    async def come_late(self, message: Message) -> None:
        """The event is over. Raises ConnectionGone."""
        raise ConnectionGone(
            f"{message['type']!r} was sent after the end of the event that it belongs to. What is to be sent later "
            "goes through lambent.Connections."
        )

    async def drop(self, message: Message) -> None:
        """Do nothing."""


TRANSITIONS: dict[str, dict[str, Step]] = {
    CONNECTING: {
        "websocket.accept": WebSocketConversation.accept,  # → OPEN
        "websocket.close": WebSocketConversation.close,  # → CLOSED
        "websocket.http.response.start": WebSocketConversation.begin_denial,  # → DENYING
    },
    OPEN: {
        "websocket.send": WebSocketConversation.pass_on,  # → OPEN, or GONE
        "websocket.close": WebSocketConversation.close,  # → CLOSED
    },
    DENYING: {"websocket.http.response.body": WebSocketConversation.extend_denial},  # → DENYING, with the last → CLOSED
    CLOSED: {},
    GONE: {"websocket.send": WebSocketConversation.lose, "websocket.close": WebSocketConversation.drop},
    UNWINDING: dict.fromkeys(
        (
            "websocket.accept",
            "websocket.send",
            "websocket.close",
            "websocket.http.response.start",
            "websocket.http.response.body",
        ),
        WebSocketConversation.drop,
    ),
    ENDED: dict.fromkeys(("websocket.accept", "websocket.send", "websocket.close"), WebSocketConversation.come_late),
}


def refused(state: str, message: Message) -> UnexpectedMessage:
    """Say what an application may send in this state, and what it did."""
    expected = " or ".join(map(repr, TRANSITIONS[state])) or "nothing after it has closed the connection"
    return UnexpectedMessage(f"Expected the application to send {expected}, but it sent {message['type']!r}.")


def _data(message: Message) -> str | bytes:
    """What is to be sent. Raises InvalidMessage unless it is text or bytes, one of them, of a size that may be."""
    given, text = message.get("bytes"), message.get("text")
    data: str | bytes
    if text is not None:
        if given is not None or not isinstance(text, str):
            raise InvalidMessage(f"Expected either `text`, a string, or `bytes`, but got {_types(text, given)}.")
        data = text
        size = len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
    elif given is not None:
        data = as_bytes(given)
        size = len(data)
    else:
        raise InvalidMessage("Expected `text` or `bytes` in 'websocket.send', but both are missing.")
    if size > MESSAGE_LIMIT:
        raise InvalidMessage(
            f"The message has {size} bytes, and API Gateway takes {MESSAGE_LIMIT}. Send it in pieces, or a link to it."
        )
    return data


def _types(text: object, data: object) -> str:
    return f"`text` of type {type(text).__name__} and `bytes` of type {type(data).__name__}"


def _nothing() -> None: ...
