"""One HTTP request on its way through a door: in as an event, out as the function's reply. An ASGI application.

Which function and which door that is, `lambent.dev.routes` says.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import NamedTuple

from lambent.dev import custom, page, report
from lambent.dev.arrivals import arrive
from lambent.dev.buffering import let_go
from lambent.dev.custom import CustomFailed, Rejected
from lambent.dev.doors import DOORS, cors
from lambent.dev.doors.envelope import BODILESS
from lambent.dev.doors.model import (
    PAYLOAD_LIMIT,
    Arrival,
    Door,
    HTTPReply,
    HTTPRequest,
    RawHeaders,
    Refusal,
    Site,
    StreamingDoor,
)
from lambent.dev.guard import Guard, NoGuard
from lambent.dev.hosts import hostname
from lambent.dev.model import (
    Cause,
    Entrance,
    Failed,
    Function,
    Invocation,
    InvokeRequest,
    Replied,
    Result,
    Streaming,
)
from lambent.dev.routes import Found, Routes
from lambent.dev.service import Service
from lambent.dev.stream import Stream, StreamFailed, read_prelude
from lambent.errors import InvalidMessage
from lambent.types import Message, Receive, Scope, Send

HEAD = ("method", "raw_path", "query_string", "http_version")

REFUSALS = {Cause.THROTTLED: Refusal.THROTTLED}


NOT_FOUND = HTTPReply(404, [(b"content-type", b"application/json")], b'{"message":"Not Found"}')
"""Where there is no entrance: as API Gateway answers."""


class ClientGone(Exception):
    """The client hung up before it had sent its request, or before the function began."""


class Begun(NamedTuple):
    """A response whose body is still to come."""

    start: HTTPReply
    piece: bytes
    """What has come of it with the prelude."""
    stream: Stream


class FrontDoor:
    """Serves every path and method on every host, each by the function and behind the door that `routes` find."""

    def __init__(
        self, service: Service, routes: Routes, say: Callable[[str], None], guard: Guard | None = None
    ) -> None:
        self._service = service
        self.routes = routes
        self.guard: Guard = guard or NoGuard()
        self._say = say
        self._doors: dict[tuple[str, str], tuple[Site, Door]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = next(
            (hostname(f"//{value.decode('latin-1')}") for name, value in scope["headers"] if name == b"host"), ""
        )
        arrival = arrive(scope["headers"])
        target = self.routes.find(scope["method"], scope["raw_path"], host)
        if (reply := self._by_itself(scope, target, host, arrival)) is None and isinstance(target, Found):
            door = self._door(target.entrance, target.function)
            visit = Visit(target, door, arrival, self._service, self._say)
            try:
                answer = await visit.answer(scope, receive, self.guard)
            except ClientGone:
                return
            if isinstance(answer, Begun):
                await visit.pass_on(answer, send)
                return
            reply = answer
        for message in messages(reply or NOT_FOUND):
            await send(message)

    def _by_itself(
        self, scope: Scope, target: Found | Entrance | None, host: str, arrival: Arrival
    ) -> HTTPReply | None:
        """What an entrance answers before it asks anyone: to preflights, and where it has no route."""
        origin, method = cors.asked(scope["headers"])
        if scope["method"] == "OPTIONS":
            preflight = self._preflight(scope, target, host, origin, method)
            if preflight is not None:
                entrance, reply = preflight
                return self._door(entrance, None).stamped(reply, arrival)
        if isinstance(target, Entrance):
            reply = self._door(target, None).refuse(Refusal.NO_ROUTE, arrival)
            return cors.applied(target.kind, target.cors, origin, reply)
        return None

    def _preflight(
        self, scope: Scope, target: Found | Entrance | None, host: str, origin: str, method: str
    ) -> tuple[Entrance, HTTPReply] | None:
        """The entrance is the one that the request would come to of which this one asks."""
        asked = self.routes.find(method, scope["raw_path"], host) if method else target
        entrance = asked.entrance if isinstance(asked, Found) else asked
        if entrance is None or entrance.cors is None or entrance.kind not in cors.KINDS:
            return None
        if entrance.kind == "rest":
            methods = self.routes.methods(entrance, scope["raw_path"], host)
            there = bool(methods) and "OPTIONS" not in methods
            return (entrance, cors.mock(entrance.cors, origin, methods)) if there else None
        return (entrance, cors.preflight(entrance.kind, entrance.cors, origin)) if origin and method else None

    def _door(self, entrance: Entrance, function: Function | None) -> Door:
        """Built once, unless what stands behind it is somewhere else now."""
        name = function.name if function else entrance.name
        api = "" if entrance.name in (entrance.kind, name) or entrance.kind.startswith("alb") else entrance.name
        site = Site(name, function.region, function.account, api) if function else Site(name)
        known = self._doors.get((entrance.kind, name))
        if known is None or known[0] != site:
            known = self._doors[entrance.kind, name] = site, DOORS[entrance.kind](site)
        return known[1]


class Visit:
    """One request to one function."""

    def __init__(
        self, found: Found, door: Door, arrival: Arrival, service: Service, say: Callable[[str], None]
    ) -> None:
        self._entrance = found.entrance
        self._route = found.route
        self._matched = found.matched
        self._function = found.function
        self._door = door
        self._arrival = arrival
        self._service = service
        self._say = say
        self._origin = ""

    async def answer(self, scope: Scope, receive: Receive, guard: Guard) -> HTTPReply | Begun:
        """Invoke the function, if the guard lets the request pass. Raises ClientGone."""
        self._origin, _ = cors.asked(scope["headers"])
        answer = await self._answer(scope, receive, guard)
        if isinstance(answer, Begun):
            return answer._replace(start=self._exposed(answer.start))
        return self._exposed(answer)

    async def _answer(self, scope: Scope, receive: Receive, guard: Guard) -> HTTPReply | Begun:
        headers: RawHeaders = list(scope["headers"])
        method, path, query, version = (scope[name] for name in HEAD)
        if refusal := self._door.limits.refusal(method, path, query, headers, version):
            return self._door.refuse(refusal, self._arrival)
        body = await read_body(headers, receive, self._door.limits.body)
        if body is None:
            return self._door.refuse(Refusal.TOO_LARGE, self._arrival)
        request = HTTPRequest(
            method=method,
            raw_path=path,
            query_string=query,
            headers=headers,
            body=body,
            client=scope["client"] or ("127.0.0.1", 0),
            scheme=scope["scheme"],
            http_version=version,
        )
        leave = await guard.check(self._route, self._entrance, request, self._matched, self._arrival, self._door)
        if isinstance(leave, HTTPReply):
            return self._door.stamped(leave, self._arrival)
        self._matched = self._matched._replace(authorizer=leave.authorizer, identity=leave.identity)
        return await self._invoke(request, receive)

    async def _invoke(self, request: HTTPRequest, receive: Receive) -> HTTPReply | Begun:
        try:
            invoke = await self._invoke_request(request)
        except Rejected as error:
            return HTTPReply(400, [(b"content-type", b"text/plain; charset=utf-8")], f"{error}\n".encode())
        except CustomFailed as error:
            self._say(str(error))
            return self._failure(request, error.failure, Refusal.FUNCTION_ERROR)
        if len(invoke.payload) > PAYLOAD_LIMIT:
            return self._door.refuse(Refusal.TOO_LARGE, self._arrival)
        invocation = self._service.invoke(self._function.name, invoke)
        result = await self._result(invocation, receive)
        if result is None:
            return self._door.refuse(Refusal.TIMED_OUT, self._arrival)
        if isinstance(result, Streaming):
            return await self._begin(request, result.stream)
        return self._reply(request, result)

    def _exposed(self, reply: HTTPReply) -> HTTPReply:
        """With the entrance's own CORS headers."""
        return cors.applied(self._entrance.kind, self._entrance.cors, self._origin, reply)

    async def _invoke_request(self, request: HTTPRequest) -> InvokeRequest:
        """The event and what goes with it, made by the door or by the functions that are configured for that.

        Raises Rejected and CustomFailed.
        """
        if self._function.make_event is None:
            event = self._door.event(request, self._arrival, self._matched)
            payload = json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()
        else:
            payload = await custom.event(request, self._function)
        invoke = InvokeRequest(self._arrival.request_id, payload, self._arrival.trace)
        return await custom.with_context(invoke, request, self._function)

    async def _result(self, invocation: Invocation, receive: Receive) -> Result | None:
        """Wait for the result; as long as the invocation stands in the queue, for the client to go away as well."""
        if not self._service.waits(invocation):
            return await self._in_time(invocation)

        def left(gone: asyncio.Future[Message]) -> None:
            if not gone.cancelled():
                self._service.withdraw(invocation)

        gone = asyncio.ensure_future(receive())
        gone.add_done_callback(left)
        try:
            return await self._in_time(invocation)
        finally:
            gone.cancel()

    async def _in_time(self, invocation: Invocation) -> Result | None:
        """Wait for the result as long as the door does; None if that was not long enough: the function runs on.

        The time of a function that somebody debugs does not count.
        """
        seconds = self._entrance.timeout or self._door.limits.seconds
        if seconds is None or self._function.debug:
            return await invocation.result
        await asyncio.wait({invocation.result}, timeout=seconds)
        if invocation.result.done() or invocation.held:
            return await invocation.result
        invocation.result.add_done_callback(let_go)
        late = f"{self._function.name} has not replied within the {seconds:g} s that {self._door.title} waits"
        self._say(f"RequestId: {self._arrival.request_id} {late}; it runs on.")
        return None

    async def _begin(self, request: HTTPRequest, stream: Stream) -> HTTPReply | Begun:
        """Wait for status and headers. What goes wrong before these are sent can still be answered."""
        try:
            prelude, body = await read_prelude(stream)
            if not isinstance(self._door, StreamingDoor):
                raise InvalidMessage("it takes no streamed replies.")
            return Begun(self._door.begin(prelude, self._arrival), body, stream)
        except StreamFailed as error:
            return self._reply(request, Failed(Cause.FUNCTION, error.payload))
        except InvalidMessage as error:
            stream.abandon()
            return self._unusable(request, error)

    async def pass_on(self, reply: Begun, send: Send) -> None:
        """Send what comes, as fast as the client takes it. A reply that breaks off leaves the response incomplete."""
        start, piece, stream = reply
        bodiless = start.status in BODILESS
        try:
            await send({"type": "http.response.start", "status": start.status, "headers": start.headers})
            while True:
                if piece and not bodiless:
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                piece = await stream.read()
                if not piece:
                    break
            await send({"type": "http.response.body", "body": b""})
        except StreamFailed as error:
            failure = report.read_failure(error.payload)
            self._say(report.cut_off(self._arrival.request_id, failure))
        finally:
            stream.abandon()

    def _reply(self, request: HTTPRequest, result: Replied | Failed) -> HTTPReply:
        if isinstance(result, Replied):
            try:
                check_size(result.payload, self._door.limits.result)
                return self._door.reply(result.payload, self._arrival)
            except InvalidMessage as error:
                return self._unusable(request, error)
        if result.cause is Cause.GONE:
            raise ClientGone
        if result.cause in REFUSALS:
            return self._door.refuse(REFUSALS[result.cause], self._arrival)
        return self._failure(request, report.read_failure(result.payload), Refusal.FUNCTION_ERROR)

    def _unusable(self, request: HTTPRequest, error: InvalidMessage) -> HTTPReply:
        self._say(f"RequestId: {self._arrival.request_id} {self._door.title} cannot use the reply: {error}")
        failure = report.Failure("Unusable reply", str(error), "")
        return self._failure(request, failure, Refusal.UNUSABLE_REPLY)

    def _failure(self, request: HTTPRequest, failure: report.Failure, reason: Refusal) -> HTTPReply:
        """The door's own answer; for a person at a browser, a page that tells why."""
        refusal = self._door.refuse(reason, self._arrival)
        if not page.wants_page(request.method, request.headers):
            return refusal
        status, door, request_id = refusal.status, self._door.title, self._arrival.request_id
        text = page.failure_page(failure, status=status, door=door, request_id=request_id)
        kept = [field for field in refusal.headers if field[0] != b"content-type"]
        return HTTPReply(refusal.status, [*page.SECURITY, *kept], text)


def check_size(payload: bytes, limit: int) -> None:
    """`InvalidMessage` for a result that is larger than the door takes; Lambda's own limit is the environment's."""
    if len(payload) > limit:
        excess = len(payload) - limit
        raise InvalidMessage(f"the limit is {limit} bytes as JSON, but it has {len(payload)}, {excess} too many.")


async def read_body(headers: RawHeaders, receive: Receive, limit: int) -> bytes | None:
    """The whole body; None if it is larger than the door takes, of which no more than that is ever held."""
    declared = [value for name, value in headers if name == b"content-length"]
    if any(value.isdigit() and int(value) > limit for value in declared):
        return None
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        body += message.get("body", b"")
        if len(body) > limit:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def messages(reply: HTTPReply) -> list[Message]:
    """The reply as ASGI says it."""
    length = [] if reply.status in (204, 304) else [(b"content-length", str(len(reply.body)).encode())]
    return [
        {"type": "http.response.start", "status": reply.status, "headers": [*reply.headers, *length]},
        {"type": "http.response.body", "body": reply.body},
    ]
