"""Many records: how many at a time, in which order, and what has failed when the time is up."""

from __future__ import annotations

import asyncio
import gc
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.errors import InvalidResult, RecordFailed, Unfinished
from lambent.events.batch import Batch, Work, teams
from tests.events.doubles import Plain, name, registration, run, work, works

TIME_IS_UP = "The time was up before it was done."
NOT_BEGUN = "The time was up before it was begun."
BROKEN = "One before it in its group has failed."


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What works see of the time: it stands still, however long a busy machine takes to begin them."""
    now = [1000.0]
    monkeypatch.setattr("lambent.events.batch.monotonic", lambda: now[0])
    return now


def outcomes(done: list[Work]) -> list[str | None]:
    """What each has failed with."""
    return [None if each.error is None else str(each.error) for each in done]


class Gauge:
    """Lets records go on when so many are there at once, which it counts."""

    def __init__(self, awaited: int) -> None:
        self.awaited = awaited
        self.there = 0
        self.most = 0
        self.enough = asyncio.Event()

    async def __call__(self, of: Work) -> None:
        self.there += 1
        self.most = max(self.most, self.there)
        if self.there == self.awaited:
            self.enough.set()
        await self.enough.wait()
        await asyncio.sleep(0)
        self.there -= 1


@pytest.mark.parametrize(
    ("count", "concurrency", "most"), [(30, 7, 7), (3, 7, 3), (5, 1, 1), (1, 1, 1), (200, 100, 100)]
)
def test_so_many_run_at_a_time_and_no_more(count: int, concurrency: int, most: int) -> None:
    async def measured() -> Gauge:
        gauge = Gauge(most)
        done = works(count, concurrency)
        await Batch(done, gauge).run(5.0)
        assert outcomes(done) == [None] * count
        return gauge

    assert run(measured()).most == most


def test_each_function_has_its_own_bound() -> None:
    narrow, wide = registration(2), registration(5)
    there: Counter[object] = Counter()
    most: Counter[object] = Counter()
    enough = asyncio.Event()

    async def count(of: Work) -> None:
        there[of.registration] += 1
        most[of.registration] = max(most[of.registration], there[of.registration])
        if there == {narrow: 2, wide: 5}:
            enough.set()
        await enough.wait()
        there[of.registration] -= 1

    done = [work(str(number), None, narrow if number % 2 else wide) for number in range(40)]
    run(Batch(done, count).run(5.0))

    assert outcomes(done) == [None] * 40
    assert most == {narrow: 2, wide: 5}


def test_a_function_that_shares_groups_with_another_keeps_its_bound_too() -> None:
    narrow, wide = registration(1), registration(8)
    there: Counter[object] = Counter()

    async def count(of: Work) -> None:
        there[of.registration] += 1
        assert there[narrow] <= 1
        await asyncio.sleep(0.001)
        there[of.registration] -= 1

    done = [work(f"{group}{part}", group, (wide, narrow)[part]) for group in range(20) for part in range(2)]
    run(Batch(done, count).run(5.0))

    assert outcomes(done) == [None] * 40


def test_a_task_is_not_made_for_each_record() -> None:
    tasks = set()

    async def handle(of: Work) -> None:
        tasks.add(asyncio.current_task())

    run(Batch(works(1000, 10), handle).run(5.0))

    assert len(tasks) == 1


def test_groups_keep_their_order_and_do_not_wait_for_each_other() -> None:
    seen: list[str] = []
    b_is_done = asyncio.Event()

    async def handle(of: Work) -> None:
        if name(of) == "a1":
            await b_is_done.wait()
        seen.append(name(of))
        if name(of) == "b2":
            b_is_done.set()

    done = [work(each, each[0]) for each in ("a1", "b1", "a2", "b2", "a3")]
    run(Batch(done, handle).run(5.0))

    assert seen == ["b1", "b2", "a1", "a2", "a3"]


def test_a_failure_ends_its_group_and_no_other() -> None:
    seen: list[str] = []

    async def handle(of: Work) -> None:
        seen.append(name(of))
        if name(of) == "a2":
            raise ValueError("no")

    done = [
        work(each, None if each[0] == "-" else each[0]) for each in ("a1", "b1", "-1", "a2", "b2", "a3", "-2", "a4")
    ]
    run(Batch(done, handle).run(5.0))

    assert sorted(seen) == ["-1", "-2", "a1", "a2", "b1", "b2"]
    assert outcomes(done) == [None, None, None, "no", None, BROKEN, None, BROKEN]
    assert [type(each.error) for each in done if each.error] == [ValueError, Unfinished, Unfinished]


@pytest.mark.usefixtures("clock")
def test_what_is_not_done_in_time_has_failed() -> None:
    async def handle(of: Work) -> None:
        if name(of) != "0":
            await asyncio.Event().wait()

    done = works(5, 2)
    begun = time.monotonic()
    run(Batch(done, handle).run(0.05))

    assert time.monotonic() - begun < 2
    assert outcomes(done) == [None, TIME_IS_UP, TIME_IS_UP, NOT_BEGUN, NOT_BEGUN]


@pytest.mark.usefixtures("clock")
def test_the_rest_of_a_group_fails_with_what_was_not_done_in_time() -> None:
    async def handle(of: Work) -> None:
        await asyncio.Event().wait()

    done = works(3, 10, "a")
    run(Batch(done, handle).run(0.01))

    assert outcomes(done) == [TIME_IS_UP, BROKEN, BROKEN]


def test_functions_that_never_wait_are_held_to_the_time_as_well(clock: list[float]) -> None:
    async def handle(of: Work) -> None:
        clock[0] += 2.0

    done = works(100)
    run(Batch(done, handle).run(5.0))

    assert outcomes(done) == [None] * 3 + [NOT_BEGUN] * 97


@pytest.mark.parametrize(("first_step", "left"), [(2.0, 3.0), (7.0, 0.0)])
def test_the_time_that_first_steps_take_is_part_of_it(
    first_step: float, left: float, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def handle(of: Work) -> None:
        clock[0] += first_step
        await asyncio.Event().wait()

    async def delays() -> list[float]:
        loop = asyncio.get_running_loop()
        call_later, given = loop.call_later, list[float]()

        def at_once(delay: float, *call: Any, **context: Any) -> asyncio.TimerHandle:
            given.append(delay)
            return call_later(0.0, *call, **context)

        monkeypatch.setattr(loop, "call_later", at_once)
        await Batch(works(1), handle).run(5.0)
        return given

    assert run(delays())[0] == left


@pytest.mark.usefixtures("clock")
def test_what_is_cancelled_may_end() -> None:
    ended = []

    async def handle(of: Work) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            ended.append(name(of))

    done = works(2)
    run(Batch(done, handle).run(0.01, grace=5.0))

    assert sorted(ended) == ["0", "1"]
    assert outcomes(done) == [TIME_IS_UP] * 2
    stood = "".join(map("".join, (traceback.format_exception(each.error) for each in done if each.error)))
    assert stood.count("await asyncio.Event().wait()") == 2


@pytest.mark.usefixtures("clock")
def test_what_is_done_in_its_grace_is_done() -> None:
    async def handle(of: Work) -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()

    done = works(3, 2)
    run(Batch(done, handle).run(0.01, grace=5.0))

    assert outcomes(done) == [None, None, NOT_BEGUN]


@pytest.mark.usefixtures("clock")
def test_what_swallows_cancellation_is_left_behind_and_nothing_more_is_begun() -> None:
    begun: list[str] = []
    go_on = asyncio.Event()

    async def handle(of: Work) -> None:
        begun.append(name(of))
        while not go_on.is_set():
            with suppress(asyncio.CancelledError):
                await go_on.wait()

    async def left_behind() -> None:
        done = [*works(2, 1), *works(2, 1, "a")]
        await Batch(done, handle).run(0.01, grace=0.01)
        told = outcomes(done)
        go_on.set()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others)
        assert told == [TIME_IS_UP, NOT_BEGUN, TIME_IS_UP, BROKEN]

    run(left_behind())
    assert sorted(begun) == ["0", "0"]


def test_without_a_deadline_there_is_time() -> None:
    done = works(3)

    async def handle(of: Work) -> None:
        await asyncio.sleep(0.01)

    run(Batch(done, handle).run(None))
    assert outcomes(done) == [None] * 3


def test_whoever_cancels_it_cancels_its_records() -> None:
    cancelled = []

    async def handle(of: Work) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(name(of))
            raise

    async def ended() -> None:
        task = asyncio.create_task(Batch(works(3), handle).run(None, grace=5.0))
        for _ in range(3):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(ended())
    assert sorted(cancelled) == ["0", "1", "2"]


@pytest.mark.parametrize("end", [sys.exit, lambda: sys.exit("bye"), exit])
def test_a_function_that_exits_ends_its_record(end: Callable[[], object]) -> None:
    async def handle(of: Work) -> None:
        if name(of) == "1":
            end()

    done = works(3)
    run(Batch(done, handle).run(1.0))
    assert [type(each.error) for each in done] == [type(None), SystemExit, type(None)]


def test_a_function_that_is_cancelled_by_what_it_calls_has_failed() -> None:
    async def handle(of: Work) -> None:
        if name(of) == "1":
            task = asyncio.ensure_future(asyncio.sleep(5))
            task.cancel()
            await task

    done = works(3, 1)
    run(Batch(done, handle).run(1.0))
    assert outcomes(done) == [None, "It was cancelled by something that it has called.", None]


def test_a_keyboard_interrupt_goes_through() -> None:
    async def handle(of: Work) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(Batch(works(3), handle).run(1.0))


class Stop(BaseException):
    """No exception of a function, and no exit."""


def test_what_is_raised_at_once_cancels_what_was_begun_before(caplog: pytest.LogCaptureFixture) -> None:
    cancelled = []

    async def handle(of: Work) -> None:
        if name(of) == "raises":
            raise Stop("at once")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(name(of))
            raise Stop("in the end") from None

    async def ended() -> None:
        batch = Batch([work("waits", None, registration()), work("raises", None, registration())], handle)
        with pytest.raises(Stop, match="at once"):
            await batch.run(None, grace=5.0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(ended())
    gc.collect()
    assert cancelled == ["waits"]
    assert caplog.messages == [], "nothing was left unseen"


def test_a_function_that_cancels_its_own_task_at_once_and_returns_is_done() -> None:
    async def handle(of: Work) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()

    done = works(3)
    run(Batch(done, handle).run(1.0))
    assert outcomes(done) == [None] * 3


def test_context_variables_end_with_their_record() -> None:
    variable = ContextVar("variable", default="unset")
    seen = []

    async def handle(of: Work) -> None:
        seen.append(variable.get())
        token = variable.set(name(of))
        await asyncio.sleep(0)
        assert variable.get() == name(of)
        if name(of) == "1":
            variable.reset(token)

    run(Batch(works(5, 2), handle).run(1.0))
    assert seen == ["unset"] * 5


class Array:
    """Compares as those of numpy do."""

    def __eq__(self, other: object) -> Any:
        raise ValueError("ambiguous")

    __hash__ = None  # type: ignore[assignment]  # as it is unhashable


def test_context_variables_that_cannot_be_compared_end_with_their_record_too() -> None:
    variable = ContextVar[object]("variable")
    outside = Array()
    seen = []

    async def handle(of: Work) -> None:
        seen.append(variable.get())
        variable.set(Array())

    async def ran() -> list[Work]:
        variable.set(outside)
        done = works(3)
        await Batch(done, handle).run(5.0)
        return done

    assert outcomes(run(ran())) == [None] * 3
    assert all(each is outside for each in seen)


def test_no_records_are_done_at_once() -> None:
    async def handle(of: Work) -> None:
        raise AssertionError

    run(Batch([], handle).run(1.0))


def test_ten_thousand_records() -> None:
    count = 0

    async def handle(of: Work) -> None:
        nonlocal count
        if count % 100 == 0:
            await asyncio.sleep(0)
        count += 1

    done = works(10_000)
    run(Batch(done, handle).run(60.0))
    assert count == 10_000
    assert outcomes(done) == [None] * 10_000


# A function of batches


def batch() -> Work:
    return Work([Plain("0"), Plain("1"), Plain("2")], registration(), None)


@pytest.mark.parametrize("kind", [list, tuple, set, frozenset])
def test_a_function_of_batches_returns_what_has_failed(kind: Callable[[list[object]], object]) -> None:
    done = batch()
    done.fail(kind([done.records[1]]))

    errors = [done.error_of(each) for each in done.records]
    assert [type(each) for each in errors] == [type(None), RecordFailed, type(None)]


@pytest.mark.parametrize("returned", [None, [], ()])
def test_a_function_of_batches_returns_that_all_is_done(returned: object) -> None:
    done = batch()
    done.fail(returned)
    assert [done.error_of(each) for each in done.records] == [None] * 3


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        (True, "returned a bool."),
        ("0", "returned a str."),
        ({"batchItemFailures": []}, "returned a dict."),
        (["0"], "returned a list of something else."),
        ([Plain("0")], "returned a list of something else."),
    ],
)
def test_a_function_of_batches_must_not_return_anything_else(returned: object, told: str) -> None:
    with pytest.raises(InvalidResult, match=told) as raised:
        batch().fail(returned)
    assert raised.value.error_type == "Function.InvalidResult"


def test_all_of_a_large_batch_can_fail_in_little_time() -> None:
    done = Work([Plain(str(number)) for number in range(10_000)], registration(), None)
    begun = time.perf_counter()
    done.fail(list(reversed(done.records)))
    assert time.perf_counter() - begun < 1
    assert all(done.error_of(each) for each in done.records)


# Whatever comes


KINDS = st.sampled_from(["done", "waits", "fails", "exits", "hangs"])
BATCHES = st.lists(st.tuples(st.sampled_from([None, "a", "b", "c"]), KINDS), max_size=12)


@given(batch=BATCHES, concurrency=st.integers(1, 5), functions=st.integers(1, 2))
def test_whatever_happens_order_is_kept_and_all_is_told(
    batch: list[tuple[str | None, str]], concurrency: int, functions: int
) -> None:
    registrations = [registration(concurrency) for _ in range(functions)]
    hanging = any(kind == "hangs" for _, kind in batch)
    done = [work(str(place), group, registrations[place % functions]) for place, (group, _) in enumerate(batch)]
    begun: list[int] = []
    ended: list[int] = []
    there: Counter[object] = Counter()

    async def handle(of: Work) -> None:
        place = int(name(of))
        begun.append(place)
        there[of.registration] += 1
        assert there[of.registration] <= concurrency
        try:
            await act(batch[place][1])
        finally:
            there[of.registration] -= 1
        ended.append(place)

    run(Batch(done, handle).run(0.02 if hanging else 5.0, grace=5.0))

    assert len(begun) == len(set(begun))
    for group in ("a", "b", "c"):
        line = [place for place, (its, _) in enumerate(batch) if its == group]
        began = [place for place in begun if place in line]
        assert began == line[: len(began)], "in order, without a gap"
        assert [place for place in line if done[place].error is None] == line[: len(ended_of(line, ended))]
        assert all(place in ended for place in began[:-1]), "only the last one that was begun has failed"
    for place, (_, kind) in enumerate(batch):
        assert (done[place].error is None) == (place in ended)
        if place in begun:
            assert isinstance(done[place].error, EXPECTED[kind])
        else:
            assert isinstance(done[place].error, Unfinished)
    if not hanging:
        assert {place for place, (group, _) in enumerate(batch) if group is None} <= set(begun)


EXPECTED: dict[str, tuple[type, ...]] = {
    "done": (type(None),),
    "waits": (type(None), Unfinished),
    "fails": (ValueError,),
    "exits": (SystemExit,),
    "hangs": (Unfinished,),
}


def ended_of(line: list[int], ended: list[int]) -> list[int]:
    return [place for place in line if place in ended]


def act(kind: str) -> Coroutine[Any, Any, None]:
    async def acted() -> None:
        if kind == "waits":
            await asyncio.sleep(0)
        if kind == "hangs":
            await asyncio.Event().wait()
        if kind == "fails":
            raise ValueError("no")
        if kind == "exits":
            sys.exit()

    return acted()


def test_a_group_is_led_by_its_first() -> None:
    function = registration()
    done = [work(each, None if each[0] == "-" else each[0], function) for each in ("a1", "-1", "b1", "-2", "a2", "a3")]
    found, is_mixed = teams(done)
    ((of, waiting),) = found.items()

    assert of is function
    assert not is_mixed
    assert [name(each) for each in waiting] == ["a1", "-1", "b1", "-2"]
    assert (done[0].following, done[4].following, done[5].following) == (done[4], done[5], None)
    assert [each.following for each in done[1:4]] == [None] * 3


def test_a_group_of_several_functions_is_told_and_leaves_none_of_them_out() -> None:
    one, another = registration(), registration()
    done = [work("a1", "a", one), work("a2", "a", another), work("b1", "b", one)]
    found, is_mixed = teams(done)

    assert is_mixed
    assert {of: [name(each) for each in waiting] for of, waiting in found.items()} == {one: ["a1", "b1"], another: []}
