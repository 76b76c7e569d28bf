"""Native modules and libraries against the target: processor, Python, C library. Pure, but for `complaints`.

Of ELF (System V ABI, "Object Files"; Linux Standard Base, "Symbol Versioning"), only what is asked for is read, and a
file that is cut off or wrong says nothing.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from posixpath import basename
from typing import TYPE_CHECKING, NamedTuple

from lambent.build import target as targets

if TYPE_CHECKING:
    from pathlib import Path

    from lambent.build.model import Target

MACHINES = {3: "i386", 40: "arm", 62: "x86_64", 183: "arm64", 243: "riscv64", 21: "ppc64", 22: "s390x"}
"""Of e_machine, as Lambda names those that it has."""

WANTED = {"x86_64": 62, "arm64": 183}
FOREIGN = (
    (b"MZ", "Windows"),
    (b"\xcf\xfa\xed\xfe", "macOS"),
    (b"\xce\xfa\xed\xfe", "macOS"),
    (b"\xca\xfe\xba\xbe", "macOS"),
)
"""The first bytes of binaries of other systems. Java's classes begin as the last does: names are asked for, too."""

SUFFIXES = re.compile(r"\.(?:so(?:\.[\d.]+)?|pyd|dll|dylib)$")
TAGGED = re.compile(r"\.(?P<python>cpython|pypy|graalpy)-?(?P<version>\d+)(?P<flags>[a-z]*)(?:-(?P<rest>[\w-]+))?\.so$")
VERSION_NEEDED = 0x6FFFFFFE
"""SHT_GNU_verneed."""

MOST_SECTIONS, MOST_VERSIONS = 4096, 256
"""That are looked at, versions of as many libraries: no file has so many."""

GLIBC = re.compile(rb"\x00GLIBC_(\d{1,3})\.(\d{1,3})(?:\.\d{1,3})?(?=\x00)")


class Elf(NamedTuple):
    """What the header says."""

    bits: int
    machine: int
    order: str
    """As struct writes it: `<` or `>`."""


def complaints(files: Mapping[str, Path], target: Target) -> dict[str, str]:
    """What will not run, of the files of an artefact by their names there: why not.

    A module for another Python is passed over if one for the target's stands beside it: it is never loaded.
    """
    natives = [name for name in files if SUFFIXES.search(name)]
    fitting = {stem(name) for name in natives if not tag_complaint(name, target)}
    found = {}
    for name in natives:
        beside = stem(name) in fitting and bool(tag_complaint(name, target))
        text = "" if beside else complaint(name, files[name].read_bytes(), target)
        if text:
            found[name] = text
    return found


def is_module(data: bytes) -> bool:
    """Whether a file is for Linux, and Python can import it: it has a function for that (PEP 489)."""
    return data.startswith(b"\x7fELF") and b"\0PyInit_" in data


def complaint(name: str, data: bytes, target: Target) -> str:
    """Why a file will not run on the target; empty if it will, or is no binary. Never raises."""
    if other := foreign(name, data):
        return "" if name.endswith((".dll", ".dylib")) else f"is for {other}, and Lambda is Linux"
    header = elf(data)
    if header is None:
        return ""
    if header.machine != WANTED[target.architecture] or header.bits != 64:
        machine = MACHINES.get(header.machine, f"machine {header.machine}")
        return f"is for {machine} with {header.bits} bits, but the target is {target.architecture}"
    if wrong := tag_complaint(name, target):
        return wrong
    if b"\0libc.musl-" in data:
        return "is for musl, the C library of Alpine, but Lambda has glibc"
    needed, there = glibc(data), targets.glibc(target)
    if needed > there:
        return f"needs glibc {dotted(needed)}, but {target.runtime} has {dotted(there)}"
    return ""


def stem(name: str) -> str:
    """`a/b.cpython-313-x86_64-linux-gnu.so` → `a/b`."""
    return name[: len(name) - len(basename(name))] + basename(name).partition(".")[0]


def tag_complaint(name: str, target: Target) -> str:
    """What the name of a module says that does not go with the target (PEP 3149); empty if it goes."""
    found = TAGGED.search(name)
    if not found:
        return "is for Windows, and Lambda is Linux" if name.endswith(".pyd") else ""
    wanted = target.python.replace(".", "")
    if found["python"] != "cpython" or found["version"] != wanted or found["flags"]:
        return f"is for {found['python']} {found['version']}{found['flags']}, but the target is CPython {target.python}"
    machine = targets.MACHINES[target.architecture]
    if found["rest"] and found["rest"] != f"{machine}-linux-gnu":
        return f"is for {found['rest']}, but the target is {machine}-linux-gnu"
    return ""


def foreign(name: str, data: bytes) -> str:
    """The other system that a binary is for; empty if it is for Linux, or no binary."""
    if not SUFFIXES.search(name):
        return ""
    return next((system for magic, system in FOREIGN if data.startswith(magic)), "")


def dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))


# ELF


def elf(data: bytes) -> Elf | None:
    """None if it is none, or cut off."""
    if len(data) < 20 or data[:4] != b"\x7fELF" or data[4] not in {1, 2} or data[5] not in {1, 2}:
        return None
    order = "<" if data[5] == 1 else ">"
    return Elf(32 if data[4] == 1 else 64, struct.unpack_from(f"{order}H", data, 18)[0], order)


def glibc(data: bytes) -> tuple[int, int]:
    """The newest version of glibc that a 64-bit file needs; (0, 0) if it names none.

    By its table of needed versions; a file without sections is searched for their names.
    """
    header = elf(data)
    if header is None or header.bits != 64:
        return (0, 0)
    try:
        named = list(needed_versions(data, header.order))
    except (struct.error, ValueError, OverflowError):
        named = []
    if not named:
        return max(((int(found[1]), int(found[2])) for found in GLIBC.finditer(data)), default=(0, 0))
    found = (GLIBC.match(b"\0" + name + b"\0") for name in named)
    return max(((int(each[1]), int(each[2])) for each in found if each), default=(0, 0))


class Section(NamedTuple):
    """Of Elf64_Shdr, what is needed."""

    kind: int
    offset: int
    size: int
    link: int


def needed_versions(data: bytes, order: str) -> Iterator[bytes]:
    """The names of versions in `.gnu.version_r`, such as GLIBC_2.34, of whichever library. Weak ones are passed over.

    struct.error, ValueError or OverflowError if what it says leads out of the file.
    """
    sections = list(section_headers(data, order))
    for section in sections:
        if section.kind == VERSION_NEEDED and section.link < len(sections):
            strings = sections[section.link]
            for offset in needed_names(data, order, section.offset):
                yield string(data, strings.offset + offset)
            return


def section_headers(data: bytes, order: str) -> Iterator[Section]:
    """Of Elf64_Ehdr: e_shoff, e_shentsize and e_shnum."""
    (start,) = struct.unpack_from(f"{order}Q", data, 40)
    size, count = struct.unpack_from(f"{order}HH", data, 58)
    for place in range(min(count, MOST_SECTIONS)):
        _, kind, _, _, offset, length, link = struct.unpack_from(f"{order}IIQQQQI", data, start + place * size)
        yield Section(kind, offset, length, link)


def needed_names(data: bytes, order: str, offset: int) -> Iterator[int]:
    """Of each Elf64_Vernaux of each Elf64_Verneed: vna_name."""
    weak = 2
    for _ in range(MOST_VERSIONS):
        _, count, _, first, following = struct.unpack_from(f"{order}HHIII", data, offset)
        place = offset + first
        for _ in range(min(count, MOST_VERSIONS)):
            _, flags, _, name, step = struct.unpack_from(f"{order}IHHII", data, place)
            if not flags & weak:
                yield name
            if not step:
                break
            place += step
        if not following:
            return
        offset += following


def string(data: bytes, offset: int) -> bytes:
    """Up to the next NUL; ValueError if there is none."""
    return data[offset : data.index(b"\0", offset)]
