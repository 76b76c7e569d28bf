"""What `python -X importtime` writes → a table of packages. Pure.

Source: docs.python.org, "Command line and environment", `-X importtime`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from lambent.doctor.model import Package
from lambent.doctor.probe import BEGIN, END

LINE = re.compile(r"import time:\s*(\d+) \|\s*(\d+) \| ( *)(\S+)$")
PYTHON, YOURS, LAMBENT, INSTALLED = "Python", "yours", "Lambent", "installed"
LIBRARY = "the standard library"


class Import(NamedTuple):
    """A module that was imported. Times in microseconds."""

    name: str
    own: int
    whole: int
    """With what it imported."""
    by: str
    """The module that imported it; empty for none."""


class Costs:
    """Of one package."""

    __slots__ = ("by", "own", "whole")

    def __init__(self) -> None:
        self.own = 0
        self.whole = 0
        self.by = ""


def parse(text: str) -> list[Import]:
    """In the order in which they were done. Anything else in the text is passed over."""
    found: list[Import] = []
    above: list[str] = []
    lines = text.rpartition(BEGIN)[2].partition(END)[0].splitlines()
    for match in filter(None, map(LINE.search, reversed(lines))):  # a module is written after all that it imports
        depth = len(match[3]) // 2
        del above[depth:]
        found.append(Import(match[4], int(match[1]), int(match[2]), above[-1] if above else ""))
        above += [match[4]] * (depth + 1 - len(above))
    return found[::-1]


def packages(imports: Iterable[Import], origins: Mapping[str, str], share: float = 1.0) -> tuple[Package, ...]:
    """By top-level package, the most expensive first; the standard library is one.

    - `origins`: package → whose it is; one that is not there is Python's
    - `share`: of the times that is to be told; the rest is not the packages'
    """
    costs: dict[tuple[str, str], Costs] = {}
    for each in imports:
        name, origin = package(each.name, origins)
        cost = costs.setdefault((name, origin), Costs())
        cost.own += each.own
        importer = package(each.by, origins) if each.by else (name, origin)
        if importer[1] == YOURS and origin == INSTALLED:
            cost.by = each.by if not cost.whole else cost.by
            cost.whole += each.whole
        elif importer != (name, origin) and not cost.by and origin != PYTHON:
            cost.by = each.by
    made = (
        Package(name, cost.own / 1000 * share, origin, cost.by, cost.whole / 1000 * share)
        for (name, origin), cost in costs.items()
    )
    return tuple(sorted(made, key=lambda each: -each.milliseconds))


def package(module: str, origins: Mapping[str, str]) -> tuple[str, str]:
    """Its name, and whose it is."""
    top = module.partition(".")[0]
    origin = origins.get(top, PYTHON)
    return (LIBRARY, PYTHON) if origin == PYTHON else (top, origin)
