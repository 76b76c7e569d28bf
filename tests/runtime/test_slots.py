"""Many invocations at a time in one process, against a Runtime API that follows a script."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import os
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple

import pytest

from lambent import current
from lambent.errors import PlatformError, RuntimeAPIError, RuntimeAPIGone
from lambent.runner import Runner
from lambent.runtime import slots
from lambent.runtime.codec import EXACT
from lambent.runtime.function import Function, Generator
from lambent.runtime.watchdog import Watchdog
from lambent.types import Handler, Invocation
from tests.integration.newcomer import free_port
from tests.runtime.served import NOW, Replying, deadline, on_time
from tests.support.runtime_api import BASE, HANG_UP, LIMIT, Answer, Call, RuntimeAPI, Step, answer, invocation

COUNT = 16
AT_ONCE = (0.0,) * 4


class Many(NamedTuple):
    """What N slots are run with."""

    new_loop: Callable[[], asyncio.AbstractEventLoop]

    def serve(
        self,
        handler: Handler,
        *steps: Step,
        count: int = COUNT,
        busy: int = 0,
        posts: Iterable[Step] = (),
        margin: float = 0.25,
        timed_out: Callable[[Any], Any] = lambda event: None,
        gave_up: Callable[[], object] = bool,
    ) -> RuntimeAPI:
        """Run until the script is at its end, and all slots but `busy` ask for more. Raises what ends the slots."""
        runner = Runner(self.new_loop())
        idle = threading.Semaphore(0)

        def on_idle() -> None:
            with lock:
                idle.release()
                if idle._value == count - busy:
                    runner.loop.call_soon_threadsafe(runner.interrupt)

        lock = threading.Lock()
        with RuntimeAPI(*steps, posts=posts, idle=on_idle) as api, on_time(patient=False):
            watchdog = Watchdog(runner.loop, api.address, margin, timed_out, gave_up, count)
            try:
                runner.start(handler.lifetime())
                slots.run(api.address, runner, handler, EXACT, watchdog, count, AT_ONCE)
            finally:
                watchdog.close()
                runner.stop(1)
        return api

    def replies(self, function: Callable[[Any, Any], Any], *steps: Step, **options: Any) -> dict[str, Any]:
        """What a plain function replies, decoded, by request id."""
        return by_id(self.serve(Function(function), *steps, **options).posts)


@pytest.fixture(params=["asyncio", "uvloop"])
def many(request: pytest.FixtureRequest) -> Many:
    return Many(pytest.importorskip(request.param).new_event_loop)


def by_id(posts: Iterable[Call]) -> dict[str, Any]:
    return {post.path.split("/")[-2]: post.json for post in posts}


def numbered(count: int = COUNT, *headers: str) -> list[Step]:
    """Invocations with the events 0, 1, 2 and the ids id-0, id-1, id-2."""
    return [
        invocation(b"%d" % number, *headers, f"Lambda-Runtime-Trace-Id: Root={number}", request_id=f"id-{number}")
        for number in range(count)
    ]


def soon(event: bytes = b"1", request_id: str = "id-1", seconds: float = 0.1) -> Step:
    """An invocation that has little time from the moment on that it is taken."""
    return invocation(event, deadline(seconds), request_id=request_id)


# At the same time


def test_invocations_wait_for_each_other_on_the_loop(many: Many) -> None:
    barrier = asyncio.Barrier(COUNT)

    async def handler(event: Any, context: Any) -> Any:
        await barrier.wait()
        return [event, threading.current_thread() is threading.main_thread()]

    expected = {f"id-{number}": [number, True] for number in range(COUNT)}
    assert many.replies(handler, *numbered()) == expected


def test_invocations_wait_for_each_other_in_threads(many: Many) -> None:
    barrier = threading.Barrier(COUNT)

    def handler(event: Any, context: Any) -> Any:
        barrier.wait(LIMIT)
        return [event, threading.current_thread() is threading.main_thread()]

    expected = {f"id-{number}": [number, False] for number in range(COUNT)}
    assert many.replies(handler, *numbered()) == expected


def test_each_slot_keeps_its_connection(many: Many) -> None:
    api = many.serve(Function(lambda event, context: event), *numbered(5 * COUNT))

    assert len(api.posts) == 5 * COUNT
    assert {call.connection for call in api.calls} == set(range(COUNT))
    assert by_id(api.posts) == {f"id-{number}": number for number in range(5 * COUNT)}


def test_a_wrapper_s_coroutine_is_awaited_on_the_loop(many: Many) -> None:
    async def inner() -> str:
        await asyncio.sleep(0)
        return threading.current_thread().name

    def handler(event: Any, context: Any) -> Any:
        return inner()

    assert many.replies(handler, *numbered(1)) == {"id-0": threading.current_thread().name}


def test_a_sync_function_may_run_a_loop_of_its_own(many: Many) -> None:
    async def inner(event: Any) -> Any:
        await asyncio.sleep(0)
        return event

    replies = many.replies(lambda event, context: asyncio.run(inner(event)), *numbered())
    assert replies == {f"id-{number}": number for number in range(COUNT)}


def test_streams_are_written_at_the_same_time(many: Many) -> None:
    barrier = asyncio.Barrier(4)

    async def handler(event: Any, context: Any) -> AsyncGenerator[str, None]:
        for piece in "ab":
            await barrier.wait()
            yield f"{piece}{event}"

    api = many.serve(Generator(handler), *numbered(4), count=4)
    assert sorted(post.body for post in api.posts) == [b"a0b0", b"a1b1", b"a2b2", b"a3b3"]
    assert all(post.headers["lambda-runtime-function-response-mode"] == "streaming" for post in api.posts)


# Each in a context of its own


VARIABLE: contextvars.ContextVar[Any] = contextvars.ContextVar("variable", default="nobody's")


def describe(event: Any, context: Any, before: Any) -> list[Any]:
    it = current()
    return [before, VARIABLE.get(), it.request_id, it.trace_id, it.tenant_id, it.context is context, context.trace_id]


def expected_descriptions() -> dict[str, Any]:
    return {f"id-{n}": ["nobody's", n, f"id-{n}", f"Root={n}", "blue", True, f"Root={n}"] for n in range(2 * COUNT)}


def test_contexts_are_apart_on_the_loop(many: Many) -> None:
    barrier = asyncio.Barrier(COUNT)

    async def set_elsewhere(event: Any) -> None:
        assert current().event == event

    async def handler(event: Any, context: Any) -> Any:
        before = VARIABLE.get()
        VARIABLE.set(event)
        await barrier.wait()
        await asyncio.gather(set_elsewhere(event), asyncio.to_thread(lambda: current().request_id))
        return describe(event, context, before)

    assert many.replies(handler, *numbered(2 * COUNT, "Lambda-Runtime-Aws-Tenant-Id: blue")) == expected_descriptions()


def test_contexts_are_apart_in_threads(many: Many) -> None:
    barrier = threading.Barrier(COUNT)

    def handler(event: Any, context: Any) -> Any:
        before = VARIABLE.get()
        VARIABLE.set(event)
        barrier.wait(LIMIT)
        return describe(event, context, before)

    assert many.replies(handler, *numbered(2 * COUNT, "Lambda-Runtime-Aws-Tenant-Id: blue")) == expected_descriptions()


def test_the_trace_id_is_not_in_the_environment(many: Many, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("_X_AMZN_TRACE_ID", raising=False)

    async def handler(event: Any, context: Any) -> Any:
        return os.environ.get("_X_AMZN_TRACE_ID")

    assert set(many.replies(handler, *numbered()).values()) == {None}


def test_what_is_left_of_the_time_is_each_one_s_own(many: Many) -> None:
    async def handler(event: Any, context: Any) -> Any:
        return round(context.get_remaining_time_in_millis() / 10_000), round((current().remaining or 0) / 10)

    steps = [
        invocation(b"1", deadline(time.time() - NOW + 10 * number), request_id=f"id-{number}") for number in (1, 2, 3)
    ]
    assert many.replies(handler, *steps) == {"id-1": [1, 1], "id-2": [2, 2], "id-3": [3, 3]}


# One that fails, and the others


class Fatal(BaseException): ...


class Nested:
    """Has something raised in a task of its own, as BaseHTTPMiddleware does with an application."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    async def __call__(self, event: Any, context: Any) -> None:
        await asyncio.create_task(self._fail())

    async def _fail(self) -> None:
        raise self._error


RAISED = [KeyError("a"), StopIteration("a"), SystemExit(3), Fatal("a"), asyncio.CancelledError("a")]


def failing(many: Many, fail: Callable[[], Any], *, sync: bool) -> list[Any]:
    """What is posted for an invocation that fails among others, which begin before it and end after it."""
    failed = threading.Event() if sync else asyncio.Event()

    async def asynchronous(event: Any, context: Any) -> Any:
        if event == 1:
            failed.set()
            return await fail()
        assert isinstance(failed, asyncio.Event)
        await failed.wait()
        return "served"

    def synchronous(event: Any, context: Any) -> Any:
        if event == 1:
            failed.set()
            fail()
        assert isinstance(failed, threading.Event)
        assert failed.wait(LIMIT)
        return "served"

    api = many.serve(Function(synchronous if sync else asynchronous), *numbered())
    assert sorted(by_id(api.posts)) == sorted(f"id-{number}" for number in range(COUNT))
    (error,) = [post for post in api.posts if post.path.endswith("/error")]
    assert error.path == f"{BASE}/invocation/id-1/error"
    assert [post.json for post in api.posts if post is not error] == ["served"] * (COUNT - 1)
    return [error.json["errorType"], error.json["errorMessage"]]


@pytest.mark.parametrize("error", [error for error in RAISED if type(error) is not StopIteration], ids=repr)
@pytest.mark.parametrize("nested", [False, True])
def test_what_is_raised_on_the_loop_fails_this_one_only(many: Many, error: BaseException, nested: bool) -> None:
    async def fail() -> None:
        if nested:
            await Nested(error)(None, None)
        raise error

    assert failing(many, fail, sync=False) == [type(error).__name__, str(error)]


@pytest.mark.parametrize("error", RAISED, ids=repr)
def test_what_is_raised_in_a_thread_fails_this_one_only(many: Many, error: BaseException) -> None:
    def fail() -> None:
        raise error

    assert failing(many, fail, sync=True) == [type(error).__name__, str(error)]


def test_a_stack_trace_begins_with_the_user_s_code(many: Many) -> None:
    def handler(event: Any, context: Any) -> None:
        raise KeyError("a")

    async def coroutine(event: Any, context: Any) -> None:
        raise KeyError("a")

    for function in (handler, coroutine):
        (error,) = many.replies(function, *numbered(1), count=1).values()
        (frame,) = error["stackTrace"]
        assert f"in {function.__name__}\n" in frame


@pytest.mark.parametrize("event", [b"{", b"", b"\xff"])
def test_an_event_that_is_not_json_is_told(many: Many, event: bytes) -> None:
    replies = many.replies(
        lambda event, context: event, invocation(event), invocation(b"1", request_id="id-2"), count=2
    )

    assert replies["id-1"]["errorType"] == "Runtime.UnmarshalError"
    assert replies["id-2"] == 1


def test_a_client_context_that_cannot_be_read_is_told_with_the_echo(many: Many) -> None:
    headers = ("Lambda-Runtime-Client-Context: [", "Lambda-Runtime-Invocation-Id: nonce")
    (post,) = many.serve(Function(lambda event, context: event), invocation(b"1", *headers), count=2).posts

    assert post.json["errorType"] == "Runtime.LambdaContextUnmarshalError"
    assert post.headers["lambda-runtime-invocation-id"] == "nonce"


def test_a_stream_that_fails_ends_with_an_error(many: Many) -> None:
    async def handler(event: Any, context: Any) -> AsyncGenerator[str, None]:
        yield "begun"
        raise KeyError("a")

    (post,) = many.serve(Generator(handler), invocation(), count=2).posts
    assert post.body == b"begun"
    assert post.headers["lambda-runtime-function-error-type"] == "Function.KeyError"


def test_a_handler_that_never_replies_is_told(many: Many) -> None:
    async def nothing(invocation: Invocation) -> None: ...

    (error,) = by_id(many.serve(Replying(nothing), invocation(), count=2).posts).values()
    assert error["errorType"] == "IncompleteResponse"


def test_what_is_raised_after_the_reply_is_logged_only(many: Many, caplog: pytest.LogCaptureFixture) -> None:
    async def serve(invocation: Invocation) -> None:
        await invocation.reply("fine")
        raise KeyError("late")

    assert by_id(many.serve(Replying(serve), invocation()).posts) == {"id-1": "fine"}
    assert [record.getMessage() for record in caplog.records] == ["Request id-1 failed."]


def test_work_goes_on_after_the_reply_and_the_slot_waits(many: Many) -> None:
    order: list[str] = []

    async def work() -> None:
        await asyncio.sleep(0.01)
        order.append("work")

    async def handler(event: Any, context: Any) -> Any:
        order.append(f"event {event}")
        if event == 0:
            current().wait_until(work())

    many.replies(handler, *numbered(2), count=1)
    assert order == ["event 0", "work", "event 1"]


# Deadlines


def test_each_is_cancelled_at_its_own_deadline(many: Many, caplog: pytest.LogCaptureFixture) -> None:
    begun = asyncio.Event()

    async def handler(event: Any, context: Any) -> Any:
        if event == "late":
            begun.set()
            await asyncio.Event().wait()
        await begun.wait()
        return event

    steps = [soon(b'"late"', "late", 0.2), *numbered(COUNT - 1)]
    api = many.serve(Function(handler), *steps, margin=0.1, timed_out=lambda event: [504, event])

    posts = by_id(api.posts)
    assert posts.pop("late") == [504, "late"]
    assert posts == {f"id-{number}": number for number in range(COUNT - 1)}
    (post,) = [post for post in api.posts if "/late/" in post.path]
    polls = {call.connection for call in api.calls if call.method == "GET"}
    assert post.connection not in polls, "the watchdog has a connection of its own"
    assert "Request late timed out after 0." in caplog.text


def test_work_after_the_reply_is_cancelled_at_the_deadline(many: Many) -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    async def handler(event: Any, context: Any) -> Any:
        current().wait_until(work())

    api = many.serve(Function(handler), soon(), count=2)
    assert (len(api.posts), ended) == (1, ["cancelled"])


def test_work_begun_before_the_time_was_up_is_cancelled_with_the_handler(many: Many) -> None:
    async def handler(event: Any, context: Any) -> Any:
        current().wait_until(asyncio.Event().wait())
        await asyncio.Event().wait()

    (post,) = many.serve(Function(handler), soon(), count=2).posts
    assert post.json["errorType"] == "Function.TimedOut"


def test_a_slot_that_swallows_its_cancellation_is_not_free_and_the_others_are(many: Many) -> None:
    swallowed = asyncio.Event()
    release = asyncio.Event()

    async def handler(event: Any, context: Any) -> Any:
        if event == "stuck":
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                swallowed.set()
                await release.wait()
            return "too late"
        await swallowed.wait()
        return event

    stuck = soon(b'"stuck"', "stuck")
    api = many.serve(Function(handler), stuck, *numbered(5), count=3, busy=1)

    posts = by_id(api.posts)
    assert posts.pop("stuck")["errorType"] == "Function.TimedOut"
    assert posts == {f"id-{number}": number for number in range(5)}
    assert len({call.connection for call in api.posts if "/id-" in call.path}) <= 2


def test_a_function_that_outlives_its_deadline_has_its_thread_logged(
    many: Many, caplog: pytest.LogCaptureFixture
) -> None:
    over = threading.Event()
    records = Records("Request stuck has a thread", over.set)
    logging.getLogger("lambent").addHandler(records)

    def handler(event: Any, context: Any) -> Any:
        if event == "stuck":
            assert over.wait(LIMIT)  # the line that is logged
        return event

    stuck = soon(b'"stuck"', "stuck")
    try:
        posts = by_id(many.serve(Function(handler), stuck, *numbered(3), count=2).posts)
    finally:
        logging.getLogger("lambent").removeHandler(records)
    assert posts.pop("stuck")["errorType"] == "Function.TimedOut"
    assert posts == {f"id-{number}": number for number in range(3)}
    assert "assert over.wait(LIMIT)  # the line that is logged" in caplog.text


class Records(logging.Handler):
    """Calls a function at a record that begins so."""

    def __init__(self, beginning: str, function: Callable[[], object]) -> None:
        super().__init__()
        self._beginning = beginning
        self._function = function

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage().startswith(self._beginning):
            self._function()


def test_when_every_slot_is_stuck_the_process_is_given_up(many: Many) -> None:
    release = threading.Event()

    def handler(event: Any, context: Any) -> Any:
        assert release.wait(LIMIT)

    steps = [soon(request_id=f"id-{number}") for number in range(2)]
    times: list[float] = []

    def gave_up() -> None:
        times.append(time.time())
        release.set()

    many.serve(Function(handler), *steps, count=2, gave_up=gave_up)
    assert len(times) == 1


def test_when_one_of_two_slots_is_stuck_it_is_not(many: Many, caplog: pytest.LogCaptureFixture) -> None:
    release = threading.Event()
    records = Records("Request id-1 still runs at its deadline", release.set)
    logging.getLogger("lambent").addHandler(records)

    def handler(event: Any, context: Any) -> Any:
        assert release.wait(LIMIT)

    times: list[float] = []
    try:
        many.serve(Function(handler), soon(), count=2, gave_up=lambda: times.append(time.time()))
    finally:
        logging.getLogger("lambent").removeHandler(records)
    assert "still runs at its deadline" in caplog.text
    assert times == []


def test_a_handler_that_blocks_the_loop_beyond_all_deadlines_gives_the_process_up(
    many: Many, caplog: pytest.LogCaptureFixture
) -> None:
    release = threading.Event()

    async def handler(event: Any, context: Any) -> Any:
        assert release.wait(LIMIT)

    (post,) = many.serve(Function(handler), soon(), gave_up=release.set).posts
    assert post.json["errorType"] == "Function.TimedOut"
    assert "It holds up the event loop" in caplog.text
    assert "assert release.wait(LIMIT)" in caplog.text


def test_a_late_reply_is_dropped(many: Many) -> None:
    async def handler(event: Any, context: Any) -> Any:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "late"

    (post,) = many.serve(Function(handler), soon(), count=2).posts
    assert post.json["errorType"] == "Function.TimedOut"


@pytest.mark.parametrize("status", [400, 403, 410, 413])
def test_a_reply_that_is_refused_is_logged(many: Many, caplog: pytest.LogCaptureFixture, status: int) -> None:
    refusal = answer(status, b'{"errorType": "InvokeTimeout"}')
    api = many.serve(Function(lambda event, context: event), *numbered(3), count=1, posts=[refusal])

    assert len(api.posts) == 3
    (record,) = caplog.records
    assert record.getMessage() == (
        f'The Runtime API refused {BASE}/invocation/id-0/response: {status} {{"errorType": "InvokeTimeout"}}'
    )


# The platform


def echo(event: Any, context: Any) -> Any:
    return event


def test_a_poll_whose_connection_is_lost_is_asked_again(many: Many) -> None:
    """As often as one slot asks again, which may get all of them."""
    steps = [HANG_UP, HANG_UP, invocation(b"1"), HANG_UP, HANG_UP, invocation(b"2", request_id="id-2")]
    assert steps.count(HANG_UP) == len(AT_ONCE)
    assert many.replies(echo, *steps, count=2) == {"id-1": 1, "id-2": 2}


@pytest.mark.parametrize("odd", [answer(403, b"no"), Answer(b"\x15\x03\r\n\r\n", close=True), answer(429)])
def test_a_poll_that_is_refused_is_asked_again(many: Many, odd: Answer) -> None:
    assert many.replies(echo, odd, invocation(b"1"), count=1) == {"id-1": 1}


@pytest.mark.parametrize(
    ("odd", "kind", "words"),
    [
        (HANG_UP, RuntimeAPIGone, "it closed the connection"),
        (answer(403, b"no"), RuntimeAPIError, "answered 403 no"),
        (Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", close=True), RuntimeAPIError, "in the middle"),
    ],
)
def test_a_poll_is_asked_five_times(many: Many, odd: Answer, kind: type[PlatformError], words: str) -> None:
    with pytest.raises(kind, match=words):
        many.serve(Function(echo), *[odd] * 5, count=1)


@pytest.mark.parametrize(
    "step",
    [answer(500, b"fault"), answer(200, b"{}")],
    ids=["fault", "no invocation"],
)
def test_a_poll_that_is_no_use_ends_it_at_once(many: Many, step: Step) -> None:
    with pytest.raises(RuntimeAPIError):
        many.serve(Function(echo), step, invocation(), count=1)


def test_a_fault_in_answer_to_a_reply_ends_it(many: Many) -> None:
    with pytest.raises(RuntimeAPIError, match="answered 500 fault"):
        many.serve(Function(echo), invocation(), count=4, posts=[answer(500, b"fault")])


def test_a_reply_whose_connection_is_lost_is_posted_once_more(many: Many) -> None:
    api = many.serve(Function(echo), *numbered(3), count=1, posts=[HANG_UP])
    assert [post.path.split("/")[-2] for post in api.posts] == ["id-0", "id-0", "id-1", "id-2"]


def test_a_reply_that_cannot_be_posted_is_given_up(many: Many, caplog: pytest.LogCaptureFixture) -> None:
    api = many.serve(Function(echo), *numbered(3), count=1, posts=[HANG_UP] * 2)

    assert by_id(api.posts[2:]) == {"id-1": 1, "id-2": 2}
    assert f"Nobody knows whether {BASE}/invocation/id-0/response has arrived: " in caplog.text


def test_a_platform_that_was_never_there_is_found_so_by_all_and_said_once(
    many: Many, caplog: pytest.LogCaptureFixture
) -> None:
    address = f"127.0.0.1:{free_port()}"
    runner = Runner(many.new_loop())
    handler = Function(echo)
    runner.start(handler.lifetime())
    watchdog = Watchdog(runner.loop, address, 0.25, lambda event: None, bool, 4)
    with pytest.raises(RuntimeAPIGone, match="refused"):
        slots.run(address, runner, handler, EXACT, watchdog, 4, AT_ONCE)
    runner.stop(1)
    assert caplog.records == []


# The end


def ending(many: Many, handler: Handler, begun: threading.Event, after: Callable[[], object] = bool) -> RuntimeAPI:
    """Interrupt four slots when one of them is busy; `after` is called on the loop after that."""
    runner = Runner(many.new_loop())

    def interrupt() -> None:
        runner.interrupt()
        after()

    def when_begun() -> None:
        assert begun.wait(LIMIT)
        runner.loop.call_soon_threadsafe(interrupt)

    thread = threading.Thread(target=when_begun)
    with RuntimeAPI(invocation()) as api:
        watchdog = Watchdog(runner.loop, api.address, 0.25, lambda event: None, bool, 4)
        runner.start(handler.lifetime())
        thread.start()
        slots.run(api.address, runner, handler, EXACT, watchdog, 4, AT_ONCE)
        thread.join()
        runner.stop(1)
        watchdog.close()
    return api


def test_what_is_handled_is_answered_before_the_end(many: Many) -> None:
    begun, end = threading.Event(), asyncio.Event()

    async def handler(event: Any, context: Any) -> Any:
        begun.set()
        await end.wait()
        return "answered"

    assert by_id(ending(many, Function(handler), begun, end.set).posts) == {"id-1": "answered"}


def test_what_takes_too_long_then_is_cancelled_and_told(many: Many, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "_DRAIN_SECONDS", 0.01)
    begun = threading.Event()

    async def handler(event: Any, context: Any) -> Any:
        begun.set()
        await asyncio.Event().wait()

    (error,) = by_id(ending(many, Function(handler), begun).posts).values()
    assert error["errorType"] == "CancelledError"


def test_a_thread_that_never_returns_does_not_keep_it_from_the_end(
    many: Many, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(slots, "_DRAIN_SECONDS", 0.01)
    begun, never = threading.Event(), threading.Event()

    def handler(event: Any, context: Any) -> Any:
        begun.set()
        assert never.wait(LIMIT)

    try:
        assert ending(many, Function(handler), begun).posts == []
    finally:
        never.set()


def test_a_lifetime_that_ends_by_itself_is_the_end(many: Many) -> None:
    over = asyncio.Event()

    class Ending(Function):
        @asynccontextmanager
        async def lifetime(self) -> AsyncIterator[None]:
            task = asyncio.current_task()
            assert task
            ending = asyncio.ensure_future(self._end(task))
            yield
            await ending

        async def _end(self, task: asyncio.Task[Any]) -> None:
            await over.wait()
            task.cancel()

    async def handler(event: Any, context: Any) -> Any:
        over.set()

    runner = Runner(many.new_loop())
    ending = Ending(handler)
    with RuntimeAPI(invocation()) as api:
        watchdog = Watchdog(runner.loop, api.address, 0.25, lambda event: None, bool, 4)
        runner.start(ending.lifetime())
        slots.run(api.address, runner, ending, EXACT, watchdog, 4, AT_ONCE)
        assert not runner.alive
        watchdog.close()
        with suppress(asyncio.CancelledError):
            runner.stop(1)
    assert len(api.posts) == 1


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """No thread outlives its test, but those of `asyncio.to_thread`, which end with the process."""
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        if not thread.name.startswith("ThreadPoolExecutor"):
            thread.join(LIMIT)
            assert not thread.is_alive(), thread.name
