"""`@connections`, asked without a port: as clients of AWS do, the integration tests ask."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest

from lambent.dev.doors.websocket_api import ID
from lambent.dev.model import Function
from lambent.dev.sockets.management import Management, identifier
from tests.dev.sockets.hall import CHAT, Place, end_of, opened

UNKNOWN = "JCIuTfPGDoECJkA="


def play(scene: Callable[[Place], Awaitable[None]], *functions: Function) -> None:
    async def staged() -> None:
        async with opened(functions=functions or (CHAT,)) as place:
            await scene(place)

    asyncio.run(staged())


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (b"/@connections/JCIuTfPGDoECJkA=", UNKNOWN),
        (b"/prod/@connections/JCIuTfPGDoECJkA%3D", UNKNOWN),
        (b"/a/b/%40connections/JCIuTfPGDoECJkA%3d/", UNKNOWN),
        (b"/@connections/a/@connections/b", "b"),
        (b"/@connections/nonsense", "nonsense"),
        (b"/@connections/", None),
        (b"/@connections", None),
        (b"/@connections/a/b", None),
        (b"/connections/a", None),
        (b"/x@connections/a", None),
    ],
)
def test_a_connection_is_named_at_the_end_of_any_path(path: bytes, name: str | None) -> None:
    assert identifier(path) == name


def test_without_a_websocket_api_it_is_a_path_like_any_other() -> None:
    async def scene(place: Place) -> None:
        assert not Management(place.sockets).owns(b"/@connections/x")

    play(scene, Function("web", "web.handler", path="/{proxy+}"))


def test_what_is_posted_is_sent() -> None:
    async def scene(place: Place) -> None:
        async with place.connect() as client:
            for body, text in (("é".encode(), "é"), (b"", ""), (b"x" * 131_072, "x" * 131_072), (b"\xff", "�")):
                answer = await place.ask("POST", place.id(), body)
                assert (answer.status, answer.body) == (200, b"")
                assert await client.recv() == text

    play(scene)


def test_answers_have_ids() -> None:
    async def scene(place: Place) -> None:
        answer = await place.ask("GET", UNKNOWN)
        assert len(answer.headers["x-amzn-requestid"]) == 36
        assert answer.headers["x-amz-apigw-id"].endswith("=")

    play(scene)


def test_a_connection_is_told_of() -> None:
    async def scene(place: Place) -> None:
        async with place.connect(user_agent_header="agent/1") as client:
            first = json.loads((await place.ask("GET", place.id())).body)
            assert first["identity"] == {"sourceIp": "127.0.0.1", "userAgent": "agent/1"}
            assert first["connectedAt"][-1] == first["lastActiveAt"][-1] == "Z"
            await asyncio.sleep(0.002)
            await place.ask("POST", place.id(), b"x")
            await client.recv()
            then = json.loads((await place.ask("GET", place.id())).body)
            assert then["connectedAt"] == first["connectedAt"]
            assert then["lastActiveAt"] > first["lastActiveAt"]

    play(scene)


def test_a_connection_is_closed() -> None:
    async def scene(place: Place) -> None:
        async with place.connect() as client:
            name = place.id()
            answer = await place.ask("DELETE", name)
            assert (answer.status, answer.body) == (204, b"")
            assert "content-type" not in answer.headers
            for method in ("POST", "GET", "DELETE"):
                assert (await place.ask(method, name)).status == 410
            assert await end_of(client) == (1000, "Connection Closed Normally")
        assert await place.told() == (1000, "Connection Closed Normally")

    play(scene)


def test_one_that_is_not_there_is_gone() -> None:
    """As captured: without a body."""
    assert ID.fullmatch(UNKNOWN)

    async def scene(place: Place) -> None:
        answer = await place.ask("POST", UNKNOWN, b"x")
        assert (answer.status, answer.headers["x-amzn-errortype"], answer.body) == (410, "GoneException", b"")

    play(scene)


def test_what_is_no_id_is_a_bad_request() -> None:
    """As captured."""

    async def scene(place: Place) -> None:
        answer = await place.ask("POST", "WDGT8fY4joECJrQ=test", b"x")
        assert (answer.status, answer.headers["x-amzn-errortype"]) == (400, "BadRequestException")
        assert answer.body == b'{"message":"Invalid connectionId: WDGT8fY4joECJrQ=test"}'

    play(scene)


def test_one_that_is_not_yet_let_in_is_gone() -> None:
    leave = asyncio.Event()

    async def handler(_: object) -> object:
        await leave.wait()
        return {"statusCode": 200}

    async def staged() -> None:
        async with opened(handler) as place:
            coming = asyncio.ensure_future(place.connect().__aenter__())
            while not place.functions.events:  # noqa: ASYNC110 - of the fake service
                await asyncio.sleep(0)
            name = place.functions.events[0]["requestContext"]["connectionId"]
            assert (await place.ask("POST", name, b"x")).status == 410
            leave.set()
            client = await coming
            assert (await place.ask("POST", name, b"x")).status == 200
            assert await client.recv() == "x"
            await client.close()

    asyncio.run(staged())


def test_too_much_is_too_large() -> None:
    async def scene(place: Place) -> None:
        async with place.connect():
            answer = await place.ask("POST", place.id(), b"x" * 131_073)
            assert (answer.status, answer.headers["x-amzn-errortype"]) == (413, "PayloadTooLargeException")

    play(scene)


def test_there_are_no_other_methods() -> None:
    async def scene(place: Place) -> None:
        answer = await place.ask("PUT", UNKNOWN, stage="/prod")
        path = f"prod/@connections/{UNKNOWN}"
        text = f"No method found matching route {path} for http method PUT."
        assert (answer.status, json.loads(answer.body)) == (404, {"message": text})

    play(scene)
