"""What environments print, on its way to the terminal: whole lines, so that those of several do not run together."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

PIECE = 1 << 16
CAPACITY = 1 << 20
"""Bytes that a pipe may hold: on Linux no more than this, unless root says otherwise."""

LONGEST = 1 << 18
"""Bytes of a line; what is longer is broken."""


class Pipe:
    """Where a process prints to. `take` is given whole lines, without their ends, in the loop that made it."""

    def __init__(self, take: Callable[[str], None]) -> None:
        self._take = take
        self._rest = b""
        self._loop = asyncio.get_running_loop()
        self._end, self.entrance = os.pipe()
        """Of the pipe: what a process is given as its output."""
        self._open = True
        if sys.platform == "win32":
            threading.Thread(target=self._wait, daemon=True).start()
        else:
            os.set_blocking(self._end, False)
            self._loop.add_reader(self._end, self._read)

    def shut(self) -> None:
        """The process has been started: from here on only it and its children print here."""
        if self.entrance >= 0:
            os.close(self.entrance)
            self.entrance = -1

    def drain(self) -> None:
        """Take what has been printed up to now, an unfinished line too; but not for ever, if more and more comes."""
        if sys.platform != "win32":
            most = CAPACITY
            while self._open and most > 0 and (size := self._read()):
                most -= size
        rest, self._rest = self._rest, b""
        if rest:
            self._take(rest.decode("utf-8", "replace"))

    def close(self) -> None:
        """Nobody prints any more."""
        self.shut()
        self.drain()
        self._hang_up()

    def _read(self) -> int:
        """Take what is there. Returns how many bytes that was."""
        try:
            piece = os.read(self._end, PIECE)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError:
            piece = b""
        if piece:
            self._feed(piece)
        else:
            self._hang_up()
        return len(piece)

    def _feed(self, piece: bytes) -> None:
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            self._take(line.removesuffix(b"\r").decode("utf-8", "replace"))
        while len(self._rest) > LONGEST:
            line, self._rest = self._rest[:LONGEST], self._rest[LONGEST:]
            self._take(line.decode("utf-8", "replace"))

    def _hang_up(self) -> None:
        if self._open:
            self._open = False
            if sys.platform != "win32":
                self._loop.remove_reader(self._end)
                os.close(self._end)

    def _wait(self) -> None:
        """Without readiness of pipes: a thread that reads to the end."""
        with suppress(RuntimeError):  # the loop has ended
            while piece := os.read(self._end, PIECE):
                self._loop.call_soon_threadsafe(self._feed, piece)
        os.close(self._end)


class Tail:
    """The last bytes of a log."""

    LIMIT = 4096
    """Bytes that AWS gives of a log with its invocation."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self._size = 0

    def add(self, line: str) -> None:
        data = line.encode("utf-8", "replace") + b"\n"
        self._lines.append(data)
        self._size += len(data)
        if self._size > 16 * self.LIMIT:
            self._lines = [bytes(self)]
            self._size = len(self._lines[0])

    def clear(self) -> None:
        self._lines.clear()
        self._size = 0

    def __bytes__(self) -> bytes:
        return b"".join(self._lines)[-self.LIMIT :]
