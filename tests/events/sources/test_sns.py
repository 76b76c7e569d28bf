"""SNS: notifications, to a function and in messages of a queue."""

import json
from typing import Any

import pytest
from hypothesis import given

from lambent.errors import MalformedEvent
from lambent.events.model import Source
from lambent.events.sources import sns, sqs
from lambent.events.sources.s3 import S3Record
from lambent.events.sources.sns import SnsRecord
from lambent.testing import events
from tests.events.sources.mutations import mutated, read_all
from tests.events.sources.test_carried import TEST_EVENT
from tests.payloads import payload

SOURCE: Source = sns
SAID: dict[str, str | int | float | bytes] = {"a": "text", "b": 7, "c": 7.5, "d": b"\x00\xff"}


def test_a_notification_is_read_field_by_field() -> None:
    (record,) = sns.records(payload("sns"))
    assert isinstance(record, SnsRecord)
    assert record.source == "sns"
    assert record.id == "95df01b4-ee98-5cb9-9903-4c221d41eb5e"
    assert record.arn == "arn:aws:sns:eu-west-1:123456789012:orders"
    assert (record.topic, record.name) == ("orders", "orders")
    assert (record.subject, record.body, record.sent_at) == (None, "order 7", 1751753177.410)
    assert record.message_attributes == {}
    assert record.group is None


def test_it_is_the_same_by_way_of_a_queue() -> None:
    origin = events.Origin(seed=1, now=1_751_753_177.41)
    options: dict[str, Any] = {"topic": "orders", "subject": "New", "attributes": SAID, "origin": origin}
    (direct,) = sns.records(events.sns("order 7", **options))
    (message,) = sqs.records(events.sns_sqs("order 7", **options))
    (carried,) = sqs.inner(message)
    assert isinstance(carried, SnsRecord)
    assert isinstance(direct, SnsRecord)
    for name in ("arn", "topic", "subject", "body", "sent_at", "message_attributes"):
        assert getattr(carried, name) == getattr(direct, name), name
    assert direct.message_attributes == SAID
    assert "SigningCertURL" in carried.notification
    assert "SigningCertUrl" in direct.notification


def test_an_event_of_s3_is_inside_also_by_way_of_a_queue() -> None:
    (direct,) = sns.records(events.sns(events.s3("a b.txt")))
    (message,) = sqs.records(events.sns_sqs(events.s3("a b.txt")))
    (notification,) = sqs.inner(message)
    for record in (direct, notification):
        (inside,) = sns.inner(record)
        assert isinstance(inside, S3Record)
        assert (inside.key, inside.carrier) == ("a b.txt", record)
    assert notification.carrier is message


def test_the_test_of_s3_is_nothing() -> None:
    (record,) = sns.records(events.sns(TEST_EVENT))
    assert sns.is_nothing(record)
    assert list(sns.inner(record)) == []
    assert not sns.is_nothing(sns.records(events.sns("a"))[0])
    (message,) = sqs.records(events.sns_sqs(TEST_EVENT))
    assert sqs.is_nothing(message)


def test_there_are_no_partial_failures() -> None:
    found = sns.records(events.sns("a", "b"))
    assert sns.reply(found, found) is None


def test_an_event_with_a_small_letter_is_not_of_sns() -> None:
    event = events.sns("a")
    event["Records"][0]["eventSource"] = event["Records"][0].pop("EventSource")
    with pytest.raises(MalformedEvent, match="of aws:sns, but number 1 is not"):
        sns.records(event)


@given(event=mutated(events.sns(json.dumps({"id": 7}), subject="New", attributes=SAID)))
def test_any_mutation_is_read_or_refused_as_listed(event: Any) -> None:
    read_all(sns, event)
