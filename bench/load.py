"""Requests as fast as they are answered, over connections that are kept. Every reply is held against its request."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from typing import cast

LAST_WAIT = 3.0
"""Seconds that replies are waited for which are out at the end."""

RETRY = 0.005
"""Seconds to the next try where nobody listens."""


class Load:
    """What is sent to `host:port`, and what comes of it.

    Each request asks for a number of its own, which its reply must have: `{"version": …, "n": "17"}`.
    """

    def __init__(self, address: str, enough: Callable[[Load], bool], pause: float = 0.0) -> None:
        self.host, _, port = address.rpartition(":")
        self.port = int(port)
        self.enough = enough
        """Asked before each request."""
        self.pause = pause
        """Seconds that a connection rests between a reply and its next request."""
        self.sent = 0
        self.seconds: list[float] = []
        """Of each right reply."""
        self.failures: Counter[str] = Counter()
        self.taken = 0.0
        """Seconds in all."""
        self._newest = 0
        """The highest version that a reply came from, right or wrong."""
        self._news = asyncio.Event()

    @property
    def failed(self) -> int:
        return self.failures.total()

    async def run(self, connections: int) -> None:
        begin = time.perf_counter()
        await asyncio.gather(*(self._lane() for _ in range(connections)))
        self.taken = time.perf_counter() - begin

    async def heard(self, version: int) -> None:
        """Wait for a reply of that version, or of a higher one."""
        while self._newest < version:
            self._news.clear()
            await self._news.wait()

    def hear(self, version: int) -> None:
        self._newest = max(version, self._newest)
        self._news.set()

    async def _lane(self) -> None:
        """One connection after the other, each as long as it lasts."""
        loop = asyncio.get_running_loop()
        while not self.enough(self):
            try:
                _, connection = await loop.create_connection(lambda: Connection(self), self.host, self.port)
            except OSError:
                self.failures["refused"] += 1
                await asyncio.sleep(RETRY)
            else:
                await connection.ended


class Connection(asyncio.Protocol):
    """Asks, waits, checks, asks again."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[None] = self._loop.create_future()
        self._received = b""
        self._number = 0
        """Of the request that is out; 0 for none."""
        self._since = 0.0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if separator and len(body) >= content_length(head):
            taken, self._received = time.perf_counter() - self._since, b""
            self._number, number = 0, self._number
            self._judge(head, body, number, taken)
            self._loop.call_later(self._load.pause, self._ask) if self._load.pause else self._ask()

    def connection_lost(self, _error: Exception | None) -> None:
        if self._number:
            self._load.failures["cut off"] += 1
        if self._deadline is not None:
            self._deadline.cancel()
        if not self.ended.done():
            self.ended.set_result(None)

    def _ask(self) -> None:
        if self._load.enough(self._load) or self._transport.is_closing():
            self._transport.close()
            return
        if self._deadline is None:
            self._deadline = self._loop.call_later(LAST_WAIT, self._look)
        self._load.sent += 1
        self._number = self._load.sent
        self._since = time.perf_counter()
        head = f"GET /items?n={self._number} HTTP/1.1\r\nHost: {self._load.host}:{self._load.port}\r\n\r\n"
        self._transport.write(head.encode("ascii"))

    def _look(self) -> None:
        """Whether the reply that is waited for has not come for too long."""
        if self._number and time.perf_counter() - self._since > LAST_WAIT:
            self._number = 0
            self._load.failures["no reply"] += 1
            self._transport.abort()
        else:
            self._deadline = self._loop.call_later(LAST_WAIT, self._look)

    def _judge(self, head: bytes, body: bytes, number: int, taken: float) -> None:
        status = head.split(b" ", 2)[1].decode("ascii")
        if status != "200":
            self._load.failures[status] += 1
            return
        reply = json.loads(body)
        self._load.hear(reply["version"])
        if reply["n"] == str(number):
            self._load.seconds.append(taken)
        else:
            self._load.failures["another's reply"] += 1


def content_length(head: bytes) -> int:
    """Every peer says how long its replies are."""
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise RuntimeError(f"Expected a reply with its length, but got {head!r}")
