"""HTTP/1.1 requests out of the bytes of one connection, read by httptools.

Pure. Not an ASGI server's reading, for ASGI has no trailers, and a streamed reply ends in them.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import httptools

from lambent.dev.doors.model import RawHeaders

HEAD_LIMIT = 2 * 1024 * 1024
"""Bytes that a head may have, or trailers, give or take what one read brings: an X-Ray cause, which AWS takes up to
1 MiB, travels in a field."""


class Head(NamedTuple):
    """A request begins."""

    method: str
    path: str
    """Without the query, not decoded."""
    headers: dict[str, str]
    """Names in lower case; of several fields of one name, the last. There is one `host`."""
    keeps_alive: bool
    """Whether another request may follow."""


class End(NamedTuple):
    """The request is complete."""

    trailers: RawHeaders


class Malformed(NamedTuple):
    """This is not HTTP, or none that is spoken here. Nothing follows."""

    reason: str


Event = Head | bytes | End | Malformed
"""Of a request: a Head, its body in non-empty pieces, an End."""


class Requests:
    """Bytes go in by `feed`, and come out as `events`, which the caller takes off the left."""

    def __init__(self) -> None:
        self.events: deque[Event] = deque()
        self.midway = False
        """Whether a request has begun and not ended."""
        self._parser = httptools.HttpRequestParser(self)
        self._over = False
        self._unread = 0
        """Bytes since the last thing that was understood."""
        self._problem = ""
        self._target = b""
        self._fields: RawHeaders = []

    def feed(self, data: bytes) -> None:
        if self._over:
            return
        self._unread += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._end("no other protocol is spoken here than HTTP/1.1")
        except httptools.HttpParserError as error:
            self._end(str(error))
        if self._unread > HEAD_LIMIT:
            self._end(f"the head of a request has at most {HEAD_LIMIT} bytes")

    def _end(self, problem: str) -> None:
        if not self._over:
            self._over = True
            self.events.append(Malformed(problem))

    # What httptools finds.

    def on_message_begin(self) -> None:
        self.midway = True
        self._target = b""
        self._fields = []

    def on_url(self, piece: bytes) -> None:
        self._target += piece

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        self._unread = 0
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in self._fields}
        if problem := self._misfit(headers):
            self._end(problem)
            return
        path = self._target.partition(b"?")[0].decode("latin-1")
        method = self._parser.get_method().decode("ascii")
        self._fields = []  # what comes now are trailers
        self.events.append(Head(method, path, headers, self._parser.should_keep_alive()))

    def on_body(self, piece: bytes) -> None:
        self._unread = 0
        if not self._over:
            self.events.append(piece)

    def on_message_complete(self) -> None:
        self._unread = 0
        self.midway = False
        if not self._over:
            self.events.append(End(self._fields))

    def _misfit(self, headers: dict[str, str]) -> str:
        """What makes a head that can be read one that is not served; empty for nothing."""
        hosts = sum(name == b"host" for name, _ in self._fields)
        if hosts != 1:
            return f"a request has one Host, but this one has {hosts}"
        if (version := self._parser.get_http_version()) not in ("1.1", "1.0"):
            return f"HTTP/1.1 is spoken here, not HTTP/{version}"
        if (coding := headers.get("transfer-encoding", "chunked")).lower() != "chunked":
            return f"a body comes as it is or chunked, not {coding!r}"
        if self._parser.should_upgrade():
            return "no other protocol is spoken here than HTTP/1.1"
        return ""
