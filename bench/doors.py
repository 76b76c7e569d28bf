"""Every front door: what reading its event and writing its reply cost beyond the floor, beside Mangum where it can.

The application is as small as one can be, so that beyond the floor there is the adapter only. The events are those that
the doors of the local Lambda make of one request.
"""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from statistics import median
from typing import Any

from mangum import Mangum

from bench.apps import bare
from bench.events import FUNCTION_URL, HEADERS, PATH, QUERY
from bench.measure import Effort, ratio
from bench.table import Table, named
from bench.warm import called, figures, floor_of
from lambent import Lambent
from lambent.dev.doors import DOORS
from lambent.dev.doors.model import Arrival, HTTPRequest, Site
from lambent.types import Event, Receive, Scope, Send

AIM_FLOOR, AIM_MANGUM = 1.5, 0.25
UNKNOWN_TO_MANGUM = ("lattice1", "lattice")
"""It raises."""

BODY = bytes(range(256)) * (4_500_000 // 256)
"""Of a binary reply. 4.7 MB is the most that fits, as base64, into the 6 291 556 bytes that Lambda takes."""


def measure(effort: Effort) -> Table:
    lambent, mangum = _copies(Lambent(_large, lifespan="off")), _copies(Mangum(_large, lifespan="off"))
    return Table(
        f"doors: one invocation in handler mode, µs of processor time "
        f"(aim: Lambent <= {AIM_FLOOR} x floor; beyond the floor <= {AIM_MANGUM} of Mangum)",
        ("", "floor", "Lambent", named("mangum"), "beyond the floor"),
        [
            *([door, *_row(event_of(door), door not in UNKNOWN_TO_MANGUM, effort)] for door in DOORS),
            ["4.5 MB of bytes: copies", "1", f"{lambent:.2f}", f"{mangum:.2f}", ""],
        ],
        (
            "A bare ASGI application. beyond the floor: Lambent's time less the floor, by Mangum's less the floor.",
            "copies: the most memory that an invocation takes for a binary reply of 4.5 MB, by the size of its body.",
        ),
    )


def event_of(door: str) -> Event:
    """What the door makes of a browser's `GET /items/42?q=lamp&page=2`."""
    skipped = "x-"  # the door adds them
    headers = [(name.encode(), value.encode()) for name, value in HEADERS.items() if not name.startswith(skipped)]
    request = HTTPRequest(
        "GET",
        PATH.encode(),
        QUERY.encode(),
        [(b"host", b"example.org"), *headers],
        b"",
        ("203.0.113.7", 0),
        "https",
        "1.1",
    )
    arrival = Arrival(
        "8f6b2c1d-4e5f-4a7b-9c8d-0e1f2a3b4c5d", "ATfSmjLgPHcESJw=", HEADERS["x-amzn-trace-id"], 1795255200.0
    )
    return json.loads(json.dumps(DOORS[door](Site("bench")).event(request, arrival)))


def _row(event: Event, with_mangum: bool, effort: Effort) -> list[str]:
    handler = Lambent(bare)
    loop = asyncio.new_event_loop()
    try:
        asyncio.set_event_loop(loop)
        peers = [floor_of(bare, event, loop), called(handler, event)]
        if with_mangum:
            peers.append(called(Mangum(bare, lifespan="off"), event))
        floor, *others = figures(peers, effort, loop)
    finally:
        handler.close()
        loop.close()
    cells = [f"{median(other):.2f}  {ratio(other, floor)}" for other in others]
    if not with_mangum:
        return [f"{median(floor):.2f}", *cells, "-", "-"]
    ours, theirs = ([took - under for took, under in zip(other, floor, strict=True)] for other in others)
    return [f"{median(floor):.2f}", *cells, str(ratio(ours, theirs))]


async def _large(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"image/png")]})
    await send({"type": "http.response.body", "body": BODY})


def _copies(handler: Any) -> float:
    """The peak of what an invocation allocates and its reply holds, by the size of the body, which is there before."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)  # where Mangum looks for it
    try:
        handler(FUNCTION_URL, None)
        tracemalloc.start()
        handler(FUNCTION_URL, None)
        return tracemalloc.get_traced_memory()[1] / len(BODY)
    finally:
        tracemalloc.stop()
        asyncio.set_event_loop(None)
        loop.close()
        if isinstance(handler, Lambent):
            handler.close()
