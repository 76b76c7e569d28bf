"""Which records a function wants."""

from __future__ import annotations

import json

import pytest

from lambent.dev.sources.patterns import parse


def wants(pattern: object, body: object, **more: object) -> bool:
    text = body if isinstance(body, str) else json.dumps(body)
    return parse(json.dumps(pattern))({"body": text, "messageId": "m1", **more})


ORDER = {"kind": "order", "total": 25.5, "tags": ["new", "big"], "paid": True, "note": None, "to": {"city": "Berlin"}}


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ({"kind": ["order"]}, True),
        ({"kind": ["invoice", "order"]}, True),
        ({"kind": ["invoice"]}, False),
        ({"kind": ["order"], "total": [1]}, False),
        ({"total": [25.5]}, True),
        ({"paid": [True]}, True),
        ({"paid": [1]}, False),
        ({"note": [None]}, True),
        ({"absent": [None]}, False),
        ({"tags": ["big"]}, True),
        ({"tags": ["small"]}, False),
        ({"to": {"city": ["Berlin"]}}, True),
        ({"kind": {"city": ["Berlin"]}}, False),
        ({"total": [{"numeric": [">", 0, "<=", 25.5]}]}, True),
        ({"total": [{"numeric": ["<", 25.5]}]}, False),
        ({"kind": [{"numeric": [">", 0]}]}, False),
        ({"kind": [{"prefix": "or"}]}, True),
        ({"kind": [{"suffix": "or"}]}, False),
        ({"total": [{"prefix": "2"}]}, False),
        ({"kind": [{"equals-ignore-case": "ORDER"}]}, True),
        ({"kind": [{"anything-but": ["order"]}]}, False),
        ({"kind": [{"anything-but": "invoice"}]}, True),
        ({"kind": [{"anything-but": {"prefix": "or"}}]}, False),
        ({"absent": [{"anything-but": "x"}]}, False),
        ({"absent": [{"exists": False}]}, True),
        ({"kind": [{"exists": True}]}, True),
        ({"to": {"street": [{"exists": True}]}}, False),
        ({"$or": [{"kind": ["invoice"]}, {"paid": [True]}]}, True),
        ({"$or": [{"kind": ["invoice"]}, {"paid": [False]}]}, False),
    ],
)
def test_a_body_of_json_is_looked_into(pattern: object, wanted: bool) -> None:
    assert wants({"body": pattern}, ORDER) is wanted


DEEP = "[" * 100_000


def test_what_is_nested_too_deep_to_be_read_is_no_json() -> None:
    assert wants({"body": [{"prefix": "[["}]}, DEEP)
    assert not wants({"body": {"kind": ["order"]}}, DEEP)
    with pytest.raises(ValueError, match=r"^expected a pattern of JSON, but got "):
        parse(DEEP)


def test_text_is_compared_as_it_is() -> None:
    assert wants({"body": ["hello"]}, "hello")
    assert wants({"body": [{"prefix": "he"}]}, "hello")
    assert not wants({"body": ["hello"]}, "bye")


def test_a_body_of_another_kind_is_not_wanted() -> None:
    assert not wants({"body": {"kind": ["order"]}}, "hello")
    assert not wants({"body": {"kind": ["order"]}}, "[1]")
    assert not wants({"body": [{"prefix": "{"}]}, ORDER)


def test_other_fields_are_looked_at_too() -> None:
    assert wants({"messageId": ["m1"]}, ORDER)
    assert not wants({"messageId": ["m2"]}, "hello")
    assert wants({"attributes": {"MessageGroupId": ["a"]}}, "x", attributes={"MessageGroupId": "a"})


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("{", "expected a pattern of JSON, but got '{'"),
        ("[]", 'expected a pattern such as {"body": {"kind": ["order"]}}, but got'),
        ("{}", "expected a pattern such as"),
        ('{"body": "x"}', "expected a list of values at 'body', such as [\"x\"]"),
        ('{"body": []}', "expected a list of values at 'body'"),
        ('{"body": [{"like": "x"}]}', "expected one of anything-but, cidr, equals-ignore-case, exists, numeric"),
        ('{"body": [{}]}', "expected one of anything-but"),
        ('{"body": [{"prefix": 1}]}', "expected prefix with a text, but got 1"),
        ('{"body": [{"exists": "yes"}]}', 'expected exists with true or false, but got "yes"'),
        ('{"body": [{"numeric": [">"]}]}', 'expected numeric with comparisons, such as [">", 0, "<=", 100], but got'),
        ('{"body": [{"numeric": ["!", 1]}]}', "expected numeric with comparisons"),
        ('{"body": [{"numeric": [["="], 1]}]}', "expected numeric with comparisons"),
        ('{"body": [{"numeric": ["=", true]}]}', "expected numeric with comparisons"),
    ],
)
def test_a_mistake_says_what_was_expected(pattern: str, expected: str) -> None:
    with pytest.raises(ValueError) as told:
        parse(pattern)
    assert str(told.value).startswith(expected)
