"""SnapStart, as a process of its own: what is done before the snapshot, after it, and in which order."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
import types
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from lambent.runner import Runner
from lambent.runtime import snapshot
from lambent.runtime.client import Client
from tests.runtime.test_lifecycle import GONE, told
from tests.support.processes import Ended, runtime
from tests.support.runtime_api import BASE, HANG_UP, Answer, RuntimeAPI, Step, answer, invocation

RESTORED = answer(200)

# Each line that it prints says where in its life it is.
APP = """
import asyncio
from lambent import Lambent, after_restore, before_snapshot

loops = []

async def app(scope, receive, send):
    assert scope["type"] == "lifespan"
    print((await receive())["type"], flush=True)
    loops.append(asyncio.get_running_loop())
    await send({"type": "lifespan.startup.complete"})
    print((await receive())["type"], flush=True)
    await send({"type": "lifespan.shutdown.complete"})

@before_snapshot
def first(): print("before, first", flush=True)

@before_snapshot
async def second():
    await asyncio.sleep(0)
    print("before, second", asyncio.get_running_loop() in loops, flush=True)

@after_restore
def third(): print("after, first", flush=True)

@after_restore
async def fourth():
    await asyncio.sleep(0)
    print("after, second", asyncio.get_running_loop() in loops, flush=True)
"""


def lived(
    directory: Path,
    source: str,
    *steps: Step,
    target: str = "app.app",
    posts: Iterable[Step] = (),
    ends: bool = False,
    loop: str = "asyncio",
) -> tuple[RuntimeAPI, Ended]:
    """Run a runtime through the script, for SnapStart, and end it when it is idle, unless it `ends` by itself."""
    (directory / "app.py").write_text(source, "utf-8")
    variables = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start", "LAMBENT_LOOP": loop}
    with RuntimeAPI(*steps, posts=posts) as api, runtime(directory, api.address, target, **variables) as process:
        if not ends:
            api.wait_until_idle()
            process.terminate()
        return api, process.wait()


def paths(api: RuntimeAPI) -> list[str]:
    return [f"{call.method} {call.path.removeprefix(BASE)}" for call in api.calls]


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_hooks_run_around_the_snapshot_and_the_lifespan_around_both(tmp_path: Path, loop: str) -> None:
    pytest.importorskip(loop)
    api, ended = lived(tmp_path, APP, RESTORED, loop=loop)

    assert paths(api) == ["GET /restore/next", "GET /invocation/next"]
    assert ended.stdout.splitlines() == [
        "lifespan.startup",
        "before, second True",
        "before, first",
        "after, first",
        "after, second True",
        "lifespan.shutdown",
    ]
    assert (ended.status, ended.stderr) == (0, "")


def test_the_extension_waits_before_the_snapshot_and_connections_are_made_anew_after_it(tmp_path: Path) -> None:
    def restored() -> Answer:
        api.wait_until_extended()
        return RESTORED

    (tmp_path / "app.py").write_text("def handler(event, context): return event", "utf-8")
    api = RuntimeAPI(restored, invocation(b"1"))
    variables = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
    with api, runtime(tmp_path, api.address, "app.handler", **variables) as process:
        api.wait_until_idle()
        assert process.stop() == (0, "", "")

    assert [call.method for call in api.extension] == ["POST", "GET"]
    assert [call.connection for call in api.calls] == [0, 1, 1, 1]


def test_without_snapstart_no_hook_runs(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP, "utf-8")
    with RuntimeAPI() as api, runtime(tmp_path, api.address, "app.app") as process:
        api.wait_until_idle()
        assert process.stop() == (0, "lifespan.startup\nlifespan.shutdown\n", "")


FAILING = """
from lambent import after_restore, before_snapshot

@{0}
def last(): print("last", flush=True)

@{0}
{1} hook():
    {2}

@{0}
def first(): print("first", flush=True)

def handler(event, context): ...
"""


@pytest.mark.parametrize("kind", ["def", "async def"])
@pytest.mark.parametrize(
    ("raised", "error_type", "message"),
    [
        ("raise KeyError('a')", "KeyError", "'a'"),
        ("raise SystemExit(3)", "SystemExit", "3"),
        ("raise TimeoutError('mine')", "TimeoutError", "mine"),
    ],
)
def test_a_hook_that_fails_before_the_snapshot_fails_init(
    tmp_path: Path, kind: str, raised: str, error_type: str, message: str
) -> None:
    source = FAILING.format("before_snapshot", kind, raised)
    api, ended = lived(tmp_path, source, target="app.handler", ends=True)

    (call,) = api.calls
    assert (call.method, call.path) == ("POST", f"{BASE}/init/error")
    assert call.headers["lambda-runtime-function-error-type"] == "Runtime.BeforeSnapshotError"
    assert (call.json["errorType"], call.json["errorMessage"]) == (error_type, message)
    assert [frame.split("\n")[0] for frame in call.json["stackTrace"]] == [
        f'  File "{tmp_path}/app.py", line 9, in hook'
    ]
    assert (ended.status, ended.stderr) == (64, "")
    assert told(ended).startswith("first\nThe environment could not be made ready for its snapshot.\nTraceback")


@pytest.mark.parametrize("kind", ["def", "async def"])
@pytest.mark.parametrize(
    ("raised", "error_type"),
    [("raise KeyError('a')", "KeyError"), ("raise SystemExit(3)", "SystemExit")],
)
def test_a_hook_that_fails_after_the_restore_is_reported(
    tmp_path: Path, kind: str, raised: str, error_type: str
) -> None:
    source = FAILING.format("after_restore", kind, raised)
    api, ended = lived(tmp_path, source, RESTORED, target="app.handler", ends=True)

    assert paths(api) == ["GET /restore/next", "POST /restore/error"]
    call = api.calls[1]
    assert call.headers["lambda-runtime-function-error-type"] == "Runtime.AfterRestoreError"
    assert call.json["errorType"] == error_type
    assert (ended.status, ended.stderr) == (65, "")
    assert told(ended).startswith("last\nThe environment could not be restored.\nTraceback")


def test_a_hook_that_removes_its_folder_is_told_of_all_the_same(tmp_path: Path) -> None:
    source = GONE + FAILING.format("before_snapshot", "def", "raise KeyError('a')")
    api, _ = lived(tmp_path, source, target="app.handler", ends=True)
    assert [(call.path, call.json["errorType"]) for call in api.calls] == [(f"{BASE}/init/error", "KeyError")]


def test_the_lifespan_of_an_environment_whose_hooks_fail_is_shut_down(tmp_path: Path) -> None:
    source = f"{APP}\n@after_restore\ndef fifth(): raise KeyError('a')\n"
    _, ended = lived(tmp_path, source, RESTORED, ends=True)

    assert ended.status == 65
    assert ended.stdout.endswith("KeyError: 'a'\nlifespan.shutdown\n")


@pytest.mark.parametrize("status", [202, 400, 403, 404, 410, 500])
def test_a_restore_that_is_refused_fails_init(tmp_path: Path, status: int) -> None:
    api, ended = lived(tmp_path, APP, answer(status, b"no"), ends=True)

    assert paths(api) == ["GET /restore/next", "POST /init/error"]
    assert api.calls[1].headers["lambda-runtime-function-error-type"] == "Runtime.BeforeSnapshotError"
    assert api.calls[1].json["errorMessage"] == f"Expected to be restored, but the Runtime API answered {status} no."
    assert ended.status == 64


@pytest.mark.parametrize(
    "lost", [HANG_UP, Answer(b"HTTP/1.1 200 O", close=True), Answer(b"\x15\x03\r\n\r\n", close=True)]
)
def test_a_platform_that_goes_meanwhile_is_told_of_in_one_line_more(tmp_path: Path, lost: Answer) -> None:
    api, ended = lived(tmp_path, APP, lost, posts=[HANG_UP], ends=True)

    assert paths(api) == ["GET /restore/next", "POST /init/error"]
    assert ended.status == 64
    lines = told(ended).splitlines()
    assert lines[-1] == "lifespan.shutdown"
    assert lines[-2] == f"The Runtime API at {api.address} does not answer: it closed the connection."


@pytest.mark.parametrize("status", [400, 403, 410, 413, 500])
def test_a_report_that_is_refused_is_told(tmp_path: Path, status: int) -> None:
    source = FAILING.format("after_restore", "def", "raise KeyError('a')")
    _, ended = lived(tmp_path, source, RESTORED, target="app.handler", posts=[answer(status, b"no")], ends=True)

    assert ended.status == 65
    assert f"{status} no" in told(ended).splitlines()[-1]


def test_random_numbers_begin_anew(tmp_path: Path) -> None:
    """Two environments from one snapshot, whose generator stands where it stood."""
    source = """
import random
from lambent import before_snapshot

before_snapshot(lambda: random.seed(1))

def handler(event, context): return random.random()
"""
    numbers = [lived(tmp_path, source, RESTORED, invocation(), target="app.handler")[0].posts[0].json for _ in range(2)]
    assert len({random.Random(1).random(), *numbers}) == 3


# In this process


def test_numpy_s_generator_is_seeded_where_it_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    seeded: list[str] = []
    module = types.ModuleType("numpy.random")
    module.seed = lambda: seeded.append("numpy")  # type: ignore[attr-defined]  # a module made up
    monkeypatch.setitem(sys.modules, "numpy.random", module)
    state = random.getstate()
    snapshot.reseed()
    monkeypatch.delitem(sys.modules, "numpy.random")
    snapshot.reseed()
    assert seeded == ["numpy"]
    assert random.getstate() != state


class Registered:
    """Hooks of this test only."""

    def __init__(self, *after: Any) -> None:
        self.before: list[Any] = []
        self.after: list[Any] = [(hook, (), {}) for hook in after]


async def waits() -> None:
    await asyncio.Event().wait()


async def swallows() -> None:
    with suppress(asyncio.CancelledError):
        await asyncio.Event().wait()


def blocks() -> None:
    time.sleep(0.03)


@pytest.mark.parametrize("hook", [waits, swallows, blocks])
def test_after_restore_hooks_have_a_limit(
    monkeypatch: pytest.MonkeyPatch, hook: Callable[[], object], caplog: pytest.LogCaptureFixture
) -> None:
    reached: list[str] = []
    monkeypatch.setattr(snapshot, "hooks", lambda: Registered(hook, lambda: reached.append("next")))
    runner = Runner()
    with RuntimeAPI(RESTORED) as api:
        status = snapshot.pass_through(Client(api.address), runner, 0.02)
    runner.stop(1)

    assert status == 65
    assert reached == []
    error = json.loads(api.posts[0].body)
    assert (error["errorType"], error["errorMessage"]) == (
        "Function.TimedOut",
        "The after_restore hooks took longer than Lambda allows: 0.02 s.",
    )
    assert caplog.messages == ["The environment could not be restored."]
