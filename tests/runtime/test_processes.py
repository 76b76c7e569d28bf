"""LAMBENT_PROCESSES: several processes share the invocations of one environment."""

from __future__ import annotations

import json
import logging
import os
import re
import socket
import sys
import threading
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from lambent.runtime import processes
from tests.support.processes import Ended, Process, runtime
from tests.support.runtime_api import BASE, LIMIT, Answer, RuntimeAPI, Step, answer, invocation

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Lambda runs on Linux")

FUNCTION = """
import asyncio, os

async def handler(event, context):
    if event == "die":
        os._exit(7)
    return os.getpid()
"""

APP = """
import os

def print_line(*words):  # at once: the others write to the same pipe
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

async def app(scope, receive, send):
    print_line(os.getpid(), (await receive())["type"])
    await send({"type": "lifespan.startup.complete"})
    print_line(os.getpid(), (await receive())["type"])
    await send({"type": "lifespan.shutdown.complete"})
"""


def together(count: int, *events: str) -> list[Step]:
    """Invocations that are given when so many polls are out."""
    barrier = threading.Barrier(count)

    def given(step: Answer) -> Answer:
        barrier.wait(LIMIT)
        return step

    texts = [json.dumps(event).encode() for event in events] + [b"0"] * (count - len(events))
    return [partial(given, invocation(text, request_id=f"id-{number}")) for number, text in enumerate(texts)]


def started(directory: Path, api: RuntimeAPI, source: str, concurrency: int, count: int, **variables: str) -> Process:
    (directory / "app.py").write_text(source, "utf-8")
    variables |= {"AWS_LAMBDA_MAX_CONCURRENCY": str(concurrency), "LAMBENT_PROCESSES": str(count)}
    return runtime(directory, api.address, "app.app" if source is APP else "app.handler", **variables)


def wait_until_idle(api: RuntimeAPI, polls: int) -> None:
    for _ in range(polls):
        api.wait_until_idle()


def deaths(ended: Ended) -> list[str]:
    """What is logged of processes that have ended."""
    return re.findall(r"Process \d+ ended with status \d+; \d+ go on", ended.stdout + ended.stderr)


@pytest.mark.parametrize(
    ("concurrency", "count", "shares"),
    [(16, 1, [16]), (16, 2, [8, 8]), (16, 3, [6, 5, 5]), (2, 2, [1, 1]), (2, 5, [1, 1]), (1, 4, [1])],
)
def test_slots_are_shared(concurrency: int, count: int, shares: list[int]) -> None:
    assert processes.shares(concurrency, count) == shares


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_all_polls_are_out_and_each_process_has_its_part(tmp_path: Path, loop: str) -> None:
    pytest.importorskip(loop)
    with (
        RuntimeAPI(*together(5)) as api,
        started(tmp_path, api, FUNCTION, 5, 2, LAMBENT_LOOP=loop) as process,
    ):
        wait_until_idle(api, 5)
        ended = process.stop()

    assert ended == (0, "", "")
    assert sorted(Counter(post.json for post in api.posts).values()) == [2, 3]


def test_each_process_has_a_lifespan_and_sigterm_reaches_it(tmp_path: Path) -> None:
    with RuntimeAPI() as api, started(tmp_path, api, APP, 4, 2) as process:
        wait_until_idle(api, 4)
        status, stdout, stderr = process.stop()

    assert (status, stderr) == (0, "")
    lines = [line.split() for line in stdout.splitlines()]
    assert [word for _, word in lines] == ["lifespan.startup"] * 2 + ["lifespan.shutdown"] * 2
    assert len({pid for pid, _ in lines}) == 2


def test_when_one_ends_the_others_go_on(tmp_path: Path) -> None:
    ended = threading.Event()

    def given(number: int) -> Answer:
        ended.wait(LIMIT)
        return invocation(b"0", request_id=f"more-{number}")

    steps = [*together(4, "die"), *[partial(given, number) for number in range(5)]]
    with RuntimeAPI(*steps) as api, started(tmp_path, api, FUNCTION, 4, 2) as process:
        assert process.readline().endswith(" ended with status 7; 1 go on.\n")
        ended.set()
        wait_until_idle(api, 2)
        assert process.stop() == (7, "", "")

    served = [post.json for post in api.posts if "/more-" in post.path]
    assert len(served) >= 4, "one may have been for the other slot of the one that ended"
    assert len(set(served)) == 1


def test_when_none_is_left_it_ends(tmp_path: Path) -> None:
    with (
        RuntimeAPI(*together(2, "die", "die")) as api,
        started(tmp_path, api, FUNCTION, 2, 2) as process,
    ):
        ended = process.wait()

    assert ended.status == 7
    said = ["with status 7; 1 go on", "with status 7; 0 go on"]
    assert [death.partition(" ended ")[2] for death in deaths(ended)] == said


def test_a_second_init_error_is_refused_and_does_not_matter(tmp_path: Path) -> None:
    refused = answer(403, b'{"errorType": "InvalidStateTransition"}')
    with (
        RuntimeAPI(posts=[answer(202), refused]) as api,
        started(tmp_path, api, "raise ConnectionError('no database')", 4, 2) as process,
    ):
        ended = process.wait()

    assert [post.path for post in api.posts] == [f"{BASE}/init/error"] * 2
    assert {post.json["errorMessage"] for post in api.posts} == {"no database"}
    assert ended.status == 1
    assert "403" not in ended.stderr


def test_what_python_was_told_is_told_to_each(tmp_path: Path) -> None:
    """`-W error`, as these tests start it."""
    source = "import sys\ndef handler(event, context): return [sys.warnoptions, sys.argv[1:], __name__]"
    with RuntimeAPI(*together(2)) as api, started(tmp_path, api, source, 2, 2) as process:
        wait_until_idle(api, 2)
        process.stop()
    assert [post.json for post in api.posts] == [[["error"], ["app.handler"], "app"]] * 2


def test_each_process_writes_to_connections_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        with (
            RuntimeAPI() as api,
            started(tmp_path, api, APP, 2, 2, _LAMBDA_TELEMETRY_LOG_FD_PROVIDER_SOCKET=str(path)) as process,
        ):
            wait_until_idle(api, 2)
            assert process.stop() == (0, "", "")
        read = [listener.accept()[0] for _ in range(4)]
    logs = []
    for connection in read:
        with connection, connection.makefile() as file:
            logs.append(file.read())

    (one, more), (other, rest) = logs[:2], logs[2:]
    assert (more, rest) == ("", ""), "nothing is written to the standard error"
    for log in (one, other):
        assert [line.split()[1] for line in log.splitlines()] == ["lifespan.startup", "lifespan.shutdown"]


def test_one_invocation_at_a_time_needs_one_process(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(FUNCTION, "utf-8")
    with (
        RuntimeAPI(invocation()) as api,
        runtime(tmp_path, api.address, "app.handler", LAMBENT_PROCESSES="2") as process,
    ):
        api.wait_until_idle()
        assert process.stop() == (0, "", "")
    assert len({call.connection for call in api.calls}) == 1


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5"])
def test_a_number_that_is_none_is_named(tmp_path: Path, text: str) -> None:
    with runtime(tmp_path, "h:1", "app.handler", LAMBENT_PROCESSES=text) as process:
        ended = process.wait()
    assert ended == (1, "", f"Expected LAMBENT_PROCESSES to be a number from 1 on, but got {text!r}.\n")


# vCPUs


@pytest.mark.parametrize(
    ("quota", "count"),
    [("max 100000", 64), ("200000 100000", 2), ("250000 100000", 2), ("50000 100000", 1), ("odd", 64), ("", 64)],
)
def test_vcpus_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quota: str, count: int) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: range(64), raising=False)
    (tmp_path / "cpu.max").write_text(f"{quota}\n", "ascii")
    assert processes.vcpus(str(tmp_path / "cpu.max")) == count


def test_without_a_quota_all_vcpus_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: range(3), raising=False)
    assert processes.vcpus(str(tmp_path / "nothing")) == 3


@pytest.mark.parametrize(
    ("vcpus", "concurrency", "words"),
    [
        (4, 16, "LAMBENT_PROCESSES=4 shares the 16 invocations"),
        (4, 2, "LAMBENT_PROCESSES=2 shares"),
        (1, 16, None),
        (4, 1, None),
    ],
)
def test_vcpus_that_would_lie_idle_are_named(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, vcpus: int, concurrency: int, words: str | None
) -> None:
    monkeypatch.setattr(processes, "vcpus", lambda: vcpus)
    processes.warn_of_idle(concurrency)
    assert [record.levelno for record in caplog.records] == ([logging.WARNING] if words else [])
    assert words is None or words in caplog.text


def test_the_warning_comes_at_the_start_unless_a_number_is_given(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(FUNCTION, "utf-8")
    for given in ({}, {"LAMBENT_PROCESSES": "1"}):
        variables = {"AWS_LAMBDA_MAX_CONCURRENCY": "2", **given}
        with RuntimeAPI() as api, runtime(tmp_path, api.address, "app.handler", **variables) as process:
            wait_until_idle(api, 2)
            ended = process.stop()
        warned = "One process runs Python on one vCPU at a time" in ended.stdout + ended.stderr
        assert warned is (not given and processes.vcpus() > 1)
