"""The frames of InvokeWithResponseStream: `application/vnd.amazon.eventstream`.

    total length 4 │ headers length 4 │ CRC of these 4 │ headers │ payload │ CRC of all before 4

A header is the length of its name, the name, the type of its value (7: a string), the length of the value, the value.
Source: Smithy's "Amazon Event Stream Specification"; the order of the headers is that of AWS's own frames.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping

CONTENT_TYPE = "application/vnd.amazon.eventstream"

PRELUDE = struct.Struct("!II")
CRC = struct.Struct("!I")
STRING = 7
OVERHEAD = PRELUDE.size + 2 * CRC.size


def payload_chunk(payload: bytes) -> bytes:
    """A piece of the function's reply."""
    return frame(_headers("PayloadChunk", "application/octet-stream"), payload)


def invoke_complete(error_code: str = "", error_details: str = "", log_result: str = "") -> bytes:
    """The end of the function's reply. What is empty is left out."""
    told = {"ErrorCode": error_code, "ErrorDetails": error_details, "LogResult": log_result}
    text = json.dumps({name: value for name, value in told.items() if value}, separators=(",", ":"))
    return frame(_headers("InvokeComplete", "application/json"), text.encode())


def _headers(event_type: str, content_type: str) -> dict[str, str]:
    return {":event-type": event_type, ":content-type": content_type, ":message-type": "event"}


def frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message."""
    encoded = b"".join(_header(name.encode(), value.encode()) for name, value in headers.items())
    prelude = PRELUDE.pack(OVERHEAD + len(encoded) + len(payload), len(encoded))
    head = prelude + CRC.pack(zlib.crc32(prelude)) + encoded
    return b"".join([head, payload, CRC.pack(zlib.crc32(payload, zlib.crc32(head)))])


def _header(name: bytes, value: bytes) -> bytes:
    return struct.pack(f"!B{len(name)}sBH", len(name), name, STRING, len(value)) + value
