"""JSON, with the lines of resources."""

import pytest

from lambent.dev.templates import json_tables
from lambent.dev.templates.tables import Notes, Table
from lambent.errors import ConfigurationError


def test_resources_know_their_lines() -> None:
    text = '{\n "x": {"A": {"y": 1}},\n "Resources": {\n  "A": {\n   "Type": "T"},\n  "B": {"Type": "T"}}}'
    root = json_tables.read(text, Notes("t.json"))
    assert isinstance(root, Table)
    resources = root["Resources"]
    assert isinstance(resources, Table)
    assert (resources.at("A"), resources.at("B")) == (4, 6)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{\n"a": }', "t.json:2: expected JSON, but got: Expecting value."),
        ('{"a": 1, "a": 2}', "t.json: the key a stands twice in one table."),
        ("[" * 100_000, "t.json:1: expected JSON, but it has too many levels."),
    ],
)
def test_what_is_no_json(text: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as told:
        json_tables.read(text, Notes("t.json"))
    assert str(told.value) == says
