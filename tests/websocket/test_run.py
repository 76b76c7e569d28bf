"""One run of an application: where it ends, and how it is ended."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar, copy_context
from typing import Any

import anyio
import pytest

from lambent.asgi.websocket import ENDED, WebSocketConversation
from lambent.gateway.model import Response
from lambent.types import ASGIApp, Message, RawHeaders, Receive, Scope, Send
from lambent.websocket import run as runs
from lambent.websocket.run import Run
from tests.websocket.play import played

HELLO: Message = {"type": "websocket.receive", "text": "hello"}
ACCEPT: Message = {"type": "websocket.accept"}
CLOSE: Message = {"type": "websocket.close"}


def says(text: str) -> Message:
    return {"type": "websocket.send", "text": text}


class Client:
    def __init__(self) -> None:
        self.told: list[Any] = []

    async def accept(self, subprotocol: str | None, headers: RawHeaders) -> None:
        self.told.append("accept")

    async def send(self, data: str | bytes) -> None:
        self.told.append(data)

    async def close(self, code: int, reason: str) -> None:
        self.told.append("close")

    async def deny(self, response: Response) -> None:
        self.told.append("deny")


def begun(app: ASGIApp, message: Message | None = None, **options: Any) -> tuple[Run, Client]:
    client = Client()
    return Run(app, {"type": "websocket"}, WebSocketConversation(client, message, replaying=False), **options), client


def unwound(app: ASGIApp, message: Message | None = None, *, told: list[Any] | None = None) -> None:
    """Run an application to where it waits, and end it. Nothing is left of it."""

    async def story() -> None:
        run, client = begun(app, message)
        assert await run.until_idle()
        await run.unwind()
        assert run.task.done()
        assert run.conversation.state is ENDED
        assert client.told == (["accept"] if told is None else told)

    played(story)


@asynccontextmanager
async def noted(events: list[str]) -> AsyncIterator[None]:
    """Cleanup that takes its time."""
    try:
        yield
    finally:
        for _ in range(3):
            await asyncio.sleep(0)
        events.append("cleaned")


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send(ACCEPT)
    while (message := await receive())["type"] == "websocket.receive":
        await send(says(message["text"]))


# Where it ends


def test_it_goes_up_to_where_the_application_asks_for_more() -> None:
    unwound(echo, HELLO, told=["accept", "hello"])


def test_an_application_that_returns_has_not_waited() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await asyncio.sleep(0)

    async def story() -> None:
        run, _ = begun(app)
        assert not await run.until_idle()
        assert run.error is None
        await run.unwind()
        assert run.conversation.state is ENDED

    played(story)


def test_what_an_application_raises_is_its_error() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        raise LookupError("no such room")

    async def story() -> None:
        run, _ = begun(app)
        assert run.error is None
        assert not await run.until_idle()
        assert isinstance(run.error, LookupError)

    played(story)


def test_an_application_that_raises_at_once_or_is_no_coroutine_function_has_failed_not_lambent() -> None:
    def app(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        raise LookupError("no such room")

    async def story() -> None:
        run, _ = begun(app)
        assert not await run.until_idle()
        assert isinstance(run.error, LookupError)

    played(story)


def test_an_application_that_cancels_itself_has_ended() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise asyncio.CancelledError

    async def story() -> None:
        run, _ = begun(app)
        assert not await run.until_idle()
        assert isinstance(run.error, asyncio.CancelledError)

    played(story)


def test_what_waits_goes_on_with_what_it_is_fed() -> None:
    async def story() -> None:
        run, client = begun(echo)
        for text in ("one", "two"):
            assert await run.until_idle()
            run.conversation.feed({"type": "websocket.receive", "text": text})
        assert await run.until_idle()
        assert client.told == ["accept", "one", "two"]
        run.conversation.feed({"type": "websocket.disconnect", "code": 1000})
        assert not await run.until_idle()

    played(story)


def test_it_runs_in_the_context_that_it_is_given() -> None:
    name: ContextVar[str] = ContextVar("name", default="nobody")
    seen = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(name.get())

    async def story() -> None:
        context = copy_context()
        context.run(name.set, "ali")
        run, _ = begun(app, context=context)
        await run.until_idle()

    played(story)
    assert seen == ["ali"]


# How it is ended


def test_cleanup_runs_at_the_end_and_what_it_sends_reaches_nobody() -> None:
    events: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async with noted(events):
            try:
                await echo(scope, receive, send)
            finally:
                await send(says("bye"))
                await send(CLOSE)

    unwound(app)
    assert events == ["cleaned"]


def test_an_application_is_cancelled_and_never_sees_an_exception_of_receive() -> None:
    seen: list[type[BaseException]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await echo(scope, receive, send)
        except BaseException as error:
            seen.append(type(error))
            raise

    unwound(app)
    assert seen == [asyncio.CancelledError]


def test_a_task_group_around_receive_is_ended_with_all_its_tasks() -> None:
    events: list[str] = []

    async def ticking() -> None:
        async with noted(events):
            await asyncio.Event().wait()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(ticking())
            group.create_task(echo(scope, receive, send))

    unwound(app, HELLO, told=["accept", "hello"])
    assert events == ["cleaned"]


def test_a_task_group_of_anyio_is_ended_with_all_its_tasks() -> None:
    events: list[str] = []

    async def ticking() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            events.append("cleaned")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(ticking)
            await echo(scope, receive, send)

    async def story() -> None:
        run, client = begun(app, HELLO)
        assert await run.until_idle()
        await run.unwind()
        assert run.task.cancelled()
        assert client.told == ["accept", "hello"]

    played(story)
    assert events == ["cleaned"]


def test_one_of_two_that_are_raced_may_receive() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        news = asyncio.ensure_future(asyncio.Event().wait())
        try:
            while True:
                heard = asyncio.ensure_future(receive())
                try:
                    await asyncio.wait({news, heard}, return_when=asyncio.FIRST_COMPLETED)
                    await send(says(heard.result()["text"]))
                finally:
                    heard.cancel()
        finally:
            news.cancel()

    unwound(app, HELLO, told=["accept", "hello"])


def test_an_application_that_swallows_it_and_asks_again_is_cancelled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "INSISTING_SECONDS", 5.0)
    asked = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal asked
        await receive()
        await send(ACCEPT)
        while asked < 5:
            with suppress(asyncio.CancelledError):
                asked += 1
                await receive()

    unwound(app)
    assert asked == 5


def test_one_that_never_ends_is_left_behind_after_a_while(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(runs, "INSISTING_SECONDS", 0.02)
    stop = False

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        while not stop:
            with suppress(asyncio.CancelledError):
                await receive()
        await send(ACCEPT)

    async def story() -> None:
        nonlocal stop
        run, client = begun(app)
        assert await run.until_idle()
        await run.unwind()
        assert not run.task.done()
        stop = True
        run.task.cancel()
        with pytest.raises(OSError, match="after the end of the event"):
            await run.task
        assert client.told == []

    played(story)
    assert "left behind" in caplog.text


def test_an_application_that_takes_its_time_to_clean_up_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "INSISTING_SECONDS", 0.0)
    events: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await receive()
        finally:
            await asyncio.sleep(0.02)
            events.append("cleaned")

    unwound(app, told=[])
    assert events == ["cleaned"]


def test_it_may_be_ended_while_somebody_waits_until_it_is_idle() -> None:
    async def story() -> None:
        never, events = asyncio.Event(), list[str]()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            async with noted(events):
                await never.wait()

        run, _ = begun(app)
        idle = asyncio.ensure_future(run.until_idle())
        await asyncio.sleep(0)
        await run.unwind()
        assert not await idle
        assert events == ["cleaned"]

    played(story)


def test_what_it_raises_while_it_is_ended_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await echo(scope, receive, send)
        finally:
            raise LookupError("no such table")

    unwound(app)
    assert "The application raised while it was unwound" in caplog.text
    assert "no such table" in caplog.text


def test_to_end_what_has_ended_does_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        run, _ = begun(echo)
        await run.until_idle()
        await run.unwind()
        await run.unwind()

    played(story)
    assert caplog.records == []


def test_a_task_that_outlives_the_application_sends_into_an_oserror() -> None:
    tasks = []

    async def late(send: Send, go: asyncio.Event) -> None:
        await go.wait()
        await send(says("late"))

    async def story() -> None:
        go = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            tasks.append(asyncio.ensure_future(late(send, go)))
            await echo(scope, receive, send)

        run, client = begun(app)
        await run.until_idle()
        await run.unwind()
        go.set()
        with pytest.raises(OSError, match=r"'websocket.send' was sent after the end .* lambent.Connections"):
            await tasks[0]
        assert client.told == ["accept"]

    played(story)


# Cancelled from outside, as by a deadline


async def cancelled(step: Callable[[], Awaitable[Any]], ready: asyncio.Event) -> None:
    task = asyncio.ensure_future(step())
    await ready.wait()
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is busy may need longer than the moment that there is for a cleanup."""
    monkeypatch.setattr(runs, "_LEAVING_SECONDS", 5.0)


def test_a_deadline_ends_the_application_with_its_cleanup(patient: None, caplog: pytest.LogCaptureFixture) -> None:
    events: list[str] = []

    async def story() -> None:
        ready = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            async with noted(events):
                try:
                    await receive()
                    ready.set()
                    await asyncio.Event().wait()
                finally:
                    await send(CLOSE)

        run, client = begun(app)
        await cancelled(run.until_idle, ready)
        assert run.task.done()
        assert run.conversation.state is ENDED
        assert client.told == []

    played(story)
    assert events == ["cleaned"]
    assert caplog.records == []


def test_a_deadline_while_it_is_ended_ends_the_cleanup(patient: None) -> None:
    async def story() -> None:
        ready = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await echo(scope, receive, send)
            finally:
                ready.set()
                await asyncio.Event().wait()

        run, _ = begun(app)
        await run.until_idle()
        await cancelled(run.unwind, ready)
        assert run.task.cancelled()
        assert run.conversation.state is ENDED

    played(story)


def test_a_deadline_waits_for_no_application_that_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(runs, "_LEAVING_SECONDS", 0.01)

    async def story() -> None:
        ready, go = asyncio.Event(), asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            ready.set()
            while not go.is_set():
                with suppress(asyncio.CancelledError):
                    await go.wait()

        run, _ = begun(app)
        await cancelled(run.until_idle, ready)
        assert not run.task.done()
        assert run.conversation.state is ENDED
        go.set()
        await run.task

    played(story)


def test_what_it_raises_at_a_deadline_is_logged(patient: None, caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        ready = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                ready.set()
                await asyncio.Event().wait()
            finally:
                raise LookupError("no such table")

        run, _ = begun(app)
        await cancelled(run.until_idle, ready)
        del run

    played(story)
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("lambent", logging.ERROR)
    assert "The application raised while it was unwound" in caplog.text


# Applications that receive in one task and answer in another


def test_a_task_that_receives_and_is_left_behind_is_ended_and_the_log_says_what_that_means(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As Quart has it: where an event ends cannot be told, and what the other task does is cut off."""

    async def story() -> None:
        tasks: list[asyncio.Task[None]] = []

        async def receiving(receive: Receive, messages: asyncio.Queue[Message]) -> None:
            while True:
                await messages.put(await receive())

        async def answering(send: Send, messages: asyncio.Queue[Message]) -> None:
            await send(ACCEPT)
            while True:
                await messages.get()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            messages: asyncio.Queue[Message] = asyncio.Queue()
            tasks.extend((asyncio.ensure_future(receiving(receive, messages)),))
            tasks.extend((asyncio.ensure_future(answering(send, messages)),))
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)

        run, _ = begun(app)
        assert await run.until_idle()
        await run.unwind()
        receiver, answerer = tasks
        await asyncio.wait({receiver})
        assert receiver.cancelled()
        answerer.cancel()
        await asyncio.wait({answerer})

    played(story)
    (message,) = caplog.messages
    assert "left a task behind that receives" in message
