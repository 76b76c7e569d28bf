"""A TCP proxy on the running event loop, that takes a service away and brings it back."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

LOCAL = "127.0.0.1"


class Proxy:
    """Passes bytes on to `target`, host:port, and back. Its own address stays the same as long as it lives."""

    def __init__(self, target: str) -> None:
        self._host, _, self._target = target.rpartition(":")
        self._server: asyncio.Server | None = None
        self._port = 0
        self._ways: set[asyncio.Task[None]] = set()
        self._muted: set[asyncio.Task[None]] = set()
        self.connections = 0
        """How many have been made."""
        self.asked = bytearray()
        """All that was sent to the service."""
        self.answers = 0
        """How many pieces have come back."""
        self.lose = 0
        """The number of the one that gets lost, and its connection with it."""

    @property
    def address(self) -> str:
        return f"{LOCAL}:{self._port}"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, LOCAL, self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Nobody listens any more, and whoever is connected is not."""
        if self._server is not None:
            self._server.close()
        await self.cut()

    async def cut(self) -> None:
        """Break the connections."""
        ways = list(self._ways)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)

    def mute(self) -> None:
        """Let nothing through on the connections that there are, and tell nobody: as a router that has lost them."""
        self._muted |= self._ways

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        there, back = await asyncio.open_connection(self._host, int(self._target))
        for source, sink in ((reader, back), (there, writer)):
            way = asyncio.create_task(self._pass_on(source, sink, answers=sink is writer))
            self._ways.add(way)
            way.add_done_callback(self._ways.discard)
            way.add_done_callback(self._muted.discard)

    async def _pass_on(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, answers: bool) -> None:
        try:
            while data := await source.read(65536):
                if asyncio.current_task() in self._muted:
                    continue
                if not answers:
                    self.asked += data
                self.answers += answers
                if answers and self.answers == self.lose:
                    return
                sink.write(data)
                await sink.drain()
        except ConnectionError:
            pass
        finally:
            sink.close()
