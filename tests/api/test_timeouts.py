"""How long a route may take: the same outcomes as under `asyncio.timeout`, and no timer where nothing waits."""

from __future__ import annotations

import asyncio
import contextvars
import gc
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import uvloop

from lambent.api.failures import RouteTimedOut
from lambent.api.timeouts import default_margin, effective, limited, seconds_left
from lambent.runner import Runner
from lambent.runtime.stacks import of_loop
from tests.events.doubles import LIMIT, Context

Limit = Callable[[Coroutine[Any, Any, Any], float | None], Coroutine[Any, Any, Any]]
NUMBER = contextvars.ContextVar("number", default=0)
SOON = 0.02
LATER = 0.05
"""By then a limit of no time has passed, even where a timer that is due goes before what is to be called soon."""


class Ours(TimeoutError):
    """What the reference raises where it is its own."""


async def reference(coroutine: Coroutine[Any, Any, Any], seconds: float | None) -> Any:
    """What `limited` must be like."""
    own: TimeoutError | None = None
    try:
        async with asyncio.timeout(seconds) as timer:
            try:
                return await coroutine
            except TimeoutError as error:
                own = error
                raise
    except TimeoutError as error:
        if error is not own and timer.expired():
            raise Ours from error
        raise


@pytest.fixture(params=["asyncio", "uvloop"])
def runs(request: pytest.FixtureRequest) -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """`asyncio.run` on either loop."""
    factory = asyncio.new_event_loop if request.param == "asyncio" else uvloop.new_event_loop

    def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
        async def bounded() -> Any:
            return await asyncio.wait_for(coroutine, LIMIT)

        with asyncio.Runner(loop_factory=factory) as runner:
            return runner.run(bounded())

    return run


# A table of coroutines: with what they get, each is done, raises, or is ended


async def returns() -> str:
    return "now"


async def returns_after_a_turn() -> str:
    await asyncio.sleep(0)
    return "later"


async def returns_after_turns() -> list[object]:
    return [await asyncio.sleep(0, number) for number in range(5)] + [await asyncio.sleep(LATER, "slept")]


async def raises() -> None:
    raise ValueError("now")


async def raises_after_a_turn() -> None:
    await asyncio.sleep(0)
    raise ValueError("later")


async def raises_a_timeout_of_its_own() -> None:
    raise TimeoutError("own")


async def raises_a_timeout_of_its_own_later() -> None:
    await asyncio.sleep(LATER)
    raise TimeoutError("own")


async def raises_stop_iteration() -> None:
    raise StopIteration("stop")


async def raises_stop_iteration_later() -> None:
    await asyncio.sleep(0)
    raise StopIteration("stop")


async def raises_generator_exit() -> None:
    await asyncio.sleep(0)
    raise GeneratorExit


async def waits_for_ever() -> None:
    await asyncio.Event().wait()


async def turns_for_ever() -> None:
    while True:  # noqa: ASYNC110 - it never gives up a turn
        await asyncio.sleep(0)


async def ends_in_time() -> str:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        return "swallowed"
    return "never"


async def takes_its_time_to_end() -> None:
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0.01)
        NUMBER.set(5)


async def goes_on_after_being_cancelled() -> str:
    with suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
    await asyncio.sleep(0.01)
    return "went on"


async def raises_something_else_at_the_end() -> None:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        raise ValueError("at the end") from None


async def raises_a_timeout_at_the_end() -> None:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        raise TimeoutError("own, at the end") from None


async def has_a_shorter_limit() -> None:
    async with asyncio.timeout(LATER):
        await asyncio.Event().wait()


async def has_a_longer_limit() -> None:
    async with asyncio.timeout(LIMIT):
        await asyncio.Event().wait()


async def has_a_limit_that_has_passed() -> None:
    async with asyncio.timeout(-1):
        await asyncio.Event().wait()


async def catches_its_own_limit() -> str:
    with suppress(TimeoutError):
        async with asyncio.timeout(LATER):
            await asyncio.Event().wait()
    return "caught"


async def waits_with_wait_for() -> None:
    await asyncio.wait_for(asyncio.Event().wait(), LATER)


async def has_a_group() -> list[int]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(asyncio.sleep(LATER, number)) for number in range(3)]
    return [task.result() for task in tasks]


async def has_a_group_that_fails() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(raises_after_a_turn())
        group.create_task(waits_for_ever())


async def has_a_group_that_waits_for_ever() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(waits_for_ever())


async def cancels_itself() -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel("by itself")
    await asyncio.sleep(0)


async def cancels_itself_later() -> None:
    await asyncio.sleep(0)
    await cancels_itself()


async def cancels_itself_and_takes_it_back() -> str:
    task = asyncio.current_task()
    assert task is not None
    with suppress(asyncio.CancelledError):
        await cancels_itself()
    task.uncancel()
    await asyncio.sleep(LATER)
    return "on"


async def is_cancelled_from_without() -> None:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().call_later(LATER, task.cancel, "from without")
    await asyncio.Event().wait()


async def raises_a_cancellation() -> None:
    raise asyncio.CancelledError("made by hand")


async def awaits_a_task_that_was_cancelled() -> None:
    task = asyncio.create_task(waits_for_ever())
    asyncio.get_running_loop().call_soon(task.cancel, "the inner one")
    await task


async def awaits_a_future() -> str:
    future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_result, "set")
    return await future


async def awaits_a_future_that_fails() -> str:
    future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_exception, KeyError("set"))
    return await future


async def awaits_a_future_that_is_done() -> str:
    future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    future.set_result("done")
    return await future


async def awaits_a_thread() -> int:
    return await asyncio.to_thread(lambda: NUMBER.get() + 1)


async def gathers() -> list[Any]:
    return list(await asyncio.gather(returns(), returns_after_a_turn(), raises(), return_exceptions=True))


async def shields() -> str:
    return await asyncio.shield(returns_after_a_turn())


async def sets_variables() -> tuple[int, int]:
    NUMBER.set(1)
    before = NUMBER.get()
    await asyncio.sleep(0)
    NUMBER.set(2)
    await asyncio.sleep(0)
    return before, NUMBER.get()


async def is_one_task() -> bool:
    before = asyncio.current_task()
    await asyncio.sleep(0)
    return before is asyncio.current_task() is not None


async def uses_generators() -> list[int]:
    async def numbers() -> Any:
        for number in range(3):
            await asyncio.sleep(0)
            yield number

    @asynccontextmanager
    async def more() -> Any:
        await asyncio.sleep(0)
        yield 7
        await asyncio.sleep(0)

    async with more() as last:
        return [number async for number in numbers()] + [last]


class Own:
    """An awaitable that yields nothing but turns, and returns what it was sent."""

    def __await__(self) -> Generator[None, Any, str]:
        sent = [(yield None), (yield None)]
        return f"sent {sent}"


async def awaits_its_own_kind() -> str:
    return await Own()


async def yields_what_a_task_cannot_wait_for() -> None:
    class Odd:
        def __await__(self) -> Generator[int, None, None]:
            yield 7

    await Odd()


async def yields_a_future_without_awaiting_it() -> None:
    class Odd:
        def __await__(self) -> Generator[Any, None, None]:
            yield asyncio.get_running_loop().create_future()

    await Odd()


async def awaits_itself() -> None:
    task = asyncio.current_task()
    assert task is not None
    await task


TABLE = [
    returns,
    returns_after_a_turn,
    returns_after_turns,
    raises,
    raises_after_a_turn,
    raises_a_timeout_of_its_own,
    raises_a_timeout_of_its_own_later,
    raises_stop_iteration,
    raises_stop_iteration_later,
    raises_generator_exit,
    waits_for_ever,
    turns_for_ever,
    ends_in_time,
    takes_its_time_to_end,
    goes_on_after_being_cancelled,
    raises_something_else_at_the_end,
    raises_a_timeout_at_the_end,
    has_a_shorter_limit,
    has_a_longer_limit,
    has_a_limit_that_has_passed,
    catches_its_own_limit,
    waits_with_wait_for,
    has_a_group,
    has_a_group_that_fails,
    has_a_group_that_waits_for_ever,
    cancels_itself,
    cancels_itself_later,
    cancels_itself_and_takes_it_back,
    is_cancelled_from_without,
    raises_a_cancellation,
    awaits_a_task_that_was_cancelled,
    awaits_a_future,
    awaits_a_future_that_fails,
    awaits_a_future_that_is_done,
    awaits_a_thread,
    gathers,
    shields,
    sets_variables,
    is_one_task,
    uses_generators,
    awaits_its_own_kind,
    yields_what_a_task_cannot_wait_for,
    yields_a_future_without_awaiting_it,
    awaits_itself,
]


def described(error: BaseException | None) -> object:
    """An exception without what differs from run to run."""
    if error is None:
        return None
    if isinstance(error, BaseExceptionGroup):
        return type(error), [described(each) for each in error.exceptions]
    kind = Ours if isinstance(error, RouteTimedOut) else type(error)
    told = "" if kind is Ours else str(error).partition(" <")[0]
    chained = described(error.__cause__) if kind in {Ours, RuntimeError} else None
    return kind, told, chained


async def outcome(limit: Limit, function: Callable[[], Awaitable[Any]], seconds: float | None) -> object:
    """What comes of it, in a task of its own: the result or the exception, and what it leaves in its task."""

    async def route() -> Any:
        return await function()

    async def request() -> object:
        NUMBER.set(41)
        task = asyncio.current_task()
        assert task is not None
        result: object = None
        error: BaseException | None = None
        try:
            result = await limit(route(), seconds)
        except (Exception, asyncio.CancelledError, GeneratorExit) as raised:
            error = raised
        return result if error is None else described(error), NUMBER.get(), task.cancelling()

    return await asyncio.create_task(request())


def compared(value: object) -> object:
    """Exceptions among results are told by what they say."""
    return [compared(each) for each in value] if isinstance(value, list | tuple) else repr(value)


ENDLESS = {
    waits_for_ever,
    turns_for_ever,
    ends_in_time,
    takes_its_time_to_end,
    goes_on_after_being_cancelled,
    raises_something_else_at_the_end,
    raises_a_timeout_at_the_end,
    has_a_longer_limit,
    has_a_group_that_waits_for_ever,
}
"""Only the limit ends them."""


@pytest.mark.parametrize(
    ("function", "seconds"),
    [
        pytest.param(function, seconds, id=f"{function.__name__} {seconds}")
        for function in TABLE
        for seconds in ((SOON, 0, -1) if function in ENDLESS else (LIMIT, 0, -1, None))
    ],
)
def test_it_comes_to_what_asyncio_timeout_comes_to(
    function: Callable[[], Awaitable[Any]], seconds: float | None, runs: Callable[[Coroutine[Any, Any, Any]], Any]
) -> None:
    async def both() -> tuple[object, object]:
        return await outcome(limited, function, seconds), await outcome(reference, function, seconds)

    ours, theirs = runs(both())
    assert compared(ours) == compared(theirs)


def test_what_is_ended_is_answered_with_504_and_tells_where_it_stood(
    runs: Callable[[Coroutine[Any, Any, Any]], Any],
) -> None:
    async def ended() -> RouteTimedOut:
        with pytest.raises(RouteTimedOut) as caught:
            await limited(waits_for_ever(), SOON)
        return caught.value

    error = runs(ended())
    assert (error.status_code, error.detail) == (504, "Gateway Timeout")
    assert "0.020 seconds" in str(error.error_detail)
    assert isinstance(error, TimeoutError)
    cancelled = error.__cause__ and (error.__cause__.__cause__ or error.__cause__.__context__)
    assert isinstance(cancelled, asyncio.CancelledError)
    names = []
    traceback = cancelled.__traceback__
    while traceback is not None:
        names.append(traceback.tb_frame.f_code.co_name)
        traceback = traceback.tb_next
    assert "waits_for_ever" in names


def test_the_time_runs_from_the_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    """A first step that blocks uses it up."""
    now = [0.0]
    monkeypatch.setattr("lambent.api.timeouts.monotonic", lambda: now[0])

    async def blocks() -> None:
        now[0] += 3600
        await asyncio.Event().wait()

    with pytest.raises(RouteTimedOut):
        asyncio.run(asyncio.wait_for(limited(blocks(), 3600), LIMIT))


@pytest.mark.parametrize("function", [returns, raises, awaits_a_future_that_is_done])
def test_what_never_waits_has_no_timer(
    function: Callable[[], Coroutine[Any, Any, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    armed: list[float] = []

    async def limit() -> None:
        loop = asyncio.get_running_loop()
        arm = loop.call_at

        def call_at(when: float, *args: Any, **options: Any) -> asyncio.TimerHandle:
            armed.append(when)
            return arm(when, *args, **options)

        monkeypatch.setattr(loop, "call_at", call_at)
        with suppress(ValueError):
            await limited(function(), 30)
        assert armed == []
        await limited(returns_after_a_turn(), 30)
        assert len(armed) == 1

    asyncio.run(limit())


def test_what_has_waited_leaves_no_timer_in_the_loop() -> None:
    """The runner spares the loop a pass where it has none."""
    runner = Runner()
    try:
        for _ in range(3):
            assert runner.run(limited(returns_after_turns(), 30))[-1] == "slept"
            assert not runner.loop._scheduled  # type: ignore[attr-defined]  # what the runner looks at
    finally:
        runner.stop(1)


def test_it_can_be_closed_where_it_waits() -> None:
    ends: list[str] = []

    async def route() -> None:
        try:
            await asyncio.Event().wait()
        except GeneratorExit:
            ends.append("closed")
            raise

    async def close() -> None:
        before = asyncio.current_task()
        coroutine = limited(route(), 30)
        coroutine.send(None)
        coroutine.close()
        assert asyncio.current_task() is before

    asyncio.run(close())
    assert ends == ["closed"]


def test_an_exception_is_thrown_in_where_it_waits() -> None:
    async def route() -> str:
        try:
            await asyncio.sleep(0)
        except KeyError as error:
            await asyncio.sleep(0)
            return f"caught {error}"
        return "nothing"

    async def throw() -> object:
        coroutine = limited(route(), 30)
        assert coroutine.send(None) is None
        assert coroutine.throw(KeyError("in")) is None
        with pytest.raises(StopIteration) as end:
            coroutine.send(None)
        return end.value.value

    assert asyncio.run(throw()) == "caught 'in'"


def test_a_value_is_sent_in_where_it_waits() -> None:
    async def send() -> object:
        coroutine = limited(awaits_its_own_kind(), 30)
        coroutine.send(None)
        coroutine.send("a")
        with pytest.raises(StopIteration) as end:
            coroutine.send("b")
        return end.value.value

    assert asyncio.run(send()) == "sent ['a', 'b']"


def test_nothing_is_left_behind() -> None:
    """What has ended is freed without the garbage collector."""

    class Kept:
        count = 0

        def __init__(self) -> None:
            Kept.count += 1

        def __del__(self) -> None:
            Kept.count -= 1

    async def route() -> None:
        kept = Kept()
        await asyncio.sleep(0)
        del kept

    async def count() -> None:
        for _ in range(3):
            await limited(route(), 30)

    gc.disable()
    try:
        asyncio.run(count())
        assert Kept.count == 0
    finally:
        gc.enable()


def test_where_it_stands_can_be_told() -> None:
    async def look() -> str:
        task = asyncio.create_task(limited(waits_for_ever(), 30))
        await asyncio.sleep(0)
        found = of_loop(asyncio.get_running_loop())
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return found

    assert "in waits_for_ever" in asyncio.run(look())


# How many seconds


@pytest.mark.parametrize(
    ("left", "margin", "expected"),
    [(10.0, 0.5, 9.5), (10.0, 0.0, 10.0), (1.0, 0.5, 0.5), (0.4, 0.5, 0.1), (0.0, 0.5, None), (-5.0, 0.5, None)],
)
def test_the_deadline_leaves_a_margin(left: float, margin: float, expected: float | None) -> None:
    assert seconds_left(Context(left), margin) == (expected if expected is None else pytest.approx(expected, abs=0.02))
    assert seconds_left(None, margin) is None


@pytest.mark.parametrize(
    ("route", "whole", "left", "expected"),
    [
        (None, None, None, None),
        (5.0, None, None, 5.0),
        (None, 7.0, None, 7.0),
        (5.0, 7.0, None, 5.0),
        (9.0, 7.0, None, 9.0),
        (None, None, 3.0, 2.5),
        (5.0, 7.0, 3.0, 2.5),
        (1.0, 7.0, 3.0, 1.0),
        (9.0, 1.0, 3.0, 2.5),
        (5.0, None, 0.0, 5.0),
        (0.0, 7.0, 3.0, 0.0),
    ],
)
def test_the_route_says_else_the_api_and_never_more_than_the_deadline_leaves(
    route: float | None, whole: float | None, left: float | None, expected: float | None
) -> None:
    found = effective(route, whole, None if left is None else Context(left), 0.5)
    assert found == (expected if expected is None else pytest.approx(expected, abs=0.02))


def test_routes_end_before_the_runtime_answers_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMBENT_DEADLINE_MARGIN", "1")
    found = effective(None, None, Context(10), default_margin())
    assert found is not None
    assert found < 9
