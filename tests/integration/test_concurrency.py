"""N invocations at a time: FastAPI in one process, AWS's own client beside ours, and AWS's emulator."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

from tests.integration.emulator import Emulator, binary
from tests.payloads import payload
from tests.support.counterparts import missing
from tests.support.processes import SOURCE, Process, runtime
from tests.support.runtime_api import LIMIT, Answer, Call, RuntimeAPI, Step, invocation

COUNT = 16

FASTAPI = """
import asyncio, sys, threading
from fastapi import FastAPI, HTTPException
from starlette.middleware.base import BaseHTTPMiddleware
from lambent import current

app = FastAPI()
on_loop, in_threads = asyncio.Barrier(8), threading.Barrier(8)

async def dispatch(request, call_next):
    response = await call_next(request)
    response.headers["request-id"] = current().request_id
    return response

if "middleware" in sys.argv[1]:
    app.add_middleware(BaseHTTPMiddleware, dispatch=dispatch)
middleware = app

@app.get("/async/{number}")
async def wait_on_loop(number: int):
    await on_loop.wait()
    return [number, current().request_id, current().trace_id]

@app.get("/sync/{number}")
def wait_in_thread(number: int):
    in_threads.wait(60)
    return [number, current().request_id, current().trace_id]

@app.get("/fail/{how}")
async def fail(how: str):
    if how == "exit":
        sys.exit(3)
    if how == "raise":
        raise KeyError("a")
    raise HTTPException(418)

@app.get("/fail-sync/{how}")
def fail_sync(how: str):
    if how == "exit":
        sys.exit(3)
    raise KeyError("a")
"""


def request(path: str) -> bytes:
    """The event of a GET through a Function URL."""
    event = payload("function_url_get")
    event.pop("queryStringParameters", None)
    event |= {"rawPath": path, "rawQueryString": ""}
    event["requestContext"]["http"] |= {"method": "GET", "path": path}
    return json.dumps(event).encode()


def together(*events: bytes) -> list[Step]:
    """Invocations that are given when as many polls are out; the ids are id-0, id-1, id-2."""
    barrier = threading.Barrier(len(events))

    def given(step: Answer) -> Answer:
        barrier.wait(LIMIT)
        return step

    return [
        partial(given, invocation(event, f"Lambda-Runtime-Trace-Id: Root={number}", request_id=f"id-{number}"))
        for number, event in enumerate(events)
    ]


def by_id(api: RuntimeAPI) -> dict[str, Call]:
    return {post.path.split("/")[-2]: post for post in api.posts}


def served(directory: Path, source: str, target: str, steps: list[Step], **variables: str) -> dict[str, Call]:
    """What one process posts, by request id."""
    (directory / "app.py").write_text(source, "utf-8")
    variables = {"AWS_LAMBDA_MAX_CONCURRENCY": str(COUNT), "LAMBENT_PROCESSES": "1", **variables}
    with RuntimeAPI(*steps) as api, runtime(directory, api.address, target, **variables) as process:
        for _ in range(COUNT):
            api.wait_until_idle()
        assert process.stop().status == 0
    return by_id(api)


# FastAPI


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("target", ["app:app", "app:middleware"])
def test_fastapi_serves_sixteen_at_a_time(tmp_path: Path, loop: str, target: str) -> None:
    pytest.importorskip(loop)
    paths = [f"/{('async', 'sync')[number % 2]}/{number}" for number in range(COUNT)]
    posts = served(tmp_path, FASTAPI, target, together(*map(request, paths)), LAMBENT_LOOP=loop)

    replies = {name: post.json for name, post in posts.items()}
    assert {reply["statusCode"] for reply in replies.values()} == {200}
    assert {name: json.loads(reply["body"]) for name, reply in replies.items()} == {
        f"id-{number}": [number, f"id-{number}", f"Root={number}"] for number in range(COUNT)
    }
    if target == "app:middleware":
        assert all(reply["headers"]["request-id"] == name for name, reply in replies.items())


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("target", ["app:app", "app:middleware"])
def test_fastapi_requests_that_fail_leave_the_others_alone(tmp_path: Path, loop: str, target: str) -> None:
    pytest.importorskip(loop)
    fails = {"/fail/exit": None, "/fail-sync/exit": None, "/fail/raise": 500, "/fail-sync/raise": 500, "/fail/no": 418}
    paths = [*fails, *[f"/async/{number}" for number in range(8)], *["/nowhere"] * 3]
    posts = served(tmp_path, FASTAPI, target, together(*map(request, paths)), LAMBENT_LOOP=loop)

    expected = [*fails.values(), *[200] * 8, *[404] * 3]
    for number, status in enumerate(expected):
        post = posts[f"id-{number}"]
        if status is None:
            assert post.path.endswith("/error")
            # the middleware's task group has it in a group
            assert post.json["errorType"] == ("SystemExit" if target == "app:app" else "BaseExceptionGroup")
        else:
            assert post.json["statusCode"] == status


# AWS's own client, with a process for each

FUNCTION = """
import decimal, os

cases = {
    "null": lambda: None,
    "number": lambda: decimal.Decimal("1.10"),
    "text": lambda: "\\u00e9",
    "bytes": lambda: b"\\x00",
    "KeyError": lambda: {}["a"],
    "StopIteration": lambda: next(iter([])),
    "set": lambda: {1},
    "trace id": lambda: os.environ.get("_X_AMZN_TRACE_ID"),
}

def handler(event, context):
    if event == "context":
        return [context.aws_request_id, context.tenant_id, context.invoked_function_arn]
    return cases[event]()
"""
EVENTS = ["null", "number", "text", "bytes", "KeyError", "StopIteration", "set", "trace id", "context"]
TOGETHER = 4


def ended(client: str, directory: Path, *steps: Step) -> RuntimeAPI:
    """Serve invocations with four at a time, and end the client with all its processes."""
    variables = {"AWS_LAMBDA_MAX_CONCURRENCY": str(TOGETHER), "LAMBENT_PROCESSES": "1"}
    with RuntimeAPI(*steps) as api:
        variables["AWS_LAMBDA_RUNTIME_API"] = api.address
        with Process([sys.executable, "-m", client, "app.handler"], directory, variables) as process:
            for _ in range(TOGETHER):
                api.wait_until_idle()
            children = psutil.Process(process._process.pid).children(recursive=True)
            for child in children:
                child.kill()
            psutil.wait_procs(children, LIMIT)
    return api


class Both(NamedTuple):
    """What each client posted for the same invocation."""

    ours: Call
    theirs: Call


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Both]:
    pytest.importorskip("awslambdaric", reason="it has wheels for Linux only")
    folder = tmp_path_factory.mktemp("function")
    (folder / "app.py").write_text(FUNCTION, "utf-8")
    headers = ("Lambda-Runtime-Aws-Tenant-Id: blue", "Lambda-Runtime-Invoked-Function-Arn: arn")
    events = [*[json.dumps(event).encode() for event in EVENTS], b"{"]
    names = [*EVENTS, "no JSON"]

    def steps() -> list[Step]:
        return [
            invocation(
                event, *headers, f"Lambda-Runtime-Invocation-Id: nonce {name}", request_id=name.replace(" ", "-")
            )
            for name, event in zip(names, events, strict=True)
        ]

    posts = [by_id(ended(client, folder, *steps())) for client in ("lambent.runtime", "awslambdaric")]
    return {name: Both(*[each[name.replace(" ", "-")] for each in posts]) for name in names}


def frames(call: Call) -> list[str]:
    """The stack trace without the lines that mark a part of the one above, which theirs leaves out."""
    return [re.sub(r"\n *[~^]+(?=\n)", "", frame) for frame in call.json["stackTrace"]]


@pytest.mark.parametrize("name", [*EVENTS, "no JSON"])
def test_the_same_is_posted_by_both_clients(both: dict[str, Both], name: str) -> None:
    ours, theirs = both[name]

    assert ours.path == theirs.path
    assert ours.headers["lambda-runtime-invocation-id"] == theirs.headers["lambda-runtime-invocation-id"]
    if ours.path.endswith("/error"):
        assert ours.json["errorType"] == theirs.json["errorType"]
        assert ours.json["requestId"] == theirs.json["requestId"]
        if name != "no JSON":  # in the words of another decoder
            assert ours.json["errorMessage"] == theirs.json["errorMessage"]
            assert frames(ours) == frames(theirs)
    else:
        assert ours.body == theirs.body or ours.json == theirs.json


# AWS's emulator

INTERPRETERS = (sys.executable, "/usr/local/bin/python3", "/usr/bin/python3")
TASK_ROOT = Path("/var/task")
EMULATED = """
import asyncio, os

released = asyncio.Event()
barriers = {}

async def handler(event, context):
    do = event["do"]
    if do == "together":
        await barriers.setdefault(event["count"], asyncio.Barrier(event["count"])).wait()
    elif do == "fail":
        raise KeyError("a")
    elif do == "wait":
        await released.wait()
    elif do == "release":
        released.set()
    return {"event": event, "request": context.aws_request_id, "process": os.getpid()}
"""


def open_to_all(path: Path) -> bool:
    """Whether everybody may read a file, or what a folder holds."""
    path = path.resolve()
    return path.exists() and all(each.stat().st_mode & 0o005 == 0o005 for each in (path, *path.parents))


def interpreter() -> str:
    """A Python that the emulator's own user may run. Skips where there is none."""
    command = ["-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
    for path in INTERPRETERS:
        if open_to_all(Path(path)) and subprocess.run([path, *command], check=False).returncode == 0:
            break
    else:
        missing("rie-lmi", "its user 993 may run no Python here that is new enough")
    return path


@pytest.fixture(scope="module")
def emulated() -> Iterator[Callable[..., Emulator]]:
    """Starts the emulator, as root only: it has a fixed path, and a user of its own."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        missing("rie-lmi", "with AWS_LAMBDA_MAX_CONCURRENCY the emulator needs root")
    if TASK_ROOT.exists() or Path("/var/runtime").exists():
        missing("rie-lmi", f"{TASK_ROOT} or /var/runtime is there already")
    if not open_to_all(SOURCE):
        missing("rie-lmi", "its user 993 may not read this project")
    rie, python = binary(), interpreter()
    TASK_ROOT.mkdir(mode=0o755)
    try:
        (TASK_ROOT / "app.py").write_text(EMULATED, "utf-8")
        bootstrap = TASK_ROOT / "bootstrap"
        bootstrap.write_text(
            f"#!/bin/sh\nPYTHONPATH={SOURCE} PYTHONDONTWRITEBYTECODE=1 exec {python} -m lambent.runtime app.handler\n"
        )
        (TASK_ROOT / "app.py").chmod(0o644)
        bootstrap.chmod(0o755)
        yield partial(Emulator, rie, TASK_ROOT, "ignored", AWS_LAMBDA_MAX_CONCURRENCY="4")
    finally:
        shutil.rmtree(TASK_ROOT)


def asked(emulator: Emulator, *events: dict[str, Any]) -> list[Any]:
    """What comes back for events that are sent at the same time."""

    def ask(event: dict[str, Any]) -> Any:
        while True:
            reply = emulator.invoke(json.dumps(event).encode(), content_type="application/json")
            if reply.status != 400 or b"Runtime.Unavailable" not in reply.body:  # no poll of the runtime's has come yet
                return reply.json

    with ThreadPoolExecutor(len(events)) as pool:
        return list(pool.map(ask, events))


def test_the_emulator_has_four_invocations_served_at_once_by_one_process(emulated: Callable[..., Emulator]) -> None:
    with emulated(LAMBENT_PROCESSES="1") as emulator:
        events = [{"do": "together", "count": 4, "number": number} for number in range(4)]
        for _ in range(3):
            replies = asked(emulator, *events)
            assert [reply["event"] for reply in replies] == events
            assert len({reply["request"] for reply in replies}) == 4
            assert len({reply["process"] for reply in replies}) == 1


def test_the_emulator_has_two_processes_share_them(emulated: Callable[..., Emulator]) -> None:
    with emulated(LAMBENT_PROCESSES="2") as emulator:
        processes: set[int] = set()
        while len(processes) < 2:  # they begin one after the other
            processes |= {reply["process"] for reply in asked(emulator, *[{"do": "nothing"}] * 4)}


def test_the_emulator_is_told_of_one_that_fails(emulated: Callable[..., Emulator]) -> None:
    with emulated(LAMBENT_PROCESSES="1") as emulator:
        failed, *others = asked(emulator, {"do": "fail"}, *[{"do": "together", "count": 3}] * 3)
        assert (failed["errorType"], failed["errorMessage"]) == ("KeyError", "'a'")
        assert len({reply["process"] for reply in others}) == 1


def test_the_emulator_refuses_a_late_reply_and_the_process_lives(emulated: Callable[..., Emulator]) -> None:
    """Its deadline header is wrong, so that nothing of ours comes before its own end of the invocation."""
    with emulated(LAMBENT_PROCESSES="1", AWS_LAMBDA_FUNCTION_TIMEOUT="3") as emulator:
        (before,) = asked(emulator, {"do": "nothing"})
        (late,) = asked(emulator, {"do": "wait"})
        (after,) = asked(emulator, {"do": "release"})
        while "/response: 410 " not in emulator.log:
            asked(emulator, {"do": "nothing"})
        log = emulator.log

    assert late["errorType"] == "Sandbox.Timedout"
    assert before["process"] == after["process"]
    assert "response is too late for timed out invoke" in log
