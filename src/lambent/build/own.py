"""The Lambent that builds, to be put into artefacts: as a wheel of its checkout, or as the index has it."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from lambent.build.settings import Pyproject
from lambent.build.uv import Uv

if TYPE_CHECKING:
    from lambent.build.model import Progress, Target

NAME = "lambent"


def lambent(target: Target, progress: Progress, environ: Mapping[str, str] = os.environ) -> str | Path:
    """The wheel that it was installed from, one of the checkout that it runs from, or else its version.

    A wheel of a checkout is built once, and kept until a file of it changes.
    """
    origin = installed_from()
    if origin is not None and origin.suffix == ".whl" and origin.is_file():
        return origin
    package = Path(__file__).parents[1]
    tree = package.parents[1]
    if package.parent.name == "src" and Pyproject.read(tree).get("project", "name") == NAME:
        return checkout(tree, cache(environ), target, progress)
    return f"{NAME}=={metadata.version(NAME)}"


def installed_from() -> Path | None:
    """The file or folder on this machine that it was installed from (PyPA, "Recording the direct URL origin")."""
    try:
        told = metadata.distribution(NAME).read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return None
    url = urlsplit(json.loads(told)["url"]) if told else None
    return Path(unquote(url.path)) if url is not None and url.scheme == "file" else None


def cache(environ: Mapping[str, str]) -> Path:
    root = environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME") or Path.home()) / ".cache"
    return Path(root) / "lambent" / "wheels"


def checkout(tree: Path, kept: Path, target: Target, progress: Progress) -> Path:
    """The wheel of a source tree, from the cache if it is there."""
    folder = kept / digest(tree)
    if found := sorted(folder.glob("*.whl")):
        return found[0]
    progress("Building a wheel of Lambent from its checkout")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept) as work:
        made = Uv(tree, target).wheel(tree, Path(work))
        return made.replace(folder / made.name)


def digest(tree: Path) -> str:
    """Of all that goes into the wheel."""
    found = hashlib.sha256()
    for path in parts(tree):
        content = path.read_bytes()
        found.update(f"{path.relative_to(tree).as_posix()}\0{len(content)}\0".encode() + content)
    return found.hexdigest()[:32]


def parts(tree: Path) -> Iterator[Path]:
    yield from (path for name in ("pyproject.toml", "README.md", "LICENSE") if (path := tree / name).is_file())
    yield from sorted(path for path in (tree / "src").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
