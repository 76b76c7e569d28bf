"""One client's side of a WebSocket: bytes in, messages out. uvicorn hands upgrade requests over to it.

    a request ──▶ Host.arrived ──▶ accept ──▶ Guest.message …  ──▶ Guest.ended
                                └▶ refuse

What is longer than API Gateway takes, and what is no text, ends the connection. Nothing is compressed. What a client
does not read is kept up to a limit, and then the connection is dropped.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar, Protocol, cast

from websockets.datastructures import Headers
from websockets.exceptions import PayloadTooBig
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from lambent.dev.doors import websocket_api
from lambent.dev.doors.model import HTTPReply, HTTPRequest
from lambent.dev.doors.websocket_api import BINARY, FRAME_LIMIT, LOST, MESSAGE_LIMIT, TOO_LONG, WITHOUT_CODE, Close

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState

BUFFER_LIMIT = 2 * 1024 * 1024
"""Bytes that wait for a client to read them, give or take a message."""
EARLY_LIMIT = 64 * 1024
"""Bytes that a client may send before it has been let in, its request included: uvicorn hands that over whole."""
CLOSING = 5.0
"""Seconds that a client has to answer a close frame, and to hang up after that."""


class Guest(Protocol):
    """Whoever looks after one wire."""

    def message(self, text: str) -> None:
        """The client has sent one."""

    def touched(self) -> None:
        """The client has sent a ping or a pong."""

    def ended(self, close: Close) -> None:
        """It is over, whoever ended it; before it was accepted, the client has gone away. Said once."""


class Host(Protocol):
    """Whoever lets clients in."""

    def arrived(self, wire: Wire, request: HTTPRequest) -> Guest:
        """A client wants to come in: accept it or refuse it, at any time."""


def of(host: Host) -> type[Wire]:
    """Those of one host, as uvicorn makes them."""
    return type("HostedWire", (Wire,), {"host": host})


class Wire(asyncio.Protocol):
    """A connection of uvicorn's, from its upgrade request on: see `of`."""

    host: ClassVar[Host]

    def __init__(self, config: Config, server_state: ServerState, app_state: dict[str, object]) -> None:
        del config, app_state
        self.transport: asyncio.Transport
        self._connections = cast("set[object]", server_state.connections)
        self._protocol = ServerProtocol(max_size=MESSAGE_LIMIT)
        self._guest: Guest | None = None
        self._agreed: Response | None = None
        """What lets the client in, until it was sent."""
        self._early = bytearray()
        self._message = bytearray()
        self._over = False
        """Whether the guest knows that."""
        self._timer: asyncio.TimerHandle | None = None

    @property
    def buffered(self) -> int:
        """Bytes that the client has not read."""
        return self.transport.get_write_buffer_size()

    # What its guest does

    def accept(self, subprotocol: str) -> None:
        """Let the client in."""
        response, self._agreed = self._agreed, None
        if response is None or self._over:
            return
        if subprotocol:
            response.headers["Sec-WebSocket-Protocol"] = subprotocol
        self._protocol.send_response(response)
        self._flush()
        early, self._early = bytes(self._early), bytearray()
        self.resume()
        if early:
            self._feed(early)

    def refuse(self, reply: HTTPReply) -> None:
        """Answer in place of letting the client in."""
        self._agreed = None
        if self.transport.is_closing():
            return
        headers = Headers([(name.decode("latin-1"), value.decode("latin-1")) for name, value in reply.headers])
        headers["Content-Length"] = str(len(reply.body))
        headers["Connection"] = "close"
        phrase = HTTPStatus(reply.status).phrase if reply.status in set(HTTPStatus) else ""
        self._over = True
        self._protocol.send_response(Response(reply.status, phrase, headers, reply.body))
        self._flush()

    def send(self, text: bytes) -> bool:
        """Send a message of UTF-8. False: the client has not read for so long that it is dropped, or is gone."""
        if self._protocol.state is not OPEN:
            return False
        self._protocol.send_text(text)
        return self._flush()

    def close(self, close: Close) -> None:
        """End the connection, if it has been accepted and goes on."""
        if self._protocol.state is OPEN:
            self._protocol.send_close(close.code, close.reason)
            self._flush()
            self._hurry()

    def pause(self) -> None:
        """Read no more for now."""
        if not self.transport.is_closing():
            self.transport.pause_reading()

    def resume(self) -> None:
        if not self.transport.is_closing():
            self.transport.resume_reading()

    # What uvicorn does

    def shutdown(self) -> None:
        """The server stops: whoever has accepted it has ended it."""
        self.close(websocket_api.GOING_AWAY)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        if self._guest is not None and self._agreed is None:
            self._feed(data)
            return
        self._early += data
        if self._guest is None and not self._over:
            self._take_head()
        if len(self._early) > EARLY_LIMIT:
            self.pause()

    def eof_received(self) -> None:
        self._protocol.receive_eof()
        self._end(LOST)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._connections.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        self._end(LOST)

    # What the client has sent

    def _take_head(self) -> None:
        """What comes behind the request has to wait: it is answered after that."""
        head, end, rest = self._early.partition(b"\r\n\r\n")
        if end:
            self._early = rest
            self._feed(bytes(head + end))

    def _feed(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Request):
                self._arrive(event)
            elif isinstance(event, Frame) and not self._over:
                self._frame(event)
        if self._protocol.handshake_exc is not None and self._guest is None:
            self._agreed = None
            self._over = True
            self._hurry()
        elif (error := self._protocol.parser_exc) is not None:
            sent = self._protocol.close_sent
            self._end(TOO_LONG if isinstance(error, PayloadTooBig) else Close(sent.code, sent.reason) if sent else LOST)
        self._flush()

    def _arrive(self, request: Request) -> None:
        """A handshake that is none is answered here."""
        response = self._protocol.accept(request)
        if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            self._protocol.send_response(response)
            return
        self._agreed = response
        self._guest = self.host.arrived(self, self._read(request))

    def _read(self, request: Request) -> HTTPRequest:
        path, _, query = request.path.partition("?")
        secure = self.transport.get_extra_info("sslcontext") is not None
        peer = self.transport.get_extra_info("peername")
        told = request.headers.raw_items()
        fields = [(name.lower().encode(), value.encode("latin-1", "surrogateescape")) for name, value in told]
        return HTTPRequest(
            "GET",
            path.encode(),
            query.encode(),
            fields,
            b"",
            (str(peer[0]), int(peer[1])) if isinstance(peer, tuple) else ("127.0.0.1", 0),
            "https" if secure else "http",
            "1.1",
        )

    def _frame(self, frame: Frame) -> None:
        guest = self._guest
        if guest is None:
            return
        if frame.opcode in (Opcode.PING, Opcode.PONG):
            guest.touched()
        elif frame.opcode is Opcode.CLOSE:
            received = self._protocol.close_rcvd
            told = Close(received.code, received.reason) if received else LOST
            self._end(WITHOUT_CODE if told.code == WITHOUT_CODE.code else told)
        elif frame.opcode is Opcode.BINARY:
            self._fail(BINARY)
        elif len(frame.data) > FRAME_LIMIT or len(self._message) + len(frame.data) > MESSAGE_LIMIT:
            self._fail(TOO_LONG)
        else:
            self._message += frame.data
            if frame.fin:
                self._whole(guest)

    def _whole(self, guest: Guest) -> None:
        message, self._message = self._message, bytearray()
        try:
            text = message.decode()
        except UnicodeDecodeError:
            self._fail(Close(1007, "Invalid UTF-8"))
        else:
            guest.message(text)

    # The end

    def _fail(self, close: Close) -> None:
        """End it at once: what the client still sends is not read."""
        self._protocol.fail(close.code, close.reason)
        self._flush()
        self._end(close)

    def _end(self, close: Close) -> None:
        if not self._over:
            self._over = True
            if self._guest is not None:
                self._guest.ended(close)

    def _flush(self) -> bool:
        """Write what is to be written. False: the client is dropped."""
        for data in self._protocol.data_to_send():
            if self.transport.is_closing():
                return False
            if data:
                self.transport.write(data)
            else:
                self._hang_up()
        if self.buffered > BUFFER_LIMIT:
            self.transport.abort()
            self._end(LOST)
            return False
        return not self.transport.is_closing()

    def _hang_up(self) -> None:
        """Say that nothing follows; but hear the client out, for a reset would take from it what it has not read.

        TLS cannot say that: where the client has nothing more to say, it is the end; else it has a second.
        """
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self._hurry()
        elif self._protocol.close_rcvd or self._protocol.close_sent is None:
            self.transport.close()
        else:
            self._hurry(1.0)

    def _hurry(self, seconds: float = CLOSING) -> None:
        """The client has not for ever."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self.transport.abort)
