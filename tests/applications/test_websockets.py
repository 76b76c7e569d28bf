"""The WebSocket examples of frameworks' documentation, in every kind of runtime. Their pages and sockets are played."""

import base64
import json
from typing import Annotated, Any

import pytest
from fastapi import Cookie, Depends, FastAPI, Query, WebSocketException, status
from litestar import Litestar
from litestar import WebSocket as LitestarWebSocket
from litestar import websocket as litestar_websocket
from litestar.exceptions import WebSocketDisconnect as LitestarDisconnect
from litestar.handlers import WebsocketListener, websocket_listener
from starlette.applications import Starlette
from starlette.authentication import (
    AuthCredentials,
    AuthenticationBackend,
    AuthenticationError,
    SimpleUser,
    requires,
)
from starlette.endpoints import WebSocketEndpoint
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.routing import WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.websocket.play import KINDS, Gateway, Kind, Socket


@pytest.fixture(params=KINDS, ids=lambda kind: f"{kind.websockets}-{'prompt' if kind.prompt else 'late'}")
def kind(request: pytest.FixtureRequest) -> Kind:
    made: Kind = request.param
    return made


async def opened(gateway: Gateway, *arguments: Any, **options: Any) -> Socket:
    socket = gateway.socket()
    reply = await socket.connect(*arguments, **options)
    assert reply["statusCode"] == 200
    return socket


async def said(socket: Socket, message: Any, **changes: Any) -> list[str]:
    """What comes back."""
    assert await socket.send(message, **changes) == {"statusCode": 200}
    return socket.gateway.posts.take()


def talk(kind: Kind, app: Any, *exchange: tuple[Any, list[str]], **options: Any) -> None:
    """A client that connects, says things and leaves; the application fails nothing and is not closed."""

    async def story(gateway: Gateway) -> None:
        socket = await opened(gateway)
        for message, answers in exchange:
            assert await said(socket, message) == answers
        assert await socket.leave() == {"statusCode": 200}
        assert gateway.posts.ended == []

    kind.play(app, story, errors="raise", **options)


# fastapi.tiangolo.com, "WebSockets"


def test_fastapi_echo(kind: Kind) -> None:
    app = FastAPI()

    @app.websocket("/ws")
    async def websocket_endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        while True:
            data = await websocket.receive_text()
            await websocket.send_text(f"Message text was: {data}")

    exchange = [(text, [f"Message text was: {text}"]) for text in ("Hello", "", "wörld")]
    talk(kind, app, *exchange, websocket_path="/ws")


def with_dependencies() -> FastAPI:
    app = FastAPI()

    async def get_cookie_or_token(
        websocket: WebSocket,
        session: Annotated[str | None, Cookie()] = None,
        token: Annotated[str | None, Query()] = None,
    ) -> str:
        if session is None and token is None:
            raise WebSocketException(code=status.WS_1008_POLICY_VIOLATION)
        return session or token or ""

    @app.websocket("/items/{item_id}/ws")
    async def websocket_endpoint(
        *,
        websocket: WebSocket,
        item_id: str,
        q: int | None = None,
        cookie_or_token: Annotated[str, Depends(get_cookie_or_token)],
    ) -> None:
        await websocket.accept()
        while True:
            data = await websocket.receive_text()
            await websocket.send_text(f"Session cookie or query token value is: {cookie_or_token}")
            if q is not None:
                await websocket.send_text(f"Query parameter q is: {q}")
            await websocket.send_text(f"Message text was: {data}, for item ID: {item_id}")

    return app


@pytest.mark.parametrize(
    ("query", "headers", "value", "number"),
    [
        ({"item_id": "foo", "token": "some-token"}, {}, "some-token", None),
        ({"item_id": "foo", "q": "3"}, {"Cookie": "session=fakesession"}, "fakesession", 3),
    ],
)
def test_fastapi_dependencies(kind: Kind, query: Any, headers: Any, value: str, number: int | None) -> None:
    async def story(gateway: Gateway) -> None:
        socket = await opened(gateway, query, headers)
        for text in ("one", "two"):
            assert await said(socket, text) == [
                f"Session cookie or query token value is: {value}",
                *([f"Query parameter q is: {number}"] if number else []),
                f"Message text was: {text}, for item ID: foo",
            ]

    kind.play(with_dependencies(), story, websocket_path="/items/{item_id}/ws", errors="raise")


@pytest.mark.parametrize("query", [{"item_id": "foo"}, {"item_id": "foo", "token": "t", "q": "x"}])
def test_fastapi_dependencies_refuse(kind: Kind, query: Any) -> None:
    async def story(gateway: Gateway) -> None:
        assert await gateway.socket().connect(query) == {"statusCode": 403}
        assert gateway.store._values == {}

    kind.play(with_dependencies(), story, websocket_path="/items/{item_id}/ws", errors="raise")


def test_fastapi_a_path_that_it_does_not_have_is_refused(kind: Kind) -> None:
    async def story(gateway: Gateway) -> None:
        reply = await gateway.socket().connect()
        assert reply["statusCode"] in (403, 404)

    kind.play(FastAPI(), story, websocket_path="/nowhere", errors="raise")


def test_fastapi_json(kind: Kind) -> None:
    app = FastAPI()

    @app.websocket("/ws")
    async def websocket(websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            while True:
                await websocket.send_json({"msg": "Hello WebSocket", "got": await websocket.receive_json()})
        except WebSocketDisconnect:
            pass

    answer = '{"msg":"Hello WebSocket","got":{"a":[1,null]}}'
    talk(kind, app, ({"a": [1, None]}, [answer]), websocket_path="/ws")


def test_fastapi_that_closes_after_one_message(kind: Kind) -> None:
    """As in "Testing WebSockets", with the question first."""
    app = FastAPI()

    @app.websocket("/ws")
    async def websocket(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.receive_text()
        await websocket.send_json({"msg": "Hello WebSocket"})
        await websocket.close()

    async def story(gateway: Gateway) -> None:
        socket = await opened(gateway)
        assert await said(socket, "?") == ['{"msg":"Hello WebSocket"}']
        assert gateway.posts.ended == [socket.id]

    kind.play(app, story, websocket_path="/ws")


def test_fastapi_that_sends_and_closes_at_once(kind: Kind) -> None:
    """As in "Testing WebSockets"."""
    app = FastAPI()

    @app.websocket("/ws")
    async def websocket(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_json({"msg": "Hello WebSocket"})
        await websocket.close()

    async def story(gateway: Gateway) -> None:
        socket = await opened(gateway)
        if not kind.prompt:
            await socket.send()
        assert gateway.posts.take() == ['{"msg":"Hello WebSocket"}']
        assert gateway.posts.ended == [socket.id]

    kind.play(app, story, websocket_path="/ws")


# starlette.io, "WebSockets", "Endpoints", "Authentication"


def test_starlette_websocket_class(kind: Kind) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        websocket = WebSocket(scope=scope, receive=receive, send=send)
        await websocket.accept()
        await websocket.receive_text()
        await websocket.send_text("Hello, world!")
        await websocket.close()

    async def story(gateway: Gateway) -> None:
        socket = await opened(gateway)
        assert await said(socket, "hi") == ["Hello, world!"]
        assert gateway.posts.ended == [socket.id]

    kind.play(app, story)


@pytest.mark.parametrize("what", ["text", "bytes", "json"])
def test_starlette_iterators(kind: Kind, what: str) -> None:
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        if what == "text":
            async for text in websocket.iter_text():
                await websocket.send_text(f"Message text was: {text}")
        elif what == "bytes":
            async for data in websocket.iter_bytes():
                await websocket.send_bytes(b"Message text was: " + data)
        else:
            async for value in websocket.iter_json():
                await websocket.send_json(value)

    async def story(gateway: Gateway) -> None:
        socket = await opened(gateway)
        for text in ("one", "two"):
            if what == "bytes":
                got = await said(socket, base64.b64encode(text.encode()).decode(), isBase64Encoded=True)
            else:
                got = await said(socket, json.dumps(text) if what == "json" else text)
            assert got == [json.dumps(text) if what == "json" else f"Message text was: {text}"]
        assert await socket.leave() == {"statusCode": 200}

    kind.play(Starlette(routes=[WebSocketRoute("/", endpoint)]), story, errors="raise")


def test_starlette_path_parameters(kind: Kind) -> None:
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(f"Hello, {websocket.path_params['username']}!")
        await websocket.receive_text()

    async def story(gateway: Gateway) -> None:
        socket = await opened(gateway, {"username": "zoë"})
        if not kind.prompt:
            await socket.send()
        assert gateway.posts.take() == ["Hello, zoë!"]

    app = Starlette(routes=[WebSocketRoute("/ws/{username}", endpoint)])
    kind.play(app, story, websocket_path="/ws/{username}", errors="raise")


@pytest.mark.parametrize(
    ("encoding", "message", "changes", "answers"),
    [
        ("text", "hi", {}, ["Message text was: hi"]),
        ("bytes", "aGk=", {"isBase64Encoded": True}, ["Message was: hi"]),
        ("json", '{"a": 1}', {}, ['{"message":{"a":1}}']),
    ],
)
def test_starlette_endpoint_class(kind: Kind, encoding: Any, message: str, changes: Any, answers: list[str]) -> None:
    class Echo(WebSocketEndpoint):
        async def on_connect(self, websocket: WebSocket) -> None:
            await websocket.accept()

        async def on_receive(self, websocket: WebSocket, data: Any) -> None:
            if encoding == "text":
                await websocket.send_text(f"Message text was: {data}")
            elif encoding == "bytes":
                await websocket.send_bytes(b"Message was: " + data)
            else:
                await websocket.send_json({"message": data})

        async def on_disconnect(self, websocket: WebSocket, close_code: int) -> None:
            pass

    Echo.encoding = encoding

    async def story(gateway: Gateway) -> None:
        socket = await opened(gateway)
        for _ in range(2):
            assert await said(socket, message, **changes) == answers
        assert await socket.leave() == {"statusCode": 200}

    kind.play(Starlette(routes=[WebSocketRoute("/ws", Echo)]), story, websocket_path="/ws", errors="raise")


def test_starlette_endpoint_class_that_is_sent_something_else(kind: Kind) -> None:
    """It closes with 1003 and raises, as behind any server."""

    class Echo(WebSocketEndpoint):
        encoding = "bytes"

    async def story(gateway: Gateway) -> None:
        socket = await opened(gateway)
        assert await socket.send("text") == {"statusCode": 500}
        assert gateway.posts.ended == [socket.id]

    kind.play(Starlette(routes=[WebSocketRoute("/", Echo)]), story)


class BasicAuthBackend(AuthenticationBackend):
    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, SimpleUser] | None:
        if "Authorization" not in conn.headers:
            return None
        scheme, credentials = conn.headers["Authorization"].split()
        if scheme.lower() != "basic":
            return None
        try:
            username, _, _ = base64.b64decode(credentials).decode("ascii").partition(":")
        except ValueError as error:
            raise AuthenticationError("Invalid basic auth credentials") from error
        return AuthCredentials(["authenticated"]), SimpleUser(username)


@pytest.mark.parametrize(
    ("authorization", "status_code"), [("Basic em9lOnNlY3JldA==", 200), ("Basic em9", 403), (None, 403)]
)
def test_starlette_authentication(kind: Kind, authorization: str | None, status_code: int) -> None:
    @requires("authenticated")
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        while True:
            await websocket.receive_text()
            await websocket.send_text(f"hello, {websocket.user.display_name}")

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        headers = {"Authorization": authorization} if authorization else {}
        assert (await socket.connect(headers=headers))["statusCode"] == status_code
        if status_code == 200:
            assert await said(socket, "hi") == ["hello, zoe"]

    app = Starlette(
        routes=[WebSocketRoute("/", endpoint)],
        middleware=[Middleware(AuthenticationMiddleware, backend=BasicAuthBackend())],
    )
    kind.play(app, story, errors="raise")


def test_starlette_denial_response(kind: Kind) -> None:
    async def endpoint(websocket: WebSocket) -> None:
        if "token" not in websocket.query_params:
            await websocket.send_denial_response(JSONResponse({"error": "no token"}, 401))
            return
        if websocket.query_params["token"] != "good":
            raise HTTPException(status_code=403, detail="Forbidden")
        await websocket.accept()
        await websocket.receive_text()

    async def story(gateway: Gateway) -> None:
        reply = await gateway.socket().connect()
        assert (reply["statusCode"], reply["body"]) == (401, '{"error":"no token"}')
        reply = await gateway.socket().connect({"token": "bad"})
        assert (reply["statusCode"], reply["body"]) == (403, "Forbidden")
        await opened(gateway, {"token": "good"})

    kind.play(Starlette(routes=[WebSocketRoute("/", endpoint)]), story, errors="raise")


# docs.litestar.dev, "WebSockets"


def test_litestar_handler(kind: Kind) -> None:
    @litestar_websocket("/")
    async def handler(socket: LitestarWebSocket[Any, Any, Any]) -> None:
        await socket.accept()
        try:
            while True:
                await socket.send_json({"message": await socket.receive_json()})
        except LitestarDisconnect:
            pass

    talk(kind, Litestar([handler]), ({"a": 1}, ['{"message":{"a":1}}']), ("7", ['{"message":7}']))


def test_litestar_listener(kind: Kind) -> None:
    @websocket_listener("/", receive_mode="text")
    async def handler(data: str) -> str:
        return f"you said {data}"

    talk(kind, Litestar([handler]), ("one", ["you said one"]), ("two", ["you said two"]))


def test_litestar_listener_of_json(kind: Kind) -> None:
    @websocket_listener("/")
    async def handler(data: dict[str, str]) -> dict[str, str]:
        return {**data, "seen": "yes"}

    talk(kind, Litestar([handler]), ({"a": "1"}, ['{"a":"1","seen":"yes"}']))


def test_litestar_listener_class(kind: Kind) -> None:
    seen: list[str] = []

    class Handler(WebsocketListener):
        path = "/"

        def on_accept(self) -> None:
            seen.append("accept")

        def on_disconnect(self) -> None:
            seen.append("disconnect")

        def on_receive(self, data: str) -> str:
            return data

    talk(kind, Litestar([Handler]), ("one", ["one"]))
    assert seen == (["accept", "disconnect"] if kind.resident else ["accept", "disconnect"] * 3)


def test_litestar_refuses_by_closing(kind: Kind) -> None:
    @litestar_websocket("/")
    async def handler(socket: LitestarWebSocket[Any, Any, Any]) -> None:
        await socket.close(code=4001, reason="no token")

    async def story(gateway: Gateway) -> None:
        assert await gateway.socket().connect() == {"statusCode": 403}

    app: Any = Litestar([handler])
    kind.play(app, story, errors="raise")
