"""Who is let in at the port, and where to."""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast

import pytest

from lambent.dev.doors.model import ANYTHING, HTTPReply
from lambent.dev.front_door import FrontDoor, messages
from lambent.dev.hosts import Hosts
from lambent.dev.invoke_api import InvokeAPI
from lambent.dev.model import Entrance, Function, Route
from lambent.dev.reception import Reception
from lambent.dev.routes import Found
from lambent.dev.routes.sockets import SocketRoutes
from lambent.dev.service import Service
from lambent.dev.sockets import Sockets
from lambent.dev.sources.firing import Firing
from lambent.types import Message, Receive, Scope, Send


class Door:
    """Answers with its name and the path."""

    def __init__(self, name: str, found: Found | Entrance | None = None) -> None:
        self._name = name
        self._found = found

    def owns(self, path: str, headers: object = ()) -> bool:
        return path.startswith("/2015-03-31/functions")

    def status(self) -> dict[str, object]:
        """Of the service as of the Invoke API, here."""
        return {self._name: "well"}

    @property
    def routes(self) -> Door:
        return self

    def find(self, method: str, raw_path: bytes, host: str) -> Found | Entrance | None:
        """Where a request goes, as the front door's routes have it."""
        return self._found

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages(HTTPReply(200, [], f"{self._name} {scope['path']}".encode())):
            await send(message)


def ask(
    path: str,
    *headers: tuple[bytes, bytes],
    method: str = "GET",
    routes: SocketRoutes | None = None,
    found: Found | Entrance | None = None,
) -> tuple[int, dict[bytes, bytes], bytes]:
    front_door, invoke_api, service = (Door(name, found) for name in ("front door", "Invoke API", "f"))
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    scope: dict[str, Any] = {"type": "http", "method": method, "path": path, "headers": headers}
    scope["raw_path"] = path.encode()

    async def asked() -> None:
        reception = Reception(
            Hosts("127.0.0.1", ("tunnel.test",)),
            cast("FrontDoor", front_door),
            cast("InvokeAPI", invoke_api),
            cast("Service", service),
            cast("Firing", Door("sources")),
            Sockets(cast("Service", service), routes or SocketRoutes(), print),
        )
        await reception(scope, receive, send)

    asyncio.run(asked())
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


CHAT = Function("chat", "chat.handler", door="chat")
CHAT_API = Entrance("chat", "websocket", stage="prod")
TAKEN = Found(Entrance("http", "http"), ANYTHING, CHAT, Route("http", "ANY", "/prod"))
NOT_TAKEN = Entrance("http", "http")


@pytest.mark.parametrize(
    ("path", "host", "found", "body"),
    [
        ("/prod", b"localhost", None, b'{"message": "Upgrade Required"}'),
        ("/other", b"localhost", None, b'{"message": "Upgrade Required"}'),
        ("/prod", b"localhost", NOT_TAKEN, b'{"message": "Upgrade Required"}'),
        ("/other", b"localhost", NOT_TAKEN, b"front door /other"),
        ("/prod", b"localhost", TAKEN, b"front door /prod"),
        ("/any", b"chat.localhost:3000", TAKEN, b'{"message": "Upgrade Required"}'),
        ("/prod/@connections/x", b"localhost", TAKEN, b'{"message":"Invalid connectionId: x"}'),
        ("/2015-03-31/functions/f", b"localhost", None, b"Invoke API /2015-03-31/functions/f"),
    ],
)
def test_a_request_never_comes_to_a_websocket_api(
    path: str, host: bytes, found: Found | Entrance | None, body: bytes
) -> None:
    status, headers, answer = ask(path, (b"host", host), routes=SocketRoutes([CHAT], [CHAT_API]), found=found)
    assert answer == body
    assert (status == 426) is (b"Upgrade" in body) is (headers.get(b"upgrade") == b"websocket")


def test_without_one_connections_are_a_path_like_any_other() -> None:
    assert ask("/prod/@connections/x", OURS)[2] == b"front door /prod/@connections/x"


def test_status_tells_of_sockets_where_there_may_be_any() -> None:
    body = ask("/_lambent/status", OURS, routes=SocketRoutes([CHAT], [CHAT_API]))[2]
    assert json.loads(body)["sockets"] == {}
