"""Items in SQLite, with a journal of what happened to them. Its work is done in threads: SQLite waits for the disk."""

import sqlite3
from asyncio import to_thread
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager
from typing import NamedTuple, TypeVar

import msgspec

from .models import Change, Changes, Item, NewItem

T = TypeVar("T")

SCHEMA = """
CREATE TABLE IF NOT EXISTS items (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, price INTEGER NOT NULL, tags TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS pictures (
    item INTEGER PRIMARY KEY REFERENCES items ON DELETE CASCADE, type TEXT NOT NULL, content BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS journal (number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, item TEXT NOT NULL)
"""
AT_A_TIME = 200


class Picture(NamedTuple):
    media_type: str
    content: bytes


class Store:
    """A file. Several environments may write to it, each for a moment."""

    def __init__(self, path: str) -> None:
        self._path = path

    async def create(self) -> None:
        def work(database: sqlite3.Connection) -> None:
            for statement in SCHEMA.split(";"):
                database.execute(statement)

        await self._do(work)

    async def add(self, new: NewItem) -> Item:
        def work(database: sqlite3.Connection) -> Item:
            row = new.name, new.price, written(new.tags)
            (item_id,) = database.execute(
                "INSERT INTO items (name, price, tags) VALUES (?, ?, ?) RETURNING id", row
            ).fetchone()
            return note(database, "added", Item(item_id, new.name, new.price, new.tags))

        return await self._do(work)

    async def find(self, item_id: int) -> Item | None:
        return await self._do(lambda database: find(database, item_id))

    async def change(self, item_id: int, changes: Changes) -> Item | None:
        def work(database: sqlite3.Connection) -> Item | None:
            item = find(database, item_id)
            if item is None:
                return None
            given = {name: value for name, value in msgspec.structs.asdict(changes).items() if value is not None}
            item = msgspec.structs.replace(item, **given)
            row = item.name, item.price, written(item.tags), item_id
            database.execute("UPDATE items SET name = ?, price = ?, tags = ? WHERE id = ?", row)
            return note(database, "changed", item)

        return await self._do(work)

    async def remove(self, item_id: int) -> bool:
        def work(database: sqlite3.Connection) -> bool:
            item = find(database, item_id)
            if item is not None:
                database.execute("DELETE FROM items WHERE id = ?", (item_id,))
                note(database, "removed", item)
            return item is not None

        return await self._do(work)

    async def page(self, after: int, limit: int, words: str = "") -> list[Item]:
        """At most `limit` items with ids above `after`, whose names have these words."""

        def work(database: sqlite3.Connection) -> list[Item]:
            query = "SELECT * FROM items WHERE id > ? AND instr(lower(name), lower(?)) ORDER BY id LIMIT ?"
            return [read(row) for row in database.execute(query, (after, words, limit))]

        return await self._do(work)

    async def everything(self) -> AsyncIterator[Item]:
        """All items, some at a time: no transaction is open while a slow client reads."""
        after = 0
        while items := await self.page(after, AT_A_TIME):
            for item in items:
                yield item
            after = items[-1].id

    async def changes(self, after: int) -> list[Change]:
        """What is in the journal behind a number, the oldest first."""

        def work(database: sqlite3.Connection) -> list[Change]:
            query = "SELECT number, kind, item FROM journal WHERE number > ? ORDER BY number LIMIT ?"
            rows = database.execute(query, (after, AT_A_TIME))
            return [Change(number, kind, msgspec.json.decode(item, type=Item)) for number, kind, item in rows]

        return await self._do(work)

    async def keep(self, item_id: int, picture: Picture) -> bool:
        """Keep the picture of an item; False if there is no such item."""

        def work(database: sqlite3.Connection) -> bool:
            item = find(database, item_id)
            if item is not None:
                row = item_id, picture.media_type, picture.content
                database.execute("INSERT OR REPLACE INTO pictures VALUES (?, ?, ?)", row)
                note(database, "pictured", item)
            return item is not None

        return await self._do(work)

    async def picture(self, item_id: int) -> Picture | None:
        def work(database: sqlite3.Connection) -> Picture | None:
            row = database.execute("SELECT type, content FROM pictures WHERE item = ?", (item_id,)).fetchone()
            return row and Picture(*row)

        return await self._do(work)

    async def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def in_a_thread() -> T:
            with self._transaction() as database:
                return work(database)

        return await to_thread(in_a_thread)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own: threads and environments share nothing but the file."""
        with closing(sqlite3.connect(self._path, timeout=10, isolation_level=None)) as database:
            database.execute("PRAGMA foreign_keys = ON")
            with database:
                database.execute("BEGIN IMMEDIATE")  # what is read here holds until it is written
                yield database


def find(database: sqlite3.Connection, item_id: int) -> Item | None:
    row = database.execute("SELECT * FROM items WHERE id = ?", (item_id,)).fetchone()
    return row and read(row)


def note(database: sqlite3.Connection, kind: str, item: Item) -> Item:
    """Write into the journal, in the same transaction."""
    database.execute("INSERT INTO journal (kind, item) VALUES (?, ?)", (kind, written(item)))
    return item


def read(row: tuple[int, str, int, str]) -> Item:
    item_id, name, price, tags = row
    return Item(item_id, name, price, msgspec.json.decode(tags))


def written(value: object) -> str:
    return msgspec.json.encode(value).decode()
