"""A fleet: the environments of one function, made of one state of its code, and the invocations that wait for them."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

from lambent.dev import failures
from lambent.dev.environment import Environment
from lambent.dev.life import State
from lambent.dev.model import Cause, EnvironmentFacts, Failed, Function, Invocation, Strategy
from lambent.dev.strategies import most_recent
from lambent.dev.surroundings import Surroundings

ALIVE = frozenset({State.STARTING, State.IDLE, State.FROZEN, State.BUSY})

NESTED = 16
"""Environments beyond the limit for invocations that others wait for: without them a function that invokes itself would
wait for ever. As deep as AWS lets invocations go in a circle."""

SHUTDOWN_GRACE = 0.5
"""Seconds that runtimes are given to shut down, as AWS gives them with an internal extension."""


class Fleet:
    """Hands invocations to environments, and starts these as it needs them. Its methods are called in the event loop.

    - `is_nested`: says of an invocation whether another one, in flight, waits for it
    - `imported`: called when an environment has read files of code that were not known
    - `look`: called when code does not start that did: it may be other code by now, and the fleet is paused then
    """

    def __init__(
        self,
        function: Function,
        surroundings: Surroundings,
        *,
        is_nested: Callable[[Invocation], bool] = lambda _: False,
        imported: Callable[[], object] = lambda: None,
        look: Callable[[], object] = lambda: None,
        kind: type[Environment] = Environment,
    ) -> None:
        self.function = function
        self.since = time.time()
        """Nothing of its code was read before."""
        self.files: set[str] = set()
        """Of the code that its environments have read."""
        self.outcome: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        """Done when the first environment is ready, or failed to be."""
        self._surroundings = surroundings
        self._is_nested = is_nested
        self._imported = imported
        self._look = look
        self._kind = kind
        self._strategy: Strategy = function.strategy or most_recent
        self._queue: deque[Invocation] = deque()
        self._open: dict[str, Environment] = {}
        """Those with room, by their id."""
        self._lives: dict[Environment, asyncio.Task[None]] = {}
        self._expiries: dict[Environment, asyncio.TimerHandle] = {}
        self._paused = False
        self._outdated = False
        """Whether its code is not there any more to be read."""
        self._retired = False

    @property
    def environments(self) -> list[Environment]:
        """Those that are not dead, oldest first."""
        return list(self._lives)

    @property
    def waiting(self) -> int:
        """Invocations in the queue."""
        return len(self._queue)

    def invoke(self, invocation: Invocation) -> None:
        """Take an invocation."""
        self._queue.append(invocation)
        self._schedule()

    def waits(self, invocation: Invocation) -> bool:
        """Whether it still stands in the queue."""
        return invocation in self._queue

    def withdraw(self, invocation: Invocation) -> None:
        """The invoker has gone away: what has not begun shall not; what has, runs on, as on AWS."""
        if self.waits(invocation):
            self._queue.remove(invocation)
            invocation.resolve(Failed(Cause.GONE, b""))
            invocation.end()

    def warm(self, count: int) -> None:
        """Start environments before anyone asks."""
        for _ in range(min(count, self.function.environments - self._count(ALIVE))):
            self._start()

    def pause(self) -> None:
        """Start nothing until it is resumed."""
        self._paused = True

    def resume(self) -> None:
        self._paused = False
        self._schedule()

    def fall_back(self) -> None:
        """Go on. What is started now reads newer code, which does not start: while there are others nothing is."""
        self._outdated = True
        self.resume()

    def retire(self) -> list[Invocation]:
        """Take no more invocations, and end each environment that has none. Returns those that had not begun."""
        self._retired = True
        left = list(self._queue)
        self._queue.clear()
        for environment in self.environments:
            if environment.state is not State.BUSY:
                self._condemn(environment)
        return left

    # What environments report: their Supervisor.

    def ready(self, environment: Environment) -> None:
        self._settle(True)
        if self._retired or (self.function.chaos and environment.invocations):
            if environment.state is not State.BUSY:
                self._condemn(environment)
            return
        self._open[environment.id] = environment
        self._schedule()
        if environment.state is State.IDLE and self._count(ALIVE) > self.function.environments:
            self._condemn(environment)
        elif environment.state is State.IDLE and self.function.idle_timeout is not None:
            loop = asyncio.get_running_loop()
            self._stop_expiry(environment)
            self._expiries[environment] = loop.call_later(self.function.idle_timeout, self._condemn, environment)

    def init_failed(self, failure: Callable[[str], Failed]) -> None:
        """The oldest invocation pays, so that a function that cannot start is not started for ever."""
        self._settle(False)
        if self.outcome.result():
            self._look()
        if self._queue and not self._waits_for_others:
            invocation = self._queue.popleft()
            invocation.resolve(failure(invocation.request.request_id))
            invocation.end()
        self._schedule()

    def died(self) -> None:
        self._settle(False)
        self._schedule()

    def imported(self, paths: list[str]) -> None:
        if not self.files.issuperset(paths):
            self.files.update(paths)
            self._imported()

    def _settle(self, well: bool) -> None:
        if not self.outcome.done():
            self.outcome.set_result(well)

    def _schedule(self) -> None:
        """Give the oldest invocations to environments with room; start others for the rest."""
        while self._queue and (environment := self._choose()):
            self._stop_expiry(environment)
            environment.invoke(self._queue.popleft())
            if self.function.chaos or not environment.room:
                del self._open[environment.id]
        if self._retired or self._waits_for_others:
            return
        starting = self._count(frozenset({State.STARTING}))
        room = self.function.environments - self._count(ALIVE)
        per = 1 if self.function.chaos else self.function.concurrency
        needed = -(-len(self._queue) // per) - starting
        for _ in range(min(needed, room)):
            self._start()
        if needed > room >= -NESTED and any(map(self._is_nested, self._queue)) and starting <= max(0, room):
            self._start()

    @property
    def _waits_for_others(self) -> bool:
        """Whether environments that are there, or another fleet, are to do what is in the queue."""
        return self._paused or (self._outdated and self._count(ALIVE) > 0)

    def _choose(self) -> Environment | None:
        """Where the next invocation goes; None if nowhere."""
        self._open = {name: each for name, each in self._open.items() if each.room}
        facts = [each.facts for each in self._lives if each.id in self._open]
        if not facts:
            return None
        return self._open[facts[0].id if len(facts) == 1 else self._strategic(facts)]

    def _strategic(self, facts: list[EnvironmentFacts]) -> str:
        """The id of the one that the strategy chooses; the strategy may be a user's."""
        try:
            chosen = self._strategy(facts).id
            if chosen not in self._open:
                raise LookupError(f"expected one of the environments that it was given, but got {chosen!r}")
        except Exception as error:
            self._surroundings.say(f"{self.function.name}: the strategy failed, and is passed over: {error!r}")
            return most_recent(facts).id
        return chosen

    def _start(self) -> None:
        environment = self._kind(self.function, self, self._surroundings)
        life = asyncio.create_task(environment.run())
        self._lives[environment] = life
        life.add_done_callback(lambda _: self._forget(environment))

    def _forget(self, environment: Environment) -> None:
        self._stop_expiry(environment)
        self._lives.pop(environment, None)
        self._open.pop(environment.id, None)

    def _condemn(self, environment: Environment) -> None:
        self._stop_expiry(environment)
        self._open.pop(environment.id, None)
        environment.condemn(SHUTDOWN_GRACE)

    def _stop_expiry(self, environment: Environment) -> None:
        if expiry := self._expiries.pop(environment, None):
            expiry.cancel()

    def _count(self, states: frozenset[State]) -> int:
        return sum(environment.state in states for environment in self._lives)

    async def close(self, grace: float) -> None:
        """End every environment, letting runtimes shut down for `grace` seconds, and fail what was left unanswered."""
        for invocation in self.retire():
            invocation.resolve(failures.failed(Cause.EXIT, "Runtime.ExitError", "Error: the local Lambda was stopped"))
            invocation.end()
        for environment in self.environments:
            environment.condemn(grace)
        await self.gone()

    async def gone(self) -> None:
        """Wait until every environment has ended."""
        if self._lives:
            await asyncio.wait(self._lives.values())

    def kill(self) -> None:
        """End every process at once."""
        self._retired = True
        for environment in self.environments:
            environment.kill()
