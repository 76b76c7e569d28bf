"""Functions written for Smyth, and Smyth's own, called by us."""

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
import smyth.context
import smyth.event
import smyth.runner.strategy
from starlette.requests import Request as StarletteRequest

from lambent.dev.config.smyth_calls import ContextFunction, EventFunction, Generated, Request, SmythHandler, json_event
from lambent.dev.doors.model import HTTPRequest
from lambent.dev.model import EnvironmentFacts, Function
from lambent.dev.routes import pattern

FUNCTION = Function("f", "app.handler")
BODY = b'{"a": [1]}'
REQUEST = HTTPRequest(
    method="POST",
    raw_path=b"/orders/a%20b",
    query_string=b"x=1&x=2&y=%C3%A9&empty=",
    headers=[(b"host", b"localhost:8080"), (b"x-a", b"1"), (b"x-a", b"2"), (b"cookie", b"c=d; e=f")],
    body=BODY,
    client=("10.0.0.1", 5),
    scheme="http",
    http_version="1.1",
)


def handler(path: str = "/orders/{name}") -> SmythHandler:
    read = pattern(path)
    return SmythHandler("f", read.regex, "app.handler", timeout=6, names=read.names)


def starlette() -> StarletteRequest:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": BODY, "more_body": False}

    scope = {
        "type": "http",
        "method": REQUEST.method,
        "path": "/orders/a b",
        "raw_path": REQUEST.raw_path,
        "query_string": REQUEST.query_string,
        "headers": REQUEST.headers,
        "client": REQUEST.client,
        "scheme": "http",
        "path_params": {"path": "orders/a b"},
    }
    return StarletteRequest(scope, receive)


def both(look: Callable[[Any], object]) -> list[object]:
    return [look(Request(REQUEST, handler())), look(starlette())]


@pytest.mark.parametrize(
    "look",
    [
        lambda request: request.method,
        lambda request: request.url.path,
        lambda request: request.url.query,
        lambda request: request.url.scheme,
        lambda request: request.url.hostname,
        lambda request: request.url.port,
        lambda request: request.url.netloc,
        lambda request: str(request.url),
        lambda request: dict(request.headers),
        lambda request: request.headers["X-A"],
        lambda request: request.headers.get("none"),
        lambda request: request.headers.getlist("X-a"),
        lambda request: "X-A" in request.headers,
        lambda request: dict(request.query_params),
        lambda request: request.query_params["x"],
        lambda request: request.query_params.getlist("x"),
        lambda request: request.query_params.multi_items(),
        lambda request: request.cookies,
        lambda request: request.client.host,
        lambda request: request.client.port,
        lambda request: request.path_params["path"],
        lambda request: asyncio.run(request.body()),
        lambda request: asyncio.run(request.json()),
    ],
)
def test_a_request_looks_like_starlette_s(look: Callable[[Any], object]) -> None:
    mine, theirs = both(look)
    assert mine == theirs


def test_it_has_the_parameters_of_the_path_as_well() -> None:
    assert Request(REQUEST, handler()).path_params == {"path": "orders/a b", "name": "a b"}


def test_what_it_has_not_is_told() -> None:
    with pytest.raises(AttributeError, match="has no session here: it has method, url"):
        _ = Request(REQUEST, handler()).session


def awaited(made: object) -> Any:
    assert isinstance(made, Awaitable)

    async def wait() -> object:
        return await made

    return asyncio.run(wait())


def test_smyth_s_own_event_function_finds_what_it_looks_for() -> None:
    function: Any = smyth.event.generate_api_gw_v2_event_data
    event = awaited(EventFunction(handler(), function)(REQUEST, FUNCTION))
    assert (event["rawPath"], event["body"], event["queryStringParameters"]["x"]) == ("/orders/a b", BODY.decode(), "2")
    assert event["requestContext"]["http"]["sourceIp"] == "10.0.0.1"


def test_the_body_as_the_event() -> None:
    assert json_event(REQUEST, FUNCTION) == {"a": [1]}
    with pytest.raises(ValueError, match="Expecting"):
        json_event(REQUEST._replace(body=b"no"), FUNCTION)


def test_smyth_s_own_context_function_sets_nothing_and_is_not_complained_of(caplog: pytest.LogCaptureFixture) -> None:
    function: Any = smyth.context.generate_context_data
    assert awaited(ContextFunction(handler(), function)(REQUEST, FUNCTION)) == {}
    assert awaited(ContextFunction(handler(), function)(None, FUNCTION)) == {}
    assert not caplog.records


def test_a_context_of_one_s_own(caplog: pytest.LogCaptureFixture) -> None:
    async def function(request: Request | None, smyth_handler: SmythHandler, process: Any) -> dict[str, object]:
        await asyncio.sleep(0)
        assert request
        return {
            "client_context": {"custom": {"a": request.headers["x-a"]}},
            "identity": '{"cognitoIdentityId": "i"}',
            "tenant_id": "t",
            "aws_request_id": "1234567890",
            "count": process.task_counter,
            smyth_handler.name: 1,
        }

    make = ContextFunction(handler(), function)
    with caplog.at_level(logging.WARNING, "lambent.dev"):
        for _ in range(2):
            made = awaited(make(REQUEST, FUNCTION))
    assert json.loads(made.pop("client_context")) == {"custom": {"a": "1"}}
    assert made == {"identity": '{"cognitoIdentityId": "i"}', "tenant_id": "t"}
    assert len(caplog.records) == 1
    assert "f: the context function sets aws_request_id, count, f, which is not for it to set" in caplog.text


# Strategies


def facts(*names: str) -> list[EnvironmentFacts]:
    return [EnvironmentFacts(name, 0, 1, float(index)) for index, name in enumerate(names)]


def choices(strategy: Generated, *rounds: str) -> str:
    return "".join(strategy(facts(*names)).id for names in rounds)


def test_smyth_s_own_strategies() -> None:
    theirs: Any = smyth.runner.strategy
    assert choices(Generated("f", theirs.round_robin), "abc", "abc", "abc", "abc") == "abca"
    assert choices(Generated("f", theirs.first_warm), "abc", "abc", "ab") == "ccb"


def test_a_generator_keeps_its_processes_and_sees_what_becomes_of_them() -> None:
    seen = []

    def least_used(handler_name: str, processes: dict[str, list[Any]]) -> Iterator[Any]:
        while True:
            seen.append({process.name: (id(process), process.task_counter) for process in processes[handler_name]})
            yield min(processes[handler_name], key=lambda process: process.task_counter)

    strategy = Generated("f", least_used)
    ready = facts("a", "b")
    assert strategy(ready).id == "a"
    assert strategy([ready[0]._replace(invocations=1), ready[1]]).id == "b"
    assert seen[0]["a"][0] == seen[1]["a"][0]
    assert [each["a"][1] for each in seen] == [0, 1]


def test_a_generator_that_has_ended_raised_or_chosen_another_is_begun_anew() -> None:
    begun = []

    def bad(handler_name: str, processes: dict[str, list[Any]]) -> Iterator[Any]:
        begun.append(list(processes))
        yield processes[handler_name][0]
        if len(begun) == 1:
            return
        if len(begun) == 2:
            raise KeyError("bad")
        process = processes[handler_name][0]
        while True:
            yield process

    strategy = Generated("f", bad)
    assert strategy(facts("a")).id == "a"
    with pytest.raises(LookupError, match=re.escape("the strategy of f has yielded none of the processes")):
        strategy(facts("a"))
    assert strategy(facts("a")).id == "a"
    with pytest.raises(KeyError):
        strategy(facts("a"))
    assert strategy(facts("a")).id == "a"
    assert strategy(facts("a")).id == "a"
    with pytest.raises(LookupError):
        strategy(facts("b"))
    assert strategy(facts("b")).id == "b"
    assert begun == [["f"]] * 4
