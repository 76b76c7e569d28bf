"""Texts → values."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Literal, NewType, Optional, TypeVar
from uuid import UUID

import annotated_types
import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.api.binding.texts import is_many, only_text, reader
from lambent.errors import ConfigurationError
from lambent.values.mismatch import Mismatch


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Lenient(Enum):
    YES = "yes"

    @classmethod
    def _missing_(cls, value: object) -> Lenient | None:
        return cls.YES if value == "oui" else None


class Word:
    """What pydantic makes by its own rules, as EmailStr is."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        return handler.generate_schema(Annotated[str, pydantic.StringConstraints(pattern="^[a-z]+$")])


UserId = NewType("UserId", int)
Bounded = TypeVar("Bounded", bound=int)

U = UUID("12345678-1234-5678-1234-567812345678")

TAKEN: list[tuple[Any, Any, Any]] = [
    (str, "a", "a"),
    (str, "", ""),
    (Any, "1", "1"),
    (object, "1", "1"),
    (..., "1", "1"),
    (int, "5", 5),
    (int, "-5", -5),
    (int, "007", 7),
    (int, "0", 0),
    (int, "1" * 4000, int("1" * 4000)),
    (float, "1.5", 1.5),
    (float, "-1e3", -1000.0),
    (float, "2", 2.0),
    (bool, "TRUE", True),
    (bool, "0", False),
    (bool, "yes", True),
    (bool, "Off", False),
    (Decimal, "1.10", Decimal("1.10")),
    (UUID, str(U), U),
    (date, "2026-01-02", date(2026, 1, 2)),
    (time, "12:30:00", time(12, 30)),
    (datetime, "2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
    (bytes, "YQ==", b"a"),
    (Colour, "red", Colour.RED),
    (Level, "2", Level.HIGH),
    (Lenient, "oui", Lenient.YES),
    (Literal["a", 1, True], "1", 1),
    (Literal["a", 1, True], "true", True),
    (Literal[Colour.RED], "red", Colour.RED),
    (int | None, "5", 5),
    (Optional[bool], "on", True),  # noqa: UP045 - people write it
    (str | int, "5", 5),
    (str | int, "x", "x"),
    (int | bool, "1", 1),
    (bool | int, "true", True),
    (float | int, "1", 1),
    (float | int, "1.0", 1.0),
    (int | UUID, "1" * 32, UUID("1" * 32)),
    (datetime | date, "2026-01-02", date(2026, 1, 2)),
    (int | Literal["5"], "5", "5"),
    (str | Colour, "red", Colour.RED),
    (list[int], ["1", "2"], [1, 2]),
    (list, ["a"], ["a"]),
    (set[int], ["1", "1"], {1}),
    (frozenset[Colour], ["red"], frozenset({Colour.RED})),
    (tuple[int, ...], ["1", "2"], (1, 2)),
    (tuple[int, str], ["1", "2"], (1, "2")),
    (tuple, ["1"], ("1",)),
    (Sequence[int], ["1"], [1]),
    (Iterable[int], ["1"], [1]),
    (list[int] | None, ["1"], [1]),
    (list[int | None], ["1"], [1]),
    (int | list[int], ["1"], 1),
    (int | list[int], ["1", "2"], [1, 2]),
    (UserId, "5", 5),
    (Bounded, "5", 5),
    (Annotated[int, "a word"], "5", 5),
    (Annotated[int, pydantic.Field(ge=1)], "5", 5),
    (Annotated[int, annotated_types.Ge(1)], "5", 5),
    (Annotated[int, pydantic.Field(ge=1)] | None, "5", 5),
    (list[Annotated[int, pydantic.Field(ge=1)]], ["5"], [5]),
    (Annotated[list[int], pydantic.Field(min_length=1)], ["5"], [5]),
    (Annotated[int, msgspec.Meta(ge=1)], "5", 5),
    (list[Annotated[int, msgspec.Meta(ge=1)]], ["5", "6"], [5, 6]),
    (Word, "abc", "abc"),
]


@pytest.mark.parametrize(("annotation", "text", "expected"), TAKEN, ids=repr)
def test_a_value_is_made(annotation: Any, text: Any, expected: Any) -> None:
    found = reader(annotation)
    made = found.convert(text)
    assert made == expected
    assert type(made) is type(expected)
    assert found.many is isinstance(text, list)


REFUSED: list[tuple[Any, Any]] = [
    *[
        (int, each)
        for each in ["", "x", "1.0", "1e3", "+1", " 1", "1 ", "1_0", "--1", "-", "٣", "²", "0x1", "9" * 4001]
    ],
    *[(float, each) for each in ["", "x", "nan", "inf", "-Infinity", "1_0", " 1", "1e999", "٣", "0x1", "9" * 4001]],
    *[(bool, each) for each in ["", "2", "t", "ja", "true ", "x" * 10_000]],
    *[(Decimal, each) for each in ["", "x", "NaN", "Infinity", "1_0", " 1", "9" * 4001]],
    *[(UUID, each) for each in ["", "x", str(U) + "0", "{" + str(U) + "}"]],
    *[(date, each) for each in ["", "x", "20260102", "2026-13-01", "2026-01-02T00:00:00"]],
    *[(datetime, each) for each in ["", "x", "2026-01-02", "1767322800"]],
    *[(time, each) for each in ["", "x", "1200", "25:00"]],
    (bytes, "!"),
    (Colour, "RED"),
    (Colour, ""),
    (Level, "3"),
    (Level, "True"),
    (Lenient, "non"),
    (Literal["a", 1], "b"),
    (int | None, ""),
    (int | None, "null"),
    (int | bool, "x"),
    (list[int], ["1", "x"]),
    (tuple[int, str], ["1"]),
    (tuple[int, str], ["1", "2", "3"]),
    (int | list[int], ["1", "x"]),
    (Annotated[int, pydantic.Field(ge=1)], "0"),
    (Annotated[int, pydantic.Field(ge=1)], "x"),
    (Annotated[int, msgspec.Meta(ge=1)], "0"),
    (Word, "ABC"),
]


@pytest.mark.parametrize(("annotation", "text"), REFUSED, ids=repr)
def test_what_does_not_fit_is_refused(annotation: Any, text: Any) -> None:
    with pytest.raises(Mismatch):
        reader(annotation).convert(text)


def test_all_items_that_do_not_fit_are_told() -> None:
    with pytest.raises(Mismatch) as raised:
        reader(list[int]).convert(["1", "x", "2", "y"])
    assert raised.value.steps == [1]
    assert [each.steps for each in raised.value.beside] == [[3]]


@pytest.mark.parametrize("annotation", [list[list[int]], complex, "int", type[int], list[tuple[int, int]]])
def test_what_is_not_made_of_text_is_a_fault_of_the_function(annotation: Any) -> None:
    with pytest.raises(ConfigurationError):
        reader(annotation)


class Lazy:
    """As `type Rows = list[Rows]` is: its value is made when it is asked for."""

    @property
    def __value__(self) -> Any:
        return list[self] | int  # type: ignore[valid-type]  # made at run time


def test_an_alias_that_has_itself_in_it_is_not_made_of_text() -> None:
    for alias in (Lazy(), list[Lazy()]):  # type: ignore[misc]  # made at run time
        with pytest.raises(ConfigurationError, match="has itself in it"):
            reader(alias)


def test_a_union_with_a_list_takes_many() -> None:
    assert is_many(list[int] | None)
    assert is_many(Annotated[set[int] | int, "a word"])
    assert not is_many(str)
    assert not is_many(bytes)


def test_a_file_is_no_text() -> None:
    convert = only_text(reader(str).convert)
    assert convert("a") == "a"
    with pytest.raises(Mismatch):
        convert(object())
    with pytest.raises(Mismatch):
        only_text(reader(list[str]).convert)(["a", object()])


# Properties

MEMBERS: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (str, st.text()),
    (int, st.integers()),
    (float, st.floats(allow_nan=False, allow_infinity=False)),
    (bool, st.booleans()),
    (Decimal, st.decimals(allow_nan=False, allow_infinity=False)),
    (UUID, st.uuids()),
    (date, st.dates()),
    (datetime, st.datetimes(timezones=st.just(UTC) | st.none())),
    (time, st.times()),
    (Colour, st.sampled_from(Colour)),
    (Level, st.sampled_from(Level)),
    (Literal["a", 1, True], st.sampled_from(["a", 1, True])),
    (int | None, st.integers()),
    (int | date | None, st.integers() | st.dates()),
]


def spelled(value: Any) -> str:
    match value:
        case Enum():
            return str(value.value)
        case date() | time():
            return value.isoformat()
        case bool():
            return str(value).lower()
    return str(value)


@pytest.mark.parametrize(("annotation", "values"), MEMBERS, ids=repr)
@given(data=st.data())
def test_what_a_value_is_written_as_is_the_value_again(annotation: Any, values: Any, data: st.DataObject) -> None:
    value = data.draw(values)
    made = reader(annotation).convert(spelled(value))
    assert made == value
    assert type(made) is type(value)


@pytest.mark.parametrize(("annotation", "values"), MEMBERS, ids=repr)
@given(data=st.data())
def test_a_list_of_values_comes_back(annotation: Any, values: Any, data: st.DataObject) -> None:
    drawn = data.draw(st.lists(values, max_size=4))
    assert reader(list[annotation]).convert([spelled(each) for each in drawn]) == drawn


ANNOTATIONS: list[Any] = [
    *[annotation for annotation, _ in MEMBERS],
    bytes,
    str | int,
    int | list[int],
    list[int | bool],
    tuple[int, UUID],
    set[Decimal],
    Annotated[int, pydantic.Field(ge=1)],
    Annotated[datetime, msgspec.Meta(tz=True)],
    Word,
]
TEXTS = (
    st.text() | st.from_regex(r"[-+0-9a-fA-F.:TZ_e ]{0,40}", fullmatch=True) | st.sampled_from(["nan", "\ud800", "\0"])
)


@pytest.mark.parametrize("annotation", ANNOTATIONS, ids=repr)
@given(texts=st.lists(TEXTS, min_size=1, max_size=3))
def test_nothing_but_a_mismatch_comes_of_any_text(annotation: Any, texts: list[str]) -> None:
    with suppress(Mismatch):
        made = reader(annotation).of_list(texts)
        assert not isinstance(made, float) or math.isfinite(made)


@pytest.mark.parametrize("annotation", ANNOTATIONS, ids=repr)
def test_a_mismatch_has_no_word_of_the_text(annotation: Any) -> None:
    found = reader(annotation)
    with suppress(Mismatch):  # a text is one
        found.of_list(["secret-1", "secret-2"])
        return
    with pytest.raises(Mismatch) as raised:
        found.of_list(["secret-1", "secret-2"])
    assert "secret" not in f"{raised.value} {raised.value.words} {[str(each) for each in raised.value.all()]}"
