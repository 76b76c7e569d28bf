"""One HTTP request on its way through a door: in as an event, out as the function's reply. An ASGI application."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable
from typing import NamedTuple

from lambent.dev import identifiers, page, report
from lambent.dev.doors.envelope import BODILESS
from lambent.dev.doors.model import (
    PAYLOAD_LIMIT,
    Arrival,
    Door,
    HTTPReply,
    HTTPRequest,
    RawHeaders,
    Refusal,
    StreamingDoor,
)
from lambent.dev.hosts import Hosts
from lambent.dev.model import Cause, Failed, Invocation, Replied, Result, Streaming
from lambent.dev.service import Service
from lambent.dev.stream import Stream, StreamFailed, read_prelude
from lambent.errors import InvalidMessage
from lambent.types import Message, Receive, Scope, Send

REFUSALS = {Cause.THROTTLED: Refusal.THROTTLED}


class ClientGone(Exception):
    """The client hung up before it had sent its request, or before the function began."""


class Begun(NamedTuple):
    """A response whose body is still to come."""

    start: HTTPReply
    piece: bytes
    """What has come of it with the prelude."""
    stream: Stream


class FrontDoor:
    """Serves every path and method by one function behind one door."""

    def __init__(self, door: Door, service: Service, hosts: Hosts, say: Callable[[str], None]) -> None:
        self._door = door
        self._service = service
        self._hosts = hosts
        self._say = say

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: RawHeaders = list(scope["headers"])
        arrival = arrive(headers)
        reply: HTTPReply | Begun
        try:
            if advice := self._hosts.refusal(headers):
                reply = HTTPReply(403, [(b"content-type", b"text/plain; charset=utf-8")], f"{advice}\n".encode())
            else:
                reply = await self._answer(scope, headers, arrival, receive)
        except ClientGone:
            return
        if isinstance(reply, Begun):
            await self._pass_on(reply, arrival, send)
            return
        for message in messages(reply):
            await send(message)

    async def _answer(self, scope: Scope, headers: RawHeaders, arrival: Arrival, receive: Receive) -> HTTPReply | Begun:
        body = await read_body(headers, receive, self._door.limits.body)
        if body is None:
            return self._door.refuse(Refusal.TOO_LARGE, arrival)
        request = HTTPRequest(
            method=scope["method"],
            raw_path=scope["raw_path"],
            query_string=scope["query_string"],
            headers=headers,
            body=body,
            client=scope["client"] or ("127.0.0.1", 0),
            scheme=scope["scheme"],
            http_version=scope["http_version"],
        )
        event = json.dumps(self._door.event(request, arrival), separators=(",", ":"), ensure_ascii=False).encode()
        if len(event) > PAYLOAD_LIMIT:
            return self._door.refuse(Refusal.TOO_LARGE, arrival)
        invocation = self._service.invoke(arrival.request_id, event, arrival.trace)
        result = await self._result(invocation, receive)
        if isinstance(result, Streaming):
            return await self._begin(request, arrival, result.stream)
        return self._reply(request, arrival, result)

    async def _result(self, invocation: Invocation, receive: Receive) -> Result:
        """Wait for the result; as long as the invocation stands in the queue, for the client to go away as well."""
        if not self._service.waits(invocation):
            return await invocation.result
        gone = asyncio.ensure_future(receive())
        gone.add_done_callback(lambda _: self._service.withdraw(invocation))
        try:
            return await invocation.result
        finally:
            gone.cancel()

    async def _begin(self, request: HTTPRequest, arrival: Arrival, stream: Stream) -> HTTPReply | Begun:
        """Wait for status and headers. What goes wrong before these are sent can still be answered."""
        try:
            prelude, body = await read_prelude(stream)
            if not isinstance(self._door, StreamingDoor):
                raise InvalidMessage("it takes no streamed replies.")
            return Begun(self._door.begin(prelude, arrival), body, stream)
        except StreamFailed as error:
            return self._reply(request, arrival, Failed(Cause.FUNCTION, error.payload))
        except InvalidMessage as error:
            stream.abandon()
            return self._unusable(request, arrival, error)

    async def _pass_on(self, reply: Begun, arrival: Arrival, send: Send) -> None:
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
            self._say(report.cut_off(arrival.request_id, failure))
        finally:
            stream.abandon()

    def _reply(self, request: HTTPRequest, arrival: Arrival, result: Replied | Failed) -> HTTPReply:
        if isinstance(result, Replied):
            try:
                check_size(result.payload, self._door.limits.result)
                return self._door.reply(result.payload, arrival)
            except InvalidMessage as error:
                return self._unusable(request, arrival, error)
        if result.cause is Cause.GONE:
            raise ClientGone
        if result.cause in REFUSALS:
            return self._door.refuse(REFUSALS[result.cause], arrival)
        return self._failure(request, arrival, report.read_failure(result.payload), Refusal.FUNCTION_ERROR)

    def _unusable(self, request: HTTPRequest, arrival: Arrival, error: InvalidMessage) -> HTTPReply:
        self._say(f"RequestId: {arrival.request_id} {self._door.title} cannot use the reply: {error}")
        failure = report.Failure("Unusable reply", str(error), "")
        return self._failure(request, arrival, failure, Refusal.UNUSABLE_REPLY)

    def _failure(self, request: HTTPRequest, arrival: Arrival, failure: report.Failure, reason: Refusal) -> HTTPReply:
        """The door's own answer; for a person at a browser, a page that tells why."""
        refusal = self._door.refuse(reason, arrival)
        if not page.wants_page(request.method, request.headers):
            return refusal
        status, door, request_id = refusal.status, self._door.title, arrival.request_id
        text = page.failure_page(failure, status=status, door=door, request_id=request_id)
        kept = [field for field in refusal.headers if field[0] != b"content-type"]
        return HTTPReply(refusal.status, [*page.SECURITY, *kept], text)


def arrive(headers: RawHeaders) -> Arrival:
    """Note down a request: the one place where the front door looks at the clock and throws dice."""
    received = b";".join(value for name, value in headers if name == b"x-amzn-trace-id").decode("latin-1")
    now = time.time()
    return Arrival(
        request_id=identifiers.request_id(os.urandom),
        gateway_id=identifiers.gateway_id(os.urandom),
        trace=identifiers.trace(received, now, os.urandom),
        now=now,
    )


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
