"""Header fields of an ASGI message: found, set, joined. Names are in lower case where they come from here."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lambent.types import RawHeaders

    Fields = Iterable[tuple[bytes, bytes]]

TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
"""What names of fields and methods are made of (RFC 9110, 5.6.2)."""


def is_token(text: str) -> bool:
    return bool(text) and TOKEN.issuperset(text)


def value_of(headers: Fields, wanted: bytes) -> bytes | None:
    """A field's value, those of a repeated one joined by commas; None where it is not."""
    values = [value for name, value in headers if name == wanted]
    if not values:
        return None
    return values[0] if len(values) == 1 else b", ".join(values)


def replaced(headers: Fields, fields: Sequence[tuple[bytes, bytes]]) -> RawHeaders:
    """With these fields, and no others of their names."""
    names = {name for name, _ in fields}
    return [*(field for field in headers if field[0].lower() not in names), *fields]


def varied(headers: Fields, names: Sequence[bytes]) -> RawHeaders:
    """With a `Vary` that has these names, each once, after those that it had; `*` says it all."""
    kept: RawHeaders = []
    listed: list[bytes] = []
    for field in headers:
        if field[0].lower() == b"vary":
            listed += filter(None, map(bytes.strip, field[1].split(b",")))
        else:
            kept.append(field)
    if b"*" in listed:
        listed = [b"*"]
    else:
        known = {each.lower() for each in listed}
        listed += [name for name in names if name.lower() not in known]
    return [*kept, (b"vary", b", ".join(listed))]
