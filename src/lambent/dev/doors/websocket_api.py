"""API Gateway WebSocket API: a handshake, a message and an end as events, and what is said in place of a function.

It is no door of HTTP requests: a connection comes through it once, and stays. Only `$connect` has headers and a query;
the end has four headers that say little. The local address stands for a custom domain name: `domainName` is what the
client's `Host` says, port included, so that addresses made of it lead back here.

Source: docs.aws.amazon.com/apigateway, "Set up a WebSocket API integration request", "Invoke your backend integration
with the $default route and custom routes", "Quotas for configuring and running a WebSocket API"; events and answers
that people captured, of 2020 to 2025: the ends with 1000, 1001 and 1005, the frames with an error, the statuses of a
refused handshake. Believed, not measured: what `REFUSALS` says is so.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from lambent.dev.doors import envelope, fields
from lambent.dev.doors.model import NOTHING, Arrival, Fields, HTTPReply, HTTPRequest, Matched, RawHeaders, Refusal, Site

KIND = "websocket"
STAGE = "local"
"""Unless another one is configured. There is always one: it stands in the address."""

CONNECT, DEFAULT, DISCONNECT = "$connect", "$default", "$disconnect"

MESSAGE_LIMIT = 128 * 1024
FRAME_LIMIT = 32 * 1024
"""Bytes that a client may send at once: of a message, and of one frame of it."""
SECONDS = 29.0
"""That a function may take."""
IDLE = 600.0
LIFE = 7200.0
"""Seconds without a message, and in all, after which a connection is closed."""

CONNECTING = Matched(CONNECT)
JSON = (b"content-type", b"application/json")
ID = re.compile(r"[A-Za-z0-9_-]{15}=")
NOT_HEADERS = frozenset({"Connection", "Upgrade"})

FORBIDDEN = "Forbidden"
FAILED = "Internal server error"
LATE = "Endpoint request timed out"

# Measured: the statuses of a path that there is not, of a function that failed, and of a request that is no handshake.
# Believed: the rest, and what the bodies are.
REFUSALS = {
    Refusal.FUNCTION_ERROR: (502, FAILED),
    Refusal.UNUSABLE_REPLY: (502, FAILED),
    Refusal.THROTTLED: (500, FAILED),
    Refusal.TIMED_OUT: (504, LATE),
    Refusal.NO_ROUTE: (403, FORBIDDEN),
    Refusal.TOO_LARGE: (413, "Request Too Long"),
}
UPGRADE_REQUIRED = HTTPReply(426, [JSON, (b"upgrade", b"websocket")], b'{"message": "Upgrade Required"}')
"""To a request that is no handshake."""


class Close(NamedTuple):
    """Why a connection ended."""

    code: int
    reason: str = ""


DELETED = Close(1000, "Connection Closed Normally")
GOING_AWAY = Close(1001, "Going away")
"""Measured of a connection that was idle; believed of one that has lived as long as it may."""
BINARY = Close(1003, "Unsupported data")
TOO_LONG = Close(1009, "Message too big")
WITHOUT_CODE = Close(1005, "Client-side close frame status not set")
LOST = Close(1006)
"""Without a word. Believed: the code; others saw -1 as well."""


class Connection(NamedTuple):
    """What all events of a connection tell of it."""

    id: str
    connected_at: float
    """Seconds since the epoch."""
    host: str
    """As the client wrote it."""
    source_ip: str
    user_agent: str = ""
    stage: str = STAGE
    variables: Mapping[str, str] = NOTHING
    authorizer: Mapping[str, object] | None = None
    """As it is told: `principalId` and the context."""
    identity: Mapping[str, object] = NOTHING


@dataclass(frozen=True, slots=True)
class WebSocketAPI:
    """Events of one API. All its functions see the same one."""

    site: Site
    title: str = "WebSocket API"

    def event(self, request: HTTPRequest, arrival: Arrival, matched: Matched = CONNECTING) -> Fields:
        """Of `$connect`."""
        connection = connecting(request, arrival, matched)
        headers = told_headers(request, arrival.trace)
        query = fields.query_values(request.query_string)
        return {
            "headers": fields.last(headers),
            "multiValueHeaders": headers,
            **({"queryStringParameters": fields.last(query)} if query else {}),
            **({"multiValueQueryStringParameters": query} if query else {}),
            **stage_variables(connection),
            "requestContext": self._context(connection, arrival, CONNECT, "CONNECT"),
            "isBase64Encoded": False,
        }

    def message(self, connection: Connection, arrival: Arrival, key: str, text: str) -> Fields:
        """Of a message that takes the route `key`."""
        return {
            **stage_variables(connection),
            "requestContext": self._context(connection, arrival, key, "MESSAGE", {"messageId": message_id(arrival)}),
            "body": text,
            "isBase64Encoded": False,
        }

    def disconnect(self, connection: Connection, arrival: Arrival, close: Close) -> Fields:
        """Of the end."""
        headers = {"Host": connection.host, "x-api-key": "", "X-Forwarded-For": "", "x-restapi": ""}
        return {
            "headers": headers,
            "multiValueHeaders": {name: [value] for name, value in headers.items()},
            **stage_variables(connection),
            "requestContext": self._context(connection, arrival, DISCONNECT, "DISCONNECT", close=close),
            "isBase64Encoded": False,
        }

    def _context(
        self,
        connection: Connection,
        arrival: Arrival,
        key: str,
        kind: str,
        more: Mapping[str, str] = NOTHING,
        close: Close | None = None,
    ) -> Fields:
        """`requestContext`."""
        authorizer = {} if connection.authorizer is None else {"authorizer": dict(connection.authorizer)}
        agent = {"userAgent": connection.user_agent} if connection.user_agent else {}
        return {
            "routeKey": key,
            **({"disconnectStatusCode": close.code} if close else {}),
            **authorizer,
            **more,
            "eventType": kind,
            "extendedRequestId": arrival.gateway_id,
            "requestTime": fields.clock(arrival.now),
            "messageDirection": "IN",
            **({"disconnectReason": close.reason} if close else {}),
            "stage": connection.stage,
            "connectedAt": int(connection.connected_at * 1000),
            "requestTimeEpoch": int(arrival.now * 1000),
            "identity": {**connection.identity, **agent, "sourceIp": connection.source_ip},
            "requestId": arrival.gateway_id,
            "domainName": connection.host,
            "connectionId": connection.id,
            "apiId": self.site.identifier(10),
        }


def connecting(request: HTTPRequest, arrival: Arrival, matched: Matched = CONNECTING) -> Connection:
    """The connection that a handshake is for: the same one whenever it is asked."""
    headers = fields.joined_headers(request.headers)
    return Connection(
        identifier(arrival, "connection"),
        arrival.now,
        headers.get("host", ""),
        request.client[0],
        headers.get("user-agent", ""),
        matched.stage or STAGE,
        matched.variables,
        authorized(matched),
        matched.identity,
    )


def authorized(matched: Matched) -> Mapping[str, object] | None:
    """`authorizer`, where one has decided. Who has signed is in `identity` on AWS, and not told here."""
    given = (matched.authorizer or {}).get("lambda")
    return given if isinstance(given, Mapping) else None


def settled(connection: Connection) -> Connection:
    """As later events tell it: how long the authorizer took is said once."""
    if connection.authorizer is None:
        return connection
    kept = {name: value for name, value in connection.authorizer.items() if name != "integrationLatency"}
    return connection._replace(authorizer=kept)


def told_headers(request: HTTPRequest, trace: str) -> dict[str, list[str]]:
    """By name, in the order of the alphabet, without those that make it an upgrade."""
    received = fields.received_headers(request, trace)
    found = fields.header_values(received, fields.title_case)
    return {name: found[name] for name in sorted(found, key=str.lower) if name not in NOT_HEADERS}


def stage_variables(connection: Connection) -> Fields:
    return {"stageVariables": dict(connection.variables)} if connection.variables else {}


def identifier(arrival: Arrival, of: str) -> str:
    """Such as `JCIuTfPGDoECJkA=`: another one for each arrival, and fit to stand in a path."""
    digest = hashlib.sha256(f"{of} {arrival.request_id} {arrival.gateway_id}".encode()).digest()
    return base64.urlsafe_b64encode(digest[:11]).decode("ascii")


def message_id(arrival: Arrival) -> str:
    return identifier(arrival, "message")


def error_frame(message: str, connection_id: str, request_id: str) -> str:
    """What a client is sent in place of a reply, spaces included."""
    return f'{{"message": "{message}", "connectionId":"{connection_id}", "requestId":"{request_id}"}}'


def refusal(reason: Refusal) -> HTTPReply:
    """What a client gets that is not let in."""
    status, text = REFUSALS[reason]
    return HTTPReply(status, [JSON], json.dumps({"message": text}).encode())


def subprotocols(headers: RawHeaders) -> list[str]:
    """Those that a client offers, in its order."""
    offered = b",".join(value for name, value in headers if name == b"sec-websocket-protocol").decode("latin-1")
    return [name for each in offered.split(",") if (name := each.strip())]


def admission(payload: bytes, offered: list[str]) -> str | HTTPReply:
    """What the reply to `$connect` comes to: the subprotocol, empty for none, or the refusal.

    `InvalidMessage` for what is no reply. Of the headers that let a client in, it gets the subprotocol, if it has
    offered that one. Believed, not measured: that a refusal has the function's headers and its body.
    """
    result = envelope.read_object(payload)
    status = envelope.status_code(result.get("statusCode"))
    headers = envelope.header_list(result.get("headers"))
    headers += envelope.kept(envelope.multi_values(result.get("multiValueHeaders")))
    if status not in range(200, 300):
        return envelope.assembled(status, headers, envelope.body(result, envelope.refuse_body), JSON[1])
    chosen = next((value for name, value in headers if name.lower() == b"sec-websocket-protocol"), b"")
    name = chosen.decode("latin-1")
    return name if name in offered else ""


def route_response(payload: bytes) -> str:
    """What a client is sent of a reply, if its route has a response: the body, or nothing.

    `InvalidMessage` for a body that is none. A reply without an envelope is sent as it is, as JSON.
    """
    result = envelope.read(payload)
    if not isinstance(result, dict) or "statusCode" not in result:
        return "" if result is None else result if isinstance(result, str) else payload.decode("utf-8", "replace")
    return envelope.body(result, envelope.refuse_body).decode("utf-8", "replace")
