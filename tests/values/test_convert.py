"""What values become by annotations: every kind of them, what is refused, and that pydantic and msgspec agree."""

import json
import math
import subprocess
import sys
import typing
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import InitVar, asdict, dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum, Flag, IntEnum
from typing import (
    Annotated,
    Any,
    ClassVar,
    Generic,
    Literal,
    NamedTuple,
    NewType,
    NotRequired,
    Optional,
    Required,
    TypedDict,
    TypeVar,
)
from uuid import UUID

import msgspec
import pydantic
import pytest
import typing_extensions
from hypothesis import example, given
from hypothesis import strategies as st
from typing_extensions import TypeAliasType

from lambent.errors import ConfigurationError, DecodingError
from lambent.values.convert import converter, json_converter

T = TypeVar("T")
UserId = NewType("UserId", int)


class Colour(Enum):
    RED = "red"
    GREEN = "green"


class Level(IntEnum):
    LOW = 1


class Right(Flag):
    READ = 1
    WRITE = 2


class Place(NamedTuple):
    x: int
    y: float = 0.5


class Total(TypedDict):
    id: int
    note: NotRequired[str]


class Partial(TypedDict, total=False):
    id: Required[int]
    note: str


@dataclass
class Item:
    name: str
    price: float
    count: int = 1


@dataclass
class Order:
    id: int
    items: list[Item]
    placed: datetime
    colour: Colour = Colour.RED
    note: str | None = None
    tags: set[str] = field(default_factory=set)


@dataclass
class Node:
    value: int
    children: list["Node"] = field(default_factory=list)


@dataclass
class Page(Generic[T]):
    entries: list[T]


@dataclass
class Sum:
    KIND: ClassVar[str] = "sum"
    a: int
    extra: InitVar[int]
    total: int = field(init=False)

    def __post_init__(self, extra: int) -> None:
        if extra < 0:
            raise ValueError(f"secret {extra}")
        self.total = self.a + extra


@dataclass
class Cat:
    kind: Literal["cat"]
    lives: int = 9


@dataclass
class Dog:
    kind: Literal["dog"]
    barks: bool = True


@dataclass
class Brief:
    id: int


@dataclass
class Full:
    id: int
    name: str = ""


TAKEN: list[tuple[Any, Any, Any]] = [
    (Brief | Full, {"id": 1, "name": "a"}, Full(1, "a")),
    (Full | Brief, {"id": 1, "name": "a"}, Full(1, "a")),
    (Brief | Full, {"id": 1}, Brief(1)),
    (str, "a", "a"),
    (int, 3, 3),
    (int, 3.0, 3),
    (int, -0.0, 0),
    (int, Decimal("3.0"), 3),
    (int, 2.0**53 - 1, 2**53 - 1),
    (float, 3, 3.0),
    (float, 3.5, 3.5),
    (float, Decimal("3.5"), 3.5),
    (bool, True, True),
    (None, None, None),
    (Any, {"a": [1]}, {"a": [1]}),
    (object, 1, 1),
    (bytes, "AP8=", b"\x00\xff"),
    (bytes, b"a", b"a"),
    (Decimal, "1.50", Decimal("1.50")),
    (Decimal, 1, Decimal(1)),
    (Decimal, 0.1, Decimal("0.1")),
    (datetime, "2026-01-01T12:00:00Z", datetime(2026, 1, 1, 12, tzinfo=UTC)),
    (datetime, datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)),
    (date, "2026-01-01", date(2026, 1, 1)),
    (time, "12:30:00", time(12, 30)),
    (UUID, "12345678-1234-5678-1234-567812345678", UUID("12345678123456781234567812345678")),
    (UUID, "12345678123456781234567812345678", UUID("12345678123456781234567812345678")),
    (Colour, "red", Colour.RED),
    (Level, 1, Level.LOW),
    (Right, 3, Right.READ | Right.WRITE),
    (Level, 1.0, Level.LOW),
    (Literal["a", 1], 1, 1),
    (Literal["a", 1], 1.0, 1),
    (Literal[Colour.RED], "red", Colour.RED),
    (Optional[int], None, None),  # noqa: UP045 - as older code has it
    (int | None, 3, 3),
    (str | int, 3, 3),
    (float | int, 3, 3),
    (float | int, 3.0, 3.0),
    (str | int, 3.0, 3),
    (dict[str, int], {"a": 1e3}, {"a": 1000}),
    (float | str, 3, 3.0),
    (datetime | int, "2026-01-01T12:00:00Z", datetime(2026, 1, 1, 12, tzinfo=UTC)),
    (Cat | Dog, {"kind": "dog"}, Dog("dog")),
    (Item | Order, {"name": "a", "price": 1}, Item("a", 1.0)),
    (list, [1, "a"], [1, "a"]),
    (list[int], [1, 2], [1, 2]),
    (Sequence[int], [1, 2], [1, 2]),
    (tuple, [1], (1,)),
    (tuple[int, str], [1, "a"], (1, "a")),
    (tuple[int, ...], [1, 2, 3], (1, 2, 3)),
    (tuple[()], [], ()),
    (set[str], ["a", "a"], {"a"}),
    (set[str], {"a"}, {"a"}),
    (frozenset[int], [1], frozenset({1})),
    (dict, {"a": 1}, {"a": 1}),
    (dict[str, int], {"a": 1}, {"a": 1}),
    (dict[int, str], {"1": "a", "-2": "b", "0": "c"}, {1: "a", -2: "b", 0: "c"}),
    (dict[UserId, str], {"1": "a"}, {UserId(1): "a"}),
    (dict[Annotated[int, "positive"], str], {"1": "a"}, {1: "a"}),
    (dict[Colour, int], {"red": 1}, {Colour.RED: 1}),
    (Mapping[str, Any], {"a": 1}, {"a": 1}),
    (Annotated[int, "positive"], 1, 1),
    (UserId, 7, 7),
    (Place, {"x": 1}, Place(1)),
    (Place, [1, 2], Place(1, 2.0)),
    (Total, {"id": 1, "more": 2}, {"id": 1}),
    (Partial, {"id": 1, "note": "a"}, {"id": 1, "note": "a"}),
    (Item, {"name": "a", "price": 1, "more": 2}, Item("a", 1.0)),
    (Node, {"value": 1, "children": [{"value": 2}]}, Node(1, [Node(2)])),
    (Page[Item], {"entries": [{"name": "a", "price": 1}]}, Page([Item("a", 1.0)])),
    (Page[int], {"entries": [1]}, Page([1])),
    (Page, {"entries": ["anything"]}, Page(["anything"])),
]

REFUSED: list[tuple[Any, Any, str]] = [
    (int, "3", "Expected `$` to be an integer, but got a string."),
    (int, True, "Expected `$` to be an integer, but got a boolean."),
    (int, 3.5, "Expected `$` to be an integer, but got a number."),
    (int, 2.0**53, "Expected `$` to be an integer, but got a number."),
    (int, float("inf"), "Expected `$` to be an integer, but got a number."),
    (int, float("nan"), "Expected `$` to be an integer, but got a number."),
    (int, Decimal("3.5"), "Expected `$` to be an integer, but got a Decimal."),
    (int, Decimal("NaN"), "Expected `$` to be an integer, but got a Decimal."),
    (int, Decimal("1e999999"), "Expected `$` to be an integer, but got a Decimal."),
    (float, "3", "Expected `$` to be a number, but got a string."),
    (float, True, "Expected `$` to be a number, but got a boolean."),
    (float, 10**400, "Expected `$` to be a number that a float can be, but it is too large."),
    (str, 3, "Expected `$` to be a string, but got an integer."),
    (bool, 1, "Expected `$` to be a boolean, but got an integer."),
    (None, 0, "Expected `$` to be null, but got an integer."),
    (bytes, "secret!", "Expected `$` to be base64, but it is not."),
    (bytes, 3, "Expected `$` to be base64, but got an integer."),
    (Decimal, "secret", "Expected `$` to be a decimal number, but it is none."),
    (Decimal, "1e99999999999999999999", "Expected `$` to be a decimal number, but it is none."),
    (Decimal, "NaN", "Expected `$` to be a decimal number, but it is none."),
    (Decimal, [], "Expected `$` to be a decimal number, but got an array."),
    (datetime, "2026-01-01", "Expected `$` to be a time, such as 2026-01-01T12:00:00Z, but it is none."),
    (datetime, 1, "Expected `$` to be a time, such as 2026-01-01T12:00:00Z, but got an integer."),
    (date, "20260101", "Expected `$` to be a date, such as 2026-01-01, but it is none."),
    (date, datetime(2026, 1, 1, tzinfo=UTC), "Expected `$` to be a date, such as 2026-01-01, but got a datetime."),
    (time, "12", "Expected `$` to be a time of day, such as 12:00:00, but it is none."),
    (UUID, "{12345678-1234-5678-1234-567812345678", "Expected `$` to be a UUID, but it is none."),
    (Colour, "secret", "Expected `$` to be a value of Colour, but it is none."),
    (Colour, 1, "Expected `$` to be a value of Colour, but got an integer."),
    (Level, True, "Expected `$` to be a value of Level, but got a boolean."),
    (Literal["a", 1], 1.5, "Expected `$` to be 'a' or 1, but it is not."),
    (Level, 1.5, "Expected `$` to be a value of Level, but got a number."),
    (Literal["a", 1], True, "Expected `$` to be 'a' or 1, but it is not."),
    (Literal["a"], [], "Expected `$` to be 'a', but got an array."),
    (str | int, 1.5, "Expected `$` to be str or int, but got a number that is none of them."),
    (Cat | Dog, {"kind": "cow"}, "Expected `$` to be Cat or Dog, but got an object that is none of them."),
    (list[int], [1, "2"], "Expected `$[1]` to be an integer, but got a string."),
    (list[int], {"a": 1}, "Expected `$` to be an array, but got an object."),
    (tuple[()], [1], "Expected `$` to be an array of 0, but it has 1."),
    (tuple[int, str], [1], "Expected `$` to be an array of 2, but it has 1."),
    (tuple[int, str], ["1", "a"], "Expected `$[0]` to be an integer, but got a string."),
    (set[Any], [[]], "Expected `$` to be an array of what can be in a set, but one of its items cannot."),
    (dict[str, int], {"a b": "1"}, "Expected `$['a b']` to be an integer, but got a string."),
    (dict[bytes, int], {b"a": "1"}, "Expected `$[b'a']` to be an integer, but got a string."),
    (dict[float, int], {1.5: "1"}, "Expected `$[1.5]` to be an integer, but got a string."),
    (dict[UserId, int], {"01": 1}, "Expected `$['01']` to be an integer as text, but it is none."),
    (dict[int, int], {"01": 1}, "Expected `$['01']` to be an integer as text, but it is none."),
    (Place, [1, 2, 3], "Expected `$` to be an object (Place), but got an array."),
    (Place, {}, "Expected `$.x` to be there, but it is missing."),
    (Total, {"note": "a"}, "Expected `$.id` to be there, but it is missing."),
    (Partial, {}, "Expected `$.id` to be there, but it is missing."),
    (Item, [], "Expected `$` to be an object (Item), but got an array."),
    (Item | None, {"name": 1, "price": 1}, "Expected `$.name` to be a string, but got an integer."),
    (Sum, {"a": 1, "extra": -1}, "Expected `$` to be what Sum takes, but it raised ValueError."),
    (Node, {"value": 1, "children": [{}]}, "Expected `$.children[0].value` to be there, but it is missing."),
    (Page[Item], {"entries": [{}]}, "Expected `$.entries[0].name` to be there, but it is missing."),
]


@pytest.mark.parametrize(("annotation", "value", "expected"), TAKEN, ids=repr)
def test_a_value_becomes_what_is_wanted(annotation: Any, value: Any, expected: Any) -> None:
    found = converter(annotation)(value)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(("annotation", "value", "message"), REFUSED, ids=repr)
def test_what_does_not_fit_is_told_by_place_and_type(annotation: Any, value: Any, message: str) -> None:
    with pytest.raises(DecodingError) as raised:
        converter(annotation)(value)
    assert str(raised.value) == message
    assert "secret" not in message
    assert raised.value.__cause__ is None


BARE: dict[str, tuple[Any, Any]] = {
    "List": ([1, "a"], [1, "a"]),
    "Sequence": ([1, "a"], [1, "a"]),
    "Iterable": ([1, "a"], [1, "a"]),
    "Tuple": ([1, "a"], (1, "a")),
    "Set": ([1, 1], {1}),
    "FrozenSet": ([1, 1], frozenset({1})),
    "Dict": ({"a": 1}, {"a": 1}),
    "Mapping": ({"a": 1}, {"a": 1}),
}


@pytest.mark.parametrize("name", BARE)
def test_names_of_typing_alone_hold_anything(name: str) -> None:
    value, expected = BARE[name]
    bare = getattr(typing, name)
    for annotation in (bare, bare | None):
        found = converter(annotation)(value)
        assert found == expected
        assert type(found) is type(expected)


def test_fields_of_a_dataclass_that_its_init_takes_are_given() -> None:
    found = converter(Sum)({"a": 1, "extra": 2, "total": 100, "KIND": "x"})
    assert (found.total, found.KIND) == (3, "sum")


def test_a_place_is_told_from_the_outside() -> None:
    order = {
        "id": 1,
        "placed": "2026-01-01T12:00:00Z",
        "items": [{"name": "a", "price": 1}, {"name": "b", "price": "9"}],
    }
    with pytest.raises(DecodingError, match=r"^Expected `\$\.items\[1\]\.price` to be a number, but got a string\.$"):
        converter(Order)(order)


def test_what_is_nested_too_deeply_is_refused() -> None:
    deep: dict[str, Any] = {"value": 1}
    for _ in range(2000):
        deep = {"value": 1, "children": [deep]}
    with pytest.raises(DecodingError, match="nested"):
        converter(Node)(deep)


class NoFields:
    pass


def unresolvable() -> type:
    class Local:
        pass

    @dataclass
    class Held:
        local: "Local"  # which only this function knows

    return Held


@pytest.mark.parametrize(
    "annotation",
    [
        NoFields,
        "Order",
        list["Order"],
        complex,
        unresolvable(),
        int | NoFields,
        typing.Callable,
        Generic,
        tuple[int, *tuple[str, ...]],
    ],
)
def test_an_annotation_that_nothing_is_made_of_is_refused_at_once(annotation: Any) -> None:
    with pytest.raises(ConfigurationError):
        converter(annotation)


# JSON


@pytest.mark.parametrize("text", ['{"a": 1}', b'{"a": 1}', b'\xef\xbb\xbf{"a": 1}'])
def test_json_is_read(text: str | bytes) -> None:
    assert json_converter(dict)(text) == json_converter(Any)(text) == {"a": 1}


@pytest.mark.parametrize(
    "text", ["", "secret", "{'a': 1}", "NaN", "[Infinity]", b"\xff", "[" * 100_000, "9" * 5000, '"\n"']
)
@pytest.mark.parametrize("annotation", [Any, dict, Item])
def test_what_is_no_json_is_refused_without_a_word_of_it(text: Any, annotation: Any) -> None:
    with pytest.raises(DecodingError) as raised:
        json_converter(annotation)(text)
    assert "secret" not in str(raised.value)
    assert len(str(raised.value)) < 200


def test_long_integers_keep_their_digits() -> None:
    assert json_converter(Any)("123456789012345678901") == 123456789012345678901


def test_a_decimal_keeps_its_digits_and_a_float_beside_it_is_one() -> None:
    @dataclass
    class Priced:
        price: Decimal
        weight: float

    found = json_converter(Priced)('{"price": 0.1234567890123456789012345, "weight": 0.5}')
    assert found == Priced(Decimal("0.1234567890123456789012345"), 0.5)
    assert type(found.weight) is float


def test_a_float_may_be_infinite_as_a_double_of_avro_is() -> None:
    assert converter(float)(math.inf) == math.inf
    assert converter(list[float | None])([-math.inf]) == [-math.inf]
    assert json_converter(float)("1e999") == math.inf


def test_beside_a_decimal_anything_has_floats_and_what_is_a_value_already_its_decimals() -> None:
    @dataclass
    class Priced:
        price: Decimal
        more: dict[str, Any]
        rest: list[object]
        bare: dict  # type: ignore[type-arg]  # as many write

    read = json_converter(Priced)
    found = read('{"price": 0.5, "more": {"a": [0.1]}, "rest": [0.5, "x"], "bare": {"b": {"c": 2.5}}}')
    assert found == Priced(Decimal("0.5"), {"a": [0.1]}, [0.5, "x"], {"b": {"c": 2.5}})
    assert [type(each) for each in (found.more["a"][0], found.rest[0], found.bare["b"]["c"])] == [float] * 3
    kept = converter(Priced)({"price": Decimal("0.5"), "more": {"a": Decimal("0.1")}, "rest": [], "bare": {}})
    assert kept.more == {"a": Decimal("0.1")}


@pytest.mark.parametrize("number", ["1e99999999999999999999", "-1.5e99999999999999999999", "1e-99999999999999999999"])
def test_a_number_with_an_exponent_that_no_decimal_has_is_refused(number: str) -> None:
    with pytest.raises(DecodingError, match=r"^Expected JSON, but: a number has an exponent that is too large\.$"):
        json_converter(dict[str, Decimal])(f'{{"price": {number}}}')


# Properties

NAMES = st.text(max_size=5)
ITEMS = st.builds(Item, NAMES, st.floats(allow_nan=False, allow_infinity=False), st.integers())
ORDERS = st.builds(
    Order,
    st.integers(),
    st.lists(ITEMS, max_size=3),
    st.datetimes(timezones=st.just(UTC)),
    st.sampled_from(Colour),
    st.none() | NAMES,
    st.sets(NAMES, max_size=3),
)


def plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat()
        case Enum():
            return value.value
        case set():
            return list(value)
    raise TypeError


@given(ORDERS)
def test_what_a_dataclass_has_comes_back(order: Order) -> None:
    text = json.dumps(asdict(order), default=plain)
    assert json_converter(Order)(text) == converter(Order)(json.loads(text)) == order


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(-1e6, 1e6) | NAMES,
    lambda held: st.lists(held, max_size=3) | st.dictionaries(st.sampled_from("abc"), held, max_size=3),
    max_leaves=6,
)


@dataclass
class Shape:
    a: int
    b: list[str] | None = None
    c: float = 0.0


SHAPES: list[Any] = [
    int,
    float,
    str,
    bool,
    list[int],
    dict[str, bool],
    tuple[int, str],
    tuple[int, ...],
    int | None,
    str | int,
    Shape,
]
LIKELY = st.fixed_dictionaries(
    {"a": st.integers(-9, 9) | JSON},
    optional={"b": st.none() | st.lists(NAMES | JSON, max_size=2), "c": st.integers(0, 9) | JSON},
)
PYDANTIC = {
    repr(each): pydantic.TypeAdapter(each, config=None if each is Shape else {"strict": True}) for each in SHAPES
}


def accepted(read: Any, text: str) -> tuple[bool, Any]:
    try:
        return True, read(text)
    except (DecodingError, msgspec.ValidationError, pydantic.ValidationError):
        return False, None


def whole(value: Any) -> Any:
    """With 5 for 5.0: JSON Schema calls both integers, as we do; msgspec and what is strict take only the first."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: whole(each) for key, each in value.items()}
    return [whole(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("annotation", SHAPES, ids=repr)
@given(value=JSON | LIKELY | st.lists(st.integers(), max_size=2))
@example(value=[5.0])
@example(value=-0.0)
def test_msgspec_and_pydantic_take_and_refuse_the_same(annotation: Any, value: Any) -> None:
    ours = accepted(json_converter(annotation), json.dumps(value))
    text = json.dumps(whole(value))
    assert ours == accepted(lambda text: msgspec.json.decode(text, type=annotation), text)
    adapter = PYDANTIC[repr(annotation)]
    assert ours == accepted(lambda text: adapter.validate_json(text, strict=True), text)


@given(st.sampled_from([each for each, _, _ in TAKEN]), JSON)
def test_any_value_is_taken_or_refused_as_listed(annotation: Any, value: Any) -> None:
    with suppress(DecodingError):
        converter(annotation)(value)


Linked = TypeVar("Linked")


@dataclass
class Link(Generic[Linked]):
    value: Linked
    next: "Link[Linked] | None" = None


@dataclass
class Chain(Generic[Linked]):
    first: Link[Linked]


def test_generic_classes_hold_others_of_the_same_variable() -> None:
    convert = converter(Chain[int])
    assert convert({"first": {"value": 1, "next": {"value": 2}}}) == Chain(Link(1, Link(2)))
    with pytest.raises(DecodingError, match=r"first\.next\.value"):
        convert({"first": {"value": 1, "next": {"value": "2"}}})


@dataclass
class Leaf(Generic[T]):
    value: T


@dataclass
class Holder(Generic[T]):
    link: Leaf  # type: ignore[type-arg]  # of anything, though the class has the same variable


@dataclass
class Holders:
    first: Holder[int]
    second: Holder[str]


def test_a_generic_class_alone_holds_anything_wherever_it_is() -> None:
    found = converter(Holders)({"first": {"link": {"value": "a"}}, "second": {"link": {"value": 1}}})
    assert found == Holders(Holder(Leaf("a")), Holder(Leaf(1)))


@dataclass
class Nest(Generic[T]):
    value: T
    inner: "Leaf[list[T]] | None" = None


def test_a_variable_that_stands_for_nothing_is_anything() -> None:
    assert converter(Chain)({"first": {"value": "a"}}) == Chain(Link("a"))
    value = {"value": 1, "inner": {"value": ["a"]}}
    assert converter(Nest)(value) == Nest[Any](1, Leaf(["a"]))


def test_a_variable_that_another_was_given_for_is_anything() -> None:
    within: Any = T
    value = {"value": [1], "inner": {"value": [["a"]]}}
    assert converter(Nest[list[within]])(value) == Nest[Any]([1], Leaf([["a"]]))


@dataclass
class Items(Page[Item]):
    total: int = 0


@dataclass
class Batches(Page[list[T]], Generic[T]):
    last: T | None = None


@dataclass
class Numbers(Batches[int]):
    pass


@dataclass
class Folder(Page["Folder"]):
    name: str


@dataclass
class Started(Generic[T]):
    start: "InitVar[list[T]]"
    rest: "list[T]" = field(default_factory=list)

    def __post_init__(self, start: list[T]) -> None:
        self.rest = [*start, *self.rest]


@dataclass
class StartedNumbers(Started[int]):
    pass


class Found(TypedDict, Generic[T]):
    entries: NotRequired[list[T]]


class FoundPlaces(Found[Place]):
    total: int


class Pair(NamedTuple, Generic[T]):
    a: T
    b: T


class NumberPair(Pair[int]):
    pass


INHERITED: list[tuple[Any, Any, Any, str, Any]] = [
    (Items, {"entries": [{"name": "a", "price": 1}]}, Items([Item("a", 1.0)]), "entries", [5]),
    (Batches[int], {"entries": [[1]], "last": 2}, Batches([[1]], 2), "entries", [["a"]]),
    (Batches[int], {"entries": [[1]], "last": 2}, Batches([[1]], 2), "last", "a"),
    (Numbers, {"entries": [[1]], "last": 2}, Numbers([[1]], 2), "entries", [["a"]]),
    (Folder, {"name": "a", "entries": [{"name": "b", "entries": []}]}, Folder([Folder([], "b")], "a"), "entries", [{}]),
    (StartedNumbers, {"start": [1], "rest": [2]}, StartedNumbers([1], [2]), "start", ["a"]),
    (FoundPlaces, {"entries": [{"x": 1}], "total": 1}, {"entries": [Place(1)], "total": 1}, "entries", ["a"]),
    (NumberPair, {"a": 1, "b": 2}, NumberPair(1, 2), "b", "a"),
]


@pytest.mark.parametrize(("annotation", "value", "expected", "name", "wrong"), INHERITED, ids=repr)
def test_a_class_holds_what_the_generic_one_was_given_that_it_derives_from(
    annotation: Any, value: Any, expected: Any, name: str, wrong: Any
) -> None:
    assert converter(annotation)(value) == expected
    with pytest.raises(DecodingError, match=rf"^Expected `\$\.{name}"):
        converter(annotation)({**value, name: wrong})


@dataclass
class Anything(Page):  # type: ignore[type-arg]  # which is given nothing
    pass


def test_a_class_that_derives_from_a_generic_one_alone_holds_anything() -> None:
    assert converter(Anything)({"entries": [1, "a"]}) == Anything([1, "a"])


class Lazy:
    """As `type Json = list[Json] | ...` of Python 3.12: its value is made when it is asked for."""

    @property
    def __value__(self) -> Any:
        return str | int | list[self] | dict[str, self] | None  # type: ignore[valid-type]  # made at run time


class Broken:
    """As `type Broken = list[Missing]`."""

    @property
    def __value__(self) -> Any:
        return list[Missing]  # type: ignore[name-defined]  # noqa: F821


def test_an_alias_may_hold_itself() -> None:
    convert = converter(Lazy())
    assert convert({"a": [1, {"b": None}]}) == {"a": [1, {"b": None}]}
    with pytest.raises(DecodingError):
        convert({"a": [1, {"b": 0.5}]})


def test_an_alias_is_what_it_stands_for() -> None:
    alias: Any = TypeAliasType("alias", int)
    assert converter(dict[alias, list[alias]])({"1": [2]}) == {1: [2]}


def test_a_generic_alias_is_what_it_stands_for_with_its_variables() -> None:
    variable: Any = TypeVar("variable")  # type: ignore[misc]  # made at run time
    page: Any = TypeAliasType("page", list[variable], type_params=(variable,))
    assert converter(page[int])([1]) == [1]
    with pytest.raises(DecodingError):
        converter(page[int])(["x"])


Number = typing_extensions.TypeVar("Number", default=int)


@dataclass
class Defaulted(Generic[Number]):
    value: Number


class Limit:
    def bounded(self, other: Any) -> Any:
        raise AssertionError(other)


def test_what_others_say_beside_a_type_is_not_called() -> None:
    assert converter(Annotated[int, Limit()])(1) == 1


def test_a_variable_may_have_a_default() -> None:
    assert converter(Defaulted)({"value": 1}) == Defaulted(1)
    assert converter(Defaulted[str])({"value": "x"}) == Defaulted("x")
    with pytest.raises(DecodingError):
        converter(Defaulted)({"value": "x"})


@pytest.mark.parametrize("alone", [True, False])
def test_an_alias_of_what_is_not_there_is_refused_at_once(alone: bool) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: name 'Missing' is not defined"):
        converter(Broken() if alone else list[Broken()])  # type: ignore[misc]  # made at run time


def test_modules_of_types_that_no_annotation_names_are_not_loaded() -> None:
    code = """
import dataclasses, sys
from lambent.values.convert import converter

@dataclasses.dataclass
class Item:
    name: str
    price: float

assert converter(Item)({"name": "lamp", "price": 1}) == Item("lamp", 1.0)
assert not {"datetime", "decimal", "uuid"} & set(sys.modules)
from decimal import Decimal
assert converter(Item)({"name": "lamp", "price": Decimal("1.5")}) == Item("lamp", 1.5)
assert converter(Decimal)("1.50") == Decimal("1.50")
"""
    subprocess.run([sys.executable, "-c", code], check=True)


_JSON_SPACE = st.text(" \t\n\r", max_size=3)


@given(
    before=_JSON_SPACE | st.text(max_size=2),
    content=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=5,
    ).map(json.dumps)
    | st.text(max_size=5),
    after=_JSON_SPACE | st.text(max_size=2),
)
@example(before=" ", content="1", after=" 2")
@example(before="\ufeff", content="1", after="")
@example(before="", content="", after="\n")
@example(before="\u00a0", content="1", after="")
def test_json_is_read_as_the_standard_library_reads_it(before: str, content: str, after: str) -> None:
    """But for NaN and Infinity, which are no JSON; and it says the same of what is wrong, and where."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    text = f"{before}{content}{after}"
    read = json_converter(object)
    wrong = expected = None
    try:
        expected = json.JSONDecoder(parse_constant=refuse).decode(text)
    except ValueError as error:
        wrong = f"Expected JSON, but: {error}."
    if wrong:
        with pytest.raises(DecodingError) as refused:
            read(text)
        assert str(refused.value) == wrong
    else:
        assert read(text) == expected
        with suppress(UnicodeEncodeError):
            assert read(text.encode()) == expected
