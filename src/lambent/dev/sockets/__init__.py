"""Live WebSockets, and what API Gateway does with them.

wire.py         IO     one client's side: bytes in, messages out
admission.py           whether a client is let in
live.py                one connection, from its handshake to its end
calls.py               functions, asked
management.py   IO     `@connections`
storage.py      IO     the store that functions are lent for their connections
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Coroutine

from lambent.dev.doors.model import HTTPRequest, RawHeaders
from lambent.dev.doors.websocket_api import GOING_AWAY
from lambent.dev.guard import Guard, NoGuard
from lambent.dev.routes.sockets import SocketRoutes
from lambent.dev.service import Service
from lambent.dev.sockets.admission import Admission
from lambent.dev.sockets.calls import Calls
from lambent.dev.sockets.live import Limits, Socket
from lambent.dev.sockets.wire import Wire


class Sockets:
    """All that are live. Its methods are called in the event loop.

    - `routes`: of all WebSocket APIs; `configure` replaces them
    - `say`: takes a line for people
    - `stranger`: what to tell a client whose Host or Origin is not ours; None: it is
    """

    def __init__(
        self,
        service: Service,
        routes: SocketRoutes,
        say: Callable[[str], None],
        guard: Guard | None = None,
        *,
        stranger: Callable[[RawHeaders], str | None] = lambda _: None,
        limits: Limits | None = None,
    ) -> None:
        self.routes = routes
        self.calls = Calls(service, say)
        self.admission = Admission(self.calls, guard or NoGuard(), stranger)
        self.limits = limits or Limits()
        self._arrived: set[Socket] = set()
        """Those of which it is not decided."""
        self._open: dict[str, Socket] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.closing = False

    def arrived(self, wire: Wire, request: HTTPRequest) -> Socket:
        """As `lambent.dev.sockets.wire.Host` has it."""
        socket = Socket(self, wire, request)
        self._arrived.add(socket)
        return socket

    def find(self, connection_id: str) -> Socket | None:
        """The one that is open."""
        return self._open.get(connection_id)

    def configure(self, routes: SocketRoutes) -> None:
        """Have these APIs. The connections of those that are not there any more end."""
        ended = [socket for socket in self._open.values() if routes.named(socket.api) is None]
        for socket in ended:
            socket.close(GOING_AWAY)
        self.routes = routes

    def status(self) -> dict[str, object]:
        """Of every one that is open, as JSON: times in seconds since the epoch."""
        return {
            name: {
                "api": each.api,
                "connected_at": each.connection.connected_at,
                "last_active": each.last_active,
                "in_flight": each.in_flight,
                "buffered": each.buffered,
            }
            for name, each in self._open.items()
        }

    # What connections tell

    def opened(self, socket: Socket) -> None:
        self._arrived.discard(socket)
        self._open[socket.connection.id] = socket
        if self.closing:
            asyncio.get_running_loop().call_soon(socket.close, GOING_AWAY)

    def left(self, socket: Socket) -> None:
        self._arrived.discard(socket)
        if socket.api:
            self._open.pop(socket.connection.id, None)

    def spawn(self, work: Coroutine[object, object, None]) -> None:
        """Have this done."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self.calls.say("".join(traceback.format_exception(error)))

    # The end

    async def close(self, grace: float) -> None:
        """End every one, and wait `grace` seconds for the functions that are told of it."""
        self.closing = True
        for socket in list(self._open.values()):
            socket.close(GOING_AWAY)
        end = asyncio.get_running_loop().time() + grace
        while self._tasks and (left := end - asyncio.get_running_loop().time()) > 0:
            await asyncio.wait(set(self._tasks), timeout=left)

    async def end(self) -> None:
        """Nothing is left of any of them."""
        self.closing = True
        for socket in [*self._arrived, *self._open.values()]:
            socket.abort()
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
