"""Fields: what is there is checked, what is wrong is named without its value."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.errors import MalformedEvent
from lambent.events.sources import fields

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=6,
)

READERS: list[tuple[Any, tuple[Any, ...]]] = [
    (fields.text, ("x",)),
    (fields.text_or_none, ("x", None)),
    (fields.whole_or_none, (7, None)),
    (fields.mapping, ({"c": 1},)),
    (fields.items, ([1],)),
    (fields.texts, (["x"],)),
    (fields.time, ("2025-07-05T22:06:17.410Z",)),
    (fields.milliseconds, ("1751753177410", 1751753177410)),
    (fields.count, ("3",)),
]


@pytest.mark.parametrize(("read", "good"), READERS)
@given(value=JSON)
def test_a_reader_reads_its_type_and_refuses_the_rest(read: Any, good: tuple[Any, ...], value: Any) -> None:
    for each in good:
        read({"a": {"b": each}}, "a", "b")
    for holder in ({"a": {"b": value}}, {"a": value}, value):
        with suppress(MalformedEvent):
            read(holder, "a", "b")


@pytest.mark.parametrize(
    ("holder", "said"),
    [
        ({"a": {"b": 7}}, "Expected `a.b` to be a string, but got a number."),
        ({"a": {"b": "hunter2".split()}}, "Expected `a.b` to be a string, but got a list."),
        ({"a": {"b": True}}, "Expected `a.b` to be a string, but got a boolean."),
        ({"a": ["hunter2"]}, "Expected `a` to be an object, but got a list."),
        ({"a": None}, "Expected `a.b` to be a string, but got nothing."),
        ({}, "Expected `a.b` to be a string, but got nothing."),
        ("hunter2", "Expected `the event` to be an object, but got a string."),
    ],
)
def test_an_error_names_the_field_and_the_type_alone(holder: Any, said: str) -> None:
    with pytest.raises(MalformedEvent) as caught:
        fields.text(holder, "a", "b")
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("1970-01-01T00:00:00.000Z", 0.0),
        ("1970-01-01T00:00:01.250Z", 1.25),
        ("1970-01-01T01:00:00+01:00", 0.0),
        ("1970-01-01T00:00:10", 10.0),
    ],
)
def test_times_are_seconds_since_the_epoch_and_utc(told: str, seconds: float) -> None:
    assert fields.time({"t": told}, "t") == seconds


@pytest.mark.parametrize("told", ["", "now", "2025-13-01T00:00:00Z", "\ud800"])
def test_what_is_no_time_is_refused(told: str) -> None:
    with pytest.raises(MalformedEvent, match="`t` to be a time, such as"):
        fields.time({"t": told}, "t")


@pytest.mark.parametrize("told", [None, True, "", "soon", [], 10**400, {}], ids=range(7))
def test_what_is_no_number_of_milliseconds_is_refused(told: object) -> None:
    with pytest.raises(MalformedEvent, match="`t` to be milliseconds since the epoch, but got"):
        fields.milliseconds({"t": told}, "t")


@pytest.mark.parametrize(
    ("kind", "told", "value"),
    [
        ("String", "a", "a"),
        ("String.label", "7", "7"),
        ("Number", "7", 7),
        ("Number.int", "-7", -7),
        ("Number", "7.50", 7.5),
        ("Number", "1e3", 1000.0),
        ("Binary", "AP8=", b"\x00\xff"),
        ("Binary.png", "", b""),
        ("String.Array", '["a", 1, true, null]', ["a", 1, True, None]),
    ],
)
def test_attributes_are_decoded_by_their_kind(kind: str, told: str, value: object) -> None:
    found = fields.attribute("name", kind, told)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("Number", "hunter2"),
        ("Number", "²"),
        ("Binary", "hunter2!"),
        ("Binary", "aGk=hunter2"),
        ("Binary", "aG!k"),
        ("String.Array", "hunter2"),
    ],
)
def test_an_attribute_that_cannot_be_decoded_is_named_without_its_value(kind: str, told: str) -> None:
    with pytest.raises(MalformedEvent, match="the attribute 'pass'") as caught:
        fields.attribute("pass", kind, told)
    assert told not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({}, "`Records` to be a list, but got nothing"),
        ([], "`the event` to be an object, but got a list"),
        ({"Records": "abc"}, "`Records` to be a list, but got a string"),
        ({"Records": [{"eventSource": "aws:sqs"}, "abc"]}, "number 2 is a string"),
        ({"Records": [{"eventSource": "aws:sqs"}, {"eventSource": "aws:s3"}]}, "of aws:sqs, but number 2 is not"),
        ({"Records": [{"EventSource": "aws:sqs"}]}, "of aws:sqs, but number 1 is not"),
    ],
)
def test_records_are_objects_of_one_source(event: Any, said: str) -> None:
    with pytest.raises(MalformedEvent, match=said):
        fields.raw_records(event, "aws:sqs")


@pytest.mark.parametrize("number", [0, 2])
def test_there_is_one_record_where_there_has_to_be_one(number: int) -> None:
    with pytest.raises(MalformedEvent, match=f"one record of aws:ses, but there are {number}"):
        fields.only({"Records": [{"eventSource": "aws:ses"}] * number}, "aws:ses")
