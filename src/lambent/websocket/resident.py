"""Conversations that wait in this environment for their next event, so many of them and for so long."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager
from secrets import token_hex

from lambent.errors import InvalidMessage, StoreError
from lambent.invocation import CURRENT, Handled
from lambent.websocket.peers import is_disconnect
from lambent.websocket.record import LIFE_SECONDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from contextvars import Context

    from lambent.types import Invocation
    from lambent.websocket.visit import Visit


logger = logging.getLogger("lambent")

LIMIT = 1000
"""Conversations that wait in one environment; beyond it, the one that has waited longest is unwound."""


class Held:
    """What `lambent.current()` is in a conversation: the invocation of the event that it is at."""

    __slots__ = ("handled",)

    def __init__(self, invocation: Invocation, surroundings: Context) -> None:
        """`surroundings` are those in which the conversation runs."""
        self.handled = Handled(invocation.event, invocation.context)
        surroundings.run(CURRENT.set, self.handled)
        self.hold(invocation)

    def hold(self, invocation: Invocation) -> None:
        """It is at an event of this invocation now."""
        self.handled.event = invocation.event
        self.handled.context = invocation.context
        self.handled.work = invocation.work if isinstance(invocation, Handled) else None

    def release(self) -> None:
        """It waits: there is no invocation that would wait for what it begins."""
        self.handled.work = None


class Resident:
    """One conversation."""

    __slots__ = ("held", "since", "visit")

    def __init__(self, visit: Visit, held: Held, since: float) -> None:
        self.visit = visit
        self.held = held
        self.since = since

    def hold(self, invocation: Invocation) -> None:
        """Take up an event."""
        self.held.hold(invocation)


class Residents:
    """Those of one environment, by the ids of their connections: the one that has waited longest first."""

    def __init__(
        self,
        save: Callable[[Visit], Awaitable[None]],
        limit: int = LIMIT,
        age: float = LIFE_SECONDS,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`save` keeps the session of one that has ended here; it raises StoreError and InvalidMessage."""
        self._save = save
        self.environment = token_hex(8)
        """Names the environment in records. Made with the first event, so never part of a snapshot."""
        self._limit = limit
        self._age = age
        self._now = now
        self._residents: dict[str, Resident] = {}
        self._turns: dict[str, tuple[asyncio.Lock, int]] = {}
        """Of connections that have an event here, and of how many."""

    def __len__(self) -> int:
        return len(self._residents)

    @asynccontextmanager
    async def turn(self, connection_id: str) -> AsyncIterator[None]:
        """One event after the other: a conversation can be at one only."""
        lock, count = self._turns.get(connection_id) or (asyncio.Lock(), 0)
        self._turns[connection_id] = lock, count + 1
        try:
            async with lock:
                yield
        finally:
            lock, count = self._turns.pop(connection_id)
            if count > 1:
                self._turns[connection_id] = lock, count - 1

    def keep(self, connection_id: str, visit: Visit, held: Held) -> None:
        """Take in a conversation that begins."""
        resident = self._residents[connection_id] = Resident(visit, held, self._now())

        def ended(_: asyncio.Task[None]) -> None:
            if self._residents.get(connection_id) is resident and connection_id not in self._turns:
                self.leave(connection_id)
                _tell(resident)

        visit.run.task.add_done_callback(ended)

    def find(self, connection_id: str) -> Resident | None:
        """The one that waits; None if there is none any more."""
        return self._residents.get(connection_id)

    def leave(self, connection_id: str) -> None:
        """Forget a conversation that has ended or is ending."""
        self._residents.pop(connection_id, None)

    async def drop(self, connection_id: str) -> Visit | None:
        """Unwind a parked conversation; returns it, or None."""
        resident = self._residents.pop(connection_id, None)
        if resident is None:
            return None
        await resident.visit.run.unwind()
        return resident.visit

    async def finish(self, connection_id: str) -> None:
        """End one whose connection has ended. What goes on, since it was closed while it waited, comes to its end."""
        resident = self.find(connection_id)
        if resident is not None and not resident.visit.run.conversation.waits:
            await resident.visit.run.until_idle()
            _tell(resident)
        await self.drop(connection_id)

    async def park(self, connection_id: str) -> None:
        """One waits from now on. Those that have waited too long end, and some if there are too many."""
        resident = self._residents.pop(connection_id, None)
        if resident is not None:
            resident.held.release()
            resident.since = self._now()
            self._residents[connection_id] = resident
        for other in self._surplus():
            await self._dismiss(other)

    async def close(self) -> None:
        """End all of them."""
        for connection_id in list(self._residents):
            await self._dismiss(connection_id)

    async def _dismiss(self, connection_id: str) -> None:
        """End one that goes on elsewhere, if it goes on: what has changed in its session is kept."""
        visit = await self.drop(connection_id)
        if visit is None:
            return
        try:
            await self._save(visit)
        except (StoreError, InvalidMessage) as error:
            logger.warning("The session of connection %s is not kept: %s", connection_id, error)
        except Exception:  # of somebody's own store: the others are to end as well
            logger.exception("The session of connection %s is not kept.", connection_id)

    def _surplus(self) -> list[str]:
        until = self._now() - self._age
        count = len(self._residents) - self._limit
        waiting = [(each, found.since) for each, found in self._residents.items() if each not in self._turns]
        return [each for number, (each, since) in enumerate(waiting) if number < count or since <= until]


def _tell(resident: Resident) -> None:
    """Log what it has ended with between two events."""
    error = resident.visit.run.error
    if isinstance(error, Exception) and not is_disconnect(error):
        logger.error("The application raised while it waited for its next event.", exc_info=error)
