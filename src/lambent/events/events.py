"""Functions for everything that is not HTTP, registered by where their records come from.

from lambent import Events

events = Events()

@events.sqs("orders", concurrency=20)
async def order(order: Order, record: SqsRecord): ...

handler = events  # or Lambent(app, events=events)
"""

from __future__ import annotations

import sys
from threading import Lock

from lambent.errors import ConfigurationError
from lambent.events.deadline import default_margin
from lambent.events.registration import Options, Registration
from lambent.events.router import LAST_RESORT, Router
from lambent.events.selection import Selection, fits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from contextlib import AbstractAsyncContextManager, AsyncExitStack
    from typing import Any, TypeVar

    from lambent.events.host import Host
    from lambent.events.registration import Middleware
    from lambent.events.requests import MessageRequests
    from lambent.gateway.model import Settings
    from lambent.gateway.protocol import Gateway
    from lambent.managed import ManagedEnvironment
    from lambent.types import ASGIApp, Context, Event, Invocation, Result

    F = TypeVar("F", bound=Callable[..., Any])
    M = TypeVar("M", bound=Middleware)
    H = TypeVar("H", bound=Callable[..., Any])

_FIRST_CALL = Lock()

_CHANGES = ("INSERT", "MODIFY", "REMOVE")
"""What happens to items of DynamoDB."""


class Events:
    """Registers functions, and handles events with them: a Handler, as Lambent is.

    Names are globs: `orders`, `orders-*`. Of several functions that fit, the one that asks for most is called. Every
    decorator takes what `lambent.events.registration.Options` describes: `concurrency`, `decoder`, `retries`,
    `backoff`, `idempotency`.

    - `margin`: seconds before Lambda's deadline at which records that are not done are given up, and reported. None:
      0.25 more than the runtime's own, LAMBENT_DEADLINE_MARGIN, which is 0.25
    - `partial_failures`: whether what has failed is told record by record, where the source can take that. False: it
      fails the invocation, for an event source mapping that does not ask for such replies takes them for successes
    """

    _environment: ManagedEnvironment | None = None
    """There once it has been called as a handler."""

    def __init__(self, *, margin: float | None = None, partial_failures: bool = True) -> None:
        if margin is not None and (type(margin) not in (int, float) or not 0 <= margin < float("inf")):
            raise ConfigurationError(f"Expected `margin` to be seconds, 0 or more, but got {margin!r:.100}.")
        margin = default_margin() if margin is None else margin
        self._router = Router(margin, partial_failures=partial_failures)
        self._requests: list[MessageRequests] = []
        self._host: Host | None = None

    # Registration, by source

    def sqs(self, queue: str = "*", **options: Any) -> Callable[[F], F]:
        """Messages of a queue, one at a time or, where the function takes a list of SqsRecord, all of them."""
        return self._register("sqs", {"name": queue}, options)

    def sns(self, topic: str = "*", **options: Any) -> Callable[[F], F]:
        """Notifications of a topic, also those that come through a queue that no function is registered for."""
        return self._register("sns", {"name": topic}, options)

    def s3(
        self, bucket: str = "*", *, event: str = "*", prefix: str = "", suffix: str = "", **options: Any
    ) -> Callable[[F], F]:
        """What happens to objects: `ObjectCreated:*`, below a prefix; also through SNS, SQS and EventBridge."""
        key = f"{_literal(prefix)}*{_literal(suffix)}"
        return self._register("s3", {"name": bucket, "event_name": _without_s3(event), "key": key}, options)

    def dynamodb(self, table: str = "*", *, event: str = "*", **options: Any) -> Callable[[F], F]:
        """Changes of a table, in order: `INSERT`, `MODIFY`, `REMOVE`. Those that nobody asks for are passed over."""
        given: object = event
        if isinstance(given, str) and not any(fits(event, change) for change in _CHANGES):
            raise ConfigurationError(
                f"Expected `event` in @events.dynamodb() to be one of {', '.join(_CHANGES)}, but got {event!r:.100}."
            )
        return self._register("dynamodb", {"name": table, "event_name": event}, options)

    def kinesis(self, stream: str = "*", **options: Any) -> Callable[[F], F]:
        """Records of a stream, in the order of their shard."""
        return self._register("kinesis", {"name": stream}, options)

    def kafka(self, topic: str = "*", **options: Any) -> Callable[[F], F]:
        """Records of a topic, in the order of their partition: of MSK, and of any other Kafka."""
        return self._register("kafka", {"name": topic}, options)

    def mq(self, queue: str = "*", **options: Any) -> Callable[[F], F]:
        """Messages of ActiveMQ."""
        return self._register("mq", {"name": queue}, options)

    def rabbitmq(self, queue: str = "*", **options: Any) -> Callable[[F], F]:
        """Messages of RabbitMQ."""
        return self._register("rabbitmq", {"name": queue}, options)

    def ses(self, recipient: str = "*", **options: Any) -> Callable[[F], F]:
        """Mail that has been received, if one of its recipients fits: `sales@example.com`, `*@example.com`."""
        return self._register("ses", {"recipients": recipient}, options)

    def eventbridge(
        self,
        source: str = "*",
        detail_type: str = "*",
        *,
        detail: Mapping[str, object] | None = None,
        **options: Any,
    ) -> Callable[[F], F]:
        """Events of a bus: by their source, their type, and a pattern of EventBridge's on their detail."""
        return self._register("eventbridge", {"name": source, "detail_type": detail_type}, options, detail)

    def schedule(self, name: str = "*", **options: Any) -> Callable[[F], F]:
        """The times of a schedule: of a rule of EventBridge, or of the Scheduler."""
        return self._register("schedule", {"name": name}, options)

    def cognito(self, trigger: str = "*", **options: Any) -> Callable[[F], F]:
        """A trigger of a user pool, such as `PreSignUp_*`."""
        return self._register("cognito", {"name": trigger}, options)

    def logs(self, group: str = "*", **options: Any) -> Callable[[F], F]:
        """Lines of a log group of CloudWatch."""
        return self._register("logs", {"name": group}, options)

    def codepipeline(self, **options: Any) -> Callable[[F], F]:
        """Jobs of CodePipeline."""
        return self._register("codepipeline", {}, options)

    def destination(self, function: str = "*", *, condition: str = "*", **options: Any) -> Callable[[F], F]:
        """What became of an asynchronous invocation of another function."""
        return self._register("destination", {"name": function, "condition": condition}, options)

    def authorizer(self, **options: Any) -> Callable[[F], F]:
        """Requests that an API asks about: whether they may pass."""
        return self._register("authorizer", {}, options)

    def invoke(self, pattern: Mapping[str, object] | None = None, **options: Any) -> Callable[[F], F]:
        """What has no envelope: of Step Functions, IoT rules, the Invoke API. A pattern tells several apart."""
        return self._register("invoke", {}, options, pattern)

    def requests(
        self,
        *,
        sqs: str | None = None,
        sns: str | None = None,
        mq: str | None = None,
        rabbitmq: str | None = None,
        app: ASGIApp | None = None,
        **options: Any,
    ) -> None:
        """Messages that are requests of HTTP, for an ASGI application: see lambent.events.requests.

        - `app`: the application. None: that of the Lambent which holds these events
        """
        from lambent.events.requests import MessageRequests

        sources = {"sqs": sqs, "sns": sns, "mq": mq, "rabbitmq": rabbitmq}
        names = {source: name for source, name in sources.items() if name is not None}
        if options.get("decoder") is not None:
            raise ConfigurationError("Expected events.requests() without `decoder`: requests are JSON.")
        if not names:
            raise ConfigurationError(f"Expected where requests come from: one of {', '.join(sources)}, with a name.")
        function = MessageRequests(app, self._hosted())
        self._requests.append(function)
        caller = sys._getframe(1)  # noqa: SLF001 - only for the message that two are registered
        place = f"events.requests ({caller.f_code.co_filename}:{caller.f_lineno})"
        for source, name in names.items():
            self._register(source, {"name": name}, options, place=place)(function)

    def otherwise(self, function: F) -> F:
        """Decorate the function of last resort: for whatever no other one is registered for."""
        return self._register(LAST_RESORT, {}, {})(function)

    def middleware(self, function: M) -> M:
        """Decorate an async function that is called around all others: with the record, and what calls the next."""
        from lambent.functions import is_awaited, is_generator, place

        given: object = function
        if not callable(given) or is_generator(function) or not is_awaited(function):
            raise ConfigurationError(
                "Expected an async function below @events.middleware, which awaits what it is called with, but got "
                f"{place(function) if callable(given) else repr(given)}."
            )
        self._router.middleware.append(function)
        return function

    def error(self, kind: type[Exception] = Exception) -> Callable[[H], H]:
        """Decorate what is called with an exception of a function, and its record.

        If it returns, the record is done; what it raises is what the record has failed with.
        """
        given: object = kind
        if not isinstance(given, type) or not issubclass(given, Exception):
            raise ConfigurationError(
                f"Expected a class of exceptions in @events.error(), but got {kind!r:.100}. Are the parentheses there?"
            )

        def register(handler: H) -> H:
            self._router.add_error_handler(kind, handler)
            return handler

        return register

    def _register(
        self,
        source: str,
        globs: Mapping[str, str],
        options: Mapping[str, Any],
        pattern: Mapping[str, object] | None = None,
        place: str = "",
    ) -> Callable[[F], F]:
        for name, glob in globs.items():
            if not isinstance(glob, str):
                hint = (
                    "For several, decorate once for each."
                    if isinstance(glob, list | tuple | set)
                    else "Are the parentheses there?"
                )
                raise ConfigurationError(
                    f"Expected a text, such as a name, in @events.{source}(), but its {name} is {glob!r:.100}. {hint}"
                )
        if pattern is not None and not hasattr(pattern, "items"):
            raise ConfigurationError(
                f"Expected a pattern, a dict, in @events.{source}(), but got {pattern!r:.100}. Are the parentheses "
                "there?"
            )
        try:
            selection, asked = Selection(source, globs, pattern), Options(**options)
        except (TypeError, ValueError) as error:
            raise ConfigurationError(f"@events.{source}: {error}.") from None

        def register(function: F) -> F:
            if not callable(function):
                raise ConfigurationError(f"Expected a function below @events.{source}(), but got {function!r:.100}.")
            self._router.add(Registration(selection, function, asked, place))
            return function

        return register

    # A handler

    def bind(
        self,
        app: ASGIApp,
        state: Callable[[], dict[str, object]],
        gateways: Iterable[Gateway],
        settings: Settings,
        base_path: str,
    ) -> None:
        """Have requests in messages go to the application of the Lambent that holds these events, as others do there.

        `state` gives what the application's lifespan has left.
        """
        host = self._hosted()
        host.app, host.state = app, state
        host.gateways, host.settings, host.base_path = gateways, settings, base_path

    def _hosted(self) -> Host:
        if self._host is None:
            from lambent.events.host import Host

            self._host = Host()
        return self._host

    def knows(self, event: Event) -> bool:
        """Whether there may be a function for the event: of its source, of one that it may carry, of last resort."""
        return self._router.knows(event)

    async def serve(self, invocation: Invocation) -> None:
        """Handler: handle an event. What fails beyond single records is raised."""
        await self._router.serve(invocation)

    def lifetime(self) -> AbstractAsyncContextManager[None]:
        """Handler: signatures are read before the first event. Raises ConfigurationError for one that cannot be."""
        return _Lifetime(self._router, self._requests)

    def __call__(self, event: Event, context: Context | None = None) -> Result:
        """Handle one event and return the reply, as the managed Python runtime wants it. From any thread."""
        return self._called().call(event, context)

    async def handle(self, event: Event, context: Context | None = None) -> Result:
        """Handle one event on the running event loop, which thereby becomes the environment's."""
        return await self._called().handle(event, context)

    def close(self) -> None:
        """Close the event loop that calls have made. Lambda never needs it."""
        if self._environment is not None:
            self._environment.close()

    def _called(self) -> ManagedEnvironment:
        with _FIRST_CALL:
            if self._environment is None:
                from lambent.managed import ManagedEnvironment

                self._environment = ManagedEnvironment(self)
            return self._environment


class _Lifetime:
    """Between init and shutdown: the signatures are read, there are threads for sync functions, and applications that
    only requests in messages go to have their lifespan.
    """

    __slots__ = ("_requests", "_router", "_stack")

    def __init__(self, router: Router, requests: list[MessageRequests]) -> None:
        self._router = router
        self._requests = requests
        self._stack: AsyncExitStack | None = None

    async def __aenter__(self) -> None:
        self._router.open()
        if self._requests:
            from contextlib import AsyncExitStack

            others: dict[int, dict[str, object]] = {}
            self._stack = AsyncExitStack()
            try:
                for each in self._requests:
                    await each.open(self._stack, others)
            except BaseException:
                await self.__aexit__()
                raise

    async def __aexit__(self, *_: object) -> None:
        try:
            await self._router.close()
        finally:
            if self._stack is not None:
                await self._stack.aclose()


def _literal(text: str) -> str:
    """As a glob that matches this text alone."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in text)


def _without_s3(event: str) -> str:
    """As records have it; AWS's configuration says `s3:ObjectCreated:*`."""
    given: object = event
    return given.removeprefix("s3:") if isinstance(given, str) else event
