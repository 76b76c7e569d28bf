"""A cold start: from the start of the process to its first reply, with the application's import in it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from bench.apps import REPLY
from bench.events import FUNCTION_URL
from bench.measure import ROOT, Effort, Usage, clean_environ, ratio, spent, take_turns
from bench.runtime import PATIENCE, VARIABLES
from bench.stub import Connection, RuntimeAPI
from bench.table import Table, named

AIM = 0.9


class Road(NamedTuple):
    """A runtime client, and the handler that it runs."""

    module: str
    target: str


ROADS = {
    app: (
        Road("lambent.runtime", f"bench.coldstart.{app.lower()}_lambent.handler"),
        Road("awslambdaric", f"bench.coldstart.{app.lower()}_mangum.handler"),
    )
    for app in ("Starlette", "FastAPI")
}


def measure(effort: Effort) -> Table:
    rows = []
    for app, roads in ROADS.items():
        usages = take_turns([partial(_start, road) for road in roads], effort.import_rounds)
        for kind in Usage._fields:
            ours, theirs = ([getattr(usage, kind) for usage in each] for each in usages)
            figures = (f"{median(ours) * 1e3:.0f}", f"{median(theirs) * 1e3:.0f}", str(ratio(ours, theirs)))
            rows.append([f"{app}: {kind}", *figures])
    return Table(
        f"cold: from the start of the process to its first reply, ms (aim: Lambent <= {AIM} x)",
        ("", "Lambent", f"{named('awslambdaric')}, {named('mangum')}", "Lambent is"),
        rows,
        ("The application's own import is in it, and Python's start. Bytecode is compiled.",),
    )


def _start(road: Road) -> Usage:
    return asyncio.run(_first_reply(road))


async def _first_reply(road: Road) -> Usage:
    usage, reply = await first_reply([sys.executable, "-s", "-m", road.module, road.target], ROOT)
    if json.loads(reply["body"]) != REPLY:
        raise RuntimeError(f"{road.module} replied: {reply!r:.200}")
    return usage


async def first_reply(command: list[str], folder: Path, **variables: str) -> tuple[Usage, Any]:
    """Start a runtime client, have it handle one event, and end it. Returns what that took, and the reply."""
    api = RuntimeAPI(json.dumps(FUNCTION_URL).encode("ascii"), 1)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(api), "127.0.0.1", 0)
    async with server:
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        environ = clean_environ(AWS_LAMBDA_RUNTIME_API=address, **VARIABLES) | variables
        begin = time.perf_counter()
        process = _started(command, folder, environ)
        try:
            await asyncio.wait_for(api.done, PATIENCE)
            wall = time.perf_counter() - begin
        finally:
            usage = _ended(process)
    return Usage(usage, wall), json.loads(api.replies[0])


def _started(command: list[str], folder: Path, environ: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.DEVNULL)


def _ended(process: subprocess.Popen[bytes]) -> float:
    """End a process. Returns the processor time that it took, in seconds."""
    os.kill(process.pid, signal.SIGKILL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return spent(usage)
