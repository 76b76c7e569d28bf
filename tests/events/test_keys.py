"""By what records are known again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.errors import ConfigurationError, DecodingError
from lambent.events.keys import digest, is_missing, reader
from lambent.events.model import Record
from lambent.events.sources import named
from lambent.testing import events


def record(event: Any, source: str = "sqs") -> Record:
    return named(source).source.records(event)[0]


ORDER = {"order": {"id": 7, "lines": [{"sku": "a"}, {"sku": "b"}]}, "empty": None}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("body.order.id", 7),
        ("body.order.lines.1.sku", "b"),
        ("body.empty", None),
        ("queue", "my-queue"),
        (lambda each: each.body[:3], '{"o'),
    ],
)
def test_a_key_is_read(key: Any, value: object) -> None:
    assert reader(key)(record(events.sqs(ORDER))) == value


def test_a_body_that_is_a_value_already_is_read() -> None:
    assert reader("body.id")(record(events.eventbridge({"id": 9}), "eventbridge")) == 9


def test_a_property_may_be_a_slot() -> None:
    assert reader("virtual_host")(record(events.rabbitmq("a", virtual_host="/x"), "rabbitmq")) == "/x"


def test_bytes_are_read() -> None:
    assert reader("body.id")(record(events.rabbitmq({"id": 3}), "rabbitmq")) == 3


@pytest.mark.parametrize("key", ["", ".", "body.", "body..id", ".id", 5.0, ["body.id"]])
def test_what_is_no_key_is_refused(key: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"Expected a property such as `id`"):
        reader(key)


@pytest.mark.parametrize("name", ["order_id", "__class__", "_x", "__init__", "__doc__", "body_id"])
def test_another_property_is_told_how_to_reach_the_body(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"no property '{name}'.*say body.{name}"):
        reader(name)(record(events.sqs(ORDER)))


def test_without_an_id_the_error_says_what_to_give() -> None:
    with pytest.raises(ConfigurationError, match=r"rabbitmq has no id .* Idempotency\(key=...\)"):
        reader("id")(record(events.rabbitmq("a"), "rabbitmq"))


@pytest.mark.parametrize(
    ("body", "path", "step"),
    [
        (ORDER, "body.order.name", "name"),
        (ORDER, "body.order.lines.2", "2"),
        (ORDER, "body.order.lines.x", "x"),
        (ORDER, "body.order.id.x", "x"),
        (ORDER, "body.empty.x", "x"),
        ([1], "body.x", "x"),
        ('"text"', "body.0.x", "0"),
    ],
)
def test_a_path_that_leads_nowhere_is_named_without_values(body: Any, path: str, step: str) -> None:
    with pytest.raises(DecodingError, match=f"have {path}, but there is no '{step}'"):
        reader(path)(record(events.sqs(body)))


@pytest.mark.parametrize("body", ["pa55 {", "[" * 100_000, ""])
def test_a_body_that_is_no_json_is_said_to_be_none(body: str) -> None:
    with pytest.raises(DecodingError, match=r"Expected JSON with body.id") as caught:
        reader("body.id")(record(events.sqs(body)))
    assert "pa55" not in str(caught.value)


@pytest.mark.parametrize("value", [None, "", b"", [], (), {}, [None], (None, None), {"a": None}])
def test_what_tells_nothing_is_missing(value: object) -> None:
    assert is_missing(value)


@pytest.mark.parametrize("value", [0, False, "0", [0], [None, 1], {"a": 0}, 0.0])
def test_what_tells_something_is_not(value: object) -> None:
    assert not is_missing(value)


def test_a_set_has_a_digest_however_it_is_ordered() -> None:
    assert digest({"a", "b", "c"}) == digest({"c", "b", "a"}) == digest(["a", "b", "c"])
    assert digest({b"b", b"a"}) == digest([b"a", b"b"])


def test_a_digest_is_that_of_the_value_however_it_is_ordered() -> None:
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1})
    assert digest((1, 2)) == digest([1, 2])
    different: list[Any] = [1, "1", [1], {"1": 1}, b"1", True, None, "é", "\ud800"]
    assert len({digest(each) for each in different}) == len(different)
    assert len(digest("x" * 10_000)) == 64


def test_what_no_json_can_hold_has_no_digest() -> None:
    with pytest.raises(DecodingError, match=r"Expected a key that JSON can hold, or bytes, but: .* object"):
        digest(object())


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=6))
def test_any_json_has_a_digest(value: object) -> None:
    assert int(digest(value), 16) >= 0
