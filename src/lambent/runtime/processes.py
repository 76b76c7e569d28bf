"""LAMBENT_PROCESSES: several processes share the invocations that an environment takes at a time. This is their parent.

parent ──starts──▶ processes, each the same command with its part of the slots
   └──SIGTERM────▶ passed on to each

One that ends is not replaced, as with AWS's own client; the environment is when the last one has ended.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from contextlib import suppress

from lambent.errors import ConfigurationError
from lambent.runtime.settings import SHARE, read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType

logger = logging.getLogger("lambent")

_OUTPUT = "_LAMBDA_TELEMETRY_LOG_FD_PROVIDER_SOCKET"
"""The path of a socket: what is written to a connection of it is logged. Each process takes its own, for each of its
outputs, so that their lines do not mix."""

_QUOTA = "/sys/fs/cgroup/cpu.max"


def run(environ: Mapping[str, str]) -> None:
    """Start the processes, if several are wanted, wait for the last one to end, and exit: with 0 only after SIGTERM.

    Returns where they are not wanted, or this is one of them. What is set up wrong is left for whoever comes next.
    """
    try:
        settings = read(environ)
    except ConfigurationError:
        return
    if settings.concurrency is None or settings.processes in (None, 1):
        return
    parent = Parent(environ)
    signal.signal(signal.SIGTERM, parent.terminate)
    for share in shares(settings.concurrency, settings.processes):
        parent.start(share)
    sys.exit(parent.wait())


def shares(concurrency: int, processes: int) -> list[int]:
    """How many slots each process has, at least one: 16 among 3 are 6, 5 and 5."""
    processes = min(processes, concurrency)
    least, more = divmod(concurrency, processes)
    return [least + 1] * more + [least] * (processes - more)


class Parent:
    """Of the processes that share an environment."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = dict(environ)
        self._children: set[int] = set()
        self._terminated = False

    def start(self, share: int) -> None:
        """Start a process for `share` invocations at a time: this very command, begun anew.

        It is not forked: what runs in this process, threads above all, would be half there in the other.
        """
        path = self._environ.get(_OUTPUT)
        outputs = [(number, _connected(path)) for number in (1, 2)] if path else []
        actions = [(os.POSIX_SPAWN_DUP2, output.fileno(), number) for number, output in outputs]
        command = [sys.executable, *sys.orig_argv[1:]]
        variables = {**self._environ, SHARE: str(share)}
        self._children.add(os.posix_spawn(sys.executable, command, variables, file_actions=actions))
        for _, output in outputs:
            output.close()
        if self._terminated:  # meanwhile
            self._pass_on()

    def wait(self) -> int:
        """Wait until all have ended. Returns the first status that is not 0; 1 if there is none, before SIGTERM."""
        failed = 0
        while self._children:
            process, status = os.wait()
            if process not in self._children:  # of an earlier program that this process was, an exec wrapper say
                continue
            self._children.discard(process)
            code = os.waitstatus_to_exitcode(status)
            if code != 0 and not (self._terminated and code == -signal.SIGTERM):
                failed = failed or max(code, 1)
            if not self._terminated:
                self._tell(process, code)
        return failed if self._terminated else failed or 1

    def _tell(self, process: int, code: int) -> None:
        from lambent.runtime import logs  # only now: there is nothing else to say

        if not logging.getLogger().handlers:
            logs.install(os.environ)
        logger.error("Process %d ended with status %d; %d go on.", process, code, len(self._children))

    def terminate(self, _number: int, _frame: FrameType | None) -> None:
        """Handle SIGTERM."""
        self._terminated = True
        self._pass_on()

    def _pass_on(self) -> None:
        for process in self._children:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGTERM)


def _connected(path: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    return connection


def warn_of_idle(concurrency: int) -> None:
    """Say so if one process, which there is where nobody says otherwise, cannot use the vCPUs that there are."""
    count = min(vcpus(), concurrency)
    if count > 1:
        logger.warning(
            "One process runs Python on one vCPU at a time, and there are %d. LAMBENT_PROCESSES=%d shares the %d "
            "invocations among as many processes, each with memory of its own; LAMBENT_PROCESSES=1 keeps to one.",
            count,
            count,
            concurrency,
        )


def vcpus(quota: str = _QUOTA) -> int:
    """How many vCPUs this process may use: those that the scheduler gives it, as far as the cgroup's quota goes."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with suppress(OSError, ValueError), open(quota, encoding="ascii") as file:  # noqa: PTH123 - pathlib costs a cold start
        limit, period = file.read().split()
        count = min(count, max(1, int(limit) // int(period)))  # "max" is no number: no limit
    return count
