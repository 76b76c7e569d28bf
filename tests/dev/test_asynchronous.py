"""The queue of invocations that nobody waits for, on a clock that the test turns."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.dev import lineage
from lambent.dev.asynchronous import LIMIT, Asynchronously, Clock, Event, clock_of
from lambent.dev.asynchronous.destinations import Condition
from lambent.dev.model import Asynchronous, Failed, Function, InvokeRequest, Replied, Result, Streaming
from lambent.dev.stream import Stream
from tests.dev.instant import BOOM, THROTTLED, Instant, replied, settle

F = Function("f", "app.handler", asynchronous=Asynchronous(on_success="function:g", on_failure="function:g"))
G = Function("g", "app.handler")


class Watch:
    """A clock that stands still until everybody sleeps, and then goes on to the next who wants to wake."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.sleepers: list[tuple[float, asyncio.Future[None]]] = []
        self.slept: list[float] = []

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.time, self._sleep)

    def _sleep(self, seconds: float) -> Awaitable[None]:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.sleepers.append((self.time + seconds, woken))
        self.slept.append(seconds)
        return woken

    async def run(self) -> None:
        """Until nobody sleeps."""
        await settle()
        while self.sleepers:
            self.sleepers.sort(key=lambda sleeper: sleeper[0])
            self.time, woken = self.sleepers.pop(0)
            woken.set_result(None)
            await settle()


class Bench:
    """A queue and what is around it."""

    def __init__(self, service: Instant, time_scale: float = 1.0) -> None:
        self.service = service
        self.watch = Watch()
        self.said: list[str] = []
        self.queue = Asynchronously(service, self.said.append, time_scale, self.watch.clock)

    def take(self, function: Function = F, request_id: str = "1", trace: str = "Root=1-2-3") -> bool:
        root = trace.partition(";Lineage")[0]
        return self.queue.take(function, InvokeRequest(request_id, b"{}", lineage.extend(root, trace, function.arn)))


def bench(
    *answers: Result,
    functions: tuple[Function, ...] = (F, G),
    trace: str = "Root=1-2-3",
    then: Callable[[Bench], None] = lambda _: None,
) -> Bench:
    """One event taken, and all that follows."""

    async def run() -> Bench:
        made = Bench(Instant(functions, *answers))
        assert made.take(functions[0], trace=trace)
        then(made)
        await made.watch.run()
        assert made.queue.status() == {}
        return made

    return asyncio.run(run())


def record(made: Bench) -> dict[str, object]:
    """What `g` was told."""
    (told,) = [invocation.request for name, invocation in made.service.taken if name == "g"]
    read: dict[str, object] = json.loads(told.payload)
    return read


def condition(made: Bench) -> tuple[object, object]:
    context = record(made)["requestContext"]
    assert isinstance(context, dict)
    return context["condition"], context["approximateInvokeCount"]


def test_it_answers_before_anything_has_run() -> None:
    async def run() -> None:
        made = Bench(Instant((F,), *replied(b"1")))
        assert made.take()
        assert made.queue.status() == {"f": {"queued": 0, "in_flight": 1, "waiting_for_retry": 0}}
        assert made.service.taken == []
        await settle()
        assert made.service.names == ["f"]
        assert made.queue.status() == {}

    asyncio.run(run())


def test_a_success_is_told_where_that_is_wanted() -> None:
    made = bench(*replied(b'"done"'))
    assert made.service.names == ["f", "g"]
    assert condition(made) == ("Success", 1)
    assert record(made)["responsePayload"] == "done"
    assert made.watch.slept == []
    assert made.said == []


def test_a_failure_is_tried_again_after_one_minute_and_two() -> None:
    made = bench(BOOM, BOOM, BOOM, Replied(b"1"))
    assert made.watch.slept == [60, 120]
    assert [request.request_id for request in made.service.requests[:3]] == ["1", "1", "1"]
    assert condition(made) == ("RetriesExhausted", 3)
    assert record(made)["responsePayload"] == json.loads(BOOM.payload)
    assert made.said == [
        "RequestId: 1 f failed: the asynchronous invocation is tried again in 60 s, attempt 2 of 3.",
        "RequestId: 1 f failed: the asynchronous invocation is tried again in 120 s, attempt 3 of 3.",
        "RequestId: 1 RetriesExhausted: the asynchronous invocation of f is given up after 3 attempts.",
    ]


def test_a_retry_may_succeed() -> None:
    made = bench(BOOM, Replied(b"1"))
    assert made.watch.slept == [60]
    assert condition(made) == ("Success", 2)


@pytest.mark.parametrize(("retries", "slept"), [(0, []), (1, [60.0])])
def test_retries_are_as_many_as_configured(retries: int, slept: list[float]) -> None:
    function = replace(F, asynchronous=replace(F.asynchronous, retries=retries))
    made = bench(*[BOOM] * (retries + 1), Replied(b"1"), functions=(function, G))
    assert made.watch.slept == slept
    assert condition(made) == ("RetriesExhausted", retries + 1)


@pytest.mark.parametrize(("max_age", "attempts"), [(59, 1), (60, 2), (179, 2), (180, 3)])
def test_a_retry_that_would_come_too_late_is_none(max_age: float, attempts: int) -> None:
    function = replace(F, asynchronous=replace(F.asynchronous, max_age=max_age))
    made = bench(*[BOOM] * attempts, Replied(b"1"), functions=(function, G))
    assert condition(made) == ("RetriesExhausted" if attempts == 3 else "EventAgeExceeded", attempts)


def test_what_is_throttled_waits_longer_and_longer() -> None:
    made = bench(*[THROTTLED] * 12, Replied(b"1"))
    assert made.watch.slept == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    assert condition(made) == ("Success", 1)
    assert len(made.said) == 1


def test_what_is_throttled_for_too_long_is_given_up() -> None:
    function = replace(F, asynchronous=replace(F.asynchronous, max_age=100))
    made = bench(*[THROTTLED] * 7, Replied(b"1"), functions=(function, G))
    assert made.watch.slept == [1, 2, 4, 8, 16, 32]
    assert condition(made) == ("EventAgeExceeded", 0)
    assert "responseContext" not in record(made)


def test_where_nothing_may_run_nothing_waits() -> None:
    made = bench(THROTTLED, Replied(b"1"), functions=(replace(F, reserved_concurrency=0), G))
    assert condition(made) == ("ZeroReservedConcurrency", 0)
    assert made.watch.slept == []


def test_a_throttled_retry_keeps_its_count() -> None:
    made = bench(BOOM, THROTTLED, BOOM, THROTTLED, THROTTLED, BOOM, Replied(b"1"))
    assert made.watch.slept == [60, 1, 120, 1, 2]
    assert condition(made) == ("RetriesExhausted", 3)


@given(
    st.lists(st.sampled_from([BOOM, THROTTLED]), max_size=20),
    st.integers(0, 2),
    st.floats(0, 1000),
)
def test_nobody_waits_beyond_the_age(answers: list[Failed], retries: int, max_age: float) -> None:
    event = Event(replace(F, asynchronous=Asynchronous(retries, max_age)), InvokeRequest("1", b"", ""), 0)
    now = 0.0
    for answer in answers:
        if answer is THROTTLED:
            event.throttled += 1
        else:
            event.throttled, event.attempts, event.answer = 0, event.attempts + 1, answer
        following = event.next(now)
        if isinstance(following, Condition):
            assert following is not Condition.SUCCESS
            break
        assert following > 0
        now += following
        assert now <= max_age
    assert event.attempts <= retries + 1


def test_a_streamed_reply_is_taken_whole() -> None:
    async def run() -> None:
        stream = Stream("", lambda _: None)
        made = Bench(Instant((F, G), *replied(b"1")))
        made.service.answers.insert(0, Streaming(stream))
        made.take()
        await settle()
        assert made.service.names == ["f"]
        stream.feed(b"a")
        stream.end()
        await made.watch.run()
        assert record(made)["responsePayload"] == "a"

    asyncio.run(run())


def test_a_function_has_no_more_in_flight_than_it_can_do() -> None:
    function = replace(F, environments=2, concurrency=3)

    async def run() -> None:
        made = Bench(Instant((function,)))
        for number in range(8):
            made.take(function, str(number))
        await settle()
        assert made.queue.status() == {"f": {"queued": 2, "in_flight": 6, "waiting_for_retry": 0}}
        made.service.queue.pop(0).resolve(BOOM)
        await settle()
        assert made.queue.status() == {"f": {"queued": 1, "in_flight": 6, "waiting_for_retry": 1}}
        assert made.service.requests[-1].request_id == "6"

    asyncio.run(run())


def test_reserved_concurrency_is_not_exceeded_from_here() -> None:
    function = replace(F, reserved_concurrency=2)

    async def run() -> None:
        made = Bench(Instant((function,)))
        for number in range(3):
            made.take(function, str(number))
        assert made.queue.status()["f"]["queued"] == 1

    asyncio.run(run())


def test_the_queue_is_bounded() -> None:
    async def run() -> None:
        made = Bench(Instant((F,)))
        assert all(made.take() for _ in range(LIMIT))
        assert not made.take()

    asyncio.run(run())


def test_what_has_become_too_old_in_the_queue_does_not_run() -> None:
    function = replace(F, environments=1, asynchronous=replace(F.asynchronous, max_age=10))

    async def run() -> None:
        made = Bench(Instant((function, G)))
        made.take(function, "1")
        made.take(function, "2")
        await settle()
        made.watch.time += 11
        made.service.queue.pop().resolve(Replied(b"1"))
        await settle()
        assert made.service.names == ["f", "g", "g"]
        told = [json.loads(request.payload)["requestContext"] for request in made.service.requests[1:]]
        assert [(each["requestId"], each["condition"]) for each in told] == [
            ("1", "Success"),
            ("2", "EventAgeExceeded"),
        ]

    asyncio.run(run())


def test_a_changed_configuration_holds_for_what_is_on_its_way() -> None:
    def change(made: Bench) -> None:
        changed = replace(F, asynchronous=replace(F.asynchronous, retries=0))
        made.service.functions = {"f": changed, "g": G}

    assert condition(bench(BOOM, Replied(b"1"), then=change)) == ("RetriesExhausted", 1)


def test_a_function_that_has_gone_is_told() -> None:
    def remove(made: Bench) -> None:
        made.service.functions = {"g": G}

    made = bench(Replied(b"1"), then=remove)
    assert made.said == ["RequestId: 1 The asynchronous invocation is dropped: the function f is not there any more."]


# Where it is told


def test_files_are_told_too(tmp_path: Path) -> None:
    settings = Asynchronous(retries=0, on_failure=f"file:{tmp_path}/records", dead_letter=f"file:{tmp_path}/letters")
    bench(BOOM, functions=(replace(F, asynchronous=settings),))
    (told,) = (tmp_path / "records").read_text("utf-8").splitlines()
    assert json.loads(told)["requestContext"]["condition"] == "RetriesExhausted"
    (letter,) = (tmp_path / "letters").read_text("utf-8").splitlines()
    assert json.loads(letter)["Body"] == "{}"


def test_a_function_gets_a_dead_letter_bare() -> None:
    settings = Asynchronous(retries=0, dead_letter="function:g")
    made = bench(BOOM, Replied(b"1"), functions=(replace(F, asynchronous=settings), G))
    assert [request.payload for request in made.service.requests] == [b"{}", b"{}"]
    first, second = (request.request_id for request in made.service.requests)
    assert first != second


@pytest.mark.parametrize(
    ("destination", "words"),
    [
        ("function:nobody", "there is no function 'nobody' here, but: f, g."),
        ("file:.", "Errno"),
        ("somewhere", "expected function:NAME or file:PATH"),
    ],
)
def test_what_cannot_be_told_is_said(destination: str, words: str) -> None:
    made = bench(*replied(b"1"), functions=(replace(F, asynchronous=Asynchronous(on_success=destination)), G))
    (said,) = made.said
    assert said.startswith(f"RequestId: 1 Nothing was sent to {destination}: ")
    assert words in said


def test_a_record_that_is_too_large_for_an_event_is_not_sent() -> None:
    made = bench(Replied(b'"' + b"a" * (1 << 20) + b'"'))
    assert made.service.names == ["f"]
    assert "Nothing was sent to function:g: it has 1048" in made.said[0]


def test_a_full_queue_takes_no_record() -> None:
    async def run() -> None:
        made = Bench(Instant((replace(F, environments=1), G)))
        function = made.service.functions["f"]
        for _ in range(LIMIT):
            made.take(function)
        await settle()
        made.service.functions = {"f": replace(function, asynchronous=Asynchronous(on_success="function:g")), "g": G}
        made.queue._events.update(Event(G, InvokeRequest("2", b"", ""), 0) for _ in range(2))
        made.service.queue.pop().resolve(Replied(b"1"))
        await settle()
        assert "the queue of asynchronous invocations is full" in made.said[-1]

    asyncio.run(run())


@pytest.mark.parametrize("answer", [Replied(b"1"), BOOM])
def test_functions_that_tell_each_other_stop(answer: Result) -> None:
    settings = Asynchronous(retries=0, on_success="function:g", on_failure="function:g")
    other = Asynchronous(retries=0, on_success="function:f", on_failure="function:f")
    made = bench(answer, functions=(replace(F, asynchronous=settings), replace(G, asynchronous=other)))
    assert made.service.names == ["f", "g"] * 16
    assert made.said[-1].endswith("sent to function:f: a recursive loop, in which f was invoked 16 times.")


def test_the_trace_goes_on() -> None:
    root = "Root=1-5759e988-bd862e3fe1be46a994272793"
    received = f"{root};Parent=53995c3f42cd8ad8;Sampled=0;Lineage=1:abcdef01:3"
    trace = bench(*replied(b"1"), trace=received).service.requests[1].trace
    assert trace.startswith(f"{root};Parent=")
    assert lineage.read(trace) == {"abcdef01": 3, lineage.key(F.arn): 0, lineage.key(G.arn): 0}


# The end


def test_what_is_left_is_named() -> None:
    function = replace(F, environments=1)

    async def run() -> None:
        made = Bench(Instant((function, G), BOOM))
        made.take(G, "1")
        await settle()
        made.service.answers = []
        for number in range(3):
            made.take(function, str(number))
        await settle()
        await made.queue.close()
        assert made.said[-1] == (
            "Asynchronous invocations that are dropped, for the queue is in memory: "
            "1 of f in flight, 2 of f queued, 1 of g waiting for retry."
        )
        assert made.queue.status() == {}
        assert not made.take()
        told = len(made.said)
        await made.queue.close()
        assert len(made.said) == told
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())


def test_an_empty_queue_ends_in_silence() -> None:
    async def run() -> list[str]:
        made = Bench(Instant())
        await made.queue.close()
        return made.said

    assert asyncio.run(run()) == []


def test_time_is_told_as_it_passes_here() -> None:
    async def run() -> list[str]:
        made = Bench(Instant((F, G), BOOM, Replied(b"1")), time_scale=60)
        made.take()
        await made.watch.run()
        return made.said

    (said,) = asyncio.run(run())
    assert "is tried again in 1 s" in said


def test_a_clock_can_go_faster() -> None:
    async def run() -> None:
        clock = clock_of(1e9)
        before = clock.now()
        await clock.sleep(3600)
        assert clock.now() - before >= 3600

    asyncio.run(run())
