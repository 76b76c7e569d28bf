"""The front doors of AWS Lambda, and which of them an event came through.

    from lambent.gateway import GATEWAYS, detect
    from lambent.gateway.model import DEFAULTS
    detect(event, GATEWAYS).request(event, DEFAULTS)

`GATEWAYS` is an ordered tuple; the first that matches serves. Each door tells itself apart by one fact, kept here so
that a door's module is imported when the first event of its kind comes, and never before.
"""

from __future__ import annotations

from importlib import import_module

from lambent.errors import UnknownEvent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lambent.gateway.model import Request, Response, Settings
    from lambent.gateway.protocol import Gateway
    from lambent.types import Event, Result

__all__ = ["GATEWAYS", "detect"]


LAMBDA_LIMIT = 6 * 1024 * 1024 + 100
"""Bytes that Lambda takes as a reply that is not streamed (measured on AWS's emulator; documented as 6 MB)."""

ALB_LIMIT = 1024 * 1024
EDGE_VIEWER_LIMIT = 40 * 1024
EDGE_ORIGIN_LIMIT = 1024 * 1024
"""Bytes, as documented: 1 MB, 40 KB and 1 MB."""


class Door:
    """A Gateway whose translation is the module of the same name in this package, loaded at first use."""

    __slots__ = ("limit", "matches", "name", "prelude", "reply", "request")

    name: str
    matches: Callable[[dict[str, Event]], bool]
    limit: int
    request: Callable[[dict[str, Event], Settings], Request]
    reply: Callable[[Response, dict[str, Event], Settings], Result]
    prelude: Callable[[Response, dict[str, Event], Settings], Result] | None

    def __init__(self, name: str, matches: Callable[[dict[str, Event]], bool], limit: int = LAMBDA_LIMIT) -> None:
        self.name = name
        self.matches = matches
        self.limit = limit

    def __getattr__(self, attribute: str) -> object:
        """Called for what the module has while its slots are empty: fill them."""
        if attribute not in ("request", "reply", "prelude"):
            raise AttributeError(attribute)
        module = import_module(f"lambent.gateway.{self.name}")
        self.request = module.request
        self.reply = module.reply
        self.prelude = getattr(module, "prelude", None)
        return getattr(self, attribute)

    def __repr__(self) -> str:
        return f"<gateway {self.name}>"


def _is_function_url(event: dict[str, Event]) -> bool:
    """Payload 2.0 whose domain name is `<url-id>.lambda-url.<region>.on.aws`; a URL has no custom domains."""
    try:
        context = event.get("requestContext", ())
        return "http" in context and ".lambda-url." in context["domainName"]
    except (LookupError, TypeError):
        return False


def _is_http_api(event: dict[str, Event]) -> bool:
    """Payload 2.0 with `requestContext.http.method`. An authorizer's event has the same and a `type` of its own."""
    try:
        context = event.get("requestContext", ())
        return "http" in context and bool(context["http"]["method"]) and "type" not in event
    except (LookupError, TypeError):
        return False


def _is_alb(event: dict[str, Event]) -> bool:
    """`requestContext.elb`, with or without multi-value headers."""
    try:
        context = event.get("requestContext", ())
        return "elb" in context and bool(context["elb"])
    except (LookupError, TypeError):
        return False


def _is_http_api_v1(event: dict[str, Event]) -> bool:
    """`version` 1.0 with `httpMethod`. Destinations have the former too; an authorizer's event has a `type`."""
    return event.get("version") == "1.0" and "httpMethod" in event and "type" not in event


def _is_rest_api(event: dict[str, Event]) -> bool:
    """`httpMethod` and `path`, as a hand-written event has, and neither a `type` nor what the other doors go by."""
    if "httpMethod" not in event or "path" not in event or "type" in event:
        return False
    return event.get("version") != "1.0" and not _is_alb(event)


def _is_lattice_v2(event: dict[str, Event]) -> bool:
    """`requestContext.serviceNetworkArn`."""
    try:
        context = event.get("requestContext", ())
        return "serviceNetworkArn" in context and bool(context["serviceNetworkArn"])
    except (LookupError, TypeError):
        return False


def _is_lattice_v1(event: dict[str, Event]) -> bool:
    """`raw_path`: no other event is in snake case."""
    return "raw_path" in event


def _is_websocket_api(event: dict[str, Event]) -> bool:
    """`requestContext.connectionId`. An authorizer's event has the same and a `type` of its own."""
    try:
        return bool(event.get("requestContext", ())["connectionId"]) and "type" not in event
    except (LookupError, TypeError):
        return False


def _is_edge_viewer_request(event: dict[str, Event]) -> bool:
    """`Records[0].cf.config.eventType`; of an event about a response there is nothing to ask an application."""
    return _edge_event_type(event) == "viewer-request"


def _is_edge_origin_request(event: dict[str, Event]) -> bool:
    """`Records[0].cf.config.eventType`."""
    return _edge_event_type(event) == "origin-request"


def _edge_event_type(event: dict[str, Event]) -> object:
    if "Records" not in event:
        return None
    try:
        return event["Records"][0]["cf"]["config"]["eventType"]
    except (LookupError, TypeError):
        return None


GATEWAYS: tuple[Gateway, ...] = (
    Door("function_url", _is_function_url),
    Door("http_api", _is_http_api),
    Door("rest_api", _is_rest_api),
    Door("http_api_v1", _is_http_api_v1),
    Door("alb", _is_alb, ALB_LIMIT),
    Door("lattice", _is_lattice_v2),
    Door("lattice", _is_lattice_v1),
    Door("edge", _is_edge_viewer_request, EDGE_VIEWER_LIMIT),
    Door("edge", _is_edge_origin_request, EDGE_ORIGIN_LIMIT),
    Door("websocket_api", _is_websocket_api),
)
"""The first is told from the second by its place; all others match nothing that another one matches."""


def detect(event: Event, gateways: Iterable[Gateway]) -> Gateway:
    """Return the gateway that built `event`. Raises UnknownEvent, which names what was looked for and what came."""
    if isinstance(event, dict):
        for gateway in gateways:
            if gateway.matches(event):
                return gateway
    known = ", ".join(dict.fromkeys(gateway.name for gateway in gateways))
    raise UnknownEvent(f"Expected an event of one of the gateways {known}, but got {_describe(event)}.")


def _describe(event: Event) -> str:
    """Say what came without its values, which may be secret."""
    if not isinstance(event, dict):
        return f"a JSON {type(event).__name__}"
    if not event:
        return "an empty object"
    keys = ", ".join(sorted(repr(str(key)[:40]) for key in list(event)[:12]))
    return f"an object with the keys {keys}" + (" and more" if len(event) > 12 else "")
