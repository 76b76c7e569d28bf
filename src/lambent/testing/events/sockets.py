"""What a WebSocket API tells of a connection: that a client knocks, each of its messages, and the end.

Built by the local Lambda's own WebSocket API. Events of one connection have its id: say it, or give one seed to all.

Source: that of `lambent.dev.doors.websocket_api`.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from lambent.dev.diff.request import CLIENT, Headers, read_request
from lambent.dev.doors.model import Arrival, HTTPRequest, Matched, Site
from lambent.dev.doors.websocket_api import (
    CONNECT,
    DEFAULT,
    DELETED,
    GOING_AWAY,
    LOST,
    WITHOUT_CODE,
    Close,
    Connection,
    WebSocketAPI,
    identifier,
)
from lambent.testing.events.origin import HERE, Event, Facts, Origin
from lambent.testing.events.payloads import Payload, text
from lambent.testing.events.requests import NO_HEADERS, arrive, pairs

NO_QUERY: Mapping[str, str] = {}
REASONS = {each.code: each.reason for each in (DELETED, GOING_AWAY, WITHOUT_CODE, LOST)}
"""What AWS says of the codes that it gives itself."""


def websocket_connect(
    *,
    query: Mapping[str, str] = NO_QUERY,
    headers: Headers = NO_HEADERS,
    subprotocols: Sequence[str] = (),
    connection_id: str = "",
    stage: str = "prod",
    origin: Origin = HERE,
) -> Event:
    """A client that wants to connect: `$connect`. Raises ValueError for what cannot be in a handshake."""
    facts = origin.facts()
    arrival, api = arrive(facts), Site("my-function", facts.region, facts.account)
    sent = handshake(api, query, headers, subprotocols, facts.entropy(16))
    event: Any = WebSocketAPI(api).event(sent, arrival, Matched(CONNECT, stage=stage))
    return with_id(event, connection_id)


def websocket_message(
    body: Payload = "Hello!",
    *,
    route: str = DEFAULT,
    connection_id: str = "",
    stage: str = "prod",
    origin: Origin = HERE,
) -> Event:
    """A message of a client, by the key of the route that it takes. Raises TypeError for what is no text."""
    facts = origin.facts()
    api, arrival = WebSocketAPI(Site("my-function", facts.region, facts.account)), arrive(facts)
    event: Any = api.message(connected(facts, arrival, api.site, stage), arrival, route, text(body))
    return with_id(event, connection_id)


def websocket_disconnect(
    code: int = 1005,
    *,
    reason: str = "",
    connection_id: str = "",
    stage: str = "prod",
    origin: Origin = HERE,
) -> Event:
    """The end of a connection: `$disconnect`, with what AWS says of the code where there is no reason.

    Raises ValueError for a code that no end has: -1 is AWS's own, of some that were lost.
    """
    if code != -1 and not 1000 <= code <= 4999:
        raise ValueError(f"code: expected 1000 to 4999, or -1, but got {code}.")
    facts = origin.facts()
    api, arrival = WebSocketAPI(Site("my-function", facts.region, facts.account)), arrive(facts)
    close = Close(code, reason or REASONS.get(code, ""))
    event: Any = api.disconnect(connected(facts, arrival, api.site, stage), arrival, close)
    return with_id(event, connection_id)


def handshake(
    api: Site, query: Mapping[str, str], headers: Headers, subprotocols: Sequence[str], nonce: bytes
) -> HTTPRequest:
    """As a client sends it that says no more than it must. Raises ValueError for what cannot be in one."""
    key = base64.b64encode(nonce).decode("ascii")
    implied = {"Host": domain(api), "Sec-WebSocket-Key": key, "Sec-WebSocket-Version": "13"}
    if subprotocols:
        implied["Sec-WebSocket-Protocol"] = ", ".join(subprotocols)
    given = pairs(headers)
    named = {name.lower() for name, _ in given}
    own = [(name, value) for name, value in implied.items() if name.lower() not in named]
    asked = urlencode([(name, str(value)) for name, value in query.items()])
    sent = read_request("GET", f"/?{asked}", [*own, *given])
    made_up = {b"accept", b"user-agent"} - {name.encode() for name in named}
    return sent._replace(headers=[field for field in sent.headers if field[0] not in made_up])


def connected(facts: Facts, arrival: Arrival, api: Site, stage: str) -> Connection:
    """One that was made a minute ago."""
    return Connection(identifier(arrival, "connection"), facts.now - 60, domain(api), CLIENT[0], stage=stage)


def domain(api: Site) -> str:
    return f"{api.identifier(10)}.execute-api.{api.region}.amazonaws.com"


def with_id(event: Event, connection_id: str) -> Event:
    if connection_id:
        event["requestContext"]["connectionId"] = connection_id
    return event
