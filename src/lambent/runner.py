"""The one event loop of an environment: it runs invocations, and keeps what must outlive them.

    runner = Runner()
    runner.start(handler.lifetime())      # startup, once
    runner.run(handler.serve(invocation)) # for each invocation
    runner.stop(timeout)                  # shutdown, once

The lifetime is entered and left in one task, which sleeps in between. Where startup's work ends by itself (the task of
a lifespan raised, say) `lost` says why, and whoever runs the environment replaces it.
"""

from __future__ import annotations

import asyncio
import select
import sys
from contextlib import suppress

from lambent.errors import LifespanEnded

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Coroutine, Sized
    from contextlib import AbstractAsyncContextManager
    from contextvars import Context
    from typing import Any, TypeVar

    T = TypeVar("T")


_CANCEL_SECONDS = 0.5
"""In which tasks may end that are cancelled with the loop: one that swallows that must not keep the process."""


_TASKS: Sized | None = None
"""All tasks of the process, done ones that linger too; counted at once, where `all_tasks` goes through them."""
if sys.version_info < (3, 14):  # from then on they are in C, and not counted
    _TASKS = getattr(asyncio.tasks, "_scheduled_tasks" if sys.version_info >= (3, 12) else "_all_tasks", None)


class Runner:
    """Owns one event loop and, between `start` and `stop`, one lifetime. Belongs to one thread at a time."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None, *, lent: bool = False) -> None:
        self.loop = loop or asyncio.new_event_loop()
        self._lent = lent
        """Whether others have something on the loop too: then it is not closed here."""
        self.alive = False
        """Whether a lifetime has been entered and has not ended."""
        self._first_step: FirstStep | None = None
        self._task: asyncio.Task[Any] | None = None
        self._lifetime: asyncio.Task[None] | None = None
        self._leave: asyncio.Event | None = None
        self._watched: socket.socket | None = None
        self._descriptor = -1
        self._waiting = False
        self._readable = False
        self._interrupted = False
        self._sleepers = 0
        """Tasks that only wait for the end: the lifetime's, and the lifespan's in it."""
        self._polled: socket.socket | None = None
        self._poll: Callable[[], list[tuple[int, int]]]

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run `coroutine` as a task until it is done, and give every callback that it left behind one turn."""
        first_step = self._first_step
        if first_step is None:
            if not hasattr(self.loop, "_ready"):
                return self._complete(self.loop.create_task(coroutine))
            first_step = self._first_step = FirstStep(self.loop)
        task = first_step.begun(coroutine)
        if first_step.ready or not task.done():
            return self._complete(task)
        return task.result()

    def _complete(self, task: asyncio.Task[T]) -> T:
        self._task = task
        try:
            return self.loop.run_until_complete(task)
        except BaseException:
            loop = self.loop
            if not (task.done() or loop.is_closed() or loop.is_running()):  # thrown past it, by a signal handler, say
                _end(loop, {task})
            raise
        finally:
            self._task = None

    def cancel(self) -> None:
        """Cancel what `run` runs. For a callback of the loop."""
        if self._task is not None:
            self._task.cancel()

    def start(self, lifetime: AbstractAsyncContextManager[None]) -> None:
        """Enter `lifetime`. Raises whatever entering it raises."""
        self.loop.run_until_complete(self.enter(lifetime))

    async def enter(self, lifetime: AbstractAsyncContextManager[None]) -> None:
        """`start` for a loop that runs already."""
        self._leave = asyncio.Event()
        entered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(_live(lifetime, entered, self._leave), name="lambent lifetime")
        self._lifetime = task
        try:
            await entered
        except asyncio.CancelledError:
            self._lifetime = None
            task.cancel()
            done, _ = await asyncio.wait([task], timeout=_CANCEL_SECONDS)
            for each in done:
                each.cancelled() or each.exception()  # seen
            raise
        self.alive = True
        ours = [each for each in asyncio.all_tasks() if each.get_name().startswith("lambent lifespan")]
        self._sleepers = 1 + len(ours)
        task.add_done_callback(self._ended)

    def stop(self, timeout: float) -> None:
        """Leave the lifetime, waiting `timeout` seconds at most, and close the loop. Raises what leaving it raises."""
        try:
            if self._lifetime is not None:
                self.loop.run_until_complete(self.leave(timeout))
        finally:
            if not self._lent:
                try:
                    _cancel_all(self.loop)
                finally:
                    self.loop.close()

    async def leave(self, timeout: float) -> None:
        """`stop` for a loop that runs on: it is not closed."""
        lifetime, self._lifetime = self._lifetime, None
        if lifetime is not None and self._leave is not None:
            self._leave.set()
            async with asyncio.timeout(timeout):
                await lifetime

    def wait_readable(self, connection: socket.socket) -> bool:
        """Run the loop, and all that lives on it, until `connection` can be read, and return True.

        Returns False, as soon as may be, if the lifetime has ended or `interrupt` was called. Where nothing lives on
        the loop but the lifetime, which sleeps, the loop is spared a pass, until something wakes it.
        """
        if self.alive and not self._interrupted and self._sleeps() and self._polled_first(connection):
            return True
        try:
            self._watch(connection)
        except NotImplementedError:  # Windows: whoever reads will block, and the loop stand still
            return self.alive and not self._interrupted
        self._readable = False
        self._waiting = True
        try:
            while self.alive and not self._interrupted and not self._readable:
                self.loop.run_forever()
        finally:
            self._waiting = False
        return self._readable

    def _polled_first(self, connection: socket.socket) -> bool:
        """Wait for the connection, and for what wakes the loop: signals and other threads write to its own pipe.

        Returns whether it was the connection. A bare read would be cheaper by one system call, and sleep on over a
        signal that comes a moment before it.
        """
        if self._polled is not connection:
            self.unwatch()
            self._descriptor = connection.fileno()
            poller = select.poll()
            poller.register(self._descriptor, select.POLLIN)
            poller.register(self.loop._ssock, select.POLLIN)  # type: ignore[attr-defined]  # its own, unlisted
            self._poll = poller.poll
            self._polled = connection
        return any(descriptor == self._descriptor for descriptor, _ in self._poll())

    def _sleeps(self) -> bool:
        """Whether there is nothing that the loop could do until something else is read.

        No callback, no timer, no connection but its own to itself (and ours), and no task but the lifetime's, and the
        lifespan's that it holds. A pass of the loop costs as much as the rest of an invocation.
        """
        loop = self.loop
        if not isinstance(loop, asyncio.SelectorEventLoop) or not hasattr(select, "poll"):
            return False
        if loop._ready or loop._scheduled:  # type: ignore[attr-defined]  # BaseEventLoop has them, unlisted
            return False
        connections = len(loop._selector.get_map()) - (self._watched is not None)  # type: ignore[attr-defined]  # so too
        if connections != 1:
            return False
        if _TASKS is not None and len(_TASKS) == self._sleepers:  # all that there are are these
            return True
        return len(asyncio.all_tasks(loop)) == self._sleepers

    def wait(self, coroutine: Coroutine[Any, Any, object]) -> None:
        """Run `coroutine` until it is done, `interrupt` is called or the lifetime has ended; then it is cancelled.

        Raises what the coroutine raises. A SystemExit of any other task goes to whoever awaits that; alone it would end
        the loop, and everything else on it.
        """
        task = self.loop.create_task(coroutine)
        task.add_done_callback(self._ended_waiting)
        self._waiting = True
        while self.alive and not self._interrupted and not task.done():
            with suppress(SystemExit):
                self.loop.run_forever()
        self._waiting = False
        task.cancel()
        while not task.done():
            with suppress(SystemExit, asyncio.CancelledError):
                self.loop.run_until_complete(task)
        if not task.cancelled():
            task.result()

    def _ended_waiting(self, _: asyncio.Task[object]) -> None:
        self._wake()

    def _watch(self, connection: socket.socket) -> None:
        """Have the loop tell when the connection can be read. It goes on from one wait to the next: that is cheaper."""
        if self._watched is not connection:
            self.unwatch()
            self._descriptor = connection.fileno()
            self.loop.add_reader(self._descriptor, self._on_readable)
            connection.setblocking(True)  # uvloop makes it one that does not block
            self._watched = connection

    def unwatch(self) -> None:
        """Forget the connection of `wait_readable`. To be called before that is closed."""
        if self._watched is not None:
            self.loop.remove_reader(self._descriptor)
            self._watched = None
        self._polled = None

    def interrupt(self) -> None:
        """End `wait_readable`, now or the next time. For any thread, and for signal handlers."""
        self._interrupted = True
        with suppress(RuntimeError):  # the loop is closed
            self.loop.call_soon_threadsafe(self._wake)

    def _on_readable(self) -> None:
        if self._waiting:
            self._readable = True
            self._wake()
        else:  # the answer to a post, while the handler goes on: it is read later, and must not wake the loop till then
            self.unwatch()

    def _ended(self, _: asyncio.Task[None]) -> None:
        self.alive = False
        self._wake()

    def _wake(self) -> None:
        if self._waiting:
            self._waiting = False  # once: uvloop keeps a second stop for its next run
            self.loop.stop()

    @property
    def lost(self) -> BaseException | None:
        """Why the lifetime ended by itself; None while it has not."""
        lifetime = self._lifetime
        if lifetime is None or not lifetime.done():
            return None
        if lifetime.cancelled():
            return LifespanEnded("The task that keeps the lifespan was cancelled.")
        return lifetime.exception()


async def _live(
    lifetime: AbstractAsyncContextManager[None], entered: asyncio.Future[None], leave: asyncio.Event
) -> None:
    """Enter, sleep, leave: all in this one task, as cancel scopes and context variables need it."""
    try:
        async with lifetime:
            entered.set_result(None)
            await leave.wait()
    except BaseException as error:
        if entered.done():
            raise
        entered.set_exception(error)


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    """End what is left on the loop as `asyncio.run` does, async generators included, but wait for nothing for ever."""
    tasks = asyncio.all_tasks(loop)
    if tasks:
        _end(loop, tasks)
    loop.run_until_complete(loop.shutdown_asyncgens())


def _end(loop: asyncio.AbstractEventLoop, tasks: set[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait until they have ended, but not for ever. Raises the exit of one, once the others have."""
    for task in tasks:
        task.cancel()
    waiting = loop.create_task(asyncio.wait(tasks, timeout=_CANCEL_SECONDS))
    try:
        loop.run_until_complete(waiting)
    except (SystemExit, KeyboardInterrupt):
        loop.run_until_complete(waiting)
        raise
    finally:
        for task in tasks:
            task.done() and (task.cancelled() or task.exception())  # seen


class FirstStep:
    """Runs a coroutine as a task whose first step is taken at once, without a pass of the loop.

    Strategy: most requests never wait, so that their task is done after one step. A pass of the loop to take that step
    costs a `select` and two callbacks, as much as the rest of the adapter. So it is taken here, in a thread that looks
    to it as it would inside the loop: the loop is the running one, says that it runs, and has its hooks for async
    generators in place. It is a Task like any other: `current_task`, contextvars, cancellation work. Only if it is not
    done then, or has left callbacks, does the loop run.

    Facts: from 3.12 on a Task starts eagerly if its loop says that it runs. Before, it asks for its first step with
    `call_soon`, looked up on the loop object, so that an attribute of the instance catches it. `BaseEventLoop._ready`
    holds the callbacks that wait; a loop without it (uvloop) is run in the ordinary way.
    """

    __slots__ = ("_caught", "_hooks", "_loop", "ready")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.ready = loop._ready  # type: ignore[attr-defined]  # checked by the caller: see Facts
        self._caught = Caught()
        self._hooks = loop.run_until_complete(_asyncgen_hooks())

    def begun(self, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """A task of `coroutine` that has taken its first step."""
        loop = self._loop
        firstiter, finalizer = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(*self._hooks)
        asyncio._set_running_loop(loop)
        loop.is_running = _true  # type: ignore[method-assign]  # until the step is taken
        try:
            return self._begun(coroutine)
        finally:
            del loop.is_running
            asyncio._set_running_loop(None)
            sys.set_asyncgen_hooks(firstiter, finalizer)

    def _begun(self, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """A task that has taken its first step. SystemExit and KeyboardInterrupt come out of it."""
        loop = self._loop
        task: asyncio.Task[T] = asyncio.Task.__new__(asyncio.Task)
        try:
            if sys.version_info >= (3, 12):
                asyncio.Task.__init__(task, coroutine, loop=loop, eager_start=True)
            else:
                caught = self._caught
                loop.call_soon = caught  # type: ignore[method-assign,assignment]  # for the next line only
                try:
                    asyncio.Task.__init__(task, coroutine, loop=loop)
                finally:
                    del loop.call_soon
                caught.run(caught.step)
        except (SystemExit, KeyboardInterrupt):
            task.exception()  # mark it as seen
            raise
        return task


def _true() -> bool:
    return True


class Caught:
    """Takes the place of `loop.call_soon` for the one call that a new Task makes: `run(step)` is what it asks for."""

    __slots__ = ("run", "step")

    run: Callable[[Callable[[], object]], object]
    step: Callable[[], object]

    def __call__(self, callback: Callable[[], object], *, context: Context) -> None:
        self.step = callback
        self.run = context.run


async def _asyncgen_hooks() -> tuple[Any, Any]:
    """What the loop sets while it runs."""
    firstiter, finalizer = sys.get_asyncgen_hooks()
    return firstiter, finalizer
