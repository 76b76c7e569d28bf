"""EventBridge: an event of a bus."""

from typing import Any

import pytest
from hypothesis import given

from lambent.errors import MalformedEvent
from lambent.events.model import Source
from lambent.events.sources import eventbridge
from lambent.events.sources.eventbridge import EventBridgeRecord
from lambent.testing import events
from tests.events.sources.mutations import mutated, read_all

SOURCE: Source = eventbridge


def event_of(**options: Any) -> EventBridgeRecord:
    (record,) = eventbridge.records(events.eventbridge(**options))
    assert isinstance(record, EventBridgeRecord)
    return record


def test_an_event_is_read_field_by_field() -> None:
    origin = events.Origin(seed=1, now=1_751_753_177.41, region="eu-west-1")
    record = event_of(
        detail={"id": 7}, source="shop", detail_type="Order Placed", resources=["arn:aws:s3:::a"], origin=origin
    )
    assert record.source == "eventbridge"
    assert record.id == record.raw["id"]
    assert (record.origin, record.name, record.detail_type) == ("shop", "shop", "Order Placed")
    assert record.detail == record.body == {"id": 7}
    assert (record.region, record.at, record.resources) == ("eu-west-1", 1751753177.0, ["arn:aws:s3:::a"])
    assert len(record.account) == 12
    assert record.replay is None


def test_a_replay_is_told_by_its_name() -> None:
    record = event_of()
    record.raw["replay-name"] = "after the outage"
    assert record.replay == "after the outage"


@pytest.mark.parametrize(
    ("source", "detail"),
    [
        ("shop", {"bucket": {"name": "a"}, "object": {"key": "b"}}),
        ("aws.s3", {"eventSource": "s3.amazonaws.com", "eventName": "PutBucketPolicy"}),
        ("aws.s3", "{}"),
        ("aws.s3", None),
    ],
)
def test_what_is_not_about_an_object_of_s3_has_nothing_inside(source: str, detail: Any) -> None:
    record = event_of(source=source)
    record.raw["detail"] = detail
    assert eventbridge.inner(record) == ()


def test_a_field_that_is_missing_is_named() -> None:
    record = event_of()
    del record.raw["source"]
    with pytest.raises(MalformedEvent, match="`source` to be a string, but got nothing"):
        _ = record.name


@given(event=mutated(events.eventbridge({"a": [1, {"b": None}]}, resources=["arn:aws:s3:::a"])))
def test_any_mutation_is_read_or_refused_as_listed(event: Any) -> None:
    read_all(eventbridge, event)
