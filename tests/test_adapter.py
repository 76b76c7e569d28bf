"""The adapter: whatever comes in and whatever the application does, there is a reply."""

import asyncio
import copy
import json
import logging
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import Request

from lambent import Lambent
from lambent.errors import (
    AppError,
    ConfigurationError,
    EventError,
    FailureStatus,
    IncompleteResponse,
    InvalidResult,
    UnexpectedMessage,
    UnknownEvent,
)
from lambent.gateway.model import Request as GatewayRequest
from lambent.gateway.model import Response, Settings
from lambent.invocation import Handled, Streamed
from lambent.types import ASGIApp, Message, Receive, Scope, Send, Writer
from tests.payloads import DOORS, OTHERS, Payload, payload

START: Message = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}
BODY: Message = {"type": "http.response.body", "body": b"hi"}
SERVER_ERROR = {
    "statusCode": 500,
    "headers": {"content-type": "text/plain; charset=utf-8"},
    "body": "Internal Server Error",
    "isBase64Encoded": False,
}
HI = {"statusCode": 200, "headers": {"content-type": "text/plain"}, "body": "hi", "isBase64Encoded": False}


async def hi(scope: Scope, receive: Receive, send: Send) -> None:
    await send(START)
    await send(BODY)


def answer(app: ASGIApp, event: Any = None, **options: Any) -> dict[str, Any]:
    with closing(Lambent(app, **{"lifespan": "off"} | options)) as handler:
        reply: dict[str, Any] = handler(payload("function_url_get") if event is None else event)
        return reply


def says(*messages: Any) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    return app


# Events


@pytest.mark.parametrize("name", DOORS)
def test_every_event_of_a_door_is_served(name: str) -> None:
    event = payload(name)
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        await hi(scope, receive, send)

    reply = answer(app, event)
    assert (int(reply.get("statusCode") or reply["status"]), reply["body"]) == (200, "hi")
    assert seen[0]["aws.event"] is event
    assert event == payload(name)


@pytest.mark.parametrize("name", OTHERS)
def test_any_other_event_is_refused_and_the_environment_lives_on(name: str) -> None:
    with closing(Lambent(hi)) as handler:
        with pytest.raises(UnknownEvent, match="function_url, http_api"):
            handler(payload(name))
        assert handler(payload("http_api_get")) == HI


@pytest.mark.parametrize("event", [None, [], "text", 7, {}])
def test_an_event_that_is_no_object_of_a_known_shape_is_refused(event: Any) -> None:
    with closing(Lambent(hi)) as handler, pytest.raises(UnknownEvent):
        handler(event)


def test_the_context_reaches_the_application() -> None:
    context = object()
    seen: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["aws.context"])
        await hi(scope, receive, send)

    with closing(Lambent(app)) as handler:
        handler(payload("http_api_get"), context)  # type: ignore[arg-type]  # the adapter passes on what it is given
        handler(payload("http_api_get"))
    assert seen == [context, None]


def test_the_body_reaches_the_application() -> None:
    async def echo(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        await send({"type": "http.response.body", "body": (await receive())["body"]})

    assert answer(echo, payload("http_api_form_base64"))["body"] == "name=ada&city=Z%C3%BCrich"


def malformed(name: str, **changes: Any) -> Payload:
    return payload(name) | changes


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (malformed("http_api_form_base64", body="not base64!"), "Expected `body` to be base64"),
        (malformed("function_url_json_post", body="\ud83d"), "Expected `body` to be text that UTF-8 can encode"),
        (malformed("function_url_json_post", body=7), "Expected `body` to be a string, but got a int"),
        (malformed("http_api_get", headers={"host": None}), "but got a NoneType under 'host'"),
        (malformed("http_api_get", headers={"x": "日", "y": 7}), "but got a int under 'y'"),
        (malformed("http_api_get", headers=["host"]), "but got a JSON list"),
        (malformed("http_api_get", cookies=7), "Expected `cookies` to be a list of strings, but got a int"),
        (malformed("http_api_get", cookies=[None]), "TypeError"),
        (malformed("http_api_get", rawPath=7), "TypeError"),
        (malformed("function_url_get", rawPath={"a": 1}), "AttributeError"),
        (malformed("http_api_get", rawQueryString=7), "AttributeError"),
    ],
)
def test_a_malformed_event_is_answered_400_with_the_reason_and_logged(
    event: Payload, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    called: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        called.append(scope)

    reply = answer(app, event)
    assert reply["statusCode"] == 400
    assert reply["headers"] == {"content-type": "text/plain; charset=utf-8"}
    assert reply["body"].startswith("Bad Request: ")
    assert told in reply["body"]
    assert called == []
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("lambent", logging.WARNING)
    reason = reply["body"].removeprefix("Bad Request: ")
    assert record.getMessage() in {f"http_api event refused: {reason}", f"function_url event refused: {reason}"}


def test_a_body_that_the_door_has_cut_off_is_answered_413_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    event = payload("edge_origin_request")
    event["Records"][0]["cf"]["request"]["body"]["inputTruncated"] = True
    reply = answer(hi, event)
    assert reply["status"] == "413"
    assert reply["body"].startswith("Content Too Large: Expected a whole body, but CloudFront has cut it off: ")
    assert caplog.messages == ["edge event refused: " + reply["body"].removeprefix("Content Too Large: ")]


@pytest.mark.parametrize("name", ["function_url_get", "http_api_get"])
def test_without_its_request_context_an_event_has_no_door_and_without_a_method_it_is_refused(name: str) -> None:
    event = payload(name)
    del event["requestContext"]["http"]["method"]
    try:
        assert answer(hi, event)["statusCode"] == 400
    except UnknownEvent:
        assert name == "http_api_get"
    with pytest.raises(UnknownEvent):
        answer(hi, malformed(name, requestContext=None))


STRINGS = ["", " ", "\ud800", "日本", "%", "%zz", "\0", "a\r\nb: c", "::"]
ODD: list[Any] = [None, True, False, 0, -1, 7, 1.5, 2**70, [], ["a"], {}, *STRINGS]
DROP = object()


def places(value: Any, trail: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value within `value`."""
    found = [trail] if trail else []
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        found += places(each, (*trail, key))
    return found


def mutated(event: Payload, changes: list[tuple[int, Any]]) -> Payload:
    """A copy of `event` with a value at some places, or none."""
    event = copy.deepcopy(event)
    for number, value in changes:
        if not (found := places(event)):
            return event
        *trail, last = found[number % len(found)]
        target: Any = event
        for key in trail:
            target = target[key]
        if value is DROP:
            del target[last]
        else:
            target[last] = copy.deepcopy(value)
    return event


@settings(deadline=None)
@given(
    name=st.sampled_from([*DOORS, *OTHERS]),
    changes=st.lists(
        st.tuples(st.integers(0, 999), st.sampled_from([DROP, *ODD]) | st.text(max_size=3)), min_size=1, max_size=4
    ),
)
def test_any_event_gets_a_status_or_an_event_error(name: str, changes: list[tuple[int, Any]]) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        assert isinstance(scope["path"], str)
        assert all(type(scope[key]) is bytes for key in ("raw_path", "query_string"))
        assert all(type(part) is bytes for header in request.headers.raw for part in header)
        _ = request.cookies, request.headers, await request.body()
        await hi(scope, receive, send)

    event = mutated(payload(name), changes)
    try:
        reply = answer(app, event)
    except EventError:
        return
    assert int(reply.get("statusCode") or reply["status"]) in (200, 400)
    json.dumps(reply)


def test_every_single_change_of_an_event_gets_a_status_or_an_event_error() -> None:
    values: list[Any] = [DROP, *ODD, ["x"], {"x": 1}]
    statuses: set[int] = set()
    refused = 0
    with closing(Lambent(hi, lifespan="off")) as handler:
        for name in ("function_url_cookies", "http_api_form_base64"):
            event = payload(name)
            for number in range(len(places(event))):
                for value in values:
                    try:
                        statuses.add(handler(mutated(event, [(number, value)]))["statusCode"])
                    except EventError:
                        refused += 1
    assert statuses == {200, 400}
    assert refused > 0


# What an application does


@pytest.mark.parametrize(
    "app",
    [
        says(),
        says(START),
        says(BODY),
        says(START, {**BODY, "more_body": True}),
        says(START, START),
        says(START, {"type": "http.response.trailers"}),
        says({"type": "websocket.accept"}),
        says({"type": "nonsense"}),
        says({}),
        says("http.response.start"),
        says(None),
        says({"type": ["http.response.start"]}),
        says({"type": "http.response.start", "status": "200"}),
        says({"type": "http.response.start", "status": 200, "headers": [("x", "y")]}),
        says({"type": "http.response.start", "status": 200, "headers": [(b"x", [121])]}, BODY),
        says(START, {"type": "http.response.body", "body": "text"}),
        says(START, {"type": "http.response.body", "body": None}),
    ],
)
def test_an_application_that_breaks_the_protocol_is_answered_for_with_500(
    app: ASGIApp, caplog: pytest.LogCaptureFixture
) -> None:
    assert answer(app) == SERVER_ERROR
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("lambent", logging.ERROR)
    assert "GET /items/7 is answered with 500." in record.getMessage()


@pytest.mark.parametrize(
    ("sent", "state"), [([], "awaiting http.response.start"), ([START], "awaiting http.response.body")]
)
def test_an_application_that_returns_too_early_is_told_apart_by_its_state(
    sent: list[Message], state: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert answer(says(*sent)) == SERVER_ERROR
    (record,) = caplog.records
    assert record.getMessage() == f"The application returned while {state}; GET /items/7 is answered with 500."


@pytest.mark.parametrize("sent", [[], [START], [START, {**BODY, "more_body": True}]])
def test_an_application_that_raises_is_logged_with_its_traceback_and_the_next_request_served(
    sent: list[Message], caplog: pytest.LogCaptureFixture
) -> None:
    fails = [True]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if fails:
            fails.clear()
            await says(*sent)(scope, receive, send)
            raise ValueError("oil has run out")
        await hi(scope, receive, send)

    with closing(Lambent(app, lifespan="off")) as handler:
        assert handler(payload("http_api_get")) == SERVER_ERROR
        assert handler(payload("http_api_get")) == HI
    (record,) = caplog.records
    assert record.getMessage() == "The application raised; GET /items/7 is answered with 500."
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ValueError)
    assert "in app" in caplog.text  # a line of the traceback


def test_an_exception_that_is_false_is_an_exception(caplog: pytest.LogCaptureFixture) -> None:
    class Empty(Exception):
        def __len__(self) -> int:
            return 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await hi(scope, receive, send)
        raise Empty

    assert answer(app) == HI
    assert "Empty" in caplog.text


def test_an_exception_after_the_response_is_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({**START, "status": 503})
        await send(BODY)
        raise ValueError("as Starlette's error middleware does")

    assert answer(app) == HI | {"statusCode": 503}
    (record,) = caplog.records
    assert record.getMessage() == "The application raised; GET /items/7 had been answered."
    assert record.exc_info is not None


def test_a_message_after_the_response_is_refused_and_the_response_stands(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await hi(scope, receive, send)
        for message in (START, BODY):
            with pytest.raises(UnexpectedMessage, match="nothing after its response"):
                await send(message)

    assert answer(app) == HI
    assert caplog.records == []


def test_an_application_that_heeds_a_refusal_may_answer_otherwise() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        with pytest.raises(AppError):
            await send({"type": "http.response.start", "status": 0})
        await hi(scope, receive, send)

    assert answer(app) == HI


@pytest.mark.parametrize("field", [(b"x-a", b"1\r\nset-cookie: stolen=1"), (b"x\n", b"1"), (b"set-cookie", b"a=\0")])
def test_a_header_that_would_inject_another_is_answered_with_500(field: tuple[bytes, bytes]) -> None:
    app = says({"type": "http.response.start", "status": 200, "headers": [(b"x-before", b"1"), field]}, BODY)
    assert answer(app) == SERVER_ERROR


def test_a_response_that_the_door_cannot_translate_is_answered_with_500(caplog: pytest.LogCaptureFixture) -> None:
    class Brittle:
        """A door that translates one response only."""

        name = "brittle"
        limit = 1000

        def matches(self, event: dict[str, Any]) -> bool:
            return True

        def request(self, event: dict[str, Any], settings: Settings) -> GatewayRequest:
            return GatewayRequest("GET", "/", b"/", b"", "", "https", "1.1", [], None, None, b"")

        def reply(self, response: Response, event: dict[str, Any], settings: Settings) -> dict[str, Any]:
            if response.status != 500:
                raise ValueError("cannot say that")
            return {"said": response.body.decode()}

    assert answer(hi, {}, gateways=[Brittle()]) == {"said": "Internal Server Error"}
    assert "cannot say that" in caplog.text


def test_a_head_request_gets_the_headers_and_no_body() -> None:
    event = payload("function_url_get")
    event["requestContext"]["http"]["method"] = "HEAD"
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"2")]
    app = says({"type": "http.response.start", "status": 200, "headers": headers}, BODY)
    assert answer(app, event) == {
        "statusCode": 200,
        "headers": {"content-type": "text/plain", "content-length": "2"},
        "body": "",
        "isBase64Encoded": False,
    }


def test_no_content_gets_no_content_type() -> None:
    app = says({"type": "http.response.start", "status": 204}, {"type": "http.response.body"})
    assert answer(app) == {"statusCode": 204, "headers": {}, "body": "", "isBase64Encoded": False}


def test_cookies_leave_as_cookies_and_bytes_as_base64() -> None:
    headers = [(b"Set-Cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"Content-Type", b"image/png")]
    app = says({"type": "http.response.start", "status": 200, "headers": headers}, {**BODY, "body": b"\x89PNG"})
    assert answer(app) == {
        "statusCode": 200,
        "headers": {"content-type": "image/png"},
        "body": "iVBORw==",
        "isBase64Encoded": True,
        "cookies": ["a=1", "b=2"],
    }


def test_an_application_that_listens_for_the_disconnect_hears_it_after_its_response() -> None:
    heard: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def listen() -> None:
            heard.append((await receive())["type"])

        heard.append((await receive())["type"])
        async with asyncio.TaskGroup() as group:
            group.create_task(listen())
            await asyncio.sleep(0)
            await hi(scope, receive, send)
            heard.append("response")

    assert answer(app) == HI
    assert heard == ["http.request", "response", "http.disconnect"]


def test_a_listener_left_behind_by_an_application_that_fails_hears_the_disconnect() -> None:
    heard: list[str] = []
    tasks: list[asyncio.Task[None]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def listen() -> None:
            heard.append((await receive())["type"])

        await receive()
        if not tasks:
            tasks.append(asyncio.create_task(listen()))
            await asyncio.sleep(0)
            return
        await tasks[0]
        await hi(scope, receive, send)

    with closing(Lambent(app, lifespan="off")) as handler:
        assert handler(payload("http_api_get")) == SERVER_ERROR
        assert handler(payload("http_api_get")) == HI
    assert heard == ["http.disconnect"]


def test_a_reply_is_made_once() -> None:
    replies: list[object] = []

    class Invocation(Handled):
        async def reply(self, result: object) -> None:
            replies.append(result)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await hi(scope, receive, send)
        assert replies == [HI]  # it leaves before the application ends
        raise ValueError

    asyncio.run(Lambent(app).serve(Invocation(payload("http_api_get"), None)))
    assert replies == [HI]


# Options


@pytest.mark.parametrize("lifespan", ["", "AUTO", None, True])
def test_a_lifespan_mode_that_is_none_is_refused(lifespan: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"Expected `lifespan` to be 'auto', 'on' or 'off', but got"):
        Lambent(hi, lifespan=lifespan)


@pytest.mark.parametrize("app", [None, "app:app", 7])
def test_an_application_that_cannot_be_called_is_refused(app: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"Expected an ASGI application, but got .*, which is not callable\."):
        Lambent(app)


@pytest.mark.parametrize("path", ["ws", "", "/ws?room=a", "/ws#top", "wss://host/ws", None, 7])
def test_a_path_of_websockets_that_is_none_is_refused(path: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"Expected `websocket_path` to be a path such as '/ws', .*but got "):
        Lambent(hi, websocket_path=path)


def test_a_path_of_websockets_may_have_parts_of_the_query_or_be_a_function() -> None:
    for path in ("/", "/rooms/{room}", lambda event: "/ws"):
        Lambent(hi, websocket_path=path)


def test_an_application_may_be_an_object_with_call() -> None:
    class App:
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await hi(scope, receive, send)

    assert answer(App()) == HI


def test_only_the_doors_that_were_given_are_asked() -> None:
    http_api = Lambent(hi).gateways[1:2]
    with pytest.raises(UnknownEvent, match=r"one of the gateways http_api, but"):
        answer(hi, payload("sqs"), gateways=http_api)
    assert answer(hi, payload("function_url_get"), gateways=iter(http_api)) == HI


# The lifespan, as the options say


class Recorder:
    """An application that writes down its life."""

    def __init__(self, startup: Callable[[Send], Awaitable[None]] | None = None) -> None:
        self.seen: list[str] = []
        self.startup = startup

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen.append(scope["type"])
        if scope["type"] == "http":
            await hi(scope, receive, send)
            return
        await receive()
        if self.startup:
            await self.startup(send)
        scope["state"]["pool"] = []
        await send({"type": "lifespan.startup.complete"})
        self.seen.append((await receive())["type"])
        await send({"type": "lifespan.shutdown.complete"})


@pytest.mark.parametrize("lifespan", ["auto", "on"])
def test_the_lifespan_starts_before_the_first_event_and_once(lifespan: Any) -> None:
    app = Recorder()
    with closing(Lambent(app, lifespan=lifespan)) as handler:
        assert app.seen == []
        for _ in range(3):
            assert handler(payload("http_api_get")) == HI
    assert app.seen == ["lifespan", "http", "http", "http", "lifespan.shutdown"]


def test_with_off_there_is_none() -> None:
    app = Recorder()
    assert answer(app, lifespan="off") == HI
    assert app.seen == ["http"]


def test_with_eager_it_starts_at_once() -> None:
    app = Recorder()
    with closing(Lambent(app, eager=True)) as handler:
        assert app.seen == ["lifespan"]
        assert handler(payload("http_api_get")) == HI
        assert app.seen == ["lifespan", "http"]


def test_with_eager_a_failing_startup_is_raised_where_the_handler_is_made() -> None:
    async def fail(send: Send) -> None:
        raise OSError("no database")

    with pytest.raises(OSError, match="no database"):
        Lambent(Recorder(fail), lifespan="on", eager=True)


async def touch_state(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await receive()
        scope["state"]["visits"] = []
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    state = scope["state"]
    assert sorted(state) == ["visits"]
    state["user"] = "ada"
    state["visits"].append(1)
    await send(START)
    await send({"type": "http.response.body", "body": str(len(state["visits"])).encode()})


def test_each_request_has_a_copy_of_the_lifespan_s_state() -> None:
    with closing(Lambent(touch_state, lifespan="on")) as handler:
        assert [handler(payload("http_api_get"))["body"] for _ in range(3)] == ["1", "2", "3"]


def test_a_startup_that_failed_leaves_nothing_in_the_state_of_the_next() -> None:
    names = iter(["first", "second"])

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await send(START)
            await send({"type": "http.response.body", "body": ",".join(scope["state"]).encode()})
            return
        await receive()
        name = next(names)
        scope["state"][name] = 1
        if name == "first":
            raise OSError(name)
        await send({"type": "lifespan.startup.complete"})
        await receive()

    with closing(Lambent(app, lifespan="on")) as handler:
        with pytest.raises(OSError, match="first"):
            handler(payload("http_api_get"))
        assert handler(payload("http_api_get"))["body"] == "second"


def test_with_on_an_application_without_a_lifespan_fails_with_its_own_exception_at_each_call() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise NotImplementedError("http only")
        await hi(scope, receive, send)

    with closing(Lambent(app, lifespan="on")) as handler:
        for _ in range(2):
            with pytest.raises(NotImplementedError, match="http only"):
                handler(payload("http_api_get"))
    assert answer(app, lifespan="auto") == HI


# Options


def fails_after_its_500(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
    """As Starlette does: a whole 500, then the exception."""

    async def app() -> None:
        await send({"type": "http.response.start", "status": 500, "headers": []})
        await send({"type": "http.response.body", "body": b"my own error page"})
        raise ValueError("oil has run out")

    return app()


def status(code: int) -> ASGIApp:
    return says({"type": "http.response.start", "status": code, "headers": []}, {**BODY, "body": b"said"})


@pytest.mark.parametrize("sent", [[], [START], [START, {**BODY, "more_body": True}]])
def test_errors_raise_fails_the_invocation_with_the_applications_own_exception(sent: list[Message]) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await says(*sent)(scope, receive, send)
        raise ValueError("oil has run out")

    with pytest.raises(ValueError, match="oil has run out"):
        answer(app, errors="raise")


def test_errors_raise_holds_a_500_until_the_application_has_ended() -> None:
    with pytest.raises(ValueError, match="oil has run out"):
        answer(fails_after_its_500, errors="raise")
    assert answer(status(503), errors="raise")["statusCode"] == 503


def test_errors_respond_sends_the_applications_own_500() -> None:
    assert answer(fails_after_its_500)["body"] == "bXkgb3duIGVycm9yIHBhZ2U="


def test_errors_raise_leaves_an_exception_after_a_good_response_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await hi(scope, receive, send)
        raise ValueError("too late")

    assert answer(app, errors="raise") == HI
    assert "too late" in caplog.text


def test_errors_raise_fails_the_invocation_of_an_application_that_sends_nothing() -> None:
    with pytest.raises(IncompleteResponse, match=r"awaiting http\.response\.start"):
        answer(says(), errors="raise")


@pytest.mark.parametrize("code", [404, 500, 502])
def test_failure_statuses_fail_the_invocation(code: int) -> None:
    with pytest.raises(FailureStatus, match=rf"{code}: b'said'"):
        answer(status(code), failure_statuses={404, 500, 502})
    assert answer(status(503), failure_statuses={404, 500, 502})["statusCode"] == 503


def test_failure_statuses_count_the_500_that_answers_for_an_application_and_name_its_exception() -> None:
    with pytest.raises(FailureStatus) as caught:
        answer(fails_after_its_500, failure_statuses={500})
    assert isinstance(caught.value.__cause__, ValueError)
    with pytest.raises(FailureStatus):
        answer(says(), failure_statuses={500})


def test_excluded_headers_are_not_sent_whatever_their_case() -> None:
    fields = [(b"X-Powered-By", b"oil"), (b"content-type", b"text/plain")]
    app = says({"type": "http.response.start", "status": 200, "headers": fields}, BODY)
    assert answer(app, exclude_headers=["x-POWERED-by"])["headers"] == {"content-type": "text/plain"}


def test_a_media_type_is_text_if_one_says_so() -> None:
    app = says({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"Model/OBJ; v=1")]}, BODY)
    assert answer(app)["isBase64Encoded"] is True
    reply = answer(app, text_types=["model/obj"])
    assert (reply["body"], reply["isBase64Encoded"]) == ("hi", False)


@pytest.mark.parametrize(
    ("path", "root_path"),
    [("/v1/items", "/v1"), ("/v1", "/v1"), ("/v1/", "/v1"), ("/v10/items", ""), ("/items/v1", ""), ("/", "")],
)
@pytest.mark.parametrize("base_path", ["/v1", "v1", "/v1/"])
def test_a_base_path_is_part_of_the_root_path_at_the_boundary_of_a_segment(
    path: str, root_path: str, base_path: str
) -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        await hi(scope, receive, send)

    answer(app, payload("function_url_get") | {"rawPath": path}, base_path=base_path)
    assert (seen[0]["path"], seen[0]["root_path"]) == (path, root_path)


def test_a_base_path_comes_after_the_stage() -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        await hi(scope, receive, send)

    event = payload("http_api_stage")
    stage = event["requestContext"]["stage"]
    answer(app, event | {"rawPath": f"/{stage}/v1/items"}, base_path="/v1")
    assert (seen[0]["path"], seen[0]["root_path"]) == (f"/{stage}/v1/items", f"/{stage}/v1")


def test_a_reply_larger_than_the_door_takes_becomes_an_error_that_says_by_how_much(
    caplog: pytest.LogCaptureFixture,
) -> None:
    large = b"x" * 6_400_000
    app = says(START, {**BODY, "body": large})
    reply = answer(app)
    assert reply["statusCode"] == 500
    assert "more than the 6291556 that function_url takes" in reply["body"]
    assert caplog.messages == [reply["body"]]
    with pytest.raises(InvalidResult, match="6291556"):
        answer(app, errors="raise")


def test_a_reply_that_just_fits_is_sent() -> None:
    frame = len(json.dumps(answer(says(START, {**BODY, "body": b""})), separators=(",", ":")))
    fits = b"x" * (6_291_556 - frame)
    assert answer(says(START, {**BODY, "body": fits}))["body"] == fits.decode()
    assert answer(says(START, {**BODY, "body": fits + b"x"}))["statusCode"] == 500


@pytest.mark.parametrize("option", [{"errors": "ignore"}, {"lifespan": "maybe"}])
def test_an_option_that_does_not_exist_is_refused_with_those_that_do(option: dict[str, Any]) -> None:
    (name,) = option
    with pytest.raises(ConfigurationError, match=f"Expected `{name}` to be '.*' or '.*', but got"):
        Lambent(hi, **option)


# Streaming

STREAMING = {"function_url", "rest_api"}
ONE: Message = {"type": "http.response.body", "body": b"one", "more_body": True}


class Streaming(Handled):
    """An invocation that can stream, and what was replied to it."""

    can_stream = True

    def __init__(self, event: Any) -> None:
        super().__init__(event, None)
        self.went: list[Any] = []

    async def reply(self, result: Any) -> None:
        self.went.append(result)

    async def stream(self, prelude: Any) -> Writer:
        self.went.append(prelude)
        return self

    async def write(self, data: bytes) -> None:
        self.went.append(data)

    async def close(self) -> None:
        self.went.append("end")


def streams(app: ASGIApp, event: Any = None, **options: Any) -> list[Any]:
    """What leaves, with the status in place of the prelude."""
    invocation = Streaming(payload("function_url_get") if event is None else event)
    chosen: dict[str, Any] = {"lifespan": "off", "stream": True} | options
    asyncio.run(Lambent(app, **chosen).serve(invocation))
    return [went["statusCode"] if isinstance(went, dict) else went for went in invocation.went]


@pytest.mark.parametrize("name", DOORS)
def test_events_of_doors_that_cannot_stream_are_answered_whole(name: str) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in (START, ONE, BODY):
            await send(message)

    invocation = Streaming(payload(name))
    asyncio.run(Lambent(app, lifespan="off", stream=True).serve(invocation))
    if DOORS[name] in STREAMING:
        assert invocation.went[1:] == [b"one", b"hi", "end"]
    else:
        assert invocation.went == [answer(app, payload(name))]


def test_so_are_all_where_the_runtime_cannot_or_nobody_asked_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAMBENT_STREAM", raising=False)
    assert answer(hi, stream=True) == HI
    assert streams(hi, stream=None) == [200]


@pytest.mark.parametrize(("text", "wanted"), [("1", True), ("0", False), ("", False)])
def test_the_environment_says_it_for_all_that_do_not(monkeypatch: pytest.MonkeyPatch, text: str, wanted: bool) -> None:
    monkeypatch.setenv("LAMBENT_STREAM", text)
    assert Lambent(hi).stream is wanted
    assert Lambent(hi, stream=False).stream is False
    assert Lambent(hi, stream=True).stream is True


def test_the_environment_must_say_it_clearly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMBENT_STREAM", "yes")
    with pytest.raises(ConfigurationError, match="Expected `LAMBENT_STREAM` to be '0' or '1', but got 'yes'"):
        Lambent(hi)


@pytest.mark.parametrize("how", ["option", "variable"])
def test_aws_own_runtime_is_refused_at_init_and_the_way_out_named(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001")
    monkeypatch.delitem(sys.modules, "lambent.runtime", raising=False)
    monkeypatch.setenv("LAMBENT_STREAM", "1" if how == "variable" else "")
    with pytest.raises(ConfigurationError, match="AWS_LAMBDA_EXEC_WRAPPER"):
        Lambent(hi, stream=True if how == "option" else None)
    Lambent(hi, stream=False)


def test_what_fails_before_the_first_byte_is_answered(caplog: pytest.LogCaptureFixture) -> None:
    [reply] = streams(says(START, {"type": "nonsense"}))
    assert (reply.prelude["statusCode"], reply.body) == (500, b"Internal Server Error")
    with pytest.raises(UnexpectedMessage):
        streams(says(START, {"type": "nonsense"}), errors="raise")


@pytest.mark.parametrize("errors", ["respond", "raise"])
def test_what_fails_after_it_fails_the_invocation(errors: str) -> None:
    with pytest.raises(UnexpectedMessage):
        streams(says(START, ONE, START), errors=errors)
    with pytest.raises(IncompleteResponse, match="while streaming"):
        streams(says(START, ONE), errors=errors)


def test_what_fails_after_the_end_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    assert streams(says(START, ONE, BODY, BODY)) == [200, b"one", b"hi", "end"]
    assert "had been answered" in caplog.text


@pytest.mark.parametrize(("status", "options"), [(503, {"failure_statuses": [503]}), (500, {"errors": "raise"})])
def test_a_status_that_may_fail_the_invocation_is_held(status: int, options: dict[str, Any]) -> None:
    app = says({**START, "status": status}, ONE, BODY)
    if "errors" in options:
        [reply] = streams(app, **options)
        assert (reply.prelude["statusCode"], reply.body) == (status, b"onehi")
    else:
        with pytest.raises(FailureStatus, match="503"):
            streams(app, **options)


def test_an_event_that_cannot_be_read_is_refused_in_a_stream() -> None:
    event = payload("function_url_get") | {"body": 5}
    [reply] = streams(hi, event)
    assert reply.prelude["statusCode"] == 400


def test_excluded_headers_are_not_in_the_prelude() -> None:
    invocation = Streaming(payload("function_url_get"))
    handler = Lambent(says(START, ONE, BODY), lifespan="off", stream=True, exclude_headers=["Content-Type"])
    asyncio.run(handler.serve(invocation))
    assert invocation.went[0]["headers"] == {}


def test_when_the_time_is_up_the_answer_is_a_stream_where_one_is_expected() -> None:
    handler = Lambent(hi, stream=True)
    late = handler.timed_out(payload("function_url_get"))
    assert isinstance(late, Streamed)
    assert (late.prelude["statusCode"], late.body) == (504, b"Gateway Timeout")
    whole = handler.timed_out(payload("http_api_get"))
    assert isinstance(whole, dict)
    assert whole["statusCode"] == 504


@pytest.mark.parametrize("name", ["function_url_get", "rest_v1", "alb_single"])
def test_a_reply_that_is_too_large_is_told_the_way_out_where_there_is_one(name: str) -> None:
    reply = answer(says(START, {**BODY, "body": b"x" * 6_400_000}), payload(name))
    assert ("Stream it (`stream=True`)" in reply["body"]) is (DOORS[name] in STREAMING)
