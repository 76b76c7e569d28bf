"""HTTP/1.1 as far as the Runtime API and AWS services need it: requests to bytes, bytes to replies. Pure.

Source: RFC 9112. A peer that is trusted, one request at a time, bodies by length, in chunks or until the end.
"""

from __future__ import annotations

from typing import NamedTuple

_HEAD_LIMIT = 1 << 20


class Request(NamedTuple):
    """What is asked."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


class Reply(NamedTuple):
    """What is answered."""

    status: int
    headers: dict[str, str]
    """Names in lower case. An empty value means the same as none."""
    body: bytes
    keep_alive: bool


def head(request: Request, host: str, prefix: str) -> bytes:
    """Everything of a request but its body. `prefix` is put in front of the path; CR and LF are taken out of values."""
    lines = [f"{request.method} {prefix}{request.path} HTTP/1.1\r\nhost: {host}\r\n"]
    for name, value in request.headers:
        lines.append(f"{name}: {value.replace(chr(13), '').replace(chr(10), '')}\r\n")
    if request.method != "GET" and ("transfer-encoding", "chunked") not in request.headers:
        lines.append(f"content-length: {len(request.body)}\r\n")
    lines.append("\r\n")
    return "".join(lines).encode("latin-1", "replace")


class ReplyReader:
    """Reads one reply: `feed` what arrives until it returns the Reply. Raises ValueError for what is not HTTP.

    `bodiless`: it answers a HEAD, and so has no body whatever it says.
    """

    def __init__(self, *, bodiless: bool = False) -> None:
        self._bodiless = bodiless
        self._data = bytearray()
        self._status = 0
        self._headers: dict[str, str] | None = None
        self._length: int | None = None
        """Of the body; None if in chunks or until the end."""
        self._persistent = True
        self._body = bytearray()
        """What has been taken out of chunks."""

    @property
    def has_begun(self) -> bool:
        """Whether any of it has come."""
        return bool(self._data) or self._headers is not None

    def feed(self, data: bytes) -> Reply | None:
        """Take what arrived; empty for the end of the connection."""
        self._data += data
        if self._headers is None and not self._read_head():
            return self._unfinished(data)
        if self._length is not None:
            if len(self._data) < self._length:
                return self._unfinished(data)
            return self._reply(bytes(self._data[: self._length]))
        if self._chunked:
            return self._reply(bytes(self._body)) if self._read_chunks() else self._unfinished(data)
        return None if data else self._reply(bytes(self._data))

    @property
    def _chunked(self) -> bool:
        return self._headers is not None and "chunked" in self._headers.get("transfer-encoding", "").lower()

    def _unfinished(self, data: bytes) -> Reply | None:
        if data:
            return None
        raise ValueError("The connection was closed in the middle of a reply.")

    def _reply(self, body: bytes) -> Reply:
        headers = self._headers or {}
        connection = headers.get("connection", "").lower()
        keeps = connection == "keep-alive" or (self._persistent and connection != "close")
        return Reply(self._status, headers, body, keeps and (self._length is not None or self._chunked))

    def _read_head(self) -> bool:
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            if len(self._data) > _HEAD_LIMIT:
                raise ValueError(f"Expected the head of a reply to end within {_HEAD_LIMIT} bytes.")
            return False
        status, *fields = self._data[:end].decode("latin-1").split("\r\n")
        del self._data[: end + 4]
        self._status = _status(status)
        self._persistent = not status.startswith("HTTP/1.0")  # RFC 9112, 9.3
        headers = {name.lower(): value.strip() for name, _, value in [field.partition(":") for field in fields]}
        if 100 <= self._status < 200:
            return self._read_head()  # an interim reply: the real one follows
        self._headers = headers
        self._length = 0 if self._bodiless else _length(self._status, headers)
        return True

    def _read_chunks(self) -> bool:
        """Move whole chunks from the data to the body. Returns whether the last one and the trailers are read."""
        while (end := self._data.find(b"\r\n")) >= 0:
            size = _chunk_size(bytes(self._data[:end]))
            if size == 0:
                return self._data.startswith(b"\r\n", end + 2) or self._data.find(b"\r\n\r\n", end) >= 0
            if len(self._data) < end + size + 4:
                return False
            self._body += self._data[end + 2 : end + 2 + size]
            del self._data[: end + size + 4]
        return False


def _status(line: str) -> int:
    if line.startswith(("HTTP/1.1 ", "HTTP/1.0 ")) and line[9:12].isdecimal():
        return int(line[9:12])
    raise ValueError(f"Expected an HTTP/1.1 status line, but got {line[:80]!r}.")


def _length(status: int, headers: dict[str, str]) -> int | None:
    if status in (204, 304):
        return 0
    if "transfer-encoding" in headers or "content-length" not in headers:
        return None
    length = headers["content-length"]
    if not length.isdecimal():
        raise ValueError(f"Expected `content-length` to be a number, but got {length[:80]!r}.")
    return int(length)


def _chunk_size(line: bytes) -> int:
    try:
        size = int(line.partition(b";")[0], 16)
    except ValueError:
        size = -1
    if size < 0:
        raise ValueError(f"Expected the size of a chunk, but got {line[:80]!r}.")
    return size
