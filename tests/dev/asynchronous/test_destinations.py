"""What is told of invocations that nobody waited for."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.dev.asynchronous import destinations
from lambent.dev.asynchronous.destinations import Condition, Destination, Outcome
from lambent.dev.model import Cause, Failed, Function, InvokeRequest, Replied

F = Function("f", "app.handler")
ERROR = b'{"errorType":"E","errorMessage":"no","stackTrace":[]}'


def request(payload: bytes = b'{"a":1}') -> InvokeRequest:
    return InvokeRequest("11111111-2222-4333-8444-555555555555", payload, "Root=1-2-3")


def read(outcome: Outcome, payload: bytes = b'{"a":1}') -> dict[str, object]:
    record: dict[str, object] = json.loads(destinations.record(F, request(payload), outcome, 1573755365.568))
    return record


def test_a_success_is_recorded_as_on_aws() -> None:
    record = read(Outcome(Condition.SUCCESS, 1, Replied(b"[2]")))
    assert list(record) == [
        "version", "timestamp", "requestContext", "requestPayload", "responseContext", "responsePayload",
    ]  # fmt: skip
    assert record == {
        "version": "1.0",
        "timestamp": "2019-11-14T18:16:05.568Z",
        "requestContext": {
            "requestId": "11111111-2222-4333-8444-555555555555",
            "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST",
            "condition": "Success",
            "approximateInvokeCount": 1,
        },
        "requestPayload": {"a": 1},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"},
        "responsePayload": [2],
    }


def test_a_failure_brings_its_error() -> None:
    record = read(Outcome(Condition.RETRIES_EXHAUSTED, 3, Failed(Cause.FUNCTION, ERROR)))
    context = record["requestContext"]
    assert isinstance(context, dict)
    assert (context["condition"], context["approximateInvokeCount"]) == ("RetriesExhausted", 3)
    assert record["responseContext"] == {
        "statusCode": 200,
        "executedVersion": "$LATEST",
        "functionError": "Unhandled",
    }
    assert record["responsePayload"] == json.loads(ERROR)


def test_what_never_ran_has_no_answer() -> None:
    record = read(Outcome(Condition.EVENT_AGE_EXCEEDED, 0, None))
    assert not {"responseContext", "responsePayload"} & set(record)


@given(st.binary(max_size=50))
def test_any_answer_can_be_recorded(payload: bytes) -> None:
    assert "responsePayload" in read(Outcome(Condition.SUCCESS, 1, Replied(payload)))


def test_numbers_stay_as_they_were_written() -> None:
    record = destinations.record(F, request(b"[1.10,1e400]"), Outcome(Condition.SUCCESS, 1, Replied(b"2.0")), 0)
    assert b'"requestPayload":[1.10,1e400]' in record
    assert record.endswith(b'"responsePayload":2.0}')


def test_a_dead_letter_is_the_event_and_why() -> None:
    letter = json.loads(
        destinations.dead_letter(request(), Outcome(Condition.RETRIES_EXHAUSTED, 3, Failed(Cause.FUNCTION, ERROR)))
    )
    attributes = {name: each["StringValue"] for name, each in letter["MessageAttributes"].items()}
    assert letter["Body"] == '{"a":1}'
    assert attributes == {"RequestID": request().request_id, "ErrorCode": "200", "ErrorMessage": "no"}


def test_a_dead_letter_that_never_ran_was_throttled() -> None:
    letter = json.loads(destinations.dead_letter(request(), Outcome(Condition.EVENT_AGE_EXCEEDED, 0, None)))
    assert letter["MessageAttributes"]["ErrorCode"] == {"DataType": "Number", "StringValue": "429"}


@given(st.text(st.characters(), max_size=3000))
def test_a_long_message_is_cut_between_characters(message: str) -> None:
    error = json.dumps({"errorMessage": message}).encode()
    text = destinations.error_message(Outcome(Condition.RETRIES_EXHAUSTED, 1, Failed(Cause.FUNCTION, error)))
    assert message.encode("utf-8", "replace").startswith(text.encode())
    assert len(text.encode()) <= 1024


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("function:f", Destination("function", "f")),
        ("file:C:\\x", Destination("file", "C:\\x")),
    ],
)
def test_a_destination_is_read(text: str, expected: Destination | None) -> None:
    assert destinations.destination(text) == expected
    assert str(expected or "") == text


@pytest.mark.parametrize("text", ["f", "function", "function:", "sqs:q", ":"])
def test_what_is_no_destination_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected function:NAME or file:PATH"):
        destinations.destination(text)


@given(st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_a_document_is_one_line(value: object) -> None:
    document = json.dumps(value, indent=1).encode().replace(b"\n", b"\r\n")
    written = destinations.line(document)
    assert written.count(b"\n") == 1
    assert json.loads(written) == value


def test_lines_are_added(tmp_path: Path) -> None:
    path = tmp_path / "new" / "records"
    destinations.append(path, b"1")
    destinations.append(path, b"2")
    assert path.read_bytes() == b"1\n2\n"
