"""Lynara's `run` and its interfaces, with Lambent behind them. API: that of Lynara 0.2.

    from lambent.compat import APIGatewayProxyEventV2Interface, Lynara

    lynara = Lynara(app)

    def handler(event, context):
        return asyncio.run(lynara.run(event, context, APIGatewayProxyEventV2Interface))

Each call is on whatever event loop the caller runs, so that the lifespan is started and stopped in each. Where
behaviour differs on purpose is told in docs/how-to/move-from-lynara.md.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from enum import StrEnum

from lambent.adapter import Lambent
from lambent.asgi.scope import http_scope
from lambent.compat.base_path import Mounted
from lambent.errors import ConfigurationError
from lambent.gateway import GATEWAYS, detect
from lambent.gateway.model import DEFAULTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import ClassVar

    from lambent.types import ASGIApp, Context, Event, Message, Receive, Result, Scope, Send

logger = logging.getLogger("lambent")


class LifespanMode(StrEnum):
    """`AUTO` runs the application's lifespan if it has one, `ON` insists on it, `OFF` runs none."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


class HTTPInterface(ABC):
    """The base of interfaces of one's own: an event's scope, the conversation, and `lambda_response` as its result.

    One is made for each event. `state` is what the lifespan's startup left; a scope without one gets a copy of it.
    """

    def __init__(self, app: ASGIApp, event: Event, context: Context | None, base_path: str | None = None) -> None:
        self.app = app
        self.event = event
        self.context = context
        self.base_path = base_path
        self.state: dict[str, object] = {}
        self.is_response_completed = False
        self.lambda_response: Result = {}
        self.app_queue: asyncio.Queue[Message] = asyncio.Queue()

    @classmethod
    @abstractmethod
    def match(cls, event: Event) -> bool:
        """Tell whether events of this shape are for this interface. For the caller to ask: `run` does not."""

    @property
    @abstractmethod
    def scope(self) -> Scope: ...

    @abstractmethod
    async def receive(self) -> Message: ...

    @abstractmethod
    async def send(self, message: Message) -> None: ...

    async def __call__(self) -> Result:
        """Run the application and return `lambda_response`. Raises what the application raises."""
        scope = {"state": self.state.copy(), **self.scope}  # a copy: it may be one for all events
        await self.app(scope, self.receive, self.send)
        return self.lambda_response


class _ThroughGateways(HTTPInterface):
    """An interface whose events and replies are translated by Lambent's gateways.

    A class that extends it may override `scope`, `receive` and `send`, and ask those of this one.
    """

    _names: ClassVar[frozenset[str]]

    def __init__(self, app: ASGIApp, event: Event, context: Context | None, base_path: str | None = None) -> None:
        super().__init__(app, event, context, base_path)
        self._conversation: tuple[Scope, Receive, Send] | None = None

    @property
    def scope(self) -> Scope:
        """What the gateway makes of the event; while the interface is called, the one that the application gets."""
        if self._conversation is None:
            request = detect(self.event, self._gateways()).request(self.event, DEFAULTS)
            return http_scope(request, self.event, self.context, self.state)
        return self._conversation[0]

    async def receive(self) -> Message:
        return await self._begun()[1]()

    async def send(self, message: Message) -> None:
        await self._begun()[2](message)

    async def __call__(self) -> Result:
        """Run the application and return the gateway's reply. Raises UnknownEvent; all else is answered, and logged."""
        from lambent.managed import ReturnedInvocation

        invocation = ReturnedInvocation(self.event, self.context)
        await Lambent(self._converse, lifespan="off", gateways=self._gateways()).serve(invocation)
        self.lambda_response = invocation.result()
        self.is_response_completed = True
        return self.lambda_response

    async def _converse(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"] = self.state.copy()
        self._conversation = scope, receive, send
        await self.app(self.scope, self.receive, self.send)

    def _gateways(self) -> list[Mounted]:
        return [Mounted(gateway, self.base_path or "") for gateway in GATEWAYS if gateway.name in self._names]

    def _begun(self) -> tuple[Scope, Receive, Send]:
        if self._conversation is None:
            raise ConfigurationError(
                f"Expected the {type(self).__name__} to be called before it is asked to receive or send."
            )
        return self._conversation


class APIGatewayProxyEventV1Interface(_ThroughGateways):
    """Payload format 1.0: REST APIs, HTTP APIs that are set to it, and load balancers."""

    _names = frozenset(("rest_api", "http_api_v1", "alb"))

    @classmethod
    def match(cls, event: Event) -> bool:
        return "resource" in event and "requestContext" in event


class APIGatewayProxyEventV2Interface(_ThroughGateways):
    """Payload format 2.0: HTTP APIs and Function URLs."""

    _names = frozenset(("function_url", "http_api"))

    @classmethod
    def match(cls, event: Event) -> bool:
        return event.get("version") == "2.0" and "requestContext" in event


class Lynara:
    """An ASGI application, run on one event at a time on the caller's event loop.

    Raises ConfigurationError for a `lifespan_mode` that is none.
    """

    def __init__(self, app: ASGIApp, lifespan_mode: LifespanMode | str = LifespanMode.AUTO) -> None:
        self.app = app
        try:
            self.lifespan_mode = LifespanMode(lifespan_mode)
        except ValueError:
            raise ConfigurationError(
                f"Expected `lifespan_mode` to be 'auto', 'on' or 'off', but got {lifespan_mode!r}."
            ) from None

    async def run(
        self,
        event: Event,
        context: Context | None,
        interface_class: Callable[..., Callable[[], Awaitable[Result]]],
        base_path: str | None = None,
    ) -> Result:
        """Handle one event within a lifespan of its own, and return what the interface returns.

        Raises what the interface raises, after the shutdown, and what startup raises. A shutdown that fails is logged.
        """
        interface = interface_class(app=self.app, event=event, context=context, base_path=base_path)
        if self.lifespan_mode is LifespanMode.OFF:
            return await interface()
        from lambent.asgi.lifespan import lifespan

        state: dict[str, object] = {}
        if isinstance(interface, HTTPInterface):
            interface.state = state
        outcome: asyncio.Future[Result] | None = None
        try:
            async with lifespan(self.app, state, required=self.lifespan_mode is LifespanMode.ON):
                outcome = await _attempt(interface)
        except Exception:
            if outcome is None:
                raise
            logger.exception("The shutdown of the lifespan failed.")
        return outcome.result()


async def _attempt(interface: Callable[[], Awaitable[Result]]) -> asyncio.Future[Result]:
    """Call the interface and keep what it returns or raises."""
    outcome: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
    try:
        outcome.set_result(await interface())
    except Exception as error:
        outcome.set_exception(error)
    return outcome
