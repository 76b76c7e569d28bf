"""The client, as the application reaches it: while it knocks, and once it is in."""

from __future__ import annotations

import asyncio
import logging
from contextvars import ContextVar
from typing import Protocol

from lambent.errors import ConnectionGone, ServiceError, StoreError
from lambent.gateway.model import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from lambent.types import RawHeaders
    from lambent.websocket.record import Record


logger = logging.getLogger("lambent")


class Poster(Protocol):
    """The management API, as far as conversations need it: `lambent.websocket.management.Management`, or a stand-in."""

    async def post(self, connection_id: str, data: bytes, *, connected_at: float | None = None) -> None:
        """Send a message. Raises ConnectionGone; shortly after `connected_at` only when it does not come yet."""

    async def close(self, connection_id: str, *, connected_at: float | None = None) -> None:
        """End a connection, if it is there."""

    async def aclose(self) -> None:
        """Close what leads there. It may be used again."""


class Knocking:
    """Peer during `$connect`: API Gateway has no connection before the reply.

    Where the reply leaves at once, the first message lets it leave, be it one to others through Connections, who may
    answer; else messages wait in the record.
    """

    def __init__(
        self, record: Record, live: Live, *, prompt: bool, let_in: Callable[[Response], Awaitable[None]]
    ) -> None:
        self._record = record
        self._live = live
        self._prompt = prompt
        self._let_in = let_in
        self._turn = asyncio.Lock()
        self._welcome: Response | None = None
        self._entering: asyncio.Task[None] | None = None
        self.refusal: Response | None = None
        self.opened = False
        """Whether the client has been let in."""

    async def accept(self, subprotocol: str | None, headers: RawHeaders) -> None:
        """Keep what the client will be told."""
        protocol = (
            [] if subprotocol is None else [(b"sec-websocket-protocol", subprotocol.encode("latin-1", "replace"))]
        )
        self._welcome = Response(200, [*headers, *protocol], b"")
        if self._prompt:  # else others that knock would be waited for, which wait for this one
            self._live.first = self.open

    async def send(self, data: str | bytes) -> None:
        """Let the client in, and send; or keep what is to be sent."""
        if not self._prompt:
            self._record.pending.append(data)
            return
        await self.open()
        await self._live.send(data)

    async def close(self, code: int, reason: str) -> None:
        """Refuse the client; one that was accepted will be closed at the end."""
        del code, reason
        if self._welcome is None:
            self.refusal = Response(403, [], b"")

    async def deny(self, response: Response) -> None:
        """Refuse the client with a response."""
        self.refusal = response

    async def open(self) -> None:
        """Let the client in, unless it is. Who gives up cuts nothing off: whoever is next waits for the same."""
        async with self._turn:
            if self.opened or self._welcome is None:
                return
            if self._entering is None or self._entering.done():
                self._entering = asyncio.ensure_future(self._enter(self._welcome))
                self._entering.add_done_callback(_noticed)
            await asyncio.wait({self._entering})
            self._entering.result()

    async def shut(self) -> bool:
        """Let nobody in from now on. Returns whether the client is in, be it by what was under way."""
        async with self._turn:
            if self._entering is not None:
                await asyncio.wait({self._entering})
            if not self.opened:
                self._welcome = None
            return self.opened

    async def leave(self) -> None:
        """Cut off what is under way, and let nobody in from now on."""
        self._welcome = None
        if self._entering is not None:
            self._entering.cancel()
            await asyncio.wait({self._entering})

    async def _enter(self, welcome: Response) -> None:
        await self._let_in(welcome)
        self.opened = True
        self._live.failure = None


def _noticed(task: asyncio.Task[None]) -> None:
    """That it has failed is no news to asyncio where everybody has given up."""
    if not task.cancelled():
        task.exception()


class Live:
    """Peer of a connection that API Gateway has. What is sent is posted at once."""

    def __init__(
        self,
        connection_id: str,
        connected_at: float,
        poster: Poster,
        forget: Callable[[], Awaitable[None]],
        endpoint: str = "",
    ) -> None:
        self.endpoint = endpoint
        """At which `poster` posts; empty for a stand-in."""
        self._id = connection_id
        self._connected_at = connected_at
        self._poster = poster
        self._forget = forget
        self._settling = asyncio.Lock()
        self.closed = False
        """Whether the connection has been ended from here."""
        self.first: Callable[[], Awaitable[None]] | None = None
        """Awaited before the first message of an event leaves: what its answer will want to find."""
        self.failure: StoreError | None = None
        """What that has met. The connection stays then, whatever the application makes of it."""

    async def accept(self, subprotocol: str | None, headers: RawHeaders) -> None:
        """The client is in."""

    async def send(self, data: str | bytes) -> None:
        """Post a message. Raises ConnectionGone."""
        if self.closed:
            raise ConnectionGone("The connection has been closed.", 410, "GoneException")
        await self.settle()
        payload = data.encode("utf-8", "replace") if isinstance(data, str) else data
        await self._poster.post(self._id, payload, connected_at=self._connected_at)

    async def settle(self) -> None:
        """Do what is to be done before the first message of an event leaves, unless it is done. Raises StoreError."""
        if self.first is None:
            return
        async with self._settling:  # what others send meanwhile is not to leave before that either
            first = self.first
            if first is not None:
                try:
                    await first()
                except StoreError as error:
                    self.failure = error
                    raise
                self.failure = None
                if self.first is first:  # and not that of the next event already
                    self.first = None

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End the connection, and forget it. API Gateway chooses the code itself."""
        del code, reason
        if not self.closed and self.failure is None:
            self.closed = True
            try:
                await self._poster.close(self._id, connected_at=self._connected_at)
            except ServiceError as error:
                logger.warning("Connection %s could not be closed: %s", self._id, error)
            await self._forget()

    async def deny(self, response: Response) -> None:
        """It was accepted once, and is not any more."""
        del response
        await self.close()


LIVE: ContextVar[Live] = ContextVar("lambent websocket")
"""The connection whose event the code runs for. What it sends to others by Connections, this one may answer."""


def is_disconnect(error: BaseException | None) -> bool:
    """Whether it says only that the client has gone: a send's own error, or what frameworks make of it."""
    return all(isinstance(each, ConnectionGone) or type(each).__name__ in _DISCONNECTS for each in _leaves(error))


def store_error(error: BaseException | None) -> StoreError | None:
    """The one that it is, or that a group of nothing else begins with."""
    found = [each for each in _leaves(error) if isinstance(each, StoreError)]
    return found[0] if len(found) == len(_leaves(error)) else None


_DISCONNECTS = ("WebSocketDisconnect", "ConnectionClosed")
"""Names of what frameworks raise."""


def _leaves(error: BaseException | None) -> list[BaseException | None]:
    """What a group consists of, as task groups raise it; else the error itself."""
    if isinstance(error, BaseExceptionGroup):
        return [leaf for each in error.exceptions for leaf in _leaves(each)]
    return [error]
