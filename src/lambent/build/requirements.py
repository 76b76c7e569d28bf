"""Requirements (PyPA, "Dependency specifiers"), and the files of them that pip and uv read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from lambent.build.project import normalised
from lambent.build.target import OLDEST, numbers

NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
TAKEN = re.compile(r"\s*(?:-r|--requirement)[\s=]*([^\s#]+)")
EXTRAS = re.compile(r"\s*\[([^\]]*)\]")
WITHIN = re.compile(r"""\bextra\s*==\s*["']([^"']+)["']""")

PLATFORM = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"}
"""As markers of requirements see Lambda."""
COMPARED = re.compile(rf"""\b({"|".join(PLATFORM)})\s*(==|!=)\s*["']([^"']*)["']""")
BEFORE = re.compile(r"""\bpython_version\s*<\s*["'](\d+(?:\.\d+)?)["']""")


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
    if not (named := NAME.match(text := text.strip())) or not holds(text.partition(";")[2]):
        return None
    extras = found[1].split(",") if (found := EXTRAS.match(text, named.end())) else []
    asked = frozenset(normalised(each.strip()) for each in extras if each.strip())
    return Requirement(normalised(named[0]), asked, frozenset(map(normalised, WITHIN.findall(text))))


def holds(marker: str) -> bool:
    """False if it is of another system than Lambda's, or older Pythons only. What has an `or` is not looked into."""
    if re.search(r"\bor\b", marker):
        return True
    if any(numbers(each) <= OLDEST for each in BEFORE.findall(marker)):
        return False
    return all((PLATFORM[name] == value) == (sign == "==") for name, sign, value in COMPARED.findall(marker))


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
