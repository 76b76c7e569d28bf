"""Requests without a pause over connections that are kept, each reply held against its request."""

from __future__ import annotations

import http.client
import json
import threading
from types import TracebackType
from typing import Self

from tests.dev.local import LIMIT, until


class Load:
    """Asks `/?n=…` as long as it is open, of a function that answers `{"version": …, "n": "…"}`.

    A connection that is hung up on is a failure like any other.
    """

    def __init__(self, port: int, connections: int) -> None:
        self._port = port
        self._over = threading.Event()
        self._lanes = [threading.Thread(target=self._run, args=(lane,)) for lane in range(connections)]
        self._newest = [""] * connections
        self.answered = 0
        self.failures: list[str] = []

    def __enter__(self) -> Self:
        for lane in self._lanes:
            lane.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._over.set()
        for lane in self._lanes:
            lane.join()

    def wait_for(self, version: str) -> None:
        """Until every connection is answered by this version."""
        until(lambda: self.failures or set(self._newest) == {version}, lambda: str(self._newest))

    def _run(self, lane: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=LIMIT)
        connection.auto_open = 1
        connection.connect()
        connection.auto_open = 0
        number = 0
        try:
            while not self._over.is_set():
                number += 1
                connection.request("GET", f"/?n={lane}-{number}")
                response = connection.getresponse()
                self._judge(lane, f"{lane}-{number}", response.status, response.read())
        except (OSError, http.client.HTTPException) as error:
            self.failures.append(repr(error))
        finally:
            connection.close()

    def _judge(self, lane: int, number: str, status: int, body: bytes) -> None:
        reply = json.loads(body) if status == 200 else {}
        if reply.get("n") == number:
            self._newest[lane] = reply["version"]
            self.answered += 1
        else:
            self.failures.append(f"{number}: {status} {body!r}")
