"""Request to scope. Source: asgi.readthedocs.io, "HTTP & WebSocket ASGI Message Format", version 2.5."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.gateway.model import Request
    from lambent.types import Context, Event, Scope


def http_scope(request: Request, event: Event, context: Context | None, state: dict[str, object]) -> Scope:
    """Build the scope of one HTTP request. `state` is what the lifespan left; each request gets a shallow copy."""
    method, path, raw_path, query_string, root_path, scheme, http_version, headers, client, server, _ = request
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "http_version": http_version,
        "method": method,
        "scheme": scheme,
        "path": path,
        "raw_path": raw_path,
        "query_string": query_string,
        "root_path": root_path,
        "headers": headers,
        "client": client,
        "server": server,
        "state": state.copy(),
        "extensions": {},
        "aws.event": event,
        "aws.context": context,
    }
