"""Messages of SQS as a function gets them, and its answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.dev.sources.messages import Message, Misreported, batches, event, failures, message
from tests.dev.sources.stand_ins import ARN, received

CAPTURED = json.loads((Path(__file__).parents[2] / "data" / "sqs.json").read_text("utf-8"))
BATCH = [message(received(str(number), number), ARN) for number in (1, 2, 3)]


def test_a_record_is_that_of_aws() -> None:
    (record,) = CAPTURED["Records"]
    given = {
        "MessageId": record["messageId"],
        "ReceiptHandle": record["receiptHandle"],
        "MD5OfBody": record["md5OfBody"],
        "Body": record["body"],
        "Attributes": record["attributes"],
        "ResponseMetadata": {},
    }
    made = json.loads(event([message(given, record["eventSourceARN"])]))
    assert made == CAPTURED
    assert list(made["Records"][0]) == list(record)


def test_attributes_of_the_sender_are_in_it() -> None:
    attributes = {
        "Name": {"StringValue": "a", "DataType": "String"},
        "Total": {"StringValue": "7", "DataType": "Number.float"},
        "Raw": {"BinaryValue": b"\xff\x00", "DataType": "Binary"},
    }
    record = message(received("", MessageAttributes=attributes, MD5OfMessageAttributes="d"), ARN).record
    lists: dict[str, object] = {"stringListValues": [], "binaryListValues": []}
    assert record["messageAttributes"] == {
        "Name": {"stringValue": "a", **lists, "dataType": "String"},
        "Total": {"stringValue": "7", **lists, "dataType": "Number.float"},
        "Raw": {"binaryValue": "/wA=", **lists, "dataType": "Binary"},
    }
    assert record["md5OfMessageAttributes"] == "d"


@given(st.lists(st.text(max_size=400), max_size=30), st.integers(1, 12), st.integers(500, 3000))
def test_batches_keep_order_and_limits(bodies: list[str], most: int, limit: int) -> None:
    given = [message(received(body, number), ARN) for number, body in enumerate(bodies)]
    made = list(batches(given, most, limit))
    assert [each for batch in made for each in batch] == given
    for batch in made:
        assert 1 <= len(batch) <= most
        assert len(batch) == 1 or len(event(batch)) <= limit


def test_no_batch_is_smaller_than_it_must_be() -> None:
    size = len(event(BATCH[:2]))
    assert [len(batch) for batch in batches(BATCH, 10, size + 2)] == [2, 1]
    assert [len(batch) for batch in batches(BATCH, 2)] == [2, 1]
    assert list(batches([], 10)) == []


@pytest.mark.parametrize(
    "answer", ["null", "{}", '""', '{"batchItemFailures": []}', '{"batchItemFailures": null}', '{"statusCode": 200}']
)
def test_an_answer_without_failures_is_success(answer: str) -> None:
    assert failures(answer.encode(), BATCH) == set()


def test_failures_are_named() -> None:
    answer = {"batchItemFailures": [{"itemIdentifier": "m1"}, {"itemIdentifier": "m3"}, {"itemIdentifier": "m1"}]}
    assert failures(json.dumps(answer).encode(), BATCH) == {"m1", "m3"}


@pytest.mark.parametrize(
    "answer",
    [
        b"{",
        b"\xff",
        b'{"batchItemFailures": [{"itemIdentifier": ""}]}',
        b'{"batchItemFailures": [{"itemIdentifier": null}]}',
        b'{"batchItemFailures": [{"itemId": "m1"}]}',
        b'{"batchItemFailures": [{"itemIdentifier": "m1"}, {"itemIdentifier": "m9"}]}',
        b'{"batchItemFailures": [{"itemIdentifier": []}]}',
        b'{"batchItemFailures": ["m1"]}',
        b'{"batchItemFailures": "m1"}',
        b'"done"',
        b"[1]",
        b"[" * 100_000,
    ],
)
def test_what_is_no_report_fails_the_batch(answer: bytes) -> None:
    with pytest.raises(Misreported, match=r'expected \{"batchItemFailures": .* but got '):
        failures(answer, BATCH)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_any_answer_is_judged(value: object) -> None:
    for answer in (value, {"batchItemFailures": value}, {"batchItemFailures": [{"itemIdentifier": value}]}):
        judge(json.dumps(answer).encode(), BATCH)


def judge(answer: bytes, batch: list[Message]) -> set[str]:
    try:
        return failures(answer, batch)
    except Misreported:
        return {each.id for each in batch}
