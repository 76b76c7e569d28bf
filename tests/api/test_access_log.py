"""One line for each request: what it tells, where it goes, and what may be added to it."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import re
import socket
import subprocess
import sys
import threading
import time
from contextvars import copy_context
from typing import Any

import pytest

from lambent.api import access_log
from lambent.api.access_log import AccessLog, Entry, log
from lambent.errors import ConfigurationError, NoInvocation
from tests.events.doubles import Context

ID = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"


class Lines:
    """Where a log of a test goes."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, line: str) -> None:
        self.texts.append(line)

    @property
    def last(self) -> dict[str, Any]:
        fields: dict[str, Any] = json.loads(self.texts[-1])
        return fields


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Lines:
    monkeypatch.delenv("AWS_LAMBDA_LOG_FORMAT", raising=False)
    monkeypatch.delenv("AWS_LAMBDA_LOG_STREAM_NAME", raising=False)
    return Lines()


def answered(log: AccessLog, status_code: int = 200, error: BaseException | None = None) -> Entry:
    entry = log.begin("GET", "/items/7", ID)
    entry.status_code = status_code
    log.end(entry, error)
    return entry


def raised(error: BaseException) -> BaseException:
    """With a traceback."""
    try:
        raise error
    except BaseException as caught:
        return caught


# What a line tells


def test_a_line_has_these_fields_in_this_order(lines: Lines) -> None:
    before = time.time()
    entry = AccessLog(client_ip=True, write=lines).begin("GET", "/items/7", ID, "curl/8.5.0", "192.0.2.1", Context(3))
    entry.route = "/items/{item_id}"
    entry.status_code = 200
    AccessLog(write=lines).end(entry)

    told = lines.last
    assert (
        list(told)
        == (
            "type level date server_id id method path route status_code execution_time user_agent cold_start "
            "remaining_time client_ip"
        ).split()
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", told["date"])
    assert 0 <= told.pop("execution_time") < 5000
    assert 0 < told.pop("remaining_time") <= 3000
    assert told == {
        "type": "access",
        "level": "info",
        "date": told["date"],
        "server_id": "stream",
        "id": ID,
        "method": "GET",
        "path": "/items/7",
        "route": "/items/{item_id}",
        "status_code": 200,
        "user_agent": "curl/8.5.0",
        "cold_start": True,
        "client_ip": "192.0.2.1",
    }
    assert time.strftime("%Y", time.gmtime(before)) in told["date"]


def test_the_date_is_when_the_request_came_in_utc(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    now, ticks = 1_795_262_400.124, iter([10.0, 11.5, 20.0, 21.123])
    monkeypatch.setattr(access_log, "perf_counter", lambda: next(ticks))
    monkeypatch.setattr(access_log, "time", lambda: now)
    log = AccessLog(write=lines)
    answered(log)
    assert lines.last["date"] == "2026-11-21T11:59:58.624Z"
    assert lines.last["execution_time"] == 1500.0
    answered(log)
    assert lines.last["date"] == "2026-11-21T11:59:59.001Z"
    assert lines.last["execution_time"] == 1123.0


@pytest.mark.parametrize(
    ("status_code", "level"),
    [(200, "info"), (304, "info"), (399, "info"), (400, "warning"), (499, "warning"), (500, "error"), (504, "error")],
)
def test_the_level_is_the_statuss(status_code: int, level: str, lines: Lines) -> None:
    answered(AccessLog(write=lines), status_code)
    assert (lines.last["level"], lines.last["status_code"]) == (level, status_code)


def test_a_field_that_is_added_while_the_line_is_made_does_not_cost_it(lines: Lines) -> None:
    own = AccessLog(write=lines)
    entry = own.begin("GET", "/", ID)

    class Adding:
        """As a thread that the request has left behind may do it."""

        def __str__(self) -> str:
            entry["late"] = 1
            return "told"

    entry["early"] = Adding()
    own.end(entry)
    assert lines.last["early"] == "told"


def test_an_application_may_say_another_level(lines: Lines) -> None:
    own = AccessLog(write=lines)
    entry = own.begin("GET", "/", ID)
    entry.level = "warning"
    entry.status_code = 200
    own.end(entry)
    assert lines.last["level"] == "warning"


def test_what_nobody_has_handled_is_critical_and_has_its_traceback(lines: Lines) -> None:
    answered(AccessLog(write=lines), 0, raised(ValueError("no\nstock")))
    told = lines.last
    assert (told["level"], told["status_code"]) == ("critical", 500)
    assert told["exception"] == {"type": "ValueError", "message": "no\nstock"}
    assert told["traceback"].startswith("Traceback (most recent call last):\n")
    assert "in raised\n" in told["traceback"]
    assert len(lines.texts[-1].splitlines()) == 1


def test_a_status_that_has_been_sent_stays(lines: Lines) -> None:
    answered(AccessLog(write=lines), 200, raised(ValueError("in the stream")))
    assert (lines.last["level"], lines.last["status_code"]) == ("critical", 200)


def test_without_a_response_it_is_500(lines: Lines) -> None:
    answered(AccessLog(write=lines), 0)
    assert (lines.last["level"], lines.last["status_code"]) == ("error", 500)


def test_an_exception_that_cannot_be_told_is_told_by_its_type(lines: Lines) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise ValueError("no")

    answered(AccessLog(write=lines), 0, raised(Mute()))
    assert lines.last["exception"]["message"] == "<Mute>"


def test_the_error_detail_is_there_if_there_is_one(lines: Lines) -> None:
    own = AccessLog(write=lines)
    answered(own)
    assert "error_detail" not in lines.last
    entry = own.begin("GET", "/", ID)
    log().error_detail = "d" * 10_000
    own.end(entry)
    assert lines.last["error_detail"] == "d" * 4000


def test_the_address_of_the_client_is_there_only_if_asked_for(lines: Lines) -> None:
    own = AccessLog(write=lines)
    own.end(own.begin("GET", "/", ID, None, "192.0.2.1"))
    assert "192.0.2.1" not in lines.texts[-1]


def test_what_a_client_sends_is_cut(lines: Lines) -> None:
    own = AccessLog(write=lines)
    own.end(own.begin("M" * 99, "/" * 9999, ID, "u" * 9999))
    assert [len(lines.last[name]) for name in ("method", "path", "user_agent")] == [50, 2000, 500]


def test_nobody_can_write_a_line_of_their_own(lines: Lines) -> None:
    own = AccessLog(write=lines)
    own.end(own.begin("GET", '/\n{"type":"access"}\r\u2028"', ID, "a\r\nb\x85c"))
    assert lines.texts[-1].splitlines() == [lines.texts[-1]]
    assert lines.last["path"] == '/\n{"type":"access"}\r\u2028"'
    assert lines.last["user_agent"] == "a\r\nb\x85c"


def test_without_a_route_or_a_user_agent_they_are_null(lines: Lines) -> None:
    answered(AccessLog(write=lines), 404)
    assert lines.last["route"] is lines.last["user_agent"] is None


def test_the_first_request_is_the_cold_one(lines: Lines) -> None:
    own = AccessLog(write=lines)
    first, second = own.begin("GET", "/", "1"), own.begin("GET", "/", "2")
    own.end(second)
    own.end(first)
    assert [json.loads(each)["cold_start"] for each in lines.texts] == [False, True]
    answered(AccessLog(write=lines))
    assert lines.last["cold_start"] is True


# Which environment


def test_the_server_is_the_log_stream(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_LOG_STREAM_NAME", "2026/01/01/[$LATEST]0123")
    answered(AccessLog(write=lines))
    assert lines.last["server_id"] == "2026/01/01/[$LATEST]0123"


def test_elsewhere_it_is_the_host_and_the_process_and_stays(lines: Lines) -> None:
    own = AccessLog(write=lines)
    answered(own)
    assert lines.last["server_id"] == f"{socket.gethostname()}-{os.getpid()}"
    own.end(own.begin("GET", "/", ID, context=Context(3)))
    assert lines.last["server_id"] == f"{socket.gethostname()}-{os.getpid()}"


def test_where_the_log_is_json_it_has_the_timestamp_that_the_filter_of_levels_needs(
    lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_LOG_FORMAT", "JSON")
    own = AccessLog(write=lines)
    answered(own)
    assert lines.last["timestamp"] == lines.last["date"]
    own.end(own.begin("GET", "/", ID), ValueError())
    assert lines.last["level"] == "FATAL"
    monkeypatch.setenv("AWS_LAMBDA_LOG_FORMAT", "Text")
    answered(AccessLog(write=lines))
    assert "timestamp" not in lines.last


# What is added


def test_fields_are_added(lines: Lines) -> None:
    own = AccessLog(write=lines, fields={"service": "shop", "stage": "test"})
    entry = own.begin("GET", "/", ID)
    log()["user"] = 7
    log()["stage"] = "prod"
    log()["when"] = object
    own.end(entry)
    assert {name: lines.last[name] for name in ("service", "stage", "user", "when")} == {
        "service": "shop",
        "stage": "prod",
        "user": 7,
        "when": "<class 'object'>",
    }
    answered(own)
    assert lines.last["stage"] == "test"
    assert "user" not in lines.last


@pytest.mark.parametrize("name", sorted(access_log.RESERVED))
def test_not_in_the_place_of_the_logs_own(name: str, lines: Lines) -> None:
    own = AccessLog(write=lines)
    entry = own.begin("GET", "/", ID)
    with pytest.raises(ConfigurationError, match=f"'{name}'"):
        entry[name] = 1
    with pytest.raises(ConfigurationError, match=f"'{name}'"):
        AccessLog(fields={name: 1})
    entry.fields[name] = "forged"
    own.end(entry)
    assert "forged" not in lines.texts[-1]


def test_each_field_of_a_line_is_reserved(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_LOG_FORMAT", "JSON")
    own = AccessLog(client_ip=True, write=lines)
    entry = own.begin("GET", "/", ID, "a", "192.0.2.1", Context(3))
    entry.error_detail = "d"
    own.end(entry, raised(ValueError()))
    assert set(lines.last) == access_log.RESERVED


def test_redacted_fields_keep_their_values_to_themselves(lines: Lines) -> None:
    own = AccessLog(write=lines, redact=["password", "user_agent", "Stage"], fields={"stage": "secret"})
    entry = own.begin("GET", "/", ID, "secret")
    entry["Password"] = "secret"
    entry["form"] = {"name": "Ada", "fields": [{"password": "secret"}]}
    own.end(entry)
    assert "secret" not in lines.texts[-1]
    assert lines.last["user_agent"] == lines.last["Password"] == lines.last["stage"] == "***"
    assert lines.last["form"] == {"name": "Ada", "fields": [{"password": "***"}]}
    assert entry.fields["Password"] == "secret"


def test_names_are_given_as_several() -> None:
    with pytest.raises(ConfigurationError, match=r"\['password'\]"):
        AccessLog(redact="password")
    with pytest.raises(ConfigurationError, match=r"\['/health'\]"):
        AccessLog(ignore="/health")


# From anywhere


def test_outside_of_a_request_there_is_none() -> None:
    with pytest.raises(NoInvocation, match="no request"):
        log()


def test_it_is_reached_from_tasks_and_threads_with_the_context(lines: Lines) -> None:
    def in_thread(name: str) -> None:
        log()[name] = threading.current_thread() is not threading.main_thread()

    async def in_task() -> None:
        log()["task"] = True

    async def request() -> None:
        own = AccessLog(write=lines)
        entry = own.begin("GET", "/", ID)
        await asyncio.to_thread(in_thread, "to_thread")
        await asyncio.create_task(in_task())
        thread = threading.Thread(target=copy_context().run, args=[in_thread, "thread"])
        thread.start()
        thread.join()
        own.end(entry)
        with pytest.raises(NoInvocation):
            log()

    asyncio.run(request())
    assert [lines.last[name] for name in ("to_thread", "task", "thread")] == [True, True, True]


def test_requests_at_the_same_time_have_each_their_own(lines: Lines) -> None:
    async def request(own: AccessLog, number: int) -> None:
        entry = own.begin("GET", f"/{number}", str(number))
        await asyncio.sleep(0)
        log()["number"] = number
        await asyncio.sleep(0)
        own.end(entry)

    async def all_of_them() -> None:
        own = AccessLog(write=lines)
        await asyncio.gather(*(request(own, number) for number in range(20)))

    asyncio.run(all_of_them())
    told = list(map(json.loads, lines.texts))
    assert sorted(each["number"] for each in told) == list(range(20))
    assert all(each["path"] == f"/{each['number']}" for each in told)


def test_an_api_in_another_gives_the_outer_entry_back(lines: Lines) -> None:
    own = AccessLog(write=lines)
    outer = own.begin("GET", "/outer", ID)
    inner = own.begin("GET", "/inner", ID)
    assert log() is inner
    own.end(inner)
    assert log() is outer
    own.end(outer)


# What is not told


@pytest.mark.parametrize(
    ("path", "is_told"),
    [("/health", False), ("/health/", True), ("/static/a/b.css", False), ("/static/", False), ("/static", True)],
)
def test_ignored_paths_are_not_told_unless_they_fail(path: str, is_told: bool, lines: Lines) -> None:
    own = AccessLog(write=lines, ignore=["/health", "/static/*"])
    entry = own.begin("GET", path, ID)
    log()["a"] = 1
    entry.status_code = 404
    own.end(entry)
    assert bool(lines.texts) == is_told

    failed = own.begin("GET", path, ID)
    failed.status_code = 504
    own.end(failed)
    assert lines.last["level"] == "error"

    own.end(own.begin("GET", path, ID), raised(ValueError()))
    assert lines.last["level"] == "critical"


def test_a_request_may_be_dropped_later(lines: Lines) -> None:
    own = AccessLog(write=lines)
    entry = own.begin("GET", "/", ID)
    entry.dropped, entry.status_code = True, 200
    own.end(entry)
    assert lines.texts == []


def test_a_log_that_is_off_has_entries_and_no_lines(lines: Lines) -> None:
    own = AccessLog(write=lines, enabled=False)
    entry = own.begin("GET", "/", ID)
    log()["a"] = 1
    own.end(entry, raised(ValueError()))
    assert lines.texts == []


def test_a_line_that_cannot_be_written_is_told_and_fails_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def full(line: str) -> None:
        raise OSError("the disk is full")

    answered(AccessLog(write=full))
    assert [(record.name, record.levelno) for record in caplog.records] == [("lambent", logging.ERROR)]
    assert ID in caplog.text
    assert "the disk is full" in caplog.text


# Where it goes


class Pieces(io.TextIOBase):
    """A standard output that remembers what was called."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def write(self, text: str) -> int:
        self.calls.append(text)
        return len(text)

    def flush(self) -> None:
        self.calls.append("flush")


def test_it_goes_to_the_standard_output_of_the_moment_in_one_piece(
    lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = AccessLog()
    pieces = Pieces()
    monkeypatch.setattr(sys, "stdout", pieces)
    answered(own)
    line, flush = pieces.calls
    assert flush == "flush"
    assert line.endswith("}\n")
    assert json.loads(line)["id"] == ID


def test_an_output_of_another_encoding_gets_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, "latin-1"))
    own = AccessLog()
    own.end(own.begin("GET", "/Ω/é", ID))
    assert json.loads(raw.getvalue().decode("ascii"))["path"] == "/Ω/é"


def test_a_process_without_an_output_answers_nevertheless(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    answered(AccessLog())
    assert caplog.records == []


WITH_THE_RUNTIME = """
import logging, os, sys
from lambent.runtime import logs
logs.install(os.environ)
from lambent.api.access_log import AccessLog
log = AccessLog()
for status_code in (200, 404, 503):
    entry = log.begin("GET", "/\\n", "id")
    entry.status_code = status_code
    log.end(entry)
logging.getLogger().debug("not of interest")
"""


@pytest.mark.parametrize("level", ["", "ERROR", "TRACE"])
@pytest.mark.parametrize("form", ["Text", "JSON"])
def test_under_our_runtime_a_request_is_one_line_whatever_lambda_is_told_of_logs(form: str, level: str) -> None:
    """Lambda itself passes on a line of the standard output as it is, and filters it by what it says of itself."""
    variables = {**os.environ, "AWS_LAMBDA_LOG_FORMAT": form, "AWS_LAMBDA_LOG_LEVEL": level}
    done = subprocess.run([sys.executable, "-c", WITH_THE_RUNTIME], env=variables, capture_output=True, check=True)
    told = [json.loads(line) for line in done.stdout.decode().splitlines() if '"access"' in line]
    levels = {
        "Text": ["info", "warning", "error"],
        "JSON": ["INFO", "WARN", "ERROR"],
    }  # in JSON those that it filters by
    assert [each["level"] for each in told] == levels[form]
    assert [("timestamp" in each) for each in told] == [form == "JSON"] * 3
