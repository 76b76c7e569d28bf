"""Being called: `handler(event, context)`, as AWS's managed Python runtime does, and tests, and threads.

The reply is kept and returned at the end. One event loop serves all calls; it runs only during a call, in the caller's
thread, so that nothing of it is left running when Lambda freezes the process. Where calls come from several threads at
once, it moves to a thread of its own.

    NEW ──call──▶ ALONE ──a second thread calls at the same time──▶ SHARED
     └──await handle──▶ on the caller's loop, which calls from other threads are handed to
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import threading
from contextlib import suppress

from lambent.ahead import AHEAD
from lambent.errors import AlreadyReplied, IncompleteResponse, WrongEventLoop
from lambent.invocation import CURRENT, Handled
from lambent.runner import Runner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.types import Context, Event, Handler, Result

logger = logging.getLogger("lambent")

_SHUTDOWN_SECONDS = 2.0

_NONE = object()
"""No reply, not even None."""


class ReturnedInvocation(Handled):
    """An invocation that keeps its reply for the `return` statement."""

    __slots__ = ("_result", "held")

    def __init__(self, event: Event, context: Context | None) -> None:
        self.event = event  # what `Handled` does: a call less, for each invocation
        self.context = context
        self.work = []
        self.held = False
        self._result: Result = _NONE

    async def reply(self, result: Result) -> None:
        """Keep the reply."""
        if self._result is not _NONE:
            raise AlreadyReplied("This invocation was replied to already.")
        self._result = result

    def result(self) -> Result:
        """The reply. Raises IncompleteResponse if the handler ended without one."""
        if self._result is _NONE:
            raise IncompleteResponse("The handler ended without a reply.")
        return self._result


class ManagedEnvironment:
    """Runs a Handler for whoever calls, starting its lifetime at the first call."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._runner: Runner | None = None
        self._alone: Runner | None = None
        """The same, while its loop runs only during a call, in the caller's thread."""
        self._thread: threading.Thread | None = None
        """What runs the loop, once there have been calls from two threads at the same time."""
        self._is_ours = False
        """Whether the loop was made here, and is closed here."""
        self._entering: asyncio.Task[None] | None = None
        self._turn = threading.Lock()
        """Held by the thread that runs the loop for its call."""
        self._change = threading.Lock()
        """Held to say which loop it is and who runs it: never for long, and after the turn where both are."""

    def start(self) -> None:
        """Enter the lifetime now. Raises what entering it raises, and WrongEventLoop inside a running event loop."""
        if asyncio._get_running_loop() is not None:
            raise WrongEventLoop(
                "The handler was told to start its lifespan inside a running event loop, which it would block. "
                "Leave out `eager`: the first `await handler.handle(event, context)` starts it."
            )
        with self._turn:
            self._begin()

    def call(self, event: Event, context: Context | None) -> Result:
        """Handle one event in this thread. Raises WrongEventLoop inside a running event loop."""
        if asyncio._get_running_loop() is not None:
            raise WrongEventLoop(
                "The handler was called inside a running event loop, which it would block. "
                "Await `handler.handle(event, context)` instead."
            )
        invocation = ReturnedInvocation(event, context)
        if self._turn.acquire(False):
            try:
                runner = self._alone
                if runner is None or not runner.alive:
                    runner = self._begin()
                if runner is not None:
                    token = CURRENT.set(invocation)
                    try:
                        runner.run(self._handler.serve(invocation))
                    finally:
                        if invocation.work:
                            runner.run(invocation.finish())
                        invocation.work = None
                        CURRENT.reset(token)
                    return invocation.result()
            finally:
                self._turn.release()
        return asyncio.run_coroutine_threadsafe(self.handle(event, context), self._shared()).result()

    async def handle(self, event: Event, context: Context | None) -> Result:
        """Handle one event on the running loop. Raises WrongEventLoop if the environment lives on another."""
        loop = asyncio.get_running_loop()
        runner = self._runner
        if runner is None or runner.loop.is_closed():
            runner = self._runner = Runner(loop)
            self._is_ours = False
        elif runner.loop is not loop:
            raise WrongEventLoop(
                f"The application lives on {runner.loop!r}, where its lifespan was started, and `handle` was awaited "
                f"on {loop!r}. Use one event loop, or one Lambent for each."
            )
        self._alone = None
        if not runner.alive:
            await asyncio.shield(self._enter(runner))
        invocation = ReturnedInvocation(event, context)
        token = CURRENT.set(invocation)
        try:
            await self._handler.serve(invocation)
        finally:
            if invocation.work:
                await invocation.finish()
            invocation.work = None
            CURRENT.reset(token)
        return invocation.result()

    def close(self) -> None:
        """Leave the lifetime and close the loop, unless it is a caller's own. What fails is logged."""
        self._close(None)

    def _at_exit(self) -> None:
        """`close`, unless a call will not end, of a daemon thread, say: that must not keep the interpreter."""
        self._close(_SHUTDOWN_SECONDS)

    def _close(self, patience: float | None) -> None:
        """`close`, waiting `patience` seconds at most for a call, and for the loop's thread; None: until they end."""
        if not self._turn.acquire(timeout=-1 if patience is None else patience):
            return
        try:
            with self._change:
                runner, thread = self._runner, self._thread
                self._runner = self._alone = self._thread = None
                atexit.unregister(self._at_exit)
        finally:
            self._turn.release()
        if runner is None or runner.loop.is_closed():
            return
        if thread is not None:
            runner.loop.call_soon_threadsafe(runner.loop.stop)
            thread.join(patience)
            if thread.is_alive():
                return
        if not runner.loop.is_running():
            try:
                if self._is_ours:
                    runner.stop(_SHUTDOWN_SECONDS)
                else:
                    runner.loop.run_until_complete(runner.leave(_SHUTDOWN_SECONDS))
            except (Exception, asyncio.CancelledError):
                logger.exception("The shutdown of the lifespan failed.")

    def _begin(self) -> Runner | None:
        """Be within the lifetime. Returns the runner, or None if another thread runs its loop. Needs the turn."""
        with self._change:
            runner = self._open()
            if self._thread is not None or runner.loop.is_running():
                return None
            self._alone = runner
        if not runner.alive:
            runner.loop.run_until_complete(self._enter(runner))
        return runner

    def _shared(self) -> asyncio.AbstractEventLoop:
        """A loop that another thread runs: the caller's of `handle`, or ours, from now on in a thread of its own."""
        with self._change:
            loop = self._open().loop
            if self._thread is None and (self._alone is not None or not loop.is_running()):
                self._alone = None
                self._thread = threading.Thread(
                    target=self._run_for_good, args=[loop], name="lambent event loop", daemon=True
                )
                self._thread.start()
            return loop

    def _run_for_good(self, loop: asyncio.AbstractEventLoop) -> None:
        """Run the loop until it is stopped, as soon as the thread that runs it for its call has ended that."""
        with self._turn:
            pass
        stopped = False
        while not stopped:
            with suppress(SystemExit, KeyboardInterrupt):  # raised in the call that it concerns
                loop.run_forever()
                stopped = True

    def _open(self) -> Runner:
        """The runner, with a loop that is not closed: if there is none, that of the import, or ours.

        Needs the right to change.
        """
        runner = self._runner
        if runner is None or runner.loop.is_closed():
            ahead = AHEAD.take()
            runner = self._runner = Runner(ahead)
            self._is_ours = ahead is None
            atexit.register(self._at_exit)
        return runner

    def _enter(self, runner: Runner) -> asyncio.Task[None]:
        """What enters the lifetime, once, however many calls wait for it. For the thread that runs the loop."""
        entering = self._entering
        if entering is None or entering.done():
            if runner.lost is not None:
                logger.error("The lifespan ended by itself and is started again.", exc_info=runner.lost)
            entering = self._entering = runner.loop.create_task(runner.enter(self._handler.lifetime()))
        return entering
