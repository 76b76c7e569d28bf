"""What is kept of one connection, from event to event.

Two lines of JSON: the handshake, which never changes, and what does. Pure.
"""

from __future__ import annotations

import json
from binascii import a2b_base64, b2a_base64
from typing import NamedTuple

from lambent.errors import InvalidMessage
from lambent.gateway.model import Request
from lambent.stores.model import LARGEST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambent.types import Event

LIFE_SECONDS = 2 * 3600
"""How long API Gateway keeps a connection, at most."""

_GRACE_SECONDS = 300
"""How much longer its record is kept, for clocks that differ and events that come late."""

Session = dict[str, object]

MISSING = object()
"""The value of a key that is not there."""


class Merged(NamedTuple):
    """A newer session with our changes in it."""

    session: Session
    contested: list[str]
    """Keys that somebody else has changed as well, to something else."""


class Record:
    """One connection: its handshake, and what changes with its events."""

    __slots__ = (
        "_told",
        "closing",
        "connected_at",
        "endpoint",
        "handshake",
        "owner",
        "pending",
        "session",
        "subprotocols",
    )

    handshake: bytes
    """As it is written."""

    def __init__(self, request: Request, subprotocols: list[str], connected_at: float, endpoint: str) -> None:
        self.handshake = _written(request, subprotocols, connected_at, endpoint)
        self._told: dict[str, Event] | None = None
        self.subprotocols = subprotocols
        self.connected_at = connected_at
        """Seconds since the epoch."""
        self.endpoint = endpoint
        """Of the management API: where to post."""
        self.session: Session = {}
        self.owner = ""
        """The environment that holds its conversation, where conversations are resident."""
        self.pending: list[str | bytes] = []
        """What is to be sent before the next event: API Gateway did not have the connection yet."""
        self.closing = False
        """Whether the connection is to be closed then."""

    @property
    def expires(self) -> float:
        """Seconds since the epoch."""
        return self.connected_at + LIFE_SECONDS + _GRACE_SECONDS

    def request(self) -> Request:
        """The handshake, as the gateway read it."""
        return _read(json.loads(self.handshake.decode("ascii")) if self._told is None else self._told)

    def encode(self) -> bytes:
        """As it is kept. Raises InvalidMessage for a session that is not JSON, and for more than a store takes."""
        state: dict[str, object] = {"session": self.session}
        if self.owner:
            state["owner"] = self.owner
        if self.pending:
            state["pending"] = [_packed(data) for data in self.pending]
        if self.closing:
            state["closing"] = True
        try:
            text = json.dumps(state, separators=(",", ":"), allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise InvalidMessage(_not_json(self.session, error)) from None
        _check_keys(self.session)
        data = self.handshake + b"\n" + text.encode("ascii")
        if len(data) > LARGEST:
            raise InvalidMessage(_too_large(len(data), len(self.pending)))
        return data

    @classmethod
    def decode(cls, data: bytes) -> Record:
        """Read what `encode` has written. Raises ValueError, LookupError and TypeError for anything else."""
        record = cls.__new__(cls)
        record.handshake, _, text = data.partition(b"\n")
        told = record._told = json.loads(record.handshake.decode("ascii"))  # noqa: SLF001 - its own
        state = json.loads(text.decode("ascii"))
        record.subprotocols = told["subprotocols"]
        record.connected_at = told["connected_at"]
        record.endpoint = told["endpoint"]
        record.session = state["session"]
        record.owner = state.get("owner", "")
        record.pending = [_unpacked(each) for each in state.get("pending", ())]
        record.closing = state.get("closing", False)
        return record


def merged(base: Session, mine: Session, newer: Session) -> Merged:
    """Apply to `newer` what `mine` has changed of `base`. Where both have changed a key, mine counts."""
    session, contested = dict(newer), []
    for key in [*mine, *(key for key in base if key not in mine)]:
        before, now = base.get(key, MISSING), mine.get(key, MISSING)
        if _same(before, now):
            continue
        theirs = newer.get(key, MISSING)
        if not _same(theirs, before) and not _same(theirs, now):
            contested.append(key)
        if now is MISSING:
            session.pop(key, None)
        else:
            session[key] = now
    return Merged(session, contested)


def _same(one: object, other: object) -> bool:
    """Whether both are the same JSON: 1, 1.0 and true are not."""
    if one is MISSING or other is MISSING:
        return one is other
    return _plain(one) == _plain(other)


def _plain(value: object) -> str:
    """As it is when it has been read again: its keys are strings, which can be sorted."""
    return json.dumps(json.loads(json.dumps(value)), sort_keys=True)


def _written(request: Request, subprotocols: list[str], connected_at: float, endpoint: str) -> bytes:
    told = {
        "path": request.path,
        "raw_path": request.raw_path.decode("latin-1"),
        "query_string": request.query_string.decode("latin-1"),
        "root_path": request.root_path,
        "scheme": request.scheme,
        "http_version": request.http_version,
        "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in request.headers],
        "client": request.client,
        "server": request.server,
        "subprotocols": subprotocols,
        "connected_at": connected_at,
        "endpoint": endpoint,
    }
    return json.dumps(told, separators=(",", ":")).encode("ascii")


def _read(told: Mapping[str, Event]) -> Request:
    return Request(
        "GET",
        str(told["path"]),
        str(told["raw_path"]).encode("latin-1"),
        str(told["query_string"]).encode("latin-1"),
        str(told["root_path"]),
        str(told["scheme"]),
        str(told["http_version"]),
        [(name.encode("latin-1"), value.encode("latin-1")) for name, value in told["headers"]],
        _address(told["client"]),
        _address(told["server"]),
        b"",
    )


def _address(pair: object) -> tuple[str, int] | None:
    return (str(pair[0]), int(pair[1])) if isinstance(pair, list) else None


def _packed(data: str | bytes) -> list[str]:
    return ["t", data] if isinstance(data, str) else ["b", b2a_base64(data, newline=False).decode("ascii")]


def _unpacked(packed: list[str]) -> str | bytes:
    kind, data = packed
    return data if kind == "t" else a2b_base64(data)


def _too_large(size: int, waiting: int) -> str:
    advice = "keep less in its session"
    if waiting:
        advice = f"{waiting} messages wait in it for the connection's next event; send less at $connect, or {advice}"
    return f"Expected the record of a connection to be of {LARGEST} bytes at most, but got {size}: {advice}."


def _not_json(session: Session, error: Exception) -> str:
    """Name the key that is to blame, without its value, which may be secret."""
    for key, value in session.items():
        if not isinstance(key, str):
            return _no_key(key)
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as fault:
            return f"Expected what a session has under {key!r} to be JSON, but: {fault}."
    return f"Expected a session to be JSON, but: {error}."


def _check_keys(session: Session) -> None:
    """Raise InvalidMessage for keys that JSON would make strings of, at any depth: they would be others when read."""
    rest: list[object] = [session]
    while rest:
        value = rest.pop()
        if isinstance(value, dict):
            for key in value:
                if not isinstance(key, str):
                    raise InvalidMessage(_no_key(key))
            rest += value.values()
        elif isinstance(value, list | tuple):
            rest += value


def _no_key(key: object) -> str:
    return f"Expected the keys of a session to be strings, but one is of type {type(key).__name__}: {key!r:.80}."
