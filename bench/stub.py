"""A Runtime API that gives the same event a number of times, and then falls silent."""

from __future__ import annotations

import asyncio
import time

_BASE = "/2018-06-01/runtime/invocation"
_NEXT = f"GET {_BASE}/next ".encode()
_POST = f"POST {_BASE}/".encode()
_LENGTH = b"content-length:"
_ACCEPTED = (
    b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nDate: Sat, 21 Nov 2026 10:00:00 GMT\r\n"
    b'Content-Length: 16\r\n\r\n{"status":"OK"}\n'
)


class RuntimeAPI:
    """Serves `count` invocations of `event`; `replies` keeps the first and the last reply."""

    def __init__(self, event: bytes, count: int) -> None:
        self._event = event
        self._count = count
        self._given = 0
        self.replies: list[bytes] = []
        self.done: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        """The seconds from the first event given to the last reply taken."""
        self._begin = 0.0

    def next(self) -> bytes:
        """The answer to `next`; nothing when all events are given."""
        if self._given == self._count:
            return b""
        if not self._given:
            self._begin = time.perf_counter()
        self._given += 1
        return (
            "HTTP/1.1 200 OK\r\n"
            "Content-Type: application/json\r\n"
            f"Lambda-Runtime-Aws-Request-Id: 8f6b2c1d-4e5f-4a7b-9c8d-{self._given:012x}\r\n"
            f"Lambda-Runtime-Deadline-Ms: {int(time.time() * 1000) + 3000}\r\n"
            "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-central-1:123456789012:function:bench\r\n"
            "Lambda-Runtime-Trace-Id: Root=1-6740a1b2-3c4d5e6f708192a3b4c5d6e7;Parent=53995c3f42cd8ad8;Sampled=0\r\n"
            "Date: Sat, 21 Nov 2026 10:00:00 GMT\r\n"
            f"Content-Length: {len(self._event)}\r\n\r\n"
        ).encode("ascii") + self._event

    def post(self, path: bytes, body: bytes) -> bytes:
        """The answer to a reply. Anything but a reply is the end."""
        if b"/extension/" in path:
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        if not path.endswith(b"/response"):
            self.fail(RuntimeError(f"Expected a reply, but got a POST to {path.decode()}: {body.decode()}"))
        elif self._given in {1, self._count}:
            self.replies.append(body)
            if self._given == self._count and not self.done.done():
                self.done.set_result(time.perf_counter() - self._begin)
        return _ACCEPTED

    def fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)


class Connection(asyncio.Protocol):
    """One connection of a runtime, kept alive."""

    transport: asyncio.Transport

    def __init__(self, api: RuntimeAPI) -> None:
        self._api = api
        self._data = bytearray()
        self._asked = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        head_end = self._data.find(b"\r\n\r\n")
        if head_end < 0:
            return
        if self._data.startswith(_NEXT):
            self._data.clear()
            self._asked = True
            self.transport.write(self._api.next())
            return
        head = bytes(self._data[:head_end])
        length = _content_length(head)
        if len(self._data) < head_end + 4 + length:
            return
        body = bytes(self._data[head_end + 4 :])
        self._data.clear()
        self.transport.write(self._api.post(head.split(b" ", 2)[1], body))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._asked:
            self._api.fail(exc or RuntimeError("The runtime closed its connection."))


def _content_length(head: bytes) -> int:
    lines = head.lower().split(b"\r\n")
    return next((int(line[len(_LENGTH) :]) for line in lines if line.startswith(_LENGTH)), 0)
