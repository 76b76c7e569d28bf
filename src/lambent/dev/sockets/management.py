"""`@connections`: functions, and whoever else is here, post to WebSockets, ask about them and end them. ASGI.

    POST    …/@connections/ID     the body is sent to the client
    GET     …/@connections/ID     since when it is there, and who it is
    DELETE  …/@connections/ID     it is closed

whatever stands before that: clients put the stage there, or nothing. Signatures are not looked at.

Source: API Gateway Management API of 2018-11-29; answers of AWS that people captured in November 2020: 200, 204, 400
and 410 with their headers and bodies. Believed, not measured: the messages of 404 and 413; that what is no UTF-8 is
sent with U+FFFD in its place; that a client which does not read makes it 429.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from urllib.parse import unquote

from lambent.dev.arrivals import arrive
from lambent.dev.doors.model import Arrival, HTTPReply, RawHeaders
from lambent.dev.doors.websocket_api import DELETED, ID, MESSAGE_LIMIT
from lambent.dev.front_door import ClientGone, messages, read_body
from lambent.dev.sockets import Sockets
from lambent.dev.sockets.live import Socket
from lambent.types import Receive, Scope, Send

PATH = re.compile(r"/(?:@|%40)connections/(?P<id>[^/]+)/?", re.IGNORECASE)
JSON = (b"content-type", b"application/json")


class Management:
    """Answers the requests whose path it owns."""

    def __init__(self, sockets: Sockets) -> None:
        self._sockets = sockets

    def owns(self, raw_path: bytes) -> bool:
        """Where there is no WebSocket API, it is a path like any other."""
        return bool(self._sockets.routes) and identifier(raw_path) is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: RawHeaders = list(scope["headers"])
        arrival = arrive(headers)
        try:
            reply = await self._answer(scope, headers, receive)
        except ClientGone:
            return
        for message in messages(stamped(reply, arrival)):
            await send(message)

    async def _answer(self, scope: Scope, headers: RawHeaders, receive: Receive) -> HTTPReply:
        name, method = identifier(scope["raw_path"]) or "", scope["method"]
        if method not in ("POST", "GET", "DELETE"):
            path = scope["path"].removeprefix("/")
            return failed(404, "NotFoundException", f"No method found matching route {path} for http method {method}.")
        if not ID.fullmatch(name):
            return failed(400, "BadRequestException", f"Invalid connectionId: {name}")
        body = await read_body(headers, receive, MESSAGE_LIMIT)
        if body is None:
            return failed(413, "PayloadTooLargeException", f"Message exceeds the maximum of {MESSAGE_LIMIT} bytes")
        socket = self._sockets.find(name)
        if socket is None:
            return failed(410, "GoneException")
        if method == "GET":
            return HTTPReply(200, [JSON], json.dumps(told(socket), indent=2).encode())
        if method == "DELETE":
            socket.close(DELETED)
            return HTTPReply(204, [], b"")
        if not socket.send(body.decode("utf-8", "replace").encode()):
            return failed(429, "LimitExceededException")
        return HTTPReply(200, [JSON], b"")


def identifier(raw_path: bytes) -> str | None:
    """The connection that is meant; None if that is another path."""
    path = raw_path.decode("latin-1")
    found = PATH.fullmatch(path, max(path.lower().rfind("/@connections/"), path.lower().rfind("/%40connections/"), 0))
    return unquote(found["id"]) if found else None


def failed(status: int, error: str, message: str = "") -> HTTPReply:
    """As AWS says it: without a message there is no body either."""
    body = json.dumps({"message": message}, separators=(",", ":")).encode() if message else b""
    return HTTPReply(status, [JSON, (b"x-amzn-ErrorType", error.encode())], body)


def told(socket: Socket) -> dict[str, object]:
    connection = socket.connection
    return {
        "identity": {"sourceIp": connection.source_ip, "userAgent": connection.user_agent},
        "connectedAt": moment(connection.connected_at),
        "lastActiveAt": moment(socket.last_active),
    }


def moment(seconds: float) -> str:
    """`2020-11-15T12:23:14.726Z`"""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def stamped(reply: HTTPReply, arrival: Arrival) -> HTTPReply:
    ids = [(b"x-amzn-RequestId", arrival.request_id.encode()), (b"x-amz-apigw-id", arrival.gateway_id.encode())]
    return reply._replace(headers=[*reply.headers, *ids])
