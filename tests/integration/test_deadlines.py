"""Starlette and FastAPI in the local Lambda, where they run out of time: the client is answered, and so is the next."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dev.local import LocalLambda

TIMEOUT = 3.0
MARGIN = 1.5
"""Seconds. The process would be ended at 2.4."""

APP = """
import asyncio, os, time

from fastapi import BackgroundTasks, FastAPI
from lambent import current
from starlette.middleware.base import BaseHTTPMiddleware

app = FastAPI()
wrapped = FastAPI()
done = []

async def dispatch(request, call_next):
    return await call_next(request)

wrapped.add_middleware(BaseHTTPMiddleware, dispatch=dispatch)

@app.get("/pid")
@wrapped.get("/pid")
def pid():
    return {"pid": os.getpid(), "done": done}

@app.get("/sync")
@wrapped.get("/sync")
def sync(seconds: float):
    time.sleep(seconds)
    done.append("sync")
    return "late"

@app.get("/block")
async def block(seconds: float):
    time.sleep(seconds)
    done.append("block")
    return "late"

@app.get("/swallow")
async def swallow(seconds: float):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            pass
    done.append("swallow")
    return "late"

@app.get("/wait")
async def wait(seconds: float):
    try:
        await asyncio.sleep(seconds)
    finally:
        done.append("wait")

async def work(name):
    while not os.path.exists("answered"):
        await asyncio.sleep(0.001)
    done.append(name)

@app.get("/background")
async def background(tasks: BackgroundTasks):
    tasks.add_task(work, "task")
    current().wait_until(work("waited for"))
    return current().request_id
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "app.py").write_text(APP, "utf-8")
    return folder


def started(folder: Path, target: str) -> LocalLambda:
    options = ("--timeout", str(TIMEOUT), "--environments", "1", "--env", f"LAMBENT_DEADLINE_MARGIN={MARGIN}")
    return LocalLambda(folder, target, *options)


@pytest.fixture(scope="module")
def local(folder: Path) -> Iterator[LocalLambda]:
    with started(folder, "app:app") as running:
        yield running


@pytest.fixture(scope="module")
def wrapped(folder: Path) -> Iterator[LocalLambda]:
    with started(folder, "app:wrapped") as running:
        yield running


def timed_out(running: LocalLambda, path: str) -> str:
    """Ask for something that takes too long. Returns what is logged until the next request has been answered."""
    running.get("/pid")
    before = len(running.output)
    begun = time.monotonic()
    answer = running.get(path)
    assert (answer.status, answer.body) == (504, b"Gateway Timeout")
    assert time.monotonic() - begun < TIMEOUT, "the platform's own timeout is not waited for"
    running.get("/pid")
    written = re.escape(running.output[:before])
    running.wait_for(f"(?s){written}.* timed out after .*REPORT.*REPORT")
    return running.output[before:]


SHORT = 1.95
"""Seconds: too long, but over before the process would be ended."""

LONG = 20
LINES = {"/sync": "time.sleep(seconds)", "/block": "time.sleep(seconds)", "/swallow": "await asyncio.sleep(0.05)"}


@pytest.mark.parametrize("path", LINES)
def test_what_ends_in_the_margin_is_answered_504_and_the_environment_lives_on(local: LocalLambda, path: str) -> None:
    before = local.get("/pid").body
    text = timed_out(local, f"{path}?seconds={SHORT}")
    assert text.count(LINES[path]) == 1, f"the line is shown, once:\n{text}"
    assert "still runs" not in text
    after = local.get("/pid").body
    assert re.findall(rb'"pid":\d+', after) == re.findall(rb'"pid":\d+', before)
    assert path[1:].encode() in after, "it had its time to end, before the next request"


@pytest.mark.parametrize("path", LINES)
def test_what_runs_on_is_answered_504_and_ends_the_process(local: LocalLambda, path: str) -> None:
    before = local.get("/pid").body
    text = timed_out(local, f"{path}?seconds={LONG}")
    assert "still runs at its deadline, though it was cancelled: the process ends. It stands at:" in text
    assert LINES[path] in text.partition("still runs")[2]
    assert re.findall(rb'"pid":\d+', local.get("/pid").body) != re.findall(rb'"pid":\d+', before)


@pytest.mark.parametrize("seconds", [SHORT, LONG])
def test_a_sync_endpoint_under_base_http_middleware_is_answered_504(wrapped: LocalLambda, seconds: float) -> None:
    before = wrapped.get("/pid").body
    text = timed_out(wrapped, f"/sync?seconds={seconds}")
    assert "thread AnyIO worker thread:" in text, text
    assert "time.sleep(seconds)" in text
    same = re.findall(rb'"pid":\d+', wrapped.get("/pid").body) == re.findall(rb'"pid":\d+', before)
    assert same is (seconds == SHORT)


def test_what_waits_is_cancelled_and_the_environment_lives_on(local: LocalLambda) -> None:
    before = local.get("/pid").body
    text = timed_out(local, f"/wait?seconds={LONG}")
    assert "await asyncio.sleep(seconds)" in text, text
    assert "still runs" not in text
    after = local.get("/pid").body
    assert re.findall(rb'"pid":\d+', after) == re.findall(rb'"pid":\d+', before)
    assert b"wait" in after


def test_the_reply_does_not_wait_for_what_is_to_be_done_after_it(local: LocalLambda, folder: Path) -> None:
    reply = local.get("/background")
    (folder / "answered").touch()
    next_one = local.get("/pid")
    assert len(reply.body) == 38, "a request id"
    assert b'"task"' in next_one.body
    assert b'"waited for"' in next_one.body
