"""An event source mapping of SQS: what becomes of messages, on a clock that the test turns."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import pytest

from lambent.dev.model import Failed, Function, Replied, Result, Source
from lambent.dev.sources.poller import POLL, Poller, backoff
from lambent.dev.sources.queues import Queue, Unavailable
from tests.dev.instant import BOOM, THROTTLED, Instant, settle
from tests.dev.sources.stand_ins import FakeQueue, Turned

F = Function("f", "app.handler", timeout=3)
SOURCE = Source("orders", "f", "sqs", queue="orders")
DONE = Replied(b"null")


def report(*ids: str) -> Replied:
    return Replied(json.dumps({"batchItemFailures": [{"itemIdentifier": each} for each in ids]}).encode())


class Bench:
    """A poller, its queue, and a function that answers as it is told to; without answers, when the test says."""

    def __init__(self, source: Source, answers: Sequence[Result]) -> None:
        self.turned = Turned()
        self.queue = FakeQueue(self.turned)
        self.service = Instant((F,), *answers)
        self.said: list[str] = []
        self.poller = Poller(source, self.service, self.connect, self.said.append, self.turned.clock)

    async def connect(self, source: Source, function: Function) -> Queue:
        return await self.queue.connect(source, function)

    @property
    def bodies(self) -> list[list[str]]:
        """Of each batch."""
        return [[each["body"] for each in json.loads(made.payload)["Records"]] for made in self.service.requests]

    async def stop(self) -> None:
        """At once; a request under way ends in its time."""
        stopping = asyncio.ensure_future(self.poller.stop(0))
        await self.turned.turn(POLL)
        await stopping

    def answer(self, result: Result) -> None:
        """To the invocation that waits longest."""
        invocation = self.service.queue.pop(0)
        invocation.resolve(result)
        invocation.end()


def play(scene: Callable[[Bench], Awaitable[None]], *answers: Result, **settings: object) -> Bench:
    async def run() -> Bench:
        async with asyncio.timeout(60):
            made = Bench(replace(SOURCE, **settings), answers)  # type: ignore[arg-type]  # fields by name
            made.poller.start()
            await settle()
            await scene(made)
            await made.stop()
            return made

    return asyncio.run(run())


def test_what_the_function_has_done_is_deleted() -> None:
    async def scene(bench: Bench) -> None:
        bench.queue.send("a", "b")
        await settle()
        assert bench.bodies == [["a", "b"]]
        assert bench.queue.deleted == ["m1", "m2"]
        status = bench.poller.status()
        assert status["messages"] == {"received": 2, "deleted": 2, "failed": 0, "filtered": 0}
        assert status["state"] == "polling"
        assert status["last_error"] is None

    made = play(scene, DONE)
    assert made.said == []
    assert made.queue.asked[0] == (10, POLL)
    assert made.poller.status()["state"] == "stopped"


def test_what_has_failed_comes_back_in_its_time() -> None:
    async def scene(bench: Bench) -> None:
        bench.queue.send("a", "b")
        await settle()
        assert bench.queue.deleted == []
        await bench.turned.turn(29)
        assert bench.bodies == [["a", "b"]]
        await bench.turned.turn(3)
        assert bench.bodies == [["a", "b"], ["a", "b"]]
        assert bench.queue.deleted == ["m1", "m2"]
        assert bench.queue.released == []

    made = play(scene, BOOM, DONE)
    back = "2 messages will be back when the visibility timeout of 30 s ends."
    assert made.said == [f"orders: f failed: the function raised. {back}"]


def test_only_what_is_reported_comes_back() -> None:
    async def scene(bench: Bench) -> None:
        bench.queue.send("a", "b", "c")
        await settle()
        assert bench.queue.deleted == ["m1", "m3"]
        await bench.turned.turn(33)
        assert bench.bodies == [["a", "b", "c"], ["b"]]
        assert bench.queue.deleted == ["m1", "m3", "m2"]

    made = play(scene, report("m2"), report(), partial=True)
    assert made.said == ["orders: f reports failures. 1 message will be back when the visibility timeout of 30 s ends."]


def test_a_report_counts_only_where_it_is_configured() -> None:
    async def scene(bench: Bench) -> None:
        bench.queue.send("a", "b")
        await settle()
        assert bench.queue.deleted == ["m1", "m2"]

    play(scene, report("m2"))


def test_a_report_that_is_none_fails_the_batch() -> None:
    async def scene(bench: Bench) -> None:
        bench.queue.send("a", "b")
        await settle()
        assert bench.queue.deleted == []

    made = play(scene, report("m9"), partial=True)
    assert 'expected {"batchItemFailures"' in made.said[0]
    assert "on AWS all count as failed. 2 messages will be back" in made.said[0]


def test_batches_at_once_are_bounded() -> None:
    async def scene(bench: Bench) -> None:
        bench.queue.send(*"abcdef")
        await settle()
        assert bench.bodies == [["a", "b"], ["c", "d"]]
        assert bench.poller.status()["batches"] == 2
        bench.answer(DONE)
        await settle()
        assert bench.bodies[2:] == [["e", "f"]]
        bench.answer(DONE)
        bench.answer(DONE)
        await settle()
        assert len(bench.queue.deleted) == 6

    play(scene, batch_size=2)


def test_a_window_gathers_until_it_closes() -> None:
    async def scene(bench: Bench) -> None:
        bench.queue.send("a")
        await bench.turned.turn(3)
        bench.queue.send("b")
        await bench.turned.turn(1.5)
        assert bench.bodies == []
        bench.queue.send("c")
        await bench.turned.turn(0.5)
        assert bench.bodies == [["a", "b", "c"]]

    play(scene, DONE, batch_window=5.0)


def test_a_window_closes_when_the_batch_is_full() -> None:
    async def scene(bench: Bench) -> None:
        bench.queue.send(*map(str, range(25)))
        await settle()
        assert [len(batch) for batch in bench.bodies] == [25]
        assert [most for most, _ in bench.queue.asked[:3]] == [10, 10, 5]

    play(scene, DONE, batch_size=25, batch_window=60.0)


def test_batches_fit_an_event() -> None:
    async def scene(bench: Bench) -> None:
        bench.queue.send(*["x" * 1_000_000] * 10)
        await settle()
        assert [len(batch) for batch in bench.bodies] == [6, 4]

    play(scene, DONE)


def test_what_is_not_wanted_is_deleted() -> None:
    async def scene(bench: Bench) -> None:
        bench.queue.send('{"kind": "order"}', '{"kind": "invoice"}', "poison")
        await settle()
        assert bench.bodies == [['{"kind": "order"}']]
        assert sorted(bench.queue.deleted) == ["m1", "m2", "m3"]
        assert bench.poller.status()["messages"] == {"received": 3, "deleted": 1, "failed": 0, "filtered": 2}

    play(scene, DONE, filters=('{"body": {"kind": ["order"]}}',))


def test_failures_in_a_row_slow_it_down() -> None:
    async def scene(bench: Bench) -> None:
        for each in "abcd":  # c is asked for before it is known how b has ended
            bench.queue.send(each)
            await settle()
        assert bench.bodies == [["a"], ["b"], ["c"]]
        await bench.turned.turn(1)
        assert bench.bodies == [["a"], ["b"], ["c"], ["d"]]

    play(scene, BOOM)
    assert [backoff(each) for each in (1, 2, 3, 6, 1000)] == [1, 2, 4, 30, 30]


def test_reported_failures_do_not() -> None:
    async def scene(bench: Bench) -> None:
        for each in "abcd":
            bench.queue.send(each)
            await settle()
        assert bench.bodies == [["a"], ["b"], ["c"], ["d"]]

    play(scene, BOOM, partial=True)


def test_a_throttled_batch_waits_for_its_turn() -> None:
    async def scene(bench: Bench) -> None:
        bench.queue.send("a")
        await settle()
        await bench.turned.turn(2.9)
        assert len(bench.bodies) == 2
        await bench.turned.turn(0.1)
        assert bench.queue.deleted == ["m1"]

    made = play(scene, THROTTLED, THROTTLED, DONE)
    assert made.said == ["orders: f is throttled: its messages wait."]


def test_but_not_longer_than_its_messages_are_hidden() -> None:
    async def scene(bench: Bench) -> None:
        bench.queue.send("a")
        await bench.turned.turn(29.9)
        assert len(bench.service.requests) == 5  # after 0, 1, 3, 7 and 15 s
        assert bench.poller.status()["messages"] == {"received": 1, "deleted": 0, "failed": 1, "filtered": 0}

    made = play(scene, THROTTLED)
    assert made.said[1].startswith("orders: f was throttled all the time. 1 message will be back")


def test_a_queue_that_disappears_is_tried_until_it_returns() -> None:
    async def scene(bench: Bench) -> None:
        bench.queue.is_gone = True
        await bench.turned.turn(100)
        assert bench.poller.status()["state"] == "retrying"
        assert bench.poller.status()["last_error"] == "there is no queue orders at http://127.0.0.1:4566"
        bench.queue.is_gone = False
        await bench.turned.turn(32)
        assert bench.poller.status()["state"] == "polling"
        bench.queue.send("a")
        await settle()
        assert bench.queue.deleted == ["m1"]

    made = play(scene, DONE)
    assert made.said == [
        "orders: there is no queue orders at http://127.0.0.1:4566. It is tried again and again.",
        "orders: the queue is there again.",
    ]
    assert 5 <= made.queue.connected <= 10


def test_a_queue_that_is_not_asked_any_more_is_closed() -> None:
    async def scene(bench: Bench) -> None:
        bench.queue.is_gone = True
        await bench.turned.turn(POLL + 2)
        assert bench.queue.closed == 1
        bench.queue.is_gone = False
        await bench.turned.turn(10)
        assert bench.queue.is_open
        bench.queue.send("a")
        await settle()

    made = play(scene)
    assert "m1" in made.queue.released, "before it is closed"
    assert made.queue.closed == 2


def test_a_function_that_disappears_takes_no_messages() -> None:
    async def scene(bench: Bench) -> None:
        bench.service.functions = {}
        bench.queue.send("a")
        await settle()
        assert bench.queue.deleted == []

    made = play(scene, DONE)
    assert made.said[0].startswith("orders: There is no function f here any more. 1 message will be back")


def test_messages_that_cannot_be_deleted_are_told() -> None:
    async def scene(bench: Bench) -> None:
        bench.queue.keeps = True
        bench.queue.send("a")
        await settle()

    made = play(scene, DONE)
    assert made.said[0].startswith("orders: 1 message could not be deleted, and will be back when")


def test_a_visibility_timeout_that_aws_refuses_is_told_once() -> None:
    async def scene(bench: Bench) -> None:
        bench.service.functions = {"f": replace(F, timeout=60)}
        await bench.turned.turn(10)

    made = play(scene, DONE)
    shorter = "its visibility timeout of 30 s is shorter than the function's timeout of 60 s."
    assert made.said == [f"orders: {shorter} AWS refuses to poll such a queue."]


# The end


def test_a_batch_in_flight_is_let_end() -> None:
    async def scene(bench: Bench) -> None:
        bench.queue.send("a")
        await settle()
        stopping = asyncio.ensure_future(bench.poller.stop(10))
        await settle()
        assert not stopping.done()
        bench.answer(DONE)
        await bench.turned.turn(POLL)
        await stopping
        assert bench.queue.deleted == ["m1"]
        assert bench.queue.released == []

    play(scene)


def test_what_is_not_done_is_visible_at_once() -> None:
    async def scene(bench: Bench) -> None:
        bench.queue.send("a", "b")
        await settle()
        bench.queue.send("c")
        await settle()
        await bench.stop()
        assert sorted(bench.queue.released) == ["m1", "m2", "m3"]
        assert bench.queue.deleted == []
        assert bench.service.taken[0][1].result.cancelled()
        assert bench.service.queue == []

    made = play(scene)
    assert made.said == ["orders: 2 messages given back to the queue.", "orders: 1 message given back to the queue."]


def test_what_is_gathered_is_visible_at_once() -> None:
    async def scene(bench: Bench) -> None:
        bench.queue.send("a")
        await settle()
        await bench.stop()
        assert bench.queue.released == ["m1"]
        assert bench.bodies == []

    play(scene, DONE, batch_window=60.0)


def test_what_a_request_under_way_brings_is_visible_at_once() -> None:
    async def scene(bench: Bench) -> None:
        stopping = asyncio.ensure_future(bench.poller.stop(0))
        await settle()
        assert not stopping.done()
        bench.queue.send("late")
        await stopping
        assert bench.queue.released == ["m1"]
        assert bench.bodies == []

    play(scene, DONE)


def test_a_request_that_fails_at_the_end_is_nobody_s_loss() -> None:
    async def scene(bench: Bench) -> None:
        stopping = asyncio.ensure_future(bench.poller.stop(0))
        await settle()
        bench.queue.is_gone = True
        bench.queue.send("late")
        await stopping

    play(scene, DONE)


@pytest.mark.parametrize("answer", [BOOM, Failed(BOOM.cause, b"")])
def test_a_poison_message_keeps_nobody_else_from_being_done(answer: Failed) -> None:
    async def scene(bench: Bench) -> None:
        bench.queue.send("poison")
        await settle()
        bench.queue.send("good")
        await settle()
        assert bench.queue.deleted == ["m2"]

    play(scene, answer, DONE, batch_size=1)


def test_a_mistake_of_ours_is_told_and_tried_again() -> None:
    async def scene(bench: Bench) -> None:
        bench.queue.connect = broken  # type: ignore[method-assign]  # a queue with a mistake in it
        bench.queue.is_gone = True
        await bench.turned.turn(5)

    async def broken(source: Source, function: Function) -> FakeQueue:
        raise KeyError("QueueArn")

    made = play(scene, DONE)
    assert made.poller.status()["last_error"] == "KeyError: 'QueueArn'"
    assert issubclass(Unavailable, Exception)
