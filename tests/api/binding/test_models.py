"""Which annotations only JSON has, and how models are made of texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, TypedDict, TypeVar, Union

import msgspec
import pydantic
import pytest

from lambent.api.binding.models import fields, is_document, is_model
from lambent.errors import ConfigurationError
from lambent.values.mismatch import Mismatch

T = TypeVar("T")


class Model(pydantic.BaseModel):
    a: int = pydantic.Field(alias="A")
    b: list[int] = pydantic.Field([], validation_alias=pydantic.AliasChoices("b", "bs"))


class Box(pydantic.BaseModel, Generic[T]):
    held: T


class Root(pydantic.RootModel[list[int]]): ...


class Struct(msgspec.Struct, rename="camel"):
    page_size: int


@dataclass
class Class:
    a: int


@dataclass
class Nested:
    inner: Class


class Typed(TypedDict):
    a: int


class Named(NamedTuple):
    a: int


class Colour(Enum):
    RED = "red"


NewClass = NewType("NewClass", Class)
NewInt = NewType("NewInt", int)


class Lazy:
    """As `type Rows = list[Rows] | int` is: its value is made when it is asked for."""

    def __init__(self, *others: Any) -> None:
        self.others = others

    @property
    def __value__(self) -> Any:
        return Union[(list[self], int, *self.others)]  # type: ignore[valid-type]  # made at run time


ROWS = Lazy()
OBJECTS = Lazy(dict[str, ROWS])  # type: ignore[valid-type]  # made at run time

MODELS = [Model, Box[int], Root, Struct, Class, Typed, Named]
OTHER_DOCUMENTS = [
    dict,
    dict[str, int],
    Mapping[str, Any],
    list[Model],
    Model | None,
    Struct | Class,
    list[Annotated[Class, "a word"]] | None,
    tuple[Class, ...],
    list[dict[str, int]],
    NewClass,
    Annotated[Class, "a word"],
    OBJECTS,
    list[OBJECTS],  # type: ignore[valid-type]  # made at run time
    Lazy(Class),
    Lazy(ROWS, Struct),
]
PLAIN = [
    int, str, Any, ..., object, list, list[int], set[str], tuple[int, str], int | None, Colour, Literal["a"], datetime,
    NewInt, Annotated[int, pydantic.Field(ge=1)], pydantic.HttpUrl, pydantic.SecretStr, list[Colour],
    ROWS, Lazy(ROWS), int | list[ROWS],  # type: ignore[valid-type]  # made at run time
]  # fmt: skip


@pytest.mark.parametrize("annotation", MODELS)
def test_models_are_told(annotation: Any) -> None:
    assert is_model(annotation)
    assert is_document(annotation)


@pytest.mark.parametrize("annotation", OTHER_DOCUMENTS)
def test_what_holds_one_is_a_document_too(annotation: Any) -> None:
    assert is_document(annotation)


@pytest.mark.parametrize("annotation", PLAIN)
def test_plain_types_are_none(annotation: Any) -> None:
    assert not is_model(annotation)
    assert not is_document(annotation)


def collected(annotation: Any, texts: dict[str, list[str]], **options: Any) -> Any:
    known = fields(annotation, **options)
    found = known.collect(lambda name: texts.get(name, []), texts)
    return None if found is None else known.convert(found)


@pytest.mark.parametrize(
    ("annotation", "texts", "expected"),
    [
        (Model, {"A": ["1", "2"], "b": ["1", "2"]}, Model(A=2, b=[1, 2])),
        (Model, {"A": ["1"], "bs": ["1"]}, Model.model_validate({"A": 1, "bs": [1]})),
        (Struct, {"pageSize": ["1"]}, Struct(1)),
        (Class, {"a": ["1", "2"], "b": ["x"]}, Class(2)),
        (Typed, {"a": ["1"]}, {"a": 1}),
        (Named, {"a": ["1"]}, Named(1)),
        (Class, {}, None),
        (Class, {"b": ["1"]}, None),
    ],
)
def test_a_model_is_made_of_texts(annotation: Any, texts: dict[str, list[str]], expected: Any) -> None:
    assert collected(annotation, texts) == expected


def test_headers_have_dashes() -> None:
    assert collected(Struct, {"pagesize": ["1"], "other": ["2"]}, source="header") == Struct(1)
    assert fields(Class, "header").names == {"a": ("a", True)}


def test_a_field_that_is_not_made_of_text_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        fields(Nested)


@dataclass
class Filled:
    age: int = 1
    name: str = "x"
    note: Annotated[str | None, "text"] = "x"


class FilledModel(pydantic.BaseModel):
    age: int | None = 1
    name: Annotated[str, pydantic.Field(max_length=9)] = "x"
    either: int | str = 1


class FilledStruct(msgspec.Struct):
    age: int = 1
    name: str | None = "x"


class Size(StrEnum):
    NONE = ""
    LARGE = "l"


class Lax(Enum):
    ANY = "any"

    @classmethod
    def _missing_(cls, value: object) -> Any:
        return [] if value == "" else None  # which Enum does not take


Said = NewType("Said", str)


@dataclass
class Emptied:
    size: Size
    word: Literal["", "x"]
    raw: bytes
    many: list[str]
    either: int | Literal[""] | None = 1
    lax: Lax = Lax.ANY


class EmptiedModel(pydantic.BaseModel):
    size: Size
    word: Literal["", "x"] | None
    secret: pydantic.SecretStr
    link: pydantic.HttpUrl | Literal[""]
    said: Said
    raw: bytes
    colour: Colour = Colour.RED
    one: Literal["x"] = "x"


class EmptiedStruct(msgspec.Struct):
    size: Size
    word: Literal["", "x"]
    one: Literal["x"] = "x"


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (Emptied, Emptied(Size.NONE, "", b"", [""], "")),
        (
            EmptiedModel,
            EmptiedModel.model_validate(dict.fromkeys(["size", "word", "secret", "link", "said", "raw"], "")),
        ),
        (EmptiedStruct, EmptiedStruct(Size.NONE, "")),
    ],
)
def test_an_empty_field_of_a_form_is_one_that_may_be_empty(annotation: Any, expected: Any) -> None:
    names = ("size", "word", "raw", "many", "either", "lax", "secret", "link", "said", "colour", "one")
    known = {name: [""] for name in names if name in annotation.__annotations__}
    assert collected(annotation, known, source="form") == expected


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (Filled, Filled(1, "", "")),
        (FilledModel, FilledModel(age=1, name="", either="")),
        (FilledStruct, FilledStruct(1, "")),
    ],
)
def test_an_empty_field_of_a_form_was_not_filled_in(annotation: Any, expected: Any) -> None:
    assert collected(annotation, {name: [""] for name in ("age", "name", "note", "either")}, source="form") == expected
    with pytest.raises(Mismatch):
        collected(annotation, {"age": [""], "either": [""]})
