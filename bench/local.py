"""The local Lambda beside its peers, with the same function: start, warm requests, 16 connections, reload, memory."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median
from typing import NamedTuple

from bench.load import Load
from bench.measure import Effort, ratio, take_turns
from bench.servers import ENVIRONMENTS, PATIENCE, Peer, Running, megabytes, peers, save, started
from bench.table import Table

CONNECTIONS = 16
RELOAD_CONNECTIONS = 4
PAUSE = 0.005
"""Seconds between the requests of a connection while code is saved."""

NONE = "-"


class Visit(NamedTuple):
    """One start of one peer. Times in milliseconds."""

    ready: float
    """From its start to its first reply, a cold start within."""
    warm: float
    rate: float
    """Right replies a second."""
    failures: Counter[str]
    sent: int
    reload: float
    """From a save to the first reply of the new code; 0 where there is no reload."""
    lost: Counter[str]
    """What failed meanwhile."""
    megabytes: float


class Row(NamedTuple):
    """A figure of each peer, and what Lambent aims at."""

    title: str
    figure: Callable[[Visit], float]
    form: str = "{:.0f}"
    more_is_better: bool = False


READY = Row("start to first reply, ms (aim: < 500)", lambda visit: visit.ready)
WARM = Row("warm request, ms (aim: < 2)", lambda visit: visit.warm, "{:.2f}")
RATE = Row(f"{CONNECTIONS} connections, replies/s (aim: > 1000)", lambda visit: visit.rate, more_is_better=True)
RELOAD = Row("save to new code, ms (aim: < 500)", lambda visit: visit.reload)
MEMORY = Row("memory of the server, MB (aim: < 60)", lambda visit: visit.megabytes, "{:.1f}")


def measure(effort: Effort) -> Table:
    found, missing = peers(node=effort.installs)
    visits = take_turns([partial(_visit, peer, effort) for peer in found], effort.starts)
    rows = [
        _compared(READY, visits),
        _compared(WARM, visits),
        _compared(RATE, visits),
        _counted(f"{CONNECTIONS} connections, % failed (aim: 0)", [_share(each) for each in visits]),
        _compared(RELOAD, visits),
        _counted("failed while reloading (aim: 0)", [_lost(each) for each in visits]),
        _compared(MEMORY, visits),
    ]
    columns = ["", found[0].title, *(text for peer in found[1:] for text in (peer.title, "worse by"))]
    return Table("local: local Lambdas that need no container", columns, rows, _notes(effort, found, visits, missing))


def _visit(peer: Peer, effort: Effort) -> Visit:
    with started(peer) as running:
        warm = asyncio.run(_send(running, 1, effort.requests, effort.load_seconds))
        # Those that start environments on demand do so now; and every one has imported the code that will change.
        first = asyncio.run(_send(running, CONNECTIONS, None, effort.load_seconds / 2))
        then = asyncio.run(_send(running, CONNECTIONS, None, effort.load_seconds))
        weight = megabytes(peer, running)
        reload, lost = asyncio.run(_reload(running, effort.reloads)) if peer.reloads else (0.0, Counter[str]())
    return Visit(
        ready=running.ready * 1e3,
        warm=median(warm.seconds) * 1e3,
        rate=len(then.seconds) / then.taken,
        failures=first.failures + then.failures,
        sent=first.sent + then.sent,
        reload=reload,
        lost=lost,
        megabytes=weight,
    )


async def _send(running: Running, connections: int, requests: int | None, seconds: float) -> Load:
    """Until so many requests are sent or so much time has passed."""
    end = time.perf_counter() + seconds
    load = Load(running.address, lambda load: load.sent == requests or time.perf_counter() > end)
    await load.run(connections)
    if not load.seconds:
        raise RuntimeError(f"Expected replies, but got none: {dict(load.failures)}")
    return load


async def _reload(running: Running, times: int) -> tuple[float, Counter[str]]:
    """Save another version while requests come in, again and again. The median of the times, and what failed."""
    over = asyncio.Event()
    load = Load(running.address, lambda _: over.is_set(), PAUSE)
    sending = asyncio.create_task(load.run(RELOAD_CONNECTIONS))
    taken = []
    try:
        for version in range(2, times + 2):
            begin = time.perf_counter()
            save(running.folder, version)
            async with asyncio.timeout(PATIENCE):
                await load.heard(version)
            taken.append(time.perf_counter() - begin)
    finally:
        over.set()
        await sending
    return median(taken) * 1e3, load.failures


def _compared(row: Row, visits: Sequence[Sequence[Visit]]) -> list[str]:
    """Each peer's figure, and how many times it is worse than ours."""
    ours, *theirs = [[row.figure(visit) for visit in each] for each in visits]
    cells = [row.title, row.form.format(median(ours))]
    for each in theirs:
        worse = ratio(ours, each) if row.more_is_better else ratio(each, ours)
        cells += [row.form.format(median(each)), str(worse)] if any(each) else [NONE, ""]
    return cells


def _counted(title: str, counts: Sequence[str]) -> list[str]:
    ours, *theirs = counts
    return [title, ours, *(cell for count in theirs for cell in (count, ""))]


def _share(visits: Sequence[Visit]) -> str:
    failed, sent = sum(visit.failures.total() for visit in visits), sum(visit.sent for visit in visits)
    return f"{100 * failed / sent:.3g}"


def _lost(visits: Sequence[Visit]) -> str:
    return str(sum(visit.lost.total() for visit in visits)) if visits[0].reload else NONE


def _notes(effort: Effort, found: Sequence[Peer], visits: Sequence[Sequence[Visit]], missing: str) -> Sequence[str]:
    reloads = f"{effort.starts * effort.reloads} reloads while {RELOAD_CONNECTIONS} connections ask on"
    notes = [
        f"{effort.starts} starts of each, up to {ENVIRONMENTS} environments; {reloads}.",
        "Smyth as pip installs it: without uvloop and httptools, which it does not ask for.",
        "A request fails that is refused, cut off, answered with an error, with another's reply or not within 3 s.",
    ]
    for peer, each in zip(found, visits, strict=True):
        for what, counters in (("", [visit.failures for visit in each]), ("reload, ", [visit.lost for visit in each])):
            total = sum(counters, Counter[str]())
            if total:
                told = ", ".join(f"{count} {kind}" for kind, count in total.most_common())
                notes.append(f"{peer.title}: {what}{told}.")
    return [*notes, *filter(None, [missing])]
