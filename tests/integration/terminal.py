"""A terminal: one bash, what is typed into it, and what keeps running in it."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import psutil

LIMIT = 100
"""Seconds after which whatever is waited for has failed: a package index may be slow."""
SHORT_LIMIT = 20
"""The same where only this machine is asked."""


class Ran(NamedTuple):
    """A command that has ended."""

    status: int
    out: str
    err: str


class Terminal:
    """A shell that keeps its folder and variables from one command to the next."""

    def __init__(self, directory: Path, variables: Mapping[str, str]) -> None:
        self._jobs: list[Job] = []
        self._files = tempfile.TemporaryDirectory()
        self._shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=directory,
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            process_group=0,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it. What still runs then belongs to a test that has failed, and is killed."""
        for pid in [self._shell.pid, *(job.pid for job in self._jobs if job.running)]:
            for process in reversed(family(pid)):
                process.kill()
        with self._shell:
            pass
        self._files.cleanup()

    def run(self, command: str) -> Ran:
        """Type a command and wait until it has ended."""
        out, err = Path(self._files.name, "out"), Path(self._files.name, "err")
        status = self._type(f"{{ {command}\n}} </dev/null >{out} 2>{err}", "$?", LIMIT)
        return Ran(status, out.read_text("utf-8"), err.read_text("utf-8"))

    def start(self, command: str) -> Job:
        """Type a command that keeps running. It heads a process group, as what runs in a real terminal does."""
        pipe = Path(self._files.name, f"job{len(self._jobs)}")
        os.mkfifo(pipe)
        pid = self._type(f"set -m\n{command} </dev/null >{pipe} 2>&1 &\nset +m", "$!", LIMIT)
        self._jobs.append(Job(self, pid, pipe))
        return self._jobs[-1]

    def wait(self, job: Job) -> int:
        """The exit status of what was started: 128 and the signal's number, if a signal ended it."""
        return self._type(f"wait {job.pid}", "$?", SHORT_LIMIT)

    def _type(self, script: str, question: str, limit: float) -> int:
        """Have the shell run a script, then tell a number."""
        shell_in, shell_out = self._shell.stdin, self._shell.stdout
        assert shell_in
        assert shell_out
        shell_in.write(f"{script}\necho {question}\n")
        shell_in.flush()
        ready, _, _ = select.select([shell_out], [], [], limit)
        assert ready, f"not done after {limit} s:\n{script}"
        return int(shell_out.readline())


class Job:
    """A command that keeps running, and what it writes."""

    def __init__(self, terminal: Terminal, pid: int, pipe: Path) -> None:
        self.pid = pid
        self.running = True
        self._terminal = terminal
        self._written = ""
        self._more = threading.Condition()
        self._reader = threading.Thread(target=self._read, args=[pipe], daemon=True)
        self._reader.start()

    @property
    def output(self) -> str:
        with self._more:
            return self._written

    def wait_for(self, pattern: re.Pattern[str], limit: float = SHORT_LIMIT) -> re.Match[str] | None:
        """Until the pattern is found; None if it will not be, or has not been for `limit` seconds."""
        with self._more:
            self._more.wait_for(lambda: pattern.search(self._written) or not self._reader.is_alive(), limit)
            return pattern.search(self._written)

    def press_ctrl_c(self) -> int:
        """What Ctrl-C does: SIGINT to the whole process group. The exit status, once nothing of it is left."""
        members = family(self.pid)
        os.killpg(self.pid, signal.SIGINT)
        status = self._terminal.wait(self)
        self.running = False
        left = [process for process in members if alive(process)]
        for process in left:
            process.kill()
        assert not left, f"still running after Ctrl-C: {left}"
        self._reader.join(SHORT_LIMIT)
        assert not self._reader.is_alive(), "somebody holds its output, though it has ended"
        return status

    def _read(self, pipe: Path) -> None:
        with pipe.open(encoding="utf-8", newline="") as lines:
            for line in lines:
                with self._more:
                    self._written += line
                    self._more.notify_all()
        with self._more:
            self._more.notify_all()


def family(pid: int) -> list[psutil.Process]:
    """A process and all below it, ancestors first; empty if it has ended."""
    try:
        head = psutil.Process(pid)
        return [head, *head.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def alive(process: psutil.Process) -> bool:
    """Whether it runs: a zombie does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
