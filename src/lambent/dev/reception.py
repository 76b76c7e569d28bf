"""The port's one entrance: who is let in, and where to. An ASGI application.

Beside the front doors: the Invoke API under its own paths, `@connections` at the end of any, `/_lambent/status`, and
`/_lambent/sources/NAME`. Upgrade requests come in by `lambent.dev.sockets`.
"""

from __future__ import annotations

import json

from lambent.dev.doors.fields import encoded
from lambent.dev.doors.model import HTTPReply, RawHeaders
from lambent.dev.doors.websocket_api import UPGRADE_REQUIRED
from lambent.dev.front_door import FrontDoor, messages
from lambent.dev.hosts import Hosts, hostname
from lambent.dev.invoke_api import InvokeAPI
from lambent.dev.model import Entrance
from lambent.dev.service import Service
from lambent.dev.sockets import Sockets
from lambent.dev.sockets.management import Management
from lambent.dev.sources.firing import Firing
from lambent.types import Receive, Scope, Send

STATUS = "/_lambent/status"


class Reception:
    """Refuses what is meant for others, and passes on the rest."""

    def __init__(
        self,
        hosts: Hosts,
        front_door: FrontDoor,
        invoke_api: InvokeAPI,
        service: Service,
        firing: Firing,
        sockets: Sockets,
    ) -> None:
        self.hosts = hosts
        self._front_door = front_door
        self._invoke_api = invoke_api
        self._service = service
        self._firing = firing
        self._sockets = sockets
        self._management = Management(sockets)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: RawHeaders = list(scope["headers"])
        if advice := self.hosts.refusal(headers):
            await reply(403, b"text/plain; charset=utf-8", f"{advice}\n".encode(), send)
        elif self._invoke_api.owns(scope["path"], headers):
            await self._invoke_api(scope, receive, send)
        elif scope["path"] == STATUS:
            others = {**self._invoke_api.status(), **self._firing.status()}
            sockets = {"sockets": self._sockets.status()} if self._sockets.routes else {}
            text = json.dumps({"functions": self._service.status(), **others, **sockets}, indent=2)
            await reply(200, b"application/json", f"{text}\n".encode(), send)
        elif self._firing.owns(scope["path"]):
            await self._firing(scope, receive, send)
        elif self._management.owns(scope["raw_path"]):
            await self._management(scope, receive, send)
        elif self._sockets.routes and self._wants_upgrade(scope, headers):
            for message in messages(UPGRADE_REQUIRED):
                await send(message)
        else:
            await self._front_door(scope, receive, send)

    def _wants_upgrade(self, scope: Scope, headers: RawHeaders) -> bool:
        """Whether nobody but a WebSocket API would answer, which takes upgrade requests alone."""
        host = hostname(f"//{next((value for name, value in headers if name == b'host'), b'').decode('latin-1')}")
        routes, found = self._sockets.routes, self._front_door.routes.find(scope["method"], scope["raw_path"], host)
        if routes.alone(host):
            return True
        return found is None or (
            isinstance(found, Entrance) and routes.find(encoded(scope["raw_path"]), host) is not None
        )


async def reply(status: int, content_type: bytes, body: bytes, send: Send) -> None:
    """A whole answer of ours."""
    headers = [(b"content-type", content_type), (b"cache-control", b"no-store")]
    for message in messages(HTTPReply(status, headers, body)):
        await send(message)
