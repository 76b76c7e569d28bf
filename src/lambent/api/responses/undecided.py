"""A stream of which nobody has said what it consists of: its first item does."""

from __future__ import annotations

from lambent.api.responses.streams import END, JSONLinesResponse, StreamingResponse
from lambent.api.responses.watch import Watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lambent.types import Receive, Scope, Send


class Undecided(StreamingResponse):
    """What a generator gives.

    | its first item | response |
    |---|---|
    | str, bytes | a stream of text, of bytes |
    | ServerSentEvent | EventSourceResponse |
    | anything else | JSON lines: each item on a line of its own |
    | none | an empty body |
    """

    __slots__ = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        items = self.items()
        try:
            async with Watch(self.watching(scope, receive)) as watch:
                first = await items.first()
            if not watch.ended:
                response = self._decided(first)
                response.content = items
                response.draft = self.draft
                await response(scope, receive, send)
        finally:
            await items.close()
        if self.background is not None:
            await self.background()

    def _decided(self, first: Any) -> StreamingResponse:
        kind = _kind(first)
        response = kind((), self.status_code)
        if kind is StreamingResponse and first is not END:
            response.media_type = "text/plain" if isinstance(first, str) else "application/octet-stream"
        headers = self.headers
        for field in headers:
            response.headers.pop(field, None)
        for name, value in headers.raw():
            response.headers.append_raw(name, value)
        return response


def _kind(first: Any) -> type[StreamingResponse]:
    from lambent.api.responses.sse import EventSourceResponse, ServerSentEvent

    if first is END or isinstance(first, str | bytes | bytearray | memoryview):
        return StreamingResponse
    return EventSourceResponse if isinstance(first, ServerSentEvent) else JSONLinesResponse
