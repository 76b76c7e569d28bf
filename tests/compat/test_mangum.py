"""Mangum's constructor and custom handlers: the same outcome as with Mangum, but for what differs on purpose."""

import asyncio
import json
import logging
import threading
from collections.abc import Iterator
from contextlib import asynccontextmanager, closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import mangum
import mangum.exceptions
import pytest
from fastapi import FastAPI, WebSocket
from mangum.adapter import DEFAULT_TEXT_MIME_TYPES as THEIR_TEXT_MIME_TYPES
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from lambent import Lambent
from lambent.compat.mangum import DEFAULT_TEXT_MIME_TYPES, Mangum
from lambent.errors import ConfigurationError, LambentError, UnknownEvent
from lambent.gateway import GATEWAYS
from lambent.stores import open_store
from lambent.testing import events
from lambent.types import ASGIApp, Receive, Scope, Send
from tests.compat.plain import APP, differences, examples
from tests.payloads import DOORS, NAMES, Payload, payload

# What differs on purpose, by the event in tests/data: see "Differs on purpose" in docs/how-to/move-from-mangum.md.
STAGE = {"route path"}  # the stage is in the root path, not in the path
QUERY = {"raw query"}  # %20 stays %20
REPEATED = {"fields"}  # repeated request fields stay apart
EDGE = {"sent fields"}  # two cookies, of which Mangum sends one
MENDED: dict[str, set[str]] = {
    "alb_health_check": {"client", "server"},  # unknown is None
    "alb_multi": QUERY | {"client"},  # the last address, which the balancer wrote
    "alb_single": QUERY,
    "direct_invoke": {"refused"},
    "edge_origin_request": EDGE | REPEATED,
    "edge_viewer_request": EDGE | {"route path"},  # decoded
    "function_url_encoded_path": {"route path"},  # decoded once
    "http_api_decoded_path": {"route path"},
    "http_api_no_headers": {"server"},  # the event's domain name, not "mangum"
    "http_api_stage": STAGE,
    "http_api_v1_stage": STAGE,
    "lattice_v1": {"refused"},
    "lattice_v2": {"refused"},
    "rest_v1_console_test": {"client", "server"},
    "rest_v1_encoded_path": {"route path"},  # repeated slashes are kept
    "rest_v1_multi_value": QUERY | REPEATED | {"cookies"},  # all of them
}


def ask(handler: Mangum, event: Payload, context: Any = None) -> Any:
    with closing(handler):
        return handler(event, context)


def both(event: Payload, app: ASGIApp = APP, **options: Any) -> tuple[Payload, Payload]:
    """Mangum's reply and ours."""
    given: Any = app
    theirs: Any = mangum.Mangum(given, lifespan="off", **options)
    return theirs(event, None), ask(Mangum(app, lifespan="off", **options), event)


@pytest.fixture(autouse=True)
def _loop() -> Iterator[None]:
    """The loop that Mangum's constructor sets for the thread, closed again."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


# The same application behind both


@pytest.mark.parametrize("name", [name for name in DOORS if DOORS[name] != "websocket_api"])
def test_an_event_has_the_same_outcome_but_for_what_is_mended(name: str) -> None:
    theirs: Any = mangum.Mangum(APP, lifespan="off")
    ours = Mangum(APP, lifespan="off")
    found = differences(lambda: theirs(payload(name), None), lambda: ask(ours, payload(name)))
    assert found == MENDED.get(name, set())


@pytest.mark.parametrize("name", sorted(each for each in set(NAMES) - set(DOORS) if not each.startswith("websocket_")))
def test_an_event_of_no_gateway_is_refused(name: str) -> None:
    with closing(Mangum(APP)) as handler, pytest.raises(UnknownEvent):
        handler(payload(name), None)


# The constructor


def test_the_arguments_have_the_places_that_they_have_in_mangum() -> None:
    arguments: tuple[Any, ...] = (APP, "off", "/v1", [Handler], ["application/vnd.x"], ["X-Internal"])
    theirs, ours = mangum.Mangum(*arguments), Mangum(*arguments)
    for name in ("app", "lifespan", "custom_handlers"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert ours.config == theirs.config


def test_left_out_they_have_the_values_that_they_have_in_mangum() -> None:
    options: dict[str, Any] = {"api_gateway_base_path": None, "text_mime_types": [], "exclude_headers": []}
    for given in ({}, options):
        theirs, ours = mangum.Mangum(APP, **given), Mangum(APP, **given)
        assert (ours.lifespan, ours.custom_handlers, ours.config) == (theirs.lifespan, [], theirs.config)
    assert DEFAULT_TEXT_MIME_TYPES == THEIR_TEXT_MIME_TYPES


def test_it_is_a_lambent() -> None:
    assert isinstance(Mangum(APP), Lambent)


def test_a_wrong_lifespan_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="`lifespan` to be 'auto', 'on' or 'off', but got 'maybe'"):
        Mangum(APP, lifespan="maybe")  # type: ignore[arg-type]  # what is refused


def test_an_option_that_never_was_is_no_argument() -> None:
    options: dict[str, Any] = {"text_mime_type": []}
    with pytest.raises(TypeError, match="text_mime_type"):
        Mangum(APP, **options)


# WebSockets


# As docs/websockets.md of Mangum 0.12 has it, without its page.
chat = FastAPI()


@chat.websocket("/")
async def websocket_endpoint(websocket: WebSocket) -> None:
    await websocket.accept()
    while True:
        data = await websocket.receive_text()
        await websocket.send_text(f"Message text was: {data}")


class Posts(BaseHTTPRequestHandler):
    """The management API: takes everything, and keeps what it was asked."""

    protocol_version = "HTTP/1.1"
    taken: ClassVar[list[tuple[str, str, str, bytes]]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        region = self.headers["authorization"].split("/")[2]
        self.taken.append((self.command, self.path, region, body))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def posts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Its class and its URL."""
    for name, value in (("ACCESS_KEY_ID", "AKIA"), ("SECRET_ACCESS_KEY", "secret"), ("REGION", "us-west-2")):
        monkeypatch.setenv(f"AWS_{name}", value)
    kept: Any = type("Kept", (Posts,), {"taken": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), kept) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield kept.taken, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


SQLITE: list[dict[str, Any]] = [
    {"dsn": "sqlite://mydbfile.sqlite3"},
    {"ws_config": {"backend": "sqlite3", "params": {"file_path": "mydbfile.sqlite3", "table_name": "connection"}}},
]


@pytest.mark.parametrize("options", SQLITE)
@pytest.mark.parametrize(("end", "region"), [("", None), ("/@connections", "eu-west-1")])
def test_the_chat_of_their_documentation_answers(
    options: dict[str, Any], end: str, region: str | None, posts: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, url = posts
    monkeypatch.chdir(tmp_path)
    asyncio.run(made("sqlite:///mydbfile.sqlite3"))
    given: Any = chat
    where: dict[str, Any] = {"api_gateway_endpoint_url": f"{url}/dev{end}", "api_gateway_region_name": region}
    with closing(Mangum(given, lifespan="off", **options, **where)) as handler:
        connected = handler(events.websocket_connect(connection_id="JCIuTfPGDoECJkA="), None)
        said = handler(events.websocket_message("hi", connection_id="JCIuTfPGDoECJkA="), None)
        ended = handler(events.websocket_disconnect(connection_id="JCIuTfPGDoECJkA="), None)
    assert [each["statusCode"] for each in (connected, said, ended)] == [200, 200, 200]
    path = "/dev/@connections/JCIuTfPGDoECJkA%3D"
    assert taken == [("POST", path, region or "us-west-2", b"Message text was: hi")]


async def made(url: str) -> None:
    store = open_store(url)
    await store.init()
    await store.close()


def test_websockets_need_a_store() -> None:
    with closing(Mangum(APP, lifespan="off")) as handler, pytest.raises(ConfigurationError, match="need a store"):
        handler(payload("websocket_connect"), None)


def test_a_backend_that_never_was_is_refused_without_its_secrets() -> None:
    with pytest.raises(ConfigurationError, match="Expected `dsn` to begin with one of dynamodb://") as caught:
        Mangum(APP, dsn="mysql://:secret@host")
    assert "secret" not in str(caught.value)


# The lifespan


def test_the_lifespan_runs_once_and_not_for_each_event() -> None:
    seen: list[str] = []

    @asynccontextmanager
    async def lifespan(app: object) -> Any:
        seen.append("startup")
        yield {"pool": "a pool"}
        seen.append("shutdown")

    async def index(request: Request) -> Response:
        return PlainTextResponse(request.state.pool)

    app = Starlette(routes=[Route("/items/7", index)], lifespan=lifespan)
    theirs: Any = mangum.Mangum(app)
    assert [theirs(payload("http_api_get"), None)["body"] for _ in range(3)] == ["a pool"] * 3
    assert seen == ["startup", "shutdown"] * 3
    seen.clear()
    with closing(Mangum(app)) as ours:
        assert [ours(payload("http_api_get"), None)["body"] for _ in range(3)] == ["a pool"] * 3
        assert seen == ["startup"]
    assert seen == ["startup", "shutdown"]


def failing(*messages: dict[str, str]) -> ASGIApp:
    """An application whose lifespan says something and raises."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            for message in messages:
                await send(message)
            raise LookupError("no database")
        await APP(scope, receive, send)

    return app


def test_a_lifespan_that_must_be_there_and_raises_is_raised() -> None:
    app: Any = failing()
    assert mangum.Mangum(app, lifespan="on")(payload("http_api_get"), None)["statusCode"] == 201  # type: ignore[arg-type]  # as there
    with pytest.raises(LookupError, match="no database"):
        ask(Mangum(app, lifespan="on"), payload("http_api_get"))


@pytest.mark.parametrize("lifespan", ["auto", "on"])
def test_a_startup_that_fails_is_raised_as_the_application_raised_it(lifespan: Any) -> None:
    app: Any = failing({"type": "lifespan.startup.failed", "message": "no database"})
    with pytest.raises(mangum.exceptions.LifespanFailure):
        mangum.Mangum(app, lifespan=lifespan)(payload("http_api_get"), None)  # type: ignore[arg-type]  # as there
    with pytest.raises(LookupError, match="no database"):
        ask(Mangum(app, lifespan=lifespan), payload("http_api_get"))


def test_it_can_be_awaited() -> None:
    async def main() -> Any:
        return await Mangum(APP).handle(payload("http_api_get"))

    assert asyncio.run(main())["statusCode"] == 201


# The base path


def paths(name: str, base_path: str, **changes: Any) -> tuple[str, str]:
    """Mangum's `path`, and ours without the root path."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["path"].startswith(scope["root_path"])
        await PlainTextResponse(scope["path"][len(scope["root_path"]) :])(scope, receive, send)

    theirs, ours = both(payload(name) | changes, app, api_gateway_base_path=base_path)
    return theirs["body"], ours["body"]


def at(path: str, stage: str = "prod") -> dict[str, Any]:
    """What an event of an HTTP API with a path has."""
    context = payload("http_api_stage")["requestContext"]
    return {"rawPath": path, "requestContext": context | {"stage": stage, "http": context["http"] | {"path": path}}}


@pytest.mark.parametrize(
    ("name", "base_path", "changes", "path"),
    [
        ("rest_v1_custom_domain", "/shop", {}, "/items/7"),
        ("rest_v1_custom_domain", "shop", {}, "/items/7"),
        ("rest_v1_custom_domain", "/other", {}, "/shop/items/7"),
        ("rest_v1", "/prod", {}, "/items/7"),
        ("http_api_v1_stage", "/prod", {}, "/files/a/b c"),
        ("http_api_v1_stage", "/prod/files", {}, "/a/b c"),
        ("http_api_stage", "/prod", {}, "/items/7"),
        ("http_api_stage", "prod", {}, "/items/7"),
        ("http_api_stage", "/prod/items", {}, "/7"),
        ("http_api_stage", "/prod", at("/prod/prod/items"), "/prod/items"),
        ("http_api_stage", "/v1", at("/v1/items", "$default"), "/items"),
        ("http_api_stage", "/prod", at("/prod", "$default"), ""),
        ("function_url_get", "/items", {"rawPath": "/items/7"}, "/7"),
        ("alb_single", "/files", {"path": "/files/7"}, "/files/7"),
    ],
)
def test_a_base_path_is_taken_from_what_the_application_routes_by(
    name: str, base_path: str, changes: dict[str, Any], path: str
) -> None:
    if name == "function_url_get":
        context = payload(name)["requestContext"]
        changes = changes | {"requestContext": context | {"http": context["http"] | {"path": changes["rawPath"]}}}
    assert paths(name, base_path, **changes) == (path, path)


def test_a_base_path_that_says_no_stage_is_taken_from_what_follows_the_stage() -> None:
    assert paths("http_api_stage", "/v1", **at("/prod/v1/items")) == ("/prod/v1/items", "/items")


@pytest.mark.parametrize(
    ("base_path", "theirs", "ours"), [("/shop", "ping/items", "/shopping/items"), ("/shopping/", "items", "/items")]
)
def test_a_base_path_ends_where_a_segment_ends(base_path: str, theirs: str, ours: str) -> None:
    assert paths("rest_v1_custom_domain", base_path, path="/shopping/items", requestContext={}) == (theirs, ours)


def test_urls_keep_the_base_path() -> None:
    async def link(request: Request) -> Response:
        return PlainTextResponse(str(request.url_for("link")))

    app = Starlette(routes=[Route("/items/7", link)])
    theirs, ours = both(payload("rest_v1_custom_domain"), app, api_gateway_base_path="/shop")
    assert theirs["body"] == "https://api.example.com/items/7"
    assert ours["body"] == "https://api.example.com/shop/items/7"


# Bodies and headers


def sends(content_type: str, **fields: str) -> ASGIApp:
    return Response(b"abc", headers={"content-type": content_type, **fields})


@pytest.mark.parametrize(
    ("types", "content_type", "theirs", "ours"),
    [
        (None, "application/vnd.oai.openapi;version=3.0", "text", "text"),
        (None, "application/json5", "text", "text"),
        (None, "application/problem+json", "base64", "text"),
        (None, "Application/JSON", "base64", "text"),
        (None, "image/png", "base64", "base64"),
        (None, 'multipart/mixed; boundary="text/"', "text", "base64"),
        (["application/vnd.x"], "application/vnd.x", "text", "text"),
        (["application/vnd.x"], "application/vnd.x.y; charset=utf-8", "text", "text"),
        (["application/vnd.x; charset=utf-8"], "application/vnd.x; charset=utf-8", "text", "text"),
        (["image/"], "image/png", "text", "text"),
        (["application/vnd.x"], "application/json", "base64", "text"),
        (["application/vnd.x"], "image/png", "base64", "base64"),
    ],
)
@pytest.mark.parametrize("name", ["http_api_get", "rest_v1", "alb_single"])
def test_what_was_text_is_text(name: str, types: list[str] | None, content_type: str, theirs: str, ours: str) -> None:
    replies = both(payload(name), sends(content_type), text_mime_types=types)
    assert ["base64" if reply["isBase64Encoded"] else "text" for reply in replies] == [theirs, ours]


def test_a_header_that_is_excluded_is_not_sent_through_any_door() -> None:
    for name in DOORS:
        reply = ask(Mangum(sends("text/plain", **{"x-a": "1", "x-b": "2"}), exclude_headers=["X-A"]), payload(name))
        fields = set(reply.get("headers", reply.get("multiValueHeaders")))
        assert ("x-b" in fields, "x-a" in fields) == (True, False), name


def test_the_config_can_be_changed_afterwards() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await Response(b"<>", headers={"content-type": "application/x-sgml", "x-root": scope["root_path"]})(
            scope, receive, send
        )

    with closing(Mangum(app)) as handler:
        event = payload("rest_v1_custom_domain")
        reply: Any = handler(event, None)
        assert (reply["isBase64Encoded"], reply["headers"]["x-root"]) == (True, "")
        handler.config["text_mime_types"].append("sgml")
        handler.config["api_gateway_base_path"] = "/shop"
        reply = handler(event, None)
        assert (reply["isBase64Encoded"], reply["headers"]["x-root"]) == (False, "/shop")
        handler.config["exclude_headers"].append("x-root")
        assert "x-root" not in handler(event, None)["headers"]


def test_an_exception_is_answered_with_500_by_both(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise LookupError("lost")

    theirs, ours = both(payload("http_api_get"), app)
    assert theirs == ours
    assert ours["statusCode"] == 500
    assert "lost" in caplog.text


# Custom handlers


class Handler:
    """Written for Mangum: a notification as a POST, answered with its status."""

    @classmethod
    def infer(cls, event: Any, context: Any, config: Any) -> bool:
        return isinstance(event, dict) and "Records" in event and "Sns" in event["Records"][0]

    def __init__(self, event: Any, context: Any, config: Any) -> None:
        self.event = event
        self.context = context
        self.config = config

    @property
    def body(self) -> bytes:
        message: str = self.event["Records"][0]["Sns"]["Message"]
        return message.encode()

    @property
    def scope(self) -> Any:
        return {
            "type": "http",
            "http_version": "1.1",
            "method": "POST",
            "headers": [[b"content-type", b"text/plain"], [b"x-context", repr(self.context).encode()]],
            "path": "/notifications",
            "raw_path": None,
            "root_path": "",
            "scheme": "https",
            "query_string": b"kind=sns",
            "server": ("sns", 443),
            "client": ("sns", 0),
            "asgi": {"version": "3.0"},
            "aws.event": self.event,
            "aws.context": self.context,
            "sns.topic": "topic",
        }

    def __call__(self, response: Any) -> dict[str, Any]:
        if response["status"] == 409:
            raise RuntimeError("to be retried")
        return {
            "status": response["status"],
            "headers": {name.decode(): value.decode() for name, value in response["headers"]},
            "body": response["body"].decode(),
            "config": sorted(self.config),
        }


async def notified(request: Request) -> Response:
    keys = "type method path query_string server client sns.topic aws.context raw_path".split()
    told = {key: str(request.scope[key]) for key in keys}
    body = (await request.body()).decode()
    return Response(json.dumps(told | {"body": body, "context": request.headers["x-context"]}), 202)


NOTIFIED = Starlette(routes=[Route("/notifications", notified, methods=["POST"])])


@pytest.mark.parametrize("lifespan", ["auto", "off"])
def test_a_custom_handler_runs_unchanged(lifespan: Any) -> None:
    theirs: Any = mangum.Mangum(NOTIFIED, lifespan=lifespan, custom_handlers=[Handler])
    ours = Mangum(NOTIFIED, lifespan=lifespan, custom_handlers=[Handler])
    context: Any = "a context"
    reply = ask(ours, payload("sns"), context)
    assert reply == theirs(payload("sns"), context)
    assert reply["status"] == 202
    assert json.loads(reply["body"])["sns.topic"] == "topic"


def test_events_that_no_custom_handler_takes_go_the_ordinary_way() -> None:
    handler = Mangum(APP, custom_handlers=[Handler])
    with closing(handler):
        assert handler(payload("http_api_get"), None)["statusCode"] == 201
        with pytest.raises(UnknownEvent):
            handler(payload("sqs"), None)


def test_a_custom_handler_is_asked_before_the_gateways_and_in_order() -> None:
    class First(Handler):
        @classmethod
        def infer(cls, event: Any, context: Any, config: Any) -> bool:
            return True

        @property
        def body(self) -> bytes:
            return b"first"

    for handlers in ([First, Handler], [First]):
        for event in (payload("http_api_get"), payload("sns"), ["a list"], None):
            reply = ask(Mangum(NOTIFIED, custom_handlers=handlers), event)  # type: ignore[arg-type]  # any JSON
            assert json.loads(reply["body"])["body"] == "first"


def test_a_custom_handler_may_leave_out_what_asgi_wants() -> None:
    class Sparse(Handler):
        @property
        def scope(self) -> Any:
            return {"type": "http", "path": "/ü", "method": "PUT"}

        @property
        def body(self) -> Any:
            return None

    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        assert await receive() == {"type": "http.request", "body": b"", "more_body": False}
        await Response()(scope, receive, send)

    event = payload("sns")
    assert ask(Mangum(app, lifespan="off", custom_handlers=[Sparse]), event)["status"] == 200
    (scope,) = seen
    assert (scope["method"], scope["path"], scope["raw_path"], scope["headers"]) == ("PUT", "/ü", b"/%C3%BC", [])
    assert (scope["aws.event"], scope["state"]) == (event, {})


def test_a_custom_handler_may_have_one_scope_for_all_events() -> None:
    class Constant(Handler):
        scope: Any = {"type": "http", "path": "/notifications", "method": "POST", "headers": []}  # noqa: RUF012 - one dict

    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        await Response()(scope, receive, send)

    with closing(Mangum(app, lifespan="off", custom_handlers=[Constant])) as handler:
        events = [payload("sns") | {"number": number} for number in range(2)]
        for event in events:
            handler(event, None)
    assert [scope["aws.event"] for scope in seen] == events
    assert set(Constant.scope) == {"type", "path", "method", "headers"}


def test_a_custom_handler_s_application_has_the_lifespan_s_state() -> None:
    @asynccontextmanager
    async def lifespan(app: object) -> Any:
        yield {"pool": "a pool"}

    async def index(request: Request) -> Response:
        return PlainTextResponse(request.state.pool)

    app = Starlette(routes=[Route("/notifications", index, methods=["POST"])], lifespan=lifespan)
    with closing(Mangum(app, custom_handlers=[Handler])) as handler:
        assert [handler(payload("sns"), None)["body"] for _ in range(2)] == ["a pool", "a pool"]


@pytest.mark.parametrize("part", ["infer", "__init__", "scope", "body", "__call__"])
def test_what_a_custom_handler_raises_fails_the_invocation(part: str) -> None:
    def fail(*_: Any) -> Any:
        raise KeyError("Sns")

    broken: Any = property(fail) if part in ("scope", "body") else classmethod(fail) if part == "infer" else fail
    handler: Any = type("Broken", (Handler,), {part: broken})
    with closing(Mangum(NOTIFIED, custom_handlers=[handler])) as ours, pytest.raises(KeyError, match="Sns"):
        ours(payload("sns"), None)
    with pytest.raises(KeyError, match="Sns"):
        mangum.Mangum(NOTIFIED, custom_handlers=[handler])(payload("sns"), None)  # type: ignore[arg-type]  # as there


def test_a_custom_handler_can_refuse_a_response() -> None:
    handler = Mangum(Response(status_code=409), lifespan="off", custom_handlers=[Handler])
    with pytest.raises(RuntimeError, match="to be retried"):
        ask(handler, payload("sns"))


def test_a_custom_handler_gets_a_500_for_an_exception(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise LookupError("lost")

    with caplog.at_level(logging.ERROR):
        reply = ask(Mangum(app, lifespan="off", custom_handlers=[Handler]), payload("sns"))
    theirs = mangum.Mangum(app, lifespan="off", custom_handlers=[Handler])(payload("sns"), None)  # type: ignore[arg-type]  # as there
    assert reply == theirs
    assert "POST /notifications is answered with 500" in caplog.text


def test_a_custom_handler_s_reply_may_be_large() -> None:
    reply = ask(Mangum(Response(b"a" * 7_000_000), lifespan="off", custom_handlers=[Handler]), payload("sns"))
    assert len(reply["body"]) == 7_000_000


def test_infer_tells_what_serves_an_event() -> None:
    handler = Mangum(APP, custom_handlers=[Handler])
    assert isinstance(handler.infer(payload("sns"), None), Handler)
    door: Any = handler.infer(payload("http_api_get"), None)
    assert (door.name, repr(door)) == ("http_api", "<gateway http_api>")
    with pytest.raises(LambentError):
        handler.infer(payload("sqs"), None)
    assert [gateway.name for gateway in handler.gateways] == [gateway.name for gateway in GATEWAYS]


def test_what_the_page_shows_runs() -> None:
    event = payload("rest_v1_custom_domain") | {"path": "/v1/items/7", "requestContext": {}}
    first, plain, custom = examples("move-from-mangum.md", APP)
    for example in (first, plain, custom):
        assert ask(example["handler"], event)["statusCode"] == 201
    assert ask(custom["handler"], payload("sns")) == {"status": 201}
    (failing,) = examples("move-from-mangum.md", Response(status_code=503))[2:]
    with pytest.raises(RuntimeError, match="not taken"):
        ask(failing["handler"], payload("sns"))
