"""What goes wrong with messages in aio-lambda-api 0.3.1, and goes right here. Each docstring says the fault.

It cannot be shown on itself: it is not among the tests' dependencies, for it needs botocore and an old pydantic's ways.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from fastapi import FastAPI, HTTPException, Request
from pydantic import BaseModel

from lambent import Lambent, current
from lambent.errors import BatchFailed, NoFunction, UnknownEvent
from lambent.events import Events
from lambent.testing import events
from tests.events.doubles import LIMIT, Context, Left

BOTH = "jobs*"


class Job(BaseModel):
    id: int


class Stage:
    """An application, and a handler whose queues and topics bring it requests."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.running = self.most = 0
        self.goes_on = asyncio.Event()
        app = FastAPI()
        app.post("/jobs")(self.job)
        app.post("/jobs/{name}")(self.named)
        app.get("/hangs")(self.hang)
        app.get("/sync")(self.sync)
        app.get("/denied")(self.denied)
        app.post("/list")(self.listed)
        handled = Events(margin=0.3)
        handled.requests(sqs=BOTH, sns=BOTH, mq=BOTH, rabbitmq=BOTH, concurrency=5)
        self.handler = Lambent(app, events=handled)

    async def job(self, job: Job) -> None:
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(0)
        self.seen.append(job.id)
        self.running -= 1

    async def named(self, name: str, request: Request, dry: bool = False) -> None:
        self.seen.append((name, dry, request.headers.get("x-request-id"), current().request_id))

    async def hang(self) -> None:
        await self.goes_on.wait()

    def sync(self) -> None:
        self.seen.append("sync")

    async def denied(self) -> None:
        raise HTTPException(401, headers={"WWW-Authenticate": "Basic"})

    async def listed(self, numbers: list[int]) -> None:
        self.seen.append(numbers)


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage()
    with closing(made.handler):
        yield made


def job(number: int) -> Any:
    return events.message_request("POST", "/jobs", body={"id": number})


def failed(event: Any, *numbers: int) -> Any:
    return {"batchItemFailures": [{"itemIdentifier": event["Records"][each]["messageId"]} for each in numbers]}


def test_notifications_of_sns_are_dropped_without_a_word(stage: Stage) -> None:
    """It looks for `eventSource`; SNS writes `EventSource`. The invocation is a success, and nothing has run."""
    event = events.sns(job(1), topic="jobs")
    assert "EventSource" in event["Records"][0]
    assert "eventSource" not in event["Records"][0]
    stage.handler(event)
    assert stage.seen == [1]


def test_messages_of_activemq_are_base64(stage: Stage) -> None:
    """It reads `data` as JSON: JSONDecodeError."""
    event = events.mq(job(1), queue="jobs")
    assert json.loads(base64.b64decode(event["messages"][0]["data"])) == job(1)
    stage.handler(event)
    assert stage.seen == [1]


def test_rabbitmq_is_a_source(stage: Stage) -> None:
    """AttributeError: `_parse_event_rmq`."""
    stage.handler(events.rabbitmq(job(1), job(2), queue="jobs"))
    assert sorted(stage.seen) == [1, 2]


@pytest.mark.parametrize("poison", ["", "{", "null", "[]", '"text"', '{"httpMethod": null, "path": "/"}', "\ufeff{}"])
def test_one_poison_message_kills_the_batch(poison: str, stage: Stage) -> None:
    """All messages are parsed before the first one is handled, outside of any try."""
    event = events.sqs(job(1), poison, job(3), queue="jobs")
    assert stage.handler(event) == failed(event, 1)
    assert sorted(stage.seen) == [1, 3]


def test_the_order_of_a_fifo_queue_is_ignored(stage: Stage) -> None:
    """All of a batch are handled at the same time, and what comes after a failure, too."""
    bad = events.message_request("GET", "/denied")
    event = events.sqs(job(1), job(2), bad, job(4), queue="jobs.fifo", group="a")
    other = events.sqs(job(5), queue="jobs.fifo", group="b")
    event["Records"] += other["Records"]
    assert stage.handler(event) == failed(event, 2, 3)
    assert [each for each in stage.seen if each != 5] == [1, 2]
    assert 5 in stage.seen


def test_as_many_run_at_a_time_as_there_are_messages(stage: Stage) -> None:
    """`asyncio.gather` over all of them."""
    assert stage.handler(events.sqs(*map(job, range(50)), queue="jobs")) == {"batchItemFailures": []}
    assert sorted(stage.seen) == list(range(50))
    assert stage.most == 5


def test_the_time_that_is_left_is_not_asked_for(stage: Stage) -> None:
    """Each has 30 s, whatever the function has: Lambda kills it, and all of the batch comes again."""
    event = events.sqs(job(1), events.message_request("GET", "/hangs"), queue="jobs")
    assert stage.handler(event, Left(0.5)) == failed(event, 1)
    assert stage.seen == [1]


def test_success_is_answered_with_nothing_to_be_sure_of(stage: Stage) -> None:
    """None, which SQS takes for a success of messages that were never looked at, too."""
    assert stage.handler(events.sqs(job(1), queue="jobs")) == {"batchItemFailures": []}


def test_a_message_cannot_be_found_in_the_log(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """The request id is that of the event in the message, which has nothing to do with the message."""
    event = events.sqs(events.http_request("rest", "POST", "/jobs", body={"id": 1}), queue="jobs")
    with caplog.at_level(logging.INFO, "lambent.events"):
        stage.handler(event)
    lines = [json.loads(each.getMessage()) for each in caplog.records if each.name == "lambent.events"]
    assert [(each["source"], each["id"], each["outcome"]) for each in lines] == [
        ("sqs", event["Records"][0]["messageId"], "done")
    ]


def test_the_client_s_request_id_is_overwritten(stage: Stage) -> None:
    """With a REST API's spelling of `X-Request-Id`, by that of the event."""
    message = events.http_request("rest", "POST", "/jobs/a", headers={"X-Request-Id": "mine"})
    stage.handler(events.sqs(message, queue="jobs"), Context(LIMIT))
    assert stage.seen == [("a", False, "mine", Context.aws_request_id)]


@pytest.mark.parametrize("door", ["http", "http1", "rest", "alb", "alb-multi", "lattice", "edge", "url"])
def test_events_of_a_load_balancer_are_refused(door: str, stage: Stage) -> None:
    """KeyError: `httpMethod`, and the like for all but API Gateway's two."""
    event = events.sqs(events.http_request(door, "POST", "/jobs", body={"id": 1}), queue="jobs")
    assert stage.handler(event) == {"batchItemFailures": []}
    assert stage.seen == [1]


def test_an_event_without_headers_is_one(stage: Stage) -> None:
    """`headers: null`, which a REST API's console sends, was an AttributeError until 0.3.1."""
    message = {"httpMethod": "POST", "path": "/jobs/a", "headers": None, "body": None}
    assert stage.handler(events.sqs(message, queue="jobs")) == {"batchItemFailures": []}
    assert stage.seen == [("a", False, None, "")]


def test_paths_have_parameters_and_queries(stage: Stage) -> None:
    """Its routes are exact strings; the query is not read."""
    stage.handler(events.sqs(events.message_request("POST", "/jobs/b?dry=true"), queue="jobs"))
    assert stage.seen == [("b", True, None, "")]


@pytest.mark.parametrize("numbers", [[], [1, 2]])
def test_a_body_that_is_no_object_is_dropped(numbers: list[int], stage: Stage) -> None:
    """Lists and scalars never reach the function."""
    stage.handler(events.sqs(events.message_request("POST", "/list", body=numbers), queue="jobs"))
    assert stage.seen == [numbers]


def test_sync_functions_fail(stage: Stage) -> None:
    """TypeError: its `wait_for` wants an awaitable, in the example of its README too."""
    stage.handler(events.sqs(events.message_request("GET", "/sync"), queue="jobs"))
    assert stage.seen == ["sync"]


def test_what_fails_in_a_topic_ends_those_beside_it(stage: Stage) -> None:
    """The first exception ends the invocation, with the others half done."""
    messages = [events.message_request("GET", "/denied"), *map(job, range(3))]
    with pytest.raises(BatchFailed, match="1 of 4 records failed; the first with FailureStatus"):
        stage.handler(events.sns(*messages, topic="jobs"))
    assert sorted(stage.seen) == [0, 1, 2]


OTHERS: dict[str, Callable[[], Any]] = {
    "nothing": dict,
    "a bus": events.eventbridge,
    "a schedule": events.schedule,
    "a bucket": lambda: events.s3("a"),
    "a stream": lambda: events.kinesis("a"),
    "another queue": lambda: events.sqs("a", queue="orders"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_events_are_nothing_or_a_crash(name: str, stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """None, as if all were well, or AttributeError. Here they fail with a clear error, in the form of their source."""
    try:
        failures = stage.handler(OTHERS[name]())["batchItemFailures"]
    except (NoFunction, UnknownEvent, BatchFailed) as error:
        failures = [str(error)]
    assert len(failures) == 1
    assert re.search(
        r"No function is registered for|Expected an event of one of the gateways", f"{failures}{caplog.text}"
    )
    assert stage.seen == []


def test_what_was_opened_is_closed_by_chance() -> None:
    """In `__del__`, and so not when Lambda ends the environment."""
    life: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "lifespan"
        for kind in ("startup", "shutdown"):
            await receive()
            life.append(kind)
            await send({"type": f"lifespan.{kind}.complete"})

    handled = Events()
    handled.requests(sqs="jobs", app=app)
    with closing(handled):
        handled(events.sqs(queue="jobs"))
    assert life == ["startup", "shutdown"]
