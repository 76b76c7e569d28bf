"""An MCP server over streamable HTTP, invocation after invocation of one warm environment, with its lifespan on.

Its session manager runs once per process: an adapter that runs the lifespan for each event fails on the second one.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from mcp.client import Client

from lambent import Lambent
from lambent.dev.doors import DOORS
from lambent.dev.doors.model import Site
from tests.applications.asking import Answer, Question, Viewer, ask_handler, fields, function_url_event
from tests.applications.mcp_app import build
from tests.applications.questions import INITIALIZE, MCP, notification, rpc
from tests.applications.servers import local_lambda

VIEWER = Viewer()
CALL = rpc("tools/call", 3, name="lamps", arguments={})
LAMPS = {"result": ["Glühbirne", "LED 💡"]}


def ask(handler: Lambent, question: Question, door: str = "url") -> Answer:
    return ask_handler(handler, DOORS[door](Site("mcp")), question, VIEWER)


def result(answer: Answer) -> Any:
    """Of a JSON-RPC response, in JSON or as the one event of a stream."""
    assert answer.status == 200, answer
    body = answer.body.decode()
    if answer.headers["content-type"] == ["text/event-stream"]:
        (body,) = [line.removeprefix("data: ") for line in body.splitlines() if line.startswith("data: {")]
    return json.loads(body)["result"]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("json_response", [True, False], ids=["json", "event-stream"])
def test_it_answers_on_the_third_warm_invocation(door: str, json_response: bool) -> None:
    with closing(Lambent(build(json=json_response), lifespan="on")) as handler:
        assert result(ask(handler, MCP["initialize"], door))["serverInfo"]["name"] == "lamps"
        assert [tool["name"] for tool in result(ask(handler, MCP["tools"], door))["tools"]] == [
            "add",
            "lamps",
            "broken",
        ]
        assert result(ask(handler, CALL, door))["structuredContent"] == LAMPS
        assert result(ask(handler, CALL, door))["structuredContent"] == LAMPS


def test_the_sdk_s_own_client_is_served_by_the_local_lambda() -> None:
    async def main(port: int) -> None:
        async with Client(f"http://localhost:{port}/mcp") as client:
            assert [tool.name for tool in (await client.list_tools()).tools] == ["add", "lamps", "broken"]
            for number in range(3):
                answer = await client.call_tool("add", {"a": number, "b": 1})
                assert answer.structured_content == {"result": number + 1}
            assert (await client.call_tool("broken")).is_error

    with local_lambda("mcp") as ports:
        asyncio.run(main(ports["url"]))


def test_a_session_lives_as_long_as_the_environment() -> None:
    """Not stateless: the session's task is one of startup's task group, and goes on between invocations."""
    with closing(Lambent(build(stateless=False), lifespan="on")) as handler:
        begun = ask(handler, rpc("initialize", **INITIALIZE))
        session = fields(mcp_session_id=begun.headers["mcp-session-id"][0])
        assert ask(handler, notification("notifications/initialized", session)).status == 202
        for number in (2, 3, 4):
            again = ask(handler, rpc("tools/call", number, session, name="lamps", arguments={}))
            assert result(again)["structuredContent"] == LAMPS
        assert ask(handler, Question("DELETE", "/mcp", (*MCP["tools"].headers, *session))).status == 200
        assert ask(handler, rpc("tools/list", 5, session)).status == 404


def test_a_session_is_not_known_to_another_environment() -> None:
    """Which is why a server on Lambda is stateless: the next invocation may be another environment's."""
    with closing(Lambent(build(stateless=False))) as one, closing(Lambent(build(stateless=False))) as other:
        session = fields(mcp_session_id=ask(one, rpc("initialize", **INITIALIZE)).headers["mcp-session-id"][0])
        assert result(ask(one, rpc("tools/list", 2, session)))
        assert ask(other, rpc("tools/list", 2, session)).status == 404


def test_concurrent_calls_in_one_environment_are_all_answered() -> None:
    async def main() -> list[Any]:
        handler = Lambent(build(), lifespan="on")
        calls = [rpc("tools/call", number, name="add", arguments={"a": number, "b": 1}) for number in range(10)]
        replies = await asyncio.gather(*[handler.handle(function_url_event(call)) for call in calls])
        return [json.loads(reply["body"])["result"]["structuredContent"]["result"] for reply in replies]

    assert asyncio.run(main()) == list(range(1, 11))


def test_a_server_made_for_localhost_refuses_every_other_name() -> None:
    """`host` of streamable_http_app, 127.0.0.1 if not given: it answers 421 to the name of a Function URL."""
    from mcp.server import MCPServer

    with closing(Lambent(MCPServer("lamps").streamable_http_app(stateless_http=True))) as handler:
        assert ask(handler, MCP["tools"]).status == 421


def test_a_stream_that_a_client_asks_for_would_never_end() -> None:
    """Of a stateless server too, and so it would last until the function's timeout: hence the route of mcp_app."""

    async def main() -> None:
        app = build()
        app.router.routes.pop(0)
        asked = Question("GET", "/mcp", fields(accept="text/event-stream"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(Lambent(app, lifespan="on").handle(function_url_event(asked)), 0.5)

    asyncio.run(main())


@contextmanager
def event_loop() -> Iterator[None]:
    """Mangum makes the event loop of its thread, and leaves it."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        yield
    finally:
        loop.close()
        asyncio.set_event_loop(None)


def test_mangum_fails_on_the_second_invocation() -> None:
    """Mangum 0.22 runs the lifespan once per event. Should this fail one day, the comparison is to be written anew."""
    from mangum import Mangum
    from mangum.exceptions import LifespanFailure

    with event_loop():
        handler = Mangum(build(), lifespan="on")
        context: Any = None
        assert handler(function_url_event(CALL), context)["statusCode"] == 200
        with pytest.raises(LifespanFailure, match=r"run\(\) can only be called once per instance"):
            handler(function_url_event(CALL), context)
