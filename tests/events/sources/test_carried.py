"""What messages carry: told apart cheaply, and never with an error."""

import json
from typing import Any

import pytest
from hypothesis import given, settings

from lambent.events.model import Record
from lambent.events.sources.carried import carried, is_test
from lambent.testing import events
from tests.events.sources.mutations import STRANGE, mutated

CARRIER = Record({})
TEST_EVENT = {
    "Service": "Amazon S3",
    "Event": "s3:TestEvent",
    "Time": "2025-07-05T22:06:17.410Z",
    "Bucket": "uploads",
    "RequestId": "5582815E1AEA5ADF",
    "HostId": "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR+YstdA6Knx4Ip8EXAMPLE",
}
KNOWN: dict[str, tuple[Any, str, int]] = {
    "notification": (events.sns_notification("a"), "sns", 1),
    "notification with an event": (events.sns_notification(events.s3("a")), "sns", 1),
    "s3": (events.s3("a", "b"), "s3", 2),
    "bus": (events.eventbridge(), "eventbridge", 1),
    "s3 by way of the bus": (events.s3_eventbridge("a"), "eventbridge", 1),
    "rule": (events.schedule(), "schedule", 1),
    "scheduler": (events.schedule(scheduler=True), "schedule", 1),
    "destination": (events.destination({"id": 7}), "destination", 1),
}


@pytest.mark.parametrize("name", KNOWN)
def test_what_aws_sends_to_queues_and_topics_is_found(name: str) -> None:
    content, source, number = KNOWN[name]
    found = carried(json.dumps(content), CARRIER)
    assert [each.source for each in found] == [source] * number
    assert all(each.carrier is CARRIER for each in found)
    assert carried(json.dumps(content, separators=(",", ":")), CARRIER)


@pytest.mark.parametrize(
    "message",
    [
        "",
        "hello",
        "{",
        '{"TopicArn"',
        '["TopicArn"]',
        '{"TopicArn": "arn:aws:sns:eu-west-1:123456789012:orders"}',
        '{"Type": "SubscriptionConfirmation", "TopicArn": "a", "Message": "You have chosen to subscribe."}',
        '{"detail-type": "a"}',
        '{"Records": [], "eventSource": "aws:s3"}',
        '{"Records": [{"eventSource": "aws:s3"}, {"eventSource": "aws:sqs"}]}',
        '{"TopicArn":' * 100_000,
        json.dumps(TEST_EVENT),
        json.dumps(events.sqs("a")) + ' "aws:s3"',
        json.dumps({**events.sqs("a"), "x": "aws:s3"}),
        json.dumps({**events.kinesis("a"), "x": "aws:s3"}),
        7,
        None,
        b"{}",
    ],
    ids=range(18),
)
def test_anything_else_carries_nothing(message: object) -> None:
    assert list(carried(message, CARRIER)) == []


def test_most_messages_are_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    def loads(_: str) -> None:
        raise AssertionError("parsed")

    monkeypatch.setattr("json.loads", loads)
    assert carried('{"id": 7, "detail": {"type": "aws"}}', CARRIER) == ()
    assert carried('["TopicArn", "detail-type"]', CARRIER) == ()
    assert carried('a text about {"TopicArn": "..."}', CARRIER) == ()
    assert not is_test('{"id": 7}')


@pytest.mark.parametrize(
    ("content", "is_one"),
    [
        (TEST_EVENT, True),
        (events.sns_notification(TEST_EVENT), True),
        (events.sns_notification("s3:TestEvent"), False),
        ({"note": "s3:TestEvent"}, False),
        ({"Event": ["s3:TestEvent"]}, False),
        (["s3:TestEvent"], False),
        (events.s3("a"), False),
    ],
)
def test_the_test_of_s3_is_told(content: object, is_one: bool) -> None:
    assert is_test(json.dumps(content)) is is_one


@settings(max_examples=200)
@given(content=mutated([each for each, _, _ in KNOWN.values()] + [TEST_EVENT]), strange=STRANGE)
def test_it_never_raises(content: Any, strange: Any) -> None:
    for each in content if isinstance(content, list) else [content]:
        carried(json.dumps(each), CARRIER)
        is_test(json.dumps(each))
    carried(strange, CARRIER)
    is_test(strange)
    is_test(f'{{"Type": "Notification", "Message": "s3:TestEvent"{strange}')
