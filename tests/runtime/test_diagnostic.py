"""What Lambda is told of a failure: its words, and the user's frames only."""

import asyncio
import contextlib
import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from traceback import extract_tb
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lambent
from lambent.errors import InvalidResult, TargetError
from lambent.http1 import head
from lambent.runtime.diagnostic import Diagnostic, diagnose, log_record
from lambent.runtime.requests import error as error_request

LOOP = str(Path(lambent.__file__).parent / "runtime" / "loop.py")
ADAPTER = str(Path(lambent.__file__).parent / "adapter.py")
ASYNCIO = str(Path(asyncio.__file__).parent / "base_events.py")
IMPORTLIB = import_module.__code__.co_filename
FROZEN = "<frozen importlib._bootstrap>"
APP = "/var/task/app.py"
OTHER = "/var/task/other.py"


def raised(error: BaseException, *files: str) -> BaseException:
    """`error` as it comes up through one function in each of `files`, the outermost first."""
    step: Callable[[], None] | None = None
    for file in reversed(files):
        names: dict[str, Any] = {"error": error, "inner": step}
        exec(compile("def step():\n    " + ("inner()" if step else "raise error"), file, "exec"), names)
        step = names["step"]
    assert step is not None
    with pytest.raises(type(error)) as caught:
        step()
    traceback = caught.value.__traceback__
    assert traceback is not None
    return caught.value.with_traceback(traceback.tb_next)


def test_all_of_it() -> None:
    diagnostic = diagnose(raised(KeyError("a"), LOOP, APP, OTHER), "/var/task")

    assert diagnostic.error_type == "KeyError"
    assert diagnostic.message == "'a'"
    assert diagnostic.stack_trace == (
        '  File "/var/task/app.py", line 2, in step\n',
        '  File "/var/task/other.py", line 2, in step\n',
    )
    assert diagnostic.category == "Function.KeyError"
    assert json.loads(diagnostic.cause) == {
        "working_directory": "/var/task",
        "exceptions": [
            {
                "message": "'a'",
                "type": "KeyError",
                "stack": [
                    {"label": "step", "path": "/var/task/app.py", "line": 2},
                    {"label": "step", "path": "/var/task/other.py", "line": 2},
                ],
            }
        ],
        "paths": ["/var/task/app.py", "/var/task/other.py"],
    }


def test_the_body_has_the_fields_of_aws_s_client_in_its_order() -> None:
    body = Diagnostic("KeyError", "'a'", ("frame",), "Function.KeyError", "").body("id-1")
    assert list(json.loads(body).items()) == [
        ("errorMessage", "'a'"),
        ("errorType", "KeyError"),
        ("requestId", "id-1"),
        ("stackTrace", ["frame"]),
    ]


@pytest.mark.parametrize(
    ("files", "shown"),
    [
        ([APP], [APP]),
        ([LOOP, APP], [APP]),
        ([LOOP, ASYNCIO, LOOP, APP, OTHER], [APP, OTHER]),
        ([LOOP, IMPORTLIB, FROZEN, APP], [APP]),
        ([LOOP, IMPORTLIB, FROZEN, APP, FROZEN, OTHER], [APP, OTHER]),
        ([LOOP, APP, ADAPTER], [APP, ADAPTER]),
        ([LOOP, APP, ASYNCIO, ADAPTER, OTHER], [APP, ASYNCIO, ADAPTER, OTHER]),
        ([LOOP, contextlib.__file__, ADAPTER, ASYNCIO, APP], [APP]),
        ([LOOP, ADAPTER], []),
        ([LOOP, LOOP.replace("/", "\\"), "C:\\task\\app.py"], ["C:\\task\\app.py"]),
    ],
)
def test_the_trace_begins_with_the_user_s_first_frame(files: list[str], shown: list[str]) -> None:
    error = raised(ValueError(), *files)
    frames = json.loads(diagnose(error, "").cause)["exceptions"][0]["stack"]

    assert [frame["path"] for frame in frames] == shown
    assert [frame.filename for frame in extract_tb(log_record(error)[2]) if frame.filename != FROZEN] == shown


def test_what_cannot_be_imported_shows_where_its_cause_was_raised() -> None:
    cause = raised(ImportError("No module named 'x'"), LOOP, IMPORTLIB, FROZEN, APP)
    error = TargetError("Unable to import module 'app': No module named 'x'", "Runtime.ImportModuleError")
    error.__cause__ = cause
    diagnostic = diagnose(raised(error, LOOP), "")

    assert diagnostic.error_type == diagnostic.category == "Runtime.ImportModuleError"
    assert diagnostic.message == "Unable to import module 'app': No module named 'x'"
    assert diagnostic.stack_trace == ('  File "/var/task/app.py", line 2, in step\n',)
    assert log_record(error)[:2] == (ImportError, cause)


class snake_case(Exception):  # noqa: N801 - what users may do
    pass


class X(Exception):
    pass


class Ошибка(Exception):  # noqa: PLC2401 - what users may do
    pass


@pytest.mark.parametrize(
    ("error", "error_type", "category"),
    [
        (ValueError(), "ValueError", "Function.ValueError"),
        (asyncio.CancelledError(), "CancelledError", "Function.CancelledError"),
        (TargetError("", "Runtime.HandlerNotFound"), "Runtime.HandlerNotFound", "Runtime.HandlerNotFound"),
        (InvalidResult("", "Runtime.MarshalError"), "Runtime.MarshalError", "Runtime.MarshalError"),
        (
            InvalidResult("", "Function.ResponseSizeTooLarge"),
            "Function.ResponseSizeTooLarge",
            "Function.ResponseSizeTooLarge",
        ),
        (snake_case(), "snake_case", "Function.Unknown"),
        (X(), "X", "Function.Unknown"),
        (Ошибка(), "Ошибка", "Function.Unknown"),
    ],
)
def test_the_category_is_one_that_the_platform_accepts(error: Exception, error_type: str, category: str) -> None:
    diagnostic = diagnose(error, "")
    assert (diagnostic.error_type, diagnostic.category) == (error_type, category)


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters()), st.text(st.characters()), st.text(st.characters()))
def test_any_words_pass_as_ascii_json_and_in_a_header_of_one_line(message: str, request_id: str, folder: str) -> None:
    diagnostic = diagnose(ValueError(message), folder)
    body, cause = diagnostic.body(request_id).decode("ascii"), diagnostic.cause

    assert json.loads(body)["errorMessage"] == json.loads(cause)["exceptions"][0]["message"] == message
    assert json.loads(body)["requestId"] == request_id
    assert json.loads(cause)["working_directory"] == folder
    assert cause.isascii()
    assert cause.isprintable()
    lines = head(error_request("id-1", diagnostic, ""), "h:1", "").split(b"\r\n")
    assert b"lambda-runtime-function-xray-error-cause: " + cause.encode() in lines


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("This error has no words.")


class Wordless(Exception):
    def __str__(self) -> str:  # what users may do
        return None  # type: ignore[return-value]  # noqa: PLE0307 - see above


@pytest.mark.parametrize("error", [Unspeakable(), Wordless()])
def test_an_exception_that_cannot_be_turned_into_words_is_told_of_all_the_same(error: Exception) -> None:
    diagnostic = diagnose(error, "")

    assert diagnostic.error_type == type(error).__name__
    assert type(error).__name__ in diagnostic.message
    assert json.loads(diagnostic.cause)["exceptions"][0]["message"] == diagnostic.message


def test_a_deep_recursion_is_told_of_in_few_lines() -> None:
    def deeper(depth: int) -> None:
        deeper(depth + 1)

    try:
        deeper(0)
    except RecursionError as error:
        diagnostic = diagnose(error, "")

    assert len(diagnostic.stack_trace) < 10
    assert "times]" in diagnostic.stack_trace[-1]
