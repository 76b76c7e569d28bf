"""Requests to handlers in the process of their test."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from urllib.parse import quote

import pytest
from fastapi import BackgroundTasks, Cookie, FastAPI, Request, Response
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import StreamingResponse

from lambent import Lambent
from lambent.api import AccessLog, Api
from lambent.dev.doors import DOORS
from lambent.errors import ConfigurationError, EventError, InvalidMessage, InvalidResult, TargetError
from lambent.testing import Client, events

JWT: dict[str, object] = {"jwt": {"claims": {"sub": "me"}, "scopes": None}}
QUIET = AccessLog(enabled=False)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="/"), max_size=20)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, object]]:
    app.state.lives.append("begin")
    yield {"loop": id(asyncio.get_running_loop())}
    app.state.lives.append("end")


def application() -> FastAPI:
    app = FastAPI(lifespan=lifespan)
    app.state.lives = []

    @app.api_route("/items/{name}", methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
    async def item(request: Request, name: str, q: str = "") -> dict[str, object]:
        body = (await request.body()).decode()
        return {"name": name, "q": q, "method": request.method, "body": body, "loop": request.state.loop}

    @app.get("/login")
    async def login(response: Response) -> str:
        response.set_cookie("session", "7", httponly=True)
        return "welcome"

    @app.get("/me")
    async def me(session: Annotated[str, Cookie()] = "") -> str:
        return session

    @app.get("/claims")
    async def claims(request: Request) -> Any:
        return request.scope["aws.event"]["requestContext"].get("authorizer")

    @app.get("/boom")
    async def boom() -> None:
        raise KeyError("boom")

    @app.get("/later")
    async def later(tasks: BackgroundTasks) -> str:
        tasks.add_task(boom)
        return "now"

    @app.get("/pieces")
    async def pieces() -> StreamingResponse:
        async def numbers() -> AsyncIterator[str]:
            for number in range(3):
                yield f"{number} "

        return StreamingResponse(numbers(), media_type="text/plain")

    return app


def echo(event: Any, context: Any) -> Any:
    return {"statusCode": 200, "body": json.dumps(event)}


async def echo_later(event: Any, context: Any) -> Any:
    await asyncio.sleep(0)
    return echo(event, context)


@pytest.mark.parametrize("door", DOORS)
def test_an_application_answers_through_every_door(door: str) -> None:
    with Client(application(), door=door) as client:
        response = client.post("/items/lamp", params={"q": "ü"}, json={"a": 1})
        told = response.json()
    assert response.status == 200
    assert {name: told[name] for name in ("name", "q", "method", "body")} == {
        "name": "lamp",
        "q": "ü",
        "method": "POST",
        "body": '{"a":1}',
    }


@pytest.fixture(scope="module")
def shop() -> Iterator[Client]:
    with Client(application(), door="url") as client:
        yield client


@given(name=TEXT.filter(lambda name: name not in ("", ".", "..")), q=TEXT)
def test_what_is_sent_is_what_the_application_gets(shop: Client, name: str, q: str) -> None:
    told = shop.get(f"/items/{quote(name, safe='')}", params={"q": q}).json()
    assert (told["name"], told["q"]) == (name, q)


@pytest.mark.parametrize("verb", ["get", "post", "put", "patch", "delete", "options"])
def test_each_method_has_its_verb(verb: str) -> None:
    with Client(application()) as client:
        assert getattr(client, verb)("/items/a").json()["method"] == verb.upper()
        assert client.request(verb, "/items/a").json()["method"] == verb.upper()


def test_head_has_no_body() -> None:
    with Client(echo) as client:
        response = client.head("/")
    assert (response.status, response.body) == (200, b"")
    assert int(response.headers["content-length"]) > 0


def test_the_lifespan_is_once_for_a_client_and_requests_share_its_loop() -> None:
    app = application()
    with Client(app) as client:
        loops = {client.get("/items/a").json()["loop"] for _ in range(3)}
        assert (len(loops), app.state.lives) == (1, ["begin"])
    assert app.state.lives == ["begin", "end"]


def test_a_client_without_a_block_begins_with_the_first_request() -> None:
    app = application()
    client = Client(app)
    assert app.state.lives == []
    assert client.get("/items/a").status == 200
    client.close()
    assert app.state.lives == ["begin", "end"]


def test_in_async_tests_requests_are_awaited_and_may_be_concurrent() -> None:
    app = application()

    async def scene() -> None:
        async with Client(app, door="rest") as client:
            responses = await asyncio.gather(*(client.get(f"/items/{number}") for number in range(5)))
            assert [each.json()["name"] for each in responses] == list("01234")
            assert {each.json()["loop"] for each in responses} == {id(asyncio.get_running_loop())}
            with pytest.raises(KeyError, match="boom"):
                await client.get("/boom")
            assert client.event("/a")["path"] == "/a"
        assert app.state.lives == ["begin", "end"]

    asyncio.run(scene())


def test_async_clients_follow_each_other_but_do_not_overlap() -> None:
    client = Client(application())

    async def scene() -> None:
        for _ in range(2):
            async with client as one:
                assert (await one.get("/items/a")).status == 200
                with pytest.raises(ConfigurationError, match="in use already"):
                    async with client:
                        pass

    asyncio.run(scene())


@pytest.mark.parametrize("function", [echo, echo_later])
def test_functions_get_the_event_that_the_client_shows(function: Any) -> None:
    with Client(function, door="rest", function="orders") as client:
        sent = client.get("/a?b=1", headers={"x-id": "7"}).json()
        shown = client.event("/a?b=1", headers={"x-id": "7"})
    varying = {"requestContext", "headers", "multiValueHeaders"}
    assert {key: sent[key] for key in sent.keys() - varying} == {key: shown[key] for key in shown.keys() - varying}
    assert sent["headers"]["X-Id"] == "7"


def test_routes_have_parameters_and_other_paths_none() -> None:
    with Client(echo, door="http", routes=["GET /items/{id}", "/files/{path+}"]) as client:
        event = client.get("/items/a%20b").json()
        assert (event["routeKey"], event["pathParameters"]) == ("GET /items/{id}", {"id": "a b"})
        assert client.put("/files/a/b").json()["pathParameters"] == {"path": "a/b"}
        assert client.post("/items/7").status == 404
        with pytest.raises(ConfigurationError, match="expected a request that a route of the client"):
            client.event("/items/7", "POST")


def test_cookies_are_sent_on_request() -> None:
    with Client(application()) as client:
        cookies = client.get("/login").cookies
        assert cookies == {"session": "7"}
        assert client.get("/me", cookies=cookies).json() == "7"


@pytest.mark.parametrize(
    ("door", "found", "told"),
    [
        ("http", JWT, JWT),
        ("rest", JWT, {"claims": {"sub": "me"}}),
        ("rest", {"lambda": {"tenant": "blue"}}, {"tenant": "blue"}),
        ("http", None, None),
    ],
)
def test_claims_are_where_the_door_has_them(door: str, found: dict[str, object] | None, told: object) -> None:
    with Client(application(), door=door) as client:
        assert (client.get("/claims", authorizer=found) if found else client.get("/claims")).json() == told


def test_the_context_is_as_on_aws() -> None:
    def handler(event: Any, context: Any) -> list[object]:
        names = ("aws_request_id", "function_name", "memory_limit_in_mb", "invoked_function_arn")
        told = [getattr(context, name) for name in names]
        return [*told, 2_000 < context.get_remaining_time_in_millis() <= 3_000, event["requestContext"]["requestId"]]

    with Client(handler, door="url", function="orders", timeout=3, memory=512, region="eu-west-1") as client:
        request_id, *told, of_event = client.get("/").json()
    assert request_id == of_event
    assert told == ["orders", "512", "arn:aws:lambda:eu-west-1:123456789012:function:orders", True]


def test_any_event_can_be_invoked_with() -> None:
    def handler(event: Any, context: Any) -> Any:
        return [json.loads(record["body"]) for record in event["Records"]]

    async def scene() -> Any:
        async with Client(handler) as client:
            return await client.invoke(events.sqs({"id": 7}))

    with Client(handler) as client:
        assert client.invoke(events.sqs({"id": 7}, {"id": 8})) == [{"id": 7}, {"id": 8}]
        with pytest.raises(KeyError, match="Records"):
            client.invoke({})
        with pytest.raises(EventError, match="Expected an event that is JSON"):
            client.invoke({1, 2})
        with pytest.raises(EventError, match="Expected an event that is JSON"):
            client.invoke({"Records": float("nan")})
        with pytest.raises(EventError, match="Lambda takes events of 6291556 bytes"):
            client.invoke("x" * 7_000_000)
    assert asyncio.run(scene()) == [{"id": 7}]


# What goes wrong


@pytest.mark.parametrize(("door", "status"), [("http", 500), ("url", 502), ("rest", 502), ("alb", 502)])
def test_what_a_function_raises_is_raised_or_answered_by_the_door(door: str, status: int) -> None:
    def handler(event: Any, context: Any) -> Any:
        raise KeyError("boom")

    with Client(handler, door=door) as client, pytest.raises(KeyError, match="boom"):
        client.get("/")
    with Client(handler, door=door, strict=False) as client:
        assert client.get("/").status == status


@pytest.mark.parametrize(
    ("door", "result", "complaint", "status"),
    [
        ("rest", {"statusCode": 200, "headers": {"a": ["b"]}}, "The value of header 'a' must be a string", 502),
        ("rest", ["no", "object"], "must return an object", 502),
        ("http", {"statusCode": "abc"}, "statusCode must be an integer", 500),
        ("alb", {"statusCode": 200, "body": "x" * 1_100_000}, "ALB takes 1048576 bytes of a result", 502),
    ],
)
def test_a_reply_that_the_door_cannot_use_is_raised_or_answered(
    door: str, result: object, complaint: str, status: int
) -> None:
    def handler(event: Any, context: Any) -> Any:
        return result

    with Client(handler, door=door) as client, pytest.raises(InvalidMessage) as caught:
        client.get("/")
    assert complaint in str(caught.value) or "Load Balancer takes 1048576" in str(caught.value)
    assert f"would answer {status}." in caught.value.__notes__[0]
    with Client(handler, door=door, strict=False) as client:
        assert client.get("/").status == status


def test_a_reply_that_lambda_does_not_take_is_raised() -> None:
    with Client(lambda event, context: "x" * 7_000_000, door="url") as client, pytest.raises(InvalidResult):
        client.get("/")


@pytest.mark.parametrize(
    ("door", "options", "status"),
    [
        ("http", {"data": b"x" * 7_000_000}, 413),
        ("http", {"data": b"\xff" * 5_000_000}, 413),  # as base64 it is too large
        ("http", {"headers": {"a": "x" * 11_000}}, 431),
    ],
)
def test_a_request_that_is_too_large_is_answered_by_the_door(door: str, options: Any, status: int) -> None:
    def handler(event: Any, context: Any) -> Any:
        raise AssertionError("it is asked")

    with Client(handler, door=door) as client:
        assert client.post("/", **options).status == status


def test_an_applications_exceptions_are_raised_unless_it_is_lenient(caplog: pytest.LogCaptureFixture) -> None:
    with Client(application()) as client:
        for path in ("/boom", "/later"):
            with pytest.raises(KeyError, match="boom"):
                client.get(path)
    with Client(application(), strict=False) as client:
        assert (client.get("/boom").status, client.get("/later").json()) == (500, "now")
    with Client(Lambent(application())) as client:  # as it is deployed
        assert client.get("/boom").status == 500
    assert caplog.records


@pytest.mark.parametrize(("door", "status"), [("http", 500), ("rest", 502), ("alb", 502), ("url", 502)])
def test_an_application_that_is_given_bare_says_what_its_exceptions_do(door: str, status: int) -> None:
    api, responding = Api(log=QUIET), Api(log=QUIET, errors="respond")
    for each in (api, responding):
        each.get("/")(lambda: 1 / 0)
    with Client(api, door=door, strict=False) as client, Client(Lambent(api), door=door, strict=False) as deployed:
        answers = [each.get("/") for each in (client, deployed)]
    assert [(each.status, each.body) for each in answers] == [(status, answers[0].body)] * 2
    assert b"detail" not in answers[0].body
    with Client(responding, door=door, strict=False) as client:
        assert client.get("/").json() == {"detail": "Internal Server Error"}


def test_responses_are_streamed_through_doors_that_can() -> None:
    async def pieces(event: Any, context: Any) -> AsyncIterator[object]:
        yield {"statusCode": 201, "headers": {"x-id": "7"}, "cookies": ["a=1"]}
        yield "one "
        yield b"two"

    with Client(pieces, door="url") as client:
        response = client.get("/")
        assert (response.status, response.text, response.cookies) == (201, "one two", {"a": "1"})
        assert client.invoke({}) == b"one two"
    with Client(application(), door="rest", stream=True) as client:
        assert client.get("/pieces").text == "0 1 2 "
    with Client(pieces, door="http") as client, pytest.raises(InvalidMessage, match="HTTP API takes no streamed"):
        client.get("/")


def test_a_handler_is_found_by_its_name() -> None:
    with Client("lambent.testing.contexts:context") as client, pytest.raises(TypeError):
        client.get("/")


@pytest.mark.parametrize(
    ("handler", "options", "complaint"),
    [
        ("nowhere:app", {}, "Unable to import module 'nowhere'"),
        ("json:nothing", {}, "Handler 'nothing' missing on module 'json'"),
        ("json", {}, "Bad handler 'json'"),
        (7, {}, "Expected 'handler' to be a Lambent"),
        (echo, {"door": "api"}, "door: expected url, http, .*, but got 'api'"),
        (echo, {"routes": ["GET items"]}, "my-function: the route GET items cannot be read"),
        (echo, {"routes": ["GET /a/{b}", "GET /a/{c}"]}, "my-function"),
    ],
)
def test_mistakes_are_told_when_it_is_made(handler: Any, options: Any, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        Client(handler, **options)
    assert issubclass(TargetError, ConfigurationError)


def test_mistakes_of_a_request_are_told() -> None:
    with Client(echo) as client:
        with pytest.raises(ConfigurationError, match="authorizer: expected jwt, lambda or iam, but got claims"):
            client.get("/", authorizer={"claims": {}})
        with pytest.raises(ConfigurationError, match="GET items: expected a path"):
            client.get("items")


def test_an_invocation_takes_less_than_a_millisecond() -> None:
    """Of a processor's time: how busy the machine is, is not the question."""
    app = application()
    with Client(app) as client, Client(echo) as other:
        for each, path in ((client, "/me"), (other, "/")):
            rounds = []
            for _ in range(20):
                begun = time.thread_time()
                for _ in range(10):
                    each.get(path)
                rounds.append((time.thread_time() - begun) / 10)
            assert min(rounds) < 0.001
