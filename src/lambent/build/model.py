"""What the steps of a build hand to each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    Architecture = Literal["x86_64", "arm64"]
    Progress = Callable[[str], None]
    """Told what is being done, a line each."""

ARCHITECTURES: tuple[Architecture, ...] = ("x86_64", "arm64")
"""As Lambda names them."""


@dataclass(frozen=True, slots=True)
class Target:
    """What the artefact is to run on.

    - `python`: `3.13`
    - `runtime`: Lambda's managed one, `python3.13`, or the OS-only `provided.al2023`, whose Python is in the artefact
    """

    python: str
    architecture: Architecture
    runtime: str


@dataclass(frozen=True, slots=True)
class Dependencies:
    """Where it is said what the project needs: one of the files, or none.

    - `kind`: `uv.lock`, `pylock.toml` (PEP 751), `requirements.txt`, with which [project] counts if extras of it are
      asked for, `pyproject.toml`, or empty if the project needs nothing
    """

    kind: Literal["uv.lock", "pylock.toml", "requirements.txt", "pyproject.toml", ""]
    path: Path | None


@dataclass(frozen=True, slots=True)
class Project:
    """A project as it lies in a folder.

    - `name`: as in pyproject.toml, else the folder's; normalised (PyPA, "Names and normalization")
    - `handler`: `app:handler`, if [tool.lambent] says one
    - `sources`: what of the project itself goes into the artefact: name there → file or folder
    - `passed_over`: folders beside them of which nothing is taken, though nothing says that they are not needed
    - `unmatched`: patterns of include that nothing has which goes in
    """

    root: Path
    name: str
    handler: str
    dependencies: Dependencies
    sources: Mapping[str, Path]
    passed_over: tuple[str, ...] = ()
    unmatched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Artefact:
    """What a build has made.

    - `size`: bytes of the zip; `unzipped`: of what is in it
    - `parts`: bytes unzipped, by top-level package or file, the largest first
    - `notes`: what its maker should know
    """

    path: Path
    size: int
    unzipped: int
    parts: tuple[tuple[str, int], ...]
    notes: tuple[str, ...] = field(default=())
