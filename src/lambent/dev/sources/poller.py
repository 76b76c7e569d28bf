"""An event source mapping of SQS: it receives messages, invokes the function with batches of them, and deletes them.

    received ──▶ gathered ──▶ in a batch ──▶ deleted           the function is done with it
        │            │            └──────▶ hidden no longer   it has failed: when the visibility timeout ends
        └────────────┴──▶ released                             the mapping ends before the function is done with it

Source: docs.aws.amazon.com/lambda, "Using Lambda with Amazon SQS", "Handling errors for an SQS event source".
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Protocol

from lambent.dev import identifiers, lineage
from lambent.dev.asynchronous import Clock
from lambent.dev.buffering import whole
from lambent.dev.model import Cause, Failed, Function, Invocation, InvokeRequest, Replied, Source
from lambent.dev.sources import messages, patterns, schedules
from lambent.dev.sources.messages import Message, Misreported
from lambent.dev.sources.queues import AT_ONCE, Connect, Queue, Unavailable
from lambent.errors import UnknownFunction

POLL = 1
"""Seconds that SQS is asked to wait for messages. Who stops waits as long, so that what comes then is given back."""

LONGEST_WAIT = 30.0
"""Seconds between attempts of what fails again and again; they begin with one, and double."""

ENDING = 3.0
"""Seconds that requests to the queue are given when we stop."""


class Service(Protocol):
    """Whoever has the functions: see `lambent.dev.service.Service`."""

    @property
    def functions(self) -> Mapping[str, Function]: ...
    def invoke(self, name: str, request: InvokeRequest) -> Invocation: ...
    def withdraw(self, invocation: Invocation) -> None: ...


class Batch:
    """Messages on their way through the function."""

    def __init__(self, queue: Queue, batch: Sequence[Message], expires: float) -> None:
        self.queue = queue
        self.messages = batch
        self.expires = expires
        """When others may see them again."""
        self.is_answered = False
        """Whether the function is done with them."""


class Poller:
    """One source's. Its methods are called in the event loop.

    - `say`: writes a line for people
    """

    def __init__(
        self, source: Source, service: Service, connect: Connect, say: Callable[[str], None], clock: Clock
    ) -> None:
        self.source = source
        self._service = service
        self._connect = connect
        self._say = say
        self._clock = clock
        self._wanted = [patterns.parse(each) for each in source.filters]
        self._running: asyncio.Task[None] | None = None
        self._receiving: asyncio.Task[list[Message]] | None = None
        self._gathered: list[Message] = []
        self._queue: Queue | None = None
        self._batches: dict[asyncio.Task[None], Batch] = {}
        self._attempts = 0
        """To reach the queue, in vain."""
        self._failures = 0
        """Batches in a row."""
        self._state = "starting"
        self._last_fired: float | None = None
        self._last_error = ""
        self._counts = {"received": 0, "deleted": 0, "failed": 0, "filtered": 0}

    def start(self) -> None:
        self._running = asyncio.create_task(self._run())

    def status(self) -> dict[str, object]:
        return {
            "kind": "sqs",
            "function": self.source.function,
            "queue": self._queue.arn if self._queue else self.source.queue,
            "state": self._state,
            "batches": len(self._batches),
            "messages": dict(self._counts),
            "last_fired": schedules.iso(self._last_fired) if self._last_fired else None,
            "last_error": self._last_error or None,
        }

    async def stop(self, grace: float | None) -> None:
        """Receive no more; batches have `grace` seconds to end, None for any.

        What the function is not done with then becomes visible at once.
        """
        self._state = "stopped"
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait({self._running})
        await asyncio.gather(self._give_back(), self._end_batches(grace))
        self._hang_up()

    # The loop

    async def _run(self) -> None:
        while True:
            try:
                self._hang_up()
                self._queue = await self._reach()
                await self._poll(self._queue)
            except Unavailable as error:
                await self._lost(str(error))
            except Exception as error:
                await self._lost(f"{type(error).__name__}: {error}")

    async def _reach(self) -> Queue:
        function = self._service.functions.get(self.source.function)
        if function is None:
            raise Unavailable(f"there is no function {self.source.function} here")
        return await self._connect(self.source, function)

    def _hang_up(self) -> None:
        if self._queue is not None:
            self._queue.close()

    def _found(self, queue: Queue) -> None:
        """It has answered."""
        if self._state == "polling":
            return
        if self._attempts:
            self._say(f"{self.source.name}: the queue is there again.")
        self._state, self._attempts = "polling", 0
        function = self._service.functions.get(self.source.function)
        if function is not None and queue.visibility < function.timeout:
            shorter = f"its visibility timeout of {queue.visibility:g} s is shorter than the function's timeout"
            self._say(f"{self.source.name}: {shorter} of {function.timeout:g} s. AWS refuses to poll such a queue.")

    async def _lost(self, reason: str) -> None:
        """Tell of it once, and wait ever longer."""
        self._state, self._last_error = "retrying", reason
        if not self._attempts:
            self._say(f"{self.source.name}: {reason}. It is tried again and again.")
        self._attempts += 1
        await self._clock.sleep(backoff(self._attempts))

    async def _poll(self, queue: Queue) -> None:
        while True:
            await self._room()
            if self._failures > 1 and not self.source.partial:
                await self._clock.sleep(backoff(self._failures - 1))
            received = self._clock.now()
            await self._gather(queue)
            self._found(queue)
            for batch in list(messages.batches(self._gathered, self.source.batch_size)):
                await self._room()
                self._gathered = self._gathered[len(batch) :]
                self._begin(Batch(queue, batch, received + queue.visibility))

    async def _room(self) -> None:
        """Until one more batch may be on its way."""
        while len(self._batches) >= self.source.concurrency:
            await asyncio.wait(self._batches, return_when=asyncio.FIRST_COMPLETED)

    async def _gather(self, queue: Queue) -> None:
        """As many as a batch takes, or as come before its window closes, which opens with the first."""
        most = self.source.batch_size
        await self._receive(queue, most, POLL)
        closes = self._clock.now() + self.source.batch_window
        while self._gathered and len(self._gathered) < most and (left := closes - self._clock.now()) > 0:
            if left < 1:
                await self._clock.sleep(left)
            await self._receive(queue, most - len(self._gathered), min(POLL, int(left)))

    async def _receive(self, queue: Queue, most: int, wait: int) -> None:
        self._receiving = asyncio.create_task(queue.receive(min(most, AT_ONCE), wait))
        try:
            received = await asyncio.shield(self._receiving)  # what it brings is wanted even if we stop
        except Exception:
            self._receiving = None
            raise
        self._receiving = None
        self._counts["received"] += len(received)
        unwanted = [each for each in received if not self._is_wanted(each)]
        self._gathered += [each for each in received if each not in unwanted]
        if unwanted:
            self._counts["filtered"] += len(unwanted)
            await queue.delete(unwanted)

    def _is_wanted(self, each: Message) -> bool:
        return not self._wanted or any(wants(each.record) for wants in self._wanted)

    # A batch

    def _begin(self, batch: Batch) -> None:
        task = asyncio.create_task(self._process(batch))
        self._batches[task] = batch
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        batch = self._batches.pop(task)
        if not task.cancelled() and (error := task.exception()):
            self._tell(f"{type(error).__name__}: {error}. {number(len(batch.messages), 'message')} will be back", batch)

    async def _process(self, batch: Batch) -> None:
        self._last_fired = time.time()
        answer = await self._invoke(batch)
        failed, reason = self._judge(batch, answer)
        done = [each for each in batch.messages if each.id not in failed]
        batch.is_answered = True
        self._failures = 0 if done else self._failures + 1
        left = await batch.queue.delete(done) if done else []
        self._counts["deleted"] += len(done) - len(left)
        self._counts["failed"] += len(failed)
        if failed:
            self._tell(f"{reason} {number(len(failed), 'message')} will be back", batch)
        if left:
            self._tell(f"{number(len(left), 'message')} could not be deleted, and will be back", batch)

    def _tell(self, what: str, batch: Batch) -> None:
        self._last_error = f"{what} when the visibility timeout of {batch.queue.visibility:g} s ends."
        self._say(f"{self.source.name}: {self._last_error}")

    def _judge(self, batch: Batch, answer: Replied | Failed | None) -> tuple[set[str], str]:
        """The ids of messages that have failed, and why."""
        every = {each.id for each in batch.messages}
        if answer is None:
            return every, f"{self.source.function} was throttled all the time."
        if isinstance(answer, Failed) and answer.cause is Cause.GONE:
            return every, f"There is no function {self.source.function} here any more."
        if isinstance(answer, Failed):
            return every, f"{self.source.function} failed: {answer.cause.value}."
        if not self.source.partial:
            return set(), ""
        try:
            return messages.failures(answer.payload, batch.messages), f"{self.source.function} reports failures."
        except Misreported as error:
            return every, f"{self.source.function}: {error}: on AWS all count as failed."

    async def _invoke(self, batch: Batch) -> Replied | Failed | None:
        """None if the function was throttled for as long as the messages were ours."""
        attempts = 0
        while True:
            answer = await self._once(batch)
            if not isinstance(answer, Failed) or answer.cause is not Cause.THROTTLED:
                return answer
            attempts += 1
            wait = backoff(attempts)
            if self._clock.now() + wait >= batch.expires:
                return None
            if attempts == 1:
                self._say(f"{self.source.name}: {self.source.function} is throttled: its messages wait.")
            await self._clock.sleep(wait)

    async def _once(self, batch: Batch) -> Replied | Failed:
        function = self._service.functions.get(self.source.function)
        arn = function.arn if function else ""
        trace = lineage.extend(identifiers.trace("", time.time(), os.urandom), "", arn)
        payload = messages.event(batch.messages)
        try:
            request = InvokeRequest(identifiers.request_id(os.urandom), payload, trace)
            invocation = self._service.invoke(self.source.function, request)
        except UnknownFunction:
            return Failed(Cause.GONE, b"")
        try:
            return await whole(await invocation.result)
        except asyncio.CancelledError:
            self._service.withdraw(invocation)
            raise

    # The end

    async def _give_back(self) -> None:
        """What was received and is in no batch; what is still to come from a request under way, too."""
        receiving, self._receiving = self._receiving, None
        gathered, self._gathered = self._gathered, []
        if receiving is not None:
            await asyncio.wait({receiving}, timeout=POLL + ENDING)
            if receiving.done() and not receiving.cancelled() and receiving.exception() is None:
                gathered = [*gathered, *receiving.result()]
        if gathered and self._queue is not None:
            await self._release(self._queue, gathered)

    async def _end_batches(self, grace: float | None) -> None:
        if self._batches:
            await asyncio.wait(self._batches, timeout=grace)
        left = dict(self._batches)
        for task, batch in left.items():
            if not batch.is_answered:
                task.cancel()
        if left:
            await asyncio.wait(left, timeout=ENDING)
        unfinished = [batch for batch in left.values() if not batch.is_answered]
        await asyncio.gather(*(self._release(batch.queue, batch.messages) for batch in unfinished))

    async def _release(self, queue: Queue, given: Sequence[Message]) -> None:
        self._say(f"{self.source.name}: {number(len(given), 'message')} given back to the queue.")
        with suppress(TimeoutError):
            async with asyncio.timeout(ENDING):
                await queue.release(given)


def backoff(attempts: int) -> float:
    """Seconds to wait after so many."""
    return min(2.0 ** min(attempts - 1, 16), LONGEST_WAIT)


def number(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' if count != 1 else ''}"
