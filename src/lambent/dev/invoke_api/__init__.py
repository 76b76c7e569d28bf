"""The Lambda API, so far as it invokes functions and describes them: what boto3 and the AWS CLI call. ASGI.

Signatures are not looked at. Source: botocore's service model of Lambda; docs.aws.amazon.com/lambda, "Invoke".
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple, Protocol
from urllib.parse import parse_qs, unquote

from lambent.dev import custom, report
from lambent.dev.arrivals import arrive
from lambent.dev.asynchronous import Asynchronously
from lambent.dev.buffering import whole
from lambent.dev.doors.model import Arrival, HTTPReply, RawHeaders
from lambent.dev.front_door import ClientGone, messages, read_body
from lambent.dev.invoke_api import api_errors, event_stream, function_configuration, function_names
from lambent.dev.invoke_api.api_errors import APIError
from lambent.dev.invoke_api.function_names import Named
from lambent.dev.invoke_api.invoke_requests import DRY_RUN, EVENT, REQUEST_RESPONSE, Order, read
from lambent.dev.model import (
    SYNCHRONOUS_LIMIT,
    Cause,
    Failed,
    Function,
    Invocation,
    InvokeRequest,
    Result,
    Streaming,
)
from lambent.dev.stream import Stream, StreamFailed
from lambent.errors import UnknownFunction
from lambent.types import Message, Receive, Scope, Send

COLLECTIONS = (
    "account-settings",
    "capacity-providers",
    "code-signing-configs",
    "durable-execution-callbacks",
    "durable-executions",
    "event-source-mappings",
    "functions",
    "layers",
    "resource-policy",
)
"""What stands after the date in the API's paths, whatever the date is: there is a new one every year."""
OWN = re.compile(r"/(?:2015-03-31|2019-09-30|2021-11-15)/functions(?:/.*)?", re.DOTALL)
API = re.compile(rf"/(?:\d{{4}}-\d\d-\d\d/(?:{'|'.join(COLLECTIONS)})|2017-03-31/tags)(?:/.*)?", re.DOTALL | re.ASCII)
SIGNED = re.compile(rb"AWS4-HMAC-SHA256 .*/lambda/aws4_request\b", re.DOTALL)
"""What the clients of AWS say in Authorization."""
FUNCTION = re.compile(r"/(?P<version>[0-9-]{10})/functions(?:/(?P<name>[^/]+)(?:/(?P<aspect>[a-z-]+))?)?/?")

UNHANDLED = "Unhandled"
"""What AWS calls every error of a function, since its runtimes are programs of their own."""


class Service(Protocol):
    """Whoever has the functions: see `lambent.dev.service.Service`."""

    @property
    def functions(self) -> Mapping[str, Function]: ...
    def invoke(self, name: str, request: InvokeRequest) -> Invocation: ...
    def waits(self, invocation: Invocation) -> bool: ...
    def withdraw(self, invocation: Invocation) -> None: ...


class Call(NamedTuple):
    """A request, read as far as its operation's own part."""

    name: str
    """Of the function, in any form; empty where the operation is on all."""
    query: Mapping[str, str]
    headers: RawHeaders
    arrival: Arrival
    receive: Receive


class Streamed(NamedTuple):
    """A reply whose body comes as frames."""

    headers: RawHeaders
    stream: Stream
    log: asyncio.Future[bytes] | None
    """The end of the log, if it is asked for."""


class InvokeAPI:
    """Answers the requests whose path it owns."""

    def __init__(self, service: Service, asynchronously: Asynchronously) -> None:
        self._service = service
        self._asynchronously = asynchronously
        self._operations: dict[tuple[str, str, str], tuple[str, Callable[[Call], Awaitable[HTTPReply | Streamed]]]] = {
            ("GET", "2015-03-31", "*"): ("ListFunctions", self._list),
            ("GET", "2015-03-31", ""): ("GetFunction", self._describe),
            ("GET", "2015-03-31", "configuration"): ("GetFunctionConfiguration", self._configuration),
            ("GET", "2019-09-30", "concurrency"): ("GetFunctionConcurrency", self._concurrency),
            ("POST", "2015-03-31", "invocations"): ("Invoke", self._invoke),
            ("POST", "2021-11-15", "response-streaming-invocations"): ("InvokeWithResponseStream", self._stream),
        }

    @staticmethod
    def owns(path: str, headers: RawHeaders) -> bool:
        """Whether it is a request to the Lambda API.

        Of operations that are not here only if a client of AWS has signed it: an application may have dates in paths.
        """
        if OWN.fullmatch(path):
            return True
        signed = any(name == b"authorization" and SIGNED.match(value) for name, value in headers)
        return signed and API.fullmatch(path) is not None

    def status(self) -> dict[str, object]:
        """Of what nobody waits for, as JSON."""
        return {"asynchronous": self._asynchronously.status()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: RawHeaders = list(scope["headers"])
        arrival = arrive(headers)
        try:
            reply = await self._answer(scope, headers, arrival, receive)
        except ClientGone:
            return
        except APIError as error:
            reply = error.reply(identity(arrival))
        if isinstance(reply, Streamed):
            await pass_on(reply, send)
            return
        for message in messages(reply):
            await send(message)

    async def _answer(
        self, scope: Scope, headers: RawHeaders, arrival: Arrival, receive: Receive
    ) -> HTTPReply | Streamed:
        method, path = scope["method"], scope["raw_path"].decode("latin-1")
        match = FUNCTION.fullmatch(path)
        aspect = (match["aspect"] or ("" if match["name"] else "*")) if match else ""
        operation = self._operations.get((method, match["version"], aspect)) if match else None
        if match is None or operation is None:
            raise api_errors.unknown_operation(method, path, [name for name, _ in self._operations.values()])
        query = {name: values[-1] for name, values in parse_qs(scope["query_string"].decode("latin-1")).items()}
        return await operation[1](Call(unquote(match["name"] or ""), query, headers, arrival, receive))

    # Descriptions

    async def _list(self, call: Call) -> HTTPReply:
        page = function_configuration.page(
            self._service.functions, call.query.get("Marker", ""), call.query.get("MaxItems", "")
        )
        return document(page, call.arrival)

    async def _describe(self, call: Call) -> HTTPReply:
        return document(function_configuration.description(self._find(call).function), call.arrival)

    async def _configuration(self, call: Call) -> HTTPReply:
        return document(function_configuration.configuration(self._find(call).function), call.arrival)

    async def _concurrency(self, call: Call) -> HTTPReply:
        return document(function_configuration.concurrency(self._find(call).function), call.arrival)

    def _find(self, call: Call) -> Named:
        return function_names.find(call.name, call.query.get("Qualifier", ""), self._service.functions)

    # Invocations

    async def _invoke(self, call: Call) -> HTTPReply:
        named, order = await self._order(call, (EVENT, REQUEST_RESPONSE, DRY_RUN))
        headers = [*identity(call.arrival), (b"x-amzn-trace-id", order.request.trace.encode())]
        if order.kind == DRY_RUN:
            return HTTPReply(204, headers, b"")
        if order.kind == EVENT:
            if not self._asynchronously.take(named.function, order.request):
                raise api_errors.throttled("CallerRateLimitExceeded", "The queue of asynchronous invocations is full.")
            return HTTPReply(202, headers, b"")
        invocation, outcome = await self._result(named, order, call.receive)
        result = await whole(outcome)
        if isinstance(result, Failed):
            headers.append((b"x-amz-function-error", UNHANDLED.encode()))
        headers += [(b"x-amz-executed-version", named.function.version.encode()), api_errors.JSON]
        if order.tail:
            headers.append((b"x-amz-log-result", base64.b64encode(await invocation.ended)))
        return HTTPReply(200, headers, result.payload)

    async def _stream(self, call: Call) -> HTTPReply | Streamed:
        named, order = await self._order(call, (REQUEST_RESPONSE, DRY_RUN))
        headers = [*identity(call.arrival), (b"x-amzn-trace-id", order.request.trace.encode())]
        if order.kind == DRY_RUN:
            return HTTPReply(204, headers, b"")
        invocation, result = await self._result(named, order, call.receive)
        headers += [
            (b"x-amz-executed-version", named.function.version.encode()),
            (b"content-type", event_stream.CONTENT_TYPE.encode()),
        ]
        stream = result.stream if isinstance(result, Streaming) else in_one_piece(result)
        return Streamed(headers, stream, invocation.ended if order.tail else None)

    async def _order(self, call: Call, kinds: tuple[str, ...]) -> tuple[Named, Order]:
        named = self._find(call)
        body = await read_body(call.headers, call.receive, SYNCHRONOUS_LIMIT)
        if body is None:
            raise api_errors.too_large()
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in call.headers}
        order = read(named, headers, body, call.arrival, kinds)
        try:
            return named, order._replace(request=await custom.with_context(order.request, None, named.function))
        except custom.Rejected as error:
            raise api_errors.unreadable(str(error)) from error
        except custom.CustomFailed as error:
            raise api_errors.failed(str(error)) from error

    async def _result(self, named: Named, order: Order, receive: Receive) -> tuple[Invocation, Result]:
        """Raises ClientGone."""
        try:
            invocation = self._service.invoke(named.function.name, order.request)
        except UnknownFunction:  # it was there when the request began
            raise api_errors.not_found(named.arn, function_names.names(self._service.functions)) from None
        result = await self._wait(invocation, receive)
        if isinstance(result, Failed) and result.cause is Cause.GONE:
            raise ClientGone
        if isinstance(result, Failed) and result.cause is Cause.THROTTLED:
            reserved = named.function.reserved_concurrency is not None
            raise api_errors.throttled(f"{'ReservedFunction' if reserved else ''}ConcurrentInvocationLimitExceeded")
        return invocation, result

    async def _wait(self, invocation: Invocation, receive: Receive) -> Result:
        """For the result; as long as the invocation stands in the queue, for the client to go away as well."""
        if not self._service.waits(invocation):
            return await invocation.result

        def left(gone: asyncio.Future[Message]) -> None:
            if not gone.cancelled():
                self._service.withdraw(invocation)

        gone = asyncio.ensure_future(receive())
        gone.add_done_callback(left)
        try:
            return await invocation.result
        finally:
            gone.cancel()


def identity(arrival: Arrival) -> RawHeaders:
    return [(b"x-amzn-requestid", arrival.request_id.encode())]


def document(value: object, arrival: Arrival) -> HTTPReply:
    return HTTPReply(200, [api_errors.JSON, *identity(arrival)], json.dumps(value).encode())


def in_one_piece(result: Result) -> Stream:
    """A reply that was not streamed, as a stream."""
    stream = Stream("", lambda _: None)
    if isinstance(result, Failed):
        stream.end(result.payload)
    elif not isinstance(result, Streaming):
        stream.feed(result.payload)
        stream.end()
    return stream


async def pass_on(reply: Streamed, send: Send) -> None:
    """Send what comes as frames, as fast as the client takes it, and how it ended."""
    error_code = error_details = ""
    try:
        await send({"type": "http.response.start", "status": 200, "headers": reply.headers})
        while piece := await reply.stream.read():
            frame = event_stream.payload_chunk(piece)
            await send({"type": "http.response.body", "body": frame, "more_body": True})
    except StreamFailed as error:
        error_code = report.read_failure(error.payload).error_type or UNHANDLED
        error_details = error.payload.decode("utf-8", "replace")
    finally:
        reply.stream.abandon()
    log = base64.b64encode(await reply.log).decode("ascii") if reply.log is not None else ""
    await send({"type": "http.response.body", "body": event_stream.invoke_complete(error_code, error_details, log)})
