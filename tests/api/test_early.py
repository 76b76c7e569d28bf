"""What is done at import: alone, in our runtime, when Lambda calls, in AWS's own runtime, and under uvicorn."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from contextvars import ContextVar, copy_context
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

import anyio
import pytest

from lambent.ahead import AHEAD
from lambent.api.early import Early
from lambent.errors import ConfigurationError, LifespanEnded, WrongEventLoop
from lambent.runner import Runner
from tests.support.processes import Process, runtime
from tests.support.runtime_api import RuntimeAPI, invocation
from tests.support.web_server import WebServer

COLOR: ContextVar[str] = ContextVar("COLOR", default="none")


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """The loop that will serve."""
    runner = Runner()
    AHEAD.offer(runner.loop)
    yield runner.loop
    if not runner.loop.is_closed():
        runner.stop(1)


@pytest.fixture
def early(loop: asyncio.AbstractEventLoop) -> Early:
    return Early()


class Diary:
    """Makes contexts that write down what becomes of them, and in which task."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.tasks: set[object] = set()

    @asynccontextmanager
    async def context(self, name: str, fails: BaseException | None = None) -> AsyncIterator[str]:
        self.tasks.add(asyncio.current_task())
        await asyncio.sleep(0)
        self.lines.append(f"enter {name}")
        try:
            yield name
        finally:
            self.tasks.add(asyncio.current_task())
            await asyncio.sleep(0)
            self.lines.append(f"leave {name}")
            if fails is not None:
                raise fails


async def give(value: object) -> object:
    await asyncio.sleep(0)
    return value


async def fail(error: BaseException) -> NoReturn:
    await asyncio.sleep(0)
    raise error


@asynccontextmanager
async def shut(error: BaseException) -> AsyncIterator[None]:
    await asyncio.sleep(0)
    raise error
    yield


# Running


def test_a_coroutine_is_run_on_the_loop_that_will_serve(early: Early, loop: asyncio.AbstractEventLoop) -> None:
    async def where() -> object:
        return asyncio.get_running_loop()

    assert early.run(where()) is loop
    assert [early.run(give(number)) for number in range(3)] == [0, 1, 2]


@pytest.mark.parametrize(
    "error", [OSError("no database"), SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError()]
)
def test_what_it_raises_is_raised_and_the_next_one_runs(
    error: BaseException, early: Early, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(type(error)) as caught:
        early.run(fail(error))
    if not isinstance(error, asyncio.CancelledError):
        assert caught.value is error
    assert early.run(give(1)) == 1
    del caught
    gc.collect()
    assert caplog.records == []  # "Task exception was never retrieved", say


@pytest.mark.parametrize("value", [give, None, 1])
def test_what_is_no_coroutine_is_refused(value: Any, early: Early) -> None:
    with pytest.raises(ConfigurationError, match=r"Expected run_async to be given a coroutine, as in run_async\(load"):
        early.run(value)


def test_inside_a_loop_both_point_to_the_lifespan(early: Early) -> None:
    diary = Diary()

    async def main() -> None:
        with pytest.raises(WrongEventLoop, match=r"do it in the lifespan, Api\(lifespan="):
            early.run(give(1))  # closed: a coroutine that is never awaited would be a warning
        with pytest.raises(WrongEventLoop, match=r"do it in the lifespan, Api\(lifespan="):
            early.enter(diary.context("a"))

    asyncio.run(main())
    early.run(main())
    assert diary.lines == []
    assert early.enter(diary.context("b")) == "b"


def test_a_loop_that_another_thread_runs_is_not_waited_for(early: Early) -> None:
    async def main() -> None:
        with pytest.raises(WrongEventLoop):
            await asyncio.to_thread(early.run, give(1))
        with pytest.raises(WrongEventLoop):
            await asyncio.to_thread(early.enter, Diary().context("a"))

    early.run(main())


INTERRUPTED = """
import asyncio, contextlib, os, signal
from lambent.api.early import Early

early = Early()

async def wait(name):
    asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGINT)
    try:
        await asyncio.Event().wait()
    finally:
        print(name, "ended")

@contextlib.asynccontextmanager
async def context(name, waits):
    try:
        if waits:
            await wait(name)
        yield
    finally:
        print(name, "left")

early.enter(context("first", False))
for begin in (lambda: early.run(wait("coroutine")), lambda: early.enter(context("second", True))):
    try:
        begin()
    except KeyboardInterrupt:
        print("interrupted")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT for one process")
def test_ctrl_c_ends_what_waits(tmp_path: Path) -> None:
    with Process([sys.executable, "-X", "dev", "-W", "error", "-c", INTERRUPTED], tmp_path, {}) as process:
        status, output, errors = process.wait()
    assert (status, errors) == (0, "")
    assert output.splitlines() == [
        "coroutine ended", "interrupted", "second ended", "second left", "first left", "interrupted",
    ]  # fmt: skip


# Entering and leaving


def test_all_is_left_in_reverse_order_in_the_task_that_entered_it(
    early: Early, loop: asyncio.AbstractEventLoop
) -> None:
    diary = Diary()
    assert [early.enter(diary.context(name)) for name in "abc"] == ["a", "b", "c"]
    assert early.run(give(1)) == 1
    early.check(loop)
    loop.run_until_complete(early.close())
    assert diary.lines == ["enter a", "enter b", "enter c", "leave c", "leave b", "leave a"]
    assert len(diary.tasks) == 1
    loop.run_until_complete(early.close())


def test_cancel_scopes_and_context_variables_work(early: Early, loop: asyncio.AbstractEventLoop) -> None:
    @asynccontextmanager
    async def colored() -> AsyncIterator[None]:
        token = COLOR.set("green")
        yield
        COLOR.reset(token)  # raises in any other context

    @asynccontextmanager
    async def working() -> AsyncIterator[str]:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep_forever)
            yield COLOR.get()
            group.cancel_scope.cancel()

    early.enter(colored())
    assert early.enter(working()) == "green"
    loop.run_until_complete(early.close())


@pytest.mark.parametrize("first", [None, "red"])
def test_what_is_entered_sees_what_was_set_since_the_one_before(
    first: str | None, early: Early, loop: asyncio.AbstractEventLoop
) -> None:
    @asynccontextmanager
    async def seeing() -> AsyncIterator[str]:
        yield COLOR.get()

    def enter() -> None:
        if first is not None:
            COLOR.set(first)
        assert early.enter(seeing()) == (first or "none")
        for color in ("blue", "yellow"):
            COLOR.set(color)
            assert early.enter(seeing()) == color

    copy_context().run(enter)
    loop.run_until_complete(early.close())


def test_what_is_entered_sees_what_the_one_before_has_set(early: Early, loop: asyncio.AbstractEventLoop) -> None:
    @asynccontextmanager
    async def coloring() -> AsyncIterator[str]:
        token = COLOR.set("green")
        yield COLOR.get()
        COLOR.reset(token)

    @asynccontextmanager
    async def seeing() -> AsyncIterator[str]:
        yield COLOR.get()

    def enter() -> None:
        COLOR.set("red")
        early.enter(coloring())
        assert COLOR.get() == "red"
        assert early.enter(seeing()) == "green", "red was set before, not since"
        COLOR.set("blue")
        assert early.enter(seeing()) == "blue"

    copy_context().run(enter)
    loop.run_until_complete(early.close())


@pytest.mark.parametrize("error", [OSError("no"), SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError()])
def test_what_entering_raises_is_raised_and_the_others_stay(
    error: BaseException, early: Early, loop: asyncio.AbstractEventLoop
) -> None:
    diary = Diary()
    early.enter(diary.context("a"))
    with pytest.raises(type(error)):
        early.enter(shut(error))
    early.check(loop)
    early.enter(diary.context("b"))
    loop.run_until_complete(early.close())
    assert diary.lines == ["enter a", "enter b", "leave b", "leave a"]


def test_what_is_no_context_is_refused(early: Early) -> None:
    with pytest.raises(ConfigurationError, match="an async context manager, but got <function give"):
        early.enter(give)  # type: ignore[arg-type]  # what the test is about


def test_what_leaving_raises_is_raised_when_all_is_left(early: Early, loop: asyncio.AbstractEventLoop) -> None:
    diary = Diary()
    early.enter(diary.context("a"))
    early.enter(diary.context("b", OSError("still writing")))
    with pytest.raises(OSError, match="still writing"):
        loop.run_until_complete(early.close())
    assert diary.lines[-1] == "leave a"


def test_what_nobody_closes_is_left_with_the_loop(early: Early, loop: asyncio.AbstractEventLoop) -> None:
    diary = Diary()
    early.enter(diary.context("a"))
    Runner(loop).stop(1)
    assert diary.lines == ["enter a", "leave a"]
    assert loop.is_closed()


def test_where_nothing_was_done_there_is_nothing_to_check_and_leave(early: Early) -> None:
    async def live() -> None:
        early.check(asyncio.get_running_loop())
        with early.upheld():
            await early.close()

    asyncio.run(live())


def test_what_was_run_on_another_loop_than_the_one_that_serves_is_told(early: Early) -> None:
    async def live() -> None:
        with pytest.raises(WrongEventLoop, match=r"run_async .* another event loop .* Api\(lifespan="):
            early.check(asyncio.get_running_loop())

    early.run(give(1))
    asyncio.run(live())


def test_another_loop_than_that_of_the_import_is_refused_and_leaves_it_alone(early: Early) -> None:
    async def serve() -> None:
        with pytest.raises(WrongEventLoop, match=r"another event loop .* Api\(lifespan="):
            early.check(asyncio.get_running_loop())
        await early.close()

    diary = Diary()
    early.enter(diary.context("a"))
    asyncio.run(serve())
    assert diary.lines == ["enter a"]


def test_what_was_left_is_not_there_for_a_second_lifespan(early: Early, loop: asyncio.AbstractEventLoop) -> None:
    early.enter(Diary().context("a"))
    loop.run_until_complete(early.close())
    with pytest.raises(LifespanEnded, match=r"was left when a lifespan ended.*Api\(lifespan="):
        early.check(loop)


# Ending by itself


@asynccontextmanager
async def breaking(breaks: asyncio.Event) -> AsyncIterator[None]:
    async def work() -> None:
        await breaks.wait()
        raise OSError("connection lost")

    async with anyio.create_task_group() as group:
        group.start_soon(work)
        yield


def test_what_ends_by_itself_ends_the_lifespan(
    early: Early, loop: asyncio.AbstractEventLoop, caplog: pytest.LogCaptureFixture
) -> None:
    breaks = asyncio.Event()
    early.enter(breaking(breaks))

    async def live() -> None:
        with early.upheld():
            breaks.set()
            await asyncio.Event().wait()

    with pytest.raises(LifespanEnded, match="has ended by itself") as caught:
        loop.run_until_complete(live())
    assert isinstance(caught.value.__cause__, ExceptionGroup)
    assert caplog.records == []
    with pytest.raises(LifespanEnded, match="has ended by itself"):
        early.check(loop)
    loop.run_until_complete(early.close())


def test_without_a_lifespan_its_end_is_logged(early: Early, caplog: pytest.LogCaptureFixture) -> None:
    breaks = asyncio.Event()
    early.enter(breaking(breaks))
    breaks.set()
    early.run(anyio.sleep(0.01))
    (record,) = caplog.records
    assert record.message.startswith("What was entered at import has ended")
    assert "connection lost" in caplog.text


def test_a_lifespan_that_is_cancelled_is_just_that(early: Early, loop: asyncio.AbstractEventLoop) -> None:
    early.enter(Diary().context("a"))

    async def live() -> None:
        with early.upheld():
            await asyncio.Event().wait()

    task = loop.create_task(live())
    early.run(give(None))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(task)
    early.check(loop)


def test_the_environment_sleeps_beside_what_was_entered(early: Early, loop: asyncio.AbstractEventLoop) -> None:
    """The runtime's fast path: nothing of this has to be run between two invocations."""

    @asynccontextmanager
    async def lifetime() -> AsyncIterator[None]:
        yield

    early.enter(Diary().context("a"))
    early.run(give(None))
    runner = Runner(loop)
    runner.start(lifetime())
    runner.run(give(None))
    assert runner._sleeps()
    loop.create_task(asyncio.Event().wait(), name="another").add_done_callback(lambda _: None)
    runner.run(give(None))
    assert not runner._sleeps()


# In real processes: a tiny application, with what was made at import in its answers

APP = """
import asyncio, contextlib
from lambent import Lambent
from lambent.api.early import Early

early = Early()

@contextlib.asynccontextmanager
async def resource(name):
    print("enter", name, flush=True)
    lock = asyncio.Lock()
    future = asyncio.get_running_loop().create_future()
    yield future
    print("leave", name, flush=True)

async def load():
    await asyncio.sleep(0)
    return asyncio.get_running_loop()

made_on = early.run(load())
first = early.enter(resource("first"))
second = early.enter(resource("second"))

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    early.check(asyncio.get_running_loop())
    asyncio.get_running_loop().call_soon(first.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await first  # raises where its loop is another one
    body = b"same" if made_on is asyncio.get_running_loop() else b"other"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": body})

async def lifespan(receive, send):
    await receive()
    try:
        early.check(asyncio.get_running_loop())
    except Exception as error:
        return await send({"type": "lifespan.startup.failed", "message": f"{type(error).__name__}: {error}"})
    print("startup", flush=True)
    await send({"type": "lifespan.startup.complete"})
    with early.upheld():
        await receive()
    print("shutdown", flush=True)
    await early.close()
    await send({"type": "lifespan.shutdown.complete"})

handler = Lambent(app)

def plain(event, context):
    return handler(event, context)
"""

LIFE = ["enter first", "enter second", "startup", "shutdown", "leave second", "leave first"]

HTTP = {"method": "GET", "path": "/", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "t"}
EVENT = {
    "version": "2.0",
    "routeKey": "$default",
    "rawPath": "/",
    "rawQueryString": "",
    "headers": {"host": "x.lambda-url.eu-west-1.on.aws"},
    "isBase64Encoded": False,
    "requestContext": {"http": HTTP, "domainName": "x.lambda-url.eu-west-1.on.aws", "stage": "$default"},
}
STEP = invocation(json.dumps(EVENT).encode())

needs_uvicorn = pytest.mark.skipif(not find_spec("uvicorn"), reason="uvicorn is not installed")
needs_sigterm = pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGTERM")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP, "utf-8")
    return tmp_path


@needs_sigterm
@pytest.mark.parametrize(
    ("target", "variables"),
    [
        ("app.app", {}),
        ("app.handler", {"LAMBENT_LOOP": "uvloop"}),
        ("app.app", {"AWS_LAMBDA_MAX_CONCURRENCY": "2", "LAMBENT_PROCESSES": "1"}),
    ],
)
def test_our_runtime_serves_on_the_loop_of_the_import(folder: Path, target: str, variables: dict[str, str]) -> None:
    with RuntimeAPI(STEP, STEP) as api, runtime(folder, api.address, target, **variables) as process:
        api.wait_until_idle()
        ended = process.stop()
    assert [call.json["body"] for call in api.posts] == ["same", "same"]
    assert (ended.status, ended.stdout.splitlines()) == (0, LIFE)
    assert ended.stderr == ""


@needs_sigterm
def test_a_plain_function_that_calls_the_handler_is_on_the_loop_of_the_import(folder: Path) -> None:
    with RuntimeAPI(STEP, STEP) as api, runtime(folder, api.address, "app.plain") as process:
        api.wait_until_idle()
        ended = process.stop()
    assert [call.json["body"] for call in api.posts] == ["same", "same"]
    assert ended.status == 0


def test_what_is_raised_at_import_fails_the_init(tmp_path: Path) -> None:
    source = (
        "from lambent.api.early import Early\nasync def load():\n    raise OSError('no database')\nEarly().run(load())"
    )
    (tmp_path / "app.py").write_text(source, "utf-8")
    with RuntimeAPI() as api, runtime(tmp_path, api.address, "app.app") as process:
        ended = process.wait()
    assert ended.status == 1
    (report,) = api.posts
    assert (report.path.rpartition("/runtime/")[2], report.json["errorType"]) == ("init/error", "OSError")


CALLED = """
import json, sys
from app import handler
for _ in range(2):
    print(handler(json.loads(sys.argv[1]), None)["body"])
"""


def test_called_as_lambda_calls_it_is_on_the_loop_of_the_import(folder: Path) -> None:
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", CALLED, json.dumps(EVENT)]
    with Process(command, folder, path_with(folder)) as process:
        ended = process.wait()
    enter, serve, leave = LIFE[:2], ["startup", "same", "same"], LIFE[3:]
    assert (ended.status, ended.stdout.splitlines(), ended.stderr) == (0, enter + serve + leave, "")


def path_with(folder: Path) -> dict[str, str]:
    """Where a Python program finds Lambent, and what lies in `folder`."""
    return {"PYTHONPATH": f"{folder}:{Path(__file__).parents[2] / 'src'}"}


@pytest.mark.skipif(not find_spec("awslambdaric"), reason="it has wheels for Linux only")
def test_aws_own_runtime_serves_on_the_loop_of_the_import(folder: Path) -> None:
    with (
        RuntimeAPI(STEP, STEP) as api,
        Process(
            [sys.executable, "-m", "awslambdaric", "app.handler"],
            folder,
            {"AWS_LAMBDA_RUNTIME_API": api.address, **path_with(folder)},
        ) as process,
    ):
        api.wait_until_idle()
        process.stop()
    assert [call.json["body"] for call in api.posts] == ["same", "same"]


@needs_sigterm
def test_over_http_our_runtime_serves_on_the_loop_of_the_import(folder: Path) -> None:
    with WebServer(folder, "app.app") as server:
        connection = server.connection()
        connection.request("GET", "/")
        body = connection.getresponse().read()
        connection.close()
        ended = server.stop()
    assert body == b"same"
    assert [line for line in ended.stdout.splitlines() if line in LIFE] == LIFE[3:]


SERVED = "import asyncio, uvicorn; asyncio.run(uvicorn.Server(uvicorn.Config('app:app', port=0)).serve())"


@needs_uvicorn
def test_a_server_that_imports_in_its_loop_is_told_of_the_lifespan(folder: Path) -> None:
    with Process([sys.executable, "-W", "error", "-c", SERVED], folder, path_with(folder)) as process:
        ended = process.wait()
    assert ended.status == 1
    assert "WrongEventLoop: run_async was called where an event loop runs already" in ended.stderr
    assert "never awaited" not in ended.stderr


@needs_uvicorn
@pytest.mark.parametrize(
    "arguments", [["-c", "import uvicorn, app; uvicorn.run(app.app, port=0)"], ["-m", "uvicorn", "app:app", "--port=0"]]
)
def test_a_server_that_imports_before_it_makes_its_loop_is_told_at_startup(folder: Path, arguments: list[str]) -> None:
    """The command of uvicorn imports before or inside its loop, by its version; that of today before."""
    with Process([sys.executable, "-W", "error", *arguments], folder, path_with(folder)) as process:
        ended = process.wait()
    assert ended.status == 3
    assert "WrongEventLoop: What run_async and enter_async_context did at import was done on another" in ended.stderr
    assert ended.stdout.splitlines() == LIFE[:2]  # left with its loop, by being cancelled
