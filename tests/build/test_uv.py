"""uv: where it is, and what it is told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lambent.build import uv
from lambent.build.errors import BuildError
from lambent.build.model import Target

TARGET = Target("3.13", "x86_64", "python3.13")


def no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uv", None)


def program(folder: Path, text: str) -> Path:
    """A program called uv in a folder of the PATH."""
    folder.mkdir(exist_ok=True)
    path = folder / "uv"
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(0o755)
    return path


@pytest.mark.skipif(sys.platform == "win32", reason="programs have another form")
def test_the_program_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_package(monkeypatch)
    path = program(tmp_path, "")
    assert uv.find({"PATH": str(tmp_path)}) == path


def test_no_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_package(monkeypatch)
    with pytest.raises(BuildError, match="pip install"):
        uv.find({"PATH": str(tmp_path)})


@pytest.mark.parametrize(
    ("environ", "files", "expected"),
    [
        ({}, {}, False),
        ({"UV_INDEX_URL": ""}, {}, False),
        ({"UV_INDEX_URL": "https://a"}, {}, True),
        ({"UV_FIND_LINKS": "/w"}, {}, True),
        ({}, {"project/uv.toml": 'index-url = "https://a"'}, True),
        ({}, {"project/uv.toml": 'cache-dir = "a"'}, False),
        ({}, {"project/uv.toml": '[pip]\nfind-links = ["/w"]'}, True),
        ({}, {"project/pyproject.toml": '[[tool.uv.index]]\nurl = "https://a"'}, True),
        ({}, {"project/pyproject.toml": "[tool.uv]\npackage = true"}, False),
        ({}, {"project/pyproject.toml": "tool = 1"}, False),
        ({}, {"project/uv.toml": "[nonsense"}, False),
        ({}, {".config/uv/uv.toml": "no-index = true"}, True),
        ({"UV_CONFIG_FILE": "{}/own.toml"}, {"own.toml": "no-index = true"}, True),
        ({"UV_CONFIG_FILE": "{}/own.toml"}, {"project/uv.toml": "no-index = true"}, False),
    ],
)
def test_whether_uv_has_been_told_of_an_index(
    tmp_path: Path, environ: dict[str, str], files: dict[str, str], expected: bool
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    seen = {"HOME": str(tmp_path), **{key: value.replace("{}", str(tmp_path)) for key, value in environ.items()}}
    assert uv.configured(seen, tmp_path / "project") is expected


@pytest.mark.skipif(sys.platform == "win32", reason="programs have another form")
def test_what_it_sees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_package(monkeypatch)
    tell = "import os, sys\nprint(os.getcwd(), *sorted(f'{k}={v}' for k, v in os.environ.items()), sep='\\n')"
    program(tmp_path / "bin", tell)
    environ = {
        "PATH": str(tmp_path / "bin"),
        "HOME": str(tmp_path),
        "PIP_INDEX_URL": "https://user:secret@index.example",
        "UV_PYTHON": "3.8",
        "UV_CACHE_DIR": "/cache",
        "VIRTUAL_ENV": "/v",
    }
    folder, *seen = uv.Uv(tmp_path, TARGET, environ).export("shop", []).splitlines()
    assert folder == str(tmp_path)
    assert {"UV_DEFAULT_INDEX=https://user:secret@index.example", "UV_CACHE_DIR=/cache", "NO_COLOR=1"} <= set(seen)
    assert not any(each.startswith(("UV_PYTHON=", "VIRTUAL_ENV=")) for each in seen)


@pytest.mark.skipif(sys.platform == "win32", reason="programs have another form")
def test_its_failure_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_package(monkeypatch)
    program(tmp_path, "import sys\nsys.exit('error: Hash mismatch for `a==1`')")
    with pytest.raises(BuildError, match="a==1 is not what was locked"):
        uv.Uv(tmp_path, TARGET, {"PATH": str(tmp_path), "HOME": str(tmp_path)}).export("shop", [])
