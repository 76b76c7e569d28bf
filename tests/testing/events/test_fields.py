"""Any field, set by its path."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.testing.events import changed, sqs
from lambent.testing.events.fields import assigned

EVENT: dict[str, Any] = {
    "Records": [{"body": "a", "n": 1, "flag": False, "none": None, "list": [1, 2]}, {"body": "b", "n": 2}],
    "detail": {"a.b": {"c": 1}},
}


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("Records.0.body=hello", ("Records", 0, "body"), "hello"),
        ("Records.0.body=7", ("Records", 0, "body"), "7"),
        ("Records.0.body=", ("Records", 0, "body"), ""),
        ("Records.0.body=a=b", ("Records", 0, "body"), "a=b"),
        ("Records.0.body:=7", ("Records", 0, "body"), 7),
        ('Records.1.body:={"a": [1]}', ("Records", 1, "body"), {"a": [1]}),
        ("Records.0.n=7", ("Records", 0, "n"), 7),
        ("Records.0.n=7.5", ("Records", 0, "n"), 7.5),
        ("Records.0.flag=true", ("Records", 0, "flag"), True),
        ("Records.0.none=x", ("Records", 0, "none"), "x"),
        ("Records.0.none=7", ("Records", 0, "none"), 7),
        ("Records.0.none.deep=x", ("Records", 0, "none"), {"deep": "x"}),
        ("Records.0.list.1=3", ("Records", 0, "list"), [1, 3]),
        ("Records.0.list=[]", ("Records", 0, "list"), []),
        ("new=1", ("new",), 1),
        ("new.deep.er=x", ("new",), {"deep": {"er": "x"}}),
        (r"detail.a\.b.c=2", ("detail", "a.b", "c"), 2),
        ("Records.0.n:=null", ("Records", 0, "n"), None),
    ],
)
def test_a_field_is_set(text: str, path: tuple[Any, ...], value: object) -> None:
    found: Any = assigned(EVENT, text)
    for each in path:
        found = found[each]
    assert found == value


def test_a_star_is_every_record() -> None:
    event = assigned(sqs("a", "b"), "Records.*.body=c")
    assert [each["body"] for each in event["Records"]] == ["c", "c"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("Records.0.body", "PATH=VALUE"),
        ("=x", "PATH=VALUE"),
        (":=x", "PATH=VALUE"),
        ("a..b=x", "a path of names"),
        (".a=x", "a path of names"),
        ("Records.2.body=x", "Records is a list of 2: expected an index below that"),
        ("Records.-1.body=x", "Records is a list of 2"),
        ("Records.first.body=x", "Records is a list of 2"),
        ("Records.0.body.x=y", "Records.0.body is a string, which has no field 'x'"),
        ("Records.0.n=many", "Records.0.n: the field is a number, but 'many' is a string"),
        ("Records.0.n=true", "the field is a number, but 'true' is true or false"),
        ("Records.0.flag=1", "the field is true or false"),
        ("Records.0.list=x", "the field is a list"),
        ("Records=x", "the field is a list"),
        ("Records.0.n:=x", "Records.0.n: expected JSON after :="),
    ],
)
def test_what_cannot_be_set_is_said(text: str, complaint: str) -> None:
    before = json.dumps(EVENT)
    with pytest.raises(ValueError) as caught:
        assigned(EVENT, text)
    assert complaint in str(caught.value)
    assert json.dumps(EVENT) == before


@given(st.text("ab.\\=é ", min_size=1), st.none() | st.integers() | st.text())
def test_any_name_can_be_a_field(name: str, value: object) -> None:
    path = name.replace("\\", "\\\\").replace(".", "\\.")
    assert changed({}, path, value) == {name: value}


def test_the_event_itself_stays_as_it_was() -> None:
    event = sqs("a")
    body = [1]
    other = changed(event, "Records.0.body", body)
    body.append(2)
    assert (event["Records"][0]["body"], other["Records"][0]["body"]) == ("a", [1])
