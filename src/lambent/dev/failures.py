"""What an invoker is told when the platform ended an invocation: the JSON that Lambda itself would send.

Source: the answers of AWS's Runtime Interface Emulator and of the Invoke API, observed.
"""

from __future__ import annotations

import json
import signal

from lambent.dev.doors.model import PAYLOAD_LIMIT
from lambent.dev.model import Cause, Failed


def failed(cause: Cause, error_type: str, message: str) -> Failed:
    return Failed(cause, json.dumps({"errorType": error_type, "errorMessage": message}, separators=(",", ":")).encode())


def timed_out(request_id: str, seconds: float) -> Failed:
    message = f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds"
    return failed(Cause.TIMEOUT, "Sandbox.Timedout", message)


def init_timed_out(request_id: str, seconds: float) -> Failed:
    """AWS tries the init again within the invocation; a local environment is told so at once."""
    message = f"RequestId: {request_id} Error: Init timed out after {seconds:.2f} seconds"
    return failed(Cause.INIT, "Sandbox.Timedout", message)


def exited(cause: Cause, request_id: str, returncode: int) -> Failed:
    """`returncode` as subprocesses have it: negative for a signal."""
    return failed(cause, "Runtime.ExitError", f"RequestId: {request_id} Error: {exit_reason(returncode)}")


def out_of_memory(cause: Cause, request_id: str) -> Failed:
    message = f"RequestId: {request_id} Error: Runtime exited with error: signal: killed"
    return failed(cause, "Runtime.OutOfMemory", message)


def exit_reason(returncode: int) -> str:
    """The words of the emulator, which are those of Go's `os/exec`."""
    if returncode == 0:
        return "Runtime exited without providing a reason"
    if returncode > 0:
        return f"Runtime exited with error: exit status {returncode}"
    try:
        name = (signal.strsignal(-returncode) or "").lower()
    except ValueError:
        name = ""
    return f"Runtime exited with error: signal: {name or -returncode}"


def not_started(request_id: str, error: Exception) -> Failed:
    message = f"RequestId: {request_id} Error: The runtime could not be started: {error}"
    return failed(Cause.INIT, "Runtime.InvalidEntrypoint", message)


def too_large() -> Failed:
    message = f"Response payload size exceeded maximum allowed payload size ({PAYLOAD_LIMIT} bytes)."
    return failed(Cause.SIZE, "Function.ResponseSizeTooLarge", message)


def throttled() -> Failed:
    """As the Invoke API answers 429 `TooManyRequestsException`."""
    text = b'{"Reason":"ConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}'
    return Failed(Cause.THROTTLED, text)
