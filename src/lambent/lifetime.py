"""The life of an application in an environment: its lifespan, and what lives and ends with it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType

    from lambent.events.events import Events
    from lambent.websocket.conversations import Conversations


class Lifetime:
    """Entered before the first event, left after the last one.

    Within the lifespan: the functions for other events than HTTP, and WebSockets' conversations, which may have begun
    meanwhile. What leads to their store is closed after all of it.
    """

    __slots__ = ("_conversations", "_events", "_lifespan")

    def __init__(
        self,
        lifespan: AbstractAsyncContextManager[None],
        events: Events | None,
        conversations: Callable[[], Conversations | None],
    ) -> None:
        self._lifespan = lifespan
        self._events = None if events is None else events.lifetime()
        self._conversations = conversations

    async def __aenter__(self) -> None:
        await self._lifespan.__aenter__()
        if self._events is not None:
            try:
                await self._events.__aenter__()
            except Exception:
                await self._lifespan.__aexit__(None, None, None)  # what was started is shut down
                raise
            except BaseException as error:
                await self._lifespan.__aexit__(type(error), error, error.__traceback__)
                raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        conversations = self._conversations()
        try:
            if conversations is not None:
                await conversations.end()
            if self._events is not None:
                await self._events.__aexit__(kind, error, traceback)
        finally:
            try:
                result = await self._lifespan.__aexit__(kind, error, traceback)
            finally:
                if conversations is not None:
                    await conversations.close()
        return result
