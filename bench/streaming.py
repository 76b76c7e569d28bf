"""Streamed replies: how long a piece is on its way, and what a long stream takes in memory. Python has no peer."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import struct
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.events import FUNCTION_URL
from bench.handlers import LARGE_BYTES, PIECES
from bench.measure import ROOT, Effort, clean_environ
from bench.runtime import PATIENCE, VARIABLES
from bench.table import Table
from lambent.http1 import Request, head

AIM_SECONDS, AIM_BYTES = 0.002, 8e6


class Stream(NamedTuple):
    """One streamed reply, as it came."""

    delays: list[float]
    """Of each piece, in seconds from before the application's `send`."""
    received: int
    """Bytes."""
    growth: int
    """Bytes of memory that the process took at most, above what it had before."""


def measure(effort: Effort) -> Table:
    pieces = [asyncio.run(_streamed("bench.handlers.clock")) for _ in range(effort.starts)]
    large = [asyncio.run(_streamed("bench.handlers.large")) for _ in range(effort.starts)]
    first = median(stream.delays[0] for stream in pieces) * 1e3
    later = median(delay for stream in pieces for delay in stream.delays[1:]) * 1e3
    growth = median(stream.growth for stream in large) / 1e6
    if any(stream.received < LARGE_BYTES for stream in large):
        raise RuntimeError(f"Expected {LARGE_BYTES} bytes, but got {[stream.received for stream in large]}.")
    return Table(
        f"streaming (aim: first byte <= {AIM_SECONDS * 1e3:.0f} ms, 100 MB in <= {AIM_BYTES / 1e6:.0f} MB of memory)",
        ("", "Lambent"),
        [
            ["first piece, ms from the application's send to the Runtime API", f"{first:.2f}"],
            ["further pieces, ms", f"{later:.2f}"],
            [f"memory above that before, MB, for {LARGE_BYTES / 1e6:.0f} MB", f"{growth:.1f}"],
        ],
        (f"{effort.starts} processes each; {PIECES} pieces. The clock is the machine's, which both processes read.",),
    )


async def _streamed(target: str) -> Stream:
    """Run one invocation of `target` and read its reply as it comes."""
    done: asyncio.Future[Stream] = asyncio.get_running_loop().create_future()
    process: list[subprocess.Popen[bytes]] = []
    conversations: list[asyncio.Task[None] | None] = []

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversations.append(asyncio.current_task())
        line = await reader.readuntil(b"\r\n\r\n")
        if b"/extension/" in line:
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        elif line.startswith(b"GET") and not done.done():
            writer.write(_invocation())
            await reader.readuntil(b"\r\n\r\n")
            stream = await _read(reader, process[0].pid)
            writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
            done.set_result(stream)
        with suppress(ConnectionError):
            await reader.read()  # until the process has ended
        writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", 0, limit=1 << 20)
    async with server:
        environ = clean_environ(
            AWS_LAMBDA_RUNTIME_API=f"127.0.0.1:{server.sockets[0].getsockname()[1]}", LAMBENT_STREAM="1", **VARIABLES
        )
        process.append(_start(target, environ))
        try:
            return await asyncio.wait_for(done, PATIENCE)
        finally:
            os.kill(process[0].pid, signal.SIGKILL)
            process[0].wait()
            await asyncio.gather(*filter(None, conversations), return_exceptions=True)


def _start(target: str, environ: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-s", "-m", "lambent.runtime", target], cwd=ROOT, env=environ)


def _invocation() -> bytes:
    event = json.dumps(FUNCTION_URL).encode("ascii")
    start = head(Request("POST", "/", (("Lambda-Runtime-Aws-Request-Id", "1"),), event), "", "").split(b"\r\n", 2)[2]
    return b"HTTP/1.1 200 OK\r\n" + start + event


async def _read(reader: asyncio.StreamReader, pid: int) -> Stream:
    """Read chunks. A piece that is a clock's tells when it was sent; the memory is that before the first chunk."""
    delays: list[float] = []
    received = 0
    before = _peak_from_now(pid)
    while size := int(await reader.readline(), 16):
        data = await reader.readexactly(size)
        received += size
        if size == struct.calcsize("d") and data != bytes(8):
            delays.append(time.monotonic() - struct.unpack("d", data)[0])
        await reader.readexactly(2)
    return Stream(delays or [0.0], received, _resident(pid) - before)


def _peak_from_now(pid: int) -> int:
    """Forget the peak so far, and return what there is now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5", "ascii")
    return _resident(pid)


def _resident(pid: int) -> int:
    """The most memory that a process has had, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))
