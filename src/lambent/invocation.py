"""The invocation that is being handled, from anywhere in the code that handles it.

from lambent import current

current().wait_until(send_mail())  # the reply does not wait for it, the environment does
current().request_id
"""

from __future__ import annotations

import asyncio
import logging
import os
from contextvars import ContextVar

from lambent.errors import ConfigurationError, NoInvocation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from lambent.errors import TimedOut
    from lambent.types import Context, Event, Writer

__all__ = ["CURRENT", "Handled", "Streamed", "current"]

logger = logging.getLogger("lambent")


class Handled:
    """One event on its way through a handler: what the code that handles it may ask. Runtimes add how to reply."""

    __slots__ = ("_listeners", "context", "event", "work")

    can_stream = False
    """Whether `stream` may be called."""

    prompt = False
    """Whether a reply leaves when it is given, while the handler goes on."""

    late: TimedOut | None = None
    """That the time was up, and somebody else has replied, if the handler had not."""

    held = False
    """Whether a debugger holds it: then it has no deadline."""

    _listeners: list[Callable[[], object]]
    """There once somebody listens."""

    def __init__(self, event: Event, context: Context | None) -> None:
        self.event = event
        self.context = context
        self.work: list[Awaitable[object]] | None = []
        """What `wait_until` was given, which `finish` awaits. Whoever runs the handler sets it to None at the end."""

    @property
    def request_id(self) -> str:
        """Lambda's id of the invocation; empty where there is no context."""
        return self.context.aws_request_id if self.context is not None else ""

    @property
    def trace_id(self) -> str:
        """X-Ray's `Root=...;Parent=...;Sampled=...`; empty if there is none."""
        trace_id: str | None = getattr(self.context, "trace_id", None)
        return os.environ.get("_X_AMZN_TRACE_ID", "") if trace_id is None else trace_id

    @property
    def w3c(self) -> dict[str, str]:
        """`traceparent`, `tracestate` and `baggage` of the W3C Trace Context, as far as the invoker sent them.

        What came over HTTP is in the headers of the request.
        """
        w3c: Callable[[], dict[str, str]] | None = getattr(self.context, "w3c", None)
        return w3c() if w3c is not None else {}

    @property
    def tenant_id(self) -> str | None:
        """The tenant that the invocation is for, where the function isolates tenants."""
        tenant_id: str | None = getattr(self.context, "tenant_id", None)
        return tenant_id

    @property
    def remaining(self) -> float | None:
        """Seconds to the deadline, never negative; None where there is no context."""
        return None if self.context is None else self.context.get_remaining_time_in_millis() / 1000

    def wait_until(self, awaitable: Awaitable[object]) -> None:
        """Have the environment stay awake until `awaitable` is done, or the deadline has come: then it is cancelled.

        The reply does not wait, where it can leave before. What fails is logged. In a coroutine it begins at once, as
        a task does; in a thread, or in a sync function, when the handler has ended. Raises ConfigurationError once the
        invocation is over, and TypeError for what cannot be awaited.
        """
        if not hasattr(awaitable, "__await__"):
            raise TypeError(f"Expected an awaitable, such as what an async function returns, but got {awaitable!r}.")
        work = self.work
        if work is None:
            if asyncio.iscoroutine(awaitable):
                awaitable.close()
            raise ConfigurationError(f"Request {self.request_id} is over: there is nothing that could wait.")
        if asyncio._get_running_loop() is not None:
            awaitable = asyncio.ensure_future(awaitable)
        work.append(awaitable)

    async def finish(self) -> None:
        """Await what `wait_until` was given, and what is added meanwhile. If the time is up, it is cancelled first."""
        while work := self.work:
            given = [work.pop(0) for _ in range(len(work))]  # threads may add to it
            if self.late is not None:
                given = [future for future in given if _cancel(future)]
            for result in await asyncio.gather(*map(_awaited, given), return_exceptions=True):
                if isinstance(result, BaseException) and (self.late is None or isinstance(result, Exception)):
                    logger.error("What request %s waited for failed.", self.request_id, exc_info=result)

    def listen(self, listener: Callable[[], object]) -> None:
        """Have `listener` called on the loop when the time is up, a moment before the handler is cancelled."""
        try:
            self._listeners.append(listener)
        except AttributeError:  # which costs an invocation nothing where nobody listens
            self._listeners = [listener]

    def time_is_up(self) -> bool:
        """Call those that listen. Returns whether there are any."""
        listeners = getattr(self, "_listeners", ())
        for listener in listeners:
            listener()
        return bool(listeners)

    async def stream(self, prelude: Mapping[str, object] | None) -> Writer:
        """Begin a streamed reply, where `can_stream`."""
        raise ConfigurationError(f"This environment cannot stream: {prelude!r:.100} is to be replied whole.")


def _cancel(awaitable: Awaitable[object]) -> bool:
    """Cancel what has begun, and see that nothing else does. Returns whether it is to be awaited."""
    if isinstance(awaitable, asyncio.Future):
        return awaitable.cancel()
    if asyncio.iscoroutine(awaitable):
        awaitable.close()
    return False


async def _awaited(awaitable: Awaitable[object]) -> object:
    """As a coroutine, so that a future of another event loop fails like any other work."""
    return await awaitable


class Streamed:
    """A Result that is known whole and yet goes the way of streamed ones: the prelude, and what follows it."""

    __slots__ = ("body", "prelude")

    def __init__(self, prelude: Mapping[str, object], body: bytes) -> None:
        self.prelude = prelude
        self.body = body

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Streamed) and (self.prelude, self.body) == (other.prelude, other.body)

    __hash__ = None  # type: ignore[assignment]  # a prelude has none

    def __repr__(self) -> str:
        return f"Streamed({self.prelude!r}, {self.body!r})"


CURRENT: ContextVar[Handled] = ContextVar("lambent invocation")


def current() -> Handled:
    """Return the invocation that is being handled. Raises NoInvocation where there is none."""
    try:
        return CURRENT.get()
    except LookupError:
        raise NoInvocation(
            "There is no invocation here. `current()` is for code that handles one, in its tasks and threads too, "
            "if these are started with its context (asyncio.to_thread does; a bare threading.Thread does not)."
        ) from None
