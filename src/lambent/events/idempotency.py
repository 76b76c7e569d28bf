"""What has been done is not done again, though its record comes again, or is sent twice.

    @events.sqs("orders", idempotency=Idempotency(key="body.order_id"))
    async def order(order: Order): ...

| there is, under the key        | then                                                   | which leaves               |
|--------------------------------|--------------------------------------------------------|----------------------------|
| nothing, or it has expired     | the function runs                                      | in progress                |
| in progress, its time over     | the function runs: the environment before has crashed  | in progress, of this one   |
| in progress                    | AlreadyInProgress                                      | what there is              |
| completed                      | the result is given again                              | what there is              |
| completed with another payload | IdempotencyMismatch                                    | what there is              |

| and who runs it                | then                                                   | which leaves               |
|--------------------------------|--------------------------------------------------------|----------------------------|
| returns                        | the result is given                                    | completed, for `expires`   |
| raises                         | it is raised                                           | nothing                    |
| is cancelled, or crashes       | it may still go on in a thread                         | in progress, for its time  |
| returns, but its time was over | the result is given; logged: it may have run twice     | what the other one leaves  |
|   and another has begun        |                                                        |                            |
| returns, but the store fails   | the result is given; logged                            | in progress, for its time  |

A store that fails before the function runs fails the record with StoreError, unless `on_error` says otherwise.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from functools import wraps
from secrets import token_hex

from lambent.errors import (
    AlreadyInProgress,
    ConfigurationError,
    DecodingError,
    IdempotencyMismatch,
    InvalidResult,
    LambentError,
    StoreConflict,
    StoreError,
)
from lambent.events.keys import digest, is_missing, read, reader
from lambent.events.results import plain
from lambent.functions import is_awaited, place
from lambent.invocation import CURRENT
from lambent.stores import opened
from lambent.stores.model import ABSENT, LARGEST, LONGEST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable
    from typing import Literal, ParamSpec

    from lambent.events.keys import Key
    from lambent.events.model import Record
    from lambent.stores.model import Store, Stored
    from lambent.types import Event

    P = ParamSpec("P")
    Call = Callable[[], Awaitable[Event]]

logger = logging.getLogger("lambent.events")

GRACE = 1.0
"""Seconds beyond the deadline that something counts as in progress: clocks differ, and threads end late."""

WITHOUT_DEADLINE = 900.0
"""Seconds that something counts as in progress where nothing tells a deadline: the longest that Lambda has."""

ATTEMPTS = 4
"""How often it is tried to become the one that runs, while others come and go."""

_RELEASED = b"{}"
"""What is left of what has failed. It has expired, but not to whom the clock is behind."""

_SAVING_SECONDS = 0.2
"""That saving a result has when the time is up meanwhile."""


class Idempotency:
    """Functions run once for each key, whatever comes again, in whichever environment.

    - `key`: what a record is known again by: a property such as `deduplication_id`, a value in its JSON body such as
      `body.order.id`, or a function of the record that returns anything JSON has. None: its `id`, which is the same
      each time it is delivered; what a sender sends twice has two.
    - `store`: where that is kept, as a URL (lambent.stores) or an object. None: what LAMBENT_STORE says.
    - `expires`: seconds that something is known as done. S3 keeps things for a day at most.
    - `payload`: as `key`: what has to be the same each time. A record with the key of another, but not its payload,
      fails with IdempotencyMismatch.
    - `in_progress`: seconds after which something that was begun, and has not ended, may be begun again. None: until
      the deadline, and a second more.
    - `prefix`: of keys in the store; those with the same prefix share their keys. Empty: the name of the Lambda
      function, and each registration has keys of its own.
    - `replay`: whether the result is kept, as plain JSON (lambent.events.results), which then is what is returned the
      first time, too. If not, None is returned for what has been done before.
    - `on_error`: if the store fails, the record does (`fail`), or the function runs, maybe twice (`run`)

    Only hashes of keys and payloads are kept; results are kept as they are.
    """

    def __init__(
        self,
        key: Key | None = None,
        *,
        store: str | Store | None = None,
        expires: float = 3600.0,
        payload: Key | None = None,
        in_progress: float | None = None,
        prefix: str = "",
        replay: bool = True,
        on_error: Literal["fail", "run"] = "fail",
        now: Callable[[], float] = time.time,
    ) -> None:
        _check_seconds("expires", expires)
        if in_progress is not None:
            _check_seconds("in_progress", in_progress)
        if on_error not in ("fail", "run"):
            raise ConfigurationError(f"Expected `on_error` to be 'fail' or 'run', but got {on_error!r}.")
        self._given_key = key
        self._key = reader(key if key is not None else "id")
        self._payload = reader(payload) if payload is not None else None
        self._given_store = store
        self._store: Store | None = None
        self._expires = expires
        self._in_progress = in_progress
        self._prefix = prefix
        self._replay = replay
        self._on_error = on_error
        self._now = now

    async def once(
        self,
        record: Record,
        call: Call,
        remaining: Callable[[], float | None],
        scope: Hashable = (),
        decoded: Callable[[Record], Event] | None = None,
    ) -> Event:
        """Call, unless it has been done for this record, and return the result.

        - `scope`: what the key is within
        - `decoded`: what the record carries, where a decoder is needed for that; None: JSON, or a value

        Raises what the call raises, AlreadyInProgress, IdempotencyMismatch and StoreError; DecodingError where the
        record has no such key, and ConfigurationError for a store that cannot keep anything that long.
        """
        payload = digest(read(self._payload, record, decoded)) if self._payload is not None else ""
        return await self._once(self._name(read(self._key, record, decoded), scope), payload, call, remaining())

    async def run(self, key: Event, call: Call, *, payload: Event = None) -> Event:
        """Do the same anywhere else, such as in a route of HTTP, by a key that tells it from all else of the prefix.

        `key` and `payload` are anything that JSON has. Raises what `once` raises.
        """
        return await self._once(self._name(key, ()), digest(payload) if payload is not None else "", call, _remaining())

    def __call__(self, function: Callable[P, Awaitable[Event]]) -> Callable[P, Awaitable[Event]]:
        """Decorate an async function: `key` and `payload` are functions of its arguments.

        Without a `prefix`, keys are within its module and qualified name: closures of one factory share them.
        """
        if not callable(self._given_key):
            raise ConfigurationError(
                f"Expected `key` to be a function of the arguments of {function!r:.100}, but got {self._given_key!r}."
            )
        if not is_awaited(function):
            raise ConfigurationError(f"Expected an async function below @Idempotency(), but got {place(function)}.")
        scope = function.__module__, function.__qualname__

        @wraps(function)
        async def once(*args: P.args, **kwargs: P.kwargs) -> Event:
            payload = digest(self._payload(*args, **kwargs)) if self._payload is not None else ""
            name = self._name(self._key(*args, **kwargs), scope)
            return await self._once(name, payload, lambda: function(*args, **kwargs), _remaining())

        return once

    async def close(self) -> None:
        """Close the store, if it was opened here. It may be used again."""
        if self._store is not None and self._store is not self._given_store:
            await self._store.close()

    def _name(self, key: Event, scope: Hashable) -> str:
        """The key in the store, of 512 bytes at most."""
        if is_missing(key):
            raise DecodingError("Expected a key to be known again by, but it is empty.")
        if self._prefix:
            name = f"idempotency/{self._prefix}#{digest(key)}"
        else:
            function = os.environ.get("AWS_LAMBDA_FUNCTION_NAME") or "function"
            name = f"idempotency/{function}#{digest([scope, key])}"
        return name if len(name.encode("utf-8", "replace")) <= LONGEST else f"idempotency/#{digest(name)}"

    async def _once(self, name: str, payload: str, call: Call, seconds: float | None) -> Event:
        try:
            claim = await self._claim(name, payload, seconds)
        except StoreError:
            if self._on_error == "fail":
                raise
            logger.exception(
                "The idempotency store failed; calling the function anyway (on_error='run'), although it may have run "
                "before."
            )
            return await call()
        if not isinstance(claim, _Claim):
            return claim["result"]
        try:
            result = await call()
        except (Exception, SystemExit, asyncio.CancelledError) as error:
            task = asyncio.current_task()
            if not isinstance(error, asyncio.CancelledError) or task is None or not task.cancelling():
                await self._release(claim)
            raise
        return await self._complete(claim, result)

    async def _claim(self, name: str, payload: str, seconds: float | None) -> _Claim | dict[str, Event]:
        """Become the one that runs it; or return what whoever has run it left. Raises what is in the way."""
        store = self._opened()
        if self._in_progress is not None:
            seconds = self._in_progress
        else:
            seconds = seconds + GRACE if seconds is not None else WITHOUT_DEADLINE
        claim = _Claim(name, payload)
        data = json.dumps({"owner": claim.owner, "until": self._now() + seconds}).encode()
        version = ABSENT
        for _ in range(ATTEMPTS):
            try:
                # Kept beyond its time, which it has in itself: so it is known at once if the store takes `expires`.
                claim.version = await store.save(name, data, self._now() + max(self._expires, seconds), version)
            except StoreConflict:
                stored = await store.load(name)
            else:
                return claim
            version = ABSENT if stored is None else stored.version
            if stored is None or stored.data == _RELEASED:
                continue
            there = _read(stored, name)
            if "until" not in there:
                return _checked(there, payload)
            if there["owner"] == claim.owner:  # saved, but the answer was lost
                claim.version = stored.version
                return claim
            if there["until"] > self._now():
                break
        raise AlreadyInProgress(
            "The same key is being handled elsewhere at this moment. It will be tried again when the record is "
            "delivered again."
        )

    async def _complete(self, claim: _Claim, result: Event) -> Event:
        """Keep that it is done, whatever is in the way of it, and return the result."""
        done: dict[str, Event] = {"payload": claim.payload, "result": None}
        if self._replay:
            try:
                done["result"] = result = plain(result)
            except Exception as error:  # whatever a serializer of the user's raises
                done["lost"] = str(error) if isinstance(error, TypeError) else f"{type(error).__name__}."
        data = json.dumps(done).encode()
        if len(data) > LARGEST:
            done = {"payload": claim.payload, "result": None, "lost": f"It has {len(data)} bytes of at most {LARGEST}."}
            data = json.dumps(done).encode()
        if "lost" in done:
            logger.error(
                "A result cannot be kept, so it could not be given again: %s Return something JSON can hold, or say "
                "replay=False.",
                done["lost"],
            )
        saving = asyncio.ensure_future(self._keep(claim, data))
        try:
            await asyncio.shield(saving)
        except asyncio.CancelledError:
            await asyncio.wait({saving}, timeout=_SAVING_SECONDS)
            raise
        return result

    async def _keep(self, claim: _Claim, data: bytes) -> None:
        """Save what is done. A failure does not fail what is done: then it would be done again for certain."""
        try:
            await self._opened().save(claim.name, data, self._now() + self._expires, claim.version)
        except StoreConflict:
            logger.warning(
                "A function ran longer than its in_progress time and was started again elsewhere; it may have run "
                "twice. Raise it: Idempotency(in_progress=…)."
            )
        except LambentError:
            logger.exception(
                "The function has run, but that could not be saved: if the record comes again, the function runs again."
            )

    async def _release(self, claim: _Claim) -> None:
        """Leave nothing, if nobody else has begun meanwhile."""
        try:
            await self._opened().save(claim.name, _RELEASED, self._now(), claim.version)  # expired at once
        except StoreConflict:
            pass
        except LambentError:
            logger.exception(
                "The claim of a failed run could not be released: it counts as in progress until its time is over."
            )

    def _opened(self) -> Store:
        if self._store is None:
            self._store = opened(self._given_store)
        return self._store


def _check_seconds(name: str, seconds: float) -> None:
    if type(seconds) not in (int, float) or not 0 < seconds < float("inf"):
        raise ConfigurationError(
            f"Expected `{name}` to be a finite number of seconds, more than 0, but got {seconds!r:.100}."
        )


class _Claim:
    """That this one runs it."""

    __slots__ = ("name", "owner", "payload", "version")

    version: str

    def __init__(self, name: str, payload: str) -> None:
        self.name = name
        self.payload = payload
        self.owner = token_hex(8)


def _read(stored: Stored, name: str) -> dict[str, Event]:
    try:
        there = json.loads(stored.data)
        until = there.get("until")
        if (isinstance(until, int | float) and not isinstance(until, bool)) or "result" in there:
            return dict(there)
    except (ValueError, AttributeError):
        pass
    raise StoreError(f"Expected {name} in the store to be about idempotency, but something else is there. Delete it.")


def _checked(done: dict[str, Event], payload: str) -> dict[str, Event]:
    if payload and done.get("payload") and payload != done["payload"]:
        raise IdempotencyMismatch("It has the key of another that has been done, but not the same payload.")
    if "lost" in done:
        raise InvalidResult(
            f"It has been done, but its result could not be kept: {done['lost']}", "Function.InvalidResult"
        )
    return done


def _remaining() -> float | None:
    invocation = CURRENT.get(None)
    return None if invocation is None else invocation.remaining
