"""Whether a client is let in: by its address, by an authorizer, by the function of `$connect`. In this order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from lambent.dev.doors import websocket_api
from lambent.dev.doors.fields import encoded
from lambent.dev.doors.model import Arrival, HTTPReply, HTTPRequest, Matched, RawHeaders, Refusal
from lambent.dev.doors.websocket_api import CONNECT, KIND, Connection, WebSocketAPI, refusal
from lambent.dev.guard import Guard
from lambent.dev.hosts import hostname
from lambent.dev.model import Route
from lambent.dev.routes.sockets import API, SocketRoutes, Target
from lambent.dev.sockets.calls import Calls
from lambent.errors import InvalidMessage


class Admitted(NamedTuple):
    """A client that is let in."""

    api: str
    """Its name."""
    connection: Connection
    subprotocol: str
    """Empty for none."""


class Admission:
    """Decides on each handshake.

    - `stranger`: what to tell a client whose Host or Origin is not ours; None: it is
    """

    def __init__(self, calls: Calls, guard: Guard, stranger: Callable[[RawHeaders], str | None]) -> None:
        self._calls = calls
        self._guard = guard
        self._stranger = stranger

    async def decide(
        self, routes: SocketRoutes, request: HTTPRequest, arrival: Arrival, gone: asyncio.Future[None]
    ) -> Admitted | HTTPReply:
        """The connection, or the answer to who does not get one. `gone` is done when the client has gone away."""
        if advice := self._stranger(request.headers):
            return HTTPReply(403, [(b"content-type", b"text/plain; charset=utf-8")], f"{advice}\n".encode())
        host = hostname(f"//{header(request, b'host')}")
        api = routes.find(encoded(request.raw_path), host)
        if api is None:
            self._calls.say(lost(routes, encoded(request.raw_path), host))
            return refusal(Refusal.NO_ROUTE)
        target = api.targets.get(CONNECT)
        prefix = encoded(request.raw_path).rstrip("/")
        matched = Matched(CONNECT, stage=api.stage, prefix=prefix, variables=api.entrance.variables)
        door = WebSocketAPI(api.site)
        route = target.route if target else Route(api.entrance.name, "", CONNECT)
        leave = await self._guard.check(route, api.entrance, request, matched, arrival, door)
        if isinstance(leave, HTTPReply):
            return leave
        matched = matched._replace(authorizer=leave.authorizer, identity=leave.identity)
        chosen = await self._asked(api, target, request, arrival, matched, gone) if target else ""
        if isinstance(chosen, HTTPReply):
            return chosen
        connection = websocket_api.settled(websocket_api.connecting(request, arrival, matched))
        return Admitted(api.entrance.name, connection, chosen)

    async def _asked(
        self,
        api: API,
        target: Target,
        request: HTTPRequest,
        arrival: Arrival,
        matched: Matched,
        gone: asyncio.Future[None],
    ) -> str | HTTPReply:
        """By `$connect`: the subprotocol, or the refusal."""
        event = WebSocketAPI(api.site).event(request, arrival, matched)
        answer = await self._calls.ask(api, target, event, arrival, gone)
        if isinstance(answer, Refusal):
            return refusal(answer)
        try:
            return websocket_api.admission(answer, websocket_api.subprotocols(request.headers))
        except InvalidMessage as error:
            self._calls.say(f"RequestId: {arrival.request_id} WebSocket API cannot use the reply to $connect: {error}")
            return refusal(Refusal.UNUSABLE_REPLY)


def header(request: HTTPRequest, wanted: bytes) -> str:
    return next((value.decode("latin-1") for name, value in request.headers if name == wanted), "")


def lost(routes: SocketRoutes, path: str, host: str) -> str:
    """What to tell people of a handshake that has no address of ours."""
    if not routes:
        door = f'door = "{KIND}" in a function\'s table, or --door {KIND}'
        return f"A WebSocket was refused at {path}: there is no WebSocket API. Have one with {door}."
    there = ", ".join(f"{api.path} ({api.entrance.name})" for api in routes.apis)
    hint = "API Gateway has no paths for WebSockets: the one that the app sees is websocket_path of Lambent(…)"
    return f"A WebSocket was refused at {path} on {host}. There are: {there}. {hint}."
