"""The fields that events are made of: pieces of an HTTP request, as AWS writes them.

Source: docs.aws.amazon.com/apigateway, "Working with AWS Lambda proxy integrations for HTTP APIs"; events captured in
July 2026.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from urllib.parse import quote_from_bytes, unquote_to_bytes

from lambent.dev.doors.model import Fields, HTTPRequest, Matched, RawHeaders

PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SPELLED = {"cloudfront": "CloudFront", "websocket": "WebSocket"}
PORTS = {"http": "80", "https": "443"}

# Measured on HTTP APIs: everything else, form-urlencoded and a missing type included, arrives as base64.
TEXT_TYPES = frozenset({"application/json", "application/xml", "application/javascript"})


def encoded(raw: bytes) -> str:
    """A path or query as it was sent. Bytes that no URL may hold are percent-encoded, the others left alone."""
    return quote_from_bytes(raw, safe=PRINTABLE)


def decoded(raw: bytes) -> str:
    """Percent-decode once. Bytes that are not UTF-8 become U+FFFD: JSON has no place for them."""
    return unquote_to_bytes(raw).decode("utf-8", "replace")


def decoded_parameter(raw: bytes) -> str:
    """Percent-decode a key or a value of the query, `+` being a space."""
    return decoded(raw.replace(b"+", b" "))


def query_values(query_string: bytes, read: Callable[[bytes], str] = decoded_parameter) -> dict[str, list[str]]:
    """The query by key, repeated ones kept apart. `read` makes text of a key or a value."""
    values: dict[str, list[str]] = {}
    for pair in filter(None, query_string.split(b"&")):
        key, _, value = pair.partition(b"=")
        values.setdefault(read(key), []).append(read(value))
    return values


def query_parameters(query_string: bytes) -> dict[str, str]:
    """Decode the query, `+` being a space. Repeated keys are joined by commas."""
    return {key: ",".join(each) for key, each in query_values(query_string).items()}


def header_values(headers: RawHeaders, spell: Callable[[str], str] = str.lower) -> dict[str, list[str]]:
    """The headers by name, repeated ones kept apart, but for `cookie`, joined as HTTP does (RFC 9113, 8.2.3)."""
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(spell(name.decode("latin-1")), []).append(value.decode("latin-1"))
    return {name: ["; ".join(each)] if name.lower() == "cookie" else each for name, each in values.items()}


def joined_headers(headers: RawHeaders) -> dict[str, str]:
    """Names in lower case, repeated fields joined by a bare comma."""
    return {name: ",".join(each) for name, each in header_values(headers).items()}


def last(values: dict[str, list[str]]) -> dict[str, str]:
    """One value each: of those that are repeated, the last."""
    return {name: each[-1] for name, each in values.items()}


def title_case(name: str) -> str:
    """A header name as API Gateway spells it: `x-my-header` as `X-My-Header`."""
    return "-".join(SPELLED.get(part, part.capitalize()) for part in name.lower().split("-"))


def cookies(headers: dict[str, str]) -> list[str]:
    """Every cookie of the request as `name=value`, in order."""
    return [cookie.strip() for cookie in headers.get("cookie", "").split(";") if cookie.strip()]


def gateway_headers(request: HTTPRequest, trace: str) -> dict[str, str]:
    """The client's headers, joined, and those that AWS adds."""
    return joined_headers(received_headers(request, trace))


def received_headers(request: HTTPRequest, trace: str) -> RawHeaders:
    """The client's headers, then those that AWS adds. Scheme and port are the local ones: redirects lead back here.

    `x-amzn-trace-id` has the root alone, `x-forwarded-for` is continued, `x-forwarded-port` and `-proto` are replaced.
    """
    headers = joined_headers(request.headers)
    added = {"x-amzn-trace-id": trace.partition(";")[0]} | forwarded(request, headers)
    kept = [field for field in request.headers if field[0].decode("latin-1").lower() not in added]
    return kept + [(name.encode(), value.encode("latin-1")) for name, value in added.items()]


def forwarded(request: HTTPRequest, headers: dict[str, str]) -> dict[str, str]:
    """What a proxy says of the client."""
    _, _, port = headers.get("host", "").rpartition(":")
    seen = [*filter(None, [headers.get("x-forwarded-for")]), request.client[0]]
    return {
        "x-forwarded-for": ", ".join(seen),
        "x-forwarded-port": port if port.isdecimal() else PORTS.get(request.scheme, "80"),
        "x-forwarded-proto": request.scheme,
    }


def body(content: bytes, content_type: str) -> Fields:
    """`body` and `isBase64Encoded`. An empty body is absent."""
    if not content:
        return {"isBase64Encoded": False}
    text, is_base64 = body_text(content, content_type)
    return {"body": text, "isBase64Encoded": is_base64}


def body_text(content: bytes, content_type: str) -> tuple[str, bool]:
    """The body and whether it is base64: all but text is, and text that is not UTF-8, unharmed."""
    kind = content_type.partition(";")[0].strip().lower()
    if not content or kind in TEXT_TYPES or kind.startswith("text/"):
        try:
            return content.decode("utf-8"), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(content).decode("ascii"), True


def http_field(request: HTTPRequest, headers: dict[str, str]) -> Fields:
    """`requestContext.http`. The path is decoded here on every door."""
    return {
        "method": request.method,
        "path": decoded(request.raw_path),
        "protocol": f"HTTP/{request.http_version}",
        "sourceIp": request.client[0],
        "userAgent": headers.get("user-agent", ""),
    }


def authorizer(matched: Matched) -> Fields:
    """`authorizer` of payload format 2.0: `jwt`, `lambda` or `iam`. Absent without one."""
    return {} if matched.authorizer is None else {"authorizer": dict(matched.authorizer)}


def flat_authorizer(matched: Matched, *of_token: str) -> Fields:
    """`authorizer` of the older formats: what is told of a token, or the context of a Lambda authorizer, as it is.

    Who signed a request is in `identity` there.
    """
    given = matched.authorizer or {}
    if isinstance(token := given.get("jwt"), Mapping):
        return {"authorizer": {name: token.get(name) for name in of_token}}
    return {"authorizer": dict(context)} if isinstance(context := given.get("lambda"), Mapping) else {}


def clock_fields(now: float) -> Fields:
    """`time` as `10/Jul/2026:19:19:05 +0000`, `timeEpoch` in milliseconds."""
    return {"time": clock(now), "timeEpoch": int(now * 1000)}


def clock(now: float) -> str:
    """The time as API Gateway writes it. Month names do not follow the locale."""
    at = datetime.fromtimestamp(now, UTC)
    return f"{at:%d}/{MONTHS[at.month - 1]}/{at:%Y:%H:%M:%S} +0000"
