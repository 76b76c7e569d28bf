"""Functions for events in the local Lambda: the pipe, schedules, partial failures, time, several at once."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.dev.local import LIMIT, LocalLambda, environment

APP = """
import asyncio, os, pathlib, threading

from lambent import Events, Lambent, current
from lambent.events import ScheduleRecord, SqsRecord
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

events = Events()
seen = []
meeting = threading.Barrier(2)

async def home(request):
    return JSONResponse({"seen": seen, "starts": request.state.starts})

class Lifespan:
    starts = 0

    def __init__(self, app):
        pass

    async def __aenter__(self):
        Lifespan.starts += 1
        return {"starts": Lifespan.starts}

    async def __aexit__(self, *_):
        print("lifespan ended")

@events.sqs("orders*", concurrency=4)
async def order(order: dict, record: SqsRecord):
    if order.get("meet"):
        await asyncio.get_running_loop().run_in_executor(None, meeting.wait, 10)
    if order.get("hang"):
        await asyncio.Event().wait()
    seen.append([record.body, current().request_id != ""])
    if order.get("bad"):
        raise ValueError("a bad order")

@events.sqs("blocking")
def blocking(order: dict):
    if order.get("hang"):
        threading.Event().wait(60)
    seen.append(["blocking", True])

@events.schedule("every-minute")
async def tick(record: ScheduleRecord):
    seen.append(["tick", record.name])
    return "ticked"

handler = Lambent(Starlette(routes=[Route("/", home)], lifespan=Lifespan), events=events)
"""

CONFIGURATION = """
[tool.lambent]
time-scale = 60

[tool.lambent.functions]
both = { handler = "app.handler", path = "/", timeout = 2, environments = 1 }
alone = { handler = "app.events", timeout = 2, env = { AWS_LAMBDA_LOG_FORMAT = "JSON", AWS_LAMBDA_LOG_LEVEL = "INFO" } }
many = { handler = "app.events", timeout = 10, concurrency = 4 }

[tool.lambent.sources]
every-minute = { function = "both", schedule = "rate(1 minute)" }
"""


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalLambda]:
    folder = tmp_path_factory.mktemp("project")
    (folder / "app.py").write_text(APP, "utf-8")
    (folder / "pyproject.toml").write_text(CONFIGURATION, "utf-8")
    with LocalLambda(folder) as running:
        yield running


def lambent(*arguments: str, given: str = "") -> str:
    command = [sys.executable, "-m", "lambent", *arguments]
    ran = subprocess.run(
        command, input=given, capture_output=True, text=True, env=environment(), timeout=LIMIT, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def piped(local: LocalLambda, function: str, *event: str) -> tuple[Any, Any]:
    """`lambent event … | lambent invoke …`: the event, and the reply."""
    made = lambent("event", *event)
    said = lambent("invoke", function, "--endpoint", f"http://127.0.0.1:{local.port}", "--event", "-", given=made)
    return json.loads(made), json.loads(said)


def sqs(queue: str, *bodies: str) -> list[str]:
    return ["sqs", "--queue", queue, *(part for body in bodies for part in ("--body", body))]


def failed(event: Any, *places: int) -> Any:
    return {"batchItemFailures": [{"itemIdentifier": event["Records"][place]["messageId"]} for place in places]}


def test_a_batch_through_the_pipe_beside_an_application(local: LocalLambda) -> None:
    assert local.get("/").status == 200

    event, reply = piped(local, "both", *sqs("orders", '{"n": 1}', '{"bad": 1}', "{", '{"n": 2}'))

    assert reply == failed(event, 1, 2)
    state = json.loads(local.get("/").body)
    assert [each for each in state["seen"] if each[0] != "tick"] == [
        ['{"n": 1}', True],
        ['{"bad": 1}', True],
        ['{"n": 2}', True],
    ]
    assert state["starts"] == 1, "one lifespan for both"
    assert re.search(r'"outcome": "failed", "error": "ValueError: a bad order"', local.output)


def test_a_schedule_fires(local: LocalLambda) -> None:
    local.until(lambda: ["tick", "every-minute"] in json.loads(local.get("/").body)["seen"])


def test_what_hangs_is_told_before_the_platform_ends_it(local: LocalLambda) -> None:
    event, reply = piped(local, "alone", *sqs("orders", '{"n": 1}', '{"hang": 1}', '{"n": 2}'))
    assert reply == failed(event, 1)
    event, reply = piped(local, "alone", *sqs("blocking", '{"hang": 1}', '{"n": 2}'))
    assert reply == failed(event, 0)
    event, reply = piped(local, "alone", *sqs("blocking", '{"n": 3}'))
    assert reply == failed(event), "the thread that hangs keeps no other from one"
    local.wait_for("goes on there: nothing can end it")
    assert "timed out" not in local.output


def test_the_log_is_json_where_that_is_asked_for(local: LocalLambda) -> None:
    event, _ = piped(local, "alone", *sqs("orders", '{"n": 7}'))
    identifier = event["Records"][0]["messageId"]
    line = local.wait_for(rf'\{{.*"message": ?\{{.*"id": ?"{identifier}".*')[0]
    told = json.loads(line)
    duration = told["message"].pop("duration_ms")
    assert duration > 0
    assert told["message"] == {"source": "sqs", "name": "orders", "id": identifier, "outcome": "done"}
    assert (told["level"], told["logger"]) == ("INFO", "lambent.events")
    assert told["requestId"]


def test_an_event_that_nobody_takes_fails_the_invocation(local: LocalLambda) -> None:
    command = [
        sys.executable,
        "-m",
        "lambent",
        "invoke",
        "alone",
        "--endpoint",
        f"http://127.0.0.1:{local.port}",
        "--event",
        '{"a": 1}',
    ]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=LIMIT, check=False)
    assert ran.returncode != 0
    assert "NoFunction" in ran.stdout + ran.stderr


def test_several_invocations_at_a_time_in_one_process(local: LocalLambda) -> None:
    """Two events, each with a record that waits for the other's: they are in one process at the same time."""
    made = [lambent("event", *sqs("orders", '{"meet": 1}', body)) for body in ('{"bad": 1}', '{"n": 2}')]
    command = [
        sys.executable,
        "-m",
        "lambent",
        "invoke",
        "many",
        "--endpoint",
        f"http://127.0.0.1:{local.port}",
        "--event",
        "-",
    ]
    calls = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment())
        for _ in made
    ]
    for call, event in zip(calls, made, strict=True):
        assert call.stdin is not None
        call.stdin.write(event)
        call.stdin.close()
    replies = [json.loads(call.stdout.read()) for call in calls if call.stdout is not None]
    assert [call.wait(LIMIT) for call in calls] == [0, 0]
    assert replies == [failed(json.loads(made[0]), 1), failed(json.loads(made[1]))]
    for call in calls:
        assert call.stdout is not None
        call.stdout.close()


def test_all_of_it_ends(local: LocalLambda) -> None:
    assert local.stop() == 0
    assert "Traceback (most recent call last)" not in local.output.partition("lifespan ended")[2]
