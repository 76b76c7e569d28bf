"""Lambent's runtime and AWS's own on the same Runtime API: what the client's process takes for one invocation.

A figure comes from two processes, one that handles many invocations and one that handles few, so that start-up cancels.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any, NamedTuple

from bench.apps import REPLY
from bench.events import FUNCTION_URL, records
from bench.measure import ROOT, Effort, Usage, clean_environ, ratio, spent, take_turns
from bench.stub import Connection, RuntimeAPI
from bench.table import Table, named

AIM_MAIN, AIM_THREAD = 0.8, 0.3

PATIENCE = 60.0
"""Seconds that a client is given."""

VARIABLES = {
    "AWS_LAMBDA_FUNCTION_NAME": "bench",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
    "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/bench",
    "AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/21/[$LATEST]0123456789abcdef",
}


class Client(NamedTuple):
    """A module that speaks to a Runtime API, and what it is told by variables."""

    module: str
    variables: dict[str, str]


CLIENTS = (
    Client("lambent.runtime", {}),
    Client("awslambdaric", {}),
    Client("awslambdaric", {"AWS_EXECUTION_ENV": "AWS_Lambda_python3.13"}),
)


class Work(NamedTuple):
    """What is handled, and how its reply is known to be right."""

    title: str
    target: str
    event: Any
    is_right: Callable[[Any], bool]


def _echo(title: str, event: Any) -> Work:
    return Work(title, "bench.handlers.echo", event, event.__eq__)


WORK = (
    _echo("echo, 10 B", {"a": "bc"}),
    _echo("echo, 100 kB", records(100_000)),
    Work("bare ASGI, Function URL", "bench.handlers.handler", FUNCTION_URL, lambda it: json.loads(it["body"]) == REPLY),
)


def measure(effort: Effort) -> Table:
    return Table(
        f"runtime: one invocation, µs of the client's process "
        f"(aim: Lambent <= {AIM_MAIN} x main thread, <= {AIM_THREAD} x thread)",
        ("", "Lambent", "main thread", "Lambent is", "thread", "Lambent is"),
        [row for work in WORK for row in _rows(work, effort)],
        (
            f"main thread: {named('awslambdaric')} as it waits up to Python 3.11; thread: as it waits from 3.12 on.",
            "bare ASGI: Lambent(app) is the handler of all three. 100 kB: records of SQS.",
            f"{effort.many} invocations less {effort.few}; wall time includes the Runtime API, which is Python too.",
        ),
    )


def _rows(work: Work, effort: Effort) -> list[list[str]]:
    turns = [partial(_turn, work, client, effort) for client in CLIENTS]
    usages = take_turns(turns, effort.runtime_rounds)
    rows = []
    for kind in Usage._fields:
        lambent, *peers = ([getattr(usage, kind) for usage in each] for each in usages)
        row = [f"{work.title}: {kind}", f"{median(lambent) * 1e6:.1f}"]
        for peer in peers:
            row += [f"{median(peer) * 1e6:.1f}", str(ratio(lambent, peer))]
        rows.append(row)
    return rows


def _turn(work: Work, client: Client, effort: Effort) -> Usage:
    """What one invocation takes."""
    many, few = (asyncio.run(_serve(work, client, count)) for count in (effort.many, effort.few))
    return Usage(*((more - less) / (effort.many - effort.few) for more, less in zip(many, few, strict=True)))


async def _serve(work: Work, client: Client, count: int) -> Usage:
    """Have a client handle `count` invocations, check its replies, and end it."""
    api = RuntimeAPI(json.dumps(work.event).encode("ascii"), count)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(api), "127.0.0.1", 0)
    async with server:
        process = _start(work, client, port=server.sockets[0].getsockname()[1])
        ended = asyncio.ensure_future(asyncio.to_thread(_wait, process))
        api.done.add_done_callback(lambda _: os.kill(process.pid, signal.SIGKILL))
        try:
            processor = await asyncio.wait_for(ended, PATIENCE)
        finally:
            process.kill()
    if not api.done.done():
        raise RuntimeError(f"{client.module} ended before it had handled {count} invocations.")
    for reply in api.replies:
        if not work.is_right(json.loads(reply)):
            raise RuntimeError(f"{client.module} replied to {work.title}: {reply[:200]!r}")
    return Usage(processor, api.done.result())


def _start(work: Work, client: Client, port: int) -> subprocess.Popen[bytes]:
    environ = clean_environ(AWS_LAMBDA_RUNTIME_API=f"127.0.0.1:{port}", **VARIABLES, **client.variables)
    return subprocess.Popen([sys.executable, "-s", "-m", client.module, work.target], cwd=ROOT, env=environ)


def _wait(process: subprocess.Popen[bytes]) -> float:
    """Wait for the end of a process. Returns the processor time that it took."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return spent(usage)
