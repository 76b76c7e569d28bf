"""How large a reply is, as the JSON that a door measures, without making that JSON: a body may be megabytes."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.types import Result

_HEADERS = 65536
"""Bytes that the rest of a reply is thought to have at most: gateways refuse larger headers."""

_ONE_MORE = '"\\\b\f\n\r\t'
"""Characters that JSON writes as two."""

_FIVE_MORE = "".join(map(chr, (*range(8), 11, *range(14, 32))))
"""Those that it writes as six, such as `\\u0000`."""


def excess(result: Result, body: bytes, limit: int) -> int:
    """Bytes that a reply with this body has above the limit; negative, and not exact, if it is far below.

    JSON makes six bytes of one at most, so that most replies need not be measured.
    """
    if 6 * len(body) + _HEADERS < limit:
        return -1
    return size(result) - limit


def size(result: Result) -> int:
    """Bytes of a reply as UTF-8 JSON without white space, as small as any runtime writes it."""
    if not isinstance(result, dict) or not isinstance(result.get("body"), str):
        return len(_dumps(result))
    text: str = result["body"]
    encoded = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    quoted = 0 if result.get("isBase64Encoded") or result.get("bodyEncoding") == "base64" else _escapes(text)
    return len(_dumps({**result, "body": ""})) + encoded + quoted


def _escapes(text: str) -> int:
    return sum(map(text.count, _ONE_MORE)) + 5 * sum(map(text.count, _FIVE_MORE))


def _dumps(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
