"""The lifespan: started once, stopped once, and what happens when an application does otherwise."""

import asyncio
import gc
import logging
from contextlib import closing
from contextvars import ContextVar

import anyio
import pytest

from lambent.asgi.lifespan import (
    FAILED,
    RUNNING,
    STARTING,
    STOPPED,
    STOPPING,
    TRANSITIONS,
    LifespanConversation,
    lifespan,
)
from lambent.errors import LifespanEnded, LifespanFailed, UnexpectedMessage
from lambent.types import ASGIApp, Receive, Scope, Send

STATES = (STARTING, RUNNING, STOPPING, STOPPED, FAILED)
TYPES = (
    "lifespan.startup.complete",
    "lifespan.startup.failed",
    "lifespan.shutdown.complete",
    "lifespan.shutdown.failed",
    "lifespan.startup",
    "http.response.start",
    "",
)
COMPLETE = {"type": "lifespan.startup.complete"}
STOPPED_MESSAGE = {"type": "lifespan.shutdown.complete"}


class Startup(Exception):
    """An application's own."""


async def well_behaved(scope: Scope, receive: Receive, send: Send) -> None:
    assert (await receive())["type"] == "lifespan.startup"
    await send(COMPLETE)
    assert (await receive())["type"] == "lifespan.shutdown"
    await send(STOPPED_MESSAGE)


def live(app: ASGIApp, *, required: bool = False, state: dict[str, object] | None = None) -> None:
    """Start, and stop at once."""

    async def main() -> None:
        async with lifespan(app, {} if state is None else state, required=required):
            pass

    asyncio.run(main())


async def led_to(state: str) -> LifespanConversation:
    talk = LifespanConversation()
    if state is FAILED:
        await talk.send({"type": "lifespan.startup.failed"})
    if state in (RUNNING, STOPPING, STOPPED):
        await talk.send(COMPLETE)
    if state in (STOPPING, STOPPED):
        talk.stop()
    if state is STOPPED:
        await talk.send(STOPPED_MESSAGE)
    assert talk.state is state
    return talk


# The table


@pytest.mark.parametrize("state", STATES)
def test_every_state_is_reached(state: str) -> None:
    asyncio.run(led_to(state))


@pytest.mark.parametrize(
    ("state", "kind", "target"),
    [
        (STARTING, "lifespan.startup.complete", RUNNING),
        (STARTING, "lifespan.startup.failed", FAILED),
        (RUNNING, "lifespan.shutdown.failed", RUNNING),
        (STOPPING, "lifespan.shutdown.complete", STOPPED),
        (STOPPING, "lifespan.shutdown.failed", FAILED),
    ],
)
def test_an_answer_leads_on(state: str, kind: str, target: str) -> None:
    async def main() -> None:
        talk = await led_to(state)
        await talk.send({"type": kind, "message": "why"})
        assert (talk.state, talk.message, talk.answered.is_set()) == (target, "why", True)

    asyncio.run(main())
    assert TRANSITIONS[state, kind] is target
    assert len(TRANSITIONS) == 5


@pytest.mark.parametrize(
    ("state", "kind"), [(state, kind) for state in STATES for kind in TYPES if (state, kind) not in TRANSITIONS]
)
def test_a_message_that_is_not_in_the_table_is_refused_and_changes_nothing(state: str, kind: str) -> None:
    async def main() -> None:
        talk = await led_to(state)
        said = talk.message
        with pytest.raises(UnexpectedMessage) as caught:
            await talk.send({"type": kind, "message": "never"})
        assert str(caught.value) == f"The lifespan is {state}, and the application sent {kind!r}."
        assert (talk.state, talk.message) == (state, said)

    asyncio.run(main())


# An application with a lifespan


def test_it_is_started_before_the_body_and_stopped_after_it() -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "lifespan"
        assert scope["asgi"] == {"version": "3.0", "spec_version": "2.0"}
        for answer in (COMPLETE, STOPPED_MESSAGE):
            seen.append((await receive())["type"])
            await send(answer)
        seen.append("returned")

    async def main() -> None:
        async with lifespan(app, {}, required=True):
            seen.append("body")

    asyncio.run(main())
    assert seen == ["lifespan.startup", "body", "lifespan.shutdown", "returned"]


def test_the_state_is_the_dict_that_was_passed() -> None:
    state: dict[str, object] = {}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"]["pool"] = "open"
        await well_behaved(scope, receive, send)

    live(app, state=state)
    assert state == {"pool": "open"}


def test_an_exception_of_the_body_passes_and_shutdown_is_left_out() -> None:
    ended: list[type[BaseException]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(COMPLETE)
        try:
            await receive()
        except BaseException as error:
            ended.append(type(error))
            raise

    async def main() -> None:
        with pytest.raises(KeyError, match="body"):
            async with lifespan(app, {}, required=True):
                raise KeyError("body")
        await asyncio.sleep(0)
        assert ended == [asyncio.CancelledError]

    asyncio.run(main())


def test_it_runs_in_one_task_of_its_own_from_start_to_end() -> None:
    tasks: list[asyncio.Task[None] | None] = []
    color: ContextVar[str] = ContextVar("color")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        tasks.append(asyncio.current_task())
        await receive()
        token = color.set("red")
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep_forever)
            await send(COMPLETE)
            await receive()
            group.cancel_scope.cancel()
        color.reset(token)  # raises in any other context
        tasks.append(asyncio.current_task())
        await send(STOPPED_MESSAGE)

    live(app, required=True)
    assert tasks[0] is tasks[1] is not None


# Startup that fails


@pytest.mark.parametrize("required", [True, False])
def test_a_failure_that_was_said_is_raised_in_the_application_s_words(required: bool) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    with pytest.raises(LifespanFailed, match=r"^no database$"):
        live(app, required=required)


@pytest.mark.parametrize("required", [True, False])
def test_a_failure_that_was_said_and_raised_is_the_application_s_own_exception(required: bool) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "Traceback ..."})
        raise Startup("no database")

    with pytest.raises(Startup, match=r"^no database$"):
        live(app, required=required)


def test_a_failure_without_words_is_raised_all_the_same() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "lifespan.startup.failed"})

    with pytest.raises(LifespanFailed, match=r"^The lifespan failed\.$"):
        live(app)


def test_where_it_is_required_what_startup_raised_is_raised() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        raise Startup("no database")

    with pytest.raises(Startup, match=r"^no database$"):
        live(app, required=True)


def test_where_it_is_not_required_an_exception_of_startup_is_logged_with_its_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        raise Startup("no database")

    live(app)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == "The lifespan failed before it answered; going on without one."
    assert record.exc_info is not None
    assert record.exc_info[0] is Startup
    assert record.exc_info[2] is not None


async def wait_for_what_is_cancelled() -> None:
    future = asyncio.get_running_loop().create_future()
    future.cancel()
    await future


async def cancelled_in_startup(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await wait_for_what_is_cancelled()


def test_where_it_is_required_a_startup_that_is_cancelled_is_a_failure() -> None:
    with pytest.raises(LifespanFailed, match=r"^The lifespan was cancelled\.$"):
        live(cancelled_in_startup, required=True)


def test_where_it_is_not_required_a_startup_that_is_cancelled_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    live(cancelled_in_startup)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == "The lifespan failed before it answered; going on without one."
    assert "LifespanFailed: The lifespan was cancelled." in caplog.text


def test_a_failure_that_was_said_and_then_cancelled_is_raised_in_the_application_s_words() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})
        await wait_for_what_is_cancelled()

    with pytest.raises(LifespanFailed, match=r"^no database$"):
        live(app)


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_an_exit_during_startup_is_raised_and_leaves_nothing_behind(
    kind: type[BaseException], required: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        raise kind("no configuration")

    loop = asyncio.new_event_loop()
    with closing(loop):
        with pytest.raises(kind, match="no configuration"):
            loop.run_until_complete(lifespan(app, {}, required=required).__aenter__())
        assert asyncio.all_tasks(loop) == set()
    gc.collect()
    assert caplog.records == []


# An application without a lifespan


def test_an_application_that_knows_no_lifespan_goes_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise AssertionError

    with caplog.at_level(logging.INFO, "lambent"):
        live(app)
    assert caplog.records == []
    with caplog.at_level(logging.DEBUG, "lambent"):
        live(app)
    assert caplog.messages == ["The application does not support lifespans: AssertionError()"]


def test_where_it_is_required_its_refusal_is_raised() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise NotImplementedError(scope["type"])

    with pytest.raises(NotImplementedError, match="lifespan"):
        live(app, required=True)


@pytest.mark.parametrize("asks", [True, False])
def test_where_it_is_required_returning_without_an_answer_is_a_failure(asks: bool) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if asks:
            await receive()

    with pytest.raises(LifespanFailed, match=r"^The application returned from its lifespan without an answer\.$"):
        live(app, required=True)
    live(app)


def test_a_message_of_another_protocol_is_no_answer() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200})

    with pytest.raises(UnexpectedMessage, match="lifespan is starting"):
        live(app, required=True)


@pytest.mark.parametrize("required", [True, False])
def test_a_lifespan_that_returns_with_its_startup_is_served_without_one(
    required: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(COMPLETE)

    live(app, required=required)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith("The lifespan returned with its startup:")


# A lifespan that ends too early


def test_a_lifespan_that_raises_during_the_body_cancels_it_and_says_why() -> None:
    async def main() -> None:
        broken = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await receive()
            await send(COMPLETE)
            await broken.wait()
            raise Startup("connection lost")

        async def body() -> None:
            async with lifespan(app, {}, required=True):
                broken.set()
                await asyncio.Event().wait()

        with pytest.raises(LifespanEnded, match=r"^The lifespan ended while the environment needs it\.$") as caught:
            await body()
        assert isinstance(caught.value.__cause__, Startup)
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0  # who awaits further is not taken for cancelled

    asyncio.run(main())


def test_a_lifespan_that_says_so_before_it_raises_is_told_by_what_it_raised() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(COMPLETE)
        await send({"type": "lifespan.shutdown.failed", "message": "Traceback ..."})
        raise Startup("connection lost")

    async def main() -> None:
        async with lifespan(app, {}, required=True):
            await asyncio.Event().wait()

    with pytest.raises(LifespanEnded) as caught:
        asyncio.run(main())
    assert isinstance(caught.value.__cause__, Startup)


def test_a_lifespan_that_is_cancelled_may_say_so() -> None:
    """As Starlette does: nothing is wrong, and nothing is reported at the end of the loop."""
    reported: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(COMPLETE)
        try:
            await receive()
        except BaseException:
            await send({"type": "lifespan.shutdown.failed", "message": "Traceback ..."})
            raise

    async def body() -> None:
        async with lifespan(app, {}, required=True):
            await asyncio.Event().wait()

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
        task = asyncio.create_task(body())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert reported == []


def test_a_lifespan_that_returns_during_the_body_cancels_it() -> None:
    async def main() -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await receive()
            await send(COMPLETE)
            await asyncio.sleep(0)
            await asyncio.sleep(0)

        async with lifespan(app, {}, required=True):
            await asyncio.Event().wait()

    with pytest.raises(LifespanEnded) as caught:
        asyncio.run(main())
    assert caught.value.__cause__ is None


def test_a_lifespan_that_raises_with_its_startup_cancels_the_body() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(COMPLETE)
        raise Startup("at once")

    async def main() -> None:
        async with lifespan(app, {}, required=True):
            await asyncio.Event().wait()

    with pytest.raises(LifespanEnded) as caught:
        asyncio.run(main())
    assert isinstance(caught.value.__cause__, Startup)


def test_a_lifespan_that_is_cancelled_with_its_startup_cancels_the_body() -> None:
    entered: list[bool] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(COMPLETE)
        await wait_for_what_is_cancelled()

    async def main() -> None:
        async with lifespan(app, {}, required=True):
            entered.append(True)
            await asyncio.Event().wait()

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(main())
    assert entered == [True]


def test_a_body_that_is_cancelled_from_elsewhere_stays_cancelled() -> None:
    async def main() -> None:
        async def body() -> None:
            async with lifespan(well_behaved, {}, required=True):
                entered.set()
                await asyncio.Event().wait()

        entered = asyncio.Event()
        task = asyncio.create_task(body())
        await entered.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


# Shutdown that fails


def test_a_failed_shutdown_is_raised_in_the_application_s_words() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(COMPLETE)
        await receive()
        await send({"type": "lifespan.shutdown.failed", "message": "still writing"})

    with pytest.raises(LifespanFailed, match=r"^still writing$"):
        live(app)


@pytest.mark.parametrize("says_so", [True, False])
def test_what_shutdown_raises_is_raised(says_so: bool) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(COMPLETE)
        await receive()
        if says_so:
            await send({"type": "lifespan.shutdown.failed", "message": "Traceback ..."})
        raise Startup("still writing")

    with pytest.raises(Startup, match=r"^still writing$"):
        live(app)


def test_an_exit_during_shutdown_is_not_held_back() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(COMPLETE)
        await receive()
        raise SystemExit(3)

    with pytest.raises(SystemExit, match="3"):
        live(app)


def test_a_lifespan_that_ends_at_shutdown_without_an_answer_has_ended() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(COMPLETE)
        await receive()

    live(app, required=True)
