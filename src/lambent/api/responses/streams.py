"""A response that is sent piece by piece, as it is made."""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from functools import partial

from lambent.api.responses.base import BODILESS, Response
from lambent.api.responses.watch import Watch, disconnected
from lambent.errors import InvalidResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine, Iterable, Iterator
    from contextvars import Context
    from typing import Any

    from lambent.api.responses.base import Background, HeaderFields
    from lambent.types import Message, RawHeaders, Receive, Scope, Send

    Content = AsyncIterable[Any] | Iterable[Any]

END: Any = object()


class Gone(Exception):
    """The client takes no more."""


class StreamingResponse(Response):
    """What an async or sync iterator gives: bytes, or text in UTF-8. A sync one runs in threads.

    It is sent from its first item on: what fails before can still be answered for. When the client has gone, or
    something fails, the iterator is closed. `receive` is read for a client that goes on servers of ASGI before 2.4,
    which tell it in no other way (uvicorn): there, a generator must have read the request's body before its first item.
    """

    __slots__ = ("content", "draft", "length")

    def __init__(
        self,
        content: Content | Items,
        status_code: int = 200,
        headers: HeaderFields | None = None,
        media_type: str | None = None,
        background: Background | None = None,
    ) -> None:
        super().__init__(None, status_code, headers, media_type, background)
        self.content = content
        self.length: int | None = None
        """In bytes, where it is known before."""
        self.draft: Response | None = None
        """What is said of it until it begins."""

    def start(self) -> Message:
        if self.draft is not None:
            from lambent.api.responses.making import add

            add(self.draft, self)
        return super().start()

    def raw_headers(self) -> RawHeaders:
        return self._described(self.length)

    def encode(self, item: Any) -> bytes:
        """One item → its bytes. Raises InvalidResult."""
        if type(item) is bytes:
            return item
        if isinstance(item, str):
            return item.encode(self.charset)
        if isinstance(item, bytes | bytearray | memoryview):
            return bytes(item)
        raise InvalidResult(
            f"Expected a stream to consist of str or bytes, but it gave a {type(item).__name__}.",
            "Function.InvalidResult",
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        items = self.items()
        try:
            if scope["method"] == "HEAD" or self.status_code in BODILESS:
                await send(self.start())
                await send({"type": "http.response.body", "body": b""})
            else:
                await self._stream(items, scope, receive, send)
        finally:
            await items.close()
        if self.background is not None:
            await self.background()

    async def _stream(self, items: Items, scope: Scope, receive: Receive, send: Send) -> None:
        outlet = Outlet(self, send)
        left = self.length
        try:
            async with Watch(self.watchers(scope, receive, outlet)) as watch:
                while outlet.more and left != 0 and (item := await items.next()) is not END and not watch.ended:
                    piece = self.encode(item)
                    left = None if left is None else left - len(piece)
                    await outlet.send(piece, more=left != 0)
                if outlet.more and not watch.ended:
                    await outlet.send(b"", more=False)
        except Gone:
            pass

    def watchers(self, scope: Scope, receive: Receive, outlet: Outlet) -> list[Coroutine[Any, Any, None]]:  # noqa: ARG002 - subclasses use it
        """What runs beside the stream, and ends it with its own end."""
        return self.watching(scope, receive)

    def watching(self, scope: Scope, receive: Receive) -> list[Coroutine[Any, Any, None]]:
        """What ends when the client has gone: nothing where `send` tells that by an OSError, as in ASGI 2.4."""
        version = scope.get("asgi", {}).get("spec_version", "2.0")
        return [] if tuple(map(int, version.split("."))) >= (2, 4) else [disconnected(receive)]

    def items(self) -> Items:
        return self.content if isinstance(self.content, Items) else Items(self.content)


class Outlet:
    """Sends pieces, and the start before the first. Raises Gone when they are not taken any more."""

    __slots__ = ("_lock", "_response", "_send", "more", "pieces")

    def __init__(self, response: Response, send: Send) -> None:
        self._response = response
        self._send = send
        self._lock = asyncio.Lock()
        self.pieces = 0
        """How many have been sent."""
        self.more = True
        """Whether the last one is still to be sent."""

    async def send(self, piece: bytes, more: bool = True) -> None:
        async with self._lock:  # a comment that keeps the connection alive must not come between
            try:
                if not self.pieces:
                    await self._send(self._response.start())
                    if self._response.status_code in BODILESS:  # which what came with the first item may have said
                        piece, more = b"", False
                self.pieces += 1
                await self._send({"type": "http.response.body", "body": piece, "more_body": more})
            except OSError as error:
                raise Gone from error
            self.more = more


class Items:
    """What an iterator gives, async or sync: the latter in threads, where it may block, and in one context to its end.

    - `convert`: what is made of each
    """

    __slots__ = ("_async", "_context", "_convert", "_first", "_running", "_sync")

    def __init__(self, content: Any, convert: Callable[[Any], Any] | None = None) -> None:
        self._async: AsyncIterator[Any] | None = None
        self._sync: Iterator[Any] | None = None
        self._context: Context | None = None
        """Of a sync one: the request's, as it is at the first step."""
        self._running: asyncio.Future[Any] | None = None
        self._convert = convert
        self._first: list[Any] = []
        if hasattr(content, "__aiter__"):
            self._async = aiter(content)
        elif hasattr(content, "__iter__") and not isinstance(content, str | bytes):
            self._sync = iter(content)
        else:
            raise InvalidResult(
                f"Expected the content of a stream to be an async or sync iterator, but got {type(content).__name__}.",
                "Function.InvalidResult",
            )

    async def first(self) -> Any:
        """The first one, which `next` gives again; or END."""
        item = await self.next()
        self._first = [item]
        return item

    async def next(self) -> Any:
        """The next one, or END."""
        if self._first:
            return self._first.pop()
        item = await (anext(self._async, END) if self._async is not None else self._in_thread())
        return item if self._convert is None or item is END else self._convert(item)

    async def _in_thread(self) -> Any:
        return await self._run(self._within().run, next, self._sync, END)

    def _within(self) -> Context:
        if self._context is None:
            self._context = copy_context()
        return self._context

    async def _run(self, function: Callable[..., Any], *args: Any) -> Any:
        self._running = asyncio.get_running_loop().run_in_executor(None, function, *args)
        return await asyncio.shield(self._running)  # nothing can end what runs in a thread

    async def close(self) -> None:
        """Have a generator end where it stands: at once, or when a thread has come back from it."""
        generator: Any = self._sync if self._async is None else self._async
        self._sync = None  # once: two threads must not be in one context
        if hasattr(generator, "aclose"):
            await generator.aclose()
        elif hasattr(generator, "close"):
            await self._close(partial(self._within().run, generator.close))

    async def _close(self, close: Callable[[], object]) -> None:
        running = self._running
        if running is not None and not running.done():
            running.add_done_callback(lambda done: _close_after(done, close))
        else:
            await self._run(close)


def _close_after(step: asyncio.Future[Any], close: Callable[[], object]) -> None:
    """Close it, now that its step is over, whose outcome nobody waits for."""
    if not step.cancelled():
        step.exception()
        _ = step.get_loop().run_in_executor(None, close)


class JSONLinesResponse(StreamingResponse):
    """Each item as JSON on a line of its own (jsonlines.org)."""

    __slots__ = ()
    media_type = "application/jsonl"

    def encode(self, item: Any) -> bytes:
        from lambent.api.responses.json import dumps

        return dumps(item) + b"\n"
