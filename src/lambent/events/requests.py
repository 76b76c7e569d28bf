"""Requests in messages: a queue or a topic brings them, an ASGI application handles them.

    events.requests(sqs="jobs")
    handler = Lambent(app, events=events)

A message is the event of a gateway, whichever of them, as JSON; or in short

    {"method": "POST", "path": "/jobs", "query": {"dry": "1"}, "headers": {"x-tenant": "7"}, "body": {"id": 1}}

| key                | what it is                                                             | without it |
|--------------------|------------------------------------------------------------------------|------------|
| `method`           | of HTTP                                                                |            |
| `path`             | with a slash at its beginning, percent-encoded where that is needed    |            |
| `query`            | percent-encoded, or an object of values and lists of values            | none       |
| `headers`          | an object of strings and lists of strings                              | none       |
| `body`             | text, or any other JSON, which is sent as that                         | none       |
| `isBase64Encoded`  | whether `body` is base64                                               | false      |

Nobody gets the response. A status of 400 or more fails the message, and so does a redirection to where the same would
have to be asked again, for nobody does: then nothing has been done. What the application raises fails it, too, also
after the response. The scope has `aws.record`, the record, and `aws.event`, the same as it came.

A message can say anything of itself, its sender's address and identity too: whoever may send to the queue is trusted.
"""

from __future__ import annotations

import json

from lambent.asgi.http import COMPLETE, HTTPConversation
from lambent.asgi.scope import http_scope
from lambent.errors import ConfigurationError, DecodingError, FailureStatus, IncompleteResponse, MalformedEvent
from lambent.events.compact import compact, is_compact
from lambent.events.model import Record
from lambent.gateway.path import mount
from lambent.types import Context

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AsyncExitStack

    from lambent.events.host import Host
    from lambent.gateway.model import Request, Response
    from lambent.types import ASGIApp, Event

MOVED = frozenset((301, 307, 308))
"""Statuses that say: ask the same elsewhere. Applications say so of a path with a slash too many, or too few."""


class MessageRequests:
    """What is registered for the sources of requests: a function of their records, opened before the first one."""

    _app: ASGIApp
    _state: Callable[[], dict[str, object]]
    """What its lifespan has left."""

    def __init__(self, app: ASGIApp | None, host: Host) -> None:
        self._given = app
        self._host = host

    async def open(self, stack: AsyncExitStack, others: dict[int, dict[str, object]]) -> None:
        """Run the lifespan of an application that is not the host's: once, `others` has what it left.

        Raises ConfigurationError where there is no application, and what its startup raises.
        """
        app = self._given if self._given is not None else self._host.app
        if app is None:
            raise ConfigurationError(
                "Requests in messages need an application: Lambent(app, events=events), or events.requests(app=app)."
            )
        self._app, self._state = app, self._host.state
        if app is self._host.app:
            return
        if id(app) not in others:
            from lambent.asgi.lifespan import lifespan

            state: dict[str, object] = {}
            await stack.enter_async_context(lifespan(app, state, required=False))
            others[id(app)] = state
        self._state = others[id(app)].copy

    async def __call__(self, record: Record, context: Context) -> None:
        """Have the application handle the request. Raises EventError, FailureStatus, and what it raises."""
        request = self._request(_content(record))
        scope = http_scope(request, record.raw, context, self._state())
        scope["aws.record"] = record
        responses: list[Response] = []

        async def respond(response: Response) -> None:
            responses.append(response)

        conversation = HTTPConversation(request.body, respond)
        try:
            await self._app(scope, conversation.receive, conversation.send)
            if conversation.state is not COMPLETE:
                raise IncompleteResponse(f"The application returned while {conversation.state}.")
        finally:
            if conversation.state is not COMPLETE:
                conversation.fail()
        _check(responses[0], request)

    def _request(self, content: Event) -> Request:
        """Of a gateway's event, or of the compact form."""
        gateway = next((each for each in self._host.gateways if each.matches(content)), None)
        if gateway is None and is_compact(content):
            request = compact(content)
        elif gateway is None or gateway.name == "websocket_api":
            keys = ", ".join(sorted(repr(key)[:40] for key in list(content)[:12])) or "none"
            raise DecodingError(
                f"Expected a request, a gateway's event or one with `method` and `path`, but got an object of {keys}."
            )
        else:
            try:
                request = gateway.request(content, self._host.settings)
            except (LookupError, TypeError, ValueError, AttributeError) as error:
                raise MalformedEvent(
                    f"Expected a request as an event of {gateway.name}, but: {type(error).__name__}."
                ) from error
        if self._host.base_path:
            mount(request, self._host.base_path)
        return request


def _content(record: Record) -> dict[str, Event]:
    """The object that a message has as its JSON."""
    body = record.body
    if isinstance(body, str | bytes):
        try:
            body = json.loads(body)
        except (ValueError, RecursionError):
            raise DecodingError("Expected a request as JSON, but the message is none.") from None
    if not isinstance(body, dict):
        raise DecodingError(f"Expected a request as a JSON object, but got a {type(body).__name__}.")
    return body


def _check(response: Response, request: Request) -> None:
    """Raise FailureStatus for a response that says that nothing has been done."""
    if response.status < 400 and response.status not in MOVED:
        return
    path = request.raw_path.decode("latin-1")
    message = f"The application answered {response.status} to {request.method} {path:.200}."
    if response.status in MOVED:
        message += " Nobody follows it there: send the request with the path that the application has, slash and all."
    raise FailureStatus(message)
