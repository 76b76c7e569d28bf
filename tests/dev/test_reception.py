"""Who is let in at the port, and where to."""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast

import pytest

from lambent.dev.doors.model import HTTPReply
from lambent.dev.front_door import FrontDoor, messages
from lambent.dev.hosts import Hosts
from lambent.dev.invoke_api import InvokeAPI
from lambent.dev.reception import Reception
from lambent.dev.service import Service
from lambent.dev.sources.firing import Firing
from lambent.types import Message, Receive, Scope, Send


class Door:
    """Answers with its name and the path."""

    def __init__(self, name: str) -> None:
        self._name = name

    def owns(self, path: str) -> bool:
        return path.startswith("/2015-03-31/functions")

    def status(self) -> dict[str, object]:
        """Of the service as of the Invoke API, here."""
        return {self._name: "well"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages(HTTPReply(200, [], f"{self._name} {scope['path']}".encode())):
            await send(message)


def ask(path: str, *headers: tuple[bytes, bytes], method: str = "GET") -> tuple[int, dict[bytes, bytes], bytes]:
    front_door, invoke_api, service = (Door(name) for name in ("front door", "Invoke API", "f"))
    reception = Reception(
        Hosts("127.0.0.1", ("tunnel.test",)),
        cast("FrontDoor", front_door),
        cast("InvokeAPI", invoke_api),
        cast("Service", service),
        cast("Firing", Door("sources")),
    )
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError("nobody asks for the body")

    scope: dict[str, Any] = {"type": "http", "method": method, "path": path, "headers": headers}
    asyncio.run(reception(scope, receive, send))
    start, body = sent
    return start["status"], dict(start["headers"]), body["body"]


OURS = (b"host", b"localhost:3000")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/", b"front door /"),
        ("/2015-03-31/functions/f/invocations", b"Invoke API /2015-03-31/functions/f/invocations"),
        ("/_lambent/status/", b"front door /_lambent/status/"),
        ("/_lambent/other", b"front door /_lambent/other"),
    ],
)
def test_each_path_has_its_door(path: str, body: bytes) -> None:
    assert ask(path, OURS)[::2] == (200, body)
    assert ask(path, (b"host", b"tunnel.test"))[::2] == (200, body)


def test_status_is_json_that_nobody_keeps() -> None:
    status, headers, body = ask("/_lambent/status", OURS)
    assert status == 200
    assert headers[b"content-type"] == b"application/json"
    assert headers[b"cache-control"] == b"no-store"
    assert int(headers[b"content-length"]) == len(body)
    assert json.loads(body) == {"functions": {"f": "well"}, "Invoke API": "well", "sources": "well"}


@pytest.mark.parametrize("path", ["/", "/_lambent/status", "/2015-03-31/functions/f/invocations"])
@pytest.mark.parametrize(
    "headers",
    [
        [(b"host", b"evil.test")],
        [OURS, (b"origin", b"https://evil.test")],
        [OURS, (b"origin", b"null")],
        [OURS, OURS],
        [],
    ],
)
def test_others_are_refused_with_advice_wherever_they_ask(path: str, headers: list[tuple[bytes, bytes]]) -> None:
    status, told, body = ask(path, *headers)
    assert status == 403
    assert told[b"content-type"] == b"text/plain; charset=utf-8"
    assert b"answers only to its own names" in body or b"must have one Host" in body
