"""Runtimes as child processes: `python -m lambent.runtime TARGET` in a folder of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from tests.support.runtime_api import LIMIT

SOURCE = Path(__file__).parents[2] / "src"


class Ended(NamedTuple):
    """What is left of a process."""

    status: int
    """As `Popen.returncode`: the negative number of a signal that ended it."""
    stdout: str
    stderr: str


def environment(**variables: str) -> dict[str, str]:
    """Ours without anything of Lambda's, and `variables`."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "_", "LAMBENT_"))}
    path = os.pathsep.join(filter(None, [str(SOURCE), os.environ.get("PYTHONPATH", "")]))
    return {**ours, "PYTHONPATH": path, **variables}


class Process:
    """A child that is killed, if it has not ended, and reaped in any case."""

    def __init__(
        self, arguments: list[str], directory: Path, variables: dict[str, str], pass_fds: Sequence[int] = ()
    ) -> None:
        self._process = subprocess.Popen(
            arguments,
            cwd=directory,
            env=environment(**variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            pass_fds=pass_fds,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def readline(self) -> str:
        """The next line that it prints; empty if it has ended."""
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def terminate(self) -> None:
        """SIGTERM, as Lambda tells a runtime that the environment ends."""
        self._process.send_signal(signal.SIGTERM)

    def wait(self, line: str = "") -> Ended:
        """Type `line`, and wait for the end."""
        stdout, stderr = self._process.communicate(line, timeout=LIMIT)
        return Ended(self._process.returncode, stdout, stderr)

    def stop(self) -> Ended:
        """Terminate it and wait for its end."""
        self.terminate()
        return self.wait()


def runtime(directory: Path, address: str, *target: str, module: str = "lambent.runtime", **variables: str) -> Process:
    """Start a runtime for `target`. Its warnings are errors too. It may end as slowly as the machine is."""
    arguments = [sys.executable, "-W", "error", "-m", module, *target]
    own = {"AWS_LAMBDA_RUNTIME_API": address, "LAMBENT_SHUTDOWN_SECONDS": str(LIMIT)}
    return Process(arguments, directory, {**own, **variables})
