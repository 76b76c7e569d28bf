"""The fields that payload format 2.0 is made of: pieces of an HTTP request, as AWS writes them into an event.

Source: docs.aws.amazon.com/apigateway, "Working with AWS Lambda proxy integrations for HTTP APIs"; events captured in
July 2026.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from urllib.parse import quote_from_bytes, unquote_to_bytes

from lambent.dev.doors.model import Fields, HTTPRequest, RawHeaders

PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
PORTS = {"http": "80", "https": "443"}

# Measured on HTTP APIs: everything else, form-urlencoded and a missing type included, arrives as base64.
TEXT_TYPES = frozenset({"application/json", "application/xml", "application/javascript"})


def encoded(raw: bytes) -> str:
    """A path or query as it was sent. Bytes that no URL may hold are percent-encoded, the others left alone."""
    return quote_from_bytes(raw, safe=PRINTABLE)


def decoded(raw: bytes) -> str:
    """Percent-decode once. Bytes that are not UTF-8 become U+FFFD: JSON has no place for them."""
    return unquote_to_bytes(raw).decode("utf-8", "replace")


def query_parameters(query_string: bytes) -> dict[str, str]:
    """Decode the query, `+` being a space. Repeated keys are joined by commas."""
    values: dict[str, list[str]] = {}
    for pair in filter(None, query_string.split(b"&")):
        key, _, value = pair.replace(b"+", b" ").partition(b"=")
        values.setdefault(decoded(key), []).append(decoded(value))
    return {key: ",".join(each) for key, each in values.items()}


def joined_headers(headers: RawHeaders) -> dict[str, str]:
    """Names in lower case, repeated fields joined by a bare comma; `cookie` as HTTP joins it (RFC 9113, 8.2.3)."""
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return {name: ("; " if name == "cookie" else ",").join(each) for name, each in values.items()}


def cookies(headers: dict[str, str]) -> list[str]:
    """Every cookie of the request as `name=value`, in order."""
    return [cookie.strip() for cookie in headers.get("cookie", "").split(";") if cookie.strip()]


def gateway_headers(request: HTTPRequest, trace: str) -> dict[str, str]:
    """The client's headers and those that AWS adds. Scheme and port are the local ones: redirects must lead back here.

    `x-amzn-trace-id` has the root alone, `x-forwarded-for` is continued, `x-forwarded-port` and `-proto` are replaced.
    """
    headers = joined_headers(request.headers)
    _, _, port = headers.get("host", "").rpartition(":")
    seen = [*filter(None, [headers.get("x-forwarded-for")]), request.client[0]]
    return headers | {
        "x-amzn-trace-id": trace.partition(";")[0],
        "x-forwarded-for": ", ".join(seen),
        "x-forwarded-port": port if port.isdecimal() else PORTS.get(request.scheme, "80"),
        "x-forwarded-proto": request.scheme,
    }


def body(content: bytes, content_type: str) -> Fields:
    """`body` and `isBase64Encoded`. An empty body is absent; text that is not UTF-8 goes as base64, unharmed."""
    if not content:
        return {"isBase64Encoded": False}
    kind = content_type.partition(";")[0].strip().lower()
    if kind in TEXT_TYPES or kind.startswith("text/"):
        try:
            return {"body": content.decode("utf-8"), "isBase64Encoded": False}
        except UnicodeDecodeError:
            pass
    return {"body": base64.b64encode(content).decode("ascii"), "isBase64Encoded": True}


def http_field(request: HTTPRequest, headers: dict[str, str]) -> Fields:
    """`requestContext.http`. The path is decoded here on every door."""
    return {
        "method": request.method,
        "path": decoded(request.raw_path),
        "protocol": f"HTTP/{request.http_version}",
        "sourceIp": request.client[0],
        "userAgent": headers.get("user-agent", ""),
    }


def clock_fields(now: float) -> Fields:
    """`time` as `10/Jul/2026:19:19:05 +0000`, `timeEpoch` in milliseconds. Month names do not follow the locale."""
    at = datetime.fromtimestamp(now, UTC)
    return {"time": f"{at:%d}/{MONTHS[at.month - 1]}/{at:%Y:%H:%M:%S} +0000", "timeEpoch": int(now * 1000)}
