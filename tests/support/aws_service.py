"""A server in the place of an AWS service, on the running loop: it answers by a script, and remembers what came."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from tests.support.runtime_api import Answer, Call, answer

SILENCE = Answer(b"")
"""Says nothing, and keeps the connection."""

RESET = Answer(b"", piece=0, close=True)
"""Resets the connection, and says nothing."""

OK = answer(200, b"{}")


class Service:
    """Answers requests by `steps`, in order, and with 200 after those."""

    def __init__(self, *steps: Answer, tls: ssl.SSLContext | None = None) -> None:
        self.calls: list[Call] = []
        self.most = 0
        """Connections at a time."""
        self.asked = asyncio.Semaphore(0)
        """Released for each request."""
        self.closed = asyncio.Semaphore(0)
        """Released for each connection that has ended."""
        self._steps = list(steps)
        self._secure: dict[str, Any] = {"ssl": tls, "ssl_shutdown_timeout": 0.05} if tls else {}
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._count = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, **self._secure)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.url = f"{'https' if self._secure else 'http'}://127.0.0.1:{self.port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        await self.hang_up()
        await self._server.wait_closed()

    async def hang_up(self) -> None:
        """Close all connections, and wait until that is done."""
        for writer in list(self._open):
            writer.close()
        for task in list(self._tasks):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._open.add(writer)
        self.most = max(self.most, len(self._open))
        number, self._count = self._count, self._count + 1
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while await self._answer(reader, writer, number):
                pass
        writer.close()
        with suppress(OSError, asyncio.CancelledError):
            await writer.wait_closed()
        self._open.discard(writer)
        self._tasks.discard(task)
        self.closed.release()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> bool:
        """One request. Returns whether there may be another one."""
        start, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
        method, target, _ = start.split(" ")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        step = self._steps.pop(0) if self._steps else OK
        body = b"" if step.early else await reader.readexactly(int(headers.get("content-length", "0")))
        self.calls.append(Call(method, target, headers, body, number))
        self.asked.release()
        if step is SILENCE:
            await reader.read()
            return False
        if step is RESET:
            plain: socket.socket = writer.get_extra_info("socket")
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
            return False
        for begin in range(0, len(step.data), step.piece):
            writer.write(step.data[begin : begin + step.piece])
            await writer.drain()
            if step.piece < len(step.data):
                await asyncio.sleep(0)
        return not step.close
