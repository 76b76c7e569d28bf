"""What ends a stream from beside it."""

from __future__ import annotations

import asyncio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable
    from types import TracebackType
    from typing import Any, Self

    from lambent.types import Receive


class Watch:
    """A block that ends when one of these coroutines does: it is cancelled, and this goes no further.

    The block stays in its task, as `asyncio.timeout` has it: generators hold cancel scopes that must be left in the
    task in which they were entered. What a coroutine raises is raised from the block.
    """

    __slots__ = ("_before", "_coroutines", "_task", "_tasks", "ended")

    def __init__(self, coroutines: Iterable[Coroutine[Any, Any, None]]) -> None:
        self._coroutines = list(coroutines)
        self._tasks: list[asyncio.Task[None]] = []
        self.ended: asyncio.Task[None] | None = None
        """The one that has ended the block."""

    async def __aenter__(self) -> Self:
        task = asyncio.current_task()
        if self._coroutines and task is not None:
            self._task = task
            self._before = task.cancelling()
            self._tasks = [asyncio.create_task(each) for each in self._coroutines]
            for each in self._tasks:
                each.add_done_callback(self._end)
        return self

    def _end(self, ended: asyncio.Task[None]) -> None:
        if self.ended is not None or ended.cancelled():
            return
        if self._task.cancelling() > self._before:
            return  # by somebody who knows his own cancellation by its message, as anyio does; a second would hide that
        self.ended = ended
        self._task.cancel()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        for each in self._tasks:
            each.remove_done_callback(self._end)
            each.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        ended = self.ended
        if ended is None:
            return False
        if self._task.uncancel() > self._before or (error is not None and kind is not asyncio.CancelledError):
            return False  # it is cancelled from elsewhere, too; or has failed at that
        ended.result()
        return True


async def disconnected(receive: Receive) -> None:
    """Until the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
