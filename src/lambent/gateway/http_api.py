"""API Gateway HTTP API, payload format 2.0.

Source: docs.aws.amazon.com/apigateway, "Working with AWS Lambda proxy integrations for HTTP APIs", and live captures.

- `rawPath` is *decoded* already, in spite of its name, and begins with the stage unless that is `$default`.
- Cookies come in `cookies`; the `cookie` field is removed.
- Repeated fields are joined by a comma without a space; names are in lower case.
"""

from __future__ import annotations

import re

from lambent.errors import MalformedEvent
from lambent.gateway import body, headers
from lambent.gateway.model import DEFAULTS, HTTP_VERSIONS, Request, Response, Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.types import Event, RawHeaders, Result

# What may stand in a path as it is: RFC 3986 pchar and the slash.
_PATH_SAFE = "/!$&'()*+,;=:@-._~"
_UNSAFE = re.compile(r"[^a-zA-Z0-9/!$&'()*+,;=:@\-._~]").search


def request(event: dict[str, Event], settings: Settings = DEFAULTS) -> Request:
    """Translate one event."""
    context = event["requestContext"]
    path = event.get("rawPath") or context["http"].get("path") or "/"
    stage = context.get("stage") or "$default"
    root_path = ""
    if stage != "$default" and f"{path}/".startswith(f"/{stage}/"):
        root_path = f"/{stage}"
    return assemble(event, path, encode_path(path), root_path)


def reply(response: Response, event: dict[str, Event], settings: Settings = DEFAULTS) -> Result:
    """Give the answer in payload format 2.0: single-valued headers, and each cookie for itself."""
    fields: dict[str, str] = {}
    cookies: list[str] = []
    for name, value in response.headers:
        if name == b"set-cookie":
            cookies.append(value.decode("latin-1"))
        elif name not in headers.HOP_BY_HOP:
            field = name.decode("latin-1")
            text = value.decode("latin-1")
            fields[field] = f"{fields[field]}, {text}" if field in fields else text
    content, is_base64 = body.encode(response.body, fields, settings.text_types)
    result: dict[str, Event] = {
        "statusCode": response.status,
        "headers": fields,
        "body": content,
        "isBase64Encoded": is_base64,
    }
    if cookies:
        result["cookies"] = cookies
    return result


def assemble(event: dict[str, Event], path: str, raw_path: bytes, root_path: str) -> Request:
    """Build the request of a payload 2.0 event from what is the same for both doors that use it, and its path."""
    context = event["requestContext"]
    http = context["http"]
    fields = event.get("headers") or {}
    raw_headers = headers.encode(fields)
    if (cookies := event.get("cookies")) and "cookie" not in fields:
        raw_headers += _cookie(cookies, raw_headers)
    scheme = fields.get("x-forwarded-proto", "https")
    return Request(
        http["method"].upper(),
        path,
        raw_path,
        (event.get("rawQueryString") or "").encode("utf-8", "replace"),
        root_path,
        scheme,
        HTTP_VERSIONS.get(http.get("protocol"), "1.1"),
        raw_headers,
        (address, 0) if type(address := http.get("sourceIp")) is str and address else None,
        headers.server(
            fields.get("host") or context.get("domainName") or "", fields.get("x-forwarded-port", ""), scheme
        ),
        body.decode(event),
    )


def _cookie(cookies: list[str], raw_headers: RawHeaders) -> RawHeaders:
    """Make the field of the cookies that came apart, unless it is there under another spelling of its name."""
    if not isinstance(cookies, list):
        raise MalformedEvent(f"Expected `cookies` to be a list of strings, but got a {type(cookies).__name__}.")
    return [] if b"cookie" in dict(raw_headers) else headers.encode({"cookie": "; ".join(cookies)})


def encode_path(path: str) -> bytes:
    """Percent-encode a decoded path again. What the door decoded (`%2F` to `/`) stays as the door made it."""
    if _UNSAFE(path) is None:
        return path.encode("ascii")
    from urllib.parse import quote

    return quote(path, safe=_PATH_SAFE, errors="replace").encode("ascii")
