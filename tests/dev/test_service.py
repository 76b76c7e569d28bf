"""The queue and the fleet, with environments that only pretend to run."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from lambent.dev import service as service_module
from lambent.dev.environment import Environment, State, Step, Supervisor
from lambent.dev.model import Cause, Failed, Function, Invocation, Replied, Streaming
from lambent.dev.service import Service
from lambent.dev.stream import Stream

FUNCTION = Function("f", "app:app", Path())


class Fake(Environment):
    """Lives as it is told. The tests find each one in `fleet`, in the order they were started."""

    fleet: list["Fake"]

    def __init__(self, function: Function, supervisor: Supervisor, say: Callable[[str], None]) -> None:
        super().__init__(function, supervisor, say)
        self.ended = asyncio.Event()
        self.took: list[str] = []
        self.current: Invocation | None = None
        self.killed = False
        say("started")
        self.fleet.append(self)

    async def run(self) -> None:
        await self.ended.wait()

    def invoke(self, invocation: Invocation) -> None:
        self._step(Step.INVOKED)
        self.took.append(invocation.request_id)
        self.current = invocation

    def condemn(self, grace: float) -> None:
        self.die()

    def kill(self) -> None:
        self.killed = True
        self.die()

    def poll(self) -> None:
        """Ask for an invocation, having answered the last one."""
        if self.current:
            self.current.resolve(Replied(self.current.payload))
        self.polled()

    def fail_init(self, text: bytes = b"no") -> None:
        self._step(Step.CONDEMNED)
        self._supervisor.init_failed(lambda _: Failed(Cause.INIT, text))

    def die(self) -> None:
        if self.state is not State.DEAD:
            self._step(Step.EXITED)
            self.ended.set()
            self._supervisor.died()


class Stage:
    def __init__(self, function: Function) -> None:
        self.fleet: list[Fake] = []
        kind = type("Kind", (Fake,), {"fleet": self.fleet})
        self.service = Service(function, lambda _: None, kind)

    def invoke(self, name: str) -> Invocation:
        return self.service.invoke(name, name.encode(), "Root=1-2-3")

    @property
    def took(self) -> list[list[str]]:
        return [each.took for each in self.fleet]


def play(scene: Callable[[Stage], Awaitable[None]], environments: int = 10) -> None:
    async def staged() -> None:
        stage = Stage(replace(FUNCTION, environments=environments))
        async with asyncio.timeout(10):
            await scene(stage)
            await stage.service.close(0)

    asyncio.run(staged())


def test_the_first_invocation_starts_an_environment_and_waits_for_it() -> None:
    async def scene(stage: Stage) -> None:
        one = stage.invoke("one")
        assert len(stage.fleet) == 1
        assert stage.service.waits(one)
        stage.fleet[0].poll()
        assert stage.took == [["one"]]
        stage.fleet[0].poll()
        assert await one.result == Replied(b"one")

    play(scene)


def test_an_idle_environment_is_used_again() -> None:
    async def scene(stage: Stage) -> None:
        stage.invoke("one")
        stage.fleet[0].poll()
        stage.fleet[0].poll()
        stage.invoke("two")
        assert stage.took == [["one", "two"]]

    play(scene)


def test_concurrent_invocations_have_an_environment_each() -> None:
    async def scene(stage: Stage) -> None:
        for name in ("one", "two", "three"):
            stage.invoke(name)
        assert len(stage.fleet) == 3
        for each in reversed(stage.fleet):
            each.poll()
        assert stage.took == [["three"], ["two"], ["one"]]

    play(scene)


def test_no_more_start_than_there_are_invocations_waiting() -> None:
    async def scene(stage: Stage) -> None:
        stage.service.warm(1)
        stage.invoke("one")
        assert len(stage.fleet) == 1

    play(scene)


def test_beyond_the_limit_invocations_wait_in_turn() -> None:
    async def scene(stage: Stage) -> None:
        for name in ("one", "two", "three", "four"):
            stage.invoke(name)
        assert len(stage.fleet) == 2
        for each in [*stage.fleet, *stage.fleet]:
            each.poll()
        assert stage.took == [["one", "three"], ["two", "four"]]

    play(scene, environments=2)


def test_the_most_recently_used_is_used_first() -> None:
    async def scene(stage: Stage) -> None:
        stage.service.warm(3)
        for each in (stage.fleet[0], stage.fleet[2], stage.fleet[1]):
            each.poll()
        stage.invoke("one")
        stage.invoke("two")
        assert stage.took == [[], ["one"], ["two"]]

    play(scene)


def test_an_environment_that_cannot_start_fails_the_oldest_and_another_is_tried_for_the_rest() -> None:
    async def scene(stage: Stage) -> None:
        one, two = stage.invoke("one"), stage.invoke("two")
        stage.fleet[0].fail_init(b"no")
        assert await one.result == Failed(Cause.INIT, b"no")
        assert len(stage.fleet) == 2, "one is still starting, for the one that is left"
        stage.fleet[1].fail_init(b"again")
        assert await two.result == Failed(Cause.INIT, b"again")
        assert len(stage.fleet) == 2, "nobody waits: nothing is started"

    play(scene)


def test_one_that_failed_before_anyone_asked_is_tried_again_on_demand() -> None:
    async def scene(stage: Stage) -> None:
        stage.service.warm(1)
        stage.fleet[0].fail_init()
        assert len(stage.fleet) == 1
        stage.invoke("one")
        stage.fleet[1].poll()
        assert stage.took == [[], ["one"]]

    play(scene, environments=1)


def test_a_dead_environment_is_replaced_on_demand() -> None:
    async def scene(stage: Stage) -> None:
        stage.service.warm(1)
        stage.fleet[0].poll()
        stage.fleet[0].die()
        assert len(stage.fleet) == 1
        stage.invoke("one")
        assert len(stage.fleet) == 2

    play(scene, environments=1)


def test_one_that_died_busy_makes_room_for_the_queue() -> None:
    async def scene(stage: Stage) -> None:
        stage.invoke("one")
        stage.invoke("two")
        stage.fleet[0].poll()
        assert len(stage.fleet) == 1
        stage.fleet[0].die()
        stage.fleet[1].poll()
        assert stage.took == [["one"], ["two"]]

    play(scene, environments=1)


def test_an_invocation_whose_client_went_away_is_dropped_from_the_queue() -> None:
    async def scene(stage: Stage) -> None:
        stage.invoke("one")
        two = stage.invoke("two")
        stage.invoke("three")
        stage.fleet[0].poll()
        stage.service.withdraw(two)
        assert (await two.result) == Failed(Cause.GONE, b"")
        stage.fleet[0].poll()
        assert stage.took == [["one", "three"]]

    play(scene, environments=1)


def test_one_that_runs_already_runs_on() -> None:
    async def scene(stage: Stage) -> None:
        one = stage.invoke("one")
        stage.fleet[0].poll()
        stage.service.withdraw(one)
        assert not one.result.done()
        stage.fleet[0].poll()
        assert await one.result == Replied(b"one")

    play(scene)


def test_an_invoker_that_stopped_listening_does_not_matter() -> None:
    async def scene(stage: Stage) -> None:
        one = stage.invoke("one")
        stage.fleet[0].poll()
        one.result.cancel()
        stage.fleet[0].poll()
        assert stage.fleet[0].state is State.IDLE

    play(scene)


def test_a_queue_that_is_full_throttles() -> None:
    async def scene(stage: Stage) -> None:
        for number in range(service_module.QUEUE_LIMIT):
            stage.invoke(str(number))
        result = await stage.invoke("one too many").result
        assert isinstance(result, Failed)
        assert result.cause is Cause.THROTTLED

    play(scene, environments=1)


def test_drained_waits_for_those_who_were_promised_an_answer() -> None:
    async def scene(stage: Stage) -> None:
        one = stage.invoke("one")
        drained = asyncio.create_task(stage.service.drained(10))
        stage.fleet[0].poll()
        stage.fleet[0].poll()
        await drained
        assert one.result.done()
        await stage.service.drained(10)

    play(scene)


def test_drained_does_not_wait_for_ever() -> None:
    async def scene(stage: Stage) -> None:
        one = stage.invoke("one")
        await stage.service.drained(0.01)
        assert not one.result.done()

    play(scene)


def test_closing_ends_environments_and_fails_what_still_waits() -> None:
    async def scene(stage: Stage) -> None:
        stage.invoke("one")
        two = stage.invoke("two")
        stage.fleet[0].poll()
        await stage.service.close(0)
        assert isinstance(await two.result, Failed)
        assert [each.state for each in stage.fleet] == [State.DEAD]
        late = stage.invoke("late")
        assert isinstance(await late.result, Failed)
        assert len(stage.fleet) == 1

    play(scene, environments=1)


def test_killing_kills_all() -> None:
    async def scene(stage: Stage) -> None:
        stage.service.warm(2)
        await asyncio.sleep(0)
        stage.service.kill()
        assert [each.killed for each in stage.fleet] == [True, True]

    play(scene)


def test_a_streamed_answer_is_one_at_its_end() -> None:
    async def scene(stage: Stage) -> None:
        one = stage.invoke("one")
        stream = Stream("text/plain", bool)
        one.resolve(Streaming(stream))
        draining = asyncio.create_task(stage.service.drained(60))
        for _ in range(5):
            await asyncio.sleep(0)
        assert not draining.done()
        stream.end()
        await draining

    play(scene)
