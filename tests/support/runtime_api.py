"""A Runtime API that follows a script: a thread for each connection to a blocking socket on loopback."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import TracebackType
from typing import Any, NamedTuple, Self

LIMIT = 60
"""Seconds after which a test that waits has failed."""

BASE = "/2018-06-01/runtime"
EXTENSION = b"/2020-01-01/extension/"


class Call(NamedTuple):
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    connection: int
    """On which connection, counted from 0."""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Answer(NamedTuple):
    """Bytes to send, and how."""

    data: bytes
    piece: int = 1 << 30
    """So many bytes at a time."""
    close: bool = False
    """Close the connection after it."""
    early: bool = False
    """Answer before the request's body is read."""


Step = Answer | Callable[[], Answer]
"""A function is called when it is its turn, in the thread of the Runtime API, and may wait."""

HANG_UP = Answer(b"", close=True)


def answer(status: int, body: bytes = b"", headers: Iterable[str] = ()) -> Answer:
    """A reply of known length. `headers` are whole lines."""
    lines = [f"HTTP/1.1 {status} Whatever", *headers, f"Content-Length: {len(body)}", "", ""]
    return Answer("\r\n".join(lines).encode("latin-1") + body)


def invocation(event: bytes = b"{}", *headers: str, request_id: str = "id-1", framing: str = "length") -> Answer:
    """What `next` answers. `headers` come after those that Lambda always sends; `framing` is `length` or `chunked`."""
    always = (
        f"Lambda-Runtime-Aws-Request-Id: {request_id}",
        "Lambda-Runtime-Deadline-Ms: 4102444800000",
        "Content-Type: application/json",
    )
    if framing == "length":
        return answer(200, event, (*always, *headers))
    lines = ["HTTP/1.1 200 OK", *always, *headers, "Transfer-Encoding: chunked", "", ""]
    half = len(event) // 2
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (event[:half], event[half:], b""))
    return Answer("\r\n".join(lines).encode("latin-1") + chunks)


class RuntimeAPI:
    """Gives `invocations` one after the other to whoever asks for the next one, and then nothing: it holds the request.

    Posts are answered by `posts` in order, and by 202 after those. `idle` is called each time that nothing is left.
    What concerns extensions is kept apart, in `extension`: `register` is answered by `registered`, and no event comes.
    """

    registered: Step

    def __init__(
        self, *invocations: Step, posts: Iterable[Step] = (), host: str = "127.0.0.1", idle: Callable[[], object] = bool
    ) -> None:
        self.calls: list[Call] = []
        self.extension: list[Call] = []
        self.registered = answer(200, b"{}", ["Lambda-Extension-Identifier: extension-1"])
        self._invocations = list(invocations)
        self._posts = list(posts)
        self._idle = idle
        self._idles = threading.Semaphore(0)
        self._extended = threading.Semaphore(0)
        self._connections: list[socket.socket] = []
        self._numbers: dict[socket.socket, int] = {}
        """Of the connections that the script is played on."""
        self._threads: list[threading.Thread] = []
        self._script = threading.Lock()
        self._stopping = threading.Event()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family)
        self.host = host
        self.port: int = self._listener.getsockname()[1]
        self.address = f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stopping.set()
        self.leave()
        self._thread.join()

    def leave(self) -> None:
        """Close the port and the connection, as a platform that has gone."""
        self._stopping.set()
        for connection in self._connections:
            _shut(connection)
        _shut(self._listener)
        with suppress(OSError), socket.create_connection((self.host, self.port)):
            pass  # wakes an `accept` that the line above does not, outside Linux

    def wait_until_idle(self) -> None:
        """Wait until nothing is left for a `next` that has come; once for each such request."""
        assert self._idles.acquire(timeout=LIMIT), f"nobody asked for the next invocation; calls: {self.calls}"

    def wait_until_extended(self) -> None:
        """Wait until an extension waits for its next event."""
        assert self._extended.acquire(timeout=LIMIT), f"no extension waits; calls: {self.extension}"

    @property
    def posts(self) -> list[Call]:
        """What was posted."""
        return [call for call in self.calls if call.method == "POST"]

    def _serve(self) -> None:
        with self._listener:
            while not self._stopping.is_set():
                try:
                    connection, _ = self._listener.accept()
                except OSError:
                    break
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._connections.append(connection)
                thread = threading.Thread(target=self._talk, args=[connection])
                self._threads.append(thread)
                thread.start()
        for thread in self._threads:
            thread.join()

    def _talk(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            while not self._stopping.is_set() and self._converse(connection, stream):
                pass

    def _converse(self, connection: socket.socket, stream: Any) -> bool:
        """Read one request and answer it. Returns whether the connection is kept."""
        try:
            request = stream.readline().split()
            if not request:
                return False
            headers = dict(_fields(stream))
            if EXTENSION in request[1]:
                return self._extend(connection, stream, request, headers)
            with self._script:
                number = self._numbers.setdefault(connection, len(self._numbers))
                step = self._step(request[0])
            early = isinstance(step, Answer) and step.early
            body = b"" if early else _body(stream, headers)
            path = request[1].decode("ascii")
            self.calls.append(Call(request[0].decode("ascii"), path, headers, body, number))
            if step is None:
                return self._hold(stream)
            given = step if isinstance(step, Answer) else step()
            for start in range(0, len(given.data), given.piece):
                connection.sendall(given.data[start : start + given.piece])
        except OSError:
            return False
        return not given.close

    def _extend(self, connection: socket.socket, stream: Any, request: list[bytes], headers: dict[str, str]) -> bool:
        self.extension.append(Call(request[0].decode(), request[1].decode(), headers, _body(stream, headers), -1))
        if request[0] == b"GET":
            self._extended.release()
            stream.read(1)
            return False
        given = self.registered if isinstance(self.registered, Answer) else self.registered()
        connection.sendall(given.data)
        return not given.close

    def _step(self, method: bytes) -> Step | None:
        if method == b"GET":
            return self._invocations.pop(0) if self._invocations else None
        return (
            self._posts.pop(0) if self._posts else answer(202, b'{"status":"OK"}\n', ["Content-Type: application/json"])
        )

    def _hold(self, stream: Any) -> bool:
        self._idles.release()
        self._idle()
        stream.read(1)  # until the client goes, or this is over
        return False


def _body(stream: Any, headers: dict[str, str]) -> bytes:
    """By length, or in chunks; those are kept in `headers`, as `chunks`, and the trailers beside them."""
    if headers.get("transfer-encoding") != "chunked":
        return bytes(stream.read(int(headers.get("content-length", 0))))
    chunks = []
    while size := int(stream.readline(), 16):
        chunks.append(stream.read(size))
        assert stream.readline() == b"\r\n"
    headers |= dict(_fields(stream))
    headers["chunks"] = " ".join(str(len(chunk)) for chunk in chunks)
    return b"".join(chunks)


def _fields(stream: Any) -> Iterable[tuple[str, str]]:
    while line := stream.readline().decode("latin-1").strip():
        name, _, value = line.partition(":")
        yield name.lower(), value.strip()


def _shut(connection: socket.socket) -> None:
    """Wake whoever reads or accepts, as if the other side had gone."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
