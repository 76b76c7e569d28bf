"""The Runtime API, served: HTTP/1.1 over asyncio, a port for each environment.

A port each and not a path each, because AWS's Python runtime takes none in AWS_LAMBDA_RUNTIME_API.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import lru_cache
from http.client import responses
from typing import Protocol, cast

from lambent.dev.conversation import Answer, Call, Conversation, Respond, refusal
from lambent.dev.doors.model import PAYLOAD_LIMIT, RawHeaders
from lambent.dev.hosts import hostname, is_loopback
from lambent.dev.http_requests import End, Event, Head, Malformed, Requests
from lambent.dev.stream import Stream

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
TRUNCATED = refusal(400, "TruncatedHTTPRequest", "HTTP request detected as truncated")
NONE = Head("", "", {}, keeps_alive=False)
"""In place of a request that did not come through. With its answer the connection ends."""

LINE_ENDS = bytes.maketrans(b"\r\n\0", b"   ")
ELSEWHERE = refusal(403, "AccessDenied", "The Runtime API answers to its address only")


class Side(Protocol):
    """What else is spoken on the same port."""

    def take(self, call: Call, respond: Respond) -> bool:
        """Answer a request, now, later or never, if it is one of its own. Returns whether it is."""


class RuntimeAPI:
    """A conversation on a free port of the loopback. What is said beside it goes to `sides`, which are asked first."""

    def __init__(self, conversation: Conversation, *sides: Side) -> None:
        self._conversation = conversation
        self._sides = sides
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> str:
        """Listen. Returns the `host:port` that a runtime is told."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self._conversation, self._sides, self._connections), "127.0.0.1", 0
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
    """One connection of the runtime: requests one after the other, each answered before the next is looked at."""

    def __init__(self, conversation: Conversation, sides: Sequence[Side], connections: set[Connection]) -> None:
        self._conversation = conversation
        self._sides = sides
        self._connections = connections
        self._requests = Requests()
        self._head = NONE
        self._body = bytearray()
        self._oversized = False
        self._stream: Stream | None = None
        """Where the body goes, if it is passed on piece by piece."""
        self._is_asked = False
        """Whether a request has been passed on, and is not answered yet."""
        self._throttled = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._connections.add(self)

    def close(self) -> None:
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._requests.feed(data)
        self._advance()

    def eof_received(self) -> None:
        if self._requests.midway and not self._is_asked:
            self._refuse(TRUNCATED)

    def connection_lost(self, _error: Exception | None) -> None:
        self._connections.discard(self)
        self._cut_stream()
        self._conversation.hung_up(self._respond)

    def _advance(self) -> None:
        """Go on until a request is to be answered. What comes meanwhile is left with the runtime."""
        events = self._requests.events
        while events and not self._is_asked and not self._transport.is_closing():
            self._take(events.popleft())
        self._listen()

    def _listen(self) -> None:
        if self._throttled or self._requests.events:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _take(self, event: Event) -> None:
        if isinstance(event, Head):
            self._begin(event)
        elif isinstance(event, End):
            self._end(event.trailers)
        elif isinstance(event, Malformed):
            self._refuse(refusal(400, "InvalidRequest", f"Malformed HTTP: {event.reason}"))
        elif self._stream is not None:
            self._oversized = not self._stream.feed(event) or self._oversized
        else:
            # What is over the limit is read and dropped: the runtime is told 413 and goes on, on this connection.
            self._oversized = self._oversized or len(self._body) + len(event) > PAYLOAD_LIMIT
            if not self._oversized:
                self._body += event

    def _begin(self, head: Head) -> None:
        self._head, self._oversized = head, False
        if is_ours(head.headers["host"]):
            self._stream = self._conversation.stream(self._call([]), self._throttle)
        if head.headers.get("expect", "").lower() == "100-continue" and not self._requests.events:
            self._transport.write(CONTINUE)

    def _end(self, trailers: RawHeaders) -> None:
        """A request is complete: to whomever it concerns, unless it is a browser's, led here by DNS rebinding."""
        self._is_asked = True
        if self._stream is not None:
            stream, self._stream = self._stream, None
            self._respond(self._conversation.end_stream(stream, trailers, oversized=self._oversized))
        elif not is_ours(self._head.headers["host"]):
            self._respond(ELSEWHERE)
        else:
            call = self._call(trailers)
            self._body.clear()
            if not any(side.take(call, self._respond) for side in self._sides):
                self._conversation.call(call, self._respond)

    def _call(self, trailers: RawHeaders) -> Call:
        head = self._head
        return Call(head.method, head.path, head.headers, bytes(self._body), self._oversized, trailers)

    def _cut_stream(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            self._conversation.cut_stream(stream)

    def _refuse(self, answer: Answer) -> None:
        """Malformed HTTP, or a body that was cut off: told so, and hung up on."""
        self._cut_stream()
        self._head = NONE
        self._respond(answer)

    def _throttle(self, throttled: bool) -> None:
        """What is not read stays with the runtime, which waits."""
        self._throttled = throttled
        self._listen()

    def _respond(self, answer: Answer) -> None:
        """Answer the request that was read last, and make ready for another."""
        self._is_asked = False
        if self._transport.is_closing():
            return
        if answer.status:  # else nothing is expected: see lambent.dev.companion
            self._transport.write(response(answer, self._head))
        if not self._head.keeps_alive:
            self._transport.close()
        elif self._requests.events:
            asyncio.get_running_loop().call_soon(self._advance)


@lru_cache(maxsize=64)
def is_ours(host: str) -> bool:
    """Whether a request with this Host asks for this very machine: a runtime does."""
    return is_loopback(hostname(f"//{host}"))


def response(answer: Answer, head: Head) -> bytes:
    """The answer to a request, in bytes. A line end in a field, such as of a client context, becomes a space."""
    lines = [b"HTTP/1.1 %d %b\r\n" % (answer.status, responses.get(answer.status, "").encode("ascii"))]
    lines += [b"%b: %b\r\n" % (name, value.translate(LINE_ENDS)) for name, value in answer.headers]
    lines.append(b"content-length: %d\r\n" % len(answer.body))
    if not head.keeps_alive:
        lines.append(b"connection: close\r\n")
    return b"".join([*lines, b"\r\n", b"" if head.method == "HEAD" else answer.body])
