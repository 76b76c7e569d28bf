"""Next, handle, again: against a Runtime API that follows a script."""

import asyncio
import contextvars
import gc
import json
import logging
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lambent import Lambent
from lambent.errors import AlreadyReplied, RuntimeAPIError, RuntimeAPIGone
from lambent.runner import Runner
from lambent.runtime import loop
from lambent.runtime.client import Client
from lambent.runtime.codec import EXACT
from lambent.runtime.function import Function
from lambent.types import Context, Invocation, Receive, Scope, Send
from tests.runtime.served import Replying, leave, served, watching
from tests.support.processes import Ended, runtime
from tests.support.runtime_api import BASE, HANG_UP, LIMIT, RuntimeAPI, Step, answer, invocation

NEXT = f"{BASE}/invocation/next"


@pytest.fixture(autouse=True)
def trace_id(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop sets it in this very process: put it back afterwards."""
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=before")


def replies(function: Callable[[Any, Any], Any], *steps: Step) -> list[Any]:
    """What a plain function replies to each invocation, decoded."""
    return [call.json for call in served(Function(function), *steps).posts]


def echo(event: Any, context: Any) -> Any:
    return event


# Replies


def test_an_invocation_is_answered_and_the_next_one_asked_for() -> None:
    api = served(Function(echo), invocation(b'{"a": "\xc3\xa9"}'), invocation(b"[2]", request_id="id-2"))

    assert [(call.method, call.path, call.body) for call in api.calls] == [
        ("GET", NEXT, b""),
        ("POST", f"{BASE}/invocation/id-1/response", b'{"a": "\xc3\xa9"}'),
        ("GET", NEXT, b""),
        ("POST", f"{BASE}/invocation/id-2/response", b"[2]"),
        ("GET", NEXT, b""),
    ]
    assert api.posts[0].headers["content-type"] == "application/json"
    assert {call.connection for call in api.calls} == {0}


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("piece", [1, 3, 1 << 20])
def test_an_event_may_come_in_any_pieces(framing: str, piece: int) -> None:
    step = invocation(b'{"a": [1, 2, 3]}', framing=framing)._replace(piece=piece)
    assert replies(echo, step, step) == [{"a": [1, 2, 3]}] * 2


def test_the_answer_to_a_post_may_come_byte_by_byte() -> None:
    api = served(Function(echo), invocation(), invocation(), posts=[answer(202, b"ok")._replace(piece=1)] * 2)
    assert len(api.posts) == 2


def test_a_large_event_is_echoed() -> None:
    event = json.dumps("x" * 6_000_000).encode()
    (call,) = served(Function(echo), invocation(event, framing="chunked")).posts
    assert call.body == event


def test_nothing_is_the_reply_null() -> None:
    assert replies(lambda event, context: None, invocation()) == [None]


def test_bytes_leave_as_they_are() -> None:
    (call,) = served(Function(lambda event, context: b"\0\xff"), invocation()).posts
    assert (call.headers["content-type"], call.body) == ("application/octet-stream", b"\0\xff")


def test_the_context_is_of_this_invocation() -> None:
    def handler(event: Any, context: Context) -> list[Any]:
        return [context.aws_request_id, context.invoked_function_arn, context.get_remaining_time_in_millis() > 1e9]

    first = invocation(b"1", "Lambda-Runtime-Invoked-Function-Arn: arn-1")
    second = invocation(b"2", "Lambda-Runtime-Client-Context:", "Lambda-Runtime-Trace-Id: ", request_id="id-2")
    assert replies(handler, first, second) == [["id-1", "arn-1", True], ["id-2", "", True]]


def test_a_deadline_long_gone_does_no_harm() -> None:
    step = answer(200, b"1", ["Lambda-Runtime-Aws-Request-Id: id-1", "Lambda-Runtime-Deadline-Ms: 600000"])
    assert replies(lambda event, context: context.get_remaining_time_in_millis(), step) == [0]


def test_any_success_will_do() -> None:
    api = served(Function(echo), *[invocation()] * 3, posts=[answer(200), answer(202, b"ok"), answer(204)])
    assert len(api.posts) == 3


# Functions


def test_an_async_function_may_wait() -> None:
    async def handler(event: Any, context: Any) -> Any:
        await asyncio.sleep(0)
        return event

    assert replies(handler, invocation(b"1"), invocation(b"2")) == [1, 2]


def test_a_sync_function_may_run_a_loop_of_its_own() -> None:
    async def inner(event: Any) -> Any:
        await asyncio.sleep(0)
        return event

    assert replies(lambda event, context: asyncio.run(inner(event)), invocation(b"1"), invocation(b"2")) == [1, 2]


def test_every_invocation_runs_on_the_same_loop() -> None:
    runs: list[asyncio.AbstractEventLoop] = []

    async def handler(event: Any, context: Any) -> None:
        runs.append(asyncio.get_running_loop())

    replies(handler, invocation(), invocation())
    assert runs[0] is runs[1]


def test_a_wrapper_may_return_a_coroutine() -> None:
    async def handler(event: Any, context: Any) -> Any:
        return [event, context.aws_request_id]

    def wrapper(event: Any, context: Any) -> Any:
        return handler(["wrapped", event], context)

    assert replies(wrapper, invocation(b"1")) == [[["wrapped", 1], "id-1"]]


# Failures of the invocation


def failed(function: Callable[[Any, Any], Any], step: Step) -> dict[str, Any]:
    """The error that is told of a failing invocation. The next one must be served."""
    calls: list[int] = []

    def handler(event: Any, context: Any) -> Any:
        calls.append(1)
        return "served" if context.aws_request_id == "id-2" else function(event, context)

    error, response = served(Function(handler), step, invocation(request_id="id-2")).posts
    assert error.path == f"{BASE}/invocation/id-1/error"
    assert response.path == f"{BASE}/invocation/id-2/response"
    assert response.json == "served"
    assert error.headers["content-type"] == "application/json"
    told: dict[str, Any] = error.json
    assert told["requestId"] == "id-1"
    assert json.loads(error.headers["lambda-runtime-function-xray-error-cause"])["working_directory"] == os.getcwd()  # noqa: PTH109 - as it is told
    return {**told, "category": error.headers["lambda-runtime-function-error-type"]}


def fail(event: Any, context: Any) -> None:
    raise KeyError("a")


@pytest.mark.skipif(sys.platform == "win32", reason="a folder that is in use cannot be removed")
def test_a_function_that_removes_its_folder_is_told_of_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def handler(event: Any, context: Any) -> Any:
        if event == "next":
            return "served"
        leave(tmp_path / "gone", monkeypatch)
        raise KeyError("a")

    error, response = served(Function(handler), invocation(), invocation(b'"next"', request_id="id-2")).posts
    assert error.json["errorType"] == "KeyError"
    assert json.loads(error.headers["lambda-runtime-function-xray-error-cause"])["working_directory"] == ""
    assert response.json == "served"


async def fail_later(event: Any, context: Any) -> None:
    await asyncio.sleep(0)
    raise KeyError("a")


async def fail_at_once(event: Any, context: Any) -> None:
    raise KeyError("a")


@pytest.mark.parametrize("function", [fail, fail_later, fail_at_once])
def test_what_a_function_raises_is_told(function: Callable[[Any, Any], Any], caplog: pytest.LogCaptureFixture) -> None:
    told = failed(function, invocation())

    assert (told["errorType"], told["errorMessage"]) == ("KeyError", "'a'")
    assert told["category"] == "Function.KeyError"
    last = told["stackTrace"][-1]
    assert 'tests/runtime/test_loop.py", line ' in last
    assert f", in {function.__name__}\n    raise KeyError(" in last
    assert all("test_loop.py" in frame for frame in told["stackTrace"])
    (record,) = caplog.records
    assert (record.name, record.levelname, record.getMessage()) == ("lambent", "ERROR", "Request id-1 failed.")
    assert record.exc_info
    assert record.exc_info[0] is KeyError


@pytest.mark.parametrize("sync", [True, False])
def test_a_cancellation_is_told(sync: bool) -> None:
    def cancelled(event: Any, context: Any) -> None:
        raise asyncio.CancelledError("over")

    async def cancelled_later(event: Any, context: Any) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel("over")
        await asyncio.sleep(1)

    told = failed(cancelled if sync else cancelled_later, invocation())
    assert (told["errorType"], told["errorMessage"]) == ("CancelledError", "over")


def test_an_exception_without_words_is_told() -> None:
    class Unspeakable(Exception):
        def __str__(self) -> str:
            raise RuntimeError("This error has no words.")

    def handler(event: Any, context: Any) -> None:
        raise Unspeakable

    assert failed(handler, invocation())["errorType"] == "Unspeakable"


@pytest.mark.parametrize("event", [b"", b"{", b"\xff"])
def test_an_event_that_is_not_json_is_told(event: bytes) -> None:
    told = failed(echo, invocation(event))

    assert told["errorType"] == told["category"] == "Runtime.UnmarshalError"
    assert told["errorMessage"].startswith("Unable to unmarshal input: ")
    assert told["stackTrace"] == []


@pytest.mark.parametrize(
    "result", [{1, 2}, {"a": object()}, {(1, 2): 3}, [10**5000]], ids=["set", "object", "key", "digits"]
)
def test_a_result_that_is_not_json_is_told(result: Any) -> None:
    told = failed(lambda event, context: result, invocation())

    assert told["errorType"] == told["category"] == "Runtime.MarshalError"
    assert told["errorMessage"].startswith("Unable to marshal response: ")
    assert told["stackTrace"] == []


def given_to(result: Any, event: Any, context: Any) -> Any:
    return result


def test_a_circle_and_a_tower_are_told() -> None:
    circle: list[Any] = []
    circle.append(circle)
    tower: list[Any] = []
    for _ in range(200_000):
        tower = [tower]
    for result in (circle, tower):
        assert failed(partial(given_to, result), invocation())["errorType"] == "Runtime.MarshalError"


@pytest.mark.parametrize("raw", [True, False])
def test_a_reply_may_have_what_lambda_takes_and_no_more(raw: bool) -> None:
    def of(size: int) -> Any:
        return b"x" * size if raw else "x" * (size - 2)

    (call,) = served(Function(lambda event, context: of(6_291_556)), invocation()).posts
    assert call.path.endswith("/response")
    assert len(call.body) == 6_291_556

    told = failed(lambda event, context: of(6_291_557), invocation())
    assert told["errorType"] == told["category"] == "Function.ResponseSizeTooLarge"
    assert told["errorMessage"].startswith("The reply has 6291557 bytes, and Lambda takes 6291556.")


@pytest.mark.parametrize("sync", [True, False])
@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
def test_what_ends_a_process_passes(sync: bool, error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    def leave(event: Any, context: Any) -> None:
        raise error

    async def leave_later(event: Any, context: Any) -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        served(Function(leave if sync else leave_later), invocation())
    gc.collect()  # a task whose exception nobody has seen would be logged

    assert caught.value is error
    assert caplog.records == []


# What a handler should not do

ODD = """
import asyncio, multiprocessing, os, sys

class Odd(BaseException): ...

def leave(event, context):
    sys.exit(3)

async def leave_later(event, context):
    await asyncio.sleep(0)
    sys.exit(3)

async def leave_in_a_task(event, context):
    async def leave():
        sys.exit(3)
    asyncio.create_task(leave())
    await asyncio.sleep(20)

def odd(event, context):
    raise Odd("odd")

async def odd_later(event, context):
    await asyncio.sleep(0)
    raise Odd("odd")

def close(event, context):
    if event == 2:
        asyncio.get_event_loop().close()
    return "closed"

async def close_while_it_runs(event, context):
    if event == 1:
        asyncio.get_running_loop().close()
    return "served"

async def stop(event, context):
    if event == 1:
        asyncio.get_running_loop().stop()
        await asyncio.sleep(0.001)
    return "served"

def fork(event, context):
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if event == 1:
        os._exit(7)
    return "child"

async def fork_later(event, context):
    await asyncio.sleep(0)
    return fork(event, context)

def put(queue):
    queue.put(asyncio.run(asyncio.sleep(0, "of the child")))

async def multiprocess(event, context):
    method = multiprocessing.get_context("fork")
    queue = method.SimpleQueue()
    child = method.Process(target=put, args=[queue])
    child.start()
    child.join()
    return queue.get()
"""


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(ODD, "utf-8")
    return tmp_path


def after(odd: Path, handler: str, *, ends: bool) -> tuple[list[Any], Ended]:
    """What a process posts for two invocations, and what is left of it, if that `ends` it."""
    with (
        RuntimeAPI(invocation(b"1"), invocation(b"2", request_id="id-2")) as api,
        runtime(odd, api.address, f"app.{handler}") as process,
    ):
        if not ends:
            api.wait_until_idle()
        ended = process.wait() if ends else process.stop()
    return [call.json.get("errorType") if isinstance(call.json, dict) else call.json for call in api.posts], ended


@pytest.mark.parametrize(
    ("handler", "status", "said"),
    [
        ("leave", 3, ""),
        ("leave_later", 3, ""),
        ("leave_in_a_task", 3, ""),
        ("odd", 1, "app.Odd: odd"),
        ("odd_later", 1, "app.Odd: odd"),
    ],
)
def test_what_ends_a_process_ends_the_environment(odd: Path, handler: str, status: int, said: str) -> None:
    """As with AWS's own client. The platform says so to whoever called."""
    posts, ended = after(odd, handler, ends=True)
    assert (posts, ended.status) == ([], status)
    assert said in ended.stderr


def test_an_environment_whose_loop_was_closed_is_replaced(odd: Path) -> None:
    posts, ended = after(odd, "close", ends=True)
    assert (posts, ended.status) == (["closed"] * 2, 1)
    assert ended.stderr.startswith("The handler has closed the event loop, which is the environment's")


@pytest.mark.parametrize("handler", ["close_while_it_runs", "stop"])
def test_a_loop_that_runs_cannot_be_closed_and_goes_on_when_it_was_stopped(odd: Path, handler: str) -> None:
    posts, ended = after(odd, handler, ends=False)
    assert (posts, ended.status) == (["RuntimeError", "served"], 0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.parametrize("handler", ["fork", "fork_later"])
def test_a_fork_does_not_speak_for_its_parent(odd: Path, handler: str) -> None:
    posts, ended = after(odd, handler, ends=False)
    assert (posts, ended.status) == ([7, 1], 0)
    assert "A process that the handler has forked came back to the runtime, and ends." in ended.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_handler_may_use_multiprocessing(odd: Path) -> None:
    assert after(odd, "multiprocess", ends=False)[0] == ["of the child"] * 2


# Handlers


def test_a_handler_that_does_not_reply_has_failed() -> None:
    async def nothing(given: Invocation) -> None:
        pass

    (call,) = served(Replying(nothing), invocation()).posts
    assert call.path == f"{BASE}/invocation/id-1/error"
    assert (call.json["errorType"], call.json["stackTrace"]) == ("IncompleteResponse", [])


def test_the_reply_leaves_before_the_handler_ends() -> None:
    posted = threading.Event()

    def accept() -> Any:
        posted.set()
        return answer(202)

    async def reply_and_go_on(given: Invocation) -> None:
        await given.reply("early")
        assert await asyncio.to_thread(posted.wait, LIMIT)

    (call,) = served(Replying(reply_and_go_on), invocation(), posts=[accept]).posts
    assert (call.path, call.json) == (f"{BASE}/invocation/id-1/response", "early")


def test_what_is_raised_after_the_reply_is_logged_only(caplog: pytest.LogCaptureFixture) -> None:
    async def reply_and_fail(given: Invocation) -> None:
        await given.reply("early")
        raise KeyError("late")

    first, second = served(Replying(reply_and_fail), invocation(), invocation(request_id="id-2")).posts

    assert [first.path, second.path] == [f"{BASE}/invocation/{each}/response" for each in ("id-1", "id-2")]
    assert [record.getMessage() for record in caplog.records] == ["Request id-1 failed.", "Request id-2 failed."]
    assert "KeyError: 'late'" in caplog.text


def test_a_second_reply_is_an_error_of_the_handler_s() -> None:
    caught: list[AlreadyReplied] = []

    async def reply_twice(given: Invocation) -> None:
        await given.reply(1)
        try:
            await given.reply(2)
        except AlreadyReplied as error:
            caught.append(error)

    (call,) = served(Replying(reply_twice), invocation()).posts
    assert call.json == 1
    assert str(caught[0]) == "Request id-1 was replied to already."


def test_after_a_reply_that_cannot_be_there_may_be_another() -> None:
    async def reply_again(given: Invocation) -> None:
        try:
            await given.reply(object())
        except Exception:
            await given.reply("other")

    (call,) = served(Replying(reply_again), invocation()).posts
    assert call.json == "other"


def test_the_lifetime_is_there_before_the_first_next() -> None:
    ends: list[str] = []

    class Living(Replying):
        def lifetime(self) -> AbstractAsyncContextManager[None]:
            return live()

    @asynccontextmanager
    async def live() -> AsyncIterator[None]:
        ends.append("entered")
        yield
        ends.append("left")

    async def reply(given: Invocation) -> None:
        await given.reply(ends)

    def first() -> Any:
        assert ends == ["entered"]
        return invocation()

    api = served(Living(reply), first, invocation())
    assert [call.json for call in api.posts] == [["entered"], ["entered"]]
    assert ends == ["entered", "left"]


def test_the_loop_ends_with_a_lifetime_that_ends_by_itself() -> None:
    class Ending(Replying):
        def lifetime(self) -> AbstractAsyncContextManager[None]:
            return live()

    ended = asyncio.Event()
    cause = KeyError("gone")

    @asynccontextmanager
    async def live() -> AsyncIterator[None]:
        task = asyncio.current_task()
        assert task is not None

        async def end() -> None:
            await ended.wait()
            task.cancel()

        ending = asyncio.create_task(end())
        try:
            yield
        except asyncio.CancelledError:
            raise cause from None
        finally:
            await ending

    async def reply(given: Invocation) -> None:
        await given.reply(1)
        ended.set()

    runner = Runner()
    with RuntimeAPI(invocation()) as api:
        client = Client(api.address)
        runner.start((handler := Ending(reply)).lifetime())
        loop.run(client, runner, handler, EXACT, watching(runner, api))
        client.close()

    assert [call.json for call in api.posts] == [1]
    assert runner.lost is cause
    with pytest.raises(KeyError):
        runner.stop(1)


# Between invocations


def test_a_background_task_goes_on_between_invocations() -> None:
    done = threading.Event()
    tasks: list[asyncio.Task[None]] = []

    async def background() -> None:
        for _ in range(3):
            await asyncio.sleep(0.001)
        done.set()

    async def handler(event: Any, context: Any) -> bool:
        if not tasks:
            tasks.append(asyncio.create_task(background()))
        return done.is_set()

    def when_done() -> Any:
        assert done.wait(LIMIT)
        return invocation()

    assert replies(handler, invocation(), when_done) == [False, True]


VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE", default="unset")


def see_and_set(event: Any) -> str:
    seen = VARIABLE.get()
    VARIABLE.set(f"set by {event}")
    return seen


def in_a_function(event: Any, context: Any) -> str:
    return see_and_set(event)


async def in_a_coroutine(event: Any, context: Any) -> str:
    return see_and_set(event)


async def in_a_coroutine_that_waits(event: Any, context: Any) -> str:
    await asyncio.sleep(0)
    return see_and_set(event)


def in_a_wrapper(event: Any, context: Any) -> Any:
    seen = see_and_set(event)

    async def inner() -> str:
        assert VARIABLE.get() == f"set by {event}", "what a wrapper sets is seen by what it wraps"
        return seen

    return inner()


@pytest.mark.parametrize("handler", [in_a_function, in_a_coroutine, in_a_coroutine_that_waits, in_a_wrapper])
def test_a_context_variable_does_not_outlive_its_invocation(handler: Callable[[Any, Any], Any]) -> None:
    assert replies(handler, invocation(b"1"), invocation(b"2")) == ["unset", "unset"]
    assert VARIABLE.get() == "unset"


def test_the_trace_id_is_in_the_environment_while_there_is_one() -> None:
    steps = [
        invocation(b"1", "Lambda-Runtime-Trace-Id: Root=1"),
        invocation(b"2"),
        invocation(b"3", "Lambda-Runtime-Trace-Id:"),
    ]
    assert replies(lambda event, context: os.environ.get("_X_AMZN_TRACE_ID"), *steps) == ["Root=1", None, None]


def test_the_invocation_id_is_echoed_where_there_is_one() -> None:
    def handler(event: Any, context: Any) -> Any:
        return 1 / event

    nonce = "Lambda-Runtime-Invocation-Id: nonce-1"
    empty = "Lambda-Runtime-Invocation-Id:"
    steps = [invocation(b"1", nonce), invocation(b"0", nonce), invocation(b"1"), invocation(b"0", empty)]
    posts = served(Function(handler), *steps).posts

    assert [call.path.rpartition("/")[2] for call in posts] == ["response", "error"] * 2
    assert [call.headers.get("lambda-runtime-invocation-id") for call in posts] == ["nonce-1", "nonce-1", None, None]


# The platform


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "InvalidRequestID"),
        (403, "InvalidStateTransition"),
        (410, "InvokeTimeout"),
        (413, "RequestEntityTooLarge"),
        (302, ""),
    ],
)
@pytest.mark.parametrize("function", [echo, fail])
def test_a_refusal_concerns_one_invocation(
    status: int, words: str, function: Callable[[Any, Any], Any], caplog: pytest.LogCaptureFixture
) -> None:
    refusal = answer(status, words.encode())
    posts = served(Function(function), invocation(), invocation(request_id="id-2"), posts=[refusal]).posts

    assert [call.path.split("/")[-2] for call in posts] == ["id-1", "id-2"]
    kind = "error" if function is fail else "response"
    refused = [record for record in caplog.records if "refused" in record.getMessage()]
    assert [record.getMessage() for record in refused] == [
        f"The Runtime API refused {BASE}/invocation/id-1/{kind}: {status} {words}"
    ]
    assert refused[0].levelno == logging.ERROR


def test_a_refusal_may_come_before_the_reply_is_sent_whole() -> None:
    refusal = answer(413, b"too large", ["Connection: close"])._replace(early=True, close=True)
    handler = Function(lambda event, context: b"x" * 6_000_000)
    api = served(handler, invocation(), invocation(request_id="id-2"), posts=[refusal])

    assert [call.path.split("/")[-2] for call in api.posts] == ["id-1", "id-2"]
    assert [call.connection for call in api.calls] == [0, 0, 1, 1, 1]


def test_a_fault_of_the_platform_ends_the_loop() -> None:
    with pytest.raises(RuntimeAPIError, match=f"answered 500 InternalServerError to {BASE}/invocation/id-1/response"):
        served(Function(echo), invocation(), invocation(), posts=[answer(500, b"InternalServerError\n")])


@pytest.mark.parametrize("status", [202, 403, 500])
def test_what_is_no_invocation_ends_the_loop(status: int) -> None:
    with pytest.raises(RuntimeAPIError, match=f"Expected an invocation, but the Runtime API answered {status} said"):
        served(Function(echo), answer(status, b"said"))


def test_a_client_context_that_cannot_be_read_fails_its_invocation_and_the_next_is_served() -> None:
    steps = (invocation(b"1", "Lambda-Runtime-Client-Context: 7"), invocation(b"2", request_id="id-2"))
    failed, answered = served(Function(echo), *steps).posts
    assert failed.json["errorType"] == "Runtime.LambdaContextUnmarshalError"
    assert answered.json == 2


def test_an_invocation_without_an_id_ends_the_loop() -> None:
    with pytest.raises(RuntimeAPIError, match="Expected the headers of an invocation"):
        served(Function(echo), answer(200, b"{}"))


def test_a_connection_that_is_closed_while_idle_ends_the_loop() -> None:
    with pytest.raises(RuntimeAPIGone, match="does not answer: it closed the connection"):
        served(Function(echo), invocation(), HANG_UP)


def test_an_answer_that_is_cut_off_ends_the_loop() -> None:
    with pytest.raises(RuntimeAPIError, match="in the middle of a reply"):
        served(Function(echo), invocation()._replace(data=b"HTTP/1.1 200 OK\r\nLambda", close=True))


def test_a_post_without_an_answer_is_posted_once_more_on_a_new_connection() -> None:
    api = served(Function(echo), invocation(b"1"), invocation(b"2", request_id="id-2"), posts=[HANG_UP])

    assert [(call.path.split("/")[-2], call.body, call.connection) for call in api.posts] == [
        ("id-1", b"1", 0),
        ("id-1", b"1", 1),
        ("id-2", b"2", 1),
    ]


def test_a_post_without_an_answer_is_posted_twice_at_most() -> None:
    with pytest.raises(RuntimeAPIGone):
        served(Function(echo), invocation(), posts=[HANG_UP, HANG_UP, answer(202)])


def test_an_event_may_come_on_a_connection_that_closes() -> None:
    last = invocation(b"1", "Connection: close")._replace(close=True)
    assert replies(echo, last, last) == [1, 1]


def test_a_platform_that_goes_during_an_invocation_is_no_failure_of_the_handler_s(
    caplog: pytest.LogCaptureFixture,
) -> None:
    api = RuntimeAPI(invocation(b"1", "Connection: close")._replace(close=True))
    ends: list[str] = []

    async def reply(given: Invocation) -> None:
        api.leave()
        await given.reply("nobody is there")
        ends.append("handler")

    runner = Runner()
    runner.start(nullcontext())
    with api:
        client = Client(api.address)
        with pytest.raises(RuntimeAPIGone, match="refused"):
            loop.run(client, runner, Replying(reply), EXACT, watching(runner, api))
    runner.stop(1)

    assert ends == ["handler"]
    assert caplog.records == []


# Applications


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


def function_url(path: str) -> bytes:
    http = {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "t"}
    return json.dumps(
        {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": "",
            "headers": {"host": "x.lambda-url.eu-west-1.on.aws"},
            "requestContext": {"http": http, "domainName": "x.lambda-url.eu-west-1.on.aws", "stage": "$default"},
            "isBase64Encoded": False,
        }
    ).encode()


def test_an_application_replies_through_its_gateway() -> None:
    posts = served(Lambent(hello, lifespan="off"), invocation(function_url("/a")), invocation(function_url("/b"))).posts
    assert [(call.json["statusCode"], call.json["body"]) for call in posts] == [(200, "/a"), (200, "/b")]


def test_an_event_that_no_gateway_knows_is_an_error_and_the_next_one_is_served() -> None:
    posts = served(Lambent(hello, lifespan="off"), invocation(b'{"Records": []}'), invocation(function_url("/b"))).posts

    assert [call.path.rpartition("/")[2] for call in posts] == ["error", "response"]
    assert posts[0].json["errorType"] == "UnknownEvent"
    assert posts[1].json["body"] == "/b"
