"""Kinesis: records of a shard, aggregates taken apart, and from where on they are to come again."""

import base64
import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.errors import MalformedEvent
from lambent.events.model import Source
from lambent.events.sources import detect, kinesis
from lambent.events.sources.kinesis import AggregatedRecord, KinesisRecord
from lambent.testing import events
from tests.events.sources.mutations import mutated, read_all
from tests.payloads import payload

SOURCE: Source = kinesis


def records(event: Any) -> list[KinesisRecord]:
    found = kinesis.records(event)
    assert all(isinstance(each, KinesisRecord) for each in found)
    return [each for each in found if isinstance(each, KinesisRecord)]


def test_a_record_is_read_field_by_field() -> None:
    event = payload("kinesis")
    assert detect(event).source is kinesis
    first, second = records(event)
    sequence = "49590338271490256608559692538361571095921575989136588898"
    assert (first.source, first.sequence_number, first.shard) == ("kinesis", sequence, "shardId-000000000006")
    assert first.id == f"shardId-000000000006:{sequence}"
    assert first.arn == "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks"
    assert (first.stream, first.name, first.region) == ("clicks", "clicks", "eu-west-1")
    assert (first.partition_key, first.body, first.at) == ("customer-7", b'{"click": 1}', 1751753177.41)
    assert second.body == b"\x00\xff"
    assert first.group == second.group is not None


def test_a_consumer_with_enhanced_fan_out_has_the_streams_name() -> None:
    (record,) = records(events.kinesis("a", stream="clicks"))
    record.raw["eventSourceARN"] += "/consumer/mine:1571418600"
    assert record.stream == "clicks"


# What AWS's own library has aggregated: made by aws_kinesis_agg 1.2.3


def test_an_aggregate_is_taken_apart_in_its_order() -> None:
    plain, *parts = records(payload("kinesis_aggregated"))
    assert type(plain) is KinesisRecord
    assert [each.body for each in parts] == [b'{"id": 1}', b'{"id": 2}', b"\x00\xff" * 3]
    assert [each.partition_key for each in parts] == ["key-1", "key-2", "key-1"]
    assert [each.explicit_hash_key for each in parts if isinstance(each, AggregatedRecord)] == [None, "123", None]
    assert [each.subsequence_number for each in parts if isinstance(each, AggregatedRecord)] == [0, 1, 2]
    assert len({each.id for each in parts}) == 3
    assert {each.at for each in parts} == {1751753177.41}


def test_a_part_that_fails_brings_the_whole_aggregate_again() -> None:
    found = records(payload("kinesis_aggregated"))
    assert kinesis.reply(found, [found[3]]) == {
        "batchItemFailures": [{"itemIdentifier": "49590338271490256608559692540925702759324208523137515618"}]
    }


def aggregate(message: bytes, digest: bytes = b"") -> bytes:
    return b"\xf3\x89\x9a\xc2" + message + (digest or hashlib.md5(message).digest())


@pytest.mark.parametrize(
    "content",
    [
        b"\xf3\x89\x9a\xc2",
        aggregate(b"\x0a\x01k\x1a\x05\x08\x00\x1a\x01a", b"0" * 16),  # another digest
        aggregate(b"\x1a\x05\x08\x00\x1a\x01a"),  # a partition key that is not in the table
        aggregate(b"\x0a\x01k\x1a\x02\x08\x00"),  # no data
        aggregate(b"\x0a\xff"),  # cut off
        aggregate(b"\x0a\x7fk"),
        aggregate(b"\x08\x01"),  # a table that is a number
        aggregate(b"\x0b\x01"),  # a wire type that is not in use
        aggregate(b"\x0a" + b"\xff" * 11),
        aggregate(b"\x0a\x01\xff\x1a\x05\x08\x00\x1a\x01a"),  # a key that is not UTF-8
    ],
)
def test_what_only_looks_like_an_aggregate_is_a_record_as_any_other(content: bytes) -> None:
    (record,) = records(events.kinesis(content))
    assert (type(record), record.body) == (KinesisRecord, content)


def test_fields_that_are_not_known_are_passed_over() -> None:
    message = (
        b"\x0a\x01k\x1a\x0a\x08\x00\x1a\x01a\x22\x03\x0a\x01t" + b"\x29" + bytes(8) + b"\x35" + bytes(4) + b"\x38\x01"
    )
    (record,) = records(events.kinesis(aggregate(message)))
    assert (record.partition_key, record.body) == ("k", b"a")


@given(st.binary(max_size=60))
def test_any_message_in_an_aggregate_is_parts_or_a_record(message: bytes) -> None:
    for record in records(events.kinesis(aggregate(message))):
        assert isinstance(record.body, bytes)


# What comes again


def test_the_lowest_number_is_reported_however_long() -> None:
    found = records(events.kinesis("a", "b", "c"))
    for record, number in zip(found, ("100", "99", "0098"), strict=True):
        record.raw["kinesis"]["sequenceNumber"] = number
    assert kinesis.reply(found, found) == {"batchItemFailures": [{"itemIdentifier": "0098"}]}
    assert kinesis.reply(found, found[:2]) == {"batchItemFailures": [{"itemIdentifier": "99"}]}
    assert kinesis.reply(found, []) == {"batchItemFailures": []}


@pytest.mark.parametrize("number", ["", "12a", "٣", None, 7])
def test_a_failure_without_a_number_fails_the_whole_batch(number: object) -> None:
    (record,) = records(events.kinesis("a"))
    record.raw["kinesis"]["sequenceNumber"] = number
    with pytest.raises(MalformedEvent, match="sequenceNumber"):
        kinesis.reply([record], [record])


@pytest.mark.parametrize("wrong", ["s=cret!", "84mawcret***"])  # the second begins as an aggregate does
def test_wrong_base64_fails_alone_and_is_not_quoted(wrong: str) -> None:
    event = events.kinesis("a", "b")
    event["Records"][0]["kinesis"]["data"] = wrong
    bad, good = records(event)
    assert good.body == b"b"
    with pytest.raises(MalformedEvent, match=r"`kinesis\.data` to be base64") as raised:
        _ = bad.body
    assert "cret" not in str(raised.value)


@given(event=mutated(payload("kinesis_aggregated")))
def test_any_mutation_is_read_or_refused_as_listed(event: Any) -> None:
    read_all(kinesis, event)


@given(st.binary())
def test_data_comes_back(content: bytes) -> None:
    event = events.kinesis("a")
    event["Records"][0]["kinesis"]["data"] = base64.b64encode(content).decode()
    assert records(event)[0].body == content
