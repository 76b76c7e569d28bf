"""ActiveMQ: text and bytes messages of queues."""

from typing import Any

import pytest
from hypothesis import given

from lambent.errors import MalformedEvent
from lambent.events.model import Source
from lambent.events.sources import detect, mq
from lambent.events.sources.mq import MqRecord
from tests.events.sources.mutations import mutated, read_all
from tests.payloads import payload

SOURCE: Source = mq


def records(event: Any) -> list[MqRecord]:
    return [each for each in mq.records(event) if isinstance(each, MqRecord)]


def test_a_message_is_read_field_by_field() -> None:
    event = payload("mq")
    assert detect(event).source is mq
    record, other = records(event)
    assert record.id == "ID:b-9bcfa592-1.mq.eu-west-1.amazonaws.com-37557-1234520418293-4:1:1:1:1"
    assert (record.source, record.queue, record.name, record.group) == ("mq", "orders", "orders", None)
    assert record.arn == "arn:aws:mq:eu-west-1:123456789012:broker:shop:b-9bcfa592-423a-4942-879d-eb284b418fc8"
    assert (record.message_type, record.body) == ("jms/text-message", '{"größe": 7}')
    assert (record.correlation_id, record.reply_to, record.type, record.priority) == ("trace-7", None, None, 1)
    assert (record.sent_at, record.received_at) == (1751753177.41, 1751753177.411)
    assert record.properties == {"index": "1"}
    assert not record.redelivered
    assert other.redelivered
    assert other.body == b"\x00\xff"


def test_an_older_form_spells_two_fields_otherwise() -> None:
    record, _ = records(payload("mq"))
    record.raw["destination"] = {"physicalname": "orders"}
    record.raw["correlationID"] = record.raw.pop("correlationId")
    assert (record.queue, record.correlation_id) == ("orders", "trace-7")


def test_text_that_is_not_utf_8_is_refused() -> None:
    record, _ = records(payload("mq"))
    record.raw["data"] = "/w=="
    with pytest.raises(MalformedEvent, match="byte 0"):
        _ = record.body


def test_a_failure_fails_the_invocation() -> None:
    found = records(payload("mq"))
    assert SOURCE.reply(found, found) is None


@given(event=mutated(payload("mq")))
def test_any_mutation_is_read_or_refused_as_listed(event: Any) -> None:
    read_all(mq, event)
