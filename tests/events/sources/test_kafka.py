"""Kafka: records of partitions, and which of them are to come again."""

from typing import Any

import pytest
from hypothesis import given

from lambent.errors import MalformedEvent
from lambent.events.model import Source
from lambent.events.sources import detect, kafka
from lambent.events.sources.kafka import KafkaRecord
from lambent.testing import events
from tests.events.sources.mutations import mutated, read_all
from tests.payloads import payload

SOURCE: Source = kafka


def records(event: Any) -> list[KafkaRecord]:
    return [each for each in kafka.records(event) if isinstance(each, KafkaRecord)]


@pytest.mark.parametrize("name", ["kafka_msk", "kafka_self_managed"])
def test_a_record_is_read_field_by_field(name: str) -> None:
    event = payload(name)
    assert detect(event).source is kafka
    record = records(event)[0]
    assert (record.source, record.id, record.topic, record.name) == ("kafka", "orders-0-15", "orders", "orders")
    assert (record.partition, record.offset, record.group) == (0, 15, "orders-0")
    assert (record.key, record.body) == (b"customer-7", b'{"id": 7}')
    assert record.headers == [("trace", b"ab"), ("raw", b"\x00\xff\x7f")]
    assert (record.at, record.timestamp_type) == (1751753177.41, "CREATE_TIME")


def test_partitions_are_groups() -> None:
    assert [each.group for each in records(payload("kafka_msk"))] == ["orders-0", "orders-0", "orders-1", "orders-eu-0"]


def test_a_tombstone_has_no_body_and_a_record_may_have_no_key() -> None:
    *_, tombstone, keyless = records(payload("kafka_msk"))
    assert (tombstone.key, tombstone.body) == (b"customer-7", None)
    assert (keyless.key, keyless.headers, keyless.timestamp_type) == (None, [], "LOG_APPEND_TIME")


def test_each_failure_is_named_as_the_event_names_its_partition() -> None:
    """AWS sends again what is named, and does not promise to send what follows."""
    found = records(payload("kafka_msk"))
    assert kafka.reply(found, found) == {
        "batchItemFailures": [
            {"itemIdentifier": {"partition": "orders-0", "offset": 15}},
            {"itemIdentifier": {"partition": "orders-0", "offset": 16}},
            {"itemIdentifier": {"partition": "orders-1", "offset": 3}},
            {"itemIdentifier": {"partition": "orders-eu-0", "offset": 8}},
        ]
    }
    assert kafka.reply(found, []) == {"batchItemFailures": []}


def test_powertools_names_failures_the_same() -> None:
    from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

    event = events.kafka("a", "b", topic="orders", partition=3, offset=5)

    def fail(record: Any) -> None:
        if record.offset == 6:
            raise ValueError

    theirs = process_partial_response(
        event=event, record_handler=fail, processor=BatchProcessor(event_type=EventType.Kafka), context=None
    )
    found = records(event)
    assert kafka.reply(found, found[1:]) == theirs


def test_a_failure_without_an_offset_fails_the_whole_batch() -> None:
    found = records(payload("kafka_self_managed"))
    del found[0].raw["offset"]
    with pytest.raises(MalformedEvent, match="offset"):
        kafka.reply(found, found)


@pytest.mark.parametrize("held", [None, {}, ["a"]])
def test_records_that_are_no_list_of_objects_are_refused(held: object) -> None:
    with pytest.raises(MalformedEvent, match="orders-0"):
        kafka.records({"eventSource": "aws:kafka", "records": {"orders-0": held}})


@pytest.mark.parametrize("headers", [["a"], [{"a": 1}], [{"a": [300]}], [{"a": ["x"]}], [{"a": "text"}], "a"])
def test_headers_that_are_none_are_refused(headers: Any) -> None:
    (record,) = records(payload("kafka_self_managed"))
    record.raw["headers"] = headers
    with pytest.raises(MalformedEvent):
        _ = record.headers


@given(event=mutated(payload("kafka_msk")))
def test_any_mutation_is_read_or_refused_as_listed(event: Any) -> None:
    read_all(kafka, event)
