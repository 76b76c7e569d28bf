import json
import math
import subprocess
import sys
from collections import ChainMap, OrderedDict, UserDict, deque, namedtuple
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

import msgspec
import orjson
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.api.responses.json import dumps
from lambent.api.responses.json_text import write
from lambent.errors import InvalidResult


class Colour(Enum):
    RED = "red"
    MANY = ["a", 1]  # noqa: RUF012 - a value that is not hashable
    DAY = date(2026, 1, 2)


class Level(IntEnum):
    LOW = 1


class Kind(StrEnum):
    A = "a"


class Point(NamedTuple):
    x: int
    y: float = 0.0


@dataclass
class Item:
    name: str
    tags: list[str] = field(default_factory=list)
    _secret: str = "s"
    kinds: ClassVar[int] = 3


class Model(pydantic.BaseModel):
    when: datetime
    name: str = pydantic.Field(serialization_alias="theName")


class Struct(msgspec.Struct, rename="camel"):
    some_name: Any


Pair = namedtuple("Pair", ["a", "b"])  # noqa: PYI024 - one without types


@dataclass
class Unkept:
    name: str


class Text(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "not this"


NOON = datetime(2026, 1, 2, 12, 0, 0, 5, UTC)
ID = UUID("12345678-1234-5678-1234-567812345678")


def both(value: Any) -> bytes:
    written = dumps(value)
    assert write(value) == written
    return written


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "null"),
        (True, "true"),
        ('é\u2028\x7f\x1f"\\/<\n', '"é\u2028\x7f\\u001f\\"\\\\/<\\n"'),
        (1 << 64, "18446744073709551616"),
        ([-(1 << 63) - 1, 1.5], "[-9223372036854775809,1.5]"),
        ([math.nan, math.inf, -math.inf, -0.0], "[null,null,null,-0.0]"),
        ({"a": [], "b": {}, "c": ()}, '{"a":[],"b":{},"c":[]}'),
        (NOON, '"2026-01-02T12:00:00.000005+00:00"'),
        (datetime(1, 2, 3), '"0001-02-03T00:00:00"'),  # noqa: DTZ001 - naive ones are sent, too
        (time(1, 2, 3), '"01:02:03"'),
        (time(1, 2, 3, tzinfo=UTC), '"01:02:03+00:00"'),
        (date(2026, 1, 2), '"2026-01-02"'),
        (ID, f'"{ID}"'),
        (Decimal("1.10"), '"1.10"'),
        ([Colour.RED, Colour.MANY, Colour.DAY, Level.LOW, Kind.A], '["red",["a",1],"2026-01-02",1,"a"]'),
        ({1 }, "[1]"),
        (frozenset("a"), '["a"]'),
        (deque([1, 2]), "[1,2]"),
        (Pair(1, [2]), '{"a":1,"b":[2]}'),
        (range(3), "[0,1,2]"),
        ({"a": 1}.keys(), '["a"]'),
        (MappingProxyType({"a": 1}), '{"a":1}'),
        (UserDict(a=1), '{"a":1}'),
        (ChainMap({"a": 1}), '{"a":1}'),
        (Point(1), '{"x":1,"y":0.0}'),
        (Item("n"), '{"name":"n","tags":[]}'),
        (Text("a"), '"a"'),
        ({Text("a"): Text("b")}, '{"a":"b"}'),
        ("\ud800\udfff", '"\\ud800\\udfff"'),
        (
            {None: 1, True: 2, 3: 4, 1.5: 5, math.nan: 6, Colour.RED: 7, Kind.A: 9, 1 << 70: 10},
            '{"null":1,"true":2,"3":4,"1.5":5,"null":6,"red":7,"a":9,"1180591620717411303424":10}',
        ),
        (
            {NOON: 1, date(2026, 1, 2): 2, time(3): 3, ID: 4},
            f'{{"2026-01-02T12:00:00.000005+00:00":1,"2026-01-02":2,"03:00:00":3,"{ID}":4}}',
        ),
        ([Model(when=NOON, name="n")], '[{"when":"2026-01-02T12:00:00.000005Z","theName":"n"}]'),
        ({"a": Struct(1)}, '{"a":{"someName":1}}'),
        (Struct([Model(when=NOON, name="n"), Unkept("n")]),
         '{"someName":[{"when":"2026-01-02T12:00:00.000005Z","theName":"n"},{"name":"n"}]}'),
    ],
)  # fmt: skip
def test_a_value_is_written_the_same_by_both(value: Any, expected: str) -> None:
    assert both(value).decode() == expected


def test_an_ordered_dict_keeps_its_order() -> None:
    ordered = OrderedDict(a=1, b=2)
    ordered.move_to_end("a")
    assert both(ordered) == b'{"b":2,"a":1}'


def test_attributes_that_are_no_fields_are_not_written() -> None:
    item = Item("n")
    item.password = "secret"  # type: ignore[attr-defined]  # as users do
    assert both(item) == b'{"name":"n","tags":[]}'


def test_a_model_may_hold_a_struct() -> None:
    class Holder(pydantic.BaseModel):
        model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)
        struct: Struct

    assert both(Holder(struct=Struct(1))) == b'{"struct":{"someName":1}}'


class Unknown:
    pass


DEEP: list[Any] = []
for _ in range(100_000):
    DEEP = [DEEP]
ROUND: dict[str, Any] = {}
ROUND["self"] = ROUND


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (b"a", r"`\$` to be something that JSON has, but it is of the type bytes"),
        ({"items": [1, {"price": Unknown()}]}, r"`\$.items\[1\].price` .* of the type Unknown"),
        ([(each for each in "ab")], r"`\$\[0\]` .* of the type generator"),
        ({"a": {(1, 2): 3}}, r"`\$.a` .* keys .* one is a tuple"),
        ({"a": Struct(Unknown())}, r"`\$.a` .* of the type Unknown|Unknown"),
        (Unknown, "of the type type"),
        (1j, "of the type complex"),
        ([10**5000], "at most 4300 digits"),
        (DEEP, "nested in at most"),
        (ROUND, "has itself in it"),
    ],
)
@pytest.mark.parametrize("writer", [dumps, write])
def test_what_is_no_json_is_told(writer: Callable[[Any], bytes], value: Any, told: str) -> None:
    with pytest.raises(InvalidResult, match=told):
        writer(value)


def test_as_deep_as_orjson_takes() -> None:
    deep: Any = 1
    for _ in range(254):
        deep = [deep]
    assert orjson.dumps(deep) == both(deep)


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.dates(),
    st.times(),
    st.datetimes(timezones=st.none() | st.timezones() | st.just(UTC)),
    st.uuids(),
    st.decimals(allow_nan=False),
    st.sampled_from([*Colour, *Level, *Kind]),
)
KEYS = st.one_of(
    st.text(), st.integers(), st.floats(), st.booleans(), st.none(), st.dates(), st.uuids(), st.sampled_from(Kind)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner),
        st.lists(inner).map(tuple),
        st.dictionaries(KEYS, inner),
        st.builds(Point, inner, inner),
        st.builds(Item, inner, st.lists(inner)),
        st.frozensets(SCALARS),
    ),
    max_leaves=12,
)


@given(VALUES)
def test_whatever_it_is_both_write_the_same(value: Any) -> None:
    both(value)


@given(st.floats())
def test_a_float_is_written_as_orjson_has_it(value: float) -> None:
    assert write(value) == orjson.dumps(value)


@given(st.floats(1e-8, 1e-3) | st.floats(1e14, 1e24))
def test_a_float_where_the_notation_changes(value: float) -> None:
    assert [write(each) for each in (value, -value)] == [orjson.dumps(each) for each in (value, -value)]


@given(st.dictionaries(KEYS, st.integers(0, 9)))
def test_keys_are_written_as_orjson_has_them(value: dict[Any, int]) -> None:
    try:
        expected = orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:  # long integers and lone surrogates
        return
    assert dumps(value) == write(value) == expected


@given(st.integers(-86399, 86399))
def test_an_offset_is_in_whole_minutes(seconds: int) -> None:
    value = datetime(1900, 1, 1, tzinfo=timezone(timedelta(seconds=seconds)))
    written = json.loads(both(value))
    assert len(written) == 25
    assert datetime.fromisoformat(written) == value


@given(st.times())
def test_a_time_is_read_back(value: time) -> None:
    assert time.fromisoformat(json.loads(both(value))) == value  # orjson 3.13.0 loses a zero


def test_without_orjson_the_standard_library_writes() -> None:
    code = (
        "import sys; sys.modules['orjson'] = None\n"
        "from lambent.api.responses.json import dumps\n"
        "print(dumps({1: ['é', 1e-5, float('nan')]}).decode())"
    )
    done = subprocess.run([sys.executable, "-X", "utf8", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == '{"1":["é",0.00001,null]}\n'
