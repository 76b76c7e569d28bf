"""One run of the application through one conversation: in a task of its own, until it asks for more than there is."""

from __future__ import annotations

import asyncio
import logging

from lambent.asgi.websocket import ENDED, UNWINDING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextvars import Context

    from lambent.asgi.websocket import WebSocketConversation
    from lambent.types import ASGIApp, Scope

logger = logging.getLogger("lambent")

INSISTING_SECONDS = 1.0
"""How long an application that keeps receiving is cancelled again and again."""

_LEAVING_SECONDS = 0.1
"""How long the application may take to end when its own invocation is cancelled."""


class Run:
    """The application, begun. Who makes it awaits `until_idle`, and then lets it wait, or unwinds it."""

    __slots__ = ("_asked", "_news", "conversation", "stray", "task")

    def __init__(
        self, app: ASGIApp, scope: Scope, conversation: WebSocketConversation, context: Context | None = None
    ) -> None:
        self.conversation = conversation
        self.stray = False
        """Whether it has left a task behind that receives: what else it was about is cut off."""
        self._asked = False
        self._news = asyncio.Event()
        """Never set for longer than it takes to wake all who wait for it."""
        conversation.on_idle = self._ask
        coroutine = _called(app, scope, conversation)
        self.task = asyncio.get_running_loop().create_task(coroutine, name="lambent websocket", context=context)
        self.task.add_done_callback(self._wake)

    @property
    def error(self) -> BaseException | None:
        """What the application has ended with; None if it has returned, or goes on."""
        if not self.task.done():
            return None
        return asyncio.CancelledError() if self.task.cancelled() else self.task.exception()

    async def until_idle(self) -> bool:
        """Wait until the application asks for more than there is: True. False if it has ended.

        If this is cancelled, the application is as well, and the conversation over.
        """
        try:
            while not self.task.done() and not (self._asked and self.conversation.waits):
                await self._news.wait()
        except asyncio.CancelledError:
            await self.leave()
            raise
        self._asked = False
        return not self.task.done()

    async def unwind(self) -> None:
        """End the application, and wait until its cleanup is done. What it sends meanwhile is dropped.

        It is cancelled, and again each time that it asks for another message, for a second at most.
        """
        loop = asyncio.get_running_loop()
        if self.task.done() or self.conversation.state is ENDED:
            self.conversation.state = ENDED
            return
        self.conversation.state = UNWINDING
        until = loop.time() + INSISTING_SECONDS
        try:
            while not self.task.done():
                self._asked = False
                self.task.cancel()
                while not self.task.done() and not self._asked:
                    await self._news.wait()
                if self._asked and loop.time() > until:
                    logger.error("The application goes on to receive though it is cancelled; it is left behind.")
                    break
        except asyncio.CancelledError:
            await self.leave()
            raise
        self._end()

    async def leave(self) -> None:
        """End the application without waiting for it any longer than a moment."""
        if self.task.done() or self.conversation.state is ENDED:
            self.conversation.state = ENDED
            return
        self.conversation.state = UNWINDING
        self.task.cancel()
        try:
            await asyncio.wait({self.task}, timeout=_LEAVING_SECONDS)
        finally:
            self._end()

    def _end(self) -> None:
        self.conversation.state = ENDED
        if self.task.done() and not self.task.cancelled() and (error := self.task.exception()):
            logger.error("The application raised while it was unwound.", exc_info=error)
        left = [task for task in self.conversation.waiting if task is not None and not task.cancelling()]
        if self.task.done() and left:
            self.stray = True
            for task in left:
                task.cancel()
            logger.error(
                "The application has left a task behind that receives, as Quart does for its WebSockets. Nothing tells "
                "what else its tasks are about, so that is cut off where an event ends: receive where you answer."
            )

    def _ask(self) -> None:
        self._asked = True
        self._wake()

    def _wake(self, _: object = None) -> None:
        self._news.set()
        self._news.clear()


async def _called(app: ASGIApp, scope: Scope, conversation: WebSocketConversation) -> None:
    await app(scope, conversation.receive, conversation.send)
