"""The Runtime API: each request a value under its URL.

Source: docs.aws.amazon.com/lambda, "Using the Lambda runtime API for custom runtimes", and AWS's emulator.
"""

from __future__ import annotations

from lambent.http1 import Request
from lambent.runtime import stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.runtime.diagnostic import Diagnostic

RESPONSE_LIMIT = 6 * 1024 * 1024 + 100
"""Bytes that a reply may have, unless it is streamed."""

_CAUSE_LIMIT = 1024 * 1024
"""The platform drops an X-Ray cause of this many bytes; a header of such a size would do harm before that."""

_BASE = "/2018-06-01/runtime"
_EXTENSION = "/2020-01-01/extension"

# GET /runtime/invocation/next
NEXT = Request("GET", f"{_BASE}/invocation/next")


# POST /runtime/invocation/{id}/response
def response(request_id: str, body: bytes, content_type: str, invocation_id: str) -> Request:
    """The reply to one invocation. `invocation_id` is echoed if `next` gave one: it tells retries apart."""
    headers = (("content-type", content_type), *_echo(invocation_id))
    return Request("POST", f"{_BASE}/invocation/{request_id}/response", headers, body)


# POST /runtime/invocation/{id}/response, streamed
def streamed(request_id: str, content_type: str, invocation_id: str, body: bytes = b"") -> Request:
    """A reply in chunks; `body` has the first of them, or all."""
    headers = (
        ("content-type", content_type),
        ("lambda-runtime-function-response-mode", "streaming"),
        ("transfer-encoding", "chunked"),
        ("trailer", f"{stream.ERROR_TYPE}, {stream.ERROR_BODY}"),
        *_echo(invocation_id),
    )
    return Request("POST", f"{_BASE}/invocation/{request_id}/response", headers, body)


# POST /runtime/invocation/{id}/error
def error(request_id: str, diagnostic: Diagnostic, invocation_id: str) -> Request:
    """The failure of one invocation."""
    headers = (*_error_headers(diagnostic), *_echo(invocation_id))
    return Request("POST", f"{_BASE}/invocation/{request_id}/error", headers, diagnostic.body(request_id))


# POST /runtime/init/error
def init_error(diagnostic: Diagnostic) -> Request:
    """The failure of the environment's init; only before the first `next`. The process must exit after it."""
    return Request("POST", f"{_BASE}/init/error", _error_headers(diagnostic), diagnostic.body(""))


# GET /runtime/restore/next
RESTORE_NEXT = Request("GET", f"{_BASE}/restore/next")
"""SnapStart: the snapshot may be taken. The answer comes in each environment that is made from it."""


# POST /runtime/init/error, of SnapStart
def snapshot_error(diagnostic: Diagnostic) -> Request:
    """The failure of a before_snapshot hook. The process must exit after it."""
    return init_error(diagnostic._replace(category="Runtime.BeforeSnapshotError"))


# POST /runtime/restore/error
def restore_error(diagnostic: Diagnostic) -> Request:
    """The failure of an after_restore hook. The process must exit after it."""
    headers = _error_headers(diagnostic._replace(category="Runtime.AfterRestoreError"))
    return Request("POST", f"{_BASE}/restore/error", headers, diagnostic.body(""))


# POST /extension/register
REGISTER = Request(
    "POST",
    f"{_EXTENSION}/register",
    (("content-type", "application/json"), ("lambda-extension-name", "lambent")),
    b'{"events":[]}',
)
"""An internal extension that wants no events; only before the first `next`."""


# GET /extension/event/next
def extension_next(identifier: str) -> Request:
    """The extension is ready. Once; where it wants no events, there is no answer."""
    return Request("GET", f"{_EXTENSION}/event/next", (("lambda-extension-identifier", identifier),))


def _error_headers(diagnostic: Diagnostic) -> tuple[tuple[str, str], ...]:
    headers = (
        ("content-type", "application/json"),
        ("lambda-runtime-function-error-type", diagnostic.category),
    )
    if diagnostic.cause and len(diagnostic.cause) < _CAUSE_LIMIT:
        return (*headers, ("lambda-runtime-function-xray-error-cause", diagnostic.cause))
    return headers


def _echo(invocation_id: str) -> tuple[tuple[str, str], ...]:
    return (("lambda-runtime-invocation-id", invocation_id),) if invocation_id else ()
