"""What a status is called, for the doors that want to be told."""

from __future__ import annotations


def description(status: int) -> str:
    """Return `200 OK` for 200, and so on; `Unknown` for one that nobody has named."""
    if status == 200:
        return "200 OK"
    from http import HTTPStatus

    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Unknown"
