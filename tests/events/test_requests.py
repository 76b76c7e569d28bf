"""Requests in messages, through a FastAPI application and through bare ones."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from typing import Any

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from hypothesis import given
from hypothesis import strategies as st
from starlette.background import BackgroundTask

from lambent import Lambent
from lambent.errors import BatchFailed, ConfigurationError, FailureStatus, IncompleteResponse
from lambent.events import Events, Idempotency, Record
from lambent.testing import events
from lambent.types import ASGIApp, Message, Receive, Scope, Send
from tests.events.doubles import Left
from tests.payloads import DOORS, payload

SOURCES: dict[str, Callable[..., Any]] = {
    "sqs": events.sqs,
    "sns": events.sns,
    "mq": events.mq,
    "rabbitmq": events.rabbitmq,
}
NAMES = {"sqs": "queue", "sns": "topic", "mq": "queue", "rabbitmq": "queue"}


class Jobs:
    """A FastAPI application, and what it has seen."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.life: list[str] = []
        self.app = FastAPI(lifespan=self.lifespan)
        self.app.post("/jobs/{name}")(self.job)
        self.app.head("/jobs/{name}")(self.job)
        self.app.get("/status/{status}")(self.status)
        self.app.get("/raises")(self.raises)
        self.app.get("/raises-later")(self.raises_later)
        self.app.get("/streams")(self.streams)

    @asynccontextmanager
    async def lifespan(self, app: FastAPI) -> AsyncIterator[dict[str, str]]:
        self.life.append("startup")
        yield {"pool": "open"}
        self.life.append("shutdown")

    async def job(self, name: str, request: Request, dry: bool = False) -> dict[str, str]:
        body = await request.body()
        self.seen.append((name, dry, body, request.state.pool))
        return {"name": name}

    async def status(self, status: int) -> Response:
        self.seen.append(status)
        return Response(status_code=status)

    async def raises(self) -> None:
        self.seen.append("raises")
        raise ZeroDivisionError

    async def raises_later(self) -> Response:
        async def later() -> None:
            raise ZeroDivisionError

        return Response("done", background=BackgroundTask(later))

    async def streams(self) -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"a"
            yield b"b"
            self.seen.append("streamed")

        return StreamingResponse(pieces())


@pytest.fixture
def jobs() -> Jobs:
    return Jobs()


@pytest.fixture
def handler(jobs: Jobs) -> Iterator[Lambent]:
    handled = Events()
    handled.requests(sqs="jobs", sns="jobs", mq="jobs", rabbitmq="jobs")
    with closing(Lambent(jobs.app, events=handled)) as made:
        yield made


def sent(source: str, *messages: Any) -> Any:
    options: dict[str, Any] = {NAMES[source]: "jobs"}
    return SOURCES[source](*messages, **options)


def request(method: str = "POST", url: str = "/jobs/a", **options: Any) -> Any:
    return events.message_request(method, url, **options)


def failed(event: Any, *numbers: int) -> Any:
    return {"batchItemFailures": [{"itemIdentifier": event["Records"][each]["messageId"]} for each in numbers]}


# A request


@pytest.mark.parametrize("source", SOURCES)
def test_a_request_goes_through_the_application(source: str, jobs: Jobs, handler: Lambent) -> None:
    event = sent(source, request(url="/jobs/a%20b?dry=1", body={"id": 7}), request(body=b"\xff"))
    assert handler(event) == (failed(event) if source == "sqs" else None)
    assert sorted(jobs.seen) == [("a", False, b"\xff", "open"), ("a b", True, b'{"id": 7}', "open")]
    assert jobs.life == ["startup"]
    handler.close()
    assert jobs.life == ["startup", "shutdown"]


def scopes(event: Any, message: Any, **options: Any) -> tuple[Scope, Scope, bytes]:
    """What the application is told of a request that comes by HTTP, and of the same in a message; and its body."""
    seen: list[tuple[Scope, bytes]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope, (await receive())["body"]))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    handled = Events()
    handled.requests(sqs="jobs")
    with closing(Lambent(app, lifespan="off", events=handled, **options)) as handler:
        handler(event)
        assert handler(message) == {"batchItemFailures": []}
    (theirs, body), (ours, again) = seen
    assert body == again
    return theirs, ours, body


@pytest.mark.parametrize("name", DOORS)
@pytest.mark.parametrize("options", [{}, {"base_path": "/v1"}], ids=["", "base path"])
def test_an_event_of_a_gateway_is_the_same_request_in_a_message(name: str, options: dict[str, Any]) -> None:
    event = payload(name)
    message = sent("sqs", event)
    theirs, ours, _ = scopes(event, message, **options)
    record = ours.pop("aws.record")
    assert (record.source, record.queue, record.id) == ("sqs", "jobs", message["Records"][0]["messageId"])
    assert ours.pop("aws.event") == message["Records"][0]
    del theirs["aws.event"], theirs["aws.context"], ours["aws.context"]
    assert ours == theirs


def test_a_base_path_is_that_of_the_lambent() -> None:
    event = payload("rest_v1_custom_domain")
    base_path = "/" + event["path"].split("/")[1]
    theirs, ours, _ = scopes(event, sent("sqs", event), base_path=base_path)
    assert ours["root_path"] == theirs["root_path"] == base_path


def test_the_client_is_told_as_by_http() -> None:
    event = payload("alb_single")
    event["headers"]["x-forwarded-for"] = "203.0.113.1, 203.0.113.2, 203.0.113.3"
    theirs, ours, _ = scopes(event, sent("sqs", event), trusted_proxies=2)
    assert ours["client"] == theirs["client"] == ("203.0.113.2", 0)


def test_text_that_is_not_ascii_arrives(jobs: Jobs, handler: Lambent) -> None:
    """By aio-lambda-api the length of a body was that of its characters."""
    handler(sent("sqs", json.dumps(request(url="/jobs/%C3%A4", body="wörld"), ensure_ascii=False)))
    assert jobs.seen == [("ä", False, "wörld".encode(), "open")]


def test_a_request_without_a_body_of_the_answer_is_one(jobs: Jobs, handler: Lambent) -> None:
    assert handler(sent("sqs", request("HEAD"), request("GET", "/streams"))) == {"batchItemFailures": []}
    assert len(jobs.seen) == 2


def test_a_notification_that_comes_through_a_queue_is_one_of_its_topic(jobs: Jobs) -> None:
    handled = Events()
    handled.requests(sns="jobs")
    with closing(Lambent(jobs.app, events=handled)) as handler:
        event = events.sns_sqs(request(), request("GET", "/status/404"), topic="jobs")
        assert handler(event) == failed(event, 1)
    assert [each for each in jobs.seen if each != 404] == [("a", False, b"", "open")]


# What fails


@pytest.mark.parametrize("status", [400, 404, 422, 500, 503, 301, 307, 308])
def test_a_status_that_says_that_nothing_is_done_fails_that_message(
    status: int, jobs: Jobs, handler: Lambent, caplog: pytest.LogCaptureFixture
) -> None:
    event = sent("sqs", request(), request("GET", f"/status/{status}?password=pa55"), request(url="/jobs/b"))
    assert handler(event) == failed(event, 1)
    assert len(jobs.seen) == 3
    assert f"FailureStatus: The application answered {status} to GET /status/{status}." in caplog.text
    assert "pa55" not in caplog.text


@pytest.mark.parametrize("status", [200, 202, 204, 302, 303, 304])
def test_any_other_status_is_fine(status: int, handler: Lambent) -> None:
    assert handler(sent("sqs", request("GET", f"/status/{status}"))) == {"batchItemFailures": []}


def test_a_path_with_a_slash_too_many_is_not_lost(
    jobs: Jobs, handler: Lambent, caplog: pytest.LogCaptureFixture
) -> None:
    """FastAPI redirects it, and nobody would follow."""
    event = sent("sqs", request(url="/jobs/a/"))
    assert handler(event) == failed(event, 0)
    assert jobs.seen == []
    assert "answered 307 to POST /jobs/a/. Nobody follows it" in caplog.text


@pytest.mark.parametrize("path", ["/raises", "/raises-later"])
def test_what_the_application_raises_fails_that_message(path: str, handler: Lambent, jobs: Jobs) -> None:
    event = sent("sqs", request("GET", path), request())
    assert handler(event) == failed(event, 0)
    assert ("a", False, b"", "open") in jobs.seen


@pytest.mark.parametrize("source", ["sns", "mq", "rabbitmq"])
def test_where_no_single_message_can_be_tried_again_the_invocation_fails_after_all_have_run(
    source: str, jobs: Jobs, handler: Lambent
) -> None:
    messages = [request("GET", "/status/500"), "poison", request("GET", "/raises"), request()]
    with pytest.raises(BatchFailed, match="3 of 4 records failed") as caught:
        handler(sent(source, *messages))
    assert {type(each).__name__ for each in caught.value.errors} == {
        "FailureStatus",
        "DecodingError",
        "ZeroDivisionError",
    }
    assert len(jobs.seen) == 3


async def silent(scope: Scope, receive: Receive, send: Send) -> None: ...


async def half(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})


@pytest.mark.parametrize("app", [silent, half])
def test_an_application_that_does_not_answer_has_failed(app: ASGIApp) -> None:
    handled = Events()
    handled.requests(sns="jobs", app=app)
    with closing(handled), pytest.raises(BatchFailed) as caught:
        handled(sent("sns", request()))
    assert isinstance(caught.value.errors[0], IncompleteResponse)


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ("pa55", "Expected a request as JSON, but the message is none"),
        ("", "Expected a request as JSON, but the message is none"),
        ("[" * 100_000, "Expected a request as JSON, but the message is none"),
        ([1], "Expected a request as a JSON object, but got a list"),
        (7, "Expected a request as a JSON object, but got a int"),
        ({}, "but got an object of none"),
        ({"secret": "pa55", "a": 1}, "but got an object of 'a', 'secret'"),
        ({"method": "GET", "path": "pa55"}, "Expected `path` to be text that begins with a slash"),
        ({"httpMethod": "GET", "path": "/", "body": 5}, "Expected `body` to be a string, but got a int"),
        ({"httpMethod": ["pa55"], "path": "/"}, "Expected a request as an event of rest_api, but: AttributeError"),
        (payload("websocket_message"), "but got an object of "),
        (payload("websocket_connect"), "but got an object of "),
    ],
)
def test_a_message_that_is_no_request_fails_alone_and_shows_no_values(
    message: Any, why: str, jobs: Jobs, handler: Lambent, caplog: pytest.LogCaptureFixture
) -> None:
    event = sent("sqs", message, request())
    assert handler(event) == failed(event, 0)
    assert len(jobs.seen) == 1
    assert why in caplog.text
    assert "pa55" not in caplog.text


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["method", "path", "body", "headers", "query", "httpMethod", "requestContext", "http", "raw_path"]
            )
            | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(st.lists(anything, max_size=4))
def test_whatever_comes_is_handled_or_reported(messages: list[Any]) -> None:
    handled = Events()
    handled.requests(sqs="jobs", app=answers(200, []))
    with closing(handled):
        event = sent("sqs", *map(json.dumps, messages), request())
        identifiers = [each["itemIdentifier"] for each in handled(event)["batchItemFailures"]]
    assert event["Records"][-1]["messageId"] not in identifiers
    assert len(identifiers) <= len(messages)


# Time and order


def test_what_is_not_done_in_time_is_reported_before_the_platform_kills(jobs: Jobs) -> None:
    ended: list[str] = []

    @only_http
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/hangs":
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("cancelled")
        await answers(200, [])(scope, receive, send)

    handled = Events(margin=0.5)
    handled.requests(sqs="jobs", app=app)
    with closing(handled):
        event = sent("sqs", request(), request(url="/hangs"))
        assert handled(event, Left(0.8)) == failed(event, 1)
    assert ended == ["cancelled"]


def test_so_many_are_under_way_at_a_time() -> None:
    running, most = 0, 0

    @only_http
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        await answers(200, [])(scope, receive, send)
        running -= 1

    handled = Events()
    handled.requests(sqs="jobs", app=app, concurrency=3)
    with closing(handled):
        handled(sent("sqs", *[request()] * 20))
    assert most == 3


def test_a_request_that_comes_again_is_not_handled_again(jobs: Jobs) -> None:
    handled = Events()
    handled.requests(sqs="jobs", idempotency=Idempotency("body.headers.idempotency-key", store="memory://"))
    with closing(Lambent(jobs.app, events=handled)) as handler:
        for _ in range(3):
            handler(sent("sqs", request(headers={"Idempotency-Key": "k"})))
    assert len(jobs.seen) == 1


def test_after_the_response_the_application_is_told_that_it_is_over() -> None:
    seen: list[str] = []

    @only_http
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        waiting = asyncio.ensure_future(listen(receive))
        await asyncio.sleep(0)
        await answers(200, [])(scope, receive, send)
        seen.append(await waiting)

    async def listen(receive: Receive) -> str:
        return str((await receive())["type"])

    handled = Events()
    handled.requests(sqs="jobs", app=app)
    with closing(handled):
        assert handled(sent("sqs", request())) == {"batchItemFailures": []}
    assert seen == ["http.disconnect"]


def test_who_waits_for_more_is_told_so_when_the_application_has_raised() -> None:
    seen: list[str] = []

    @only_http
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()

        async def listen() -> None:
            seen.append((await receive())["type"])

        tasks.append(asyncio.ensure_future(listen()))
        await asyncio.sleep(0)
        raise ZeroDivisionError

    tasks: list[asyncio.Future[None]] = []

    async def scene() -> None:
        handled = Events()
        handled.requests(sqs="jobs", app=app)
        await handled.handle(sent("sqs", request()))
        await asyncio.wait_for(tasks[0], 5)
        assert seen == ["http.disconnect"]

    asyncio.run(scene())


# Which application


def only_http(app: ASGIApp) -> ASGIApp:
    """One that says at once that it has no lifespan."""

    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        await app(scope, receive, send)

    return checked


def answers(status: int, seen: list[Any]) -> ASGIApp:
    @only_http
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["state"])
        start: Message = {"type": "http.response.start", "status": status, "headers": []}
        await send(start)
        await send({"type": "http.response.body"})

    return app


def test_events_alone_run_the_lifespan_of_their_application_once(jobs: Jobs) -> None:
    handled = Events()
    handled.requests(sqs="jobs", app=jobs.app)
    handled.requests(sns="jobs", app=jobs.app)
    handled(sent("sqs", request()))
    handled(sent("sns", request()))
    assert [each[3] for each in jobs.seen] == ["open", "open"]
    handled.close()
    assert jobs.life == ["startup", "shutdown"]


def test_the_application_of_the_lambent_has_one_lifespan_even_if_it_is_named(jobs: Jobs) -> None:
    handled = Events()
    handled.requests(sqs="jobs", app=jobs.app)
    with closing(Lambent(jobs.app, events=handled)) as handler:
        handler(sent("sqs", request()))
        handler(events.http_request("http", "POST", "/jobs/b"))
    assert [each[3] for each in jobs.seen] == ["open", "open"]
    assert jobs.life == ["startup", "shutdown"]


def test_another_application_has_its_own_lifespan_and_state(jobs: Jobs) -> None:
    other, handled = Jobs(), Events()
    handled.requests(sqs="jobs")
    handled.requests(sns="jobs", app=other.app)
    with closing(Lambent(jobs.app, events=handled)) as handler:
        handler(sent("sqs", request(url="/jobs/a")))
        handler(sent("sns", request(url="/jobs/b")))
    assert [each[0] for each in jobs.seen] == ["a"]
    assert [each[0] for each in other.seen] == ["b"]
    assert jobs.life == other.life == ["startup", "shutdown"]


def test_a_startup_that_fails_ends_those_that_have_begun(jobs: Jobs) -> None:
    @asynccontextmanager
    async def broken(app: FastAPI) -> AsyncIterator[None]:
        raise OSError("no database")
        yield

    handled = Events()
    handled.requests(sqs="jobs", app=jobs.app)
    handled.requests(sns="jobs", app=FastAPI(lifespan=broken))
    with pytest.raises(OSError, match="no database"):
        handled(sent("sqs", request()))
    assert jobs.life == ["startup", "shutdown"]
    assert jobs.seen == []


def test_without_a_lifespan_there_is_no_state() -> None:
    seen: list[Any] = []
    handled = Events()
    handled.requests(sqs="jobs")
    with closing(Lambent(answers(200, seen), lifespan="off", events=handled)) as handler:
        assert handler(sent("sqs", request())) == {"batchItemFailures": []}
    assert seen == [{}]


def test_without_an_application_init_fails_and_says_so() -> None:
    handled = Events()
    handled.requests(sqs="jobs")
    with pytest.raises(ConfigurationError, match=r"Lambent\(app, events=events\), or events.requests\(app=app\)"):
        handled(sent("sqs", request()))


def test_without_a_source_there_are_none() -> None:
    with pytest.raises(ConfigurationError, match="one of sqs, sns, mq, rabbitmq"):
        Events().requests()


def test_who_else_wants_the_same_messages_is_told() -> None:
    handled = Events()
    handled.requests(sqs="jobs")

    async def job(record: Record) -> None: ...

    with pytest.raises(ConfigurationError, match=r"Two .*events\.requests \(.*test_requests\.py:\d+\) and .*job"):
        handled.sqs("jobs")(job)


def test_other_queues_are_for_other_functions(jobs: Jobs) -> None:
    handled, seen = Events(), list[str]()
    handled.requests(sqs="jobs-*")

    @handled.sqs("orders")
    async def order(body: str) -> None:
        seen.append(body)

    with closing(Lambent(jobs.app, events=handled)) as handler:
        handler(events.sqs("a", queue="orders"))
        handler(events.sqs(request(), queue="jobs-eu"))
    assert (seen, len(jobs.seen)) == (["a"], 1)


def test_the_error_names_status_and_path() -> None:
    handled = Events()
    handled.requests(sns="jobs", app=answers(418, []))
    with closing(handled), pytest.raises(BatchFailed) as caught:
        handled(sent("sns", request("PUT", "/tea/pot?milk=1")))
    (error,) = caught.value.errors
    assert isinstance(error, FailureStatus)
    assert str(error) == "The application answered 418 to PUT /tea/pot."
