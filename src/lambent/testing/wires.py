"""The management API of a client's WebSockets, in memory, and handlers that post to it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Literal

from lambent.adapter import Lambent
from lambent.dev.doors.websocket_api import DELETED, MESSAGE_LIMIT
from lambent.errors import ConfigurationError, ConnectionGone, InvalidMessage
from lambent.stores.memory import MemoryStore
from lambent.testing.line import Line, Said

if TYPE_CHECKING:
    from lambent.dev.doors.model import Site
    from lambent.types import ASGIApp, Handler
    from lambent.websocket.management import Info


class Wires:
    """The management API of one client's sockets: takes what handlers post, in place of API Gateway."""

    def __init__(self) -> None:
        self._lines: dict[str, Line] = {}

    def line(self, site: Site, path: str, said: Said, *, strict: bool) -> Line:
        """A new one. Raises ConfigurationError for what cannot be in a handshake."""
        if unknown := said.keys() - Said.__annotations__.keys():
            known = ", ".join(Said.__annotations__)
            raise ConfigurationError(f"websocket: expected options of {known}, but got {', '.join(sorted(unknown))}.")
        made = Line(site, path, said, strict=strict)
        self._lines[made.id] = made
        return made

    def path(self, event: dict[str, Any]) -> str:
        """Which path the client of an event has asked for; `/` of an event that came by itself."""
        line = self._lines.get(event["requestContext"]["connectionId"])
        return line.path if line is not None else "/"

    async def post(self, connection_id: str, data: bytes, *, connected_at: float | None = None) -> None:
        """Let the client receive it. Raises ConnectionGone, and InvalidMessage for what is too long."""
        del connected_at
        if len(data) > MESSAGE_LIMIT:
            raise InvalidMessage(f"Expected {MESSAGE_LIMIT} bytes of a message at most, but got {len(data)}.")
        self._line(connection_id).come(data.decode("utf-8", "replace"))

    async def close(self, connection_id: str, *, connected_at: float | None = None) -> None:
        """End a connection; one that is gone is ended."""
        del connected_at
        if (line := self._lines.get(connection_id)) is not None:
            line.end(DELETED)

    async def info(self, connection_id: str) -> Info:
        """What API Gateway knows of a connection. Raises ConnectionGone."""
        from lambent.websocket.management import Info

        line = self._line(connection_id)
        known = line.connection
        return Info(known.connected_at, line.last_active_at, known.source_ip, known.user_agent)

    async def aclose(self) -> None:
        """There is nothing to close."""

    def _line(self, connection_id: str) -> Line:
        line = self._lines.get(connection_id)
        if line is None or line.ended:
            raise ConnectionGone(f"The connection {connection_id} is not there any more.", 410, "GoneException")
        return line


def adapted(app: ASGIApp, stream: bool, wires: Wires, errors: Literal["raise"] | None = None) -> Lambent:
    """An application behind the adapter. Each WebSocket asks for a path of its own."""
    return Lambent(
        app,
        errors=errors,
        stream=stream,
        store=MemoryStore(),
        websocket_path=wires.path,
        websocket_endpoint=wires,
    )


def wired(handler: Handler, wires: Wires) -> Handler:
    """The same handler, posting to `wires`; what a URL would keep elsewhere is kept in memory."""
    if not isinstance(handler, Lambent):
        return handler
    websockets, store, endpoint = handler._websockets  # noqa: SLF001 - a handler has no other place to say it
    if endpoint is wires:
        return handler
    made = copy.copy(handler)
    made._websockets = websockets, MemoryStore() if store is None or isinstance(store, str) else store, wires  # noqa: SLF001
    made._conversations = None  # noqa: SLF001
    return made
