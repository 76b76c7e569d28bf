"""Where records go: the handler and its sinks here, and the runtime as a process with a log descriptor."""

import io
import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lambent.errors import ConfigurationError
from lambent.invocation import CURRENT, Handled
from lambent.runtime import logs
from lambent.runtime.records import TEXT_FRAME
from tests.support.processes import Process, environment, runtime
from tests.support.runtime_api import LIMIT, RuntimeAPI, answer, invocation


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> Iterator[logging.Logger]:
    """The root logger, which is as it was before afterwards."""
    root = logging.getLogger()
    level = root.level
    monkeypatch.setattr(root, "handlers", list(root.handlers))
    yield root
    root.setLevel(level)


def install(variables: dict[str, str]) -> None:
    """Install the one handler that there is: pytest has its own."""
    logging.getLogger().handlers.clear()
    logs.install(variables)


class Context:
    aws_request_id = "id-1"
    tenant_id = "blue"


def handled() -> Handled:
    return Handled({}, Context())  # type: ignore[arg-type]  # the rest of a context is not asked for


# What is printed


def test_a_printed_line_leaves_in_one_piece(root: logging.Logger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several processes write to one standard output; with PYTHONUNBUFFERED Python writes each end of line apart."""

    class Raw(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            pieces.append(bytes(data))
            return len(data)

    pieces: list[bytes] = []
    unbuffered = io.TextIOWrapper(Raw(), "utf-8", write_through=True)  # type: ignore[type-var]  # as Python makes it
    monkeypatch.setattr(sys, "stdout", unbuffered)
    print("before")  # noqa: T201 - it is what is tested
    assert pieces == [b"before", b"\n"]
    pieces.clear()

    install({})
    print("one", "line")  # noqa: T201 - see above
    print("another", flush=True)  # noqa: T201 - see above
    assert pieces == [b"one line\n", b"another\n"]


# The handler


@pytest.mark.parametrize(
    ("variables", "level"),
    [
        ({}, logging.WARNING),
        ({"AWS_LAMBDA_LOG_LEVEL": "TRACE"}, logging.DEBUG),
        ({"AWS_LAMBDA_LOG_LEVEL": "debug"}, logging.DEBUG),
        ({"AWS_LAMBDA_LOG_LEVEL": "WARN"}, logging.WARNING),
        ({"AWS_LAMBDA_LOG_LEVEL": "FATAL"}, logging.CRITICAL),
        ({"AWS_LAMBDA_LOG_LEVEL": "loud"}, logging.WARNING),
    ],
)
def test_the_level_is_the_environments(root: logging.Logger, variables: dict[str, str], level: int) -> None:
    root.setLevel(logging.WARNING)
    install(dict(variables))
    assert root.level == level


def test_records_go_with_the_invocation_that_is_handled(
    root: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    install({"AWS_LAMBDA_LOG_FORMAT": "json"})
    root.warning("before")
    token = CURRENT.set(handled())
    root.warning("during")
    CURRENT.reset(token)

    before, during = map(json.loads, capsys.readouterr().out.splitlines())
    assert (before["requestId"], "tenantId" in before) == ("", False)
    assert (during["requestId"], during["tenantId"]) == ("id-1", "blue")


def test_a_thread_without_a_context_goes_with_the_link(
    root: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    class Link:
        invocation = handled()

    def log() -> None:
        thread = threading.Thread(target=logging.warning, args=["a"])
        thread.start()
        thread.join()

    install({})
    logs.follow(Link())
    log()
    logs.follow(None)
    log()
    assert [line.split("\t")[2] for line in capsys.readouterr().out.splitlines()] == ["id-1", ""]


def test_times_are_utc(
    root: logging.Logger, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    install({})
    root.warning("a")
    written = capsys.readouterr().out.split("\t")[1]
    monkeypatch.undo()
    time.tzset()
    assert abs(time.mktime(time.strptime(written[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone - time.time()) < LIMIT


def test_a_record_ends_its_line_on_standard_output(root: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    install({})
    root.handlers[0].setFormatter(logging.Formatter("%(message)s"))
    root.warning("a")
    root.warning("b\n")
    assert capsys.readouterr().out == "a\nb\n"


def test_what_the_encoding_does_not_know_is_escaped(root: logging.Logger, monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, "ascii"))
    install({})
    root.warning("é")
    assert written.getvalue().endswith(b"\\xe9\n")


def test_a_record_that_cannot_be_written_goes_to_the_standard_error(
    root: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    install({})
    root.warning("%d", "a")
    out, err = capsys.readouterr()
    assert (out, err[:21]) == ("", "--- Logging error ---")


def test_a_descriptor_that_is_no_number_is_refused(root: logging.Logger) -> None:
    with pytest.raises(ConfigurationError, match=r"_LAMBDA_TELEMETRY_LOG_FD.*'x'"):
        install({"_LAMBDA_TELEMETRY_LOG_FD": "x"})


def test_the_descriptor_is_taken_out_of_the_environment(root: logging.Logger) -> None:
    variables = {"_LAMBDA_TELEMETRY_LOG_FD": "9", "OTHER": "a"}
    install(variables)
    assert variables == {"OTHER": "a"}


def test_a_record_is_one_write() -> None:
    """A datagram for each write."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs:
        sink = logs.LogDescriptor(ours.fileno())
        sink.take("a" * 1000, TEXT_FRAME)
        sink.log("b")
        assert len(theirs.recv(2000)) == 1016
        assert theirs.recv(2000)[16:] == b"b"


def test_a_record_beyond_what_the_pipe_holds_is_written_whole() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        received = bytearray()

        def read() -> None:
            while data := theirs.recv(1 << 16):
                received.extend(data)

        reader = threading.Thread(target=read)
        reader.start()
        logs.LogDescriptor(ours.fileno()).take("a" * 3_000_000, TEXT_FRAME)
        ours.shutdown(socket.SHUT_WR)
        reader.join()
    assert len(received) == 3_000_016


def test_importing_lambent_installs_nothing() -> None:
    script = "import logging, lambent; lambent.Lambent; print(logging.getLogger().handlers)"
    ran = subprocess.run([sys.executable, "-c", script], env=environment(), capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


# The runtime


def logged(directory: Path, source: str, *steps: Any, target: str = "app.handler", **variables: str) -> list[Any]:
    """Run a function through the script, or until it ends by itself; its JSON records, those of asyncio left out."""
    (directory / "app.py").write_text(source, "utf-8")
    reading, writing = os.pipe()
    variables |= {"_LAMBDA_TELEMETRY_LOG_FD": str(writing), "AWS_LAMBDA_LOG_FORMAT": "JSON"}
    arguments = [sys.executable, "-m", "lambent.runtime", target]
    with RuntimeAPI(*steps) as api, os.fdopen(writing, "wb") as end, os.fdopen(reading, "rb") as pipe:
        variables["AWS_LAMBDA_RUNTIME_API"] = api.address
        with Process(arguments, directory, variables, [writing]) as process:
            end.close()
            if steps:
                for _ in range(int(variables.get("AWS_LAMBDA_MAX_CONCURRENCY", "1"))):
                    api.wait_until_idle()
                process.stop()
            else:
                process.wait()
        frames = pipe.read()
    records = []
    while frames:
        length = int.from_bytes(frames[4:8], "big")
        records.append(json.loads(frames[16 : 16 + length]))
        frames = frames[16 + length :]
    return records


def test_an_init_error_is_told_as_lambda_is(tmp_path: Path) -> None:
    (record,) = logged(tmp_path, "import nowhere")
    assert record["message"] == "Init of 'app.handler' failed."
    assert record["errorType"] == "Runtime.ImportModuleError"
    assert record["errorMessage"] == "Unable to import module 'app': No module named 'nowhere'"
    assert record["requestId"] == ""
    assert record["stackTrace"][0].endswith("import nowhere\n")


def test_an_init_error_is_told_though_logging_was_configured(tmp_path: Path) -> None:
    source = "from logging.config import dictConfig\ndictConfig({'version': 1})\nraise KeyError('a')"
    (record,) = logged(tmp_path, source)
    assert (record["logger"], record["errorType"]) == ("lambent", "KeyError")


def test_an_event_that_cannot_be_read_is_told_with_its_request(tmp_path: Path) -> None:
    (record,) = logged(tmp_path, "def handler(event, context): ...", invocation(b"{"))
    assert (record["requestId"], record["errorType"]) == ("id-1", "Runtime.UnmarshalError")


def test_a_timeout_is_told_with_its_request(tmp_path: Path) -> None:
    def soon() -> Any:
        deadline = f"Lambda-Runtime-Deadline-Ms: {int(time.time() * 1000) + 500}"
        head = ("Lambda-Runtime-Aws-Request-Id: id-1", deadline, "Content-Type: application/json")
        return answer(200, b"{}", head)

    source = "import asyncio\nasync def handler(event, context):\n    await asyncio.sleep(3600)"
    records = logged(tmp_path, source, soon)
    assert {record["requestId"] for record in records} == {"id-1"}
    assert {record["logger"] for record in records} == {"lambent"}


WORK = """
import asyncio, logging, threading
from lambent import current

async def later():
    await asyncio.sleep(0)
    logging.warning("later")
    raise KeyError("late")

async def handler(event, context):
    await meet()
    logging.warning("task")
    await asyncio.to_thread(logging.warning, "thread")
    current().wait_until(later())

barrier = asyncio.Event()
waiting = 0

async def meet():
    global waiting
    waiting += 1
    if waiting == COUNT:
        barrier.set()
    await barrier.wait()
"""


@pytest.mark.parametrize("count", [1, 4])
def test_each_record_goes_with_its_invocation(tmp_path: Path, count: int) -> None:
    """In tasks, in threads and in work after the reply, with many invocations at a time."""
    variables = {"AWS_LAMBDA_MAX_CONCURRENCY": str(count), "LAMBENT_PROCESSES": "1"} if count > 1 else {}
    steps = [invocation(b"{}", f"Lambda-Runtime-Aws-Tenant-Id: {n}", request_id=f"id-{n}") for n in range(count)]
    records = logged(tmp_path, WORK.replace("COUNT", str(count)), *steps, **variables)

    seen: dict[str, list[str]] = {}
    for record in records:
        assert record["requestId"] == f"id-{record['tenantId']}"
        seen.setdefault(record["requestId"], []).append(record.get("errorType") or record["message"])
    assert seen == {f"id-{n}": ["task", "thread", "later", "KeyError"] for n in range(count)}


def test_printed_lines_leave_at_once(tmp_path: Path) -> None:
    """Before the reply, though standard output is a pipe: an environment may be frozen after it."""
    (tmp_path / "app.py").write_text("def handler(event, context): print('a', 1); print(event)", "utf-8")
    lines = []

    def posted() -> Any:
        lines.extend([process.readline(), process.readline()])
        return answer(202)

    arguments = [sys.executable, "-m", "lambent.runtime", "app.handler"]
    with RuntimeAPI(invocation(b"7"), posts=[posted]) as api:
        variables = {"AWS_LAMBDA_RUNTIME_API": api.address, "PYTHONUNBUFFERED": ""}
        with Process(arguments, tmp_path, variables) as process:
            api.wait_until_idle()
    assert lines == ["a 1\n", "7\n"]


OWN = {
    "basicConfig": "logging.basicConfig(force=True, stream=sys.stdout, format='mine %(message)s')",
    "dictConfig": """logging.config.dictConfig({
        "version": 1,
        "formatters": {"own": {"format": "mine %(message)s"}},
        "handlers": {"own": {"class": "logging.StreamHandler", "formatter": "own", "stream": "ext://sys.stdout"}},
        "root": {"handlers": ["own"]},
    })""",
}


@pytest.mark.parametrize("kind", OWN)
@pytest.mark.parametrize("where", ["", "    "], ids=["at import", "in the handler"])
def test_handlers_of_one_s_own_take_the_place_of_ours(tmp_path: Path, kind: str, where: str) -> None:
    failing = "    logging.warning('a')\n    raise KeyError('b')"
    head = "import logging, logging.config, sys\n"
    begin = (
        f"{OWN[kind]}\ndef handler(event, context):\n"
        if not where
        else f"def handler(event, context):\n    {OWN[kind]}\n"
    )
    (tmp_path / "app.py").write_text(head + begin + failing, "utf-8")
    with RuntimeAPI(invocation()) as api, runtime(tmp_path, api.address, "app.handler") as process:
        api.wait_until_idle()
        ended = process.stop()

    first, second, *traceback = ended.stdout.splitlines()
    assert (first, second) == ("mine a", "mine Request id-1 failed.")
    assert (traceback[0], traceback[-1]) == ("Traceback (most recent call last):", "KeyError: 'b'")
    assert ended.stdout.count("failed") == 1
    assert ended.stderr == ""
