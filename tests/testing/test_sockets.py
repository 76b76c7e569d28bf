"""WebSockets to handlers in this process."""

import asyncio
from typing import Any

import pytest
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from starlette.responses import PlainTextResponse

from lambent import Lambent
from lambent.errors import ConfigurationError, ConnectionGone, InvalidMessage
from lambent.stores.memory import MemoryStore
from lambent.testing import Client, WebSocketClosed, WebSocketRefused, events
from lambent.websocket.connections import Connections

chat = FastAPI()
SEEN: list[Any] = []


@chat.websocket("/echo/{room}")
async def echo(websocket: WebSocket, room: str, token: str = "") -> None:
    await websocket.accept(subprotocol="v2" if "v2" in websocket.scope["subprotocols"] else None)
    try:
        while True:
            await websocket.send_text(f"{room} {token}: {await websocket.receive_text()}")
    except WebSocketDisconnect as end:
        SEEN.append((end.code, end.reason))


@chat.websocket("/")
async def root(websocket: WebSocket) -> None:
    """Does what it is told."""
    extension = websocket.scope["extensions"]["aws.websocket"]
    if websocket.query_params.get("user") == "nobody":
        await websocket.close()
        return
    if websocket.query_params.get("user") == "teapot":
        await websocket.send_denial_response(PlainTextResponse("short and stout", 418))
        return
    if websocket.query_params.get("user") == "broken":
        raise LookupError("lost")
    await websocket.accept()
    if extension["event"] == "connect":
        await websocket.send_text("welcome")
    while True:
        told = await websocket.receive_json()
        if told == "count":
            extension["session"]["count"] = extension["session"].get("count", 0) + 1
            await websocket.send_json(extension["session"])
        elif told == "twice":
            await websocket.send_text("a")
            await websocket.send_bytes(b"b")
        elif told == "route" or isinstance(told, dict):
            await websocket.send_text(extension["route_key"])
        elif told == "who":
            await websocket.send_text(websocket.scope["aws.event"]["requestContext"]["authorizer"]["user"])
        elif told == "fail":
            raise LookupError("lost")
        elif told == "bye":
            await websocket.send_text("bye")
            await websocket.close(4000)
            return


def test_a_client_is_let_in_says_something_and_is_answered() -> None:
    SEEN.clear()
    with Client(chat) as client:
        with client.websocket("/echo/kitchen", query={"token": "t"}, subprotocols=["v1", "v2"]) as socket:
            assert (socket.subprotocol, socket.closed) == ("v2", None)
            for text in ("a", "ü"):
                socket.send(text)
                assert socket.receive() == f"kitchen t: {text}"
            socket.close(4001, "enough")
            assert socket.closed == 4001
        with client.websocket("/echo/hall") as another:
            assert (another.subprotocol, another.id != socket.id) == ("", True)
    assert SEEN == [(4001, "enough"), (1005, "Client-side close frame status not set")]


def test_one_line_is_enough() -> None:
    with Client(chat).websocket("/echo/a") as socket:
        socket.send("b")
        assert socket.receive() == "a : b"


def test_what_it_says_first_comes_first_and_the_session_is_kept() -> None:
    with Client(chat) as client, client.websocket() as socket:
        assert socket.receive() == "welcome"
        for number in (1, 2):
            socket.send('"count"')
            assert socket.receive_json() == {"count": number}
        socket.send('"twice"')
        assert (socket.receive(), socket.receive()) == ("a", "b")
        with pytest.raises(TimeoutError, match="but none has been sent"):
            socket.receive()


@pytest.mark.parametrize(("user", "status", "text"), [("nobody", 403, ""), ("teapot", 418, "short and stout")])
def test_a_client_is_refused(user: str, status: int, text: str) -> None:
    client = Client(chat)
    with pytest.raises(WebSocketRefused, match=f"answered {status}") as refused, client.websocket(query={"user": user}):
        pass
    assert (refused.value.response.status, refused.value.response.text) == (status, text)


def test_what_the_application_raises_reaches_the_test() -> None:
    with pytest.raises(LookupError, match="lost"), Client(chat).websocket(query={"user": "broken"}):
        pass
    with Client(chat) as client, client.websocket() as socket:
        with pytest.raises(LookupError, match="lost"):
            socket.send('"fail"')
        assert socket.closed == 1000  # the adapter closes what has failed


def test_unless_it_is_answered_as_on_aws(caplog: pytest.LogCaptureFixture) -> None:
    client = Client(chat, strict=False)
    with pytest.raises(WebSocketRefused) as refused, client.websocket(query={"user": "broken"}):
        pass
    assert refused.value.response.status == 500
    with client.websocket() as socket:
        socket.send('"fail"')
        assert socket.closed == 1000
    assert caplog.text.count("LookupError: lost") == 2


def test_an_application_ends_a_connection() -> None:
    with Client(chat) as client, client.websocket() as socket:
        socket.send('"bye"')
        assert [socket.receive(), socket.receive()] == ["welcome", "bye"]
        assert socket.closed == 1000  # whatever code it says: API Gateway knows no other
        for act in (socket.receive, lambda: socket.send("a")):
            with pytest.raises(WebSocketClosed, match="closed with 1000") as closed:
                act()
            assert (closed.value.code, closed.value.reason) == (1000, "Connection Closed Normally")


@pytest.mark.parametrize(("data", "code"), [(b"a", 1003), ("a" * 131_073, 1009), ("ü" * 65_537, 1009)])
def test_api_gateway_takes_neither_bytes_nor_what_is_too_long(data: object, code: int) -> None:
    SEEN.clear()
    with Client(chat).websocket("/echo/a") as socket:
        socket.send(data)
        assert socket.closed == code
    assert [code for code, _ in SEEN] == [code]


def test_the_longest_message() -> None:
    with Client(chat).websocket() as socket:
        socket.send({"action": "a" * (131_072 - len('{"action": ""}'))})
        assert (socket.receive(), socket.receive()) == ("welcome", "$default")


@pytest.mark.parametrize(
    ("said", "message", "key"),
    [
        ({}, {"action": "say"}, "$default"),
        ({"routes": ["say"]}, {"action": "say"}, "say"),
        ({"routes": ["say"]}, {"action": "shout"}, "$default"),
        ({"routes": ["say"]}, '"route"', "$default"),
        ({"routes": ["say"], "selection": "$request.body.a.b"}, {"a": {"b": "say"}}, "say"),
    ],
)
def test_a_message_takes_its_route(said: dict[str, Any], message: object, key: str) -> None:
    with Client(chat).websocket(**said) as socket:
        socket.send(message)
        assert [socket.receive(), socket.receive()] == ["welcome", key]


def test_an_authorizer_has_found_out_who_it_is() -> None:
    with Client(chat).websocket(authorizer={"user": "ann"}) as socket:
        socket.send('"who"')
        assert [socket.receive(), socket.receive()] == ["welcome", "ann"]


def test_a_handler_is_told_paths_itself_and_stays_as_it_is() -> None:
    store = MemoryStore()
    for given in (store, "dynamodb://nowhere", None):
        handler = Lambent(chat, websocket_path="/echo/{room}", store=given)
        with Client(handler) as client:
            with client.websocket(query={"room": "hall"}) as socket:
                socket.send("a")
                assert socket.receive() == "hall : a"
            with pytest.raises(ConfigurationError, match=r"API Gateway has none .* Lambent\(app, websocket_path=...\)"):
                client.websocket("/echo/hall")
        assert handler._websockets == ("replay", given, None)


def test_a_store_that_is_an_object_is_the_one_that_is_used() -> None:
    store = MemoryStore()
    with Client(Lambent(chat, store=store)) as client, client.websocket() as socket:
        assert asyncio.run(store.load(f"connection/{socket.id}")) is not None


def test_a_conversation_may_be_resident() -> None:
    heard: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert (await receive())["type"] == "websocket.connect"
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            heard.append(message["text"])
            await send({"type": "websocket.send", "text": " ".join(heard)})

    handler = Lambent(app, lifespan="off", websockets="resident")
    with Client(handler) as client, client.websocket() as socket:
        socket.send("a")
        socket.send("b")
        assert [socket.receive(), socket.receive()] == ["a", "a b"]


KINDS: list[str] = []


def function(event: dict[str, Any], _context: object) -> dict[str, Any] | None:
    context = event["requestContext"]
    KINDS.append(context["eventType"])
    if event.get("body") == "fail":
        raise LookupError("lost")
    if context["routeKey"] == "$connect":
        status = int(event.get("queryStringParameters", {}).get("status", 200))
        return {"statusCode": status, "headers": {"Sec-WebSocket-Protocol": "v1"}}
    return None


def test_a_function_without_an_application() -> None:
    KINDS.clear()
    with Client(function) as client:
        with client.websocket(subprotocols=["v1"]) as socket:
            assert socket.subprotocol == "v1"
            socket.send("a")
            with pytest.raises(LookupError, match="lost"):
                socket.send("fail")
        with pytest.raises(WebSocketRefused) as refused, client.websocket(query={"status": "401"}):
            pass
        assert refused.value.response.status == 401
    assert KINDS == ["CONNECT", "MESSAGE", "MESSAGE", "DISCONNECT", "CONNECT"]


def test_a_function_that_fails_on_aws() -> None:
    with Client(function, strict=False) as client:
        with client.websocket() as socket:
            socket.send("fail")
            told = socket.receive_json()
            assert (told["message"], told["connectionId"]) == ("Internal server error", socket.id)
        for status in ("x", "7"):
            with pytest.raises(WebSocketRefused) as refused, client.websocket(query={"status": status}):
                pass
            assert refused.value.response.status == 502
    with pytest.raises(InvalidMessage), Client(function).websocket(query={"status": "7"}):
        pass


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"cookies": {}}, "websocket: expected options of query, headers, subprotocols, authorizer, stage, routes, "),
        ({"headers": {"a b": "c"}}, "websocket: expected a header, such as accept: text/html, but got 'a b: c'"),
        ({"selection": "action"}, "websocket: expected $request.body.NAME in it."),
    ],
)
def test_what_cannot_be_said(said: Any, says: str) -> None:
    with pytest.raises(ConfigurationError) as told:
        Client(chat).websocket(**said)
    assert str(told.value).startswith(says)


async def rooms(scope: Any, receive: Any, send: Any) -> None:
    """What one says, both hear; `KICK` ends the other one."""
    connection = scope["extensions"]["aws.websocket"]["connection_id"]
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] != "websocket.disconnect":
        for other in OPEN:
            if message["text"] != "kick":
                await WIRES[0].post(other, message["text"].encode())
            elif other != connection:
                await WIRES[0].close(other)
    SEEN.append((connection, message["code"]))


OPEN: list[str] = []
WIRES: list[Any] = []


def test_sockets_of_one_client_reach_each_other() -> None:
    SEEN.clear()
    client = Client(rooms)
    WIRES[:] = [client.management]
    with client, client.websocket() as one, client.websocket() as other:
        OPEN[:] = [one.id, other.id]
        one.send("hi")
        assert (one.receive(), other.receive()) == ("hi", "hi")
        info = asyncio.run(client.management.info(one.id))
        assert info.last_active_at >= info.connected_at
        one.send("kick")
        assert (one.closed, other.closed) == (None, 1000)
        for call in (client.management.post(other.id, b"a"), client.management.info(other.id)):
            with pytest.raises(ConnectionGone):
                asyncio.run(call)
    with pytest.raises(InvalidMessage, match="131072 bytes"):
        asyncio.run(client.management.post(one.id, b"a" * 131_073))
    ends = [(other.id, 1000), (one.id, 1005)]
    assert ends == SEEN


def test_groups_of_the_application_s_own() -> None:
    app, store = FastAPI(), MemoryStore()
    client = Client(Lambent(app, store=store))
    connections = Connections(store, client.management)

    @app.websocket("/")
    async def talk(websocket: WebSocket) -> None:
        await websocket.accept()
        extension = websocket.scope["extensions"]["aws.websocket"]
        if extension["event"] == "connect":
            await connections.join("room", extension["connection_id"])
        while True:
            await connections.broadcast("room", await websocket.receive_text())

    with client, client.websocket() as one:
        with client.websocket() as other:
            one.send("hi")
            assert (one.receive(), other.receive()) == ("hi", "hi")
        one.send("again")
        assert one.receive() == "again"


def test_an_event_that_came_by_itself_is_served_too() -> None:
    with Client(chat) as client:
        assert client.invoke(events.websocket_connect(query={"user": "nobody"})) == {"statusCode": 403}
        assert client.invoke(events.websocket_disconnect()) == {"statusCode": 200}


def test_on_the_running_event_loop() -> None:
    async def run() -> None:
        async with Client(chat) as client:
            async with client.websocket() as one, client.websocket("/echo/a") as other:
                assert await one.receive() == "welcome"
                await asyncio.gather(one.send('"count"'), other.send("b"))
                assert (await one.receive_json(), await other.receive()) == ({"count": 1}, "a : b")
                with pytest.raises(TimeoutError):
                    await other.receive(timeout=0.01)
                waiting = asyncio.create_task(other.receive())
                await other.send("c")
                assert await waiting == "a : c"
                with pytest.raises(LookupError, match="lost"):
                    await one.send('"fail"')
                with pytest.raises(WebSocketClosed):
                    await one.receive()
            with pytest.raises(WebSocketRefused):
                async with client.websocket(query={"user": "nobody"}):
                    pass

    asyncio.run(run())
