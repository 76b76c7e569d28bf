"""What a function logs, in all ways, through AWS's own runtime interface client and through ours: the same.

Where it is not, the difference is listed here on purpose.
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.processes import Process
from tests.support.runtime_api import RuntimeAPI, invocation

pytest.importorskip("awslambdaric", reason="it has wheels for Linux only")

CLIENTS = ("lambent.runtime", "awslambdaric")

# Statements, each run by an invocation of its own.
LOGGED = {
    "below the level": "logging.debug('no')",
    "levels": "for level in (1, 10, 19, 20, 25, 30, 40, 50, 60): logging.log(level, 'level %d', level)",
    "named level": "logging.addLevelName(35, 'NOTICE'); logging.log(35, 'a')",
    "arguments": "logging.warning('%s and %r', 'a', 'b')",
    "mapping as arguments": "logging.warning('%(a)s', {'a': 1})",
    "lines": "logging.warning('one\\ntwo\\n')",
    "empty": "logging.warning('')",
    "words": "logging.warning('é \\u2028 💡 \\0 \\t \"quoted\"')",
    "object": "logging.warning(Odd())",
    "none": "logging.warning(None)",
    "dict": "logging.warning({'a': {'b': [1, None]}, 'odd': Odd()})",
    "list": "logging.warning([1, 2])",
    "logger": "logging.getLogger('a.b').warning('named')",
    "extra": "logging.warning('a', extra={'order': 7, 'odd': Odd(), 'nothing': None, 'é': {'b': 1}})",
    "extra with our names": "logging.warning('a', extra={'requestId': 'x', 'level': 'y', 'errorType': 'z'})",
    "extra with the attributes' names": "logging.warning('a', extra={'aws_request_id': 'x', 'tenant_id': 'y'})",
    "exception": "attempt(lambda: {}['a'], logging.exception)",
    "exception with arguments": "attempt(lambda: 1 / 0, lambda m: logging.warning('%s %s', m, 1, exc_info=True))",
    "exception with extra": "attempt(lambda: 1 / 0, lambda m: logging.error(m, exc_info=True, extra={'a': 1}))",
    "exception from below": "attempt(lambda: deeper(3), logging.exception)",
    "chained exception": "attempt(chained, logging.exception)",
    "exception without a traceback": "logging.warning('a', exc_info=KeyError('k'))",
    "exception without words": "attempt(lambda: fail(ValueError()), logging.exception)",
    "thread": "thread = threading.Thread(target=logging.warning, args=['a']); thread.start(); thread.join()",
    "pool": "with ThreadPoolExecutor(1) as pool: pool.submit(logging.warning, 'a').result()",
    "coroutine": "asyncio.run(log_in_coroutine())",
    "warnings": "logging.captureWarnings(True); warnings.warn_explicit('w', UserWarning, 'f', 1)",
    "basicConfig": "logging.basicConfig(level=logging.DEBUG); logging.debug('no')",
    "context.log": "context.log('as it is\\n'); context.log(7); context.log('\\n')",
    "handler of one's own": "with_handler(logging.Formatter('%(aws_request_id)s %(tenant_id)s %(message)s'))",
    "formatter of one's own": "with_formatter(logging.Formatter('%(levelname)s %(aws_request_id)s %(message)s\\n'))",
    "filter of one's own": "with_filter(lambda record: record.msg != 'no')",
    "level of a logger": "quiet = logging.getLogger('quiet'); quiet.setLevel(50); quiet.error('no'); quiet.fatal('a')",
    "everything": "root.setLevel(0); logging.debug('a'); logging.log(1, 'b'); root.setLevel(30)",
}
# Further statements, whose outcome differs.
OTHERS = {
    "stack": "logging.warning('a', stack_info=True)",
    "not to be formatted": "logging.warning('%d', 'a')",
    "lone surrogate": "logging.warning('\\ud800')",
    "nothing raised": "logging.warning('a', exc_info=True)",
    "failure": "fail(KeyError('a'))",
    "failure that silence was asked for": "dictConfig({'version': 1}); root.setLevel(60)\nfail(KeyError('a'))",
    "failure after dictConfig": "root.setLevel(30)\nfail(KeyError('a'))",
}
SOURCE = f"""
import asyncio, logging, os, sys, threading, warnings
from concurrent.futures import ThreadPoolExecutor
from logging.config import dictConfig

root = logging.getLogger()
logging.warning("at import")
print("printed at import")

class Odd:
    def __repr__(self):
        return "<odd>"

def fail(error):
    raise error

def deeper(depth):
    return deeper(depth - 1) if depth else fail(KeyError("deep"))

def chained():
    try:
        fail(KeyError("first"))
    except KeyError as error:
        raise ValueError("second") from error

def attempt(function, log):
    try:
        function()
    except Exception:
        log("it failed")

async def log_in_coroutine():
    logging.warning("a")

def with_handler(formatter):
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root.addHandler(handler)
    logging.warning("a")
    root.removeHandler(handler)

def with_formatter(formatter):
    before = root.handlers[0].formatter
    root.handlers[0].setFormatter(formatter)
    logging.warning("a")
    root.handlers[0].setFormatter(before)

def with_filter(wanted):
    root.handlers[0].addFilter(wanted)
    logging.warning("no")
    logging.warning("yes")
    root.handlers[0].removeFilter(wanted)

cases = {LOGGED | OTHERS!r}

def handler(event, context):
    context.log("@@" + event["case"] + "\\n")
    exec(cases[event["case"]], {{**globals(), "context": context}})
    return [name for name in os.environ if "TELEMETRY" in name]
"""

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")
UNENDED = re.compile(r"(?<!\n)(?=\[[A-Z]+\]\t)|\n\Z")
TASK = re.compile(r', "taskName": "Task-\d+"')
SELECTOR = re.compile(r".*Using selector: .*\n")
FORMATS: dict[str, dict[str, str]] = {
    "text": {},
    "text and a level": {"AWS_LAMBDA_LOG_LEVEL": "info"},
    "an unknown level": {"AWS_LAMBDA_LOG_LEVEL": "LOUD"},
    "JSON": {"AWS_LAMBDA_LOG_FORMAT": "JSON"},
    "JSON and a level": {"AWS_LAMBDA_LOG_FORMAT": "Json", "AWS_LAMBDA_LOG_LEVEL": "TRACE"},
}


class Record(NamedTuple):
    """What came at once: a frame, or all that was written to standard output by a case."""

    kind: int
    """The first word of a frame; 0 for standard output."""
    text: str
    """Without the time."""


class Logged(NamedTuple):
    """One client's run through all cases."""

    cases: dict[str, list[Record]]
    """By their names; "" for init."""
    stderr: str
    results: list[Any]


def run(client: str, folder: Path, *, framed: bool, **variables: str) -> Logged:
    names = list(LOGGED | OTHERS)
    steps = [
        invocation(json.dumps({"case": name}).encode(), "Lambda-Runtime-Aws-Tenant-Id: blue", request_id=f"id-{number}")
        for number, name in enumerate(names)
    ]
    frames = b""

    def read() -> None:
        nonlocal frames
        with os.fdopen(reading, "rb") as pipe:
            frames = pipe.read()

    reading, writing = os.pipe()
    reader = threading.Thread(target=read)
    reader.start()
    if framed:
        variables["_LAMBDA_TELEMETRY_LOG_FD"] = str(writing)
    arguments = [sys.executable, "-m", client, "app.handler"]
    with RuntimeAPI(*steps) as api, os.fdopen(writing, "wb") as end:
        variables["AWS_LAMBDA_RUNTIME_API"] = api.address
        with Process(arguments, folder, variables, [writing]) as process:
            end.close()
            api.wait_until_idle()
            ended = process.stop()
    reader.join()
    records = split(frames) if framed else [Record(0, text) for text in re.split("(?=@@)", ended.stdout)]
    return Logged(by_case(records), ended.stderr, [call.json for call in api.posts])


def split(frames: bytes) -> list[Record]:
    records = []
    while frames:
        kind, length = (int.from_bytes(frames[start : start + 4], "big") for start in (0, 4))
        records.append(Record(kind, frames[16 : 16 + length].decode()))
        frames = frames[16 + length :]
    return records


def by_case(records: list[Record]) -> dict[str, list[Record]]:
    """What was logged after the mark of each case, as far as it is not empty."""
    cases: dict[str, list[Record]] = {"": []}
    name = ""
    for record in records:
        text = TIME.sub("TIME", record.text)
        if text.startswith("@@"):
            name, _, text = text[2:].partition("\n")
            cases[name] = []
        if text:
            cases[name].append(record._replace(text=text))
    return cases


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("function")
    (folder / "app.py").write_text(SOURCE, "utf-8")
    return folder


class Both(NamedTuple):
    ours: Logged
    theirs: Logged


@pytest.fixture(scope="module", params=[(name, framed) for name in FORMATS for framed in (False, True)], ids=str)
def both(request: pytest.FixtureRequest, folder: Path) -> Both:
    name, framed = request.param
    return Both(*(run(client, folder, framed=framed, **FORMATS[name]) for client in CLIENTS))


def comparable(records: list[Record]) -> list[Record]:
    """Records without what is different at every turn.

    - On standard output theirs does not end the last line of a traceback: the next record goes on in it.
    - Ours makes an event loop, and asyncio says so to those who want to know everything.
    - From Python 3.12 on theirs takes the `taskName` of a record for something that the user has added.
    """
    records = [record._replace(text=TASK.sub("", SELECTOR.sub("", record.text))) for record in records]
    return [
        record if record.kind else record._replace(text=UNENDED.sub("", record.text))
        for record in records
        if record.text
    ]


@pytest.mark.parametrize("case", ["", *LOGGED])
def test_the_same_is_logged(both: Both, case: str) -> None:
    assert comparable(both.ours.cases[case]) == comparable(both.theirs.cases[case])


def unmarked(trace: str) -> str:
    """A stack trace without the lines that mark a part of the one above: from 3.13 on both do not set the same."""
    return re.sub(r"\n *[~^]+(?=\n|$)", "", trace)


def texts(logged: Logged, case: str) -> str:
    return "".join(record.text for record in logged.cases[case])


def test_a_failure_is_a_record_as_any_other(both: Both) -> None:
    """Theirs has a format of its own for it, in which the message is the exception, and the lines end in returns."""
    ours, theirs = (each.cases["failure"] for each in both)
    assert len(ours) == len(theirs) == 1

    assert ours[0].kind == theirs[0].kind
    number = list(LOGGED | OTHERS).index("failure")
    if ours[0].text.startswith("{"):
        told = json.loads(ours[0].text)
        told["stackTrace"] = [unmarked(frame) for frame in told["stackTrace"]]
        expected = json.loads(theirs[0].text)
        assert told == {
            **expected,
            "stackTrace": [unmarked(frame) for frame in expected["stackTrace"]],
            "message": f"Request id-{number} failed.",
            "logger": "lambent",
            "tenantId": "blue",
        }
    else:
        head, *frames, last = ours[0].text.splitlines()
        assert head == f"[ERROR]\tTIME\tid-{number}\tRequest id-{number} failed."
        assert last == "KeyError: 'a'"
        title, *told = re.split("[\r\n]", theirs[0].text.rstrip("\n"))
        assert title == "[ERROR] KeyError: 'a'"
        assert unmarked("\n".join(told).replace("\xa0", " ")) == unmarked("\n".join(frames))


def test_a_failure_is_told_though_logging_was_configured_anew(both: Both) -> None:
    """logging.config disables the loggers that it is not told of."""
    assert "failed." in texts(both.ours, "failure after dictConfig")


def test_who_wants_silence_has_it(both: Both) -> None:
    """Theirs does not ask `logging` whether it may tell of a failure."""
    assert texts(both.ours, "failure that silence was asked for") == ""
    assert "KeyError" in texts(both.theirs, "failure that silence was asked for")


def test_a_record_that_cannot_be_written_fails_nothing(both: Both) -> None:
    """It goes to the standard error, as with any handler of Python's; theirs raises from within the call."""
    at = list(LOGGED | OTHERS).index("not to be formatted")

    assert both.ours.results[at] == []
    assert both.theirs.results[at]["errorType"] == "TypeError"
    assert both.ours.stderr.count("--- Logging error ---") == 1


def test_what_is_no_text_is_escaped(both: Both) -> None:
    at = list(LOGGED | OTHERS).index("lone surrogate")

    assert r"\ud800" in texts(both.ours, "lone surrogate")
    assert both.ours.results[at] == []
    assert both.theirs.results[at]["errorType"] == "UnicodeEncodeError"


def test_exc_info_may_be_asked_for_where_there_is_none(both: Both, request: pytest.FixtureRequest) -> None:
    at = list(LOGGED | OTHERS).index("nothing raised")

    assert both.ours.results[at] == []
    (record,) = both.ours.cases["nothing raised"]
    if record.text.startswith("{"):
        assert both.theirs.results[at]["errorType"] == "AttributeError"
        assert "errorType" not in json.loads(record.text)


def test_a_stack_is_that_of_the_runtime_below_the_handlers(both: Both) -> None:
    ours, theirs = (texts(each, "stack") for each in both)
    assert ours.splitlines()[0] == theirs.splitlines()[0]
    assert ours.splitlines()[-1] == theirs.splitlines()[-1]


def test_the_descriptor_is_the_runtimes_own(both: Both) -> None:
    """No variable tells of it any more."""
    assert both.ours.results[0] == both.theirs.results[0] == []
