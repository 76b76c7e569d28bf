"""One client's connection to a WebSocket API, from its handshake to its end.

arrived ──▶ open ──▶ ended        `$connect` is asked before it is open; `$disconnect` told once it has ended,
   └──────────────────▶           if it was open, or its client has gone away while `$connect` was asked
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Coroutine
from enum import Enum
from typing import NamedTuple, Protocol

from lambent.dev.arrivals import arrive
from lambent.dev.doors import websocket_api
from lambent.dev.doors.model import Arrival, HTTPReply, HTTPRequest, Refusal
from lambent.dev.doors.websocket_api import (
    DISCONNECT,
    FAILED,
    FORBIDDEN,
    GOING_AWAY,
    LATE,
    LOST,
    MESSAGE_LIMIT,
    Close,
    Connection,
    WebSocketAPI,
)
from lambent.dev.routes.sockets import API, SocketRoutes, Target
from lambent.dev.sockets.admission import Admission, Admitted
from lambent.dev.sockets.calls import Calls
from lambent.dev.sockets.wire import Wire
from lambent.errors import InvalidMessage

AT_ONCE = 100
"""Messages of one connection whose functions run; further ones are not read until one of these is done."""

OURS = frozenset({1002, 1003, 1007, 1009})
"""Codes of ends that people are told of: these are mistakes, and a client may keep them to itself."""


STOPPING = HTTPReply(503, [(b"content-type", b"text/plain; charset=utf-8")], b"The local Lambda stops.\n")


class Limits(NamedTuple):
    """How long a connection lasts, in seconds."""

    idle: float = websocket_api.IDLE
    life: float = websocket_api.LIFE


class Hall(Protocol):
    """What connections share: see `lambent.dev.sockets.Sockets`."""

    routes: SocketRoutes
    admission: Admission
    calls: Calls
    limits: Limits
    closing: bool

    def opened(self, socket: Socket) -> None: ...
    def left(self, socket: Socket) -> None: ...
    def spawn(self, work: Coroutine[object, object, None]) -> None: ...


class State(Enum):
    ARRIVED = "arrived"
    OPEN = "open"
    ENDED = "ended"


class Socket:
    """Looks after one wire."""

    def __init__(self, hall: Hall, wire: Wire, request: HTTPRequest) -> None:
        self.state = State.ARRIVED
        self.connection: Connection
        """Once it is open."""
        self.api = ""
        self.last_active = time.time()
        self.in_flight = 0
        self._hall = hall
        self._wire = wire
        self._loop = asyncio.get_running_loop()
        self._touched = self._loop.time()
        self._gone: asyncio.Future[None] = self._loop.create_future()
        self._waiting: deque[str] = deque()
        self._timers: list[asyncio.TimerHandle] = []
        hall.spawn(self._greet(request))

    @property
    def buffered(self) -> int:
        return self._wire.buffered

    def send(self, text: bytes) -> bool:
        """False: it is gone, or the client does not read and is dropped."""
        if self.state is not State.OPEN:
            return False
        self._active()
        sent = self._wire.send(text)
        if not sent:
            self._hall.calls.say(f"The WebSocket {self.connection.id} was dropped: its client does not read.")
            self.ended(LOST)
        return sent

    def close(self, close: Close) -> None:
        """End it, if it is open."""
        if self.state is State.OPEN:
            self._wire.close(close)
            self.ended(close)

    def abort(self) -> None:
        """End it without a word to anybody."""
        self._end()
        self._wire.transport.abort()

    # What the wire tells

    def message(self, text: str) -> None:
        """What comes after the end, which the client may not know of yet, is for nobody."""
        if self.state is not State.OPEN:
            return
        self._active()
        self._waiting.append(text)
        self._proceed()

    def touched(self) -> None:
        self._touched = self._loop.time()

    def ended(self, close: Close) -> None:
        was, api = self.state, self._hall.routes.named(self.api)
        self._end()
        if was is State.OPEN:
            if close.code in OURS:
                self._hall.calls.say(f"The WebSocket {self.connection.id} ends: {close.code} {close.reason}.")
            self._hall.spawn(self._take_leave(api, self.connection, close))

    def _end(self) -> None:
        self.state = State.ENDED
        for timer in self._timers:
            timer.cancel()
        if not self._gone.done():
            self._gone.set_result(None)
        self._hall.left(self)

    # The handshake

    async def _greet(self, request: HTTPRequest) -> None:
        arrival = arrive(request.headers)
        if self._hall.closing:
            self._refuse(STOPPING)
            return
        answer = await self._hall.admission.decide(self._hall.routes, request, arrival, self._gone)
        if isinstance(answer, Admitted):
            await self._let_in(answer)
        else:
            self._refuse(answer)

    def _refuse(self, reply: HTTPReply) -> None:
        if self.state is State.ARRIVED:
            self._end()
            self._wire.refuse(reply)

    async def _let_in(self, admitted: Admitted) -> None:
        self.api, self.connection, subprotocol = admitted
        api = self._hall.routes.named(self.api)
        if self.state is State.ENDED:
            await self._take_leave(api, self.connection, LOST)
            return
        self.state = State.OPEN
        self._active()
        limits = self._hall.limits
        self._timers = [
            self._loop.call_later(limits.life, self.close, GOING_AWAY),
            self._loop.call_later(limits.idle, self._look),
        ]
        self._hall.opened(self)
        self._wire.accept(subprotocol)
        if api is None:  # which the configuration does not have any more
            self.close(GOING_AWAY)

    def _active(self) -> None:
        self.last_active = time.time()
        self._touched = self._loop.time()

    def _look(self) -> None:
        """Whether it was idle for long enough; or else when it may have been."""
        left = self._touched + self._hall.limits.idle - self._loop.time()
        if left <= 0:
            self.close(GOING_AWAY)
        else:
            self._timers[1] = self._loop.call_later(left, self._look)

    # Messages

    def _proceed(self) -> None:
        """As on AWS, messages do not wait for each other."""
        while self._waiting and self.in_flight < AT_ONCE:
            self.in_flight += 1
            self._hall.spawn(self._handle(self._waiting.popleft()))
        if self.in_flight < AT_ONCE:
            self._wire.resume()
        else:
            self._wire.pause()

    async def _handle(self, text: str) -> None:
        try:
            api, arrival = self._hall.routes.named(self.api), arrive([])
            key, target = api.select(text) if api else ("", None)
            if api is None or target is None:
                self._complain(FORBIDDEN, arrival)
            else:
                await self._ask(api, target, key, text, arrival)
        finally:
            self.in_flight -= 1
            self._proceed()

    async def _ask(self, api: API, target: Target, key: str, text: str, arrival: Arrival) -> None:
        event = WebSocketAPI(api.site).message(self.connection, arrival, key, text)
        answer = await self._hall.calls.ask(api, target, event, arrival)
        if isinstance(answer, Refusal):
            self._complain(LATE if answer is Refusal.TIMED_OUT else FAILED, arrival)
        elif target.route.response:
            self._respond(answer, arrival)

    def _respond(self, answer: bytes, arrival: Arrival) -> None:
        """The route has a response: the client gets what the function replied."""
        try:
            body = websocket_api.route_response(answer).encode("utf-8", "replace")
            if len(body) > MESSAGE_LIMIT:
                raise InvalidMessage(f"a message has {MESSAGE_LIMIT} bytes at most, but it has {len(body)}.")
        except InvalidMessage as error:
            self._hall.calls.say(f"RequestId: {arrival.request_id} WebSocket API cannot use the reply: {error}")
            self._complain(FAILED, arrival)
        else:
            if body:
                self.send(body)

    def _complain(self, message: str, arrival: Arrival) -> None:
        """Tell the client that its message came to nothing."""
        self.send(websocket_api.error_frame(message, self.connection.id, arrival.gateway_id).encode())

    async def _take_leave(self, api: API | None, connection: Connection, close: Close) -> None:
        """Tell the function of the end, if it wants to know. Nobody waits for what it says."""
        target = api.targets.get(DISCONNECT) if api else None
        if api is not None and target is not None:
            arrival = arrive([])
            event = WebSocketAPI(api.site).disconnect(connection, arrival, close)
            await self._hall.calls.ask(api, target, event, arrival)
