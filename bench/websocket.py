"""A message of a WebSocket in handler mode, beside the same application driven by hand.

By hand is what is left if reading the event, keeping the record and building the reply cost nothing: a task that is
given `websocket.connect` and the message with a ready-made scope, and cancelled where it asks for more; or one that
waits already and is given the message. The store is memory, and what posts to the client does nothing. Each message
must come back, once, and as it was.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from statistics import median
from typing import Any, Literal, NamedTuple

from bench.apps import REPLY_TEXT, socket_apps
from bench.events import connection, ended, message
from bench.measure import Effort, ratio
from bench.table import Table
from bench.warm import Peer, figures
from lambent import Lambent
from lambent.stores.memory import MemoryStore
from lambent.stores.model import Stored
from lambent.types import ASGIApp, Message, Receive, Scope, Send

Mode = Literal["replay", "resident"]
NONE = "-"


class Sent(NamedTuple):
    """What a peer has sent to its client since it was asked last."""

    texts: list[str]

    def take(self) -> str:
        """The message. RuntimeError if there is not just one."""
        texts = self.texts.copy()
        self.texts.clear()
        if len(texts) != 1:
            raise RuntimeError(f"Expected one message, but got {texts}.")
        return texts[0]


class Client:
    """Takes what is posted, and does nothing."""

    def __init__(self) -> None:
        self.sent = Sent([])

    async def post(self, connection_id: str, data: bytes, *, connected_at: float | None = None) -> None:
        self.sent.texts.append(data.decode())

    async def close(self, connection_id: str, *, connected_at: float | None = None) -> None:
        raise RuntimeError(f"{connection_id} was closed.")

    async def aclose(self) -> None: ...


class Counted(MemoryStore):
    """Counts what it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()

    async def load(self, key: str) -> Stored | None:
        self.asked["load"] += 1
        return await super().load(key)

    async def save(self, key: str, data: bytes, expires: float, version: str | None = None) -> str:
        self.asked["save"] += 1
        return await super().save(key, data, expires, version)

    async def delete(self, key: str) -> None:
        self.asked["delete"] += 1
        await super().delete(key)

    async def forget(self, member: str) -> None:
        self.asked["forget"] += 1
        await super().forget(member)

    def take(self) -> str:
        """How often, since the last time."""
        told = ", ".join(f"{count} {what}" for what, count in self.asked.items())
        self.asked.clear()
        return told or "none"


def measure(effort: Effort) -> Table:
    modes: tuple[Mode, ...] = ("replay", "resident")
    apps = socket_apps()
    rows = [_row(name, app, mode, effort) for name, app in apps.items() for mode in modes]
    rows += [_row("bare ASGI, a new session", _counting, mode, effort) for mode in modes]
    begin, end = _round_trips(apps["bare ASGI"])
    return Table(
        "websocket: one message in handler mode, µs of processor time, and what the store is asked for",
        ("", "by hand", "Lambent", "x by hand", "beyond it", "store"),
        [*rows, ["$connect", *[NONE] * 4, begin], ["$disconnect", *[NONE] * 4, end]],
        (
            "by hand: the application alone. replay: from its start to where it asks for more; resident: resumed.",
            "MemoryStore, and a stand-in for the @connections API. A new session: each message changes the session.",
        ),
    )


def _row(name: str, app: ASGIApp, mode: Mode, effort: Effort) -> list[str]:
    loop = asyncio.new_event_loop()
    store, client = MemoryStore(), Client()
    handler = Lambent(app, websockets=mode, store=store, websocket_endpoint=client, lifespan="off")
    by_hand = {"replay": Replayed, "resident": Resumed}[mode](app, _scope(), loop)
    try:
        handler(connection(), None)
        base, ours = figures([by_hand.peer(), _called(handler, client)], effort, loop)
    finally:
        by_hand.close()
        handler.close()
        loop.close()
    beyond = median(ours) - median(base)
    asked = _asked(app, mode)
    return [
        f"{name}, {mode}",
        f"{median(base):.1f}",
        f"{median(ours):.1f}",
        str(ratio(ours, base)),
        f"{beyond:.1f}",
        asked,
    ]


def _called(handler: Lambent, client: Client) -> Peer:
    event = message(REPLY_TEXT)

    def call() -> Any:
        client.sent.texts.clear()
        return handler(event, None)

    return Peer(call, lambda reply: reply["statusCode"], lambda _: client.sent.take())


def _asked(app: ASGIApp, mode: Mode) -> str:
    """What the store is asked for with a message, after the first of an environment."""
    store = Counted()
    handler = Lambent(app, websockets=mode, store=store, websocket_endpoint=Client(), lifespan="off")
    try:
        for event in (connection(), message(REPLY_TEXT)):
            handler(event, None)
        store.take()
        handler(message(REPLY_TEXT), None)
        return store.take()
    finally:
        handler.close()


def _round_trips(app: ASGIApp) -> tuple[str, str]:
    """What the store is asked for when a connection begins, and when it ends."""
    store = Counted()
    handler = Lambent(app, store=store, websocket_endpoint=Client(), lifespan="off")
    try:
        handler(connection(), None)
        begin = store.take()
        handler(ended(), None)
        return begin, store.take()
    finally:
        handler.close()


class ByHand:
    """An application alone, that is told what its scope, `receive` and `send` tell it."""

    def __init__(self, app: ASGIApp, scope: Scope, loop: asyncio.AbstractEventLoop) -> None:
        self.app = app
        self.scope = scope
        self.loop = loop
        self.sent = Sent([])
        self.messages: list[Message] = []
        self.task: asyncio.Task[None] | None = None
        self.idle: asyncio.Future[None]
        self.fed: asyncio.Future[None]

    def peer(self) -> Peer:
        return Peer(self.call, lambda _: 200, lambda _: self.sent.take())

    def call(self) -> None:
        self.sent.texts.clear()
        self.loop.run_until_complete(self.given({"type": "websocket.receive", "text": REPLY_TEXT}))

    async def given(self, message: Message) -> None:
        """One message, until the application asks for more."""
        raise NotImplementedError

    def begin(self, *messages: Message) -> None:
        self.messages = [{"type": "websocket.connect"}, *messages]
        self.idle = self.loop.create_future()
        scope: dict[str, Any] = {**self.scope}
        self.task = self.loop.create_task(self.run(scope))

    async def run(self, scope: Scope) -> None:
        await self.app(scope, self.receive, self.send)

    async def receive(self) -> Message:
        while not self.messages:
            self.fed = self.loop.create_future()
            self.idle.set_result(None)
            await self.fed
        return self.messages.pop(0)

    async def send(self, message: Message) -> None:
        if message["type"] == "websocket.send":
            self.sent.texts.append(message["text"])

    async def end(self) -> None:
        if self.task is not None:
            self.task.cancel()
            with suppress(asyncio.CancelledError):
                await self.task

    def close(self) -> None:
        self.loop.run_until_complete(self.end())


class Replayed(ByHand):
    """From the start, and cancelled in the end."""

    async def given(self, message: Message) -> None:
        self.begin(message)
        await self.idle
        await self.end()


class Resumed(ByHand):
    """Where it waits."""

    async def given(self, message: Message) -> None:
        if self.task is None:
            self.begin()
            await self.idle
        self.idle = self.loop.create_future()
        self.messages.append(message)
        self.fed.set_result(None)
        await self.idle


def _scope() -> Scope:
    """The scope that Lambent makes of the handshake."""
    seen: Scope = {}

    async def look(scope: Scope, _: Receive, send: Send) -> None:
        seen.update(scope)
        await send({"type": "websocket.close"})

    handler = Lambent(look, lifespan="off", store=MemoryStore(), websocket_endpoint=Client())
    handler(connection(), None)
    handler.close()
    return seen


async def _counting(scope: Scope, receive: Receive, send: Send) -> None:
    """Echo, and count in the session."""
    session = scope["extensions"]["aws.websocket"]["session"]
    await receive()
    await send({"type": "websocket.accept"})
    while (received := await receive())["type"] == "websocket.receive":
        session["count"] = session.get("count", 0) + 1
        await send({"type": "websocket.send", "text": received["text"]})
