"""A Python inside the artefact."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lambent.build import own_python
from lambent.build.errors import BuildError
from lambent.build.model import Target

ROOT = Path(__file__).parents[2]
TARGET = Target("3.13", "arm64", "provided.al2023")

posix = pytest.mark.skipif(sys.platform == "win32", reason="such a Python is one of Linux")


@pytest.fixture
def given(tmp_path: Path) -> Path:
    folder = tmp_path / "pythons" / "given"
    for name in ("os.py", "test/test_os.py", "site-packages/pip/__init__.py", "idlelib/a.py", "config-3.13/Makefile"):
        (folder / "lib" / "python3.13" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "lib" / "python3.13" / name).write_text("")
    (folder / "lib" / "libpython3.13.so.1.0").write_text("shared")
    (folder / "bin").mkdir()
    (folder / "bin" / "python3.13").write_text("binary")
    (folder / "bin" / "python3.13").chmod(0o755)
    return folder


def put(tmp_path: Path, given: Path | None, uv: Path | None = None) -> set[str]:
    task = tmp_path / "work" / "task"
    task.mkdir(parents=True, exist_ok=True)
    own_python.put(TARGET, task, given, uv)
    return {path.relative_to(task).as_posix() for path in task.rglob("*") if path.is_file()}


def test_what_lambda_needs_of_it_is_there(tmp_path: Path, given: Path) -> None:
    assert put(tmp_path, given) == {
        "bootstrap",
        "python/bin/python3",
        "python/lib/libpython3.13.so.1.0",
        "python/lib/python3.13/os.py",
    }


def test_the_bootstrap_is_that_of_the_example(tmp_path: Path, given: Path) -> None:
    put(tmp_path, given)
    made = (tmp_path / "work" / "task" / "bootstrap").read_bytes()
    assert made == (ROOT / "examples" / "anywhere" / "bootstrap").read_bytes()


def test_a_bootstrap_of_the_project_stays(tmp_path: Path, given: Path) -> None:
    (tmp_path / "work" / "task").mkdir(parents=True)
    (tmp_path / "work" / "task" / "bootstrap").write_text("own")
    put(tmp_path, given)
    assert (tmp_path / "work" / "task" / "bootstrap").read_text() == "own"


def test_another_version_is_refused(tmp_path: Path, given: Path) -> None:
    (given / "bin" / "python3.13").rename(given / "bin" / "python3.12")
    with pytest.raises(BuildError, match=r"Expected a Python 3\.13 in .*given, with bin/python3\.13"):
        put(tmp_path, given)


@posix
def test_uv_fetches_one_for_the_target(tmp_path: Path, given: Path) -> None:
    uv = tmp_path / "uv"
    uv.write_text(
        "#!/bin/sh\n"
        '[ "$7" = cpython-3.13-linux-aarch64-gnu ] || { echo "not $7" >&2; exit 1; }\n'
        f'mkdir "$6" && cp -r {given} "$6/cpython-3.13.9-linux-aarch64-gnu"\n'
    )
    uv.chmod(0o755)
    assert "python/bin/python3" in put(tmp_path, None, uv)


@posix
@pytest.mark.parametrize("uv", [None, "uv"])
def test_none_is_told_with_the_way_out(tmp_path: Path, uv: str | None) -> None:
    if uv:
        (tmp_path / uv).write_text("#!/bin/sh\nprintf '\\377\\n' >&2\necho error: no network >&2\nexit 2\n")
        (tmp_path / uv).chmod(0o755)
    with pytest.raises(BuildError, match=r"--interpreter FOLDER") as raised:
        put(tmp_path, None, tmp_path / uv if uv else None)
    assert ("uv says: error: no network" if uv else "uv is not installed") in str(raised.value)
