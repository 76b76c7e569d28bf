"""Bytecode for the target, by an interpreter of its minor version.

Lambda's /var/task cannot be written to: without bytecode, every cold start compiles every module again. It is checked
against no source (PEP 552, unchecked-hash): a zip keeps no times.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lambent.build.errors import BuildError

if TYPE_CHECKING:
    from lambent.build.model import Progress

LANES = 4
"""Interpreters at a time. Always as many: what an interpreter has compiled before may show in what it compiles next."""
PATIENCE = 300
"""Seconds for a Python to be downloaded."""

_PROBE = "import sys; print(sys.implementation.name, '%d.%d' % sys.version_info[:2], sys.version_info[3])"
SETTLED = ("candidate", "final")
"""Stages of a version whose bytecode is that of the version: before them its format changes."""

_COMPILE = """
import json, py_compile, sys

job = json.load(sys.stdin)
failures = []
for name, target in job["files"]:
    try:
        py_compile.compile(
            job["folder"] + "/" + name, job["folder"] + "/" + target, job["prefix"] + name, True, 0,
            py_compile.PycInvalidationMode.UNCHECKED_HASH, 1,
        )
    except (py_compile.PyCompileError, OSError, RecursionError, ValueError) as error:
        reason = error.exc_value if isinstance(error, py_compile.PyCompileError) else error
        failures.append([name, "%s: %s" % (type(reason).__name__, str(reason).replace(job["prefix"], ""))])
json.dump(failures, sys.stdout)
"""


class Compiled(NamedTuple):
    """What came of it.

    - `made`: the name of the bytecode, by that of its source
    - `failures`: source → why there is none
    """

    made: Mapping[str, str]
    failures: Mapping[str, str]


def compiled(python: Path, minor: str, folder: Path, names: Sequence[str], *, prefix: str, beside: bool) -> Compiled:
    """Compile files of a folder. In tracebacks they have the names that they have under `prefix`, such as `/var/task/`.

    - `beside`: `a.pyc` beside `a.py`, which may then go, in place of `__pycache__/a.cpython-313.pyc`
    """
    files = [(name, target(name, minor, beside=beside)) for name in sorted(names)]
    lanes = [files[start::LANES] for start in range(LANES)]
    with ExitStack() as running:
        interpreters = [running.enter_context(compiling(python, folder, lane, prefix)) for lane in filter(None, lanes)]
        failures = dict(sorted(failure for each in interpreters for failure in failed(each)))
    return Compiled({name: made for name, made in files if name not in failures}, failures)


def target(name: str, minor: str, *, beside: bool) -> str:
    """Where the bytecode of a source file belongs (PEP 3147)."""
    if beside:
        return f"{name}c"
    folder, _, file = name.rpartition("/")
    return f"{folder}/__pycache__/".lstrip("/") + f"{file.removesuffix('.py')}.cpython-{minor.replace('.', '')}.pyc"


@contextmanager
def compiling(
    python: Path, folder: Path, files: Sequence[tuple[str, str]], prefix: str
) -> Iterator[subprocess.Popen[str]]:
    """An interpreter at work, which is gone at the end, also after Ctrl-C."""
    command = [str(python), "-P", "-s", "-S", "-B", "-W", "ignore", "-c", _COMPILE]  # -P: no module of the folder here
    with tempfile.TemporaryFile("w+", encoding="utf-8") as job:
        json.dump({"folder": str(folder), "prefix": prefix, "files": files}, job)
        job.seek(0)
        with subprocess.Popen(  # noqa: S603  # an interpreter that was found, and a script of ours
            command, stdin=job, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", env=environment()
        ) as interpreter:
            try:
                yield interpreter
            finally:
                interpreter.kill()


def failed(interpreter: subprocess.Popen[str]) -> list[tuple[str, str]]:
    """What it could not compile, and why, when it has ended."""
    said, complaint = interpreter.communicate()
    if interpreter.returncode:
        last = (complaint.strip().splitlines() or ["It said nothing."])[-1]
        raise BuildError(f"The Python that compiles ended with status {interpreter.returncode}. {last}")
    return [(name, reason) for name, reason in json.loads(said)]


def environment() -> dict[str, str]:
    """Ours without what changes how Python starts, and with the same order of sets each time."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "AWS_", "_PYTHON"))}
    return {**kept, "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}


# An interpreter of the target's minor version


def find_python(minor: str, progress: Progress, uv: Path | None = None, *, download: bool = True) -> Path | None:
    """A CPython of that version: this one, one of this machine, or one that uv downloads. None if there is none."""
    found = next((path for path in _candidates(minor, uv) if is_python(path, minor)), None)
    if found is None and uv is not None and download and os.environ.get("UV_PYTHON_DOWNLOADS") != "never":
        progress(f"Fetching Python {minor}, to compile for it")
        if _run(uv, "python", "install", "--no-bin", minor) is not None:
            found = _of_uv(uv, minor)
    return found


def _candidates(minor: str, uv: Path | None) -> Iterator[Path]:
    yield Path(sys.executable)
    if on_path := shutil.which(f"python{minor}"):
        yield Path(on_path)
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(root.glob(f"versions/{minor}.*/bin/python"), reverse=True)
    if uv is not None and (known := _of_uv(uv, minor)):
        yield known


def _of_uv(uv: Path, minor: str) -> Path | None:
    found = _run(uv, "python", "find", "--no-python-downloads", "--no-project", "--no-config", minor)
    return Path(found) if found else None


def is_python(path: Path, minor: str) -> bool:
    """Whether a CPython of that version runs there, no alpha or beta: a name may be there and not run."""
    return _run(path, "-I", "-c", _PROBE) in {f"cpython {minor} {stage}" for stage in SETTLED}


def _run(*command: object) -> str | None:
    """What it printed; None if it could not, in time."""
    try:
        ran = subprocess.run(  # noqa: S603  # Pythons of this machine, and uv
            list(map(str, command)),
            capture_output=True,
            text=True,
            errors="replace",
            env=environment(),
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ran.stdout.strip() if ran.returncode == 0 else None
