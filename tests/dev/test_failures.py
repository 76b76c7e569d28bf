"""What invokers are told, word for word."""

import json
import signal

import pytest

from lambent.dev import failures
from lambent.dev.model import Cause, Failed


def told(failure: Failed) -> tuple[str, str]:
    error = json.loads(failure.payload)
    return error["errorType"], error["errorMessage"]


def test_a_timeout_names_the_seconds() -> None:
    failure = failures.timed_out("id", 3)
    assert told(failure) == ("Sandbox.Timedout", "RequestId: id Error: Task timed out after 3.00 seconds")
    assert failure.cause is Cause.TIMEOUT


def test_an_init_timeout_names_the_seconds() -> None:
    assert told(failures.init_timed_out("id", 10))[1] == "RequestId: id Error: Init timed out after 10.00 seconds"


@pytest.mark.parametrize(
    ("returncode", "reason"),
    [
        (0, "Runtime exited without providing a reason"),
        (3, "Runtime exited with error: exit status 3"),
        (-signal.SIGKILL, "Runtime exited with error: signal: killed"),
        (-signal.SIGSEGV, "Runtime exited with error: signal: segmentation fault"),
        (-999, "Runtime exited with error: signal: 999"),
    ],
)
def test_an_exit_names_its_reason(returncode: int, reason: str) -> None:
    assert told(failures.exited(Cause.EXIT, "id", returncode)) == (
        "Runtime.ExitError",
        f"RequestId: id Error: {reason}",
    )


def test_a_runtime_that_cannot_be_started_says_why() -> None:
    kind, message = told(failures.not_started("id", FileNotFoundError(2, "No such file", "python9")))
    assert kind == "Runtime.InvalidEntrypoint"
    assert "python9" in message


def test_a_result_that_is_too_large_names_the_limit() -> None:
    assert told(failures.too_large()) == (
        "Function.ResponseSizeTooLarge",
        "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
    )
