"""A request as a person would write it into a message. Pure; lambent.events.requests says what is in it."""

from __future__ import annotations

from lambent.errors import DecodingError, MalformedEvent
from lambent.gateway import body as bodies
from lambent.gateway import headers
from lambent.gateway.model import Request
from lambent.gateway.path import decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.types import Event, RawHeaders

KEYS = frozenset(("method", "path", "query", "headers", "body", "isBase64Encoded"))

_PATH_SAFE = "/%!$&'()*+,;=:@-._~"
"""What stays as it is: what may stand in a path, and what is percent-encoded already."""
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
"""Of methods and names of fields (RFC 9110, 5.6.2)."""


def is_compact(content: dict[str, Event]) -> bool:
    return "method" in content and "path" in content


def compact(content: dict[str, Event]) -> Request:
    """Raises DecodingError, which names what is wrong, and no values."""
    if unknown := sorted(repr(key)[:40] for key in content.keys() - KEYS):
        raise DecodingError(f"Expected a request of {', '.join(sorted(KEYS))}, but it has {', '.join(unknown)}.")
    method = content["method"]
    if not isinstance(method, str) or not method or not _TOKEN.issuperset(method):
        raise DecodingError("Expected `method` to be one of HTTP, such as POST.")
    raw_path, query = _target(content)
    fields = _fields(content.get("headers"))
    body = _body(content, fields)
    return Request(
        method.upper(),
        decode(raw_path),
        raw_path.encode("ascii"),
        query,
        "",
        "https",
        "1.1",
        fields,
        None,
        headers.server(dict(fields).get(b"host", b"").decode("latin-1"), "", "https"),
        body,
    )


def _target(content: dict[str, Event]) -> tuple[str, bytes]:
    """The path, percent-encoded, and the query."""
    from urllib.parse import quote

    path, query = content["path"], content.get("query")
    if not isinstance(path, str) or not path.startswith("/") or "#" in path:
        raise DecodingError("Expected `path` to be text that begins with a slash, and has no fragment.")
    path, mark, after = path.partition("?")
    if mark and query:
        raise DecodingError("Expected the query in `path` or in `query`, but both have one.")
    try:
        return quote(path, safe=_PATH_SAFE), _query(after if mark else query)
    except UnicodeEncodeError:
        raise DecodingError("Expected `path` and `query` to be text that UTF-8 can encode.") from None


def _query(query: Event) -> bytes:
    from urllib.parse import quote, urlencode

    if query is None:
        return b""
    if isinstance(query, str):
        return quote(query, safe="%!$&'()*+,;=:@-._~/?[]").encode("ascii")
    if not isinstance(query, dict):
        raise DecodingError(f"Expected `query` to be text or an object, but got a {type(query).__name__}.")
    pairs = [(name, each) for name, value in query.items() for each in (value if isinstance(value, list) else [value])]
    return urlencode([(name, _text(value)) for name, value in pairs]).encode("ascii")


def _text(value: Event) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise DecodingError(f"Expected in `query` text, numbers or booleans, but got a {type(value).__name__}.")


def _fields(given: Event) -> RawHeaders:
    if given is None:
        return []
    if not isinstance(given, dict):
        raise DecodingError(f"Expected `headers` to be an object, but got a {type(given).__name__}.")
    fields: RawHeaders = []
    for name, value in given.items():
        if not name or not _TOKEN.issuperset(name):
            raise DecodingError(f"Expected names of `headers`, but {name!r:.40} is none.")
        for each in value if isinstance(value, list) else [value]:
            if not isinstance(each, str) or any(control in each for control in "\r\n\0"):
                raise DecodingError(f"Expected {name!r:.40} of `headers` to be text of one line, or a list of such.")
            fields += headers.encode({name: each})
    return fields


def _body(content: dict[str, Event], fields: RawHeaders) -> bytes:
    """What is not text is sent as JSON, and says so."""
    body = content.get("body")
    if body is None:
        return b""
    if isinstance(body, str):
        try:
            return bodies.decode(content)
        except MalformedEvent as error:
            raise DecodingError(str(error)) from None
    if content.get("isBase64Encoded"):
        raise DecodingError(f"Expected `body` to be base64, but got a {type(body).__name__}.")
    from json import dumps

    if b"content-type" not in dict(fields):
        fields.append((b"content-type", b"application/json"))
    return dumps(body).encode("ascii")
