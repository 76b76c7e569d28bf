"""Conversations put together: which store, which endpoint, which poster."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from lambent import Connections, Lambent
from lambent.errors import ConfigurationError
from lambent.stores import STORE
from lambent.stores.memory import MemoryStore
from lambent.types import Message, Receive, Scope, Send
from lambent.websocket.endpoint import VARIABLE
from lambent.websocket.management import Management
from lambent.websocket.setup import Posters
from tests.payloads import payload
from tests.support.aws_service import Service
from tests.support.runtime_api import LIMIT, answer
from tests.websocket.play import Posts

ACCEPT: Message = {"type": "websocket.accept"}


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    assert scope["type"] == "websocket"
    await receive()
    await send(ACCEPT)
    seen.append(scope["extensions"]["aws.websocket"]["endpoint"])
    await receive()


seen: list[str] = []


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(STORE, raising=False)
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    seen.clear()


def connect(**options: Any) -> Any:
    handler = Lambent(app, lifespan="off", **options)
    try:
        return handler(payload("websocket_connect"))
    finally:
        handler.close()


# The store


@pytest.mark.parametrize("value", [None, ""])
def test_without_a_store_the_error_says_what_to_set(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if value is not None:
        monkeypatch.setenv(STORE, value)
    with pytest.raises(ConfigurationError, match="LAMBENT_STORE"):
        connect(websocket_endpoint="https://example.com/prod")


def test_an_application_without_websockets_needs_no_store() -> None:
    async def hi(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hi"})

    handler = Lambent(hi, lifespan="off")
    assert handler(payload("http_api_get"))["body"] is not None
    assert handler._conversations is None
    handler.close()


# The endpoint


@pytest.mark.parametrize(
    ("options", "variable", "endpoint"),
    [
        (
            {"websocket_endpoint": "https://one.example.com/prod"},
            "https://two.example.com",
            "https://one.example.com/prod",
        ),
        ({}, "http://127.0.0.1:3000", "http://127.0.0.1:3000"),
        ({}, None, "https://w1x2y3z4a5.execute-api.eu-west-1.amazonaws.com/prod"),
    ],
)
def test_the_endpoint_is_what_is_said_else_what_the_environment_says_else_what_the_event_says(
    options: Any, variable: str | None, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if variable is not None:
        monkeypatch.setenv(VARIABLE, variable)
    assert connect(store=MemoryStore(), **options) == {"statusCode": 200}
    assert seen == [endpoint]


def test_a_stand_in_posts_for_every_endpoint() -> None:
    posts = Posts()
    posters = Posters(posts)
    assert posters.to("https://one.example.com") is posts
    assert posters.to("https://two.example.com") is posts
    assert connect(store=MemoryStore(), websocket_endpoint=posts) == {"statusCode": 200}


def test_there_is_one_poster_for_each_endpoint_for_the_environment_s_life() -> None:
    async def story() -> None:
        posters = Posters()
        one = posters.to("https://a.execute-api.eu-west-1.amazonaws.com/prod")
        assert isinstance(one, Management)
        assert posters.to("https://a.execute-api.eu-west-1.amazonaws.com/prod") is one
        assert posters.to("https://b.execute-api.eu-west-1.amazonaws.com/prod") is not one
        await posters.close()

    asyncio.run(story())


def test_what_gives_out_credentials_is_let_go_with_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("HOME", "/nowhere")
    keys = answer(200, b'{"AccessKeyId": "A", "SecretAccessKey": "s", "Token": "t"}')

    async def story() -> None:
        async with Service(keys) as giver, Service() as gateway:
            monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{giver.url}/keys")
            posters = Posters()
            await posters.to(f"{gateway.url}/prod").post("JCIuTfPGDoECJkA=", b"hi")
            await posters.close()
            async with asyncio.timeout(LIMIT):
                await gateway.closed.acquire()
                await giver.closed.acquire()

    asyncio.run(story())


@pytest.mark.parametrize("known", [True, False])
def test_the_region_of_a_profile_is_one_too(*, known: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    (tmp_path / "config").write_text("[default]\nregion = eu-north-1\n" if known else "")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    if known:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "A")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")

    async def story() -> None:
        async with Service() as gateway:
            async with Connections("memory://", f"{gateway.url}/prod") as connections:
                await connections.send("JCIuTfPGDoECJkA=", "hi")
            assert "/eu-north-1/execute-api/" in gateway.calls[0].headers["authorization"]

    if known:
        asyncio.run(story())
    else:
        with pytest.raises(ConfigurationError, match="AWS_REGION, AWS_DEFAULT_REGION or the `region` of a profile in"):
            Posters().to("https://ws.example.com/v1")


# Options


@pytest.mark.parametrize("wrong", ["Resident", "", None, True])
def test_an_option_that_is_none_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="Expected `websockets` to be 'replay' or 'resident'"):
        Lambent(app, websockets=wrong)


def test_the_managed_runtime_serves_connections_as_it_serves_requests() -> None:
    """`handler(event, context)`, on one loop for the environment's life; a store that is closed with it."""
    posts, closed = Posts(), []

    class Closing(MemoryStore):
        async def close(self) -> None:
            closed.append(True)

    heard: list[str] = []

    async def echo(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        while (message := await receive())["type"] == "websocket.receive":
            heard.append(message["text"])
            await send({"type": "websocket.send", "text": "you said " + message["text"]})

    for websockets in ("replay", "resident"):
        options: Any = {"websockets": websockets}
        handler = Lambent(echo, lifespan="off", store=Closing(), websocket_endpoint=posts, **options)
        connected, message = payload("websocket_connect"), payload("websocket_message")
        # A record lives two hours from then on.
        connected["requestContext"]["connectedAt"] = message["requestContext"]["connectedAt"] = 32_503_680_000_000
        assert handler(connected) == {"statusCode": 200}
        posts.open.add(connected["requestContext"]["connectionId"])
        assert handler(message) == {"statusCode": 200}
        assert handler(message) == {"statusCode": 200}
        assert posts.take() == ['you said {"action":"greet"}'] * 2
        handler.close()
    assert closed == [True, True]
    assert heard == ['{"action":"greet"}'] * 4


def test_what_stands_in_for_the_management_api_is_closed_with_the_environment() -> None:
    """Its connections stayed open: those of Mangum's `api_gateway_region_name`, too."""

    class Open(Posts):
        closed = 0

        async def aclose(self) -> None:
            self.closed += 1

    posts = Open()
    assert connect(store=MemoryStore(), websocket_endpoint=posts)["statusCode"] == 200
    assert posts.closed == 1
