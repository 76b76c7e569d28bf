"""DynamoDB streams: changes with their images as Python's values."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from lambent.errors import MalformedEvent
from lambent.events.model import Source
from lambent.events.sources import detect, dynamodb
from lambent.events.sources.dynamodb import DynamoDBRecord
from lambent.testing import events
from tests.events.sources.mutations import mutated, read_all
from tests.payloads import payload

SOURCE: Source = dynamodb


def records(event: Any) -> list[DynamoDBRecord]:
    return [each for each in dynamodb.records(event) if isinstance(each, DynamoDBRecord)]


def test_a_change_is_read_field_by_field() -> None:
    event = payload("dynamodb_stream")
    assert detect(event).source is dynamodb
    (record,) = records(event)
    assert (record.source, record.id, record.event_name) == ("dynamodb", "7de3041dd709b024af6f29e4fa13d34c", "INSERT")
    assert record.arn == "arn:aws:dynamodb:eu-west-1:123456789012:table/items/stream/2025-07-05T22:00:00.000"
    assert (record.table, record.name, record.region) == ("items", "items", "eu-west-1")
    assert record.keys == {"id": 7}
    assert record.body == record.new_image == {"id": 7, "name": "lamp"}
    assert record.old_image is None
    assert (record.at, record.size, record.view) == (1751753177.0, 26, "NEW_IMAGE")
    assert record.sequence_number == "4421584500000000017450439091"
    assert not record.expired


def test_every_type_of_dynamodb_is_one_of_pythons() -> None:
    changed, expired = records(payload("dynamodb_all_types"))
    assert changed.new_image == {
        "id": "7",
        "price": Decimal("9.5"),
        "stock": 12,
        "image": b"\x00\xff",
        "sold": False,
        "note": None,
        "tags": {"a", "b"},
        "sizes": {1, Decimal("2.5")},
        "keys": {b"\x01"},
        "parts": ["bulb", {"watts": 40}],
    }
    assert changed.old_image == {"id": "7", "price": 10}
    assert changed.group == expired.group is not None


def test_the_body_of_a_removal_is_what_was_there() -> None:
    _, removed = records(payload("dynamodb_all_types"))
    assert (removed.new_image, removed.body) == (None, {"id": "7", "price": 10})


def test_who_removed_it_is_told() -> None:
    _, record = records(payload("dynamodb_all_types"))
    assert record.expired
    record.raw["userIdentity"] = {
        "PrincipalId": "dynamodb.amazonaws.com",
        "Type": "Service",
    }  # as the streams' API has it
    assert record.expired
    record.raw["userIdentity"] = {"type": "User", "principalId": "someone"}
    assert not record.expired
    del record.raw["userIdentity"]
    assert not record.expired


def test_a_view_of_keys_has_no_body() -> None:
    (record,) = records(events.dynamodb({"id": "1"}, view="KEYS_ONLY"))
    assert (record.keys, record.body) == ({"id": "1"}, None)


def test_the_lowest_number_is_reported() -> None:
    found = records(payload("dynamodb_all_types"))
    assert dynamodb.reply(found, reversed(found)) == {
        "batchItemFailures": [{"itemIdentifier": "4421584500000000017450439092"}]
    }
    assert dynamodb.reply(found, []) == {"batchItemFailures": []}


def test_an_image_that_cannot_be_read_names_the_attribute_and_not_the_value() -> None:
    event = payload("dynamodb_stream")
    event["Records"][0]["dynamodb"]["NewImage"]["name"] = {"N": "secret"}
    (record,) = records(event)
    with pytest.raises(MalformedEvent, match="Attribute 'name'") as raised:
        _ = record.body
    assert "secret" not in str(raised.value)


@given(event=mutated(payload("dynamodb_all_types")))
def test_any_mutation_is_read_or_refused_as_listed(event: Any) -> None:
    read_all(dynamodb, event)
