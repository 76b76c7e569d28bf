"""An execution environment: one process, one Runtime API, one life."""

from __future__ import annotations

import asyncio
import os
import sys
import time
import uuid
from collections.abc import Callable
from enum import Enum
from typing import Protocol

from lambent.dev import failures, report
from lambent.dev.conversation import Conversation
from lambent.dev.extensions import Extensions
from lambent.dev.model import Cause, Delivery, Failed, Function, Invocation, Replied, Result, Streaming
from lambent.dev.processes import Process
from lambent.dev.runtime_api import RuntimeAPI
from lambent.dev.stream import Stream
from lambent.dev.variables import RUNTIMES, about, command, log_stream, variables
from lambent.errors import IllegalTransition

INIT_ERROR_GRACE = 1.0
"""Seconds in which a runtime that reported an init error may exit by itself."""


class State(Enum):
    STARTING = "starting"
    IDLE = "idle"
    BUSY = "busy"
    """From an invocation to the runtime's next `next`, though the reply leaves earlier."""
    DRAINING = "draining"
    """It takes no more invocations; its process is about to end."""
    DEAD = "dead"


class Step(Enum):
    POLLED = "asked for an invocation"
    INVOKED = "was given an invocation"
    CONDEMNED = "was condemned"
    EXITED = "exited"


LIFE: dict[State, dict[Step, State]] = {
    State.STARTING: {Step.POLLED: State.IDLE, Step.CONDEMNED: State.DRAINING, Step.EXITED: State.DEAD},
    State.IDLE: {Step.INVOKED: State.BUSY, Step.CONDEMNED: State.DRAINING, Step.EXITED: State.DEAD},
    State.BUSY: {Step.POLLED: State.IDLE, Step.CONDEMNED: State.DRAINING, Step.EXITED: State.DEAD},
    State.DRAINING: {Step.POLLED: State.DRAINING, Step.CONDEMNED: State.DRAINING, Step.EXITED: State.DEAD},
    State.DEAD: {},
}


def after(state: State, step: Step) -> State:
    """The state that a step leads to. `IllegalTransition` if it leads nowhere."""
    try:
        return LIFE[state][step]
    except KeyError:
        raise IllegalTransition(f"An environment that is {state.value} cannot be one that {step.value}.") from None


class Supervisor(Protocol):
    """Who started the environment."""

    def ready(self, environment: Environment) -> None:
        """It is idle."""

    def init_failed(self, failure: Callable[[str], Failed]) -> None:
        """It will never be ready. `failure` says so to an invoker, given the request id."""

    def died(self) -> None:
        """Its process has ended."""


class Environment:
    """Runs a function in a process of its own, one invocation at a time, and ends it when its time is up.

    `run()` is its whole life; the other methods may be called while that runs.
    """

    def __init__(self, function: Function, supervisor: Supervisor, say: Callable[[str], None]) -> None:
        self.state = State.STARTING
        self._function = function
        self._supervisor = supervisor
        self._say = say
        self._conversation = Conversation(self, streams=function.stream, snapstart=function.snapstart)
        self._extensions = Extensions(about(function), self._settled)
        self._has_asked = False
        """For its first invocation, before its extensions were ready."""
        self._process: Process | None = None
        self._invocation: Invocation | None = None
        self._stream: Stream | None = None
        """Of the invocation, if that is how it is replied to."""
        self._timer: asyncio.TimerHandle | None = None
        self._since = 0.0
        """When init or the invocation began, on the loop's clock."""
        self._init_duration: float | None = None
        """Until it has been reported."""

    async def run(self) -> None:
        """From start to end. Returns when the process and everything that it started are gone."""
        api = RuntimeAPI(self._conversation, self._extensions)
        try:
            await self._start(api)
            if self._process is not None:
                self._exited(await self._process.wait())
        finally:
            self._stop_timer()
            self.kill()
            api.close()
            if self._process is not None:
                await self._process.wait()

    async def _start(self, api: RuntimeAPI) -> None:
        stream = log_stream(time.strftime("%Y/%m/%d", time.gmtime()), self._function.version, uuid.uuid4().hex)
        version = sys.version_info[:2]
        self._begin(self._function.init_timeout, self._init_overdue)
        try:
            address = await api.open()
            seen = variables(self._function, os.environ, api=address, log_stream=stream, python_version=version)
            self._process = await Process.start(command(self._function, seen), seen, str(self._function.app_dir))
        except OSError as error:
            self._never_started(error)
        else:
            if self.state is State.DRAINING:
                self.kill()

    def invoke(self, invocation: Invocation) -> None:
        """Hand over an invocation. Must be idle."""
        self._step(Step.INVOKED)
        self._invocation = invocation
        self._say(report.start(invocation.request_id, self._function.version))
        self._begin(self._function.timeout, self._overdue)
        self._conversation.deliver(
            Delivery(
                request_id=invocation.request_id,
                invocation_id=uuid.uuid4().hex,
                deadline_ms=int((time.time() + self._function.timeout) * 1000),
                arn=self._function.arn,
                trace=invocation.trace,
                payload=invocation.payload,
            )
        )

    def condemn(self, grace: float) -> None:
        """Let the runtime shut down: SIGTERM, and after `grace` seconds the end. At once if it has no extension."""
        if self.state is State.DEAD:
            return
        self._step(Step.CONDEMNED)
        if not self._extensions:
            self.kill()
            return
        self._set_timer(grace, self.kill)
        if self._process is not None:
            self._process.terminate()

    def kill(self) -> None:
        """End the process and everything that it started."""
        if self._process is not None:
            self._process.kill()

    # What the runtime says: the Owner of its conversation.

    def polled(self) -> None:
        if self.state is State.STARTING:
            self._has_asked = True
            if not self._extensions.are_ready:
                return
            self._extensions.close()
            self._init_duration = self._elapsed()
        self._conclude()
        self._step(Step.POLLED)
        if self.state is State.IDLE:
            self._stop_timer()
            self._supervisor.ready(self)

    def _settled(self) -> None:
        """Its extensions are ready."""
        if self._has_asked and self.state is State.STARTING:
            self.polled()

    def replied(self, payload: bytes) -> None:
        self._resolve(Replied(payload))

    def streams(self, stream: Stream) -> None:
        self._stream = stream
        self._resolve(Streaming(stream))
        if self._invocation is None or self._invocation.result.cancelled():
            stream.abandon()

    def buffers(self) -> None:
        if self._invocation is not None:
            self._say(report.not_streamed(self._invocation.request_id))

    def failed(self, error: bytes) -> None:
        self._tell(error)
        self._resolve(Failed(Cause.FUNCTION, error))

    def oversized(self) -> None:
        failure = failures.too_large()
        self._say(report.failure_text(failure.payload))
        self._resolve(failure)

    def init_failed(self, error: bytes) -> None:
        self._step(Step.CONDEMNED)
        self._tell(error)
        self._say(report.init_report(self._elapsed(), "error", report.read_failure(error).error_type))
        self._set_timer(INIT_ERROR_GRACE, self.kill)
        self._supervisor.init_failed(lambda _request_id: Failed(Cause.INIT, error))

    # What the clock and the system say.

    def _overdue(self) -> None:
        if self._invocation is not None:
            request_id, seconds = self._invocation.request_id, self._function.timeout
            self._say(report.timed_out(request_id, seconds, time.time()))
            self._resolve(failures.timed_out(request_id, seconds))
        self._step(Step.CONDEMNED)
        self._conclude("timeout")
        self.kill()

    def _init_overdue(self) -> None:
        seconds = self._function.init_timeout
        self._step(Step.CONDEMNED)
        self._say(report.init_report(seconds, "timeout"))
        self.kill()
        self._supervisor.init_failed(lambda request_id: failures.init_timed_out(request_id, seconds))

    def _never_started(self, error: OSError) -> None:
        self._step(Step.EXITED)
        self._say(f"The runtime could not be started: {error}")
        self._supervisor.init_failed(lambda request_id: failures.not_started(request_id, error))
        self._supervisor.died()

    def _exited(self, returncode: int) -> None:
        starting = self.state is State.STARTING
        self._step(Step.EXITED)
        reason = failures.exit_reason(returncode)
        if starting:
            self._say(f"Error: {reason}\n{report.init_report(self._elapsed(), 'error', 'Runtime.ExitError')}")
            self._supervisor.init_failed(lambda request_id: failures.exited(Cause.INIT, request_id, returncode))
        elif self._invocation is not None:
            request_id = self._invocation.request_id
            self._say(f"RequestId: {request_id} Error: {reason}\nRuntime.ExitError")
            self._resolve(failures.exited(Cause.EXIT, request_id, returncode))
            self._conclude("error")
        self._supervisor.died()

    # The parts that these share.

    def _step(self, step: Step) -> None:
        self.state = after(self.state, step)

    def _resolve(self, result: Result) -> None:
        """Give the invoker the result; in the middle of a streamed one, that is only how it ended."""
        if isinstance(result, Failed) and self._stream is not None:
            self._stream.end(result.payload)
        if self._invocation is not None:
            self._invocation.resolve(result)

    def _conclude(self, status: str = "") -> None:
        """Write the last lines of an invocation."""
        if self._invocation is None:
            return
        request_id, self._invocation, self._stream = self._invocation.request_id, None, None
        memory = self._process.peak_memory() if self._process is not None else 0
        init_duration, self._init_duration = self._init_duration, None
        usage = report.Usage(self._elapsed(), self._function.memory, memory, init_duration)
        self._say(f"{report.end(request_id)}\n{report.report(request_id, usage, status)}")

    def _tell(self, error: bytes) -> None:
        """Print what the Runtime API was told, unless the runtime has printed it itself."""
        if not RUNTIMES[self._function.runtime].prints_errors:
            self._say(report.failure_text(error))

    def _elapsed(self) -> float:
        return asyncio.get_running_loop().time() - self._since

    def _begin(self, limit: float, overdue: Callable[[], None]) -> None:
        """Init or an invocation begins, and is overdue after `limit` seconds."""
        self._since = asyncio.get_running_loop().time()
        self._set_timer(limit, overdue)

    def _set_timer(self, seconds: float, act: Callable[[], None]) -> None:
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(seconds, act)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
