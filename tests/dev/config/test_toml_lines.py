"""Where keys stand in a TOML text."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.dev.config.toml_lines import dotted, lines

ROOT = Path(__file__).parents[3]

TEXT = '''\
# [tool.no]
title = "a # b"  # c

[tool.lambent]
text = """
port = 1
[tool.no]
\\""" """
literal = \'\'\'
a = ''\'\'\'
hosts = [
  "]",  # ]
  "a",
]
env = { A = "1", "b.c" = { d = 2.5 } }
when = 1979-05-27 07:32:00
port = 3000

[tool.lambent.functions."a b"]
handler = 'a'
asynchronous.retries = 1

  [[tool.mypy.overrides]]
module = [{ name = "x" }]
'''


def test_tables_keys_and_what_is_within() -> None:
    found = {dotted(keys): line for keys, line in lines(TEXT).items()}
    assert found == {
        "title": 2,
        "tool": 4,
        "tool.lambent": 4,
        "tool.lambent.text": 5,
        "tool.lambent.literal": 9,
        "tool.lambent.hosts": 11,
        "tool.lambent.env": 15,
        "tool.lambent.env.A": 15,
        'tool.lambent.env."b.c"': 15,
        'tool.lambent.env."b.c".d': 15,
        "tool.lambent.when": 16,
        "tool.lambent.port": 17,
        "tool.lambent.functions": 19,
        'tool.lambent.functions."a b"': 19,
        'tool.lambent.functions."a b".handler': 20,
        'tool.lambent.functions."a b".asynchronous': 21,
        'tool.lambent.functions."a b".asynchronous.retries': 21,
        "tool.mypy": 23,
        "tool.mypy.overrides": 23,
        "tool.mypy.overrides.module": 24,
        "tool.mypy.overrides.module.name": 24,
    }


def paths(value: object, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*above, key)
            yield from paths(inner, (*above, key))
    elif isinstance(value, list):
        for inner in value:
            yield from paths(inner, above)


def test_every_key_of_our_own_pyproject_is_found_and_no_other() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    assert set(lines(text)) == set(paths(tomllib.loads(text)))


@pytest.mark.parametrize("text", ["", "\n\n", "# only this", "a=1", 'a = "\\\\"\nb = 2', "a = {}\nb = []", '"" = 1'])
def test_small_texts(text: str) -> None:
    assert set(lines(text)) == set(paths(tomllib.loads(text)))


names = st.text(min_size=1, max_size=4)
SCALARS = ["1", "2.5", "-inf", "true", "1979-05-27", '"x = [ # }"', "'\"'", '"""\n[a]\n"""', "'''\n}\n'''"]
values = st.recursive(
    st.sampled_from(SCALARS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[\n" + "".join(f" {item}, # ]\n" for item in items) + "]"),
        st.dictionaries(names, inner, max_size=3).map(
            lambda table: "{" + ", ".join(f"{quoted(key)} = {value}" for key, value in table.items()) + "}"
        ),
    ),
    max_leaves=6,
)


def quoted(key: str) -> str:
    escaped = "".join(f"\\U{ord(char):08x}" if not char.isalnum() else char for char in key)
    return f'"{escaped}"'


@given(st.dictionaries(names.filter(lambda name: name.isprintable()), values, max_size=5))
def test_each_line_holds_its_key_whatever_the_values_look_like(table: dict[str, str]) -> None:
    text = "[t]\n" + "".join(f"{quoted(key)} = {value}\n" for key, value in table.items())
    found = lines(text)
    assert set(found) == set(paths(tomllib.loads(text)))
    for key in table:
        assert text.splitlines()[found["t", key] - 1].startswith(quoted(key))
