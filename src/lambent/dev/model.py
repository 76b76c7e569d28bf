"""What the local Lambda speaks in: a function, an invocation of it, and how that ended."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from lambent.dev.stream import Stream


@dataclass(frozen=True, slots=True)
class Function:
    """A function as it is configured. Times in seconds, sizes in MB; the defaults are AWS's."""

    name: str
    target: str
    """`app:app` or `app.handler`, looked up from `app_dir`."""
    app_dir: Path
    timeout: float = 3.0
    memory: int = 128
    environments: int = 10
    """How many may run at once; further invocations wait."""
    runtime: str = "lambent"
    """A key of `lambent.dev.variables.RUNTIMES`."""
    env: Mapping[str, str] = field(default_factory=dict)
    python: str = sys.executable
    init_timeout: float = 10.0
    region: str = "us-east-1"
    account: str = "123456789012"
    version: str = "$LATEST"
    stream: bool = False
    """Whether replies may come piece by piece: the invoke mode of what stands in front of it."""
    snapstart: bool = False
    """Whether environments come from a snapshot: here each is made anew, and goes through what a snapshot brings."""

    @property
    def arn(self) -> str:
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{self.name}"


class Cause(Enum):
    """Who ended an invocation without a result."""

    FUNCTION = "the function raised"
    INIT = "the environment did not initialise"
    TIMEOUT = "the time was up"
    EXIT = "the process ended"
    SIZE = "the result is too large"
    THROTTLED = "too many invocations wait"
    GONE = "the invoker went away before it began"


class Replied(NamedTuple):
    """The function's result, byte for byte."""

    payload: bytes


class Failed(NamedTuple):
    """No result. The payload is the error as the invoker is told it: JSON, unless the runtime posted something else."""

    cause: Cause
    payload: bytes


class Streaming(NamedTuple):
    """The function's result, which has begun to come."""

    stream: Stream


Result = Replied | Failed | Streaming


class Invocation:
    """One event on its way through the service. `result` is done when the invoker may have its answer."""

    __slots__ = ("payload", "request_id", "result", "trace")

    def __init__(self, request_id: str, payload: bytes, trace: str, result: asyncio.Future[Result]) -> None:
        self.request_id = request_id
        self.payload = payload
        self.trace = trace
        self.result = result

    def resolve(self, result: Result) -> None:
        """Answer the invoker, unless that happened before or the invoker has gone away."""
        if not self.result.done():
            self.result.set_result(result)


class Delivery(NamedTuple):
    """An invocation as the Runtime API hands it to a runtime."""

    request_id: str
    invocation_id: str
    """The nonce that a runtime echoes, so that a late answer never reaches another invocation."""
    deadline_ms: int
    arn: str
    trace: str
    payload: bytes
