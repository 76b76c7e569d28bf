"""A client of the Debug Adapter Protocol, such as an editor is: messages of JSON, each behind its Content-Length."""

from __future__ import annotations

import itertools
import json
import socket
import time
from types import TracebackType
from typing import Any, Self

LIMIT = 60
"""Seconds after which whatever is waited for has failed."""


class Editor:
    """Connected to a debugger that waits at a port of this machine."""

    def __init__(self, port: int) -> None:
        self._socket = connected(port)
        self._stream = self._socket.makefile("rb")
        self._numbers = itertools.count(1)
        self._events: list[dict[str, Any]] = []
        self._answers: dict[int, dict[str, Any]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stream.close()
        self._socket.close()

    def attach(self, path: str, line: int) -> None:
        """As an editor does it whose user has set a breakpoint."""
        self.ask("initialize", adapterID="lambent", linesStartAt1=True, columnsStartAt1=True, pathFormat="path")
        attached = self.send("attach", justMyCode=True)
        self.wait_for("initialized")
        self.ask("setBreakpoints", source={"path": path}, breakpoints=[{"line": line}])
        self.ask("configurationDone")
        self.answer(attached)

    def ask(self, command: str, **arguments: object) -> dict[str, Any]:
        """Send a request and wait for what comes of it. The body of its answer."""
        return self.answer(self.send(command, **arguments))

    def send(self, command: str, **arguments: object) -> int:
        number = next(self._numbers)
        message = json.dumps({"seq": number, "type": "request", "command": command, "arguments": arguments}).encode()
        self._socket.sendall(b"Content-Length: %d\r\n\r\n%b" % (len(message), message))
        return number

    def answer(self, number: int) -> dict[str, Any]:
        while number not in self._answers:
            self._read()
        answer = self._answers.pop(number)
        assert answer["success"], answer
        body: dict[str, Any] = answer.get("body", {})
        return body

    def wait_for(self, event: str) -> dict[str, Any]:
        """The body of the next such event."""
        while True:
            for each in self._events:
                if each["event"] == event:
                    self._events.remove(each)
                    body: dict[str, Any] = each.get("body", {})
                    return body
            self._read()

    def _read(self) -> None:
        length = 0
        while line := self._stream.readline().strip():
            length = int(line.removeprefix(b"Content-Length: "))
        assert length, "the debugger has hung up"
        message = json.loads(self._stream.read(length))
        if message["type"] == "event":
            self._events.append(message)
        elif message["type"] == "response":
            self._answers[message["request_seq"]] = message


def connected(port: int) -> socket.socket:
    """To whoever will listen there."""
    until = time.monotonic() + LIMIT
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=LIMIT)
        except ConnectionRefusedError:
            assert time.monotonic() < until, f"nobody listens at port {port}"
            time.sleep(0.02)
