"""A service whose functions answer at once, as they are told to."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from lambent.dev.model import Cause, Failed, Function, Invocation, InvokeRequest, Replied, Result
from lambent.errors import UnknownFunction

BOOM = Failed(Cause.FUNCTION, b'{"errorType":"ValueError","errorMessage":"boom"}')
THROTTLED = Failed(Cause.THROTTLED, b"{}")
LOG = b"START\nEND\n"


class Instant:
    """Gives each invocation the next of the answers, and the last one from there on; without answers, none."""

    def __init__(self, functions: Sequence[Function] = (Function("f", "app.handler"),), *answers: Result) -> None:
        self.functions: Mapping[str, Function] = {function.name: function for function in functions}
        self.answers = list(answers)
        self.taken: list[tuple[str, Invocation]] = []
        self.queue: list[Invocation] = []
        """Those that got no answer."""

    def invoke(self, name: str, request: InvokeRequest) -> Invocation:
        if name not in self.functions:
            raise UnknownFunction(name)
        invocation = Invocation(request, asyncio.get_running_loop())
        self.taken.append((name, invocation))
        if self.answers:
            invocation.resolve(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
            invocation.end(LOG)
        else:
            self.queue.append(invocation)
        return invocation

    def waits(self, invocation: Invocation) -> bool:
        return invocation in self.queue

    def withdraw(self, invocation: Invocation) -> None:
        if self.waits(invocation):
            self.queue.remove(invocation)
            invocation.resolve(Failed(Cause.GONE, b""))
            invocation.end()

    @property
    def requests(self) -> list[InvokeRequest]:
        return [invocation.request for _, invocation in self.taken]

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.taken]


async def settle() -> None:
    """Until nothing happens by itself any more."""
    for _ in range(50):
        await asyncio.sleep(0)


def replied(*payloads: bytes) -> list[Result]:
    return [Replied(payload) for payload in payloads]
