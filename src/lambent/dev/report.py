"""The lines that Lambda writes around an invocation. Times are given in seconds and written in milliseconds."""

from __future__ import annotations

import json
import math
import time
from typing import NamedTuple

MEGABYTE = 1024 * 1024


class Usage(NamedTuple):
    """What one invocation took."""

    duration: float
    memory_size: int
    """MB, as configured."""
    peak_memory: int
    """Bytes, measured."""
    init_duration: float | None
    """Only for the first invocation of an environment, which AWS bills it with."""


def start(request_id: str, version: str) -> str:
    return f"START RequestId: {request_id} Version: {version}"


def end(request_id: str) -> str:
    return f"END RequestId: {request_id}"


def report(request_id: str, usage: Usage, status: str = "", error_type: str = "") -> str:
    """`status` is empty, `timeout` or `error`."""
    fields = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {usage.duration * 1000:.2f} ms",
        f"Billed Duration: {math.ceil((usage.duration + (usage.init_duration or 0)) * 1000)} ms",
        f"Memory Size: {usage.memory_size} MB",
        f"Max Memory Used: {math.ceil(usage.peak_memory / MEGABYTE)} MB",
    ]
    if usage.init_duration is not None:
        fields.append(f"Init Duration: {usage.init_duration * 1000:.2f} ms")
    if status:
        fields.append(f"Status: {status}")
    if error_type:
        fields.append(f"Error Type: {error_type}")
    return "\t".join([*fields, ""])


def out_of_memory(memory_size: int) -> str:
    """`memory_size` in MB. The hint is ours."""
    return (
        f"The environment took more than its {memory_size} MB and is ended.\n"
        "  (`--memory MB` allows more, `memory` in the configuration too; on AWS it is set per function)"
    )


def init_report(duration: float, status: str, error_type: str = "") -> str:
    """Written only when init fails: `status` is `error` or `timeout`."""
    fields = [f"INIT_REPORT Init Duration: {duration * 1000:.2f} ms", "Phase: init", f"Status: {status}"]
    if error_type:
        fields.append(f"Error Type: {error_type}")
    return "\t".join([*fields, ""])


def timed_out(request_id: str, seconds: float, now: float) -> str:
    """`now` in seconds since the epoch. The hint is ours: AWS's default of 3 seconds surprises everyone once."""
    whole = math.floor(now)
    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{int((now - whole) * 1000):03}Z"
    line = f"{at} {request_id} Task timed out after {seconds:.2f} seconds"
    return f"{line}\n  (`--timeout SECONDS` allows more; on AWS it is set per function)"


def not_streamed(request_id: str) -> str:
    """What AWS does, and nobody expects."""
    return (
        f"RequestId: {request_id} The reply was streamed, but nothing was set to stream it: it is delivered whole, "
        "with its status and headers in the body, as AWS does.\n"
        "  (`--stream` sets the door to it; on AWS that is InvokeMode RESPONSE_STREAM or responseTransferMode STREAM)"
    )


class Failure(NamedTuple):
    """An error payload, read for people."""

    error_type: str
    message: str
    stack: str


def read_failure(payload: bytes) -> Failure:
    """Take apart `{"errorType", "errorMessage", "stackTrace"}`; whatever else was posted is the message."""
    try:
        error = json.loads(payload)
    except (ValueError, RecursionError):
        error = None
    if not isinstance(error, dict):
        return Failure("", payload.decode("utf-8", "replace"), "")
    stack = error.get("stackTrace")
    lines = [str(line) for line in stack] if isinstance(stack, list) else []
    text = "\n".join(line.rstrip("\n") for line in lines)
    return Failure(str(error.get("errorType") or ""), str(error.get("errorMessage") or ""), text)


def cut_off(request_id: str, failure: Failure) -> str:
    """A streamed reply that failed: nothing but a broken connection can tell the client."""
    why = ": ".join(filter(None, [failure.error_type, failure.message]))
    return f"RequestId: {request_id} The reply broke off, and with it the client's connection. {why}"


def failure_text(payload: bytes) -> str:
    """The failure for the terminal: stack first, then type and message, as Python prints them."""
    failure = read_failure(payload)
    head = f"{failure.error_type}: {failure.message}" if failure.error_type else failure.message
    return f"Traceback (most recent call last):\n{failure.stack}\n{head}" if failure.stack else head
