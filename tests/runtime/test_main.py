"""The command: which way it takes is for what is set. Each way has its own tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.processes import Process
from tests.support.runtime_api import RuntimeAPI, invocation

COMMAND = [sys.executable, "-W", "error", "-m", "lambent.runtime"]


def write(folder: Path) -> Path:
    (folder / "app.py").write_text("def handler(event, context):\n    return 'ran'\n", "utf-8")
    return folder


@pytest.mark.parametrize(
    "variables", [{}, {"PORT": ""}, {"AWS_LAMBDA_HTTP_ENDPOINT": "", "AWS_LAMBDA_RUNTIME_API": ""}]
)
def test_where_nothing_is_set_the_ways_are_named(tmp_path: Path, variables: dict[str, str]) -> None:
    with Process([*COMMAND, "app.handler"], write(tmp_path), variables) as process:
        ended = process.wait()

    assert (ended.status, ended.stdout) == (1, "")
    assert "lambent dev TARGET" in ended.stderr
    assert "set PORT" in ended.stderr


@pytest.mark.parametrize("variables", [{}, {"AWS_LAMBDA_RUNTIME_API": "h:1"}, {"PORT": "0"}])
def test_more_than_one_target_is_refused(tmp_path: Path, variables: dict[str, str]) -> None:
    with Process([*COMMAND, "app.handler", "more"], write(tmp_path), variables) as process:
        ended = process.wait()
    assert ended == (1, "", "Expected at most one argument: python -m lambent.runtime app:app\n")


@pytest.mark.parametrize("arguments", [["app.handler"], []])
def test_the_target_is_the_argument_or_the_handler_that_lambda_names(tmp_path: Path, arguments: list[str]) -> None:
    named = "nowhere.handler" if arguments else "app.handler"
    with RuntimeAPI(invocation()) as api:
        variables = {"AWS_LAMBDA_RUNTIME_API": api.address, "_HANDLER": named}
        with Process([*COMMAND, *arguments], write(tmp_path), variables) as process:
            api.wait_until_idle()
            process.stop()
    assert [call.json for call in api.posts] == ["ran"]
