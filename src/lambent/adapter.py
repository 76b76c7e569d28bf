"""Invocation in, reply out: a gateway and an ASGI conversation joined.

    from lambent import Lambent

    handler = Lambent(app)

One object, three ways to run it: AWS's managed Python runtime calls `handler(event, context)`, async code awaits
`handler.handle(event, context)`, and Lambent's own runtime uses it as a Handler, through `lifetime` and `serve`.
"""

from __future__ import annotations

import logging
from threading import Lock

from lambent.asgi.http import COMPLETE, HTTPConversation
from lambent.asgi.scope import http_scope
from lambent.errors import (
    ConfigurationError,
    FailureStatus,
    IncompleteResponse,
    InvalidResult,
    MalformedEvent,
    UnknownEvent,
)
from lambent.gateway import GATEWAYS, detect
from lambent.gateway.model import Response, Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable
    from contextlib import AbstractAsyncContextManager
    from typing import Any, Literal

    from lambent.events.events import Events
    from lambent.gateway.model import Request, WebSocketPath
    from lambent.gateway.protocol import Gateway
    from lambent.gateway.streamed import StreamedDoor
    from lambent.managed import ManagedEnvironment
    from lambent.stores.model import Store
    from lambent.types import ASGIApp, Context, Event, Invocation, Result, Scope, Writer
    from lambent.websocket.conversations import Conversations
    from lambent.websocket.peers import Poster

logger = logging.getLogger("lambent")

_FIRST_CALL = Lock()

_NEVER_TOO_LARGE = 6000
"""Bytes of a body that no door refuses, even if each of them takes six as JSON."""


class Lambent:
    """An ASGI application as a Lambda handler.

    - `app`: any ASGI 3 application.
    - `lifespan`: `auto` runs the application's lifespan if it has one, `on` insists on it (an application without, or
      one whose startup raises, fails the init with its own exception), `off` runs none. Once per environment.
    - `gateways`: the front doors that events may come through, in the order in which they are asked.
    - `eager`: start the lifespan now, not at the first event: in the managed runtime that is during init. An exception
      of startup is raised here, and so fails the init.
    - `base_path`: what a custom domain puts in front of the paths, such as `/v1`; it becomes part of the root path.
    - `text_types`: media types whose bodies go as text, besides those known to be text.
    - `exclude_headers`: names of response headers that are not sent.
    - `errors`: an exception of the application is answered with 500 (`respond`), or fails the invocation (`raise`), so
      that Lambda counts, retries and alarms. None: what the application's `lambent_errors` says, else `respond`.
    - `failure_statuses`: responses with these statuses fail the invocation.
    - `trusted_proxies`: how many proxies in front of the function are believed in what they say of the client.
    - `stream`: responses leave piece by piece, through a Function URL or a REST API that is set to it. No event says
      so, which is why it must be said here, or with LAMBENT_STREAM=1. Needs Lambent's runtime.
    - `pad_empty`: a streamed response without a body gets a space, for clients that would wait for one.
    - `websockets`: a message finds the application where it is when all before that has been run again (`replay`), or
      where it waits, as long as the same environment gets the messages of its connection (`resident`).
    - `store`: where what is kept of WebSocket connections lies, as a URL (lambent.stores) or an object. None: what
      LAMBENT_STORE says. Only applications with WebSockets need one.
    - `websocket_path`: the path that the application sees of every WebSocket, such as `/ws`, for API Gateway has none;
      `/rooms/{room}` takes `room` from the query; or a function from the event to the path.
    - `websocket_endpoint`: of the management API, `https://HOST/STAGE`, or an object that posts. None: as the event
      says.
    - `events`: functions for what comes through none of the gateways.
    """

    _conversations: Conversations | None = None
    """There once an event of a WebSocket has come."""
    _environment: ManagedEnvironment | None = None
    """There once the handler has been called: our own runtime makes none."""
    plain_json: bool
    """Handler: whether what it replies is plain JSON: people's own functions for events may return more."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        lifespan: Literal["auto", "on", "off"] = "auto",
        gateways: Iterable[Gateway] = GATEWAYS,
        eager: bool = False,
        base_path: str = "",
        text_types: Iterable[str] = (),
        exclude_headers: Iterable[str] = (),
        errors: Literal["respond", "raise"] | None = None,
        failure_statuses: Iterable[int] = (),
        trusted_proxies: int = 1,
        stream: bool | None = None,
        pad_empty: bool = False,
        websockets: Literal["replay", "resident"] = "replay",
        store: str | Store | None = None,
        websocket_path: WebSocketPath = "/",
        websocket_endpoint: str | Poster | None = None,
        events: Events | None = None,
    ) -> None:
        self.errors: str = getattr(app, "lambent_errors", "respond") if errors is None else errors
        _check_all(app, lifespan, self.errors, websockets, websocket_path)
        self.app = app
        self.lifespan = lifespan
        self.gateways = tuple(gateways)
        self.base_path = "/" + base_path.strip("/") if base_path.strip("/") else ""
        self.failure_statuses = frozenset(failure_statuses)
        self._settings = Settings(frozenset(map(str.lower, text_types)), trusted_proxies, websocket_path)
        self._excluded = frozenset(name.lower().encode("latin-1") for name in exclude_headers)
        self._plain = self.errors == "respond" and not self.failure_statuses and not self._excluded
        self.stream = _streams(stream)
        self._pad = pad_empty
        self._websockets = websockets, store, websocket_endpoint
        self._events, self.plain_json = events, events is None
        self._state: dict[str, object] = {}
        if events is not None:
            events.bind(app, self._get_state, self.gateways, self._settings, self.base_path)
        if eager:
            self._called().start()

    def __call__(self, event: Event, context: Context | None = None) -> Result:
        """Handle one event and return the reply, as the managed Python runtime wants it.

        May be called from any thread. Raises UnknownEvent for an event of no known gateway, what startup raised where
        that failed, and WrongEventLoop inside a running event loop: there, await `handle`.
        """
        return (self._environment or self._called()).call(event, context)

    async def handle(self, event: Event, context: Context | None = None) -> Result:
        """Handle one event on the running event loop, which thereby becomes the environment's."""
        return await (self._environment or self._called()).handle(event, context)

    def close(self) -> None:
        """Stop the lifespan that calls of the handler have started, and close the event loop made for them.

        Lambda never needs it; it happens when the interpreter exits. For tests and scripts that want it sooner.
        """
        if self._environment is not None:
            self._environment.close()

    def _called(self) -> ManagedEnvironment:
        """Where calls run: made with the first one, for our own runtime makes none."""
        from lambent.managed import ManagedEnvironment

        with _FIRST_CALL:
            if self._environment is None:
                self._environment = ManagedEnvironment(self)
            return self._environment

    def lifetime(self) -> AbstractAsyncContextManager[None]:
        """Handler: the application's lifespan. What its startup puts into the state is in every request's scope."""
        from lambent.lifetime import Lifetime

        if self.lifespan == "off":
            from contextlib import nullcontext

            return Lifetime(nullcontext(), self._events, lambda: self._conversations)
        from lambent.asgi.lifespan import lifespan

        self._state = {}
        within = lifespan(self.app, self._state, required=self.lifespan == "on")
        return Lifetime(within, self._events, lambda: self._conversations)

    def serve(self, invocation: Invocation) -> Coroutine[Any, Any, None]:
        """Handler: run the application on one event. Whatever it does, there is a reply.

        Unless an EventError is raised, or with `errors="raise"` what the application raised, or a FailureStatus.
        """
        try:
            gateway = detect(invocation.event, self.gateways)
        except UnknownEvent:
            if self._events is None:
                raise
            return self._events.serve(invocation)
        if gateway.name == "websocket_api":
            return (self._conversations or self._converse()).serve(invocation)
        return self._serve_request(invocation, gateway)

    async def _serve_request(self, invocation: Invocation, gateway: Gateway) -> None:
        event = invocation.event
        streamed = self._streamed(gateway) if self.stream and invocation.can_stream else None
        if streamed is not None:
            gateway = streamed
        held: list[Response] = []

        def respond(response: Response) -> Awaitable[None]:
            if self._plain and len(response.body) <= _NEVER_TOO_LARGE:
                return invocation.reply(gateway.reply(response, event, self._settings))
            if self._fails(response.status):
                return _hold(held, response)
            return invocation.reply(self._translate(response, event, gateway))

        try:
            request = gateway.request(event, self._settings)
        except (MalformedEvent, LookupError, TypeError, ValueError, AttributeError) as error:
            logger.warning("%s event refused: %s", gateway.name, _reason(error))
            await invocation.reply(self._translate(_refusal(error), event, gateway))
            return
        if self.base_path:
            from lambent.gateway.path import mount

            mount(request, self.base_path)
        scope = http_scope(request, event, invocation.context, self._state)
        conversation = HTTPConversation(request.body, respond, request.method == "HEAD")
        if streamed is not None:
            conversation = self._streaming(request, respond, invocation, streamed)
        raised = None
        try:
            await self.app(scope, conversation.receive, conversation.send)
        except Exception as error:
            raised = error
        if raised is not None or held or conversation.state is not COMPLETE:
            if invocation.late is not None and (held or conversation.state is not COMPLETE):
                raise raised or invocation.late
            last = self._conclude(scope, conversation, held, raised)
            if last is not None:
                await invocation.reply(self._translate(last, event, gateway))

    def _converse(self) -> Conversations:
        """What serves WebSockets: made with the first event of one."""
        from lambent.websocket.setup import conversations

        self._conversations = conversations(self.app, *self._websockets, self._settings, self._permit, self._get_state)
        return self._conversations

    def _get_state(self) -> dict[str, object]:
        return self._state

    def _conclude(
        self, scope: Scope, conversation: HTTPConversation, held: list[Response], raised: Exception | None
    ) -> Response | None:
        """Say what is still to be sent when the application has ended otherwise than by a response that has been sent.

        Raises what fails the invocation.
        """
        sent = conversation.state is COMPLETE and not held
        if raised is None and not held:
            raised = IncompleteResponse(f"The application returned while {conversation.state}.")
        if conversation.began and not sent:
            raise raised or IncompleteResponse("The application returned in the middle of its response.")
        if conversation.state is not COMPLETE:
            conversation.fail()
        if raised is not None:
            if self.errors == "raise" and not sent:
                raise raised
            _log(scope, raised, answered=sent)
        if sent:
            return None
        return self._permit(held[0] if held else _text(500, "Internal Server Error"), raised)

    def _permit(self, response: Response, raised: BaseException | None) -> Response:
        """The response, if the invocation may end with it. Raises what fails the invocation."""
        if isinstance(raised, Exception) and self.errors == "raise" and response.status >= 500:
            raise raised
        if response.status in self.failure_statuses:
            raise FailureStatus(f"The application answered {response.status}: {response.body[:500]!r}") from raised
        self._exclude(response)
        return response

    def _streamed(self, gateway: Gateway) -> StreamedDoor | None:
        """The gateway with streamed replies, if it takes such."""
        prelude = getattr(gateway, "prelude", None)
        if prelude is None:
            return None
        from lambent.gateway.streamed import StreamedDoor

        return StreamedDoor(gateway, prelude, pad=self._pad)

    def _streaming(
        self,
        request: Request,
        respond: Callable[[Response], Awaitable[None]],
        invocation: Invocation,
        door: StreamedDoor,
    ) -> HTTPConversation:
        from lambent.asgi.streamed import StreamedConversation

        def begin(response: Response) -> Awaitable[Writer]:
            self._exclude(response)
            return invocation.stream(door.prelude(response, invocation.event, self._settings))

        return StreamedConversation(
            request.body, respond, request.method == "HEAD", lambda status: not self._fails(status), begin, self._pad
        )

    def timed_out(self, event: Event) -> Result | None:
        """Handler: the reply when the time is up: 504. None, so that the invocation fails, if that is wanted."""
        if self._fails(504):
            return None
        try:
            gateway = detect(event, self.gateways)
        except UnknownEvent:  # of a function for something else
            return None
        if self.stream:
            gateway = self._streamed(gateway) or gateway
        return self._translate(_text(504, "Gateway Timeout"), event, gateway)

    def _translate(self, response: Response, event: Event, gateway: Gateway) -> Result:
        """The reply that the gateway wants. One that is larger than it takes becomes an error, and is logged."""
        self._exclude(response)
        result = gateway.reply(response, event, self._settings)
        if len(response.body) > _NEVER_TOO_LARGE:
            return self._limited(result, response, event, gateway)
        return result

    def _exclude(self, response: Response) -> None:
        if self._excluded:
            response.headers = [field for field in response.headers if field[0] not in self._excluded]

    def _limited(self, result: Result, response: Response, event: Event, gateway: Gateway) -> Result:
        from lambent.gateway import limits

        excess = limits.excess(result, response.body, gateway.limit)
        if excess <= 0:
            return result
        streaming = "Stream it (`stream=True`), send" if getattr(gateway, "prelude", None) else "Send"
        message = (
            f"The reply has {gateway.limit + excess} bytes as JSON, {excess} more than the {gateway.limit} that "
            f"{gateway.name} takes. {streaming} less at a time, or a link to where it lies."
        )
        if self.errors == "raise":
            raise InvalidResult(message, "Function.ResponseSizeTooLarge")
        logger.error(message)
        return gateway.reply(_text(500, message), event, self._settings)

    def _fails(self, status: int) -> bool:
        """Whether the invocation may fail by a response of this status: it is held until the application has ended."""
        return status in self.failure_statuses or (self.errors == "raise" and status >= 500)


async def _hold(held: list[Response], response: Response) -> None:
    held.append(response)


def _streams(wanted: bool | None) -> bool:
    """What is said in code, else in LAMBENT_STREAM. Raises ConfigurationError in AWS's own runtime, at init."""
    import os
    import sys

    if wanted is None:
        text = os.environ.get("LAMBENT_STREAM") or "0"
        _check("LAMBENT_STREAM", text, ("0", "1"))
        wanted = text == "1"
    if wanted and "AWS_LAMBDA_RUNTIME_API" in os.environ and "lambent.runtime" not in sys.modules:
        raise ConfigurationError(
            "Streaming is asked for, by `stream=True` or LAMBENT_STREAM, but AWS's Python runtime cannot stream. Run "
            f"Lambent's: set AWS_LAMBDA_EXEC_WRAPPER to {__file__.removesuffix('adapter.py')}exec/wrapper. "
            "Or do without streaming."
        )
    return wanted


def _check_all(app: object, lifespan: str, errors: str, websockets: str, path: object) -> None:
    _check("lifespan", lifespan, ("auto", "on", "off"))
    _check("errors", errors, ("respond", "raise"))
    _check("websockets", websockets, ("replay", "resident"))
    if not callable(app):
        raise ConfigurationError(f"Expected an ASGI application, but got {app!r:.200}, which is not callable.")
    if not (callable(path) or (isinstance(path, str) and path.startswith("/") and not {"?", "#"} & set(path))):
        like = "'/ws', without a query, or a function from the event to it"
        raise ConfigurationError(f"Expected `websocket_path` to be a path such as {like}, but got {path!r:.200}.")


def _check(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        *others, last = map(repr, choices)
        raise ConfigurationError(f"Expected `{name}` to be {', '.join(others)} or {last}, but got {value!r}.")


def _log(scope: Scope, error: Exception, *, answered: bool) -> None:
    """Record what the application did wrong; with its traceback, if it raised."""
    ours = error.__traceback__ is None
    what = str(error).removesuffix(".") if ours else "The application raised"
    outcome = "had been answered" if answered else "is answered with 500"
    traceback = None if ours else (type(error), error, error.__traceback__)
    logger.error("%s; %s %s %s.", what, scope["method"], scope["path"], outcome, exc_info=traceback)


def _reason(error: Exception) -> str:
    """What is wrong with an event: the error's own words, or what a gateway found missing or of a wrong type."""
    return str(error) if isinstance(error, MalformedEvent) else f"{type(error).__name__}: {error}"


def _refusal(error: Exception) -> Response:
    status = error.status if isinstance(error, MalformedEvent) else 400
    return _text(status, f"{'Content Too Large' if status == 413 else 'Bad Request'}: {_reason(error)}")


def _text(status: int, text: str) -> Response:
    return Response(status, [(b"content-type", b"text/plain; charset=utf-8")], text.encode("utf-8", "replace"))
