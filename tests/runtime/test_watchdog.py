"""What is done about an invocation that runs out of time, and what it costs one that does not."""

import asyncio
import json
import logging
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest

from lambent import Lambent, current
from lambent.errors import TimedOut
from lambent.runner import Runner
from lambent.runtime import loop, stacks, watchdog
from lambent.runtime.client import Client
from lambent.runtime.codec import EXACT
from lambent.runtime.function import Function, Generator
from lambent.runtime.invocation import LambdaContext
from lambent.runtime.reply import RuntimeInvocation
from lambent.runtime.watchdog import Watchdog
from lambent.types import Handler, Invocation, Receive, Scope, Send
from tests.payloads import payload
from tests.runtime.served import NOW, Replying, deadline, leave, on_time
from tests.support.processes import runtime
from tests.support.runtime_api import BASE, HANG_UP, LIMIT, Answer, Call, RuntimeAPI, Step, answer, invocation

SECONDS = 0.2
"""That an invocation has: half of it is the margin."""

RESPONSE = f"{BASE}/invocation/id-1/response"
ERROR = f"{BASE}/invocation/id-1/error"


def soon(event: Any = None, seconds: float = SECONDS) -> Answer:
    """An invocation that has little time from the moment on that it is taken."""
    return invocation(json.dumps(event).encode(), deadline(seconds))


def soon_really(event: Any, seconds: float, request_id: str = "id-1") -> Callable[[], Answer]:
    """The same for another process: its time begins when it is handed out."""
    return lambda: invocation(json.dumps(event).encode(), deadline(time.time() - NOW + seconds), request_id=request_id)


def following(event: Any) -> Answer:
    """An invocation that has all the time."""
    return invocation(json.dumps(event).encode(), request_id="id-2")


def timed(handler: Handler, *steps: Step, posts: Any = (), margin: float = 10, patient: bool = True) -> RuntimeAPI:
    """The loop with a watchdog, until the script is at its end."""
    runner = Runner()
    api = RuntimeAPI(*steps, posts=posts, idle=runner.interrupt)
    with api, on_time(patient=patient):
        client = Client(api.address)
        timed_out = getattr(handler, "timed_out", lambda event: None)
        dog = Watchdog(runner.loop, api.address, margin, timed_out, bool)
        try:
            runner.start(handler.lifetime())
            loop.run(client, runner, handler, EXACT, dog)
        finally:
            dog.close()
            client.close()
            runner.stop(1)
    return api


def answered(calls: list[Call]) -> list[tuple[str, Any]]:
    """What was posted in the end for each request."""
    return [(call.path.removeprefix(f"{BASE}/invocation/"), call.json) for call in calls]


async def sleeping(event: Any, context: Any) -> Any:
    if event == "late":
        await asyncio.sleep(LIMIT)
    return event


# In time


def test_who_is_in_time_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    api = timed(Function(sleeping), invocation(b'"a"'), following("b"))
    assert answered(api.posts) == [("id-1/response", "a"), ("id-2/response", "b")]
    assert caplog.records == []


def far() -> RuntimeInvocation:
    headers = {
        "lambda-runtime-aws-request-id": "id",
        "lambda-runtime-deadline-ms": str(int((time.time() + 60) * 1000)),
    }
    return RuntimeInvocation(None, LambdaContext(headers, {}, time.time), EXACT, None, "")  # type: ignore[arg-type]  # never posts


def test_the_thread_sleeps_on_however_many_come_and_go() -> None:
    """A minute each: it is roused by the first one, and by one with less time than those."""
    wakes: list[int] = []
    dog = Watchdog(asyncio.new_event_loop(), "127.0.0.1:1", 1, lambda event: None, bool)
    dog._wake.set = lambda: wakes.append(1)  # type: ignore[method-assign]  # to count
    first = far()
    dog.watch(first, bool)
    while dog._until == float("inf"):
        time.sleep(0)
    for _ in range(100):
        other = far()
        dog.watch(other, bool)
        dog.forget(other)
    assert wakes == []
    shorter = far()
    shorter.context._deadline -= 30_000
    dog.watch(shorter, bool)
    assert wakes == [1]

    del dog._wake.set
    dog.close()
    dog._loop.close()


@pytest.mark.parametrize("margin", [0, 10])
def test_no_margin_and_a_deadline_that_has_passed_are_not_watched(margin: float) -> None:
    """A service that does not know its deadline says 600000 ms: that was in 1970."""

    async def handler(event: Any, context: Any) -> list[float]:
        await asyncio.sleep(0.05)
        return [threading.active_count()]

    before = threading.active_count()
    headers = ["Lambda-Runtime-Aws-Request-Id: id-1"]
    if margin:
        headers.append("Lambda-Runtime-Deadline-Ms: 600000")
    api = timed(Function(handler), answer(200, b"{}", headers) if margin else soon(seconds=0.04), margin=margin)
    assert api.posts[0].path == RESPONSE
    assert api.posts[0].json[0] <= before + 2, "the two of the Runtime API"


def test_a_clock_that_is_set_back_changes_nothing() -> None:
    async def handler(event: Any, context: Any) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(watchdog, "time", lambda: NOW - 3600)
            await asyncio.sleep(LIMIT)

    assert timed(Function(handler), soon()).posts[0].json["errorType"] == "Function.TimedOut"


# In a debugger


def ending(request_id: str) -> RuntimeInvocation:
    headers = {
        "lambda-runtime-aws-request-id": request_id,
        "lambda-runtime-deadline-ms": str(int((NOW + SECONDS) * 1000)),
    }
    context = LambdaContext(headers, {}, time.time)
    return RuntimeInvocation(request_id, context, EXACT, None, "")  # type: ignore[arg-type]  # never posts


@pytest.mark.parametrize("beforehand", [True, False])
def test_who_is_held_by_a_debugger_has_no_deadline(beforehand: bool, caplog: pytest.LogCaptureFixture) -> None:
    """Held from the first, or once the time was up; beside it one that is not, by which the clock is told."""
    given_up = threading.Event()
    event_loop = asyncio.new_event_loop()
    held, other = ending("held"), ending("other")
    assert not held.held
    held.held = beforehand

    def timed_out(event: Any) -> None:
        held.held = held.held or event == "held"

    dog = Watchdog(event_loop, "127.0.0.1:1", 10, timed_out, given_up.set)
    try:
        with on_time(patient=False):
            dog.watch(held, bool)
            dog.watch(other, bool)
        assert given_up.wait(LIMIT)
    finally:
        dog.close()
        event_loop.close()
    assert (held.late is None) is beforehand
    assert dog._due(held, dog._watches[held]) == float("inf")
    assert not any("held still runs" in record.getMessage() for record in caplog.records)
    assert any("other still runs" in record.getMessage() for record in caplog.records)


# Out of time


def test_an_invocation_that_runs_out_of_time_fails_and_then_is_cancelled(caplog: pytest.LogCaptureFixture) -> None:
    posted = threading.Event()
    before: list[bool] = []

    async def handler(event: Any, context: Any) -> Any:
        if event == 2:
            return "served"
        try:
            await asyncio.sleep(LIMIT)
        finally:
            before.append(posted.is_set())

    def accept() -> Answer:
        posted.set()
        return answer(202)

    first, second = timed(Function(handler), soon(1), following(2), posts=[accept]).posts
    assert first.path == ERROR
    assert first.headers["lambda-runtime-function-error-type"] == "Function.TimedOut"
    assert first.json == {
        "errorMessage": "Task timed out after 0.10 seconds",
        "errorType": "Function.TimedOut",
        "requestId": "id-1",
        "stackTrace": [],
    }
    assert second.json == "served"
    assert before == [True], "the client is told before the handler is cancelled"
    assert [record.levelname for record in caplog.records] == ["ERROR"], "it is said once"


@pytest.mark.skipif(sys.platform == "win32", reason="a folder that is in use cannot be removed")
def test_the_client_gets_its_answer_where_the_folder_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def handler(event: Any, context: Any) -> Any:
        if event == "late":
            leave(tmp_path / "gone", monkeypatch)
        return await sleeping(event, context)

    first, second = timed(Function(handler), soon("late"), following(2)).posts
    assert (first.path, first.json["errorType"]) == (ERROR, "Function.TimedOut")
    assert second.json == 2


def test_the_log_shows_the_user_s_frames_only(caplog: pytest.LogCaptureFixture) -> None:
    async def inner() -> None:
        await asyncio.sleep(LIMIT)

    async def spawned() -> None:
        await asyncio.sleep(LIMIT)

    async def handler(event: Any, context: Any) -> None:
        task = asyncio.create_task(spawned(), name="mine")
        try:
            await inner()
        finally:
            task.cancel()

    timed(Function(handler), soon())
    head, *lines = caplog.records[0].getMessage().splitlines()
    assert head == (
        "Request id-1 timed out after 0.10 s: it is answered in the handler's place, which is cancelled. It stands at:"
    )
    assert [line.strip() for line in lines if line.strip().startswith(("task", "await"))] == [
        lines[0],
        "await inner()",
        "await asyncio.sleep(LIMIT)",
        "task mine:",
        "await asyncio.sleep(LIMIT)",
    ]
    files = [line.split('"')[1] for line in lines if line.startswith("  File")]
    assert files[0] == __file__
    assert not any("lambent" in Path(file).parts for file in files)


def test_what_is_not_of_this_invocation_is_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    tasks: list[asyncio.Task[None]] = []

    async def background() -> None:
        await asyncio.sleep(LIMIT)

    async def handler(event: Any, context: Any) -> None:
        if event == 1:
            tasks.append(asyncio.create_task(background(), name="of the first"))
            return
        await asyncio.sleep(LIMIT)

    timed(Function(handler), invocation(b"1"), soon(2))
    assert "of the first" not in caplog.text
    assert "lifetime" not in caplog.text


def test_an_application_s_client_gets_a_504(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(LIMIT)

    event = payload("function_url_get")
    [call] = timed(Lambent(app, lifespan="off"), soon(event)).posts
    assert (call.path, call.json["statusCode"], call.json["body"]) == (RESPONSE, 504, "Gateway Timeout")
    [call] = timed(Lambent(app, lifespan="off", errors="raise"), soon(event)).posts
    assert (call.path, call.json["errorType"]) == (ERROR, "Function.TimedOut")
    assert len(caplog.records) == 2


def test_an_application_that_began_its_answer_and_has_more_to_say_is_late_too() -> None:
    """Nothing of it has left: it is sent whole."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        await asyncio.sleep(LIMIT)

    assert timed(Lambent(app, lifespan="off"), soon(payload("function_url_get"))).posts[0].json["statusCode"] == 504


def test_a_streamed_reply_ends_with_the_error(caplog: pytest.LogCaptureFixture) -> None:
    async def pieces(event: Any, context: Any) -> Any:
        yield b"one"
        await asyncio.sleep(LIMIT)

    [call] = timed(Generator(pieces), soon()).posts
    assert call.body == b"one"
    assert call.headers["lambda-runtime-function-error-type"] == "Function.TimedOut"
    assert "in the middle of its streamed reply, and is cancelled" in caplog.text
    assert len(caplog.records) == 1


def test_an_application_s_streamed_reply_ends_with_the_error() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        await asyncio.sleep(LIMIT)

    [call] = timed(Lambent(app, lifespan="off", stream=True), soon(payload("function_url_get"))).posts
    assert call.body.endswith(b"half")
    assert call.headers["lambda-runtime-function-error-type"] == "Function.TimedOut"


def test_what_goes_on_after_the_reply_is_cancelled_too(caplog: pytest.LogCaptureFixture) -> None:
    ends: list[str] = []

    async def reply_and_go_on(given: Invocation) -> None:
        await given.reply("early")
        try:
            await asyncio.sleep(LIMIT)
        finally:
            ends.append("cancelled")

    [call] = timed(Replying(reply_and_go_on), soon()).posts
    assert call.json == "early"
    assert ends == ["cancelled"]
    assert [record.getMessage().splitlines()[0] for record in caplog.records] == [
        "Request id-1 timed out after 0.10 s, at work after its reply, and is cancelled. It stands at:"
    ]


def test_a_record_has_the_request() -> None:
    seen: list[str] = []

    class Listening(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(current().request_id)

    listening = Listening()
    logging.getLogger("lambent").addHandler(listening)
    try:
        timed(Function(sleeping), soon("late"))
    finally:
        logging.getLogger("lambent").removeHandler(listening)
    assert seen == ["id-1"]


# A disconnect


def test_whoever_waits_for_a_disconnect_hears_it_before_the_end(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        heard.append((await receive())["type"])
        heard.append((await receive())["type"])

    [call] = timed(Lambent(app, lifespan="off"), soon(payload("function_url_get"))).posts
    assert call.json["statusCode"] == 504
    assert heard == ["http.disconnect"] * 2
    assert len(caplog.records) == 1


def test_whoever_does_not_end_after_a_disconnect_is_cancelled() -> None:
    heard: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        heard.append((await receive())["type"])
        try:
            await asyncio.sleep(LIMIT)
        except asyncio.CancelledError:
            heard.append("cancelled")
            raise

    timed(Lambent(app, lifespan="off"), soon(payload("function_url_get")))
    assert heard == ["http.disconnect", "cancelled"]


# One reply


def test_a_reply_at_the_last_moment_is_the_only_one() -> None:
    """The handler replies while the watchdog is about to."""
    caught: list[TimedOut] = []
    begun, tried = threading.Event(), threading.Event()

    class Racing(Replying):
        def timed_out(self, event: Any) -> Any:
            begun.set()
            tried.wait(LIMIT)
            return "timed out"

    async def race(given: Invocation) -> None:
        await asyncio.to_thread(begun.wait, LIMIT)
        with pytest.raises(TimedOut) as error:
            await given.reply("just in time")
        caught.append(error.value)
        tried.set()

    [call] = timed(Racing(race), soon()).posts
    assert call.json == "timed out"
    assert str(caught[0]) == "Request id-1 ran out of time; this reply comes late."


def test_of_a_handler_and_the_watchdog_one_gets_to_reply() -> None:
    for _ in range(50):
        given = far()
        barrier = threading.Barrier(2)
        won: list[str] = []

        def expire(given: RuntimeInvocation = given, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            if given.expire(threading.Event()):
                won.append("watchdog")  # noqa: B023 - joined below

        thread = threading.Thread(target=expire)
        thread.start()
        barrier.wait()
        try:
            given.claim()
            won.append("handler")
        except Exception:
            pass
        thread.join()
        assert len(won) == 1


def test_one_that_ends_while_it_is_answered_is_not_cancelled() -> None:
    cancelled: list[int] = []
    over = threading.Event()
    with RuntimeAPI(posts=[answer(202)]) as api, on_time():
        environment = asyncio.new_event_loop()

        def timed_out(event: Any) -> Any:
            dog.forget(given)
            return "timed out"

        dog = Watchdog(environment, api.address, 60, timed_out, over.set)
        given = far()
        given.context._deadline = int((NOW + 0.02) * 1000)
        dog.watch(given, lambda: cancelled.append(1))
        while given.expiry is None:
            time.sleep(0)
        assert given.expiry.wait(LIMIT)
        environment.run_until_complete(asyncio.sleep(0.02))
        dog.close()
        environment.close()
    assert cancelled == []
    assert not over.is_set()
    assert dog._expired == {}


def test_what_cannot_be_replied_fails_the_invocation(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Function):
        def timed_out(self, event: Any) -> Any:
            raise KeyError("no door")

    assert timed(Broken(sleeping), soon("late")).posts[0].json["errorType"] == "Function.TimedOut"
    assert "What replies to a request that timed out has failed: KeyError('no door')" in caplog.text


def test_a_platform_that_has_gone_is_logged_and_the_handler_cancelled(caplog: pytest.LogCaptureFixture) -> None:
    timed(Function(sleeping), soon("late"), posts=[HANG_UP, HANG_UP])
    assert "timed out after 0.10 s and is cancelled. The Runtime API could not be told: " in caplog.text


def test_a_loop_that_is_closed_is_no_reason_to_stop_watching(caplog: pytest.LogCaptureFixture) -> None:
    over = threading.Event()
    closed = asyncio.new_event_loop()
    closed.close()
    with RuntimeAPI() as api, on_time(patient=False):
        dog = Watchdog(closed, api.address, 60, lambda event: None, over.set)
        given = far()
        given.context._deadline = int((NOW + 0.05) * 1000)
        dog.watch(given, bool)
        assert over.wait(LIMIT)
        dog.close()
    assert [call.json["errorType"] for call in api.posts] == ["Function.TimedOut"]


# A loop that is held up


def test_a_blocked_loop_does_not_keep_the_client_from_its_answer(caplog: pytest.LogCaptureFixture) -> None:
    posted = threading.Event()

    def accept() -> Answer:
        posted.set()
        return answer(202)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert posted.wait(LIMIT)  # holds up the loop
        while not caplog.records:
            time.sleep(0.001)  # noqa: ASYNC251 - on purpose
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"too late"})

    [call] = timed(
        Lambent(app, lifespan="off"), soon(payload("function_url_get"), 2), posts=[accept], patient=False
    ).posts
    assert call.json["statusCode"] == 504
    [record] = caplog.records
    assert "It holds up the event loop. It stands at:" in record.getMessage()
    assert "time.sleep(0.001)" in record.getMessage()


def test_a_loop_that_waits_is_not_held_up_however_late_a_busy_machine_lets_it_go_on(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    unheard: list[Callable[[], object]] = []
    cancel = Watchdog._cancel

    def late(dog: Watchdog, *said: Any) -> None:
        cancel(dog, *said)
        dog._loop.call_soon_threadsafe(unheard.pop())

    monkeypatch.setattr(Watchdog, "_takes", lambda dog, call, *_: unheard.append(call))
    monkeypatch.setattr(Watchdog, "_cancel", late)
    monkeypatch.setattr(stacks, "of_thread", lambda _: "")  # as in a process without a test around it
    posts = timed(Function(sleeping), soon("late", 2), following("b")).posts
    assert [call.path for call in posts] == [ERROR, RESPONSE.replace("id-1", "id-2")]
    [record] = caplog.records
    assert "holds up" not in record.getMessage()
    assert "await asyncio.sleep(LIMIT)" in record.getMessage()


def test_a_function_that_blocks_is_answered_for(caplog: pytest.LogCaptureFixture) -> None:
    def handler(event: Any, context: Any) -> Any:
        while event == "late" and not caplog.records:
            time.sleep(0.001)
        return event

    posts = timed(Function(handler), soon("late", 2), following("b"), patient=False).posts
    assert [call.path for call in posts] == [ERROR, RESPONSE.replace("id-1", "id-2")]
    [record] = caplog.records
    assert "holds up" not in record.getMessage()
    assert "time.sleep(0.001)" in record.getMessage()


def test_a_loop_that_is_busy_with_what_the_watchdog_has_asked_for_is_not_held_up() -> None:
    """On a slow machine, the lines of a stack take longer to read than a loop may take to begin with it."""
    environment = asyncio.new_event_loop()
    thread = threading.Thread(target=environment.run_forever)
    thread.start()
    dog = Watchdog(environment, "127.0.0.1:1", 1, lambda event: None, bool)
    try:
        assert dog._takes(lambda: time.sleep(0.3), 0.2, LIMIT)
    finally:
        environment.call_soon_threadsafe(environment.stop)
        thread.join()
        environment.close()


def test_a_thread_is_not_left_to_the_next_invocation(caplog: pytest.LogCaptureFixture) -> None:
    """A sync endpoint cannot be cancelled: the next event is asked for when it has returned."""
    ends: list[str] = []
    cancelled = threading.Event()

    def endpoint() -> None:
        assert cancelled.wait(LIMIT)
        time.sleep(0.02)
        ends.append("thread")

    async def handler(event: Any, context: Any) -> Any:
        if event == 2:
            return [*ends]
        try:
            await anyio.to_thread.run_sync(endpoint)
        finally:
            cancelled.set()

    posts = timed(Function(handler), soon(1), following(2)).posts
    assert posts[1].json == ["thread"]
    assert "thread AnyIO worker thread:" in caplog.text
    assert "assert cancelled.wait(LIMIT)" in caplog.text


# The end of the process

PROGRAM = """
import asyncio, os, signal, sys, time

async def block(event, context):
    time.sleep(20)

def block_plainly(event, context):
    time.sleep(20)

async def swallow(event, context):
    while True:
        try:
            await asyncio.sleep(20)
        except asyncio.CancelledError:
            pass

async def leave_a_thread(event, context):
    await asyncio.to_thread(time.sleep, 20)

async def answer_and_block(event, context):
    from lambent import current
    async def work():
        time.sleep(20)
    current().wait_until(work())
    return "early"

async def freeze(event, context):
    if event == "freeze":
        os.kill(os.getpid(), signal.SIGSTOP)
        await asyncio.sleep(20)
    return "served"

async def serve(event, context):
    return "served"
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(PROGRAM, "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("handler", "where"),
    [
        ("block", "time.sleep(20)"),
        ("block_plainly", "time.sleep(20)"),
        ("swallow", "await asyncio.sleep(20)"),
        ("leave_a_thread", "thread asyncio_0:"),
        ("answer_and_block", "time.sleep(20)"),
    ],
)
def test_what_still_runs_at_the_deadline_ends_the_process_before_the_platform_does(
    program: Path, handler: str, where: str
) -> None:
    until = time.time() + LIMIT
    answers: list[float] = []

    def step() -> Answer:
        nonlocal until
        until = time.time() + 1.2
        return soon_really(None, 1.2)()

    def accept() -> Answer:
        answers.append(time.time())
        return answer(202)

    with (
        RuntimeAPI(step, posts=[accept]) as api,
        runtime(program, api.address, f"app.{handler}", LAMBENT_DEADLINE_MARGIN="0.6") as process,
    ):
        ended = process.wait()

    [call] = api.posts
    if handler == "answer_and_block":
        assert call.json == "early"
    else:
        assert call.json["errorType"] == "Function.TimedOut"
        assert answers[0] < until - 0.2
    assert ended.status == 1
    text = ended.stdout + ended.stderr
    noted = re.findall(r"^\[CRITICAL\]\t(\S+)\tid-1\t", text, re.MULTILINE)
    assert [datetime.fromisoformat(each).timestamp() < until for each in noted] == [True], "the platform's end is near"
    assert "Request id-1 still runs at its deadline, though it was cancelled: the process ends. It stands at:" in text
    assert where in text.partition("still runs")[2]
    assert "lambent/runtime" not in text


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
def test_a_process_that_was_frozen_beyond_its_deadline_serves_the_next_one(program: Path) -> None:
    steps: list[Step] = [soon_really("freeze", 0.5), following("next"), soon_really("freeze", 0.5, "id-3")]
    with RuntimeAPI(*steps) as api, runtime(program, api.address, "app.freeze") as process:
        pid = process._process.pid
        for _ in range(2):
            os.waitid(os.P_PID, pid, os.WSTOPPED)
            time.sleep(0.6)  # the freeze is the time that passes
            os.kill(pid, signal.SIGCONT)
        api.wait_until_idle()
    assert [call.path.removeprefix(f"{BASE}/invocation/") for call in api.posts] == [
        "id-1/error",
        "id-2/response",
        "id-3/error",
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
def test_a_process_that_is_frozen_between_invocations_is_not_disturbed(program: Path) -> None:
    """The deadline of one that has ended passes while it is frozen."""
    pid = 0
    started = threading.Event()

    def first() -> Answer:
        started.wait(LIMIT)
        return soon_really(None, 0.4)()

    def thaw() -> Answer:
        os.kill(pid, signal.SIGSTOP)
        os.waitid(os.P_PID, pid, os.WSTOPPED)
        time.sleep(0.5)  # the freeze is the time that passes
        os.kill(pid, signal.SIGCONT)
        return invocation(request_id="id-2")

    with (
        RuntimeAPI(first, thaw) as api,
        runtime(program, api.address, "app.serve") as process,
    ):
        pid = process._process.pid
        started.set()
        api.wait_until_idle()
        ended = process.stop()
    assert [call.json for call in api.posts] == ["served"] * 2
    assert ended.stdout + ended.stderr == ""
