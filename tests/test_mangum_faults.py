"""The 38 faults of Mangum 0.22, one by one, and the 12 of its WebSockets. Each docstring says the fault.

A test shows the fault on Mangum itself, unless that takes a wait without end, and then that Lambent does right. Of its
WebSockets, which it does not have any more, it shows the latter only.
"""

import asyncio
import inspect
import json
import logging
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from mangum import Mangum
from mangum.exceptions import LifespanFailure
from mangum.handlers import HTTPGateway
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from lambent import Connections, Lambent
from lambent.errors import ConfigurationError, UnknownEvent, WrongEventLoop
from lambent.gateway import GATEWAYS, detect
from lambent.gateway.model import Request as GatewayRequest
from lambent.gateway.model import Response as GatewayResponse
from lambent.gateway.model import Settings
from lambent.invocation import Handled
from lambent.stores import open_store
from lambent.types import ASGIApp, Message, Receive, Scope, Send
from tests.payloads import Payload, payload
from tests.runtime.test_watchdog import soon, timed
from tests.websocket.play import KINDS, Gateway

DOCS = Path(__file__).parent.parent / "docs"
TEXT = (b"content-type", b"text/plain")
WORKING = 0.05
"""Seconds that background work takes."""

Field = tuple[bytes, bytes]


@pytest.fixture(autouse=True)
def loop() -> Iterator[None]:
    """The loop where Mangum looks for one; closed, with what it left running on it."""
    mine = asyncio.new_event_loop()
    asyncio.set_event_loop(mine)
    yield
    asyncio.set_event_loop(None)
    for task in asyncio.all_tasks(mine):
        task.cancel()
    mine.run_until_complete(asyncio.sleep(0))
    mine.close()


def says(body: bytes = b"hi", headers: Iterable[Field] = (TEXT,), status: int = 200) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": list(headers)})
        await send({"type": "http.response.body", "body": body})

    return app


hi = says()


def mangum(app: Any, event: Any, **options: Any) -> dict[str, Any]:
    """Mangum's reply."""
    context: Any = None
    return Mangum(app, **{"lifespan": "off"} | options)(event, context)


def lambent(app: Any, event: Any, **options: Any) -> dict[str, Any]:
    """Lambent's."""
    with closing(Lambent(app, **{"lifespan": "off"} | options)) as handler:
        reply: dict[str, Any] = handler(event)
        return reply


def scopes(event: Any, **options: Any) -> tuple[Scope, Scope]:
    """What an application is told of a request: by Mangum, and by Lambent."""
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        await hi(scope, receive, send)

    mangum(app, event)
    lambent(app, event, **options)
    theirs, ours = seen
    return theirs, ours


def our_scope(event: Any, **options: Any) -> Scope:
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        await hi(scope, receive, send)

    lambent(app, event, **options)
    return seen[0]


def replies(app: ASGIApp, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the door is given: by Mangum, and by Lambent."""
    return mangum(app, payload(name)), lambent(app, payload(name))


class Life:
    """An application that counts its lifespans, and whose startup or shutdown may fail."""

    def __init__(self, startup: str = "complete", shutdown: str = "complete") -> None:
        self.startup = startup
        self.shutdown = shutdown
        self.seen: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await hi(scope, receive, send)
            return
        self.seen.append((await receive())["type"])
        if self.startup == "raise":
            raise OSError("no database")
        await send({"type": f"lifespan.startup.{self.startup}"})
        self.seen.append((await receive())["type"])
        await send({"type": f"lifespan.shutdown.{self.shutdown}"})


class Invoked(Handled):
    """An invocation as our runtime has it: the reply leaves when it is given. Notes down what was `done` by then."""

    def __init__(self, event: Any, context: Any = None, done: Iterable[str] = ()) -> None:
        super().__init__(event, context)
        self.sent: list[Any] = []
        self.done = done
        self.done_before: list[str] = []

    async def reply(self, result: Any) -> None:
        self.sent.append(result)
        self.done_before = list(self.done)


# Event loop and lifespan


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
def test_f01_another_event_loop_may_come_and_go() -> None:
    """Any `asyncio.run` after construction kills the adapter: there is no current event loop."""
    theirs: Any = Mangum(hi, lifespan="off")  # type: ignore[arg-type]  # its own, narrower type of an application
    with closing(Lambent(hi)) as ours:
        asyncio.run(asyncio.sleep(0))
        with pytest.raises(RuntimeError, match="no current event loop"):
            theirs(payload("http_api_get"), None)
        assert ours(payload("http_api_get"))["body"] == "hi"


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
def test_f02_it_can_be_called_from_any_thread_and_awaited() -> None:
    """It is not callable from a second thread, nor inside a running loop, and there is no async entry."""

    def in_a_thread(handler: Any) -> Any:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(handler, payload("http_api_get"), None).result()

    async def in_a_loop(handler: Any) -> None:
        handler(payload("http_api_get"), None)

    theirs: Any = Mangum(hi, lifespan="off")  # type: ignore[arg-type]  # as above
    with pytest.raises(RuntimeError, match="no current event loop"):
        in_a_thread(theirs)
    with pytest.raises(RuntimeError, match="already running"):
        asyncio.run(in_a_loop(theirs))
    with closing(Lambent(hi)) as ours:
        assert ours(payload("http_api_get"))["body"] == "hi"
        assert in_a_thread(ours)["body"] == "hi"
    with closing(Lambent(hi)) as ours:
        with pytest.raises(WrongEventLoop, match=r"Await `handler.handle\(event, context\)` instead"):
            asyncio.run(in_a_loop(ours))
        assert asyncio.run(ours.handle(payload("http_api_get")))["body"] == "hi"


def test_f03_the_lifespan_runs_once_per_environment() -> None:
    """Startup and shutdown run on each invocation."""
    startup, shutdown = "lifespan.startup", "lifespan.shutdown"
    life = Life()
    for _ in range(3):
        mangum(life, payload("http_api_get"), lifespan="on")
    assert life.seen == [startup, shutdown] * 3
    life = Life()
    with closing(Lambent(life, lifespan="on")) as handler:
        for _ in range(3):
            handler(payload("http_api_get"))
        assert life.seen == [startup]
    assert life.seen == [startup, shutdown]


def test_f04_with_lifespan_on_a_failing_startup_fails() -> None:
    """`lifespan="on"` ignores an exception of startup, and an application without a lifespan: 200."""
    assert mangum(Life("raise"), payload("http_api_get"), lifespan="on")["statusCode"] == 200
    with pytest.raises(OSError, match="no database"):
        lambent(Life("raise"), payload("http_api_get"), lifespan="on")


def test_f05_a_failing_shutdown_takes_no_response_back(caplog: pytest.LogCaptureFixture) -> None:
    """`lifespan.shutdown.failed` throws a finished response away."""
    with pytest.raises(LifespanFailure):
        mangum(Life(shutdown="failed"), payload("http_api_get"), lifespan="on")
    assert lambent(Life(shutdown="failed"), payload("http_api_get"), lifespan="on")["body"] == "hi"
    assert "The shutdown of the lifespan failed." in caplog.text


# Applications that fail


@pytest.mark.parametrize("sent", [0, 1, 2])
def test_f06_an_application_that_returns_too_early_is_answered_for(sent: int) -> None:
    """An application that returns without a whole response makes an AttributeError of the handler's, not a 500."""
    messages: list[Message] = [
        {"type": "http.response.start", "status": 200, "headers": []},
        {"type": "http.response.body", "body": b"half", "more_body": True},
    ]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages[:sent]:
            await send(message)

    with pytest.raises(AttributeError):
        mangum(app, payload("http_api_get"))
    assert lambent(app, payload("http_api_get"))["statusCode"] == 500


def test_f07_exits_and_errors_reach_lambda() -> None:
    """SystemExit and its like become a 500, and errors never reach Lambda's metrics."""

    async def leave(scope: Scope, receive: Receive, send: Send) -> None:
        raise SystemExit(3)

    async def fail(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError("oil has run out")

    assert mangum(leave, payload("http_api_get"))["statusCode"] == 500
    assert mangum(fail, payload("http_api_get"))["statusCode"] == 500
    with pytest.raises(SystemExit):
        lambent(leave, payload("http_api_get"))
    assert lambent(fail, payload("http_api_get"))["statusCode"] == 500
    with pytest.raises(ValueError, match="oil has run out"):
        lambent(fail, payload("http_api_get"), errors="raise")


# Fields


@pytest.mark.parametrize("name", ["http_api_get", "rest_v1", "alb_single"])
def test_f08_a_latin_1_response_header_passes(name: str) -> None:
    """Response header bytes are decoded as UTF-8: what Starlette writes as latin-1 fails the invocation."""

    async def page(request: Request) -> PlainTextResponse:
        return PlainTextResponse("hi", headers={"x-name": "é"})

    app = Starlette(routes=[Route("/{path:path}", page)])
    with pytest.raises(UnicodeDecodeError):
        mangum(app, payload(name))
    assert lambent(app, payload(name))["headers"]["x-name"] == "é"


@pytest.mark.parametrize("name", ["function_url_get", "http_api_get", "http_api_v1", "alb_single"])
def test_f09_excluded_headers_are_excluded_behind_every_door(name: str) -> None:
    """`exclude_headers` is ignored by HTTP APIs and Function URLs; behind an ALB a second value survives as `X-a`."""
    app = says(headers=[(b"x-a", b"1"), (b"x-a", b"2"), TEXT])
    assert "x-a" in str(mangum(app, payload(name), exclude_headers=["x-a"])).lower()
    assert "x-a" not in str(lambent(app, payload(name), exclude_headers=["x-a"])).lower()


@pytest.mark.parametrize(
    ("path", "theirs", "root_path"), [("/testing/x", "ing/x", ""), ("/test", "", "/test"), ("/test/a", "/a", "/test")]
)
def test_f10_a_base_path_ends_at_the_boundary_of_a_segment(path: str, theirs: str, root_path: str) -> None:
    """The base path `/test` makes `ing/x` of `/testing/x`, and nothing of `/test`."""
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["path"])
        await hi(scope, receive, send)

    mangum(app, payload("rest_v1_custom_domain") | {"path": path}, api_gateway_base_path="/test")
    assert seen == [theirs]
    event = payload("rest_v1_custom_domain")
    event["path"] = event["requestContext"]["path"] = path
    scope = our_scope(event, base_path="/test")
    assert (scope["path"], scope["root_path"]) == (path, root_path)


def test_f11_the_stage_is_in_every_url() -> None:
    """`root_path` is never set, so that links and redirects lose the stage."""

    async def page(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(request.url_for("page")))

    app = Starlette(routes=[Route("/items/7", page)])
    theirs, ours = replies(app, "rest_v1")
    assert theirs["body"].endswith(".amazonaws.com/items/7")
    assert ours["body"].endswith(".amazonaws.com/prod/items/7")


def test_f12_headers_may_be_null() -> None:
    """Payload 2.0 with `headers: null` raises an AttributeError."""
    event = payload("http_api_get") | {"headers": None}
    with pytest.raises(AttributeError):
        mangum(hi, event)
    assert lambent(hi, event)["body"] == "hi"


# The path


def test_f13_a_path_that_the_door_has_decoded_is_not_decoded_again() -> None:
    """The path of an HTTP API, which API Gateway has decoded, is decoded once more: `%2F` becomes a slash."""
    theirs, ours = scopes(payload("http_api_decoded_path"))
    assert theirs["path"] == "/files/a/b/c d/ü+1"
    assert ours["path"] == "/files/a/b%2Fc d/ü+1"


def test_f14_a_path_of_cloudfront_is_decoded() -> None:
    """The path of CloudFront is not decoded at all."""
    theirs, ours = scopes(payload("edge_viewer_request"))
    assert theirs["path"] == "/files/a%2Fb%252Fc%20d"
    assert ours["path"] == "/files/a/b%2Fc d"


@pytest.mark.parametrize(
    ("name", "raw_path"),
    [
        ("alb_single", b"/files/a%2Fb%252Fc%20d"),
        ("rest_v1_encoded_path", b"/prod//files/a%2Fb%252Fc%20d/"),
        ("function_url_encoded_path", b"/files/a%2Fb%252Fc%20d/%C3%BC+1"),
        ("edge_viewer_request", b"/files/a%2Fb%252Fc%20d"),
        ("http_api_decoded_path", b"/files/a/b%252Fc%20d/%C3%BC+1"),
    ],
)
def test_f15_the_raw_path_is_there(name: str, raw_path: bytes) -> None:
    """`raw_path` is always None, though the door tells it: `%2F` and a slash cannot be told apart."""
    theirs, ours = scopes(payload(name))
    assert theirs["raw_path"] is None
    assert ours["raw_path"] == raw_path


# Repeated fields


def test_f16_cookies_that_came_apart_are_joined_as_cookies_are() -> None:
    """Repeated request fields are joined by commas, `cookie` among them: `visits` becomes `3, theme=dark`."""
    theirs, ours = scopes(payload("rest_v1_multi_value"))
    assert Request(theirs).cookies == {"visits": "3, theme=dark"}
    assert Request(ours).cookies == {"visits": "3", "theme": "dark"}
    assert Request(ours).headers.getlist("x-tag") == ["one", "two"]


def test_f17_every_value_of_a_field_of_cloudfront_is_passed() -> None:
    """Of each field of CloudFront's request only the first value is passed."""
    theirs, ours = scopes(payload("edge_origin_request"))
    assert Request(theirs).headers.getlist("x-tag") == ["one"]
    assert Request(ours).headers.getlist("x-tag") == ["one", "two"]


def test_f18_no_cookie_is_lost_behind_cloudfront() -> None:
    """Of repeated fields of a response to CloudFront the last one wins: of two cookies one is lost."""
    theirs, ours = replies(says(headers=[(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]), "edge_viewer_request")
    assert [each["value"] for each in theirs["headers"]["set-cookie"]] == ["b=2"]
    assert [each["value"] for each in ours["headers"]["set-cookie"]] == ["a=1", "b=2"]


def test_f19_cloudfront_is_answered_in_its_own_words() -> None:
    """A reply to CloudFront says `isBase64Encoded`, which CloudFront does not know, and its status is no string."""
    theirs, ours = replies(says(b"\x89PNG", [(b"content-type", b"image/png")]), "edge_viewer_request")
    assert (theirs["status"], theirs["isBase64Encoded"], theirs.get("bodyEncoding")) == (200, True, None)
    assert (ours["status"], ours["bodyEncoding"], ours["body"]) == ("200", "base64", "iVBORw==")
    assert "isBase64Encoded" not in ours


# Client and server


def test_f20_the_client_behind_a_load_balancer_is_an_address() -> None:
    """Behind an ALB the client is the whole of X-Forwarded-For, of which the client wrote the left part."""
    theirs, ours = scopes(payload("alb_multi"))
    assert theirs["client"] == ("192.0.2.66, 203.0.113.9", 0)
    assert ours["client"] == ("203.0.113.9", 0)


def test_f21_an_unknown_client_is_none() -> None:
    """A client that is not known is `(None, 0)`."""
    event = payload("rest_v1")
    event["requestContext"]["identity"]["sourceIp"] = None
    theirs, ours = scopes(event)
    assert (theirs["client"], ours["client"]) == ((None, 0), None)


def test_f22_the_port_is_that_of_the_scheme() -> None:
    """Without X-Forwarded-Port the port is 80, whatever the scheme."""
    theirs, ours = scopes(payload("http_api_get") | {"headers": {"host": "example.com", "x-forwarded-proto": "https"}})
    assert (theirs["server"], ours["server"]) == (("example.com", 80), ("example.com", 443))


@pytest.mark.parametrize(
    ("host", "port", "server"),
    [
        ("[::1]:8000", "443", ("::1", 8000)),
        ("h:abc", "443", ("h", 443)),
        ("example.com", "443, 443", ("example.com", 443)),
    ],
)
def test_f23_no_host_and_no_port_fails_the_invocation(host: str, port: str, server: tuple[str, int]) -> None:
    """A Host such as `[::1]:8000` and a list of ports raise a ValueError: whoever sends them fails the invocation."""
    event = payload("http_api_get") | {"headers": {"host": host, "x-forwarded-port": port}}
    with pytest.raises(ValueError, match=r"unpack|invalid literal"):
        mangum(hi, event)
    assert our_scope(event)["server"] == server


# Bodies of replies


@pytest.mark.parametrize("status", [204, 304, 307])
def test_f24_no_content_type_is_made_up(status: int) -> None:
    """Payload 2.0 gets `application/json` where there is no type, on 204, 304 and redirects too."""
    theirs, ours = replies(says(b"", [], status), "http_api_get")
    assert (theirs["headers"], ours["headers"]) == ({"content-type": "application/json"}, {})


@pytest.mark.parametrize(
    ("content_type", "is_text"),
    [
        (b"application/problem+json", True),
        (b"application/geo+json", True),
        (b"application/x-ndjson", True),
        (b"image/svg+xml", True),
        (b"application/x-www-form-urlencoded", True),
        (b"Application/JSON", True),
        (b'multipart/mixed; boundary="text/"', False),
    ],
)
def test_f25_text_is_told_by_the_media_type(content_type: bytes, is_text: bool) -> None:
    """What is base64 is told by a part of the type's text, its case included: problem+json is, a boundary is not."""
    theirs, ours = replies(says(headers=[(b"content-type", content_type)]), "rest_v1")
    assert theirs["isBase64Encoded"] is is_text
    assert ours["isBase64Encoded"] is not is_text


def test_f26_an_encoded_body_is_base64_whatever_its_bytes() -> None:
    """Content-Encoding is never looked at: an encoded body that reads as UTF-8 goes as text."""
    theirs, ours = replies(says(headers=[TEXT, (b"content-encoding", b"br")]), "rest_v1")
    assert (theirs["body"], theirs["isBase64Encoded"]) == ("hi", False)
    assert (ours["body"], ours["isBase64Encoded"]) == ("aGk=", True)


@pytest.mark.parametrize("name", ["rest_v1", "http_api_v1", "alb_multi", "edge_origin_request"])
def test_f27_a_type_that_is_said_twice_is_a_type(name: str) -> None:
    """A second Content-Type makes text base64."""
    json_type = (b"content-type", b"application/json")
    app = says(b"{}", [json_type, json_type])
    if name in ("rest_v1", "http_api_v1"):
        assert mangum(app, payload(name))["isBase64Encoded"] is True
    assert lambent(app, payload(name))["body"] == "{}"


# Queries


def test_f28_no_value_and_no_parameter_is_lost_behind_a_load_balancer() -> None:
    """Behind an ALB values beyond 2 to the number of letters are dropped, and parameters that decode alike are one."""
    values = [b"%d" % number for number in range(6)]
    theirs, ours = replies(says(headers=[(b"ab", value) for value in values]), "alb_single")
    assert sorted(theirs["headers"].values()) == ["0", "1", "2", "3"]
    assert ours["headers"] == {"ab": "0, 1, 2, 3, 4, 5"}
    event = payload("alb_single") | {"queryStringParameters": {"a%62": "1", "ab": "2"}}
    one, both = scopes(event)
    assert one["query_string"] == b"ab=2"
    assert both["query_string"] == b"a%62=1&ab=2"


def test_f29_a_query_is_encoded_as_signatures_want_it() -> None:
    """A query is built again with `+` for a space. That the order of names is lost cannot be helped."""
    lists = {"b": ["1 2"], "a": ["x~y", ""]}
    theirs, ours = scopes(payload("rest_v1") | {"multiValueQueryStringParameters": lists})
    assert theirs["query_string"] == b"b=1+2&a=x~y&a="
    assert ours["query_string"] == b"b=1%202&a=x~y&a="
    theirs, ours = scopes(payload("alb_multi"))
    assert theirs["query_string"] == b"q=lamp&q=oil&a+b=%2B+&flag="
    assert ours["query_string"] == b"q=lamp&q=oil&a%20b=%2B+&flag="


# Which door


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("lattice_v2", KeyError),
        ("lattice_v1", RuntimeError),
        ("destination", KeyError),
        ("http_api_authorizer_v2", None),
        ("websocket_connect", RuntimeError),
    ],
)
def test_f30_an_event_is_served_by_its_door_or_refused(name: str, theirs: type[Exception] | None) -> None:
    """VPC Lattice and destinations raise a KeyError, and an authorizer's event is served as a request: 200."""
    if theirs is None:
        assert mangum(hi, payload(name))["statusCode"] == 200
    else:
        with pytest.raises(theirs):
            mangum(hi, payload(name))
    if name.startswith("lattice"):
        assert lambent(hi, payload(name))["body"] == "hi"
    elif name.startswith("websocket"):  # it has a door of its own, behind which there is no store yet
        with pytest.raises(ConfigurationError, match="WebSockets and idempotency need a store"):
            lambent(hi, payload(name))
    else:
        with pytest.raises(UnknownEvent, match=r"Expected an event of one of the gateways"):
            lambent(hi, payload(name))


# Background work and disconnects


def works(done: list[str], *, fails: bool = False) -> ASGIApp:
    """An application that goes on working after its response."""

    async def work() -> None:
        await asyncio.sleep(WORKING)
        done.append("worked")
        if fails:
            raise ValueError("oil has run out")

    async def page(request: Request) -> PlainTextResponse:
        return PlainTextResponse("hi", background=BackgroundTask(work))

    return Starlette(routes=[Route("/{path:path}", page)])


def test_f31_the_reply_leaves_before_background_work() -> None:
    """Background work adds its time to the latency. In our runtime the reply has left by then; what fails is logged.

    A task that the application leaves behind runs while the environment does, as everywhere on Lambda.
    """
    done: list[str] = []
    before = time.perf_counter()
    mangum(works(done), payload("http_api_get"))
    assert time.perf_counter() - before > WORKING * 0.9
    done.clear()
    invoked = Invoked(payload("http_api_get"), done=done)
    asyncio.run(Lambent(works(done)).serve(invoked))
    assert [reply["body"] for reply in invoked.sent] == ["hi"]
    assert (invoked.done_before, done) == ([], ["worked"])


def test_f31_background_work_that_fails_leaves_the_reply_and_a_log_record(caplog: pytest.LogCaptureFixture) -> None:
    """What fails after the response is only logged: by us with its traceback, and as answered."""
    invoked = Invoked(payload("http_api_get"))
    asyncio.run(Lambent(works([], fails=True)).serve(invoked))
    assert [reply["statusCode"] for reply in invoked.sent] == [200]
    assert "The application raised; GET /items/7 had been answered." in caplog.messages
    assert "oil has run out" in caplog.text


def test_f32_whoever_waits_for_a_disconnect_hears_it_once_the_response_is_complete() -> None:
    """A second `receive` before the response waits for ever, and is left behind waiting."""
    heard: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def listen() -> None:
            heard.append((await receive())["type"])

        await receive()
        async with asyncio.TaskGroup() as group:
            group.create_task(listen())
            await asyncio.sleep(0)
            await hi(scope, receive, send)

    assert lambent(app, payload("http_api_get"))["body"] == "hi"
    assert heard == ["http.disconnect"]


def test_f32_a_disconnect_is_heard_before_the_deadline() -> None:
    """No `http.disconnect` comes near Lambda's deadline: an application that listens cannot stop in time."""
    heard: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        heard.append((await receive())["type"])

    [call] = timed(Lambent(app, lifespan="off"), soon(payload("http_api_get"))).posts
    assert heard == ["http.disconnect"]
    assert call.json["statusCode"] == 504


def test_f33_a_response_beyond_the_limit_becomes_an_error_that_says_so(caplog: pytest.LogCaptureFixture) -> None:
    """A response larger than Lambda takes is returned, and fails in the runtime without a word to the client."""
    app = says(b"x" * 6_300_000)
    assert len(json.dumps(mangum(app, payload("http_api_get")))) > 6_291_556
    reply = lambent(app, payload("http_api_get"))
    assert reply["statusCode"] == 500
    assert reply["body"].startswith("The reply has 63")
    assert caplog.messages[-1] == reply["body"]


# Documentation and waste


def test_f34_every_option_is_documented_as_it_is() -> None:
    """The documentation shows an option TEXT_MIME_TYPES, which is a TypeError, and omits others; [] means defaults."""
    with pytest.raises(TypeError):
        Mangum(hi, TEXT_MIME_TYPES=["a/b"])  # type: ignore[call-arg, arg-type]  # the documentation shows it
    options = [name for name in inspect.signature(Lambent).parameters if name != "app"]
    documented = inspect.getdoc(Lambent) or ""
    assert [name for name in options if f"- `{name}`: " not in documented] == []
    assert documented.count("\n- `") == len(options) + 1  # `app` too
    assert "::: lambent.adapter.Lambent" in (DOCS / "reference" / "configuration.md").read_text("utf-8")
    app = says(headers=[(b"content-type", b"a/b")])
    assert lambent(app, payload("rest_v1"), text_types=["a/b"])["body"] == "hi"
    assert lambent(hi, payload("rest_v1"), text_types=[])["body"] == "hi"  # they are added to those that are known


def test_f35_the_versions_are_those_of_the_request_and_of_today() -> None:
    """`http_version` is always 1.1, `spec_version` 2.0: Starlette then goes its oldest way."""
    event = payload("http_api_get")
    event["requestContext"]["http"]["protocol"] = "HTTP/2.0"
    theirs, ours = scopes(event)
    assert (theirs["http_version"], theirs["asgi"]["spec_version"]) == ("1.1", "2.0")
    assert (ours["http_version"], ours["asgi"]["spec_version"]) == ("2", "2.5")


def test_f36_an_invocation_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Six INFO records per invocation."""
    caplog.set_level(logging.INFO)
    mangum(Life(), payload("http_api_get"), lifespan="on")
    assert sum(record.name.startswith("mangum") for record in caplog.records) >= 6
    caplog.clear()
    lambent(Life(), payload("http_api_get"), lifespan="on")
    assert caplog.records == []


class Counted:
    """A door that counts how often it translates a request."""

    def __init__(self, name: str) -> None:
        self.inner = detect(payload(name), GATEWAYS)
        self.name = self.inner.name
        self.limit = self.inner.limit
        self.count = 0

    def matches(self, event: Payload) -> bool:
        return self.inner.matches(event)

    def request(self, event: Payload, settings: Settings) -> GatewayRequest:
        self.count += 1
        return self.inner.request(event, settings)

    def reply(self, response: GatewayResponse, event: Payload, settings: Settings) -> Any:
        return self.inner.reply(response, event, settings)


def test_f37_a_request_is_translated_once() -> None:
    """The scope is built again on the way out, to read the version of the event."""
    built = 0

    class Counting(HTTPGateway):
        @property
        def scope(self) -> Any:
            nonlocal built
            built += 1
            return super().scope

    mangum(hi, payload("http_api_get"), custom_handlers=[Counting])
    assert built == 2
    door = Counted("http_api_get")
    lambent(hi, payload("http_api_get"), gateways=[door])
    assert door.count == 1


class Queue:
    """A door of one's own, given as a class: the records of a queue as one request, what failed as its reply."""

    name = "queue"
    limit = 6 * 1024 * 1024

    @staticmethod
    def matches(event: Payload) -> bool:
        return "Records" in event and event["Records"][0].get("eventSource") == "aws:sqs"

    @staticmethod
    def request(event: Payload, settings: Settings) -> GatewayRequest:
        records = json.dumps([record["body"] for record in event["Records"]]).encode()
        return GatewayRequest("POST", "/queue", b"/queue", b"", "", "https", "1.1", [], None, None, records)

    @staticmethod
    def reply(response: GatewayResponse, event: Payload, settings: Settings) -> Any:
        failed = event["Records"] if response.status >= 500 else []
        return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in failed]}


def test_f38_a_door_of_one_s_own_reads_any_event_and_gives_any_reply() -> None:
    """Custom handlers cannot fan records out, reply with partial failures, or choose the lifespan.

    A door gives the reply that it likes, and the lifespan is no matter of doors: it runs once per environment. One
    request for each record is the work of handlers of events, not of doors of HTTP.
    """
    event, life = payload("sqs"), Life()
    identifiers = [{"itemIdentifier": record["messageId"]} for record in event["Records"]]
    assert lambent(says(status=500), event, gateways=[Queue, *GATEWAYS]) == {"batchItemFailures": identifiers}
    with closing(Lambent(life, gateways=[Queue, *GATEWAYS], lifespan="on")) as handler:
        assert handler(event) == {"batchItemFailures": []}
        assert handler(payload("http_api_get"))["body"] == "hi"
    assert life.seen == ["lifespan.startup", "lifespan.shutdown"]


# The WebSockets that it had, up to 0.12: what was wrong with them, right here in every kind of runtime


def sockets(app: ASGIApp, story: Callable[[Gateway], Awaitable[None]], **options: Any) -> None:
    for kind in KINDS:
        kind.play(app, story, **options)


async def loop_of_the_documentation(websocket: WebSocket) -> None:
    await websocket.accept()
    while True:
        data = await websocket.receive_text()
        await websocket.send_text(f"Message text was: {data}")


DOCUMENTED = Starlette(routes=[WebSocketRoute("/", loop_of_the_documentation)])


def test_w01_the_handshake_decides_and_is_seen_whole() -> None:
    """No connect-time accept or refusal; query string, path, headers and event of `$connect` are lost."""
    seen: list[tuple[Any, ...]] = []

    async def endpoint(websocket: WebSocket) -> None:
        seen.append((websocket.url.path, websocket.headers["x-a"], websocket.scope["aws.event"]["requestContext"]))
        if websocket.query_params["token"] != "good":
            await websocket.close(1008)
            return
        await websocket.accept()
        await websocket.receive_text()

    async def story(gateway: Gateway) -> None:
        for token, status in (("bad", 403), ("good", 200)):
            reply = await gateway.socket().connect({"token": token}, {"X-A": "1"})
            assert reply["statusCode"] == status
            path, header, context = seen[-1]
            assert (path, header, context["eventType"]) == ("/ws", "1", "CONNECT")

    sockets(Starlette(routes=[WebSocketRoute("/ws", endpoint)]), story, websocket_path="/ws")


def test_w02_the_application_is_told_of_the_end() -> None:
    """The application is never told of `$disconnect`; it hears of an end, with 1000, after its first send instead."""
    heard: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": "one"})
            await send({"type": "websocket.send", "text": "two"})
        heard.append(message)

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        await socket.send()
        assert gateway.posts.take() == ["one", "two"]
        assert heard == []
        await socket.leave(1001, "tab closed")
        assert heard.pop() == {"type": "websocket.disconnect", "code": 1001, "reason": "tab closed"}

    sockets(app, story)


def test_w03_an_application_that_receives_without_sending_does_not_hang() -> None:
    """It hangs until the function times out."""
    heard: list[str] = []

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        while True:
            heard.append(await websocket.receive_text())

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        assert await socket.send("hi") == {"statusCode": 200}
        assert heard.pop() == "hi"

    sockets(Starlette(routes=[WebSocketRoute("/", endpoint)]), story)


def test_w04_a_greeting_is_sent_once() -> None:
    """A send right after the accept is answered with 500, and nothing is sent."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text("welcome")
        await websocket.receive_text()
        await websocket.receive_text()

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        assert await socket.connect() == {"statusCode": 200}
        assert await socket.send() == {"statusCode": 200}
        assert gateway.posts.take() == ["welcome"]

    sockets(Starlette(routes=[WebSocketRoute("/", endpoint)]), story)


def test_w05_the_loop_of_the_documentation_succeeds() -> None:
    """It is answered with 500 at every message, for its disconnect counts as an error of the application."""

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        for text in ("one", "two"):
            assert await socket.send(text) == {"statusCode": 200}
        assert gateway.posts.take() == ["Message text was: one", "Message text was: two"]
        assert await socket.leave() == {"statusCode": 200}

    sockets(DOCUMENTED, story, errors="raise")


def test_w06_an_application_that_closes_at_the_end_keeps_its_client() -> None:
    """An application that closes after the disconnect, as its own test's, has the client deleted after one message."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        try:
            while (await receive())["type"] == "websocket.receive":
                await send({"type": "websocket.send", "text": "hi"})
        finally:
            await send({"type": "websocket.close"})

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        for _ in range(2):
            assert await socket.send() == {"statusCode": 200}
        assert gateway.posts.take() == ["hi", "hi"]
        await socket.leave()
        assert gateway.posts.ended == []

    sockets(app, story)


def test_w07_bytes_are_sent_as_they_are() -> None:
    """`body` is looked at where ASGI has `bytes`: b"" is posted in their place; `text: None` is an AttributeError."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "bytes": message["bytes"], "text": None})

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        assert await socket.send("AP8=", isBase64Encoded=True) == {"statusCode": 200}
        assert gateway.posts.sent == [(socket.id, b"\0\xff")]

    sockets(app, story)


def test_w08_the_url_of_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    """`sqlite://mydbfile.sqlite3`, of its documentation, is a private database: every message finds no connection."""
    with pytest.raises(ConfigurationError, match=r"Write sqlite:///mydbfile\.sqlite3"):
        open_store("sqlite://mydbfile.sqlite3")

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        await socket.send("one", environment=1)
        assert gateway.posts.take() == ["Message text was: one"]

    async def init() -> None:
        store = open_store(url)
        await store.init()
        await store.close()

    url = f"sqlite:///{tmp_path}/connections.db"
    asyncio.run(init())

    async def stored(gateway: Gateway) -> None:
        try:
            await story(gateway)
        finally:
            for handler in gateway.handlers:
                if handler._conversations is not None:
                    await handler._conversations.close()

    sockets(DOCUMENTED, stored, store=url, environments=2)


def test_w09_a_connection_may_connect_again() -> None:
    """A second `$connect` of one connection is an IntegrityError, or a ConditionalCheckFailedException."""

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        for _ in range(2):
            assert await socket.connect() == {"statusCode": 200}
        await socket.send("one")
        assert gateway.posts.take() == ["Message text was: one"]

    sockets(DOCUMENTED, story)


def test_w10_what_belongs_to_a_websocket_is_there() -> None:
    """The scheme is https; subprotocols, headers of the accept, code and reason of the end are dropped."""
    seen: list[Any] = []

    async def endpoint(websocket: WebSocket) -> None:
        seen.append((websocket.url.scheme, websocket.scope["subprotocols"]))
        await websocket.accept("chat.v1", [(b"x-a", b"1")])
        try:
            await websocket.receive_text()
        except WebSocketDisconnect as end:
            seen.append((end.code, end.reason))

    async def story(gateway: Gateway) -> None:
        seen.clear()
        socket = gateway.socket()
        reply = await socket.connect(headers={"Sec-WebSocket-Protocol": "chat.v2, chat.v1"})
        assert reply["headers"] == {"x-a": "1", "sec-websocket-protocol": "chat.v1"}
        await socket.leave(4001, "bye")
        assert (seen[0], seen[-1]) == (("wss", ["chat.v2", "chat.v1"]), (4001, "bye"))

    sockets(Starlette(routes=[WebSocketRoute("/", endpoint)]), story)


def test_w11_clients_are_reached_from_anywhere_and_what_has_ended_expires() -> None:
    """Nothing is pushed outside of a message, and a row whose `$disconnect` is lost stays for ever."""

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        posts: Any = gateway.posts
        async with Connections(gateway.store, posts) as connections:
            await connections.send(socket.id, "news")
        assert gateway.posts.take() == ["news"]
        ((_, expires),) = gateway.store._values.values()
        assert 7200 < expires - time.time() < 7800

    sockets(DOCUMENTED, story)


def test_w12_who_has_no_websockets_imports_nothing_for_them() -> None:
    """Importing its WebSockets doubled the time of a cold start."""
    script = """
import sys
from lambent import Lambent

async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hi"})

Lambent(app, lifespan="off")({"version": "2.0", "requestContext": {"http": {"method": "GET"}}, "rawPath": "/"})
print(sorted(name for name in sys.modules if name.startswith(("lambent.websocket", "lambent.stores", "lambent.aws"))))
print("lambent.asgi.websocket" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\nFalse\n"


# The list is whole


def test_every_fault_of_the_list_has_a_test() -> None:
    tests = {name: test for name, test in globals().items() if name.startswith(("test_f", "test_w"))}
    assert {name[:8] for name in tests} == {
        *(f"test_f{number:02}" for number in range(1, 39)),
        *(f"test_w{number:02}" for number in range(1, 13)),
    }
    assert [name for name, test in tests.items() if not test.__doc__] == []
