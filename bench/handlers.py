"""What the runtimes run."""

from __future__ import annotations

import asyncio
import struct
import time
from typing import Any

from bench.apps import bare
from lambent import Lambent
from lambent.types import Receive, Scope, Send

handler = Lambent(bare)


def echo(event: Any, _context: object) -> Any:
    return event


PIECES = 200
LARGE_BYTES = 100_000_000


async def _clock(scope: Scope, receive: Receive, send: Send) -> None:
    """Send what the time is, again and again."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    for _ in range(PIECES):
        await send({"type": "http.response.body", "body": struct.pack("d", time.monotonic()), "more_body": True})
        await asyncio.sleep(0.001)
    await send({"type": "http.response.body"})


async def _large(scope: Scope, receive: Receive, send: Send) -> None:
    """Send 100 MB as fast as they are taken."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/zip")]})
    for _ in range(LARGE_BYTES // 50_000):
        await send({"type": "http.response.body", "body": bytes(50_000), "more_body": True})
    await send({"type": "http.response.body"})


clock, large = Lambent(_clock, lifespan="off"), Lambent(_large, lifespan="off")
