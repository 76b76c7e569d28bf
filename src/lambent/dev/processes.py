"""The process of an environment, with whatever it starts: begun, watched and ended as one."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress

import psutil


class Process:
    """A running process at the head of a process group of its own, so that Ctrl-C in the terminal does not reach it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._peak = 0
        try:
            self._facts: psutil.Process | None = psutil.Process(process.pid)
        except psutil.NoSuchProcess:
            self._facts = None

    @classmethod
    async def start(cls, command: Sequence[str], variables: Mapping[str, str], directory: str) -> Process:
        """Start it, output going where ours goes. OSError if it cannot be."""
        if sys.platform == "win32":
            return cls(
                await asyncio.create_subprocess_exec(
                    *command,
                    env=variables,
                    cwd=directory,
                    stdin=subprocess.DEVNULL,
                    creationflags=subprocess.CREATE_NEW_PROCESS_GROUP,
                )
            )
        return cls(
            await asyncio.create_subprocess_exec(
                *command, env=variables, cwd=directory, stdin=subprocess.DEVNULL, process_group=0
            )
        )

    async def wait(self) -> int:
        """Until it has ended. The exit status, negative for a signal."""
        return await self._process.wait()

    def terminate(self) -> None:
        """Ask it to end."""
        if self._process.returncode is None:
            self._process.terminate()

    def kill(self) -> None:
        """End it and everything that it started. Also of use once it has ended by itself: its children may not have."""
        if sys.platform == "win32":
            self._kill_tree()
            return
        with suppress(ProcessLookupError, PermissionError):  # macOS: the latter where only zombies are left
            os.killpg(self._process.pid, signal.SIGKILL)

    def _kill_tree(self) -> None:
        """Without process groups: everyone who is known as a descendant."""
        if self._facts is None:
            return
        try:
            family = [*self._facts.children(recursive=True), self._facts]
        except psutil.NoSuchProcess:
            return
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.kill()

    def peak_memory(self) -> int:
        """The most bytes of resident memory seen so far, this look included."""
        if self._facts is not None:
            with suppress(psutil.Error):
                self._peak = max(self._peak, self._facts.memory_info().rss)
        return self._peak
