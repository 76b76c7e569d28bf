"""The Lambda API, asked as ASGI asks it, and its answers as botocore reads them."""

import asyncio
import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import botocore.session
import pytest
from botocore.awsrequest import HeadersDict
from botocore.eventstream import EventStreamBuffer
from botocore.parsers import create_parser

from lambent.dev.asynchronous import Asynchronously
from lambent.dev.doors.model import HTTPRequest
from lambent.dev.invoke_api import InvokeAPI
from lambent.dev.invoke_api.event_stream import CONTENT_TYPE
from lambent.dev.model import Asynchronous, Cause, Failed, Function, Replied, Result, Streaming
from lambent.dev.stream import HIGH_WATER, HTTP_INTEGRATION, Stream
from lambent.types import Message, Scope
from tests.dev.instant import BOOM, LOG, THROTTLED, Instant, replied, settle

MODEL = botocore.session.get_session().get_service_model("lambda")
INVOKE = "/2015-03-31/functions/f/invocations"
STREAM = "/2021-11-15/functions/f/response-streaming-invocations"
F = Function("f", "app.handler")


class Client:
    """One client and all that it was sent."""

    def __init__(self, service: Instant | None = None) -> None:
        self.service = service or Instant((F,), *replied(b'{"ok": 1}'))
        self.said: list[str] = []
        self.sent: list[Message] = []
        self.gone = asyncio.Event()

    async def ask(
        self, path: str = INVOKE, *, method: str = "POST", pieces: tuple[bytes, ...] = (b"{}",), **headers: str
    ) -> None:
        path, _, query = path.partition("?")
        scope: Scope = {
            "type": "http",
            "method": method,
            "raw_path": path.encode(),
            "path": path,
            "query_string": query.encode(),
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        }
        messages = [
            {"type": "http.request", "body": piece, "more_body": number < len(pieces)}
            for number, piece in enumerate(pieces, 1)
        ]

        async def receive() -> Message:
            if messages:
                return messages.pop(0)
            await self.gone.wait()
            return {"type": "http.disconnect"}

        queue = Asynchronously(self.service, self.said.append)
        await InvokeAPI(self.service, queue)(scope, receive, self.send)
        await settle()
        await queue.close()

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode().lower(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])

    def read(self, operation: str) -> dict[str, Any]:
        """The answer as botocore has it."""
        response = {"status_code": self.status, "headers": HeadersDict(self.headers), "body": self.body}
        read: dict[str, Any] = create_parser("rest-json").parse(response, MODEL.operation_model(operation).output_shape)
        return read

    def frames(self) -> list[tuple[str, bytes]]:
        buffer = EventStreamBuffer()
        buffer.add_data(self.body)
        return [(message.headers[":event-type"], message.payload) for message in buffer]


def asked(path: str = INVOKE, *answers: Result, functions: tuple[Function, ...] = (F,), **how: Any) -> Client:
    async def run() -> Client:
        client = Client(Instant(functions, *(answers or replied(b'{"ok": 1}'))))
        await client.ask(path, **how)
        return client

    return asyncio.run(run())


def complete(client: Client) -> dict[str, str]:
    """What the last frame says."""
    *_, (kind, payload) = client.frames()
    assert kind == "InvokeComplete"
    told: dict[str, str] = json.loads(payload)
    return told


# Invoke


def test_a_result_comes_byte_for_byte() -> None:
    client = asked(INVOKE, Replied(b'{"a" :1.0}'), pieces=(b'{"n"', b": 1}"))
    assert (client.status, client.body) == (200, b'{"a" :1.0}')
    (request,) = client.service.requests
    assert request.payload == b'{"n": 1}'
    assert client.headers == {
        "x-amzn-requestid": request.request_id,
        "x-amzn-trace-id": request.trace,
        "x-amz-executed-version": "$LATEST",
        "content-type": "application/json",
        "content-length": "10",
    }
    read = client.read("Invoke")
    assert (read["ExecutedVersion"], "FunctionError" in read, "LogResult" in read) == ("$LATEST", False, False)


def test_an_error_is_an_answer_with_a_mark() -> None:
    client = asked(INVOKE, BOOM)
    assert (client.status, client.body) == (200, BOOM.payload)
    assert client.read("Invoke")["FunctionError"] == "Unhandled"


def test_the_end_of_the_log_comes_where_it_is_wanted() -> None:
    for answer in (Replied(b"1"), BOOM):
        client = asked(INVOKE, answer, x_amz_log_type="Tail")
        assert base64.b64decode(client.headers["x-amz-log-result"]) == LOG


def test_the_log_is_waited_for() -> None:
    async def run() -> None:
        client = Client(Instant())
        asking = asyncio.create_task(client.ask(x_amz_log_type="Tail"))
        await settle()
        (invocation,) = client.service.queue
        invocation.resolve(Replied(b"1"))
        await settle()
        assert client.sent == []
        invocation.end(b"all of it")
        await asking
        assert base64.b64decode(client.headers["x-amz-log-result"]) == b"all of it"

    asyncio.run(run())


def test_what_an_invoker_brings_arrives() -> None:
    root = "Root=1-5759e988-bd862e3fe1be46a994272793"
    context = base64.b64encode(b'{"custom": {"a": 1}}').decode()
    client = asked(
        "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Af/invocations?Qualifier=%24LATEST",
        x_amz_client_context=context,
        x_amz_tenant_id="blue",
        x_amzn_trace_id=f"{root};Parent=53995c3f42cd8ad8;Sampled=1",
    )
    (request,) = client.service.requests
    assert (request.client_context, request.tenant_id) == ('{"custom":{"a":1}}', "blue")
    assert request.arn == "arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST"
    assert request.trace.startswith(f"{root};Parent=")
    assert client.headers["x-amzn-trace-id"] == request.trace


def test_a_streamed_reply_comes_whole() -> None:
    async def run() -> Client:
        stream = Stream(HTTP_INTEGRATION, lambda _: None)
        stream.feed(b"{}" + bytes(8))
        stream.feed(b"hello")
        stream.end()
        client = Client(Instant((F,), Streaming(stream)))
        await client.ask()
        return client

    assert asyncio.run(run()).body == b"{}" + bytes(8) + b"hello"


def test_a_dry_run_runs_nothing() -> None:
    for path in (INVOKE, STREAM):
        client = asked(path, x_amz_invocation_type="DryRun")
        assert (client.status, client.body, client.service.taken) == (204, b"", [])


def test_an_event_is_taken_and_answered_at_once() -> None:
    client = asked(x_amz_invocation_type="Event", pieces=(b'{"a": 1}',))
    assert (client.status, client.body) == (202, b"")
    (request,) = client.service.requests
    assert request.payload == b'{"a": 1}'
    assert client.headers["x-amzn-requestid"] == request.request_id
    assert client.headers["content-length"] == "0"


def test_events_have_a_limit_of_size() -> None:
    body = b'"' + b"a" * (1 << 20) + b'"'
    client = asked(x_amz_invocation_type="Event", pieces=(body,))
    assert (client.status, client.read("Invoke")["Error"]["Code"]) == (413, "RequestEntityTooLargeException")
    assert asked(pieces=(body,)).status == 200


def test_a_full_queue_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lambent.dev.asynchronous.LIMIT", 0)
    client = asked(x_amz_invocation_type="Event")
    assert (client.status, json.loads(client.body)["Reason"]) == (429, "CallerRateLimitExceeded")


# Refusals


@pytest.mark.parametrize(
    ("path", "how", "status", "code", "words"),
    [
        ("/2015-03-31/functions/g/invocations", {}, 404, "ResourceNotFoundException", ":function:g:$LATEST. The local"),
        (f"{INVOKE}?Qualifier=prod", {}, 404, "ResourceNotFoundException", ":function:f:prod. The local"),
        (INVOKE, {"pieces": (b"{",)}, 400, "InvalidRequestContentException", "Could not parse request body"),
        (INVOKE, {"x_amz_invocation_type": "?"}, 400, "ValidationException", "[Event, RequestResponse, DryRun]"),
        (STREAM, {"x_amz_invocation_type": "Event"}, 400, "ValidationException", "[RequestResponse, DryRun]"),
        (INVOKE, {"pieces": (b"1" * 4_000_000,) * 2}, 413, "RequestEntityTooLargeException", "smaller than 6291456"),
        (INVOKE, {"content_length": "6291457"}, 413, "RequestEntityTooLargeException", "smaller than 6291456"),
        (INVOKE, {"method": "GET"}, 404, "UnknownOperationException", f"GET {INVOKE} is no operation"),
        ("/2015-03-31/functions", {}, 404, "UnknownOperationException", "ListFunctions, GetFunction"),
        ("/2021-11-15/functions/f/invocations", {}, 404, "UnknownOperationException", "InvokeWithResponseStream."),
        ("/2015-03-31/functions/f/policy/x", {"method": "GET"}, 404, "UnknownOperationException", "its configuration"),
    ],
)
def test_a_refusal_tells_why(path: str, how: Mapping[str, Any], status: int, code: str, words: str) -> None:
    client = asked(path, **how)
    error = client.read("Invoke")["Error"]
    assert (client.status, error["Code"]) == (status, code)
    assert words in error["Message"]
    assert client.headers["x-amzn-requestid"]
    assert client.service.taken == []


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (F, "ConcurrentInvocationLimitExceeded"),
        (Function("f", "app", reserved_concurrency=1), "ReservedFunctionConcurrentInvocationLimitExceeded"),
    ],
)
@pytest.mark.parametrize("path", [INVOKE, STREAM])
def test_what_is_throttled_is_told_so(path: str, function: Function, reason: str) -> None:
    client = asked(path, THROTTLED, functions=(function,))
    assert (client.status, client.read("Invoke")["Error"]["Code"]) == (429, "TooManyRequestsException")
    assert json.loads(client.body) == {"Reason": reason, "Type": "User", "message": "Rate Exceeded."}


def test_a_function_that_has_just_gone_is_not_found() -> None:
    class Leaving(Instant):
        def invoke(self, name: str, request: Any) -> Any:
            self.functions = {}
            return super().invoke(name, request)

    async def run() -> Client:
        client = Client(Leaving())
        await client.ask()
        return client

    assert asyncio.run(run()).read("Invoke")["Error"]["Code"] == "ResourceNotFoundException"


# Clients that go away


def test_an_invocation_that_nobody_waits_for_any_more_is_withdrawn() -> None:
    async def run() -> None:
        client = Client(Instant())
        asking = asyncio.create_task(client.ask())
        await settle()
        client.gone.set()
        await asking
        assert client.service.queue == []
        assert client.sent == []

    asyncio.run(run())


def test_a_client_that_is_gone_before_its_request_is_here_is_let_go() -> None:
    async def run() -> None:
        client = Client()
        client.gone.set()
        await client.ask(pieces=())
        assert client.sent == []
        assert client.service.taken == []

    asyncio.run(run())


# InvokeWithResponseStream


def streamed(feed: Callable[[Stream], None]) -> Client:
    async def run() -> Client:
        stream = Stream(HTTP_INTEGRATION, lambda _: None)
        feed(stream)
        client = Client(Instant((F,), Streaming(stream)))
        await client.ask(STREAM)
        return client

    return asyncio.run(run())


def test_pieces_come_as_frames() -> None:
    def feed(stream: Stream) -> None:
        stream.feed(b"{}" + bytes(8))
        stream.feed(b"\xff")
        stream.end()

    client = streamed(feed)
    assert client.status == 200
    assert client.headers["content-type"] == CONTENT_TYPE
    assert client.headers["x-amz-executed-version"] == "$LATEST"
    assert client.headers["x-amzn-requestid"] == client.service.requests[0].request_id
    assert client.frames() == [
        ("PayloadChunk", b"{}" + bytes(8)),
        ("PayloadChunk", b"\xff"),
        ("InvokeComplete", b"{}"),
    ]
    assert [message.get("more_body", False) for message in client.sent[1:]] == [True, True, False]


def test_a_reply_that_is_not_streamed_is_one_chunk() -> None:
    assert asked(STREAM, Replied(b"null")).frames() == [("PayloadChunk", b"null"), ("InvokeComplete", b"{}")]
    assert asked(STREAM, Replied(b"")).frames() == [("InvokeComplete", b"{}")]


@pytest.mark.parametrize(
    ("payload", "code"),
    [(BOOM.payload, "ValueError"), (b"no json", "Unhandled"), (b'{"errorMessage": "m"}', "Unhandled")],
)
def test_an_error_ends_the_stream(payload: bytes, code: str) -> None:
    def feed(stream: Stream) -> None:
        stream.feed(b"a")
        stream.end(payload)

    assert complete(streamed(feed)) == {"ErrorCode": code, "ErrorDetails": payload.decode()}
    whole = asked(STREAM, Failed(Cause.FUNCTION, payload))
    assert whole.status == 200
    assert whole.frames()[:-1] == []
    assert complete(whole)["ErrorCode"] == code


def test_the_last_frame_brings_the_log() -> None:
    client = asked(STREAM, x_amz_log_type="Tail")
    assert base64.b64decode(complete(client)["LogResult"]) == LOG


def test_a_slow_client_slows_the_function_down() -> None:
    async def run() -> None:
        throttled: list[bool] = []
        stream = Stream("", throttled.append)
        client = Client(Instant((F,), Streaming(stream)))
        taken = asyncio.Semaphore(0)

        async def send(message: Message) -> None:
            await taken.acquire()
            client.sent.append(message)

        client.send = send  # type: ignore[method-assign]  # a client that takes one message at a time
        asking = asyncio.create_task(client.ask(STREAM))
        await settle()
        for _ in range(3):
            stream.feed(b"a" * HIGH_WATER)
        assert throttled == [True]
        taken.release()
        await settle()
        assert throttled == [True]
        for _ in range(4):
            taken.release()
        stream.end()
        await asking
        assert throttled == [True, False]
        assert len(client.frames()) == 4

    asyncio.run(run())


def test_a_stream_whose_client_is_gone_is_abandoned() -> None:
    async def run() -> None:
        stream = Stream("", lambda _: None)
        stream.feed(b"a")
        client = Client(Instant((F,), Streaming(stream)))

        async def send(message: Message) -> None:
            raise BrokenPipeError

        client.send = send  # type: ignore[method-assign]  # a server that tells by raising
        with pytest.raises(BrokenPipeError):
            await client.ask(STREAM)
        assert stream.feed(b"b" * HIGH_WATER * 2)
        assert stream._waiting == 0

    asyncio.run(run())


# Descriptions


def test_functions_are_described() -> None:
    functions = tuple(Function(name, "app.handler", reserved_concurrency=2) for name in ("f", "g"))
    how: dict[str, Any] = {"method": "GET", "functions": functions}
    listed = asked("/2015-03-31/functions?MaxItems=1", **how).read("ListFunctions")
    assert [each["FunctionName"] for each in listed["Functions"]] == ["f"]
    for path in ("/2015-03-31/functions", "/2015-03-31/functions/"):
        rest = asked(f"{path}?Marker={listed['NextMarker']}", **how).read("ListFunctions")
        assert ([each["FunctionName"] for each in rest["Functions"]], "NextMarker" in rest) == (["g"], False)
    described = asked("/2015-03-31/functions/g", **how).read("GetFunction")
    assert described["Configuration"]["Handler"] == "app.handler"
    read = asked("/2015-03-31/functions/g/configuration", **how).read("GetFunctionConfiguration")
    assert read["FunctionName"] == "g"
    read = asked("/2019-09-30/functions/g/concurrency", **how).read("GetFunctionConcurrency")
    assert read["ReservedConcurrentExecutions"] == 2


def test_the_queue_is_in_the_status() -> None:
    async def run() -> None:
        service = Instant((Function("f", "app", asynchronous=Asynchronous()),))
        queue = Asynchronously(service, lambda _: None)
        api = InvokeAPI(service, queue)
        assert api.status() == {"asynchronous": {}}

    asyncio.run(run())


SIGNED = [(b"authorization", b"AWS4-HMAC-SHA256 Credential=a/20260101/eu-central-1/lambda/aws4_request, Signature=b")]


@pytest.mark.parametrize(
    ("path", "owned"),
    [
        ("/2015-03-31/functions", True),
        ("/2015-03-31/functions/", True),
        ("/2015-03-31/functions/f/anything/at/all", True),
        ("/2021-11-15/functions/f/response-streaming-invocations", True),
        ("/2019-09-30/functions/f/concurrency", True),
        ("/2099-12-31/functions/f/whatever-comes", SIGNED),
        ("/2020-01-01/layers", SIGNED),
        ("/2017-03-31/tags/arn%3Aaws%3Alambda", SIGNED),
        ("/2024-05-01/tags/one", False),
        ("/2024-05-01/posts", False),
        ("/20150331/functions", False),
        ("/2015-03-31/functionsx", False),
        ("/2015-03-31", False),
        ("/", False),
        ("/x/2015-03-31/functions", False),
    ],
)
def test_it_owns_the_paths_of_the_api(path: str, owned: object) -> None:
    """Of others than its own only what a client of AWS has signed: an application may have dates in its paths."""
    assert InvokeAPI.owns(path, []) is (owned is True)
    assert InvokeAPI.owns(path, [(b"authorization", b"Bearer x")]) is (owned is True)
    assert InvokeAPI.owns(path, SIGNED) is bool(owned)


def test_it_owns_every_path_that_boto3_knows() -> None:
    paths = {MODEL.operation_model(name).http["requestUri"].partition("?")[0] for name in MODEL.operation_names}
    assert len(paths) > 40
    assert [path for path in paths if not InvokeAPI.owns(path, SIGNED)] == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/2017-10-31/functions/f/concurrency"),
        ("GET", "/2015-03-31/event-source-mappings/"),
        ("GET", "/2018-10-31/layers"),
        ("GET", "/2016-08-19/account-settings/"),
        ("GET", "/2021-10-31/functions/f/url"),
        ("GET", "/2019-09-25/functions/f/event-invoke-config"),
    ],
)
def test_an_operation_that_is_not_there_runs_nothing(method: str, path: str) -> None:
    client = asked(path, method=method)
    assert client.read("Invoke")["Error"]["Code"] == "UnknownOperationException"
    assert client.service.taken == []


# What the project itself says of an invocation


def test_a_context_of_the_project_s_own_goes_with_the_event() -> None:
    def mine(request: HTTPRequest | None, function: Function) -> dict[str, object]:
        assert request is None
        return {"tenant_id": "blue"}

    client = asked(functions=(replace(F, make_context=mine),))
    assert client.service.requests[0].tenant_id == "blue"


def test_one_that_does_not_want_the_event_refuses_it() -> None:
    def picky(request: HTTPRequest | None, function: Function) -> dict[str, object]:
        raise ValueError("expected a tenant")

    client = asked(functions=(replace(F, make_context=picky),))
    assert (client.status, client.read("Invoke")["Error"]["Code"]) == (400, "InvalidRequestContentException")
    assert b"expected a tenant" in client.body


def test_one_that_fails_is_a_failure_of_the_service() -> None:
    client = asked(functions=(replace(F, make_context=lambda request, function: {"nonsense": 1}),))
    assert (client.status, client.read("Invoke")["Error"]["Code"]) == (500, "ServiceException")
