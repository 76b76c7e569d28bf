"""`make bench` with counts so small that the figures mean nothing: it runs, its peers are right, its rows are there."""

import subprocess
import sys
from pathlib import Path

import pytest

from lambent.dev.doors import DOORS

ROOT = Path(__file__).parent.parent

ROWS = {
    "warm": [
        f"{app}, {door}" for app in ("bare ASGI", "Starlette", "FastAPI") for door in ("Function URL", "HTTP API")
    ],
    "doors": [*DOORS, "4.5 MB of bytes: copies"],
    "websocket": [
        *(
            f"{app}, {mode}"
            for app in ("bare ASGI", "Starlette", "bare ASGI, a new session")
            for mode in ("replay", "resident")
        ),
        "$connect",
        "$disconnect",
    ],
    "batches": [
        *(
            f"{length} records, {kind}: µs each"
            for kind in ("the record itself", "parsed JSON")
            for length in (10, 10_000)
        ),
        "10000 records: MB",
    ],
    "api": [
        "import and a route, ms, x import asyncio",
        "to the first reply, ms, x an empty loop",
        "a request, µs, x Lambent",
        *(f"a request, {name}, µs" for name in ("no access log", "a dataclass", "a Struct of msgspec")),
        "the first of 200 routes, µs",
        "the last of 200 routes, µs, x the first",
    ],
    "build": ["build, empty cache, s", "build, warm cache, s", "cold start, ms", "cold start without bytecode, ms"],
    "broadcast": ["messages/s", "ms in all"],
    "local": [
        "start to first reply, ms (aim: < 500)",
        "warm request, ms (aim: < 2)",
        "16 connections, replies/s (aim: > 1000)",
        "16 connections, % failed (aim: 0)",
        "save to new code, ms (aim: < 500)",
        "failed while reloading (aim: 0)",
        "memory of the server, MB (aim: < 60)",
    ],
}
if sys.platform == "linux":  # elsewhere there is no wheel of AWS's own client, and no /proc
    ROWS |= {
        "cold": [f"{app}: {kind}" for app in ("Starlette", "FastAPI") for kind in ("processor", "wall")],
        "streaming": ["first piece, ms from the application's send to the Runtime API", "further pieces, ms"],
        "concurrency": ["Lambent, one process", "Lambent, a process per vCPU", "awslambdaric with Mangum"],
        "imports": [
            "import asyncio",
            "import lambent",
            "from lambent import Lambent",
            "from lambent import Connections",
            "from lambent import Events",
            "import mangum",
            "import lynara",
            "import lambent.runtime.lifecycle",
            "import awslambdaric.bootstrap",
            "from aws_lambda_powertools.utilities.batch import AsyncBatchProcessor",
            "pass",
        ],
        "runtime": [
            f"{work}: {kind}"
            for work in ("echo, 10 B", "echo, 100 kB", "bare ASGI, Function URL")
            for kind in ("processor", "wall")
        ],
    }


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)


@pytest.mark.parametrize("table", ROWS)
def test_a_table_has_its_rows(table: str) -> None:
    ran = bench("--quick", table)

    assert (ran.returncode, ran.stderr) == (0, "")
    _, head, rows, _ = ran.stdout.split("─\n")
    assert head.strip()
    titles = [row.partition("  ")[0] for row in rows.splitlines()]
    assert titles[: len(ROWS[table])] == ROWS[table]


def test_a_table_that_is_not_there_is_named_with_those_that_are() -> None:
    ran = bench("--quick", "nonsense")

    assert ran.returncode == 2
    tables = "warm, doors, websocket, batches, imports, api, runtime, cold, build, streaming, concurrency, broadcast"
    assert f"no such table: nonsense; there are {tables}, local" in ran.stderr
