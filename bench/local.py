"""The local Lambda: how soon `lambent dev` is there, and how long a request takes on a connection that is kept.

For information: it has no peers that start without a container.
"""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from statistics import median
from threading import Thread
from typing import NamedTuple
from urllib.parse import urlsplit

from bench.apps import REPLY
from bench.events import PATH, QUERY
from bench.measure import ROOT, Effort, clean_environ, take_turns
from bench.table import Table

TARGETS = {"bare ASGI": "bench.apps:bare", "FastAPI": "bench.fastapi_app:app"}


class Visit(NamedTuple):
    """One start of the local Lambda, in seconds."""

    banner: float
    """From its start to the line that names its address."""
    first: float
    """From its start to the first reply, asked for as soon as the address is known: a cold start is in it."""
    warm: float
    """A warm request."""


def measure(effort: Effort) -> Table:
    turns = [partial(_visit, target, effort.requests) for target in TARGETS.values()]
    visits = zip(TARGETS, take_turns(turns, effort.starts), strict=True)
    return Table(
        "local: `lambent dev`, ms (for information)",
        ("", "start to address", "start to first reply", "warm request"),
        [[name, *(f"{median(figures) * 1e3:.2f}" for figures in zip(*each, strict=True))] for name, each in visits],
        (f"{effort.starts} starts, {effort.requests} requests to each, one after the other on one connection.",),
    )


def _visit(target: str, requests: int) -> Visit:
    begin = time.perf_counter()
    with _local_lambda(target) as address:
        banner = time.perf_counter() - begin
        connection = http.client.HTTPConnection(address, timeout=60)
        _get(connection)
        first = time.perf_counter() - begin
        warm = median(_timed(partial(_get, connection)) for _ in range(requests))
        connection.close()
    return Visit(banner, first, warm)


@contextmanager
def _local_lambda(target: str) -> Iterator[str]:
    command = [sys.executable, "-s", "-m", "lambent", "dev", target, "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, env=clean_environ(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if found := re.search(r"http://\S+", line):
                    Thread(target=process.stdout.read).start()  # so that it can go on printing
                    yield urlsplit(found[0]).netloc
                    break
            else:
                raise RuntimeError("The local Lambda ended without naming its address.")
        finally:
            process.terminate()


def _get(connection: http.client.HTTPConnection) -> None:
    connection.request("GET", f"{PATH}?{QUERY}")
    response = connection.getresponse()
    body = response.read()
    if response.status != 200 or json.loads(body) != REPLY:
        raise RuntimeError(f"Expected a reply of 200 with {REPLY}, but got {response.status}: {body[:200]!r}")


def _timed(call: Callable[[], None]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin
