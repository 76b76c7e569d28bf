"""One life: the table, and real processes that live it."""

import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lambent.dev.environment import LIFE, Environment, State, Step, after
from lambent.dev.model import Cause, Failed, Function, Invocation, Replied, Result, Streaming
from lambent.dev.stream import StreamFailed
from lambent.errors import IllegalTransition
from tests.dev.fakes import Gate, fake_runtime

LIMIT = 20


class Supervisor:
    """Waits for what an environment reports."""

    def __init__(self) -> None:
        self.readies: asyncio.Queue[Environment] = asyncio.Queue()
        self.failures: asyncio.Queue[Failed] = asyncio.Queue()
        self.deaths = 0

    def ready(self, environment: Environment) -> None:
        self.readies.put_nowait(environment)

    def init_failed(self, failure: Callable[[str], Failed]) -> None:
        self.failures.put_nowait(failure("id"))

    def died(self) -> None:
        self.deaths += 1


class Stage:
    """One environment, running."""

    def __init__(self, function: Function) -> None:
        self.said: list[str] = []
        self.supervisor = Supervisor()
        self.environment = Environment(function, self.supervisor, self.said.append)
        self.life = asyncio.create_task(self.environment.run())

    async def ready(self) -> None:
        await self.supervisor.readies.get()

    async def invoke(self, payload: bytes = b"{}") -> Result:
        result: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self.environment.invoke(Invocation("id", payload, "Root=1-2-3", result))
        return await result

    @property
    def text(self) -> str:
        return "\n".join(self.said)


Scene = Callable[[Stage], Awaitable[None]]


def play(function: Function, scene: Scene) -> None:
    async def staged() -> None:
        stage = Stage(function)
        try:
            async with asyncio.timeout(LIMIT):
                await scene(stage)
        finally:
            stage.environment.kill()
            await stage.life
        assert stage.environment.state is State.DEAD
        assert stage.supervisor.deaths == 1

    asyncio.run(staged())


def error(result: Result) -> tuple[Cause, str, str]:
    assert isinstance(result, Failed)
    told = json.loads(result.payload)
    return result.cause, told["errorType"], told["errorMessage"]


def test_every_state_is_drawn_and_every_life_can_end() -> None:
    assert set(LIFE) == set(State)
    assert all(LIFE[state][Step.EXITED] is State.DEAD for state in State if state is not State.DEAD)
    assert LIFE[State.DEAD] == {}


@pytest.mark.parametrize(
    ("state", "step"), [(State.BUSY, Step.INVOKED), (State.STARTING, Step.INVOKED), (State.DEAD, Step.POLLED)]
)
def test_a_step_that_leads_nowhere_is_refused(state: State, step: Step) -> None:
    with pytest.raises(IllegalTransition, match=state.value):
        after(state, step)


def test_an_environment_is_idle_then_busy_then_idle_and_writes_its_lines(tmp_path: Path) -> None:
    function = fake_runtime(tmp_path, "while True:\n    name, event = take()\n    reply(name, event)\n")

    async def scene(stage: Stage) -> None:
        for number in (b"1", b"2"):
            await stage.ready()
            assert stage.environment.state is State.IDLE
            assert await stage.invoke(number) == Replied(number)
        await stage.ready()
        start, first, _, second = stage.said
        assert start == "START RequestId: id Version: $LATEST"
        assert first.startswith("END RequestId: id\nREPORT RequestId: id\tDuration: ")
        assert "Init Duration" in first
        assert "Init Duration" not in second
        assert "Max Memory Used: 0 MB" not in first

    play(function, scene)


def test_it_stays_busy_after_its_reply_until_it_asks_for_more(tmp_path: Path) -> None:
    function = fake_runtime(tmp_path, "name, _ = take()\nreply(name)\nhold()\ntake()\n")

    async def scene(stage: Stage) -> None:
        await stage.ready()
        assert isinstance(await stage.invoke(), Replied)
        await asyncio.to_thread(gate.arrive)
        assert stage.environment.state is State.BUSY
        assert "REPORT" not in stage.text
        gate.release()
        await stage.ready()
        assert "REPORT" in stage.text

    with Gate() as gate:
        play(gate.open_to(function), scene)


def test_a_function_error_is_passed_on_byte_for_byte(tmp_path: Path) -> None:
    payload = '{ "errorType": "E"}'
    function = fake_runtime(tmp_path, f"name, _ = take()\nfail(name, {payload!r})\ntake()\n")

    async def scene(stage: Stage) -> None:
        await stage.ready()
        assert await stage.invoke() == Failed(Cause.FUNCTION, payload.encode())
        await stage.ready()

    play(function, scene)


def test_a_result_over_the_limit_is_an_error_and_the_environment_lives_on(tmp_path: Path) -> None:
    script = (
        "name, _ = take()\nassert reply(name, b'x' * 6291557) == 413\nname, _ = take()\nreply(name, b'ok')\ntake()\n"
    )

    async def scene(stage: Stage) -> None:
        await stage.ready()
        assert error(await stage.invoke())[:2] == (Cause.SIZE, "Function.ResponseSizeTooLarge")
        await stage.ready()
        assert await stage.invoke() == Replied(b"ok")

    play(fake_runtime(tmp_path, script), scene)


def test_when_its_time_is_up_it_is_killed_with_everything_it_started(tmp_path: Path) -> None:
    script = """
if os.fork() == 0:
    hold()
name, _ = take()
stay()
"""

    async def scene(stage: Stage) -> None:
        await asyncio.to_thread(gate.arrive)
        await stage.ready()
        expected = (Cause.TIMEOUT, "Sandbox.Timedout", "RequestId: id Error: Task timed out after 0.20 seconds")
        assert error(await stage.invoke()) == expected
        await stage.life
        assert await asyncio.to_thread(gate.gone)
        assert "Task timed out after 0.20 seconds" in stage.text
        assert "Status: timeout" in stage.text

    with Gate() as gate:
        play(replace(gate.open_to(fake_runtime(tmp_path, script)), timeout=0.2), scene)


def test_work_after_the_reply_is_under_the_same_deadline(tmp_path: Path) -> None:
    function = replace(fake_runtime(tmp_path, "name, _ = take()\nreply(name)\nstay()\n"), timeout=0.2)

    async def scene(stage: Stage) -> None:
        await stage.ready()
        assert isinstance(await stage.invoke(), Replied)
        await stage.life
        assert "Status: timeout" in stage.text

    play(function, scene)


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        ("os._exit(3)", "Runtime exited with error: exit status 3"),
        ("os._exit(0)", "Runtime exited without providing a reason"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "Runtime exited with error: signal: killed"),
    ],
)
def test_an_exit_in_the_middle_is_told(tmp_path: Path, end: str, reason: str) -> None:
    async def scene(stage: Stage) -> None:
        await stage.ready()
        expected = (Cause.EXIT, "Runtime.ExitError", f"RequestId: id Error: {reason}")
        assert error(await stage.invoke()) == expected
        assert reason in stage.text
        assert "Status: error" in stage.text

    play(fake_runtime(tmp_path, f"take()\n{end}\n"), scene)


def test_children_do_not_outlive_it(tmp_path: Path) -> None:
    script = "if os.fork() == 0:\n    hold()\ntake()\nos._exit(0)\n"

    async def scene(stage: Stage) -> None:
        await asyncio.to_thread(gate.arrive)
        await stage.ready()
        await stage.invoke()
        assert await asyncio.to_thread(gate.gone)

    with Gate() as gate:
        play(gate.open_to(fake_runtime(tmp_path, script)), scene)


def test_an_init_error_is_the_failure_word_for_word_and_is_printed(tmp_path: Path) -> None:
    payload = '{"errorType": "Runtime.ImportModuleError", "errorMessage": "no", "stackTrace": ["  File a"]}'

    async def scene(stage: Stage) -> None:
        assert await stage.supervisor.failures.get() == Failed(Cause.INIT, payload.encode())
        assert stage.environment.state is State.DRAINING
        assert "File a\nRuntime.ImportModuleError: no" in stage.text
        assert "INIT_REPORT" in stage.text

    play(fake_runtime(tmp_path, f"ask('POST', '/init/error', {payload!r})\nsys.exit(1)\n"), scene)


def test_an_exit_during_init_is_a_failure(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        expected = (Cause.INIT, "Runtime.ExitError", "RequestId: id Error: Runtime exited with error: exit status 7")
        assert error(await stage.supervisor.failures.get()) == expected

    play(fake_runtime(tmp_path, "sys.exit(7)\n"), scene)


def test_init_has_a_limit(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        kind = error(await stage.supervisor.failures.get())[1:]
        assert kind == ("Sandbox.Timedout", "RequestId: id Error: Init timed out after 0.20 seconds")
        await stage.life
        assert "Status: timeout" in stage.text

    play(replace(fake_runtime(tmp_path, "stay()\n"), init_timeout=0.2), scene)


def test_an_interpreter_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        assert error(await stage.supervisor.failures.get())[1] == "Runtime.InvalidEntrypoint"

    play(Function("f", "app:app", tmp_path, python=str(tmp_path / "python9")), scene)


def test_a_condemned_runtime_may_shut_down(tmp_path: Path) -> None:
    script = "signal.signal(signal.SIGTERM, lambda *_: (open('bye', 'w').close(), sys.exit(0)))\n"
    script += "register()()\ntake()\n"

    async def scene(stage: Stage) -> None:
        await stage.ready()
        stage.environment.condemn(LIMIT)
        await stage.life
        assert (tmp_path / "bye").exists()

    play(fake_runtime(tmp_path, script), scene)


def test_one_without_an_extension_is_not_asked(tmp_path: Path) -> None:
    script = "signal.signal(signal.SIGTERM, lambda *_: open('bye', 'w').close())\ntake()\nstay()\n"

    async def scene(stage: Stage) -> None:
        await stage.ready()
        stage.environment.condemn(LIMIT)
        await stage.life
        assert not (tmp_path / "bye").exists()

    play(fake_runtime(tmp_path, script), scene)


def test_init_lasts_until_its_extension_is_ready(tmp_path: Path) -> None:
    script = """
ready = register()
api.request("GET", "/2018-06-01/runtime/invocation/next")
hold()
ready()
answer = api.getresponse()
answer.read()
reply(answer.headers["Lambda-Runtime-Aws-Request-Id"])
take()
"""

    async def scene(stage: Stage) -> None:
        await asyncio.to_thread(gate.arrive)
        assert stage.environment.state is State.STARTING
        gate.release()
        await stage.ready()
        assert await stage.invoke() == Replied(b"{}")
        await stage.ready()

    with Gate() as gate:
        play(gate.open_to(fake_runtime(tmp_path, script)), scene)


def test_one_that_is_restored_wrongly_fails_its_init(tmp_path: Path) -> None:
    script = """
assert ask("GET", "/restore/next")[0] == 200
assert os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"] == "snap-start"
ask("POST", "/restore/error", b'{"errorType": "E", "errorMessage": "m"}')
sys.exit(65)
"""

    async def scene(stage: Stage) -> None:
        assert error(await stage.supervisor.failures.get()) == (Cause.INIT, "E", "m")

    play(replace(fake_runtime(tmp_path, script), snapstart=True), scene)


def test_one_that_does_not_is_killed(tmp_path: Path) -> None:
    script = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nregister()()\ntake()\nstay()\n"

    async def scene(stage: Stage) -> None:
        await stage.ready()
        stage.environment.condemn(0.1)
        await stage.life

    play(fake_runtime(tmp_path, script), scene)


def test_one_that_is_condemned_while_busy_fails_its_invocation(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.ready()
        result = asyncio.create_task(stage.invoke())
        await asyncio.to_thread(gate.arrive)
        stage.environment.condemn(LIMIT)
        assert error(await result)[1] == "Runtime.ExitError"

    with Gate() as gate:
        play(gate.open_to(fake_runtime(tmp_path, "take()\nhold()\n")), scene)


def test_one_that_is_condemned_before_it_started_never_lives(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await asyncio.sleep(0)
        stage.environment.condemn(LIMIT)
        await stage.life

    play(fake_runtime(tmp_path, "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nstay()\n"), scene)


def test_the_process_is_in_a_group_of_its_own_and_reads_no_terminal(tmp_path: Path) -> None:
    script = "name, _ = take()\nreply(name, json.dumps([os.getpgid(0) == os.getpid(), sys.stdin.read()]))\ntake()\n"

    async def scene(stage: Stage) -> None:
        await stage.ready()
        assert await stage.invoke() == Replied(b'[true, ""]')
        await stage.ready()

    play(fake_runtime(tmp_path, script), scene)


BEGIN = """
name, _ = take()
api.putrequest("POST", f"/2018-06-01/runtime/invocation/{name}/response")
api.putheader("Lambda-Runtime-Function-Response-Mode", "streaming")
api.putheader("Transfer-Encoding", "chunked")
api.endheaders()
api.send(b"3\\r\\none\\r\\n")
"""
END = 'api.send(b"0\\r\\n\\r\\n")\napi.getresponse().read()\ntake()\n'


async def streamed(stage: Stage) -> tuple[bytes, str]:
    """What came of a streamed reply, and the type of the error that it ended with."""
    await stage.ready()
    result = await stage.invoke()
    assert isinstance(result, Streaming)
    body = b""
    try:
        while piece := await result.stream.read():
            body += piece
    except StreamFailed as failed:
        return body, str(json.loads(failed.payload)["errorType"])
    return body, ""


@pytest.mark.parametrize(
    ("script", "timeout", "error_type"),
    [(BEGIN + END, 30, ""), (BEGIN + "stay()", 0.3, "Sandbox.Timedout"), (BEGIN + "os._exit(3)", 30, "Runtime.")],
)
def test_a_streamed_reply_ends_well_or_with_what_ended_it(
    tmp_path: Path, script: str, timeout: float, error_type: str
) -> None:
    async def scene(stage: Stage) -> None:
        body, failed = await streamed(stage)
        assert body == b"one"
        assert failed.startswith(error_type)
        assert bool(failed) is bool(error_type)
        await (stage.life if error_type else stage.ready())

    play(replace(fake_runtime(tmp_path, script), timeout=timeout, stream=True), scene)


def test_one_that_nothing_was_set_to_stream_comes_whole_and_is_explained(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.ready()
        assert await stage.invoke() == Replied(b"one")
        assert "nothing was set to stream it" in stage.text

    play(fake_runtime(tmp_path, BEGIN + END), scene)


pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or not hasattr(signal, "SIGKILL"), reason="the scripts speak of forks and signals"
)
