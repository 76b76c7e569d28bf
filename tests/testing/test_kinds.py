"""What can be said of each kind."""

from typing import Any

import pytest

from lambent.dev.doors import DOORS
from lambent.testing.kinds import FLAG, KINDS, READINGS, options, pair, records


@pytest.mark.parametrize("kind", KINDS)
def test_every_parameter_of_a_builder_is_an_option(kind: str) -> None:
    found = options(KINDS[kind])
    names = [each.name for each in found]
    assert len(set(names)) == len(names)
    assert all(each.reading in (FLAG, *READINGS.values()) for each in found)
    assert not {"--set", "--seed", "--time", "--region", "--account", "--records"} & set(names)


def test_every_door_is_a_kind() -> None:
    assert DOORS.keys() <= KINDS.keys()


@pytest.mark.parametrize(
    ("text", "said"),
    [("a=b", ("a", "b")), ("a=7", ("a", "7")), ("a:=7", ("a", 7)), ("a=", ("a", "")), ("a=b=c", ("a", "b=c"))],
)
def test_a_pair_is_text_unless_it_says_otherwise(text: str, said: tuple[str, Any]) -> None:
    assert pair(text) == said


@pytest.mark.parametrize("text", ["a", "=b", ":=1", "a:=x"])
def test_what_is_no_pair_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        pair(text)


def test_records_take_turns() -> None:
    (bodies, *_) = options(KINDS["sqs"])
    assert records(["a", "b"], None, bodies) == ["a", "b"]
    assert records(["a", "b"], 3, bodies) == ["a", "b", "a"]
    assert records([], 2, bodies) == ["Hello!", "Hello!"]
    assert records([], None, bodies) == []
