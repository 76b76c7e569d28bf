"""AWS's own Runtime Interface Emulator: where it comes from, and how it is run."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from tests.integration.newcomer import free_port
from tests.support import wheels
from tests.support.processes import environment
from tests.support.runtime_api import LIMIT

# The binaries lie in AWS's own command line tool. They need no Docker; there is none for anything but Linux.
WHEEL = "aws-sam-cli==1.170.0"
MEMBERS = {
    ("Linux", "x86_64"): (
        "samcli/local/rapid/aws-lambda-rie-x86_64",
        "6b1e686e62ab2baf5759c412c4864276ef2a88b094fca53ec070637ccba9b9a5",
    ),
    ("Linux", "aarch64"): (
        "samcli/local/rapid/aws-lambda-rie-arm64",
        "ec2e5d09633d853834c008b1ef264bf834b258a94d551d2b2074966494b39a21",
    ),
}


def offered() -> tuple[str, str]:
    """The emulator for this machine, as in MEMBERS. Ends the test, or the module that is imported, if there is none."""
    return wheels.offered("rie", MEMBERS)


def binary() -> Path:
    """The emulator, downloaded unless that was done before."""
    return wheels.program("rie", WHEEL, MEMBERS)


RUNTIME = (sys.executable, "-m", "lambent.runtime")


class Reply(NamedTuple):
    status: int
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Emulator:
    """The emulator, running `command` and the target. Asked two things at a time, it crashes."""

    def __init__(
        self, rie: Path, directory: Path, *target: str, command: Sequence[str] = RUNTIME, **variables: str
    ) -> None:
        self.port, runtime_api_port = free_port(), free_port()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        arguments = [
            str(rie),
            *("--runtime-interface-emulator-address", f"127.0.0.1:{self.port}"),
            *("--runtime-api-address", f"127.0.0.1:{runtime_api_port}"),
            *command,
            *target,
        ]
        self._process = subprocess.Popen(
            arguments, cwd=directory, env=environment(**variables), stdout=self._log, stderr=subprocess.STDOUT
        )

    def __enter__(self) -> Self:
        while True:
            with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", self.port)):
                return self
            with contextlib.suppress(subprocess.TimeoutExpired):  # the pause between two attempts
                status = self._process.wait(0.002)
                raise AssertionError(f"The emulator ended with {status}:\n{self.log}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Told to end, it kills and reaps the runtime first."""
        self._process.terminate()
        try:
            self._process.wait(LIMIT)
        finally:
            self._process.kill()
            self._process.wait()
            self._log.close()

    def end(self) -> str:
        """Tell it to end, as Lambda ends environments. Returns what was printed meanwhile."""
        before = len(self.log)
        self._process.terminate()
        self._process.wait(LIMIT)
        return self.log[before:]

    @property
    def log(self) -> str:
        """What the emulator and the runtime have printed."""
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0).decode()

    def invoke(self, payload: bytes, **headers: str) -> Reply:
        """Send an event as it is. The names of headers have `_` for `-`."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)
        with contextlib.closing(connection):
            names = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request("POST", "/2015-03-31/functions/function/invocations", payload, names)
            response = connection.getresponse()
            return Reply(response.status, response.read())

    def ask(self, event: object, **headers: str) -> Any:
        """Send an event as JSON; return what comes back, decoded."""
        reply = self.invoke(json.dumps(event).encode(), **headers)
        assert reply.status == 200, f"{reply}\n{self.log}"
        return reply.json
