"""`lambent dev` as a process, the way a person starts it."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import psutil

from lambent.dev.reaper import SCRIPT

SOURCE = Path(__file__).parents[2] / "src"
LIMIT = 60
"""Seconds after which a test that waits has failed."""


def command(target: str | None = None, *options: str) -> list[str]:
    return [sys.executable, "-m", "lambent", "dev", *([target] if target else []), "--port", "0", *options]


def environment(**variables: str) -> dict[str, str]:
    """Ours, and where the package is."""
    path = os.pathsep.join(filter(None, [str(SOURCE), os.environ.get("PYTHONPATH", "")]))
    return {**os.environ, "PYTHONPATH": path, **variables}


def until(holds: Callable[[], object], show: Callable[[], str] = str) -> None:
    """Look again and again."""
    end = time.monotonic() + LIMIT
    while not holds():
        assert time.monotonic() < end, f"it does not come about\n{show()}"
        threading.Event().wait(0.01)


def gone(processes: Iterable[psutil.Process]) -> bool:
    """Whether all of them end; they may not be our children, so that a zombie counts as ended."""
    processes = list(processes)
    until(lambda: not any(map(alive, processes)), lambda: str([each for each in processes if alive(each)]))
    return True


def alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes


class LocalLambda:
    """A running `lambent dev`, its output, and requests to it.

    Without a target it runs what the configuration in `directory` says.
    """

    def __init__(
        self, directory: Path, target: str | None = None, *options: str, variables: Mapping[str, str] | None = None
    ) -> None:
        self.process = subprocess.Popen(
            command(target, *options),
            cwd=directory,
            env=environment(**variables or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self._lines: list[str] = []
        self._more = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        try:
            self.port = int(self.wait_for(r"(?:http|ws)s?://127\.0\.0\.1:(\d+)")[1])
        except BaseException:
            self.process.kill()
            self._finish()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if self.process.poll() is None:
                self.stop()
        finally:
            self._finish()

    @property
    def output(self) -> str:
        return "".join(self._lines)

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Until the output has it."""
        found: list[re.Match[str]] = []

        def seen() -> bool:
            found.extend(filter(None, [re.search(pattern, self.output)]))
            return bool(found) or not self._reader.is_alive()

        with self._more:
            self._more.wait_for(seen, LIMIT)
        assert found, f"{pattern!r} is not in:\n{self.output}"
        return found[0]

    def get(self, path: str = "/", **headers: str) -> Answer:
        return self.ask("GET", path, None, **headers)

    def ask(self, method: str, path: str, body: bytes | None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): text for name, text in headers.items()})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def status(self, function: str | None = None) -> Any:
        """What `/_lambent/status` says of a function, of the only one by default."""
        functions = json.loads(self.get("/_lambent/status").body)["functions"]
        return functions[function or next(iter(functions))]

    def until(self, holds: Callable[[], object]) -> None:
        """Ask again and again."""
        until(holds, lambda: self.output)

    def family(self) -> list[psutil.Process]:
        """The processes that it started, and those that these did."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def environments(self) -> list[psutil.Process]:
        """Of these, all but the reaper: see `lambent.dev.reaper`."""
        return [each for each in self.family() if SCRIPT not in each.cmdline()]

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        """Ctrl-C, and the exit code."""
        self.process.send_signal(how)
        try:
            return self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def _finish(self) -> None:
        self.process.wait(LIMIT)
        self._reader.join(LIMIT)
        assert not self._reader.is_alive(), "somebody still holds its output"
        if self.process.stdout:
            self.process.stdout.close()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            with self._more:
                self._lines.append(line)
                self._more.notify_all()
        with self._more:
            self._more.notify_all()
