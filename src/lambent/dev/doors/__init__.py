"""The doors of the local Lambda: an HTTP request becomes the event that AWS would have made of it, the result a reply.

Pure. The inverse of `lambent.gateway`, and a stranger to it: the two meet only in JSON.
"""

from __future__ import annotations

from collections.abc import Callable

from lambent.dev.doors import alb, edge, websocket_api
from lambent.dev.doors.function_url import FunctionURL
from lambent.dev.doors.http_api import HTTPAPI
from lambent.dev.doors.http_api_v1 import HTTPAPIv1
from lambent.dev.doors.lattice import LatticeV1, LatticeV2
from lambent.dev.doors.model import Door, Site
from lambent.dev.doors.rest_api import RESTAPI
from lambent.dev.doors.websocket_api import WebSocketAPI

DOORS: dict[str, Callable[[Site], Door]] = {
    "url": FunctionURL,
    "http": HTTPAPI,
    "http1": HTTPAPIv1,
    "rest": RESTAPI,
    "alb": alb.ALB,
    "alb-multi": alb.multi_value,
    "lattice1": LatticeV1,
    "lattice": LatticeV2,
    "edge": edge.Edge,
    "edge-viewer": edge.viewer_request,
}
"""The name that `--door` takes → the door, built for the function that stands behind it: those of HTTP requests."""

KINDS = (*DOORS, websocket_api.KIND)
"""All names that `--door` takes."""


def title(kind: str) -> str:
    """How AWS calls it."""
    return (WebSocketAPI if kind == websocket_api.KIND else DOORS[kind])(Site("")).title
