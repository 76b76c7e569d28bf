"""The records of connections in a store: read once and written once for an event, if they have changed."""

from __future__ import annotations

import logging

from lambent.errors import InvalidMessage, StoreConflict, StoreError
from lambent.stores.model import ABSENT
from lambent.websocket.record import Record, merged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.stores.model import Store, Stored
    from lambent.websocket.record import Session
    from lambent.websocket.visit import Visit

logger = logging.getLogger("lambent")

_ATTEMPTS = 20
"""At a save, while other events of the connection save as well."""


class Kept:
    """A record, and how it stands in the store."""

    __slots__ = ("connection_id", "data", "deleted", "record", "version")

    def __init__(self, connection_id: str, record: Record, stored: Stored | None) -> None:
        self.connection_id = connection_id
        self.record = record
        self.data = stored.data if stored is not None else b""
        self.version: str | None = stored.version if stored is not None else None
        """None: a first one replaces whatever is there."""
        self.deleted = False

    def into(self, session: object) -> Session:
        """Put the record's session into the dictionary that the application has."""
        if not isinstance(session, dict):
            return self.record.session
        if session != self.record.session:
            session.clear()
            session.update(self.record.session)
        return session


class Archive:
    """Reads and writes records. Raises StoreError as the store does."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def new(self, connection_id: str, record: Record) -> Kept:
        """A record that is nowhere yet."""
        return Kept(connection_id, record, None)

    async def load(self, connection_id: str) -> Kept | None:
        """Read a record; None if there is none, or it has expired."""
        stored = await self.store.load(key(connection_id))
        return None if stored is None else Kept(connection_id, _decoded(connection_id, stored), stored)

    async def save(self, kept: Kept) -> None:
        """Write a record, if it has changed.

        If somebody else has changed it meanwhile, what was changed here is applied to that. One that has been deleted
        meanwhile stays so: the connection has ended. Raises InvalidMessage as `Record.encode` does.
        """
        if kept.deleted or (data := kept.record.encode()) == kept.data:
            return
        record, version = kept.record, kept.version
        for _ in range(_ATTEMPTS):
            try:
                kept.version = await self.store.save(key(kept.connection_id), data, record.expires, version)
            except StoreConflict:
                stored = await self.store.load(key(kept.connection_id))
                if stored is None:
                    return
                record, version = self._merged(kept, _decoded(kept.connection_id, stored)), stored.version
                data = record.encode()
            else:
                kept.data = data
                kept.record.session, kept.record.owner = record.session, record.owner
                return
        raise StoreError(f"The record of connection {kept.connection_id} is changed all the time; it is not saved.")

    async def claim(self, kept: Kept) -> bool:
        """Write a record if nobody else has changed it. Returns whether that was so."""
        data = kept.record.encode()
        try:
            kept.version = await self.store.save(
                key(kept.connection_id), data, kept.record.expires, kept.version or ABSENT
            )
        except StoreConflict:
            return False
        kept.data = data
        return True

    async def delete(self, kept: Kept) -> None:
        """Remove a record, and the connection from all groups."""
        kept.deleted = True
        await self.store.delete(key(kept.connection_id))
        await self.store.forget(kept.connection_id)

    def catch_up(self, kept: Kept, visit: Visit) -> None:
        """Merge into a freshly loaded record what the parked conversation has changed in its session since."""
        session = visit.extension.get("session")
        if not isinstance(session, dict) or session == kept.record.session:
            return
        before = visit.kept
        before.record.session, newer = session, kept.record.session
        try:
            if before.record.encode() != before.data:
                self._merged(before, kept.record).encode()
        except InvalidMessage as error:
            kept.record.session = newer
            logger.warning("Between two events of connection %s: %s It is lost.", kept.connection_id, error)

    def _merged(self, kept: Kept, newer: Record) -> Record:
        """The newer record, which becomes the one with what was changed here too."""
        base = Record.decode(kept.data) if kept.data else newer
        session, contested = merged(base.session, kept.record.session, newer.session)
        for name in contested:
            logger.warning("Two events of connection %s have changed %r; the last one wins.", kept.connection_id, name)
        newer.session = session
        if kept.record.owner != base.owner:
            newer.owner = kept.record.owner
        return newer


def key(connection_id: str) -> str:
    """Under which a record is kept."""
    return f"connection/{connection_id}"


def _decoded(connection_id: str, stored: Stored) -> Record:
    try:
        return Record.decode(stored.data)
    except (ValueError, LookupError, TypeError) as error:
        raise StoreError(
            f"Expected the record of connection {connection_id} as Lambent writes it, but: {error!r:.200}. "
            "Is something else kept under the same keys?"
        ) from None
