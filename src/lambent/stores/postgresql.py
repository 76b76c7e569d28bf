"""A store in two tables of PostgreSQL: `postgresql://user:password@host:port/database`, by asyncpg."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import urlsplit

from lambent.errors import StoreError
from lambent.stores import missing, shown, unreadable
from lambent.stores.loops import PerLoop
from lambent.stores.sql import SQLStore

try:
    import asyncpg
except ModuleNotFoundError as error:
    raise missing("postgresql", "asyncpg") from error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")

CONNECTIONS = 4
"""At most, of one environment: there may be a thousand of those, and a server has a hundred."""
PATIENCE = 5.0
"""Seconds until a server that does not answer is given up; three times that, until a connection is free."""

# Byte order: what a table is sorted by must not change with the system's locales.
TABLES = """
CREATE TABLE IF NOT EXISTS lambent_values (
    key text COLLATE "C" PRIMARY KEY, data bytea NOT NULL, version text NOT NULL, expires double precision NOT NULL
);
CREATE INDEX IF NOT EXISTS lambent_values_expires ON lambent_values (expires);
CREATE TABLE IF NOT EXISTS lambent_members (
    name text COLLATE "C", member text COLLATE "C", expires double precision NOT NULL, PRIMARY KEY (name, member)
);
CREATE INDEX IF NOT EXISTS lambent_members_member ON lambent_members (member);
CREATE INDEX IF NOT EXISTS lambent_members_expires ON lambent_members (expires);
"""
# Two that make the same table at once fail, IF NOT EXISTS or not. The number is ours alone: "lambent", in ASCII.
ALONE = f"SELECT pg_advisory_xact_lock({int.from_bytes(b'lambent')})"

# How a connection shows that it died, maybe while the environment was frozen.
GONE = (
    OSError,  # a TimeoutError too
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


class PostgreSQL:
    """Database: a small pool of connections, made when they are needed.

    A statement is prepared without a name, for once, and run before the next Sync: so that a proxy that gives out
    connections by transaction (PgBouncer, RDS Proxy) may be between.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._pools = PerLoop(self._pool)
        self._turns = PerLoop(lambda: asyncio.Semaphore(CONNECTIONS))

    def __repr__(self) -> str:
        return shown(self._url)

    async def fetch(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return what is found."""
        rows = await self._run(lambda connection: connection.fetch(statement, *values))
        return [tuple(row) for row in rows]

    async def execute(self, statement: str, *values: Any) -> int:
        """Return how many rows were written."""
        status: str = await self._run(lambda connection: connection.execute(statement, *values))
        return int(status.rpartition(" ")[2])  # "INSERT 0 1"

    async def init(self) -> None:
        """Make the tables, in the first schema of the search path."""

        async def make(connection: asyncpg.Connection) -> None:
            async with connection.transaction():
                await connection.execute(ALONE)
                await connection.execute(TABLES)

        await self._run(make)

    async def close(self) -> None:
        """Close the connections of this loop: by their rules, or without, if the server does not answer."""
        pool = self._pools.take()
        if pool is not None:
            with suppress(*GONE):
                await asyncio.wait_for(pool.close(), PATIENCE / 2)

    async def _run(self, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        """Work on a connection; once more, on a new one, if the one that was kept has died."""
        try:
            pool = await self._pools.get()
            kept = pool.get_size()
            try:
                return await self._work(pool, work)
            except GONE:
                if not kept:  # there was none that could have died
                    raise
            # What happened to one happened to all: they went through the same freeze.
            if self._pools.get() is pool:
                self._pools.take()
                pool.terminate()
            return await self._work(await self._pools.get(), work)
        except (*GONE, asyncpg.PostgresError, ValueError) as error:
            raise StoreError(f"{self!r}: {_advice(error, repr(self))}") from error

    async def _work(self, pool: asyncpg.Pool, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        """Work on a connection of the pool. That none gets free says nothing about the server: StoreError at once.

        So the pool is asked only when it is this one's turn: then it has one, or connects.
        """
        turns = self._turns.get()
        try:
            await asyncio.wait_for(turns.acquire(), PATIENCE * 3)
        except TimeoutError as error:
            raise StoreError(
                f"{self!r}: all {CONNECTIONS} connections of this environment have been busy for {PATIENCE * 3:g} "
                "seconds. Ask less at a time, or find out what takes the server so long."
            ) from error
        try:
            async with pool.acquire(timeout=PATIENCE) as connection:
                return await work(connection)
        finally:
            turns.release()

    def _pool(self) -> asyncpg.Pool:
        return asyncpg.create_pool(
            self._url,
            min_size=0,
            max_size=CONNECTIONS,
            timeout=PATIENCE,
            command_timeout=PATIENCE,
            statement_cache_size=0,
            reset=_keep,
        )


async def _keep(_connection: asyncpg.Connection) -> None:
    """A session has nothing that would have to be reset, and each reset would be a round trip."""


def _advice(error: BaseException, url: str) -> str:
    if isinstance(error, asyncpg.UndefinedTableError):
        return f"its tables have not been made yet. Run: lambent stores init {url}"
    if isinstance(error, asyncpg.InvalidCatalogNameError):
        return f"{error}. Make the database first; then run: lambent stores init {url}"
    if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):
        return f"{error}. Check the user and the password in the URL."
    if isinstance(error, asyncpg.InsufficientPrivilegeError):
        return f"{error}. The user needs SELECT, INSERT, UPDATE and DELETE on both tables, and for init CREATE."
    if isinstance(error, OSError | asyncpg.PostgresConnectionError):
        return f"the server does not answer ({_words(error)}). Is it up, and may this machine connect to it?"
    return f"{_words(error)}."


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__


def open_store(url: str, now: Callable[[], float] = time.time) -> SQLStore:
    """Raise ConfigurationError for what cannot be read, such as a password with characters that are not quoted."""
    try:
        parts = urlsplit(url)
        readable = not parts.fragment and (parts.port is None or parts.port > 0)
    except ValueError:
        readable = False
    if not readable:
        raise unreadable("postgresql://user:password@host:port/database", url)
    return SQLStore(PostgreSQL(url), now)
