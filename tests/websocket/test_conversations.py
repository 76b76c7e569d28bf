"""A WebSocket application over invocations: what the client gets, what the application sees, what is kept."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Annotated, Any, cast

import pytest
from fastapi import Depends, FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.endpoints import WebSocketEndpoint
from starlette.exceptions import HTTPException
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from lambent.errors import (
    ConfigurationError,
    EventError,
    FailureStatus,
    IncompleteResponse,
    InvalidMessage,
    ServiceError,
    StoreError,
)
from lambent.stores.memory import MemoryStore
from lambent.stores.model import Stored
from lambent.types import ASGIApp, Message, Receive, Scope, Send
from lambent.websocket.connections import Connections, Manager
from tests.payloads import SOCKETS, payload
from tests.test_adapter import DROP, ODD, mutated
from tests.websocket.play import Gateway, Kind, Promptly

ACCEPT: Message = {"type": "websocket.accept"}
CLOSE: Message = {"type": "websocket.close"}


def says(text: str) -> Message:
    return {"type": "websocket.send", "text": text}


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers each message, and greets."""
    await receive()
    await send(ACCEPT)
    await send(says("welcome"))
    while (message := await receive())["type"] == "websocket.receive":
        await send({**message, "type": "websocket.send"})


class Noting:
    """Echoes, and notes down what it hears and how it ends."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.ends: list[str] = []
        self.scopes: list[Scope] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        try:
            await receive()
            await send(ACCEPT)
            while True:
                message = await receive()
                self.heard.append(message)
                if message["type"] == "websocket.disconnect":
                    break
                await send(says(message.get("text") or "bytes"))
            self.ends.append("returned")
        except asyncio.CancelledError:
            self.ends.append("cancelled")
            raise
        finally:
            await send(CLOSE)

    @property
    def told(self) -> list[tuple[Any, Any]]:
        """Which events it has been run for from the start."""
        return [(each["extensions"]["aws.websocket"]["event"], each["aws.event"]) for each in self.scopes]


class Shaky(MemoryStore):
    """A store that can be down, and counts what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.down: set[str] = set()
        self.asked: list[str] = []

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if what in self.down:
            raise StoreError("The store does not answer.")

    async def load(self, key: str) -> Stored | None:
        self._ask("load")
        return await super().load(key)

    async def save(self, key: str, data: bytes, expires: float, version: str | None = None) -> str:
        self._ask("save")
        return await super().save(key, data, expires, version)

    async def delete(self, key: str) -> None:
        self._ask("delete")
        await super().delete(key)


def extension(scope: Scope) -> dict[str, Any]:
    told: dict[str, Any] = scope["extensions"]["aws.websocket"]
    return told


def records(gateway: Gateway) -> list[str]:
    return list(gateway.store._values)


# $connect: who is let in


def test_an_application_that_accepts_lets_the_client_in(kind: Kind) -> None:
    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        assert await socket.connect() == {"statusCode": 200}
        assert records(gateway) == [f"connection/{socket.id}"]

    kind.play(Noting(), story)


def test_it_sees_the_whole_handshake(kind: Kind) -> None:
    app = Noting()

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect(
            {"room": "a&b", "q": "é"}, {"Cookie": "a=1; b=2", "Sec-WebSocket-Protocol": "chat.v2, chat.v1"}
        )
        await socket.send("hi")
        first, *others = app.scopes
        for scope in app.scopes:
            assert {**scope, "aws.event": 0, "extensions": 0} == {**first, "aws.event": 0, "extensions": 0}
        assert len(others) == (0 if kind.resident else 1)

    kind.play(app, story, websocket_path="/rooms/{room}")
    scope = app.scopes[0]
    assert (scope["type"], scope["scheme"], scope["path"], scope["raw_path"]) == (
        *("websocket", "wss"),
        *("/rooms/a&b", b"/rooms/a%26b"),
    )
    assert scope["query_string"] == b"room=a%26b&q=%C3%A9"
    assert scope["subprotocols"] == ["chat.v2", "chat.v1"]
    assert dict(scope["headers"])[b"cookie"] == b"a=1; b=2"
    assert scope["client"] == ("203.0.113.9", 0)
    assert scope["extensions"]["websocket.http.response"] == {}


def test_each_event_is_in_its_scope(replay: Kind) -> None:
    app = Noting()

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        await socket.send("hi")
        await socket.leave()

    replay.play(app, story)
    assert [name for name, _ in app.told] == ["connect", "message", "disconnect"]
    assert [event["requestContext"]["eventType"] for _, event in app.told] == ["CONNECT", "MESSAGE", "DISCONNECT"]


def test_subprotocol_and_headers_of_the_accept_are_in_the_reply(kind: Kind) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({**ACCEPT, "subprotocol": "chat.v1", "headers": [(b"X-A", b"1")]})
        await receive()

    async def story(gateway: Gateway) -> None:
        assert await gateway.socket().connect() == {
            "statusCode": 200,
            "headers": {"x-a": "1", "sec-websocket-protocol": "chat.v1"},
        }

    kind.play(app, story)


def test_what_the_lifespan_has_left_is_in_every_scope(kind: Kind) -> None:
    app = Noting()

    async def story(gateway: Gateway) -> None:
        gateway.handlers[0]._state["pool"] = "a pool"
        socket = gateway.socket()
        await socket.connect()
        await socket.send("hi")

    kind.play(app, story)
    assert {scope["state"]["pool"] for scope in app.scopes} == {"a pool"}


def test_a_lifespan_leaves_its_state_to_websockets() -> None:
    seen = []

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, str]]:
        yield {"pool": "a pool"}

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        seen.append(websocket.state.pool)
        await websocket.receive_text()

    app = Starlette(routes=[WebSocketRoute("/", endpoint)], lifespan=lifespan)

    async def story(gateway: Gateway) -> None:
        async with gateway.handlers[0].lifetime():
            socket = gateway.socket()
            await socket.connect()
            await socket.send("hi")

    Kind(prompt=True, websockets="replay").play(app, story, lifespan="on")
    assert seen == ["a pool", "a pool"]


# $connect: who is refused


def refused(kind: Kind, app: ASGIApp, expected: Any, **options: Any) -> None:
    """A client that is refused is not half connected: there is no record, nothing is sent and nothing waits."""

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        assert await socket.connect() == expected
        assert records(gateway) == []
        assert gateway.posts.sent == []
        for handler in gateway.handlers:
            assert handler._conversations is not None
            residents = handler._conversations._residents
            assert residents is None or len(residents) == 0

    kind.play(app, story, **options)


@pytest.mark.parametrize("asks", [True, False])
def test_a_close_before_the_accept_refuses_with_403(kind: Kind, asks: bool) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({**CLOSE, "code": 1008})
        while asks:
            await receive()

    refused(kind, app, {"statusCode": 403})


def test_an_application_may_refuse_with_a_response(kind: Kind) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        fields = [(b"www-authenticate", b"Bearer"), (b"content-type", b"text/plain")]
        await send({"type": "websocket.http.response.start", "status": 401, "headers": fields})
        await send({"type": "websocket.http.response.body", "body": b"no", "more_body": True})
        await send({"type": "websocket.http.response.body", "body": b" token"})

    headers = {"www-authenticate": "Bearer", "content-type": "text/plain"}
    refused(kind, app, {"statusCode": 401, "headers": headers, "body": "no token", "isBase64Encoded": False})


def denying(status: int, *, and_raises: bool = False) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        fields = [(b"X-A", b"1"), (b"x-b", b"2")]
        await send({"type": "websocket.http.response.start", "status": status, "headers": fields})
        await send({"type": "websocket.http.response.body", "body": b"no"})
        if and_raises:
            raise LookupError("no such room")

    return app


def test_a_refusal_is_without_the_headers_that_are_not_to_be_sent(kind: Kind) -> None:
    reply = {"statusCode": 401, "headers": {"x-b": "2"}, "body": "bm8=", "isBase64Encoded": True}
    refused(kind, denying(401), reply, exclude_headers=["X-a"])


@pytest.mark.parametrize("status", [403, 503])
def test_a_refusal_with_a_status_that_is_to_fail_the_invocation_does(kind: Kind, status: int) -> None:
    with pytest.raises(FailureStatus, match=f"answered {status}: b'no'"):
        refused(kind, denying(status, and_raises=True), None, failure_statuses=[403, 503])


def test_a_close_before_the_accept_fails_the_invocation_where_403_does(kind: Kind) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(CLOSE)

    with pytest.raises(FailureStatus, match="answered 403"):
        refused(kind, app, None, failure_statuses=[403])


def test_an_exception_after_a_refusal_with_5xx_fails_the_invocation_where_that_is_wanted(kind: Kind) -> None:
    with pytest.raises(LookupError, match="no such room"):
        refused(kind, denying(503, and_raises=True), None, errors="raise")


def test_an_event_that_fails_has_the_status_500(kind: Kind) -> None:
    with pytest.raises(FailureStatus, match="answered 500") as raised:
        refused(kind, raising, None, failure_statuses=[500])
    assert isinstance(raised.value.__cause__, LookupError)


def test_an_http_exception_of_starlette_refuses_with_its_status(kind: Kind) -> None:
    async def endpoint(websocket: WebSocket) -> None:
        raise HTTPException(418, "no coffee")

    async def story(gateway: Gateway) -> None:
        reply = await gateway.socket().connect()
        assert (reply["statusCode"], reply["body"]) == (418, "no coffee")
        assert records(gateway) == []

    kind.play(Starlette(routes=[WebSocketRoute("/", endpoint)]), story)


async def raising(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    raise LookupError("no such room")


def test_an_application_that_raises_refuses_with_500(kind: Kind, caplog: pytest.LogCaptureFixture) -> None:
    refused(kind, raising, {"statusCode": 500})
    assert "no such room" in caplog.text


def test_an_application_that_raises_fails_the_invocation_where_that_is_wanted(kind: Kind) -> None:
    with pytest.raises(LookupError, match="no such room"):
        refused(kind, raising, None, errors="raise")


async def returning(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()


async def asking(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await receive()


async def beginning(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "websocket.http.response.start", "status": 401})


UNDECIDED: list[tuple[ASGIApp, str]] = [(returning, "returned"), (asking, "asked for a message"), (beginning, "return")]


@pytest.mark.parametrize(("app", "what"), UNDECIDED)
def test_an_application_that_decides_nothing_refuses_with_500(
    kind: Kind, app: ASGIApp, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    refused(kind, app, {"statusCode": 500})
    assert f"The application {what}" in caplog.text
    assert "before it had accepted or refused" in caplog.text


@pytest.mark.parametrize(("app", "what"), UNDECIDED)
def test_an_application_that_decides_nothing_fails_the_invocation_where_that_is_wanted(
    kind: Kind, app: ASGIApp, what: str
) -> None:
    with pytest.raises(IncompleteResponse, match=what):
        refused(kind, app, None, errors="raise")


@pytest.mark.parametrize("errors", ["respond", "raise"])
def test_an_application_that_raises_after_it_has_refused_has_refused(
    kind: Kind, errors: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(CLOSE)
        raise LookupError("no such room")

    refused(kind, app, {"statusCode": 403}, errors=errors)
    assert "no such room" in caplog.text


def test_an_application_that_raises_after_its_accept_refuses_with_500_while_nobody_is_in(
    kind: Kind, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        raise LookupError("no such room")

    refused(kind, app, {"statusCode": 500})
    assert "no such room" in caplog.text


def test_an_application_that_raises_after_the_client_is_in_closes_the_connection(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        await send(says("welcome"))
        raise LookupError("no such room")

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        assert await socket.connect() == {"statusCode": 200}
        assert gateway.posts.take() == ["welcome"]
        assert gateway.posts.ended == [socket.id]
        assert records(gateway) == []

    for websockets in ("replay", "resident"):
        Kind(prompt=True, websockets=websockets).play(app, story, errors="raise")  # the reply has left
        assert "no such room" in caplog.text


def test_an_application_that_raises_after_the_client_has_gone_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        await send(says("welcome"))
        with suppress(OSError):
            await send(says("there"))
        raise LookupError("no such room")

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        taken = gateway.posts.post

        async def post(connection_id: str, data: bytes, **options: Any) -> None:
            if data == b"there":
                gateway.posts.open.clear()
            await taken(connection_id, data, **options)

        gateway.posts.post = post  # type: ignore[method-assign]  # a client that goes in the middle
        await socket.connect()

    Kind(prompt=True, websockets="replay").play(app, story)
    assert "no such room" in caplog.text


# $connect: what is sent after the accept


def test_a_greeting_is_delivered_once_when_the_connection_is_there(kind: Kind) -> None:
    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        assert gateway.posts.take() == (["welcome"] if kind.prompt else [])
        await socket.send("one")
        assert gateway.posts.take() == (["one"] if kind.prompt else ["welcome", "one"])
        await socket.send("two")
        assert gateway.posts.take() == ["two"]

    kind.play(echo, story)


def test_that_a_greeting_waits_is_said_once(replay: Kind, caplog: pytest.LogCaptureFixture) -> None:
    async def story(gateway: Gateway) -> None:
        await gateway.socket().connect()
        await gateway.socket().connect()

    replay.play(echo, story)
    said = [message for message in caplog.messages if "waits for that connection's next event" in message]
    assert len(said) == (0 if replay.prompt else 1)


def test_an_application_without_a_greeting_hears_no_warning(kind: Kind, caplog: pytest.LogCaptureFixture) -> None:
    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        await socket.send("one")
        await socket.leave()

    kind.play(Noting(), story)
    assert caplog.records == []


def test_a_greeting_is_delivered_once_though_two_events_come_at_once(replay: Kind) -> None:
    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        await asyncio.gather(*(socket.send(text) for text in ("one", "two", "three")))
        assert sorted(gateway.posts.take()) == ["one", "three", "two", "welcome"]

    replay.play(echo, story)


def test_a_greeting_for_one_that_has_gone_is_dropped(kind: Kind) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        with suppress(OSError):
            await send(says("welcome"))
        heard.append((await receive())["type"])

    heard: list[str] = []

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        gateway.posts.open.clear()
        assert await socket.send("one") == {"statusCode": 200}
        assert gateway.posts.take() == (["welcome"] if kind.prompt else [])

    kind.play(app, story)
    assert heard == ["websocket.receive"]


async def brief(scope: Scope, receive: Receive, send: Send) -> None:
    await send(ACCEPT)
    await send(says("text"))
    await send({"type": "websocket.send", "bytes": b"bytes"})
    await send({**CLOSE, "code": 4000})


def test_an_application_that_accepts_sends_and_closes_without_receiving_works(kind: Kind) -> None:
    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        assert await socket.connect() == {"statusCode": 200}
        if not kind.prompt:
            assert (gateway.posts.sent, gateway.posts.ended) == ([], [])
            assert await socket.send("anything") == {"statusCode": 200}
        assert gateway.posts.take() == ["text", "bytes"]
        assert gateway.posts.ended == [socket.id]
        assert records(gateway) == []
        assert await socket.leave() == {"statusCode": 200}

    kind.play(brief, story)


def test_an_application_that_closes_and_then_receives_hears_of_its_own_close(kind: Kind) -> None:
    heard = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        await send(CLOSE)
        heard.append(await receive())
        await receive()

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        assert await socket.connect() == {"statusCode": 200}
        if not kind.prompt:
            await socket.send("anything")
        assert gateway.posts.ended == [socket.id]
        assert records(gateway) == []

    kind.play(app, story)
    assert heard == [{"type": "websocket.disconnect", "code": 1000, "reason": ""}]


def test_an_application_that_returns_after_its_accept_closes(kind: Kind) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        assert await socket.connect() == {"statusCode": 200}
        if not kind.prompt:
            await socket.send("anything")
        assert gateway.posts.ended == [socket.id]

    kind.play(app, story)


# Messages


def test_messages_are_text_or_bytes_as_the_event_has_them(kind: Kind) -> None:
    app = Noting()

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        assert await socket.send("héllo") == {"statusCode": 200}
        await socket.send("AP8=", isBase64Encoded=True)
        await socket.send("")
        assert gateway.posts.take() == ["héllo", "bytes", "bytes"]

    kind.play(app, story)
    assert app.heard == [
        {"type": "websocket.receive", "text": "héllo"},
        {"type": "websocket.receive", "bytes": b"\0\xff"},
        {"type": "websocket.receive", "text": ""},
    ]


def test_what_was_sent_before_the_first_message_is_not_repeated(kind: Kind) -> None:
    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        for text in ("one", "two", "three"):
            await socket.send(text)
        assert gateway.posts.take() == ["welcome", "one", "two", "three"]

    kind.play(echo, story)


def test_a_run_ends_where_the_application_asks_for_more_and_what_it_sends_then_reaches_nobody(replay: Kind) -> None:
    app = Noting()

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        await socket.send("one")
        assert gateway.posts.take() == ["one"]
        assert gateway.posts.ended == []

    replay.play(app, story)
    assert app.ends == ["cancelled", "cancelled"]


def test_the_extension_tells_the_events_apart(kind: Kind) -> None:
    told = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        told.append({**extension(scope), "session": None})
        while (await receive())["type"] == "websocket.receive":
            told.append({**extension(scope), "session": None})
        told.append({**extension(scope), "session": None})

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        event = socket.event("websocket_message")
        event["requestContext"]["routeKey"] = "join"
        await gateway.invoke(event)
        await socket.leave()
        ids.append(socket.id)

    ids: list[str] = []
    kind.play(app, story)
    same = {"connection_id": ids[0], "endpoint": "", "session": None}
    events = [("connect", "$connect"), ("message", "join"), ("disconnect", "$disconnect")]
    assert [each for number, each in enumerate(told) if kind.resident or number not in (1, 3)] == [
        {**same, "event": event, "route_key": key} for event, key in events
    ]


def test_a_session_is_kept_from_event_to_event(kind: Kind) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        session = extension(scope)["session"]
        await receive()
        await send(ACCEPT)
        session.setdefault("count", 0)
        while (await receive())["type"] == "websocket.receive":
            session["count"] += 1
            await send(says(str(session["count"])))

    async def story(gateway: Gateway) -> None:
        socket, other = gateway.socket(), gateway.socket()
        for each in (socket, other):
            await each.connect()
        for _ in range(3):
            await socket.send()
        await other.send()
        assert gateway.posts.take() == ["1", "2", "3", "1"]

    kind.play(app, story, environments=2)


def test_a_session_may_be_replaced_by_another(kind: Kind) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        while (message := await receive())["type"] == "websocket.receive":
            await send(says(json.dumps(extension(scope)["session"])))
            extension(scope)["session"] = {"last": message["text"]}

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        for text in ("one", "two", "three"):
            await socket.send(text)
        assert gateway.posts.take() == ["{}", '{"last": "one"}', '{"last": "two"}']

    kind.play(app, story)


@pytest.mark.parametrize("wrong", [{"a": {1}}, {("a", 1): 1}, {"a": "x" * 300_000}, [], None])
def test_a_session_that_cannot_be_kept_fails_the_event_and_closes(
    kind: Kind, wrong: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        await receive()
        extension(scope)["session"] = wrong
        await receive()

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        assert await socket.send() == {"statusCode": 500}
        assert gateway.posts.ended == [socket.id]
        assert records(gateway) == []

    kind.play(app, story)
    assert "session" in caplog.text


@pytest.mark.parametrize("greets", [True, False])
def test_a_session_of_the_connect_that_cannot_be_kept_refuses_the_client(
    kind: Kind, greets: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        extension(scope)["session"]["a"] = {1}
        await send(ACCEPT)
        if greets:
            await send(says("welcome"))
        await receive()

    refused(kind, app, {"statusCode": 500})
    assert "under 'a' to be JSON" in caplog.text
    with pytest.raises(InvalidMessage, match="under 'a' to be JSON"):
        refused(kind, app, None, errors="raise")


def test_a_session_of_the_connect_that_no_store_takes_refuses_the_client(kind: Kind) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        extension(scope)["session"]["a"] = "x" * 300_000
        await send(ACCEPT)
        await receive()

    refused(kind, app, {"statusCode": 500})


@pytest.mark.parametrize("websockets", ["replay", "resident"])
def test_a_greeting_that_is_too_long_to_wait_refuses_the_client(
    websockets: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        for _ in range(3):
            await send(says("x" * 100_000))
        await receive()

    refused(Kind(prompt=False, websockets=websockets), app, {"statusCode": 500})
    assert "3 messages wait in it" in caplog.text


def test_a_message_takes_one_load_and_a_save_only_if_something_has_changed(kind: Kind) -> None:
    store = Shaky()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        while (message := await receive())["type"] == "websocket.receive":
            extension(scope)["session"]["text"] = message["text"]

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        assert store.asked == ["save"]
        for text, asked in (("a", ["load", "save"]), ("a", ["load"]), ("b", ["load", "save"])):
            store.asked.clear()
            await socket.send(text)
            assert store.asked == asked
        store.asked.clear()
        await socket.leave()
        assert store.asked == ["load", "delete"]

    kind.play(app, story, store=store)


def test_an_application_that_now_refuses_closes_the_connection(replay: Kind) -> None:
    expired = False
    heard = []

    def token() -> str:
        if expired:
            raise HTTPException(401)
        return "token"

    app = FastAPI()

    @app.websocket("/")
    async def endpoint(websocket: WebSocket, token: Annotated[str, Depends(token)]) -> None:
        await websocket.accept()
        heard.append(await websocket.receive_text())

    async def story(gateway: Gateway) -> None:
        nonlocal expired
        socket = gateway.socket()
        await socket.connect()
        expired = True
        assert await socket.send("hi") == {"statusCode": 200}
        assert gateway.posts.ended == [socket.id]
        assert records(gateway) == []

    replay.play(app, story)
    assert heard == []


@pytest.mark.parametrize("way", ["close", "raise", "return", "receive", "close after accept"])
def test_an_application_that_does_not_accept_again_closes_the_connection(replay: Kind, way: str) -> None:
    changed = False

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        if changed:
            if way == "raise":
                raise LookupError("no such room")
            if way == "close after accept":
                await send(ACCEPT)
            if way.startswith("close"):
                await send(CLOSE)
            if way == "receive":
                await receive()
                await receive()
            return
        await send(ACCEPT)
        await receive()

    async def story(gateway: Gateway) -> None:
        nonlocal changed
        socket = gateway.socket()
        await socket.connect()
        changed = True
        assert (await socket.send())["statusCode"] in (200, 500)
        assert gateway.posts.ended == [socket.id]
        assert records(gateway) == []

    replay.play(app, story)


def test_an_application_that_closes_at_a_message_closes_the_connection_once_all_is_sent(kind: Kind) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        await receive()
        await send(says("bye"))
        await send(CLOSE)
        await receive()
        await receive()

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        assert await socket.send() == {"statusCode": 200}
        assert gateway.posts.take() == ["bye"]
        assert gateway.posts.ended == [socket.id]
        assert records(gateway) == []

    kind.play(app, story)


def test_an_application_that_returns_at_a_message_closes_the_connection(kind: Kind) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        await receive()
        await send(says("bye"))

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        await socket.send()
        assert (gateway.posts.take(), gateway.posts.ended) == (["bye"], [socket.id])
        assert records(gateway) == []

    kind.play(app, story)


async def failing(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send(ACCEPT)
    await receive()
    raise LookupError("no such room")


def test_an_application_that_raises_at_a_message_closes_the_connection(
    kind: Kind, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        assert await socket.send() == {"statusCode": 500}
        assert gateway.posts.ended == [socket.id]
        assert records(gateway) == []

    kind.play(failing, story)
    assert "no such room" in caplog.text


def test_an_application_that_raises_at_a_message_fails_the_invocation_where_that_is_wanted(kind: Kind) -> None:
    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        with pytest.raises(LookupError, match="no such room"):
            await socket.send()
        assert gateway.posts.ended == [socket.id]

    kind.play(failing, story, errors="raise")


def test_a_message_may_have_128_kilobytes_and_no_byte_more(kind: Kind) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        while (message := await receive())["type"] == "websocket.receive":
            await send(says("x" * int(message["text"])))

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        await socket.send("131072")
        assert [len(text) for text in gateway.posts.take()] == [131072]
        assert await socket.send("131073") == {"statusCode": 500}
        assert gateway.posts.take() == []

    kind.play(app, story)


# Two events at once


def test_two_events_at_once_are_merged_and_the_application_runs_once_for_each(
    kind: Kind, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[str] = []
    both = asyncio.Barrier(2)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        while (message := await receive())["type"] == "websocket.receive":
            text = message["text"]
            heard.append(text)
            await both.wait()
            session = extension(scope)["session"]
            session[text] = True
            session["last"] = text
            await send(says(text))
            await both.wait()

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        await asyncio.gather(socket.send("one", 0), socket.send("two", 1))
        assert sorted(gateway.posts.take()) == ["one", "two"]
        stored = await gateway.store.load(f"connection/{socket.id}")
        assert stored is not None
        session = json.loads(stored.data.split(b"\n")[1])["session"]
        assert session.pop("last") in ("one", "two")
        assert session == {"one": True, "two": True}

    kind.play(app, story, environments=2)
    assert sorted(heard) == ["one", "two"]
    assert [message for message in caplog.messages if "'last'" in message and "the last one wins" in message]
    assert not [message for message in caplog.messages if "'one'" in message]


def test_an_end_that_comes_while_a_message_is_processed_is_the_end(kind: Kind) -> None:
    async def story(gateway: Gateway) -> None:
        begun, go = asyncio.Event(), asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await receive()
            await send(ACCEPT)
            if (await receive())["type"] == "websocket.receive":
                begun.set()
                await go.wait()
                extension(scope)["session"]["a"] = 1
                await receive()

        gateway.handlers[0].app = gateway.handlers[1].app = app
        socket = gateway.socket()
        await socket.connect()
        message = asyncio.ensure_future(socket.send("one", 0))
        await begun.wait()
        await socket.leave(environment=1)
        go.set()
        assert await message == {"statusCode": 200}
        assert records(gateway) == []

    kind.play(echo, story, environments=2)


# $disconnect


def test_the_application_hears_code_and_reason_and_the_record_goes(kind: Kind) -> None:
    app = Noting()

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        await gateway.store.join("room", socket.id, 1e12)
        assert await socket.leave(1001, "tab closed") == {"statusCode": 200}
        assert records(gateway) == []
        assert [each async for each in gateway.store.members("room")] == []
        assert gateway.posts.ended == []

    kind.play(app, story)
    assert app.heard == [{"type": "websocket.disconnect", "code": 1001, "reason": "tab closed"}]
    assert app.ends[-1] == "returned"


def test_an_end_without_a_record_is_answered_and_the_application_is_not_run(kind: Kind) -> None:
    app = Noting()

    async def story(gateway: Gateway) -> None:
        assert await gateway.socket().leave() == {"statusCode": 200}

    kind.play(app, story)
    assert app.scopes == []


@pytest.mark.parametrize("grouped", [False, True])
def test_the_exception_that_says_that_the_client_has_gone_is_no_error(
    kind: Kind, caplog: pytest.LogCaptureFixture, *, grouped: bool
) -> None:
    async def talk(websocket: WebSocket) -> None:
        while True:
            await websocket.receive_text()

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        if not grouped:
            await talk(websocket)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(talk(websocket))

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        assert await socket.leave() == {"statusCode": 200}

    kind.play(Starlette(routes=[WebSocketRoute("/", endpoint)]), story, errors="raise")
    assert caplog.records == []


@pytest.mark.parametrize("error", [LookupError("no such room"), ConnectionRefusedError("no database")])
def test_any_other_exception_at_the_end_is_an_error(
    kind: Kind, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        await receive()
        raise error

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        assert await socket.leave() == {"statusCode": 500}
        assert records(gateway) == []
        assert gateway.posts.ended == []

    kind.play(app, story)
    assert str(error) in caplog.text


# Connections that are not what they should be


def test_a_message_of_an_unknown_connection_closes_it(kind: Kind, caplog: pytest.LogCaptureFixture) -> None:
    app = Noting()

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        assert await socket.send("hi") == {"statusCode": 410}
        assert gateway.posts.ended == [socket.id]
        assert socket.id in caplog.text

    kind.play(app, story)
    assert app.scopes == []


def test_a_record_that_has_expired_is_none(kind: Kind) -> None:
    app = Noting()
    now = 1_800_000_000.0
    store = MemoryStore(lambda: now)

    async def story(gateway: Gateway) -> None:
        nonlocal now
        gateway.now = lambda: now
        socket = gateway.socket()
        await socket.connect()
        now += 2 * 3600 + 299
        assert await socket.send("hi") == {"statusCode": 200}
        now += 2
        app.heard.clear()
        assert await socket.send("hi") == {"statusCode": 410}
        assert gateway.posts.ended == [socket.id]
        assert await socket.leave() == {"statusCode": 200}

    kind.play(app, story, store=store)
    assert app.heard == []


def test_a_second_connect_of_the_same_connection_begins_anew(kind: Kind) -> None:
    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        for _ in range(2):
            assert await socket.connect() == {"statusCode": 200}
        await socket.send("one")
        assert gateway.posts.take().count("one") == 1
        assert len(records(gateway)) == 1

    kind.play(echo, story)


# The store is down


@pytest.mark.parametrize("app", [echo, Noting(), brief])
def test_a_store_that_is_down_at_connect_refuses_the_client(kind: Kind, app: ASGIApp) -> None:
    store = Shaky()
    store.down = {"save"}

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        with pytest.raises(StoreError, match="does not answer"):
            await socket.connect()
        assert gateway.posts.sent == []
        store.down.clear()
        assert await socket.connect() == {"statusCode": 200}

    kind.play(app, story, store=store, errors="raise")


def test_a_store_that_is_down_when_the_application_greets_is_no_secret_of_the_application(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = Shaky()
    store.down = {"save"}

    async def story(gateway: Gateway) -> None:
        assert await gateway.socket().connect() == {"statusCode": 500}

    Kind(prompt=True, websockets="replay").play(echo, story, store=store)
    assert "The store does not answer." in caplog.text


@pytest.mark.parametrize("what", ["load", "save"])
def test_a_store_that_is_down_at_a_message_fails_the_invocation_and_the_connection_stays(kind: Kind, what: str) -> None:
    store = Shaky()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        while (message := await receive())["type"] == "websocket.receive":
            extension(scope)["session"][message["text"]] = True
            await send(says(",".join(extension(scope)["session"])))

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        store.down = {what}
        with pytest.raises(StoreError, match="does not answer"):
            await socket.send("one")
        assert gateway.posts.ended == []
        gateway.posts.take()
        store.down.clear()
        assert await socket.send("two") == {"statusCode": 200}
        assert gateway.posts.take() == ["two"]

    kind.play(app, story, store=store)


async def grouping(scope: Scope, receive: Receive, send: Send) -> None:
    async def talk() -> None:
        while (message := await receive())["type"] == "websocket.receive":
            extension(scope)["session"][message["text"]] = True
            await send(says(",".join(extension(scope)["session"])))

    await receive()
    await send(ACCEPT)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(talk())


async def polite(scope: Scope, receive: Receive, send: Send) -> None:
    """Makes a close of every exception, as Litestar does."""
    await receive()
    await send(ACCEPT)
    try:
        while (message := await receive())["type"] == "websocket.receive":
            extension(scope)["session"][message["text"]] = True
            await send(says(",".join(extension(scope)["session"])))
    except StoreError:
        await send({"type": "websocket.close", "code": 4500})


async def joining(scope: Scope, receive: Receive, send: Send) -> None:
    """Meets it by itself, in a group."""
    await receive()
    await send(ACCEPT)
    while (message := await receive())["type"] == "websocket.receive":
        if message["text"] == "one":
            raise ExceptionGroup("", [StoreError("The store does not answer.")])
        await send(says(message["text"]))


@pytest.mark.parametrize("app", [grouping, polite, joining])
def test_the_connection_stays_whatever_the_application_makes_of_that(kind: Kind, app: ASGIApp) -> None:
    store = Shaky()

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        store.down = {"save"}
        with pytest.raises(StoreError, match="does not answer"):
            await socket.send("one")
        assert (gateway.posts.ended, gateway.posts.sent) == ([], [])
        store.down.clear()
        assert await socket.send("two") == {"statusCode": 200}
        assert gateway.posts.take() == ["two"]

    kind.play(app, story, store=store)


@pytest.mark.parametrize("recovers", [True, False])
def test_an_application_that_goes_on_without_its_store_keeps_its_session_once_the_store_is_back(
    kind: Kind, recovers: bool
) -> None:
    store = Shaky()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        while (message := await receive())["type"] == "websocket.receive":
            extension(scope)["session"][message["text"]] = True
            try:
                await send(says(",".join(extension(scope)["session"])))
            except StoreError:
                store.down -= {"save"} if recovers else set()

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        store.down = {"save"}
        if recovers:
            assert await socket.send("one") == {"statusCode": 200}
        else:
            with pytest.raises(StoreError, match="does not answer"):
                await socket.send("one")
        store.down.clear()
        assert gateway.posts.take() == []
        assert await socket.send("two") == {"statusCode": 200}
        assert gateway.posts.take() == ["one,two" if recovers else "two"]

    kind.play(app, story, store=store)


@pytest.mark.parametrize("what", ["load", "delete"])
def test_a_store_that_is_down_at_the_end_fails_the_invocation(kind: Kind, what: str) -> None:
    store = Shaky()

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        store.down = {what}
        with pytest.raises(StoreError, match="does not answer"):
            await socket.leave()
        store.down.clear()

    kind.play(Noting(), story, store=store)


@pytest.mark.parametrize("app", [failing, brief])
def test_a_store_that_is_down_when_a_connection_is_closed_leaves_nothing_running(kind: Kind, app: ASGIApp) -> None:
    store = Shaky()
    store.down = {"delete"}

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()

        async def connect_and_send() -> None:
            await socket.connect()
            await socket.send()

        with pytest.raises(StoreError, match="does not answer"):
            await connect_and_send()

    kind.play(app, story, store=store)


# The client has gone


def test_a_send_to_one_that_has_gone_is_an_oserror_and_then_the_end(kind: Kind) -> None:
    heard: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        await receive()
        try:
            await send(says("there?"))
        except OSError as error:
            heard.append(error)
        heard.append(await receive())

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        gateway.posts.open.clear()
        assert await socket.send() == {"statusCode": 200}
        assert gateway.posts.ended == []

    kind.play(app, story)
    error, message = heard
    assert isinstance(error, OSError)
    assert message == {"type": "websocket.disconnect", "code": 1006, "reason": ""}


def test_a_send_to_one_that_has_gone_is_a_disconnect_in_starlette(kind: Kind) -> None:
    seen: list[int] = []

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            while True:
                await websocket.send_text(await websocket.receive_text())
        except WebSocketDisconnect as gone:
            seen.append(gone.code)
            raise

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        gateway.posts.open.clear()
        assert await socket.send() == {"statusCode": 200}

    kind.play(Starlette(routes=[WebSocketRoute("/", endpoint)]), story, errors="raise")
    assert seen == [1006]


def test_a_management_api_that_refuses_is_an_error_of_the_event(kind: Kind, caplog: pytest.LogCaptureFixture) -> None:
    async def story(gateway: Gateway) -> None:
        async def refuse(connection_id: str, *_: Any, connected_at: float | None = None) -> None:
            raise ServiceError("Allow execute-api:ManageConnections.", 403, "AccessDenied")

        socket = gateway.socket()
        await socket.connect()
        gateway.posts.post = gateway.posts.close = refuse  # type: ignore[assignment, method-assign]  # from now on
        assert await socket.send("hi") == {"statusCode": 500}

    kind.play(Noting(), story)
    assert "Allow execute-api:ManageConnections." in caplog.text


# Out of time


def test_an_event_that_runs_out_of_time_ends_the_conversation_and_the_next_one_replays(kind: Kind) -> None:
    runs, cleaned = [], []

    async def story(gateway: Gateway) -> None:
        begun = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            runs.append(extension(scope)["event"])
            try:
                await receive()
                await send(ACCEPT)
                while (message := await receive())["type"] == "websocket.receive":
                    if message["text"] == "slow":
                        begun.set()
                        await asyncio.Event().wait()
                    await send(says(message["text"]))
            finally:
                cleaned.append(extension(scope)["event"])

        gateway.handlers[0].app = app
        socket = gateway.socket()
        await socket.connect()
        late = asyncio.ensure_future(socket.send("slow"))
        await begun.wait()
        late.cancel()
        await asyncio.wait({late})
        assert late.cancelled()
        assert await socket.send("hi") == {"statusCode": 200}
        assert gateway.posts.take() == ["hi"]

    kind.play(echo, story)
    assert runs == ["connect", "message", "message"] if not kind.resident else ["connect", "message"]
    assert len(cleaned) == len(runs)


def test_one_that_runs_out_of_time_and_does_not_end_is_not_given_the_next_message(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lambent.websocket.run._LEAVING_SECONDS", 0.01)

    async def story(gateway: Gateway) -> None:
        begun, go = asyncio.Event(), asyncio.Event()
        tasks = []

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await receive()
            await send(ACCEPT)
            while (message := await receive())["type"] == "websocket.receive":
                while message["text"] == "slow" and not go.is_set():
                    with suppress(asyncio.CancelledError):
                        tasks.append(asyncio.current_task())
                        begun.set()
                        await go.wait()
                await send(says(message["text"]))

        gateway.handlers[0].app = app
        socket = gateway.socket()
        await socket.connect()
        late = asyncio.ensure_future(socket.send("slow"))
        await begun.wait()
        late.cancel()
        await asyncio.wait({late})
        assert await socket.send("hi") == {"statusCode": 200}
        assert gateway.posts.take() == ["hi"]
        go.set()
        await asyncio.wait({task for task in tasks if task})

    kind.play(echo, story)


# Events that are none


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"eventType": "PING"}, "Expected `eventType` CONNECT, MESSAGE or DISCONNECT, but got 'PING'"),
        ({"eventType": None}, "but got None"),
        ({"eventType": ["CONNECT"]}, "but got"),
        ({"connectedAt": "now"}, ""),
        ({"connectedAt": None}, None),
        ({"connectionId": 7}, "connectionId"),
        ({"identity": "x"}, ""),
    ],
)
def test_an_event_that_is_not_as_aws_sends_it_is_refused(
    kind: Kind, changes: Any, said: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    app = Noting()

    async def story(gateway: Gateway) -> None:
        event = gateway.socket().event("websocket_connect")
        event["requestContext"] |= changes
        reply = await gateway.invoke(event)
        assert reply["statusCode"] == (200 if said is None else 400)

    kind.play(app, story)
    assert said is None or (said in caplog.text and "websocket_api event refused" in caplog.text)
    assert bool(app.scopes) is (said is None)


@pytest.mark.parametrize("changes", [{"body": 7}, {"body": "=", "isBase64Encoded": True}])
def test_a_message_that_cannot_be_read_is_refused_and_the_connection_stays(kind: Kind, changes: Any) -> None:
    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        event = socket.event("websocket_message") | changes
        assert (await gateway.invoke(event))["statusCode"] == 400
        await socket.send("hi")
        assert gateway.posts.take()[-1] == "hi"

    kind.play(echo, story)


def test_a_query_that_lacks_a_part_of_the_path_refuses_the_client(kind: Kind) -> None:
    app = Noting()

    async def story(gateway: Gateway) -> None:
        assert (await gateway.socket().connect())["statusCode"] == 400
        assert (await gateway.socket().connect({"room": "a"}))["statusCode"] == 200

    kind.play(app, story, websocket_path="/rooms/{room}")
    assert [scope["path"] for scope in app.scopes] == ["/rooms/a"]


@settings(max_examples=100, deadline=None)
@given(
    name=st.sampled_from(SOCKETS),
    changes=st.lists(
        st.tuples(st.integers(0, 999), st.sampled_from([DROP, *ODD]) | st.text(max_size=3)), min_size=1, max_size=4
    ),
    resident=st.booleans(),
)
def test_any_event_gets_a_status_or_an_event_error(name: str, changes: list[tuple[int, Any]], resident: bool) -> None:
    """After a connection that is as it should be; only the store's own rules for keys stand besides."""
    statuses = {200, 400, 410}

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        event = payload(name)
        event["requestContext"]["connectionId"] = socket.id
        try:
            reply = await gateway.invoke(mutated(event, changes))
        except (EventError, ConfigurationError):
            return
        assert reply["statusCode"] in statuses
        json.dumps(reply)

    Kind(prompt=True, websockets="resident" if resident else "replay").play(Noting(), story)


# What frameworks do around it


def test_on_disconnect_of_an_endpoint_runs_at_each_event_s_end(kind: Kind) -> None:
    seen: list[str] = []

    class Endpoint(WebSocketEndpoint):
        encoding = "text"

        async def on_connect(self, websocket: WebSocket) -> None:
            await websocket.accept()
            seen.append("connect")

        async def on_receive(self, websocket: WebSocket, data: Any) -> None:
            seen.append("receive")
            await websocket.send_text(data)

        async def on_disconnect(self, websocket: WebSocket, close_code: int) -> None:
            seen.append(f"disconnect {extension(dict(websocket.scope))['event']}")

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        await socket.send("hi")
        await socket.leave()
        assert gateway.posts.take() == ["hi"]
        assert gateway.posts.ended == []

    kind.play(Starlette(routes=[WebSocketRoute("/", Endpoint)]), story)
    if kind.resident:
        assert seen == ["connect", "receive", "disconnect disconnect"]
    else:
        assert seen == [
            *("connect", "disconnect connect"),
            *("connect", "receive", "disconnect message"),
            *("connect", "disconnect disconnect"),
        ]


class Database:
    """Counts what is committed and what is rolled back."""

    def __init__(self) -> None:
        self.rows: list[str] = []
        self.pending: list[str] = []
        self.ends: list[str] = []

    def commit(self) -> None:
        self.rows += self.pending
        self.pending = []


def test_a_transaction_of_a_yield_dependency_is_rolled_back_where_the_event_ends_in_the_middle(kind: Kind) -> None:
    """What is committed inside the loop stays; what waits for the end of the conversation is rolled back."""
    database = Database()

    async def transaction() -> AsyncIterator[Database]:
        try:
            yield database
        except BaseException:
            database.pending = []
            database.ends.append("rolled back")
            raise
        database.commit()
        database.ends.append("committed")

    app = FastAPI()

    @app.websocket("/")
    async def endpoint(websocket: WebSocket, database: Annotated[Database, Depends(transaction)]) -> None:
        await websocket.accept()
        with suppress(WebSocketDisconnect):
            while True:
                text = await websocket.receive_text()
                database.pending.append(text)
                if text != "careless":
                    database.commit()

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        await socket.send("careful")
        await socket.send("careless")
        await socket.leave()

    kind.play(app, story)
    if kind.resident:
        assert (database.rows, database.ends) == (["careful", "careless"], ["committed"])
    else:
        assert (database.rows, database.ends) == (["careful"], [*["rolled back"] * 3, "committed"])


def test_a_session_dependency_that_cleans_up_has_done_so_before_the_next_event(kind: Kind) -> None:
    open_now: list[str] = []
    most = 0

    async def connection() -> AsyncIterator[str]:
        nonlocal most
        open_now.append("a connection of a pool")
        most = max(most, len(open_now))
        try:
            yield "a connection of a pool"
        finally:
            await asyncio.sleep(0)
            open_now.pop()

    app = FastAPI()

    @app.websocket("/")
    async def endpoint(websocket: WebSocket, connection: Annotated[str, Depends(connection)]) -> None:
        await websocket.accept()
        while True:
            await websocket.receive_text()

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        for _ in range(3):
            await socket.send("hi")
            assert len(open_now) == (1 if kind.resident else 0)
        await socket.leave()

    kind.play(app, story)
    assert (open_now, most) == ([], 1)


def test_a_task_group_around_receive_works(kind: Kind) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def ticking() -> None:
            await asyncio.Event().wait()

        async with asyncio.TaskGroup() as group:
            ticker = group.create_task(ticking())
            await group.create_task(echo(scope, receive, send))
            ticker.cancel()

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        await socket.send("one")
        await socket.send("two")
        assert await socket.leave() == {"statusCode": 200}
        assert gateway.posts.take() == ["welcome", "one", "two"]
        assert gateway.posts.ended == []

    kind.play(app, story, errors="raise")


def test_an_application_that_finally_closes_does_not_close_the_connection(kind: Kind) -> None:
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            while True:
                await websocket.send_text(await websocket.receive_text())
        finally:
            await websocket.close()

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        for text in ("one", "two"):
            assert await socket.send(text) == {"statusCode": 200}
        assert gateway.posts.take() == ["one", "two"]
        assert gateway.posts.ended == []

    kind.play(Starlette(routes=[WebSocketRoute("/", endpoint)]), story)


def test_what_an_application_raises_while_it_is_ended_is_logged_and_fails_nothing(
    replay: Kind, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await echo(scope, receive, send)
        finally:
            raise LookupError("no such table")

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        assert await socket.connect() == {"statusCode": 200}
        assert await socket.send("hi") == {"statusCode": 200}
        assert gateway.posts.ended == []

    replay.play(app, story, errors="raise")
    assert "no such table" in caplog.text
    assert {record.levelno for record in caplog.records} <= {logging.ERROR, logging.WARNING}


# What is kept before the client hears of it


def test_what_a_message_has_changed_is_kept_before_the_client_is_answered(kind: Kind) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        while (message := await receive())["type"] == "websocket.receive":
            scope["extensions"]["aws.websocket"]["session"]["name"] = message["text"]
            await send(says("welcome"))

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        kept: list[object] = []
        post = gateway.posts.post

        async def look(connection_id: str, data: bytes, *, connected_at: float | None = None) -> None:
            stored = await gateway.store.load(f"connection/{connection_id}")
            assert stored is not None
            kept.append(json.loads(stored.data.splitlines()[1])["session"])
            await post(connection_id, data, connected_at=connected_at)

        gateway.posts.post = look  # type: ignore[method-assign]  # to look in between
        await socket.send("ali")
        assert kept == [{"name": "ali"}]

    kind.play(app, story)


def test_what_a_message_has_changed_is_kept_before_others_are_told(kind: Kind) -> None:
    """By Connections, in place of the endpoint's own `send`."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        while (message := await receive())["type"] == "websocket.receive":
            extension = scope["extensions"]["aws.websocket"]
            extension["session"]["name"] = message["text"]
            await connections[0].send(extension["connection_id"], "somebody has a new name")

    connections: list[Connections] = []

    async def story(gateway: Gateway) -> None:
        connections.append(Connections(gateway.store, cast(Manager, gateway.posts)))
        socket = gateway.socket()
        await socket.connect()
        kept: list[object] = []
        post = gateway.posts.post

        async def look(connection_id: str, data: bytes, *, connected_at: float | None = None) -> None:
            stored = await gateway.store.load(f"connection/{connection_id}")
            assert stored is not None
            kept.append(json.loads(stored.data.splitlines()[1])["session"])
            await post(connection_id, data, connected_at=connected_at)

        gateway.posts.post = look  # type: ignore[method-assign]  # to look in between
        await socket.send("ali")
        assert kept == [{"name": "ali"}]

    kind.play(app, story)


@pytest.mark.parametrize("websockets", ["replay", "resident"])
def test_one_that_is_let_in_is_there_for_whoever_is_told_of_it(websockets: str) -> None:
    """By Connections, after the accept: the reply has left, and there is a record."""
    kept: list[object] = []
    store = MemoryStore()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        me = extension(scope)["connection_id"]
        await receive()
        await send(ACCEPT)
        if extension(scope)["event"] == "connect":
            extension(scope)["session"]["name"] = "ali"
            await connections[0].join("room", me)
            kept.append((await connections[0].broadcast("room", "ali has come")).sent)
            kept.append(await store.load(f"connection/{me}") is not None)
        await receive()

    connections: list[Connections] = []

    async def story(gateway: Gateway) -> None:
        connections.append(Connections(gateway.store, cast(Manager, gateway.posts)))
        socket = gateway.socket()
        assert await socket.connect() == {"statusCode": 200}
        assert gateway.posts.take() == ["ali has come"]

    Kind(prompt=True, websockets=websockets).play(app, story, store=store)
    assert kept == [1, True]


def test_one_that_is_turned_away_is_not_let_in_by_what_it_has_left_running() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def tell() -> None:
            await go.wait()
            await connections[0].broadcast("room", "somebody has come")

        await receive()
        await send(ACCEPT)
        tasks.append(asyncio.create_task(tell()))
        raise LookupError("no such room")

    connections: list[Connections] = []
    tasks: list[asyncio.Task[None]] = []
    go = asyncio.Event()

    async def story(gateway: Gateway) -> None:
        connections.append(Connections(gateway.store, cast(Manager, gateway.posts)))
        assert await gateway.socket().connect() == {"statusCode": 500}
        go.set()
        await tasks[0]
        assert records(gateway) == []

    Kind(prompt=True, websockets="replay").play(app, story)


class Slow(MemoryStore):
    """A store that keeps nothing before it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self.go = asyncio.Event()

    async def save(self, key: str, data: bytes, expires: float, version: str | None = None) -> str:
        self.asked.set()
        await self.go.wait()
        return await super().save(key, data, expires, version)


@pytest.mark.parametrize("websockets", ["replay", "resident"])
def test_one_that_is_being_let_in_is_not_turned_away_but_closed(
    websockets: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        tasks.append(asyncio.create_task(connections[0].broadcast("room", "somebody has come")))
        await store.asked.wait()
        asyncio.get_running_loop().call_later(0, store.go.set)
        raise LookupError("no such room")

    connections: list[Connections] = []
    tasks: list[asyncio.Task[Any]] = []
    store = Slow()

    async def story(gateway: Gateway) -> None:
        connections.append(Connections(gateway.store, cast(Manager, gateway.posts)))
        socket = gateway.socket()
        assert await socket.connect() == {"statusCode": 200}
        await tasks[0]
        assert (gateway.posts.ended, records(gateway)) == ([socket.id], [])

    Kind(prompt=True, websockets=websockets).play(app, story, store=store)
    assert "no such room" in caplog.text


@pytest.mark.parametrize("websockets", ["replay", "resident"])
def test_one_that_is_let_in_by_what_is_given_up_meanwhile_is_let_in_once(websockets: str) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        if extension(scope)["event"] == "connect":
            telling = asyncio.create_task(connections[0].broadcast("room", "somebody has come"))
            await leaving.wait()
            telling.cancel()
            await asyncio.wait({telling})
        await receive()

    connections: list[Connections] = []
    leaving = asyncio.Event()

    async def story(gateway: Gateway) -> None:
        connections.append(Connections(gateway.store, cast(Manager, gateway.posts)))
        socket, replies = gateway.socket(), list[Any]()
        invocation = Leisurely(socket.event("websocket_connect"), replies.append, leaving)
        await gateway.handlers[0].serve(invocation)
        await invocation.finish()
        assert (replies, records(gateway)) == ([{"statusCode": 200}], [f"connection/{socket.id}"])

    Kind(prompt=True, websockets=websockets).play(app, story)


class Leisurely(Promptly):
    """A reply that takes a while to leave."""

    __slots__ = ("_leaving",)

    def __init__(self, event: Any, on_reply: Callable[[Any], None], leaving: asyncio.Event) -> None:
        super().__init__(event, on_reply)
        self._leaving = leaving

    async def reply(self, result: Any) -> None:
        await super().reply(result)
        self._leaving.set()
        for _ in range(20):
            await asyncio.sleep(0)
