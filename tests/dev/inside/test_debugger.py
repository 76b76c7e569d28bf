"""debugpy before a function is loaded, where it cannot be had; how it is used is in tests/integration."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path

import pytest

from lambent.dev import child
from tests.dev.inside.told import Listener, run


def test_an_interpreter_without_debugpy_says_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "debugpy.py").write_text("raise ModuleNotFoundError(\"No module named 'debugpy'\")", "utf-8")
    with Listener(lambda post: (202, b"{}") if "init" in post.path else (0, b"")) as listener:
        variables = {"AWS_LAMBDA_RUNTIME_API": listener.address, "AWS_LAMBDA_FUNCTION_NAME": "orders"}
        command = [child.__file__, "--debug", "127.0.0.1:5678", "there_is_no_such_module"]
        ended = run(command, tmp_path, **variables)
        [told] = [json.loads(post.body) for post in listener.posts if post.path == "/2018-06-01/runtime/init/error"]
    message = "orders cannot be debugged: No module named 'debugpy', in its interpreter. Run: "
    assert (ended.status, ended.stdout) == (1, "")
    assert ended.stderr.startswith(message)
    assert ended.stderr.endswith(" -m pip install debugpy\n")
    assert told == {
        "errorMessage": ended.stderr.strip(),
        "errorType": "Runtime.DebuggerMissing",
        "stackTrace": [],
    }


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    pytest.importorskip("debugpy")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = run(["-X", "frozen_modules=off", child.__file__, "--debug", address, "this"], tmp_path)
    assert ended.status == 1
    assert re.match(f"The function cannot be debugged at {address}: .*in use", ended.stderr)


def test_a_local_lambda_that_is_gone_is_told_in_vain(tmp_path: Path) -> None:
    (tmp_path / "debugpy.py").write_text("raise ImportError('broken')", "utf-8")
    command = [child.__file__, "--debug", "127.0.0.1:5678", "this"]
    ended = run(command, tmp_path, AWS_LAMBDA_RUNTIME_API="127.0.0.1:1")
    assert ended.status == 1
    assert "The local Lambda could not be told: " in ended.stderr
    assert "broken" in ended.stderr
