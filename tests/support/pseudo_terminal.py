"""A terminal with a program in it, and somebody who types."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

LIMIT = 60
"""Seconds after which whatever is waited for has failed."""

CTRL_C = "\x03"
CTRL_BACKSLASH = "\x1c"
CTRL_Z = "\x1a"

# What a shell does before it runs a command: a session, whose terminal this is.
OPEN = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""
COLOURS = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b\][^\x07]*\x07|\x1b[=>]|\r")


class PseudoTerminal:
    """Runs a command as the leader of a session with a terminal of its own."""

    def __init__(self, command: Sequence[str], directory: Path, variables: Mapping[str, str]) -> None:
        self.number, inner = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", OPEN, *command],
            cwd=directory,
            env=variables,
            stdin=inner,
            stdout=inner,
            stderr=inner,
            start_new_session=True,
        )
        os.close(inner)
        self._shown = ""
        self._seen = 0
        self._ended = False
        self._more = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(LIMIT)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._reader.join(LIMIT)
        os.close(self.number)

    @property
    def shown(self) -> str:
        """All that it has shown, without its colours."""
        return COLOURS.sub("", self._shown)

    @property
    def foreground(self) -> int:
        """The process group that what is typed goes to."""
        return os.tcgetpgrp(self.number)

    def type(self, keys: str) -> None:
        os.write(self.number, keys.encode())

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Until it has shown this, after what was waited for before."""
        found: re.Match[str] | None = None

        def shown() -> bool:
            nonlocal found
            found = re.compile(pattern).search(self.shown, self._seen)
            return found is not None or self._ended

        with self._more:
            self._more.wait_for(shown, LIMIT)
        assert found, (
            f"{pattern!r} is not in what follows the mark:\n{self.shown[: self._seen]}<MARK>{self.shown[self._seen :]}"
        )
        self._seen = found.end()
        return found

    def ended(self) -> int:
        """The exit status, once it has one."""
        return self.process.wait(LIMIT)

    def _read(self) -> None:
        while True:
            try:
                piece = os.read(self.number, 1 << 16)
            except OSError:  # nobody has it open any more
                piece = b""
            with self._more:
                self._shown += piece.decode("utf-8", "replace")
                self._ended = not piece
                self._more.notify_all()
            if not piece:
                return
