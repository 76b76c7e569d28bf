"""The Runtime API, served: HTTP/1.1 by h11 over asyncio, a port for each environment.

Not by an ASGI server, because ASGI has no request trailers and a streamed response ends in them. A port each and not a
path each, because AWS's Python runtime takes none in AWS_LAMBDA_RUNTIME_API.
"""

from __future__ import annotations

import asyncio
from typing import cast

import h11

from lambent.dev.conversation import Answer, Call, Conversation, refusal
from lambent.dev.doors.model import PAYLOAD_LIMIT
from lambent.dev.extensions import Extensions
from lambent.dev.hosts import hostname, is_loopback
from lambent.dev.stream import Stream

# AWS drops an X-Ray cause of 1 MiB and more; it travels in a header.
HEAD_LIMIT = 2 * 1024 * 1024


class RuntimeAPI:
    """A conversation on a free port of the loopback, and what extensions say beside it."""

    def __init__(self, conversation: Conversation, extensions: Extensions) -> None:
        self._conversation = conversation
        self._extensions = extensions
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> str:
        """Listen. Returns the `host:port` that a runtime is told."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self._conversation, self._extensions, self._connections), "127.0.0.1", 0
        )
        host, port = self._server.sockets[0].getsockname()
        return f"{host}:{port}"

    def close(self) -> None:
        """Hang up on everyone."""
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.close()


class Connection(asyncio.Protocol):
    """One connection of the runtime: requests one after the other, each answered before the next is read."""

    def __init__(self, conversation: Conversation, extensions: Extensions, connections: set[Connection]) -> None:
        self._conversation = conversation
        self._extensions = extensions
        self._connections = connections
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_LIMIT)
        self._request: h11.Request | None = None
        self._body = bytearray()
        self._oversized = False
        self._stream: Stream | None = None
        """Where the body goes, if it is passed on piece by piece."""
        self._ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._connections.add(self)

    def close(self) -> None:
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._http.receive_data(data)
        self._advance()

    def eof_received(self) -> None:
        self._ended = True
        self._http.receive_data(b"")
        self._advance()

    def connection_lost(self, _error: Exception | None) -> None:
        self._connections.discard(self)
        self._cut_stream()
        self._conversation.hung_up(self._respond)

    def _advance(self) -> None:
        """Read as far as the bytes go."""
        try:
            while self._take(self._http.next_event()):
                pass
        except h11.RemoteProtocolError as error:
            self._refuse(error)

    def _take(self, event: h11.Event | type[h11.NEED_DATA | h11.PAUSED]) -> bool:
        """Take in one event; whether to look for another."""
        if isinstance(event, h11.Request):
            self._request, self._oversized = event, False
            self._body.clear()
            self._stream = self._streamed(call(event, b"", self._oversized, h11.EndOfMessage()))
            if self._http.they_are_waiting_for_100_continue:
                self._send(h11.InformationalResponse(status_code=100, headers=[], reason="Continue"))
        elif isinstance(event, h11.Data) and self._stream is not None:
            self._oversized = not self._stream.feed(bytes(event.data)) or self._oversized
        elif isinstance(event, h11.Data):
            # What is over the limit is read and dropped: the runtime is told 413 and goes on, on this connection.
            self._oversized = self._oversized or len(self._body) + len(event.data) > PAYLOAD_LIMIT
            if not self._oversized:
                self._body += event.data
        elif isinstance(event, h11.EndOfMessage) and self._stream is not None:
            stream, self._stream = self._stream, None
            self._respond(self._conversation.end_stream(stream, list(event.headers), oversized=self._oversized))
        elif isinstance(event, h11.EndOfMessage) and self._request is not None:
            self._pass_on(call(self._request, bytes(self._body), self._oversized, event))
        elif isinstance(event, h11.ConnectionClosed):
            self._transport.close()
            return False
        return event is not h11.NEED_DATA and event is not h11.PAUSED

    def _streamed(self, head: Call) -> Stream | None:
        return self._conversation.stream(head, self._throttle) if is_ours(head) else None

    def _cut_stream(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            self._conversation.cut_stream(stream)

    def _throttle(self, throttled: bool) -> None:
        """What is not read stays with the runtime, which waits."""
        if throttled:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _pass_on(self, call: Call) -> None:
        """To the conversation, unless the request is a browser's, led here by DNS rebinding."""
        if not is_ours(call):
            self._respond(refusal(403, "AccessDenied", "The Runtime API answers to its address only"))
        elif not self._extensions.take(call, self._respond):
            self._conversation.call(call, self._respond)

    def _respond(self, answer: Answer) -> None:
        """Answer the request that was read last, and make ready for another."""
        if self._transport.is_closing():
            return
        length = (b"content-length", str(len(answer.body)).encode())
        self._send(
            h11.Response(status_code=answer.status, headers=[*answer.headers, length]),
            h11.Data(data=answer.body),
            h11.EndOfMessage(),
        )
        if self._http.our_state is h11.MUST_CLOSE:
            self._transport.close()
            return
        self._http.start_next_cycle()
        if self._http.trailing_data[0]:
            asyncio.get_running_loop().call_soon(self._advance)

    def _send(self, *events: h11.Event) -> None:
        self._transport.write(b"".join(self._http.send(event) or b"" for event in events))

    def _refuse(self, error: h11.RemoteProtocolError) -> None:
        """Malformed HTTP, or a body that was cut off: told so, if nothing was answered yet, and hung up on."""
        self._cut_stream()
        if self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            truncated = refusal(400, "TruncatedHTTPRequest", "HTTP request detected as truncated")
            self._respond(truncated if self._ended else refusal(400, "InvalidRequest", f"Malformed HTTP: {error}"))
        self._transport.close()


def is_ours(call: Call) -> bool:
    """Whether it asks for this very machine: a runtime does."""
    return is_loopback(hostname(f"//{call.headers.get('host', '')}"))


def call(request: h11.Request, body: bytes, oversized: bool, end: h11.EndOfMessage) -> Call:
    return Call(
        method=request.method.decode("ascii"),
        path=request.target.partition(b"?")[0].decode("latin-1"),
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers},
        body=body,
        oversized=oversized,
        trailers=list(end.headers),
    )
