"""Requests to a whole application, as an ASGI server hands them over, and its lines of the access log."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar
from urllib.parse import unquote

from lambent.api import AccessLog, Api
from lambent.types import ASGIApp, Message

T = TypeVar("T")

LIMIT = 60
"""Seconds after which a test that waits has failed."""

JSON = {"content-type": "application/json"}

Headers = Mapping[str, str] | Sequence[tuple[str, str]]


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    async def limited() -> T:
        return await asyncio.wait_for(coroutine, LIMIT)

    return asyncio.run(limited())


class Answer(NamedTuple):
    status: int
    fields: list[tuple[str, str]]
    body: bytes
    pieces: list[bytes]

    @property
    def headers(self) -> dict[str, str]:
        return dict(self.fields)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Line:
    """To an application, for one request: what it sends, in order."""

    def __init__(self, *bodies: bytes) -> None:
        self.sent: list[Message] = []
        self._coming: list[Message] = [
            {"type": "http.request", "body": body, "more_body": place < len(bodies)}
            for place, body in enumerate(bodies, 1)
        ]
        self.gone = asyncio.Event()

    async def receive(self) -> Message:
        if self._coming:
            return self._coming.pop(0)
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    @property
    def answer(self) -> Answer:
        start, *rest = self.sent
        assert [each["type"] for each in rest] == ["http.response.body"] * len(rest), self.sent
        assert rest[-1].get("more_body", False) is False, "it has an end"
        pieces = [each["body"] for each in rest]
        fields = [(name.decode("ascii"), value.decode("latin-1")) for name, value in start["headers"]]
        return Answer(start["status"], fields, b"".join(pieces), pieces)


def scope_of(method: str, target: str, headers: Headers = (), **more: Any) -> dict[str, Any]:
    """As uvicorn makes it: in ASGI's 2.3."""
    path, _, query = target.partition("?")
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in pairs],
        "client": ("192.0.2.7", 50000),
        "server": ("testserver", 80),
        "state": {},
        **more,
    }


async def asking(
    app: ASGIApp, method: str, target: str, headers: Headers = (), body: bytes | str = b"", **scope: Any
) -> Answer:
    """One request. Raises what the application raises."""
    line = Line(body.encode() if isinstance(body, str) else body)
    await app(scope_of(method, target, headers, **scope), line.receive, line.send)
    return line.answer


def ask(app: ASGIApp, method: str, target: str, headers: Headers = (), body: bytes | str = b"", **scope: Any) -> Answer:
    """One request, in a loop of its own. Raises what the application raises."""
    return run(asking(app, method, target, headers, body, **scope))


class Logged(Api):
    """An application whose lines are kept."""

    def __init__(self, **options: Any) -> None:
        self._written: list[str] = []
        super().__init__(log=AccessLog(write=self._written.append, client_ip=True), **options)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return list(map(json.loads, self._written))

    @property
    def line(self) -> dict[str, Any]:
        """The only one."""
        (line,) = self.lines
        return line
