"""One request at a time over one kept-alive local socket, and nothing more.

The socket blocks, and has no read timeout: between `next` and its reply the environment may be frozen for hours.
"""

from __future__ import annotations

import socket

from lambent.errors import ConfigurationError, RuntimeAPIGone
from lambent.runtime.http1 import ReplyReader, head

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from lambent.runtime.http1 import Reply, Request

_CONNECT_SECONDS = 5.0
_RECEIVE = 1 << 16
_JOIN = 1 << 16
"""Bodies up to this size leave in one packet with their head; larger ones are not copied."""


class Client:
    """Speaks to the Runtime API at `address`, which is HOST:PORT, with or without `http://` and a path prefix."""

    closing: Callable[[], None]
    """Called before a connection is closed, for whoever watches it."""

    def __init__(self, address: str) -> None:
        self.closing = _nothing
        self._address = address
        self._authority, self._host, self._port, self._prefix = _parse(address)
        self._socket: socket.socket | None = None

    def call(self, request: Request) -> Reply:
        """Ask, and wait for the answer; once more if a kept-alive connection has gone. Raises RuntimeAPIGone."""
        kept_alive = self._socket is not None
        try:
            self.send(request)
            return self.receive()
        except RuntimeAPIGone:
            if not kept_alive:
                raise
        self.send(request)
        return self.receive()

    def send(self, request: Request) -> socket.socket:
        """Ask. Returns the socket, which becomes readable when there is something to `receive`."""
        connection = self._socket or self._connect()
        start = head(request, self._authority, self._prefix)
        try:
            if len(request.body) <= _JOIN:
                connection.sendall(start + request.body)
            else:
                connection.sendall(start)
                connection.sendall(request.body)
        except (BrokenPipeError, ConnectionResetError):
            pass  # whoever refuses a body early has answered already; else `receive` finds that nothing came
        except OSError as error:
            self.close()
            raise self._gone(error) from error
        return connection

    def receive(self) -> Reply:
        """Wait for the answer to what was sent. Raises RuntimeAPIGone if none comes, RuntimeAPIError if not HTTP."""
        connection = self._socket
        if connection is None:
            raise self._gone("the connection is closed")
        reader = ReplyReader()
        reply = None
        received = False
        while reply is None:
            try:
                data = connection.recv(_RECEIVE)
            except OSError as error:
                self.close()
                raise self._gone(error) from error
            if not data and not received:
                self.close()
                raise self._gone("it closed the connection")
            received = True
            reply = reader.feed(data)
        if not reply.keep_alive:
            self.close()
        return reply

    def close(self) -> None:
        """Close the connection; the next request makes a new one."""
        connection, self._socket = self._socket, None
        if connection is not None:
            self.closing()
            connection.close()

    def _connect(self) -> socket.socket:
        try:
            connection = socket.create_connection((self._host, self._port), timeout=_CONNECT_SECONDS)
        except OSError as error:
            raise self._gone(error) from error
        connection.settimeout(None)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = connection
        return connection

    def _gone(self, reason: object) -> RuntimeAPIGone:
        return RuntimeAPIGone(f"The Runtime API at {self._address} does not answer: {reason}.")


def _nothing() -> None:
    """Nobody watches."""


def _parse(address: str) -> tuple[str, str, int, str]:
    authority, slash, path = address.removeprefix("http://").partition("/")
    host, _, port = authority.rpartition(":")
    if not host or not port.isdecimal():
        raise ConfigurationError(f"Expected AWS_LAMBDA_RUNTIME_API to be HOST:PORT, but got {address!r}.")
    return authority, host.strip("[]"), int(port), (slash + path).rstrip("/")
