"""Zips as they would be uploaded."""

import importlib.util
import py_compile
import zipfile
from pathlib import Path

import pytest

from lambent.doctor import archives
from lambent.doctor.checks.archives import MAGIC, compiled
from lambent.errors import ConfigurationError

ELF = b"\x7fELF\2\1" + bytes(12)  # of 64 bits, little-endian


def made(folder: Path, files: dict[str, bytes], modes: dict[str, int] | None = None) -> Path:
    path = folder / "x.zip"
    with zipfile.ZipFile(path, "w") as opened:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (modes or {}).get(name, 0o644) << 16
            opened.writestr(entry, content)
    return path


def test_what_is_in_a_zip(tmp_path: Path) -> None:
    files = {"lambent/exec/wrapper": b"#!/bin/sh", "app.py": b"x = 1\n"}
    found = archives.read(made(tmp_path, files, {"lambent/exec/wrapper": 0o755}), "dist/x.zip")
    assert (found.path, found.unzipped, found.names) == ("dist/x.zip", 15, frozenset(files))
    assert found.executable == {"lambent/exec/wrapper"}
    assert found.size > 15


@pytest.mark.parametrize(
    ("mode", "checked"),
    [(py_compile.PycInvalidationMode.UNCHECKED_HASH, False), (py_compile.PycInvalidationMode.TIMESTAMP, True)],
)
def test_bytecode(tmp_path: Path, mode: py_compile.PycInvalidationMode, checked: bool) -> None:
    (tmp_path / "app.py").write_text("x = 1\n", "utf-8")
    made_here = py_compile.compile(str(tmp_path / "app.py"), str(tmp_path / "app.pyc"), invalidation_mode=mode)
    name = f"shop/{importlib.util.cache_from_source('app.py')}"
    content = Path(str(made_here)).read_bytes()
    found = archives.read(made(tmp_path, {name: content, "shop/app.py": b"", "b.py": b"", "c.pyc": content}), "x.zip")
    assert {each.checked for each in found.bytecode} == {checked}
    assert {each.magic for each in found.bytecode} == {int.from_bytes(importlib.util.MAGIC_NUMBER[:2], "little")}
    assert {each.magic for each in found.bytecode} <= set(MAGIC)
    assert compiled(found) == (["c.py", "shop/app.py"], ["b.py"])


@pytest.mark.parametrize(
    ("content", "machine"),
    [
        (ELF + (62).to_bytes(2, "little"), "x86_64"),
        (ELF + (183).to_bytes(2, "little"), "arm64"),
        (ELF + (243).to_bytes(2, "little"), "riscv64"),
        (ELF + (999).to_bytes(2, "little"), "machine 999"),
        (b"MZ\x90\x00", "Windows"),
        (b"\xcf\xfa\xed\xfe", "macOS"),
    ],
)
def test_native_modules(tmp_path: Path, content: bytes, machine: str) -> None:
    (native,) = archives.read(made(tmp_path, {"x.so": content, "y.py": b""}), "x.zip").natives
    assert native.machine == machine


def test_what_is_no_binary(tmp_path: Path) -> None:
    """Of a name that binaries have."""
    assert archives.read(made(tmp_path, {"x.so": b"INPUT(libx.so.1)", "y.pyd": b""}), "x.zip").natives == ()


def test_what_nobody_could_compile(tmp_path: Path) -> None:
    """A template is no module without bytecode, where others have theirs."""
    files = {"app.py": b"", "app.pyc": b"", "template.py": b"{{ name }} = 1", "nul.py": b"a\0", "late.py": b""}
    found = archives.read(made(tmp_path, files), "x.zip")
    assert (found.broken, compiled(found)) == (frozenset({"template.py", "nul.py"}), (["app.py"], ["late.py"]))
    del files["app.pyc"]
    assert archives.read(made(tmp_path, files), "x.zip").broken == frozenset()


def test_what_is_no_zip(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_text("no")
    with pytest.raises(ConfigurationError, match=r"^x.zip: expected a zip"):
        archives.read(tmp_path / "x.zip", "x.zip")


@pytest.mark.parametrize(
    ("local", "central", "value"),
    [(6, 8, 1), (8, 10, 97), (34, None, 0xFF)],
    ids=["encrypted", "of another method", "damaged"],
)
def test_a_zip_that_cannot_be_unpacked(tmp_path: Path, local: int, central: int | None, value: int) -> None:
    """`local`, `central`: places in the file's headers (APPNOTE.TXT, 4.3.7 and 4.3.12), and of its first byte."""
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("x.so", ELF * 9)
    data = bytearray((tmp_path / "x.zip").read_bytes())
    data[local] = value
    if central is not None:
        data[data.index(b"PK\1\2") + central] = value
    (tmp_path / "x.zip").write_bytes(data)
    with pytest.raises(ConfigurationError, match=r"^x.zip: expected a zip, but it cannot be read: "):
        archives.read(tmp_path / "x.zip", "x.zip")
