"""Bytecode, as an interpreter of the target makes it."""

from __future__ import annotations

import importlib.util
import marshal
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lambent.build import bytecode
from lambent.build.errors import BuildError

MINOR = "{}.{}".format(*sys.version_info)
HERE = Path(sys.executable)


def compiled(folder: Path, *, beside: bool = False) -> bytecode.Compiled:
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*.py")]
    return bytecode.compiled(HERE, MINOR, folder, names, prefix="/var/task/", beside=beside)


def fill(folder: Path, **sources: str) -> Path:
    (folder / "pkg").mkdir(parents=True)
    (folder / "pkg" / "__init__.py").write_text("from pkg import data\n")
    (folder / "pkg" / "data.py").write_text("NAMES = {'b', 'a', 'c'}\ndef f(x):\n    return x in {'p', 'q', 'r'}\n")
    (folder / "app.py").write_text("import pkg\n\ndef handler(event, context):\n    raise ValueError(event)\n")
    for name, source in sources.items():
        (folder / f"{name}.py").write_text(source)
    return folder


@pytest.mark.parametrize(
    ("name", "beside", "expected"),
    [
        ("app.py", False, "__pycache__/app.cpython-313.pyc"),
        ("a/b/__init__.py", False, "a/b/__pycache__/__init__.cpython-313.pyc"),
        ("a/b/__init__.py", True, "a/b/__init__.pyc"),
    ],
)
def test_it_lies_where_python_looks(name: str, beside: bool, expected: str) -> None:
    assert bytecode.target(name, "3.13", beside=beside) == expected


def test_python_agrees_on_the_place() -> None:
    theirs = importlib.util.cache_from_source("pkg/data.py", optimization="").replace(os.sep, "/")
    assert bytecode.target("pkg/data.py", MINOR, beside=False) == theirs


def test_it_is_checked_against_nothing_and_tells_where_lambda_has_the_source(tmp_path: Path) -> None:
    made = compiled(fill(tmp_path)).made
    data = (tmp_path / made["pkg/data.py"]).read_bytes()
    assert data[:4] == importlib.util.MAGIC_NUMBER
    assert int.from_bytes(data[4:8], "little") == 0b01, "hash-based, unchecked: PEP 552"
    assert marshal.loads(data[16:]).co_filename == "/var/task/pkg/data.py"


def test_the_same_sources_make_the_same_bytes(tmp_path: Path) -> None:
    """At another place and time; with other seeds of Python's hashes in the environment."""
    one, other = fill(tmp_path / "one"), fill(tmp_path / "another")
    os.utime(other / "app.py", (0, 0))
    made = compiled(one).made
    assert compiled(other).made == made
    assert all((one / name).read_bytes() == (other / name).read_bytes() for name in made.values())


@pytest.mark.parametrize("beside", [False, True])
def test_it_is_what_runs(tmp_path: Path, beside: bool) -> None:
    """The sources are changed, or gone, and nobody notices."""
    made = compiled(fill(tmp_path), beside=beside).made
    for name in made:
        (tmp_path / name).unlink() if beside else (tmp_path / name).write_text("raise SystemExit('compiled again')\n")
    code = "import sys; sys.path.insert(0, '.'); import app; app.handler(1, 2)"
    ran = subprocess.run([HERE, "-S", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.stderr.splitlines()[-1] == "ValueError: 1"
    place = "/var/task" if beside else tmp_path  # with a source, Python names where that lies
    assert f'File "{place}/app.py", line 4, in handler' in ran.stderr


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("print 'old'\n", "SyntaxError"),
        ("{{ name }} = 1\n", "SyntaxError"),
        ("a = '\0'\n", "Error"),
        ("(" * 500, "Error"),
    ],
)
def test_what_is_no_python_stays_as_it_is(tmp_path: Path, source: str, words: str) -> None:
    found = compiled(fill(tmp_path, template=source))
    assert set(found.failures) == {"template.py"}
    assert words in found.failures["template.py"]
    assert "/var/task/" not in found.failures["template.py"]
    assert set(found.made) == {"app.py", "pkg/__init__.py", "pkg/data.py"}


def test_bytes_that_are_no_text_are_a_failure(tmp_path: Path) -> None:
    (fill(tmp_path) / "latin.py").write_bytes(b"a = '\xe9'\n")
    assert set(compiled(tmp_path).failures) == {"latin.py"}


def test_warnings_of_the_compiler_are_not_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert not compiled(fill(tmp_path, noisy="a = '\\d' is 'd'\n")).failures
    assert capfd.readouterr() == ("", "")


def test_nothing_is_compiled_in_no_time(tmp_path: Path) -> None:
    assert compiled(tmp_path) == ({}, {})


def test_modules_of_the_folder_here_are_not_those_of_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is called in the folder of a project, which may have a `token.py` of its own."""
    for name in ("json", "py_compile", "token", "types"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('this was imported')\n")
    monkeypatch.chdir(tmp_path)
    assert not compiled(fill(tmp_path / "task")).failures


def test_a_file_that_cannot_be_written_is_a_failure(tmp_path: Path) -> None:
    """The name of its bytecode is longer than file systems take."""
    long = "x" * 250
    found = compiled(fill(tmp_path, **{long: "value = 1\n"}))
    assert set(found.failures) == {f"{long}.py"}
    assert "OSError" in found.failures[f"{long}.py"]


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins are written for sh")
def test_an_interpreter_that_ends_is_told(tmp_path: Path) -> None:
    (tmp_path / "python").write_text("#!/bin/sh\necho 'no memory left' >&2\nexit 9\n")
    (tmp_path / "python").chmod(0o755)
    with pytest.raises(BuildError, match=r"ended with status 9\. no memory left"):
        bytecode.compiled(tmp_path / "python", MINOR, fill(tmp_path / "task"), ["app.py"], prefix="", beside=False)


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins are written for sh")
def test_interpreters_are_gone_when_it_is_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "python").write_text("#!/bin/sh\nexec sleep 60\n")
    (tmp_path / "python").chmod(0o755)
    started: list[subprocess.Popen[str]] = []

    def interrupted(interpreter: subprocess.Popen[str]) -> list[tuple[str, str]]:
        started.append(interpreter)
        raise KeyboardInterrupt

    monkeypatch.setattr(bytecode, "failed", interrupted)
    with pytest.raises(KeyboardInterrupt):
        bytecode.compiled(tmp_path / "python", MINOR, tmp_path, ["app.py"], prefix="", beside=False)
    assert [each.returncode for each in started] == [-9]


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins are written for sh")
@pytest.mark.parametrize(("stage", "fits"), [("alpha", False), ("beta", False), ("candidate", True), ("final", True)])
def test_bytecode_of_a_version_is_settled_with_its_candidate(tmp_path: Path, stage: str, fits: bool) -> None:
    (tmp_path / "python").write_text(f"#!/bin/sh\necho cpython 3.15 {stage}\n")
    (tmp_path / "python").chmod(0o755)
    assert bytecode.is_python(tmp_path / "python", "3.15") is fits


# An interpreter


def test_this_python_is_the_first_that_will_do() -> None:
    assert bytecode.find_python(MINOR, pytest.fail) == HERE


def test_a_python_that_is_nowhere_is_not_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert bytecode.find_python("3.99", pytest.fail) is None


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins are written for sh")
@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("echo cpython 3.99 final", True),
        ("echo pypy 3.99", False),
        ("echo cpython 3.98", False),
        (r"printf '\377'", False),
        ("exit 127", False),
    ],
)
def test_a_name_on_path_is_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, expected: bool) -> None:
    """A shim of pyenv is there, and says that the version is not in use."""
    python = tmp_path / "python3.99"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert bytecode.find_python("3.99", pytest.fail) == (python if expected else None)


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins are written for sh")
def test_uv_is_asked_and_fetches_one_if_it_may(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    python = tmp_path / "fetched"
    uv = tmp_path / "uv"
    uv.write_text(
        "#!/bin/sh\n"
        f'if [ "$2" = install ]; then printf "#!/bin/sh\\necho cpython 3.99 final\\n" >{python}; chmod +x {python}; '
        f"elif [ -e {python} ]; then echo {python}; else exit 1; fi\n"
    )
    uv.chmod(0o755)
    said: list[str] = []
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS", "never")
    assert bytecode.find_python("3.99", said.append, uv) is None
    monkeypatch.delenv("UV_PYTHON_DOWNLOADS")
    assert bytecode.find_python("3.99", said.append, uv, download=False) is None
    assert bytecode.find_python("3.99", said.append, uv) == python
    assert said == ["Fetching Python 3.99, to compile for it"]
