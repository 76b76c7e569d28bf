"""Variables in a file."""

from pathlib import Path

import pytest

from lambent.dev.config.dotenv import read
from lambent.errors import ConfigurationError


def written(folder: Path, text: str) -> Path:
    file = folder / ".env"
    file.write_bytes(text.encode())
    return file


def test_the_forms_it_has(tmp_path: Path) -> None:
    text = "\ufeff# a\nA=1\r\nexport B = 'two words'\nC=\"x\\ny\"\nD=\nE\nF=a # b\nG='m\nn'\n\n\nA=2\n"
    assert read(written(tmp_path, text), {}) == {
        "A": "2",
        "B": "two words",
        "C": "x\ny",
        "D": "",
        "F": "a",
        "G": "m\nn",
    }


def test_a_name_stands_for_what_is_above_it_or_in_the_shell(tmp_path: Path) -> None:
    file = written(tmp_path, "A=file\nB=${A}/${HOME}/${NONE:-no}/${LATER}\nLATER=1\n")
    assert read(file, {"A": "shell", "HOME": "/home"})["B"] == "file//home/no/"


@pytest.mark.parametrize(
    ("text", "line"), [("A=1\n\n= secret\n", 3), ('A=1\n\n\nB="secret\nC=2', 4), ("A='x' secret", 1), ("A=secret\0", 1)]
)
def test_a_line_that_cannot_be_read_is_named_and_not_shown(tmp_path: Path, text: str, line: int) -> None:
    with pytest.raises(ConfigurationError) as told:
        read(written(tmp_path, text), {})
    assert str(told.value) == f"{tmp_path / '.env'}:{line}: expected NAME=value."


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"A=\xff")
    with pytest.raises(ConfigurationError, match=r"\.env: expected lines of NAME=value in UTF-8"):
        read(tmp_path / ".env", {})
    with pytest.raises(ConfigurationError, match="none"):
        read(tmp_path / "none", {})
