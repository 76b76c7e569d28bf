"""HTTP/1.1 over kept-alive connections, on the event loop that asks.

Plain sockets, not asyncio's streams: whether the peer has closed one while the environment was frozen can be seen
before it is used, and one can be closed from anywhere, also when its loop is gone.

Proxies are not asked: a function reaches AWS directly, through a NAT gateway or through a VPC endpoint, and what is on
the same machine has no proxy in front of it. So HTTP_PROXY and its like say nothing here.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from functools import lru_cache
from typing import NamedTuple

from lambent.errors import ConfigurationError
from lambent.http1 import ReplyReader, head

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from ssl import SSLContext

    from lambent.aws.tls import TLS
    from lambent.http1 import Reply, Request

_PORTS = {"http": 80, "https": 443}
_RECEIVE = 1 << 16
_JOIN = 1 << 16
"""Bodies up to this size leave in one packet with their head; larger ones are not copied."""


class Origin(NamedTuple):
    """Whom to connect to."""

    scheme: str
    host: str
    """A name in lower case or an address, without brackets."""
    port: int

    @property
    def authority(self) -> str:
        """As the Host header has it: with the port, if it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def parse(endpoint: str) -> tuple[Origin, str]:
    """Take an endpoint apart: whom to connect to, and the path in front of all others, without a slash at its end.

    Raises ConfigurationError, which does not show what may be secret.
    """
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(endpoint)
        scheme, host, port = parts.scheme, parts.hostname or "", parts.port
    except ValueError:
        raise ConfigurationError("Expected an endpoint to be a URL, but it cannot be read as one.") from None
    if scheme not in _PORTS or not host or not host.isascii():
        raise ConfigurationError(f"Expected an endpoint to be http://HOST or https://HOST, but got {endpoint!r}.")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ConfigurationError(f"Expected the endpoint of {host} to have no user, no query and no fragment.")
    return Origin(scheme, host, port or _PORTS[scheme]), parts.path.rstrip("/")


class Transport:
    """Connections to whoever is asked, kept for the next request.

    - `limit`: of connections to one origin; more requests than that wait for one another
    - `connecting`: seconds that connecting to one address may take
    - `idle`: seconds after which a connection is not used again, by the wall clock: that goes on while the environment
      is frozen
    - `context`: TLS settings instead of Python's own, for which AWS_CA_BUNDLE may name other authorities

    They belong to the running loop: for another one they are made anew, and those of the one before are closed.
    """

    def __init__(
        self,
        *,
        limit: int = 50,
        connecting: float = 5.0,
        idle: float = 60.0,
        context: SSLContext | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._limit = limit
        self._connecting = connecting
        self._idle = idle
        self._context = context
        self._now = now
        self._pool: _Pool | None = None

    async def send(self, origin: Origin, request: Request, timeout: float) -> Reply:
        """Ask, and return the answer, whatever its status. Raises OSError if there is none within `timeout` seconds.

        Once more, on a fresh connection, if a kept one was closed before anything of the answer came. The time begins
        when it is this request's turn.
        """
        pool = self._of_this_loop()
        async with pool.turn(origin):
            try:
                async with asyncio.timeout(timeout):
                    return await self._ask(pool, origin, request)
            except TimeoutError as error:
                raise TimeoutError(str(error) or f"no answer within {timeout:g} s") from error

    def close(self) -> None:
        """Close those that are kept, and those in use when they are done. It may be used again."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    def _of_this_loop(self) -> _Pool:
        loop = asyncio.get_running_loop()
        pool = self._pool
        if pool is None or pool.loop is not loop:
            self.close()
            pool = self._pool = _Pool(loop, self._limit)
        return pool

    async def _ask(self, pool: _Pool, origin: Origin, request: Request) -> Reply:
        kept = pool.take(origin, self._now() - self._idle)
        if kept is not None:
            reader = ReplyReader(bodiless=request.method == "HEAD")
            try:
                return await self._exchange(pool, kept, request, reader)
            except ConnectionError:
                if reader.has_begun:
                    raise
        fresh = await self._connect(pool.loop, origin)
        return await self._exchange(pool, fresh, request, ReplyReader(bodiless=request.method == "HEAD"))

    async def _exchange(self, pool: _Pool, connection: _Connection, request: Request, reader: ReplyReader) -> Reply:
        try:
            reply = await connection.ask(request, reader)
        except ValueError as error:
            connection.close()
            raise ConnectionError(f"expected HTTP/1.1. {error}") from error
        except BaseException:
            connection.close()
            raise
        if reply.keep_alive:
            pool.keep(connection, self._now())
        else:
            connection.close()
        return reply

    async def _connect(self, loop: asyncio.AbstractEventLoop, origin: Origin) -> _Connection:
        """Try one address after the other. Raises OSError, that of the last one."""
        host = origin.host.encode("ascii")  # as text it loads the tables of IDNA, for 1 ms
        failed: OSError = ConnectionError("its name has no address")
        for family, kind, protocol, _, address in await loop.getaddrinfo(host, origin.port, type=socket.SOCK_STREAM):
            connection = _Connection(origin, socket.socket(family, kind, protocol), loop)
            try:
                async with asyncio.timeout(self._connecting):
                    await connection.open(address, self._tls if origin.scheme == "https" else None)
            except OSError as error:
                connection.close()
                failed = error if str(error) else TimeoutError(f"no connection within {self._connecting:g} s")
            except BaseException:
                connection.close()
                raise
            else:
                return connection
        raise failed

    def _tls(self, host: str) -> TLS:
        from lambent.aws.tls import TLS

        return TLS(self._context or _context(os.environ.get("AWS_CA_BUNDLE")), host)


class _Pool:
    """What is kept on one loop."""

    __slots__ = ("_closed", "_kept", "_limit", "_turns", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop, limit: int) -> None:
        self.loop = loop
        self._limit = limit
        self._closed = False
        self._kept: dict[Origin, list[tuple[_Connection, float]]] = {}
        """The last used last, each with when that was."""
        self._turns: dict[Origin, asyncio.Semaphore] = {}

    def turn(self, origin: Origin) -> asyncio.Semaphore:
        """What lets `limit` requests in at a time."""
        turns = self._turns.get(origin)
        if turns is None:
            turns = self._turns[origin] = asyncio.Semaphore(self._limit)
        return turns

    def take(self, origin: Origin, oldest: float) -> _Connection | None:
        """One that can be used, the last that was; the others that cannot are closed when they are met."""
        kept = self._kept.get(origin, [])
        while kept:
            connection, used = kept.pop()
            if used >= oldest and connection.is_quiet():
                return connection
            connection.close()
        return None

    def keep(self, connection: _Connection, now: float) -> None:
        """Keep one for the next request."""
        if self._closed:
            connection.close()
        else:
            self._kept.setdefault(connection.origin, []).append((connection, now))

    def close(self) -> None:
        """Close all that are kept, and keep none any more."""
        self._closed = True
        for kept in self._kept.values():
            for connection, _ in kept:
                connection.close()
        self._kept.clear()


class _Connection:
    """One socket, with TLS on it or without."""

    __slots__ = ("_loop", "_socket", "_tls", "origin")

    def __init__(self, origin: Origin, plain: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
        self.origin = origin
        self._loop = loop
        self._socket = plain
        self._tls: TLS | None = None
        plain.setblocking(False)

    def __del__(self) -> None:
        """One that nobody closed is closed without a warning: whoever kept it may have gone with a loop."""
        self.close()

    def close(self) -> None:
        """Close it, from wherever."""
        self._socket.close()

    async def open(self, address: tuple[object, ...], secure: Callable[[str], TLS] | None) -> None:
        """Connect. Raises OSError."""
        await self._loop.sock_connect(self._socket, address)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if secure is not None:
            self._tls = secure(self.origin.host)
            await self._tls.handshake(self._send_plain, self._receive_plain)

    async def ask(self, request: Request, reader: ReplyReader) -> Reply:
        """One request, one reply. Raises OSError, and ValueError for what is not HTTP/1.1."""
        start = head(request, self.origin.authority, "")
        try:
            for packet in (start + request.body,) if len(request.body) <= _JOIN else (start, request.body):
                await self._send_plain(self._tls.sealed(packet) if self._tls else packet)
        except (BrokenPipeError, ConnectionResetError):
            pass  # whoever refuses a body early has answered already; else it is found that nothing came
        reply = None
        while reply is None:
            data = await (self._tls.receive(self._receive_plain) if self._tls else self._receive_plain())
            if not data and not reader.has_begun:
                raise ConnectionResetError("it closed the connection without an answer")
            reply = reader.feed(data)
        return reply

    def is_quiet(self) -> bool:
        """Whether the peer has neither closed it nor said what nobody asked for."""
        try:
            data = self._socket.recv(_RECEIVE)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return bool(data) and self._tls is not None and self._tls.has_taken(data)

    async def _send_plain(self, data: bytes) -> None:
        await self._loop.sock_sendall(self._socket, data)

    async def _receive_plain(self) -> bytes:
        return await self._loop.sock_recv(self._socket, _RECEIVE)


@lru_cache(maxsize=1)
def _context(authorities: str | None) -> SSLContext:
    """Made once: reading the authorities takes 20 ms."""
    from ssl import create_default_context

    return create_default_context(cafile=authorities or None)
