"""What is done at import, on the event loop that will serve: before the first request, within the environment's init.

All that is entered is entered and left in one task, as cancel scopes and context variables need it.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack, contextmanager
from contextvars import copy_context

from lambent.ahead import AHEAD
from lambent.errors import ConfigurationError, LifespanEnded, WrongEventLoop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator
    from contextlib import AbstractAsyncContextManager
    from contextvars import Context
    from typing import Any, TypeVar

    T = TypeVar("T")
    Outcome = tuple[Any, BaseException | None]
    """What entering gave, or else raised: a value, for a loop does not stop for a future that ends with SystemExit."""
    Wish = tuple[AbstractAsyncContextManager[Any], asyncio.Future[Outcome], Context]
    """What is to be entered, who waits for it, and the variables there."""

logger = logging.getLogger("lambent")

NAME = "lambent lifespan: what was entered at import"
"""Of the task that keeps it. By how it begins, Runner knows a task that only waits for the end."""


class Early:
    """Runs and enters at import, and leaves at shutdown. One for each application.

    What `run` and `enter` are given sees the context variables of where they are called, and sets its own. What `enter`
    is given also sees what those before it have set, unless that was set anew since where `enter` is called.
    """

    __slots__ = ("_is_upheld", "_keeper", "_leaving", "_loop", "_wishes")

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        """On which something was done."""
        self._keeper: asyncio.Task[None] | None = None
        """The task in which all is entered and left; there once something was entered."""
        self._wishes: asyncio.Queue[Wish | None] = asyncio.Queue()
        """None: leave."""
        self._leaving = False
        self._is_upheld = False

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run it until it is done, and return its result. Raises what it raises.

        Raises WrongEventLoop where an event loop runs already, and ConfigurationError for what is no coroutine.
        """
        if not asyncio.iscoroutine(coroutine):
            raise ConfigurationError(
                f"Expected run_async to be given a coroutine, as in run_async(load()), but got {coroutine!r:.200}."
            )
        try:
            loop = _idle_loop("run_async")
        except BaseException:
            coroutine.close()  # nobody will await it
            raise
        self._loop = loop
        return _complete(loop, loop.create_task(coroutine))

    def enter(self, context: AbstractAsyncContextManager[T]) -> T:
        """Enter it, and return what it gives. Raises what entering it raises, and WrongEventLoop as `run` does.

        Raises ConfigurationError for what is no async context manager.
        """
        if not hasattr(type(context), "__aenter__"):
            raise ConfigurationError(
                f"Expected enter_async_context to be given an async context manager, but got {context!r:.200}."
            )
        loop = self._loop = _idle_loop("enter_async_context")
        keeper = self._keeper
        if keeper is None or keeper.done() or keeper.get_loop() is not loop:
            keeper = self._keeper = self._new_keeper(loop)
        entered: asyncio.Future[Outcome] = loop.create_future()
        self._wishes.put_nowait((context, entered, copy_context()))
        try:
            value, error = loop.run_until_complete(entered)
        finally:
            if not entered.done():  # Ctrl-C: what is half entered is left, and all before it
                keeper.cancel()
                loop.run_until_complete(asyncio.wait([keeper]))
        if error is not None:
            raise error
        result: T = value
        return result

    def check(self, loop: asyncio.AbstractEventLoop) -> None:
        """Raise WrongEventLoop unless all was done on this loop, and LifespanEnded if what was entered is left.

        For the first request, and for startup.
        """
        if self._loop is not None and self._loop is not loop:
            raise WrongEventLoop(
                "What run_async and enter_async_context did at import was done on another event loop than the one that "
                "serves: clients and pools that they have made do not work here. Lambent's runtime, Lambent(api) when "
                "Lambda calls it, and `with Client(api)` of lambent.testing serve on the loop of the import. For other "
                "servers, do it in the lifespan: Api(lifespan=...)."
            )
        keeper = self._keeper
        if keeper is not None and keeper.done():
            raise LifespanEnded(
                "What enter_async_context entered at import was left when a lifespan ended, and cannot be entered "
                "again. Where there is more than one lifespan in a process, as in tests with a Client for each, enter "
                "it in the lifespan: Api(lifespan=...)."
                if self._leaving
                else "What enter_async_context entered at import has ended by itself."
            ) from _reason(keeper)

    @contextmanager
    def upheld(self) -> Iterator[None]:
        """Cancel the body when what was entered ends by itself, and raise LifespanEnded in its place.

        For the lifespan, while it waits for the shutdown.
        """
        keeper, host = self._keeper, asyncio.current_task()
        if keeper is None or host is None:
            yield
            return

        def ended(_: asyncio.Task[None]) -> None:
            host.cancel()

        keeper.add_done_callback(ended)
        self._is_upheld = True
        try:
            yield
        except asyncio.CancelledError:
            if not keeper.done() or keeper.cancelled():
                raise
            host.uncancel()
            raise LifespanEnded("What enter_async_context entered at import has ended by itself.") from _reason(keeper)
        finally:
            self._is_upheld = False
            keeper.remove_done_callback(ended)

    async def close(self) -> None:
        """Leave all that was entered, the last first, in the task that has entered it. Raises what leaving raises.

        What lives on another loop than this one is left alone: it ends with that.
        """
        keeper = self._keeper
        if keeper is None or keeper.done() or keeper.get_loop() is not asyncio.get_running_loop():
            return
        self._leaving = True
        self._wishes.put_nowait(None)
        await keeper

    def _new_keeper(self, loop: asyncio.AbstractEventLoop) -> asyncio.Task[None]:
        self._wishes = asyncio.Queue()
        self._leaving = False
        keeper = loop.create_task(_keep(self._wishes), name=NAME)
        keeper.add_done_callback(self._ended)
        return keeper

    def _ended(self, keeper: asyncio.Task[None]) -> None:
        """Log what nobody else is told."""
        if not self._leaving and not self._is_upheld and (error := _reason(keeper)) is not None:
            logger.error("What was entered at import has ended, and not by the lifespan's shutdown.", exc_info=error)


async def _keep(wishes: asyncio.Queue[Wish | None]) -> None:
    """Enter what is wished for, sleep, leave all: in this one task."""
    known = copy_context()
    async with AsyncExitStack() as stack:
        while (wish := await wishes.get()) is not None:
            context, entered, variables = wish
            _take_over(variables, known)
            known = variables
            await _enter(stack, context, entered)
            del wish, context, entered  # kept until the next one, they would keep the result alive


def _take_over(variables: Context, known: Context) -> None:
    """Set here what was set there since: all of it would hide what those entered before have set."""
    for variable, value in variables.items():
        if variable not in known or known[variable] is not value:
            variable.set(value)


async def _enter(
    stack: AsyncExitStack, context: AbstractAsyncContextManager[Any], entered: asyncio.Future[Outcome]
) -> None:
    try:
        outcome: Outcome = await stack.enter_async_context(context), None
    except BaseException as error:  # whoever waits is told, whatever it is
        if (task := asyncio.current_task()) and task.cancelling():
            raise
        outcome = None, error
    entered.set_result(outcome)


def _idle_loop(name: str) -> asyncio.AbstractEventLoop:
    """The loop that will serve. Raises WrongEventLoop if this thread runs one, or another thread runs that one."""
    if asyncio._get_running_loop() is None:
        loop = AHEAD.loop()
        if not loop.is_running():
            return loop
    raise WrongEventLoop(
        f"{name} was called where an event loop runs already, which it would block. Servers may import the application "
        "inside their loop, uvicorn among them: for those, do it in the lifespan, Api(lifespan=...). Inside a "
        "coroutine, await it."
    )


def _complete(loop: asyncio.AbstractEventLoop, task: asyncio.Task[T]) -> T:
    try:
        return loop.run_until_complete(task)
    except BaseException:
        if not task.done():  # Ctrl-C
            task.cancel()
            loop.run_until_complete(asyncio.wait([task]))
        task.cancelled() or task.exception()  # seen: it is raised here
        raise


def _reason(keeper: asyncio.Task[None]) -> BaseException | None:
    return None if keeper.cancelled() else keeper.exception()
