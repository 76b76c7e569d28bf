"""CloudWatch Logs: what is unpacked, and what cannot be."""

import base64
import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.errors import MalformedEvent
from lambent.events.model import Source
from lambent.events.sources import logs
from lambent.events.sources.logs import LogsRecord
from lambent.testing import events
from tests.events.sources.mutations import mutated, read_all
from tests.payloads import payload

SOURCE: Source = logs


def packed(data: bytes) -> dict[str, Any]:
    return {"awslogs": {"data": base64.b64encode(data).decode()}}


def test_entries_are_read_field_by_field() -> None:
    origin = events.Origin(seed=1, now=1_751_753_177.41)
    event = events.logs("first", "sécond", log_group="/aws/lambda/items", filter_name="errors", origin=origin)
    (record,) = logs.records(event)
    assert isinstance(record, LogsRecord)
    assert record.source == "logs"
    assert (record.name, record.log_group) == ("/aws/lambda/items", "/aws/lambda/items")
    assert record.log_stream.startswith("2025/07/05/[$LATEST]")
    assert len(record.owner) == 12
    assert record.subscription_filters == ["errors"]
    assert [each.message for each in record.events] == ["first", "sécond"]
    assert [each.at for each in record.events] == [1751753177.410, 1751753177.411]
    assert record.id == record.events[0].id
    assert record.body is record.raw
    assert repr(record.events[0]) == f"<LogEvent {record.id}>"


def test_a_control_message_is_nothing_to_do() -> None:
    assert logs.records(payload("logs_control_message")) == ()


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"awslogs": {"data": 7}}, "`awslogs.data` to be a string, but got a number"),
        ({"awslogs": {"data": "hunter2!"}}, "`awslogs.data` to be base64, but it is not"),
        (packed(b"hunter2"), "compressed by gzip, but it is not"),
        (packed(gzip.compress(b"hunter2")[:-5]), "to be complete"),
        (packed(b""), "to be complete"),
        (packed(gzip.compress(b"hunter2")), "to hold JSON, but it does not"),
        (packed(gzip.compress(b"\xff\xfe\xff")), "to hold JSON, but it does not"),
        (packed(gzip.compress(b"[" * 100_000)), "to hold JSON, but it does not"),
        (packed(gzip.compress(b'["hunter2"]')), "`awslogs.data` to be an object, but got a list"),
    ],
    ids=range(9),
)
def test_what_cannot_be_unpacked_is_told_without_what_it_holds(event: Any, said: str) -> None:
    with pytest.raises(MalformedEvent, match=said) as caught:
        logs.records(event)
    assert "hunter2" not in str(caught.value)


def test_what_would_fill_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "SIZE", 100_000)
    assert logs.unpacked(packed(gzip.compress(b'"' + b"a" * 99_998 + b'"'))["awslogs"]["data"])
    with pytest.raises(MalformedEvent, match="and 100000 bytes at most"):
        logs.unpacked(packed(gzip.compress(b'"' + b"a" * 99_999 + b'"'))["awslogs"]["data"])


UNPACKED = logs.unpacked(events.logs("a", "b")["awslogs"]["data"])


@given(data=mutated(UNPACKED))
def test_any_mutation_is_read_or_refused_as_listed(data: Any) -> None:
    read_all(logs, packed(gzip.compress(json.dumps(data).encode())))


@given(event=mutated(events.logs("a")) | st.binary().map(packed) | st.binary().map(gzip.compress).map(packed))
def test_any_mutation_of_what_is_packed_is_read_or_refused_as_listed(event: Any) -> None:
    read_all(logs, event)
