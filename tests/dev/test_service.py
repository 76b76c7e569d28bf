"""Functions by name, and their generations, with environments that only pretend to run."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lambent.dev import service as service_module
from lambent.dev.life import State
from lambent.dev.model import Cause, Failed, Function, Invocation, InvokeRequest, Replied, Streaming
from lambent.dev.service import Service
from lambent.dev.stream import Stream
from lambent.errors import UnknownFunction
from tests.dev.fakes import FakeEnvironment, surroundings

FUNCTION = Function("f", "app:app", Path())
ONE = replace(FUNCTION, environments=1)


class Stage:
    def __init__(self, *functions: Function) -> None:
        kind, self.fleet = FakeEnvironment.kind()
        self.said: list[str] = []
        self.read = 0
        self.changed: list[str] = []
        """Functions whose code has, which nobody knows yet."""
        self.service = Service(lambda _: surroundings(), self.said.append, self.imported, self.look, kind)
        self.service.deploy(functions)

    def imported(self) -> None:
        self.read += 1

    def look(self) -> None:
        self.service.reload(self.changed)

    def invoke(self, name: str, function: str = "f", trace: str = "") -> Invocation:
        return self.service.invoke(function, InvokeRequest(name, name.encode(), trace))

    async def settle(self) -> None:
        """Let everything run that can."""
        for _ in range(20):
            await asyncio.sleep(0)

    @property
    def took(self) -> list[list[str]]:
        return [each.took for each in self.fleet]


def play(scene: Callable[[Stage], Awaitable[None]], *functions: Function) -> None:
    async def staged() -> None:
        stage = Stage(*functions or [FUNCTION])
        async with asyncio.timeout(60):
            await scene(stage)
            await stage.service.close(0)
        assert all(each.state is State.DEAD for each in stage.fleet)

    asyncio.run(staged())


# Functions


def test_each_function_has_environments_of_its_own() -> None:
    async def scene(stage: Stage) -> None:
        stage.invoke("one", "f")
        stage.invoke("two", "g")
        for each in stage.fleet:
            each.poll()
        assert stage.took == [["one"], ["two"]]

    play(scene, FUNCTION, replace(FUNCTION, name="g"))


def test_a_function_that_is_not_there_is_named_with_those_that_are() -> None:
    async def scene(stage: Stage) -> None:
        with pytest.raises(UnknownFunction, match=r"no function 'h' here. There are: f, g\."):
            stage.invoke("one", "h")

    play(scene, FUNCTION, replace(FUNCTION, name="g"))


def test_environments_are_there_before_anyone_asks() -> None:
    async def scene(stage: Stage) -> None:
        assert len(stage.fleet) == 2

    play(scene, replace(FUNCTION, warm=2))


def test_beyond_the_reserved_concurrency_invocations_are_throttled() -> None:
    async def scene(stage: Stage) -> None:
        one = stage.invoke("one")
        refused = await stage.invoke("two").result
        assert isinstance(refused, Failed)
        assert refused.cause is Cause.THROTTLED
        stage.fleet[0].poll()
        stage.fleet[0].poll()
        assert await one.ended == b"END RequestId: one\n" + (await one.ended).partition(b"\n")[2]
        await stage.settle()
        stage.invoke("three")
        assert stage.took == [["one", "three"]]

    play(scene, replace(FUNCTION, reserved_concurrency=1))


def test_reserved_for_none_is_off() -> None:
    async def scene(stage: Stage) -> None:
        refused = await stage.invoke("one").result
        assert isinstance(refused, Failed)
        assert stage.fleet == []

    play(scene, replace(FUNCTION, reserved_concurrency=0))


def test_a_queue_that_is_full_throttles() -> None:
    async def scene(stage: Stage) -> None:
        for number in range(service_module.WAITING_LIMIT):
            stage.invoke(str(number))
        result = await stage.invoke("one too many").result
        assert isinstance(result, Failed)
        assert result.cause is Cause.THROTTLED

    play(scene, ONE)


def test_what_is_invoked_within_an_invocation_does_not_wait_for_it() -> None:
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0"

    async def scene(stage: Stage) -> None:
        stage.invoke("outer", trace=trace)
        stage.fleet[0].poll()
        stage.invoke("stranger", trace=trace.replace("5759", "5760"))
        assert len(stage.fleet) == 1
        stage.invoke("inner", trace=trace)
        assert len(stage.fleet) == 2

    play(scene, ONE)


def test_one_that_has_not_begun_can_be_withdrawn() -> None:
    async def scene(stage: Stage) -> None:
        one, two = stage.invoke("one"), stage.invoke("two")
        stage.fleet[0].poll()
        assert not stage.service.waits(one)
        assert stage.service.waits(two)
        stage.service.withdraw(two)
        assert await two.result == Failed(Cause.GONE, b"")

    play(scene, ONE)


# Generations


def test_a_new_generation_takes_over_when_it_is_ready_and_the_old_one_finishes_what_it_has_begun() -> None:
    async def scene(stage: Stage) -> None:
        one = stage.invoke("one")
        stage.fleet[0].poll()
        stage.service.reload(["f"])
        await stage.settle()
        assert stage.fleet[1].state is State.STARTING
        stage.fleet[1].poll()
        await stage.settle()
        stage.invoke("two")
        assert stage.took == [["one"], ["two"]]
        stage.fleet[0].poll()
        assert await one.result == Replied(b"one")
        assert stage.fleet[0].state is State.DEAD
        assert stage.said == ["f: reloaded."]

    play(scene)


def test_until_then_the_old_one_serves() -> None:
    async def scene(stage: Stage) -> None:
        stage.invoke("one")
        stage.fleet[0].poll()
        stage.fleet[0].poll()
        stage.service.reload(["f"])
        await stage.settle()
        two = stage.invoke("two")
        stage.fleet[0].poll()
        assert await two.result == Replied(b"two")

    play(scene)


def test_what_waits_for_the_old_one_is_done_by_the_new() -> None:
    async def scene(stage: Stage) -> None:
        stage.invoke("one")
        stage.fleet[0].poll()
        two = stage.invoke("two")
        stage.service.reload(["f"])
        await stage.settle()
        stage.fleet[1].poll()
        await stage.settle()
        stage.fleet[1].poll()
        assert await two.result == Replied(b"two")

    play(scene, ONE)


def test_one_that_does_not_come_up_leaves_the_old_one_serving() -> None:
    async def scene(stage: Stage) -> None:
        stage.invoke("one")
        stage.fleet[0].read("/good.py")
        stage.fleet[0].poll()
        stage.fleet[0].poll()
        assert stage.service.sources()["f"].complete
        stage.service.reload(["f"])
        await stage.settle()
        stage.fleet[1].read("/broken.py")
        stage.fleet[1].fail_init()
        stage.fleet[1].die()
        await stage.settle()
        stage.invoke("two")
        assert stage.took[0] == ["one", "two"]
        assert stage.said == ["f: the new code does not start; the old goes on serving."]
        assert stage.service.sources()["f"].files == {"/good.py", "/broken.py"}, "the file at fault is looked after"
        assert not stage.service.sources()["f"].complete, "and one that it may have missed"

    play(scene)


def test_where_the_old_one_never_came_up_the_new_one_takes_its_place_however_it_goes() -> None:
    async def scene(stage: Stage) -> None:
        stage.fleet[0].fail_init()
        stage.fleet[0].die()
        stage.service.reload(["f"])
        await stage.settle()
        stage.fleet[1].fail_init()
        stage.fleet[1].die()
        await stage.settle()
        one = stage.invoke("one")
        stage.fleet[2].fail_init(b"the traceback")
        assert await one.result == Failed(Cause.INIT, b"the traceback")

    play(scene, replace(FUNCTION, warm=1))


def test_a_change_while_a_generation_starts_starts_another_in_its_place() -> None:
    async def scene(stage: Stage) -> None:
        stage.invoke("one")
        stage.fleet[0].poll()
        stage.fleet[0].poll()
        stage.service.reload(["f"])
        await stage.settle()
        stage.service.reload(["f"])
        await stage.settle()
        assert [each.state for each in stage.fleet[1:]] == [State.DEAD, State.STARTING]
        stage.fleet[2].poll()
        await stage.settle()
        stage.invoke("two")
        assert stage.took[2] == ["two"]

    play(scene)


def test_only_the_functions_concerned_restart() -> None:
    async def scene(stage: Stage) -> None:
        stage.service.reload(["g"])
        await stage.settle()
        assert len(stage.fleet) == 3

    play(scene, replace(FUNCTION, warm=1), replace(FUNCTION, name="g", warm=1))


def test_a_function_in_a_debugger_ends_before_its_next_generation_starts() -> None:
    """They share a port."""

    async def scene(stage: Stage) -> None:
        one = stage.invoke("one")
        stage.fleet[0].poll()
        stage.service.reload(["f"])
        await stage.settle()
        two = stage.invoke("two")
        assert len(stage.fleet) == 1
        stage.fleet[0].poll()
        await stage.settle()
        assert await one.result == Replied(b"one")
        assert [each.state for each in stage.fleet] == [State.DEAD, State.STARTING]
        stage.fleet[1].poll()
        stage.fleet[1].poll()
        assert await two.result == Replied(b"two")

    play(scene, replace(ONE, warm=1, debug="127.0.0.1:5678"))


def test_so_does_one_that_is_saved_again_before_it_has_ended() -> None:
    async def scene(stage: Stage) -> None:
        one = stage.invoke("one")
        stage.fleet[0].poll()
        for _ in range(3):
            stage.service.reload(["f"])
            await stage.settle()
        two = stage.invoke("two")
        assert [each.state for each in stage.fleet] == [State.BUSY]
        stage.fleet[0].poll()
        await stage.settle()
        assert await one.result == Replied(b"one")
        assert [each.state for each in stage.fleet] == [State.DEAD, State.STARTING]
        stage.fleet[1].poll()
        stage.fleet[1].poll()
        assert await two.result == Replied(b"two")

    play(scene, replace(ONE, warm=1, debug="127.0.0.1:5678"))


def test_a_changed_function_is_replaced_others_go_on_and_one_that_is_gone_ends() -> None:
    functions = [replace(FUNCTION, name=name, warm=1) for name in ("changed", "same", "gone")]

    async def scene(stage: Stage) -> None:
        for each in stage.fleet:
            each.poll()
        changed, same, _ = functions
        stage.service.deploy([replace(changed, timeout=7), same, replace(FUNCTION, name="new", warm=1)])
        await stage.settle()
        states = [each.state for each in stage.fleet]
        assert states == [State.IDLE, State.IDLE, State.DEAD, State.STARTING, State.STARTING]
        stage.fleet[4].poll()
        await stage.settle()
        assert stage.fleet[0].state is State.DEAD
        assert list(stage.service.functions) == ["changed", "same", "new"]
        assert stage.service.functions["changed"].timeout == 7

    play(scene, *functions)


def test_files_are_unknown_of_a_runtime_that_does_not_say() -> None:
    async def scene(stage: Stage) -> None:
        before = time.time()
        assert stage.service.sources()["f"][:2] == (set(), True)
        stage.invoke("one")
        stage.fleet[0].poll()
        assert stage.service.sources()["f"][:2] == (set(), False)
        stage.fleet[0].read("/a.py")
        assert stage.service.sources()["f"][:2] == ({"/a.py"}, True)
        await stage.settle()
        assert stage.read == 2, "told of the file, and that the runtime is up"
        stage.service.reload(["f"])
        await stage.settle()
        assert stage.service.sources()["f"].since > before

    play(scene)


def test_while_newer_code_starts_or_cannot_start_the_old_generation_reads_none_of_it() -> None:
    async def scene(stage: Stage) -> None:
        one = stage.invoke("one")
        stage.fleet[0].poll()
        stage.service.reload(["f"])
        await stage.settle()
        two = stage.invoke("two")
        assert len(stage.fleet) == 2, "the second waits for whoever is free first"
        stage.fleet[1].fail_init()
        stage.fleet[1].die()
        await stage.settle()
        three = stage.invoke("three")
        assert len(stage.fleet) == 2
        for invocation in (one, two, three):
            stage.fleet[0].poll()
            assert await invocation.result == Replied(invocation.request.payload)
        stage.fleet[0].die()
        four = stage.invoke("four")
        stage.fleet[2].fail_init(b"the traceback")
        assert await four.result == Failed(Cause.INIT, b"the traceback"), "nobody is left who could do it"

    play(scene)


def test_an_environment_of_the_old_generation_that_reads_half_new_code_costs_no_invocation() -> None:
    async def scene(stage: Stage) -> None:
        one, two = stage.invoke("one"), stage.invoke("two")
        stage.fleet[0].poll()
        stage.service.reload(["f"])
        await stage.settle()
        stage.fleet[1].fail_init()
        stage.fleet[1].die()
        stage.fleet[2].poll()
        await stage.settle()
        assert stage.took == [["one"], [], ["two"]]
        stage.fleet[0].poll()
        stage.fleet[2].poll()
        assert [await each.result for each in (one, two)] == [Replied(b"one"), Replied(b"two")]

    play(scene)


def test_one_that_does_not_start_where_others_did_is_looked_after_before_an_invocation_pays() -> None:
    async def scene(stage: Stage) -> None:
        one, two, three = (stage.invoke(name) for name in ("one", "two", "three"))
        stage.fleet[0].poll()
        stage.fleet[1].fail_init(b"the traceback")
        assert await two.result == Failed(Cause.INIT, b"the traceback"), "for it starts now and then only"
        stage.changed = ["f"]
        stage.fleet[2].fail_init()
        stage.fleet[0].poll()
        stage.fleet[0].poll()
        assert [await each.result for each in (one, three)] == [Replied(b"one"), Replied(b"three")]

    play(scene)


def test_one_that_is_given_up_while_it_starts_is_still_told_of() -> None:
    async def scene(stage: Stage) -> None:
        stage.invoke("one")
        stage.fleet[0].read("/a.py")
        stage.fleet[0].poll()
        stage.service.reload(["f"])
        await stage.settle()
        stage.fleet[1].read("/b.py")
        deployment = stage.service._deployments["f"]
        given_up = deployment.tried
        stage.service.reload(["f"])
        await stage.settle()
        assert not given_up.outcome.cancelled()
        await stage.service.close(0)
        assert stage.service.sources()["f"].files == {"/a.py"}

    play(scene)


# Status, and the end


def test_its_status_is_json() -> None:
    async def scene(stage: Stage) -> None:
        stage.invoke("one")
        stage.fleet[0].poll()
        status = json.loads(json.dumps(stage.service.status()))
        assert status["f"]["generation"] == 1
        assert status["f"]["in_flight"] == 1
        [environment] = status["f"]["environments"]
        assert (environment["state"], environment["invocations"]) == ("busy", 1)

    play(scene)


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


def test_a_streamed_answer_is_one_at_its_end() -> None:
    async def scene(stage: Stage) -> None:
        one = stage.invoke("one")
        stream = Stream("text/plain", bool)
        one.resolve(Streaming(stream))
        draining = asyncio.create_task(stage.service.drained(60))
        await stage.settle()
        assert not draining.done()
        stream.end()
        await draining

    play(scene)


def test_once_closed_nothing_starts() -> None:
    async def scene(stage: Stage) -> None:
        stage.invoke("one")
        two = stage.invoke("two")
        stage.fleet[0].poll()
        stage.service.reload(["f"])
        await stage.service.close(0)
        assert isinstance(await two.result, Failed)
        assert isinstance(await stage.invoke("late").result, Failed)
        assert {each.state for each in stage.fleet} == {State.DEAD}

    play(scene, ONE)
