"""RabbitMQ: messages of queues in virtual hosts."""

from typing import Any

import pytest
from hypothesis import given

from lambent.errors import MalformedEvent
from lambent.events.model import Source
from lambent.events.sources import detect, rabbitmq
from lambent.events.sources.rabbitmq import RabbitMqRecord
from lambent.testing import events
from tests.events.sources.mutations import mutated, read_all
from tests.payloads import payload

SOURCE: Source = rabbitmq


def records(event: Any) -> list[RabbitMqRecord]:
    return [each for each in rabbitmq.records(event) if isinstance(each, RabbitMqRecord)]


def test_a_message_is_read_field_by_field() -> None:
    event = payload("rabbitmq")
    assert detect(event).source is rabbitmq
    record, other = records(event)
    assert (record.source, record.id, record.queue, record.name, record.virtual_host) == (
        "rabbitmq",
        "m-7",
        "orders",
        "orders",
        "/",
    )
    assert record.arn == "arn:aws:mq:eu-west-1:123456789012:broker:shop:b-9bcfa592-423a-4942-879d-eb284b418fc8"
    assert (record.body, record.size) == (b'{"id": 7}', 9)
    assert record.headers == {
        "place": "Köln",
        "raw": b"\xff\x00",
        "number": 10,
        "list": ["a", True],
        "table": {"deep": "b"},
    }
    assert (record.content_type, record.content_encoding) == ("application/json", None)
    assert (record.correlation_id, record.reply_to, record.type, record.app_id) == (None, None, None, None)
    assert (record.user_id, record.priority, record.sent_at) == ("AIDACKCEVSQ6C2EXAMPLE", 34, 2021.0)
    assert (record.group, record.redelivered) == (None, False)
    assert (other.queue, other.virtual_host, other.id, other.body) == ("returns", "shop", "", b"")
    assert (other.headers, other.sent_at, other.redelivered) == ({}, None, True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Jan 1, 1970, 12:00:00 AM", 0.0),
        ("Jan 1, 1970, 12:00:01 PM", 43201.0),
        ("Nov 14, 2023, 10:13:20\u202fPM", 1_700_000_000.0),
    ],
)
def test_times_are_javas(text: str, expected: float) -> None:
    record, _ = records(payload("rabbitmq"))
    record.raw["basicProperties"]["timestamp"] = text
    assert record.sent_at == expected


@pytest.mark.parametrize(
    "text", ["", "Jan 1, 1970", "Foo 1, 1970, 1:00:00 AM", "Jan 99, 1970, 1:00:00 AM", "Jan 1, 1970, 1:00 AM"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    record, _ = records(payload("rabbitmq"))
    record.raw["basicProperties"]["timestamp"] = text
    with pytest.raises(MalformedEvent, match="timestamp"):
        _ = record.sent_at


def test_a_queue_without_a_host_is_named_as_it_is() -> None:
    event = {"eventSource": "aws:rmq", "rmqMessagesByQueue": {"orders": [{}], "a::b::/": [{}]}}
    assert [(each.queue, each.virtual_host) for each in records(event)] == [("orders", ""), ("a::b", "/")]


def test_what_our_builder_makes_is_read() -> None:
    (record,) = records(events.rabbitmq(b"\x00", queue="orders", virtual_host="shop", headers={"a": "ü"}))
    assert (record.body, record.queue, record.virtual_host, record.headers) == (b"\x00", "orders", "shop", {"a": "ü"})
    assert record.sent_at is not None


def test_a_failure_fails_the_invocation() -> None:
    found = records(payload("rabbitmq"))
    assert SOURCE.reply(found, found) is None


@given(event=mutated(payload("rabbitmq")))
def test_any_mutation_is_read_or_refused_as_listed(event: Any) -> None:
    read_all(rabbitmq, event)
