"""Paths that a door passes on as the client sent them, and what is in front of them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.gateway.model import Request


def decode(raw_path: str) -> str:
    """Percent-decode a path, once."""
    if "%" not in raw_path:
        return raw_path
    from urllib.parse import unquote

    return unquote(raw_path)


def mount(request: Request, base_path: str) -> None:
    """Add `base_path` to the root path, if the path begins with it at the boundary of a segment."""
    inner = request.path[len(request.root_path) :]
    if f"{inner}/".startswith(f"{base_path}/"):
        request.root_path += base_path
