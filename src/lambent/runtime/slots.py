"""Many invocations at a time in one process: so many slots, each of them next → handle → again on one event loop.

As many long polls as slots are out at a time, for the platform gives work only to a poll that waits. A slot whose
handler outlives its deadline takes nothing new until that has ended.
Source: docs.aws.amazon.com/lambda, "Building custom runtimes for Lambda Managed Instances".
"""

from __future__ import annotations

import asyncio
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from functools import partial

from lambent.errors import PlatformError, RuntimeAPIGone
from lambent.invocation import CURRENT
from lambent.runtime import requests
from lambent.runtime.client import AsyncClient
from lambent.runtime.heartbeat import Heartbeat
from lambent.runtime.loop import begun, ended, failure, taken
from lambent.runtime.reply import check
from lambent.runtime.worker import Worker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lambent.http1 import Reply, Request
    from lambent.runner import Runner
    from lambent.runtime.codec import Codec
    from lambent.runtime.reply import RuntimeInvocation
    from lambent.runtime.watchdog import Watchdog
    from lambent.types import Handler

logger = logging.getLogger("lambent")

PAUSES = (0.1, 0.2, 0.4, 0.8)
"""Seconds between the attempts to ask for an invocation; after the last one the platform is thought gone."""

_DRAIN_SECONDS = 0.15
"""In which what is being handled may end, once the environment is to. The platform kills it after half a second."""

_CANCEL_SECONDS = 0.05
"""In which the rest may, when it is cancelled."""


def run(
    address: str,
    runner: Runner,
    handler: Handler,
    codec: Codec,
    watchdog: Watchdog,
    count: int,
    pauses: Sequence[float] = PAUSES,
) -> None:
    """Handle `count` invocations at a time until `runner` is interrupted or its lifetime ends by itself.

    Raises RuntimeAPIGone and RuntimeAPIError as one slot finds it.
    """
    # so that each invocation may have a thread by `asyncio.to_thread`; asyncio's own measure knows vCPUs only
    runner.loop.set_default_executor(ThreadPoolExecutor(max(count, min(32, (os.cpu_count() or 1) + 4))))
    variables = dict(os.environ)
    may_block = getattr(handler, "may_block", False)
    slots = []
    for number in range(count):
        worker = Worker(f"lambent slot {number}") if may_block else None
        slots.append(Slot(AsyncClient(address), handler, codec, watchdog, variables, worker, pauses))
    heartbeat = Heartbeat(runner.loop)
    try:
        runner.wait(_all(slots))
    finally:
        heartbeat.close()


async def _all(slots: list[Slot]) -> None:
    """Run slots until one of them raises, or this is cancelled: then those that wait end, and the others soon."""
    tasks = [asyncio.create_task(slot.run(), name=f"lambent slot {number}") for number, slot in enumerate(slots)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for slot, task in zip(slots, tasks, strict=True):
            slot.stopping = True
            if slot.is_free:
                task.cancel()
        _, busy = await asyncio.wait(tasks, timeout=_DRAIN_SECONDS)
        for slot in slots:
            slot.cancel()
        if busy:
            await asyncio.wait(busy, timeout=_CANCEL_SECONDS)
        for slot, task in zip(slots, tasks, strict=True):
            slot.close()
            if task.done() and not task.cancelled():
                task.exception()  # one has been raised: the others say the same


class Slot:
    """One invocation after the other over a connection of its own; in a thread of its own with a `worker`."""

    def __init__(
        self,
        client: AsyncClient,
        handler: Handler,
        codec: Codec,
        watchdog: Watchdog,
        variables: Mapping[str, str],
        worker: Worker | None,
        pauses: Sequence[float],
    ) -> None:
        self._client = client
        self._handler = handler
        self._codec = codec
        self._watchdog = watchdog
        self._variables = variables
        self._worker = worker
        self._pauses = pauses
        self._posted: Request | None = None
        self._handling: asyncio.Task[None] | None = None
        self._cancellable = False
        """Whether it is the handler's own code that would be cancelled, and not ours, which tells of its end."""
        self._closed = False
        self.stopping = False

    @property
    def is_free(self) -> bool:
        """Whether it waits for an invocation."""
        return self._handling is None

    async def run(self) -> None:
        """Handle invocations until `stopping`. Raises RuntimeAPIGone and RuntimeAPIError."""
        while not self.stopping:
            received = await self._next()
            # a task of its own, so that what is set of context variables ends with it
            self._handling = asyncio.create_task(self._handle(received))
            await asyncio.wait([self._handling])
            handled, self._handling = self._handling, None
            handled.result()

    def cancel(self) -> None:
        """Cancel the handler, if it runs."""
        if self._cancellable and self._handling is not None:
            self._handling.cancel()

    def close(self) -> None:
        """Close the connection, and end the thread when it can. What is handled still has nobody to tell."""
        self._closed = True
        self._client.close()
        if self._worker is not None:
            self._worker.close()

    async def _next(self) -> Reply:
        """Ask for an invocation, and again where that may help: the others have theirs still to end."""
        for pause in self._pauses:
            with suppress(PlatformError):
                received = await self._client.call(requests.NEXT)
                if received.status == 200 or received.status >= 500:
                    break
            await asyncio.sleep(pause)
        else:
            received = await self._client.call(requests.NEXT)
        return taken(received)

    async def _handle(self, received: Reply) -> None:
        try:
            invocation = begun(received, self._variables, self._codec, self)
        except Exception as error:
            await self._fail(error, received, None)
            await self._confirm(None)
            return
        CURRENT.set(invocation)
        self._watchdog.watch(invocation, self.cancel)
        raised = await self._serve(invocation)
        if raised is not None:
            await self._fail(raised, received, invocation)
        if invocation.work:
            await self._finish(invocation)
        invocation.work = None
        self._watchdog.forget(invocation)
        await self._confirm(invocation)

    async def _serve(self, invocation: RuntimeInvocation) -> BaseException | None:
        """Serve. Returns what was raised, SystemExit too: it ends this invocation, and not the others with it."""
        self._cancellable = True
        try:
            if self._worker is None:
                await self._handler.serve(invocation)
            else:
                error = await self._begin(invocation, self._worker)
                if error is not None:
                    return error
            ended(invocation)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:
            return error
        finally:
            self._cancellable = False
        return None

    async def _begin(self, invocation: RuntimeInvocation, worker: Worker) -> BaseException | None:
        """Serve where a function may block: it is called in the thread, and what it returns awaited here."""
        call = worker.begin(partial(copy_context().run, self._handler.serve, invocation))
        try:
            rest, error = await asyncio.shield(call)
        except asyncio.CancelledError:
            logger.error("Request %s has a thread, which goes on at:\n%s", invocation.request_id, worker.stack)
            try:
                await asyncio.wait([call])  # nobody can end it: the slot is not free before
                call.result().drop()
            except asyncio.CancelledError:  # the environment ends
                call.cancel()
            raise
        if error is None:
            await rest
        return error

    async def _fail(self, error: BaseException, received: Reply, invocation: RuntimeInvocation | None) -> None:
        request = failure(error, received.headers["lambda-runtime-aws-request-id"], invocation, received)
        if request is not None:
            await self.post(request)
        elif invocation is not None and invocation.streaming:
            with suppress(OSError):
                await invocation.abort(error)

    async def _finish(self, invocation: RuntimeInvocation) -> None:
        """Await what `wait_until` was given; if the time is up, its cancellation only."""
        self._cancellable = True
        try:
            async with asyncio.timeout(None if invocation.late is None else 0):
                await invocation.finish()
        except (asyncio.CancelledError, TimeoutError):
            pass  # the watchdog has said so
        finally:
            self._cancellable = False

    async def post(self, request: Request) -> None:
        """Link: post; whether it has arrived is for `_confirm` to say."""
        if self._closed:
            return
        self._posted = request
        with suppress(RuntimeAPIGone):
            await self._client.send(request)

    async def write(self, data: bytes) -> None:
        """Link: send more of a body."""
        await self._client.write(data)

    async def _confirm(self, invocation: RuntimeInvocation | None) -> None:
        """Read the answer to the post. One that never comes concerns this invocation only. Raises RuntimeAPIError."""
        posted, self._posted = self._posted, None
        if posted is None:  # it was the watchdog that replied
            return
        try:
            answer = await self._answer(posted, again=invocation is None or invocation.writer is None)
        except PlatformError as error:
            logger.error("Nobody knows whether %s has arrived: %s", posted.path, error)
            return
        check(answer, posted)

    async def _answer(self, posted: Request, *, again: bool) -> Reply:
        try:
            return await self._client.receive()
        except RuntimeAPIGone:
            if not again:  # most of a stream is gone for good
                raise
        return await self._client.call(posted)
