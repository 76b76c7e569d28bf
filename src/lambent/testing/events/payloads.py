"""A message as a person gives it → what a source carries: text, or bytes in base64."""

from __future__ import annotations

import json

Payload = object
"""Text and bytes as they are; any other JSON value is written as JSON."""


def text(payload: Payload) -> str:
    """Raises TypeError for what is neither text nor JSON."""
    if isinstance(payload, bytes):
        try:
            return payload.decode("utf-8")
        except UnicodeDecodeError:
            raise TypeError("Expected text or a JSON value, but got bytes that are not UTF-8.") from None
    return payload if isinstance(payload, str) else json_text(payload)


def content(payload: Payload) -> bytes:
    """Raises TypeError for what is neither text, bytes nor JSON."""
    return payload if isinstance(payload, bytes) else text(payload).encode("utf-8", "surrogatepass")


def json_text(value: object) -> str:
    """As `json.dumps` writes it, and senders in Python do."""
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise TypeError(f"Expected text, bytes or a JSON value, but got {value!r:.100}: {error}.") from None
