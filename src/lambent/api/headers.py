"""Header fields: bytes as ASGI has them, texts as functions want them, and nothing in them that ends a line."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping

from lambent.errors import InvalidMessage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lambent.types import RawHeaders

TOKEN = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
"""What names consist of (RFC 9110, 5.6.2)."""

CONTROLS = bytes(each for each in range(32) if each != 9) + b"\x7f"
"""What values have none of (RFC 9110, 5.5): all control characters but the tab."""

PARAMETERS = 20
"""How many a media type may have. Each costs a copy of the rest."""


class Headers(Mapping[str, str]):
    """Fields by their names, however those are spelled; iteration gives them in lower case.

    A field that came more than once has its values joined by `, ` (RFC 9110, 5.3), cookies by `; `; `getlist` has them
    apart. One that must not be repeated is thereby no valid value any more, rather than one of two.
    """

    __slots__ = ("_fields", "_raw")

    def __init__(self, raw: Iterable[tuple[bytes, bytes]] = ()) -> None:
        self._raw: RawHeaders = raw if isinstance(raw, list) else list(raw)
        self._fields: dict[bytes, bytes] | None = None
        """Made when the first one is asked for: many requests ask for none."""

    def raw(self) -> RawHeaders:
        """As ASGI has them, in order; a copy."""
        return list(self._raw)

    def getlist(self, name: str) -> list[str]:
        """All values of a field, in order; none if it is not there."""
        key = name.lower().encode()
        return [value.decode("latin-1") for each, value in self._raw if each.lower() == key]

    def find(self, name: bytes) -> bytes | None:
        """The value as it came, of a name in lower case."""
        return (self._fields or self._read()).get(name)

    if not TYPE_CHECKING:  # its type is Mapping's; this one makes no exception for what is not there

        def get(self, name: str, default: object = None) -> object:
            value = (self._fields or self._read()).get(name.lower().encode())
            return default if value is None else value.decode("latin-1")

    def _read(self) -> dict[bytes, bytes]:
        """Nearly always all are in lower case and there once: then this is a dict of what came."""
        fields = dict(self._raw)
        if len(fields) != len(self._raw) or not b"".join(fields).islower():
            fields = _joined(self._raw)
        self._fields = fields
        return fields

    def __getitem__(self, name: str) -> str:
        try:
            return (self._fields or self._read())[name.lower().encode()].decode("latin-1")
        except KeyError:
            raise KeyError(name) from None

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower().encode() in (self._fields or self._read())

    def __iter__(self) -> Iterator[str]:
        return iter([name.decode("latin-1") for name in self._fields or self._read()])

    def __len__(self) -> int:
        return len(self._fields or self._read())

    def __repr__(self) -> str:
        """Names only: values may be secret."""
        return f"{type(self).__name__}({', '.join(self)})"


def _joined(raw: RawHeaders) -> dict[bytes, bytes]:
    values: dict[bytes, list[bytes]] = {}
    for name, value in raw:
        values.setdefault(name.lower(), []).append(value)
    return {name: (b"; " if name == b"cookie" else b", ").join(each) for name, each in values.items()}


class MutableHeaders(Headers, MutableMapping[str, str]):
    """Fields of a response. Names are sent in lower case, as ASGI wants them.

    Raises InvalidMessage for a name or a value that would be read as more than it is; it does not show the value.
    """

    __slots__ = ()

    def __init__(self, headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None) -> None:
        super().__init__([])
        if headers is not None:
            for name, value in headers.items() if isinstance(headers, Mapping) else headers:
                self.append(name, value)

    def append(self, name: str, value: str) -> None:
        """Add a field beside those of the same name."""
        self.append_raw(field_name(name), field_value(name, value))

    def append_raw(self, name: bytes, value: bytes) -> None:
        """Add a field that is known to be right, and its name to be in lower case: nothing is looked at."""
        self._raw.append((name, value))
        self._fields = None

    def __setitem__(self, name: str, value: str) -> None:
        """Put one field in the place of all that have this name."""
        field = field_name(name), field_value(name, value)
        if name in self:
            del self[name]
        self.append_raw(*field)

    def __delitem__(self, name: str) -> None:
        key = name.lower().encode()
        kept = [field for field in self._raw if field[0] != key]
        if len(kept) == len(self._raw):
            raise KeyError(name)
        self._raw = kept
        self._fields = None


def field_name(name: str) -> bytes:
    """In lower case. Raises InvalidMessage for what is no token."""
    try:
        raw = name.encode("ascii").lower()
    except (AttributeError, UnicodeEncodeError):
        raw = b""
    if not raw or raw.translate(None, TOKEN):
        raise InvalidMessage(
            "Expected the name of a header to consist of letters, digits and !#$%&'*+-.^_`|~, but it does not."
        )
    return raw


def field_value(name: str, value: str) -> bytes:
    """Without spaces around it. Raises InvalidMessage for control characters, and for what Latin-1 does not have."""
    try:
        raw = value.strip(" \t").encode("latin-1")
    except AttributeError:
        raise InvalidMessage(f"Expected the header {name} to be a str, but got {type(value).__name__}.") from None
    except UnicodeEncodeError:
        raise InvalidMessage(
            f"Expected the header {name} to have characters of Latin-1 only, but it has others: percent-encode them."
        ) from None
    if not value.isprintable() and len(raw.translate(None, CONTROLS)) != len(raw):
        raise InvalidMessage(f"Expected the header {name} to have no line ends and control characters, but it has.")
    return raw


def media_type(value: str) -> tuple[str, dict[str, str]]:
    """A `Content-Type` or `Content-Disposition` → its first part in lower case, and its parameters by name, as well.

    `Text/HTML; Charset="UTF-8"` → `("text/html", {"charset": "UTF-8"})`. Of a repeated parameter the first counts. What
    is not well-formed is left out, and what comes after so many; nothing is raised. `name*` (RFC 8187) is a name like
    others.
    """
    kind, _, rest = value.partition(";")
    parameters: dict[str, str] = {}
    for _ in range(PARAMETERS):
        if not rest:
            break
        name, _, rest = rest.partition("=")
        rest = rest.lstrip(" \t")
        text, rest = _quoted(rest[1:]) if rest[:1] == '"' else _bare(rest)
        name = name.rpartition(";")[2].strip(" \t").lower()
        if name and text is not None:
            parameters.setdefault(name, text)
    return kind.strip(" \t").lower(), parameters


def _bare(text: str) -> tuple[str | None, str]:
    """Up to the next semicolon, and what comes after it; None for nothing."""
    text, _, rest = text.partition(";")
    return text.rstrip(" \t") or None, rest


def _quoted(text: str) -> tuple[str | None, str]:
    """Up to the closing quote, and what comes after it.

    A backslash stands for itself unless before a quote or another one: old browsers send the paths of Windows so.
    """
    text = text.replace("\\\\", "\0").replace('\\"', "\1")
    text, _, rest = text.partition('"')
    return (
        text.replace("\0", "\\").replace("\1", '"'),
        rest.replace("\0", "\\\\").replace("\1", '\\"'),
    )
