"""The runtime where it serves HTTP: started with a port, asked, and told to end."""

from __future__ import annotations

import re
import sys
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple

from tests.support.processes import Process
from tests.support.runtime_api import LIMIT

MERGED = ("sh", "-c", 'exec "$0" "$@" 2>&1')
"""Before a command: its standard error goes where its output goes."""

COMMAND = (sys.executable, "-W", "error", "-m", "lambent.runtime")


class Answer(NamedTuple):
    status: int
    body: bytes


class WebServer(Process):
    """A process whose output, read line by line, says where it listens."""

    def __init__(self, directory: Path, *target: str, command: tuple[str, ...] = COMMAND, **variables: str) -> None:
        super().__init__([*MERGED, *command, *target], directory, {"PORT": "0", **variables})
        self.log = ""

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Read on until a line has it."""
        while line := self.readline():
            self.log += line
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"{pattern!r} is not in:\n{self.log}")

    def listening(self) -> tuple[str, int]:
        """Wait until it listens. The host and port it names."""
        host, port = self.wait_for(r"running on http://(.+):(\d+) ").groups()
        return host, int(port)

    def connection(self) -> HTTPConnection:
        """Wait until it listens, and be ready to ask."""
        return HTTPConnection("127.0.0.1", self.listening()[1], timeout=LIMIT)


def ask(connection: HTTPConnection, path: str = "/") -> Answer:
    connection.request("GET", path)
    response = connection.getresponse()
    return Answer(response.status, response.read())
