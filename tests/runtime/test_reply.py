"""One reply to an invocation: whole, streamed, cut off, refused."""

import asyncio
import base64
import json
import logging
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from lambent import Lambent
from lambent.errors import AlreadyReplied
from lambent.invocation import Streamed
from lambent.runtime import requests, stream
from lambent.runtime.function import Function, Generator
from lambent.runtime.reply import ResponseStream, working_directory
from lambent.types import Handler, Invocation, Receive, Scope, Send
from tests.payloads import payload
from tests.runtime.served import Replying, leave, served
from tests.support.runtime_api import BASE, HANG_UP, Call, RuntimeAPI, answer, invocation

PRELUDE = {"statusCode": 200, "headers": {"content-type": "text/plain"}, "cookies": []}


class On:
    """Which loop the tests run on."""

    loop = "asyncio"

    @classmethod
    def new(cls) -> asyncio.AbstractEventLoop:
        if cls.loop == "asyncio":
            return asyncio.new_event_loop()
        uvloop = pytest.importorskip("uvloop")
        loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
        return loop


@pytest.fixture(params=["asyncio", "uvloop"], autouse=True)
def on(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything here runs on both."""
    monkeypatch.setattr(On, "loop", request.param)


def api(handler: Handler, *events: Any, posts: Any = ()) -> RuntimeAPI:
    steps = [invocation(json.dumps(event).encode(), request_id=f"id-{n}") for n, event in enumerate(events, 1)]
    return served(handler, *steps, posts=posts, loop=On.new())


def streamed(handler: Handler, event: Any = None) -> Call:
    """The one post of a handler that replies to one invocation."""
    [call] = api(handler, event).posts
    return call


def parts(call: Call) -> tuple[Any, bytes]:
    """The prelude, decoded, and the body of a streamed reply."""
    prelude, separator, body = call.body.partition(stream.SEPARATOR)
    assert separator
    return json.loads(prelude), body


def pieces(*bodies: bytes, status: int = 200, headers: Any = ((b"content-type", b"text/plain"),)) -> Any:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": headers})
        for body in bodies:
            await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body"})

    return app


def through(app: Any, door: str = "function_url_get", **options: Any) -> Call:
    return streamed(Lambent(app, lifespan="off", stream=True, **options), payload(door))


# Framing


def test_prelude_separator_and_pieces_are_chunks_of_their_own() -> None:
    call = through(pieces(b"one", b"", b"three"))

    assert parts(call) == (PRELUDE, b"onethree")
    assert call.headers["chunks"].split()[1:] == ["8", "3", "5"]
    assert call.headers["lambda-runtime-function-response-mode"] == "streaming"
    assert call.headers["content-type"] == "application/vnd.awslambda.http-integration-response"
    assert call.headers["trailer"] == "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body"
    assert "content-length" not in call.headers
    assert "lambda-runtime-function-error-type" not in call.headers


def test_the_prelude_is_there_without_a_body() -> None:
    for app in (pieces(), pieces(b""), pieces(status=204), pieces(b"", b"", status=302)):
        call = through(app)
        assert parts(call)[1] == b""
        assert call.headers["chunks"].split()[1:] == ["8"]


def test_an_empty_body_can_be_padded() -> None:
    for app in (pieces(), pieces(b"", b"")):
        assert parts(through(app, pad_empty=True))[1] == b" "
    assert parts(through(pieces(b"a", b""), pad_empty=True))[1] == b"a"


def test_a_large_piece_is_one_chunk() -> None:
    call = through(pieces(bytes(100_000), b"a"))
    assert call.headers["chunks"].split()[2:] == ["100000", "1"]


def test_a_whole_body_goes_at_once_if_it_is_small_and_as_a_piece_if_it_is_not() -> None:
    for size in (10, 1 << 20):
        call = through(whole(bytes(size)))
        assert call.headers["chunks"].split()[2:] == [str(size)]


def whole(body: bytes, status: int = 200) -> Any:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"1")]})
        await send({"type": "http.response.body", "body": body})

    return app


def test_cookies_lists_and_what_only_one_connection_is_told() -> None:
    headers = [(b"set-cookie", b"a"), (b"set-cookie", b"b"), (b"x", b"1"), (b"x", b"2"), (b"connection", b"close")]
    app = pieces(b"x", headers=headers)
    assert parts(through(app))[0] == {"statusCode": 200, "headers": {"x": "1, 2"}, "cookies": ["a", "b"]}
    assert parts(through(app, "rest_v1"))[0] == {
        "statusCode": 200,
        "headers": {},
        "multiValueHeaders": {"set-cookie": ["a", "b"], "x": ["1", "2"]},
    }


def test_the_nonce_is_echoed() -> None:
    step = invocation(b"{}", "Lambda-Runtime-Invocation-Id: nonce")
    [call] = served(Generator(yielding(b"a")), step, loop=On.new()).posts
    assert call.headers["lambda-runtime-invocation-id"] == "nonce"


def yielding(*values: Any, then: Exception | None = None) -> Any:
    async def function(event: Any, context: Any) -> AsyncIterator[Any]:
        for value in values:
            yield value
        if then is not None:
            raise then

    return function


def test_a_generator_without_a_prelude_streams_bytes_as_they_are() -> None:
    call = streamed(Generator(yielding(b"one", "two")))
    assert (call.body, call.headers["content-type"]) == (b"onetwo", "application/octet-stream")
    assert call.headers["chunks"] == "3 3"


def test_many_replies_go_over_one_connection() -> None:
    calls = api(Generator(yielding({"statusCode": 200}, b"body")), 1, 2, 3).calls
    assert len([call for call in calls if call.method == "POST"]) == 3
    assert {call.connection for call in calls} == {0}


# Errors


def trailing_error(call: Call) -> Any:
    assert call.path == f"{BASE}/invocation/id-1/response"
    return json.loads(base64.b64decode(call.headers["lambda-runtime-function-error-body"], validate=True))


def test_an_error_before_the_first_byte_is_the_invocations() -> None:
    call = streamed(Generator(yielding(then=ValueError("early"))))
    assert (call.path, call.json["errorType"]) == (f"{BASE}/invocation/id-1/error", "ValueError")


def test_an_error_after_it_ends_the_stream_with_trailers() -> None:
    call = streamed(Generator(yielding(b"one", then=ValueError("late"))))
    assert (call.body, call.headers["lambda-runtime-function-error-type"]) == (b"one", "Function.ValueError")
    assert (trailing_error(call)["errorMessage"], trailing_error(call)["requestId"]) == ("late", "id-1")


def test_the_application_may_raise_late_and_the_next_invocation_is_served() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        raise ValueError("late")

    event = payload("function_url_get")
    calls = api(Lambent(app, lifespan="off", stream=True), event, event).posts
    assert [call.headers["lambda-runtime-function-error-type"] for call in calls] == ["Function.ValueError"] * 2


def test_ending_in_the_middle_is_an_error_too() -> None:
    async def serve(invocation: Invocation) -> None:
        writer = await invocation.stream(None)
        await writer.write(b"one")

    assert trailing_error(streamed(Replying(serve)))["errorType"] == "IncompleteResponse"


def test_a_prelude_beyond_its_limit_is_answered_with_500() -> None:
    call = through(pieces(b"one", headers=[(b"x", b"y" * 20_000)]))
    assert parts(call)[0]["statusCode"] == 500


def test_more_than_the_limit_ends_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "STREAM_LIMIT", 5)
    call = streamed(Generator(yielding(b"abc", b"de", b"f", b"g")))
    assert call.body == b"abcde"
    assert trailing_error(call)["errorType"] == "Function.ResponseSizeTooLarge"


def test_a_whole_streamed_one_has_the_same_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "STREAM_LIMIT", 5)

    async def serve(invocation: Invocation) -> None:
        await invocation.reply(Streamed({"statusCode": 200}, b"abcdef"))

    assert streamed(Replying(serve)).json["errorType"] == "Function.ResponseSizeTooLarge"


def test_a_whole_reply_over_its_limit_is_an_error_with_both_sizes_and_the_environment_lives() -> None:
    def function(event: Any, context: Any) -> str:
        return "x" * int(event)

    large, small = api(Function(function), requests.RESPONSE_LIMIT - 1, requests.RESPONSE_LIMIT - 2).posts
    assert large.json["errorType"] == "Function.ResponseSizeTooLarge"
    assert "has 6291557 bytes, and Lambda takes 6291556" in large.json["errorMessage"]
    assert "stream it" in large.json["errorMessage"]
    assert len(small.body) == requests.RESPONSE_LIMIT


def test_a_second_reply_is_refused() -> None:
    refused = []

    async def serve(invocation: Invocation) -> None:
        writer = await invocation.stream(None)
        for second in (invocation.reply(None), invocation.stream(None)):
            with pytest.raises(AlreadyReplied):
                await second
            refused.append(second)
        await writer.close()
        with pytest.raises(OSError, match="has ended"):
            await writer.write(b"more")

    assert streamed(Replying(serve)).body == b""
    assert len(refused) == 2


# The other side


@pytest.mark.parametrize("post", [HANG_UP._replace(early=True), answer(413, b"no")._replace(early=True, close=True)])
def test_a_runtime_api_that_takes_no_more_ends_the_stream_and_not_the_environment(
    post: Any, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[OSError] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            for _ in range(1000 if not heard else 1):
                await send({"type": "http.response.body", "body": bytes(1 << 18), "more_body": True})
            await send({"type": "http.response.body"})
        except OSError as error:
            heard.append(error)
            raise

    event = payload("function_url_get")
    with caplog.at_level(logging.ERROR, "lambent"):
        first, second = api(Lambent(app, lifespan="off", stream=True), event, event, posts=[post]).posts
    assert len(heard) == 1
    assert first.body == b""
    assert len(parts(second)[1]) == 1 << 18
    assert second.connection > first.connection
    assert "id-1 failed" in caplog.text


def test_back_pressure_reaches_the_application() -> None:
    gate = asyncio.Event()
    taken: list[bytes] = []

    async def write(data: bytes) -> None:
        await gate.wait()
        taken.append(data)

    async def scene() -> None:
        writer = ResponseStream(write)
        tasks = [asyncio.create_task(writer.write(piece)) for piece in (bytes(1 << 17), b"b")]
        for _ in range(5):
            await asyncio.sleep(0)
        assert not any(task.done() for task in tasks)
        gate.set()
        await asyncio.gather(*tasks)
        # two tasks wrote at a time: what frames a piece has stayed with it
        assert taken == [b"20000\r\n", bytes(1 << 17), b"\r\n", b"1\r\nb\r\n"]

    asyncio.run(scene())


def test_what_is_written_to_one_that_went_away_is_refused_for_good() -> None:
    async def write(data: bytes) -> None:
        raise BrokenPipeError

    async def scene() -> None:
        writer = ResponseStream(write)
        with pytest.raises(BrokenPipeError):
            await writer.write(b"a")
        with pytest.raises(ConnectionResetError):
            await writer.close()
        assert not writer.open

    asyncio.run(scene())


def test_the_working_directory_is_named() -> None:
    assert working_directory() == os.getcwd()  # noqa: PTH109 - as it is told


@pytest.mark.skipif(sys.platform == "win32", reason="a folder that is in use cannot be removed")
def test_a_stream_fails_by_the_user_s_error_where_the_folder_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def pieces(event: Any, context: Any) -> Any:
        yield b"one"
        leave(tmp_path / "gone", monkeypatch)
        raise KeyError("a")

    assert streamed(Generator(pieces)).headers["lambda-runtime-function-error-type"] == "Function.KeyError"
