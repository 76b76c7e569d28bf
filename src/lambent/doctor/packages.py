"""What a project says that it needs."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from lambent.build.project import normalised
from lambent.build.requirements import lines, parsed

PATH = re.compile(r"(?:^|[/\\])([A-Za-z0-9_]+)-\d[^/\\]*\.(?:whl|tar\.gz)")
REQUIREMENTS = "requirements.txt"
PROJECT = "pyproject.toml"


class Needs(NamedTuple):
    """`names` are normalised; None if the project does not say."""

    names: frozenset[str] | None
    file: Path | None
    requires_python: str


def read(*folders: Path, code: Iterable[Path] = ()) -> Needs:
    """In pyproject.toml and requirements.txt of these folders, all together.

    `code`: folders that a tool packs each by itself, with what their own files say. Those may leave out what comes in
    another way: alone they say nothing.
    """
    names: set[str] = set()
    said: list[Path] = []
    python = ""
    for folder in dict.fromkeys(folders):
        project = table(folder / PROJECT)
        if "dependencies" in project:
            said.append(folder / PROJECT)
            stated = project["dependencies"]
            names |= requirements(stated if isinstance(stated, list) else [])
        python = python or str(project.get("requires-python", ""))
        if (folder / REQUIREMENTS).is_file():
            said.append(folder / REQUIREMENTS)
            names |= requirements(lines(folder / REQUIREMENTS, set()))
    names |= {name for folder in code for name in requirements(lines(folder / REQUIREMENTS, set()))}
    return Needs(frozenset(names) if said else None, said[0] if said else None, python)


def table(file: Path) -> dict[str, object]:
    """`[project]`; empty if there is none, or if it is no TOML, of which others complain."""
    try:
        project = tomllib.loads(file.read_text("utf-8")).get("project")
    except (OSError, ValueError):
        return {}
    return project if isinstance(project, dict) else {}


def requirements(stated: Sequence[object]) -> set[str]:
    """`fastapi>=0.100 ; python_version > "3"` → `fastapi`; a wheel's path gives its name."""
    found = set()
    for line in stated:
        text = str(line).partition("#")[0].strip()
        if text.startswith("-e"):
            text = text.removeprefix("-e").strip()
        if of_path := PATH.search(text):
            found.add(normalised(of_path[1]))
        elif required := parsed(text):
            found.add(required.name)
    return found
