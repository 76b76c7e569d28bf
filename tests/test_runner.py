"""One loop that runs invocations, and one task that keeps what outlives them."""

import asyncio
import contextlib
import contextvars
import gc
import select
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.to_thread
import pytest

from lambent.errors import LifespanEnded
from lambent.runner import Runner

COLOR: contextvars.ContextVar[str] = contextvars.ContextVar("color", default="none")


def new_uvloop() -> asyncio.AbstractEventLoop:
    uvloop = pytest.importorskip("uvloop")
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


@pytest.fixture(params=[asyncio.new_event_loop, new_uvloop], ids=["asyncio", "uvloop"])
def runner(request: pytest.FixtureRequest) -> Iterator[Runner]:
    new_loop: Callable[[], asyncio.AbstractEventLoop] = request.param
    runner = Runner(new_loop())
    yield runner
    if not runner.loop.is_closed():
        runner.stop(1)


@asynccontextmanager
async def nothing() -> AsyncIterator[None]:
    yield


def this_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None
    return task


async def at_once() -> str:
    return "done"


async def after_a_pass() -> str:
    await asyncio.sleep(0)
    return "done"


BOTH = pytest.mark.parametrize("work", [at_once, after_a_pass])


# Running


@BOTH
def test_it_gives_what_the_coroutine_returns(runner: Runner, work: Callable[[], Coroutine[Any, Any, str]]) -> None:
    assert [runner.run(work()) for _ in range(3)] == ["done"] * 3


@pytest.mark.parametrize("waits", [True, False])
@pytest.mark.parametrize("kind", [ValueError, SystemExit, KeyboardInterrupt, asyncio.CancelledError])
def test_it_raises_what_the_coroutine_raises_and_runs_the_next_one(
    runner: Runner, kind: type[BaseException], waits: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> None:
        if waits:
            await asyncio.sleep(0)
        raise kind("told")

    with pytest.raises(kind, match=None if kind is asyncio.CancelledError else "told"):
        runner.run(fail())
    assert runner.run(after_a_pass()) == "done"
    assert runner.run(at_once()) == "done"
    gc.collect()
    assert caplog.records == []  # "Task exception was never retrieved", say


def interrupt() -> None:
    """What a handler of a signal does to whatever the loop is at."""
    raise KeyboardInterrupt("rung")


def test_what_an_exception_is_thrown_past_ends_before_the_next_one_runs(runner: Runner) -> None:
    ended: list[type[BaseException]] = []

    async def work() -> None:
        runner.loop.call_soon(interrupt)
        try:
            await asyncio.Event().wait()
        except BaseException as error:
            ended.append(type(error))
            raise

    with pytest.raises(KeyboardInterrupt, match="rung"):
        runner.run(work())
    assert ended == [asyncio.CancelledError]
    assert asyncio.all_tasks(runner.loop) == set()
    assert runner.run(after_a_pass()) == "done"


def test_what_is_raised_on_being_cancelled_so_is_not_told_again(
    runner: Runner, caplog: pytest.LogCaptureFixture
) -> None:
    async def work() -> None:
        runner.loop.call_soon(interrupt)
        try:
            await asyncio.Event().wait()
        finally:
            raise KeyError("cleaning up")

    with pytest.raises(KeyboardInterrupt, match="rung"):
        runner.run(work())
    gc.collect()
    assert caplog.records == []


def test_what_swallows_its_cancellation_does_not_hold_back_the_exception(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lambent.runner._CANCEL_SECONDS", 0.01)
    go_on = asyncio.Event()

    async def work() -> None:
        runner.loop.call_soon(interrupt)
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await go_on.wait()

    with pytest.raises(KeyboardInterrupt, match="rung"):
        runner.run(work())
    go_on.set()
    assert runner.run(after_a_pass()) == "done"


def test_the_coroutine_is_a_task_on_a_running_loop(runner: Runner) -> None:
    async def look() -> tuple[object, object]:
        task = this_task()
        assert task in asyncio.all_tasks()
        return asyncio.get_running_loop(), task.get_coro()

    coroutine = look()
    assert runner.run(coroutine) == (runner.loop, coroutine)
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()


def test_each_coroutine_has_a_context_of_its_own(runner: Runner) -> None:
    async def paint() -> str:
        before = COLOR.get()
        COLOR.set("red")
        return before

    assert [runner.run(paint()) for _ in range(2)] == ["none", "none"]
    assert COLOR.get() == "none"


def test_a_coroutine_sees_the_context_of_the_caller(runner: Runner) -> None:
    async def look() -> str:
        return COLOR.get()

    token = COLOR.set("blue")
    try:
        assert runner.run(look()) == "blue"
    finally:
        COLOR.reset(token)


def test_timeouts_task_groups_and_threads_work_from_the_first_step(runner: Runner) -> None:
    async def work() -> list[str]:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await asyncio.Event().wait()
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            tasks = [group.create_task(after_a_pass()), group.create_task(at_once())]
        async with anyio.create_task_group() as other:
            other.start_soon(anyio.sleep, 0)
        threads = [await asyncio.to_thread(str, "asyncio"), await anyio.to_thread.run_sync(str, "anyio")]
        return [task.result() for task in tasks] + threads

    for _ in range(3):
        assert runner.run(work()) == ["done", "done", "asyncio", "anyio"]


def test_a_coroutine_may_cancel_itself(runner: Runner) -> None:
    async def work() -> None:
        this_task().cancel()
        await asyncio.Event().wait()

    with pytest.raises(asyncio.CancelledError):
        runner.run(work())


def test_tasks_left_behind_get_a_turn(runner: Runner) -> None:
    turns: list[str] = []

    async def child() -> None:
        turns.append("first")
        await asyncio.sleep(0)
        turns.append("second")

    async def work() -> None:
        tasks.append(asyncio.create_task(child()))

    tasks: list[asyncio.Task[None]] = []
    runner.run(work())
    assert turns[:1] == ["first"]
    for _ in range(2):
        runner.run(after_a_pass())
    assert turns == ["first", "second"]


def test_callbacks_left_behind_are_called(runner: Runner) -> None:
    called: list[int] = []

    async def work() -> None:
        asyncio.get_running_loop().call_soon(called.append, 1)

    runner.run(work())
    assert called == [1]


def test_an_async_generator_left_open_is_closed(runner: Runner) -> None:
    closed: list[object] = []

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0)
            closed.append(asyncio.get_running_loop())

    async def work() -> None:
        async for _ in numbers():
            break

    runner.run(work())
    gc.collect()
    for _ in range(3):
        runner.run(after_a_pass())
    assert closed == [runner.loop]


def test_an_async_generator_still_held_is_closed_with_the_loop(runner: Runner) -> None:
    closed: list[str] = []

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            closed.append("closed")

    held = numbers()

    async def work() -> int:
        return await anext(held)

    assert runner.run(work()) == 1
    assert closed == []
    runner.stop(1)
    assert closed == ["closed"]


def test_the_caller_s_async_generator_hooks_are_left_alone(runner: Runner) -> None:
    before = sys.get_asyncgen_hooks()
    runner.run(at_once())
    runner.run(after_a_pass())
    assert sys.get_asyncgen_hooks() == before


def test_the_loop_s_own_call_soon_is_left_in_place(runner: Runner) -> None:
    runner.run(at_once())
    assert "call_soon" not in getattr(runner.loop, "__dict__", {})


def test_a_coroutine_that_does_not_wait_takes_no_pass_of_the_loop() -> None:
    passes: list[int] = []

    class Counting(asyncio.SelectorEventLoop):
        def _run_once(self) -> None:
            passes.append(1)
            super()._run_once()  # type: ignore[misc]  # typeshed leaves out what is private

    runner = Runner(Counting())
    runner.run(at_once())  # looks at the loop
    passes.clear()
    assert runner.run(at_once()) == "done"
    assert passes == []
    assert runner.run(after_a_pass()) == "done"
    assert passes != []
    runner.stop(1)


# The lifetime


def test_a_lifetime_is_entered_and_left_in_one_task_and_context(runner: Runner) -> None:
    seen: list[object] = []

    @asynccontextmanager
    async def lifetime() -> AsyncIterator[None]:
        token = COLOR.set("green")
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep_forever)
            seen.append(asyncio.current_task())
            yield
            seen.append(asyncio.current_task())
            group.cancel_scope.cancel()
        COLOR.reset(token)  # raises in any other context

    assert not runner.alive
    runner.start(lifetime())
    assert runner.alive
    assert runner.run(at_once()) == "done"
    runner.stop(1)
    assert seen[0] is seen[1]
    assert runner.loop.is_closed()


def test_what_entering_raises_is_raised_and_the_next_lifetime_may_be_entered(runner: Runner) -> None:
    @asynccontextmanager
    async def broken() -> AsyncIterator[None]:
        raise OSError("no database")
        yield

    with pytest.raises(OSError, match="no database"):
        runner.start(broken())
    assert not runner.alive
    runner.start(nothing())
    assert runner.alive


def test_what_leaving_raises_is_raised_and_the_loop_closed(runner: Runner) -> None:
    @asynccontextmanager
    async def broken() -> AsyncIterator[None]:
        yield
        raise OSError("still writing")

    runner.start(broken())
    with pytest.raises(OSError, match="still writing"):
        runner.stop(1)
    assert runner.loop.is_closed()


def test_a_lifetime_that_will_not_leave_is_left_when_time_is_up(runner: Runner) -> None:
    ended: list[str] = []

    @asynccontextmanager
    async def stubborn() -> AsyncIterator[None]:
        yield
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    runner.start(stubborn())
    with pytest.raises(TimeoutError):
        runner.stop(0.01)
    assert ended == ["cancelled"]
    assert runner.loop.is_closed()


def test_stopping_ends_the_tasks_that_are_left(runner: Runner) -> None:
    ended: list[str] = []

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    async def work() -> None:
        tasks.append(asyncio.create_task(forever()))

    tasks: list[asyncio.Task[None]] = []
    runner.run(work())
    runner.stop(1)
    assert ended == ["cancelled"]


def test_a_task_that_exits_when_it_is_cancelled_exits_once_all_have_ended_and_the_loop_is_closed(
    runner: Runner, caplog: pytest.LogCaptureFixture
) -> None:
    ended: list[str] = []

    async def leave() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            sys.exit(3)

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append("cancelled")

    async def work() -> None:
        tasks.extend([asyncio.create_task(leave()), asyncio.create_task(forever())])
        await asyncio.sleep(0)

    tasks: list[asyncio.Task[None]] = []
    runner.run(work())
    with pytest.raises(SystemExit, match="3"):
        runner.stop(1)
    assert runner.loop.is_closed()
    assert ended == ["cancelled"]
    tasks.clear()
    gc.collect()
    assert caplog.records == []


def test_entering_that_is_cancelled_cancels_the_lifetime_and_the_next_one_may_be_entered(runner: Runner) -> None:
    ended: list[str] = []

    @asynccontextmanager
    async def slow() -> AsyncIterator[None]:
        try:
            await asyncio.Event().wait()
            yield
        finally:
            await asyncio.sleep(0)
            ended.append("cancelled")

    async def enter() -> None:
        entering = asyncio.create_task(runner.enter(slow()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        entering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await entering
        assert asyncio.all_tasks() == {this_task()}

    runner.run(enter())
    assert ended == ["cancelled"]
    assert not runner.alive
    assert runner.lost is None  # there was nothing yet that could be
    runner.start(nothing())
    assert runner.alive


def test_a_lifetime_that_ends_by_itself_is_lost_with_its_reason(runner: Runner) -> None:
    hosts: list[asyncio.Task[Any]] = []

    @asynccontextmanager
    async def short() -> AsyncIterator[None]:
        hosts.append(this_task())
        try:
            yield
        except asyncio.CancelledError:
            raise LifespanEnded("told") from None

    runner.start(short())
    assert runner.lost is None
    hosts[0].cancel()
    while runner.alive:
        runner.run(after_a_pass())
    assert isinstance(runner.lost, LifespanEnded)
    assert str(runner.lost) == "told"
    runner.start(nothing())
    assert runner.alive
    assert runner.lost is None


def test_a_lifetime_whose_task_is_cancelled_is_lost(runner: Runner) -> None:
    hosts: list[asyncio.Task[Any]] = []

    @asynccontextmanager
    async def lifetime() -> AsyncIterator[None]:
        hosts.append(this_task())
        yield

    runner.start(lifetime())
    hosts[0].cancel()
    while runner.alive:
        runner.run(after_a_pass())
    assert isinstance(runner.lost, LifespanEnded)
    with contextlib.suppress(asyncio.CancelledError):
        runner.stop(1)


# Waiting


@pytest.fixture
def sockets() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_it_waits_until_a_socket_can_be_read_and_lets_the_loop_live(
    runner: Runner, sockets: tuple[socket.socket, socket.socket]
) -> None:
    ours, theirs = sockets
    runner.start(nothing())

    async def speak_later() -> None:
        await asyncio.sleep(0)
        theirs.send(b"!")

    async def work() -> None:
        tasks.append(asyncio.create_task(speak_later()))

    tasks: list[asyncio.Task[None]] = []
    runner.run(work())
    assert runner.wait_readable(ours)
    assert tasks[0].done()


def test_after_waiting_it_runs_and_waits_again(runner: Runner, sockets: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = sockets
    runner.start(nothing())
    theirs.send(b"!")  # and it stays unread
    for _ in range(3):
        assert runner.wait_readable(ours)
        assert runner.run(after_a_pass()) == "done"


def test_an_interrupt_ends_the_waiting_now_and_for_good(
    runner: Runner, sockets: tuple[socket.socket, socket.socket]
) -> None:
    runner.start(nothing())
    runner.loop.call_soon(runner.interrupt)
    assert not runner.wait_readable(sockets[0])
    assert not runner.wait_readable(sockets[0])


def test_a_lifetime_that_ends_ends_the_waiting(runner: Runner, sockets: tuple[socket.socket, socket.socket]) -> None:
    hosts: list[asyncio.Task[Any]] = []

    @asynccontextmanager
    async def lifetime() -> AsyncIterator[None]:
        hosts.append(this_task())
        yield

    runner.start(lifetime())
    runner.loop.call_soon(hosts[0].cancel)
    assert not runner.wait_readable(sockets[0])
    assert isinstance(runner.lost, LifespanEnded)
    with contextlib.suppress(asyncio.CancelledError):
        runner.stop(1)


def test_without_a_lifetime_there_is_nothing_to_wait_for(
    runner: Runner, sockets: tuple[socket.socket, socket.socket]
) -> None:
    assert not runner.wait_readable(sockets[0])


def test_each_waiting_is_for_something_new(runner: Runner, sockets: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = sockets
    runner.start(nothing())
    for word in (b"one", b"two"):
        runner.loop.call_soon(theirs.send, word)
        assert runner.wait_readable(ours)
        assert ours.recv(9) == word


def test_an_interrupt_lets_the_work_in_hand_end(runner: Runner, sockets: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = sockets
    runner.start(nothing())
    theirs.send(b"!")
    assert runner.wait_readable(ours)

    async def work() -> str:
        runner.interrupt()
        return await after_a_pass()

    assert runner.run(work()) == "done"
    assert runner.run(after_a_pass()) == "done"
    assert not runner.wait_readable(ours)


def test_after_an_interrupt_and_a_read_in_one_pass_it_still_runs(
    runner: Runner, sockets: tuple[socket.socket, socket.socket]
) -> None:
    ours, theirs = sockets
    runner.start(nothing())
    theirs.send(b"!")
    runner.loop.call_soon(runner.interrupt)
    runner.wait_readable(ours)
    assert runner.run(after_a_pass()) == "done"


def test_another_connection_may_be_waited_for(runner: Runner) -> None:
    runner.start(nothing())
    for _ in range(3):
        ours, theirs = socket.socketpair()  # with the descriptors of the pair before, as like as not
        with ours, theirs:
            runner.loop.call_soon(theirs.send, b"!")
            assert runner.wait_readable(ours)
            runner.unwatch()
            runner.unwatch()


def test_where_a_loop_cannot_watch_a_socket_whoever_reads_it_waits(
    sockets: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(select, "poll")  # Windows has none

    class Blind(asyncio.SelectorEventLoop):
        def add_reader(self, fd: Any, *args: Any) -> None:  # type: ignore[override]  # looser than it needs to be
            if fd == sockets[0].fileno():
                raise NotImplementedError
            super().add_reader(fd, *args)

    runner = Runner(Blind())
    assert not runner.wait_readable(sockets[0])
    runner.start(nothing())
    assert runner.wait_readable(sockets[0])
    runner.interrupt()
    assert not runner.wait_readable(sockets[0])
    runner.stop(1)


# Many at a time


@asynccontextmanager
async def sleeping() -> AsyncIterator[None]:
    yield


def test_a_task_that_exits_ends_what_awaits_it_and_not_the_loop(runner: Runner) -> None:
    async def leave() -> None:
        sys.exit(3)

    async def several() -> None:
        with pytest.raises(SystemExit):
            await asyncio.create_task(leave())
        await asyncio.sleep(0)
        seen.append("on")

    seen: list[str] = []
    runner.start(sleeping())
    runner.wait(several())
    assert seen == ["on"]


def test_a_task_that_swallows_its_cancellation_does_not_keep_the_loop(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lambent.runner._CANCEL_SECONDS", 0.01)

    async def swallow() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    task = runner.loop.create_task(swallow())
    runner.loop.run_until_complete(asyncio.sleep(0))
    runner.stop(1)
    assert not task.done()
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # asyncio's own, so that it is let go in silence


def test_waiting_for_a_coroutine_raises_what_it_raises(runner: Runner) -> None:
    async def fail() -> None:
        await asyncio.sleep(0)
        raise KeyError("a")

    runner.start(sleeping())
    with pytest.raises(KeyError):
        runner.wait(fail())


def test_an_interrupt_cancels_the_coroutine_that_is_waited_for(runner: Runner) -> None:
    ends: list[str] = []

    async def wait() -> None:
        runner.interrupt()
        try:
            await asyncio.Event().wait()
        finally:
            ends.append("cancelled")

    runner.start(sleeping())
    runner.wait(wait())
    assert ends == ["cancelled"]


# Out of time


def test_what_runs_may_be_cancelled_from_a_callback(runner: Runner) -> None:
    async def wait() -> None:
        runner.loop.call_soon(runner.cancel)
        await asyncio.Event().wait()

    with pytest.raises(asyncio.CancelledError):
        runner.run(wait())
    assert runner.run(at_once()) == "done"


def test_where_nothing_runs_there_is_nothing_to_cancel(runner: Runner) -> None:
    runner.cancel()
    assert runner.run(after_a_pass()) == "done"
