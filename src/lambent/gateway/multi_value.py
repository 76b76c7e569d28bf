"""Fields and query parameters that come as maps of lists, for the doors whose events have them, both ways.

Source: docs.aws.amazon.com/apigateway, "Input format of a Lambda function for proxy integration", and
docs.aws.amazon.com/elasticloadbalancing, "Lambda functions as targets", under "Multi-value headers".
"""

from __future__ import annotations

import re

from lambent.errors import MalformedEvent
from lambent.gateway import headers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from lambent.types import Event, RawHeaders

# What must be encoded in a name or a value: all but the unreserved characters of RFC 3986, as signatures want it.
_RESERVED = re.compile(r"[^a-zA-Z0-9_.~-]").search
_RESERVED_IN_QUERY = re.compile(r"[^a-zA-Z0-9_.~=&-]").search


def request_headers(event: dict[str, Event]) -> RawHeaders:
    """Read `multiValueHeaders`, or `headers` where they are missing, null or empty."""
    lists = event.get("multiValueHeaders")
    return encode(lists) if lists else headers.encode(event.get("headers") or {})


def encode(lists: dict[str, list[str]]) -> RawHeaders:
    """Turn a map of lists into raw fields. Repeated ones stay apart; `cookie` is one field (RFC 9113, 8.2.3)."""
    try:
        fields = [
            (headers.NAMES[name], values[0].encode("latin-1")) for name, values in lists.items() if len(values) == 1
        ]
        if len(fields) == len(lists):
            return fields
    except (UnicodeEncodeError, TypeError, LookupError, AttributeError):
        pass  # `_fields` knows what to do, or to say
    return [field for name, values in lists.items() for field in _fields(name, values)]


def _fields(name: str, values: list[str] | str) -> RawHeaders:
    if isinstance(values, str):
        return headers.encode({name: values})
    if not isinstance(values, list):
        raise MalformedEvent(f"Expected a list of strings under {name!r}, but got a {type(values).__name__}.")
    if len(values) > 1 and name.lower() == "cookie":
        return headers.encode({name: "; ".join(values)})
    return [headers.encode({name: value})[0] for value in values]


def decode(raw: RawHeaders) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Return the first value of each field of a response, and all values of those that are repeated.

    Fields that speak of one connection only are left out.
    """
    first: dict[str, str] = {}
    repeated: dict[str, list[str]] = {}
    for name, value in raw:
        if name not in headers.HOP_BY_HOP:
            field = name.decode("latin-1")
            text = value.decode("latin-1")
            if field in first:
                repeated.setdefault(field, [first[field]]).append(text)
            else:
                first[field] = text
    return first, repeated


def listed(first: dict[str, str], repeated: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return a list of values for each field."""
    return {name: [value] for name, value in first.items()} | repeated


def joined(first: dict[str, str], repeated: dict[str, list[str]]) -> dict[str, str]:
    """Return one string for each field, for doors that take no lists.

    Cookies cannot be joined. Each but the first goes under a spelling of its own, `Set-cookie`, `sEt-cookie`, ...: a
    JSON object keeps them apart, and HTTP does not tell them apart. There are 512.
    """
    if not repeated:
        return first
    fields = first | {name: ", ".join(values) for name, values in repeated.items()}
    fields.update((_spelled(number), cookie) for number, cookie in enumerate(repeated.get("set-cookie", ())))
    return fields


def _spelled(number: int) -> str:
    letters = enumerate(("s", "e", "t", "c", "o", "o", "k", "i", "e"))
    text = "".join(letter.upper() if number >> place & 1 else letter for place, letter in letters)
    return f"{text[:3]}-{text[3:]}"


def quoted_query(event: dict[str, Event]) -> bytes:
    """Build the query from parameters that the door has decoded. What is no unreserved character is encoded."""
    parts = _single(event)
    if parts is not None:
        query = "&".join(parts)
        # more `=` or `&` than these have come out of a name or a value
        if _RESERVED_IN_QUERY(query) is None and query.count("=") == len(parts) and query.count("&") < len(parts):
            return query.encode("ascii")
    return _query(event, _quoted).encode("ascii")


def verbatim_query(event: dict[str, Event]) -> bytes:
    """Build the query from parameters that the door has not decoded."""
    parts = _single(event)
    query = _query(event, str) if parts is None else "&".join(parts)
    return query.encode("utf-8", "replace")


def _single(event: dict[str, Event]) -> list[str] | None:
    """Write each parameter as `name=value` if each has one value, as is usual; None if not."""
    try:
        if lists := event.get("multiValueQueryStringParameters"):
            parts: list[str] = [name + "=" + values[0] for name, values in lists.items() if len(values) == 1]
            return parts if len(parts) == len(lists) else None
        return [name + "=" + value for name, value in (event.get("queryStringParameters") or {}).items()]
    except (TypeError, LookupError):  # null, or what is no string
        return None


def _query(event: dict[str, Event], write: Callable[[str], str]) -> str:
    """Join parameters in their order, and the values of one name in theirs. Null is a name without `=`."""
    lists = event.get("multiValueQueryStringParameters") or event.get("queryStringParameters") or {}
    parts: list[str] = []
    for name, values in lists.items():
        written = write(name)
        for value in values if isinstance(values, list) else (values,):
            if isinstance(value, str):
                parts.append(f"{written}={write(value)}")
            elif value is None:
                parts.append(written)
            else:
                what = type(value).__name__
                raise MalformedEvent(f"Expected the query parameter {name!r} to be a string, but got a {what}.")
    return "&".join(parts)


def _quoted(text: str) -> str:
    if _RESERVED(text) is None:
        return text
    from urllib.parse import quote

    return quote(text, safe="", errors="replace")
