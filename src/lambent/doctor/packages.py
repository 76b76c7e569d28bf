"""What a project says that it needs."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from lambent.build.project import normalised

NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
PATH = re.compile(r"(?:^|[/\\])([A-Za-z0-9_]+)-\d[^/\\]*\.(?:whl|tar\.gz)")
TAKEN = re.compile(r"\s*(?:-r|--requirement)[\s=]*([^\s#]+)")
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
            names |= requirements(project["dependencies"])
        python = python or str(project.get("requires-python", ""))
        if (folder / REQUIREMENTS).is_file():
            said.append(folder / REQUIREMENTS)
            names |= of_file(folder / REQUIREMENTS, set())
    names |= {name for folder in code for name in of_file(folder / REQUIREMENTS, set())}
    return Needs(frozenset(names) if said else None, said[0] if said else None, python)


def table(file: Path) -> dict[str, object]:
    """`[project]`; empty if there is none, or if it is no TOML, of which others complain."""
    try:
        project = tomllib.loads(file.read_text("utf-8")).get("project")
    except (OSError, ValueError):
        return {}
    return project if isinstance(project, dict) else {}


def of_file(file: Path, seen: set[Path]) -> set[str]:
    """With the files that it takes along by `-r`; nothing of those that cannot be read, of which others complain."""
    seen.add(file.resolve())
    try:
        lines = file.read_text("utf-8", "replace").splitlines()
    except OSError:
        return set()
    more = [(file.parent / found[1]).resolve() for line in lines if (found := TAKEN.match(line))]
    return requirements(lines).union(*(of_file(each, seen) for each in more if each not in seen))


def requirements(lines: object) -> set[str]:
    """`fastapi>=0.100 ; python_version > "3"` → `fastapi`; a wheel's path gives its name."""
    found = set()
    for line in lines if isinstance(lines, list) else []:
        text = str(line).partition("#")[0].strip()
        if text.startswith("-e"):
            text = text.removeprefix("-e").strip()
        if of_path := PATH.search(text):
            found.add(normalised(of_path[1]))
        elif match := NAME.match(text):
            found.add(normalised(match[0]))
    return found
