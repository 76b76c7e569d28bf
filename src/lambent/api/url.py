"""Where a request went: the path that routes see, and the URL that the client wrote. Pure."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.types import Scope

PORTS = {"http": 80, "https": 443}

HOST = b"-._0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PATH = HOST + b"/!$&'()*+,;=:@~"
"""What stands for itself in a URL's path (RFC 3986, 3.3)."""


def route_path(scope: Scope) -> str:
    """The path without `root_path`, which servers put before it (ASGI, "HTTP connection scope"), `/` for nothing.

    A path that does not begin with it is taken as it is: some servers do not put it there.
    """
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    if root:
        root = root.rstrip("/")
        if is_below(path, root):
            path = path[len(root) :]
    return path or "/"


def is_below(path: str, root: str) -> bool:
    """Whether the path is of this root, up to a slash."""
    return path.startswith(root) and path[len(root) : len(root) + 1] in {"", "/"}


def url_of(scope: Scope, host: str) -> str:
    """`https://example.com/prod/items?page=2`; `host`: what the client says."""
    scheme: str = scope.get("scheme", "http")
    path: str = scope["path"]
    root: str = scope.get("root_path", "").rstrip("/")
    path = _quoted(path if is_below(path, root) else root + path)
    authority = host if is_authority(host) else _server(scope.get("server"), scheme)
    if authority:
        path = f"{scheme}://{authority}{path}"
    elif path.startswith("//"):
        path = f"/%2F{path[2:]}"  # otherwise it would name a host
    query: bytes = scope.get("query_string", b"")
    return f"{path}?{_quoted_query(query)}" if query else path


def is_authority(host: str) -> bool:
    """Whether this is a name or an address, with or without a port, and nothing else (RFC 9110, 7.2)."""
    name, colon, port = host.rpartition(":")
    if not colon or port.endswith("]"):
        name, port = host, "0"
    if not port.isdecimal() or not host.isascii():
        return False
    if name.startswith("[") and name.endswith("]"):
        return ":" in name and not name[1:-1].strip("0123456789abcdefABCDEF:.")
    return bool(name) and not name.encode().translate(None, HOST)


def _server(server: tuple[str, int | None] | None, scheme: str) -> str:
    """Without the port that the scheme has; empty for none, and for a Unix socket, which has no port."""
    if server is None or server[1] is None:
        return ""
    host = f"[{server[0]}]" if ":" in server[0] else server[0]
    return host if server[1] == PORTS.get(scheme) else f"{host}:{server[1]}"


def _quoted(path: str) -> str:
    if path.isascii() and not path.encode().translate(None, PATH):
        return path
    from urllib.parse import quote

    return quote(path, safe=PATH, errors="replace")


def _quoted_query(query: bytes) -> str:
    if query.isascii() and query.decode("ascii").isprintable() and b" " not in query and b"#" not in query:
        return query.decode("ascii")
    from urllib.parse import quote

    return quote(query, safe=PATH + b'?%"<>[]\\^`{|}')


def moved(scope: Scope, path: str) -> str:
    """Where a path of routes is, relative to the host, with the query that came."""
    target = _quoted(scope.get("root_path", "").rstrip("/") + path)
    if target.startswith("//"):
        target = f"/%2F{target[2:]}"  # otherwise it would name a host
    query: bytes = scope.get("query_string", b"")
    return f"{target}?{_quoted_query(query)}" if query else target
