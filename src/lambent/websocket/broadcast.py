"""One message to many connections: so many at a time, each counted."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from lambent.errors import ConnectionGone, ServiceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection


class Broadcast(NamedTuple):
    """What has come of a broadcast: how many connections there were of each kind."""

    sent: int
    gone: int
    """They have left the group."""
    failed: int
    """API Gateway did not take it, and the log says why."""


class Spread:
    """One broadcast on its way."""

    def __init__(self, send: Callable[[str], Awaitable[None]], limit: int) -> None:
        self._send = send
        self._room = asyncio.Semaphore(limit)
        self._first = ""
        self._broken: Exception | None = None
        self.sent = self.gone = self.failed = 0

    @property
    def complaint(self) -> tuple[int, str] | None:
        """How often sending failed, and what was wrong the first time."""
        return (self.failed, self._first) if self.failed else None

    async def over(self, members: AsyncIterator[str], exclude: Collection[str]) -> None:
        """Send to each of them. What is wrong with more than one connection is raised, once none is on its way."""
        async with asyncio.TaskGroup() as tasks:
            try:
                async for member in members:
                    if member in exclude:
                        continue
                    await self._room.acquire()
                    if self._broken is not None:
                        break
                    tasks.create_task(self._to(member))
            except Exception as error:
                self._broken = self._broken or error
            finally:
                await _end(members)
        if self._broken is not None:
            raise self._broken

    async def _to(self, member: str) -> None:
        try:
            await self._send(member)
            self.sent += 1
        except ConnectionGone:
            self.gone += 1
        except (ServiceError, OSError) as error:
            self.failed += 1
            self._first = self._first or f"The first was {member}: {error}"
        except Exception as error:
            self._broken = self._broken or error
        finally:
            self._room.release()


async def _end(members: AsyncIterator[str]) -> None:
    """A generator that is not read to its end holds on to what it reads from."""
    close: Callable[[], Awaitable[None]] | None = getattr(members, "aclose", None)
    if close is not None:
        await close()
