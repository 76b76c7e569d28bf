"""Folders that lie in archives of package indexes, taken out without installing these and what they depend on."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.support.counterparts import missing

CACHE = Path(__file__).parents[2] / ".cache" / "archives"
PATIENCE = 300
"""Seconds for a download."""


class Archive(NamedTuple):
    """What a command downloads into the folder where it runs."""

    name: str
    command: tuple[str, ...]
    form: str
    """As `shutil.unpack_archive` names it."""
    digest: str
    """The SHA-256."""


def wheel(requirement: str, digest: str) -> Archive:
    """`requirement`: NAME==VERSION, for every platform."""
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps")
    return Archive(requirement.partition("==")[0], (*pip, requirement), "zip", digest)


def node_package(requirement: str, digest: str) -> Archive:
    """`requirement`: NAME@VERSION."""
    return Archive(requirement.partition("@")[0], (shutil.which("npm") or "npm", "pack", requirement), "gztar", digest)


def folder(archive: Archive, inside: str) -> Path:
    """The folder `inside` the archive, to be read only; downloaded unless that was done before."""
    path = CACHE / f"{Path(inside).name}-{archive.digest[:12]}"
    if not path.exists():
        _fetch(archive, inside, path)
    return path


def _fetch(archive: Archive, inside: str, path: Path) -> None:
    """Take the folder out. Several sessions may do so at once: the first one wins, with the same files."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as name:
        _download(archive, Path(name))
        (downloaded,) = Path(name).iterdir()
        assert hashlib.sha256(downloaded.read_bytes()).hexdigest() == archive.digest, (
            f"{downloaded.name} is another one"
        )
        shutil.unpack_archive(
            downloaded, Path(name, "all"), archive.form, filter="data" if "tar" in archive.form else None
        )
        try:
            Path(name, "all", inside).rename(path)
        except OSError:
            if not path.exists():
                raise


def _download(archive: Archive, directory: Path) -> None:
    said = " ".join(archive.command[-2:])
    try:
        subprocess.run(archive.command, cwd=directory, capture_output=True, text=True, check=True, timeout=PATIENCE)
    except subprocess.CalledProcessError as error:
        missing(archive.name, f"`… {said}` says: {(error.stderr.strip().splitlines() or ['nothing'])[-1]}")
    except (OSError, subprocess.TimeoutExpired) as error:
        missing(archive.name, f"`… {said}`: {error}")
