"""What each door makes of a function's result.

Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from lambent.dev.doors.model import PAYLOAD_LIMIT, Arrival, Door, Fields, HTTPReply, Refusal
from lambent.errors import InvalidMessage

Answer = Callable[[str, Fields], "bytes | FunctionFailed"]
"""The door's name and the event → the function's result."""


class FunctionFailed(NamedTuple):
    """There is no result."""

    reason: str


class Outcome(NamedTuple):
    """The end of one request through one door."""

    result: bytes
    """As the function returned it; empty if there is none."""
    reply: HTTPReply
    refusal: Refusal | None = None
    """Why the door answered by itself; None if it did not."""
    reason: str = ""


def answered(door: Door, result: bytes | FunctionFailed, arrival: Arrival) -> Outcome:
    """The reply that the client would get."""
    if isinstance(result, FunctionFailed):
        reply = door.refuse(Refusal.FUNCTION_ERROR, arrival)
        return Outcome(b"", reply, Refusal.FUNCTION_ERROR, result.reason)
    limit = min(door.limits.result, PAYLOAD_LIMIT)
    try:
        if len(result) > limit:
            has, takes = sizes(len(result), limit)
            raise InvalidMessage(f"its result has {has} as JSON, and the limit is {takes}")
        return Outcome(result, door.reply(result, arrival))
    except InvalidMessage as error:
        refusal = Refusal.FUNCTION_ERROR if len(result) > PAYLOAD_LIMIT else Refusal.UNUSABLE_REPLY
        return Outcome(result, door.refuse(refusal, arrival), refusal, str(error))


def sizes(length: int, limit: int) -> tuple[str, str]:
    """Both in words; in bytes, if they would else be called the same."""
    has, takes = megabytes(length), megabytes(limit)
    return (has, takes) if has != takes else (f"{length} bytes", f"{limit} bytes")


def megabytes(count: int) -> str:
    """`1.2 MB`, of 1024 kB each; `40 kB`; `12 bytes`."""
    for unit, size in (("MB", 1024 * 1024), ("kB", 1024)):
        if count >= size:
            return f"{count / size:.1f}".removesuffix(".0") + f" {unit}"
    return f"{count} bytes"
