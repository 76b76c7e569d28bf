"""Destinations: invocations that are over."""

from typing import Any

from hypothesis import given

from lambent.events.model import Source
from lambent.events.sources import destination
from lambent.events.sources.destination import DestinationRecord
from lambent.testing import events
from tests.events.sources.mutations import mutated, read_all
from tests.payloads import payload

SOURCE: Source = destination


def over(event: Any) -> DestinationRecord:
    (record,) = destination.records(event)
    assert isinstance(record, DestinationRecord)
    return record


def test_a_failure_is_read_field_by_field() -> None:
    event = payload("destination")
    event["responsePayload"]["stackTrace"] = ['  File "app.py", line 1']
    record = over(event)
    assert record.source == "destination"
    assert record.id == "4b1d7f0c-27f2-4a3f-9a6b-0d0f3a9e6f11"
    assert (record.function, record.name, record.qualifier) == ("items", "items", "$LATEST")
    assert (record.condition, record.succeeded, record.invoke_count) == ("RetriesExhausted", False, 3)
    assert record.at == 1751753179.312
    assert record.body == record.request_payload == {"order": 7}
    assert (record.function_error, record.error_type, record.error_message) == (
        "Unhandled",
        "RuntimeError",
        "out of oil",
    )
    assert record.stack == ['  File "app.py", line 1']
    assert record.batch == {}


def test_of_a_success_the_body_is_the_response() -> None:
    answer = {"errorType": "no error", "stackTrace": 7}
    record = over(events.destination({"id": 7}, response=answer))
    assert (record.succeeded, record.body, record.request_payload) == (True, answer, {"id": 7})
    assert (record.function_error, record.error_type, record.error_message, record.stack) == (None, None, None, [])


def test_what_was_never_invoked_has_no_response() -> None:
    event = events.destination({"id": 7}, condition="EventAgeExceeded")
    event["responsePayload"] = None
    del event["responseContext"]
    record = over(event)
    assert (record.response_payload, record.function_error, record.error_type, record.stack) == (None, None, None, [])


def test_a_batch_tells_where_its_records_are() -> None:
    record = over(payload("destination_kinesis_batch"))
    assert (record.function, record.qualifier, record.condition) == ("items", None, "RetryAttemptsExhausted")
    assert (record.request_payload, record.body) == (None, None)
    assert (record.batch["shardId"], record.batch["batchSize"]) == ("shardId-000000000001", 500)


@given(event=mutated(payload("destination")))
def test_any_mutation_is_read_or_refused_as_listed(event: Any) -> None:
    read_all(destination, event)
