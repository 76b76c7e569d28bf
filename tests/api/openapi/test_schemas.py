"""What a document says of annotations, and that it is what is taken: by jsonschema, an independent judge."""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import InitVar, dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import (
    Annotated,
    Any,
    ClassVar,
    Generic,
    Literal,
    NamedTuple,
    NewType,
    NotRequired,
    Required,
    TypedDict,
    TypeVar,
)
from uuid import UUID

import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import TypeAliasType

from lambent.api.openapi.fields import SERIALIZATION, VALIDATION, fields, has_fields, without_none
from lambent.api.openapi.schemas import Schemas
from lambent.api.responses.json import dumps
from lambent.errors import ConfigurationError, DecodingError
from lambent.values.convert import converter

jsonschema = pytest.importorskip("jsonschema")

T = TypeVar("T")
UserId = NewType("UserId", int)
Pair = TypeAliasType("Pair", tuple[T, T], type_params=(T,))


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


class Size(enum.IntEnum):
    SMALL = 1
    LARGE = 2


class Right(enum.Flag):
    READ = 1
    WRITE = 2


class Odd(enum.Enum):
    """Of nothing that JSON has."""

    PAIR = (1, 2)


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
    """What is sold.

    By the piece.
    """

    name: str
    price: float
    colour: Colour = Colour.RED


@dataclass
class Bare:
    id: int


@dataclass
class Node:
    value: int
    children: list[Node] = field(default_factory=list)


@dataclass
class Page(Generic[T]):
    entries: list[T]


@dataclass
class Linked(Generic[T]):
    entry: T
    next: Linked[T] | None = None


@dataclass
class Sum:
    KIND: ClassVar[str] = "sum"
    a: int
    extra: InitVar[int]
    total: int = field(init=False)

    def __post_init__(self, extra: int) -> None:
        self.total = self.a + extra


class Model(pydantic.BaseModel):
    colour: Colour
    size: int = pydantic.Field(1, ge=0, alias="Size")


class Computed(pydantic.BaseModel):
    a: int

    @pydantic.computed_field
    def double(self) -> int:
        return 2 * self.a


class Cat(pydantic.BaseModel):
    kind: Literal["cat"]


class Dog(pydantic.BaseModel):
    kind: Literal["dog"]


class Holder(pydantic.BaseModel):
    pet: Cat | Dog = pydantic.Field(discriminator="kind")


class Called(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)
    lock: type(enum)  # type: ignore[valid-type]  # what pydantic has no schema of


class Struct(msgspec.Struct, rename="camel"):
    first_name: str
    rest: Struct | None = None


@dataclass
class Mixed:
    model: Model
    struct: Struct


class Lazy:
    """As `type Row = list[Row] | int` is: its value is made when it is asked for."""

    __name__ = "Row"

    @property
    def __value__(self) -> Any:
        return list[self] | int  # type: ignore[valid-type]  # made at run time


def shaped(name: str, module: str = "shop", **hints: Any) -> Any:
    """A dataclass of this name, as if it stood there."""
    return dataclass(type(name, (), {"__annotations__": hints, "__module__": module}))


def document(annotation: Any, mode: str = VALIDATION) -> Any:
    schemas = Schemas()
    return schemas.completed({"made": schemas.of(annotation, mode)})


def components(*annotations: Any, mode: str = VALIDATION) -> Any:
    schemas = Schemas()
    made = [schemas.of(each, mode) for each in annotations]
    return schemas.completed({"made": made})["components"]["schemas"]


def accepts(annotation: Any, value: Any) -> bool:
    whole = document(annotation)
    schema = {"$ref": "#/made", **whole}
    jsonschema.Draft202012Validator.check_schema(schema)
    found: bool = jsonschema.Draft202012Validator(schema).is_valid(value)
    return found


INLINE: list[tuple[Any, dict[str, Any]]] = [
    (str, {"type": "string"}),
    (int, {"type": "integer"}),
    (bool, {"type": "boolean"}),
    (float, {"type": "number"}),
    (None, {"type": "null"}),
    (Any, {}),
    (object, {}),
    (UUID, {"type": "string", "format": "uuid"}),
    (datetime, {"type": "string", "format": "date-time"}),
    (date, {"type": "string", "format": "date"}),
    (time, {"type": "string", "format": "time"}),
    (Literal["a"], {"type": "string", "const": "a"}),
    (Literal["a", 1, True], {"enum": ["a", 1, True]}),
    (Literal["a", None], {"enum": ["a", None]}),  # noqa: PYI061 - people write that
    (Literal[b"a"], {}),
    (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
    (Annotated[int, "a word"], {"type": "integer"}),
    (UserId, {"type": "integer"}),
    (list, {"type": "array", "items": {}}),
    (list[int], {"type": "array", "items": {"type": "integer"}}),
    (Sequence[int], {"type": "array", "items": {"type": "integer"}}),
    (set[int], {"type": "array", "items": {"type": "integer"}}),
    (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}),
    (tuple[int], {"type": "array", "prefixItems": [{"type": "integer"}], "minItems": 1, "maxItems": 1}),
    (tuple[()], {"type": "array", "minItems": 0, "maxItems": 0}),
    (dict, {"type": "object"}),
    (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
    (Mapping[str, Any], {"type": "object", "additionalProperties": {}}),
    (object(), {}),
    (len, {}),
    (Schemas, {}),
    (T, {}),
    (Annotated[int, pydantic.Field(ge=1)], {"type": "integer", "minimum": 1}),
    (Annotated[int, msgspec.Meta(ge=1)], {"type": "integer", "minimum": 1}),
]


@pytest.mark.parametrize(("annotation", "expected"), INLINE)
def test_what_is_no_class_stands_where_it_is_used(annotation: Any, expected: Any) -> None:
    whole = document(annotation)
    assert whole["made"] == expected
    assert whole["components"]["schemas"] == {}


NAMED: list[tuple[Any, dict[str, Any]]] = [
    (Colour, {"Colour": {"title": "Colour", "type": "string", "enum": ["red", "green"]}}),
    (Right, {"Right": {"title": "Right", "type": "integer"}}),
    (Odd, {"Odd": {"title": "Odd", "description": "Of nothing that JSON has."}}),
    (
        Item,
        {
            "Colour": {"title": "Colour", "type": "string", "enum": ["red", "green"]},
            "Item": {
                "title": "Item",
                "description": "What is sold.\n\nBy the piece.",
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "price": {"type": "number"},
                    "colour": {"$ref": "#/components/schemas/Colour", "default": "red"},
                },
                "required": ["name", "price"],
            },
        },
    ),
    (
        Total,
        {
            "Total": {
                "title": "Total",
                "type": "object",
                "properties": {"id": {"type": "integer"}, "note": {"type": "string"}},
                "required": ["id"],
            }
        },
    ),
    (
        Struct,
        {
            "Struct": {
                "title": "Struct",
                "type": "object",
                "properties": {
                    "firstName": {"type": "string"},
                    "rest": {"anyOf": [{"$ref": "#/components/schemas/Struct"}, {"type": "null"}], "default": None},
                },
                "required": ["firstName"],
            }
        },
    ),
]


@pytest.mark.parametrize(("annotation", "expected"), NAMED)
def test_a_class_stands_among_the_components(annotation: Any, expected: Any) -> None:
    assert components(annotation) == expected


def test_a_class_that_holds_its_own_kind_refers_to_itself() -> None:
    reference = {"$ref": "#/components/schemas/Node"}
    assert components(Node)["Node"]["properties"]["children"] == {"type": "array", "items": reference}


def test_an_alias_may_hold_itself() -> None:
    reference = {"$ref": "#/components/schemas/Row"}
    assert components(Lazy())["Row"] == {"anyOf": [{"type": "array", "items": reference}, {"type": "integer"}]}


def test_a_generic_class_is_one_for_each_of_its_arguments() -> None:
    found = components(Page[int], Page[Item], Page, Linked[int], Pair[int])
    assert list(found) == ["Colour", "Item", "Linked_int", "Page", "Page_Item", "Page_int", "Pair_int"]
    assert found["Page_int"]["properties"]["entries"]["items"] == {"type": "integer"}
    assert found["Linked_int"]["properties"]["next"]["anyOf"][0] == {"$ref": "#/components/schemas/Linked_int"}
    assert found["Page_Item"]["properties"]["entries"]["items"] == {"$ref": "#/components/schemas/Item"}
    assert found["Pair_int"]["prefixItems"] == [{"type": "integer"}, {"type": "integer"}]


def test_two_classes_of_one_name_are_kept_apart() -> None:
    first = shaped("Item", "shop.a", a=int)
    second = shaped("Item", "shop.b", b=int)
    found = components(first, second)
    assert {name: list(each["properties"]) for name, each in found.items()} == {
        "shop__a__Item": ["a"],
        "shop__b__Item": ["b"],
    }


def test_two_classes_of_one_name_and_place_are_numbered() -> None:
    twins = [shaped("Item", a=int), shaped("Item", b=int)]
    assert list(components(*twins)) == ["shop__Item", "shop__Item_2"]


def test_classes_of_one_name_of_every_library_are_kept_apart() -> None:
    model = pydantic.create_model("Struct", a=(int, ...))
    own = shaped("Struct", "shop", b=int)
    found = components(model, Struct, own)
    assert list(found) == ["msgspec.Struct", "pydantic.Struct", "shop__Struct"]
    assert found["msgspec.Struct"]["properties"]["rest"]["anyOf"][0] == {"$ref": "#/components/schemas/msgspec.Struct"}


def test_an_enumeration_that_models_have_too_stands_once() -> None:
    found = components(Colour, Model)
    assert list(found) == ["Colour", "Model"]
    assert found["Model"]["properties"]["colour"] == {"$ref": "#/components/schemas/Colour"}


def test_what_comes_and_what_goes_are_apart_where_they_differ() -> None:
    schemas = Schemas()
    made = [schemas.of(each, mode) for each in (Bare, Item, Computed, Model) for mode in (VALIDATION, SERIALIZATION)]
    found = schemas.completed({"made": made})
    assert [each["$ref"].rpartition("/")[2] for each in found["made"]] == [
        *["Bare", "Bare"],
        *["Item-Input", "Item-Output"],
        *["Computed-Input", "Computed-Output"],
        *["Model", "Model"],
    ]
    told = found["components"]["schemas"]
    assert told["Item-Output"]["required"] == ["name", "price", "colour"]
    assert "double" in told["Computed-Output"]["properties"]


def test_a_class_is_apart_where_one_that_it_holds_is() -> None:
    outer = shaped("Outer", __name__, item=Item)
    schemas = Schemas()
    made = [schemas.of(outer, mode) for mode in (VALIDATION, SERIALIZATION)]
    found = schemas.completed({"made": made})
    assert list(found["components"]["schemas"]) == [
        "Colour",
        "Item-Input",
        "Item-Output",
        "Outer-Input",
        "Outer-Output",
    ]


def test_what_is_a_class_s_own_does_not_go() -> None:
    @dataclass
    class Kept:
        a: int
        _note: str = ""

    assert list(components(Kept)["Kept"]["properties"]) == ["a", "_note"]
    assert list(components(Kept, mode=SERIALIZATION)["Kept"]["properties"]) == ["a"]


def test_what_is_only_made_in_a_class_goes_but_does_not_come() -> None:
    assert components(Sum)["Sum"]["required"] == ["a", "extra"]
    assert components(Sum, mode=SERIALIZATION)["Sum"]["required"] == ["a", "total"]


def test_a_set_has_each_item_once_where_it_goes() -> None:
    assert document(set[int], SERIALIZATION)["made"]["uniqueItems"]
    assert document(Decimal, SERIALIZATION)["made"]["type"] == "string"


def test_a_class_may_hold_models_of_every_library() -> None:
    found = components(Mixed)
    assert list(found) == ["Colour", "Mixed", "Model", "Struct"]
    assert found["Mixed"]["properties"] == {
        "model": {"$ref": "#/components/schemas/Model"},
        "struct": {"$ref": "#/components/schemas/Struct"},
    }


def test_a_discriminator_refers_to_the_names_of_the_document() -> None:
    other = shaped("Cat", "shop", a=int)
    told = components(Holder, other)["Holder"]["properties"]["pet"]
    assert told["discriminator"]["mapping"] == {
        "cat": "#/components/schemas/pydantic.Cat",
        "dog": "#/components/schemas/Dog",
    }


def test_of_what_a_library_makes_no_schema_anything_is_said_to_do() -> None:
    schemas = Schemas()
    made = {"one": schemas.of(Called), "other": schemas.of(Model)}
    found = schemas.completed(made)
    assert (found["one"], found["other"]) == ({}, {"$ref": "#/components/schemas/Model"})


def test_a_default_that_json_does_not_have_is_not_told() -> None:
    def made() -> Any:
        return dataclass(
            type(
                "Made",
                (),
                {"__annotations__": {"a": float, "b": Any}, "a": float("nan"), "b": object, "__module__": "s"},
            )
        )

    assert [list(each) for each in components(made())["Made"]["properties"].values()] == [["type"], []]


def test_hints_that_cannot_be_read_are_told() -> None:
    unread = shaped("Unread", __name__, a="Nowhere")
    with pytest.raises(ConfigurationError, match="Unread"):
        document(unread)


class Chosen(pydantic.BaseModel):
    a: int = pydantic.Field(validation_alias=pydantic.AliasChoices(pydantic.AliasPath("x", 0), "perPage", "size"))
    deep: int = pydantic.Field(validation_alias=pydantic.AliasChoices(pydantic.AliasPath("x", 0)))


FIELDS: list[tuple[Any, list[tuple[str, bool]]]] = [
    (Item, [("name", True), ("price", True), ("colour", False)]),
    (Partial, [("id", True), ("note", False)]),
    (Place, [("x", True), ("y", False)]),
    (Model, [("colour", True), ("Size", False)]),
    (Struct, [("firstName", True), ("rest", False)]),
    (Annotated[Page[int] | None, "a word"], [("entries", True)]),
    (Chosen, [("perPage", True), ("deep", True)]),
]


@pytest.mark.parametrize(("annotation", "expected"), FIELDS)
def test_fields_are_told_by_their_names_in_json(annotation: Any, expected: Any) -> None:
    assert has_fields(annotation)
    assert [(each.name, each.required) for each in fields(annotation)] == expected


@pytest.mark.parametrize("annotation", [int, list[Item], Item | Bare, dict, pydantic.RootModel[int], pydantic.AnyUrl])
def test_what_is_not_one_class_has_no_fields(annotation: Any) -> None:
    assert not has_fields(annotation)
    assert fields(annotation) == []


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (int | None, int),
        (int | str | None, int | str),
        (Annotated[int | None, 1], Annotated[int, 1]),
        (None, None),
        (int, int),
        (list[int | None], list[int | None]),
    ],
)
def test_what_is_read_of_text_is_never_null(annotation: Any, expected: Any) -> None:
    assert without_none(annotation) == expected


# What is taken is what is said

SIMPLE = [str, int, bool, float, None, Any, Colour, Size, Literal["a", 1], Item, Bare, Node, Total, Partial, Place]
KEYS = [str, Colour, int]


def kinds() -> st.SearchStrategy[Any]:
    def wider(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.one_of(
            inner.map(lambda each: list[each]),  # type: ignore[valid-type]  # made at run time
            inner.map(lambda each: tuple[each, ...]),  # type: ignore[valid-type]  # made at run time
            st.tuples(inner, inner).map(lambda each: tuple[each]),  # type: ignore[valid-type]  # made at run time
            st.tuples(st.sampled_from(KEYS), inner).map(lambda each: dict[each]),  # type: ignore[misc, valid-type]  # made at run time
            st.tuples(inner, inner).filter(lambda each: each != (None, None)).map(lambda each: each[0] | each[1]),
            inner.filter(lambda each: each is not None).map(lambda each: each | None),
            inner.map(lambda each: Page[each]),  # type: ignore[valid-type]  # made at run time
        )

    return st.recursive(st.sampled_from(SIMPLE), wider, max_leaves=4)


WORDS = st.sampled_from(["", "a", "red", "id", "note", "0", "-1", "01", "x"])
NAMES = st.sampled_from(["id", "note", "name", "price", "colour", "value", "children", "x", "y", "entries", "0", "red"])


def values() -> st.SearchStrategy[Any]:
    scalars = st.one_of(st.none(), st.booleans(), st.integers(-2, 3), st.sampled_from([0.5, 1.5]), WORDS)
    return st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=8
    )


@given(kinds(), values())
def test_what_is_taken_is_what_the_schema_says(annotation: Any, value: Any) -> None:
    taken = False
    with suppress(DecodingError):
        converter(annotation)(json.loads(json.dumps(value)))
        taken = True
    assert accepts(annotation, value) == taken, document(annotation)


TEXTS: list[tuple[Any, str]] = [
    (bytes, r"[A-Za-z0-9+/=]{0,9}"),
    (Decimal, r"[+-]?[0-9.]{0,4}([eE][+-]?[0-9]{1,3})?"),
]


@pytest.mark.parametrize(("annotation", "form"), TEXTS)
@given(data=st.data())
def test_texts_that_stand_for_other_values_have_their_form(annotation: Any, form: str, data: st.DataObject) -> None:
    text = data.draw(st.from_regex(form, fullmatch=True))
    if accepts(annotation, text):  # Python takes more base64, and more digits, than others write
        converter(annotation)(text)


@pytest.mark.parametrize(
    ("annotation", "text"),
    [(bytes, ""), (bytes, "AA=="), (bytes, "AP8="), (Decimal, "1.50"), (Decimal, "-.5e-3"), (Decimal, "1.")],
)
def test_texts_that_are_written_so_are_taken(annotation: Any, text: str) -> None:
    assert accepts(annotation, text)
    converter(annotation)(text)


# What goes is what is said

GONE: list[tuple[Any, Any]] = [
    (Item, Item("a", 1.5, Colour.GREEN)),
    (Place, Place(1)),
    (Node, Node(1, [Node(2)])),
    (Linked[int], Linked(1, Linked(2))),
    (Total, {"id": 1}),
    (Sum, Sum(1, 2)),
    (Struct, Struct("a", Struct("b"))),
    (Model, Model(colour=Colour.RED, Size=2)),
    (Computed, Computed(a=1)),
    (Mixed, Mixed(Model(colour=Colour.RED, Size=1), Struct("a"))),
    (list[Item | None], [Item("a", 1.5), None]),
    (set[int], {1, 2}),
    (frozenset[Colour], frozenset(Colour)),
    (tuple[int, str], (1, "a")),
    (dict[int, Colour], {1: Colour.RED}),
    (dict[Colour, UUID], {Colour.RED: UUID(int=1)}),
    (Decimal, Decimal("1E+3")),
    (datetime, datetime(2026, 1, 1, tzinfo=UTC)),
    (date, date(2026, 1, 1)),
    (time, time(12, tzinfo=UTC)),
    (Right, Right.READ | Right.WRITE),
    (Size, Size.SMALL),
    (Literal[Colour.RED], Colour.RED),
]


@pytest.mark.parametrize(("annotation", "value"), GONE)
def test_what_is_sent_is_what_the_schema_says(annotation: Any, value: Any) -> None:
    schema = {"$ref": "#/made", **document(annotation, SERIALIZATION)}
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.Draft202012Validator(schema, format_checker=checker).validate(json.loads(dumps(value)))
