"""Each check: what is broken is found, and what is mended is not."""

import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.doctor import checks
from lambent.doctor.checks import CHECKS
from lambent.doctor.checks.runtimes import ENDS
from lambent.doctor.model import (
    SEVERITIES,
    Archive,
    Bytecode,
    Door,
    Facts,
    FunctionFacts,
    Measured,
    Native,
    Package,
    Place,
    Poll,
)

TODAY = date(2026, 11, 21)
WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"
SCRIPT = "/var/task/lambent/exec/wrapper"
STREAM = {"LAMBENT_STREAM": "1"}

APP = Measured(kind="lambent", errors="respond", seconds=0.5, peak=60.0, python="3.13")
FILES = frozenset({"app.py", "__pycache__/app.cpython-313.pyc", "lambent/__init__.pyc", "lambent/exec/wrapper"})
ZIP = Archive("dist/x.zip", 1_000_000, 4_000_000, FILES, frozenset({"lambent/exec/wrapper"}))
ZIP = replace(ZIP, bytecode=(Bytecode("__pycache__/app.cpython-313.pyc", 3571, False),))
FINE = FunctionFacts(
    "shop",
    "app.handler",
    "python3.13",
    "aws",
    Place("template.yaml", 3),
    {"Timeout": Place("template.yaml", 5), "Handler": Place("template.yaml", 6)},
    timeout=20.0,
    memory=512,
    measured=APP,
)
OURS = replace(FINE, client="lambent", env={WRAPPER: SCRIPT})


class Case(NamedTuple):
    """A function with one thing wrong, and the same without it."""

    check: str
    broken: FunctionFacts
    mended: FunctionFacts
    said: str
    facts: Facts = Facts(today=TODAY, needs=frozenset({"lambent"}))


def case(
    check: str,
    said: str,
    before: dict[str, object],
    after: dict[str, object],
    base: FunctionFacts = FINE,
    **facts: object,
) -> Case:
    around = replace(Facts(today=TODAY, needs=frozenset({"lambent"})), **facts)  # type: ignore[arg-type]  # by name
    broken, mended = (replace(base, **each) for each in (before, after))  # type: ignore[arg-type]  # by name
    return Case(check, broken, mended, said, around)


def door(kind: str, **more: object) -> dict[str, object]:
    return {"doors": (Door(kind, "Shop", Place("template.yaml", 9), **more),)}  # type: ignore[arg-type]  # by name


def queue(**more: object) -> dict[str, object]:
    return {"polls": (Poll("sqs", "Jobs", Place("template.yaml", 12), **more),)}  # type: ignore[arg-type]  # by name


def zipped(**more: object) -> dict[str, object]:
    return {"archive": replace(ZIP, **more)}  # type: ignore[arg-type]  # by name


def loaded(**more: object) -> dict[str, object]:
    return {"measured": replace(APP, **more)}  # type: ignore[arg-type]  # by name


def env(**variables: str) -> dict[str, object]:
    return {"env": variables}


def wrapped(path: str, **more: object) -> dict[str, object]:
    return {"client": "lambent", "env": {WRAPPER: path}, **more}


SEVERAL = ("a/x.cpython-313", "b/x.cpython-312")
"""Modules of two packages, for one Python each."""

CASES = [
    case("handler-import", "No module named 'pandas'", loaded(error="No module named 'pandas'"), {}),
    case("handler-name", "Write app.handler.", {"handler": "app:handler"}, {}),
    case(
        "handler-name", "Write app.handler.", {"handler": "app:handler"}, {**wrapped(SCRIPT), "handler": "app:handler"}
    ),
    case("handler-name", "a name in the module.", {"handler": "app:N.inner"}, {"handler": "app.handler"}),
    case("handler-kind", "Wrap it: handler = Lambent(app)", loaded(kind="application"), {}),
    case(
        "handler-kind", "an async function", loaded(kind="coroutine"), {**loaded(kind="coroutine"), **wrapped(SCRIPT)}
    ),
    case("wrapper-path", "does not exist on AWS", wrapped("/var/task/exec/lambent-wrapper"), wrapped(SCRIPT)),
    case(
        "wrapper-path",
        "the folder of Python 3.13, but got that of 3.12",
        wrapped("/opt/python/lib/python3.12/site-packages/lambent/exec/wrapper"),
        wrapped("/opt/python/lib/python3.13/site-packages/lambent/exec/wrapper"),
    ),
    case(
        "wrapper-path",
        f"it is {SCRIPT}",
        wrapped("/var/task/src/lambent/exec/wrapper", archive=ZIP),
        wrapped(SCRIPT, archive=ZIP),
    ),
    case("wrapper-path", "does not exist on AWS", wrapped("/var/task/exec/wrapper"), wrapped("/opt/otel-instrument")),
    case(
        "wrapper-path",
        "but the script is not in it.",
        wrapped("/var/task/start.sh", archive=ZIP),
        wrapped("/var/task/app.py", archive=ZIP),
    ),
    case("wrapper-executable", "has lost that", wrapped(SCRIPT, **zipped(executable=frozenset())), zipped(), OURS),
    case("wrapper-runtime", "starts `bootstrap`", {"runtime": "provided.al2023"}, {}, OURS),
    case("lambent-missing", "names its script", zipped(names=frozenset({"app.py"})), zipped(), OURS),
    case("lambent-undeclared", "Add it", loaded(), loaded(kind="function"), needs=frozenset({"fastapi"})),
    case("errors-answered", 'errors="raise"', {"watched": True}, {"watched": True, **loaded(errors="raise")}),
    case("runtime-gone", "deprecated since 2026-10-31", {"runtime": "python3.10"}, {}),
    case("runtime-ends", "deprecated from 2027-06-30 on", {"runtime": "python3.11"}, {}, today=date(2027, 2, 1)),
    case("runtime-unknown", "provided.al2023", {"runtime": "python3.19"}, {}),
    case("runtime-required", "expected Python >=3.13", {"runtime": "python3.12"}, {}, requires_python=">=3.13"),
    case("runtime-required", "<3.14", {"runtime": "python3.14"}, {}, requires_python=">=3.11,<3.14"),
    case("runtime-required", "!=3.12", {"runtime": "python3.12"}, {}, requires_python=">=3.11,!=3.12.*"),
    case(
        "runtime-required", "~=3.11.0", {"runtime": "python3.13"}, {"runtime": "python3.11"}, requires_python="~=3.11.0"
    ),
    case("runtime-required", "<3.12.4", {}, {"runtime": "python3.12"}, requires_python="<3.12.4,>=3.11"),
    case("runtime-here", "loaded here by Python 3.11", loaded(python="3.11"), loaded()),
    case("architecture", "but got arm", {"architecture": "arm"}, {"architecture": "arm64"}),
    case("variables-reserved", "AWS_REGION is Lambda's own", env(AWS_REGION="x"), env(REGION="x")),
    case("variables-form", "'2FA'", {"env": {"2FA": "x"}}, {"env": {"FA2": "x"}}),
    case("variables-size", "but got 4,098", env(TEXT="x" * 4094), env(TEXT="x" * 4092)),
    case("variables-value", "LAMBENT_STREAM to be 0 or 1", env(LAMBENT_STREAM="yes"), env(LAMBENT_STREAM="0")),
    case("concurrency-zero", "nothing runs", {"reserved": 0}, {"reserved": 1}),
    case("layers-count", "5 layers at most, but got 6", {"layers": 6}, {"layers": 5}),
    case("snapstart-runtime", "python3.12", {"snapstart": True, "runtime": "python3.11"}, {"snapstart": True}),
    case("snapstart-runtime", "an image"[3:], {"snapstart": True, "image": True, "runtime": ""}, {"snapstart": True}),
    case("snapstart-version", "AutoPublishAlias", {"snapstart": True, "published": False}, {"snapstart": True}),
    case(
        "snapstart-unique",
        "uuid.uuid4(), called in app.py:3, while it is loaded",
        {"snapstart": True, **loaded(unique=("uuid.uuid4(), called in app.py:3,",))},
        {"snapstart": True, **loaded()},
    ),
    case("timeout-range", "from 1 to 900", {"timeout": 901.0}, {"timeout": 900.0}),
    case(
        "timeout-door", "an HTTP API waits 30 s", {"timeout": 31.0, **door("http")}, {"timeout": 30.0, **door("http")}
    ),
    case(
        "timeout-door", "waits 29 s", {"timeout": 30.0, **door("rest")}, {"timeout": 30.0, **door("rest", timeout=40.0)}
    ),
    case("timeout-door", "waits 60 s", {"timeout": 61.0, **door("alb")}, {"timeout": 61.0, **door("url")}),
    case(
        "timeout-door", "waits 29 s", {"timeout": 90.0, **door("rest")}, {"timeout": 90.0, **door("rest", streams=True)}
    ),
    case(
        "timeout-default", "is 3 seconds", {"said": {"Handler": Place()}, "timeout": 3.0, **door("http")}, door("http")
    ),
    case("timeout-integration", "30 seconds at most", door("http", timeout=31.0), door("http", timeout=30.0)),
    case(
        "stream-runtime",
        f"Set {WRAPPER}={SCRIPT}",
        {"env": STREAM},
        {"env": STREAM | {WRAPPER: SCRIPT}, "client": "lambent"},
    ),
    case("stream-function-only", "RESPONSE_STREAM", {**loaded(stream=True), **door("url")}, door("url")),
    case(
        "stream-function-only",
        "ResponseTransferMode: STREAM",
        {"env": STREAM, **door("rest")},
        {"env": STREAM, **door("rest", streams=True)},
    ),
    case("stream-function-only", "none of its doors can", {"env": STREAM, **door("alb")}, door("alb")),
    case(
        "stream-door-only", "come whole", door("url", streams=True), {"env": STREAM, **door("url", streams=True)}, OURS
    ),
    case("stream-rest-only", "refused", door("rest", streams=True), door("rest")),
    case(
        "stream-rest-uri",
        "is STREAM, but the URI is not",
        door("rest", streams=True, streaming_uri=False),
        door("rest", streams=True, streaming_uri=True),
    ),
    case("stream-rest-uri", "is BUFFERED", door("rest", streaming_uri=True), door("rest", streaming_uri=False)),
    case("binary-media-types", '["*/*"]', door("rest", binary=()), door("rest", binary=("*/*",))),
    case(
        "websocket-store",
        "lambent stores init",
        door("websocket"),
        {**door("websocket"), **env(LAMBENT_STORE="s3://b")},
    ),
    case("websocket-store", "lambent stores init", door("websocket"), {**door("websocket"), **loaded(store="")}),
    case(
        "websocket-store-local",
        "but got memory://",
        {**door("websocket"), **env(LAMBENT_STORE="memory://")},
        {**door("websocket"), **env(LAMBENT_STORE="dynamodb://connections")},
    ),
    case("queue-visibility", "AWS refuses that", queue(visibility=19), queue(visibility=120)),
    case(
        "queue-visibility-short",
        "expected a VisibilityTimeout of 125",
        queue(visibility=120, window=5),
        queue(visibility=120),
    ),
    case("queue-window", "batches of 11", queue(batch_size=11), queue(batch_size=11, window=1)),
    case(
        "partial-failures",
        "ReportBatchItemFailures",
        {**loaded(batches=("sqs",)), **queue()},
        {**loaded(batches=("sqs",)), **queue(partial=True)},
    ),
    case("archive-handler", "expected shop/main.py", {"handler": "shop.main.handler", **zipped()}, zipped()),
    case("archive-unzipped", "250.0 MB at most", zipped(unzipped=270_000_000), zipped()),
    case("archive-zipped", "50.0 MB at most", zipped(size=60_000_000), zipped()),
    case("bytecode-missing", "1 modules have no bytecode (app.py)", zipped(bytecode=()), zipped()),
    case(
        "bytecode-version",
        "1 files are of 3.11",
        zipped(bytecode=(Bytecode("app.pyc", 3495, False),)),
        zipped(bytecode=(Bytecode("app.pyc", 3571, False),)),
    ),
    case(
        "bytecode-checked",
        "of 1 modules",
        zipped(bytecode=(Bytecode("__pycache__/app.cpython-313.pyc", 3571, True),)),
        zipped(),
    ),
    case(
        "native-architecture",
        "1 are for arm64 (x.so)",
        zipped(natives=(Native("x.so", "arm64"),)),
        zipped(natives=(Native("x.so", "x86_64"),)),
    ),
    case(
        "native-architecture",
        "2 are for Windows, macOS (a/x.pyd, c/z.dylib)",
        zipped(natives=(Native("a/x.pyd", "Windows"), Native("b/y.so", "x86_64"), Native("c/z.dylib", "macOS"))),
        zipped(natives=(Native("a/x.pyd", "Windows"), Native("a/y.so", "x86_64"), Native("a/b/z.dylib", "macOS"))),
    ),
    case(
        "native-python",
        "1 are for 3.12",
        zipped(natives=(Native("x.cpython-312-x86_64-linux-gnu.so", "x86_64"),)),
        zipped(natives=(Native("x.cpython-313-x86_64-linux-gnu.so", "x86_64"), Native("y.abi3.so", "x86_64"))),
    ),
    case(
        "native-python",
        "1 are for 3.12 (b/x.cpython-312-x86_64-linux-gnu.so)",
        zipped(natives=tuple(Native(f"{each}-x86_64-linux-gnu.so", "x86_64") for each in SEVERAL)),
        zipped(natives=tuple(Native(f"a/{each[2:]}-x86_64-linux-gnu.so", "x86_64") for each in SEVERAL)),
    ),
    case("memory-measured", "of 165 MB or more", {"memory": 128, **loaded(peak=132.0)}, loaded(peak=132.0)),
    case("memory-little", "leaves little", {"memory": 128, **loaded(peak=110.0)}, loaded(peak=110.0)),
    case("init-long", "11.0 here", loaded(seconds=11.0), loaded()),
    case("init-slow", "6.0 seconds here", loaded(seconds=6.0), loaded()),
    case(
        "import-heavy",
        "boto3 takes 170 ms to import with what it brings, by app",
        loaded(packages=(Package("boto3", 8.0, "installed", "app", 170.0),)),
        loaded(packages=(Package("fastapi", 8.0, "installed", "app", 470.0), Package("boto3", 8.0, "installed", "x"))),
    ),
]


@pytest.mark.parametrize("each", CASES, ids=[each.check for each in CASES])
def test_what_is_broken_is_found(each: Case) -> None:
    found = checks.run(replace(each.facts, functions=(each.broken,)))
    mine = [finding for finding in found if finding.check == each.check]
    assert mine
    assert each.said in mine[0].message
    assert mine[0].function == "shop"


@pytest.mark.parametrize("each", CASES, ids=[each.check for each in CASES])
def test_what_is_mended_is_not(each: Case) -> None:
    found = checks.run(replace(each.facts, functions=(each.mended,)))
    assert [finding for finding in found if finding.check == each.check] == []


def test_each_check_has_a_case_and_an_id_of_its_own() -> None:
    ids = [check.id for check in CHECKS]
    assert len(set(ids)) == len(ids)
    assert set(ids) == {each.check for each in CASES}
    assert {check.severity for check in CHECKS} == set(SEVERITIES)


def test_the_documentation_names_each_check() -> None:
    page = Path(__file__).parents[2] / "docs" / "how-to" / "check-before-you-deploy.md"
    table = page.read_text("utf-8").partition("## What it finds")[2]
    named = [name for line in table.splitlines() for name in re.findall(r"`([a-z-]+)`", line.split(" | ")[0])]
    assert sorted(named) == sorted([*(check.id for check in CHECKS), checks.READ])


def test_nothing_is_wrong_with_what_is_right() -> None:
    assert checks.run(Facts((FINE, replace(OURS, archive=ZIP)), frozenset({"lambent"}), today=TODAY)) == []


def test_a_finding_says_where() -> None:
    (finding,) = checks.run(Facts((replace(FINE, timeout=1000.0),), today=TODAY))
    assert str(finding.place) == "template.yaml:5"


def test_what_cannot_be_read_is_an_error() -> None:
    (finding,) = checks.run(Facts(mistakes=("template.yaml:1: expected a table.",)))
    assert (finding.severity, finding.function, finding.message) == ("error", "", "template.yaml:1: expected a table.")


def test_a_function_that_was_not_loaded_is_taken_as_right() -> None:
    streams = replace(OURS, measured=None, doors=(Door("url", "Shop", streams=True), Door("websocket", "Chat")))
    assert checks.run(Facts((streams,), today=TODAY)) == []


@given(
    seconds=st.integers(1, 900),
    visibility=st.integers(0, 43_200),
    window=st.integers(0, 300),
)
def test_a_queue_is_either_refused_short_or_right(seconds: int, visibility: int, window: int) -> None:
    poll = Poll("sqs", "Jobs", visibility=visibility, window=window)
    found = checks.run(Facts((replace(FINE, timeout=float(seconds), polls=(poll,)),), today=TODAY))
    expected = (
        ["queue-visibility"]
        if visibility < seconds
        else ["queue-visibility-short"]
        if visibility < 6 * seconds + window
        else []
    )
    assert [finding.check for finding in found] == expected


@given(st.dates(date(2020, 1, 1), date(2035, 1, 1)), st.sampled_from([*ENDS, "python3.15", "provided.al2023", ""]))
def test_a_runtime_is_gone_or_ends_but_never_both(today: date, runtime: str) -> None:
    function = replace(FINE, runtime=runtime, client="lambent", measured=None)
    found = {finding.check for finding in checks.run(Facts((function,), today=today))}
    assert len(found & {"runtime-gone", "runtime-ends", "runtime-unknown"}) <= 1


@given(
    st.sampled_from(["", "aws", "lambent"]),
    st.sampled_from(["", "0", "1"]),
    st.lists(st.tuples(st.sampled_from(["url", "rest", "http", "alb", "websocket"]), st.booleans()), max_size=3),
    st.sampled_from(["lambent", "events", "application", "function", "coroutine", "generator", ""]),
)
def test_checks_take_any_facts(client: str, stream: str, doors: list[tuple[str, bool]], kind: str) -> None:
    function = replace(
        FINE,
        client=client,  # type: ignore[arg-type]  # one of them
        env={"LAMBENT_STREAM": stream},
        doors=tuple(Door(each, each, streams=streams) for each, streams in doors),
        measured=replace(APP, kind=kind),
    )
    for finding in checks.run(Facts((function,), today=TODAY)):
        assert finding.message.endswith((".", ":"))
