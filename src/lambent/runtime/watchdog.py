"""A thread that sleeps until an invocation runs out of time, and then answers before the platform ends it.

                 margin before the deadline                                    in the last of the margin
    watched ──▶ answered in the handler's place ──▶ told ──▶ cancelled ──▶ the process ends
       └──────────────────────┴────────────────────────┴──────────┴──▶ forgotten: the handler has ended

One that a debugger holds stays where it is.

It is a thread because what holds an invocation up may be holding up the event loop. It costs an invocation an entry in
a dict: it sleeps to the deadline of one, however many come and go meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import math
import threading
from contextvars import copy_context
from time import monotonic, time

from lambent.errors import PlatformError, TimedOut
from lambent.invocation import CURRENT
from lambent.runtime.client import Client
from lambent.runtime.diagnostic import diagnose
from lambent.runtime.reply import check, working_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from lambent.http1 import Request
    from lambent.runtime.reply import RuntimeInvocation
    from lambent.types import Event, Result

    Watch = tuple[Callable[[], object], float, float]
    """What cancels the handler, when it began (`time.monotonic`), and the seconds that it had from then on."""

logger = logging.getLogger("lambent")

_GRACE_SECONDS = 0.05
"""In which an event loop that is not blocked takes a callback, at most a fifth of the margin."""

_ANSWER_SECONDS = 1.0
"""In which the Runtime API is to take the reply."""

_HEARD = 0.25
"""The part of the margin in which a handler may end that has heard `http.disconnect`, before it is cancelled."""

_LAST = 0.4
"""The part of the margin that is left when the process is ended: the platform's own end is not waited for."""

_LATE_SECONDS = 0.002
"""That the thread may be late, so that deadlines in the same millisecond do not wake it."""

_LONGEST_SECONDS = 86_400.0
"""Windows sleeps for less than 50 days."""


class Expired:
    """An invocation whose time was up."""

    __slots__ = ("cancel", "due", "margin", "seconds", "telling")

    def __init__(self, watch: Watch, margin: float) -> None:
        self.cancel, began, left = watch
        self.margin = min(margin, left / 2)
        self.seconds = left - self.margin
        """That it had."""
        self.due = began + left - _LAST * self.margin
        """When it is given up (`time.monotonic`)."""
        self.telling = [None]
        """Whoever takes it logs where the handler stands: the loop, or the watchdog if that is held up."""

    @property
    def grace(self) -> float:
        """Seconds in which the loop is to take a callback."""
        return min(_GRACE_SECONDS, self.margin / 5)


class Watchdog:
    """Watches invocations that are handled in the thread that makes it, on `loop`.

    - `address`: of the Runtime API, which it speaks to over a connection of its own.
    - `margin`: seconds before the deadline; 0 for none.
    - `timed_out`: what to reply in place of the handler; None to fail the invocation.
    - `give_up`: called in the thread when one is still running at its deadline; of several `slots`, when none is left
      that could handle anything.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        address: str,
        margin: float,
        timed_out: Callable[[Event], Result | None],
        give_up: Callable[[], object],
        slots: int = 1,
    ) -> None:
        self._loop = loop
        self._address = address
        self._margin = margin
        self._timed_out = timed_out
        self._give_up = give_up
        self._slots = slots
        self._handling = threading.get_ident()
        self._watches: dict[RuntimeInvocation, Watch] = {}
        self._expired: dict[RuntimeInvocation, Expired] = {}
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()
        self._until = math.inf
        """When the thread wakes by itself."""
        self._closed = False

    def watch(self, invocation: RuntimeInvocation, cancel: Callable[[], object]) -> None:
        """Watch an invocation; `cancel` is called on the loop when its time is up.

        A deadline that has passed already is none: some services do not know theirs.
        """
        left = invocation.context.deadline - time()
        if left <= 0 or not self._margin:
            return
        now = monotonic()  # from here on: the clock may be set
        self._watches[invocation] = cancel, now, left
        if now + left - self._margin < self._until - _LATE_SECONDS:
            self._arouse()

    def forget(self, invocation: RuntimeInvocation) -> None:
        """The handler has ended."""
        self._watches.pop(invocation, None)
        if self._expired:
            self._expired.pop(invocation, None)

    def close(self) -> None:
        """End the thread."""
        self._closed = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(_GRACE_SECONDS)

    def _arouse(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="lambent watchdog", daemon=True)
            self._thread.start()
        else:
            self._wake.set()

    def _run(self) -> None:
        while not self._closed:
            self._until = math.inf  # whatever is watched from here on wakes us
            self._until = min([self._due(*each) for each in list(self._watches.items())], default=math.inf)
            sleep = self._until - monotonic()
            self._wake.wait(None if sleep == math.inf else min(max(0.0, sleep), _LONGEST_SECONDS))
            self._wake.clear()
            for each in list(self._watches.items()):
                if self._due(*each) <= monotonic():
                    copy_context().run(self._act, *each)

    def _due(self, invocation: RuntimeInvocation, watch: Watch) -> float:
        """When there is something to do next; never for one in a debugger."""
        if invocation.held:
            return math.inf
        expired = self._expired.get(invocation)
        if expired is not None:
            return expired.due
        _, began, left = watch
        return began + left - min(self._margin, left / 2)

    def _act(self, invocation: RuntimeInvocation, watch: Watch) -> None:
        if self._closed:
            return
        CURRENT.set(invocation)  # for the records, and for what is called on the loop
        expired = self._expired.get(invocation)
        if expired is not None:
            self._end(invocation, expired)
            return
        expired = self._expired[invocation] = Expired(watch, self._margin)
        outcome = self._answer(invocation, expired)
        self._cancel(invocation, expired, f"Request {invocation.request_id} {outcome}")
        # a process that was frozen meanwhile gets a moment all the same
        expired.due = max(expired.due, monotonic() + expired.grace)
        if invocation not in self._watches:  # it has ended meanwhile
            self._expired.pop(invocation, None)

    def _answer(self, invocation: RuntimeInvocation, expired: Expired) -> str:
        """Reply in place of the handler, unless it has. Returns what is to be said of it."""
        late = invocation.late = TimedOut(f"Task timed out after {expired.seconds:.2f} seconds")
        told = f"timed out after {expired.seconds:.2f} s"
        expiry = threading.Event()
        if not invocation.expire(expiry):
            how = "in the middle of its streamed reply" if invocation.streaming else "at work after its reply"
            return f"{told}, {how}, and is cancelled."
        client = Client(self._address, _ANSWER_SECONDS)
        try:
            request = self._instead(invocation, late)
            check(client.call(request), request)
        except (PlatformError, OSError) as error:
            return f"{told} and is cancelled. The Runtime API could not be told: {error}"
        finally:
            client.close()
            expiry.set()
        return f"{told}: it is answered in the handler's place, which is cancelled."

    def _instead(self, invocation: RuntimeInvocation, late: TimedOut) -> Request:
        """What is posted in place of what the handler would have."""
        try:
            result = self._timed_out(invocation.event)
            if result is not None:
                return invocation.response(result)
        except Exception as error:
            logger.error("What replies to a request that timed out has failed: %r", error)
        return invocation.error(diagnose(late, working_directory()))

    def _cancel(self, invocation: RuntimeInvocation, expired: Expired, said: str) -> None:
        """Have the loop tell the handler and cancel it. If the loop does not get to it, say what it is held up by."""
        from lambent.runtime import stacks

        stood = stacks.of_thread(self._handling) if self._slots == 1 else ""

        def cancel() -> None:
            if invocation in self._watches:
                expired.cancel()

        def tell() -> None:
            if invocation not in self._watches:
                return
            self._log(expired, said, stacks.of_tasks(self._loop, invocation) + stacks.of_pools() or stood)
            if invocation.time_is_up():
                self._loop.call_later(_HEARD * expired.margin, cancel)
            else:
                cancel()

        running = self._loop.is_running()
        longest = max(expired.grace, expired.due - monotonic())
        if not self._takes(tell, expired.grace, longest) and invocation in self._watches:
            where = stacks.of_thread(self._handling)
            if where or not running:  # else nothing holds the loop up: a busy machine lets it `tell` later
                self._log(expired, said + (" It holds up the event loop." if running else ""), where)

    def _log(self, expired: Expired, said: str, where: str) -> None:
        """Log once where the handler stands, whoever finds out."""
        try:
            expired.telling.pop()
        except IndexError:
            return
        logger.error("%s%s", said, f" It stands at:\n{where.rstrip()}" if where else "")

    def _end(self, invocation: RuntimeInvocation, expired: Expired) -> None:
        """The handler goes on, though it was cancelled."""
        from lambent.runtime import stacks

        expired.due = math.inf
        found: list[str] = []
        heard = self._takes(lambda: found.append(stacks.of_tasks(self._loop, invocation)), expired.grace, expired.grace)
        where = (found[0] if heard else stacks.of_thread(self._handling)) + stacks.of_pools()
        stuck = sum(each.due == math.inf for each in list(self._expired.values()))
        lost = stuck >= self._slots or (not heard and stuck == len(self._watches))
        if invocation in self._watches:
            logger.critical(
                "Request %s still runs at its deadline, though it was cancelled%s.%s",
                invocation.request_id,
                ": the process ends" if lost else "",
                f" It stands at:\n{where.rstrip()}" if where else "",
            )
            if lost:
                self._give_up()

    def _takes(self, call: Callable[[], object], seconds: float, longest: float) -> bool:
        """Have the loop call something. Returns whether it began within `seconds`, and took no longer than `longest`.

        It may take its time: the lines of a stack are read from files.
        """
        begun, done = threading.Event(), threading.Event()

        def hear() -> None:
            begun.set()
            call()
            done.set()

        try:
            self._loop.call_soon_threadsafe(hear)
        except RuntimeError:  # it is closed
            return False
        return begun.wait(seconds) and done.wait(longest)
