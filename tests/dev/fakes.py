"""Runtimes made of a few lines, and pieces that the tests of the local Lambda share."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from lambent.dev.environment import Environment
from lambent.dev.life import State, Step
from lambent.dev.model import Cause, Failed, Function, Invocation, Replied
from lambent.dev.runs import Run
from lambent.dev.surroundings import Supervisor, Surroundings


class NoTerminal:
    """Lends none. Remembers who wanted it, and who gave it back."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.returned: list[int] = []

    def lend(self, group: int, grant: Callable[[str | None, str], None]) -> None:
        self.asked.append(group)
        grant(None, "there is none")

    def take_back(self, group: int) -> None:
        self.returned.append(group)


def surroundings(say: Callable[[str], None] = lambda _: None) -> Surroundings:
    return Surroundings(say, NoTerminal())


class FakeEnvironment(Environment):
    """Lives as it is told. The tests find each one in `fleet`, in the order they were started."""

    fleet: list[FakeEnvironment]

    def __init__(self, function: Function, supervisor: Supervisor, around: Surroundings) -> None:
        super().__init__(function, supervisor, around)
        self.ended = asyncio.Event()
        self.took: list[str] = []
        self.killed = False
        self.fleet.append(self)

    @classmethod
    def kind(cls) -> tuple[type[FakeEnvironment], list[FakeEnvironment]]:
        """A class of its own, and where its environments are found."""
        fleet: list[FakeEnvironment] = []
        return type("Kind", (cls,), {"fleet": fleet}), fleet

    async def run(self) -> None:
        await self.ended.wait()

    def invoke(self, invocation: Invocation) -> None:
        self._step(Step.INVOKED)
        self.took.append(invocation.request.request_id)
        self.invocations += 1
        self.last_used = asyncio.get_running_loop().time()
        self._runs[invocation.request.request_id] = Run(invocation, self.last_used)

    def condemn(self, grace: float) -> None:
        self.die()

    def kill(self) -> None:
        self.killed = True
        self.die()

    def poll(self) -> None:
        """Ask for an invocation, having answered those it has."""
        for run in list(self._runs.values()):
            run.resolve(Replied(run.invocation.request.payload))
            self.sent(run.invocation.request.request_id)
        self.polled()

    def read(self, *files: str) -> None:
        """Have read files of code."""
        self.imported(list(files))

    def fail_init(self, text: bytes = b"no") -> None:
        self._step(Step.CONDEMNED)
        self._supervisor.init_failed(lambda _: Failed(Cause.INIT, text))

    def die(self) -> None:
        if self.state is not State.DEAD:
            self._step(Step.EXITED)
            for run in list(self._runs.values()):
                run.resolve(Failed(Cause.EXIT, b"dead"))
                self._conclude(run)
            self.ended.set()
            self._supervisor.died()


PRELUDE = '''
import http.client, json, os, signal, socket, subprocess, sys, threading

api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])

def ask(method, path, body=None):
    api.request(method, "/2018-06-01/runtime" + path, body)
    answer = api.getresponse()
    return answer.status, answer.headers, answer.read()

def take():
    """The next invocation's id and event."""
    status, headers, event = ask("GET", "/invocation/next")
    return headers["Lambda-Runtime-Aws-Request-Id"], event

def reply(request_id, body=b"{}"):
    return ask("POST", f"/invocation/{request_id}/response", body)[0]

def fail(request_id, body):
    return ask("POST", f"/invocation/{request_id}/error", body)[0]

def register(*events):
    """Be an extension too. Returns what makes it ready, which returns what waits for its event."""
    extension = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    body = json.dumps({"events": events})
    extension.request("POST", "/2020-01-01/extension/register", body, {"Lambda-Extension-Name": "e"})
    answer = extension.getresponse()
    answer.read()
    headers = {"Lambda-Extension-Identifier": answer.headers["Lambda-Extension-Identifier"]}
    def ready():
        extension.request("GET", "/2020-01-01/extension/event/next", headers=headers)
        return lambda: extension.getresponse().read()
    return ready

def hold():
    """Tell the test that we are here, and stay until it lets go."""
    gate = socket.create_connection(("127.0.0.1", int(os.environ["GATE"])))
    gate.sendall(b"%d\\n" % os.getpid())
    return gate.recv(1)

def stay():
    threading.Event().wait()

'''


def fake_runtime(directory: Path, script: str) -> Function:
    """A function whose runtime is `script`: it shadows AWS's, which is started as `python -m awslambdaric`."""
    (directory / "awslambdaric.py").write_text(PRELUDE + script, "utf-8")
    return Function("f", "app.handler", directory, runtime="awslambdaric", timeout=30)


class Gate:
    """Where a child process reports and waits: `arrive` returns once one is there."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(60)
        self.port = str(self._listener.getsockname()[1])
        self.held: list[socket.socket] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for each in [*self.held, self._listener]:
            each.close()

    def arrive(self) -> str:
        """What the next child says of itself: one line."""
        child, _ = self._listener.accept()
        child.settimeout(60)
        self.held.append(child)
        line = b""
        while not line.endswith(b"\n"):
            piece = child.recv(100)
            assert piece, "the child went away"
            line += piece
        return line.decode().strip()

    def release(self, index: int = -1) -> None:
        """Let a child go on."""
        child = self.held.pop(index)
        child.sendall(b"!")
        child.close()

    def gone(self, index: int = -1) -> bool:
        """Wait until a child that was held has ended."""
        try:
            return self.held[index].recv(1) == b""
        except ConnectionResetError:
            return True

    def open_to(self, function: Function) -> Function:
        """The function, told where this gate is."""
        return replace(function, env={**function.env, "GATE": self.port})
