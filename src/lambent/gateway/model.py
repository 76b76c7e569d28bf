"""What every front door is translated into, and out of: one request, one response, and the Gateway protocol."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from lambent.types import Event, RawHeaders, Result


class Request(NamedTuple):
    """An HTTP request, whichever door it came through."""

    method: str
    """In upper case."""
    path: str
    """Percent-decoded exactly once, `root_path` included, as in ASGI."""
    raw_path: bytes
    """The same path, percent-encoded: the door's own bytes where it gives them, else encoded again."""
    query_string: bytes
    """Percent-encoded, without the question mark."""
    root_path: str
    """The stage that the door puts in front of the path, such as `/prod`; empty for none."""
    scheme: str
    http_version: str
    """As ASGI writes it: `1.0`, `1.1` or `2`."""
    headers: RawHeaders
    client: tuple[str, int] | None
    """Address and port (0: the door does not tell it) of who sent the request; None if unknown."""
    server: tuple[str, int] | None
    """Host, without brackets, and port that the request was sent to; None if unknown."""
    body: bytes


class Response(NamedTuple):
    """What the application answered, whole."""

    status: int
    headers: RawHeaders
    body: bytes


class Gateway(Protocol):
    """One front door. Three pure functions: is it yours, what does it say, how do you want the answer."""

    @property
    def name(self) -> str:
        """How error messages call it."""

    def matches(self, event: dict[str, Event]) -> bool:
        """Tell by one discriminating fact whether this door builds such events. Must not raise."""

    def request(self, event: dict[str, Event]) -> Request:
        """Translate the event. MalformedEvent, LookupError, TypeError, ValueError and AttributeError become a 400."""

    def reply(self, response: Response, event: dict[str, Event]) -> Result:
        """Translate the response into what this door expects the function to return."""
