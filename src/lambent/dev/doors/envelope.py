"""A result in the form that HTTP doors take, read field by field.

In payload format 2.0, that is `{"statusCode", "headers", "cookies", "body", "isBase64Encoded"}`; others have
`multiValueHeaders` in place of `cookies`.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable

from lambent.dev.doors.model import HTTPReply, RawHeaders
from lambent.errors import InvalidMessage

# A gateway speaks for its own connection: these are dropped. `date` is set by whoever writes the response.
DROPPED = frozenset(
    b"connection content-length date keep-alive proxy-authenticate proxy-connection te trailer transfer-encoding "
    b"upgrade".split()
)
TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
BREAKS = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
BODILESS = frozenset({204, 205, 304})


def read(payload: bytes) -> object:
    """The result as JSON, or as text where it is none."""
    try:
        result: object = json.loads(payload)
    except (ValueError, RecursionError):
        return payload.decode("utf-8", "replace")
    return result


def read_object(payload: bytes) -> dict[str, object]:
    """The result, of a door that takes nothing but an object."""
    result = read(payload)
    if not isinstance(result, dict):
        raise InvalidMessage(f"The function must return an object with statusCode, but returned {result!r:.200}.")
    return result


def response(envelope: dict[str, object], default_type: bytes, text: Callable[[object], str]) -> HTTPReply:
    """Read an envelope. `text` makes a string of a body that is none. `InvalidMessage` tells which field is wrong."""
    status = status_code(envelope["statusCode"])
    # Observed: each of `cookies` before a set-cookie among the headers.
    headers = [*cookie_list(envelope.get("cookies")), *header_list(envelope.get("headers"))]
    return assembled(status, headers, body(envelope, text), default_type)


def assembled(status: int, headers: RawHeaders, content: bytes, default_type: bytes) -> HTTPReply:
    """The reply, with a content type, and without a body where the status allows none."""
    if not any(name.lower() == b"content-type" for name, _ in headers):
        headers = [*headers, (b"content-type", default_type)]
    return HTTPReply(status, headers, b"" if status in BODILESS else content)


def status_code(value: object) -> int:
    """An integer, or a string or float that is one; from 200 to 599."""
    try:
        number = float(str(value))
    except ValueError:
        number = 0
    if number not in range(200, 600):
        raise InvalidMessage(f"statusCode must be an integer from 200 to 599, but the function returned {value!r}.")
    return int(number)


def header_list(value: object) -> RawHeaders:
    """The headers that may be sent on, in order. `null` is no headers, a null value no header."""
    return kept(single_values(value))


def kept(headers: RawHeaders) -> RawHeaders:
    """Those that are not for the gateway alone to say."""
    return [field for field in headers if field[0].lower() not in DROPPED]


def single_values(value: object) -> RawHeaders:
    """`headers`, all of them."""
    if value is None:
        return []
    if not isinstance(value, dict):
        raise InvalidMessage(f"headers must be an object of strings, but the function returned {value!r}.")
    return [header(name, each) for name, each in value.items() if each is not None]


def multi_values(value: object) -> RawHeaders:
    """`multiValueHeaders`, all of them."""
    if value is None:
        return []
    if not isinstance(value, dict) or not all(isinstance(each, list) for each in value.values()):
        raise InvalidMessage(f"multiValueHeaders must be an object of lists, but the function returned {value!r}.")
    return [header(name, each) for name, values in value.items() for each in values if each is not None]


def header(name: str, value: object) -> tuple[bytes, bytes]:
    """One field as bytes. Numbers and booleans are written as JSON; line breaks and control characters are refused."""
    if isinstance(value, dict | list):
        raise InvalidMessage(f"The value of header {name!r} must be a string, but the function returned {value!r}.")
    raw_name, raw_value = wire(name), wire(value if isinstance(value, str) else json.dumps(value)).strip(b" \t")
    if not TOKEN.fullmatch(raw_name):
        raise InvalidMessage(f"Header name {name!r} has characters that no header name may have.")
    if BREAKS.search(raw_value):
        raise InvalidMessage(f"The value of header {name!r} has a line break or a control character: {value!r}.")
    return raw_name, raw_value


def cookie_list(value: object) -> RawHeaders:
    """One `set-cookie` each."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(cookie, str) for cookie in value):
        raise InvalidMessage(f"cookies must be a list of strings, but the function returned {value!r}.")
    return [header("set-cookie", cookie) for cookie in value]


def body(envelope: dict[str, object], text: Callable[[object], str]) -> bytes:
    """The body as bytes, decoded where `isBase64Encoded` says so."""
    value = envelope.get("body")
    content = "" if value is None else value if isinstance(value, str) else text(value)
    if envelope.get("isBase64Encoded") is not True:
        return content.encode("utf-8", "replace")
    try:
        return base64.b64decode(content, validate=True)
    except (ValueError, binascii.Error) as error:
        raise InvalidMessage(f"isBase64Encoded is true, but the body is not base64: {error}.") from None


def refuse_body(value: object) -> str:
    """For doors that take no body but a string."""
    raise InvalidMessage(f"body must be a string, but the function returned {value!r}.")


def wire(text: str) -> bytes:
    """Header text as bytes: latin-1 (RFC 9110, 5.5), or UTF-8 where that cannot hold it."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")
