"""A fleet, with environments that only pretend to run."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

from lambent.dev.fleet import NESTED, Fleet
from lambent.dev.life import State
from lambent.dev.model import Cause, EnvironmentFacts, Failed, Function, Invocation, InvokeRequest, Replied
from lambent.dev.strategies import round_robin
from tests.dev.fakes import FakeEnvironment, surroundings

FUNCTION = Function("f", "app:app", Path())
ONE = replace(FUNCTION, environments=1)


class Stage:
    def __init__(self, function: Function, nested: Sequence[str]) -> None:
        kind, self.fleet = FakeEnvironment.kind()
        self.said: list[str] = []
        self.read = 0
        self.service = Fleet(
            function,
            surroundings(self.said.append),
            is_nested=lambda invocation: invocation.request.request_id in nested,
            imported=self.imported,
            kind=kind,
        )

    def imported(self) -> None:
        self.read += 1

    def invoke(self, name: str) -> Invocation:
        request = InvokeRequest(name, name.encode(), "Root=1-2-3")
        invocation = Invocation(request, asyncio.get_running_loop())
        self.service.invoke(invocation)
        return invocation

    @property
    def took(self) -> list[list[str]]:
        return [each.took for each in self.fleet]


def play(scene: Callable[[Stage], Awaitable[None]], function: Function = FUNCTION, nested: Sequence[str] = ()) -> None:
    async def staged() -> None:
        stage = Stage(function, nested)
        async with asyncio.timeout(60):
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

    play(scene, replace(FUNCTION, environments=2))


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

    play(scene, ONE)


def test_a_dead_environment_is_replaced_on_demand() -> None:
    async def scene(stage: Stage) -> None:
        stage.service.warm(1)
        stage.fleet[0].poll()
        stage.fleet[0].die()
        assert len(stage.fleet) == 1
        stage.invoke("one")
        assert len(stage.fleet) == 2

    play(scene, ONE)


def test_one_that_died_busy_makes_room_for_the_queue() -> None:
    async def scene(stage: Stage) -> None:
        stage.invoke("one")
        stage.invoke("two")
        stage.fleet[0].poll()
        assert len(stage.fleet) == 1
        stage.fleet[0].die()
        stage.fleet[1].poll()
        assert stage.took == [["one"], ["two"]]

    play(scene, ONE)


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

    play(scene, ONE)


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


def test_closing_ends_environments_and_fails_what_still_waits() -> None:
    async def scene(stage: Stage) -> None:
        stage.invoke("one")
        two = stage.invoke("two")
        stage.fleet[0].poll()
        await stage.service.close(0)
        assert isinstance(await two.result, Failed)
        assert [each.state for each in stage.fleet] == [State.DEAD]

    play(scene, ONE)


def test_killing_kills_all() -> None:
    async def scene(stage: Stage) -> None:
        stage.service.warm(2)
        await asyncio.sleep(0)
        stage.service.kill()
        assert [each.killed for each in stage.fleet] == [True, True]

    play(scene)


def test_round_robin_has_all_take_turns() -> None:
    async def scene(stage: Stage) -> None:
        stage.service.warm(2)
        for each in stage.fleet:
            each.last_used = 0.0
            each.poll()
        for name in ("one", "two", "three", "four"):
            stage.invoke(name)
            next(each for each in stage.fleet if each.state is State.BUSY).poll()
        assert stage.took == [["one", "three"], ["two", "four"]]

    play(scene, replace(FUNCTION, strategy=round_robin))


def test_a_strategy_is_given_those_with_room_oldest_first_whichever_was_ready_or_used_first() -> None:
    given: list[list[str]] = []

    def choose(environments: Sequence[EnvironmentFacts]) -> EnvironmentFacts:
        given.append([each.id for each in environments])
        return environments[0]

    async def scene(stage: Stage) -> None:
        stage.service.warm(3)
        for number in (2, 0, 1):
            stage.fleet[number].poll()
        for name in ("one", "two"):
            stage.invoke(name)
        stage.fleet[0].poll()
        stage.invoke("three")
        first, second, third = (each.id for each in stage.fleet)
        assert given == [[first, second, third], [second, third], [first, third]]

    play(scene, replace(FUNCTION, strategy=choose))


def test_a_strategy_that_fails_is_passed_over_and_named() -> None:
    def broken(environments: Sequence[EnvironmentFacts]) -> EnvironmentFacts:
        raise KeyError("mine")

    async def scene(stage: Stage) -> None:
        stage.service.warm(2)
        for each in stage.fleet:
            each.poll()
        stage.invoke("one")
        assert sorted(map(len, stage.took)) == [0, 1]
        assert stage.said == ["f: the strategy failed, and is passed over: KeyError('mine')"]

    play(scene, replace(FUNCTION, strategy=broken))


def test_a_strategy_cannot_choose_what_it_was_not_offered() -> None:
    async def scene(stage: Stage) -> None:
        stage.service.warm(2)
        for each in stage.fleet:
            each.poll()
        stage.invoke("one")
        assert "expected one of the environments that it was given, but got 'mine'" in stage.said[0]

    play(scene, replace(FUNCTION, strategy=lambda _: EnvironmentFacts("mine", 0, 1, 0)))


def test_an_environment_that_handles_several_is_filled_before_another_starts() -> None:
    async def scene(stage: Stage) -> None:
        for name in ("one", "two", "three"):
            stage.invoke(name)
        assert len(stage.fleet) == 2
        stage.fleet[0].poll()
        assert stage.took == [["one", "two"], []]
        stage.fleet[1].poll()
        assert stage.took == [["one", "two"], ["three"]]

    play(scene, replace(FUNCTION, concurrency=2))


def test_in_chaos_each_invocation_has_a_new_environment() -> None:
    async def scene(stage: Stage) -> None:
        for number, name in enumerate(("one", "two")):
            stage.invoke(name)
            stage.fleet[number].poll()
            stage.fleet[number].poll()
            assert stage.fleet[number].state is State.DEAD
        assert stage.took == [["one"], ["two"]]

    play(scene, replace(FUNCTION, chaos=True))


def test_in_chaos_one_that_could_handle_several_is_given_one() -> None:
    async def scene(stage: Stage) -> None:
        stage.invoke("one")
        stage.invoke("two")
        for number in (0, 1):
            stage.fleet[number].poll()
        assert stage.took == [["one"], ["two"]]

    play(scene, replace(FUNCTION, chaos=True, concurrency=2))


def test_one_that_nobody_needs_is_ended_after_its_time() -> None:
    async def scene(stage: Stage) -> None:
        stage.invoke("one")
        stage.fleet[0].poll()
        stage.fleet[0].poll()
        await stage.fleet[0].ended.wait()
        stage.invoke("two")
        assert len(stage.fleet) == 2

    play(scene, replace(FUNCTION, idle_timeout=0.01))


def test_an_invocation_that_another_waits_for_has_an_environment_beyond_the_limit() -> None:
    async def scene(stage: Stage) -> None:
        stage.invoke("outer")
        stage.fleet[0].poll()
        stage.invoke("inner")
        assert len(stage.fleet) == 2
        stage.fleet[1].poll()
        stage.fleet[1].poll()
        assert stage.took == [["outer"], ["inner"]]
        assert stage.fleet[1].state is State.DEAD, "it was one too many"

    play(scene, ONE, nested=["inner"])


def test_but_not_without_end() -> None:
    names = [str(number) for number in range(2 * NESTED)]

    async def scene(stage: Stage) -> None:
        for name in names:
            stage.invoke(name)
            for each in stage.fleet:
                if each.state is State.STARTING:
                    each.poll()
        assert len(stage.fleet) == 1 + NESTED + 1

    play(scene, ONE, nested=names)


def test_a_retired_fleet_gives_back_what_has_not_begun_and_ends_what_has() -> None:
    async def scene(stage: Stage) -> None:
        one, two = stage.invoke("one"), stage.invoke("two")
        stage.fleet[0].poll()
        assert stage.service.retire() == [two]
        assert stage.fleet[0].state is State.BUSY
        stage.fleet[0].poll()
        assert await one.result == Replied(b"one")
        await stage.service.gone()

    play(scene, ONE)


def test_what_its_environments_have_read_is_told_once() -> None:
    async def scene(stage: Stage) -> None:
        stage.service.warm(2)
        stage.fleet[0].read("/a.py", "/b.py")
        stage.fleet[1].read("/a.py")
        assert stage.service.files == {"/a.py", "/b.py"}
        assert stage.read == 1

    play(scene)


def test_whether_it_came_up_is_known_by_its_first_environment() -> None:
    async def scene(stage: Stage) -> None:
        stage.service.warm(1)
        assert not stage.service.outcome.done()
        stage.fleet[0].fail_init()
        assert await stage.service.outcome is False

    play(scene)
