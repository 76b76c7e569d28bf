"""Which function takes which record, and what becomes of the event."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Event as Signal
from threading import Thread, Timer, current_thread
from typing import Any, NoReturn

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambent.errors import (
    BatchFailed,
    DecodingError,
    LambentError,
    MalformedEvent,
    NoFunction,
    RecordFailed,
    StoreError,
    Unfinished,
)
from lambent.events import (
    DynamoDBRecord,
    Events,
    Idempotency,
    KafkaRecord,
    KinesisRecord,
    Record,
    S3Record,
    SnsRecord,
    SqsRecord,
)
from lambent.invocation import Handled
from lambent.stores.memory import MemoryStore
from lambent.testing import events as build
from lambent.types import Context as LambdaContext
from tests.events.doubles import LIMIT, Context, Left, failures, handled, run

QUEUE = "orders"
FIFO = "orders.fifo"


def sqs(*bodies: object, queue: str = QUEUE) -> Any:
    return build.sqs(*bodies, queue=queue)


def fifo(*steps: str) -> Any:
    """Messages whose group is their first letter."""
    event = sqs(*steps, queue=FIFO)
    for record in event["Records"]:
        record["attributes"]["MessageGroupId"] = record["body"][0]
    return event


def ids(event: Any, *places: int) -> list[str]:
    return [event["Records"][place]["messageId"] for place in places]


def recorder(events: Events, seen: list[Any], *poison: str) -> None:
    """A function for messages of the queue, which fails some."""

    @events.sqs("orders*")
    async def order(body: str) -> None:
        seen.append(body)
        if body in poison:
            raise ValueError(body)


# Partial failures, in the form of each source


@pytest.mark.parametrize(
    ("poison", "failed"),
    [((), ()), (("b",), (1,)), (("a", "c"), (0, 2)), (("a", "b", "c"), (0, 1, 2))],
)
def test_sqs_is_told_each_message_that_has_failed(poison: tuple[str, ...], failed: tuple[int, ...]) -> None:
    events, seen = Events(), list[str]()
    recorder(events, seen, *poison)
    event = sqs("a", "b", "c")

    assert handled(events, event) == {"batchItemFailures": [{"itemIdentifier": each} for each in ids(event, *failed)]}
    assert seen == ["a", "b", "c"]


def test_a_fifo_queue_is_told_the_rest_of_the_group() -> None:
    events, seen = Events(), list[str]()
    recorder(events, seen, "a2")
    event = fifo("a1", "b1", "a2", "b2", "a3", "c1")

    assert failures(handled(events, event)) == ids(event, 2, 4)
    assert sorted(seen) == ["a1", "a2", "b1", "b2", "c1"]
    assert [each for each in seen if each[0] == "b"] == ["b1", "b2"]


@pytest.mark.parametrize("source", ["kinesis", "dynamodb"])
def test_a_shard_stops_at_the_first_failure_which_is_all_it_is_told(source: str) -> None:
    events, seen = Events(), list[object]()

    @events.kinesis()
    @events.dynamodb()
    async def change(number: int | None = None, *, record: Record) -> None:
        body = json.loads(record.body)["n"] if isinstance(record, KinesisRecord) else record.body["n"]
        seen.append(body)
        if body == 2:
            raise ValueError("no")

    if source == "kinesis":
        event = build.kinesis({"n": 1}, {"n": 2}, {"n": 3})
        numbers = [each["kinesis"]["sequenceNumber"] for each in event["Records"]]
    else:
        event = build.dynamodb({"n": 1}, {"n": 2}, {"n": 3})
        numbers = [each["dynamodb"]["SequenceNumber"] for each in event["Records"]]

    assert failures(handled(events, event)) == [numbers[1]]
    assert seen == [1, 2]


def test_a_partition_of_kafka_stops_and_the_others_go_on() -> None:
    events, seen = Events(), list[tuple[int, bytes]]()

    @events.kafka("clicks")
    async def click(data: bytes, record: KafkaRecord) -> None:
        seen.append((record.partition, data))
        if data == b"bad":
            raise ValueError("no")

    event = build.kafka("bad", "after", topic="clicks")
    (held,) = event["records"].values()
    event["records"]["clicks-7"] = [{**each, "partition": 7, "value": "Z29vZA=="} for each in held]
    reply = failures(handled(events, event))

    assert sorted(seen) == [(0, b"bad"), (7, b"good"), (7, b"good")]
    assert reply == [{"partition": "clicks-0", "offset": each["offset"]} for each in held]


@pytest.mark.parametrize(
    "event",
    [
        build.mq("good", "bad", "good"),
        build.rabbitmq("good", "bad", "good"),
    ],
)
def test_a_source_without_partial_failures_fails_when_all_have_run(event: Any) -> None:
    events, seen = Events(), list[str]()

    @events.mq()
    @events.rabbitmq()
    async def message(body: str) -> None:
        seen.append(body)
        if body == "bad":
            raise ValueError("secret-free")

    with pytest.raises(BatchFailed, match=r"^1 of 3 records failed; the first with ValueError: secret-free$") as raised:
        handled(events, event)
    assert seen == ["good", "bad", "good"]
    assert isinstance(raised.value.__cause__, ValueError)
    assert len(raised.value.errors) == 1


def test_an_exception_that_cannot_be_told_is_the_cause_all_the_same() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise ZeroDivisionError

    events = Events()

    @events.sns("news")
    async def news(text: str) -> None:
        raise Mute

    with pytest.raises(BatchFailed, match=r"the first with Mute: its __str__ failed$") as raised:
        handled(events, build.sns("hello", topic="news"))
    assert isinstance(raised.value.__cause__, Mute)


def test_a_source_without_partial_failures_gets_null() -> None:
    events = Events()

    @events.sns("news")
    async def news(text: str) -> str:
        return "what is returned goes nowhere"

    assert handled(events, build.sns("hello", topic="news")) is None


@pytest.mark.parametrize(
    "event",
    [
        build.sqs("good", "bad", "good", queue=QUEUE),
        build.kinesis("good", "bad", "good"),
        build.kafka("good", "bad", "good", topic="clicks"),
    ],
)
def test_where_nobody_reads_partial_failures_any_failure_fails_the_invocation(event: Any) -> None:
    events, poison = Events(partial_failures=False), ["bad"]

    @events.sqs()
    @events.kinesis()
    @events.kafka()
    async def message(body: str) -> None:
        if body in poison:
            raise ValueError(body)

    with pytest.raises(BatchFailed, match=r"of 3 records failed; the first with ValueError: bad$"):
        handled(events, event)
    poison.clear()
    assert handled(events, event) is None


# Records that cannot be decoded


def test_what_cannot_be_decoded_fails_alone() -> None:
    events, seen = Events(), list[dict[str, int]]()

    @events.sqs(QUEUE)
    async def order(order: dict[str, int]) -> None:
        seen.append(order)

    event = sqs({"n": 1}, '{"n": ', {"n": 3}, {"n": "text"}, "[]", *({"n": each} for each in range(6, 11)))

    assert failures(handled(events, event)) == ids(event, 1, 3, 4)
    assert [each["n"] for each in seen] == [1, 3, 6, 7, 8, 9, 10]


def test_what_is_no_base64_fails_alone() -> None:
    events, seen = Events(), list[bytes]()

    @events.rabbitmq()
    async def message(data: bytes) -> None:
        seen.append(data)

    event = build.rabbitmq("a", "b", "c")
    (held,) = event["rmqMessagesByQueue"].values()
    held[1]["data"] = "a$b="

    with pytest.raises(BatchFailed, match="1 of 3 records failed") as raised:
        handled(events, event)
    assert seen == [b"a", b"c"]
    assert isinstance(raised.value.__cause__, MalformedEvent)


@pytest.mark.parametrize("missing", ["body", "attributes", "messageAttributes", "md5OfBody"])
def test_a_message_that_lacks_something_fails_alone_if_it_is_needed(missing: str) -> None:
    events, seen = Events(), list[str]()
    recorder(events, seen)
    event = sqs("a", "b", "c")
    del event["Records"][1][missing]

    assert failures(handled(events, event)) == (ids(event, 1) if missing == "body" else [])


def test_a_message_without_a_queue_fails_alone(caplog: pytest.LogCaptureFixture) -> None:
    events, seen = Events(), list[str]()
    recorder(events, seen)
    event = sqs("a", "b", "c")
    event["Records"][1]["eventSourceARN"] = None

    assert failures(handled(events, event)) == ids(event, 1)
    assert seen == ["a", "c"]
    assert "Expected `eventSourceARN` to be a string" in caplog.text


def test_a_message_of_a_group_that_cannot_be_routed_ends_its_group() -> None:
    events, seen = Events(), list[str]()

    @events.sns("known")
    async def notification(text: str) -> None:
        seen.append(text)

    known, unknown = (build.sns_sqs("x", topic=topic)["Records"][0]["body"] for topic in ("known", "unknown"))
    event = sqs(known, unknown, known, known, queue=FIFO)
    for record, group in zip(event["Records"], "aaab", strict=True):
        record["attributes"]["MessageGroupId"] = group

    assert failures(handled(events, event)) == ids(event, 1, 2)
    assert len(seen) == 2


# Where they come from


def routes() -> tuple[Events, list[str]]:
    """Functions of several sources, each of which tells its name."""
    events, seen = Events(), list[str]()

    def tell(name: str) -> Callable[[], Any]:
        async def told() -> None:
            seen.append(name)

        return told

    events.sqs("orders")(tell("sqs orders"))
    events.sqs("orders-*")(tell("sqs orders-*"))
    events.sqs("orders-eu*")(tell("sqs orders-eu*"))
    events.sqs("orders-eu-1")(tell("sqs orders-eu-1"))
    events.sns("news")(tell("sns news"))
    events.s3("uploads")(tell("s3 uploads"))
    events.s3("uploads", event="ObjectCreated:*")(tell("s3 uploads created"))
    events.s3("uploads", prefix="images/", suffix=".png")(tell("s3 uploads images"))
    events.s3("uploads", event="ObjectCreated:*", prefix="images/", suffix=".png")(tell("s3 uploads created images"))
    events.eventbridge("shop")(tell("shop"))
    events.eventbridge("shop", "Order Placed")(tell("shop placed"))
    events.eventbridge("shop", "Order Placed", detail={"total": [{"numeric": [">", 100]}]})(tell("shop large"))
    events.schedule("nightly*")(tell("schedule"))
    return events, seen


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (sqs("x"), "sqs orders"),
        (sqs("x", queue="orders-us"), "sqs orders-*"),
        (sqs("x", queue="orders-eu-2"), "sqs orders-eu*"),
        (sqs("x", queue="orders-eu-1"), "sqs orders-eu-1"),
        (build.sns("x", topic="news"), "sns news"),
        (build.sns_sqs("x", topic="news", queue="nobody"), "sns news"),
        (build.sns_sqs("x", topic="news", queue="orders"), "sqs orders"),
        (build.s3("a.txt", bucket="uploads", event_name="ObjectRemoved:Delete"), "s3 uploads"),
        (build.s3("a.txt", bucket="uploads"), "s3 uploads created"),
        (build.s3("images/a b.png", bucket="uploads", event_name="ObjectRemoved:Delete"), "s3 uploads images"),
        (build.s3("images/a b.png", bucket="uploads"), "s3 uploads created images"),
        (build.s3_sqs("a.txt", bucket="uploads", queue="nobody"), "s3 uploads created"),
        (build.s3_eventbridge("images/a b.png", bucket="uploads"), "s3 uploads created images"),
        (sqs(build.s3_eventbridge("a.txt", bucket="uploads"), queue="nobody"), "s3 uploads created"),
        (build.sns(build.s3("a.txt", bucket="uploads"), topic="nobody"), "s3 uploads created"),
        (build.sns_sqs(build.s3("a.txt", bucket="uploads"), topic="nobody", queue="nobody"), "s3 uploads created"),
        (build.eventbridge({"total": 5}, source="shop", detail_type="Order Shipped"), "shop"),
        (build.eventbridge({"total": 5}, source="shop", detail_type="Order Placed"), "shop placed"),
        (build.eventbridge({"total": 500}, source="shop", detail_type="Order Placed"), "shop large"),
        (
            sqs(build.eventbridge({"total": 500}, source="shop", detail_type="Order Placed"), queue="nobody"),
            "shop large",
        ),
        (build.schedule("nightly-report"), "schedule"),
    ],
)
def test_the_function_that_asks_for_most_is_called_once(event: Any, expected: str) -> None:
    events, seen = routes()
    handled(events, event)
    assert seen == [expected]


def test_the_order_of_registration_does_not_matter() -> None:
    for names in (["*", "orders*", "orders"], ["orders", "orders*", "*"], ["orders*", "orders", "*"]):
        events, seen = Events(), list[str]()
        for each in names:

            async def function(_: SqsRecord, name: str = each, told: list[str] = seen) -> None:
                told.append(name)

            events.sqs(each)(function)
        handled(events, sqs("x", queue="orders"))
        assert seen == ["orders"]


def test_s3_through_sns_through_sqs_has_all_of_them() -> None:
    events, seen = Events(), list[Any]()

    @events.s3("uploads")
    async def upload(s3: S3Record, sns: SnsRecord, sqs: SqsRecord) -> None:
        seen.append((s3.key, sns.topic, sqs.queue))
        if s3.key == "bad":
            raise ValueError("no")

    bodies = [build.sns_sqs(build.s3(key, bucket="uploads"), topic="t")["Records"][0]["body"] for key in ("a", "bad")]
    event = sqs(*bodies, queue="q")

    assert failures(handled(events, event)) == ids(event, 1)
    assert seen == [("a", "t", "q"), ("bad", "t", "q")]


def test_a_message_with_several_objects_fails_if_one_of_them_does() -> None:
    events, seen = Events(), list[str]()

    @events.s3()
    async def upload(record: S3Record) -> None:
        seen.append(record.key)
        if record.key == "bad":
            raise ValueError("no")

    event = sqs(build.s3("a", "bad", "c"), build.s3("d", "e"))
    assert failures(handled(events, event)) == ids(event, 0)
    assert sorted(seen) == ["a", "bad", "c", "d", "e"]


def test_an_object_that_nobody_takes_is_not_lost_beside_one_that_somebody_takes() -> None:
    events, seen = Events(), list[str]()

    @events.s3(prefix="images/")
    async def upload(record: S3Record) -> None:
        seen.append(record.key)

    event = sqs(build.s3("images/a", "docs/b"), build.s3("images/c"))
    assert failures(handled(events, event)) == ids(event, 0)
    assert seen == ["images/c"]

    rest = list[Any]()

    @events.otherwise
    async def other(record: Record) -> None:
        rest.append(record)

    assert failures(handled(events, event)) == []
    assert seen == ["images/c", "images/a", "images/c"]
    assert [each.key for each in rest] == ["docs/b"]


def test_a_test_message_of_s3_is_done() -> None:
    events = Events()

    @events.s3()
    async def upload(record: S3Record) -> None:
        raise AssertionError

    test = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "uploads", "Time": "2026-01-01T00:00:00.000Z"}
    assert failures(handled(events, sqs(test))) == []


# Nobody


def test_a_message_that_nobody_takes_is_told_and_comes_again(caplog: pytest.LogCaptureFixture) -> None:
    events, seen = Events(), list[str]()
    recorder(events, seen)
    event = sqs("x", queue="others")

    assert failures(handled(events, event)) == ids(event, 0)
    assert "No function is registered for sqs 'others'. Register one for it, or one of last resort" in caplog.text


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (build.schedule("weekly"), "schedule 'weekly'"),
        (build.eventbridge({}, source="x", detail_type="y"), "eventbridge"),
        ({"hello": 1}, "this event"),
        ([1, 2], "this event"),
        (None, "this event"),
        ("text", "this event"),
        ({"Records": []}, "this event"),
        ({"Records": None}, "this event"),
        ({"Records": [{"eventSource": "aws:fax"}]}, "this event"),
    ],
)
def test_an_event_that_nobody_takes_is_refused(event: Any, told: str) -> None:
    events, seen = Events(), list[str]()
    recorder(events, seen)
    with pytest.raises(NoFunction, match=f"^No function is registered for {told}"):
        handled(events, event)


def test_the_function_of_last_resort_takes_what_nobody_else_does() -> None:
    events, seen = Events(), list[Any]()
    recorder(events, seen)

    @events.otherwise
    async def other(event: Any, record: Record) -> str:
        seen.append((record.source, event))
        return "done"

    assert failures(handled(events, sqs("mine"))) == []
    assert failures(handled(events, sqs('{"n": 1}', queue="others"))) == []
    assert handled(events, {"hello": 1}) == "done"
    assert handled(events, build.schedule("weekly")) == "done"
    assert handled(events, {"Records": []}) == "done"
    assert seen == ["mine", ("sqs", {"n": 1}), ("invoke", {"hello": 1}), ("schedule", {}), ("invoke", {"Records": []})]


def test_an_event_without_records_is_done() -> None:
    events = Events()

    @events.kafka()
    @events.rabbitmq()
    async def nothing(record: Record) -> None:
        raise AssertionError

    assert handled(events, {"eventSource": "aws:kafka", "records": {}}) == {"batchItemFailures": []}
    assert handled(events, {"eventSource": "aws:rmq", "rmqMessagesByQueue": {}}) is None


def test_a_batch_of_two_sources_is_refused_whole() -> None:
    events, seen = Events(), list[str]()
    recorder(events, seen)
    event = sqs("a", "b")
    event["Records"].append(build.s3("key")["Records"][0])

    with pytest.raises(MalformedEvent, match="Expected all records of an event to be of aws:sqs, but number 3 is not"):
        handled(events, event)
    assert seen == []


@pytest.mark.parametrize("records", [7, "text", {"a": 1}, [None], ["text"], [{"eventSource": "aws:sqs"}, 7]])
def test_malformed_records_are_told(records: Any) -> None:
    events, seen = Events(), list[str]()
    recorder(events, seen)
    with pytest.raises((MalformedEvent, NoFunction)):
        handled(events, {"Records": records})


def test_a_message_that_comes_twice_in_one_batch_is_told_once() -> None:
    events, seen = Events(), list[str]()
    recorder(events, seen, "bad")
    event = sqs("bad")
    event["Records"] *= 2

    assert failures(handled(events, event)) == ids(event, 0)
    assert seen == ["bad", "bad"]


# One record


def test_what_the_function_of_one_record_returns_is_the_reply() -> None:
    events = Events()

    @events.invoke()
    async def step(value: dict[str, int]) -> dict[str, int]:
        return {"doubled": value["n"] * 2}

    assert handled(events, {"n": 4}) == {"doubled": 8}


def test_what_the_function_of_one_record_raises_is_raised() -> None:
    events = Events()

    @events.schedule()
    async def nightly() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match=r"^no$"):
        handled(events, build.schedule("nightly"))


def test_a_source_may_have_a_form_for_what_is_returned() -> None:
    events = Events()

    @events.authorizer()
    async def may_pass() -> bool:
        return True

    event = build.authorizer_request()
    reply = handled(events, event)
    assert reply == {"isAuthorized": True} or reply["policyDocument"]["Statement"][0]["Effect"] == "Allow"


def test_invokes_are_told_apart_by_patterns() -> None:
    events = Events()

    @events.invoke({"kind": ["a"]})
    async def kind_a() -> str:
        return "a"

    @events.invoke({"kind": ["b"]})
    async def kind_b() -> str:
        return "b"

    @events.invoke()
    async def any_kind() -> str:
        return "any"

    assert [handled(events, {"kind": each}) for each in "abc"] == ["a", "b", "any"]


# The time


def test_what_is_not_done_is_told_before_the_time_is_up() -> None:
    events, context = Events(margin=4.5), Context(5.0)

    @events.sqs(QUEUE, concurrency=2)
    async def order(body: str) -> None:
        if body != "quick":
            await asyncio.Event().wait()

    event = sqs("hangs", "quick", "hangs", "never begun")
    begun = time.monotonic()
    reply = handled(events, event, context)

    assert time.monotonic() - begun < 4.95
    assert context.get_remaining_time_in_millis() > 50
    assert failures(reply) == ids(event, 0, 2, 3)


def test_a_sync_function_goes_on_in_its_thread_which_is_said(caplog: pytest.LogCaptureFixture) -> None:
    events, release = Events(margin=0.1), Signal()

    @events.sqs(QUEUE)
    def order(body: str) -> None:
        if body == "hangs":
            release.wait(LIMIT)

    event = sqs("hangs", "quick")
    reply = handled(events, event, Left(0.5))
    release.set()

    assert failures(reply) == ids(event, 0)
    assert "was called in a thread and goes on there: nothing can end it." in caplog.text
    assert "Unfinished: The time was up before it was done." in caplog.text


def test_a_batch_function_that_hangs_has_failed_whole() -> None:
    events = Events(margin=0.1)

    @events.sqs(QUEUE)
    async def orders(records: list[SqsRecord]) -> None:
        await asyncio.Event().wait()

    event = sqs("a", "b")
    assert failures(handled(events, event, Left(0.2))) == ids(event, 0, 1)


def test_a_deadline_that_has_passed_is_none_for_some_local_services_do_not_know_theirs() -> None:
    events, seen = Events(), list[str]()
    recorder(events, seen)

    assert failures(handled(events, sqs("a", "b"), Left(0))) == []
    assert seen == ["a", "b"]


@pytest.mark.parametrize("event", [build.schedule("nightly"), {"by": "hand"}, build.s3_eventbridge("key")])
def test_one_record_has_the_same_deadline_and_its_log_says_where_it_stood(
    event: Any, caplog: pytest.LogCaptureFixture
) -> None:
    events, ended = Events(margin=0.15), list[str]()

    @events.schedule()
    @events.s3()
    @events.invoke()
    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("in time")

    with pytest.raises(Unfinished, match=r"^The time was up before it was done\.$"):
        handled(events, event, Left(0.2))
    assert ended == ["in time"]
    (line,) = caplog.records
    assert json.loads(line.getMessage())["outcome"] == "failed"
    assert "await asyncio.Event().wait()" in caplog.text
    assert "_take" not in caplog.text


def test_one_record_that_ends_well_when_it_is_cancelled_is_done() -> None:
    events = Events(margin=0.15)

    @events.invoke()
    async def slow() -> str:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return "as far as it came"

    assert handled(events, {}, Left(0.2)) == "as far as it came"


def test_one_record_that_cannot_be_cancelled_is_waited_for() -> None:
    """It would run on in the next invocation: a runtime, or Lambda, ends the process."""
    events, release = Events(margin=0.15), Signal()

    @events.schedule()
    def sync() -> str:
        release.wait(LIMIT)
        return "done"

    @events.invoke()
    async def swallows() -> str:
        for _ in range(2):
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0.1)
        return "done"

    assert handled(events, {}, Left(0.2)) == "done"
    Timer(0.1, release.set).start()
    assert handled(events, build.schedule("nightly"), Left(0.2)) == "done"


def test_one_record_that_is_cancelled_by_what_it_calls_has_failed(caplog: pytest.LogCaptureFixture) -> None:
    events = Events()

    @events.invoke()
    async def cancelled() -> None:
        raise asyncio.CancelledError

    with pytest.raises(Unfinished, match=r"^It was cancelled by something that it has called\.$"):
        handled(events, {})
    assert "It was cancelled by something" in caplog.text


def test_a_function_of_batches_tells_that_its_one_record_failed() -> None:
    events = Events()

    @events.invoke()
    async def values(records: list[Record]) -> list[Record]:
        return records

    with pytest.raises(RecordFailed):
        handled(events, {})


class Prompt(Handled):
    """An invocation that a debugger may hold."""

    def __init__(self, event: Any, context: Any) -> None:
        super().__init__(event, context)
        self.held = False
        self.result: Any = None

    async def reply(self, result: Any) -> None:
        self.result = result


@pytest.mark.parametrize("event", [sqs("a", "b", "c"), build.schedule("nightly")], ids=["batch", "one"])
@pytest.mark.parametrize("waits", [False, True])
def test_what_a_debugger_holds_has_no_deadline(event: Any, waits: bool) -> None:
    events, invocation = Events(margin=0.0), Prompt(event, Left(0.03))

    @events.schedule()
    @events.sqs(concurrency=1)
    async def stopped() -> str:
        invocation.held = True
        time.sleep(0.04)  # noqa: ASYNC251 - as whoever is at a prompt does
        if waits:
            await asyncio.sleep(0.005)
        return "done"

    run(events.serve(invocation))
    assert invocation.result in ({"batchItemFailures": []}, "done")


def test_the_context_says_how_much_is_left() -> None:
    events, seen = Events(), list[Any]()

    @events.sqs(QUEUE)
    async def order(context: LambdaContext) -> None:
        seen.append(context)

    context = Context(5)
    handled(events, sqs("a"), context)
    assert seen == [context]


# Batches


def test_a_function_of_batches_gets_all_of_its_records_and_returns_those_that_failed() -> None:
    events, seen = Events(), list[list[str]]()

    @events.sqs(QUEUE)
    async def orders(records: list[SqsRecord]) -> list[SqsRecord]:
        seen.append([each.body for each in records])
        return [each for each in records if each.body == "bad"]

    event = sqs("a", "bad", "c", "bad")
    assert failures(handled(events, event)) == ids(event, 1, 3)
    assert seen == [["a", "bad", "c", "bad"]]


def test_a_sync_function_of_batches() -> None:
    events = Events()

    @events.sqs(QUEUE)
    def orders(records: list[SqsRecord]) -> None: ...

    assert failures(handled(events, sqs("a", "b"))) == []


def test_a_function_of_batches_that_raises_has_failed_whole() -> None:
    events = Events()

    @events.sqs(QUEUE)
    async def orders(records: list[SqsRecord]) -> None:
        raise ValueError("no")

    event = sqs("a", "b")
    assert failures(handled(events, event)) == ids(event, 0, 1)


def test_a_function_of_batches_that_returns_nonsense_has_failed_whole(caplog: pytest.LogCaptureFixture) -> None:
    events = Events()

    @events.sqs(QUEUE)
    async def orders(records: list[SqsRecord]) -> str:
        return "ok"

    event = sqs("a", "b")
    assert failures(handled(events, event)) == ids(event, 0, 1)
    assert "Expected a function that takes batches to return None, or a list" in caplog.text


def test_after_an_error_handler_the_records_of_a_batch_function_are_done_whatever_it_returns() -> None:
    events, seen = Events(), list[str]()

    @events.error(ValueError)
    async def ignore(error: ValueError, record: Record) -> bool:
        seen.append(str(error))
        return True

    @events.sqs(QUEUE)
    async def order(records: list[SqsRecord]) -> None:
        raise ValueError("no")

    assert failures(handled(events, sqs("a", "b"))) == []
    assert seen == ["no"]


@pytest.mark.parametrize("returned", [None, "ok"])
def test_what_middleware_returns_does_not_hide_what_a_batch_function_has_returned(returned: object) -> None:
    events = Events()

    @events.middleware
    async def timed(record: Record, call: Callable[[], Any]) -> object:
        await call()
        return returned

    @events.sqs(QUEUE)
    async def order(records: list[SqsRecord]) -> list[SqsRecord]:
        return records[1:]

    event = sqs("a", "b")
    assert failures(handled(events, event)) == ids(event, 1)


def test_a_function_of_batches_of_what_messages_carry() -> None:
    events = Events()

    @events.s3()
    async def uploads(records: list[S3Record]) -> list[S3Record]:
        return [each for each in records if each.key == "bad"]

    event = sqs(build.s3("a", "b"), build.s3("c", "bad"), build.s3("d"))
    assert failures(handled(events, event)) == ids(event, 1)


def test_a_function_of_batches_of_a_shard_is_told_of_by_the_first_that_failed() -> None:
    events = Events()

    @events.dynamodb()
    async def changes(records: list[DynamoDBRecord]) -> list[DynamoDBRecord]:
        return [records[2], records[1]]

    event = build.dynamodb({"n": 1}, {"n": 2}, {"n": 3})
    assert failures(handled(events, event)) == [event["Records"][1]["dynamodb"]["SequenceNumber"]]


def test_two_functions_share_a_batch() -> None:
    events, seen = Events(), list[Any]()

    @events.s3("one")
    async def one(records: list[S3Record]) -> None:
        seen.append([each.key for each in records])

    @events.s3("two")
    async def two(record: S3Record) -> None:
        seen.append(record.key)

    event = sqs(build.s3("a", bucket="one"), build.s3("b", bucket="two"), build.s3("c", bucket="one"))
    assert failures(handled(events, event)) == []
    assert sorted(seen, key=str) == [["a", "c"], "b"]


# Handlers that end otherwise


def test_a_function_that_exits_fails_its_record() -> None:
    events, seen = Events(), list[str]()

    @events.sqs(QUEUE)
    async def order(body: str) -> None:
        seen.append(body)
        if body == "exit":
            sys.exit(3)

    event = sqs("a", "exit", "c")
    assert failures(handled(events, event)) == ids(event, 1)
    assert seen == ["a", "exit", "c"]


@pytest.mark.parametrize("error", [SystemExit(3), StopIteration("x"), StopAsyncIteration("x")])
def test_a_sync_function_that_raises_something_odd_fails_its_record(error: BaseException) -> None:
    events = Events()

    @events.sqs(QUEUE)
    def order(body: str) -> None:
        if body == "odd":
            raise error

    event = sqs("a", "odd", "c")
    assert failures(handled(events, event)) == ids(event, 1)


def test_ten_thousand_records() -> None:
    events, count = Events(), 0

    @events.sqs(QUEUE, concurrency=50)
    async def order(order: dict[str, int], record: SqsRecord) -> None:
        nonlocal count
        count += 1
        if count % 1000 == 0:
            await asyncio.sleep(0)
        if order["n"] % 1000 == 999:
            raise ValueError("no")

    (one,) = sqs({"n": 0})["Records"]
    records = [{**one, "messageId": str(number), "body": f'{{"n": {number}}}'} for number in range(10_000)]
    logging.getLogger("lambent.events").setLevel(logging.CRITICAL)
    try:
        reply = handled(events, {"Records": records}, Context(60))
    finally:
        logging.getLogger("lambent.events").setLevel(logging.NOTSET)

    assert count == 10_000
    assert failures(reply) == [str(each) for each in range(999, 10_000, 1000)]


def test_a_store_that_cannot_be_closed_leaves_neither_another_nor_a_thread_open(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    closed, threads = list[MemoryStore](), list[Thread]()

    class Broken(MemoryStore):
        async def close(self) -> None:
            closed.append(self)
            raise OSError("gone")

    monkeypatch.setattr("lambent.stores.memory.open_store", lambda _: Broken())
    events = Events()

    @events.sqs("a", idempotency=Idempotency(store="memory://"))
    @events.sqs("b", idempotency=Idempotency(store="memory://"))
    def message(text: str) -> None:
        threads.append(current_thread())

    for queue in ("a", "b"):
        assert failures(events(sqs("x", queue=queue))) == []
    events.close()

    assert len(set(closed)) == 2
    assert "OSError: gone" in caplog.text
    for thread in threads:
        thread.join(LIMIT)
        assert not thread.is_alive()


# Around the functions


def test_middleware_is_around_every_record_the_first_outermost() -> None:
    events, seen = Events(), list[str]()

    @events.middleware
    async def outer(record: Record, call: Callable[[], Any]) -> Any:
        seen.append(f"outer {record.body}")
        try:
            return await call()
        finally:
            seen.append("outer done")

    @events.middleware
    async def inner(record: Record, call: Callable[[], Any]) -> Any:
        seen.append("inner")
        return await call()

    recorder(events, seen, "bad")
    event = sqs("a", "bad")

    assert failures(handled(events, event)) == ids(event, 1)
    assert seen == ["outer a", "inner", "a", "outer done", "outer bad", "inner", "bad", "outer done"]


def test_middleware_may_answer_by_itself_or_change_the_result() -> None:
    events = Events()

    @events.middleware
    async def around(record: Record, call: Callable[[], Any]) -> Any:
        return "closed" if record.body == {"n": 0} else [await call()]

    @events.invoke()
    def value(body: dict[str, int]) -> int:
        return body["n"]

    assert handled(events, {"n": 0}) == "closed"
    assert handled(events, {"n": 7}) == [7]


def test_an_error_handler_may_end_it_well_or_raise_another() -> None:
    events, seen = Events(), list[Any]()

    @events.error(KeyError)
    def missing(error: KeyError, record: Record) -> None:
        seen.append(("missing", record.body))

    @events.error(LookupError)
    async def lookup(error: LookupError, record: Record) -> None:
        raise RuntimeError("another") from error

    @events.sqs(QUEUE)
    async def order(body: str) -> None:
        raise {"key": KeyError, "index": IndexError, "value": ValueError}[body]("no")

    event = sqs("key", "index", "value")
    assert failures(handled(events, event)) == ids(event, 1, 2)
    assert seen == [("missing", "key")]


def test_an_error_handler_sees_what_cannot_be_decoded_and_may_give_the_reply() -> None:
    events = Events()

    @events.error(DecodingError)
    def malformed(error: DecodingError, record: Record) -> str:
        return "malformed"

    @events.invoke()
    async def value(number: int) -> int:
        return number

    assert handled(events, "text") == "malformed"
    assert handled(events, 7) == 7


# The log


def test_each_record_has_a_line(caplog: pytest.LogCaptureFixture) -> None:
    events, seen = Events(), list[str]()
    recorder(events, seen, "bad")
    event = sqs("a", "bad")
    with caplog.at_level(logging.INFO, "lambent.events"):
        handled(events, event)

    told = [json.loads(each) for each in caplog.messages]
    assert [(each["source"], each["name"], each["id"], each["outcome"]) for each in told] == [
        ("sqs", QUEUE, event["Records"][0]["messageId"], "done"),
        ("sqs", QUEUE, event["Records"][1]["messageId"], "failed"),
    ]
    assert all(each["duration_ms"] >= 0 for each in told)
    assert told[1]["error"] == "ValueError: bad"


def test_an_error_that_cannot_be_told_has_a_line_too(caplog: pytest.LogCaptureFixture) -> None:
    events = Events()

    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    @events.sqs()
    async def order() -> None:
        raise Mute

    event = sqs("a")
    assert failures(handled(events, event)) == ids(event, 0)
    assert [json.loads(each)["error"] for each in caplog.messages] == ["Mute: its __str__ failed"]


def test_at_warning_only_failures_have_one(caplog: pytest.LogCaptureFixture) -> None:
    events, seen = Events(), list[str]()
    recorder(events, seen, "bad")
    with caplog.at_level(logging.WARNING):
        handled(events, sqs("a", "bad", "c"))
    assert [json.loads(each)["outcome"] for each in caplog.messages] == ["failed"]


# Whatever comes

KINDS = st.sampled_from(["done", "waits", "fails", "exits", "malformed", "unknown"])


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(batch=st.lists(st.tuples(st.sampled_from("abc"), KINDS), max_size=10), ordered=st.booleans())
def test_whatever_is_in_a_batch_is_done_or_told(batch: list[tuple[str, str]], ordered: bool) -> None:
    events, begun = Events(), list[int]()

    @events.sqs("orders*")
    async def order(body: dict[str, Any]) -> None:
        begun.append(body["place"])
        if body["kind"] == "waits":
            await asyncio.sleep(0)
        if body["kind"] == "fails":
            raise ValueError("no")
        if body["kind"] == "exits":
            sys.exit()

    queue = FIFO if ordered else QUEUE
    (one,) = sqs("x", queue=queue)["Records"]
    records = []
    for place, (group, kind) in enumerate(batch):
        body = "{" if kind == "malformed" else json.dumps({"place": place, "kind": kind})
        arn = one["eventSourceARN"].replace("orders", "others") if kind == "unknown" else one["eventSourceARN"]
        attributes = {**one["attributes"], "MessageGroupId": group}
        records.append({**one, "messageId": str(place), "body": body, "eventSourceARN": arn, "attributes": attributes})
    if not records:
        return
    failed = [int(each) for each in failures(handled(events, {"Records": records}))]

    good = ("done", "waits")
    expected = []
    broken: set[str] = set()
    for place, (group, kind) in enumerate(batch):
        if kind not in good or (ordered and group in broken):
            expected.append(place)
            broken.add(group)
    assert failed == expected
    for group in "abc":
        line = [place for place in begun if batch[place][0] == group]
        assert not ordered or line == sorted(line)
    assert {place for place, _ in enumerate(batch) if place not in failed} <= set(begun)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    event=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "Records",
                        "eventSource",
                        "detail-type",
                        "source",
                        "detail",
                        "awslogs",
                        "records",
                        "type",
                        "requestContext",
                        "resources",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
    )
)
def test_any_event_is_handled_or_refused_by_one_of_our_errors(event: Any) -> None:
    events, _ = routes()

    @events.otherwise
    async def other(record: Record) -> None: ...

    with suppress(LambentError):
        handled(events, event)


def test_an_error_handler_for_everything_does_not_take_what_was_not_begun_for_done() -> None:
    """One message of a key is in progress, or the store is down: the handler is about functions, not about that."""
    events, seen = Events(), list[object]()

    class Down(MemoryStore):
        async def load(self, key: str) -> NoReturn:
            raise StoreError("no answer")

        async def save(self, key: str, data: bytes, expires: float, version: str | None = None) -> NoReturn:
            raise StoreError("no answer")

    @events.error()
    def swallow(error: Exception, record: Record) -> None:
        seen.append(error)

    @events.sqs(QUEUE, idempotency=Idempotency(store=Down()))
    async def order(body: str) -> None:
        seen.append(body)

    event = sqs("a")
    assert failures(handled(events, event)) == ids(event, 0)
    assert seen == []


def test_a_test_message_is_nothing_for_a_function_of_last_resort_either() -> None:
    events, seen = Events(), list[object]()

    @events.s3()
    async def stored(record: Record) -> None:
        seen.append(record)

    @events.otherwise
    async def rest(record: Record) -> None:
        seen.append(record)

    test = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-11-21T11:00:00.000Z", "Bucket": "b"}
    assert handled(events, sqs(json.dumps(test))) == {"batchItemFailures": []}
    assert seen == []


def test_what_no_function_takes_is_told_with_what_else_may_be_asked_for() -> None:
    events = Events()

    @events.s3("uploads", event="ObjectRemoved:*")
    async def removed(record: Record) -> None: ...

    told = r"s3 'uploads' \(event_name 'ObjectCreated:Put', key 'a.png'\)"
    with pytest.raises(BatchFailed) as caught:
        handled(events, build.s3("a.png", bucket="uploads"))
    assert re.match(rf"No function is registered for {told}\. Register", str(caught.value.__cause__))


def test_a_change_that_no_function_of_its_table_asks_for_is_passed_over() -> None:
    """Failing, it would come again and again, and nothing of its shard that follows."""
    events, seen = Events(), list[str]()

    @events.dynamodb("orders", event="INSERT")
    async def inserted(record: DynamoDBRecord) -> None:
        seen.append(record.event_name)

    assert (
        handled(events, build.dynamodb({"id": "1"}, event_name="MODIFY", old_image={"id": "1"}, table="orders"))
        == NONE_FAILED
    )
    assert handled(events, build.dynamodb({"id": "1"}, event_name="INSERT", table="orders")) == NONE_FAILED
    assert seen == ["INSERT"]
    assert failures(handled(events, build.dynamodb({"id": "1"}, table="others"))) != []


NONE_FAILED: dict[str, list[object]] = {"batchItemFailures": []}
