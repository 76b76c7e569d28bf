"""A TOML file, and complaints that point into it."""

from pathlib import Path
from typing import Annotated

import pytest
from msgspec import Meta, Struct

from lambent.dev.config.document import Document
from lambent.errors import ConfigurationError

Number = Annotated[int, Meta(ge=0, description="a whole number")]


class Inner(Struct, frozen=True, rename="kebab"):
    deep_number: Number = 0


class Table(Struct, rename="kebab"):
    must: Annotated[str, Meta(description='such as "x"')]
    number: Number | None = None
    names: Annotated[tuple[str, ...], Meta(description="a list of texts")] = ()
    env: Annotated[
        dict[
            Annotated[str, Meta(pattern=r"\A[A-Z]+\Z", description="capitals")],
            Annotated[str, Meta(description="a text")],
        ],
        Meta(description="a table of texts"),
    ] = {}
    inner: Inner = Inner()


def document(folder: Path, text: str) -> Document:
    file = folder / "a.toml"
    file.write_text(text, "utf-8")
    return Document.read(file)


def complaint(folder: Path, text: str) -> str:
    """Of what stands in [t], without the folder."""
    read = document(folder, text)
    with pytest.raises(ConfigurationError) as told:
        read.convert(("t",), read.get("t"), Table)
    return str(told.value).removeprefix(f"{folder}/")


def test_what_is_as_it_should_be_is_taken(tmp_path: Path) -> None:
    read = document(
        tmp_path, '[t]\nmust = "x"\nnumber = 1\nnames = ["a"]\nenv = { A = "b" }\n[t.inner]\ndeep-number = 2'
    )
    assert read.convert(("t",), read.get("t"), Table) == Table("x", 1, ("a",), {"A": "b"}, Inner(2))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("t = 3", "a.toml:1: t: expected a table, but got 3."),
        ("\n[t]\n", 'a.toml:2: t: expected the key must, such as "x", but there is none.'),
        ('[t]\nmust = "x"\nnumber = -1', "a.toml:3: t.number: expected a whole number, but got -1."),
        ('[t]\nmust = "x"\nnumber = "1"', 'a.toml:3: t.number: expected a whole number, but got "1".'),
        ('[t]\nmust = "x"\nnumber = true', "a.toml:3: t.number: expected a whole number, but got true."),
        ('[t]\nmust = "x"\nnames = [1]', "a.toml:3: t.names: expected a list of texts, but got [1]."),
        ('[t]\nmust = "x"\nenv = 1', "a.toml:3: t.env: expected a table of texts, but got 1."),
        ('[t]\nmust = "x"\n[t.env]\nA = "a"\nB = 1', "a.toml:5: t.env.B: expected a text, but got 1."),
        ('[t]\nmust = "x"\nenv."a b" = ""', 'a.toml:3: t.env."a b": expected capitals, but got "a b".'),
        ('t.inner.deep-number = "x"', 'a.toml:1: t.inner.deep-number: expected a whole number, but got "x".'),
        ('[t]\nmust = "x"\ninner = 1', "a.toml:3: t.inner: expected a table, but got 1."),
        ("[t]\nmist = 1", "a.toml:2: t.mist: there is no such key. Did you mean must?."),
        ("t.inner.deep_number = 1", "a.toml:1: t.inner.deep_number: there is no such key. Did you mean deep-number?."),
        ("[t]\nzzz = 1", "a.toml:2: t.zzz: there is no such key. Expected one of must, number, names, env, inner."),
    ],
)
def test_a_mistake_is_told_with_line_key_what_was_expected_and_what_came(
    tmp_path: Path, text: str, expected: str
) -> None:
    assert complaint(tmp_path, text) == expected.replace("?.", "?")


def test_of_a_long_value_the_beginning_is_shown(tmp_path: Path) -> None:
    assert len(complaint(tmp_path, f'[t]\nmust = "x"\nnumber = "{"x" * 5000}"')) < 200


@pytest.mark.parametrize(
    ("text", "line"), [("a = 1\nb = = 2", 2), ("a = 1\na = 2", 2), ('a = """\n\n', 2), ("[a", 1), ("a = 1\n[a.b]", 2)]
)
def test_what_is_no_toml_is_told_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    with pytest.raises(ConfigurationError) as told:
        document(tmp_path, text)
    assert str(told.value).startswith(f"{tmp_path}/a.toml:{line}: expected TOML, but got: ")
    assert "(at" not in str(told.value)


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        Document.read(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"a = '\xe9'")
    with pytest.raises(ConfigurationError, match=r"latin\.toml: expected UTF-8"):
        Document.read(tmp_path / "latin.toml")


def test_what_is_not_there_is_none(tmp_path: Path) -> None:
    read = document(tmp_path, "tool = 3")
    assert read.get("tool", "lambent") is None
    assert read.get("tool") == 3


def test_paths_are_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    read = document(tmp_path, "")
    assert read.path("x/y") == tmp_path / "x" / "y"
    assert read.path("/x") == Path("/x")
    assert read.path("~/x") == Path("/home/me/x")


def test_the_home_of_nobody_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"x\.toml: ~nobodyxx/\.env: expected a home folder that there is\."):
        Document(tmp_path / "x.toml").path("~nobodyxx/.env")
