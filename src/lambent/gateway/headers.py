"""Header fields: the strings of an event to the bytes of a scope, and back."""

from __future__ import annotations

from lambent.errors import MalformedEvent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambent.types import RawHeaders

HOP_BY_HOP = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)
"""Fields that speak of one connection only (RFC 9110, 7.6.1): the door has its own with the client."""

_FORWARDED_PORTS = {"443": 443, "80": 80}
"""What a door says nearly always."""

_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


class Names(dict[str, bytes]):
    """Field names, however spelled, as bytes in lower case; a memory of those that came before, as nearly all did."""

    __slots__ = ()

    limit = 512
    """Names that are remembered. Clients make names up, so there must be one."""

    def __missing__(self, name: str) -> bytes:
        encoded = _encoded(name.lower())
        if len(self) < self.limit and len(name) < 100:
            self[name] = encoded
        return encoded


NAMES = Names()


def encode(headers: Mapping[str, str]) -> RawHeaders:
    """Turn a single-valued header map into raw fields with names in lower case.

    Values are latin-1, as HTTP defines them; one with other characters can only have been UTF-8 and becomes so again.
    """
    try:
        try:
            return [(NAMES[name], value.encode("latin-1")) for name, value in headers.items()]
        except UnicodeEncodeError:
            return [(NAMES[name], _encoded(value)) for name, value in headers.items()]
    except AttributeError:
        raise MalformedEvent(f"Expected `headers` to map strings to strings, but got {_types(headers)}.") from None


def _encoded(text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def _types(headers: object) -> str:
    """Name the first field that is not a string, without its value, which may be secret."""
    items = getattr(headers, "items", None)
    if items is None:
        return f"a JSON {type(headers).__name__}"
    for name, value in items():
        if not isinstance(value, str):
            return f"a {type(value).__name__} under {name!r}"
    return "a name that is not a string"


def server(host: str, forwarded_port: str, scheme: str) -> tuple[str, int] | None:
    """Read the `Host` field, which the client chose: `name`, `name:port`, `[v6]:port`, or anything at all.

    The port is the field's own if it is a number, else the door's (`x-forwarded-port`), else the scheme's.
    """
    if ":" in host:
        host, port = _split(host)
        if host and _is_port(port):
            return host, int(port)
    if not host:
        return None
    known = _FORWARDED_PORTS.get(forwarded_port)
    if known is not None:
        return host, known
    return host, int(forwarded_port) if _is_port(forwarded_port) else _DEFAULT_PORTS.get(scheme, 80)


def _split(host: str) -> tuple[str, str]:
    name, _, port = host.rpartition(":")
    if port.endswith("]"):  # "[::1]"
        name, port = host, ""
    return (name[1:].partition("]")[0] if name[:1] == "[" else name), port


def _is_port(text: str) -> bool:
    return text.isdecimal() and text.isascii() and len(text) < 6
