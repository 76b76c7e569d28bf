"""Distributions that are installed in a folder (PyPA, "Recording installed projects"), and how to remove one."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from lambent.build.project import normalised

NEEDS = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


class Distribution(NamedTuple):
    """One of them: its name, normalised, its folder of metadata, and the names of what it needs."""

    name: str
    folder: Path
    needs: frozenset[str]

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
    name, needs = folder.name.partition("-")[0], set()
    for line in header(folder / "METADATA"):
        key, _, value = line.partition(":")
        if key == "Name":
            name = value.strip()
        elif key == "Requires-Dist" and (named := NEEDS.match(value.strip())):  # of extras, too: they may be asked for
            needs.add(normalised(named[0]))
    return Distribution(normalised(name), folder, frozenset(needs))


def header(file: Path) -> list[str]:
    """The lines before the first empty one."""
    try:
        return file.read_text("utf-8", "replace").partition("\n\n")[0].splitlines()
    except OSError:
        return []


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
