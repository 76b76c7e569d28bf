"""Models of pydantic and Structs of msgspec: used as they are, told by their attributes, never imported by us."""

import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec
import pydantic
import pytest

from lambent.errors import ConfigurationError, DecodingError
from lambent.values.convert import converter, json_converter

T = TypeVar("T")


class Kind(Enum):
    A = "a"


class Model(pydantic.BaseModel):
    id: int
    at: datetime | None = None
    kind: Kind = Kind.A


class Strict(pydantic.BaseModel, strict=True):
    at: datetime


class Cat(pydantic.BaseModel):
    kind: Literal["cat"]


class Dog(pydantic.BaseModel):
    kind: Literal["dog"]


class Spoken(pydantic.BaseModel):
    id: int

    @pydantic.field_validator("id")
    @classmethod
    def refuse(cls, value: int) -> int:
        raise ValueError(f"secret {value}")


class Custom(pydantic.BaseModel):
    id: int

    @pydantic.field_validator("id")
    @classmethod
    def refuse(cls, value: int) -> int:
        from pydantic_core import PydanticCustomError

        raise PydanticCustomError("mine", "secret {value}", {"value": value})


@pydantic.dataclasses.dataclass
class Checked:
    id: int


class Box(pydantic.BaseModel, Generic[T]):
    held: T


class Struct(msgspec.Struct):
    id: int
    kind: Kind = Kind.A
    price: float = 0.0


class Unspoken(msgspec.Struct):
    id: int

    def __post_init__(self) -> None:
        raise ValueError(f"secret {self.id}")


class Tagged(msgspec.Struct, tag="tagged"):
    id: int


class OtherTagged(msgspec.Struct, tag="other"):
    id: int


class GenericStruct(msgspec.Struct, Generic[T]):
    held: T


@dataclass
class Both:
    model: Model
    struct: Struct


Pet = Annotated[Cat | Dog, pydantic.Field(discriminator="kind")]

TAKEN: list[tuple[Any, str, Any]] = [
    (Model, '{"id": 1}', Model(id=1)),
    (Model, '{"id": "1"}', Model(id=1)),  # as the model says
    (Strict, '{"at": "2026-01-01T12:00:00Z"}', Strict.model_validate_json('{"at": "2026-01-01T12:00:00Z"}')),
    (Model | None, "null", None),
    (list[Model], '[{"id": 1}]', [Model(id=1)]),
    (dict[str, Model], '{"a": {"id": 1}}', {"a": Model(id=1)}),
    (Pet, '{"kind": "dog"}', Dog(kind="dog")),
    (Box[int], '{"held": 1}', Box[int](held=1)),
    (Checked, '{"id": 1}', Checked(1)),
    (Struct, '{"id": 1, "price": 2}', Struct(1, price=2.0)),
    (list[Struct], '[{"id": 1}]', [Struct(1)]),
    (Tagged | OtherTagged, '{"type": "other", "id": 1}', OtherTagged(1)),
    (GenericStruct[int], '{"held": 1}', GenericStruct(1)),
    (Both, '{"model": {"id": 1}, "struct": {"id": 2}}', Both(Model(id=1), Struct(2))),
    (list[Model | Struct], '[{"id": 1}]', [Model(id=1)]),
]


@pytest.mark.parametrize(("annotation", "text", "expected"), TAKEN, ids=repr)
def test_a_model_is_made_of_json_and_of_a_value(annotation: Any, text: str, expected: Any) -> None:
    import json

    assert json_converter(annotation)(text) == expected
    assert json_converter(annotation)(text.encode()) == expected
    assert converter(annotation)(json.loads(text)) == expected


def test_what_dynamodb_has_is_taken() -> None:
    assert converter(Struct)({"id": 1, "price": Decimal("9.5")}) == Struct(1, price=9.5)
    assert converter(Model)({"id": Decimal(1)}) == Model(id=1)


REFUSED: list[tuple[Any, str, str]] = [
    (Model, '{"id": "secret"}', r"`\$\.id` to be valid \(int_parsing: .*got a string"),
    (Model, "{}", r"`\$\.id` to be there, but it is missing"),
    (Model, "secret", "json_invalid"),
    (Model, '{"id": 1, "at": "secret"}', "datetime_from_date_parsing"),
    (Model, '{"id": 1, "kind": "secret"}', r"`\$\.kind` to be valid \(enum"),
    (Model, '{"id": "x", "kind": "secret"}', "and 1 more"),
    (list[Model], '[{"id": 1}, {"id": []}]', r"`\$\[1\]\.id`"),
    (Pet, '{"kind": "secret"}', "union_tag_invalid"),
    (Spoken, '{"id": 1}', r"`\$\.id` to be valid \(value_error\)"),
    (Custom, '{"id": 1}', r"`\$\.id` to be valid \(mine\)"),
    (Struct, '{"id": "secret"}', r"`\$\.id` to be valid \(Expected `int`, got `str`\), but it is not"),
    (Struct, "{}", r"`\$` to be valid \(Object missing required field `id`\)"),
    (Struct, "secret", "malformed"),
    (Struct, '{"id": 1, "kind": "secret"}', r"`\$\.kind` to be valid \(Invalid enum value\)"),
    (list[Struct], '[{"id": 1}, {"id": []}]', r"`\$\[1\]\.id`"),
    (Tagged | OtherTagged, '{"type": "secret", "id": 1}', r"`\$\.type` to be valid \(Invalid value\)"),
    (Unspoken, '{"id": 1}', r"valid \(ValueError\)"),
    (Both, '{"model": {"id": "secret"}, "struct": {"id": 2}}', r"`\$\.model\.id` to be valid"),
    (Both, '{"model": {"id": 1}, "struct": {"id": "secret"}}', r"`\$\.struct\.id` to be valid"),
]


@pytest.mark.parametrize(("annotation", "text", "message"), REFUSED, ids=repr)
def test_an_error_names_the_place_and_never_the_value(annotation: Any, text: str, message: str) -> None:
    import json

    with pytest.raises(DecodingError, match=message) as raised:
        json_converter(annotation)(text)
    assert "secret" not in str(raised.value)
    if text != "secret":
        with pytest.raises(DecodingError) as raised:
            converter(annotation)(json.loads(text))
        assert "secret" not in str(raised.value)


@pytest.mark.parametrize("annotation", [Model, Struct])
@pytest.mark.parametrize("text", [b"\xff", "\ud800", '"\ud800"', "[" * 100_000])
def test_what_is_no_json_is_refused(annotation: Any, text: str | bytes) -> None:
    with pytest.raises(DecodingError):
        json_converter(annotation)(text)


def test_what_a_library_makes_nothing_of_is_refused_at_once() -> None:
    with pytest.raises(ConfigurationError, match="msgspec"):
        converter(Tagged | Struct)


CONSTRAINED = (
    "import sys, annotated_types\n"
    "from typing import Annotated\n"
    "from lambent.errors import ConfigurationError, DecodingError\n"
    "from lambent.values.convert import converter\n"
    "Positive = Annotated[int, annotated_types.Gt(0)]\n"
    "assert 'pydantic' not in sys.modules\n"
)


def test_what_annotated_types_say_holds_though_pydantic_is_not_loaded_yet() -> None:
    code = (
        "convert = converter(Positive)\n"
        "assert convert(1) == 1\n"
        "try:\n    convert(0)\nexcept DecodingError:\n    sys.exit(5)\n"
    )
    assert subprocess.run([sys.executable, "-c", CONSTRAINED + code], check=False, timeout=60).returncode == 5


def test_what_annotated_types_say_is_refused_where_there_is_no_pydantic() -> None:
    code = (
        "sys.modules['pydantic'] = None\n"
        "try:\n    converter(list[Positive])\nexcept ConfigurationError as error:\n    print(error)\n"
    )
    told = subprocess.run([sys.executable, "-c", CONSTRAINED + code], check=True, timeout=60, capture_output=True)
    assert b"install it" in told.stdout


def test_neither_is_imported_by_us() -> None:
    code = (
        "import sys, dataclasses\n"
        "from lambent.events.decode import reader\n"
        "@dataclasses.dataclass\nclass A:\n    a: int\n"
        "assert reader(A)(b'{\"a\": 1}') == A(1)\n"
        "assert not {'pydantic', 'msgspec', 'orjson', 'fastavro'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
