"""Server-sent events: what a browser's EventSource reads.

Source: html.spec.whatwg.org, "Server-sent events", 9.2.5 and 9.2.6.
"""

from __future__ import annotations

import asyncio

from lambent.api.responses.streams import StreamingResponse
from lambent.errors import InvalidMessage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from lambent.api.responses.base import Background, HeaderFields
    from lambent.api.responses.streams import Content, Outlet
    from lambent.types import Receive, Scope

PING = b": ping\n\n"


class ServerSentEvent:
    """One event.

    - `data`: text as it is, anything else as JSON; None for none, and then browsers tell nobody
    - `event`: its type
    - `id`: what a browser sends as `Last-Event-ID` when it connects again
    - `retry`: milliseconds after which it does
    - `comment`: what nobody reads

    Raises InvalidMessage for an `event` or `id` that has a line end or NUL, and for a `retry` that is no whole number.
    """

    __slots__ = ("comment", "data", "event", "id", "retry")

    def __init__(
        self,
        data: Any = None,
        event: str | None = None,
        id: str | None = None,  # noqa: A002 - as the specification calls it
        retry: int | None = None,
        comment: str | None = None,
    ) -> None:
        for name, value in (("event", event), ("id", id)):
            if value is not None and not _is_line(value):
                raise InvalidMessage(f"Expected `{name}` to be a str without line ends and NUL, but it is not.")
        if retry is not None and (type(retry) is not int or retry < 0):
            raise InvalidMessage(f"Expected `retry` to be milliseconds as an int, but got {retry!r:.80}.")
        self.data = data
        self.event = event
        self.id = id
        self.retry = retry
        self.comment = comment


def encode(event: ServerSentEvent) -> bytes:
    """An event → what is sent of it, with the empty line at its end. Raises InvalidResult for data that is no JSON."""
    lines = [] if event.comment is None else [f": {each}" for each in lines_of(event.comment)]
    if event.event is not None:
        lines.append(f"event: {event.event}")
    if event.id is not None:
        lines.append(f"id: {event.id}")
    if event.retry is not None:
        lines.append(f"retry: {event.retry}")
    if event.data is not None:
        lines += [f"data: {each}" for each in lines_of(_text(event.data))]
    return "\n".join([*lines, "", ""]).encode()


def _is_line(value: object) -> bool:
    return isinstance(value, str) and {"\n", "\r", "\0"}.isdisjoint(value)


def lines_of(text: str) -> list[str]:
    """Apart where EventSource would see an end of line, and only there: `str.splitlines` knows others."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _text(data: Any) -> str:
    if isinstance(data, str):
        return data
    from lambent.api.responses.json import dumps

    return dumps(data).decode()


class EventSourceResponse(StreamingResponse):
    """Events from an async or sync iterator: ServerSentEvents, or the data of events, see there.

    - `ping`: seconds without an event after which a comment is sent, so that nothing on the way takes the connection
      for dead; None for never. If there is no first event by then, the response begins with it
    """

    __slots__ = ("ping",)
    media_type = "text/event-stream"

    def __init__(
        self,
        content: Content,
        status_code: int = 200,
        headers: HeaderFields | None = None,
        ping: float | None = 15.0,
        background: Background | None = None,
    ) -> None:
        super().__init__(content, status_code, headers, background=background)
        self.ping = ping
        self.headers.setdefault("cache-control", "no-store")
        self.headers.setdefault("x-accel-buffering", "no")  # nginx would keep events

    def encode(self, item: Any) -> bytes:
        return encode(item if isinstance(item, ServerSentEvent) else ServerSentEvent(_text(item)))

    def watchers(self, scope: Scope, receive: Receive, outlet: Outlet) -> list[Coroutine[Any, Any, None]]:
        others = super().watchers(scope, receive, outlet)
        return others if self.ping is None else [*others, keep_alive(outlet, self.ping)]


async def keep_alive(outlet: Outlet, seconds: float) -> None:
    """Send a comment whenever nothing else has been sent for so long. Raises Gone."""
    while True:
        before = outlet.pieces
        await asyncio.sleep(seconds)
        if outlet.pieces == before:
            await outlet.send(PING)
