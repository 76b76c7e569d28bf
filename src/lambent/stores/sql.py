"""A store in two tables, of any database that takes these statements."""

from __future__ import annotations

import time
from contextlib import suppress
from secrets import randbelow, token_hex
from typing import Any, Protocol

from lambent.errors import StoreConflict, StoreError
from lambent.stores.model import ABSENT, Stored, check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

PAGE = 1000
"""Members that one question asks for."""

PURGE_EVERY = 100
"""Of how many writes one, on average, removes some of what has expired."""

LOAD = "SELECT data, version FROM lambent_values WHERE key = $1 AND expires > $2"
SAVE = """
INSERT INTO lambent_values (key, data, version, expires) VALUES ($1, $2, $3, $4)
ON CONFLICT (key) DO UPDATE SET data = excluded.data, version = excluded.version, expires = excluded.expires
"""
# A statement whose answer was lost is run once more: then its own version is there already, and that is no conflict.
SAVE_ABSENT = f"{SAVE} WHERE lambent_values.expires <= $5 OR lambent_values.version = $3"
SAVE_VERSION = """
UPDATE lambent_values SET data = $2, version = $3, expires = $4
WHERE key = $1 AND (version = $3 OR version = $6 AND expires > $5)
"""
DELETE = "DELETE FROM lambent_values WHERE key = $1"
JOIN = """
INSERT INTO lambent_members (name, member, expires) VALUES ($1, $2, $3)
ON CONFLICT (name, member) DO UPDATE SET expires = excluded.expires
"""
LEAVE = "DELETE FROM lambent_members WHERE name = $1 AND member = $2"
MEMBERS = """
SELECT member FROM lambent_members WHERE name = $1 AND member > $2 AND expires > $3 ORDER BY member LIMIT $4
"""
FORGET = "DELETE FROM lambent_members WHERE member = $1"
# The second `expires` is for a row that is written meanwhile.
PURGE = (
    """
DELETE FROM lambent_values WHERE expires <= $1
AND key IN (SELECT key FROM lambent_values WHERE expires <= $1 LIMIT 100)
""",
    """
DELETE FROM lambent_members WHERE expires <= $1
AND (name, member) IN (SELECT name, member FROM lambent_members WHERE expires <= $1 LIMIT 100)
""",
)


class Database(Protocol):
    """Runs one statement at a time, each as a whole or not at all. Every method raises StoreError."""

    async def fetch(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return what is found."""

    async def execute(self, statement: str, *values: Any) -> int:
        """Return how many rows were written."""

    async def init(self) -> None:
        """Make the tables that are not there."""

    async def close(self) -> None:
        """Close its connections."""


class SQLStore:
    """Store: rows of `lambent_values` and `lambent_members`. Some of what has expired goes now and then."""

    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        self._database = database
        self._now = now
        self.purge_every = PURGE_EVERY

    def __repr__(self) -> str:
        return repr(self._database)

    async def load(self, key: str) -> Stored | None:
        """Read a value."""
        check(key)
        rows = await self._database.fetch(LOAD, key, self._now())
        return Stored(*rows[0]) if rows else None

    async def save(self, key: str, data: bytes, expires: float, version: str | None = None) -> str:
        """Write a value."""
        check(key, data=data)
        new = token_hex(8)
        row = key, bytes(data), new, float(expires)
        if version is None:
            written = await self._database.execute(SAVE, *row)
        elif version == ABSENT:
            written = await self._database.execute(SAVE_ABSENT, *row, self._now())
        else:
            written = await self._database.execute(SAVE_VERSION, *row, self._now(), version)
        if not written:
            raise StoreConflict(f"{key!r} has been changed meanwhile.")
        await self._purge()
        return new

    async def delete(self, key: str) -> None:
        """Remove a value."""
        check(key)
        await self._database.execute(DELETE, key)

    async def join(self, group: str, member: str, expires: float) -> None:
        """Make `member` one of `group`."""
        check(group, member)
        await self._database.execute(JOIN, group, member, float(expires))
        await self._purge()

    async def leave(self, group: str, member: str) -> None:
        """Make `member` none of `group`."""
        check(group, member)
        await self._database.execute(LEAVE, group, member)

    async def members(self, group: str) -> AsyncIterator[str]:
        """Go through those in `group`, in the order of their bytes."""
        check(group)
        last, full = "", True
        while full:
            rows = await self._database.fetch(MEMBERS, group, last, self._now(), PAGE)
            for (member,) in rows:
                yield member
            full = len(rows) == PAGE
            last = rows[-1][0] if rows else ""

    async def forget(self, member: str) -> None:
        """Make `member` leave every group."""
        check(member)
        await self._database.execute(FORGET, member)

    async def init(self) -> None:
        """Make the tables."""
        await self._database.init()

    async def close(self) -> None:
        """Close the connections."""
        await self._database.close()

    async def _purge(self) -> None:
        """What was written is written, whether this works or not."""
        if randbelow(self.purge_every):
            return
        with suppress(StoreError):
            for statement in PURGE:
                await self._database.execute(statement, self._now())
