"""A message to all in a room: the local Lambda beside Starlette under uvicorn, with the same clients.

On the local Lambda that is an invocation, the members of a group read from SQLite, and a signed request to the
@connections API for each of them; Starlette writes to the sockets that it holds. A broadcast takes until the last
client has the message.
"""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

import psutil
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from bench.measure import ROOT, Effort, clean_environ, ratio, take_turns
from bench.rooms import PATH
from bench.servers import PATIENCE, end, free_port
from bench.table import Table, named

KNOCKING = 50
"""Clients that connect at a time."""


class Server(NamedTuple):
    """What is started."""

    title: str
    command: tuple[str, ...]


SERVERS = (
    Server(
        "Lambent",
        ("lambent", "dev", "bench.rooms:groups", "--door", "websocket", "--timeout", "60", "--app-dir", str(ROOT)),
    ),
    Server("Starlette", ("uvicorn", "bench.rooms:alone", "--app-dir", str(ROOT), "--log-level", "error")),
)


class Clients:
    """All that are in one room."""

    def __init__(self, count: int, port: int) -> None:
        self._count = count
        self._url = f"ws://127.0.0.1:{port}{PATH}"
        self._clients: list[ClientConnection] = []
        self._listening: list[asyncio.Task[None]] = []
        self._expected = ""
        self._heard: set[ClientConnection] = set()
        self._over = asyncio.Event()
        """All have heard it, or one has heard what it should not."""
        self._fault: Exception | None = None

    async def come(self) -> None:
        """Connect: the first as soon as somebody listens."""
        room = asyncio.Semaphore(KNOCKING)

        async def one() -> None:
            async with room:
                self._clients.append(await connect(self._url, ping_interval=None, proxy=None))

        self._clients.append(await self._first())
        await asyncio.gather(*(one() for _ in range(self._count - 1)))
        self._listening = [asyncio.create_task(self._listen(client)) for client in self._clients]

    async def hear(self, text: str) -> float:
        """Have one of them say it. Returns the seconds until all have heard it."""
        self._expected = text
        self._heard.clear()
        self._over.clear()
        begin = time.perf_counter()
        await self._clients[0].send(text)
        try:
            async with asyncio.timeout(PATIENCE):
                await self._over.wait()
        except TimeoutError:
            raise RuntimeError(f"{len(self._heard)} of {self._count} clients at {self._url} have heard it.") from None
        if self._fault is not None:
            raise self._fault
        return time.perf_counter() - begin

    async def leave(self) -> None:
        for task in self._listening:
            task.cancel()
        await asyncio.gather(*self._listening, return_exceptions=True)
        for client in self._clients:
            client.transport.abort()
        await asyncio.gather(*(client.wait_closed() for client in self._clients))

    async def _first(self) -> ClientConnection:
        until = time.perf_counter() + PATIENCE
        while True:
            try:
                return await connect(self._url, ping_interval=None, proxy=None)
            except (OSError, InvalidStatus):
                if time.perf_counter() > until:
                    raise
                await asyncio.sleep(0.01)

    async def _listen(self, client: ClientConnection) -> None:
        try:
            async for text in client:
                if text != self._expected or client in self._heard:
                    raise RuntimeError(f"Expected {self._expected!r} once, but a client heard {text!r}.")
                self._heard.add(client)
                if len(self._heard) == self._count:
                    self._over.set()
            raise RuntimeError(f"A client at {self._url} was told to go.")
        except (RuntimeError, ConnectionClosed) as error:
            self._fault = error
            self._over.set()


def measure(effort: Effort) -> Table:
    _allow_files(4 * effort.sockets + 256)
    with asyncio.Runner() as runner, _started(SERVERS[0]) as one, _started(SERVERS[1]) as other:
        rooms = [Clients(effort.sockets, port) for port in (one, other)]
        for room in rooms:
            runner.run(room.come())
            runner.run(room.hear("Is everybody here?"))
        spoken = iter(range(2 * effort.broadcasts))
        turns = [partial(lambda room: runner.run(room.hear(f"message {next(spoken)}")), room) for room in rooms]
        ours, theirs = take_turns(turns, effort.broadcasts)
        for room in rooms:
            runner.run(room.leave())
    rates = [f"{effort.sockets / median(each):.0f}" for each in (ours, theirs)]
    return Table(
        f"broadcast: one message to {effort.sockets} clients, until the last has it",
        ("", "Lambent", named("starlette"), "x Starlette"),
        [
            ["messages/s", *rates, str(ratio(theirs, ours))],
            ["ms in all", f"{median(ours) * 1e3:.0f}", f"{median(theirs) * 1e3:.0f}", str(ratio(ours, theirs))],
        ],
        (
            f"lambent dev --door websocket, Connections.broadcast, SQLite; {named('uvicorn')}, a loop over a set.",
            f"The same {effort.sockets} clients of {named('websockets')} each; {effort.broadcasts} broadcasts.",
        ),
    )


@contextmanager
def _started(server: Server) -> Iterator[int]:
    """The port where it will listen; it is ended with everything that it started."""
    port = free_port()
    with TemporaryDirectory() as folder:
        errors = Path(folder, "errors.txt")
        with errors.open("wb") as file:
            command = [sys.executable, "-s", "-m", *server.command, "--port", str(port)]
            process = psutil.Popen(command, cwd=folder, env=clean_environ(), stdout=subprocess.DEVNULL, stderr=file)
        try:
            yield port
        except Exception as error:
            error.add_note(f"{server.title} says: {errors.read_text('utf-8', 'replace')[-1000:]}")
            raise
        finally:
            end(process)


def _allow_files(count: int) -> None:
    """Of this process, and of those that it starts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
