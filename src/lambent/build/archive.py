"""A folder into a zip whose bytes depend on what is in it alone: not on its order on the disk, its times, its owner."""

from __future__ import annotations

import os
import re
import stat
import time
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from lambent.build.errors import BuildError

EPOCH = 315532800
"""1980-01-01 in UTC, the earliest time that a zip can hold."""
LAST = 4354819198
"""2107-12-31 23:59:58, the last."""
LEVEL = 9
EXECUTABLE = re.compile(r"bootstrap|(?:.*/)?lambent/exec/wrapper|python/bin/[^/]+")
"""What must be, also where files have no such permission."""

Moment = tuple[int, int, int, int, int, int]


class Member(NamedTuple):
    """One file of the artefact.

    - `name`: in it
    - `path`: where its content lies
    """

    name: str
    path: Path
    executable: bool

    @property
    def size(self) -> int:
        return self.path.stat().st_size


def walk(folder: Path) -> dict[str, Path]:
    """The files below a folder by their names; links are followed. BuildError for what belongs into no artefact."""
    root = folder.resolve()
    return dict(_walk(root, root, "", (root,)))


def _walk(root: Path, folder: Path, prefix: str, above: tuple[Path, ...]) -> Iterator[tuple[str, Path]]:
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        name = f"{prefix}{entry.name}"
        if reason := odd(name):
            raise BuildError(
                f"Expected a file name that is the same everywhere, but {name!r} {reason}. Rename the file."
            )
        path = _resolved(root, Path(entry.path), name) if entry.is_symlink() else Path(entry.path)
        if path.is_dir():
            if path in above:
                raise BuildError(
                    f"Expected folders that end, but {name!r} is a link to a folder that it lies in. Remove it."
                )
            yield from _walk(root, path, f"{name}/", (*above, path))
        elif path.is_file():
            yield name, path
        else:
            raise BuildError(f"Expected files and folders, but {name!r} is neither. Remove it, or exclude it.")


def _resolved(root: Path, link: Path, name: str) -> Path:
    try:
        path = link.resolve(strict=True)
    except (OSError, RuntimeError):  # RuntimeError: a loop, before Python 3.13
        raise BuildError(
            f"Expected a link to a file, but {name!r} leads nowhere: to {str(link.readlink())!r}."
        ) from None
    if not path.is_relative_to(root):
        raise BuildError(
            f"Expected links to what is in the artefact, but {name!r} leads out of it, to {str(link.readlink())!r}. "
            "Put a copy in the place of the link, or exclude it."
        )
    return path


def odd(name: str) -> str:
    """What is wrong with the name of a file in a zip; empty if it can be unpacked anywhere."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return "is not UTF-8"
    if any(is_control(character) for character in name):
        return "has a control character in it"
    if "\\" in name:
        return "has a backslash in it, which is a folder to some"
    return "is longer than 255 bytes" if any(len(part.encode()) > 255 for part in name.split("/")) else ""


def is_control(character: str) -> bool:
    """Whether it ends lines, moves a cursor or turns the direction of text. Odd spaces and joiners do not."""
    turns = unicodedata.bidirectional(character) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    return turns or unicodedata.category(character) in {"Cc", "Zl", "Zp"}


def members(files: Mapping[str, Path], prefix: str = "") -> list[Member]:
    """Those files as they go into an artefact, in its order, under `prefix`."""
    found = [Member(f"{prefix}{name}", path, _is_executable(name, path)) for name, path in files.items()]
    return sorted(found, key=lambda member: member.name.encode())


def _is_executable(name: str, path: Path) -> bool:
    return bool(EXECUTABLE.fullmatch(name)) or bool(path.stat().st_mode & stat.S_IXUSR)


def moment(environ: Mapping[str, str]) -> Moment:
    """The time of all files: SOURCE_DATE_EPOCH where it is set (reproducible-builds.org), else the earliest one."""
    text = environ.get("SOURCE_DATE_EPOCH", "")
    if text and not (text.isascii() and text.isdigit() and len(text) < 16):
        raise BuildError(
            f"Expected SOURCE_DATE_EPOCH to be seconds since 1970, such as 1735689600, but it is {text!r}."
        )
    return time.gmtime(min(max(int(text or 0), EPOCH), LAST))[:6]


def write(members: Iterable[Member], path: Path, moment: Moment) -> None:
    """Write the zip at `path`, where nothing may be."""
    with ZipFile(path, "x", ZIP_DEFLATED) as archive:
        for member in members:
            info = ZipInfo(member.name, moment)
            info.create_system = 3  # Unix: permissions count
            info.external_attr = (stat.S_IFREG | (0o755 if member.executable else 0o644)) << 16
            archive.writestr(info, member.path.read_bytes(), ZIP_DEFLATED, LEVEL)
