"""What every front door is translated into, and out of: one request, one response."""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.types import RawHeaders


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
