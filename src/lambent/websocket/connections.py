"""WebSocket connections from anywhere: send to one, close it, put it into groups, send to all of a group.

connections = Connections()

await connections.join("kitchen", connection_id)
await connections.broadcast("kitchen", "Dinner is ready")
"""

from __future__ import annotations

import logging
import os
import time
from typing import Protocol, TypeVar, cast

from lambent.errors import ConfigurationError, ConnectionGone, InvalidMessage, ServiceError
from lambent.invocation import CURRENT
from lambent.websocket.broadcast import Broadcast, Spread
from lambent.websocket.peers import LIVE, Poster
from lambent.websocket.setup import Posters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
    from types import TracebackType
    from typing import Self

    from lambent.stores.model import Store
    from lambent.types import Event
    from lambent.websocket.archive import Archive
    from lambent.websocket.management import Info
    from lambent.websocket.record import Record

T = TypeVar("T")

logger = logging.getLogger("lambent")

_ELSEWHERE = {0, 400, 403, 404, 410}
"""What an endpoint may answer that is not the connection's, or is none: 0 for nothing at all."""

KNOCKING_SECONDS = 60.0
"""An integration has 29 s for `$connect`. A connection that joined a group before it was let in has a record after
this long, or is gone."""

_DOUBTS = 10_000
"""Connections without a record that are remembered."""


class Manager(Poster, Protocol):
    """The management API: `lambent.websocket.management.Management`, or a stand-in."""

    async def info(self, connection_id: str) -> Info:
        """Ask about a connection. Raises ConnectionGone."""


class Connections:
    """The connections of a WebSocket API, and their groups: from a WebSocket, an HTTP route, a queue, a script.

    - `store`: where they are kept, as for Lambent: a URL, or an object. None: what LAMBENT_STORE says. `memory://` is
      a store of its own each time that it is opened: give the same MemoryStore to both.
    - `endpoint`: of the management API, such as `https://API_ID.execute-api.REGION.amazonaws.com/STAGE`, or a stand-in
      for it. None: what AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI says, else the connection's own: of the event that
      is being handled, if it is a WebSocket's, and as its record has it.
    - `concurrency`: to how many connections a broadcast sends at a time.

    Nothing is opened before it is needed, and then it is kept for the life of the environment. It may be made where
    the application is, and used on one event loop after the other. `async with` closes it in the end, for scripts; a
    store that was given as an object stays open.

    The function needs `execute-api:ManageConnections`, and what its store needs. Methods raise StoreError where the
    store does not do its part, ServiceError where API Gateway does not, and ConfigurationError where nothing says
    where they are. What is sent goes out at once, also while an application is replayed: what is to be said once
    belongs behind its first `receive`, or to the `connect` event.
    """

    def __init__(
        self, store: str | Store | None = None, endpoint: str | Manager | None = None, *, concurrency: int = 100
    ) -> None:
        if concurrency < 1:
            raise ConfigurationError(f"Expected `concurrency` to be 1 or more, but got {concurrency}.")
        self._given = store
        self._archive: Archive | None = None
        self._configured = endpoint if isinstance(endpoint, str) else None
        self._stand_in = None if isinstance(endpoint, str) else endpoint
        self._posters = Posters(self._stand_in, lent=True)
        self._concurrency = concurrency
        self._seen = ""
        """The endpoint of the last record that was asked: most likely that of the others."""
        self._doubts: dict[str, float] = {}
        """Since when a member without a record is known to be gone: it may be about to be let in."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close what leads to API Gateway, and the store if it was opened here. It may be used again."""
        await self._posters.close()
        if self._archive is not None and (self._given is None or isinstance(self._given, str)):
            await self._archive.store.close()

    # one connection

    async def send(self, connection_id: str, data: str | bytes) -> None:
        """Send a message, of 128 KB at most. Clients get what is UTF-8 as text.

        Raises ConnectionGone, and then it is in no group any more; InvalidMessage for one that is too long.
        """
        await self._sent(connection_id, _payload(data))

    async def send_json(self, connection_id: str, value: object) -> None:
        """Send a value as JSON. Raises what `send` raises, and InvalidMessage for what is not JSON."""
        await self._sent(connection_id, _json(value))

    async def close(self, connection_id: str) -> None:
        """End a connection; one that is gone is ended. Its `$disconnect` comes, and then it leaves its groups."""
        endpoint, certain = self._aim()
        record = await self._record(connection_id)
        if record is not None:
            endpoint = endpoint if certain else record.endpoint or endpoint
            await self._posters.to(endpoint).close(connection_id, connected_at=record.connected_at)
        elif certain or endpoint:
            await self._posters.to(endpoint).close(connection_id)

    async def info(self, connection_id: str) -> Info:
        """Ask API Gateway since when it is there, when it was last active, and who it is. Raises ConnectionGone."""
        return await self._reach(connection_id, lambda manager, _: manager.info(connection_id))

    # groups

    async def join(self, group: str, connection_id: str) -> None:
        """Make a connection a member: until it leaves, or ends. Once more is no mistake."""
        from lambent.websocket.record import LIFE_SECONDS

        await self._store().join(_key(group), connection_id, time.time() + LIFE_SECONDS)

    async def leave(self, group: str, connection_id: str) -> None:
        """Make a connection a member no more, if it is one."""
        await self._store().leave(_key(group), connection_id)

    def members(self, group: str) -> AsyncIterator[str]:
        """Go through the ids of the connections in a group, in any order. Some may have gone."""
        return self._store().members(_key(group))

    async def broadcast(self, group: str, data: str | bytes, *, exclude: str | Iterable[str] | None = ()) -> Broadcast:
        """Send a message to all members but those in `exclude`, one id or more: to so many at a time.

        Who is gone leaves all groups. Where sending fails, that is logged and counted, and the others get theirs. If
        the store fails, or nothing says where the connections are, those that are on their way are finished first.
        """
        return await self._broadcast(group, _payload(data), exclude)

    async def broadcast_json(self, group: str, value: object, *, exclude: str | Iterable[str] | None = ()) -> Broadcast:
        """Send a value as JSON to all members, as `broadcast` does. Raises InvalidMessage for what is not JSON."""
        return await self._broadcast(group, _json(value), exclude)

    async def _broadcast(self, group: str, payload: bytes, exclude: str | Iterable[str] | None) -> Broadcast:
        await _settle()
        spread = Spread(lambda member: self._post(member, payload), self._concurrency)
        await spread.over(self.members(group), {exclude} if isinstance(exclude, str) else frozenset(exclude or ()))
        if spread.complaint:
            logger.warning("Group %r: %d of its members could not be sent to. %s", group, *spread.complaint)
        return Broadcast(spread.sent, spread.gone, spread.failed)

    # how they are reached

    async def _sent(self, connection_id: str, data: bytes) -> None:
        await _settle()
        await self._post(connection_id, data)

    async def _post(self, connection_id: str, data: bytes) -> None:
        await self._reach(
            connection_id,
            lambda manager, connected_at: manager.post(connection_id, data, connected_at=connected_at),
        )

    async def _reach(self, connection_id: str, ask: Callable[[Manager, float | None], Awaitable[T]]) -> T:
        """Ask where the connection is. Its record is read only if nothing tells the endpoint, or if it is not there.

        A record may tell of another endpoint; or that the connection is so new that API Gateway may not know it yet.
        """
        tried, certain = self._aim()
        error: ServiceError | None = None
        if certain or tried:
            try:
                return await ask(self._manager(tried), None)
            except ServiceError as raised:
                if not isinstance(raised, ConnectionGone) and (certain or raised.status not in _ELSEWHERE):
                    raise
                error = raised
        record = await self._record(connection_id)
        try:
            if record is None:
                raise error or _unknown(connection_id, self._store())
            there = tried if certain else record.endpoint or tried
            if error is not None and there == tried and not (isinstance(error, ConnectionGone) and _is_new(record)):
                raise error
            result = await ask(self._manager(there), record.connected_at)
        except ConnectionGone:
            await self._lose(connection_id, record)
            raise
        self._seen = there
        return result

    def _aim(self) -> tuple[str, bool]:
        """Which endpoint to try first, empty if nothing tells; and whether it is told, so that no other will do."""
        if self._stand_in is not None:
            return "", True
        from lambent.websocket.endpoint import VARIABLE, endpoint

        if self._configured or os.environ.get(VARIABLE):
            return endpoint(None, self._configured, os.environ), True
        event = _socket_event()
        if event is None:
            return self._seen, False
        live = LIVE.get(None)
        return (live.endpoint if live is not None else "") or endpoint(event, None, os.environ), False

    def _manager(self, endpoint: str) -> Manager:
        return cast("Manager", self._posters.to(endpoint))

    # what is kept

    def _store(self) -> Store:
        return self._opened().store

    def _opened(self) -> Archive:
        if self._archive is None:
            from lambent.stores import opened
            from lambent.websocket.archive import Archive

            self._archive = Archive(opened(self._given))
        return self._archive

    async def _record(self, connection_id: str) -> Record | None:
        """None too where there is no store, and only the endpoint is told."""
        from lambent.stores import STORE

        if self._given is None and not os.environ.get(STORE) and self._aim()[1]:
            return None
        kept = await self._opened().load(connection_id)
        return None if kept is None else kept.record

    async def _lose(self, connection_id: str, record: Record | None) -> None:
        """A connection is gone: it leaves its groups. Its record stays for its `$disconnect`, or expires.

        One without a record may have joined before it is let in, in an event that goes on: it leaves if it is still
        gone when that event must be over.
        """
        if record is not None and _is_new(record):
            return
        if record is None:
            now = time.monotonic()
            if now - self._doubts.setdefault(connection_id, now) < KNOCKING_SECONDS:
                if len(self._doubts) > _DOUBTS:
                    del self._doubts[next(iter(self._doubts))]
                return
        self._doubts.pop(connection_id, None)
        if self._archive is not None:
            await self._archive.store.forget(connection_id)


async def _settle() -> None:
    """Within an event of a connection: have its session kept before anybody is sent what it may answer."""
    live = LIVE.get(None)
    if live is not None:
        await live.settle()


def _socket_event() -> dict[str, Event] | None:
    """The event that is being handled, if it is a WebSocket's."""
    handled = CURRENT.get(None)
    event = handled.event if handled is not None else None
    context = event.get("requestContext") if isinstance(event, dict) else None
    return event if isinstance(context, dict) and "connectionId" in context else None


def _unknown(connection_id: str, store: Store) -> ConnectionGone:
    return ConnectionGone(
        f"Connection {connection_id} has no record in {store!r}, which would tell its endpoint: it has ended, or it is "
        "one of another store.",
        410,
        "GoneException",
    )


def _is_new(record: Record) -> bool:
    """Whether API Gateway may not know it yet."""
    from lambent.websocket.management import SETTLING

    return time.time() - record.connected_at < SETTLING


def _key(group: str) -> str:
    """Under which a group is kept."""
    return f"group/{group}"


def _payload(data: str | bytes) -> bytes:
    """As it is sent. Raises InvalidMessage."""
    from lambent.websocket.management import LIMIT

    if isinstance(data, str):
        payload = data.encode("utf-8", "replace")
    elif isinstance(data, bytes | bytearray | memoryview):
        payload = bytes(data)
    else:
        raise InvalidMessage(
            f"Expected a message to be a string or bytes, but got a {type(data).__name__}. "
            "As JSON it goes by `send_json` and `broadcast_json`."
        )
    if len(payload) > LIMIT:
        raise InvalidMessage(
            f"The message has {len(payload)} bytes, and API Gateway takes {LIMIT}. Send it in pieces, or a link to it."
        )
    return payload


def _json(value: object) -> bytes:
    import json

    try:
        return _payload(json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidMessage(f"Expected a value that can be JSON, but: {error}.") from None
