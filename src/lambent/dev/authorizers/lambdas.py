"""Functions that decide: asked, and their decisions kept for as long as the authorizer says.

A decision belongs to the identity that it was made for, not to a method: a policy is evaluated anew for each request.
It is forgotten when the function's code is reloaded.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from lambent.dev import identifiers, report
from lambent.dev.authorizers import answers
from lambent.dev.authorizers.answers import Answer, Unusable
from lambent.dev.authorizers.refusals import REST, Denied, failed, unauthorized
from lambent.dev.buffering import let_go
from lambent.dev.doors.websocket_api import KIND
from lambent.dev.model import Authorizer, Entrance, Failed, InvokeRequest, Replied, Result
from lambent.dev.service import Service
from lambent.errors import UnknownFunction

PATIENCE = 10.0
"""Seconds that AWS waits for an authorizer."""
ROOM = 1000
"""Decisions that are kept."""
FLAT = (REST, KIND)
"""Entrances whose functions are told texts alone."""

Identity = tuple[str, ...]


class Kept(NamedTuple):
    """A decision that still holds."""

    answer: Answer
    until: float
    generation: int
    """Of the function that made it."""


class Asked(NamedTuple):
    """A decision, and how long it took: 0 for one that was kept."""

    answer: Answer
    latency: int
    """Milliseconds."""


class Lambdas:
    """All authorizers that are functions."""

    def __init__(
        self, service: Service, patience: float = PATIENCE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._service = service
        self._patience = patience
        self._clock = clock
        self._kept: dict[tuple[str, Authorizer, Identity], Kept] = {}

    async def ask(
        self,
        entrance: Entrance,
        authorizer: Authorizer,
        identity: Identity,
        event: Callable[[], Mapping[str, object]],
        trace: str,
    ) -> Asked:
        """Its decision. Raises Denied if there is none. `identity`, where it is empty, is nobody's: nothing is kept."""
        key = entrance.name, authorizer, identity
        generation = self._service.generation(authorizer.function)
        kept = self._kept.get(key)
        if kept is not None and kept.generation == generation and kept.until > self._clock():
            return Asked(kept.answer, 0)
        since = self._clock()
        result = await self._result(entrance.kind, authorizer, event(), trace)
        answer = read(result, entrance.kind, authorizer)
        if identity and authorizer.ttl:
            self._keep(key, Kept(answer, self._clock() + authorizer.ttl, generation))
        return Asked(answer, round((self._clock() - since) * 1000))

    async def _result(self, kind: str, authorizer: Authorizer, event: Mapping[str, object], trace: str) -> Result:
        """Raises Denied if there is none in time."""
        payload = json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()
        request = InvokeRequest(identifiers.request_id(os.urandom), payload, trace)
        try:
            invocation = self._service.invoke(authorizer.function, request)
        except UnknownFunction as error:
            raise Denied(failed(kind), str(error)) from None
        await asyncio.wait({invocation.result}, timeout=self._patience)
        if not invocation.result.done():
            self._service.withdraw(invocation)
            invocation.result.add_done_callback(let_go)
            why = f"the function {authorizer.function} did not answer within {self._patience:g} s"
            raise Denied(failed(kind), why)
        return invocation.result.result()

    def _keep(self, key: tuple[str, Authorizer, Identity], kept: Kept) -> None:
        if len(self._kept) >= ROOM:
            now = self._clock()
            self._kept = {each: held for each, held in self._kept.items() if held.until > now}
        if len(self._kept) >= ROOM:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = kept


def read(result: Result, kind: str, authorizer: Authorizer) -> Answer:
    """The decision in a result. Raises Denied for what is none."""
    function = f"the function {authorizer.function}"
    if isinstance(result, Failed):
        failure = report.read_failure(result.payload)
        if kind in FLAT and failure.message == "Unauthorized":
            raise Denied(unauthorized(kind), f"{function} raised Unauthorized")
        why = ": ".join(filter(None, [result.cause.value, failure.error_type, failure.message]))
        raise Denied(failed(kind), f"{function} failed: {why}")
    if not isinstance(result, Replied):
        result.stream.abandon()
        raise Denied(failed(kind), f"{function} streams its answer: expected an object, whole")
    try:
        return answers.read(result.payload, simple=authorizer.simple, flat=kind in FLAT)
    except Unusable as error:
        raise Denied(failed(kind), f"{function} made no decision: {error}") from None
