"""A store in a file: `sqlite:///path`, and `sqlite:////path` from the root on."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from lambent.errors import ConfigurationError, StoreError
from lambent.stores.sql import SQLStore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

PATIENCE = 5.0
"""Seconds that a statement waits while another process writes."""

TABLES = """
CREATE TABLE IF NOT EXISTS lambent_values (
    key TEXT PRIMARY KEY, data BLOB NOT NULL, version TEXT NOT NULL, expires REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS lambent_values_expires ON lambent_values (expires);
CREATE TABLE IF NOT EXISTS lambent_members (
    name TEXT, member TEXT, expires REAL NOT NULL, PRIMARY KEY (name, member)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS lambent_members_member ON lambent_members (member);
CREATE INDEX IF NOT EXISTS lambent_members_expires ON lambent_members (expires);
"""


class SQLite:
    """Database: one connection in a thread of its own, so that the loop never waits for the disk.

    Any number of processes may use the file at once: readers go on while one writes. It has to lie on a disk of this
    machine, as SQLite's write-ahead log demands.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread: ThreadPoolExecutor | None = None
        self._local = threading.local()
        """Of the thread: its `connection`. While one is closing, there may be the next one already."""

    def __repr__(self) -> str:
        return f"sqlite:///{self._path}"

    async def fetch(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return what is found."""
        return await self._in_thread(lambda: self._run(statement, values).fetchall())

    async def execute(self, statement: str, *values: Any) -> int:
        """Return how many rows were written."""
        return await self._in_thread(lambda: self._run(statement, values).rowcount)

    async def init(self) -> None:
        """Make the file and its tables. The folder has to be there."""
        if not self._path.parent.is_dir():
            raise StoreError(f"{self!r}: expected the folder {self._path.parent} to be there. Make it first.")
        await self._in_thread(self._make)

    async def close(self) -> None:
        """Close the file, and end the thread, after what has been asked. Whoever asks meanwhile gets another thread."""
        thread, self._thread = self._thread, None
        if thread is not None:
            closed = thread.submit(self._close)
            thread.shutdown(wait=False)
            await self._done(asyncio.shield(asyncio.wrap_future(closed)))
            thread.shutdown()

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "lambent-sqlite")
        return await self._done(asyncio.get_running_loop().run_in_executor(self._thread, work))

    async def _done(self, work: asyncio.Future[T]) -> T:
        try:
            return await work
        except sqlite3.Error as error:
            raise StoreError(f"{self!r}: {self._advice(error)}") from error

    # In the thread

    def _run(self, statement: str, values: tuple[Any, ...]) -> sqlite3.Cursor:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._connect("rw")
        return connection.execute(statement, {str(number): value for number, value in enumerate(values, 1)})

    def _connect(self, mode: str) -> sqlite3.Connection:
        """Each statement is a transaction. Mode `rw` makes no file."""
        url = f"{self._path.as_uri()}?mode={mode}"
        connection = sqlite3.connect(url, timeout=PATIENCE, isolation_level=None, uri=True)
        try:
            # A crash of the machine, not of the process, may lose the last writes; the file stays sound.
            connection.execute("PRAGMA synchronous = NORMAL")
        except BaseException:  # it is no database, say
            connection.close()
            raise
        return connection

    def _make(self) -> None:
        connection = self._connect("rwc")
        try:
            self._log_ahead(connection)
            connection.executescript(TABLES)
        finally:
            connection.close()

    def _log_ahead(self, connection: sqlite3.Connection) -> None:
        """Let readers go on while one writes: a property of the file. SQLite does not wait for others to change it."""
        end = time.monotonic() + PATIENCE
        while connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.01)
            else:
                return  # a file system that has none keeps its old one, and all waits for the one that writes

    def _close(self) -> None:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()

    def _advice(self, error: sqlite3.Error) -> str:
        text = str(error)
        if "no such table" in text or ("unable to open" in text and not self._path.exists()):
            return f"it has not been made yet. Run: lambent stores init {self!r}"
        if "locked" in text:
            return f"another process has been writing for more than {PATIENCE:g} seconds: find out which, and why."
        return f"{text}."


def open_store(url: str, now: Callable[[], float] = time.time) -> SQLStore:
    """Raise ConfigurationError for a URL of two slashes, of four that SQLAlchemy takes for no file, or of options."""
    host, slash, path = url.partition("://")[2].partition("/")
    if host or not path or path == ":memory:":
        example = f"sqlite:///{host or 'connections.db'}{slash if host else ''}{path if host else ''}"
        raise ConfigurationError(
            f"Expected sqlite:///path, or sqlite:////path from the root on, but got {url!r}. "
            + ("For a store in memory, write memory://." if ":memory:" in url else f"Write {example}.")
        )
    if "=" in path.partition("?")[2]:  # while a file may have a question mark in its name
        raise ConfigurationError(
            f"Expected sqlite:///path and nothing behind it, but got {url!r}: there are no options. "
            f"Write {url.partition('?')[0]}."
        )
    return SQLStore(SQLite(Path(path).absolute()), now)
