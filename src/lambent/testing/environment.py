"""A handler in this process: its lifetime entered once, its invocations run as the runtime runs them.

It is the runtime's own invocation that takes the reply: what cannot be one on AWS cannot be one here.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Coroutine
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from lambent.ahead import AHEAD
from lambent.errors import IncompleteResponse, LifespanEnded, WrongEventLoop
from lambent.invocation import CURRENT
from lambent.runner import Runner
from lambent.runtime.codec import suited
from lambent.runtime.reply import RuntimeInvocation
from lambent.runtime.stream import SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambent.http1 import Request
    from lambent.runtime.invocation import LambdaContext
    from lambent.types import Handler

SHUTDOWN_SECONDS = 10.0
"""In which a lifespan is to end."""


class Result(NamedTuple):
    """What a function has replied."""

    payload: bytes
    """All of it; of one that was streamed, what follows the prelude."""
    streamed: bool = False
    prelude: bytes | None = None
    """Of a streamed one: the JSON that it begins with, if it does."""


class Posted:
    """Takes what is posted, in place of the Runtime API."""

    def __init__(self) -> None:
        self.request: Request | None = None
        self._written = bytearray()

    async def post(self, request: Request) -> None:
        """Keep it."""
        self.request = request

    async def write(self, data: bytes) -> None:
        """Keep it too."""
        self._written += data

    def result(self) -> Result:
        """Raises IncompleteResponse if there is none."""
        request = self.request
        if request is None:
            raise IncompleteResponse("The handler ended without a reply.")
        if ("transfer-encoding", "chunked") not in request.headers:
            return Result(request.body)
        payload = joined(request.body + self._written)
        if ("content-type", "application/octet-stream") in request.headers:
            return Result(payload, streamed=True)
        prelude, _, body = payload.partition(SEPARATOR)
        return Result(body, streamed=True, prelude=prelude)


def joined(chunked: bytes) -> bytes:
    """The content of chunks that the runtime has written (RFC 9112, 7.1)."""
    content, at = bytearray(), 0
    while at < len(chunked):
        end = chunked.index(b"\r\n", at)
        size = int(chunked[at:end], 16)
        content += chunked[end + 2 : end + 2 + size]
        at = end + 2 + size + 2
    return bytes(content)


class Environment:
    """One handler and one lifetime, which begins with the first invocation or with `start`."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._codec = suited(handler)
        self._may_block = getattr(handler, "may_block", False)
        self._runner: Runner | None = None
        self._lock = threading.Lock()
        self._owner: int | None = None
        """The thread whose turn it is."""
        self._forgotten: weakref.finalize[[Runner], Environment] | None = None
        """Ends what nobody has closed."""

    @property
    def begun(self) -> bool:
        """Whether the lifetime goes on."""
        return self._runner is not None

    # On an event loop of its own, which runs only during a call

    def start(self) -> None:
        """Enter the lifetime. Raises what entering it raises, and WrongEventLoop inside a running event loop."""
        refuse_running_loop()
        with self._turn():
            self._started()

    def run(self, payload: bytes, context: LambdaContext) -> Result:
        """Handle one event in this thread. Raises what the handler raises, before or after its reply."""
        refuse_running_loop()
        with self._turn():
            runner = self._started()
            invocation, posted = self._invocation(payload, context)
            with current(invocation):
                try:
                    runner.run(self._handler.serve(invocation))
                finally:
                    if invocation.work:
                        runner.run(invocation.finish())
            return posted.result()

    def close(self) -> None:
        """Leave the lifetime. Raises what leaving it raises."""
        with self._turn():
            runner, self._runner = self._runner, None
            if self._forgotten is not None:
                self._forgotten.detach()
            if runner is not None:
                runner.stop(SHUTDOWN_SECONDS)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """One invocation at a time, whatever thread it comes from. Raises WrongEventLoop for one inside another."""
        if self._owner == threading.get_ident():
            raise WrongEventLoop(
                "The client was called by its own handler, and it has one invocation at a time. For calls from inside, "
                "use a second client: on AWS that would be another environment, too."
            )
        with self._lock:
            self._owner = threading.get_ident()
            try:
                yield
            finally:
                self._owner = None

    def _started(self) -> Runner:
        runner = self._runner
        if runner is None:
            ahead = AHEAD.take()
            runner = Runner(ahead, lent=ahead is not None)
            try:
                runner.start(self._handler.lifetime())
            except BaseException:
                runner.stop(SHUTDOWN_SECONDS)
                raise
            self._runner = runner
            self._forgotten = weakref.finalize(self, end, runner)
        return alive(runner)

    # On the caller's event loop

    async def enter(self) -> None:
        """Enter the lifetime. Raises what entering it raises."""
        runner = Runner(asyncio.get_running_loop())
        await runner.enter(self._handler.lifetime())
        self._runner = runner

    async def handle(self, payload: bytes, context: LambdaContext) -> Result:
        """Handle one event, beside others, in a task of its own; functions that may block, in a thread.

        Raises what the handler raises, and LifespanEnded outside of the lifetime.
        """
        if self._runner is None:
            raise LifespanEnded("The lifespan is over: use the client within `async with`.")
        alive(self._runner)
        invocation, posted = self._invocation(payload, context)
        await asyncio.create_task(self._handled(invocation))
        return posted.result()

    async def leave(self) -> None:
        """Leave the lifetime. Raises what leaving it raises."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.leave(SHUTDOWN_SECONDS)

    async def _handled(self, invocation: RuntimeInvocation) -> None:
        with current(invocation):
            try:
                await (await self._begun(invocation))
            finally:
                if invocation.work:
                    await invocation.finish()

    async def _begun(self, invocation: RuntimeInvocation) -> Coroutine[object, object, None]:
        if self._may_block:
            return await asyncio.to_thread(self._handler.serve, invocation)
        return self._handler.serve(invocation)

    def _invocation(self, payload: bytes, context: LambdaContext) -> tuple[RuntimeInvocation, Posted]:
        posted = Posted()
        return RuntimeInvocation(self._codec.decode(payload), context, self._codec, posted, ""), posted


@contextmanager
def current(invocation: RuntimeInvocation) -> Iterator[None]:
    """It is the current one; afterwards nothing can wait for it any more."""
    token = CURRENT.set(invocation)
    try:
        yield
    finally:
        invocation.work = None
        CURRENT.reset(token)


def alive(runner: Runner) -> Runner:
    """Raises LifespanEnded if the lifetime has ended by itself: on AWS the environment would be replaced."""
    if not runner.alive:
        raise LifespanEnded("The lifespan has ended by itself; nothing that startup made is left.") from runner.lost
    return runner


def end(runner: Runner) -> None:
    """Whatever its shutdown raises, there is nobody who could be told."""
    with suppress(Exception):
        if asyncio._get_running_loop() is None:
            runner.stop(SHUTDOWN_SECONDS)
            return
        thread = threading.Thread(target=end, args=(runner,))  # no two loops run in one, and garbage goes anywhere
        thread.start()
        thread.join()


def refuse_running_loop() -> None:
    if asyncio._get_running_loop() is not None:
        raise WrongEventLoop(
            "The client was called inside a running event loop, which it would block. Write "
            "`async with Client(...) as client:`, and await what that client does."
        )
