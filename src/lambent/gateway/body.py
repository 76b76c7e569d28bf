"""Bodies: base64 or text, by what the content is and never by what its bytes happen to be."""

from __future__ import annotations

from binascii import Error, a2b_base64, b2a_base64

from lambent.errors import MalformedEvent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.types import Event

_TEXT = frozenset(
    (
        "application/ecmascript",
        "application/graphql",
        "application/javascript",
        "application/json",
        "application/jsonlines",
        "application/jwt",
        "application/ndjson",
        "application/rtf",
        "application/toml",
        "application/x-javascript",
        "application/x-ndjson",
        "application/x-www-form-urlencoded",
        "application/x-yaml",
        "application/xml",
        "application/yaml",
    )
)
"""Media types that are text though their names do not say so; `text/*`, `+json`, `+xml` and `+yaml` say it."""

_PIECE = 3 << 16
"""Bytes that are encoded at once; of base64, three bytes are four characters."""


def decode(event: dict[str, Event]) -> bytes:
    """Return the body of an event: `body`, which `isBase64Encoded` describes, and which may be missing or null."""
    body = event.get("body")
    if not body:
        return b""
    try:
        if event.get("isBase64Encoded"):
            return a2b_base64(body, strict_mode=True)
        return body.encode("utf-8")  # type: ignore[no-any-return]  # the event is JSON: a str, or it has no `encode`
    except (Error, UnicodeEncodeError) as error:
        expected = "base64" if event.get("isBase64Encoded") else "text that UTF-8 can encode"
        raise MalformedEvent(f"Expected `body` to be {expected}, but: {error}.") from None
    except (AttributeError, TypeError):
        raise MalformedEvent(f"Expected `body` to be a string, but got a {type(body).__name__}.") from None
    except ValueError as error:  # a non-ASCII character in base64
        raise MalformedEvent(f"Expected `body` to be base64, but: {error}.") from None


def encode(body: bytes, fields: dict[str, str], text_types: frozenset[str] = frozenset()) -> tuple[str, bool]:
    """Return a response's body as the text of a reply, and whether that text is base64. Names are in lower case.

    Text types go as text, which every door encodes as UTF-8 again, so only what is UTF-8 may; all else is base64.
    """
    if not body:
        return "", False
    if fields.get("content-encoding", "identity") != "identity":
        return _base64(body), True
    if is_text(fields.get("content-type", ""), text_types):
        try:
            return body.decode("utf-8"), False
        except UnicodeDecodeError:
            pass  # a charset that is not UTF-8
    return _base64(body), True


def _base64(body: bytes) -> str:
    """Encode in pieces: CPython grows a string in place, so that there is never a copy of it as bytes."""
    if len(body) <= _PIECE:
        return b2a_base64(body, newline=False).decode("ascii")
    text = ""
    view = memoryview(body)
    for start in range(0, len(body), _PIECE):
        text += b2a_base64(view[start : start + _PIECE], newline=False).decode("ascii")
    return text


def is_text(content_type: str, text_types: frozenset[str] = frozenset()) -> bool:
    """Tell whether a `content-type` field names a text type, parameters and case aside."""
    if content_type in _TEXT or content_type.startswith("text/"):
        return True
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type in _TEXT or media_type in text_types:
        return True
    return media_type.startswith("text/") or media_type.endswith(("+json", "+xml", "+yaml"))
