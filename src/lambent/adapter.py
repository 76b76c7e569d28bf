"""Invocation in, reply out: a gateway and an ASGI conversation joined.

    from lambent import Lambent

    handler = Lambent(app)

One object, three ways to run it: AWS's managed Python runtime calls `handler(event, context)`, async code awaits
`handler.handle(event, context)`, and Lambent's own runtime uses it as a Handler, through `lifetime` and `serve`.
"""

from __future__ import annotations

import logging

from lambent.asgi.http import COMPLETE, HTTPConversation
from lambent.asgi.scope import http_scope
from lambent.errors import ConfigurationError, MalformedEvent
from lambent.gateway import GATEWAYS, detect
from lambent.gateway.model import Response
from lambent.managed import ManagedEnvironment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable
    from contextlib import AbstractAsyncContextManager
    from typing import Literal

    from lambent.gateway.model import Request
    from lambent.gateway.protocol import Gateway
    from lambent.types import ASGIApp, Context, Event, Invocation, Result

logger = logging.getLogger("lambent")


class Lambent:
    """An ASGI application as a Lambda handler.

    - `app`: any ASGI 3 application.
    - `lifespan`: `auto` runs the application's lifespan if it has one, `on` insists on it (an application without, or
      one whose startup raises, fails the init with its own exception), `off` runs none. Once per environment.
    - `gateways`: the front doors that events may come through, in the order in which they are asked.
    - `eager`: start the lifespan now, not at the first event: in the managed runtime that is during init. An exception
      of startup is raised here, and so fails the init.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        lifespan: Literal["auto", "on", "off"] = "auto",
        gateways: Iterable[Gateway] = GATEWAYS,
        eager: bool = False,
    ) -> None:
        if lifespan not in ("auto", "on", "off"):
            raise ConfigurationError(f"Expected `lifespan` to be 'auto', 'on' or 'off', but got {lifespan!r}.")
        if not callable(app):
            raise ConfigurationError(f"Expected an ASGI application, but got {app!r:.200}, which is not callable.")
        self.app = app
        self.lifespan = lifespan
        self.gateways = tuple(gateways)
        self._state: dict[str, object] = {}
        self._environment = ManagedEnvironment(self)
        if eager:
            self._environment.start()

    def __call__(self, event: Event, context: Context | None = None) -> Result:
        """Handle one event and return the reply, as the managed Python runtime wants it.

        May be called from any thread. Raises UnknownEvent for an event of no known gateway, what startup raised where
        that failed, and WrongEventLoop inside a running event loop: there, await `handle`.
        """
        return self._environment.call(event, context)

    async def handle(self, event: Event, context: Context | None = None) -> Result:
        """Handle one event on the running event loop, which thereby becomes the environment's."""
        return await self._environment.handle(event, context)

    def close(self) -> None:
        """Stop the lifespan that calls of the handler have started, and close the event loop made for them.

        Lambda never needs it; it happens when the interpreter exits. For tests and scripts that want it sooner.
        """
        self._environment.close()

    def lifetime(self) -> AbstractAsyncContextManager[None]:
        """Handler: the application's lifespan. What its startup puts into the state is in every request's scope."""
        if self.lifespan == "off":
            from contextlib import nullcontext

            return nullcontext()
        from lambent.asgi.lifespan import lifespan

        self._state = {}
        return lifespan(self.app, self._state, required=self.lifespan == "on")

    async def serve(self, invocation: Invocation) -> None:
        """Handler: run the application on one event. Whatever it does, there is a reply, or an EventError is raised."""
        event = invocation.event
        gateway = detect(event, self.gateways)

        def respond(response: Response) -> Awaitable[None]:
            return invocation.reply(gateway.reply(response, event))

        try:
            request = gateway.request(event)
        except (MalformedEvent, LookupError, TypeError, ValueError, AttributeError) as error:
            logger.warning("%s event refused: %s", gateway.name, _reason(error))
            await respond(_text(400, f"Bad Request: {_reason(error)}"))
            return
        conversation = HTTPConversation(request.body, respond, request.method == "HEAD")
        scope = http_scope(request, event, invocation.context, self._state)
        try:
            await self.app(scope, conversation.receive, conversation.send)
        except Exception as error:
            _log_raised(request, conversation, error)
        else:
            if conversation.state is COMPLETE:
                return
            _log_incomplete(request, conversation)
        if conversation.state is not COMPLETE:
            conversation.fail()
            await respond(_text(500, "Internal Server Error"))


def _log_raised(request: Request, conversation: HTTPConversation, error: Exception) -> None:
    outcome = "had been answered" if conversation.state is COMPLETE else "is answered with 500"
    what = "The application raised; %s %s %s."
    logger.error(what, request.method, request.path, outcome, exc_info=error)


def _log_incomplete(request: Request, conversation: HTTPConversation) -> None:
    what = "The application returned while %s; %s %s is answered with 500."
    logger.error(what, conversation.state, request.method, request.path)


def _reason(error: Exception) -> str:
    """What is wrong with an event: the error's own words, or what a gateway found missing or of a wrong type."""
    return str(error) if isinstance(error, MalformedEvent) else f"{type(error).__name__}: {error}"


def _text(status: int, text: str) -> Response:
    return Response(status, [(b"content-type", b"text/plain; charset=utf-8")], text.encode("utf-8", "replace"))
