"""A warm invocation in handler mode, against the floor: the same application on a loop that is there already.

The floor is `loop.run_until_complete` of the application with a ready-made scope: what is left if reading the event and
building the reply cost nothing. Every peer's reply is checked before anything is timed.
"""

from __future__ import annotations

import asyncio
import gc
import json
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any, NamedTuple

from lynara import APIGatewayProxyEventV2Interface, Lynara
from lynara.types import LifespanMode
from mangum import Mangum

from bench.apps import REPLY, all_apps
from bench.events import DOORS
from bench.measure import Effort, ratio, take_turns
from bench.table import Table, named
from lambent import Lambent
from lambent.types import ASGIApp, Message, Receive, Scope, Send

Event = dict[str, Any]
Call = Callable[[], Any]
AIM = 1.2


class Peer(NamedTuple):
    """One way of handling one event."""

    call: Call
    status: Callable[[Any], object]
    """Reads a reply: its status, and its body."""
    body: Callable[[Any], str | bytes]


def measure(effort: Effort) -> Table:
    rows = []
    for app_name, app in all_apps().items():
        for door, event in DOORS.items():
            rows.append([f"{app_name}, {door}", *_row(app, event, effort)])
    return Table(
        f"warm: one invocation in handler mode, µs of processor time, and x the floor (aim: Lambent <= {AIM})",
        ("", "floor", "Lambent", named("mangum"), named("lynara")),
        rows,
        (
            "floor: loop.run_until_complete(app(...)) with a ready-made scope.",
            'Mangum(app, lifespan="off"); asyncio.run(Lynara(app, LifespanMode.OFF).run(...)), as its readme calls it.',
        ),
    )


def _row(app: ASGIApp, event: Event, effort: Effort) -> list[str]:
    handler = Lambent(app)
    loop = asyncio.new_event_loop()
    try:
        floor, *others = figures(
            [floor_of(app, event, loop), called(handler, event), *_peers(app, event, loop)], effort, loop
        )
    finally:
        handler.close()
        loop.close()
    return [f"{median(floor):.2f}", *(f"{median(other):.2f}  {ratio(other, floor)}" for other in others)]


def figures(peers: Sequence[Peer], effort: Effort, loop: asyncio.AbstractEventLoop) -> list[list[float]]:
    """The µs of one call of each peer, one figure for each round. RuntimeError if one of them replies wrongly."""
    try:
        for peer in peers:
            _check(peer)
        gc.collect()
        gc.freeze()  # what is there already is no garbage of anyone's turn
        return take_turns([_turn(peer.call, effort.batch_seconds, loop) for peer in peers], effort.rounds)
    finally:
        gc.unfreeze()
        asyncio.set_event_loop(None)


def floor_of(app: ASGIApp, event: Event, loop: asyncio.AbstractEventLoop) -> Peer:
    ready = _scope(event)

    async def invoke() -> list[Message]:
        messages: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            messages.append(message)

        await app(ready.copy(), receive, send)  # type: ignore[attr-defined]  # a dict; applications write into it
        return messages

    return Peer(
        lambda: loop.run_until_complete(invoke()), lambda reply: reply[0]["status"], lambda reply: reply[1]["body"]
    )


def _scope(event: Event) -> Scope:
    """The scope that Lambent makes of the event."""
    seen: Scope = {}

    async def look(scope: Scope, _: Receive, send: Send) -> None:
        seen.update(scope)
        await send({"type": "http.response.start", "status": 204})
        await send({"type": "http.response.body"})

    handler = Lambent(look, lifespan="off")
    handler(event)
    handler.close()
    return seen


def called(handler: Callable[[Any, Any], Any], event: Event) -> Peer:
    """A handler in the managed runtime. Lambda@Edge names the status otherwise, and gives it as a string."""
    return Peer(
        lambda: handler(event, None),
        lambda reply: int(reply["statusCode"] if "statusCode" in reply else reply["status"]),
        lambda reply: reply["body"],
    )


def _peers(app: ASGIApp, event: Event, loop: asyncio.AbstractEventLoop) -> tuple[Peer, Peer]:
    asyncio.set_event_loop(loop)
    mangum = Mangum(app, lifespan="off")  # type: ignore[arg-type]  # its own, narrower type of an application
    lynara = Lynara(app, LifespanMode.OFF)

    def lynara_handler(event: Event, context: object) -> Any:
        return asyncio.run(lynara.run(event, context, APIGatewayProxyEventV2Interface))

    return called(mangum, event), called(lynara_handler, event)


def _check(peer: Peer) -> None:
    reply = peer.call()
    if peer.status(reply) != 200 or json.loads(peer.body(reply)) != REPLY:
        raise RuntimeError(f"Expected a reply of 200 with {REPLY}, but got {reply}.")


def _turn(call: Call, seconds: float, loop: asyncio.AbstractEventLoop) -> Callable[[], float]:
    """A function that calls as often as fits into `seconds` and returns the µs of one call."""
    asyncio.set_event_loop(loop)
    count = 1
    while (took := _timed(call, count)) < seconds / 4:
        count *= 2
    count = max(1, round(count * seconds / took))

    def turn() -> float:
        asyncio.set_event_loop(loop)  # where Mangum looks for it; asyncio.run, which Lynara needs, takes it away
        return _timed(call, count) / count * 1e6

    return turn


def _timed(call: Call, count: int) -> float:
    """Processor time: what else the machine does is not in it."""
    begin = time.process_time()
    for _ in range(count):
        call()
    return time.process_time() - begin
