"""What every front door is translated into, and out of: one request, one response; and what can be set of it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from lambent.types import Event, RawHeaders

    WebSocketPath = str | Callable[[dict[str, Event]], str]
    """`/ws`; `/ws/{room}`, with what the query says under `room`; or event → path, percent-encoded."""


HTTP_VERSIONS = {"HTTP/1.0": "1.0", "HTTP/1.1": "1.1", "HTTP/2": "2", "HTTP/2.0": "2", "HTTP/3": "3", "HTTP/3.0": "3"}
"""What a door calls a version, and what ASGI does."""


class _Value:
    """Slots, and equality by them: cheaper to make than a NamedTuple, and 0.3 ms cheaper to define."""

    __slots__: tuple[str, ...] = ()

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    __hash__ = None  # type: ignore[assignment]  # it can be changed

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__slots__)})"


class Request(_Value):
    """An HTTP request, whichever door it came through."""

    __slots__ = (
        "body",
        "client",
        "headers",
        "http_version",
        "method",
        "path",
        "query_string",
        "raw_path",
        "root_path",
        "scheme",
        "server",
    )

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

    def __init__(
        self,
        method: str,
        path: str,
        raw_path: bytes,
        query_string: bytes,
        root_path: str,
        scheme: str,
        http_version: str,
        headers: RawHeaders,
        client: tuple[str, int] | None,
        server: tuple[str, int] | None,
        body: bytes,
    ) -> None:
        self.method = method
        self.path = path
        self.raw_path = raw_path
        self.query_string = query_string
        self.root_path = root_path
        self.scheme = scheme
        self.http_version = http_version
        self.headers = headers
        self.client = client
        self.server = server
        self.body = body


class Response(_Value):
    """What the application answered, whole."""

    __slots__ = ("body", "headers", "status")

    status: int
    headers: RawHeaders
    body: bytes

    def __init__(
        self,
        status: int,
        headers: RawHeaders,
        body: bytes,
    ) -> None:
        self.status = status
        self.headers = headers
        self.body = body


class Settings(_Value):
    """What a person can set of the translation."""

    __slots__ = ("text_types", "trusted_proxies", "websocket_path")

    text_types: frozenset[str]
    """Media types, in lower case, that are text besides those known to be."""
    trusted_proxies: int
    """How many proxies in front of the function are believed, for doors that tell the client by `x-forwarded-for`."""
    websocket_path: WebSocketPath
    """Of every WebSocket: no event has one."""

    def __init__(
        self,
        text_types: frozenset[str] = frozenset(),
        trusted_proxies: int = 1,
        websocket_path: WebSocketPath = "/",
    ) -> None:
        self.text_types = text_types
        self.trusted_proxies = trusted_proxies
        self.websocket_path = websocket_path


DEFAULTS = Settings()
