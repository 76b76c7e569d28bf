"""How functions are called: awaited, at once, in a thread, or entered and left."""

from __future__ import annotations

import asyncio
import inspect
from functools import partial
from threading import Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager, AbstractContextManager, AsyncExitStack
    from types import TracebackType
    from typing import Any

    from lambent.api.binding.layout import Call
    from lambent.api.binding.reading import Reading
    from lambent.api.binding.workers import Workers
    from lambent.api.model import Exchange

    Function = Callable[..., Any]

UNCALLED: Any = object()
"""What a dependency has made that was not called."""


def caller(function: Function, workers: Workers) -> Callable[..., Awaitable[Any]]:
    """A route's function, to be awaited. A generator's is called at once: that runs nothing of it."""
    if _yields(function):
        return _at_once(function)
    from lambent.functions import is_async

    return function if is_async(function) else _in_thread(function, workers)


class Dependency:
    """One function that is called before the route's. Not if its arguments do not fit, nor those of one it needs.

    A class is called at once; a generator, and what contextlib makes of one, is entered.
    """

    __slots__ = ("_call", "_enters", "_function", "_workers")

    def __init__(self, call: Call, workers: Workers) -> None:
        self._call = call
        self._workers = workers
        self._enters = is_generator(call.function)
        at_once = self._enters or isinstance(_inner(call.function), type)
        self._function = _at_once(call.function) if at_once else caller(call.function, workers)

    async def call(self, reading: Reading, results: list[Any]) -> Any:
        """What it makes; UNCALLED if it is not called. `results`: of those before it."""
        call = self._call
        before = reading.count
        arguments = [give(reading) for give in call.positional]
        named = {name: give(reading) for name, give in call.named}
        if reading.count != before or any(results[each] is UNCALLED for each in call.needs):
            return UNCALLED
        made = await self._function(*arguments, **named)
        if not self._enters:
            return made
        manager = _manager(call.function, made, self._workers)
        return await _exits(reading.exchange).enter_async_context(manager)


def is_generator(function: Function) -> bool:
    """Whether it is, or wraps, a function that yields."""
    return _yields(function) or _yields(inspect.unwrap(_inner(function)))


def _yields(function: Any) -> bool:
    inner = _inner(function)
    called = None if isinstance(inner, type) else getattr(inner, "__call__", None)  # noqa: B004 - the method is wanted
    return any(inspect.isasyncgenfunction(each) or inspect.isgeneratorfunction(each) for each in (inner, called))


def _inner(function: Any) -> Any:
    while isinstance(function, partial):
        function = function.func
    return function


def _at_once(function: Function) -> Callable[..., Awaitable[Any]]:
    async def call(*arguments: Any, **named: Any) -> Any:
        return function(*arguments, **named)

    return call


def _in_thread(function: Function, workers: Workers) -> Callable[..., Awaitable[Any]]:
    """What it returns is awaited here, if that is needed: it may wrap an async function."""

    async def call(*arguments: Any, **named: Any) -> Any:
        result = await workers.call(function, partial(function, *arguments, **named))
        return await result if inspect.isawaitable(result) else result

    return call


def _exits(exchange: Exchange) -> AsyncExitStack:
    if exchange.exits is None:
        from contextlib import AsyncExitStack

        exchange.exits = AsyncExitStack()
    exits: AsyncExitStack = exchange.exits
    return exits


def _manager(function: Function, made: Any, workers: Workers) -> AbstractAsyncContextManager[Any]:
    """Of a generator, or of a context manager; of a sync one in threads."""
    from contextlib import asynccontextmanager, contextmanager

    if hasattr(made, "__aenter__"):
        manager: AbstractAsyncContextManager[Any] = made
        return manager
    if hasattr(made, "__anext__"):
        return asynccontextmanager(lambda: made)()
    return Threaded(function, made if hasattr(made, "__enter__") else contextmanager(lambda: made)(), workers)


class Threaded:
    """A context manager that is entered and left in threads, in one context: what it sets before is there after.

    If entering it is cancelled, it is left as soon as it is entered, with that: even if the loop has ended by then.
    """

    __slots__ = ("_context", "_function", "_manager", "_settled", "_workers")

    def __init__(self, function: Function, manager: AbstractContextManager[Any], workers: Workers) -> None:
        from contextvars import copy_context

        self._context = copy_context()
        self._function = function
        self._manager = manager
        self._settled = Lock()
        """Taken by what is first: the thread that has entered, or the cancellation. What is second leaves."""
        self._workers = workers

    async def __aenter__(self) -> Any:
        try:
            return await self._workers.call(self._function, self._enter)
        except asyncio.CancelledError as error:
            if not self._settled.acquire(blocking=False):
                await self.__aexit__(type(error), error, error.__traceback__)
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        left = partial(self._manager.__exit__, kind, error, traceback)
        suppressed: bool | None = await self._workers.call(self._function, left, self._context)
        return suppressed

    def _enter(self) -> Any:
        entered = self._context.run(self._manager.__enter__)
        if not self._settled.acquire(blocking=False):  # outside of the context, in which another thread may leave now
            error = asyncio.CancelledError()
            self._context.run(self._manager.__exit__, type(error), error, None)
        return entered
