"""A clock that the test turns, and a queue in memory that hides and shows messages by it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any

from lambent.dev.asynchronous import Clock
from lambent.dev.model import Function, Source
from lambent.dev.sources.messages import Message, message
from lambent.dev.sources.queues import Unavailable
from tests.dev.instant import settle

ARN = "arn:aws:sqs:eu-west-1:123456789012:orders"


class Turned:
    """A clock that stands still until the test lets time pass."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now
        self.sleepers: list[tuple[float, asyncio.Future[None]]] = []

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.now, self._sleep)

    def _sleep(self, seconds: float) -> Awaitable[None]:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.sleepers.append((self.now + seconds, woken))
        return woken

    async def turn(self, seconds: float) -> None:
        """Let so many pass, waking each sleeper in its time."""
        end = self.now + seconds
        await settle()
        while due := [each for each in self.sleepers if each[0] <= end]:
            first = min(due, key=lambda sleeper: sleeper[0])
            self.sleepers.remove(first)
            self.now = max(self.now, first[0])
            if not first[1].done():
                first[1].set_result(None)
            await settle()
        self.now = end
        await settle()


def received(body: str, number: int = 1, **more: Any) -> dict[str, Any]:
    """A message as botocore gives it."""
    return {"MessageId": f"m{number}", "ReceiptHandle": f"r{number}", "Body": body, "MD5OfBody": "0" * 32, **more}


class FakeQueue:
    """Gives what is sent to it. Asked while it is empty, it keeps one waiting for as long as it was told to."""

    def __init__(self, turned: Turned, visibility: float = 30) -> None:
        self.arn = ARN
        self.visibility = visibility
        self.visible: list[Message] = []
        self.hidden: dict[str, tuple[float, Message]] = {}
        self.deleted: list[str] = []
        self.released: list[str] = []
        self.asked: list[tuple[int, int]] = []
        self.connected = 0
        self.is_open = False
        self.closed = 0
        self.is_gone = False
        self.keeps = False
        """Whether nothing can be deleted."""
        self._turned = turned
        self._sent = asyncio.Event()
        self._number = 0

    def send(self, *bodies: str) -> None:
        for body in bodies:
            self._number += 1
            self.visible.append(message(received(body, self._number), ARN))
        self._sent.set()

    async def connect(self, source: Source, function: Function) -> FakeQueue:
        self.connected += 1
        self._look()
        self.is_open = True
        return self

    async def receive(self, most: int, wait: int) -> list[Message]:
        self.asked.append((most, wait))
        self._look()
        if not self.visible and wait:
            self._sent.clear()
            sleep = asyncio.ensure_future(self._turned._sleep(wait))
            arrival = asyncio.ensure_future(self._sent.wait())
            await asyncio.wait({sleep, arrival}, return_when=asyncio.FIRST_COMPLETED)
            arrival.cancel()
            self._look()
        given, self.visible = self.visible[:most], self.visible[most:]
        for each in given:
            self.hidden[each.id] = self._turned.now + self.visibility, each
        return given

    async def delete(self, messages: Sequence[Message]) -> list[Message]:
        if self.keeps:
            return list(messages)
        for each in messages:
            self.deleted.append(each.id)
            self.hidden.pop(each.id, None)
        return []

    async def release(self, messages: Sequence[Message]) -> None:
        for each in messages:
            self.released.append(each.id)
            self.visible.append(self.hidden.pop(each.id)[1])

    def close(self) -> None:
        self.closed += self.is_open
        self.is_open = False

    def _look(self) -> None:
        if self.is_gone:
            raise Unavailable("there is no queue orders at http://127.0.0.1:4566")
        for id_, (until, each) in list(self.hidden.items()):
            if until <= self._turned.now:
                del self.hidden[id_]
                self.visible.append(each)
