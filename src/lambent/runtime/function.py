"""A plain `(event, context)` function, sync or async, as a Handler."""

from __future__ import annotations

import inspect
from contextlib import nullcontext

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from contextlib import AbstractAsyncContextManager

    from lambent.types import Context, Event, Invocation, Result


class Function:
    """Replies with what the function returns; `None` is the reply `null`.

    `serve` is an ordinary method, so that the function itself is called by whoever calls `serve`, outside the event
    loop: a sync function may block, or run a loop of its own. What it returns is awaited on the loop, if it can be.
    """

    def __init__(self, function: Callable[[Event, Context | None], Result]) -> None:
        self._function = function

    def serve(self, invocation: Invocation) -> Coroutine[None, None, None]:
        """Call the function; the coroutine awaits its result and replies."""
        return _reply(invocation, self._function(invocation.event, invocation.context))

    def lifetime(self) -> AbstractAsyncContextManager[None]:
        """A function has none."""
        return nullcontext()


async def _reply(invocation: Invocation, result: Result) -> None:
    if inspect.isawaitable(result):
        result = await result
    await invocation.reply(result)
