"""Requirements (PyPA, "Dependency specifiers"), and the files of them that pip and uv read."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path
from typing import NamedTuple

from packaging import requirements
from packaging.markers import Marker

from lambent.build.project import normalised
from lambent.build.target import MACHINES, supported

TAKEN = re.compile(r"\s*(?:-r|--requirement)[\s=]*([^\s#]+)")
WITHIN = re.compile(r"""\bextra\s*==\s*["']([^"']+)["']""")
BESIDE = re.compile(r"\s+#.*|\s--hash[=\s].*|\\$")
"""What files have beside a requirement: a comment, hashes, the sign that a line goes on."""

LATER = "3.99"
"""In the place of Pythons to come."""

TARGETS = [
    {
        "os_name": "posix",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": machine,
        "python_version": python,
        "python_full_version": f"{python}.{patch}",
    }
    for python, machine, patch in product([*supported(), LATER], MACHINES.values(), (0, 99))
]
"""As markers see Lambda: each Python that there is, its first release and its last."""


class Requirement(NamedTuple):
    """Names are normalised.

    - `extras`: that are asked for with it
    - `within`: extras of whoever requires it, if it is required with one of those only
    """

    name: str
    extras: frozenset[str]
    within: frozenset[str]


def parsed(text: str) -> Requirement | None:
    """`Web[http]>=1; extra == "site"` → web, http, site. None for an option, and what is not for Lambda."""
    try:
        found = requirements.Requirement(BESIDE.sub("", text.strip()))
    except requirements.InvalidRequirement:
        return None
    within: set[str] = set()
    if found.marker is not None and not holds(found.marker, ""):
        within = {each for each in WITHIN.findall(str(found.marker)) if holds(found.marker, each)}
        if not within:
            return None
    return Requirement(
        normalised(found.name), frozenset(map(normalised, found.extras)), frozenset(map(normalised, within))
    )


def holds(marker: Marker, extra: str) -> bool:
    """Whether it does for one of the targets, with an extra, or with none if that is empty."""
    return any(marker.evaluate({**each, "extra": extra}) for each in TARGETS)


def lines(file: Path, seen: set[Path]) -> list[str]:
    """Of a file and of those that it takes along by `-r`; none of one that cannot be read, of which uv tells."""
    seen.add(file.resolve())
    try:
        found = file.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    for taken in filter(None, map(TAKEN.match, tuple(found))):
        if (more := (file.parent / taken[1]).resolve()) not in seen:
            found += lines(more, seen)
    return found
