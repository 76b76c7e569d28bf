"""SQS: messages, what is inside of them, and which of them are to come again."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.errors import MalformedEvent
from lambent.events.model import Record, Source
from lambent.events.sources import sqs
from lambent.events.sources.eventbridge import EventBridgeRecord
from lambent.events.sources.s3 import S3Record
from lambent.events.sources.sns import SnsRecord
from lambent.events.sources.sqs import SqsRecord
from lambent.testing import events
from tests.events.sources.mutations import mutated, read_all
from tests.payloads import payload

SOURCE: Source = sqs


def message(*args: Any, **options: Any) -> SqsRecord:
    (record,) = messages(*args, **options)
    return record


def messages(*args: Any, **options: Any) -> list[SqsRecord]:
    found = sqs.records(events.sqs(*args, **options))
    assert all(isinstance(each, SqsRecord) for each in found)
    return [each for each in found if isinstance(each, SqsRecord)]


def test_a_message_is_read_field_by_field() -> None:
    (record,) = sqs.records(payload("sqs"))
    assert isinstance(record, SqsRecord)
    assert record.source == "sqs"
    assert record.id == "19dd0b57-b21e-4ac1-bd88-01bbb068cb78"
    assert record.arn == "arn:aws:sqs:eu-west-1:123456789012:orders"
    assert (record.queue, record.name, record.region) == ("orders", "orders", "eu-west-1")
    assert record.body == '{"order": 7}'
    assert (record.is_fifo, record.group, record.deduplication_id, record.sequence_number) == (False, None, None, None)
    assert (record.receive_count, record.sent_at, record.first_received_at) == (1, 1751753177.410, 1751753177.415)
    assert record.attributes["SenderId"] == "AIDAIENQZJOLO23YVJ4VO"
    assert record.message_attributes == {}
    assert record.receipt_handle.startswith("AQEB")
    assert repr(record) == "<SqsRecord 19dd0b57-b21e-4ac1-bd88-01bbb068cb78>"


def test_a_fifo_queue_has_groups() -> None:
    first, second = messages("a", "b", queue="orders", group="customer 7")
    assert (first.queue, first.is_fifo, first.group) == ("orders.fifo", True, "customer 7")
    assert first.deduplication_id != second.deduplication_id
    assert int(first.sequence_number or 0) < int(second.sequence_number or 0)
    (captured,) = sqs.records(payload("sqs_fifo"))
    assert isinstance(captured, SqsRecord)
    assert (captured.queue, captured.group, captured.deduplication_id) == ("orders.fifo", "customer-7", "order-7")
    assert (captured.sequence_number, captured.receive_count) == ("18849496460467696128", 2)
    assert captured.message_attributes == {"weight": 7.5}


def test_a_group_of_a_standard_queue_says_nothing_of_order() -> None:
    record = message("a")
    record.raw["attributes"]["MessageGroupId"] = "tenant 7"
    assert record.group is None


def test_attributes_of_a_message_are_decoded() -> None:
    said: dict[str, str | int | float | bytes] = {"a": "text", "b": 7, "c": 7.5, "d": b"\x00\xff"}
    assert message("a", attributes=said).message_attributes == said


def test_ten_thousand_records_are_made_without_reading_them() -> None:
    found = sqs.records({"Records": [{"eventSource": "aws:sqs"}] * 10_000})
    assert len(found) == 10_000
    assert not hasattr(found[0], "__dict__")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("messageId", None, "`messageId` to be a string, but got nothing"),
        ("body", 7, "`body` to be a string, but got a number"),
        ("attributes", [], "`attributes` to be an object, but got a list"),
        ("attributes", {"SentTimestamp": "soon"}, "`attributes.SentTimestamp` to be milliseconds since the epoch"),
        ("attributes", {"ApproximateReceiveCount": "-1"}, "`attributes.ApproximateReceiveCount` to be a whole number"),
    ],
)
def test_what_is_wrong_with_a_message_is_told_when_it_is_read(field: str, value: object, said: str) -> None:
    event = events.sqs("a", "b")
    event["Records"][1][field] = value
    first, second = sqs.records(event)
    properties = ("id", "body", "sent_at", "receive_count")
    assert all(getattr(first, name) is not None for name in properties)
    wanted = field if field == "body" else {"messageId": "id"}.get(field, "")
    wanted = wanted or ("receive_count" if "Count" in said else "sent_at")
    with pytest.raises(MalformedEvent, match=said):
        getattr(second, wanted)


# The reply


def test_messages_that_have_failed_are_named() -> None:
    found = messages("a", "b", "c")
    assert sqs.reply(found, [found[0], found[2]]) == {
        "batchItemFailures": [{"itemIdentifier": found[0].id}, {"itemIdentifier": found[2].id}]
    }


def test_an_empty_list_says_that_all_went_well() -> None:
    assert sqs.reply(messages("a"), []) == {"batchItemFailures": []}
    assert sqs.reply([], iter([])) == {"batchItemFailures": []}


def test_of_what_was_inside_the_message_is_named_and_once() -> None:
    record = message(events.s3("a", "b"))
    inside = sqs.inner(record)
    assert len(inside) == 2
    assert sqs.reply([record], [record, *inside]) == {"batchItemFailures": [{"itemIdentifier": record.id}]}


def test_of_a_notification_inside_a_notification_the_message_is_named() -> None:
    (record,) = sqs.records(events.sns_sqs(events.s3("a")))
    (notification,) = sqs.inner(record)
    (about,) = inner_of_notification(notification)
    assert sqs.reply([record], [about]) == {"batchItemFailures": [{"itemIdentifier": record.id}]}


def inner_of_notification(record: Record) -> Sequence[Record]:
    from lambent.events.sources import sns

    return sns.inner(record)


def test_a_message_without_an_id_cannot_be_named() -> None:
    record = message("a")
    del record.raw["messageId"]
    with pytest.raises(MalformedEvent, match="messageId"):
        sqs.reply([record], [record])


# Inside


def test_a_notification_of_sns_is_inside() -> None:
    (record,) = sqs.records(events.sns_sqs("order 7", topic="orders"))
    (inside,) = sqs.inner(record)
    assert isinstance(inside, SnsRecord)
    assert (inside.topic, inside.body, inside.carrier) == ("orders", "order 7", record)


def test_an_event_of_s3_is_inside() -> None:
    record = message(events.s3("a b.txt", "c", bucket="uploads"))
    found = sqs.inner(record)
    assert [each.key for each in found if isinstance(each, S3Record)] == ["a b.txt", "c"]
    assert all(each.carrier is record for each in found)


def test_an_event_of_a_bus_is_inside() -> None:
    record = message(events.eventbridge({"id": 7}, source="shop"))
    (inside,) = sqs.inner(record)
    assert isinstance(inside, EventBridgeRecord)
    assert (inside.origin, inside.detail, inside.carrier) == ("shop", {"id": 7}, record)


def test_the_test_of_s3_is_nothing_and_has_nothing_inside() -> None:
    record = message({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "uploads", "Records": "aws:s3"})
    assert sqs.is_nothing(record)
    assert sqs.inner(record) == ()
    assert not sqs.is_nothing(message(events.s3("a")))


@given(body=st.text() | st.none() | st.integers() | st.dictionaries(st.text(max_size=3), st.text(max_size=3)))
def test_looking_inside_never_raises(body: Any) -> None:
    record = message("a")
    record.raw["body"] = body if body is None or isinstance(body, int | str) else json.dumps(body)
    assert sqs.inner(record) == ()
    assert not sqs.is_nothing(record)


# Whatever comes


@given(event=mutated(events.sqs("a", "b", queue="orders", group="g", attributes={"a": 1, "b": b"x"})))
def test_any_mutation_is_read_or_refused_as_listed(event: Any) -> None:
    read_all(sqs, event)
