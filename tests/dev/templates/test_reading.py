"""Which file is read, and how."""

import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambent.dev.templates import FILES, find, yaml_tables
from lambent.dev.templates.tables import Notes
from lambent.errors import ConfigurationError
from tests.dev.templates.described import DATA, Folder, describe


@pytest.mark.parametrize(
    ("kind", "name"),
    [("sam", "template.yaml"), ("serverless", "serverless.yml"), ("cdk", "cdk.out"), ("terraform", "plan.json")],
)
def test_each_tool_s_file_is_found(kind: str, name: str) -> None:
    assert find(DATA / kind) == DATA / kind / name
    assert name in FILES


def test_the_first_of_several_counts(tmp_path: Path) -> None:
    shutil.copytree(DATA / "cdk" / "cdk.out", tmp_path / "cdk.out")
    shutil.copy(DATA / "terraform" / "plan.json", tmp_path)
    assert find(tmp_path) == tmp_path / "cdk.out"
    shutil.copy(DATA / "serverless" / "serverless.yml", tmp_path)
    assert find(tmp_path) == tmp_path / "serverless.yml"
    shutil.copy(DATA / "sam" / "template.yaml", tmp_path)
    assert find(tmp_path) == tmp_path / "template.yaml"


@pytest.mark.parametrize(
    ("name", "text"), [("template.yaml", "name: a page\n"), ("plan.json", '{"steps": []}'), ("cdk.out", "a file")]
)
def test_files_of_other_programs_are_left_alone(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert find(tmp_path) is None


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a: \xff", "template.yaml: expected UTF-8, but"),
        (b"\xef\xbb\xbfResources: 1", "template.yaml:1: expected a temp"),
    ],
)
def test_bytes_that_are_no_text(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "template.yaml").write_bytes(content)
    with pytest.raises(ConfigurationError) as told:
        describe(tmp_path / "template.yaml")
    assert str(told.value).startswith(says)


def places(value: object) -> Iterator[tuple[Any, Any]]:
    """Every table and list within a value, with each of its keys or positions."""
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from places(value[key])  # type: ignore[index]  # there is one


ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    "",
    "x",
    "${x}",
    "a:b:c",
    [],
    {},
    [None],
    [[]],
    {"Ref": "F"},
    {"a": None},
)
ODD = (*ODD, {"Fn::Sub": 1}, {"Fn::GetAtt": ["F"]}, {"Ref": []}, {"Fn::If": ["A", 1, 2]}, ["x", {"Ref": "Stage"}])


@given(data=st.data(), kind=st.sampled_from(["sam", "serverless", "cdk", "terraform"]))
@settings(max_examples=150, deadline=None)
def test_whatever_is_wrong_in_a_file_is_told_of(data: st.DataObject, kind: str) -> None:
    """A value in the wrong place is refused, or noted; nothing else comes of it."""
    files = {
        "sam": "template.yaml",
        "serverless": "serverless.yml",
        "cdk": "Shop.template.json",
        "terraform": "plan.json",
    }
    folder = DATA / kind if kind != "cdk" else DATA / kind / "cdk.out"
    text = (folder / files[kind]).read_text("utf-8")
    name = files[kind].replace(".yaml", ".json").replace(".yml", ".json")
    document = yaml_tables.read(text, Notes(name)) if kind in ("sam", "serverless") else json.loads(text)
    for _ in range(data.draw(st.integers(1, 3))):
        table, key = data.draw(st.sampled_from(list(places(document))))
        table[key] = deepcopy(data.draw(st.sampled_from(ODD)))
    with TemporaryDirectory() as made:
        (Path(made) / name).write_text(json.dumps(document))
        with suppress(ConfigurationError):
            describe(Path(made) / name)


def test_levels_without_end_are_refused(tmp_path: Path) -> None:
    deep = '{"Fn::Join": ["", [' * 300 + '"x"' + "]]}" * 300
    text = f'{{"Resources": {{"F": {{"Type": "AWS::Lambda::Url", "Properties": {{"TargetFunctionArn": {deep}}}}}}}}}'
    with pytest.raises(ConfigurationError, match="expected fewer levels within each other"):
        Folder(tmp_path).describe(text, "template.json")
