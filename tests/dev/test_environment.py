"""Real processes, each with its life."""

import asyncio
import json
import re
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from lambent.dev import environment
from lambent.dev.environment import Environment
from lambent.dev.life import State
from lambent.dev.model import Cause, Failed, Function, Invocation, InvokeRequest, Replied, Result, Streaming
from lambent.dev.output import Pipe
from lambent.dev.stream import StreamFailed
from lambent.dev.surroundings import Surroundings
from tests.dev.fakes import Gate, NoTerminal, fake_runtime

LIMIT = 60


class Supervisor:
    """Waits for what an environment reports."""

    def __init__(self) -> None:
        self.readies: asyncio.Queue[Environment] = asyncio.Queue()
        self.failures: asyncio.Queue[Failed] = asyncio.Queue()
        self.deaths = 0
        self.files: list[str] = []

    def ready(self, environment: Environment) -> None:
        self.readies.put_nowait(environment)

    def init_failed(self, failure: Callable[[str], Failed]) -> None:
        self.failures.put_nowait(failure("id"))

    def died(self) -> None:
        self.deaths += 1

    def imported(self, paths: list[str]) -> None:
        self.files += paths


class Stage:
    """One environment, running."""

    def __init__(self, function: Function) -> None:
        self.said: list[str] = []
        self.supervisor = Supervisor()
        self.terminal = NoTerminal()
        self.environment = Environment(function, self.supervisor, Surroundings(self.said.append, self.terminal))
        self.life = asyncio.create_task(self.environment.run())

    async def ready(self) -> None:
        await self.supervisor.readies.get()

    def begin(self, payload: bytes = b"{}", name: str = "id") -> Invocation:
        invocation = Invocation(InvokeRequest(name, payload, "Root=1-2-3"), asyncio.get_running_loop())
        self.environment.invoke(invocation)
        return invocation

    async def invoke(self, payload: bytes = b"{}") -> Result:
        return await self.begin(payload).result

    def time_is_up(self, name: str = "id") -> None:
        """As the clock of an invocation says it, which runs meanwhile."""
        run = self.environment._runs[name]
        assert run.timer is not None
        assert not run.timer.cancelled()
        self.environment._overdue(run)

    @property
    def text(self) -> str:
        return "\n".join(self.said)


Scene = Callable[[Stage], Awaitable[None]]


async def until(holds: Callable[[], bool]) -> None:
    """Until it does; the test's own limit ends it otherwise."""
    while not holds():  # noqa: ASYNC110 - what is waited for tells nobody
        await asyncio.sleep(0.005)


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


def test_an_environment_stands_still_then_works_then_stands_still_and_writes_its_lines(tmp_path: Path) -> None:
    function = fake_runtime(tmp_path, "while True:\n    name, event = take()\n    reply(name, event)\n")

    async def scene(stage: Stage) -> None:
        for number in (b"1", b"2"):
            await stage.ready()
            assert stage.environment.state is State.FROZEN
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
        play(replace(gate.open_to(fake_runtime(tmp_path, script)), timeout=0.2, freeze=False), scene)


def test_work_after_the_reply_is_under_the_same_deadline(tmp_path: Path) -> None:
    function = fake_runtime(tmp_path, "name, _ = take()\nreply(name)\nstay()\n")

    async def scene(stage: Stage) -> None:
        await stage.ready()
        assert isinstance(await stage.invoke(), Replied)
        stage.time_is_up()
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
        play(replace(gate.open_to(fake_runtime(tmp_path, script)), freeze=False), scene)


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


def test_an_exit_during_init_tells_of_files_that_hide_python_s_own(tmp_path: Path) -> None:
    (tmp_path / "enum.py").write_text("", "utf-8")

    async def scene(stage: Stage) -> None:
        await stage.supervisor.failures.get()
        assert (
            f"exit status 1\n  (enum.py in {tmp_path} hides Python's own module of that name)\nINIT_REPORT"
            in stage.text
        )

    play(Function("f", "app.handler", tmp_path), scene)


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


@pytest.mark.parametrize("value", ["a\0b", "\ud800"], ids=["nul", "surrogate"])
def test_so_is_a_variable_that_no_process_can_have(tmp_path: Path, value: str) -> None:
    async def scene(stage: Stage) -> None:
        await asyncio.wait({stage.life})
        assert error(stage.supervisor.failures.get_nowait())[1] == "Runtime.InvalidEntrypoint"

    play(Function("f", "app:app", tmp_path, env={"A": value}), scene)


def test_so_is_a_want_of_descriptors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def used_up(take: Callable[[str], None]) -> Pipe:
        raise OSError(24, "Too many open files")

    async def scene(stage: Stage) -> None:
        await asyncio.wait({stage.life})
        assert "Too many open files" in error(stage.supervisor.failures.get_nowait())[2]

    monkeypatch.setattr(environment, "Pipe", used_up)
    play(Function("f", "app:app", tmp_path), scene)


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


EXTENSION = """
ready = register("INVOKE")
def extend():
    while True:
        print("told of", json.loads(ready()())["requestId"])
        hold()
threading.Thread(target=extend, daemon=True).start()
while True:
    reply(take()[0])
"""


def test_an_invocation_lasts_until_its_extension_is_ready_again(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.ready()
        for name in ("one", "two"):
            invocation = stage.begin(name=name)
            assert await invocation.result == Replied(b"{}"), "the reply does not wait"
            await asyncio.to_thread(gate.arrive)
            await until(lambda: stage.environment._has_asked)
            assert (stage.environment.state, stage.environment.room) == (State.BUSY, 0)
            assert not invocation.ended.done()
            gate.release()
            await stage.ready()
            assert stage.environment.state is State.FROZEN
            assert f"told of {name}" in (await invocation.ended).decode()

    with Gate() as gate:
        play(gate.open_to(fake_runtime(tmp_path, EXTENSION)), scene)


def test_an_extension_has_the_function_s_time(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.ready()
        invocation = stage.begin()
        assert await invocation.result == Replied(b"{}")
        await asyncio.to_thread(gate.arrive)
        await until(lambda: stage.environment._has_asked)
        stage.time_is_up()
        assert b"Task timed out after" in await invocation.ended
        await stage.life

    with Gate() as gate:
        play(gate.open_to(fake_runtime(tmp_path, EXTENSION)), scene)


def test_of_several_invocations_at_a_time_extensions_are_told_nothing(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.ready()
        assert await stage.invoke() == Replied(b"{}")
        await stage.ready()
        assert "told of" not in stage.text

    with Gate() as gate:
        function = gate.open_to(fake_runtime(tmp_path, EXTENSION))
        play(replace(function, concurrency=2), scene)


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


async def streamed(stage: Stage, *, in_time: bool = True) -> tuple[bytes, str]:
    """What came of a streamed reply, and the type of the error that it ended with."""
    await stage.ready()
    result = await stage.invoke()
    assert isinstance(result, Streaming)
    body = b""
    try:
        while piece := await result.stream.read():
            body += piece
            if not in_time:
                stage.time_is_up()
    except StreamFailed as failed:
        return body, str(json.loads(failed.payload)["errorType"])
    return body, ""


@pytest.mark.parametrize(
    ("script", "in_time", "error_type"),
    [(BEGIN + END, True, ""), (BEGIN + "stay()", False, "Sandbox.Timedout"), (BEGIN + "os._exit(3)", True, "Runtime.")],
)
def test_a_streamed_reply_ends_well_or_with_what_ended_it(
    tmp_path: Path, script: str, in_time: bool, error_type: str
) -> None:
    async def scene(stage: Stage) -> None:
        body, failed = await streamed(stage, in_time=in_time)
        assert body == b"one"
        assert failed.startswith(error_type)
        assert bool(failed) is bool(error_type)
        await (stage.life if error_type else stage.ready())

    play(replace(fake_runtime(tmp_path, script), stream=True), scene)


def test_one_that_nothing_was_set_to_stream_comes_whole_and_is_explained(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.ready()
        assert await stage.invoke() == Replied(b"one")
        assert "nothing was set to stream it" in stage.text

    play(fake_runtime(tmp_path, BEGIN + END), scene)


# Between invocations


WORKING = """
import time
def work():
    while True:
        ticks.append(0)
        time.sleep(0.001)
ticks = []
threading.Thread(target=work, daemon=True).start()
while True:
    name, event = take()
    while event == b'"wait"' and len(ticks) < int(known) + 10:
        time.sleep(0.001)
    known = b"%d" % len(ticks)
    reply(name, known)
"""


def stopped(pid: int) -> bool:
    return psutil.Process(pid).status() == psutil.STATUS_STOPPED


@pytest.mark.skipif(sys.platform == "win32", reason="reads the state of a process as POSIX has it")
def test_an_idle_environment_stands_still_and_goes_on_where_it_stood(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.ready()
        await stage.invoke()
        await stage.ready()
        await until(lambda: stage.environment.state is State.FROZEN)
        assert stage.environment.pid
        await until(lambda: stopped(stage.environment.pid or 0))
        assert isinstance(await stage.invoke(b'"wait"'), Replied)  # the thread works on, now
        await stage.ready()

    play(fake_runtime(tmp_path, WORKING), scene)


def test_one_that_is_not_to_freeze_works_on(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.ready()
        await stage.invoke()
        await stage.ready()
        assert stage.environment.state is State.IDLE
        assert stage.environment.pid
        assert not stopped(stage.environment.pid)

    play(replace(fake_runtime(tmp_path, WORKING), freeze=False), scene)


def test_a_frozen_one_may_shut_down(tmp_path: Path) -> None:
    script = "signal.signal(signal.SIGTERM, lambda *_: (open('bye', 'w').close(), sys.exit(0)))\n"
    script += "register()()\ntake()\n"

    async def scene(stage: Stage) -> None:
        await stage.ready()
        await until(lambda: stopped(stage.environment.pid or 0))
        stage.environment.condemn(LIMIT)
        await stage.life
        assert (tmp_path / "bye").exists()

    play(fake_runtime(tmp_path, script), scene)


# Memory


def test_one_that_takes_more_memory_than_it_has_is_ended(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.ready()
        expected = (Cause.EXIT, "Runtime.OutOfMemory", "RequestId: id Error: Runtime exited with error: signal: killed")
        assert error(await stage.invoke()) == expected
        await stage.life
        assert "Status: error\tError Type: Runtime.OutOfMemory" in stage.text
        assert "more than its 128 MB" in stage.text

    play(fake_runtime(tmp_path, "take()\nheld = bytearray(b'x') * 200_000_000\nstay()\n"), scene)


def test_what_its_children_take_counts(tmp_path: Path) -> None:
    script = "take()\nif os.fork() == 0:\n    held = bytearray(b'x') * 200_000_000\nstay()\n"

    async def scene(stage: Stage) -> None:
        await stage.ready()
        assert error(await stage.invoke())[1] == "Runtime.OutOfMemory"
        await stage.life

    play(fake_runtime(tmp_path, script), scene)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere its children are not counted")
def test_what_it_shares_with_its_children_counts_once(tmp_path: Path) -> None:
    script = "held = bytearray(b'x') * 60_000_000\n"
    script += "for _ in range(3):\n    if os.fork() == 0:\n        stay()\ntake()\n"

    async def scene(stage: Stage) -> None:
        await stage.ready()
        assert len(psutil.Process(stage.environment.pid or 0).children()) == 3
        await until(lambda: stage.environment.memory > 60_000_000)  # a look while it forks finds less
        assert stage.environment.memory < 120_000_000

    play(fake_runtime(tmp_path, script), scene)


def test_one_that_takes_too_much_for_its_init_never_starts(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        cause, kind, _ = error(await stage.supervisor.failures.get())
        assert (cause, kind) == (Cause.INIT, "Runtime.OutOfMemory")
        await stage.life

    play(fake_runtime(tmp_path, "held = bytearray(b'x') * 200_000_000\nstay()\n"), scene)


# Its log


def test_what_it_prints_comes_in_lines_between_those_of_the_platform(tmp_path: Path) -> None:
    script = "name, _ = take()\nprint('one')\nprint('two', end='', file=sys.stderr)\nreply(name)\ntake()\n"

    async def scene(stage: Stage) -> None:
        await stage.ready()
        invocation = stage.begin()
        log = (await invocation.ended).decode().split("\n")
        assert log[0] == "START RequestId: id Version: $LATEST"
        assert log[1:3] == ["one", "two"]
        assert log[3] == "END RequestId: id"
        assert log[4].startswith("REPORT RequestId: id\t")

    play(fake_runtime(tmp_path, script), scene)


def test_the_end_of_a_long_log_is_kept(tmp_path: Path) -> None:
    script = "name, _ = take()\nfor _ in range(1000):\n    print('x' * 99)\nreply(name)\ntake()\n"

    async def scene(stage: Stage) -> None:
        await stage.ready()
        log = await stage.begin().ended
        assert len(log) == 4096
        assert b"REPORT" in log
        assert stage.text.count("x" * 99) == 1000

    play(fake_runtime(tmp_path, script), scene)


# Several at a time


SEVERAL = """
from concurrent.futures import ThreadPoolExecutor
def work(_):
    own = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        own.request("GET", "/2018-06-01/runtime/invocation/next")
        answer = own.getresponse()
        event, name = answer.read(), answer.headers["Lambda-Runtime-Aws-Request-Id"]
        if event == b'"hold"':
            hold()
        own.request("POST", f"/2018-06-01/runtime/invocation/{name}/response", event)
        replies.append((name, own.getresponse().read()))
        if len(replies) == 3:
            open("replies", "w").write(json.dumps([text.decode() for _, text in replies]))
replies = []
list(ThreadPoolExecutor(2).map(work, range(2)))
"""


def test_several_invocations_are_in_it_at_once(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.ready()
        both = [stage.begin(b'"hold"', name) for name in ("one", "two")]
        assert stage.environment.room == 0
        for _ in both:
            await asyncio.to_thread(gate.arrive)
        for _ in both:
            gate.release()
        for each in both:
            assert await each.result == Replied(b'"hold"')
        assert "REPORT RequestId: one" in stage.text
        assert "REPORT RequestId: two" in stage.text
        await until(lambda: stage.environment.room == 2)

    with Gate() as gate:
        play(replace(gate.open_to(fake_runtime(tmp_path, SEVERAL)), concurrency=2), scene)


def test_of_several_one_whose_time_is_up_fails_alone_and_its_late_reply_is_refused(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.ready()
        late = stage.begin(b'"hold"', "late")
        await asyncio.to_thread(gate.arrive)
        stage.time_is_up("late")
        assert error(await late.result)[:2] == (Cause.TIMEOUT, "Sandbox.Timedout")
        assert stage.environment.room == 1, "its code goes on"
        assert await stage.begin(b"2", "other").result == Replied(b"2")
        gate.release()
        assert await stage.begin(b"3", "third").result == Replied(b"3")
        await until(lambda: (tmp_path / "replies").exists() and (tmp_path / "replies").stat().st_size > 0)
        assert "InvokeTimeout" in (tmp_path / "replies").read_text("utf-8")

    with Gate() as gate:
        play(replace(gate.open_to(fake_runtime(tmp_path, SEVERAL)), concurrency=2), scene)


# Clocks, and the start


def test_a_breakpoint_stops_the_clock_until_the_invocation_is_over(tmp_path: Path) -> None:
    script = """
name, _ = take()
api.request("POST", "/_lambent/breakpoint")
answer = api.getresponse()
answer.read()
hold()
reply(name, b"%d" % answer.status)
name, _ = take()
stay()
"""

    async def scene(stage: Stage) -> None:
        await stage.ready()
        invocation = stage.begin()
        run = stage.environment._runs["id"]
        clock = run.timer
        assert clock is not None
        await asyncio.to_thread(gate.arrive)
        assert clock.cancelled()
        assert run.timer is None
        gate.release()
        assert await invocation.result == Replied(b"409")
        await stage.ready()
        assert stage.terminal.asked == [stage.environment.pid]
        assert stage.environment.pid in stage.terminal.returned
        following = stage.begin()
        stage.time_is_up()
        assert error(await following.result)[0] is Cause.TIMEOUT, "the next one has a clock again"

    with Gate() as gate:
        play(gate.open_to(fake_runtime(tmp_path, script)), scene)


def test_a_start_may_take_longer_than_here(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.ready()
        assert "Init Duration" not in stage.text
        await stage.invoke()
        await stage.ready()
        duration = re.search(r"Init Duration: ([\d.]+) ms", stage.text)
        assert duration
        assert float(duration[1]) >= 300

    play(replace(fake_runtime(tmp_path, "name, _ = take()\nreply(name)\ntake()\n"), cold_start=0.3), scene)


def test_one_that_is_condemned_before_its_long_start_is_over_never_lives(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await asyncio.sleep(0)
        stage.environment.condemn(LIMIT)
        await stage.life

    play(replace(fake_runtime(tmp_path, "stay()\n"), cold_start=LIMIT), scene)


def test_the_files_it_has_read_are_passed_on(tmp_path: Path) -> None:
    script = """
starter = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
starter.request("POST", "/_lambent/imported", b"/a.py\\n/b.py")
take()
"""

    async def scene(stage: Stage) -> None:
        await stage.ready()
        await until(lambda: {"/a.py", "/b.py"} <= set(stage.supervisor.files))

    play(fake_runtime(tmp_path, script), scene)


pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or not hasattr(signal, "SIGKILL"), reason="the scripts speak of forks and signals"
)
