"""uvicorn as the local Lambda's: whoever has it stop waits for connections, not for the next look at a clock."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import uvicorn

TICK = 0.1
"""Seconds between two ticks, as uvicorn has it: at each tenth one it writes the `date` header anew."""

LOOK = 0.01
"""Seconds between two looks whether the last connection has ended: uvicorn calls nobody when it has."""


class HTTPServer(uvicorn.Server):
    """Without a hold on signals. uvicorn's own sees at the next tick only that it shall stop, and sleeps once more."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._asked = asyncio.Event()

    def stop(self, *, now: bool = False) -> None:
        """Take no more connections, let requests end, or do not wait for them either."""
        self.should_exit = True
        self.force_exit = self.force_exit or now
        self._asked.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        count = 0
        while not await self.on_tick(count):
            count += 1
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK):
                    await self._asked.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """What uvicorn does where there is no lifespan."""
        for server in self.servers:
            server.close()
        for listener in sockets or ():
            listener.close()
        state = self.server_state
        for connection in list(state.connections):
            connection.shutdown()
        await asyncio.sleep(0)  # then those that were idle have ended
        while (state.connections or state.tasks) and not self.force_exit:  # noqa: ASYNC110 - see LOOK
            await asyncio.sleep(LOOK)
        for server in self.servers:
            await server.wait_closed()
