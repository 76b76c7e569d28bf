"""Lynara's `run` and its interfaces: the same outcome as with Lynara, but for what differs on purpose."""

import asyncio
from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import Any

import lynara
import pytest
from lynara.interfaces.base import HTTPInterface as TheirHTTPInterface
from lynara.types import LifespanMode as TheirLifespanMode
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from lambent import compat
from lambent.compat.lynara import (
    APIGatewayProxyEventV1Interface,
    APIGatewayProxyEventV2Interface,
    HTTPInterface,
    LifespanMode,
    Lynara,
)
from lambent.errors import ConfigurationError, LifespanEnded, UnknownEvent
from lambent.types import ASGIApp, Message, Receive, Scope, Send
from tests.compat.plain import APP, differences, examples
from tests.payloads import DOORS, NAMES, Payload, payload

INTERFACES = ("APIGatewayProxyEventV1Interface", "APIGatewayProxyEventV2Interface")

# What differs on purpose, by the event in tests/data: see "Differs on purpose" in docs/how-to/move-from-lynara.md.
STAGE = {"route path"}  # the stage is in the root path, not in the path
QUERY = {"raw query"}  # %20 stays %20
MENDED: dict[str, set[str]] = {
    "function_url_encoded_path": {"route path"},  # decoded once
    "http_api_cookies": {"cookies"},  # Lynara loses the request's
    "http_api_decoded_path": {"route path"},
    "http_api_no_headers": {"server"},  # the event's domain name, not "lynara"
    "http_api_stage": STAGE,
    "http_api_v1_stage": STAGE,
    "rest_v1_console_test": {"client", "server"},  # unknown is None
    "rest_v1_encoded_path": {"route path"},  # repeated slashes are kept
    "rest_v1_multi_value": QUERY | {"fields", "cookies"},  # repeated fields stay apart, and all cookies are there
}
OURS = {
    (name, interface): getattr(lynara, interface)
    for name in DOORS
    for interface in INTERFACES
    if getattr(lynara, interface).match(payload(name)) and not name.startswith("lattice")
}
"""Theirs for each event that is for it; what a Lattice event has makes Lynara fail."""


def run(app: ASGIApp, event: Payload, interface: Any, mode: Any = LifespanMode.OFF, **options: Any) -> Any:
    """Ours, as a handler runs it."""
    return asyncio.run(Lynara(app, mode).run(event, None, interface, **options))


def run_theirs(app: ASGIApp, event: Payload, interface: Any, mode: Any = TheirLifespanMode.OFF, **options: Any) -> Any:
    return asyncio.run(lynara.Lynara(app, mode).run(event, None, interface, **options))


# The same application behind both


@pytest.mark.parametrize(("name", "interface"), OURS)
def test_an_event_has_the_same_outcome_but_for_what_is_mended(name: str, interface: str) -> None:
    found = differences(
        lambda: run_theirs(APP, payload(name), OURS[name, interface]),
        lambda: run(APP, payload(name), getattr(compat, interface)),
    )
    assert found == MENDED.get(name, set())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("interface", INTERFACES)
def test_an_interface_matches_what_it_matches_in_lynara(name: str, interface: str) -> None:
    event = payload(name)
    assert getattr(compat, interface).match(event) == getattr(lynara, interface).match(event)


def test_a_load_balancer_s_event_is_answered_as_that_wants_it() -> None:
    assert run(APP, payload("alb_multi"), APIGatewayProxyEventV1Interface)["statusDescription"] == "201 Created"


@pytest.mark.parametrize(
    ("name", "interface"),
    [
        ("http_api_get", APIGatewayProxyEventV1Interface),
        ("rest_v1", APIGatewayProxyEventV2Interface),
        ("lattice_v2", APIGatewayProxyEventV2Interface),
    ],
)
def test_an_event_of_another_kind_is_refused(name: str, interface: Any) -> None:
    with pytest.raises(UnknownEvent, match="of one of the gateways"):
        run(APP, payload(name), interface)


# The base path


@pytest.mark.parametrize(
    ("name", "interface", "base_path", "path"),
    [
        ("rest_v1_custom_domain", INTERFACES[0], "/shop", "/items/7"),
        ("rest_v1_custom_domain", INTERFACES[0], "shop", "/items/7"),
        ("rest_v1_custom_domain", INTERFACES[0], None, "/shop/items/7"),
        ("http_api_stage", INTERFACES[1], "/prod", "/items/7"),
        ("http_api_stage", INTERFACES[1], "prod/items", "/7"),
        ("http_api_v1_stage", INTERFACES[0], "/prod", "/files/a/b c"),
    ],
)
def test_a_base_path_is_taken_from_what_the_application_routes_by(
    name: str, interface: str, base_path: str | None, path: str
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse(scope["path"][len(scope["root_path"]) :])(scope, receive, send)

    theirs = run_theirs(app, payload(name), getattr(lynara, interface), base_path=base_path)
    ours = run(app, payload(name), getattr(compat, interface), base_path=base_path)
    assert (theirs["body"], ours["body"]) == (path, path)


# What differs, by name


def test_bytes_that_are_no_text_are_sent() -> None:
    with pytest.raises(UnicodeDecodeError):
        run_theirs(Response(b"\xff"), payload("http_api_get"), lynara.APIGatewayProxyEventV2Interface)
    reply = run(Response(b"\xff"), payload("http_api_get"), APIGatewayProxyEventV2Interface)
    assert (reply["body"], reply["isBase64Encoded"]) == ("/w==", True)


def test_a_repeated_header_is_sent_whole() -> None:
    app = Response()
    app.headers.append("vary", "a")
    app.headers.append("vary", "b")
    theirs = run_theirs(app, payload("http_api_get"), lynara.APIGatewayProxyEventV2Interface)
    ours = run(app, payload("http_api_get"), APIGatewayProxyEventV2Interface)
    assert (theirs["headers"]["vary"], ours["headers"]["vary"]) == ("b", "a, b")


def test_an_exception_is_answered(caplog: pytest.LogCaptureFixture) -> None:
    async def fail(request: Request) -> Response:
        raise LookupError("lost")

    async def sorry(request: Request, error: Exception) -> Response:
        return PlainTextResponse("sorry", 500)

    app = Starlette(routes=[Route("/items/7", fail)], exception_handlers={Exception: sorry})
    with pytest.raises(LookupError):
        run_theirs(app, payload("http_api_get"), lynara.APIGatewayProxyEventV2Interface)
    reply = run(app, payload("http_api_get"), APIGatewayProxyEventV2Interface)
    assert (reply["statusCode"], reply["body"]) == (500, "sorry")
    assert "lost" in caplog.text


def test_the_application_gets_the_event_and_the_context() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["aws.event"] == payload("http_api_get")
        await PlainTextResponse(scope["aws.context"])(scope, receive, send)

    context: Any = "a context"
    lambda_ = Lynara(app, LifespanMode.OFF)
    reply = asyncio.run(lambda_.run(payload("http_api_get"), context, APIGatewayProxyEventV2Interface))
    assert reply["body"] == "a context"


# The lifespan


def living(seen: list[str], index: Callable[[Request], Any] | None = None) -> ASGIApp:
    """An application that says when its lifespan starts and stops, and on which loop."""

    @asynccontextmanager
    async def lifespan(app: object) -> Any:
        loop = asyncio.get_running_loop()
        seen.append("startup")
        yield {"loop": loop}
        assert asyncio.get_running_loop() is loop
        seen.append("shutdown")

    async def same_loop(request: Request) -> Response:
        seen.append("request")
        assert request.state.loop is asyncio.get_running_loop()
        return PlainTextResponse("hi")

    return Starlette(routes=[Route("/items/7", index or same_loop)], lifespan=lifespan)


@pytest.mark.parametrize("mode", [LifespanMode.AUTO, LifespanMode.ON, "on", TheirLifespanMode.ON])
def test_each_call_has_a_lifespan_and_a_loop_of_its_own(mode: Any) -> None:
    seen: list[str] = []
    adapter = Lynara(living(seen), mode)

    def handler(event: Any, context: Any) -> Any:
        return asyncio.run(adapter.run(event, context, APIGatewayProxyEventV2Interface))

    assert [handler(payload("http_api_get"), None)["statusCode"] for _ in range(3)] == [200, 200, 200]
    assert seen == ["startup", "request", "shutdown"] * 3


def test_without_a_lifespan_mode_the_lifespan_runs_and_with_off_it_does_not() -> None:
    seen: list[str] = []
    app = living(seen, lambda _: PlainTextResponse("hi"))
    asyncio.run(Lynara(app).run(payload("http_api_get"), None, APIGatewayProxyEventV2Interface))
    assert seen == ["startup", "shutdown"]
    run(app, payload("http_api_get"), APIGatewayProxyEventV2Interface, "off")
    assert seen == ["startup", "shutdown"]


def test_a_lifespan_mode_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="`lifespan_mode` to be 'auto', 'on' or 'off', but got 'maybe'"):
        Lynara(APP, "maybe")


def test_an_application_without_a_lifespan_is_served_unless_it_must_have_one() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        await Response()(scope, receive, send)

    event = payload("http_api_get")
    assert run(app, event, APIGatewayProxyEventV2Interface, "auto")["statusCode"] == 200
    with pytest.raises(AssertionError):
        run(app, event, APIGatewayProxyEventV2Interface, "on")


@pytest.mark.parametrize("mode", LifespanMode)
def test_a_startup_that_fails_is_raised(mode: LifespanMode) -> None:
    @asynccontextmanager
    async def lifespan(app: object) -> Any:
        raise LookupError("no database")
        yield

    app = Starlette(lifespan=lifespan)
    if mode is LifespanMode.OFF:
        assert run(app, payload("http_api_get"), APIGatewayProxyEventV2Interface, mode)["statusCode"] == 404
    else:
        with pytest.raises(LookupError, match="no database"):
            run(app, payload("http_api_get"), APIGatewayProxyEventV2Interface, mode)


def test_a_shutdown_that_fails_is_logged_and_the_reply_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    @asynccontextmanager
    async def lifespan(app: object) -> Any:
        yield
        raise LookupError("already closed")

    app = Starlette(lifespan=lifespan)
    assert run(app, payload("http_api_get"), APIGatewayProxyEventV2Interface, "on")["statusCode"] == 404
    assert "already closed" in caplog.text


def test_a_lifespan_that_ends_early_ends_the_call() -> None:
    @asynccontextmanager
    async def lifespan(app: object) -> Any:
        yield

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await asyncio.sleep(60)
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await asyncio.sleep(0.01)

    with pytest.raises(LifespanEnded):
        run(app, payload("http_api_get"), APIGatewayProxyEventV2Interface, "on")


# Classes of one's own


def notification_interface(base: Any) -> Any:
    """A class written for Lynara, on whichever base: a notification as a POST, answered with its status and text."""

    class NotificationInterface(base):  # type: ignore[misc]  # theirs or ours
        def __init__(self, app: Any, event: Any, context: Any, base_path: str | None = None) -> None:
            super().__init__(app=app, event=event, context=context, base_path=base_path)
            self.lambda_response = {"ok": False, "text": ""}
            body = event["Records"][0]["Sns"]["Message"].encode()
            self.app_queue.put_nowait({"type": "http.request", "body": body, "more_body": False})

        @classmethod
        def match(cls, event: Any) -> bool:
            return "Sns" in event["Records"][0]

        @property
        def scope(self) -> Any:
            return {
                "type": "http",
                "asgi": {"version": "3.0", "spec_version": "2.3"},
                "http_version": "1.1",
                "method": "POST",
                "path": f"{self.base_path}/items/7",
                "query_string": b"",
                "root_path": "",
                "headers": [(b"x-context", str(self.context).encode())],
                "server": None,
            }

        async def receive(self) -> Any:
            return await self.app_queue.get()

        async def send(self, message: Any) -> None:
            if message["type"] == "http.response.start":
                self.lambda_response["ok"] = message["status"] == 201
            else:
                self.lambda_response["text"] += message["body"].decode()
                self.is_response_completed = True

    return NotificationInterface


@pytest.mark.parametrize("mode", LifespanMode)
def test_a_class_of_one_s_own_runs_unchanged(mode: LifespanMode) -> None:
    theirs = run_theirs(
        APP, payload("sns"), notification_interface(TheirHTTPInterface), TheirLifespanMode(mode), base_path="/sns"
    )
    assert theirs["ok"]
    for base in (HTTPInterface, TheirHTTPInterface):
        interface = notification_interface(base)
        assert interface.match(payload("sns"))
        assert run(APP, payload("sns"), interface, mode, base_path="/sns") == theirs


def test_a_class_needs_no_base() -> None:
    class Own:
        def __init__(self, app: Any, event: Any, context: Any, base_path: Any) -> None:
            self.told = [app, event, context, base_path]

        async def __call__(self) -> Any:
            return self.told

    assert run(APP, {"a": 1}, Own, "auto", base_path="/v1") == [APP, {"a": 1}, None, "/v1"]


def test_what_a_class_of_one_s_own_raises_is_raised_after_the_shutdown() -> None:
    seen: list[str] = []

    async def fail(request: Request) -> Response:
        raise LookupError("lost")

    class Own(HTTPInterface):
        scope: Any = {"type": "http", "method": "GET", "path": "/items/7", "headers": []}  # noqa: RUF012 - one use
        match: Any = None

        async def receive(self) -> Message:
            return {"type": "http.disconnect"}

        async def send(self, message: Message) -> None:
            seen.append(message["type"])

    with pytest.raises(LookupError, match="lost"):
        run(living(seen, fail), {}, Own, "on")
    assert "state" not in Own.scope
    assert seen == ["startup", "http.response.start", "http.response.body", "shutdown"]


def extended(base: Any) -> Any:
    """A class that changes one of the two named interfaces."""

    class Extended(base):  # type: ignore[misc]  # theirs or ours
        @property
        def scope(self) -> Any:
            return {**super().scope, "x.context": self.context}

        async def receive(self) -> Any:
            return await super().receive() | {"body": b"received"}

        async def send(self, message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-sent", b"yes")]
            await super().send(message)

        async def __call__(self) -> Any:
            return {"extended": True, **await super().__call__()}

    return Extended


@pytest.mark.parametrize("name", ["http_api_get", "rest_v1"])
def test_a_class_may_extend_a_named_one(name: str) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await Response((await receive())["body"] + repr(scope["x.context"]).encode())(scope, receive, send)

    interface = INTERFACES[name == "http_api_get"]
    theirs = run_theirs(app, payload(name), extended(getattr(lynara, interface)))
    ours = run(app, payload(name), extended(getattr(compat, interface)))
    for reply in (theirs, ours):
        assert reply["extended"]
        assert reply["headers"]["x-sent"] == "yes"
        assert reply["statusCode"] == 200
    assert theirs["body"] == "receivedNone"
    assert ours["isBase64Encoded"]  # it has no content type


def test_a_named_interface_has_its_scope_before_it_is_called_and_no_conversation() -> None:
    async def main() -> None:
        interface = APIGatewayProxyEventV2Interface(APP, payload("http_api_get"), None)
        assert interface.scope["path"] == "/items/7"
        with pytest.raises(ConfigurationError, match="APIGatewayProxyEventV2Interface to be called before"):
            await interface.receive()
        with pytest.raises(ConfigurationError):
            await interface.send({"type": "http.response.start"})
        reply = await interface()
        assert reply is interface.lambda_response
        assert interface.is_response_completed

    asyncio.run(main())


def test_what_the_page_shows_runs() -> None:
    first, plain, own = examples("move-from-lynara.md", APP)
    for example in (first, plain):
        assert example["handler"](payload("http_api_get"), None)["statusCode"] == 201
    plain["handler"].close()
    theirs = Starlette(routes=[Route("/notifications", lambda _: Response(status_code=202), methods=["POST"])])
    assert run(theirs, payload("sns"), own["Notification"], "auto") == {"status": 202}
