"""Threads for sync functions, on whichever loop asks for them."""

from __future__ import annotations

import asyncio
import logging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Context
    from typing import Any
    from weakref import WeakKeyDictionary

    from lambent.threads import Threads

logger = logging.getLogger("lambent.api")


class Workers:
    """Threads of each loop; they end with it, or by `close`."""

    __slots__ = ("_of_loops",)

    def __init__(self) -> None:
        self._of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, Threads] | None = None

    async def call(self, function: Callable[..., Any], call: Callable[[], Any], context: Context | None = None) -> Any:
        """Call it in a thread, in a copy of this context or in the one that is given.

        Cancelled, it goes on, and a warning names `function`.
        """
        if context is None:
            from contextvars import copy_context

            context = copy_context()
        run = context.run
        try:
            return await self._threads().call(lambda: run(call))
        except asyncio.CancelledError:
            from lambent.functions import place

            logger.warning("%s was called in a thread and goes on there: nothing can end it.", place(function))
            raise

    def close(self) -> None:
        """End all threads, those that are in a function when it has returned."""
        for threads in list((self._of_loops or {}).values()):
            threads.close()
        self._of_loops = None

    def __del__(self) -> None:
        self.close()

    def _threads(self) -> Threads:
        loop = asyncio.get_running_loop()
        threads = self._of_loops.get(loop) if self._of_loops is not None else None
        return threads if threads is not None else self._begin(loop)

    def _begin(self, loop: asyncio.AbstractEventLoop) -> Threads:
        from weakref import WeakKeyDictionary, finalize

        from lambent.threads import Threads

        threads = Threads()
        if self._of_loops is None:
            self._of_loops = WeakKeyDictionary()
        self._of_loops[loop] = threads
        finalize(loop, threads.close).atexit = False
        return threads
