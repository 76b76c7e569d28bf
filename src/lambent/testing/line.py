"""One WebSocket connection, as API Gateway has it between a client and a function."""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TypedDict

from lambent.dev.arrivals import arrive
from lambent.dev.diff.request import Headers
from lambent.dev.doors.model import Fields, Matched, Refusal, Site
from lambent.dev.doors.websocket_api import (
    BINARY,
    CONNECT,
    DEFAULT,
    FAILED,
    LOST,
    MESSAGE_LIMIT,
    TOO_LONG,
    WITHOUT_CODE,
    Close,
    Connection,
    WebSocketAPI,
    admission,
    connecting,
    error_frame,
    refusal,
)
from lambent.dev.routes import selection
from lambent.errors import ConfigurationError, InvalidMessage, LambentError
from lambent.testing.events.payloads import json_text
from lambent.testing.events.requests import NO_HEADERS
from lambent.testing.events.sockets import NO_QUERY, REASONS, handshake
from lambent.testing.front import received
from lambent.testing.response import Response


class WebSocketRefused(LambentError, ConnectionError):
    """The handler has not let the client in: `response` says what that got instead."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"The client was not let in, but answered {response.status}: {response.text[:200]!r}.")
        self.response = response


class WebSocketClosed(LambentError, ConnectionError):
    """The connection has ended, with this code and reason."""

    def __init__(self, close: Close) -> None:
        super().__init__(f"The connection was closed with {close.code} ({close.reason or 'no reason'}).")
        self.code = close.code
        self.reason = close.reason


class Said(TypedDict, total=False):
    """What a client says when it connects, and what its API is told to do with its messages."""

    query: Mapping[str, str]
    headers: Headers
    subprotocols: Sequence[str]
    authorizer: Mapping[str, object]
    """What a Lambda authorizer has found out."""
    stage: str
    routes: Sequence[str]
    """Keys, beside `$default`."""
    selection: str
    """Of the key, in a message: `$request.body.action`, unless it is said."""


class Line:
    """One connection, as API Gateway has it: what happens becomes events, and what is posted waits for the client."""

    def __init__(self, site: Site, path: str, said: Said, *, strict: bool) -> None:
        self._offered = list(said.get("subprotocols", ()))
        headers = said.get("headers", NO_HEADERS)
        try:
            self._request = handshake(site, said.get("query", NO_QUERY), headers, self._offered, os.urandom(16))
            self._selection = selection.read(said.get("selection", "$request.body.action"))
        except ValueError as error:
            raise ConfigurationError(f"websocket: {error}.") from None
        given = {"lambda": dict(said["authorizer"])} if "authorizer" in said else None
        self._matched = Matched(CONNECT, stage=said.get("stage", "prod"), authorizer=given)
        self._routes = said.get("routes", ())
        self._arrival = arrive(self._request.headers)
        self._api = WebSocketAPI(site)
        self.path = path
        """For an application that stands behind no handler of its own."""
        self.strict = strict
        self.connection: Connection = connecting(self._request, self._arrival, self._matched)
        self.id = self.connection.id
        self.subprotocol = ""
        self.inbox: deque[str] = deque()
        self.last_active_at = self.connection.connected_at
        self.ended: Close | None = None
        self.told = False
        """Whether the function knows of the end."""
        self.news = asyncio.Event()
        """Set when something has come."""

    def knock(self) -> Fields:
        """The event of the handshake."""
        return self._api.event(self._request, self._arrival, self._matched)

    def admit(self, payload: bytes | None) -> None:
        """Read the reply to it; None for a failure. Raises WebSocketRefused, and InvalidMessage if strict."""
        reason = Refusal.FUNCTION_ERROR
        try:
            found = refusal(reason) if payload is None else admission(payload, self._offered)
        except InvalidMessage:
            if self.strict:
                raise
            found = refusal(Refusal.UNUSABLE_REPLY)
        if isinstance(found, str):
            self.subprotocol = found
            return
        self.give_up()
        raise WebSocketRefused(received(self._request, found))

    def give_up(self) -> None:
        """The client was not let in: nothing is told of its end."""
        self.end(LOST)
        self.told = True

    def say(self, data: object) -> Fields | None:
        """The event of a message; None for one that ends the connection. Raises WebSocketClosed."""
        if self.ended:
            raise WebSocketClosed(self.ended)
        text = data if isinstance(data, str) else "" if isinstance(data, bytes) else json_text(data)
        if isinstance(data, bytes) or len(text.encode()) > MESSAGE_LIMIT:
            self.end(BINARY if isinstance(data, bytes) else TOO_LONG)
            return None
        chosen = selection.selected(self._selection, text)
        key = chosen if chosen is not None and chosen in self._routes else DEFAULT
        self._arrival = arrive(self._request.headers)
        self.last_active_at = time.time()
        return self._api.message(self.connection, self._arrival, key, text)

    def answered(self, payload: bytes | None) -> None:
        """Tell the client of a failure, as API Gateway does; replies go nowhere."""
        if payload is None and not self.ended:
            self.come(error_frame(FAILED, self.id, self._arrival.gateway_id))

    def come(self, text: str) -> None:
        """Something for the client."""
        self.inbox.append(text)
        self.last_active_at = time.time()
        self.news.set()

    def end(self, close: Close) -> None:
        """The connection is over, if it was not."""
        self.ended = self.ended or close
        self.news.set()

    def left(self) -> Fields | None:
        """The event of the end, once it has come; None if there is nothing to tell."""
        if self.ended is None or self.told:
            return None
        self.told = True
        return self._api.disconnect(self.connection, arrive(self._request.headers), self.ended)

    def take(self) -> str:
        """What has come first. Raises WebSocketClosed, and TimeoutError if there is nothing."""
        if self.inbox:
            return self.inbox.popleft()
        if self.ended:
            raise WebSocketClosed(self.ended)
        raise TimeoutError("Expected a message for the client, but none has been sent.")


def closing(code: int | None, reason: str) -> Close:
    return WITHOUT_CODE if code is None else Close(code, reason or REASONS.get(code, ""))
