"""Paths that a door passes on as the client sent them."""

from __future__ import annotations


def decode(raw_path: str) -> str:
    """Percent-decode a path, once."""
    if "%" not in raw_path:
        return raw_path
    from urllib.parse import unquote

    return unquote(raw_path)
