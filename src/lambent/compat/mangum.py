"""Mangum's constructor and its custom handlers, with Lambent behind them. API: that of Mangum 0.22.

    from lambent.compat import Mangum

    handler = Mangum(app, api_gateway_base_path="/v1")

What Mangum calls `mangum.types` is here as far as custom handlers need it. Where behaviour differs on purpose is told
in docs/how-to/move-from-mangum.md.
"""

from __future__ import annotations

import copy
from sys import maxsize
from typing import Any, Protocol, TypedDict

from lambent.adapter import Lambent
from lambent.compat.base_path import Mounted
from lambent.gateway import GATEWAYS, detect
from lambent.gateway.model import Request, Settings
from lambent.types import Context as LambdaContext
from lambent.types import Scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping, Sequence
    from typing import Literal, Self

    from lambent.gateway import model
    from lambent.gateway.protocol import Gateway
    from lambent.types import ASGIApp, Context, Event, Invocation, Receive, Result, Send
    from lambent.websocket.peers import Poster

__all__ = [
    "DEFAULT_TEXT_MIME_TYPES",
    "LambdaConfig",
    "LambdaContext",
    "LambdaEvent",
    "LambdaHandler",
    "Mangum",
    "Response",
    "Scope",
]

LambdaEvent = dict[str, Any]

DEFAULT_TEXT_MIME_TYPES = [
    "text/",
    "application/json",
    "application/javascript",
    "application/xml",
    "application/vnd.api+json",
    "application/vnd.oai.openapi",
]
"""What a content type has in it that Mangum takes for text."""

_WITH_BASE_PATH = frozenset(("function_url", "http_api", "http_api_v1", "rest_api"))
"""The doors whose paths Mangum strips: not a load balancer's, nor CloudFront's."""


class LambdaConfig(TypedDict):
    """The options that handlers are given. What is changed in it counts from the next event on."""

    api_gateway_base_path: str
    text_mime_types: list[str]
    exclude_headers: list[str]


class Response(TypedDict):
    """A whole response, as a custom handler gets it. Names of headers are in lower case."""

    status: int
    headers: list[list[bytes]]
    body: bytes


class LambdaHandler(Protocol):
    """A custom handler: one event to one HTTP request, and its response to what the function returns."""

    def __init__(self, *args: Any) -> None:
        """Called with the event, the context and the config."""

    @classmethod
    def infer(cls, event: LambdaEvent, context: LambdaContext, config: LambdaConfig) -> bool:
        """Tell whether the event is of this handler's kind."""

    @property
    def body(self) -> bytes: ...

    @property
    def scope(self) -> Scope: ...

    def __call__(self, response: Response) -> dict[str, Any]: ...


class Mangum(Lambent):
    """A Lambent that is made, and asked, as a Mangum. It is called, awaited and run as any other.

    - `app`, `lifespan`: as Lambent has them, so that the lifespan runs once per environment.
    - `api_gateway_base_path`: becomes part of the root path of what comes through API Gateway or a Function URL.
    - `custom_handlers`: classes with the LambdaHandler protocol, asked in order before the gateways.
    - `text_mime_types`: a content type that has one of them in it is text, besides what Lambent knows to be text.
    - `exclude_headers`: names of response headers that are not sent, through whichever door.
    - `dsn`, `ws_config`: where what is kept of WebSocket connections lies, as Mangum 0.12 and 0.9 were told. It becomes
      the `store`, which is made once: `lambent stores init URL`.
    - `api_gateway_endpoint_url`, `api_gateway_region_name`: of the management API, with `/@connections` or without.

    Raises ConfigurationError for a wrong `lifespan`, and for what none of Mangum's WebSocket backends was told.
    """

    def __init__(
        self,
        app: ASGIApp,
        lifespan: Literal["auto", "on", "off"] = "auto",
        api_gateway_base_path: str | None = "/",
        custom_handlers: Sequence[type[LambdaHandler]] | None = None,
        text_mime_types: Sequence[str] | None = None,
        exclude_headers: Sequence[str] | None = None,
        *,
        dsn: str | None = None,
        ws_config: Mapping[str, object] | None = None,
        api_gateway_endpoint_url: str | None = None,
        api_gateway_region_name: str | None = None,
    ) -> None:
        store, endpoint = _moved(dsn, ws_config, api_gateway_endpoint_url, api_gateway_region_name)
        self.custom_handlers = custom_handlers if custom_handlers is not None else []
        self.config: LambdaConfig = {
            "api_gateway_base_path": api_gateway_base_path or "/",
            "text_mime_types": list(text_mime_types or DEFAULT_TEXT_MIME_TYPES),
            "exclude_headers": [name.lower() for name in exclude_headers or ()],
        }
        super().__init__(
            app,
            lifespan=lifespan,
            gateways=[_Door(gateway, self.config) for gateway in GATEWAYS],
            store=store,
            websocket_endpoint=endpoint,
        )
        self._settings = Settings(_TextTypes(self.config))

    def infer(self, event: Event, context: Context | None) -> LambdaHandler | Gateway:
        """Return what serves this event: a custom handler, made for it, or else a gateway. Raises UnknownEvent."""
        handler = self._custom(event, context)
        return detect(event, self.gateways) if handler is None else handler

    def serve(self, invocation: Invocation) -> Coroutine[Any, Any, None]:
        """Handler: as Lambent does, but for events that a custom handler takes.

        What that one raises fails the invocation, in whichever of its parts: it is called when the application has
        ended, outside of it.
        """
        return self._serve(invocation) if self.custom_handlers else super().serve(invocation)

    async def _serve(self, invocation: Invocation) -> None:
        event, context = invocation.event, invocation.context
        handler = self._custom(event, context)
        if handler is None:
            await super().serve(invocation)
            return
        from lambent.managed import ReturnedInvocation

        scope = {"aws.event": event, **handler.scope}  # a copy: theirs may be one for all events
        run = copy.copy(self)
        run.gateways = (_CustomDoor(type(handler).__name__, scope, handler.body),)
        run.app = _completed(scope, self.app, has_state=self.lifespan != "off")
        held = ReturnedInvocation({}, context)  # an event of theirs may be any JSON, one of a gateway is an object
        await Lambent.serve(run, held)
        await invocation.reply(handler(held.result()))

    def _custom(self, event: Event, context: Context | None) -> LambdaHandler | None:
        given: Any = context  # Mangum's handlers are not told that there may be none
        for handler in self.custom_handlers:
            if handler.infer(event, given, self.config):
                return handler(event, given, self.config)
        return None


class _Door(Mounted):
    """A gateway under Mangum's config, which is read anew for each event."""

    __slots__ = ("_config", "_strips")

    def __init__(self, gateway: Gateway, config: LambdaConfig) -> None:
        super().__init__(gateway)
        self._config = config
        self._strips = gateway.name in _WITH_BASE_PATH

    def request(self, event: dict[str, Event], settings: Settings) -> Request:
        if self._strips:
            self.base_path = self._config["api_gateway_base_path"]
        return super().request(event, settings)

    def reply(self, response: model.Response, event: dict[str, Event], settings: Settings) -> Result:
        if excluded := self._config["exclude_headers"]:
            response.headers = [field for field in response.headers if field[0].decode("latin-1") not in excluded]
        return super().reply(response, event, settings)


class _TextTypes(frozenset[str]):
    """Has every media type that has one of the config's in it: Mangum's entries are parts, such as `text/`."""

    __slots__ = ("_config",)

    _config: LambdaConfig

    def __new__(cls, config: LambdaConfig) -> Self:
        types = super().__new__(cls)
        types._config = config
        return types

    def __contains__(self, media_type: object) -> bool:
        """Parameters aside, as media types come here, and whichever the case."""
        known = self._config["text_mime_types"]
        return any(each.partition(";")[0].strip().lower() in str(media_type) for each in known)


class _CustomDoor:
    """The Gateway of one event that a custom handler has taken apart. It gives the response as that wants it."""

    __slots__ = ("_body", "_scope", "name")

    limit = maxsize  # what is measured is the reply, and this is none yet

    def __init__(self, name: str, scope: Scope, body: bytes) -> None:
        self.name = name
        self._scope = scope
        self._body = body

    def matches(self, event: dict[str, Event]) -> bool:  # noqa: ARG002 - the handler has told already
        return True

    def request(self, event: dict[str, Event], settings: Settings) -> Request:  # noqa: ARG002 - see `matches`
        """What the handler's scope may leave out, and what errors are logged with."""
        from lambent.gateway.http_api import encode_path

        method = self._scope.get("method", "GET")
        path = self._scope.get("path", "/")
        return Request(method, path, encode_path(path), b"", "", "https", "1.1", [], None, None, self._body or b"")

    def reply(self, response: model.Response, event: dict[str, Event], settings: Settings) -> Result:  # noqa: ARG002
        """Give a `Response`."""
        headers = [list(field) for field in response.headers]
        return {"status": response.status, "headers": headers, "body": response.body}


def _completed(scope: Scope, app: ASGIApp, *, has_state: bool) -> ASGIApp:
    """Return the application, to be called with the handler's own scope and what that has not."""

    async def completed(ours: Scope, receive: Receive, send: Send) -> None:
        for key, value in ours.items():
            scope.setdefault(key, value)
        if has_state:
            scope["state"] = ours["state"]
        await app(scope, receive, send)

    return completed


def _moved(
    dsn: str | None, ws_config: Mapping[str, object] | None, url: str | None, region: str | None
) -> tuple[str | None, str | Poster | None]:
    """Return `store` and `websocket_endpoint`, as Lambent has them."""
    if all(each is None for each in (dsn, ws_config, url, region)):
        return None, None
    import os

    from lambent.compat.websocket_config import moved

    store, endpoint, where = moved(dsn, ws_config, url, region)
    if endpoint is None or where in ("", os.environ.get("AWS_REGION")):
        return store, endpoint
    from lambent.websocket.management import Management

    return store, Management(endpoint, where)
