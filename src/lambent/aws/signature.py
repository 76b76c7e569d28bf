"""Signature Version 4: the headers that say who asks. Pure.

Source: docs.aws.amazon.com/IAM, "Create a signed AWS API request"; botocore.auth, whose signatures these are.
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple
from urllib.parse import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_ALGORITHM = "AWS4-HMAC-SHA256"
_UNSIGNED = frozenset(
    """
    authorization baggage connection expect keep-alive proxy-authenticate proxy-authorization te traceparent tracestate
    trailer transfer-encoding upgrade user-agent x-amzn-trace-id
    """.split()
)
"""Headers that are about the connection, or that change on the way (botocore.auth.SIGNED_HEADERS_BLACKLIST)."""


class Credentials(NamedTuple):
    """Whose signature it is."""

    access_key: str
    secret_key: str
    token: str = ""
    expires: float | None = None
    """When they are of no use any more, in seconds since the epoch; None for no known end."""

    def __repr__(self) -> str:
        """The key's name only: the rest is secret, and may not get into a log."""
        return f"Credentials({self.access_key!r}, …)"


class Signer:
    """Signs for one service in one region. It keeps the key of the day: four of a signature's six rounds make that."""

    def __init__(self, service: str, region: str) -> None:
        self._service = service
        self._region = region
        self._made_of = ("", "")
        self._key = b""

    def sign(
        self,
        credentials: Credentials,
        now: float,
        method: str,
        host: str,
        path: str,
        query: str = "",
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> tuple[tuple[str, str], ...]:
        """Return the headers to add to a request.

        - `now`: seconds since the epoch; a signature is good for five minutes before and after
        - `host`: of the Host header, with its port if that is not the scheme's own
        - `path`, `query`: percent-encoded, as they go over the wire; the path begins with a slash
        - `headers`: the others that are sent, all of which are signed, but for those that may change on the way
        """
        moment = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
        hashed = sha256(body).hexdigest()
        added = [("x-amz-date", moment)]
        if self._service == "s3":
            added.append(("x-amz-content-sha256", hashed))
        if credentials.token:
            added.append(("x-amz-security-token", credentials.token))
        lines, names = _canonical_headers([("host", host), *headers, *added])
        uri = path if self._service == "s3" else _canonical_path(path)
        asked = "\n".join((method, uri, _canonical_query(query), *lines, "", names, hashed))
        scope = f"{moment[:8]}/{self._region}/{self._service}/aws4_request"
        said = f"{_ALGORITHM}\n{moment}\n{scope}\n{sha256(asked.encode()).hexdigest()}"
        signature = hmac.digest(self._key_of(credentials.secret_key, moment[:8]), said.encode(), "sha256").hex()
        owner = f"Credential={credentials.access_key}/{scope}"
        added.append(("authorization", f"{_ALGORITHM} {owner}, SignedHeaders={names}, Signature={signature}"))
        return tuple(added)

    def _key_of(self, secret_key: str, day: str) -> bytes:
        if (secret_key, day) != self._made_of:
            key = f"AWS4{secret_key}".encode()
            for part in (day, self._region, self._service, "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._key, self._made_of = key, (secret_key, day)
        return self._key


def _canonical_headers(headers: list[tuple[str, str]]) -> tuple[list[str], str]:
    """Each name with its values, sorted, in single spaces; and the names."""
    values: dict[str, list[str]] = {}
    for name, value in headers:
        lower = name.lower()
        if lower not in _UNSIGNED:
            values.setdefault(lower, []).append(" ".join(value.split()))
    names = sorted(values)
    return [f"{name}:{','.join(values[name])}" for name in names], ";".join(names)


def _canonical_path(path: str) -> str:
    """Encoded once more, without empty and dot segments: what all services but S3 make of what they get."""
    return quote(_normalized(path), safe="/~")


def _normalized(path: str) -> str:
    """Without empty and dot segments (RFC 3986, 5.2.4)."""
    if "//" not in path and "/." not in path:
        return path
    kept: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del kept[-1:]
        elif part not in {"", "."}:
            kept.append(part)
    closing = "/" if path.endswith("/") and kept else ""
    return f"/{'/'.join(kept)}{closing}"


def _canonical_query(query: str) -> str:
    """Sorted by name, then by value, both as they are encoded; each name has a `=`."""
    if not query:
        return ""
    pairs = sorted(each.partition("=")[::2] for each in query.split("&"))
    return "&".join([f"{name}={value}" for name, value in pairs])
