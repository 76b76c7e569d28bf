"""The port's one entrance: who is let in, and where to. An ASGI application.

Beside the front doors: the Invoke API under its own paths, `/_lambent/status`, and `/_lambent/sources/NAME`.
"""

from __future__ import annotations

import json

from lambent.dev.doors.model import HTTPReply, RawHeaders
from lambent.dev.front_door import FrontDoor, messages
from lambent.dev.hosts import Hosts
from lambent.dev.invoke_api import InvokeAPI
from lambent.dev.service import Service
from lambent.dev.sources.firing import Firing
from lambent.types import Receive, Scope, Send

STATUS = "/_lambent/status"


class Reception:
    """Refuses what is meant for others, and passes on the rest."""

    def __init__(
        self, hosts: Hosts, front_door: FrontDoor, invoke_api: InvokeAPI, service: Service, firing: Firing
    ) -> None:
        self.hosts = hosts
        self._front_door = front_door
        self._invoke_api = invoke_api
        self._service = service
        self._firing = firing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: RawHeaders = list(scope["headers"])
        if advice := self.hosts.refusal(headers):
            await reply(403, b"text/plain; charset=utf-8", f"{advice}\n".encode(), send)
        elif self._invoke_api.owns(scope["path"]):
            await self._invoke_api(scope, receive, send)
        elif scope["path"] == STATUS:
            others = {**self._invoke_api.status(), **self._firing.status()}
            text = json.dumps({"functions": self._service.status(), **others}, indent=2)
            await reply(200, b"application/json", f"{text}\n".encode(), send)
        elif self._firing.owns(scope["path"]):
            await self._firing(scope, receive, send)
        else:
            await self._front_door(scope, receive, send)


async def reply(status: int, content_type: bytes, body: bytes, send: Send) -> None:
    """A whole answer of ours."""
    headers = [(b"content-type", content_type), (b"cache-control", b"no-store")]
    for message in messages(HTTPReply(status, headers, body)):
        await send(message)
