"""What stands before a handler: a door and its routes. A request in as an event, a result out as a response."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from lambent.dev.arrivals import arrive
from lambent.dev.doors import DOORS
from lambent.dev.doors.model import (
    ANYTHING,
    PAYLOAD_LIMIT,
    Arrival,
    Door,
    Fields,
    HTTPReply,
    HTTPRequest,
    Matched,
    Refusal,
    Site,
    StreamingDoor,
)
from lambent.errors import ConfigurationError, EventError, InvalidMessage
from lambent.testing.requests import Order
from lambent.testing.response import Response

if TYPE_CHECKING:
    from lambent.dev.routes import Routes
    from lambent.testing.environment import Result

BODILESS = frozenset({204, 205, 304})


class Visit(NamedTuple):
    """One request that is on its way to the function."""

    order: Order
    arrival: Arrival
    payload: bytes
    """The event."""


class Front:
    """A door of one function. With `strict`, what the door would answer to the function's mistakes is raised."""

    def __init__(self, door: str, site: Site, routes: Sequence[str] = (), *, strict: bool = True) -> None:
        if door not in DOORS:
            raise ConfigurationError(f"door: expected {', '.join(DOORS)}, but got {door!r}.")
        self._door: Door = DOORS[door](site)
        self._routes = table(door, site, routes) if routes else None
        self.strict = strict

    def enter(self, order: Order) -> Visit | Response:
        """The event, or what the door answers by itself: where no route leads, and to what is too large."""
        request, arrival = order.request, arrive(order.request.headers)
        matched = self._matched(request)
        refusal = Refusal.NO_ROUTE if matched is None else too_much(request, self._door)
        if matched is None or refusal is not None:
            return self._refused(refusal or Refusal.NO_ROUTE, order, arrival)
        payload = encoded(self._event(order, arrival, matched))
        if len(payload) > PAYLOAD_LIMIT:
            return self._refused(Refusal.TOO_LARGE, order, arrival)
        return Visit(order, arrival, payload)

    def event(self, order: Order) -> Any:
        """As the function is given it. Raises ConfigurationError where no route leads."""
        arrival = arrive(order.request.headers)
        matched = self._matched(order.request)
        if matched is None:
            method, path = order.request.method, order.request.raw_path.decode("latin-1")
            raise ConfigurationError(f"{method} {path}: expected a request that a route of the client leads to.")
        return json.loads(encoded(self._event(order, arrival, matched)))

    def leave(self, visit: Visit, result: Result) -> Response:
        """The response. InvalidMessage, if `strict`, for a result that the door cannot use."""
        try:
            return received(visit.order.request, self._reply(visit, result))
        except InvalidMessage as error:
            refusal = self._refused(Refusal.UNUSABLE_REPLY, visit.order, visit.arrival)
            if not self.strict:
                return refusal
            error.add_note(f"{self._door.title} would answer {refusal.status}.")
            raise

    def failed(self, visit: Visit, error: Exception) -> Response:
        """What the door answers when the function has raised; with `strict` that is raised again."""
        if self.strict:
            raise error
        return self._refused(Refusal.FUNCTION_ERROR, visit.order, visit.arrival)

    def _matched(self, request: HTTPRequest) -> Matched | None:
        if self._routes is None:
            return ANYTHING
        return getattr(self._routes.find(request.method, request.raw_path), "matched", None)

    def _event(self, order: Order, arrival: Arrival, matched: Matched) -> Fields:
        if order.authorizer is not None:
            matched = matched._replace(authorizer=authorized(order.authorizer))
        return self._door.event(order.request, arrival, matched)

    def _reply(self, visit: Visit, result: Result) -> HTTPReply:
        door, arrival = self._door, visit.arrival
        if result.streamed:
            if not isinstance(door, StreamingDoor):
                raise InvalidMessage(f"{door.title} takes no streamed replies.")
            return door.begin(result.prelude, arrival)._replace(body=result.payload)
        excess = len(result.payload) - door.limits.result
        if excess > 0:
            limit = f"takes {door.limits.result} bytes of a result, as JSON"
            raise InvalidMessage(f"{door.title} {limit}, but this one has {excess} more.")
        return door.reply(result.payload, arrival)

    def _refused(self, reason: Refusal, order: Order, arrival: Arrival) -> Response:
        return received(order.request, self._door.refuse(reason, arrival))


def table(door: str, site: Site, routes: Sequence[str]) -> Routes:
    """`GET /items/{id}`, in AWS's words. Raises ConfigurationError for what is no route."""
    from lambent.dev.model import Entrance, Function, Route
    from lambent.dev.routes import Routes

    read = []
    for text in [routes] if isinstance(routes, str) else routes:
        method, _, path = text.strip().rpartition(" ")
        read.append(Route(door, method.strip().upper() or "ANY", path))
    return Routes([Function(site.function, "", routes=tuple(read))], [Entrance(door, door)])


def authorized(found: Mapping[str, object]) -> Mapping[str, object]:
    """Raises ConfigurationError for what no authorizer tells."""
    if unknown := sorted(set(found) - {"jwt", "lambda", "iam"}):
        raise ConfigurationError(f"authorizer: expected jwt, lambda or iam, but got {', '.join(unknown)}.")
    return found


def too_much(request: HTTPRequest, door: Door) -> Refusal | None:
    """Why the door would not look at the request, by its size."""
    method, path, query, headers, body, *_ = request
    refusal = door.limits.refusal(method, path, query, headers, request.http_version)
    return refusal or (Refusal.TOO_LARGE if len(body) > door.limits.body else None)


def encoded(event: object) -> bytes:
    """As JSON. Raises TypeError or ValueError for what is none."""
    text = json.dumps(event, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "surrogatepass")


def payload(event: object) -> bytes:
    """An event that a test has made. Raises EventError for what Lambda would not take."""
    try:
        text = encoded(event)
    except (TypeError, ValueError) as error:
        raise EventError(f"Expected an event that is JSON, but got {event!r:.200}: {error}.") from None
    if len(text) > PAYLOAD_LIMIT:
        raise EventError(f"Lambda takes events of {PAYLOAD_LIMIT} bytes as JSON, but this one has {len(text)}.")
    return text


def received(request: HTTPRequest, reply: HTTPReply) -> Response:
    """As it comes over the wire: with its length, and without a body where there can be none."""
    body = b"" if request.method == "HEAD" or reply.status in BODILESS else reply.body
    length = [] if reply.status in BODILESS else [(b"content-length", str(len(reply.body)).encode())]
    return Response(reply.status, [*reply.headers, *length], body)
