"""A fleet behaves as on AWS: seen from within real functions, on our runtime and on AWS's own."""

import asyncio
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

from lambent.dev.config import Project
from lambent.dev.local import Local
from lambent.dev.model import Cause, Failed, Function, InvokeRequest, Replied
from tests.dev.fakes import Gate
from tests.dev.local import LIMIT, LocalLambda

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="it speaks of signals")

APP = '''
import asyncio, ctypes, json, os, socket, subprocess, sys, tempfile, threading, time

count = 0
ticks = []
tasks = []

def hold():
    with socket.create_connection(("127.0.0.1", int(os.environ["GATE"]))) as gate:
        gate.sendall(b"%d\\n" % os.getpid())
        gate.recv(1)

def counted(event, context):
    global count
    count += 1
    return [os.getpid(), count]

def held(event, context):
    hold()
    return [os.getpid(), os.environ.get("AWS_LAMBDA_MAX_CONCURRENCY"), os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]]

async def after(scope, receive, send):
    """Holds when it has replied."""
    if scope["type"] == "lifespan":
        raise RuntimeError("none")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"%d" % os.getpid()})
    if scope["path"].endswith("/hold"):
        await asyncio.to_thread(hold)

barrier = asyncio.Barrier(16)

async def together(event, context):
    await barrier.wait()
    return [os.getpid(), os.environ.get("AWS_LAMBDA_MAX_CONCURRENCY"), os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]]

async def held_alone(event, context):
    await asyncio.to_thread(hold)
    return os.getpid()

def note():
    ticks.append(0)
    with open(os.environ["TICKS"], "ab") as file:
        file.write(b".")

def work():
    while True:
        note()
        time.sleep(0.001)

def leave_thread(event, context):
    """Leaves a thread behind, and waits for it to get on."""
    if not ticks:
        threading.Thread(target=work, daemon=True).start()
    known = len(ticks)
    while len(ticks) < known + 10:
        time.sleep(0.001)
    return os.getpid()

async def leave_task(event, context):
    async def work():
        while True:
            note()
            await asyncio.sleep(0.001)
    if not tasks:
        tasks.append(asyncio.create_task(work()))
    known = len(ticks)
    while len(ticks) < known + 10:
        await asyncio.sleep(0.001)
    return os.getpid()

def stays(event, context):
    """Never ends, the first time."""
    global count
    count += 1
    path = os.path.join(tempfile.gettempdir(), event)
    if os.path.exists(path):
        return [os.getpid(), count, open(path).read()]
    with open(path, "w") as file:
        file.write(str(os.getpid()))
    threading.Event().wait()

def eats(event, context):
    if event["rawPath"].endswith("/eat"):
        held = bytearray(os.urandom(1) * 200_000_000)
        threading.Event().wait()
    return {"statusCode": 200, "body": str(os.getpid())}

def layered(event, context):
    import bare, both, mine
    ctypes.CDLL("libfleet.so")
    tool = subprocess.run(["fleet-tool"], capture_output=True, text=True, check=True)
    return [both.WHERE, bare.WHERE, mine.WHERE, tool.stdout]

def interpreter(event, context):
    return [*sys.version_info[:3], __import__("lambent").__name__]

def variables(event, context):
    return [os.environ.get(name) for name in event]

def identity(event, context):
    now = time.time() * 1000
    seen = {
        "pid": os.getpid(),
        "id": context.aws_request_id,
        "trace": os.environ["_X_AMZN_TRACE_ID"],
        "stream": [context.log_stream_name, os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]],
        "deadline": now + context.get_remaining_time_in_millis(),
        "headers": event["headers"],
        "request_context": event["requestContext"],
    }
    return {"statusCode": 200, "body": json.dumps(seen)}

async def parting(scope, receive, send):
    """Writes a file when it is shut down."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                open(os.environ["BYE"], "w").close()
            await send({"type": message["type"] + ".complete"})
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"%d" % os.getpid()})
'''

STRATEGIES = """
def eldest(environments):
    return environments[0]
"""

THEIRS = pytest.param(
    "awslambdaric",
    marks=pytest.mark.skipif(not importlib.util.find_spec("awslambdaric"), reason="awslambdaric is not installed"),
)
both_runtimes = pytest.mark.parametrize("runtime", ["lambent", THEIRS])

DOORS = {
    "url": 429,
    "http": 503,
    "http1": 503,
    "rest": 500,
    "alb": 502,
    "alb-multi": 502,
    "lattice1": 500,
    "lattice": 500,
    "edge": 503,
    "edge-viewer": 503,
}
"""What a client gets whose invocation is throttled."""


def functions(folder: Path) -> dict[str, dict[str, object]]:
    """One or two for each test, so that each begins with a fleet of its own."""
    on_both: dict[str, dict[str, object]] = {
        "scales": {"handler": "app.held", "environments": 3},
        "reused": {"handler": "app.counted"},
        "idle": {"handler": "app.counted", "idle-timeout": 0.3},
        "thread": {"handler": "app.leave_thread"},
        "awake": {"handler": "app.leave_thread", "freeze": False},
        "stays": {"handler": "app.stays", "timeout": 1.5, "env": {"LAMBENT_DEADLINE_MARGIN": "0"}},
        "eats": {"handler": "app.eats", "memory": 128, "path": "/eats-RUNTIME/{proxy+}"},
        "layered": {"handler": "app.layered", "layers": ["first", "second"]},
        "variables": {"handler": "app.variables", "env": {"OF_FUNCTION": "function"}},
        "identity": {"handler": "app.identity", "path": "/identity-RUNTIME"},
        "turns": {"handler": "app.counted", "warm": 2, "strategy": "round-robin"},
        "recent": {"handler": "app.counted", "warm": 2},
        "chosen": {"handler": "app.counted", "warm": 2, "strategy": "strategies:eldest"},
        "several": {"handler": "app.held", "environments": 1, "concurrency": 16, "memory": 2048},
    }
    found: dict[str, dict[str, object]] = {
        "after": {"handler": "app:after", "path": "/after/{proxy+}", "environments": 1},
        "together": {"handler": "app:together", "environments": 1, "concurrency": 16, "memory": 2048},
        "task": {"handler": "app.leave_task"},
        "reserved": {"handler": "app.held", "reserved-concurrency": 1},
    }
    for door in DOORS:
        found[door] = {"handler": "app.held", "door": door, "path": f"/{door}", "reserved-concurrency": 0}
    for name in ("shut-down", "killed"):
        env = {"BYE": str(folder / name), "LAMBENT_EXTENSION": str(int(name == "shut-down"))}
        found[name] = {"handler": "app:parting", "path": f"/{name}", "idle-timeout": 0.3, "env": env}
    for runtime in ("lambent", "awslambdaric"):
        for name, table in on_both.items():
            own = json.loads(json.dumps(table).replace("RUNTIME", runtime))
            found[f"{name}-{runtime}"] = {**own, "runtime": runtime}
    for name, table in found.items():
        if name.startswith(("thread", "awake", "task")):
            table["env"] = {"TICKS": str(folder / f"{name}.ticks")}
    return found


def toml(table: Mapping[str, object]) -> str:
    return "{" + ", ".join(f"{key} = {value(each)}" for key, each in table.items()) + "}"


def value(each: object) -> str:
    return toml(each) if isinstance(each, dict) else json.dumps(each)


def write_project(folder: Path, tables: dict[str, dict[str, object]], gate: Gate) -> None:
    env = {"GATE": gate.port, "OF_PROJECT": "project", "OF_FUNCTION": "project"}
    lines = [
        "[tool.lambent]",
        f"env = {toml(env)}",
        f"defaults = {toml({'timeout': LIMIT, 'memory': 512})}",
        "[tool.lambent.functions]",
        *(f"{name} = {toml(table)}" for name, table in tables.items()),
    ]
    (folder / "pyproject.toml").write_text("\n".join(lines), "utf-8")
    dotenv = "".join(f"{name}=file\n" for name in ("OF_FILE", "OF_PROJECT", "OF_FUNCTION"))
    (folder / ".env").write_text(dotenv, "utf-8")
    (folder / "app.py").write_text(APP, "utf-8")
    (folder / "strategies.py").write_text(STRATEGIES, "utf-8")


def write_layers(folder: Path) -> None:
    """Two that both have `both` and `mine`, as the application has; the first has a module outside `python/`, too."""
    (folder / "mine.py").write_text("WHERE = 'application'\n", "utf-8")
    for layer in ("first", "second"):
        (folder / layer / "python").mkdir(parents=True)
        for module in ("both", "mine"):
            (folder / layer / "python" / f"{module}.py").write_text(f"WHERE = {layer!r}\n", "utf-8")
    (folder / "first" / "bare.py").write_text("WHERE = 'first'\n", "utf-8")
    tool = folder / "first" / "bin" / "fleet-tool"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho of a layer\n", "utf-8")
    tool.chmod(0o755)
    (folder / "second" / "lib").mkdir()
    library = next(Path(sysconfig.get_config_var("DESTSHARED")).glob("*.so"))
    shutil.copy(library, folder / "second" / "lib" / "libfleet.so")


class Place(NamedTuple):
    """A local Lambda, and what is needed to talk to it."""

    local: LocalLambda
    gate: Gate
    folder: Path
    crowd: ThreadPoolExecutor
    """Clients."""

    def invoke(self, name: str, event: object = None) -> Any:
        """The function's result; its error where there is one."""
        path = f"/2015-03-31/functions/{name}/invocations"
        answer = self.local.ask("POST", path, json.dumps(event).encode())
        assert answer.status == 200, answer
        return json.loads(answer.body)

    def begin(self, name: str, event: object = None) -> "Future[Any]":
        """As `invoke`, in the background."""
        return self.crowd.submit(self.invoke, name, event)

    def status(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.local.get("/_lambent/status").body)["functions"][name]
        return found

    def states(self, name: str) -> list[str]:
        return [each["state"] for each in self.status(name)["environments"]]

    def quiet(self, name: str) -> list[int]:
        """Wait until none of its environments is starting or busy. Their processes."""
        until(lambda: not {"starting", "busy"} & set(self.states(name)))
        return [each["pid"] for each in self.status(name)["environments"]]

    def two(self, name: str) -> list[int]:
        """Wait until both of those that were started with the server are ready. Their processes, oldest first."""
        until(lambda: len(self.quiet(name)) == 2)
        return self.quiet(name)


def until(fact: Callable[[], bool]) -> None:
    limit = time.monotonic() + LIMIT
    while not fact():
        assert time.monotonic() < limit
        time.sleep(0.01)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("fleet")
    with Gate() as gate, ThreadPoolExecutor(20) as crowd, pytest.MonkeyPatch.context() as patch:
        for name in ("OF_SHELL", "OF_FILE", "OF_PROJECT", "OF_FUNCTION"):
            patch.setenv(name, "shell")
        write_layers(folder)
        write_project(folder, functions(folder), gate)
        with LocalLambda(folder, "--config=pyproject.toml") as local:
            yield Place(local, gate, folder, crowd)


# Scale


@both_runtimes
def test_it_scales_up_to_its_limit_as_invocations_come_and_not_beyond(runtime: str, place: Place) -> None:
    name = f"scales-{runtime}"
    assert place.states(name) == []
    invocations = [place.begin(name) for _ in range(3)]
    pids = {place.gate.arrive() for _ in range(3)}
    assert len(pids) == 3, "three at once, each in a process of its own"
    invocations += [place.begin(name) for _ in range(2)]
    until(lambda: place.status(name)["waiting"] == 2)
    assert place.states(name) == ["busy"] * 3
    for _ in range(2):
        place.gate.release(0)
        assert place.gate.arrive() in pids, "it is used again"
    for _ in range(3):
        place.gate.release()
    assert {str(each.result(LIMIT)[0]) for each in invocations} == pids
    assert sum(each["invocations"] for each in place.status(name)["environments"]) == 5


def test_it_is_busy_until_it_asks_for_more_though_its_reply_has_left(place: Place) -> None:
    pid = place.local.get("/after/hold").body
    assert place.gate.arrive() == pid.decode()
    assert place.states("after") == ["busy"]
    following = place.crowd.submit(place.local.get, "/after/next")
    until(lambda: place.status("after")["waiting"] == 1)
    place.gate.release()
    assert following.result(LIMIT).body == pid


@both_runtimes
def test_a_warm_one_is_used_again_with_all_that_it_has_in_memory(runtime: str, place: Place) -> None:
    name = f"reused-{runtime}"
    pid, count = place.invoke(name)
    assert count == 1
    place.quiet(name)
    assert place.invoke(name) == [pid, 2]


@both_runtimes
def test_one_that_nobody_needs_is_ended(runtime: str, place: Place) -> None:
    name = f"idle-{runtime}"
    pid, _ = place.invoke(name)
    until(lambda: place.states(name) == [])
    assert not psutil.pid_exists(pid)
    assert place.invoke(name)[1] == 1


def test_beyond_the_reserved_concurrency_it_is_throttled_until_one_has_ended(place: Place) -> None:
    first = place.begin("reserved")
    place.gate.arrive()
    answer = place.local.ask("POST", "/2015-03-31/functions/reserved/invocations", b"")
    assert answer.status == 429
    assert json.loads(answer.body)["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    place.gate.release()
    first.result(LIMIT)
    until(lambda: place.status("reserved")["in_flight"] == 0)
    second = place.begin("reserved")
    place.gate.arrive()
    place.gate.release()
    second.result(LIMIT)


@pytest.mark.parametrize("door", DOORS)
def test_each_door_says_in_its_own_way_that_a_function_is_throttled(door: str, place: Place) -> None:
    assert place.local.get(f"/{door}").status == DOORS[door]
    assert place.states(door) == []


# Several invocations in one environment


def test_one_process_of_ours_handles_sixteen_at_once(place: Place) -> None:
    invocations = [place.begin("together") for _ in range(16)]
    replies = [each.result(LIMIT) for each in invocations]
    (pid,) = place.quiet("together")
    assert replies == [[pid, "16", "lambda-managed-instances"]] * 16


@both_runtimes
def test_sixteen_invocations_share_an_environment(runtime: str, place: Place) -> None:
    """With AWS's runtime that is sixteen processes."""
    name = f"several-{runtime}"
    invocations = [place.begin(name) for _ in range(16)]
    arrived = {place.gate.arrive() for _ in range(16)}
    status = place.status(name)
    assert (len(status["environments"]), status["in_flight"]) == (1, 16)
    assert len(arrived) == (1 if runtime == "lambent" else 16)
    for _ in range(16):
        place.gate.release()
    replies = [each.result(LIMIT) for each in invocations]
    assert {str(reply[0]) for reply in replies} == arrived
    assert {tuple(reply[1:]) for reply in replies} == {("16", "lambda-managed-instances")}


@both_runtimes
def test_of_several_one_whose_time_is_up_leaves_the_others(runtime: str, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP, "utf-8")
    function = Function(
        "f", "app.held", tmp_path, runtime=runtime, concurrency=3, timeout=LIMIT, memory=1024, environments=1
    )

    async def scene(gate: Gate) -> None:
        local = Local(Project((gate.open_to(function),)), "", lambda _: None)
        local.open()
        try:
            late, other = (local.service.invoke("f", InvokeRequest(name, b"{}", "")) for name in ("late", "other"))
            await asyncio.to_thread(gate.arrive)
            await asyncio.to_thread(gate.arrive)
            (environment,) = local.service._deployments["f"].serving.environments
            environment._overdue(environment._runs["late"])  # as its clock does
            result = await late.result
            assert isinstance(result, Failed)
            assert result.cause is Cause.TIMEOUT
            third = local.service.invoke("f", InvokeRequest("third", b"{}", ""))
            await asyncio.to_thread(gate.arrive)
            for _ in range(3):
                gate.release()
            assert [type(await each.result) for each in (other, third)] == [Replied, Replied]
            assert local.service._deployments["f"].serving.environments == [environment]
        finally:
            await local.end()

    with Gate() as gate:
        asyncio.run(asyncio.wait_for(scene(gate), 2 * LIMIT))


# Starts


@both_runtimes
def test_in_chaos_each_invocation_has_a_new_environment_and_a_slow_start(runtime: str, place: Place) -> None:
    options = ("--chaos", "--cold-start", "0.2", "--timeout", "20", "--runtime", runtime)
    with LocalLambda(place.folder, "app.counted", *options) as local:
        answers = [json.loads(local.get().body) for _ in range(3)]
        local.wait_for(r"(?s)(REPORT.*){3}")
        init = [float(each) for each in re.findall(r"Init Duration: ([\d.]+) ms", local.output)]
    assert len({pid for pid, _ in answers}) == 3
    assert [count for _, count in answers] == [1, 1, 1]
    assert len(init) == 3
    assert min(init) >= 200


# Between invocations


@pytest.mark.parametrize("name", ["thread-lambent", pytest.param("thread-awslambdaric", marks=THEIRS.marks), "task"])
def test_what_is_left_behind_stands_still_and_goes_on_with_the_next_invocation(name: str, place: Place) -> None:
    left, awake = place.folder / f"{name}.ticks", place.folder / "awake-lambent.ticks"
    pid = place.invoke(name)
    until(lambda: place.states(name) == ["frozen"])
    until(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    size = left.stat().st_size
    place.invoke("awake-lambent")
    going = awake.stat().st_size
    until(lambda: awake.stat().st_size > going + 50)
    assert left.stat().st_size == size, "an environment that is not to freeze has meanwhile gone on"
    assert place.invoke(name) == pid
    assert left.stat().st_size >= size + 10


@both_runtimes
def test_one_that_is_not_to_freeze_works_on_between_invocations(runtime: str, place: Place) -> None:
    name = f"awake-{runtime}"
    place.invoke(name)
    place.quiet(name)
    assert place.states(name) == ["idle"]
    ticks = place.folder / f"{name}.ticks"
    size = ticks.stat().st_size
    until(lambda: ticks.stat().st_size > size + 10)


# Ends


@both_runtimes
def test_after_a_timeout_files_are_kept_and_globals_are_lost(runtime: str, place: Place) -> None:
    name, note = f"stays-{runtime}", f"lambent-test-{uuid.uuid4().hex}"
    try:
        error = place.invoke(name, note)
        assert error["errorType"] == "Sandbox.Timedout"
        assert error["errorMessage"].endswith("Error: Task timed out after 1.50 seconds")
        pid, count, kept = place.invoke(name, note)
    finally:
        Path(tempfile.gettempdir(), note).unlink(missing_ok=True)
    assert (count, kept != str(pid)) == (1, True)
    until(lambda: not psutil.pid_exists(int(kept)))


@both_runtimes
def test_one_that_takes_more_memory_than_it_has_is_ended(runtime: str, place: Place) -> None:
    before = place.local.get(f"/eats-{runtime}/well").body
    answer = place.local.get(f"/eats-{runtime}/eat")
    assert (answer.status, answer.body) == (502, b"Internal Server Error")
    request_id = answer.headers["x-amzn-RequestId"]
    line = place.local.wait_for(rf"REPORT RequestId: {request_id}\t.*")[0]
    assert "\tMemory Size: 128 MB\t" in line
    assert line.endswith("\tStatus: error\tError Type: Runtime.OutOfMemory\t")
    after = place.local.get(f"/eats-{runtime}/well").body
    assert before != after


@pytest.mark.parametrize("name", ["shut-down", "killed"])
def test_only_one_with_an_extension_is_told_of_its_end(name: str, place: Place) -> None:
    pid = int(place.local.get(f"/{name}").body)
    until(lambda: place.states(name) == [])
    assert not psutil.pid_exists(pid)
    assert (place.folder / name).exists() is (name == "shut-down")


# What a function finds


@both_runtimes
def test_layers_are_found(runtime: str, place: Place) -> None:
    """The application comes first, then the later layer: it is the one that AWS unpacks over the other."""
    found = place.invoke(f"layered-{runtime}")
    assert found == ["second", "first", "application", "of a layer\n"]


@both_runtimes
def test_variables_of_the_function_go_over_those_of_all_of_the_file_and_of_the_shell(
    runtime: str, place: Place
) -> None:
    names = ["OF_FUNCTION", "OF_PROJECT", "OF_FILE", "OF_SHELL"]
    assert place.invoke(f"variables-{runtime}", names) == ["function", "project", "file", "shell"]


ROOT = "1-5759e988-bd862e3fe1be46a994272793"


@both_runtimes
def test_ids_agree_wherever_they_are_seen(runtime: str, place: Place) -> None:
    answer = place.local.get(f"/identity-{runtime}", x_amzn_trace_id=f"Root={ROOT};Parent=53995c3f42cd8ad8")
    seen = json.loads(answer.body)
    assert uuid.UUID(seen["id"]).version == 4
    assert answer.headers["x-amzn-RequestId"] == seen["request_context"]["requestId"] == seen["id"]
    for line in ("START", "END", "REPORT"):
        place.local.wait_for(f"{line} RequestId: {seen['id']}")
    assert seen["stream"][0] == seen["stream"][1]

    root, parent, sampled = seen["trace"].split(";")
    assert (root, sampled) == (f"Root={ROOT}", "Sampled=0")
    assert seen["headers"]["x-amzn-trace-id"] == root
    assert answer.headers["X-Amzn-Trace-Id"] == seen["trace"]
    again = json.loads(place.local.get(f"/identity-{runtime}", x_amzn_trace_id=seen["trace"]).body)["trace"]
    assert again.startswith(f"{root};Parent=")
    assert len({parent, again.split(";")[1], "Parent=53995c3f42cd8ad8"}) == 3, "each is new"


@both_runtimes
def test_clocks_agree(runtime: str, place: Place) -> None:
    before = time.time() * 1000
    seen = json.loads(place.local.get(f"/identity-{runtime}").body)
    after = time.time() * 1000
    assert before - 1 <= seen["request_context"]["timeEpoch"] <= after
    assert before + LIMIT * 1000 - 2 <= seen["deadline"] <= after + LIMIT * 1000 + 2


# Which one is next


@both_runtimes
def test_the_one_that_was_used_last_is_used_next_unless_they_take_turns(runtime: str, place: Place) -> None:
    used: dict[str, list[int]] = {}
    for name in (f"recent-{runtime}", f"turns-{runtime}"):
        place.two(name)
        used[name] = []
        for _ in range(4):
            used[name].append(place.invoke(name)[0])
            place.quiet(name)
    recent, turns = used.values()
    assert len(set(recent)) == 1
    assert turns[:2] == turns[2:]
    assert len(set(turns)) == 2


@both_runtimes
def test_a_function_of_the_project_may_choose(runtime: str, place: Place) -> None:
    name = f"chosen-{runtime}"
    eldest, _ = place.two(name)
    for _ in range(3):
        assert place.invoke(name)[0] == eldest
        place.quiet(name)


# Another Python


def interpreters() -> Iterator[str]:
    """Other ones than that of the tests, which run Lambent: commands, and those of pyenv."""
    yield from filter(None, (shutil.which(f"python3.{minor}") for minor in range(11, 20)))
    if pyenv := shutil.which("pyenv"):
        root = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=False).stdout.strip()
        yield from map(str, sorted(Path(root).glob("versions/3.1[1-9]*/bin/python3")))


def another() -> tuple[str, list[int]]:
    for path in interpreters():
        script = "import sys; print(*sys.version_info[:3])"
        ran = subprocess.run([path, "-c", script], capture_output=True, text=True, check=False)
        if ran.returncode == 0 and (found := tuple(map(int, ran.stdout.split()))) != sys.version_info[:3]:
            return path, list(found)
    pytest.skip("there is no other Python than the one that runs the tests")


def test_a_function_runs_on_another_python(place: Place) -> None:
    python, found = another()
    table: dict[str, object] = {"handler": "app.interpreter", "python": python, "path": "/"}
    folder = place.folder / "another"
    folder.mkdir()
    write_project(folder, {"f": table}, place.gate)
    with LocalLambda(folder, "--config=pyproject.toml") as local:
        assert json.loads(local.get().body) == [*found, "lambent"]
