"""Doors whose replies are streamed: what is read before the body."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.gateway import GATEWAYS, detect, function_url, rest_api
from lambent.gateway.model import DEFAULTS, Response, Settings
from lambent.gateway.streamed import StreamedDoor
from lambent.invocation import Streamed
from lambent.types import Event
from tests.payloads import DOORS, payload

STREAM = {"function_url", "rest_api"}
NAME = st.text("abc-", min_size=1).map(str.encode)
VALUE = st.text(st.characters(min_codepoint=33, max_codepoint=255), min_size=1).map(lambda text: text.encode("latin-1"))


def prelude(response: Response, event: dict[str, Event], settings: Settings) -> Any:
    return {"statusCode": response.status}


def streamed(name: str, *, pad: bool = False) -> StreamedDoor:
    return StreamedDoor(detect(payload(name), GATEWAYS), prelude, pad=pad)


@pytest.mark.parametrize("name", DOORS)
def test_two_doors_have_a_prelude(name: str) -> None:
    door = detect(payload(name), GATEWAYS)
    assert (getattr(door, "prelude", None) is not None) is (door.name in STREAM)


def test_it_takes_what_the_door_takes() -> None:
    event = payload("function_url_get")
    door = streamed("function_url_get")
    assert door.matches(event)
    assert door.name == "function_url"
    assert door.request(event, DEFAULTS) == function_url.request(event)


def test_a_whole_response_is_a_stream_of_one_piece() -> None:
    assert streamed("rest_v1").reply(Response(201, [], b"\0"), {}, DEFAULTS) == Streamed({"statusCode": 201}, b"\0")


def test_an_empty_one_can_be_padded() -> None:
    assert streamed("rest_v1").reply(Response(201, [], b""), {}, DEFAULTS).body == b""
    assert streamed("rest_v1", pad=True).reply(Response(201, [], b""), {}, DEFAULTS).body == b" "
    assert streamed("rest_v1", pad=True).reply(Response(201, [], b"a"), {}, DEFAULTS).body == b"a"


def test_a_function_url_reads_single_values_and_cookies() -> None:
    fields = [(b"x", b"1"), (b"x", b"2"), (b"set-cookie", b"a"), (b"set-cookie", b"b"), (b"content-length", b"5")]
    assert function_url.prelude(Response(200, fields, b""), payload("function_url_get")) == {
        "statusCode": 200,
        "headers": {"x": "1, 2"},
        "cookies": ["a", "b"],
    }


def test_cookies_are_there_without_any() -> None:
    empty = function_url.prelude(Response(204, [], b""), payload("function_url_get"))
    assert empty == {"statusCode": 204, "headers": {}, "cookies": []}


def test_a_rest_api_reads_lists() -> None:
    fields = [(b"x", b"1"), (b"set-cookie", b"a"), (b"set-cookie", b"b"), (b"content-length", b"5")]
    assert rest_api.prelude(Response(200, fields, b""), payload("rest_v1")) == {
        "statusCode": 200,
        "headers": {"x": "1"},
        "multiValueHeaders": {"set-cookie": ["a", "b"]},
    }


@pytest.mark.parametrize("name", ["connection", "transfer-encoding", "keep-alive", "content-length"])
@pytest.mark.parametrize("module", [function_url, rest_api])
def test_what_concerns_one_connection_only_is_left_out(name: str, module: Any) -> None:
    fields = [(name.encode(), b"5"), (b"x", b"1")]
    assert module.prelude(Response(200, fields, b""), payload("rest_v1"))["headers"] == {"x": "1"}


@given(st.lists(st.tuples(NAME, VALUE), max_size=6))
def test_no_field_is_lost(fields: list[tuple[bytes, bytes]]) -> None:
    read = function_url.prelude(Response(200, fields, b""), payload("function_url_get"))["headers"]
    for name, value in fields:
        assert value.decode("latin-1") in read[name.decode()]
    made = rest_api.prelude(Response(200, fields, b""), payload("rest_v1"))
    values = {name: [value] for name, value in made["headers"].items()} | made.get("multiValueHeaders", {})
    assert {name: values[name] for name in values} == {
        name.decode(): [value.decode("latin-1") for each, value in fields if each == name] for name, _ in fields
    }
