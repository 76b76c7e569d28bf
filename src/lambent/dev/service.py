"""The service: invocations wait in a queue, environments take them, and are started as the queue needs them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from lambent.dev import failures
from lambent.dev.environment import Environment, State
from lambent.dev.model import Cause, Failed, Function, Invocation, Result, Streaming

QUEUE_LIMIT = 1000
"""Invocations that may wait; further ones are throttled. AWS's default limit of concurrent ones in an account."""

ALIVE = frozenset({State.STARTING, State.IDLE, State.BUSY})


class Service:
    """One function and its fleet of environments. Its methods must be called in the event loop."""

    def __init__(self, function: Function, say: Callable[[str], None], kind: type[Environment] = Environment) -> None:
        self.function = function
        self._say = say
        self._kind = kind
        self._queue: deque[Invocation] = deque()
        self._idle: list[Environment] = []
        self._lives: dict[Environment, asyncio.Task[None]] = {}
        self._unanswered: set[asyncio.Future[Result] | asyncio.Future[None]] = set()
        self._closing = False

    def invoke(self, request_id: str, payload: bytes, trace: str) -> Invocation:
        """Take an invocation; its `result` is done when the invoker can be answered."""
        result: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        invocation = Invocation(request_id, payload, trace, result)
        if len(self._queue) >= QUEUE_LIMIT or self._closing:
            result.set_result(failures.throttled())
            return invocation
        self._unanswered.add(result)
        result.add_done_callback(self._answered)
        self._queue.append(invocation)
        self._schedule()
        return invocation

    def _answered(self, result: asyncio.Future[Result]) -> None:
        """A streamed answer is one at its end."""
        self._unanswered.discard(result)
        answer = None if result.cancelled() else result.result()
        if isinstance(answer, Streaming):
            self._unanswered.add(answer.stream.ended)
            answer.stream.ended.add_done_callback(self._unanswered.discard)

    def waits(self, invocation: Invocation) -> bool:
        """Whether it still stands in the queue."""
        return invocation in self._queue

    def withdraw(self, invocation: Invocation) -> None:
        """The invoker has gone away: what has not begun shall not; what has, runs on, as on AWS."""
        if self.waits(invocation):
            self._queue.remove(invocation)
            invocation.resolve(Failed(Cause.GONE, b""))

    def warm(self, count: int) -> None:
        """Start environments before anyone asks."""
        for _ in range(min(count, self.function.environments - self._count(ALIVE))):
            self._start()

    # What environments report: their Supervisor.

    def ready(self, environment: Environment) -> None:
        self._idle.append(environment)
        self._schedule()

    def init_failed(self, failure: Callable[[str], Failed]) -> None:
        """The oldest invocation pays, so that a function that cannot start is not started for ever."""
        if self._queue:
            invocation = self._queue.popleft()
            invocation.resolve(failure(invocation.request_id))
        self._schedule()

    def died(self) -> None:
        self._idle = [environment for environment in self._idle if environment.state is State.IDLE]
        self._schedule()

    def _schedule(self) -> None:
        """Give the oldest invocations to the most recently used environments; start others for the rest."""
        while self._queue and self._idle:
            environment = self._idle.pop()
            if environment.state is State.IDLE:
                environment.invoke(self._queue.popleft())
        if self._closing:
            return
        starting = self._count(frozenset({State.STARTING}))
        room = self.function.environments - self._count(ALIVE)
        for _ in range(min(len(self._queue) - starting, room)):
            self._start()

    def _start(self) -> None:
        environment = self._kind(self.function, self, self._say)
        life = asyncio.create_task(environment.run())
        self._lives[environment] = life
        life.add_done_callback(lambda _: self._lives.pop(environment, None))

    def _count(self, states: frozenset[State]) -> int:
        return sum(environment.state in states for environment in self._lives)

    async def drained(self, grace: float) -> None:
        """Wait until every invoker has its answer, `grace` seconds at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(grace):
                while self._unanswered:
                    await asyncio.wait(self._unanswered)

    async def close(self, grace: float) -> None:
        """End every environment, letting runtimes shut down for `grace` seconds, and fail what was left unanswered."""
        self._closing = True
        while self._queue:
            stopped = failures.failed(Cause.EXIT, "Runtime.ExitError", "Error: the local Lambda was stopped")
            self._queue.popleft().resolve(stopped)
        for environment in list(self._lives):
            environment.condemn(grace)
        if self._lives:
            await asyncio.wait(self._lives.values())

    def kill(self) -> None:
        """End every process at once."""
        self._closing = True
        for environment in list(self._lives):
            environment.kill()
