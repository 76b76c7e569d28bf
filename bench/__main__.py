"""`python -m bench [--quick] [TABLE ...]`."""

from __future__ import annotations

import argparse
import os
import platform

from bench import (
    api,
    batches,
    broadcast,
    build,
    cold,
    concurrency,
    doors,
    imports,
    local,
    runtime,
    streaming,
    warm,
    websocket,
)
from bench.measure import FULL, QUICK

TABLES = {
    "warm": warm.measure,
    "doors": doors.measure,
    "websocket": websocket.measure,
    "batches": batches.measure,
    "imports": imports.measure,
    "api": api.measure,
    "runtime": runtime.measure,
    "cold": cold.measure,
    "build": build.measure,
    "streaming": streaming.measure,
    "concurrency": concurrency.measure,
    "broadcast": broadcast.measure,
    "local": local.measure,
}


def main() -> None:
    parser = argparse.ArgumentParser("python -m bench", description="Every figure that Lambent claims, in one run.")
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=f"of {', '.join(TABLES)}; all of them by default")
    parser.add_argument("--quick", action="store_true", help="see that it works; the figures mean nothing")
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.tables if name not in TABLES]:
        parser.error(f"no such table: {', '.join(unknown)}; there are {', '.join(TABLES)}")
    print(
        f"CPython {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores.\n"
        "Peers take turns in every round. A figure is the median of the rounds; a ratio is the median of each round's\n"
        "own, with the lowest and the highest. Ratios hold; absolute times drift with the machine and its load.",
        flush=True,
    )
    for name in arguments.tables or TABLES:
        print(f"\n{TABLES[name](QUICK if arguments.quick else FULL)}", flush=True)


main()
