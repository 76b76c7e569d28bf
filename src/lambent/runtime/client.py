"""One request at a time over one kept-alive local socket, and nothing more.

The socket blocks, and has no read timeout: between `next` and its reply the environment may be frozen for hours.
"""

from __future__ import annotations

import asyncio
import socket

from lambent.errors import ConfigurationError, RuntimeAPIError, RuntimeAPIGone
from lambent.http1 import ReplyReader, head

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from lambent.http1 import Reply, Request

_CONNECT_SECONDS = 5.0
_LAST_PORT = 65535
_RECEIVE = 1 << 16
_JOIN = 1 << 16
"""Bodies up to this size leave in one packet with their head; larger ones are not copied."""


class Connection:
    """To the Runtime API at `address`, which is HOST:PORT, with or without `http://` and a path prefix."""

    closing: Callable[[], None]
    """Called before a connection is closed, for whoever watches it."""

    def __init__(self, address: str, timeout: float | None = None) -> None:
        """Read for `timeout` seconds at most; None, for `next` may take hours."""
        self._timeout = timeout
        self.closing = _nothing
        self._address = address
        self._authority, host, port, self._prefix = _parse(address)
        self._where = _where(host, port)
        self._socket: socket.socket | None = None

    def close(self) -> None:
        """Close the connection; the next request makes a new one."""
        connection, self._socket = self._socket, None
        if connection is not None:
            self.closing()
            connection.close()

    def _connect(self) -> socket.socket:
        try:
            connection = socket.create_connection(self._where, timeout=_CONNECT_SECONDS)
        except OSError as error:
            raise self._gone(error) from error
        connection.settimeout(self._timeout)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = connection
        return connection

    def _packets(self, request: Request) -> tuple[bytes, ...]:
        start = head(request, self._authority, self._prefix)
        return (start + request.body,) if len(request.body) <= _JOIN else (start, request.body)

    def _begun(self) -> socket.socket:
        """The connection that a request went over."""
        if self._socket is None:
            raise self._gone("the connection is closed")
        return self._socket

    def _open(self) -> socket.socket:
        """The connection that a body is being sent over. Raises OSError."""
        if self._socket is None:
            raise ConnectionResetError(f"The connection to the Runtime API at {self._address} is closed.")
        return self._socket

    def _read(self, reader: ReplyReader, data: bytes) -> Reply | None:
        """Take what came. Raises RuntimeAPIGone if nothing has come before the end, RuntimeAPIError if not HTTP."""
        if not data and not reader.has_begun:
            self.close()
            raise self._gone("it closed the connection")
        try:
            reply = reader.feed(data)
        except ValueError as error:
            self.close()
            raise RuntimeAPIError(f"The Runtime API at {self._address} does not keep to HTTP/1.1. {error}") from error
        if reply is not None and not reply.keep_alive:
            self.close()
        return reply

    def _gone(self, reason: object) -> RuntimeAPIGone:
        return RuntimeAPIGone(f"The Runtime API at {self._address} does not answer: {reason}.")


class Client(Connection):
    """Asks and waits, in the thread that calls."""

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
        try:
            for packet in self._packets(request):
                connection.sendall(packet)
        except (BrokenPipeError, ConnectionResetError):
            pass  # whoever refuses a body early has answered already; else `receive` finds that nothing came
        except OSError as error:
            self.close()
            raise self._gone(error) from error
        return connection

    async def write(self, data: bytes) -> None:
        """Send more of a body, as fast as it is taken, while the loop goes on. Raises OSError.

        If it is cancelled the connection is closed: nobody knows how much has gone, and nothing can follow.
        """
        connection = self._open()
        connection.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_sendall(connection, data)
        except BaseException:
            self.close()
            raise
        connection.setblocking(True)

    def receive(self) -> Reply:
        """Wait for the answer to what was sent. Raises RuntimeAPIGone if none comes, RuntimeAPIError if not HTTP."""
        connection = self._begun()
        reader = ReplyReader()
        reply = None
        while reply is None:
            try:
                data = connection.recv(_RECEIVE)
            except OSError as error:
                self.close()
                raise self._gone(error) from error
            reply = self._read(reader, data)
        return reply


class AsyncClient(Connection):
    """The same, while the loop goes on. What is cancelled closes the connection: half of it may have gone."""

    async def call(self, request: Request) -> Reply:
        """As `Client.call`."""
        kept_alive = self._socket is not None
        try:
            await self.send(request)
            return await self.receive()
        except RuntimeAPIGone:
            if not kept_alive:
                raise
        await self.send(request)
        return await self.receive()

    async def send(self, request: Request) -> None:
        """As `Client.send`."""
        connection = self._socket
        if connection is None:
            connection = self._connect()
            connection.setblocking(False)
        loop = asyncio.get_running_loop()
        try:
            for packet in self._packets(request):
                await loop.sock_sendall(connection, packet)
        except (BrokenPipeError, ConnectionResetError):
            pass
        except OSError as error:
            self.close()
            raise self._gone(error) from error
        except BaseException:
            self.close()
            raise

    async def write(self, data: bytes) -> None:
        """As `Client.write`."""
        connection = self._open()
        try:
            await asyncio.get_running_loop().sock_sendall(connection, data)
        except BaseException:
            self.close()
            raise

    async def receive(self) -> Reply:
        """As `Client.receive`."""
        connection = self._begun()
        loop = asyncio.get_running_loop()
        reader = ReplyReader()
        reply = None
        while reply is None:
            try:
                data = await loop.sock_recv(connection, _RECEIVE)
            except OSError as error:
                self.close()
                raise self._gone(error) from error
            except BaseException:
                self.close()
                raise
            reply = self._read(reader, data)
        return reply


def _nothing() -> None:
    """Nobody watches."""


def _where(host: str, port: int) -> tuple[str, int]:
    """What to connect to. A name as bytes is taken as it is; as text it loads the tables of IDNA, for 1 ms."""
    return (host.encode("ascii") if host.isascii() else host), port  # type: ignore[return-value]  # typeshed knows text


def _parse(address: str) -> tuple[str, str, int, str]:
    authority, slash, path = address.removeprefix("http://").partition("/")
    host, _, port = authority.rpartition(":")
    if not host or not (port.isascii() and port.isdecimal() and int(port) <= _LAST_PORT):
        raise ConfigurationError(f"Expected AWS_LAMBDA_RUNTIME_API to be HOST:PORT, but got {address!r}.")
    return authority, host.strip("[]"), int(port), (slash + path).rstrip("/")
