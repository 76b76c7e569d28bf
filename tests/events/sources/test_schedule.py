"""Schedules: rules, and those of the Scheduler."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.errors import MalformedEvent
from lambent.events.model import Source
from lambent.events.sources import schedule
from lambent.events.sources.schedule import ScheduleRecord
from lambent.testing import events
from tests.events.sources.mutations import mutated, read_all
from tests.payloads import payload

SOURCE: Source = schedule


def record_of(event: Any) -> ScheduleRecord:
    (record,) = schedule.records(event)
    assert isinstance(record, ScheduleRecord)
    return record


def test_a_rule_is_read_field_by_field() -> None:
    record = record_of(payload("eventbridge"))
    assert record.source == "schedule"
    assert (record.name, record.arn) == ("nightly", "arn:aws:events:eu-west-1:123456789012:rule/nightly")
    assert (record.is_scheduler, record.schedule_group) == (False, None)
    assert (record.at, record.region, record.account) == (1751752800.0, "eu-west-1", "123456789012")
    assert record.id == "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa"
    assert record.body == {}


def test_a_schedule_of_the_scheduler_has_a_group() -> None:
    record = record_of(payload("schedule_scheduler"))
    assert (record.name, record.is_scheduler, record.schedule_group) == ("nightly", True, "default")
    assert record.body == "{}"


def test_a_rule_of_another_bus_is_named_without_it() -> None:
    event = events.schedule("nightly")
    event["resources"] = ["arn:aws:events:eu-west-1:123456789012:rule/my-bus/nightly"]
    assert (record_of(event).name, record_of(event).schedule_group) == ("nightly", None)


def test_without_resources_there_is_no_name() -> None:
    event = events.schedule()
    event["resources"] = []
    with pytest.raises(MalformedEvent, match="the ARN of a rule or a schedule, but it is empty"):
        _ = record_of(event).name


@given(data=st.data(), scheduler=st.booleans())
def test_any_mutation_is_read_or_refused_as_listed(data: st.DataObject, scheduler: bool) -> None:
    read_all(schedule, data.draw(mutated(events.schedule(scheduler=scheduler))))
