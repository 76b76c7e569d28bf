"""An execution environment: one process, one Runtime API, one life."""

from __future__ import annotations

import asyncio
import os
import sys
import time
import uuid
from collections.abc import Callable

from lambent.dev import failures, report
from lambent.dev.companion import Companion
from lambent.dev.conversation import Conversation
from lambent.dev.extensions import Extensions
from lambent.dev.life import READY, State, Step, after
from lambent.dev.memory import MemoryWatch
from lambent.dev.model import (
    Cause,
    Delivery,
    EnvironmentFacts,
    Failed,
    Function,
    Invocation,
    Replied,
    Streaming,
)
from lambent.dev.output import Pipe, Tail
from lambent.dev.processes import Process, hiding, python_version
from lambent.dev.runs import Run
from lambent.dev.runtime_api import RuntimeAPI
from lambent.dev.stream import Stream
from lambent.dev.surroundings import Supervisor, Surroundings
from lambent.dev.variables import RUNTIMES, about, command, log_stream, variables

INIT_ERROR_GRACE = 1.0
"""Seconds in which a runtime that reported an init error may exit by itself."""

LONGEST = 900.0
"""Seconds that an invocation in a debugger is told it has: the most that AWS gives any."""


class Environment:
    """Runs a function in a process of its own and ends it when its time is up.

    One invocation at a time; or several, and then each is on its own: it is over with its reply, and if its time is up
    the process goes on. `run()` is its whole life; the other methods may be called while that runs.
    """

    def __init__(self, function: Function, supervisor: Supervisor, surroundings: Surroundings) -> None:
        self.id = uuid.uuid4().hex
        self.state = State.STARTING
        self.invocations = 0
        """That it was given."""
        self.last_used = 0.0
        """When it was last given one, or was ready for the first, on the loop's clock."""
        self._function = function
        self._supervisor = supervisor
        self._terminal = surroundings.terminal
        self._heir = surroundings.heir
        self._lent = surroundings.presets
        self._print = surroundings.say
        self._quiet = surroundings.quiet
        self._conversation = Conversation(
            self, streams=function.stream, snapstart=function.snapstart, concurrency=function.concurrency
        )
        self._extensions = Extensions(about(function), self._settled)
        self._has_asked = False
        """For an invocation, before its extensions were ready."""
        self._process: Process | None = None
        self._pipe: Pipe | None = None
        self._tail = Tail()
        self._runs: dict[str, Run] = {}
        self._unasked = 0
        """Of several invocations those that are over, while the runtime has not asked for others in their place."""
        self._doomed = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        """Of init and of the end."""
        limit = sys.maxsize if function.debug else function.memory * report.MEGABYTE
        self._memory = MemoryWatch(lambda: self.memory, limit, self._out_of_memory)
        self._since = 0.0
        """When init began, on the loop's clock."""
        self._init_duration: float | None = None
        """Until it has been reported."""

    @property
    def room(self) -> int:
        """How many invocations it takes now."""
        return self._function.concurrency - len(self._runs) - self._unasked if self.state in READY else 0

    @property
    def facts(self) -> EnvironmentFacts:
        return EnvironmentFacts(self.id, self.invocations, self.room, self.last_used)

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    @property
    def memory(self) -> int:
        """Bytes resident now."""
        return 0 if self._process is None else self._process.memory()

    async def run(self) -> None:
        """From start to end. Returns when the process and everything that it started are gone."""
        api = RuntimeAPI(self._conversation, self._extensions, Companion(self))
        try:
            await self._start(api)
            if self._process is not None:
                self._exited(await self._process.wait())
        finally:
            self._stop_timers()
            self.kill()
            api.close()
            if self._process is not None:
                await self._process.wait()
                self._leave_terminal()
            if self._pipe is not None:
                self._pipe.close()

    async def _start(self, api: RuntimeAPI) -> None:
        self._since = asyncio.get_running_loop().time()
        if self._function.cold_start and await self._is_doomed(self._function.cold_start):
            self._step(Step.EXITED)
            self._supervisor.died()
            return
        if not self._function.debug:
            self._set_timer(self._function.init_timeout, self._init_overdue)
        stream = log_stream(time.strftime("%Y/%m/%d", time.gmtime()), self._function.version, self.id)
        try:
            self._pipe = pipe = Pipe(self._say)
            address = await api.open()
            version = await python_version(self._function.python)
            seen = variables(
                self._function, os.environ, api=address, log_stream=stream, python_version=version, lent=self._lent
            )
            argv = command(self._function, seen)
            self._process = await Process.start(argv, seen, str(self._function.app_dir), pipe.entrance, self._heir)
        except (OSError, ValueError) as error:  # ValueError: for a variable that no process can have
            self._never_started(error)
        else:
            pipe.shut()
            self._memory.start()
            if self.state is State.DRAINING:
                self.kill()

    async def _is_doomed(self, seconds: float) -> bool:
        """Wait, unless it is to end meanwhile. Returns whether it is."""
        try:
            async with asyncio.timeout(seconds):
                return await self._doomed.wait()
        except TimeoutError:
            return False

    def invoke(self, invocation: Invocation) -> None:
        """Hand over an invocation. Must have room."""
        frozen = self.state is State.FROZEN
        self._step(Step.INVOKED)
        if frozen and self._process is not None:
            self._process.thaw()
        request = invocation.request
        loop = asyncio.get_running_loop()
        if not self._runs:
            self._tail.clear()
        run = self._runs[request.request_id] = Run(invocation, loop.time())
        self.last_used = run.since
        self.invocations += 1
        self._note(report.start(request.request_id, self._function.version))
        seconds = LONGEST
        if not self._function.debug:
            seconds = self._function.timeout
            run.timer = loop.call_later(seconds, self._overdue, run)
        self._memory.start()
        delivery = Delivery(
            request=request,
            invocation_id=uuid.uuid4().hex,
            deadline_ms=int((time.time() + seconds) * 1000),
            arn=request.arn or self._function.arn,
        )
        if self._function.concurrency == 1:  # of several, AWS tells extensions nothing
            self._extensions.deliver(delivery)
        self._conversation.deliver(delivery)

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
        self._doomed.set()
        if self._process is not None:
            self._process.kill()

    # What the runtime says: the Owner of its conversation.

    def polled(self) -> None:
        self._has_asked = not self._extensions.are_ready
        if self._has_asked:
            return
        if self.state is State.STARTING:
            self._extensions.close()
            self._stop_timers()
            self.last_used = asyncio.get_running_loop().time()
            self._init_duration = self.last_used - self._since
            self._leave_terminal()
        elif self._function.concurrency > 1:
            self._unasked = max(0, self._unasked - 1)
        else:
            for run in list(self._runs.values()):
                self._conclude(run)
        if not self._runs and self.state is not State.IDLE:
            self._step(Step.POLLED)
        if self.room:
            self._supervisor.ready(self)
        self._rest()

    def _rest(self) -> None:
        """Nothing is asked of it: it stands still, where environments do."""
        if self.state is State.IDLE:
            self._memory.stop()
            if self._function.freeze and self._function.concurrency == 1 and not self._function.debug and self._process:
                self._step(Step.FROZE)
                self._process.freeze()

    def _settled(self) -> None:
        """Its extensions are ready."""
        if self._has_asked:
            self.polled()

    def replied(self, request_id: str, payload: bytes) -> None:
        self._runs[request_id].resolve(Replied(payload))

    def streams(self, request_id: str, stream: Stream) -> None:
        run = self._runs[request_id]
        run.stream = stream
        run.resolve(Streaming(stream))
        if run.invocation.result.cancelled():
            stream.abandon()

    def buffers(self, request_id: str) -> None:
        self._say(report.not_streamed(request_id))

    def failed(self, request_id: str, error: bytes) -> None:
        self._tell(error)
        self._runs[request_id].resolve(Failed(Cause.FUNCTION, error))

    def oversized(self, request_id: str) -> None:
        failure = failures.too_large()
        self._say(report.failure_text(failure.payload))
        self._runs[request_id].resolve(failure)

    def sent(self, request_id: str) -> None:
        if self._function.concurrency > 1:
            self._unasked += 1
            self._conclude(self._runs[request_id])

    def init_failed(self, error: bytes) -> None:
        self._step(Step.CONDEMNED)
        self._tell(error)
        self._say(report.init_report(self._elapsed(), "error", report.read_failure(error).error_type))
        self._set_timer(INIT_ERROR_GRACE, self.kill)
        self._supervisor.init_failed(lambda _request_id: Failed(Cause.INIT, error))

    # What the starter within it says: the Owner of its companion.

    def imported(self, paths: list[str]) -> None:
        self._supervisor.imported(paths)

    def breakpoint(self, grant: Callable[[str | None, str], None]) -> None:
        """Its clocks stop until the init or the invocations that are under way are over."""
        if not self._runs and self.state is not State.STARTING:
            grant(None, "No invocation is under way in its environment, which may be frozen at any time.")
            return
        self._stop_timers()
        for run in self._runs.values():
            run.hold()
        if self._process is not None:
            self._terminal.lend(self._process.pid, grant)

    def _leave_terminal(self) -> None:
        if self._process is not None:
            self._terminal.take_back(self._process.pid)

    # What the clock and the system say.

    def _overdue(self, run: Run) -> None:
        request_id, seconds = run.invocation.request.request_id, self._function.timeout
        self._say(report.timed_out(request_id, seconds, time.time()))
        run.resolve(failures.timed_out(request_id, seconds))
        if self._function.concurrency > 1:
            self._unasked += 1
            self._conversation.expire(request_id)
            self._conclude(run, "timeout")
            return
        self._step(Step.CONDEMNED)
        self._conclude(run, "timeout")
        self.kill()

    def _init_overdue(self) -> None:
        seconds = self._function.init_timeout
        self._step(Step.CONDEMNED)
        self._say(report.init_report(seconds, "timeout"))
        self.kill()
        self._supervisor.init_failed(lambda request_id: failures.init_timed_out(request_id, seconds))

    def _out_of_memory(self) -> None:
        starting = self.state is State.STARTING
        self._step(Step.CONDEMNED)
        self._say(report.out_of_memory(self._function.memory))
        for request_id, run in list(self._runs.items()):
            run.resolve(failures.out_of_memory(Cause.EXIT, request_id))
            self._conclude(run, "error", "Runtime.OutOfMemory")
        self.kill()
        if starting:
            self._say(report.init_report(self._elapsed(), "error", "Runtime.OutOfMemory"))
            self._supervisor.init_failed(lambda request_id: failures.out_of_memory(Cause.INIT, request_id))

    def _never_started(self, error: Exception) -> None:
        self._step(Step.EXITED)
        self._say(f"The runtime could not be started: {error}")
        self._supervisor.init_failed(lambda request_id: failures.not_started(request_id, error))
        self._supervisor.died()

    def _exited(self, returncode: int) -> None:
        starting = self.state is State.STARTING
        self._step(Step.EXITED)
        reason = failures.exit_reason(returncode)
        if self._pipe is not None:
            self._pipe.drain()
        if starting:
            hint = hiding(self._function.app_dir)
            self._say(f"Error: {reason}\n{hint}{report.init_report(self._elapsed(), 'error', 'Runtime.ExitError')}")
            self._supervisor.init_failed(lambda request_id: failures.exited(Cause.INIT, request_id, returncode))
        for request_id, run in list(self._runs.items()):
            self._say(f"RequestId: {request_id} Error: {reason}\nRuntime.ExitError")
            run.resolve(failures.exited(Cause.EXIT, request_id, returncode))
            self._conclude(run, "error")
        self._supervisor.died()

    # The parts that these share.

    def _step(self, step: Step) -> None:
        self.state = after(self.state, step)

    def _conclude(self, run: Run, status: str = "", error_type: str = "") -> None:
        """It is over: write its last lines."""
        request_id = run.invocation.request.request_id
        del self._runs[request_id]
        run.stop_timer()
        if self._pipe is not None:
            self._pipe.drain()
        memory = 0
        if self._process is not None:
            memory = self._process.peak_memory()
        if not self._runs:
            self._leave_terminal()
        init_duration, self._init_duration = self._init_duration, None
        elapsed = asyncio.get_running_loop().time() - run.since
        usage = report.Usage(elapsed, self._function.memory, memory, init_duration)
        self._note(f"{report.end(request_id)}\n{report.report(request_id, usage, status, error_type)}")
        run.invocation.end(bytes(self._tail))

    def _say(self, text: str) -> None:
        self._tail.add(text)
        self._print(text)

    def _note(self, text: str) -> None:
        """What is said of every invocation."""
        self._tail.add(text)
        if not self._quiet:
            self._print(text)

    def _tell(self, error: bytes) -> None:
        """Print what the Runtime API was told, unless the runtime has printed it itself."""
        if self._pipe is not None:
            self._pipe.drain()
        if not RUNTIMES[self._function.runtime].prints_errors:
            self._say(report.failure_text(error))

    def _elapsed(self) -> float:
        return asyncio.get_running_loop().time() - self._since

    def _set_timer(self, seconds: float, act: Callable[[], None]) -> None:
        self._stop_timers()
        self._timer = asyncio.get_running_loop().call_later(seconds, act)

    def _stop_timers(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._memory.stop()
