"""One line for each record."""

from __future__ import annotations

import json
import logging
import time

import pytest

from lambent.errors import DecodingError, MalformedEvent
from lambent.events import log
from lambent.events.model import Record
from tests.events.doubles import Plain


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    return [json.loads(message) for message in caplog.messages]


def test_what_is_done_is_information(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert log.is_on()
        log.done([Plain("m1")], time.perf_counter() - 0.5)
    (line,) = lines(caplog)
    duration = line.pop("duration_ms")
    assert isinstance(duration, float)
    assert 500 <= duration < 5000
    assert line == {"source": "", "name": "", "id": "m1", "outcome": "done"}
    assert caplog.records[0].levelno == logging.INFO
    told: object = caplog.records[0].msg
    assert isinstance(told, dict)
    assert told["id"] == "m1", "an object, where the log is JSON"


def test_it_is_off_at_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert not log.is_on()
        log.done([Plain("m1")], time.perf_counter())
    assert caplog.messages == []


def test_what_has_failed_is_an_error_with_the_traceback_of_the_function(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise ValueError("größer")
    except ValueError as error:
        log.failed([Plain("m1"), Plain("m2")], error, time.perf_counter())
    (line,) = lines(caplog)
    assert line.pop("duration_ms") is not None
    assert line == {
        "source": "",
        "name": "",
        "id": "m1",
        "records": 2,
        "outcome": "failed",
        "error": "ValueError: größer",
    }
    assert "größer" in caplog.messages[0]
    assert "test_what_has_failed" in caplog.text


def test_our_own_frames_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    from lambent.events.decode import text

    with pytest.raises(DecodingError) as raised:
        text(7)
    assert raised.value.__traceback__ is not None
    log.failed([Plain("m1")], raised.value.with_traceback(raised.value.__traceback__.tb_next))
    assert caplog.records[0].exc_info is None
    assert lines(caplog)[0]["outcome"] == "failed"


def test_a_cause_is_told(caplog: pytest.LogCaptureFixture) -> None:
    error = DecodingError("no")
    error.__cause__ = KeyError("of the decoder")
    log.failed([Plain("m1")], error)
    assert "of the decoder" in caplog.text


def test_what_a_function_of_batches_returns_as_failed_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    log.done([Plain("m1"), Plain("m2"), Plain("m3")], time.perf_counter(), 2)
    (line,) = lines(caplog)
    assert (line["records"], line["failed"], line["outcome"]) == (3, 2, "failed")
    assert caplog.records[0].levelno == logging.ERROR


def test_a_malformed_record_can_be_told_of(caplog: pytest.LogCaptureFixture) -> None:
    class Malformed(Record):
        @property
        def id(self) -> str:
            raise MalformedEvent("no")

    log.failed([Malformed({})], ValueError("no"))
    assert lines(caplog)[0]["id"] is None
