"""Distributions made for a test, as files in a folder: an index with `--find-links`, that needs no network."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path


def wheel(
    folder: Path,
    name: str,
    version: str = "1.0",
    *,
    tag: str = "py3-none-any",
    needs: Iterable[str] = (),
    python: str = "",
    files: Mapping[str, bytes] | None = None,
) -> Path:
    """A wheel of the distribution, with a module of its name unless `files` says what is in it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-{tag}.whl"
    info = f"{name}-{version}.dist-info"
    required = "".join(f"Requires-Dist: {each}\n" for each in needs)
    python = f"Requires-Python: {python}\n" if python else ""
    content = {
        **({f"{name}/__init__.py": b"value = 1\n"} if files is None else files),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{required}{python}".encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n".encode(),
    }
    record = "".join(f"{each},,\n" for each in [*content, f"{info}/RECORD"])
    with zipfile.ZipFile(path, "w") as archive:
        for each, data in {**content, f"{info}/RECORD": record.encode()}.items():
            archive.writestr(each, data)
    return path


BACKEND = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
"""Of a project that is built by its own file backend.py."""

MAKES = """
import zipfile

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    info = "{name}-{version}.dist-info"
    path = "{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel_directory + "/" + path, "w") as archive:
        archive.writestr("{name}/__init__.py", "value = 1")
        archive.writestr(info + "/METADATA", "Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n")
        archive.writestr(info + "/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        archive.writestr(info + "/RECORD", "")
    return path
"""


def backend(name: str, version: str = "1.0") -> str:
    """A build backend that makes a wheel with a module of this name."""
    return MAKES.format(name=name, version=version)


def source(folder: Path, name: str, version: str = "1.0", *, backend: str) -> Path:
    """A source distribution."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        "pyproject.toml": f'{BACKEND}[project]\nname = "{name}"\nversion = "{version}"\n',
        "backend.py": backend,
    }
    path = folder / f"{name}-{version}.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for each, text in files.items():
            entry = tarfile.TarInfo(f"{name}-{version}/{each}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return path
