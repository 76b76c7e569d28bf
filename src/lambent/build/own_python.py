"""A Python inside the artefact, for an OS-only runtime: from a folder that was named, or from uv.

It must run from any folder, as those of python-build-standalone do, which are what uv installs.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from lambent.build import native
from lambent.build import target as targets
from lambent.build.bytecode import environment
from lambent.build.errors import BuildError

if TYPE_CHECKING:
    from lambent.build.model import Target

FOLDER = "python"
BOOTSTRAP = """\
#!/bin/sh
# An OS-only runtime (provided.al2023) starts this file. The zip brings its own Python, in the folder `python`.
cd "$LAMBDA_TASK_ROOT" || exit
exec python/bin/python3 -m lambent.runtime
"""
NOT_NEEDED = (
    "__pycache__",
    "config-*",
    "ensurepip",
    "idlelib",
    "lib2to3",
    "site-packages",
    "test",
    "tests",
    "tkinter",
    "turtledemo",
    "_test*.so",
    "_tkinter*.so",
)
"""Of the standard library, on Lambda: interfaces for a screen, installers, its own tests."""


def put(target: Target, task: Path, given: Path | None, uv: Path | None) -> None:
    """Put `bootstrap` and a Python into the folder. BuildError if there is none for the target."""
    if given is not None:
        _copy(given, target, task / FOLDER)
    else:
        _copy(_fetched(target, task.parent / "pythons", uv), target, task / FOLDER)
    if not (task / "bootstrap").exists():  # the project may have one of its own
        (task / "bootstrap").write_text(BOOTSTRAP, "utf-8", newline="\n")


def _copy(source: Path, target: Target, folder: Path) -> None:
    binary, library = source / "bin" / f"python{target.python}", source / "lib" / f"python{target.python}"
    if not (binary.is_file() and (library / "os.py").is_file()):
        raise BuildError(
            f"Expected a Python {target.python} in {source}, with bin/{binary.name} and lib/{library.name}, but it is "
            "not there. Unpack an archive install_only_stripped of python-build-standalone, and name that folder."
        )
    if complaint := native.complaint(binary.name, binary.read_bytes(), target):
        raise BuildError(f"Expected a Python for the target, but {binary} {complaint}.")
    (folder / "bin").mkdir(parents=True)
    shutil.copy(binary, folder / "bin" / "python3")
    shutil.copytree(library, folder / "lib" / library.name, ignore=shutil.ignore_patterns(*NOT_NEEDED))
    for shared in sorted((source / "lib").glob(f"libpython{target.python}*.so.*")):
        shutil.copy(shared, folder / "lib" / shared.name)


def _fetched(target: Target, folder: Path, uv: Path | None) -> Path:
    """The Python of that version and architecture that uv downloads. BuildError if it cannot."""
    name = f"cpython-{target.python}-linux-{targets.MACHINES[target.architecture]}-gnu"
    why = "uv is not installed"
    if uv is not None:
        command = [str(uv), "python", "install", "--no-config", "--no-bin", "--install-dir", str(folder), name]
        ran = subprocess.run(  # noqa: S603  # uv
            command, capture_output=True, text=True, errors="replace", env=environment(), check=False
        )
        if found := sorted(path for path in folder.glob("cpython-*") if not path.is_symlink()):
            return found[-1]
        why = f"uv says: {(ran.stderr.strip().splitlines() or ['nothing'])[-1].strip()}"
    raise BuildError(
        f"Expected a Python to put into the artefact, {name}, but {why}. Name the folder of one: --interpreter FOLDER."
    )
