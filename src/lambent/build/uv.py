"""uv, which resolves, downloads and installs: where it is, and how it is run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lambent.build import pip_settings
from lambent.build.errors import BuildError
from lambent.build.explanation import explained

if TYPE_CHECKING:
    from lambent.build.model import Target

INDEXES = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")
"""Variables that tell uv where packages are."""

UNWANTED = (
    "PYTHONHOME",
    "PYTHONPATH",
    "UV_BREAK_SYSTEM_PACKAGES",
    "UV_COMPILE_BYTECODE",
    "UV_LINK_MODE",
    "UV_NO_BINARY",
    "UV_NO_BINARY_PACKAGE",
    "UV_NO_BUILD",
    "UV_NO_BUILD_PACKAGE",
    "UV_ONLY_BINARY",
    "UV_PROJECT",
    "UV_PYTHON",
    "UV_SYSTEM_PYTHON",
    "VIRTUAL_ENV",
)
"""Variables that would make another artefact of the same project."""

OWN = {
    "NO_COLOR": "1",
    "UV_NO_EDITABLE": "1",  # a folder of this machine is not there on Lambda
    "UV_NO_PROGRESS": "1",
    "UV_NO_WRAP": "1",
    "UV_PYTHON_DOWNLOADS": "never",
}


class Uv:
    """uv, run in the folder of a project: so it reads [tool.uv] of its pyproject.toml."""

    def __init__(self, folder: Path, target: Target, environ: Mapping[str, str] | None = None) -> None:
        self._folder = folder
        self._target = target
        seen = os.environ if environ is None else environ
        self._program = find(seen)
        index = pip_settings.Index() if configured(seen, folder) else pip_settings.read(seen)
        self._options = index.options()
        self._environ = index.variables() | {key: value for key, value in seen.items() if key not in UNWANTED} | OWN

    def export(self, package: str, extras: Sequence[str]) -> str:
        """What uv.lock says that a package needs, as requirements: each with its version and hashes."""
        options = ["--frozen", "--no-default-groups", "--no-emit-project", "--no-annotate", "--no-header"]
        named = [part for extra in extras for part in ("--extra", extra)]
        return self._run(["export", *options, "--format", "requirements-txt", "--package", package, *named]).stdout

    def install(
        self, where: Path, platform: str, requirements: Sequence[str], said: str = "", built: Sequence[str] = ()
    ) -> str:
        """Install what the options `requirements` name into a folder; `-r -` stands for the text `said`.

        Wheels only, but of `built`, which are built here. Returns what uv says it did.
        """
        command = [
            *("pip", "install", "--target", str(where), "--python", sys.executable),
            *("--python-version", self._target.python, "--python-platform", platform),
            *("--only-binary", ":all:", "--no-compile-bytecode", "--link-mode", "copy"),
            *(part for name in built for part in ("--no-binary", name)),
        ]
        return self._run([*command, *self._options, *requirements], said).stderr

    def wheel(self, source: Path, where: Path) -> Path:
        """Build the wheel of a source tree into an empty folder."""
        command = ["build", "--wheel", "--python", sys.executable, "--out-dir", str(where), *self._options]
        self._run([*command, str(source)])
        return next(where.glob("*.whl"))

    def _run(self, arguments: list[str], said: str = "") -> subprocess.CompletedProcess[str]:
        """`BuildError` if it fails, in our words."""
        done = subprocess.run(  # noqa: S603  # uv, and arguments of ours
            [self._program, *arguments],
            cwd=self._folder,
            env=self._environ,
            input=said,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if done.returncode:
            raise BuildError(explained(done.stderr, self._target))
        return done


def find(environ: Mapping[str, str] = os.environ) -> Path:
    """The program: of the package `uv` beside us, or on the PATH. `BuildError` if there is none."""
    try:
        from uv import find_uv_bin

        return Path(find_uv_bin())
    except (ImportError, FileNotFoundError):
        pass
    if found := shutil.which("uv", path=environ.get("PATH")):
        return Path(found)
    raise BuildError('A build needs uv, which is not installed. Run: pip install "lambent[dev]", or: pip install uv')


def configured(environ: Mapping[str, str], folder: Path) -> bool:
    """Whether uv has been told where packages are: by variables, by its own files, or by the project's."""
    if any(environ.get(name) for name in INDEXES):
        return True
    home = Path(environ.get("HOME") or Path.home())
    own = Path(environ["UV_CONFIG_FILE"]) if environ.get("UV_CONFIG_FILE") else None
    user = Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "uv/uv.toml"
    files = [own] if own else [folder / "uv.toml", user, Path("/etc/uv/uv.toml")]
    tables = [loaded(file) for file in files]
    project = loaded(folder / "pyproject.toml").get("tool")
    tool = project.get("uv") if isinstance(project, dict) else None
    tables.append(tool if isinstance(tool, dict) else {})
    nested = [each["pip"] for each in tables if isinstance(each.get("pip"), dict)]
    keys = ("index", "index-url", "extra-index-url", "find-links", "no-index")
    return any(key in each for each in [*tables, *nested] if isinstance(each, dict) for key in keys)


def loaded(file: Path) -> dict[str, object]:
    """A TOML file; empty if it cannot be read, of which uv will tell."""
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return {}
