"""TLS in memory: what is to go over a socket, and what came over it. Imported only for https."""

from __future__ import annotations

from ssl import MemoryBIO, SSLError, SSLWantReadError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from ssl import SSLContext

    Send = Callable[[bytes], Awaitable[None]]
    Receive = Callable[[], Awaitable[bytes]]

_READ = 1 << 16


class TLS:
    """The client's side of one connection to `host`."""

    def __init__(self, context: SSLContext, host: str) -> None:
        self._came = MemoryBIO()
        self._to_go = MemoryBIO()
        self._sides = context.wrap_bio(self._came, self._to_go, server_hostname=host)

    async def handshake(
        self, send: Callable[[bytes], Awaitable[None]], receive: Callable[[], Awaitable[bytes]]
    ) -> None:
        """Agree on the keys. Raises OSError, if the certificate is not to be trusted too."""
        while True:
            try:
                self._sides.do_handshake()
            except SSLWantReadError:
                await send(self._to_go.read())
                self._take(await receive())
            else:
                await send(self._to_go.read())
                return

    def sealed(self, data: bytes) -> bytes:
        """What goes over the socket for it."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._sides.write(rest) :]  # a record at a time
        return self._to_go.read()

    async def receive(self, receive: Receive) -> bytes:
        """What the peer says; empty when it has ended that. Raises ConnectionError if it was cut off."""
        while True:
            try:
                return self._sides.read(_READ)
            except SSLWantReadError:
                self._take(await receive())
            except SSLError as error:
                raise ConnectionResetError(f"TLS was cut off: {error.reason or error}") from error

    def has_taken(self, data: bytes) -> bool:
        """Whether what came unasked was about TLS alone, such as tickets, and not its end."""
        self._came.write(data)
        try:
            self._sides.read(1)
        except SSLWantReadError:
            return True
        except SSLError:
            return False
        return False

    def _take(self, data: bytes) -> None:
        if data:
            self._came.write(data)
        else:
            self._came.write_eof()
