"""Hooks of SnapStart: where they are registered, and who runs them."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import environment

ORDER = """
import sys
from lambent.snapstart import hooks

print([hook() for hook, _, _ in hooks().before], [hook() for hook, _, _ in hooks().after])
"""
HOOKS = """
from lambent import after_restore, before_snapshot

@before_snapshot
def one(): return 1

@after_restore
def two(): return 2

assert (one(), two()) == (1, 2)
"""


def run(directory: Path, source: str) -> str:
    """What a process of its own prints: hooks are there for good."""
    arguments = [sys.executable, "-W", "error", "-c", source]
    ran = subprocess.run(arguments, cwd=directory, env=environment(), capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout


@pytest.fixture
def without_aws_s(tmp_path: Path) -> Path:
    """Where `snapshot_restore_py` is as good as not installed."""
    (tmp_path / "snapshot_restore_py.py").write_text("raise ImportError('not here')", "utf-8")
    return tmp_path


def test_hooks_are_kept_in_order_and_stay_what_they_were(without_aws_s: Path) -> None:
    assert run(without_aws_s, f"{HOOKS}\nafter_restore(lambda: 3)\n{ORDER}") == "[1] [2, 3]\n"


def test_where_aws_s_package_is_installed_there_is_one_order(tmp_path: Path) -> None:
    pytest.importorskip("snapshot_restore_py")
    aws = """
from snapshot_restore_py import register_after_restore, register_before_snapshot
register_before_snapshot(lambda: {0})
register_after_restore(lambda: {0})
"""
    assert run(tmp_path, aws.format(0) + HOOKS + aws.format(9) + ORDER) == "[0, 1, 9] [0, 2, 9]\n"


def test_aws_s_own_client_is_told_that_it_cannot_run_an_async_hook(tmp_path: Path) -> None:
    source = """
from lambent import after_restore
from lambent.errors import ConfigurationError
from lambent.snapstart import hooks

@after_restore
async def restore(): ...

((hook, _, _),) = hooks().after
try:
    hook()
except ConfigurationError as error:
    print(error)
import lambent.runtime.snapshot
hook().close()
"""
    words = run(tmp_path, source)
    assert words.startswith("The SnapStart hook <function restore at ")
    assert "AWS_LAMBDA_EXEC_WRAPPER" in words
