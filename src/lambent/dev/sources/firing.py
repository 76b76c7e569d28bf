"""`POST /_lambent/sources/NAME` fires a schedule now, with the body as its event if there is one. ASGI."""

from __future__ import annotations

import json

from lambent.dev.doors.model import HTTPReply, RawHeaders
from lambent.dev.front_door import ClientGone, messages, read_body
from lambent.dev.model import ASYNCHRONOUS_LIMIT
from lambent.dev.sources import Answer, EventSources, refusal
from lambent.types import Receive, Scope, Send

PATH = "/_lambent/sources/"


class Firing:
    """Answers the requests whose path it owns."""

    def __init__(self, sources: EventSources) -> None:
        self._sources = sources

    @staticmethod
    def owns(path: str) -> bool:
        return path.startswith(PATH)

    def status(self) -> dict[str, object]:
        """Of every source, as JSON."""
        return {"sources": self._sources.status()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: RawHeaders = list(scope["headers"])
        try:
            answer = await self._answer(scope, headers, receive)
        except ClientGone:
            return
        body = json.dumps(answer.document).encode()
        reply = HTTPReply(answer.status, [(b"content-type", b"application/json")], body)
        for message in messages(reply):
            await send(message)

    async def _answer(self, scope: Scope, headers: RawHeaders, receive: Receive) -> Answer:
        if scope["method"] != "POST":
            return refusal(405, f"Expected POST, which fires the source, but got {scope['method']}.")
        event = await read_body(headers, receive, ASYNCHRONOUS_LIMIT)
        if event is None:
            return refusal(413, f"Expected an event of {ASYNCHRONOUS_LIMIT} bytes at most.")
        return self._sources.fire(scope["path"].removeprefix(PATH), event)
