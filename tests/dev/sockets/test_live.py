"""One connection from its handshake to its end, with the `websockets` library as the client."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidMessage

from lambent.dev.authorizers import Authorizers
from lambent.dev.model import Authorizer, Cause, Entrance, Failed, Function, Route
from lambent.dev.routes.sockets import SocketRoutes
from lambent.dev.sockets.live import AT_ONCE, Limits
from lambent.dev.sockets.wire import BUFFER_LIMIT
from tests.dev.instant import settle
from tests.dev.sockets.hall import CHAT, WELL, Place, end_of, opened, until

Scene = Callable[[Place], Awaitable[None]]


def play(scene: Scene, *arguments: Any, **options: Any) -> None:
    async def staged() -> None:
        async with opened(*arguments, **options) as place:
            await scene(place)

    asyncio.run(staged())


def kind(event: dict[str, Any]) -> str:
    return str(event["requestContext"]["eventType"])


def two_way(*keys: str) -> Function:
    """What it replies to messages is sent back."""
    routes = [Route("websocket", "", key, response=key[:1] != "$" or key == "$default") for key in keys]
    return replace(CHAT, routes=tuple(routes))


# The handshake


def test_the_function_is_asked_before_the_client_is_let_in() -> None:
    asked, leave = asyncio.Event(), asyncio.Event()

    async def handler(event: dict[str, Any]) -> object:
        asked.set()
        await leave.wait()
        return {"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": "b"}}

    async def scene(place: Place) -> None:
        coming = asyncio.ensure_future(place.connect("/local?x=1", subprotocols=["a", "b"]).__aenter__())
        await asked.wait()
        assert place.sockets.status() == {}
        leave.set()
        client = await coming
        assert client.subprotocol == "b"
        (event,) = place.functions.events
        assert event["queryStringParameters"] == {"x": "1"}
        assert event["headers"]["Sec-WebSocket-Protocol"] == "a, b"
        assert event["requestContext"]["domainName"] == f"127.0.0.1:{place.port}"
        assert event["requestContext"]["connectionId"] == place.id()
        await client.close()

    play(scene, handler)


@pytest.mark.parametrize(
    ("result", "status"),
    [
        ({"statusCode": 401}, 401),
        ({"statusCode": 403}, 403),
        ({"statusCode": 301}, 301),
        ({"statusCode": 501}, 501),
        ({}, 502),
        (None, 502),
        (Failed(Cause.TIMEOUT, b"{}"), 502),
        (Failed(Cause.THROTTLED, b"{}"), 500),
    ],
)
def test_it_is_refused_with_the_status_of_the_reply(result: object, status: int) -> None:
    async def scene(place: Place) -> None:
        assert (await place.refused()).status == status
        assert place.sockets.status() == {}
        assert [kind(event) for event in place.functions.events] == ["CONNECT"]

    play(scene, lambda _: result)


def test_one_that_takes_too_long_is_refused() -> None:
    entrance = Entrance("websocket", "websocket", timeout=0.01)

    async def scene(place: Place) -> None:
        answer = await place.refused()
        assert (answer.status, json.loads(answer.body)) == (504, {"message": "Endpoint request timed out"})
        assert "has not replied within the 0.01 s" in place.said[0]

    play(scene, lambda _: asyncio.Event().wait(), (CHAT,), (entrance,))


def test_a_path_that_there_is_not_is_refused_with_a_line_that_says_why() -> None:
    async def scene(place: Place) -> None:
        answer = await place.refused("/ws/7")
        assert (answer.status, json.loads(answer.body)) == (403, {"message": "Forbidden"})
        assert "There are: /local (websocket)" in place.said[0]
        assert "websocket_path" in place.said[0]
        assert place.functions.events == []

    play(scene)


def test_without_a_websocket_api_a_line_says_how_to_have_one() -> None:
    async def scene(place: Place) -> None:
        assert (await place.refused("/")).status == 403
        assert 'door = "websocket"' in place.said[0]

    play(scene, functions=(replace(CHAT, door="url"),))


def test_the_page_of_another_site_is_refused() -> None:
    async def scene(place: Place) -> None:
        for origin in ("https://evil.test", "null"):
            answer = await place.refused(origin=origin)
            assert (answer.status, origin.encode() in answer.body) == (403, True)
        assert (await place.refused(additional_headers={"Host": "evil.test"})).status == 403
        assert place.functions.events == []
        for origin in ("http://localhost:5173", "https://mine.test"):
            async with place.connect(origin=origin):
                pass

    play(scene)


def test_what_is_no_handshake_is_refused_before_anybody_is_asked() -> None:
    async def scene(place: Place) -> None:
        requests = {
            b"GET /local HTTP/1.1\r\nHost: localhost\r\n\r\n": b"HTTP/1.1 426 ",
            b"GET /local HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n": b"HTTP/1.1 400 ",
            b"nonsense\r\n\r\n": b"",
        }
        for request, answer in requests.items():
            reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
            writer.write(request)
            assert (await reader.read()).startswith(answer)
            writer.close()
            await writer.wait_closed()
        assert place.functions.events == []

    play(scene)


def test_an_api_without_the_route_lets_everyone_in() -> None:
    async def scene(place: Place) -> None:
        async with place.connect() as client:
            await client.send("hello")
            assert json.loads(await client.recv())["message"] == "Forbidden"
        assert place.functions.events == []

    play(scene, functions=(replace(CHAT, routes=(Route("websocket", "", "join"),)),))


def test_what_the_client_sends_before_it_is_let_in_is_kept() -> None:
    leave, got = asyncio.Event(), asyncio.Event()

    async def handler(event: dict[str, Any]) -> object:
        if kind(event) == "CONNECT":
            await leave.wait()
        else:
            got.set()
        return WELL

    async def scene(place: Place) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        writer.write(HANDSHAKE + frame(b"early"))
        await writer.drain()
        await until(lambda: place.functions.events)
        leave.set()
        assert (await reader.readline()).startswith(b"HTTP/1.1 101 ")
        await got.wait()
        assert place.functions.events[1]["body"] == "early"
        writer.close()

    play(scene, handler)


def test_a_client_that_goes_away_while_the_function_is_asked_has_been_there() -> None:
    leave = asyncio.Event()

    async def handler(event: dict[str, Any]) -> object:
        if kind(event) == "CONNECT":
            await leave.wait()
        return WELL

    async def scene(place: Place) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", place.port)
        writer.write(HANDSHAKE)
        await writer.drain()
        await until(lambda: place.functions.events)
        writer.transport.abort()
        await until(lambda: place.functions.withdrawn)
        leave.set()
        assert await place.told() == (1006, "")
        assert place.sockets.status() == {}

    play(scene, handler)


WHO = Authorizer("who", "request", function="who", identity=("route.request.querystring.token",), ttl=0.0)
GUARDED = Entrance("websocket", "websocket", stage="prod", authorizers=(WHO,), default_authorizer="who")


def test_an_authorizer_decides_first_and_every_event_tells_what_it_said() -> None:
    def handler(event: dict[str, Any]) -> object:
        if event.get("type") != "REQUEST":
            return WELL
        effect = "Allow" if event["queryStringParameters"]["token"] == "good" else "Deny"
        statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": event["methodArn"]}
        return {
            "principalId": "ada",
            "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
            "context": {"tier": 1},
        }

    async def scene(place: Place) -> None:
        assert (await place.refused("/prod")).status == 401
        assert place.functions.events == []
        assert (await place.refused("/prod?token=bad")).status == 403
        assert [event.get("type") for event in place.functions.events] == ["REQUEST"]
        async with place.connect("/prod?token=good") as client:
            await client.send("hello")
        await place.told()
        asked, *events = place.functions.events[1:]
        arn = "arn:aws:execute-api:us-east-1:123456789012:"
        assert asked["methodArn"] == f"{arn}{asked['requestContext']['apiId']}/prod/$connect"
        assert asked["requestContext"]["connectionId"] == events[0]["requestContext"]["connectionId"]
        assert [kind(event) for event in events] == ["CONNECT", "MESSAGE", "DISCONNECT"]
        for event in events:
            told = event["requestContext"]["authorizer"]
            assert (told["principalId"], told["tier"]) == ("ada", "1")

    play(scene, handler, (CHAT,), (GUARDED,), guard=Authorizers)


def test_an_api_key_lets_in_and_every_event_tells_it() -> None:
    key = "k" * 20
    keys = {"$connect": True, "$default": False, "$disconnect": False}
    keyed = replace(CHAT, routes=tuple(Route("websocket", "", each, api_key=wants) for each, wants in keys.items()))

    async def scene(place: Place) -> None:
        assert json.loads((await place.refused()).body) == {"message": "Forbidden"}
        assert place.functions.events == []
        async with place.connect(additional_headers={"x-api-key": key}) as client:
            await client.send("hello")
        await place.told()
        identities = [event["requestContext"]["identity"] for event in place.functions.events]
        assert [each["apiKey"] for each in identities] == [key] * 3
        assert len({each["apiKeyId"] for each in identities}) == 1
        assert key not in "".join(place.said)

    play(
        scene,
        functions=(keyed,),
        entrances=(Entrance("websocket", "websocket", api_keys={"partner": key}),),
        guard=Authorizers,
    )


# Messages


def test_messages_take_their_routes() -> None:
    async def scene(place: Place) -> None:
        async with place.connect() as client:
            for message in ('{"action": "join"}', '{"action": "other"}', "text", ""):
                await client.send(message)
        await place.told()
        events = [event for event in place.functions.events if kind(event) == "MESSAGE"]
        assert [(event["requestContext"]["routeKey"], event["body"]) for event in events] == [
            ("join", '{"action": "join"}'),
            ("$default", '{"action": "other"}'),
            ("$default", "text"),
            ("$default", ""),
        ]
        assert len({event["requestContext"]["messageId"] for event in events}) == 4
        assert len({event["requestContext"]["connectionId"] for event in place.functions.events}) == 1

    join = Function("join", "join.handler", routes=(Route("websocket", "", "join"),))
    play(scene, functions=(CHAT, join))


def test_a_reply_goes_nowhere_unless_the_route_has_a_response() -> None:
    async def scene(place: Place) -> None:
        async with place.connect() as client:
            await client.send("nobody hears of this")
            await client.send('{"action": "echo"}')
            assert await client.recv() == '{"action": "echo"}'

    echo = replace(
        CHAT, routes=tuple(Route("websocket", "", key, response=key == "echo") for key in ("$default", "echo"))
    )
    play(scene, lambda event: {"statusCode": 200, "body": event.get("body")}, (echo,))


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (Failed(Cause.FUNCTION, b"{}"), ""),
        (Failed(Cause.THROTTLED, b"{}"), ""),
        ({"statusCode": 200, "body": 7}, "body must be a string"),
        ({"statusCode": 200, "body": "x" * 131_073}, "a message has 131072 bytes at most, but it has 131073"),
    ],
)
def test_a_failure_is_told_to_the_client_and_the_connection_goes_on(result: object, said: str) -> None:
    async def scene(place: Place) -> None:
        async with place.connect() as client:
            for _ in range(2):
                await client.send("x")
                told = json.loads(await client.recv())
                assert (told["message"], told["connectionId"]) == ("Internal server error", place.id())
                assert told["requestId"] == place.functions.events[-1]["requestContext"]["requestId"]
        assert said in "\n".join(place.said)

    play(scene, lambda event: WELL if kind(event) == "CONNECT" else result, (two_way("$connect", "$default"),))


def test_one_that_takes_too_long_is_told_to_the_client() -> None:
    entrance = Entrance("websocket", "websocket", timeout=0.3)

    async def scene(place: Place) -> None:
        async with place.connect() as client:
            await client.send("x")
            assert json.loads(await client.recv())["message"] == "Endpoint request timed out"

    play(scene, lambda event: WELL if kind(event) == "CONNECT" else asyncio.Event().wait(), (CHAT,), (entrance,))


def test_messages_do_not_wait_for_each_other_and_are_not_read_without_end() -> None:
    release, running, most = asyncio.Event(), 0, 0

    async def handler(event: dict[str, Any]) -> object:
        nonlocal running, most
        if kind(event) == "MESSAGE":
            running += 1
            most = max(most, running)
            await release.wait()
            running -= 1
        return WELL

    async def scene(place: Place) -> None:
        async with place.connect() as client:
            sent = 3 * AT_ONCE
            sending = asyncio.gather(*(client.send(f"{number:04}" * 1000) for number in range(sent)))
            await until(lambda: running >= AT_ONCE)
            assert place.sockets.status()[place.id()]["in_flight"] == AT_ONCE  # type: ignore[index]  # JSON
            release.set()
            await sending
        await place.told()
        bodies = [event["body"] for event in place.functions.events if kind(event) == "MESSAGE"]
        assert sorted(bodies) == [f"{number:04}" * 1000 for number in range(sent)]
        assert most == AT_ONCE

    play(scene, handler)


# What is too long, and what is no text


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([b"bytes"], 1003),
        ([["x" * 32_769]], 1009),
        ([["x" * 32_768] * 5], 1009),
        ([["x" * 32_768] * 4 + ["x"]], 1009),
        ([["x" * 32_768] * 3 + ["x" * 32_769]], 1009),
        (["x" * 131_073], 1009),
        (["x" * 10_000_000], 1009),
    ],
)
def test_what_api_gateway_does_not_take_ends_the_connection(messages: list[Any], code: int) -> None:
    async def scene(place: Place) -> None:
        client = await place.connect()
        for message in messages:
            with suppress(ConnectionClosed):
                await client.send(message)
        assert (await end_of(client))[0] == code
        assert (await place.told())[0] == code
        assert [kind(event) for event in place.functions.events] == ["CONNECT", "DISCONNECT"]
        assert str(code) in place.said[0]

    play(scene)


def test_what_it_takes_arrives() -> None:
    texts = ["x" * 32_768, ["é" * 16_384] * 4, ["a", "", "b"]]

    async def scene(place: Place) -> None:
        async with place.connect() as client:
            for text in texts:
                await client.send(text)
        await place.told()
        bodies = [event["body"] for event in place.functions.events if kind(event) == "MESSAGE"]
        assert bodies == ["".join(text) for text in texts]

    play(scene)


def test_text_that_is_none_ends_the_connection() -> None:
    async def scene(place: Place) -> None:
        async with place.connect() as client:
            await client.send(b"\xff", text=True)
            assert (await end_of(client))[0] == 1007
        assert (await place.told())[0] == 1007

    play(scene)


# The end


@pytest.mark.parametrize(
    ("close", "told"),
    [
        ((1000, ""), (1000, "")),
        ((1001, "leaving"), (1001, "leaving")),
        ((4000, "mine"), (4000, "mine")),
    ],
)
def test_the_function_is_told_how_the_client_closed_it(close: tuple[int, str], told: tuple[int, str]) -> None:
    async def scene(place: Place) -> None:
        client = await place.connect()
        connection_id = place.id()
        await client.close(*close)
        assert await place.told() == told
        assert place.functions.events[-1]["requestContext"]["connectionId"] == connection_id
        assert place.sockets.status() == {}

    play(scene)


def test_a_close_without_a_code_is_told_in_aws_s_words() -> None:
    async def scene(place: Place) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        writer.write(HANDSHAKE)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"\x88\x80\x00\x00\x00\x00")
        assert await place.told() == (1005, "Client-side close frame status not set")
        assert await reader.read() == b"\x88\x00"
        writer.close()

    play(scene)


def test_a_client_that_is_gone_without_a_word_is_told_of() -> None:
    async def scene(place: Place) -> None:
        client = await place.connect()
        client.transport.abort()
        assert await place.told() == (1006, "")

    play(scene)


def test_one_that_hangs_up_on_the_way_is_too() -> None:
    async def scene(place: Place) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        writer.write(HANDSHAKE)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(frame(b"half")[:5])
        writer.close()
        assert await place.told() == (1006, "")

    play(scene)


def test_what_it_sends_after_we_have_closed_it_is_for_nobody() -> None:
    async def scene(place: Place) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        writer.write(HANDSHAKE)
        await reader.readuntil(b"\r\n\r\n")
        assert (await place.ask("DELETE", place.id())).status == 204
        await place.told()
        writer.write(frame(b"late") + b"\x88\x80\x00\x00\x00\x00")
        await reader.read()
        await settle()
        assert [kind(event) for event in place.functions.events] == ["CONNECT", "DISCONNECT"]
        writer.close()

    play(scene)


def test_an_idle_one_is_closed() -> None:
    async def scene(place: Place) -> None:
        async with place.connect() as client:
            assert await end_of(client) == (1001, "Going away")
        assert await place.told() == (1001, "Going away")

    play(scene, limits=Limits(idle=0.05))


def test_messages_either_way_and_pings_keep_it_open_but_not_beyond_its_life() -> None:
    async def scene(place: Place) -> None:
        async def heard(client: ClientConnection, text: str) -> None:
            await client.send(text)
            await until(lambda: place.functions.events[-1].get("body") == text)

        async with place.connect() as client:
            loop, name, ahead = asyncio.get_running_loop(), place.id(), 0.0
            clock = loop.time
            loop.time = lambda: clock() + ahead  # type: ignore[method-assign]  # seconds pass at once
            for turn in range(6):
                ahead += 1.5
                if turn % 3 == 0:
                    await heard(client, str(turn))
                elif turn % 3 == 1:
                    assert (await place.ask("POST", name, b"y")).status == 200
                    await client.recv()
                else:
                    await (await client.ping())
            assert list(place.sockets.status()) == [name]
            ahead += 1.5
            assert await end_of(client) == (1001, "Going away")
        assert await place.told() == (1001, "Going away")

    play(scene, limits=Limits(idle=2.5, life=10))


def test_a_client_that_does_not_read_is_dropped_and_memory_is_bounded() -> None:
    async def scene(place: Place) -> None:
        client = socket.create_connection(("127.0.0.1", place.port))
        client.sendall(HANDSHAKE)
        await until(place.sockets.status)
        name, most, statuses = place.id(), 0, []
        for _ in range(1000):
            statuses.append((await place.ask("POST", name, b"x" * 131_072)).status)
            if statuses[-1] != 200:
                break
            most = max(most, place.sockets.status()[name]["buffered"])  # type: ignore[index]  # JSON
        assert statuses[-1] == 429
        assert most <= BUFFER_LIMIT
        assert await place.told() == (1006, "")
        assert "does not read" in place.said[0]
        assert (await place.ask("POST", name, b"x")).status == 410
        client.close()

    play(scene)


def test_a_flood_of_pings_that_nobody_reads_the_answers_of_is_ended() -> None:
    async def scene(place: Place) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port, limit=2**10)
        writer.write(HANDSHAKE)
        await reader.readuntil(b"\r\n\r\n")
        reader._transport.pause_reading()  # type: ignore[attr-defined]  # a StreamReader has one
        pings = (b"\x89\xfd\x00\x00\x00\x00" + b"x" * 125) * 1000

        async def flood() -> None:
            while True:
                writer.write(pings)
                await writer.drain()

        with pytest.raises(ConnectionError):
            await flood()
        assert await place.told() == (1006, "")

    play(scene)


# All of them


def test_three_hundred_at_once() -> None:
    async def scene(place: Place) -> None:
        async with AsyncExitStack() as stack:
            clients = await asyncio.gather(*(stack.enter_async_context(place.connect()) for _ in range(300)))
            assert len(place.sockets.status()) == 300
            await asyncio.gather(*(client.send("hello") for client in clients))
            names = list(place.sockets.status())
            answers = await asyncio.gather(*(place.ask("POST", name, name.encode()) for name in names))
            assert {answer.status for answer in answers} == {200}
            assert {await client.recv() for client in clients} == set(names)
        await until(lambda: not place.sockets.status() and len(place.functions.events) == 900)
        kinds = [kind(event) for event in place.functions.events]
        assert {each: kinds.count(each) for each in kinds} == dict.fromkeys(["CONNECT", "MESSAGE", "DISCONNECT"], 300)

    play(scene)


def test_the_end_of_the_server_is_told_to_both_sides() -> None:
    async def scene(place: Place) -> None:
        async with place.connect() as client:
            await asyncio.gather(place.sockets.close(5), end_of(client))
            assert (client.close_code, client.close_reason) == (1001, "Going away")
        assert await place.told() == (1001, "Going away")
        assert place.sockets._tasks == set()
        assert (await place.refused()).status == 503

    play(scene)


def test_it_does_not_wait_for_a_function_for_ever() -> None:
    async def scene(place: Place) -> None:
        async with place.connect() as client:
            ending = asyncio.ensure_future(end_of(client))
            await place.sockets.close(0.01)
            assert place.sockets._tasks
            await place.sockets.end()
            assert place.sockets._tasks == set()
            assert (await ending)[0] == 1001

    play(scene, lambda event: asyncio.Event().wait() if kind(event) == "DISCONNECT" else WELL)


def test_another_configuration_leaves_them_open_unless_their_api_is_gone() -> None:
    talk, feed = (replace(CHAT, door=name) for name in ("talk", "feed"))
    entrances = [Entrance(name, "websocket", stage=name) for name in ("talk", "feed")]

    async def scene(place: Place) -> None:
        async with place.connect("/talk") as talking, place.connect("/feed") as feeding:
            join = replace(talk, name="join", routes=(Route("talk", "", "join"),))
            place.sockets.configure(SocketRoutes([talk, join], entrances))
            assert await end_of(feeding) == (1001, "Going away")
            assert await place.told() == (1001, "Going away")
            await talking.send('{"action": "join"}')
            await until(lambda: kind(place.functions.events[-1]) == "MESSAGE")
            assert place.functions.events[-1]["requestContext"]["routeKey"] == "join"

    play(scene, functions=(talk, replace(feed, name="join")), entrances=tuple(entrances))


def test_a_function_that_is_gone_is_a_failure() -> None:
    async def scene(place: Place) -> None:
        async with place.connect() as client:
            place.functions.names.clear()
            await client.send("x")
            assert json.loads(await client.recv())["message"] == "Internal server error"
        assert "There is no function 'chat' here." in place.said[0]

    play(scene)


def test_a_mistake_of_ours_is_told() -> None:
    async def scene(place: Place) -> None:
        async def work() -> None:
            raise RuntimeError("ours")

        place.sockets.spawn(work())
        await until(lambda: place.said)
        assert "RuntimeError: ours" in place.said[0]

    play(scene)


def test_nothing_but_websockets_is_spoken() -> None:
    async def scene(place: Place) -> None:
        with pytest.raises(InvalidMessage):
            await connect(f"ws://127.0.0.1:{place.port}/local", additional_headers={"Transfer-Encoding": "chunked"})

    play(scene)


HANDSHAKE = (
    b"GET /local HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def frame(text: bytes) -> bytes:
    """One of text, masked by zeros."""
    return bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text
