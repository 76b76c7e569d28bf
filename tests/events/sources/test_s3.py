"""S3: notifications, and the same by way of EventBridge."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.events.model import Source
from lambent.events.sources import eventbridge, s3
from lambent.events.sources.s3 import S3BusRecord, S3Record
from lambent.testing import events
from tests.events.sources.mutations import mutated, read_all
from tests.payloads import payload

SOURCE: Source = s3


def notified(*args: Any, **options: Any) -> S3Record:
    (record,) = s3.records(events.s3(*args, **options))
    assert isinstance(record, S3Record)
    return record


def of_bus(event: Any) -> S3BusRecord:
    (record,) = eventbridge.records(event)
    (inside,) = eventbridge.inner(record)
    assert isinstance(inside, S3BusRecord)
    assert inside.carrier is record
    return inside


def test_a_notification_is_read_field_by_field() -> None:
    (record,) = s3.records(payload("s3"))
    assert isinstance(record, S3Record)
    assert record.id == "uploads-example/images/lamp 1.png@0055AED6DCD90281E5"
    assert (record.bucket, record.name, record.key) == ("uploads-example", "uploads-example", "images/lamp 1.png")
    assert (record.size, record.etag) == (1024, "d41d8cd98f00b204e9800998ecf8427e")
    assert (record.version_id, record.sequencer) == (None, "0055AED6DCD90281E5")
    assert (record.event_name, record.region, record.at) == ("ObjectCreated:Put", "eu-west-1", 1751753177.410)
    assert record.request_id == "D82B88E5F771F645"
    assert record.body is record.raw


def test_an_event_of_the_bus_is_read_field_by_field() -> None:
    record = of_bus(payload("s3_eventbridge"))
    assert record.id == "uploads-example/images/lamp+1.png@617F08299329D189"
    assert (record.source, record.bucket, record.name) == ("s3", "uploads-example", "uploads-example")
    assert (record.key, record.size) == ("images/lamp+1.png", 5)
    assert (record.etag, record.version_id) == ("b1946ac92492d2347c6235b4d2611184", "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e")
    assert (record.event_name, record.region, record.at) == ("ObjectCreated:Put", "eu-west-1", 1751753177.0)
    assert record.request_id == "N4N7GDK58NMKJ12R"


@given(key=st.text(min_size=1).filter(lambda key: key.isprintable()))
def test_a_key_is_the_object_s_whichever_way_it_came(key: str) -> None:
    assert notified(key).key == key
    assert of_bus(events.s3_eventbridge(key)).key == key


def test_what_was_removed_has_neither_size_nor_tag() -> None:
    for record in (
        notified("a", event_name="ObjectRemoved:Delete"),
        of_bus(events.s3_eventbridge("a", detail_type="Object Deleted")),
    ):
        assert (record.size, record.etag, record.event_name) == (None, None, "ObjectRemoved:Delete")


def test_without_a_sequencer_the_request_tells_notifications_apart() -> None:
    first, second = (notified("a", event_name="ObjectTagging:Put") for _ in range(2))
    for record in (first, second):
        del record.raw["s3"]["object"]["sequencer"]
    assert first.id != second.id


@pytest.mark.parametrize(
    ("detail_type", "detail", "name"),
    [
        ("Object Created", {"reason": "PutObject"}, "ObjectCreated:Put"),
        ("Object Created", {"reason": "POST Object"}, "ObjectCreated:Post"),
        ("Object Created", {"reason": "CopyObject"}, "ObjectCreated:Copy"),
        ("Object Created", {"reason": "CompleteMultipartUpload"}, "ObjectCreated:CompleteMultipartUpload"),
        (
            "Object Deleted",
            {"reason": "DeleteObject", "deletion-type": "Permanently Deleted"},
            "ObjectRemoved:Delete",
        ),
        (
            "Object Deleted",
            {"reason": "DeleteObject", "deletion-type": "Delete Marker Created"},
            "ObjectRemoved:DeleteMarkerCreated",
        ),
        (
            "Object Deleted",
            {"reason": "Lifecycle Expiration", "deletion-type": "Permanently Deleted"},
            "LifecycleExpiration:Delete",
        ),
        ("Object Restore Completed", {}, "ObjectRestore:Completed"),
        ("Object Tags Added", {}, "ObjectTagging:Put"),
        ("Object Storage Class Changed", {}, "LifecycleTransition"),
        ("Object Painted", {}, "Object Painted"),
    ],
)
def test_names_of_the_bus_become_those_of_notifications(detail_type: str, detail: Any, name: str) -> None:
    event = events.s3_eventbridge("a")
    event["detail-type"] = detail_type
    del event["detail"]["reason"]
    event["detail"] |= detail
    assert of_bus(event).event_name == name


def test_there_are_no_partial_failures() -> None:
    found = s3.records(events.s3("a", "b"))
    assert s3.reply(found, found) is None
    assert s3.inner(found[0]) == ()


@given(event=mutated(events.s3("a", version_id="1")))
def test_any_mutation_is_read_or_refused_as_listed(event: Any) -> None:
    read_all(s3, event)


@given(event=mutated(events.s3_eventbridge("a")))
def test_any_mutation_of_an_event_of_the_bus_is_read_or_refused_as_listed(event: Any) -> None:
    for record in read_all(eventbridge, event):
        for inside in eventbridge.inner(record):
            read_all(Only(inside), event)


class Only:
    """A source of one record, made already."""

    SINGLE = True

    def __init__(self, record: S3Record | Any) -> None:
        self.record = record

    def records(self, event: Any) -> list[Any]:
        return [self.record]

    def inner(self, record: Any) -> tuple[()]:
        return ()

    def reply(self, records: Any, failed: Any) -> None:
        return None
