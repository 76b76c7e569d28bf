"""The lines around an invocation."""

import json

import pytest

from lambent.dev import report

USAGE = report.Usage(duration=0.00123, memory_size=128, peak_memory=40 * 1024 * 1024, init_duration=None)


def test_start_and_end_name_the_request() -> None:
    assert report.start("id", "$LATEST") == "START RequestId: id Version: $LATEST"
    assert report.end("id") == "END RequestId: id"


def test_a_report_of_a_warm_invocation() -> None:
    assert report.report("id", USAGE) == (
        "REPORT RequestId: id\tDuration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB\t"
    )


def test_a_report_of_a_cold_one_has_its_init_duration() -> None:
    line = report.report("id", USAGE._replace(init_duration=0.1))
    assert line.endswith("\tMax Memory Used: 40 MB\tInit Duration: 100.00 ms\t")
    assert "\tDuration: 1.23 ms\tBilled Duration: 102 ms\t" in line


def test_a_report_of_one_that_was_ended_has_a_status() -> None:
    assert report.report("id", USAGE, "timeout").endswith("\tStatus: timeout\t")


def test_a_timeout_is_written_as_aws_writes_it_and_says_what_helps() -> None:
    first, hint = report.timed_out("id", 3, 1783711145.545).splitlines()
    assert first == "2026-07-10T19:19:05.545Z id Task timed out after 3.00 seconds"
    assert "--timeout" in hint


def test_an_init_that_failed_is_reported() -> None:
    assert report.init_report(0.0985, "error", "Runtime.ImportModuleError") == (
        "INIT_REPORT Init Duration: 98.50 ms\tPhase: init\tStatus: error\tError Type: Runtime.ImportModuleError\t"
    )


def test_a_failure_is_read_for_people() -> None:
    error = {"errorType": "ValueError", "errorMessage": "boom", "stackTrace": ['  File "a.py", line 1\n', "    x\n"]}
    assert report.read_failure(json.dumps(error).encode()) == ("ValueError", "boom", '  File "a.py", line 1\n    x')
    assert report.failure_text(json.dumps(error).encode()) == (
        'Traceback (most recent call last):\n  File "a.py", line 1\n    x\nValueError: boom'
    )


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (b"not json", "not json"),
        (b"\xff", "\N{REPLACEMENT CHARACTER}"),
        (b"[1]", "[1]"),
        (b"[" * 100_000, "[" * 100_000),
        (b'{"errorMessage": "m"}', "m"),
        (b'{"errorType": "T", "errorMessage": "m", "stackTrace": null}', "T: m"),
        (b'{"errorType": "T", "errorMessage": null, "stackTrace": "x"}', "T: "),
    ],
)
def test_any_payload_can_be_read(payload: bytes, text: str) -> None:
    assert report.failure_text(payload) == text


def test_a_reply_that_nothing_was_set_to_stream_is_explained_with_the_way_out() -> None:
    told = report.not_streamed("id")
    assert told.startswith("RequestId: id ")
    assert all(word in told for word in ("--stream", "RESPONSE_STREAM", "responseTransferMode"))


def test_a_reply_that_broke_off_is_told_with_its_reason() -> None:
    told = report.cut_off("id", report.Failure("ValueError", "boom", "stack"))
    assert told == "RequestId: id The reply broke off, and with it the client's connection. ValueError: boom"
