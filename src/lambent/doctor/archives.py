"""A zip as it would be uploaded → Archive."""

from __future__ import annotations

import ast
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from lambent.build import native
from lambent.doctor.checks.archives import compiled
from lambent.doctor.model import Archive, Bytecode, Native
from lambent.errors import ConfigurationError

LIBRARIES = (".so", ".pyd", ".dylib")
EXECUTABLE = 0o111


def read(path: Path, shown: str) -> Archive:
    """`ConfigurationError` if it is none."""
    try:
        with zipfile.ZipFile(path) as opened:
            files = [each for each in opened.infolist() if not each.is_dir()]
            found = Archive(
                shown,
                path.stat().st_size,
                sum(each.file_size for each in files),
                frozenset(each.filename for each in files),
                frozenset(each.filename for each in files if each.external_attr >> 16 & EXECUTABLE),
                tuple(bytecode(each.filename, beginning(opened, each)) for each in files if is_bytecode(each)),
                tuple(filter(None, (library(each.filename, beginning(opened, each)) for each in files))),
            )
            return replace(found, broken=frozenset(broken(opened, found)))
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError) as error:  # RuntimeError: it is encrypted
        raise ConfigurationError(f"{shown}: expected a zip, but it cannot be read: {error}.") from None


def beginning(opened: zipfile.ZipFile, file: zipfile.ZipInfo) -> bytes:
    with opened.open(file) as inner:
        return inner.read(32)


def is_bytecode(file: zipfile.ZipInfo) -> bool:
    return file.filename.endswith(".pyc")


def bytecode(name: str, header: bytes) -> Bytecode:
    """PEP 552: the flags say whether, and by what, it is checked."""
    flags = int.from_bytes(header[4:8], "little")
    return Bytecode(name, int.from_bytes(header[:2], "little"), flags != 1)


def library(name: str, header: bytes) -> Native | None:
    """With what it runs on; None for what is no binary: linkers have texts of such names."""
    if not (name.endswith(LIBRARIES) or ".so." in Path(name).name):
        return None
    found = native.elf(header)
    machine = native.MACHINES.get(found.machine, f"machine {found.machine}") if found else native.foreign(name, header)
    return Native(name, machine) if machine else None


def broken(opened: zipfile.ZipFile, archive: Archive) -> Iterator[str]:
    """What nobody could compile, where something was compiled."""
    done, without = compiled(archive)
    for name in without if done else ():
        try:
            ast.parse(opened.read(name))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            yield name
