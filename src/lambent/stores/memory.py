"""A store in this process: for tests, and for one environment that is never replaced."""

from __future__ import annotations

import time
from collections import OrderedDict, defaultdict
from secrets import token_hex

from lambent.errors import StoreConflict
from lambent.stores.model import ABSENT, Stored, check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

SWEPT = 2
"""How many are looked at with each write: more than one write adds, so that what has expired cannot pile up."""


class MemoryStore:
    """Store: dictionaries. What has expired goes bit by bit, as others are written."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._values: OrderedDict[str, tuple[Stored, float]] = OrderedDict()
        self._memberships: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._members: defaultdict[str, set[str]] = defaultdict(set)
        self._groups: defaultdict[str, set[str]] = defaultdict(set)

    def __repr__(self) -> str:
        return "memory://"

    async def load(self, key: str) -> Stored | None:
        """Read a value."""
        check(key)
        return self._live(key)

    async def save(self, key: str, data: bytes, expires: float, version: str | None = None) -> str:
        """Write a value."""
        check(key, data=data)
        if version is not None:
            before = self._live(key)
            if version != (before.version if before else ABSENT):
                raise StoreConflict(f"{key!r} has been changed meanwhile.")
        stored = Stored(bytes(data), token_hex(8))
        self._values[key] = stored, expires
        self._sweep_values()
        return stored.version

    async def delete(self, key: str) -> None:
        """Remove a value."""
        check(key)
        self._values.pop(key, None)

    async def join(self, group: str, member: str, expires: float) -> None:
        """Make `member` one of `group`."""
        check(group, member)
        self._memberships[group, member] = expires
        self._members[group].add(member)
        self._groups[member].add(group)
        self._sweep_memberships()

    async def leave(self, group: str, member: str) -> None:
        """Make `member` none of `group`."""
        check(group, member)
        self._part(group, member)

    async def members(self, group: str) -> AsyncIterator[str]:
        """Go through those in `group`."""
        check(group)
        now = self._now()
        for member in [each for each in self._members.get(group, ()) if self._memberships[group, each] > now]:
            yield member

    async def forget(self, member: str) -> None:
        """Make `member` leave every group."""
        check(member)
        for group in list(self._groups.get(member, ())):
            self._part(group, member)

    async def init(self) -> None:
        """There is nothing to be made."""

    async def close(self) -> None:
        """There is nothing to be closed; what is kept stays."""

    def _live(self, key: str) -> Stored | None:
        stored, expires = self._values.get(key, (None, 0.0))
        return stored if expires > self._now() else None

    def _part(self, group: str, member: str) -> None:
        if self._memberships.pop((group, member), None) is None:
            return
        for index, one, other in ((self._members, group, member), (self._groups, member, group)):
            index[one].discard(other)
            if not index[one]:
                del index[one]

    def _sweep_values(self) -> None:
        now = self._now()
        for _ in range(min(SWEPT, len(self._values))):
            key = next(iter(self._values))
            self._values.move_to_end(key)
            if self._values[key][1] <= now:
                del self._values[key]

    def _sweep_memberships(self) -> None:
        now = self._now()
        for _ in range(min(SWEPT, len(self._memberships))):
            pair = next(iter(self._memberships))
            self._memberships.move_to_end(pair)
            if self._memberships[pair] <= now:
                self._part(*pair)


def open_store(url: str, now: Callable[[], float] = time.time) -> MemoryStore:
    """Each call makes one of its own."""
    del url
    return MemoryStore(now)
