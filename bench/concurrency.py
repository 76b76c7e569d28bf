"""FastAPI with 16 invocations at a time: how much memory the processes take, and how long 16 requests of 50 ms.

Memory is the proportional set size of the whole tree of processes: a page that several share counts for each in part.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.apps import REPLY
from bench.events import FUNCTION_URL
from bench.measure import ROOT, Effort, clean_environ, ratio, take_turns
from bench.runtime import PATIENCE, VARIABLES
from bench.stub import Connection, RuntimeAPI
from bench.table import Table, named

COUNT = 16
BATCHES = 10
AIM_MEMORY, AIM_MS = 8, 60


class Client(NamedTuple):
    """What is started, and how it is called in the table."""

    title: str
    command: tuple[str, ...]
    variables: dict[str, str]


LAMBENT = ("lambent.runtime", "bench.waiting_app:app")
THEIRS = ("awslambdaric", "bench.waiting_handler.handler")
CLIENTS = (
    Client("Lambent, one process", LAMBENT, {"LAMBENT_PROCESSES": "1"}),
    Client("Lambent, a process per vCPU", LAMBENT, {"LAMBENT_PROCESSES": str(os.cpu_count() or 1)}),
    Client("awslambdaric with Mangum", THEIRS, {}),
)


class Cost(NamedTuple):
    """Of one turn."""

    megabytes: float
    milliseconds: float
    processes: int


def measure(effort: Effort) -> Table:
    costs = take_turns([partial(_turn, client) for client in CLIENTS], effort.runtime_rounds)
    memory = [[cost.megabytes for cost in each] for each in costs]
    rows = []
    for client, each in zip(CLIENTS, costs, strict=True):
        megabytes = [cost.megabytes for cost in each]
        fewer = "" if client is CLIENTS[-1] else str(ratio(memory[-1], megabytes))
        milliseconds = f"{median(cost.milliseconds for cost in each):.1f}"
        rows.append([client.title, str(each[0].processes), f"{median(megabytes):.1f}", fewer, milliseconds])
    return Table(
        f"concurrency: FastAPI, {COUNT} invocations at a time (aim: awslambdaric takes >= {AIM_MEMORY} x the memory of "
        f"one process; {COUNT} requests of 50 ms in < {AIM_MS} ms)",
        ("", "processes", "MB", "awslambdaric is", "ms"),
        rows,
        (
            f"{named('awslambdaric')}, {named('mangum')}. MB: proportional set size of all processes, once warm.",
            f"ms: from the first of {COUNT} events given to the last reply taken; each request waits for 50 ms.",
        ),
    )


def _turn(client: Client) -> Cost:
    return asyncio.run(_serve(client))


class Batches(RuntimeAPI):
    """Gives an event to each of `COUNT` polls as soon as all of them wait, `batches` times; then to none."""

    def __init__(self, event: bytes, batches: int) -> None:
        super().__init__(event, batches * COUNT + 1)  # it is for `poll` to say when all is done
        self._polls: list[asyncio.Transport] = []
        self._left = batches
        self._taken = 0
        self._since = 0.0
        self._seconds: list[float] = []

    def poll(self, transport: asyncio.Transport) -> None:
        """A poll waits."""
        self._polls.append(transport)
        if len(self._polls) < COUNT:
            return
        if not self._left:
            self.done.set_result(median(self._seconds[len(self._seconds) // 2 :]))
            return
        self._left -= 1
        self._since = time.perf_counter()
        polls, self._polls = self._polls, []
        for each in polls:
            each.write(self.next())

    def post(self, path: bytes, body: bytes) -> bytes:
        if b"/extension/" in path:
            return super().post(path, body)
        if json.loads(json.loads(body).get("body", "null")) != REPLY:
            self.fail(RuntimeError(f"Expected {REPLY}, but got a POST to {path.decode()}: {body[:200]!r}"))
        self._taken += 1
        if self._taken % COUNT == 0:
            self._seconds.append(time.perf_counter() - self._since)
        return super().post(path, body)


class Poll(Connection):
    """A connection whose polls wait for those of the others."""

    def __init__(self, api: Batches) -> None:
        super().__init__(api)
        self._batches = api

    def data_received(self, data: bytes) -> None:
        if data.startswith(b"GET ") and b"/invocation/next" in data:
            self._batches.poll(self.transport)
        else:
            super().data_received(data)


async def _serve(client: Client) -> Cost:
    """Have a client handle batches, of which the later half counts, and weigh it while it waits for more."""
    api = Batches(json.dumps(FUNCTION_URL).encode("ascii"), BATCHES)
    server = await asyncio.get_running_loop().create_server(lambda: Poll(api), "127.0.0.1", 0)
    async with server:
        variables = {**VARIABLES, **client.variables, "AWS_LAMBDA_MAX_CONCURRENCY": str(COUNT)}
        environ = clean_environ(AWS_LAMBDA_RUNTIME_API=f"127.0.0.1:{server.sockets[0].getsockname()[1]}", **variables)
        command = [sys.executable, "-s", "-m", *client.command]
        process = subprocess.Popen(command, cwd=ROOT, env=environ)  # noqa: ASYNC220 - it takes a millisecond
        threading.Thread(target=process.wait, daemon=True).start()
        try:
            seconds = await asyncio.wait_for(api.done, PATIENCE)
            tree = _tree(process.pid)
            return Cost(sum(map(_megabytes, tree)), seconds * 1000, len(tree))
        finally:
            for pid in reversed(_tree(process.pid)):
                _kill(pid)


def _tree(pid: int) -> list[int]:
    """A process and all below it."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    below = [int(child) for child in children.read_text("ascii").split()] if children.exists() else []
    return [pid, *[each for child in below for each in _tree(child)]]


def _megabytes(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
