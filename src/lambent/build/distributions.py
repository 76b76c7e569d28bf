"""Distributions that are installed in a folder (PyPA, "Recording installed projects"), and how to remove one."""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from lambent.build.project import normalised
from lambent.build.requirements import Requirement, parsed


class Distribution(NamedTuple):
    """One of them: its name, normalised, its folder of metadata, and what it requires."""

    name: str
    folder: Path
    requires: tuple[Requirement, ...]

    @property
    def needs(self) -> frozenset[str]:
        """The names of what it requires, with any extra: which were asked for is written nowhere."""
        return frozenset(each.name for each in self.requires)

    def is_editable(self) -> bool:
        """Whether it is a link to a folder of this machine (PyPA, "Recording the direct URL origin")."""
        try:
            told = json.loads((self.folder / "direct_url.json").read_bytes())
        except (OSError, ValueError):
            return False
        return bool(told.get("dir_info", {}).get("editable"))


def found(folder: Path) -> dict[str, Distribution]:
    """By name."""
    read = (distribution(each) for each in sorted(folder.glob("*.dist-info")))
    return {each.name: each for each in read}


def distribution(folder: Path) -> Distribution:
    name, requires = folder.name.partition("-")[0], []
    for line in header(folder / "METADATA"):
        key, _, value = line.partition(":")
        if key == "Name":
            name = value.strip()
        elif key == "Requires-Dist" and (required := parsed(value)):
            requires.append(required)
    return Distribution(normalised(name), folder, tuple(requires))


def header(file: Path) -> list[str]:
    """The lines before the first empty one."""
    try:
        return file.read_text("utf-8", "replace").partition("\n\n")[0].splitlines()
    except OSError:
        return []


def held(
    installed: Mapping[str, Distribution],
    names: Collection[str],
    asked: Collection[Requirement],
    together: Collection[str],
) -> dict[str, str]:
    """Those named that something needs that stays → what that is. Of those `together`, one stays with another.

    `asked`: what the project requires itself, with the extras that it asks for.
    """
    needs = needed(installed, asked)
    stay: dict[str, str] = {}
    while True:
        more: dict[str, str] = {}
        for name in sorted(installed.keys() & set(names) - stay.keys()):
            holders = [each for each in sorted(needs) if name in needs[each] and (each in stay or each not in names)]
            partners = [each for each in stay if each in together and name in together]
            if why := [*holders, *partners]:
                more[name] = why[0]
        if not more:
            return stay
        stay |= more


def needed(installed: Mapping[str, Distribution], asked: Collection[Requirement]) -> dict[str, frozenset[str]]:
    """Name → names of what it requires, with the extras that the project asks for, or another distribution."""
    extras = {(each.name, extra) for each in asked for extra in each.extras}
    while True:
        found = {
            name: [each for each in own.requires if not each.within or any((name, it) in extras for it in each.within)]
            for name, own in installed.items()
        }
        more = {(each.name, extra) for own in found.values() for each in own for extra in each.extras} - extras
        if not more:
            return {name: frozenset(each.name for each in own) for name, own in found.items()}
        extras |= more


def needless(
    installed: Mapping[str, Distribution], names: Collection[str], asked: Collection[str]
) -> list[Distribution]:
    """Those named, and those that nothing needs when they are gone, but for what is asked for."""
    gone = {name for name in names if name in installed}
    while True:
        left = [each for name, each in installed.items() if name not in gone]
        needed = {need for each in left for need in each.needs}
        of_gone = {need for name in gone for need in installed[name].needs}
        more = {name for name in of_gone if name in installed and name not in gone} - needed - set(asked)
        if not more:
            return [installed[name] for name in sorted(gone)]
        gone |= more


def remove(folder: Path, gone: Distribution) -> None:
    """What its RECORD names within the folder, and the folders that are empty then."""
    paths = list(recorded(folder, gone.folder / "RECORD"))
    for path in paths:
        path.unlink(missing_ok=True)
    parents = {parent for path in paths for parent in path.parents if folder in parent.parents}
    for parent in sorted(parents, key=lambda each: -len(each.parts)):
        with suppress(OSError):  # others have files in it
            parent.rmdir()


def recorded(folder: Path, record: Path) -> Iterable[Path]:
    root = folder.resolve()
    with record.open(encoding="utf-8", newline="") as lines:
        paths = [folder / row[0] for row in csv.reader(lines) if row and row[0]]
    return [path for path in paths if path.parent.resolve().is_relative_to(root)]
