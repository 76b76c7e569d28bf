"""A streamed reply, as bytes: prelude, separator, chunks, and the trailers of one that failed.

    {"statusCode": 200, ...} ─▶ eight NUL bytes ─▶ body ─▶ ... ─▶ the last chunk, with trailers if there was an error

Each is an HTTP chunk of its own: some services look for the separator in one. Without a prelude (a plain generator) the
payload is all there is.
Source: docs.aws.amazon.com/lambda, "Response streaming" and "Using the Lambda runtime API"; RFC 9112, 7.1.
"""

from __future__ import annotations

import json
from binascii import b2a_base64

from lambent.errors import InvalidResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambent.runtime.diagnostic import Diagnostic

STREAM_LIMIT = 200 * 1024 * 1024
"""Bytes that a streamed reply may have (AWS: 200 MB)."""

PRELUDE_LIMIT = 16 * 1024
"""Bytes within which prelude and separator must end."""

SEPARATOR = bytes(8)

ERROR_TYPE = "Lambda-Runtime-Function-Error-Type"
ERROR_BODY = "Lambda-Runtime-Function-Error-Body"

LAST = b"0\r\n\r\n"


def content_type(prelude: Mapping[str, object] | None) -> str:
    """What tells the platform whether there is a prelude."""
    return "application/octet-stream" if prelude is None else "application/vnd.awslambda.http-integration-response"


def begin(prelude: Mapping[str, object] | None) -> bytes:
    """The first two chunks. Raises InvalidResult if they are larger than doors take, or no JSON."""
    if prelude is None:
        return b""
    try:
        text = json.dumps(prelude, separators=(",", ":")).encode("ascii")
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidResult(f"Unable to marshal status and headers: {error}", "Runtime.MarshalError") from None
    size = len(text) + len(SEPARATOR)
    if size > PRELUDE_LIMIT:
        raise InvalidResult(
            f"Status and headers of a streamed reply have {size} bytes, and Lambda takes {PRELUDE_LIMIT}: "
            "send fewer or shorter headers.",
            "Function.ResponseSizeTooLarge",
        )
    return chunk(text) + chunk(SEPARATOR)


def chunk(data: bytes) -> bytes:
    """One chunk. An empty one would end the stream, so that there is none."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


def refuse(size: int) -> None:
    """Raise InvalidResult if this is more than a streamed reply may have. `size` is in bytes, without the prelude."""
    if size > STREAM_LIMIT:
        raise InvalidResult(
            f"A streamed reply has at most {STREAM_LIMIT} bytes, and this one has {size} so far. "
            "Send less, or a link to where it lies.",
            "Function.ResponseSizeTooLarge",
        )


def failed(diagnostic: Diagnostic, request_id: str) -> bytes:
    """The end of a stream that was not to end there."""
    body = b2a_base64(diagnostic.body(request_id), newline=False).decode("ascii")
    return f"0\r\n{ERROR_TYPE}: {diagnostic.category}\r\n{ERROR_BODY}: {body}\r\n\r\n".encode("ascii")
