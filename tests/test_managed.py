"""Being called: from one thread, from many, inside a loop, between other loops, and to the end of the interpreter."""

import asyncio
import gc
import logging
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from typing import Any

import pytest

from lambent import Lambent
from lambent.errors import AlreadyReplied, IncompleteResponse, LifespanEnded, WrongEventLoop
from lambent.managed import ManagedEnvironment, ReturnedInvocation
from lambent.types import Receive, Scope, Send
from tests.payloads import payload

EVENT = payload("http_api_get")
WAIT = 20.0
"""Seconds until a test that hangs fails. Nothing waits so long that works."""
LIMIT = 60.0
"""The same for an interpreter that begins and ends."""

Serve = Callable[["App", Scope], Any]


class App:
    """An application that writes down where it lives and what is asked of it. `serve` is what it does for a request."""

    def __init__(self, serve: Serve | None = None) -> None:
        self.loops: list[asyncio.AbstractEventLoop] = []
        self.life: list[str] = []
        self.startup: list[BaseException] = []
        """Raised by the next startups, one each."""
        self._serve = serve

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        self.loops.append(asyncio.get_running_loop())
        if self._serve is not None:
            await self._serve(self, scope)
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        if self.startup:
            raise self.startup.pop()
        self.loops.append(asyncio.get_running_loop())
        self.life.append("startup")
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.life.append("shutdown")
        await send({"type": "lifespan.shutdown.complete"})


def status(reply: Any) -> int:
    code: int = reply["statusCode"]
    return code


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def in_thread(handler: Lambent) -> int:
    """A call in a thread of its own, with its result."""
    result: Future[int] = Future()

    def run() -> None:
        try:
            result.set_result(status(handler(EVENT)))
        except BaseException as error:
            result.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return result.result(WAIT)


# Called from one thread


def test_calls_share_one_loop_with_the_lifespan() -> None:
    app = App()
    with closing(Lambent(app)) as handler:
        assert [status(handler(EVENT)) for _ in range(5)] == [200] * 5
        assert len(set(app.loops)) == 1
        assert not app.loops[0].is_running()
    assert app.life == ["startup", "shutdown"]
    assert app.loops[0].is_closed()


def test_a_loop_that_others_run_and_close_in_between_does_no_harm() -> None:
    async def other() -> None:
        await asyncio.sleep(0)

    asyncio.run(other())
    app = App()
    handler = Lambent(app)
    asyncio.run(other())
    with closing(handler):
        for _ in range(3):
            assert status(handler(EVENT)) == 200
            asyncio.run(other())
    assert len(set(app.loops)) == 1


def test_inside_a_running_loop_a_call_names_what_to_await_instead() -> None:
    async def main() -> None:
        with pytest.raises(WrongEventLoop, match=r"Await `handler\.handle\(event, context\)` instead"):
            handler(EVENT)

    app = App()
    with closing(Lambent(app)) as handler:
        asyncio.run(main())
        assert status(handler(EVENT)) == 200
    assert app.life == ["startup", "shutdown"]


def test_eager_inside_a_running_loop_names_what_is_wrong() -> None:
    async def main() -> None:
        with pytest.raises(WrongEventLoop, match="inside a running event loop"):
            Lambent(App(), eager=True)

    asyncio.run(main())


def test_tasks_left_behind_by_a_request_get_their_turn() -> None:
    turns: list[int] = []

    async def leave(app: App, scope: Scope) -> None:
        async def child() -> None:
            turns.append(1)

        tasks.append(asyncio.create_task(child()))

    tasks: list[asyncio.Task[None]] = []
    with closing(Lambent(App(leave))) as handler:
        handler(EVENT)
        assert turns == [1]


@pytest.mark.parametrize("waits", [True, False])
@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, asyncio.CancelledError])
def test_what_is_no_error_of_the_application_s_passes_and_the_next_call_works(
    kind: type[BaseException], waits: bool, caplog: pytest.LogCaptureFixture
) -> None:
    raising = [True]

    async def fail(app: App, scope: Scope) -> None:
        if waits:
            await asyncio.sleep(0)
        if raising:
            raising.clear()
            raise kind

    app = App(fail)
    with closing(Lambent(app)) as handler:
        with pytest.raises(kind):
            handler(EVENT)
        assert status(handler(EVENT)) == 200
    assert app.life == ["startup", "shutdown"]
    assert caplog.records == []


# The lifespan


def test_a_startup_that_failed_is_tried_again_at_the_next_call() -> None:
    app = App()
    app.startup = [OSError("second"), OSError("first")]
    with closing(Lambent(app, lifespan="on")) as handler:
        for words in ("first", "second"):
            with pytest.raises(OSError, match=words):
                handler(EVENT)
        assert status(handler(EVENT)) == 200
    assert app.life == ["startup", "shutdown"]


@pytest.mark.parametrize("lifespan", ["auto", "on"])
@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_a_startup_that_exits_is_tried_again_at_the_next_call(
    kind: type[BaseException], lifespan: Any, caplog: pytest.LogCaptureFixture
) -> None:
    app = App()
    app.startup = [kind("second"), kind("first")]
    with closing(Lambent(app, lifespan=lifespan)) as handler:
        for words in ("first", "second"):
            with pytest.raises(kind, match=words):
                handler(EVENT)
        assert status(handler(EVENT)) == 200
    assert app.life == ["startup", "shutdown"]
    assert caplog.records == []


def test_a_startup_that_failed_is_tried_again_at_the_next_handle() -> None:
    app = App()
    app.startup = [OSError("first")]

    async def main() -> int:
        handler = Lambent(app, lifespan="on")
        with pytest.raises(OSError, match="first"):
            await handler.handle(EVENT)
        return status(await handler.handle(EVENT))

    assert asyncio.run(main()) == 200
    assert app.life == ["startup"]


class Fragile(App):
    """Its lifespan raises when it is told to."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error
        self.broken: list[asyncio.Event] = []

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self.life.append("startup")
        self.broken.append(asyncio.Event())
        await send({"type": "lifespan.startup.complete"})
        if len(self.broken) > 1:
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await self.broken[0].wait()
        raise self.error


def assert_loss_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("lambent", logging.ERROR)
    assert record.getMessage() == "The lifespan ended by itself and is started again."
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], LifespanEnded)


@pytest.mark.parametrize("error", [OSError("connection lost"), asyncio.CancelledError()])
def test_a_lifespan_that_raises_later_is_logged_and_started_again(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    app = Fragile(error)
    with closing(Lambent(app)) as handler:
        assert status(handler(EVENT)) == 200
        app.broken[0].set()
        while len(app.life) < 2:
            assert status(handler(EVENT)) == 200
        assert status(handler(EVENT)) == 200
    assert app.life == ["startup", "startup"]
    assert_loss_is_logged(caplog)


def test_a_lifespan_that_raises_later_is_logged_and_started_again_by_handle(caplog: pytest.LogCaptureFixture) -> None:
    app = Fragile(OSError("connection lost"))

    async def main() -> None:
        handler = Lambent(app)
        await handler.handle(EVENT)
        app.broken[0].set()
        while len(app.life) < 2:
            await asyncio.sleep(0)
            await handler.handle(EVENT)

    asyncio.run(asyncio.wait_for(main(), WAIT))
    assert_loss_is_logged(caplog)


@pytest.mark.parametrize("error", [OSError("connection lost"), asyncio.CancelledError()])
def test_closing_after_the_lifespan_was_lost_is_logged_and_raises_nothing(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    app = Fragile(error)
    with closing(Lambent(app)) as handler:
        handler(EVENT)
        app.broken[0].set()
        loop = app.loops[0]
    assert loop.is_closed()
    assert all(record.name == "lambent" for record in caplog.records)


def test_a_shutdown_that_fails_is_logged_and_the_loop_closed(caplog: pytest.LogCaptureFixture) -> None:
    class Stubborn(App):
        async def _live(self, receive: Receive, send: Send) -> None:
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.failed", "message": "still writing"})

    app = Stubborn()
    with closing(Lambent(app)) as handler:
        assert status(handler(EVENT)) == 200
    assert app.loops[0].is_closed()
    assert caplog.records[0].getMessage() == "The shutdown of the lifespan failed."
    assert "still writing" in caplog.text


# handle


def test_handle_lives_on_the_caller_s_loop() -> None:
    app = App()

    async def main() -> asyncio.AbstractEventLoop:
        handler = Lambent(app)
        for _ in range(3):
            assert status(await handler.handle(EVENT)) == 200
        return asyncio.get_running_loop()

    loop = asyncio.run(main())
    assert set(app.loops) == {loop}
    assert app.life == ["startup"]


def test_handles_at_the_same_time_share_one_startup_and_are_in_the_application_together() -> None:
    async def main() -> None:
        barrier = asyncio.Barrier(5)

        async def meet(app: App, scope: Scope) -> None:
            await barrier.wait()

        app = App(meet)
        handler = Lambent(app)
        async with asyncio.timeout(WAIT):
            replies = await asyncio.gather(*(handler.handle(EVENT) for _ in range(5)))
        assert [status(reply) for reply in replies] == [200] * 5
        assert app.life == ["startup"]

    asyncio.run(main())


def test_a_handle_that_is_cancelled_during_startup_does_not_end_the_others_startup() -> None:
    async def main() -> None:
        go_on = asyncio.Event()

        class Slow(App):
            async def _live(self, receive: Receive, send: Send) -> None:
                await go_on.wait()
                await super()._live(receive, send)

        app = Slow()
        handler = Lambent(app)
        first, second = (asyncio.create_task(handler.handle(EVENT)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        with suppress(asyncio.CancelledError):
            await first
        go_on.set()
        assert status(await asyncio.wait_for(second, WAIT)) == 200
        assert first.cancelled()
        assert app.life == ["startup"]

    asyncio.run(main())


def test_handle_on_another_loop_names_both() -> None:
    app = App()
    handler = Lambent(app)
    first, second = asyncio.new_event_loop(), asyncio.new_event_loop()
    with closing(first), closing(second):
        assert status(first.run_until_complete(handler.handle(EVENT))) == 200
        with pytest.raises(WrongEventLoop) as caught:
            second.run_until_complete(handler.handle(EVENT))
        assert repr(first) in str(caught.value)
        assert f"{second!r}".split(" running")[0] in str(caught.value)
        assert status(first.run_until_complete(handler.handle(EVENT))) == 200
        assert app.life == ["startup"]
        handler.close()


def test_handle_after_calls_names_both_loops_and_calls_go_on() -> None:
    app = App()
    with closing(Lambent(app)) as handler:
        handler(EVENT)
        with pytest.raises(WrongEventLoop, match="Use one event loop, or one Lambent for each"):
            asyncio.run(handler.handle(EVENT))
        assert status(handler(EVENT)) == 200
    assert app.life == ["startup", "shutdown"]


def test_handle_on_a_new_loop_after_the_first_was_closed_starts_again() -> None:
    app = App()
    handler = Lambent(app)
    for _ in range(2):
        assert status(asyncio.run(handler.handle(EVENT))) == 200
    assert app.life == ["startup", "startup"]


def test_a_call_after_the_loop_of_handle_was_closed_starts_again() -> None:
    app = App()
    with closing(Lambent(app)) as handler:
        assert status(asyncio.run(handler.handle(EVENT))) == 200
        assert status(handler(EVENT)) == 200
    assert app.life == ["startup", "startup", "shutdown"]


def test_a_call_between_runs_of_the_loop_of_handle_uses_it() -> None:
    app = App()
    handler = Lambent(app)
    with closing(asyncio.new_event_loop()) as loop:
        assert status(loop.run_until_complete(handler.handle(EVENT))) == 200
        assert status(handler(EVENT)) == 200
        assert status(loop.run_until_complete(handler.handle(EVENT))) == 200
        assert set(app.loops) == {loop}
        handler.close()
        assert not loop.is_closed()
    assert app.life == ["startup", "shutdown"]


def test_a_call_from_a_thread_is_handed_to_the_loop_of_handle() -> None:
    app = App()

    async def main() -> asyncio.AbstractEventLoop:
        handler = Lambent(app)
        await handler.handle(EVENT)
        assert await asyncio.to_thread(handler, EVENT) == await handler.handle(EVENT)
        return asyncio.get_running_loop()

    loop = asyncio.run(main())
    assert set(app.loops) == {loop}
    assert app.life == ["startup"]


def test_a_loop_of_handle_that_calls_have_run_is_the_caller_s_again() -> None:
    app = App()
    handler = Lambent(app)

    async def main() -> None:
        await handler.handle(EVENT)
        assert status(await asyncio.to_thread(handler, EVENT)) == 200

    with closing(asyncio.new_event_loop()) as loop:
        loop.run_until_complete(handler.handle(EVENT))
        handler(EVENT)
        loop.run_until_complete(asyncio.wait_for(main(), WAIT))
        assert set(app.loops) == {loop}
        loop.run_until_complete(loop.shutdown_default_executor())
        handler.close()
    assert app.life == ["startup", "shutdown"]


# Called from several threads


def test_calls_one_after_another_from_different_threads_share_one_loop() -> None:
    app = App()
    with closing(Lambent(app)) as handler:
        assert [in_thread(handler) for _ in range(4)] == [200] * 4
    assert len(set(app.loops)) == 1
    assert app.life == ["startup", "shutdown"]


@pytest.mark.parametrize("warm", [True, False])
@pytest.mark.parametrize("count", [2, 6])
def test_calls_at_the_same_time_are_in_the_application_together(
    count: int, warm: bool, pool: ThreadPoolExecutor
) -> None:
    barrier = asyncio.Barrier(count)
    meeting = not warm

    async def meet(app: App, scope: Scope) -> None:
        if meeting:
            async with asyncio.timeout(WAIT):
                await barrier.wait()

    app = App(meet)
    with closing(Lambent(app)) as handler:
        if warm:
            handler(EVENT)
            meeting = True
        for _ in range(3):
            replies = list(pool.map(handler, [EVENT] * count))
            assert [status(reply) for reply in replies] == [200] * count
        meeting = False
        assert status(handler(EVENT)) == 200
    assert len(set(app.loops)) == 1
    assert app.loops[0].is_closed()
    assert app.life == ["startup", "shutdown"]


def test_a_short_call_does_not_wait_for_a_long_one(pool: ThreadPoolExecutor) -> None:
    first_is_in, second_is_out = threading.Event(), asyncio.Event()
    numbers = iter(range(2))

    async def long_then_short(app: App, scope: Scope) -> None:
        if next(numbers) == 0:
            first_is_in.set()
            async with asyncio.timeout(WAIT):
                await second_is_out.wait()

    app = App(long_then_short)
    with closing(Lambent(app)) as handler:
        long = pool.submit(handler, EVENT)
        assert first_is_in.wait(WAIT)
        assert status(pool.submit(handler, EVENT).result(WAIT)) == 200
        app.loops[0].call_soon_threadsafe(second_is_out.set)
        assert status(long.result(WAIT)) == 200


def test_a_startup_that_fails_is_told_to_every_call_that_waited_for_it(pool: ThreadPoolExecutor) -> None:
    app = App()
    app.startup = [OSError("no database") for _ in range(8)]
    with closing(Lambent(app, lifespan="on")) as handler:
        for call in [pool.submit(handler, EVENT) for _ in range(8)]:
            with pytest.raises(OSError, match="no database"):
                call.result(WAIT)
        app.startup.clear()
        assert status(handler(EVENT)) == 200


def test_a_handle_that_ends_with_its_loop_during_startup_leaves_the_next_one_alone() -> None:
    endless = [True]

    class Slow(App):
        async def _live(self, receive: Receive, send: Send) -> None:
            if endless:
                await asyncio.Event().wait()
            await super()._live(receive, send)

    async def begin_only() -> None:
        tasks.append(asyncio.create_task(handler.handle(EVENT)))
        await asyncio.sleep(0)

    tasks: list[asyncio.Task[Any]] = []
    app = Slow()
    handler = Lambent(app)
    asyncio.run(begin_only())
    endless.clear()
    assert status(asyncio.run(asyncio.wait_for(handler.handle(EVENT), WAIT))) == 200
    assert app.life == ["startup"]


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_where_threads_share_the_loop_an_exit_passes_to_its_caller_alone(
    kind: type[BaseException], pool: ThreadPoolExecutor
) -> None:
    barrier = asyncio.Barrier(2)
    shared = [False]
    raising = [kind]

    async def fail(app: App, scope: Scope) -> None:
        if not shared[0]:
            await barrier.wait()
        elif raising:
            raise raising.pop()

    with closing(Lambent(App(fail))) as handler:
        for call in [pool.submit(handler, EVENT) for _ in range(2)]:
            assert status(call.result(WAIT)) == 200
        shared[0] = True
        with pytest.raises(kind):
            pool.submit(handler, EVENT).result(WAIT)
        assert status(pool.submit(handler, EVENT).result(WAIT)) == 200


def test_many_calls_from_many_threads_are_all_answered(pool: ThreadPoolExecutor) -> None:
    async def wait(app: App, scope: Scope) -> None:
        await asyncio.sleep(0)

    app = App(wait)
    with closing(Lambent(app)) as handler:
        replies = list(pool.map(handler, [EVENT] * 300))
    assert {status(reply) for reply in replies} == {200}
    assert len(set(app.loops)) == 1
    assert app.life == ["startup", "shutdown"]


# Closing


def test_closing_twice_or_unused_does_nothing() -> None:
    handler = Lambent(App())
    handler.close()
    handler(EVENT)
    handler.close()
    handler.close()


def test_a_call_after_closing_starts_again() -> None:
    app = App()
    with closing(Lambent(app)) as handler:
        handler(EVENT)
        handler.close()
        assert status(handler(EVENT)) == 200
    assert app.life == ["startup", "shutdown"] * 2
    assert len(set(app.loops)) == 2


def test_a_call_after_closing_what_threads_shared_starts_again(pool: ThreadPoolExecutor) -> None:
    barrier = asyncio.Barrier(2)
    meeting = [True]

    async def meet(app: App, scope: Scope) -> None:
        if meeting:
            await barrier.wait()

    app = App(meet)
    with closing(Lambent(app)) as handler:
        for call in [pool.submit(handler, EVENT) for _ in range(2)]:
            call.result(WAIT)
        meeting.clear()
        handler.close()
        assert status(pool.submit(handler, EVENT).result(WAIT)) == 200
    assert app.life == ["startup", "shutdown"] * 2


def test_closing_spares_the_caller_s_loop_even_after_one_of_ours() -> None:
    app = App()
    handler = Lambent(app)
    handler(EVENT)
    handler.close()
    with closing(asyncio.new_event_loop()) as loop:
        assert status(loop.run_until_complete(handler.handle(EVENT))) == 200
        handler.close()
        assert not loop.is_closed()
    assert app.life == ["startup", "shutdown"] * 2


def test_a_handler_that_was_closed_is_kept_by_nobody() -> None:
    handler = Lambent(App())
    handler(EVENT)
    handler.close()
    kept = weakref.ref(handler)
    del handler
    gc.collect()
    assert kept() is None


SCRIPT = """
import asyncio, threading
from lambent import Lambent
from tests.payloads import payload

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        print("shutdown")
        await send({"type": "lifespan.shutdown.complete"})
        return
    async def numbers():
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0)
    held.append(numbers())
    await anext(held[-1])
    held.append(asyncio.create_task(asyncio.sleep(3600)))
    await asyncio.to_thread(int)
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body"})

held = []
handler = Lambent(app)
event = payload("http_api_get")
"""


def interpret(script: str) -> tuple[str, str, int]:
    """What a strict interpreter says on stderr and stdout, and its exit status."""
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WAIT, check=False)
    return done.stderr, done.stdout, done.returncode


THREADS = """
threads = [threading.Thread(target=handler, args=(event,)) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


@pytest.mark.parametrize(
    ("calls", "said"),
    [
        ("handler(event)", "shutdown\n"),
        ("handler(event); handler.close()", "shutdown\n"),
        ("asyncio.run(handler.handle(event))", ""),
        ("asyncio.run(handler.handle(event)); handler(event)", "shutdown\n"),
        ("Lambent(app, eager=True)", "shutdown\n"),
        (THREADS, "shutdown\n"),
    ],
)
def test_nothing_is_left_at_the_end_of_the_interpreter(calls: str, said: str) -> None:
    assert interpret(SCRIPT + calls) == ("", said, 0)


@pytest.mark.parametrize("options", ["", ", lifespan='on'", ", eager=True"])
def test_a_process_that_exits_during_startup_ends_quietly(options: str) -> None:
    script = f"""
import sys
from lambent import Lambent
from tests.payloads import payload

async def app(scope, receive, send):
    await receive()
    sys.exit(3)

Lambent(app{options})(payload("http_api_get"))
"""
    assert interpret(script) == ("", "", 3)


DAEMONS = """
import asyncio, threading, time
import lambent.managed
from lambent import Lambent
from tests.payloads import payload

async def app(scope, receive, send):
    if scope["type"] == "http":
        numbers.append(1)
        if len(numbers) == {count}:
            begun.set()
            {work}
        await asyncio.sleep(3600)

numbers = []
begun = threading.Event()
lambent.managed._SHUTDOWN_SECONDS = 0.1
handler = Lambent(app, lifespan="off")
for _ in range({count}):
    threading.Thread(target=handler, args=[payload("http_api_get")], daemon=True).start()
assert begun.wait(60)
print("the end")
"""


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("work", ["await asyncio.sleep(3600)", "time.sleep(3600)"], ids=["waits", "blocks"])
def test_a_daemon_thread_in_a_call_does_not_keep_the_interpreter(work: str, count: int) -> None:
    script = DAEMONS.format(work=work, count=count)
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, timeout=LIMIT, check=False)
    assert (done.stdout, done.returncode) == ("the end\n", 0)


# What a handler of any kind may rely on


class Echo:
    """A Handler that replies as often as it is told to."""

    def __init__(self, replies: int) -> None:
        self.replies = replies

    async def serve(self, invocation: Any) -> None:
        for _ in range(self.replies):
            await invocation.reply(invocation.event)

    def lifetime(self) -> Any:
        return suppress_nothing()


class suppress_nothing:  # noqa: N801 - a context manager reads as a verb
    async def __aenter__(self) -> None: ...
    async def __aexit__(self, *_: object) -> None: ...


@pytest.mark.parametrize(
    ("replies", "error", "words"),
    [
        (0, IncompleteResponse, r"^The handler ended without a reply\.$"),
        (2, AlreadyReplied, r"^This invocation was replied to already\.$"),
    ],
)
def test_a_handler_replies_exactly_once(replies: int, error: type[Exception], words: str) -> None:
    environment = ManagedEnvironment(Echo(replies))
    with closing(environment), pytest.raises(error, match=words):
        environment.call("event", None)


@pytest.mark.parametrize("event", [None, 0, "", [], {"a": 1}])
def test_a_reply_may_be_any_value(event: Any) -> None:
    with closing(ManagedEnvironment(Echo(1))) as environment:
        assert environment.call(event, None) == event


def test_an_invocation_without_a_reply_has_no_result() -> None:
    with pytest.raises(IncompleteResponse):
        ReturnedInvocation({}, None).result()
