"""A program that builds a local Lambda and runs it, and the mistakes that it may make."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest

from lambent.dev import Asynchronous, Function, Project
from lambent.dev.program import check
from lambent.errors import ConfigurationError
from tests.dev.local import SOURCE

FUNCTION = Function("api", "app:app")

PROGRAM = """
from lambent.dev import EnvironmentFacts, Function, HTTPRequest, Project, round_robin, run


def order(request: HTTPRequest, function: Function) -> object:
    return {"order": request.body.decode(), "for": function.name}


def tenant(request: HTTPRequest | None, function: Function) -> dict[str, object]:
    return {"tenant_id": "blue"}


if __name__ == "__main__":
    orders = Function("orders", "app.handler", path="/orders", make_event=order, make_context=tenant)
    api = Function("api", "app.handler", path="/{proxy+}", strategy=round_robin, env={"STAGE": "program"})
    run(Project((orders, api), port=0))
"""

APP = """
import os

def handler(event, context):
    root = os.environ["LAMBDA_TASK_ROOT"]
    return [event.get("order"), event.get("for"), context.tenant_id, os.environ.get("STAGE"), root]
"""


def ask(url: str, body: bytes | None = None) -> object:
    with urllib.request.urlopen(url, body, timeout=60) as answer:
        return json.load(answer)


@pytest.mark.skipif(sys.platform == "win32", reason="it is stopped by a signal")
def test_a_program_runs_what_it_has_built(tmp_path: Path) -> None:
    (tmp_path / "local.py").write_text(PROGRAM, "utf-8")
    (tmp_path / "app.py").write_text(APP, "utf-8")
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(SOURCE), os.environ.get("PYTHONPATH")]))}
    command = [sys.executable, "local.py"]
    with subprocess.Popen(command, cwd=tmp_path, env=variables, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        url = next(match[0] for line in process.stdout if (match := re.search(r"http://127\.0\.0\.1:\d+", line)))
        answers = [ask(f"{url}/orders", b"7"), ask(f"{url}/other")]
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        assert process.wait(60) == 0
    root = str(tmp_path)
    assert answers == [["7", "orders", "blue", None, root], [None, None, None, "program", root]]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"name": "my api"}, "my api: expected a name of 1 to 64 letters"),
        ({"handler": "app"}, 'api: handler: expected such as "app:app" or "package.module.handler", but got \'app\''),
        ({"timeout": 901}, "api: timeout: expected seconds, above 0 and up to 900, but got 901"),
        ({"memory": "128"}, "api: memory: expected MB, a whole number from 128 to 32768, but got '128'"),
        ({"door": "url2"}, "api: door: expected one of "),
        ({"runtime": "ric"}, 'api: runtime: expected one of "lambent", "awslambdaric", but got'),
        ({"env": {"A": 1}}, 'api: env: expected a table of texts, such as { NAME = "value" }, but got'),
        ({"reserved_concurrency": -1}, "api: reserved_concurrency: expected a whole number, 0 or more, but got -1"),
        ({"app_dir": Path("nowhere")}, "api: app_dir: expected a folder, but got nowhere"),
        ({"layers": (Path("nowhere"),)}, "api: layers: expected a folder, but got nowhere"),
        ({"python": "python0"}, "api: python: expected a Python interpreter, but got python0"),
        ({"stream": True, "door": "alb"}, "api: stream: expected a door that streams"),
        ({"warm": 11}, "api: warm: expected 10 at most"),
        ({"asynchronous": Asynchronous(retries=3)}, "api: asynchronous: retries: expected a whole number from 0 to 2"),
        ({"asynchronous": Asynchronous(on_failure="x")}, "api: asynchronous: on_failure: expected "),
        (
            {"asynchronous": Asynchronous(dead_letter="function:x")},
            "api: asynchronous: dead_letter: expected one of the functions api, but got x",
        ),
    ],
)
def test_a_mistake_in_a_function_is_told(change: dict[str, object], complaint: str) -> None:
    function = replace(FUNCTION, **change)  # type: ignore[arg-type]  # that is the mistake
    with pytest.raises(ConfigurationError, match=f"^{re.escape(complaint)}"):
        check(Project((function,)))


@pytest.mark.parametrize(
    ("project", "complaint"),
    [
        (Project(()), "functions: expected at least one Function, but there is none"),
        (Project((FUNCTION, FUNCTION)), "api: expected one Function of this name, but there are 2"),
        (Project((FUNCTION,), port=70_000), "port: expected a port, a whole number from 0 to 65535, but got 70000"),
        (Project((FUNCTION,), log_level="loud"), 'log_level: expected one of "debug", '),
    ],
)
def test_a_mistake_in_the_whole_is_told(project: Project, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{re.escape(complaint)}"):
        check(project)


def test_what_is_right_passes() -> None:
    full = Function(
        "api",
        "pkg/app.handler",
        path="/{proxy+}",
        timeout=5,
        env={"A": "b"},
        reserved_concurrency=0,
        idle_timeout=1,
        asynchronous=Asynchronous(on_failure="function:api", on_success="file:done.jsonl"),
    )
    check(Project((full, Function("other", "app:app")), allowed_hosts=("tunnel.example",), port=0))
