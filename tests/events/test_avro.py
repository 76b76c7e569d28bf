"""Avro: plain and in Confluent's framing, written by fastavro."""

import io
import json
import sys
from dataclasses import dataclass
from decimal import Decimal
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest

from lambent.errors import ConfigurationError, DecodingError
from lambent.events.avro import Avro
from lambent.events.decode import reader
from tests.support.counterparts import missing

SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "Order",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
    ],
}
ZERO: dict[str, Any] = {"id": 0, "price": Decimal(0)}
NEWER = {**SCHEMA, "fields": [SCHEMA["fields"][0], {"name": "note", "type": "string", "default": "none"}]}


@dataclass
class Order:
    id: int
    note: str = ""


def written(order: dict[str, Any]) -> bytes:
    if find_spec("fastavro") is None:
        missing("fastavro", "pip install fastavro")
    fastavro: Any = import_module("fastavro")
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, SCHEMA, order)
    return stream.getvalue()


def framed(number: int, content: bytes) -> bytes:
    return b"\0" + number.to_bytes(4, "big") + content


@pytest.mark.parametrize("schema", [SCHEMA, json.dumps(SCHEMA)])
def test_plain_avro_is_read(schema: Any) -> None:
    value = Avro(schema)(written({"id": 7, "price": Decimal("9.50")}))
    assert value == {"id": 7, "price": Decimal("9.50")}
    assert reader(Order, Avro(schema))(written({"id": 7, "price": Decimal(1)})) == Order(7)


def test_a_reader_may_have_another_schema() -> None:
    assert reader(Order, Avro(SCHEMA, NEWER))(written({"id": 7, "price": Decimal(1)})) == Order(7, "none")


def test_a_framed_value_names_its_schema_which_is_asked_for_once() -> None:
    asked: list[int] = []

    def lookup(number: int) -> Any:
        asked.append(number)
        return SCHEMA

    decode = Avro(lookup)
    for number in (300, 300, 5):
        assert decode(framed(number, written({"id": 7, "price": Decimal(1)})))["id"] == 7
    assert asked == [300, 5]


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"", "raised"), (b"\x0e", "raised"), (b"\x0e\x02\x64secret", "6 bytes are left"), ("text", "got a string")],
)
def test_what_is_no_avro_is_refused_without_the_value(data: Any, message: str) -> None:
    written(ZERO)
    with pytest.raises(DecodingError, match=message) as raised:
        Avro(SCHEMA)(data)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("data", [b"", b"\0\0\0", b"\1\0\0\0\1\x0e"])
def test_a_value_without_a_frame_is_refused(data: bytes) -> None:
    written(ZERO)
    with pytest.raises(DecodingError, match="framing"):
        Avro(lambda _: SCHEMA)(data)


@pytest.mark.parametrize("schema", ["{", '{"type": "nonsense"}', {"type": "record"}])
def test_a_schema_that_is_none_is_a_mistake_of_the_user(schema: Any) -> None:
    data = written(ZERO)
    with pytest.raises(ConfigurationError, match="schema of Avro"):
        reader(dict, Avro(schema))(data)


def test_without_fastavro_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fastavro", None)
    with pytest.raises(ConfigurationError, match="pip install fastavro"):
        reader(dict, Avro(SCHEMA))(b"\x0e")
