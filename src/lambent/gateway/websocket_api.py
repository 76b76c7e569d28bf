"""API Gateway WebSocket API: the handshake as a request, a message, the end of a connection, and what answers them.

Source: docs.aws.amazon.com/apigateway, "Set up a WebSocket API integration request", "The $connect and $disconnect
routes", "API Gateway mapping template reference" (WebSocket), and live captures.

- Only `$connect` has headers and a query, each with its last value and with all of them.
- A WebSocket API has no paths, so no event has one: which path the application sees is a setting.
- The reply to `$connect` decides: 2xx lets the client in, any other status refuses it. Of its headers the client gets
  `Sec-WebSocket-Protocol`. The replies to other events go nowhere, unless their route has a route response.
"""

from __future__ import annotations

from lambent.errors import MalformedEvent
from lambent.gateway import body, forwarded, headers, multi_value
from lambent.gateway.model import DEFAULTS, Request, Response, Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.types import Event, RawHeaders, Result

CONNECT = "CONNECT"
MESSAGE = "MESSAGE"
DISCONNECT = "DISCONNECT"

_SAFE = "!$&'()*+,;=:@~"
"""What a segment of a path may have besides letters, digits, `-._` (RFC 3986, 3.3)."""

ABNORMAL = 1006
"""The code of a connection that ended without saying why (RFC 6455, 7.4.1)."""


def request(event: dict[str, Event], settings: Settings = DEFAULTS) -> Request:
    """Translate the handshake of a `$connect` event."""
    context = event["requestContext"]
    fields = multi_value.request_headers(event)
    known = dict(fields)
    scheme = "ws" if known.get(b"x-forwarded-proto") == b"http" else "wss"
    host = known.get(b"host", b"").decode("latin-1") or context.get("domainName") or ""
    path, raw_path = _path(event, settings)
    return Request(
        "GET",
        path,
        raw_path,
        multi_value.quoted_query(event),
        "",
        scheme,
        "1.1",
        fields,
        forwarded.told((context.get("identity") or {}).get("sourceIp")),
        headers.server(host, known.get(b"x-forwarded-port", b"").decode("latin-1"), scheme),
        b"",
    )


def reply(response: Response, event: dict[str, Event], settings: Settings = DEFAULTS) -> Result:
    """Give a response: to `$connect`, the upgrade or its refusal. Of repeated headers the last value counts."""
    fields = {name.decode("latin-1"): value.decode("latin-1") for name, value in response.headers}
    result: dict[str, Event] = {"statusCode": response.status}
    if fields:
        result["headers"] = fields
    if response.body:
        result["body"], result["isBase64Encoded"] = body.encode(response.body, fields, settings.text_types)
    return result


def subprotocols(fields: RawHeaders) -> list[str]:
    """Those that the client offers, in its order."""
    offered = b",".join([value for name, value in fields if name == b"sec-websocket-protocol"]).decode("latin-1")
    return [name for each in offered.split(",") if (name := each.strip())]


def origin(event: dict[str, Event]) -> tuple[str, str]:
    """What kind of event it is: CONNECT, MESSAGE or DISCONNECT, and of which connection. Raises MalformedEvent."""
    context = event["requestContext"]
    kind, connection_id = context.get("eventType"), context["connectionId"]
    if kind not in (CONNECT, MESSAGE, DISCONNECT):
        raise MalformedEvent(f"Expected `eventType` CONNECT, MESSAGE or DISCONNECT, but got {kind!r:.80}.")
    if not isinstance(connection_id, str):
        raise MalformedEvent(f"Expected `connectionId` to be a string, but got a {type(connection_id).__name__}.")
    return kind, connection_id


def message(event: dict[str, Event]) -> str | bytes:
    """What the client has sent. Raises MalformedEvent."""
    if event.get("isBase64Encoded"):
        return body.decode(event)
    text = event.get("body")
    if text is not None and not isinstance(text, str):
        raise MalformedEvent(f"Expected `body` to be a string, but got a {type(text).__name__}.")
    return text or ""


def ending(event: dict[str, Event]) -> tuple[int, str]:
    """Code and reason of a `$disconnect`: 1006 where AWS tells none, or -1 as it does for some."""
    context = event["requestContext"]
    code = context.get("disconnectStatusCode")
    return (code if isinstance(code, int) and code > 0 else ABNORMAL), str(context.get("disconnectReason") or "")


def _path(event: dict[str, Event], settings: Settings) -> tuple[str, bytes]:
    """The path that the application sees, decoded and encoded. Raises MalformedEvent where the query lacks a part."""
    from lambent.gateway.http_api import encode_path
    from lambent.gateway.path import decode

    wanted = settings.websocket_path
    if callable(wanted):
        raw = wanted(event)
        return decode(raw), _encoded(raw)
    if "{" not in wanted:
        return wanted, encode_path(wanted)
    return _filled(wanted, event.get("queryStringParameters") or {})


def _filled(template: str, query: dict[str, str]) -> tuple[str, bytes]:
    """`/ws/{client_id}` with the query's `client_id`; `{path:path}` may have slashes in it."""
    from urllib.parse import quote

    path = raw = ""
    for part in template.split("{"):
        name, closing, rest = part.partition("}")
        if not closing:
            name, rest = "", part
        else:
            name, _, kind = name.partition(":")
            value = query.get(name)
            if not isinstance(value, str) or not value:
                raise MalformedEvent(f"Expected the query to have `{name}`, a part of the path {template!r}.")
            path += value
            raw += quote(value, safe="/" if kind == "path" else "")
        path += rest
        raw += quote(rest, safe="/" + _SAFE)
    return path, raw.encode("ascii")


def _encoded(raw: str) -> bytes:
    """A path that is encoded, except that it may have characters that no path has."""
    if raw.isascii():
        return raw.encode("ascii")
    from urllib.parse import quote

    return quote(raw, safe="/%" + _SAFE).encode("ascii")
