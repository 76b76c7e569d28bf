"""What the artefact is to run on. Pure, but for `choose`, which reads what the project says."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from lambent.build.errors import BuildError
from lambent.build.model import ARCHITECTURES, Target
from lambent.build.settings import Pyproject

if TYPE_CHECKING:
    from lambent.build.model import Architecture, Project

GLIBC = {"al2": (2, 26), "al2023": (2, 34)}
"""Of Amazon Linux 2 and 2023 (AWS, "Lambda runtimes": the operating system of each)."""

MANAGED = {
    "3.9": "al2",
    "3.10": "al2",
    "3.11": "al2",
    "3.12": "al2023",
    "3.13": "al2023",
    "3.14": "al2023",
}
"""The Pythons that Lambda has, and the system below each (AWS, "Lambda runtimes")."""

OS_ONLY = {"provided.al2": "al2", "provided.al2023": "al2023"}
OLDEST = (3, 11)
"""The first Python that Lambent runs on."""

PLATFORMS = {"al2": "manylinux_2_17", "al2023": "manylinux_2_34"}
"""Wheels that run there, as uv names them. It has no name for manylinux_2_26: 2_17 is the nearest one below."""

MACHINES: Mapping[str, str] = {"x86_64": "x86_64", "arm64": "aarch64"}
"""As Linux and wheels name what Lambda names so."""

ALIASES = {"amd64": "x86_64", "x64": "x86_64", "x86-64": "x86_64", "aarch64": "arm64"}


class Wishes(NamedTuple):
    """What was said on the way to a target. Empty: not said.

    - `python`, `architecture`, `runtime`: typed, or in [tool.lambent.build]
    - `pinned`: the first line of `.python-version`
    - `requires`: `requires-python` of [project]
    - `here`: the version of this interpreter, `3.13`
    """

    python: str = ""
    architecture: str = ""
    runtime: str = ""
    pinned: str = ""
    requires: str = ""
    here: str = ""


def choose(python: str | None, architecture: str | None, runtime: str | None, project: Project) -> Target:
    """What was typed, else what the project says, else the nearest to what runs here.

    `BuildError` if Lambda has no such thing, or the project says otherwise.
    """
    pyproject = Pyproject.read(project.root)
    settings = pyproject.settings()
    python_said = settings.python if not runtime or runtime in OS_ONLY else ""
    runtime_said = settings.runtime if not python or settings.runtime in OS_ONLY else ""
    return decide(
        Wishes(
            python=python or python_said,
            architecture=architecture or settings.arch,
            runtime=runtime or runtime_said,
            pinned=next(filter(None, map(pinned, within(project))), ""),
            requires=pyproject.text("project", "requires-python"),
            here="{}.{}".format(*sys.version_info),
        )
    )


def within(project: Project) -> list[Path]:
    """The folder of the project, and those around it up to that of its uv.lock, the workspace's."""
    root, lock = project.root, project.dependencies.path
    if project.dependencies.kind != "uv.lock" or lock is None:
        return [root]
    return [each for each in (root, *root.parents) if each.is_relative_to(lock.parent)]


def pinned(root: Path) -> str:
    """What `.python-version` says, as `3.13`; empty if it says nothing of CPython 3."""
    try:
        text = (root / ".python-version").read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    found = re.search(r"^(?:cpython[-@]?|python-?)?(3\.\d+)(?:\.\d+)?\s*$", text, re.MULTILINE)
    return found[1] if found else ""


def decide(wishes: Wishes) -> Target:
    """The target. `BuildError` names what contradicts what."""
    python = version(wishes)
    system = wishes.runtime or f"python{python}"
    if system not in OS_ONLY and python not in MANAGED:
        having = f"the managed runtimes have {', '.join(supported())}"
        raise BuildError(
            f"Lambda has no Python {python}: {having}. Choose one of them, or the runtime provided.al2023, for which "
            "the artefact brings its own Python."
        )
    if wishes.requires and not admits(wishes.requires, python):
        raise BuildError(
            f"The project's requires-python is {wishes.requires}, but the target has Python {python}. "
            f"Choose another with --python ({', '.join(supported())})."
        )
    return Target(python, architecture(wishes.architecture), system)


def version(wishes: Wishes) -> str:
    """Of Python: as said, or of the runtime, else the first of the pinned, this one's and the newest that will do."""
    of_runtime = wishes.runtime.removeprefix("python") if wishes.runtime not in OS_ONLY else ""
    if of_runtime and (not wishes.runtime.startswith("python") or of_runtime not in MANAGED):
        known = ", ".join([*(f"python{each}" for each in supported()), *OS_ONLY])
        raise BuildError(f"Lambda has no runtime {wishes.runtime} for Python: expected one of {known}.")
    said = minor(wishes.python) if wishes.python else ""
    if said and of_runtime and said != of_runtime:
        raise BuildError(
            f"Python {said} and the runtime {wishes.runtime} contradict each other: leave one of them out."
        )
    chosen = said or of_runtime or wishes.pinned
    if not chosen:
        fitting = [each for each in supported() if not wishes.requires or admits(wishes.requires, each)]
        if not fitting:
            raise BuildError(
                f"The project's requires-python is {wishes.requires}, which admits none of Lambda's Pythons that "
                f"Lambent runs on: {', '.join(supported())}."
            )
        chosen = wishes.here if wishes.here in fitting else fitting[-1]
    if numbers(chosen) < OLDEST:
        raise BuildError(f"Lambent runs on Python {'.'.join(map(str, OLDEST))} and later, but the target is {chosen}.")
    return chosen


def supported() -> list[str]:
    """The managed Pythons that Lambent runs on, the oldest first."""
    return [each for each in MANAGED if numbers(each) >= OLDEST]


def minor(text: str) -> str:
    """`3.13` of `3.13`, `3.13.1` or `python3.13`."""
    if found := re.fullmatch(r"(?:python|cpython-?)?(3\.\d{1,2})(?:\.\d+)?", text.strip()):
        return found[1]
    raise BuildError(f"Expected a version of Python such as 3.13, but got {text!r}.")


def architecture(text: str) -> Architecture:
    """x86_64 if nothing is said, as Lambda."""
    name = ALIASES.get(text.lower(), text.lower()) or ARCHITECTURES[0]
    if name not in ARCHITECTURES:
        raise BuildError(f"Lambda has no architecture {text!r}: expected {' or '.join(ARCHITECTURES)}.")
    return name


def system(target: Target) -> str:
    """Amazon Linux of the target: `al2` or `al2023`."""
    return OS_ONLY.get(target.runtime) or MANAGED.get(target.python, "al2023")


def platform(target: Target) -> str:
    """As uv's `--python-platform` names it."""
    return f"{MACHINES[target.architecture]}-{PLATFORMS[system(target)]}"


def glibc(target: Target) -> tuple[int, int]:
    """The C library that the target has."""
    return GLIBC[system(target)]


def shown(target: Target) -> str:
    """As messages name it."""
    return f"Python {target.python} on {target.architecture} ({target.runtime})"


def numbers(text: str) -> tuple[int, ...]:
    return tuple(int(each) for each in re.findall(r"\d+", text))


# requires-python

PATCHES = range(100)
"""Of a minor version: there have been 20 at most."""


def admits(requires: str, python: str) -> bool:
    """Whether a version specifier (PyPA, "Version specifiers") takes any release of a minor version of Python.

    One that cannot be read admits all: uv will tell.
    """
    try:
        wanted = SpecifierSet(requires)
    except InvalidSpecifier:
        return True
    major, minor = numbers(python)[:2]
    return any(wanted.contains(f"{major}.{minor}.{patch}") for patch in PATCHES)
