"""The sources of a project, as they come and go, and as they are fired by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from lambent.dev.asynchronous import Asynchronously
from lambent.dev.model import Function, Source
from lambent.dev.sources import EventSources
from tests.dev.instant import Instant, replied, settle
from tests.dev.sources.stand_ins import ARN, FakeQueue, Turned

F = Function("f", "app.handler")
TICK = Source("tick", "f", "schedule", schedule="rate(1 minute)")
ORDERS = Source("orders", "f", "sqs", queue="orders")
OFF = Source("off", "f", "schedule", schedule="rate(1 minute)", enabled=False)


class Bench:
    """Sources, with a function that succeeds."""

    def __init__(self) -> None:
        self.turned = Turned()
        self.service = Instant((F,), *replied(b"null"))
        self.queue = FakeQueue(self.turned)
        self.said: list[str] = []
        taker = Asynchronously(self.service, self.said.append, 1, self.turned.clock)
        self.sources = EventSources(
            self.service, taker, self.said.append, connect=self.queue.connect, clock=self.turned.clock
        )

    def state(self, name: str) -> object:
        told = self.sources.status()[name]
        assert isinstance(told, dict)
        return told["state"]

    async def close(self) -> None:
        closing = asyncio.ensure_future(self.sources.close(0))
        await self.turned.turn(1)
        await closing


def play(scene: Callable[[Bench], Awaitable[None]]) -> Bench:
    async def run() -> Bench:
        async with asyncio.timeout(60):
            made = Bench()
            await scene(made)
            await made.close()
            return made

    return asyncio.run(run())


def test_each_kind_works_and_is_shown() -> None:
    async def scene(bench: Bench) -> None:
        bench.sources.deploy([TICK, ORDERS, OFF])
        bench.queue.send("a")
        await bench.turned.turn(60)
        (order, tick) = bench.service.requests
        assert json.loads(order.payload)["Records"][0]["body"] == "a"
        assert json.loads(tick.payload)["detail-type"] == "Scheduled Event"
        assert [bench.state(name) for name in ("tick", "orders", "off")] == ["waiting", "polling", "disabled"]
        assert json.loads(json.dumps(bench.sources.status()))["orders"]["queue"] == ARN

    made = play(scene)
    assert made.said == []
    assert made.state("orders") == "stopped"


def test_only_what_changes_starts_anew() -> None:
    async def scene(bench: Bench) -> None:
        bench.sources.deploy([TICK, ORDERS])
        await bench.turned.turn(30)
        bench.sources.deploy([TICK, replace(ORDERS, batch_size=5)])
        await bench.turned.turn(30)
        assert len(bench.service.requests) == 1
        assert bench.queue.connected == 2
        bench.sources.deploy([])
        await bench.turned.turn(120)
        assert bench.sources.status() == {}
        assert len(bench.service.requests) == 1

    play(scene)


def test_one_that_leaves_ends_its_batches_first() -> None:
    async def scene(bench: Bench) -> None:
        bench.service.answers = []
        bench.sources.deploy([ORDERS])
        bench.queue.send("a")
        await settle()
        bench.sources.deploy([])
        await bench.turned.turn(10)
        assert bench.queue.released == []
        bench.service.queue[0].resolve(*replied(b"null"))
        await settle()
        assert bench.queue.deleted == ["m1"]

    play(scene)


def test_but_does_not_hold_up_the_end() -> None:
    async def scene(bench: Bench) -> None:
        bench.service.answers = []
        bench.sources.deploy([ORDERS])
        bench.queue.send("a")
        await settle()
        bench.sources.deploy([])
        await bench.turned.turn(10)
        await bench.close()
        assert bench.queue.released == ["m1"]

    play(scene)


def test_a_source_that_cannot_be_understood_is_left_out() -> None:
    async def scene(bench: Bench) -> None:
        bench.sources.deploy([replace(TICK, schedule="rate(1 second)"), replace(ORDERS, filters=("{",))])
        assert bench.state("tick") == "ended"

    made = play(scene)
    assert made.said[0].startswith("tick: expected a rate of a whole number")
    assert made.said[1].startswith("orders: expected a pattern of JSON")
    assert all(line.endswith("The source is left out.") for line in made.said)


@pytest.mark.parametrize(
    ("name", "event", "status", "told"),
    [
        ("nobody", b"", 404, "There is no source 'nobody' here. There are: tick, orders, off."),
        ("orders", b"", 409, "orders cannot be fired: it polls a queue: send a message there."),
        ("off", b"", 409, "off cannot be fired: it does not run."),
        ("tick", b"{", 400, "Expected no body, or the event as JSON, but got: "),
        ("tick", b"[" * 100_000, 400, "Expected no body, or the event as JSON, but got: "),
        ("tick", b"\xff", 400, "Expected no body, or the event as JSON, but got: "),
        ("tick", b'"' + b"x" * 1_048_576 + b'"', 503, "tick has not fired: the event has 1048578 bytes"),
    ],
)
def test_what_cannot_be_fired_says_why(name: str, event: bytes, status: int, told: str) -> None:
    async def scene(bench: Bench) -> None:
        bench.sources.deploy([TICK, ORDERS, OFF])
        answer = bench.sources.fire(name, event)
        assert answer.status == status
        assert str(answer.document["message"]).startswith(told)

    play(scene)


def test_a_schedule_fires_by_hand() -> None:
    async def scene(bench: Bench) -> None:
        bench.sources.deploy([TICK])
        answer = bench.sources.fire("tick", b'{"a": 1}')
        assert answer.status == 202
        await settle()
        (request,) = bench.service.requests
        assert (request.request_id, request.payload) == (answer.document["requestId"], b'{"a": 1}')

    play(scene)
