"""A log record as Lambda takes it: a line of text, a line of JSON, and the frame around either.

Source: what AWS's own Python client writes; docs.aws.amazon.com/lambda, "Log and monitor Python Lambda functions".
"""

from __future__ import annotations

import json
import logging
import traceback

from lambent.runtime.diagnostic import diagnose

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TEXT = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"
TEXT_TIME = "%Y-%m-%dT%H:%M:%S"
JSON_TIME = "%Y-%m-%dT%H:%M:%SZ"

JSON_FRAME = 0xA55A0002
TEXT_FRAME = 0xA55A0003

OWN = "lambent"
"""The logger of whose records' failures Lambda is told too."""

REPORTED = "lambent_reported"
"""The attribute of such a record with the exception that Lambda is told of, where another one's traceback is shown."""

# What `logging` itself gives a record; all else came as `extra`.
_STANDARD = {
    *vars(logging.LogRecord("", 0, "", 0, None, None, None)),
    *("asctime", "aws_request_id", "message", "taskName", "tenant_id", REPORTED),
}
# What `extra` cannot say in our place, even where we say nothing.
_NAMES = {"errorMessage", "errorType", "location", "requestId", "stackTrace"}
_encode = json.JSONEncoder(ensure_ascii=False, default=str).encode


def frame_type(kind: int, level: int) -> int:
    """The first word of a frame: `kind` is JSON_FRAME or TEXT_FRAME, `level` as `severity` gives it, 0 for none."""
    return kind | (level // 10 * 4 + 4 if level else 0)


def frame(kind: int, text: str, microseconds: int) -> bytes:
    """A message for the log descriptor: 16 bytes, big-endian, and the text. The time is since the epoch.

    What is no Unicode (a lone surrogate) is written as an escape.
    """
    message = text.encode("utf-8", "backslashreplace")
    return b"%b%b%b%b" % (
        kind.to_bytes(4, "big"),
        len(message).to_bytes(4, "big"),
        microseconds.to_bytes(8, "big"),
        message,
    )


def severity(level: int) -> int:
    """The level of a record as one that Lambda knows: 0 to 50 in tens, rounded down."""
    return min(50, max(0, level)) // 10 * 10


def json_line(record: logging.LogRecord, time: str) -> str:
    """Write a record as a line of JSON, with what came as `extra` beside Lambda's own names; these go first.

    A message that is a dict stays one. What JSON does not know is written as `str` gives it.
    """
    given = vars(record)
    fields: dict[str, Any] = {
        "timestamp": time,
        "level": logging.getLevelName(severity(record.levelno)),
        "message": record.msg if isinstance(record.msg, dict) and not record.args else record.getMessage(),
        "logger": record.name,
    }
    if record.exc_info:
        fields |= _failure(record)
    if given.get("aws_request_id") is not None:
        fields["requestId"] = given["aws_request_id"]
    if record.exc_info and record.name != OWN:  # where ours are logged is always the same place
        fields["location"] = f"{record.pathname}:{record.funcName}:{record.lineno}"
    if given.get("tenant_id") is not None:
        fields["tenantId"] = given["tenant_id"]
    if given.keys() - _STANDARD:
        taken = _STANDARD | _NAMES | fields.keys()
        fields |= {name: value for name, value in given.items() if name not in taken and value is not None}
    return _encode(fields) + "\n"


def _failure(record: logging.LogRecord) -> dict[str, Any]:
    """Describe the exception of a record: one of ours in the very words that Lambda is told."""
    kind, error, where = record.exc_info or (None, None, None)
    if kind is None or error is None:
        return {}
    if record.name == OWN:
        told = diagnose(getattr(record, REPORTED, error), "")
        return {"stackTrace": told.stack_trace, "errorType": told.error_type, "errorMessage": told.message}
    return {"stackTrace": traceback.format_tb(where), "errorType": kind.__name__, "errorMessage": str(error)}
