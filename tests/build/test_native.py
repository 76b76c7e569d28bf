"""Native modules against the target."""

from __future__ import annotations

import struct
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.build import native
from lambent.build.model import Target

X86 = Target("3.13", "x86_64", "python3.13")
ARM = Target("3.13", "arm64", "python3.13")
OLD = Target("3.11", "x86_64", "python3.11")


def elf(machine: int = 62, *, bits: int = 64, order: str = "<", rest: bytes = b"") -> bytes:
    """The header of a file, without sections."""
    ident = b"\x7fELF" + bytes([bits // 32, 1 if order == "<" else 2, 1]) + bytes(9)
    return ident + struct.pack(f"{order}HH", 3, machine) + bytes(44) + rest


def linked(versions: Sequence[str], *, weak: Sequence[str] = (), machine: int = 62) -> bytes:
    """A file whose table of needed versions names these of libc."""
    names = [*versions, *weak]
    strings = b"\0libc.so.6\0" + b"".join(each.encode() + b"\0" for each in names)
    at = [strings.index(f"\0{each}\0".encode()) + 1 for each in names]
    entries = b"".join(
        struct.pack("<IHHII", 0, 2 if place >= len(versions) else 0, 2, name, 16 if place + 1 < len(names) else 0)
        for place, name in enumerate(at)
    )
    table = struct.pack("<HHIII", 1, len(names), 1, 16, 0) + entries
    start = 64
    sections = start + len(strings) + len(table)
    headers = bytes(64)
    headers += struct.pack("<IIQQQQIIQQ", 0, 3, 0, 0, start, len(strings), 0, 0, 0, 0)
    headers += struct.pack("<IIQQQQIIQQ", 0, 0x6FFFFFFE, 0, 0, start + len(strings), len(table), 1, 1, 0, 0)
    head = (
        b"\x7fELF\x02\x01\x01"
        + bytes(9)
        + struct.pack("<HHIQQQIHHHHHH", 3, machine, 1, 0, 0, sections, 0, 64, 0, 0, 64, 3, 0)
    )
    return head + strings + table + headers


@pytest.mark.parametrize(
    ("name", "data", "aim", "words"),
    [
        ("a.cpython-313-x86_64-linux-gnu.so", elf(), X86, ""),
        ("a.so", elf(183), ARM, ""),
        ("a.abi3.so", elf(), X86, ""),
        ("libx.so.1.2", elf(), X86, ""),
        ("a.so", elf(183), X86, "is for arm64 with 64 bits, but the target is x86_64"),
        ("a.so", elf(), ARM, "is for x86_64 with 64 bits, but the target is arm64"),
        ("a.so", elf(3, bits=32), X86, "is for i386 with 32 bits"),
        ("a.so", elf(243), X86, "is for riscv64"),
        ("a.so", elf(999), X86, "is for machine 999"),
        ("a.so", elf(21, order=">"), X86, "is for ppc64"),
        ("a.cpython-312-x86_64-linux-gnu.so", elf(), X86, "is for cpython 312, but the target is CPython 3.13"),
        ("a.cpython-313t-x86_64-linux-gnu.so", elf(), X86, "is for cpython 313t"),
        ("a.pypy311-pp73-x86_64-linux-gnu.so", elf(), X86, "is for pypy 311"),
        ("a.cpython-313-x86_64-linux-musl.so", elf(), X86, "is for x86_64-linux-musl"),
        ("a.so", elf(rest=b"\0libc.musl-x86_64.so.1\0"), X86, "is for musl"),
        ("a.so", b"\xcf\xfa\xed\xfe" + bytes(40), X86, "is for macOS"),
        ("a.pyd", b"MZ" + bytes(40), X86, "is for Windows"),
        ("tool.dll", b"MZ" + bytes(40), X86, ""),
        ("text.so", b"not a library", X86, ""),
        ("data.bin", b"\xca\xfe\xba\xbe", X86, ""),
        ("a.so", linked(["GLIBC_2.2.5", "GLIBC_2.34"]), X86, ""),
        ("a.so", linked(["GLIBC_2.2.5", "GLIBC_2.39"]), X86, "needs glibc 2.39, but python3.13 has 2.34"),
        ("a.so", linked(["GLIBC_2.28"]), OLD, "needs glibc 2.28, but python3.11 has 2.26"),
        ("a.so", linked(["GLIBC_2.5"], weak=["GLIBC_2.39"]), X86, ""),
        ("a.so", linked(["GCC_3.0", "GLIBC_PRIVATE"]), X86, ""),
        ("a.so", elf(rest=b"\0GLIBC_2.40\0"), X86, "needs glibc 2.40"),
    ],
)
def test_complaints(name: str, data: bytes, aim: Target, words: str) -> None:
    found = native.complaint(name, data, aim)
    assert found.startswith(words)
    assert bool(found) == bool(words)


def test_of_a_folder(tmp_path: Path) -> None:
    files = {
        "one/a.cpython-312-x86_64-linux-gnu.so": elf(),
        "two/a.cpython-312-x86_64-linux-gnu.so": elf(),
        "two/a.cpython-313-x86_64-linux-gnu.so": elf(),
        "three/b.so": elf(183),
        "three/b.py": elf(183),
    }
    paths = {}
    for place, (name, data) in enumerate(files.items()):
        paths[name] = tmp_path / str(place)
        paths[name].write_bytes(data)
    found = native.complaints(paths, X86)
    assert list(found) == ["one/a.cpython-312-x86_64-linux-gnu.so", "three/b.so"]


@given(st.binary(), st.booleans())
def test_any_bytes_can_be_looked_at(data: bytes, header: bool) -> None:
    data = elf()[:20] + data if header else data
    assert isinstance(native.complaint("a.so", data, X86), str)
    assert native.glibc(data) >= (0, 0)


WHOLE = linked(["GLIBC_2.5", "GLIBC_2.39"], weak=["GLIBC_2.40"])


@given(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=9), st.integers(0, len(WHOLE)))
def test_a_damaged_file_can_be_looked_at(place: int, bytes_there: bytes, end: int) -> None:
    data = (WHOLE[:place] + bytes_there + WHOLE[place + len(bytes_there) :])[:end]
    assert isinstance(native.complaint("a.so", data, X86), str)


@pytest.mark.skipif(sys.platform != "linux", reason="its modules are no ELF files")
def test_a_real_module() -> None:
    import orjson

    (path,) = Path(orjson.__file__).parent.glob("orjson.*.so")
    data = path.read_bytes()
    header = native.elf(data)
    assert header is not None
    assert header.bits == 64
    assert (2, 2) < native.glibc(data) < (3, 0)
