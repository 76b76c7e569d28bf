"""Where pip looks for packages, for uv."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from lambent.build import pip_settings

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pip's files are elsewhere there")


def around(tmp_path: Path, **more: str) -> dict[str, str]:
    return {"HOME": str(tmp_path), "XDG_CONFIG_DIRS": str(tmp_path / "xdg"), **more}


def write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def read(tmp_path: Path, **more: str) -> dict[str, str]:
    return pip_settings.read(around(tmp_path, **more), tmp_path / "prefix", tmp_path / "etc").variables()


def test_nothing_is_said(tmp_path: Path) -> None:
    assert read(tmp_path, PIP_CONFIG_FILE=os.devnull) == {}


def test_a_file_of_the_user(tmp_path: Path) -> None:
    text = "[global]\nindex-url = https://a/simple\nextra-index-url =\n  https://b/simple\n  https://c/simple\n"
    write(tmp_path / ".config/pip/pip.conf", f"{text}find_links = /w\n")
    assert read(tmp_path) == {
        "UV_DEFAULT_INDEX": "https://a/simple",
        "UV_INDEX": "https://b/simple https://c/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": "/w",
    }


def test_what_is_over_what(tmp_path: Path) -> None:
    write(tmp_path / ".pip/pip.conf", "[global]\nindex-url = https://old\ncert = /old.pem\n")
    write(
        tmp_path / ".config/pip/pip.conf",
        "[install]\nindex-url = https://install\n[global]\nindex-url = https://global\n",
    )
    assert read(tmp_path) == {"UV_DEFAULT_INDEX": "https://install", "SSL_CERT_FILE": "/old.pem"}
    write(tmp_path / "prefix/pip.conf", "[global]\nindex-url = https://prefix\n")
    assert read(tmp_path)["UV_DEFAULT_INDEX"] == "https://prefix"
    own = write(tmp_path / "own.conf", "[global]\nindex-url = https://own\ntrusted-host = h i\n")
    assert read(tmp_path, PIP_CONFIG_FILE=str(own))["UV_DEFAULT_INDEX"] == "https://own"
    assert read(tmp_path, PIP_CONFIG_FILE=str(own))["UV_INSECURE_HOST"] == "h i"
    found = read(tmp_path, PIP_CONFIG_FILE=str(own), PIP_INDEX_URL="https://env", PIP_FIND_LINKS="/a /b")
    assert found["UV_DEFAULT_INDEX"] == "https://env"
    assert found["UV_FIND_LINKS"] == "/a,/b"


def test_a_file_that_is_none(tmp_path: Path) -> None:
    write(tmp_path / ".pip/pip.conf", "index-url = https://no-section\n")
    (tmp_path / ".config/pip").mkdir(parents=True)
    (tmp_path / ".config/pip/pip.conf").write_bytes(b"\xff\xfe")
    assert read(tmp_path) == {}


def test_no_index(tmp_path: Path) -> None:
    for value, expected in (("1", ["--no-index"]), ("true", ["--no-index"]), ("0", []), ("", [])):
        environ = around(tmp_path, PIP_NO_INDEX=value)
        assert pip_settings.read(environ, tmp_path, tmp_path).options() == expected
