"""What the artefact is to run on."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lambent.build import target
from lambent.build.errors import BuildError
from lambent.build.model import Target
from lambent.build.project import read
from lambent.build.target import Wishes, admits, decide


@pytest.mark.parametrize(
    ("requires", "python", "expected"),
    [
        (">=3.11", "3.11", True),
        (">=3.11.4", "3.11", True),
        (">=3.12", "3.11", False),
        (">3.11", "3.11", True),
        (">=3.11,<3.13", "3.12", True),
        (">=3.11,<3.13", "3.13", False),
        ("<=3.12", "3.12", True),
        ("~=3.11", "3.14", True),
        ("~=3.12.1", "3.13", False),
        ("==3.12.*", "3.12", True),
        ("==3.12.*", "3.13", False),
        ("!=3.12.*", "3.12", False),
        ("!=3.12.1", "3.12", True),
        ("===3.13.0", "3.13", True),
        (" >= 3.9 , < 4 ", "3.14", True),
        ("", "3.14", True),
        ("nonsense", "3.14", True),
    ],
)
def test_requires_python(requires: str, python: str, expected: bool) -> None:
    assert admits(requires, python) is expected


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        (Wishes(here="3.12"), Target("3.12", "x86_64", "python3.12")),
        (Wishes(here="3.15"), Target("3.14", "x86_64", "python3.14")),
        (Wishes(here="3.11", requires=">=3.13"), Target("3.14", "x86_64", "python3.14")),
        (Wishes(here="3.14", requires=">=3.11,<3.13"), Target("3.12", "x86_64", "python3.12")),
        (Wishes(here="3.11", pinned="3.13"), Target("3.13", "x86_64", "python3.13")),
        (Wishes(here="3.11", pinned="3.13", python="3.12.4"), Target("3.12", "x86_64", "python3.12")),
        (Wishes(here="3.11", runtime="python3.13", architecture="arm64"), Target("3.13", "arm64", "python3.13")),
        (Wishes(python="python3.13", architecture="AARCH64"), Target("3.13", "arm64", "python3.13")),
        (Wishes(python="3.15", runtime="provided.al2023"), Target("3.15", "x86_64", "provided.al2023")),
        (Wishes(here="3.13", runtime="provided.al2", architecture="amd64"), Target("3.13", "x86_64", "provided.al2")),
    ],
)
def test_what_was_said_is_chosen(wishes: Wishes, expected: Target) -> None:
    assert decide(wishes) == expected


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        (Wishes(python="3.15"), "Lambda has no Python 3.15"),
        (Wishes(python="3.10"), "Lambent runs on Python 3.11"),
        (Wishes(python="2.7"), "such as 3.13, but got '2.7'"),
        (Wishes(python="3.13", requires="<3.13"), "requires-python is <3.13"),
        (Wishes(here="3.13", requires="<3.9"), "admits none"),
        (Wishes(python="3.13", runtime="python3.12"), "contradict each other"),
        (Wishes(runtime="nodejs22.x"), "no runtime nodejs22.x"),
        (Wishes(runtime="python3.99"), "no runtime python3.99"),
        (Wishes(here="3.13", architecture="riscv"), "no architecture 'riscv'"),
    ],
)
def test_what_cannot_be_is_refused(wishes: Wishes, words: str) -> None:
    with pytest.raises(BuildError, match=words):
        decide(wishes)


@pytest.mark.parametrize(
    ("aim", "platform", "glibc"),
    [
        (Target("3.11", "x86_64", "python3.11"), "x86_64-manylinux_2_17", (2, 26)),
        (Target("3.12", "arm64", "python3.12"), "aarch64-manylinux_2_34", (2, 34)),
        (Target("3.11", "arm64", "provided.al2023"), "aarch64-manylinux_2_34", (2, 34)),
        (Target("3.15", "x86_64", "provided.al2"), "x86_64-manylinux_2_17", (2, 26)),
    ],
)
def test_wheels_of_the_target(aim: Target, platform: str, glibc: tuple[int, int]) -> None:
    assert target.platform(aim) == platform
    assert target.glibc(aim) == glibc


def project_of(folder: Path, text: str, pinned: str = "") -> Path:
    (folder / "app.py").touch()
    (folder / "pyproject.toml").write_text(text)
    if pinned:
        (folder / ".python-version").write_text(pinned)
    return folder


def test_the_project_says_it(tmp_path: Path) -> None:
    told = '[tool.lambent.build]\npython = "3.12"\narch = "arm64"\n'
    project = read(project_of(tmp_path, told))
    assert target.choose(None, None, None, project) == Target("3.12", "arm64", "python3.12")


def test_what_is_typed_is_over_the_project(tmp_path: Path) -> None:
    told = '[tool.lambent.build]\nruntime = "python3.12"\narch = "arm64"\n'
    project = read(project_of(tmp_path, told))
    assert target.choose("3.13", "x86_64", None, project) == Target("3.13", "x86_64", "python3.13")
    assert target.choose(None, None, "python3.14", project) == Target("3.14", "arm64", "python3.14")


def test_an_os_only_runtime_stays_when_a_python_is_typed(tmp_path: Path) -> None:
    project = read(project_of(tmp_path, '[tool.lambent.build]\nruntime = "provided.al2023"\npython = "3.12"\n'))
    assert target.choose("3.13", None, None, project).runtime == "provided.al2023"
    assert target.choose(None, None, "provided.al2", project) == Target("3.12", "x86_64", "provided.al2")


@pytest.mark.parametrize("pinned", ["3.12", "3.12.4\n", "cpython-3.12\n", "# one\n3.12\n3.11\n"])
def test_the_file_python_version(tmp_path: Path, pinned: str) -> None:
    assert target.choose(None, None, None, read(project_of(tmp_path, "", pinned))).python == "3.12"


def test_the_file_python_version_of_a_workspace(tmp_path: Path) -> None:
    """That of the folder itself first; none beyond the workspace."""
    whole = tmp_path / "whole"
    shop = whole / "parts/shop"
    shop.mkdir(parents=True)
    project_of(shop, '[project]\nname = "shop"\nversion = "1"\n')
    lock = '[manifest]\nmembers = ["shop"]\n[[package]]\nname = "shop"\nsource = { virtual = "parts/shop" }\n'
    (tmp_path / ".python-version").write_text("3.11")
    assert target.pinned(target.within(read(shop))[-1]) == ""
    (whole / "uv.lock").write_text(lock)
    (whole / ".python-version").write_text("3.12")
    assert target.choose(None, None, None, read(shop)).python == "3.12"
    (shop / ".python-version").write_text("3.13")
    assert target.choose(None, None, None, read(shop)).python == "3.13"
    assert target.within(read(shop)) == [shop, shop.parent, whole]


@pytest.mark.parametrize("pinned", ["pypy3.10\n", "default\n", ""])
def test_a_python_version_that_says_nothing_of_cpython(tmp_path: Path, pinned: str) -> None:
    here = "{}.{}".format(*sys.version_info)
    expected = here if here in target.supported() else target.supported()[-1]
    assert target.choose(None, None, None, read(project_of(tmp_path, "", pinned))).python == expected
