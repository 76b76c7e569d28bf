"""How a server of the local Lambda stops."""

import asyncio
import email.utils
import socket
import time
from collections.abc import Awaitable, Callable

import pytest

from lambent.dev import http_server
from lambent.dev.http_server import HTTPServer
from lambent.dev.server import hang_up, listen
from lambent.dev.server import http_server as made
from lambent.types import Receive, Scope, Send

LIMIT = 60
"""Seconds after which a test that waits has failed."""

REQUEST = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"


class Application:
    """Answers each request once it may."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.may = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.set()
        await self.may.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})


class Stage:
    def __init__(self, listener: socket.socket) -> None:
        self.application = Application()
        self.server: HTTPServer = made(self.application)
        self.serving = asyncio.create_task(self.server.serve(sockets=[listener]))
        self.port: int = listener.getsockname()[1]

    async def client(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """One that has asked, and that the application knows of."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(REQUEST)
        await self.application.asked.wait()
        return reader, writer


def play(scene: Callable[[Stage], Awaitable[None]]) -> None:
    async def staged() -> None:
        with listen("127.0.0.1", 0) as listener:
            stage = Stage(listener)
            try:
                async with asyncio.timeout(LIMIT):
                    await scene(stage)
            finally:
                await hang_up(stage.server, stage.serving)

    asyncio.run(staged())


@pytest.fixture
def _no_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for the next tick waits for ever."""
    monkeypatch.setattr(http_server, "TICK", 10 * LIMIT)


@pytest.mark.usefixtures("_no_tick")
def test_it_stops_at_once_and_idle_connections_end() -> None:
    async def scene(stage: Stage) -> None:
        stage.application.may.set()
        reader, writer = await stage.client()
        assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200 ")
        stage.server.stop()
        await stage.serving
        assert await reader.read() == b""
        writer.close()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", stage.port)

    play(scene)


@pytest.mark.usefixtures("_no_tick")
def test_a_request_in_flight_is_waited_for_and_then_its_connection_ends() -> None:
    async def scene(stage: Stage) -> None:
        reader, writer = await stage.client()
        stage.server.stop()
        done, _ = await asyncio.wait({stage.serving}, timeout=5 * http_server.LOOK)
        assert not done
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", stage.port)
        stage.application.may.set()
        await stage.serving
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert answer.endswith(b"\r\n\r\nok")
        writer.close()

    play(scene)


@pytest.mark.usefixtures("_no_tick")
def test_one_that_is_not_to_wait_does_not() -> None:
    async def scene(stage: Stage) -> None:
        reader, writer = await stage.client()
        await hang_up(stage.server, stage.serving)
        assert not stage.serving.cancelled(), "it has ended by itself"
        assert await reader.read() == b""
        writer.close()

    play(scene)


def test_the_date_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "TICK", 0.001)

    async def scene(stage: Stage) -> None:
        stage.application.may.set()
        reader, writer = await stage.client()
        monkeypatch.setattr(time, "time", lambda: 1_000_000_000.0)
        kept = f"\r\ndate: {email.utils.formatdate(1_000_000_000, usegmt=True)}\r\n".encode()
        while kept not in await reader.readuntil(b"ok"):
            writer.write(REQUEST)
        writer.close()

    play(scene)
