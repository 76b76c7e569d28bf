"""Which records a function wants, and which of two asks for more."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.events.model import Record
from lambent.events.selection import Selection


class Thing(Record):
    """A record with whatever properties."""

    __slots__ = ("__dict__",)

    def __init__(self, **properties: Any) -> None:
        super().__init__({})
        self.__dict__.update(properties)

    def __getattribute__(self, name: str) -> Any:
        properties = object.__getattribute__(self, "__dict__")
        return properties[name] if name in properties else super().__getattribute__(name)


def s3(name: str = "*", event: str = "*", key: str = "*", pattern: dict[str, Any] | None = None) -> Selection:
    return Selection("s3", {"name": name, "event_name": event, "key": key}, pattern)


PUT = Thing(name="uploads", event_name="ObjectCreated:Put", key="images/lamp.png", body={"size": 7})


@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        (s3(), True),
        (s3("uploads"), True),
        (s3("upload"), False),
        (s3("Uploads"), False),
        (s3("up*"), True),
        (s3("*loads"), True),
        (s3("up?oads"), True),
        (s3("down*"), False),
        (s3("uploads", "ObjectCreated:*"), True),
        (s3("uploads", "ObjectRemoved:*"), False),
        (s3(key="images/*.png"), True),
        (s3(key="images/*.jpg"), False),
        (s3(key="[*]*"), False),
        (s3(pattern={"size": [7]}), True),
        (s3(pattern={"size": [8]}), False),
        (s3("other", pattern={"size": [7]}), False),
    ],
)
def test_a_record_is_wanted_if_all_conditions_hold(selection: Selection, wanted: bool) -> None:
    assert selection.matches(PUT) is wanted


def test_what_is_not_asked_for_is_not_looked_at() -> None:
    class Malformed(Record):
        @property
        def name(self) -> str:
            raise ValueError

    assert s3().matches(Malformed({}))
    with pytest.raises(ValueError):
        s3("uploads").matches(Malformed({}))


@pytest.mark.parametrize(
    ("less", "more"),
    [
        (s3(), s3("up*")),
        (s3("up*"), s3("uploads")),
        (s3("up*"), s3("upload*")),
        (s3("*"), s3("*", "ObjectCreated:*")),
        (s3("uploads"), s3("uploads", "ObjectCreated:*")),
        (s3("up*", "ObjectCreated:*", "images/*"), s3("uploads")),
        (s3("uploads"), s3("uploads", pattern={"size": [7]})),
        (s3("uploads", "ObjectCreated:*"), s3("uploads", "ObjectCreated:Put")),
        (s3("????*"), s3("u*")),
        (s3("up*", "ObjectCreated:Put"), s3("uploads")),
        (s3("*", "ObjectCreated:Put", "a/b"), s3("uploads")),
    ],
)
def test_what_asks_for_more_ranks_higher(less: Selection, more: Selection) -> None:
    assert less.rank < more.rank
    assert not less.rivals(more)


@pytest.mark.parametrize(
    ("one", "other", "rivals"),
    [
        (s3("ab-*"), s3("*-cd"), True),
        (s3("ab-*"), s3("cd-*"), False),
        (s3("ab*"), s3("*ab"), True),
        (s3("a?c*"), s3("abd*"), False),
        (s3("a?c"), s3("?bc"), True),
        (s3("a?c"), s3("?bd"), False),
        (s3("[ab]x*"), s3("[bc]x*"), True),
        (s3("[ab]*xy"), s3("c*xy"), False),
        (s3("[!a]*x"), s3("b*"), True),
        (s3("ab*", "ObjectCreated:*"), s3("*cd", "ObjectRemoved:*"), False),
        (s3(event="abc"), s3(key="key"), True),
        (s3("abc"), s3(key="key"), False),
        (s3("abc"), s3("abd"), False),
        (s3(key="a/*"), s3(event="b/*"), True),
        (s3(pattern={"size": [7]}), s3(pattern={"size": [8]}), False),
        (s3("ab*", pattern={"size": [7]}), s3("*ab", pattern={"size": [7]}), True),
        (s3("ab-*"), Selection("sqs", {"name": "*-cd"}), False),
    ],
)
def test_two_are_rivals_if_something_fits_both_and_neither_asks_for_more(
    one: Selection, other: Selection, rivals: bool
) -> None:
    assert one.rivals(other) is rivals
    assert other.rivals(one) is rivals


GLOBS = st.text("ab*?", min_size=1, max_size=6)


@given(one=GLOBS, other=GLOBS, text=st.text("ab", max_size=8))
def test_what_fits_both_makes_them_rivals(one: str, other: str, text: str) -> None:
    first, second = s3(one), s3(other)
    if fnmatchcase(text, one) and fnmatchcase(text, other) and first.rank == second.rank:
        assert first.rivals(second)
    assert first.matches(Thing(name=text)) is fnmatchcase(text, one)


@given(one=GLOBS, other=GLOBS)
def test_rivals_have_something_that_fits_both(one: str, other: str) -> None:
    if s3(one).rivals(s3(other)):
        longest = len(one) + len(other)
        texts = [""]
        for text in texts:  # grows while it is walked
            if fnmatchcase(text, one) and fnmatchcase(text, other):
                return
            if len(text) < min(longest, 10):
                texts += [text + letter for letter in "ab"]
        raise AssertionError(f"nothing fits both {one} and {other}")


def test_long_prefixes_are_compared_in_little_time() -> None:
    prefix, suffix = "a" * 1000 + "*", "*" + "a" * 1000
    assert s3(key=prefix).rivals(s3(key=suffix))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (s3("uploads"), s3("uploads"), True),
        (s3("uploads"), s3("uploads", "*"), True),
        (s3("uploads"), s3("upload*"), False),
        (s3(pattern={"a": [1], "b": [2]}), s3(pattern={"b": [2], "a": [1]}), True),
        (s3(pattern={"a": [1]}), s3(pattern={"a": [2]}), False),
        (s3(), s3(pattern={"a": [2]}), False),
        (Selection("sqs", {"name": "a"}), Selection("sns", {"name": "a"}), False),
    ],
)
def test_two_that_want_the_same_have_one_key(one: Selection, other: Selection, same: bool) -> None:
    assert (one.key == other.key) is same


@pytest.mark.parametrize(
    ("selection", "told"),
    [
        (s3(), "s3 (any)"),
        (s3("uploads", "Object*"), "s3 (name 'uploads', event_name 'Object*')"),
        (s3("uploads", pattern={"size": [7]}), "s3 (name 'uploads' and a pattern)"),
    ],
)
def test_it_tells_what_it_asks_for(selection: Selection, told: str) -> None:
    assert str(selection) == told


@pytest.mark.parametrize(
    ("selection", "only"),
    [(s3(), True), (s3("a*"), True), (s3("a", "b"), False), (s3("a", pattern={"size": [7]}), False)],
)
def test_it_knows_if_it_asks_for_a_name_only(selection: Selection, only: bool) -> None:
    assert selection.asks_name_only is only
