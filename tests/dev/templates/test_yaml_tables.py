"""YAML, read for CloudFormation and for the Serverless Framework."""

import json

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from lambent.dev.templates import yaml_tables
from lambent.dev.templates.tables import Notes, Table
from lambent.errors import ConfigurationError


def read(text: str, version: str = "1.1") -> object:
    return yaml_tables.read(text, Notes("t.yaml"), version)


def complaint(text: str) -> str:
    with pytest.raises(ConfigurationError) as told:
        read(text)
    return str(told.value)


TEXTS = st.text(st.characters(max_codepoint=0x1FFF, exclude_categories=["Cc", "Cs"]), max_size=20)
SCALARS = st.none() | st.booleans() | st.integers(-(10**15), 10**15) | TEXTS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcXYZ-_", min_size=1), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
@example("0E0")  # no number in YAML 1.1, which has a dot in each with an exponent
def test_what_yaml_writes_is_read(value: object) -> None:
    assert read(yaml.safe_dump(value)) == value


@given(VALUES)
def test_json_is_yaml_as_well(value: object) -> None:
    assert read(json.dumps(value, ensure_ascii=False)) == value


def test_short_forms_are_read_in_full() -> None:
    text = "a: !Ref X\nb: !GetAtt A.B.C\nc: !Sub ['${x}', {x: !If [A, b, !Ref AWS::NoValue]}]\nd: !Condition Z"
    chosen = {"Fn::If": ["A", "b", {"Ref": "AWS::NoValue"}]}
    assert read(text) == {
        "a": {"Ref": "X"},
        "b": {"Fn::GetAtt": ["A", "B.C"]},
        "c": {"Fn::Sub": ["${x}", {"x": chosen}]},
        "d": {"Condition": "Z"},
    }


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        ("yes", True, "yes"),
        ("off", False, "off"),
        ("true", True, True),
        ("0123", "0123", "0123"),
        ("2012-10-17", "2012-10-17", "2012-10-17"),
        ("12:30", "12:30", "12:30"),
        ("1.50", 1.5, 1.5),
        ("0x10", 16, 16),
        ("~", None, None),
        ("'yes'", "yes", "yes"),
        ("!!str 12", "12", "12"),
    ],
)
def test_scalars(text: str, old: object, new: object) -> None:
    assert (read(text), read(text, "1.2")) == (old, new)


def test_keys_know_their_lines() -> None:
    table = read("a: 1\nb:\n  - c: 2\n    d: 3\n# x\ne:\n  f: 4")
    assert isinstance(table, Table)
    assert [table.at(key) for key in "abe"] == [1, 2, 6]
    inner = table["b"]
    assert isinstance(inner, list)
    assert (inner[0].line, inner[0].at("d")) == (3, 4)


def test_tables_are_merged() -> None:
    assert read("b: &b {x: 1, y: 1}\na:\n  <<: *b\n  y: 2") == {"b": {"x": 1, "y": 1}, "a": {"x": 1, "y": 2}}


LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
TALL = "a0: &a0 []\n" + "".join(f"a{number}: &a{number} [*a{number - 1}]\n" for number in range(1, 150))


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a: 1\nb: [", 2, "expected YAML, but got: while parsing a flow node"),
        ("a: 'b\n", 2, "expected YAML"),
        ("\ta: b", 1, "expected YAML"),
        ("a: b\n---\nc", 2, "expected one document, but a second one begins"),
        ("a: \x00", 1, "expected YAML, but got the character '\\x00'"),
        ("x: 1\na: &a [*a]", 2, "the alias *a stands within what it is to repeat"),
        ("a: *b", 1, "the alias *b has no anchor before it"),
        ("a: !Foo x", 1, "expected one of the tags !Ref,"),
        ("a: !!python/object/apply:os.system [ls]", 1, "expected one of the tags !Ref,"),
        ("a: 1\n\na: 2", 3, "the key a stands here again, after line 1"),
        ("[a]: 2", 1, "expected a text as key"),
        ("a:\n  <<: 3", 2, "expected a table after <<"),
        (LAUGHS, 6, "its aliases expand to more"),
        (TALL, 100, "expected at most 100 levels"),
        ("[" * 5000, 1, "expected at most 100 levels"),
    ],
)
def test_what_is_no_yaml_is_told_with_its_line(text: str, line: int, says: str) -> None:
    told = complaint(text)
    assert told.startswith(f"t.yaml:{line}: ")
    assert says in told


def test_nothing_is_nothing() -> None:
    assert read("") is None
    assert read("# a comment\n") is None
