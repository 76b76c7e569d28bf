"""What tests of functions need.

    Client           HTTP requests to a handler or an application in this process, as a front door makes events of them
    LocalLambda      the local Lambda in the background: processes, limits, the Invoke API
    events           the events that AWS's sources send
    context          what a handler is given beside its event

    from lambent.testing import Client, events

    with Client(app, door="rest") as client:
        assert client.get("/items", params={"page": 2}).json() == []
        client.invoke(events.sqs({"id": 7}, queue="orders"))

With pytest there are fixtures: see `lambent.testing.plugin`.

    client.py       IO     a handler, run here: environment.py has it, front.py is what stands before it, strict.py
                           is what applications are in
    sockets.py      IO     WebSockets to it: line.py is one connection, wires.py takes what is posted
    requests.py     PURE   requests as tests write them
    response.py     PURE   what comes back
    contexts.py            the context
    local.py        IO     the local Lambda in a thread
    recorded.py     PURE   events that AWS's own tools have written down
    kinds.py        PURE   the events by name
    plugin.py       IO     pytest
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.testing.client import AsyncClient, Client
    from lambent.testing.contexts import context
    from lambent.testing.line import WebSocketClosed, WebSocketRefused
    from lambent.testing.local import LocalLambda
    from lambent.testing.response import Response

__all__ = ["AsyncClient", "Client", "LocalLambda", "Response", "WebSocketClosed", "WebSocketRefused", "context"]

_HOMES = {
    "AsyncClient": "client",
    "Client": "client",
    "LocalLambda": "local",
    "Response": "response",
    "WebSocketClosed": "line",
    "WebSocketRefused": "line",
    "context": "contexts",
}


def __getattr__(name: str) -> object:
    """Import what is asked for, and nothing else (PEP 562): pytest imports this package in every suite."""
    if name not in _HOMES:
        raise AttributeError(f"module 'lambent.testing' has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"lambent.testing.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
