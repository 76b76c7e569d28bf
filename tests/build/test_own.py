"""The Lambent that builds."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest

from lambent.build import own
from lambent.build.model import Target
from tests.support import packages
from tests.support.counterparts import missing

TARGET = Target("3.13", "arm64", "python3.13")


def test_the_digest_is_of_what_goes_into_the_wheel(tmp_path: Path) -> None:
    (tmp_path / "src/lambent/__pycache__").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    module = tmp_path / "src/lambent/a.py"
    module.write_text("")
    first = own.digest(tmp_path)
    (tmp_path / "src/lambent/__pycache__/a.pyc").touch()
    (tmp_path / "notes.txt").touch()
    assert own.digest(tmp_path) == first
    module.write_text("1")
    assert own.digest(tmp_path) != first


def test_the_cache_follows_xdg(tmp_path: Path) -> None:
    assert own.cache({"HOME": str(tmp_path)}) == tmp_path / ".cache/lambent/wheels"
    assert own.cache({"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "c")}) == tmp_path / "c/lambent/wheels"


def test_a_wheel_of_the_checkout_is_built_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if importlib.util.find_spec("uv") is None and shutil.which("uv") is None:
        missing("uv", "it is not installed")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    tree, kept, told = tmp_path / "tree", tmp_path / "kept", list[str]()
    (tree / "src").mkdir(parents=True)
    (tree / "pyproject.toml").write_text(f'{packages.BACKEND}[project]\nname = "lambent"\nversion = "1.0"\n')
    (tree / "backend.py").write_text(packages.backend("lambent"))
    first = own.checkout(tree, kept, TARGET, told.append)
    assert own.checkout(tree, kept, TARGET, told.append) == first
    assert first.name == "lambent-1.0-py3-none-any.whl"
    assert len(told) == 1
    (tree / "src/a.py").touch()
    assert own.checkout(tree, kept, TARGET, told.append) != first


def test_where_it_was_installed_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    info = tmp_path / "lambent-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lambent\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert own.installed_from() is None
    (info / "direct_url.json").write_text('{"url": "file:///a%20b/lambent-1.0-py3-none-any.whl", "archive_info": {}}')
    assert own.installed_from() == Path("/a b/lambent-1.0-py3-none-any.whl")
    (info / "direct_url.json").write_text('{"url": "https://example.com/lambent.whl", "archive_info": {}}')
    assert own.installed_from() is None


def test_the_wheel_that_it_was_installed_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wheel = tmp_path / "lambent-1.0-py3-none-any.whl"
    wheel.touch()
    monkeypatch.setattr(own, "installed_from", lambda: wheel)
    assert own.lambent(TARGET, print) == wheel
