"""Registering functions, and being a handler: called, awaited, and in Lambent beside an application."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from lambent import Events, Lambent, current
from lambent.errors import ConfigurationError, NoFunction, UnknownEvent, WrongEventLoop
from lambent.events import Record, S3Record, ScheduleRecord, SesRecord, SqsRecord
from lambent.gateway import GATEWAYS
from lambent.gateway import detect as door_of
from lambent.testing import events as build
from tests.events.doubles import LIMIT, Context, Left, failures, handled, run

Function = Callable[..., Any]


def first(order: dict[str, int]) -> None: ...


def second(order: dict[str, int]) -> None: ...


# Each source has its decorator


SOURCES: dict[str, tuple[Any, str]] = {
    "sqs": (build.sqs("x", queue="it"), "it"),
    "sns": (build.sns("x", topic="it"), "it"),
    "s3": (build.s3("x", bucket="it"), "it"),
    "dynamodb": (build.dynamodb({"id": "1"}, table="it"), "it"),
    "kinesis": (build.kinesis("x", stream="it"), "it"),
    "kafka": (build.kafka("x", topic="it"), "it"),
    "mq": (build.mq("x", queue="it"), "it"),
    "rabbitmq": (build.rabbitmq("x", queue="it"), "it"),
    "schedule": (build.schedule("it"), "it"),
    "eventbridge": (build.eventbridge({}, source="it"), "it"),
    "cognito": (build.cognito(), "PreSignUp_SignUp"),
    "logs": (build.logs("x"), "/aws/lambda/my-function"),
    "ses": (build.ses(), "*"),
    "destination": (build.destination(), "my-function"),
    "codepipeline": (build.codepipeline(), ""),
    "authorizer": (build.authorizer_token(), ""),
    "invoke": ({"any": "thing"}, ""),
}


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_is_matched_by_its_name(source: str) -> None:
    event, name = SOURCES[source]
    events, seen = Events(), list[Record]()

    async def taken(record: Record) -> bool | None:
        seen.append(record)
        return False if record.source == "authorizer" else None

    decorate = getattr(events, source)
    (decorate(name) if name else decorate())(taken)
    if name not in ("", "*"):
        decorate("another")(first)
    handled(events, event)

    (record,) = seen
    assert record.source == source
    assert name in ("", "*", record.name)


@pytest.mark.parametrize("source", [each for each, (_, name) in SOURCES.items() if name not in ("", "*")])
def test_another_name_is_not_matched(source: str) -> None:
    event, _ = SOURCES[source]
    events = Events()
    getattr(events, source)("another")(first)
    seen = list[str]()

    @events.otherwise
    async def other(record: Record) -> None:
        seen.append(record.source)

    handled(events, event)
    assert seen == [source]


@pytest.mark.parametrize(
    "event", [*(event for event, _ in SOURCES.values()), build.authorizer(), build.authorizer_request()]
)
def test_no_gateway_takes_its_events(event: Any) -> None:
    with pytest.raises(UnknownEvent):
        door_of(event, GATEWAYS)


def test_decorators_leave_the_function_as_it_is() -> None:
    events = Events()
    assert events.sqs("a")(first) is first
    assert events.sns("a")(first) is first
    assert events.otherwise(first) is first
    assert events.middleware(middleware := _middleware) is middleware
    assert events.error(ValueError)(handler := _handler) is handler


async def _middleware(record: Record, call: Callable[[], Any]) -> Any:
    return await call()


async def _yields(record: Record, call: Callable[[], Any]) -> Any:
    yield await call()


def _handler(error: Exception, record: Record) -> None: ...


def test_an_event_of_s3_may_be_said_as_aws_has_it() -> None:
    events, seen = Events(), list[str]()

    @events.s3("uploads", event="s3:ObjectCreated:*")
    async def created(record: S3Record) -> None:
        seen.append(record.event_name)

    handled(events, build.s3("a.png", bucket="uploads"))
    assert seen == ["ObjectCreated:Put"]


@pytest.mark.parametrize("recipient", ["sales@example.com", "support@example.com", "supp*@example.com"])
def test_mail_goes_by_any_of_its_recipients(recipient: str) -> None:
    events = Events()

    @events.ses(recipient)
    async def mail(record: SesRecord) -> str:
        return "STOP_RULE"

    @events.ses("another@*")
    async def another(record: SesRecord) -> None: ...

    event = build.ses()
    event["Records"][0]["ses"]["receipt"]["recipients"] = ["sales@example.com", "support@example.com"]
    assert handled(events, event) == {"disposition": "STOP_RULE"}
    event["Records"][0]["ses"]["receipt"]["recipients"] = ["nobody@example.com"]
    with pytest.raises(NoFunction):
        handled(events, event)


@pytest.mark.parametrize("context", [{}, object()])
def test_a_context_without_a_clock_is_no_deadline(context: Any) -> None:
    events, seen = Events(), list[str]()

    @events.sqs("orders")
    async def order(body: str) -> None:
        seen.append(body)

    assert handled(events, build.sqs("a", queue="orders"), context) == {"batchItemFailures": []}
    assert seen == ["a"]


# Mistakes, at import


PLACES = r".*test_events\.first \(.*test_events\.py:\d+\) and .*test_events\.second \(.*test_events\.py:\d+\)"


@pytest.mark.parametrize(
    "register",
    [
        lambda events, function: events.sqs("orders")(function),
        lambda events, function: events.sqs()(function),
        lambda events, function: events.s3("b", prefix="images/")(function),
        lambda events, function: events.eventbridge("a", "b", detail={"c": [1]})(function),
        lambda events, function: events.otherwise(function),
        lambda events, function: events.error(ValueError)(function),
    ],
)
def test_two_that_want_the_same_are_refused_with_both_places(register: Callable[[Events, Function], object]) -> None:
    events = Events()
    register(events, first)
    with pytest.raises(ConfigurationError, match=rf"^Two functions are registered for .*: {PLACES}\. Keep one"):
        register(events, second)


def test_two_of_which_nobody_can_tell_who_asks_for_more_are_refused_with_both_places() -> None:
    events = Events()
    events.sqs("eu-*")(first)
    with pytest.raises(ConfigurationError, match=rf"^Some records fit sqs \(name 'eu-\*'\) as well as .*: {PLACES}"):
        events.sqs("*-eu")(second)


def test_two_of_which_one_asks_for_more_are_taken() -> None:
    events = Events()
    for glob in ("*", "orders-*", "orders-eu-*", "orders-eu-1", "*-dlq"):
        events.sqs(glob)(first)


@pytest.mark.parametrize(
    ("register", "expected"),
    [
        (
            lambda events: events.sqs(first),
            r"in @events\.sqs\(\), but its name is <function first.*parentheses there\?",
        ),
        (lambda events: events.sqs("a")(7), r"Expected a function below @events\.sqs\(\), but got 7"),
        (
            lambda events: events.sqs("a", concurency=2)(first),
            r"@events\.sqs: .*unexpected keyword argument 'concurency'",
        ),
        (lambda events: events.sqs("a", concurrency=0)(first), "`concurrency` to be a whole number, 1 or more"),
        (lambda events: events.sqs("a", concurrency="2")(first), "1 or more, but got '2'"),
        (lambda events: events.eventbridge("a", detail={"b": 1})(first), "expected a list of values at 'b'"),
        (
            lambda events: events.error(first),
            r"Expected a class of exceptions in @events\.error\(\).*parentheses there\?",
        ),
        (lambda events: events.error("x"), "Expected a class of exceptions"),
        (lambda events: events.invoke(first), r"a pattern, a dict, in @events\.invoke\(\), but.*parentheses there\?"),
        (lambda events: events.dynamodb(event="insert"), "one of INSERT, MODIFY, REMOVE, but got 'insert'"),
        (lambda events: events.dynamodb(event="CREATE*"), "one of INSERT, MODIFY, REMOVE, but got 'CREATE"),
        (
            lambda events: events.dynamodb(event=["INSERT", "MODIFY"]),
            r"its event_name is \['INSERT', 'MODIFY'\]\. For several, decorate once for each\.",
        ),
        (lambda events: events.requests(sqs="jobs", decoder="base64"), "without `decoder`: requests are JSON"),
        (lambda events: events.middleware(_handler), r"Expected an async function below @events\.middleware.*_handler"),
        (lambda events: events.middleware(_yields), "Expected an async function below @events.middleware"),
        (lambda events: events.middleware(7), "Expected an async function below .* but got 7"),
        (lambda events: Events(**dict[str, Any](margin="2")), "`margin` to be seconds, 0 or more, but got .2."),
        (lambda events: Events(margin=-1), "Expected `margin` to be seconds, 0 or more, but got -1"),
    ],
)
def test_a_mistake_is_told_at_once(register: Callable[[Events], object], expected: str) -> None:
    with pytest.raises(ConfigurationError, match=expected):
        register(Events())


def two_bodies(one: int, two: int) -> None: ...


def test_signatures_are_read_before_the_first_event() -> None:
    events = Events()
    events.schedule()(first)
    events.sqs()(two_bodies)
    with pytest.raises(ConfigurationError, match=r"two_bodies .* has 2 parameters for what a record carries: one, two"):
        handled(events, build.schedule())


def test_a_schedule_has_no_body_for_what_has_a_default() -> None:
    events, seen = Events(), list[object]()

    @events.schedule("nightly")
    async def nightly(days: int = 7) -> None:
        seen.append(days)

    @events.schedule("hourly")
    async def hourly(detail: dict[str, int], hours: int = 1) -> None:
        seen.append((detail, hours))

    for name in ("nightly", "hourly"):
        handled(events, build.schedule(name))
    assert seen == [7, ({}, 1)]


# A handler


def orders(events: Events, seen: list[Any], *poison: str) -> Events:
    @events.sqs("orders")
    async def order(body: str) -> None:
        seen.append((body, current().request_id, asyncio.get_running_loop()))
        if body in poison:
            raise ValueError("no")

    return events


def test_it_is_called_as_the_managed_runtime_does_on_one_loop() -> None:
    seen = list[Any]()
    with closing(orders(Events(), seen, "bad")) as events:
        event = build.sqs("a", "bad", queue="orders")
        for _ in range(2):
            assert failures(events(event, Context(5))) == [event["Records"][1]["messageId"]]
    assert [each[0] for each in seen] == ["a", "bad"] * 2
    assert {each[1] for each in seen} == {Context.aws_request_id}
    assert len({each[2] for each in seen}) == 1


def test_it_is_called_from_several_threads_at_once() -> None:
    events, barrier = Events(), threading.Barrier(3)
    seen = list[Any]()

    @events.sqs()
    async def order(body: str) -> None:
        seen.append((body, asyncio.get_running_loop()))

    def call(number: int) -> None:
        barrier.wait(LIMIT)
        assert failures(events(build.sqs(str(number)), Context(LIMIT))) == []

    with closing(events):
        calls = [threading.Thread(target=call, args=[number]) for number in range(3)]
        for each in calls:
            each.start()
        for each in calls:
            each.join(LIMIT)
    assert sorted(each[0] for each in seen) == ["0", "1", "2"]
    assert len({each[1] for each in seen}) == 1


def test_it_is_awaited_on_the_running_loop() -> None:
    seen = list[Any]()
    events = orders(Events(), seen)

    async def awaited() -> None:
        replies = await asyncio.gather(*(events.handle(build.sqs(str(n), queue="orders")) for n in range(3)))
        assert [failures(each) for each in replies] == [[], [], []]
        assert {each[2] for each in seen} == {asyncio.get_running_loop()}
        with pytest.raises(WrongEventLoop):
            events(build.sqs("x"), None)

    with closing(events):
        run(awaited())


def test_invocations_at_a_time_do_not_disturb_each_other() -> None:
    events = Events(margin=0.05)
    meet: dict[str, asyncio.Event] = {}

    @events.sqs()
    async def order(body: str) -> None:
        if body == "hangs":
            await asyncio.Event().wait()
        await meet.setdefault("both", asyncio.Event()).wait()

    async def awaited() -> None:
        hanging, waiting = build.sqs("hangs"), build.sqs("waits")
        task = asyncio.create_task(events.handle(waiting, Context(LIMIT)))
        assert failures(await events.handle(hanging, Left(0.2))) == [hanging["Records"][0]["messageId"]]
        meet["both"].set()
        assert failures(await task) == []

    with closing(events):
        run(awaited())


def test_what_no_function_takes_fails_the_invocation() -> None:
    with pytest.raises(NoFunction):
        handled(orders(Events(), []), build.schedule())


def test_threads_end_with_it() -> None:
    events, seen = Events(), list[threading.Thread]()

    @events.sqs()
    def order() -> None:
        seen.append(threading.current_thread())

    handled(events, build.sqs("a", "b"))
    for each in seen:
        each.join(LIMIT)
        assert not each.is_alive()


# Beside an application


def application(seen: list[str], events: Events) -> Starlette:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, list[str]]]:
        seen.append("startup")
        yield {"seen": seen}
        seen.append("shutdown")

    async def home(request: Request) -> PlainTextResponse:
        request.state.seen.append("request")
        return PlainTextResponse("hello")

    @events.sqs("orders")
    async def order(record: SqsRecord) -> None:
        seen.append(f"message {record.body}")
        if record.body == "bad":
            raise ValueError("no")

    @events.schedule("nightly")
    async def nightly(record: ScheduleRecord) -> str:
        seen.append("schedule")
        return "done"

    return Starlette(routes=[Route("/", home)], lifespan=lifespan)


def test_an_application_and_its_events_have_one_lifespan() -> None:
    events, seen = Events(), list[str]()
    handler = Lambent(application(seen, events), events=events)
    with closing(handler):
        assert handler(build.http_request("url", "GET", "/"), None)["body"] == "hello"
        event = build.sqs("good", "bad", queue="orders")
        assert failures(handler(event, Context(5))) == [event["Records"][1]["messageId"]]
        assert handler(build.schedule("nightly"), None) == "done"
        assert handler(build.http_request("rest", "GET", "/"), None)["statusCode"] == 200
        with pytest.raises(NoFunction):
            handler({"hello": 1}, None)
    assert seen == ["startup", "request", "message good", "message bad", "schedule", "request", "shutdown"]


def test_without_events_an_event_of_no_gateway_is_unknown() -> None:
    with closing(Lambent(application([], Events()))) as handler, pytest.raises(UnknownEvent):
        handler(build.sqs("x"), None)


def test_a_signature_that_cannot_be_read_fails_the_start_and_ends_the_lifespan() -> None:
    events, seen = Events(), list[str]()
    app = application(seen, events)
    events.sns()(two_bodies)
    with pytest.raises(ConfigurationError, match="two_bodies"), closing(Lambent(app, events=events, eager=True)):
        raise AssertionError
    assert seen == ["startup", "shutdown"]


def test_nothing_is_logged_where_all_is_well(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        handled(orders(Events(), []), build.sqs("a", queue="orders"))
    assert caplog.messages == []
