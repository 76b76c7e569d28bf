"""What a project says that it needs."""

from pathlib import Path

from lambent.doctor import packages

PROJECT = """
[project]
name = "shop"
requires-python = ">=3.12"
dependencies = ["FastAPI>=0.100 ; python_version > '3'", "lambent[api] @ file:///tmp/lambent-1.0-py3-none-any.whl"]
"""


def test_the_names_of_both_files(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "requirements.txt").write_text(
        "# a comment\nruamel.yaml==1  # more\n./wheels/my_own-1.0-py3-none-any.whl\n"
    )
    needs = packages.read(tmp_path, tmp_path)
    assert needs.names == frozenset({"fastapi", "lambent", "ruamel-yaml", "my-own"})
    assert (needs.file, needs.requires_python) == (tmp_path / "pyproject.toml", ">=3.12")


def test_a_project_that_does_not_say(tmp_path: Path) -> None:
    assert packages.read(tmp_path) == (None, None, "")
    (tmp_path / "pyproject.toml").write_text("[tool.lambent]\n")
    assert packages.read(tmp_path).names is None
    (tmp_path / "pyproject.toml").write_text("no TOML")
    assert packages.read(tmp_path).names is None


def test_files_that_a_file_takes_along(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "requirements.txt").write_text("-r parts/base.txt\n--requirement=gone.txt\nidna\n")
    (tmp_path / "parts" / "base.txt").write_text("-r ../parts/more.txt  # more\n-r ../requirements.txt\nlambent\n")
    (tmp_path / "parts" / "more.txt").write_text("orjson\n")
    assert packages.read(tmp_path).names == frozenset({"idna", "lambent", "orjson"})


def test_files_of_the_code_count_too(tmp_path: Path) -> None:
    """SAM packs each function with the requirements that lie beside it."""
    (tmp_path / "hello").mkdir()
    (tmp_path / "hello" / "requirements.txt").write_text("lambent\n")
    assert packages.read(tmp_path, code=[tmp_path / "hello"]).names is None
    (tmp_path / "pyproject.toml").write_text("[project]\ndependencies = []\n")
    needs = packages.read(tmp_path, code=[tmp_path / "hello", tmp_path / "gone.zip"])
    assert (needs.names, needs.file) == (frozenset({"lambent"}), tmp_path / "pyproject.toml")
