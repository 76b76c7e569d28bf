"""Where modules are found under the wrapper: what becomes of `sys.path`, PYTHONPATH and .pth files.

Each case is a Python of its own. tests/integration/test_where_it_runs.py compares with AWS's bootstrap.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import SOURCE, environment

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Lambda runs Linux")

SCRIPT = """
import json, os, sys
from lambent.runtime import search_path

search_path.restore(os.environ, os.environ.pop("LAYERS"))
print(json.dumps({"path": sys.path, "variables": dict(os.environ), "prefix": sys.prefix}))
"""
PACKAGES = "lib/python{}.{}/site-packages".format(*sys.version_info)


def restored(folder: Path, library: Path, **variables: str) -> Any:
    """What a Python sees that is started as by the wrapper: the task root, /opt and /var/runtime lie in `folder`."""
    (folder / "task").mkdir(exist_ok=True)
    seen = environment(
        LAYERS=f"{folder}/opt/python",
        LAMBENT_EXEC_LIBRARY=str(library),
        LAMBDA_RUNTIME_DIR=f"{folder}/runtime",
        LAMBDA_TASK_ROOT=f"{folder}/task",
        **variables,
    )
    seen["PYTHONPATH"] = os.pathsep.join(filter(None, [variables.get("LAMBENT_EXEC_PYTHONPATH"), str(library)]))
    (folder / "task" / "start.py").write_text(SCRIPT, "utf-8")
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-m", "start"],
        cwd=folder / "task",
        env=seen,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stderr == ""
    return json.loads(ran.stdout)


def test_the_task_root_comes_first_then_the_layers_then_the_runtime_s_own(tmp_path: Path) -> None:
    seen = restored(tmp_path, SOURCE)

    assert seen["path"][:5] == [
        f"{tmp_path}/task",
        f"{tmp_path}/opt/python/{PACKAGES}",
        f"{tmp_path}/opt/python",
        f"{seen['prefix']}/{PACKAGES}",
        f"{tmp_path}/runtime",
    ]
    assert seen["path"].count(f"{tmp_path}/task") == 1, "that is also what -m puts first"
    assert seen["variables"]["PYTHONPATH"] == f"{tmp_path}/runtime"


def test_lambent_s_own_folder_is_the_last_one(tmp_path: Path) -> None:
    assert restored(tmp_path, SOURCE, LAMBENT_EXEC_PYTHONPATH="")["path"][-1] == str(SOURCE)


@pytest.mark.parametrize("given", ["{0}/more:{0}/most", "{0}/more:{1}"])
def test_a_function_s_own_python_path_takes_the_place_of_the_layers(tmp_path: Path, given: str) -> None:
    given = given.format(tmp_path, SOURCE)
    seen = restored(tmp_path, SOURCE, LAMBENT_EXEC_PYTHONPATH=given)

    assert seen["path"][:4] == [f"{tmp_path}/task", f"{tmp_path}/runtime", *given.split(":")]
    assert f"{tmp_path}/opt/python" not in seen["path"]
    assert seen["variables"]["PYTHONPATH"] == given


def test_an_empty_python_path_counts_as_set(tmp_path: Path) -> None:
    seen = restored(tmp_path, SOURCE, LAMBENT_EXEC_PYTHONPATH="")

    assert f"{tmp_path}/opt/python" not in seen["path"]
    assert "PYTHONPATH" not in seen["variables"]


def test_path_files_of_the_task_root_and_of_the_layers_count(tmp_path: Path) -> None:
    for where in ("task", f"opt/python/{PACKAGES}", "opt/python"):
        folder = tmp_path / where
        (folder / "vendored").mkdir(parents=True)
        (folder / "vendored.pth").write_text("vendored\n", "utf-8")

    seen = restored(tmp_path, SOURCE)
    added = [path for path in seen["path"] if path.endswith("vendored")]

    assert added == [f"{tmp_path}/{where}/vendored" for where in ("task", f"opt/python/{PACKAGES}", "opt/python")]


def test_nothing_of_the_wrapper_is_left(tmp_path: Path) -> None:
    seen = restored(tmp_path, SOURCE, LAMBENT_EXEC_PYTHONPATH="/a")
    assert [name for name in seen["variables"] if name.startswith("LAMBENT")] == []
