"""The invocation that is being handled, and the work that it waits for."""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import anyio.to_thread
import pytest

from lambent import Lambent, current
from lambent.errors import ConfigurationError, NoInvocation
from lambent.invocation import Handled
from lambent.runtime.function import Function
from lambent.types import Invocation, Receive, Scope, Send
from tests.payloads import payload
from tests.runtime.served import Replying, served
from tests.runtime.test_watchdog import answered, following, soon, timed
from tests.support.runtime_api import LIMIT, Answer, answer, invocation


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": current().request_id.encode()})


# What it tells


def test_there_is_none_outside() -> None:
    with pytest.raises(NoInvocation, match=r"There is no invocation here\."):
        current()


def test_it_tells_of_the_invocation() -> None:
    headers = (
        "Lambda-Runtime-Trace-Id: Root=1",
        "Lambda-Runtime-Aws-Tenant-Id: blue",
        'Lambda-Runtime-Client-Context: {"w3c": {"traceparent": "00-1-1-01"}}',
    )
    seen: list[Any] = []

    def handler(event: Any, context: Any) -> None:
        now = current()
        seen.extend([now.event, now.request_id, now.trace_id, now.tenant_id, now.w3c, now.context is context])
        assert now.remaining is not None
        assert now.remaining > 1e6

    served(Function(handler), invocation(b"[1]", *headers))
    assert seen == [[1], "id-1", "Root=1", "blue", {"traceparent": "00-1-1-01"}, True]


def test_it_tells_what_it_can_where_there_is_no_context(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("_X_AMZN_TRACE_ID", raising=False)
    bare = Handled({}, None)
    assert (bare.request_id, bare.trace_id, bare.tenant_id, bare.remaining, bare.w3c) == ("", "", None, None, {})
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=2")
    assert bare.trace_id == "Root=2"


async def in_a_coroutine() -> str:
    return current().request_id


async def in_a_task() -> str:
    return await asyncio.create_task(in_a_coroutine())


async def in_a_thread_of_asyncio() -> str:
    return await asyncio.to_thread(lambda: current().request_id)


async def in_a_thread_of_anyio() -> str:
    return await anyio.to_thread.run_sync(lambda: current().request_id)


async def in_a_callback() -> str:
    found: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(lambda: found.set_result(current().request_id))
    return await found


@pytest.mark.parametrize(
    "where", [in_a_coroutine, in_a_task, in_a_thread_of_asyncio, in_a_thread_of_anyio, in_a_callback]
)
def test_it_is_there_wherever_the_context_goes(where: Callable[[], Any]) -> None:
    async def handler(event: Any, context: Any) -> Any:
        return await where()

    posts = served(Function(handler), invocation(), invocation(request_id="id-2")).posts
    assert [call.json for call in posts] == ["id-1", "id-2"]


def test_a_bare_thread_has_none_unless_it_is_given() -> None:
    def handler(event: Any, context: Any) -> list[str]:
        seen: list[str] = []

        def look() -> None:
            try:
                seen.append(current().request_id)
            except NoInvocation:
                seen.append("none")

        for target in (look, partial(contextvars.copy_context().run, look)):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()
        return seen

    assert served(Function(handler), invocation()).posts[0].json == ["none", "id-1"]


def test_the_lifespan_has_none_and_neither_have_its_tasks() -> None:
    seen: list[str] = []
    go_on = asyncio.Event()

    def look() -> None:
        try:
            seen.append(current().request_id)
        except NoInvocation:
            seen.append("none")

    async def background() -> None:
        await go_on.wait()
        look()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            go_on.set()
            await asyncio.sleep(0.01)
            await hello(scope, receive, send)
            return
        await receive()
        look()
        task = asyncio.create_task(background())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await task
        look()
        await send({"type": "lifespan.shutdown.complete"})

    event = payload("function_url_get")
    [call] = served(Lambent(app), following(event)).posts
    assert call.json["body"] == "id-2"
    assert seen == ["none"] * 3


@pytest.mark.parametrize("awaited", [False, True])
def test_it_is_there_in_the_managed_runtime(awaited: bool) -> None:
    class Context:
        aws_request_id = "id-7"

    handler = Lambent(hello, lifespan="off")
    event = payload("function_url_get")
    context: Any = Context()
    reply = asyncio.run(handler.handle(event, context)) if awaited else handler(event, context)
    assert reply["body"] == "id-7"
    handler.close()
    with pytest.raises(NoInvocation):
        current()


# What is to be waited for


def test_the_reply_does_not_wait_and_the_next_event_does() -> None:
    posted = threading.Event()
    ends: list[str] = []

    def accept() -> Answer:
        posted.set()
        return answer(202)

    async def work() -> None:
        assert await asyncio.to_thread(posted.wait, LIMIT)
        await asyncio.sleep(0.02)
        ends.append("done")

    async def handler(event: Any, context: Any) -> list[str]:
        if not ends:
            current().wait_until(work())
        return [*ends]

    posts = served(Function(handler), invocation(), invocation(), posts=[accept]).posts
    assert [call.json for call in posts] == [[], ["done"]]


def test_work_of_a_coroutine_begins_at_once() -> None:
    ends: list[str] = []

    async def work() -> None:
        ends.append("begun")

    async def handler(event: Any, context: Any) -> list[str]:
        current().wait_until(work())
        await asyncio.sleep(0)
        return [*ends]

    assert served(Function(handler), invocation()).posts[0].json == ["begun"]


def sync_function(work: Callable[[], Any]) -> Any:
    def handler(event: Any, context: Any) -> str:
        current().wait_until(work())
        return "replied"

    return Function(handler)


def thread_of_anyio(work: Callable[[], Any]) -> Any:
    async def handler(event: Any, context: Any) -> str:
        await anyio.to_thread.run_sync(lambda: current().wait_until(work()))
        return "replied"

    return Function(handler)


def loop_of_its_own(work: Callable[[], Any]) -> Any:
    """A future that is done with that loop."""

    async def inner() -> None:
        task = asyncio.ensure_future(work())
        current().wait_until(task)
        await task

    def handler(event: Any, context: Any) -> str:
        asyncio.run(inner())
        return "replied"

    return Function(handler)


def more_work(work: Callable[[], Any]) -> Any:
    async def first() -> None:
        await asyncio.sleep(0)
        current().wait_until(work())

    async def handler(event: Any, context: Any) -> str:
        current().wait_until(first())
        return "replied"

    return Function(handler)


def after_a_failure(work: Callable[[], Any]) -> Any:
    async def reply_and_fail(given: Invocation) -> None:
        current().wait_until(work())
        await given.reply("replied")
        raise KeyError("a")

    return Replying(reply_and_fail)


@pytest.mark.parametrize("wanted_by", [sync_function, thread_of_anyio, loop_of_its_own, more_work, after_a_failure])
def test_work_is_done_whoever_wants_it(wanted_by: Callable[..., Any]) -> None:
    ends: list[str] = []

    async def work() -> None:
        await asyncio.sleep(0.001)
        ends.append(current().request_id)

    def later() -> Answer:
        assert ends == ["id-1"]
        return invocation(request_id="id-2")

    posts = served(wanted_by(work), invocation(), later).posts
    assert [call.json for call in posts] == ["replied"] * 2
    assert ends == ["id-1", "id-2"]


def test_work_that_fails_is_logged_and_disturbs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    ends: list[str] = []

    async def fail() -> None:
        raise KeyError("no mail")

    async def work() -> None:
        await asyncio.sleep(0.001)
        ends.append("done")

    async def handler(event: Any, context: Any) -> str:
        current().wait_until(fail())
        current().wait_until(work())
        return "replied"

    posts = served(Function(handler), invocation(), invocation(request_id="id-2")).posts
    assert [call.json for call in posts] == ["replied"] * 2
    assert ends == ["done"] * 2
    assert caplog.messages == [f"What request {each} waited for failed." for each in ("id-1", "id-2")]
    assert "KeyError: 'no mail'" in caplog.text


def test_work_of_a_loop_that_has_gone_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def inner() -> None:
        current().wait_until(asyncio.sleep(LIMIT))

    def handler(event: Any, context: Any) -> str:
        asyncio.run(inner())
        return "replied"

    assert served(Function(handler), invocation()).posts[0].json == "replied"
    assert "CancelledError" in caplog.text


def test_work_is_cancelled_at_the_deadline(caplog: pytest.LogCaptureFixture) -> None:
    ends: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(LIMIT)
        except asyncio.CancelledError:
            ends.append("cancelled")
            raise

    async def handler(event: Any, context: Any) -> str:
        if event == 1:
            current().wait_until(work())
        return "replied"

    posts = timed(Function(handler), soon(1), following(2)).posts
    assert answered(posts) == [("id-1/response", "replied"), ("id-2/response", "replied")]
    assert ends == ["cancelled"]
    [record] = caplog.records
    assert "at work after its reply, and is cancelled. It stands at:" in record.getMessage()
    assert "await asyncio.sleep(LIMIT)" in record.getMessage()


def test_work_of_a_handler_that_timed_out_is_cancelled_with_it() -> None:
    ends: list[str] = []

    async def work(name: str) -> None:
        ends.append(name)
        await asyncio.sleep(LIMIT)

    async def handler(event: Any, context: Any) -> str:
        if event == 1:
            current().wait_until(work("begun"))
            await anyio.to_thread.run_sync(lambda: current().wait_until(work("not begun")))
            await asyncio.sleep(LIMIT)
        return "replied"

    posts = timed(Function(handler), soon(1), following(2)).posts
    assert [call.path.rpartition("/")[2] for call in posts] == ["error", "response"]
    assert ends == ["begun"]


def test_an_invocation_that_is_over_takes_no_more_work() -> None:
    kept: list[Handled] = []

    async def work() -> None: ...

    async def handler(event: Any, context: Any) -> str:
        if not kept:
            kept.append(current())
            return "replied"
        try:
            kept[0].wait_until(work())
        except ConfigurationError as error:
            return str(error)
        return "taken"

    posts = served(Function(handler), invocation(), invocation(request_id="id-2")).posts
    assert posts[1].json == "Request id-1 is over: there is nothing that could wait."


def test_what_cannot_be_awaited_is_refused() -> None:
    async def work() -> None: ...

    with pytest.raises(TypeError, match="Expected an awaitable, such as what an async function returns, but got <func"):
        Handled({}, None).wait_until(work)  # type: ignore[arg-type]  # the mistake


@pytest.mark.parametrize("awaited", [False, True])
@pytest.mark.parametrize("fails", [False, True])
def test_the_managed_runtime_does_the_work_before_it_replies(awaited: bool, fails: bool) -> None:
    ends: list[str] = []

    async def work() -> None:
        await asyncio.sleep(0.001)
        ends.append("done")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        current().wait_until(work())
        await asyncio.to_thread(lambda: current().wait_until(work()))
        if fails:
            raise KeyError("a")
        await hello(scope, receive, send)

    handler = Lambent(app, lifespan="off", errors="raise")
    event = payload("function_url_get")
    try:
        asyncio.run(handler.handle(event)) if awaited else handler(event)
    except KeyError:
        assert fails
    handler.close()
    assert ends == ["done"] * 2
