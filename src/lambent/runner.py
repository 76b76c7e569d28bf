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
import sys

from lambent.errors import LifespanEnded

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Coroutine
    from contextlib import AbstractAsyncContextManager
    from contextvars import Context
    from typing import Any, TypeVar

    T = TypeVar("T")


class Runner:
    """Owns one event loop and, between `start` and `stop`, one lifetime. Belongs to one thread at a time."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self.loop = loop or asyncio.new_event_loop()
        self.alive = False
        """Whether a lifetime has been entered and has not ended."""
        self._first_step: FirstStep | None = None
        self._lifetime: asyncio.Task[None] | None = None
        self._leave: asyncio.Event | None = None
        self._watched: socket.socket | None = None
        self._descriptor = -1
        self._waiting = False
        self._readable = False
        self._interrupted = False

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run `coroutine` as a task until it is done, and give every callback that it left behind one turn."""
        first_step = self._first_step
        if first_step is None:
            if not hasattr(self.loop, "_ready"):
                return self.loop.run_until_complete(coroutine)
            first_step = self._first_step = FirstStep(self.loop)
        return first_step.run(coroutine)

    def start(self, lifetime: AbstractAsyncContextManager[None]) -> None:
        """Enter `lifetime`. Raises whatever entering it raises."""
        self.loop.run_until_complete(self.enter(lifetime))

    async def enter(self, lifetime: AbstractAsyncContextManager[None]) -> None:
        """`start` for a loop that runs already."""
        self._leave = asyncio.Event()
        entered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lifetime = asyncio.create_task(_live(lifetime, entered, self._leave), name="lambent lifetime")
        await entered
        self.alive = True
        self._lifetime.add_done_callback(self._ended)

    def stop(self, timeout: float) -> None:
        """Leave the lifetime, waiting `timeout` seconds at most, and close the loop. Raises what leaving it raises."""
        try:
            if self._lifetime is not None:
                self.loop.run_until_complete(self.leave(timeout))
        finally:
            _cancel_all(self.loop)
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

        Returns False, as soon as may be, if the lifetime has ended or `interrupt` was called.
        """
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

    def interrupt(self) -> None:
        """End `wait_readable`, now or the next time. For a signal handler of the loop."""
        self._interrupted = True
        self._wake()

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
    """End what is left on the loop as `asyncio.run` does, async generators included."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())


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

    __slots__ = ("_caught", "_hooks", "_loop", "_ready")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ready = loop._ready  # type: ignore[attr-defined]  # checked by the caller: see Facts
        self._caught = Caught()
        self._hooks = loop.run_until_complete(_asyncgen_hooks())

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """As `loop.run_until_complete(coroutine)`."""
        loop = self._loop
        firstiter, finalizer = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(*self._hooks)
        asyncio._set_running_loop(loop)
        loop.is_running = _true  # type: ignore[method-assign]  # until the step is taken
        try:
            task = self._begun(coroutine)
        finally:
            del loop.is_running
            asyncio._set_running_loop(None)
            sys.set_asyncgen_hooks(firstiter, finalizer)
        if self._ready or not task.done():
            return loop.run_until_complete(task)
        return task.result()

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
