"""What was said, kept in SQLite on a laptop and in DynamoDB on AWS."""

import secrets
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Literal, Protocol

from pydantic import BaseModel, Field

KEPT_SECONDS = 30 * 24 * 3600


def new_id() -> str:
    """Ids sort by time."""
    return f"{time.time_ns()}-{secrets.token_hex(4)}"


class Message(BaseModel):
    id: str = Field(default_factory=new_id)
    room: str
    kind: Literal["said", "announced"]
    name: str
    text: str
    at: float = Field(default_factory=time.time)


class History(Protocol):
    def add(self, message: Message) -> None: ...

    def last(self, room: str, count: int) -> list[Message]:
        """The latest messages of a room, the oldest of them first."""


def open_history(environ: Mapping[str, str]) -> History:
    """The table that HISTORY_TABLE names, or else the file that HISTORY_FILE does."""
    if table := environ.get("HISTORY_TABLE"):
        return DynamoDBHistory(table)
    return SQLiteHistory(environ.get("HISTORY_FILE", "history.sqlite3"))


class SQLiteHistory:
    """A file. Several environments write to it, each for a moment."""

    def __init__(self, path: str) -> None:
        self._path = path
        with self._open() as database:
            database.execute(
                "CREATE TABLE IF NOT EXISTS messages (room TEXT, id TEXT, json TEXT, PRIMARY KEY (room, id)) "
                "WITHOUT ROWID"
            )

    def add(self, message: Message) -> None:
        with self._open() as database:
            row = message.room, message.id, message.model_dump_json()
            database.execute("INSERT INTO messages VALUES (?, ?, ?)", row)

    def last(self, room: str, count: int) -> list[Message]:
        with self._open() as database:
            query = "SELECT json FROM messages WHERE room = ? ORDER BY id DESC LIMIT ?"
            rows = database.execute(query, (room, count)).fetchall()
        return [Message.model_validate_json(text) for (text,) in reversed(rows)]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection for one transaction: threads and environments share nothing but the file."""
        with closing(sqlite3.connect(self._path, timeout=10)) as database, database:
            yield database


class DynamoDBHistory:
    """A table with the partition key `room` and the sort key `id`; `expires` is its time to live."""

    def __init__(self, table: str) -> None:
        import boto3  # comes with Lambda's Python

        self._table = table
        self._client = boto3.client("dynamodb")

    def add(self, message: Message) -> None:
        item = {
            "room": {"S": message.room},
            "id": {"S": message.id},
            "json": {"S": message.model_dump_json()},
            "expires": {"N": str(int(message.at) + KEPT_SECONDS)},
        }
        self._client.put_item(TableName=self._table, Item=item)

    def last(self, room: str, count: int) -> list[Message]:
        found = self._client.query(
            TableName=self._table,
            KeyConditionExpression="room = :room",
            ExpressionAttributeValues={":room": {"S": room}},
            ScanIndexForward=False,
            Limit=count,
        )
        return [Message.model_validate_json(item["json"]["S"]) for item in reversed(found["Items"])]
