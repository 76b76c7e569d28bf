"""A plain `(event, context)` function as a Handler: sync, async, or one that yields its reply in pieces."""

from __future__ import annotations

import inspect
from contextlib import aclosing, nullcontext

from lambent.errors import InvalidResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine
    from contextlib import AbstractAsyncContextManager

    from lambent.types import Context, Event, Invocation, Result


class Function:
    """Replies with what the function returns; `None` is the reply `null`.

    `serve` is an ordinary method, so that the function itself is called by whoever calls `serve`, outside the event
    loop: a sync function may block, or run a loop of its own. What it returns is awaited on the loop, if it can be.
    """

    def __init__(self, function: Callable[[Event, Context | None], Result]) -> None:
        self._function = function
        self.may_block = not inspect.iscoroutinefunction(function)
        """Whether `serve` may take its time: where many invocations share a loop, it is called in a thread."""

    def serve(self, invocation: Invocation) -> Coroutine[None, None, None]:
        """Call the function; the coroutine awaits its result and replies."""
        return _reply(invocation, self._function(invocation.event, invocation.context))

    def lifetime(self) -> AbstractAsyncContextManager[None]:
        """A function has none."""
        return nullcontext()


class Generator(Function):
    """Streams what the async generator function yields: bytes, or text as UTF-8.

    A dict that comes first is the prelude, `{"statusCode", "headers", "cookies"}`, as a Function URL reads it.
    """

    def __init__(self, function: Callable[[Event, Context | None], AsyncGenerator[Result, None]]) -> None:
        super().__init__(function)
        self.may_block = False

    def serve(self, invocation: Invocation) -> Coroutine[None, None, None]:
        """Make the generator; the coroutine runs it. The reply begins with the first piece."""
        return _stream(invocation, self._function(invocation.event, invocation.context))


async def _reply(invocation: Invocation, result: Result) -> None:
    if inspect.isawaitable(result):
        result = await result
    await invocation.reply(result)


async def _stream(invocation: Invocation, pieces: AsyncGenerator[Result, None]) -> None:
    writer = None
    async with aclosing(pieces):  # its `finally` runs now, whatever ends it
        async for piece in pieces:
            data = None if writer is None and isinstance(piece, dict) else _bytes(piece)
            if writer is None:
                writer = await invocation.stream(piece if data is None else None)
            if data:
                await writer.write(data)
        await (writer or await invocation.stream(None)).close()


def _bytes(piece: Result) -> bytes:
    if isinstance(piece, str):
        return piece.encode()
    try:
        return bytes(memoryview(piece))
    except TypeError:
        raise InvalidResult(
            f"Expected an async generator to yield bytes or text, and before these a dict with status and headers, "
            f"but it yielded a {type(piece).__name__}.",
            "Runtime.MarshalError",
        ) from None
