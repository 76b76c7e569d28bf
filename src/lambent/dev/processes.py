"""The process of an environment, with whatever it starts: begun, watched and ended as one."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

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
    async def start(
        cls, command: Sequence[str], variables: Mapping[str, str], directory: str, output: int | None = None
    ) -> Process:
        """Start it, output going to a file descriptor, or where ours goes. OSError if it cannot be."""
        if sys.platform == "win32":
            return cls(
                await asyncio.create_subprocess_exec(
                    *command,
                    env=variables,
                    cwd=directory,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    creationflags=subprocess.CREATE_NEW_PROCESS_GROUP,
                )
            )
        return cls(
            await asyncio.create_subprocess_exec(
                *command,
                env=variables,
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=0,
            )
        )

    @property
    def pid(self) -> int:
        """Of the process, and of its group."""
        return self._process.pid

    async def wait(self) -> int:
        """Until it has ended. The exit status, negative for a signal."""
        return await self._process.wait()

    def terminate(self) -> None:
        """Ask it to end."""
        if self._process.returncode is None:
            self._process.terminate()
            self.thaw()

    def freeze(self) -> None:
        """Have it stand still, with everything that it started."""
        if sys.platform == "win32":
            if self._facts is not None:
                with suppress(psutil.Error):
                    self._facts.suspend()
            return
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Have it go on."""
        if sys.platform == "win32":
            if self._facts is not None:
                with suppress(psutil.Error):
                    self._facts.resume()
            return
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it and everything that it started. Also of use once it has ended by itself: its children may not have."""
        if sys.platform == "win32":
            self._kill_tree()
            return
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):  # macOS: the latter where only zombies are left
            os.killpg(self._process.pid, number)

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

    def memory(self) -> int:
        """Bytes of resident memory of it and, where that is quickly known, of everything that it started."""
        own = self._process.pid
        total = 0
        for each in family(own):
            with suppress(psutil.Error):
                process = self._facts if each == own and self._facts else psutil.Process(each)
                total += process.memory_info().rss
        self._peak = max(self._peak, total)
        return total

    def peak_memory(self) -> int:
        """The most bytes of resident memory seen so far, this look included."""
        self.memory()
        return self._peak


def family(pid: int) -> list[int]:
    """A process and its descendants; on systems other than Linux, where finding these takes long, without them."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_bytes().split()
    except OSError:
        return [pid]
    return [pid, *(each for child in children for each in family(int(child)))]


async def python_version(python: str) -> tuple[int, int]:
    """Major and minor version of an interpreter. OSError if it is none."""
    if python == sys.executable:
        return sys.version_info[:2]
    script = "import sys; print(*sys.version_info[:2])"
    asked = await asyncio.create_subprocess_exec(
        python, "-I", "-c", script, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    said, _ = await asked.communicate()
    try:
        major, minor = map(int, said.split())
    except ValueError:
        raise OSError(f"{python!r} does not run as a Python interpreter.") from None
    return major, minor
