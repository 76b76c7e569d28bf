"""What every door speaks in: one HTTP request, one HTTP reply, and the Door protocol."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple, Protocol, runtime_checkable

Fields = dict[str, object]
"""A JSON object on its way out."""

RawHeaders = list[tuple[bytes, bytes]]

PAYLOAD_LIMIT = 6 * 1024 * 1024 + 100
"""Bytes that Lambda takes as a synchronous event, and gives back as a result (AWS: 6 MB; measured: 100 bytes more)."""

MEGABYTE = 1024 * 1024


class Limits(NamedTuple):
    """What a door takes and gives, in bytes and seconds; above it, the door answers by itself."""

    body: int = PAYLOAD_LIMIT
    """Of a request."""
    result: int = PAYLOAD_LIMIT
    """Of what the function returns, as JSON."""
    head: int | None = None
    """Of the request line and the headers."""
    url: int | None = None
    """Of path and query."""
    seconds: float | None = None
    """That the function may take; None: as many as Lambda gives it."""

    def refusal(self, method: str, raw_path: bytes, query: bytes, headers: RawHeaders, version: str) -> Refusal | None:
        """Why the door would not even look at a request, by the size of its head."""
        if self.url is None and self.head is None:
            return None
        url = len(raw_path) + len(query) + bool(query)
        if self.url is not None and url > self.url:
            return Refusal.URL_TOO_LONG
        line = len(f"{method}  HTTP/{version}") + url
        if self.head is not None and line + sum(len(value) for _, value in headers) > self.head:
            return Refusal.HEAD_TOO_LARGE
        return None


LAMBDA_LIMITS = Limits()
"""Of doors that set none of their own below Lambda's."""


class HTTPRequest(NamedTuple):
    """What came over the wire, whole."""

    method: str
    raw_path: bytes
    """As on the wire: percent-encoded, without the query."""
    query_string: bytes
    """As on the wire, without the question mark."""
    headers: RawHeaders
    """In order, names in lower case, repeated ones kept apart."""
    body: bytes
    client: tuple[str, int]
    scheme: str
    http_version: str
    """`1.0` or `1.1`."""


class HTTPReply(NamedTuple):
    """What goes back over the wire, whole. `content-length` is not among the headers: it follows from the body."""

    status: int
    headers: RawHeaders
    body: bytes


class Site(NamedTuple):
    """Where the function is deployed, so far as its events tell."""

    function: str
    region: str = "us-east-1"
    account: str = "123456789012"
    api: str = ""
    """The name of what stands in front of it; empty: of the function."""

    def identifier(self, length: int) -> str:
        """An id as AWS makes them, of lower case letters and digits: the same for a name on every start."""
        return _identifier(self.api or self.function)[:length]


@lru_cache(1024)
def _identifier(name: str) -> str:
    """The longest there is. It is asked for with each request."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest())
    digits = []
    for _ in range(32):
        number, digit = divmod(number, 36)
        digits.append("0123456789abcdefghijklmnopqrstuvwxyz"[digit])
    return "".join(digits)


class Arrival(NamedTuple):
    """What AWS notes down about one request when it comes in. Made outside, so that doors stay pure."""

    request_id: str
    """Lambda's id of the invocation, a UUID."""
    gateway_id: str
    """API Gateway's own id of the request: 16 characters, the last one `=`."""
    trace: str
    """`Root=…;Parent=…;Sampled=…`, as the runtime is told it."""
    now: float
    """Seconds since the epoch."""

    @property
    def api_request_id(self) -> str:
        """A REST API's own id of the request: a UUID that is not Lambda's."""
        return str(uuid.UUID(bytes=hashlib.sha256(self.request_id.encode()).digest()[:16], version=4))

    @property
    def edge_request_id(self) -> str:
        """CloudFront's id of the request: 40 bytes in base64 for URLs, such as `4TyzHTaY…UoUSEQ==`."""
        return base64.urlsafe_b64encode(hashlib.sha512(self.request_id.encode()).digest()[:40]).decode("ascii")


NOTHING: Mapping[str, str] = MappingProxyType({})


class Matched(NamedTuple):
    """What is known of a request before the function is asked; the defaults are those of a `$default` route."""

    route_key: str = "$default"
    """`GET /items/{id}`"""
    resource: str = ""
    """`/items/{id}`; empty for a `$default` route."""
    parameters: Mapping[str, str] = NOTHING
    """Of the path, percent-encoded as they came."""
    stage: str = ""
    """Its name; empty for the one that the door has by default."""
    prefix: str = ""
    """What stands in the path before the route's own: `/prod`, `/shop`; as it came."""
    is_base_path: bool = False
    """Whether the prefix is that of a custom domain's mapping, rather than the stage."""
    variables: Mapping[str, str] = NOTHING
    """Of the stage."""
    authorizer: Mapping[str, object] | None = None
    """As `lambent.dev.guard.Allowed` has it."""
    identity: Mapping[str, object] = NOTHING


ANYTHING = Matched()


class Refusal(Enum):
    """Why a door answers by itself, in place of the function."""

    FUNCTION_ERROR = "function error"
    """The function raised, timed out or died."""
    UNUSABLE_REPLY = "unusable reply"
    """The function's result cannot become an HTTP response."""
    THROTTLED = "throttled"
    TOO_LARGE = "request too large"
    HEAD_TOO_LARGE = "request headers too large"
    URL_TOO_LONG = "URL too long"
    NO_ROUTE = "no route"
    TIMED_OUT = "the door waited long enough"
    """For the function, which runs on."""


class Entry(Protocol):
    """What makes an event of a request. Pure functions."""

    @property
    def site(self) -> Site:
        """Where it is."""

    @property
    def title(self) -> str:
        """How AWS calls it."""

    def event(self, request: HTTPRequest, arrival: Arrival, matched: Matched = ANYTHING) -> Fields:
        """Build the event that AWS would have built of this request, fields in AWS's order."""


class Door(Entry, Protocol):
    """One front door, which answers requests. Pure functions."""

    @property
    def limits(self) -> Limits:
        """Beside Lambda's own."""

    def reply(self, payload: bytes, arrival: Arrival) -> HTTPReply:
        """Turn the function's result into the response. `InvalidMessage` if it cannot become one: then refuse."""

    def refuse(self, reason: Refusal, arrival: Arrival) -> HTTPReply:
        """Answer in place of the function, as this door does."""

    def stamped(self, reply: HTTPReply, arrival: Arrival) -> HTTPReply:
        """Add to an answer that neither of these made what the door adds to all of them."""


@runtime_checkable
class StreamingDoor(Door, Protocol):
    """One that takes replies piece by piece too."""

    def begin(self, prelude: bytes | None, arrival: Arrival) -> HTTPReply:
        """Turn what a streamed reply begins with, None for nothing, into a response whose body is to come.

        `InvalidMessage` if it cannot become one: then refuse.
        """
