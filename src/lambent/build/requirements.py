"""Requirements (PyPA, "Dependency specifiers"), and the files of them that pip and uv read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from lambent.build.project import normalised

NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
TAKEN = re.compile(r"\s*(?:-r|--requirement)[\s=]*([^\s#]+)")
EXTRAS = re.compile(r"\s*\[([^\]]*)\]")
WITHIN = re.compile(r"""\bextra\s*==\s*["']([^"']+)["']""")


class Requirement(NamedTuple):
    """Names are normalised.

    - `extras`: that are asked for with it
    - `within`: extras of whoever requires it, if it is required with one of those only
    """

    name: str
    extras: frozenset[str]
    within: frozenset[str]


def parsed(text: str) -> Requirement | None:
    """`Web[http]>=1; extra == "site"` → web, http, site; None for what names no distribution, such as an option."""
    if not (named := NAME.match(text := text.strip())):
        return None
    extras = found[1].split(",") if (found := EXTRAS.match(text, named.end())) else []
    asked = frozenset(normalised(each.strip()) for each in extras if each.strip())
    return Requirement(normalised(named[0]), asked, frozenset(map(normalised, WITHIN.findall(text))))


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
