"""The lifespan conversation: startup once, before the first event; shutdown once, at the end of the environment.

    STARTING ──startup.complete──▶ RUNNING ──(shutdown)──▶ STOPPING ──shutdown.complete──▶ STOPPED
        └──────startup.failed────▶ FAILED ◀──────────shutdown.failed──┘

A lifespan that ends by itself, or is cancelled, may say `shutdown.failed` while it is running, and then raise, as
Starlette does. It is the exception that counts.

Source: asgi.readthedocs.io, "Lifespan Protocol", version 2.0.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager

from lambent.errors import LifespanEnded, LifespanFailed, UnexpectedMessage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lambent.types import ASGIApp, Message

logger = logging.getLogger("lambent")

STARTING = "starting"
RUNNING = "running"
STOPPING = "stopping"
STOPPED = "stopped"
FAILED = "failed"

TRANSITIONS = {
    (STARTING, "lifespan.startup.complete"): RUNNING,
    (STARTING, "lifespan.startup.failed"): FAILED,
    (RUNNING, "lifespan.shutdown.failed"): RUNNING,
    (STOPPING, "lifespan.shutdown.complete"): STOPPED,
    (STOPPING, "lifespan.shutdown.failed"): FAILED,
}


class LifespanConversation:
    """Plays the server's part towards the application for its whole life."""

    def __init__(self) -> None:
        self.state = STARTING
        self.message = ""
        """What the application said with its `failed`."""
        self.exit: BaseException | None = None
        """The SystemExit or KeyboardInterrupt that startup ended with."""
        self.asked = False
        """Whether the application has asked for an event: one that has knows what a lifespan is."""
        self.answered = asyncio.Event()
        """Set when the application has answered startup, and again when it has answered shutdown, or has ended."""
        self._events: asyncio.Queue[Message] = asyncio.Queue()
        self._events.put_nowait({"type": "lifespan.startup"})

    async def receive(self) -> Message:
        """The application's `receive`: startup, and once it is time shutdown."""
        self.asked = True
        return await self._events.get()

    async def send(self, message: Message) -> None:
        """The application's `send`. Raises UnexpectedMessage, and then has changed nothing."""
        state = TRANSITIONS.get((self.state, message["type"]))
        if state is None:
            raise UnexpectedMessage(f"The lifespan is {self.state}, and the application sent {message['type']!r}.")
        self.state = state
        self.message = str(message.get("message", ""))
        self.answered.set()

    def stop(self) -> None:
        """Give the application `lifespan.shutdown`."""
        self.state = STOPPING
        self.answered.clear()
        self._events.put_nowait({"type": "lifespan.shutdown"})


@asynccontextmanager
async def lifespan(app: ASGIApp, state: dict[str, object], *, required: bool) -> AsyncIterator[None]:
    """Start the application's lifespan, run the body, stop it.

    An application that raises before it has answered startup does not support lifespans: with `required` its exception
    is raised, else the body runs without one. An exit is raised in any case, and so is `startup.failed`, as the
    application's own exception where it raises one. If the lifespan ends during the body, the body is cancelled and
    LifespanEnded raised.
    """
    conversation = LifespanConversation()
    task = asyncio.create_task(_converse(app, state, conversation), name="lambent lifespan")
    task.add_done_callback(lambda _: conversation.answered.set())
    try:
        if await _startup(conversation, task, required=required):
            async with _upheld_by(task):
                yield
            await _shutdown(conversation, task)
        else:
            yield
    finally:
        task.cancel()


async def _converse(app: ASGIApp, state: dict[str, object], conversation: LifespanConversation) -> None:
    scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": state}
    try:
        await app(scope, conversation.receive, conversation.send)
    except (SystemExit, KeyboardInterrupt) as error:
        if conversation.state is not STARTING:
            raise
        conversation.exit = error  # raised by a task it would stop the loop here, in the middle of startup


async def _startup(conversation: LifespanConversation, task: asyncio.Task[None], *, required: bool) -> bool:
    """Wait for the answer to startup. Returns whether there is a lifespan that shutdown has to end."""
    await conversation.answered.wait()
    if conversation.exit is not None:
        raise conversation.exit
    if conversation.state is FAILED:
        raise await _failure(conversation, task)
    if conversation.state is RUNNING:
        if not task.done() or _exception(task):
            return True
        logger.warning("The lifespan returned with its startup: there is nothing that could be told of the shutdown.")
        return False
    error = _exception(task) or LifespanFailed("The application returned from its lifespan without an answer.")
    if required:
        raise error
    if conversation.asked:  # it knows lifespans: this looks like a failure, though the specification says to go on
        logger.warning("The lifespan failed before it answered; going on without one.", exc_info=error)
    else:
        logger.debug("The application does not support lifespans: %r", error)
    return False


async def _shutdown(conversation: LifespanConversation, task: asyncio.Task[None]) -> None:
    conversation.stop()
    await conversation.answered.wait()
    if conversation.state is FAILED:
        raise await _failure(conversation, task)
    await task


async def _failure(conversation: LifespanConversation, task: asyncio.Task[None]) -> BaseException:
    """Prefer the application's own exception, which frameworks raise right after they have said `failed`."""
    done, _ = await asyncio.wait([task], timeout=1)
    error = task.exception() if done and not task.cancelled() else None
    return error or LifespanFailed(conversation.message or "The lifespan failed.")


def _exception(task: asyncio.Task[None]) -> BaseException | None:
    """Why the lifespan ended, if it did not return: one may be cancelled with what it waits for."""
    return LifespanFailed("The lifespan was cancelled.") if task.cancelled() else task.exception()


@asynccontextmanager
async def _upheld_by(task: asyncio.Task[None]) -> AsyncIterator[None]:
    """Cancel the body when `task` ends, and raise LifespanEnded in its place."""
    host = asyncio.current_task()
    assert host is not None  # noqa: S101 - we are in a coroutine

    def ended(_: asyncio.Task[None]) -> None:
        host.cancel()

    task.add_done_callback(ended)
    try:
        yield
    except asyncio.CancelledError:
        if not task.done() or task.cancelled():
            raise
        host.uncancel()
        raise LifespanEnded("The lifespan ended while the environment needs it.") from task.exception()
    finally:
        task.remove_done_callback(ended)
