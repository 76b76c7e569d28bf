"""Records as lines and frames."""

import json
import logging
import sys
from typing import Any

import pytest

from lambent.errors import InvalidResult, TargetError
from lambent.runtime import records
from lambent.runtime.records import JSON_FRAME, TEXT_FRAME, frame, frame_type, json_line, severity


def record(message: object, *args: object, level: int = logging.WARNING, name: str = "a", **extra: Any) -> Any:
    made = logging.LogRecord(name, level, "/app.py", 7, message, args, extra.pop("exc_info", None), "function")
    vars(made).update(extra)
    return made


def fields(made: logging.LogRecord) -> dict[str, Any]:
    line = json_line(made, "now")
    assert line.endswith("}\n")
    assert line.count("\n") == 1
    read: dict[str, Any] = json.loads(line)
    return read


# Source: the table of types in the documentation of Lambda's log frames.
@pytest.mark.parametrize(
    ("level", "json_type", "text_type"),
    [
        (logging.NOTSET, 0xA55A0002, 0xA55A0003),
        (logging.DEBUG, 0xA55A000A, 0xA55A000B),
        (logging.INFO, 0xA55A000E, 0xA55A000F),
        (logging.WARNING, 0xA55A0012, 0xA55A0013),
        (logging.ERROR, 0xA55A0016, 0xA55A0017),
        (logging.CRITICAL, 0xA55A001A, 0xA55A001B),
    ],
)
def test_a_frame_tells_the_format_and_the_level(level: int, json_type: int, text_type: int) -> None:
    assert (frame_type(JSON_FRAME, level), frame_type(TEXT_FRAME, level)) == (json_type, text_type)


def test_a_frame_is_a_head_of_16_bytes_and_the_text() -> None:
    made = frame(TEXT_FRAME, "é\n", 1_770_000_000_000_001)
    assert made == b"\xa5\x5a\x00\x03" + b"\0\0\0\x03" + (1_770_000_000_000_001).to_bytes(8, "big") + "é\n".encode()


def test_what_is_no_unicode_is_escaped() -> None:
    assert frame(TEXT_FRAME, "\ud800", 0)[16:] == rb"\ud800"


@pytest.mark.parametrize(
    ("level", "known"), [(-5, 0), (0, 0), (9, 0), (10, 10), (25, 20), (30, 30), (49, 40), (50, 50), (1000, 50)]
)
def test_levels_between_are_rounded_down(level: int, known: int) -> None:
    assert severity(level) == known


def test_a_line_has_lambdas_names_in_lambdas_order() -> None:
    made = record("%s!", "hello", aws_request_id="id-1", tenant_id="blue", order=7, nothing=None)
    assert list(fields(made).items()) == [
        ("timestamp", "now"),
        ("level", "WARNING"),
        ("message", "hello!"),
        ("logger", "a"),
        ("requestId", "id-1"),
        ("tenantId", "blue"),
        ("order", 7),
    ]


def test_an_exception_has_its_trace_and_where_it_was_logged() -> None:
    try:
        raise KeyError("a")
    except KeyError:
        told = fields(record("it failed", exc_info=sys.exc_info()))
    (trace,) = told["stackTrace"]
    assert trace.startswith(f'  File "{__file__}"')
    assert (told["errorType"], told["errorMessage"], told["location"]) == ("KeyError", "'a'", "/app.py:function:7")


def test_exc_info_without_an_exception_says_nothing() -> None:
    assert "errorType" not in fields(record("a", exc_info=(None, None, None)))


@pytest.mark.parametrize(
    ("error", "error_type"),
    [(InvalidResult("no", "Runtime.MarshalError"), "Runtime.MarshalError"), (OSError(), "OSError")],
)
def test_failures_of_ours_have_the_names_that_lambda_is_told(error: Exception, error_type: str) -> None:
    told = fields(record("failed", name="lambent", exc_info=(type(error), error, None)))
    assert (told["errorType"], told["stackTrace"], "location" in told) == (error_type, [], False)


def test_what_lambda_is_told_may_be_another_exception_than_the_one_shown() -> None:
    shown = ModuleNotFoundError("nowhere")
    reported = TargetError("Unable to import", "Runtime.ImportModuleError")
    made = record("failed", name="lambent", exc_info=(type(shown), shown, None))
    setattr(made, records.REPORTED, reported)
    told = fields(made)
    assert (told["errorType"], told["errorMessage"]) == ("Runtime.ImportModuleError", "Unable to import")
    assert records.REPORTED not in told


def test_what_json_does_not_know_is_written_as_text() -> None:
    told = fields(record({"a": {1}}, odd=b"b"))
    assert (told["message"], told["odd"]) == ({"a": "{1}"}, "b'b'")


def test_what_logging_itself_adds_is_no_extra() -> None:
    made = record("a", taskName="Task-1")
    logging.Formatter("%(asctime)s %(message)s").format(made)
    assert fields(made).keys() == {"timestamp", "level", "message", "logger"}
