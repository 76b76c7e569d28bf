"""What is told of an invocation that nobody waited for, and in which form.

Source: Lambda Developer Guide, "Capturing records of Lambda asynchronous invocations" and "Adding a dead-letter queue";
records of AWS, observed. Pure, but for `append`.
"""

from __future__ import annotations

import json
import time
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from lambent.dev import report
from lambent.dev.model import Failed, Function, InvokeRequest, Replied

MESSAGE_LIMIT = 1024
"""Bytes of an error message that a dead letter carries."""

FUNCTION = "function"
FILE = "file"


class Condition(Enum):
    """How it ended, in AWS's words."""

    SUCCESS = "Success"
    RETRIES_EXHAUSTED = "RetriesExhausted"
    EVENT_AGE_EXCEEDED = "EventAgeExceeded"
    ZERO_RESERVED_CONCURRENCY = "ZeroReservedConcurrency"


class Outcome(NamedTuple):
    """The end of an asynchronous invocation."""

    condition: Condition
    attempts: int
    """That ran."""
    answer: Replied | Failed | None
    """Of the last one; None if none ran."""


class Destination(NamedTuple):
    """`function:NAME` or `file:PATH`."""

    kind: str
    target: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.target}"


def destination(text: str) -> Destination | None:
    """None for none. ValueError for what is no destination."""
    if not text:
        return None
    kind, colon, target = text.partition(":")
    if kind not in (FUNCTION, FILE) or not colon or not target:
        raise ValueError(f"expected function:NAME or file:PATH, but got {text!r}")
    return Destination(kind, target)


def record(function: Function, request: InvokeRequest, outcome: Outcome, now: float) -> bytes:
    """The invocation record. `now` in seconds since the epoch; the event and the answer stand in it as they came."""
    context = {
        "requestId": request.request_id,
        "functionArn": f"{function.arn}:{function.version}",
        "condition": outcome.condition.value,
        "approximateInvokeCount": outcome.attempts,
    }
    fields = {
        "version": b'"1.0"',
        "timestamp": compact(timestamp(now)),
        "requestContext": compact(context),
        "requestPayload": request.payload,
    }
    if outcome.answer is not None:
        error = {"functionError": "Unhandled"} if isinstance(outcome.answer, Failed) else {}
        answered = {"statusCode": 200, "executedVersion": function.version, **error}
        fields |= {"responseContext": compact(answered), "responsePayload": as_json(outcome.answer.payload)}
    return b"{" + b",".join(b'"%s":%s' % (name.encode(), value) for name, value in fields.items()) + b"}"


def dead_letter(request: InvokeRequest, outcome: Outcome) -> bytes:
    """The event as it came and what AWS says of it, in the form of an SQS message."""
    throttled = outcome.answer is None
    message = "Rate Exceeded." if throttled else error_message(outcome)
    attributes = {
        "RequestID": {"DataType": "String", "StringValue": request.request_id},
        "ErrorCode": {"DataType": "Number", "StringValue": "429" if throttled else "200"},
        "ErrorMessage": {"DataType": "String", "StringValue": message},
    }
    return compact({"Body": request.payload.decode(), "MessageAttributes": attributes})


def error_message(outcome: Outcome) -> str:
    text = report.read_failure(outcome.answer.payload).message if outcome.answer is not None else ""
    return text.encode("utf-8", "replace")[:MESSAGE_LIMIT].decode("utf-8", "ignore")


def timestamp(now: float) -> str:
    """`2019-11-14T18:16:05.568Z`"""
    milliseconds = round(now * 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(milliseconds // 1000))}.{milliseconds % 1000:03}Z"


def compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def as_json(payload: bytes) -> bytes:
    """The payload itself if it is JSON, else a JSON string of it."""
    try:
        json.loads(payload.decode())
    except (ValueError, RecursionError):
        return compact(payload.decode("utf-8", "replace"))
    return payload


def line(document: bytes) -> bytes:
    """A JSON document as a line: the line breaks in it stand between its tokens, where a space says the same."""
    return document.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n"


def append(path: Path, document: bytes) -> None:
    """Add a JSON document to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(line(document))
