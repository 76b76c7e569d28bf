"""By what a record is known again: a property of it, something in its body, or what a function says. Pure."""

from __future__ import annotations

import json

from lambent.errors import ConfigurationError, DecodingError
from lambent.events.results import shaped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from lambent.events.model import Record
    from lambent.types import Event

    Key = str | Callable[..., Event]
    """A property, `body.PATH` for a value in the JSON body, or a function of the record."""

IN_BODY = "body."


def reader(key: Key) -> Callable[..., Event]:
    """What reads it of a record. Raises ConfigurationError for what is no key."""
    if callable(key):
        return key
    given: object = key
    if not isinstance(given, str) or not all(given.split(".")):
        raise ConfigurationError(
            f"Expected a property such as `id`, a path such as `body.order.id`, or a function, but got {key!r}."
        )
    return _InBody(key) if key.startswith(IN_BODY) else _of_record(key)


def _of_record(name: str) -> Callable[[Record], Event]:
    def read(record: Record) -> Event:
        if name.startswith("_") or callable(getattr(type(record), name, print)):
            raise ConfigurationError(
                f"A record of {record.source} has no property {name!r}. For a value in its body, say {IN_BODY}{name}."
            )
        value = getattr(record, name)
        if name == "id" and not value:
            raise ConfigurationError(
                f"This record of {record.source} has no id that it could be known again by. "
                "Say by what: Idempotency(key=...)."
            )
        return value

    return read


class _InBody:
    """Reads what is at the end of a path: of the body, or of what a decoder has made of it."""

    __slots__ = ("_path", "_steps")

    def __init__(self, path: str) -> None:
        self._path = path
        self._steps = path.split(".")[1:]

    def __call__(self, record: Record, decoded: Callable[[Record], Event] | None = None) -> Event:
        value = record.body if decoded is None else decoded(record)
        if isinstance(value, str | bytes):
            try:
                value = json.loads(value)
            except (ValueError, RecursionError):
                raise DecodingError(f"Expected JSON with {self._path}, but the body is none.") from None
        for step in self._steps:
            try:
                if not isinstance(value, dict | list):  # a model, or a dataclass, of a decoder's
                    value = shaped(value)
                value = value[int(step) if isinstance(value, list) else step]
            except (LookupError, TypeError, ValueError):
                raise DecodingError(
                    f"Expected the body to have {self._path}, but there is no {step!r} in it."
                ) from None
        return value


def read(key: Callable[..., Event], record: Record, decoded: Callable[[Record], Event] | None) -> Event:
    """A key of a record; `decoded`: what it carries, where a decoder is needed for that. Raises DecodingError."""
    return key(record, decoded) if isinstance(key, _InBody) else key(record)


def digest(value: Event) -> str:
    """SHA-256, in hex: the same for the same JSON, however an object is ordered. Raises DecodingError."""
    from hashlib import sha256

    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=_shaped)
    except (TypeError, ValueError, RecursionError) as error:
        raise DecodingError(f"Expected a key that JSON can hold, or bytes, but: {error}") from None
    return sha256(text.encode()).hexdigest()


def is_missing(value: Event) -> bool:
    """Whether it tells nothing from anything: null, empty, or nothing but nulls."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return all(each is None for each in value)
    return value is None or value in ("", b"")


def _shaped(value: Event) -> Event:
    if isinstance(value, set | frozenset):  # of DynamoDB
        return sorted(value, key=lambda each: json.dumps(each, default=_shaped))
    return {"bytes": value.hex()} if isinstance(value, bytes) else shaped(value)
