"""The service: functions by name, each with a fleet; and with another beside it while its code is being replaced."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from lambent.dev import failures
from lambent.dev.environment import Environment
from lambent.dev.fleet import Fleet
from lambent.dev.identifiers import root
from lambent.dev.model import Function, Invocation, InvokeRequest, Result, Streaming
from lambent.dev.surroundings import Surroundings
from lambent.errors import UnknownFunction

WAITING_LIMIT = 1000
"""Invocations of a function that may wait; further ones are throttled. AWS's limit of concurrent ones in an account."""


class Sources(NamedTuple):
    """The code of a function."""

    files: set[str]
    """That it has read."""
    complete: bool
    """Whether it reads no others. It may where its runtime does not say, and where it has not found what it needs."""
    since: float
    """None of what runs, or has tried to, was read before: as `time.time` has it."""


class Deployment:
    """One function: the fleet that serves, the one that is to, and those that are at their end."""

    def __init__(self, function: Function, serving: Fleet) -> None:
        self.function = function
        self.serving = serving
        self.coming: asyncio.Task[None] | None = None
        self.generation = 1
        self.tried: Fleet = serving
        """The latest one, which may have failed to come up: its files are watched all the same."""
        self.leaving: set[asyncio.Task[None]] = set()
        self.in_flight: set[Invocation] = set()

    def sources(self) -> Sources:
        fleets = (self.serving, self.tried)
        files = {file for fleet in fleets for file in fleet.files}
        complete = not any(fleet.outcome.done() and not (fleet.outcome.result() and fleet.files) for fleet in fleets)
        return Sources(files, complete, self.tried.since)


class Service:
    """Every function that is deployed. Its methods are called in the event loop.

    - `around`: a function's surroundings
    - `imported`: called when `sources` has news
    - `look`: called when it matters whether code has changed
    - `announce`: called with a line for people
    """

    def __init__(
        self,
        around: Callable[[Function], Surroundings],
        announce: Callable[[str], None],
        imported: Callable[[], object] = lambda: None,
        look: Callable[[], object] = lambda: None,
        kind: type[Environment] = Environment,
    ) -> None:
        self._around = around
        self._announce = announce
        self._imported = imported
        self._look = look
        self._kind = kind
        self._deployments: dict[str, Deployment] = {}
        self._fleets: set[Fleet] = set()
        """All that are not gone."""
        self._unanswered: set[asyncio.Future[Result] | asyncio.Future[None]] = set()
        self._roots: Counter[str] = Counter()
        """Of the traces of what is in flight."""
        self._closing = False

    @property
    def functions(self) -> Mapping[str, Function]:
        return {name: each.function for name, each in self._deployments.items()}

    def deploy(self, functions: Sequence[Function]) -> None:
        """Have these functions and no others: new ones start, changed ones are replaced, the rest goes on."""
        wanted = {function.name: function for function in functions}
        for name in set(self._deployments) - set(wanted):
            self._retire(self._deployments.pop(name))
        for name, function in wanted.items():
            known = self._deployments.get(name)
            if known is None:
                self._deployments[name] = deployment = Deployment(function, self._fleet(function))
                deployment.serving.warm(function.warm)
            elif known.function != function:
                self._replace(known, function)

    def reload(self, names: Iterable[str]) -> None:
        """Start a new generation of these functions; it takes over when it is ready."""
        for name in names:
            if deployment := self._deployments.get(name):
                self._replace(deployment, deployment.function)

    def sources(self) -> dict[str, Sources]:
        """By function."""
        return {name: each.sources() for name, each in self._deployments.items()}

    def generation(self, name: str) -> int:
        """Of the code that serves; 0 for a function that is not there."""
        deployment = self._deployments.get(name)
        return deployment.generation if deployment else 0

    def invoke(self, name: str, request: InvokeRequest) -> Invocation:
        """Take an invocation; its `result` is done when the invoker can be answered. Raises UnknownFunction."""
        deployment = self._deployments.get(name)
        if deployment is None:
            known = ", ".join(self._deployments) or "none"
            raise UnknownFunction(f"There is no function {name!r} here. There are: {known}.")
        invocation = Invocation(request, asyncio.get_running_loop())
        if self._closing or self._is_throttled(deployment):
            invocation.resolve(failures.throttled())
            invocation.end()
            return invocation
        self._note(deployment, invocation)
        deployment.serving.invoke(invocation)
        return invocation

    def waits(self, invocation: Invocation) -> bool:
        """Whether it has not begun."""
        return any(fleet.waits(invocation) for fleet in self._fleets)

    def withdraw(self, invocation: Invocation) -> None:
        """The invoker has gone away: what has not begun shall not; what has, runs on, as on AWS."""
        for fleet in self._fleets:
            fleet.withdraw(invocation)

    def status(self) -> dict[str, object]:
        """Of every function, as JSON."""
        return {name: describe(each) for name, each in self._deployments.items()}

    def _is_throttled(self, deployment: Deployment) -> bool:
        reserved = deployment.function.reserved_concurrency
        if reserved is not None and len(deployment.in_flight) >= reserved:
            return True
        return deployment.serving.waiting >= WAITING_LIMIT

    def _note(self, deployment: Deployment, invocation: Invocation) -> None:
        """It is in flight until it has ended, and unanswered until its answer is through."""
        trace = root(invocation.request.trace)
        deployment.in_flight.add(invocation)
        self._roots[trace] += 1
        self._unanswered.add(invocation.result)

        def ended(_: asyncio.Future[bytes]) -> None:
            deployment.in_flight.discard(invocation)
            self._roots[trace] -= 1
            if not self._roots[trace]:
                del self._roots[trace]

        invocation.ended.add_done_callback(ended)
        invocation.result.add_done_callback(self._answered)

    def _answered(self, result: asyncio.Future[Result]) -> None:
        """A streamed answer is one at its end."""
        self._unanswered.discard(result)
        answer = None if result.cancelled() else result.result()
        if isinstance(answer, Streaming):
            self._unanswered.add(answer.stream.ended)
            answer.stream.ended.add_done_callback(self._unanswered.discard)

    def _is_nested(self, invocation: Invocation) -> bool:
        """Whether another one of its trace is in flight: that one may be waiting for it."""
        return self._roots[root(invocation.request.trace)] > 1

    # Generations

    def _fleet(self, function: Function) -> Fleet:
        fleet = Fleet(
            function,
            self._around(function),
            is_nested=self._is_nested,
            imported=self._imported,
            look=self._look,
            kind=self._kind,
        )
        self._fleets.add(fleet)
        fleet.outcome.add_done_callback(lambda _: self._imported())
        return fleet

    def _replace(self, deployment: Deployment, function: Function) -> None:
        if deployment.coming is not None:
            deployment.coming.cancel()
        deployment.function = function
        deployment.serving.pause()  # what it started from here on would read the new code
        deployment.coming = asyncio.create_task(self._bring(deployment, function))

    async def _bring(self, deployment: Deployment, function: Function) -> None:
        """Start a generation beside the one that serves, and let it take over once it can."""
        if function.debug or deployment.serving.function.debug:
            await self._bring_after(deployment, function)
            return
        fleet = deployment.tried = self._fleet(function)
        try:
            fleet.warm(max(1, function.warm))
            well = await asyncio.shield(fleet.outcome)
        except asyncio.CancelledError:
            self._leave(deployment, fleet)
            raise
        served = deployment.serving.outcome
        if not well and served.done() and served.result():
            self._announce(f"{function.name}: the new code does not start; the old goes on serving.")
            self._leave(deployment, fleet)
            deployment.serving.fall_back()
            return
        self._take_over(deployment, fleet)
        if well:
            self._announce(f"{function.name}: reloaded.")

    async def _bring_after(self, deployment: Deployment, function: Function) -> None:
        """Start a generation when all before it have ended: they share the port of their debugger."""
        fleet = deployment.tried = self._fleet(function)
        fleet.pause()
        self._take_over(deployment, fleet)
        before = [each for each in self._fleets if each is not fleet and each.function.name == function.name]
        await asyncio.gather(*(each.gone() for each in before))
        fleet.resume()
        fleet.warm(max(1, function.warm))

    def _take_over(self, deployment: Deployment, fleet: Fleet) -> None:
        before, deployment.serving = deployment.serving, fleet
        deployment.generation += 1
        for invocation in self._leave(deployment, before):
            fleet.invoke(invocation)

    def _leave(self, deployment: Deployment, fleet: Fleet) -> list[Invocation]:
        """Let a fleet end when its invocations have. Returns those that it had not begun."""
        left = fleet.retire()

        async def see_off() -> None:
            await fleet.gone()
            self._fleets.discard(fleet)

        leaving = asyncio.create_task(see_off())
        deployment.leaving.add(leaving)
        leaving.add_done_callback(deployment.leaving.discard)
        return left

    def _retire(self, deployment: Deployment) -> None:
        """Its function is no more; what has come before that is still done."""
        if deployment.coming is not None:
            deployment.coming.cancel()
        for invocation in self._leave(deployment, deployment.serving):
            invocation.resolve(failures.throttled())
            invocation.end()

    # The end

    async def drained(self, grace: float) -> None:
        """Wait until every invoker has its answer, `grace` seconds at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(grace):
                while self._unanswered:
                    await asyncio.wait(self._unanswered)

    async def close(self, grace: float) -> None:
        """End every environment, letting runtimes shut down for `grace` seconds, and fail what was left unanswered."""
        self._closing = True
        coming = [each.coming for each in self._deployments.values() if each.coming is not None]
        for each in coming:
            each.cancel()
        await asyncio.gather(*coming, return_exceptions=True)
        await asyncio.gather(*(fleet.close(grace) for fleet in list(self._fleets)))

    def kill(self) -> None:
        """End every process at once."""
        self._closing = True
        for fleet in list(self._fleets):
            fleet.kill()


def describe(deployment: Deployment) -> dict[str, object]:
    """One function, as JSON: times in seconds, memory in bytes."""
    now = asyncio.get_running_loop().time()
    return {
        "generation": deployment.generation,
        "handler": deployment.function.handler,
        "in_flight": len(deployment.in_flight),
        "path": deployment.function.path or None,
        "waiting": deployment.serving.waiting,
        "environments": [
            {
                "id": each.id,
                "state": each.state.value,
                "pid": each.pid,
                "invocations": each.invocations,
                "idle": round(now - each.last_used, 3) if each.last_used else None,
                "memory": each.memory,
            }
            for each in deployment.serving.environments
        ],
    }
