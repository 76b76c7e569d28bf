"""What belongs together while a conversation is in this environment."""

from __future__ import annotations

import time

from lambent.errors import InvalidMessage, MalformedEvent
from lambent.gateway import websocket_api

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.gateway.model import Request, Settings
    from lambent.types import Event, Scope
    from lambent.websocket.archive import Kept
    from lambent.websocket.peers import Live
    from lambent.websocket.record import Session
    from lambent.websocket.run import Run


class Visit:
    """One conversation as this environment has it: its record, what the application was given, and its run."""

    __slots__ = ("extension", "kept", "live", "run", "scope")

    def __init__(self, kept: Kept, scope: Scope, extension: dict[str, object], live: Live, run: Run) -> None:
        self.kept = kept
        """As of its last event."""
        self.scope = scope
        self.extension = extension
        self.live = live
        self.run = run

    def session(self) -> Session:
        """The session that the application has, which may be another than it was given. Raises InvalidMessage."""
        session = self.extension.get("session")
        if not isinstance(session, dict):
            raise InvalidMessage(f"Expected the session to be a dictionary, but got a {type(session).__name__}.")
        return session


def handshake(event: Event, settings: Settings) -> tuple[Request, float]:
    """The request, and when it came, in seconds since the epoch. Raises MalformedEvent."""
    try:
        connected_at = (event["requestContext"].get("connectedAt") or 0) / 1000 or time.time()
        return websocket_api.request(event, settings), connected_at
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise MalformedEvent(f"{type(error).__name__}: {error}") from error


def told(event: Event, kind: str) -> dict[str, object]:
    """What the extension says of an event."""
    return {"event": kind, "route_key": event["requestContext"].get("routeKey", "")}
