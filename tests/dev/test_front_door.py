"""One request through the door, with a service that answers what it is told to."""

import asyncio
import json
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote

import pytest

from lambent.dev.doors import DOORS
from lambent.dev.doors.model import MEGABYTE, PAYLOAD_LIMIT, Arrival, Entry, HTTPReply, HTTPRequest, Matched, Site
from lambent.dev.front_door import FrontDoor
from lambent.dev.guard import Allowed, Guard
from lambent.dev.model import (
    Cause,
    Cors,
    Entrance,
    Failed,
    Function,
    Invocation,
    InvokeRequest,
    Replied,
    Result,
    Route,
    Streaming,
)
from lambent.dev.routes import Routes
from lambent.dev.service import Service
from lambent.dev.stream import Stream
from lambent.types import Message, Scope
from tests.dev.fakes import surroundings

ERROR = json.dumps({"errorType": "ValueError", "errorMessage": "boom <b>", "stackTrace": ["  File a"]}).encode()
BROWSER = (b"accept", b"text/html")


class Ready(Service):
    """Answers every invocation at once; None: lets it wait in the queue."""

    def __init__(self, result: Result | None) -> None:
        super().__init__(lambda _: surroundings(), lambda _: None)
        self.answer = result
        self.taken: list[Invocation] = []

    def invoke(self, name: str, request: InvokeRequest) -> Invocation:
        invocation = Invocation(request, asyncio.get_running_loop())
        self.taken.append(invocation)
        if (result := self.result()) is not None:
            invocation.resolve(result)
        return invocation

    def result(self) -> Result | None:
        return self.answer

    def waits(self, invocation: Invocation) -> bool:
        return not invocation.result.done()

    def withdraw(self, invocation: Invocation) -> None:
        invocation.resolve(Failed(Cause.GONE, b""))


class Visit:
    """One request and what came of it."""

    def __init__(self, result: Result | None = None, door: str = "url", **settings: Any) -> None:
        self.service = Ready(result)
        self.said: list[str] = []
        settings.setdefault("path", "/{proxy+}")
        self.route(Function("f", "app:app", Path(), door=door, **settings))
        self.sent: list[Message] = []

    def route(self, function: Function, *entrances: Entrance, guard: Guard | None = None) -> Self:
        self.app = FrontDoor(self.service, Routes([function], entrances), self.said.append, guard)
        return self

    def make(
        self,
        *headers: tuple[bytes, bytes],
        method: str = "GET",
        pieces: tuple[bytes, ...] = (b"",),
        path: bytes = b"/a%20b",
        query: bytes = b"q=1",
    ) -> Self:
        scope: Scope = {
            "type": "http",
            "method": method,
            "raw_path": path,
            "path": unquote(path.decode()),
            "query_string": query,
            "headers": [(b"host", b"localhost"), *headers],
            "client": ("127.0.0.1", 50000),
            "scheme": "http",
            "http_version": "1.1",
        }
        messages = [
            {"type": "http.request", "body": piece, "more_body": number < len(pieces)}
            for number, piece in enumerate(pieces, 1)
        ]

        async def receive() -> Message:
            return messages.pop(0) if messages else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            self.sent.append(message)

        async def visit() -> None:
            await self.app(scope, receive, send)

        asyncio.run(visit())
        return self

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])

    @property
    def body(self) -> bytes:
        return bytes(self.sent[1]["body"])


def test_a_request_becomes_an_event_and_the_result_the_response() -> None:
    visit = Visit(Replied(b'{"statusCode": 201, "body": "hi"}')).make(
        (b"content-type", b"text/plain"), method="POST", pieces=(b"ab", b"cd")
    )
    (invocation,) = visit.service.taken
    event = json.loads(invocation.request.payload)
    assert (event["rawPath"], event["rawQueryString"], event["body"]) == ("/a%20b", "q=1", "abcd")
    assert event["requestContext"]["requestId"] == invocation.request.request_id
    assert invocation.request.trace.startswith(event["headers"]["x-amzn-trace-id"] + ";Parent=")
    assert (visit.status, visit.body) == (201, b"hi")
    assert visit.headers[b"content-length"] == b"2"
    assert visit.headers[b"x-amzn-RequestId"] == invocation.request.request_id.encode()


def test_the_root_of_the_client_s_trace_goes_on() -> None:
    root = b"Root=1-5759e988-bd862e3fe1be46a994272793"
    (invocation,) = Visit(Replied(b"1")).make((b"x-amzn-trace-id", root)).service.taken
    assert invocation.request.trace.startswith(root.decode())


@pytest.mark.parametrize(
    ("door", "status", "body"),
    [
        ("url", 502, b"Internal Server Error"),
        ("http", 500, b'{"message":"Internal Server Error"}'),
        ("http1", 500, b'{"message":"Internal Server Error"}'),
        ("rest", 502, b'{"message": "Internal server error"}'),
        ("lattice", 500, b"Internal Server Error"),
    ],
)
def test_a_function_error_is_answered_as_the_door_does(door: str, status: int, body: bytes) -> None:
    visit = Visit(Failed(Cause.FUNCTION, ERROR), door).make()
    assert (visit.status, visit.body) == (status, body)


def test_a_browser_sees_why_under_the_same_status() -> None:
    visit = Visit(Failed(Cause.FUNCTION, ERROR), "http").make(BROWSER)
    assert visit.status == 500
    assert visit.headers[b"content-type"].startswith(b"text/html")
    assert b"Apigw-Requestid" in visit.headers
    assert b"boom &lt;b&gt;" in visit.body
    assert b"HTTP API answers 500" in visit.body


def test_a_result_that_cannot_be_sent_is_a_function_error_and_said_why() -> None:
    visit = Visit(Replied(b'{"statusCode": 200, "headers": {"a": "\\n"}}')).make()
    assert (visit.status, visit.body) == (502, b"Internal Server Error")
    assert "line break" in visit.said[0]
    assert b"line break" in Visit(Replied(b'{"statusCode": 200, "headers": {"a": "\\n"}}')).make(BROWSER).body


def test_throttling_is_answered_as_the_door_does() -> None:
    assert Visit(Failed(Cause.THROTTLED, b"")).make(BROWSER).status == 429


def test_a_body_over_the_limit_is_refused_before_it_is_read() -> None:
    visit = Visit().make((b"content-length", b"%d" % (PAYLOAD_LIMIT + 1)), method="POST", pieces=())
    assert (visit.status, visit.service.taken) == (413, [])


def test_a_body_that_turns_out_to_be_over_the_limit_is_refused() -> None:
    visit = Visit().make(method="POST", pieces=(b"x" * 4_000_000, b"x" * 4_000_000))
    assert (visit.status, visit.service.taken) == (413, [])


def test_an_event_over_the_limit_is_refused_though_the_body_is_not() -> None:
    visit = Visit().make((b"content-type", b"image/png"), method="POST", pieces=(b"x" * 5_000_000,))
    assert (visit.status, visit.service.taken) == (413, [])


def test_a_load_balancer_takes_a_megabyte() -> None:
    assert Visit(Replied(b'{"statusCode": 200}'), "alb").make(method="POST", pieces=(b"x" * MEGABYTE,)).status == 200
    visit = Visit(None, "alb").make(method="POST", pieces=(b"x" * (MEGABYTE + 1),))
    assert (visit.status, visit.service.taken) == (413, [])
    assert visit.headers[b"content-type"] == b"text/html"


@pytest.mark.parametrize(("door", "limit"), [("alb", MEGABYTE), ("edge", MEGABYTE), ("edge-viewer", 40 * 1024)])
def test_a_result_larger_than_the_door_takes_is_502_and_said_by_how_much(door: str, limit: int) -> None:
    around = len(b'{"statusCode":200,"status":"200","body":""}')
    fits = b'{"statusCode":200,"status":"200","body":"%s"}' % (b"x" * (limit - around))
    assert Visit(Replied(fits), door).make().status == 200
    visit = Visit(Replied(fits + b"  "), door).make()
    assert visit.status == 502
    assert f"{limit} bytes" in visit.said[0]
    assert "2 too many" in visit.said[0]


def test_an_unusable_reply_is_another_refusal_than_a_function_error() -> None:
    assert Visit(Failed(Cause.FUNCTION, ERROR), "edge").make().status == 503
    assert Visit(Replied(b"{}"), "edge").make().status == 502


def test_a_client_that_goes_away_in_the_middle_of_its_request_is_forgotten() -> None:
    visit = Visit().make(method="POST", pieces=())
    assert (visit.sent, visit.service.taken) == ([], [])


def test_a_client_that_goes_away_while_it_waits_leaves_the_queue() -> None:
    visit = Visit().make()
    assert visit.sent == []
    assert len(visit.service.taken) == 1
    assert not visit.service.waits(visit.service.taken[0])


@pytest.mark.parametrize("status", [204, 304])
def test_a_response_without_a_body_has_no_length(status: int) -> None:
    visit = Visit(Replied(b'{"statusCode": %d}' % status)).make()
    assert b"content-length" not in visit.headers


# Streams

INTEGRATION = "application/vnd.awslambda.http-integration-response"
START = b'{"statusCode": 201, "headers": {"x-a": "1", "content-length": "9"}, "cookies": ["a=1"]}' + bytes(8)


class StreamVisit(Visit):
    """One request that is answered by these pieces, and then by the end or an error."""

    def __init__(
        self, *pieces: bytes, failure: bytes | None = None, kind: str = INTEGRATION, door: str = "url"
    ) -> None:
        super().__init__(door=door)
        self.pieces = pieces
        self.failure = failure
        self.kind = kind
        self.streams: list[Stream] = []
        self.service.result = self.answer  # type: ignore[method-assign]  # one that is made in the loop

    def answer(self) -> Result:
        stream = Stream(self.kind, bool)
        self.streams.append(stream)
        for piece in self.pieces:
            stream.feed(piece)
        stream.end(self.failure)
        return Streaming(stream)

    @property
    def chunks(self) -> list[bytes]:
        return [message["body"] for message in self.sent[1:]]

    @property
    def is_complete(self) -> bool:
        return not self.sent[-1].get("more_body", False) and self.sent[-1]["type"] == "http.response.body"


def test_pieces_are_passed_on_as_they_come() -> None:
    visit = StreamVisit(START, b"one", b"two").make()
    assert (visit.status, visit.headers[b"x-a"], visit.headers[b"set-cookie"]) == (201, b"1", b"a=1")
    assert b"content-length" not in visit.headers
    assert visit.headers[b"content-type"] == b"application/octet-stream"
    assert (visit.chunks, visit.is_complete) == ([b"one", b"two", b""], True)


def test_what_came_with_the_prelude_is_the_first_piece() -> None:
    assert StreamVisit(START + b"one", b"two").make().chunks == [b"one", b"two", b""]


@pytest.mark.parametrize("status", [b"204", b"304"])
def test_a_status_that_allows_no_body_gets_none(status: bytes) -> None:
    visit = StreamVisit(START.replace(b"201", status), b" ").make()
    assert (visit.chunks, visit.is_complete) == ([b""], True)


def test_a_stream_without_a_prelude_is_bytes_behind_a_url_and_of_no_use_behind_a_rest_api() -> None:
    visit = StreamVisit(b"one", kind="application/octet-stream").make()
    assert (visit.status, visit.headers[b"content-type"], visit.chunks) == (
        200,
        b"application/octet-stream",
        [b"one", b""],
    )
    visit = StreamVisit(b"one", kind="application/octet-stream", door="rest").make()
    assert visit.status == 502
    assert "and there are none" in visit.said[0]


@pytest.mark.parametrize("begins", [b"{}", b"[]" + bytes(8), b'{"statusCode": 99}' + bytes(8), b"{" + bytes(8)])
def test_a_beginning_that_cannot_be_used_is_refused_and_the_rest_dropped(begins: bytes) -> None:
    visit = StreamVisit(begins).make()
    assert visit.status == 502
    assert "cannot use the reply" in visit.said[0]
    assert visit.streams[0]._abandoned


def test_a_door_that_takes_no_streams_refuses_one() -> None:
    visit = StreamVisit(START, door="http").make()
    assert visit.status == 500
    assert "takes no streamed replies" in visit.said[0]


def test_an_error_before_the_body_is_answered() -> None:
    visit = StreamVisit(START[:5], failure=ERROR).make(BROWSER)
    assert visit.status == 502
    assert b"boom &lt;b&gt;" in visit.body


def test_one_in_the_middle_leaves_the_response_incomplete_and_is_logged() -> None:
    visit = StreamVisit(START, b"one", failure=ERROR).make()
    assert (visit.status, visit.chunks, visit.is_complete) == (201, [b"one"], False)
    assert "The reply broke off" in visit.said[0]
    assert "ValueError: boom" in visit.said[0]


def test_whatever_ends_it_nobody_reads_on() -> None:
    visit = StreamVisit(START, b"one", failure=ERROR).make()
    assert visit.streams[0]._abandoned


# Routes, and events of one's own


def test_a_path_of_no_function_is_not_found() -> None:
    visit = Visit(Replied(b"1"), path="/b").make()
    assert (visit.status, visit.body) == (404, b'{"message":"Not Found"}')
    assert visit.service.taken == []


def test_a_function_may_make_the_events() -> None:
    def mine(request: HTTPRequest, function: Function) -> object:
        return {"path": request.raw_path.decode(), "function": function.name}

    async def mine_too(request: HTTPRequest, function: Function) -> object:
        return mine(request, function)

    for each in (mine, mine_too):
        (invocation,) = Visit(Replied(b"1"), make_event=each).make().service.taken
        assert json.loads(invocation.request.payload) == {"path": "/a%20b", "function": "f"}


def test_one_that_wants_no_such_request_refuses_it() -> None:
    def picky(request: HTTPRequest, function: Function) -> object:
        raise ValueError("expected JSON, but got none")

    visit = Visit(Replied(b"1"), make_event=picky).make()
    assert (visit.status, visit.body) == (400, b"expected JSON, but got none\n")


def test_one_that_fails_is_shown_with_its_traceback() -> None:
    def broken(request: HTTPRequest, function: Function) -> object:
        raise KeyError("mine")

    visit = Visit(Replied(b"1"), make_event=broken).make(BROWSER)
    assert visit.status == 502
    assert b"KeyError" in visit.body
    assert "in broken" in visit.said[0]
    assert "KeyError: 'mine'" in visit.said[0]


def endless() -> object:
    """A list that is nested more deeply than JSON can be written."""
    made: list[object] = []
    for _ in range(100_000):
        made = [made]
    return made


@pytest.mark.parametrize(
    ("event", "error"),
    [
        (b"1", "TypeError"),
        (float("nan"), "ValueError"),
        ("\ud800", "UnicodeEncodeError"),
        (endless(), "RecursionError"),
    ],
    ids=["bytes", "nan", "surrogate", "endless"],
)
def test_so_is_one_that_makes_no_json(event: object, error: str) -> None:
    visit = Visit(Replied(b"1"), make_event=lambda request, function: event).make(BROWSER)
    assert visit.status == 502
    assert error in visit.said[0]
    assert visit.service.taken == []


def test_another_may_make_what_goes_with_them() -> None:
    def mine(request: HTTPRequest | None, function: Function) -> dict[str, object]:
        return {"tenant_id": "blue", "client_context": '{"custom": {}}'}

    async def mine_too(request: HTTPRequest | None, function: Function) -> dict[str, object]:
        return mine(request, function)

    for each in (mine, mine_too):
        (invocation,) = Visit(Replied(b"1"), make_context=each).make().service.taken
        assert (invocation.request.tenant_id, invocation.request.client_context) == ("blue", '{"custom": {}}')


def test_a_context_with_fields_that_there_are_not_is_a_mistake_that_is_named() -> None:
    visit = Visit(Replied(b"1"), make_context=lambda request, function: {"timeout": 3}).make(BROWSER)
    assert visit.status == 502
    assert "client_context, identity, tenant_id, arn, trace" in visit.said[0]


# Entrances

OK = Replied(b'{"statusCode": 200, "body": "ok"}')
ITEMS = Function("f", "app:app", routes=(Route("shop", "GET", "/items/{id}"),))


@pytest.mark.parametrize(
    ("kind", "status", "body"),
    [
        ("http", 404, b'{"message":"Not Found"}'),
        ("http1", 404, b'{"message":"Not Found"}'),
        ("rest", 403, b'{"message":"Missing Authentication Token"}'),
        ("lattice", 404, b"Not Found"),
    ],
)
def test_where_there_is_no_route_the_door_says_so(kind: str, status: int, body: bytes) -> None:
    function = Function("f", "app:app", routes=(Route("shop", "GET", "/items"),))
    visit = Visit(OK).route(function, Entrance("shop", kind))
    for method, path in (("GET", b"/other"), ("POST", b"/items")):
        visit.sent.clear()
        visit.make(method=method, path=path)
        assert (visit.status, visit.body) == (status, body)
    assert visit.service.taken == []


def test_the_event_has_what_the_route_and_the_entrance_say() -> None:
    entrance = Entrance("shop", "http", stage="prod", variables={"a": "b"})
    (invocation,) = Visit(OK).route(ITEMS, entrance).make(path=b"/prod/items/7").service.taken
    event = json.loads(invocation.request.payload)
    assert (event["rawPath"], event["pathParameters"]) == ("/prod/items/7", {"id": "7"})
    assert (event["routeKey"], event["stageVariables"]) == ("GET /items/{id}", {"a": "b"})


def test_functions_behind_one_entrance_are_of_one_api_which_is_not_another_s() -> None:
    def api(name: str, entrance: str) -> str:
        function = Function(name, "app:app", routes=(Route(entrance, "ANY", "$default"),))
        (invocation,) = Visit(OK).route(function, Entrance(entrance, "http")).make().service.taken
        return str(json.loads(invocation.request.payload)["requestContext"]["apiId"])

    assert api("f", "shop") == api("g", "shop") != api("f", "admin")


ORIGIN = (b"origin", b"https://a.example")
ASKS = (b"access-control-request-method", b"GET")
CORS = Cors(origins=("*",), methods=("GET",))


@pytest.mark.parametrize(("kind", "status"), [("http", 204), ("http1", 204), ("url", 200), ("rest", 200)])
def test_a_preflight_is_answered_by_the_door(kind: str, status: int) -> None:
    visit = Visit(OK).route(ITEMS, Entrance("shop", kind, cors=CORS))
    visit.make(ORIGIN, ASKS, method="OPTIONS", path=b"/items/7")
    headers = {name.lower(): value for name, value in visit.headers.items()}
    assert (visit.status, visit.service.taken) == (status, [])
    assert headers[b"access-control-allow-origin"] == b"*"
    assert headers.keys() & {b"apigw-requestid", b"x-amzn-requestid"}


@pytest.mark.parametrize("kind", ["http", "rest", "alb", "lattice", "edge"])
def test_without_cors_and_behind_other_doors_it_is_a_request_like_any_other(kind: str) -> None:
    function = Function("f", "app:app", routes=(Route("shop", "OPTIONS", "/items"),))
    cors = None if kind in ("http", "rest") else CORS
    visit = Visit(OK).route(function, Entrance("shop", kind, cors=cors))
    assert len(visit.make(ORIGIN, ASKS, method="OPTIONS", path=b"/items").service.taken) == 1


def test_an_options_method_of_a_rest_api_s_own_goes_before_the_mock() -> None:
    routes = (Route("shop", "OPTIONS", "/items"), Route("shop", "GET", "/items"), Route("shop", "ANY", "/any"))
    visit = Visit(OK).route(Function("f", "app:app", routes=routes), Entrance("shop", "rest", cors=CORS))
    assert len(visit.make(ORIGIN, ASKS, method="OPTIONS", path=b"/items").service.taken) == 1
    visit.sent.clear()
    assert len(visit.make(method="OPTIONS", path=b"/any").service.taken) == 1, "that was the mock"
    visit.sent.clear()
    assert visit.make(method="OPTIONS", path=b"/nothing").status == 403


def test_replies_and_refusals_have_cors_headers_too() -> None:
    visit = Visit(OK).route(ITEMS, Entrance("shop", "http", cors=CORS))
    for path, status in ((b"/items/7", 200), (b"/", 404)):
        visit.sent.clear()
        visit.make(ORIGIN, path=path)
        assert (visit.status, visit.headers[b"access-control-allow-origin"]) == (status, b"*")
    visit.sent.clear()
    assert b"access-control-allow-origin" not in visit.make(path=b"/items/7").headers


@pytest.mark.parametrize(("kind", "status"), [("http", 503), ("http1", 503), ("rest", 504), ("url", 504), ("alb", 504)])
def test_a_door_that_waited_long_enough_answers_and_the_function_runs_on(kind: str, status: int) -> None:
    visit = Slow(None).route(
        Function("f", "app:app", routes=(Route("shop", "ANY", "$default"),)) if kind != "rest" else ROOT,
        Entrance("shop", kind, timeout=0.01),
    )
    visit.make(path=b"/")
    assert visit.status == status
    assert "f has not replied within the 0.01 s" in visit.said[0]
    assert not visit.service.taken[0].result.done()


ROOT = Function("f", "app:app", routes=(Route("shop", "ANY", "/"),))


class Slow(Visit):
    """An invocation that has begun and does not end by itself."""

    def __init__(self, result: Result | None, *, held: bool = False, **settings: Any) -> None:
        super().__init__(result, **settings)
        self.service = Begins(None)
        self.service.held = held


class Begins(Ready):
    held = False

    def invoke(self, name: str, request: InvokeRequest) -> Invocation:
        invocation = super().invoke(name, request)
        invocation.held = self.held
        if self.held:
            asyncio.get_running_loop().call_later(0.05, invocation.resolve, OK)
        return invocation

    def waits(self, invocation: Invocation) -> bool:
        return False


def test_the_time_of_a_function_that_somebody_debugs_does_not_count() -> None:
    assert Slow(None, held=True).route(ROOT, Entrance("shop", "rest", timeout=0.01)).make(path=b"/").status == 200


def test_doors_wait_as_long_as_aws_s() -> None:
    seconds = {kind: build(Site("f")).limits.seconds for kind, build in DOORS.items()}
    assert {kind: each for kind, each in seconds.items() if each} == {"http": 30, "http1": 30, "rest": 29}


@pytest.mark.parametrize(
    ("kind", "room", "status"),
    [("http", 10_240, 431), ("rest", 10_240, 431), ("alb", 64 * 1024, 400), ("edge", 32 * 1024, 413)],
)
def test_a_head_larger_than_the_door_takes_is_refused(kind: str, room: int, status: int) -> None:
    around = len(b"GET /a%20b?q=1 HTTP/1.1") + len(b"localhost")
    assert Visit(OK, kind).make((b"x-a", b"x" * (room - around))).service.taken
    visit = Visit(OK, kind).make((b"x-a", b"x" * (room - around + 1)))
    assert (visit.status, visit.service.taken) == (status, [])


@pytest.mark.parametrize(("kind", "room", "status"), [("alb", 16 * 1024, 414), ("edge", 8 * 1024, 413)])
def test_so_is_a_url(kind: str, room: int, status: int) -> None:
    assert Visit(OK, kind).make(path=b"/" + b"x" * (room - 5)).service.taken
    visit = Visit(OK, kind).make(path=b"/" + b"x" * (room - 4))
    assert (visit.status, visit.service.taken) == (status, [])


def test_a_function_url_takes_any() -> None:
    assert Visit(OK).make((b"x-a", b"x" * 100_000), path=b"/" + b"x" * 100_000).service.taken


class Doorkeeper:
    """Lets one name pass."""

    def __init__(self) -> None:
        self.asked: list[tuple[Route, Entrance, bytes, str, Entry]] = []

    async def check(
        self, route: Route, entrance: Entrance, request: HTTPRequest, matched: Matched, arrival: Arrival, door: Entry
    ) -> Allowed | HTTPReply:
        self.asked.append((route, entrance, request.body, matched.route_key, door))
        event = door.event(request, arrival, matched)
        if (b"x-name", b"ann") not in request.headers:
            return HTTPReply(401, [(b"content-type", b"application/json")], b'{"message":"Unauthorized"}')
        return Allowed({"lambda": {"name": "ann", "route": event["routeKey"]}})


def test_a_guard_lets_pass_and_tells_the_function_of_whom() -> None:
    guard, entrance = Doorkeeper(), Entrance("shop", "http", cors=CORS)
    visit = Visit(OK).route(ITEMS, entrance, guard=guard)
    (invocation,) = visit.make((b"x-name", b"ann"), path=b"/items/7", pieces=(b"hi",)).service.taken
    context = json.loads(invocation.request.payload)["requestContext"]
    assert context["authorizer"] == {"lambda": {"name": "ann", "route": "GET /items/{id}"}}
    assert guard.asked[0][:4] == (ITEMS.routes[0], entrance, b"hi", "GET /items/{id}")


def test_or_answers_by_itself_and_the_door_adds_what_is_its_own() -> None:
    visit = Visit(OK).route(ITEMS, Entrance("shop", "http", cors=CORS), guard=Doorkeeper())
    visit.make(ORIGIN, path=b"/items/7")
    assert (visit.status, visit.body, visit.service.taken) == (401, b'{"message":"Unauthorized"}', [])
    assert {b"Apigw-Requestid", b"access-control-allow-origin"} <= visit.headers.keys()


def test_preflights_and_what_has_no_route_are_nothing_to_a_guard() -> None:
    guard = Doorkeeper()
    visit = Visit(OK).route(ITEMS, Entrance("shop", "http", cors=CORS), guard=guard)
    visit.make(ORIGIN, ASKS, method="OPTIONS", path=b"/items/7")
    visit.make(path=b"/")
    assert guard.asked == []
