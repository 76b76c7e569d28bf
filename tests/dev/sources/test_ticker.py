"""Schedules that fire, on a clock that the test turns."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest

from lambent.dev.model import Function, InvokeRequest, Source
from lambent.dev.sources.ticker import NotFired, Ticker, calendar
from tests.dev.sources.stand_ins import Turned

F = Function("f", "app.handler")
NOON = 1_800_014_400.0
"""2027-01-15T12:00:00Z."""


class Taken:
    """Whoever invokes: it remembers."""

    def __init__(self) -> None:
        self.requests: list[InvokeRequest] = []
        self.is_full = False

    def take(self, function: Function, request: InvokeRequest) -> bool:
        assert function is F
        self.requests.append(request)
        return not self.is_full

    @property
    def times(self) -> list[str]:
        return [json.loads(request.payload)["time"] for request in self.requests]


class Bench:
    """A ticker and what is around it."""

    def __init__(self, schedule: str, **more: object) -> None:
        self.turned = Turned(NOON)
        self.taken = Taken()
        self.said: list[str] = []
        self.functions = {"f": F}
        source = Source("tick", "f", "schedule", schedule=schedule, **more)  # type: ignore[arg-type]  # fields by name
        self.ticker = Ticker(source, lambda: self.functions, self.taken, self.said.append, self.turned.clock)
        self.ticker.start()


def play(schedule: str, scene: Callable[[Bench], Awaitable[None]], **more: object) -> Bench:
    async def run() -> Bench:
        made = Bench(schedule, **more)
        await scene(made)
        await made.ticker.stop(0)
        return made

    return asyncio.run(run())


def test_it_fires_in_its_time_and_not_before() -> None:
    async def scene(bench: Bench) -> None:
        await bench.turned.turn(299)
        assert bench.taken.requests == []
        assert bench.ticker.status()["next"] == "2027-01-15T12:05:00Z"
        await bench.turned.turn(601)
        assert bench.taken.times == ["2027-01-15T12:05:00Z", "2027-01-15T12:10:00Z", "2027-01-15T12:15:00Z"]
        assert len({request.request_id for request in bench.taken.requests}) == 3
        assert all("Lineage=" in request.trace for request in bench.taken.requests)

    made = play("rate(5 minutes)", scene)
    assert made.ticker.status() == {
        "kind": "schedule",
        "function": "f",
        "schedule": "rate(5 minutes)",
        "state": "ended",
        "next": None,
        "fired": 3,
        "last_fired": "2027-01-15T12:15:00Z",
        "last_error": None,
    }


def test_a_calendar_is_kept() -> None:
    async def scene(bench: Bench) -> None:
        await bench.turned.turn(86_400 * 2)
        assert bench.taken.times == ["2027-01-16T08:00:00Z", "2027-01-17T08:00:00Z"]

    play("cron(0 9 ? * SAT,SUN *)", scene, time_zone="Europe/Berlin")


def test_what_comes_once_ends() -> None:
    async def scene(bench: Bench) -> None:
        assert bench.ticker.status()["state"] == "waiting"
        await bench.turned.turn(3600)
        assert bench.taken.times == ["2027-01-15T12:30:00Z"]
        assert bench.ticker.status()["state"] == "ended"

    play("at(2027-01-15T12:30:00)", scene)


def test_what_the_machine_slept_through_fires_once() -> None:
    async def scene(bench: Bench) -> None:
        await bench.turned.turn(10)
        bench.turned.now += 86_400  # nobody woke anybody
        await bench.turned.turn(60)
        assert bench.taken.times == ["2027-01-15T12:05:00Z"]
        assert bench.ticker.status()["next"] == "2027-01-16T12:05:00Z"

    play("rate(5 minutes)", scene)


def test_that_it_cannot_fire_is_said_once() -> None:
    async def scene(bench: Bench) -> None:
        bench.taken.is_full = True
        await bench.turned.turn(300)
        assert bench.said == ["tick: it has not fired: the queue of asynchronous invocations is full."]
        bench.taken.is_full = False
        bench.functions = {}
        await bench.turned.turn(60)
        assert bench.said[1:] == ["tick: it has not fired: there is no function f here."]
        assert bench.ticker.status()["last_error"] == "there is no function f here"
        bench.functions = {"f": F}
        await bench.turned.turn(60)
        assert bench.ticker.status()["last_error"] is None
        assert bench.ticker.status()["fired"] == 1

    play("rate(1 minute)", scene)


def test_it_fires_when_it_is_told_to() -> None:
    async def scene(bench: Bench) -> None:
        first = bench.ticker.fire()
        second = bench.ticker.fire(payload=b'{"own": 1}')
        assert [request.request_id for request in bench.taken.requests] == [first, second]
        assert json.loads(bench.taken.requests[0].payload)["time"] == "2027-01-15T12:00:00Z"
        assert bench.taken.requests[1].payload == b'{"own": 1}'
        with pytest.raises(NotFired, match="the event has 1048577 bytes, and may have 1048576"):
            bench.ticker.fire(payload=b"x" * (1024 * 1024 + 1))

    play("rate(1 day)", scene)


def test_a_calendar_can_go_faster() -> None:
    async def run() -> None:
        clock = calendar(1000)
        before = clock.now()
        await clock.sleep(20)
        assert clock.now() - before > 19

    asyncio.run(run())
