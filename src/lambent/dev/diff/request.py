"""An HTTP request as a person types it: method, path or URL, headers, body.

Pure. What every client sends is added where it was not said: Host, User-Agent, Accept, Content-Length, and a
Content-Type by what the body is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, urlsplit

from lambent.dev.doors.fields import PRINTABLE
from lambent.dev.doors.model import HTTPRequest, RawHeaders

Headers = Mapping[str, str] | Iterable[tuple[str, str]]

METHOD = re.compile(r"[A-Za-z]{1,32}")
NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
BREAKS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

HOST = "example.com"
CLIENT = ("203.0.113.9", 50000)
"""Of the addresses that are kept for documentation (RFC 5737)."""


def read_request(method: str, url: str, headers: Headers = (), body: bytes = b"") -> HTTPRequest:
    """A request over HTTPS. Raises ValueError, which says what was expected."""
    if not METHOD.fullmatch(method):
        raise ValueError(f"expected a method, such as GET, but got {method!r}")
    host, path, query = split(url)
    items = headers.items() if isinstance(headers, Mapping) else headers
    given = [field(name, value) for name, value in items]
    named = {name for name, _ in given}
    implied = [
        (b"host", (host or HOST).encode()),
        (b"user-agent", b"curl/8.9.1"),
        (b"accept", b"*/*"),
        *((b"content-type", content_type(body)) for _ in body[:1]),
        *((b"content-length", str(len(body)).encode()) for _ in body[:1]),
    ]
    kept: RawHeaders = [each for each in implied if each[0] not in named]
    return HTTPRequest(method.upper(), path, query, kept + given, body, CLIENT, "https", "1.1")


def split(url: str) -> tuple[str, bytes, bytes]:
    """Host (empty if it is not said), path and query, percent-encoded; a fragment is never sent."""
    try:
        split = urlsplit(url)
    except ValueError as error:
        raise ValueError(f"expected a path, such as /items?a=1, or a URL, but got {url!r}: {error}") from None
    absolute = split.scheme in ("http", "https") and bool(split.netloc)
    if BREAKS.search(url) or not (absolute or url.startswith("/")):
        raise ValueError(f"expected a path, such as /items?a=1, or a URL, but got {url!r}")
    whole = url.partition("#")[0]
    rest = whole[whole.index("//") + 2 + len(split.netloc) :] if absolute else whole
    path, _, query = rest.partition("?")
    return (split.netloc.rpartition("@")[2] if absolute else ""), wire(path or "/"), wire(query)


def wire(text: str) -> bytes:
    return quote(text, safe=PRINTABLE).encode("ascii")


def field(name: str, value: str) -> tuple[bytes, bytes]:
    if not NAME.fullmatch(name) or BREAKS.search(value):
        raise ValueError(f"expected a header, such as accept: text/html, but got {f'{name}: {value}'!r}")
    return name.lower().encode(), value.strip(" \t").encode("utf-8")


def read_header(text: str) -> tuple[str, str]:
    """`Name: value`. Raises ValueError."""
    name, colon, value = text.partition(":")
    if not colon or not NAME.fullmatch(name.strip()):
        raise ValueError(f"expected NAME: VALUE, such as accept: text/html, but got {text!r}")
    return name.strip(), value.strip()


def content_type(body: bytes) -> bytes:
    """JSON if it is an object or a list, text if it is UTF-8 without null characters, else just bytes."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return b"application/octet-stream"
    if "\0" in text:
        return b"application/octet-stream"
    try:
        return b"application/json" if isinstance(json.loads(text), dict | list) else b"text/plain; charset=utf-8"
    except (ValueError, RecursionError):  # of what is nested too deeply to be looked at
        return b"text/plain; charset=utf-8"
