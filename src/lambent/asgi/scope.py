"""Request to scope, of HTTP and of WebSockets.

Source: asgi.readthedocs.io, "HTTP & WebSocket ASGI Message Format", version 2.5.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.gateway.model import Request
    from lambent.types import Context, Event, Scope


def http_scope(request: Request, event: Event, context: Context | None, state: dict[str, object]) -> Scope:
    """Build the scope of one HTTP request. `state` is what the lifespan left; each request gets a shallow copy.

    A body has its content-length, even if the door has taken it out (a REST API does): Django reads no form without.
    """
    headers = request.headers
    if request.body and b"content-length" not in dict(headers):
        headers = [*headers, (b"content-length", b"%d" % len(request.body))]
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "http_version": request.http_version,
        "method": request.method,
        "scheme": request.scheme,
        "path": request.path,
        "raw_path": request.raw_path,
        "query_string": request.query_string,
        "root_path": request.root_path,
        "headers": headers,
        "client": request.client,
        "server": request.server,
        "state": state.copy(),
        "extensions": {},
        "aws.event": event,
        "aws.context": context,
    }


def websocket_scope(
    request: Request,
    subprotocols: list[str],
    event: Event,
    context: Context | None,
    state: dict[str, object],
    extension: dict[str, object],
) -> Scope:
    """Build the scope of one WebSocket from its handshake. `extension` is what `aws.websocket` says of the event."""
    return {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "http_version": request.http_version,
        "scheme": request.scheme,
        "path": request.path,
        "raw_path": request.raw_path,
        "query_string": request.query_string,
        "root_path": request.root_path,
        "headers": request.headers,
        "client": request.client,
        "server": request.server,
        "subprotocols": subprotocols,
        "state": state.copy(),
        "extensions": {"websocket.http.response": {}, "aws.websocket": extension},
        "aws.event": event,
        "aws.context": context,
    }
