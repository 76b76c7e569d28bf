"""The process of an environment, with whatever it starts: begun, watched and ended as one."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.machinery import FrozenImporter
from pathlib import Path
from typing import Any

import psutil

from lambent.dev.surroundings import Heir, NoHeir

LOOK_AGAIN = 0.1
"""Seconds for which a look at who has been started holds, and at the memory of several processes: it takes a quarter of
a millisecond for each."""

VERSION_LIMIT = 10.0
"""Seconds that an interpreter has to say which one it is."""


class Process:
    """A running process at the head of a process group of its own, so that Ctrl-C in the terminal does not reach it."""

    def __init__(self, process: asyncio.subprocess.Process, heir: Heir) -> None:
        self._process = process
        self._heir = heir
        heir.started(process.pid)
        self._memory = 0
        self._peak = 0
        self._looked = -LOOK_AGAIN
        self._others: list[psutil.Process] = []
        """That it had started, as far as was seen, and that have not ended."""
        try:
            self._facts: psutil.Process | None = psutil.Process(process.pid)
        except psutil.NoSuchProcess:
            self._facts = None

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        variables: Mapping[str, str],
        directory: str,
        output: int | None = None,
        heir: Heir = NoHeir(),  # noqa: B008 - it has no state
    ) -> Process:
        """Start it, output going to a file descriptor, or where ours goes. OSError if it cannot be.

        It is the heir who ends it if we cannot.
        """
        own: dict[str, Any] = {"process_group": 0}
        if sys.platform == "win32":
            own = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        process = await asyncio.create_subprocess_exec(
            *command,
            env=variables,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            **own,
        )
        return cls(process, heir)

    @property
    def pid(self) -> int:
        """Of the process, and of its group."""
        return self._process.pid

    async def wait(self) -> int:
        """Until it has ended. The exit status, negative for a signal."""
        status = await self._process.wait()
        self._heir.ended(self.pid)
        return status

    def terminate(self) -> None:
        """Ask it to end."""
        if self._process.returncode is None:
            self._look()  # nobody can find whom it had started when it has ended
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
        others = [*self._others, *descendants(self.pid)]
        self._signal(signal.SIGKILL)
        for each in others:  # who has left the group; psutil knows a number that is somebody else's by now
            with suppress(psutil.Error):
                each.kill()

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
        if time.monotonic() - self._looked >= LOOK_AGAIN:
            self._looked = time.monotonic()
            self._look()
            if self._others and self._facts is not None:
                self._memory = together([self._facts, *self._others])
        if not self._others:
            with suppress(psutil.Error):
                self._memory = self._rss()
        self._peak = max(self._peak, self._memory)
        return self._memory

    def _look(self) -> None:
        """Who has been started; those of before, too: once it has ended they are nobody's children."""
        found = descendants(self.pid)
        self._others = found + [each for each in self._others if each not in found and each.is_running()]

    def _rss(self) -> int:
        return self._facts.memory_info().rss if self._facts is not None else 0

    def peak_memory(self) -> int:
        """The most bytes of resident memory seen so far, this look included."""
        self.memory()
        return self._peak


def together(processes: Sequence[psutil.Process]) -> int:
    """Bytes of resident memory of several processes. What they share counts once, as in AWS's limit."""
    total = 0
    for each in processes:
        with suppress(psutil.Error):
            found = each.memory_full_info()
            total += getattr(found, "pss", found.rss)
    return total


def descendants(pid: int) -> list[psutil.Process]:
    """Of a process that has not ended; on systems other than Linux, where finding these takes long, none."""
    found = []
    for child in children(pid):
        with suppress(psutil.Error):
            found += [psutil.Process(child), *descendants(child)]
    return found


def children(pid: int) -> list[int]:
    """By whichever of its threads they were started."""
    try:
        texts = [(thread / "children").read_bytes() for thread in Path(f"/proc/{pid}/task").iterdir()]
    except OSError:
        return []
    return [int(child) for text in texts for child in text.split()]


def hiding(folder: Path) -> str:
    """A line for each file or package there that hides a module of Python's own; empty if none does."""
    names = sorted(name for name in sys.stdlib_module_names if not _is_found_first(name))
    found = [each for name in names for each in (folder / f"{name}.py", folder / name)]
    hides = (each.name for each in found if each.is_file() or (each / "__init__.py").is_file())
    return "".join(f"  ({name} in {folder} hides Python's own module of that name)\n" for name in hides)


def _is_found_first(module: str) -> bool:
    """Whether Python finds it before it looks into any folder, as it does `time` and `os`."""
    return module in sys.builtin_module_names or FrozenImporter.find_spec(module) is not None


async def python_version(python: str) -> tuple[int, int]:
    """Major and minor version of an interpreter. OSError if it is none."""
    if python == sys.executable:
        return sys.version_info[:2]
    script = "import sys; print(*sys.version_info[:2])"
    asked = await asyncio.create_subprocess_exec(
        python, "-I", "-c", script, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        async with asyncio.timeout(VERSION_LIMIT):
            said, _ = await asked.communicate()
        major, minor = map(int, said.split())
    except (ValueError, TimeoutError):
        raise OSError(f"{python!r} does not run as a Python interpreter.") from None
    finally:
        with suppress(ProcessLookupError):
            asked.kill()
            await asked.wait()
    return major, minor
