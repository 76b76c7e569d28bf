"""Around a snapshot: AWS's own runtime and ours against the same server, in AWS's emulator, and in the local Lambda.

Nothing outside of AWS takes a snapshot. The emulator has an option that it does not list, by which it goes the way of
one: it hands the event to `restore/next` then, so that nothing is invoked.
"""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.dev.fakes import Gate
from tests.dev.local import LocalLambda
from tests.integration.emulator import RUNTIME, Emulator, binary
from tests.support.processes import Process
from tests.support.runtime_api import BASE, Call, RuntimeAPI, Step, answer, invocation

pytest.importorskip("awslambdaric", reason="it has wheels for Linux only")

CLIENTS = ("lambent.runtime", "awslambdaric")
RESTORED = answer(200)

HOOKS = """
from snapshot_restore_py import register_after_restore, register_before_snapshot
from lambent import after_restore, before_snapshot

told = []

def tell(*words, **more):
    told.append([*words, more])

before_snapshot(lambda: tell("before, ours"))
register_before_snapshot(tell, "before, theirs", a=1)
before_snapshot(lambda: tell("before, ours again"))
after_restore(lambda: tell("after, ours"))
register_after_restore(tell, "after, theirs", "b", c=2)
after_restore(lambda: tell("after, ours again"))

def handler(event, context): return told
"""
FAILURES = {
    "before": "register_before_snapshot({}.get, 'a'); before_snapshot(lambda: {}['a'])",
    "before, exit": "before_snapshot(lambda: exit(3))",
    "after": "after_restore(lambda: {}['a'])",
    "after, exit": "after_restore(lambda: exit(3))",
}


class Life(NamedTuple):
    """What a client said, and its exit status."""

    calls: list[Call]
    status: int

    @property
    def paths(self) -> list[str]:
        return [f"{call.method} {call.path.removeprefix(BASE)}" for call in self.calls]


def lived(client: str, folder: Path, source: str, *steps: Step, ends: bool) -> Life:
    (folder / "app.py").write_text(source, "utf-8")
    variables = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
    arguments = [sys.executable, "-m", client, "app.handler"]
    with (
        RuntimeAPI(*steps) as api,
        Process(arguments, folder, {"AWS_LAMBDA_RUNTIME_API": api.address, **variables}) as process,
    ):
        if not ends:
            api.wait_until_idle()
            process.terminate()
        return Life(api.calls, process.wait().status)


def test_hooks_of_both_kinds_run_in_the_same_order(tmp_path: Path) -> None:
    ours, theirs = (lived(each, tmp_path, HOOKS, RESTORED, invocation(), ends=False) for each in CLIENTS)

    assert ours.paths == theirs.paths
    assert ours.calls[2].json == theirs.calls[2].json
    assert [words[0] for words in ours.calls[2].json] == [
        "before, ours again",
        "before, theirs",
        "before, ours",
        "after, ours",
        "after, theirs",
        "after, ours again",
    ]


@pytest.mark.parametrize("name", FAILURES)
def test_a_hook_that_fails_is_the_same_report_and_exit_status(tmp_path: Path, name: str) -> None:
    ours, theirs = (lived(each, tmp_path, f"{HOOKS}\n{FAILURES[name]}", RESTORED, ends=True) for each in CLIENTS)

    assert ours.status == theirs.status == (64 if name.startswith("before") else 65)
    assert ours.paths == theirs.paths
    header = "lambda-runtime-function-error-type"
    assert ours.calls[-1].headers[header] == theirs.calls[-1].headers[header]
    for field in ("errorType", "errorMessage", "requestId"):
        assert ours.calls[-1].json[field] == theirs.calls[-1].json[field]


@pytest.mark.parametrize("status", [202, 403, 404, 500])
def test_a_restore_that_is_refused_is_the_same_report_in_other_words(tmp_path: Path, status: int) -> None:
    ours, theirs = (lived(each, tmp_path, HOOKS, answer(status), ends=True) for each in CLIENTS)

    assert ours.status == theirs.status == 64
    assert ours.paths == theirs.paths == ["GET /restore/next", "POST /init/error"]
    header = "lambda-runtime-function-error-type"
    assert ours.calls[-1].headers[header] == theirs.calls[-1].headers[header] == "Runtime.BeforeSnapshotError"


GATED = """
import os, socket
from lambent import after_restore, before_snapshot

print("loaded", flush=True)
before_snapshot(lambda: print("before the snapshot", flush=True))

@after_restore
async def tell():
    with socket.create_connection(("127.0.0.1", int(os.environ["GATE"]))) as gate:
        gate.sendall(b"restored\\n")

def handler(event, context): ...
"""


def test_the_emulator_takes_our_extension_and_lets_us_be_restored(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(GATED, "utf-8")
    command = ("--enable-init-caching", *RUNTIME)
    variables = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
    with (
        Gate() as gate,
        Emulator(binary(), tmp_path, "app.handler", command=command, GATE=gate.port, **variables) as rie,
        socket.create_connection(("127.0.0.1", rie.port)) as invoker,
    ):
        head = b"POST /2015-03-31/functions/function/invocations HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        invoker.sendall(head + b"Content-Length: 2\r\n\r\n{}")
        assert gate.arrive() == "restored"
        log = rie.log

    registered = log.index("Internal agent lambent")
    assert registered < log.index("before the snapshot\n") < log.index("INIT RTDONE(status: success)")


LOCAL = """
import random
from fastapi import FastAPI
from lambent import after_restore, before_snapshot

app = FastAPI()
told = []

@before_snapshot
async def before(): told.append("before")

@after_restore
async def after(): told.append("after")

@app.get("/")
def index(): return told
"""


def test_the_local_lambda_goes_the_way_of_a_snapshot(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(LOCAL, "utf-8")
    with LocalLambda(tmp_path, "app:app", "--snapstart") as local:
        assert json.loads(local.get("/").body) == ["before", "after"]
        assert local.stop() == 0


@pytest.mark.parametrize("runtime", ["lambent", "awslambdaric"])
@pytest.mark.parametrize("name", ["before", "after"])
def test_the_local_lambda_shows_a_hook_that_fails(tmp_path: Path, runtime: str, name: str) -> None:
    (tmp_path / "app.py").write_text(f"{HOOKS}\n{FAILURES[name]}", "utf-8")
    with LocalLambda(tmp_path, "app.handler", "--snapstart", "--runtime", runtime) as local:
        reply = local.get("/")
        assert reply.status == 502
        if b"KeyError" not in reply.body:
            local.wait_for("KeyError")
