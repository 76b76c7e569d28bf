"""Maps of lists: fields and parameters, both ways."""

from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambent.errors import MalformedEvent
from lambent.gateway import multi_value
from lambent.types import RawHeaders

NAME = st.text("abc-", min_size=1, max_size=4)
VALUE = st.text(st.characters(max_codepoint=255), max_size=6)
LISTS = st.dictionaries(NAME, st.lists(VALUE, min_size=1, max_size=3), max_size=4)
TEXT = st.text(st.characters(codec="utf-8"), max_size=5)
PARAMETERS = st.dictionaries(TEXT, st.lists(TEXT, min_size=1, max_size=3), max_size=4)


def raw(lists: dict[str, list[str]]) -> RawHeaders:
    return [(name.encode(), value.encode("latin-1")) for name in lists for value in lists[name]]


# Fields of a request


@settings(max_examples=40)
@given(LISTS)
def test_every_value_of_a_field_is_passed_in_its_order(lists: dict[str, list[str]]) -> None:
    assert multi_value.encode(lists) == raw(lists)


@pytest.mark.parametrize("name", ["cookie", "Cookie"])
def test_cookies_that_came_apart_are_one_field(name: str) -> None:
    assert multi_value.encode({name: ["a=1", "b=2"], "x": ["1"]}) == [(b"cookie", b"a=1; b=2"), (b"x", b"1")]


@pytest.mark.parametrize("value", ["日", "\ud800"])
def test_a_value_beyond_latin_1_is_utf_8_as_well_as_may_be(value: str) -> None:
    expected = [(b"x", value.encode("utf-8", "replace")), (b"y", b"\xe9")]
    assert multi_value.encode({"X": [value], "Y": ["é"]}) == expected


def test_a_field_without_values_is_none() -> None:
    assert multi_value.encode({"x": [], "y": ["1"]}) == [(b"y", b"1")]


@pytest.mark.parametrize("values", [7, None, {}, {"a": "b"}, [7], [None], [["1"]], ["1", None], [{}]])
def test_what_is_no_list_of_strings_is_malformed(values: Any) -> None:
    with pytest.raises(MalformedEvent, match=r"^Expected"):
        multi_value.encode({"x-first": ["1"], "x": values})


@pytest.mark.parametrize("lists", [None, {}])
def test_without_lists_the_single_fields_are_taken(lists: Any) -> None:
    event = {"multiValueHeaders": lists, "headers": {"X": "1"}}
    assert multi_value.request_headers(event) == [(b"x", b"1")]


def test_with_lists_the_single_fields_are_not_looked_at() -> None:
    event = {"multiValueHeaders": {"X": ["1", "2"]}, "headers": {"X": "2", "Y": "3"}}
    assert multi_value.request_headers(event) == [(b"x", b"1"), (b"x", b"2")]


@pytest.mark.parametrize("event", [{}, {"headers": None}, {"multiValueHeaders": None, "headers": {}}])
def test_no_fields_are_none(event: dict[str, Any]) -> None:
    assert multi_value.request_headers(event) == []


# Fields of a response


@settings(max_examples=40)
@given(LISTS)
def test_lists_of_a_response_are_those_of_a_request(lists: dict[str, list[str]]) -> None:
    assert multi_value.listed(*multi_value.decode(raw(lists))) == lists


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from([b"vary", b"x-a", b"set-cookie"]), st.sampled_from([b"1", b"2"])), max_size=6)
)
def test_no_value_is_lost_where_strings_are_joined(fields: RawHeaders) -> None:
    joined = multi_value.joined(*multi_value.decode(fields))
    cookies = [value for name, value in joined.items() if name.lower() == "set-cookie"]
    assert cookies == [value.decode() for name, value in fields if name == b"set-cookie"]
    for name in (b"vary", b"x-a"):
        values = [value.decode() for each, value in fields if each == name]
        assert joined.get(name.decode(), "") == ", ".join(values)


def test_512_cookies_are_kept_apart() -> None:
    first, repeated = multi_value.decode([(b"set-cookie", b"n=%d" % number) for number in range(512)])
    joined = multi_value.joined(first, repeated)
    assert list(joined.values()) == repeated["set-cookie"]
    assert {name.lower() for name in joined} == {"set-cookie"}


def test_fields_of_one_connection_are_left_out() -> None:
    assert multi_value.decode([(b"connection", b"close"), (b"te", b"1"), (b"x", b"1")]) == ({"x": "1"}, {})


def test_bytes_that_are_not_ascii_are_latin_1() -> None:
    assert multi_value.decode([(b"x", b"\xe9"), (b"x", b"\xff")]) == ({"x": "é"}, {"x": ["é", "ÿ"]})


# Parameters


@settings(max_examples=40)
@given(PARAMETERS)
def test_parameters_that_were_decoded_are_encoded_again_without_loss(lists: dict[str, list[str]]) -> None:
    query = multi_value.quoted_query({"multiValueQueryStringParameters": lists}).decode("ascii")
    assert parse_qsl(query, keep_blank_values=True) == [(name, value) for name in lists for value in lists[name]]
    assert not set(query) & set("+ ;#")


@settings(max_examples=40)
@given(st.dictionaries(TEXT, TEXT, max_size=4))
def test_single_parameters_are_encoded_as_lists_are(single: dict[str, str]) -> None:
    lists = {name: [value] for name, value in single.items()}
    expected = multi_value.quoted_query({"multiValueQueryStringParameters": lists})
    assert multi_value.quoted_query({"queryStringParameters": single}) == expected


WIRE = st.text("ab%2F+~", max_size=5)


@settings(max_examples=40)
@given(st.dictionaries(WIRE, st.lists(WIRE, min_size=1, max_size=3), max_size=4))
def test_parameters_that_were_not_decoded_are_passed_bit_for_bit(lists: dict[str, list[str]]) -> None:
    query = multi_value.verbatim_query({"multiValueQueryStringParameters": lists})
    assert query.decode() == "&".join(f"{name}={value}" for name in lists for value in lists[name])


@pytest.mark.parametrize(
    ("lists", "query"),
    [
        ({"a=b": ["c"]}, b"a%3Db=c"),
        ({"a": ["b=c"]}, b"a=b%3Dc"),
        ({"a&b": ["c"]}, b"a%26b=c"),
        ({"a": ["b&c", "d"]}, b"a=b%26c&a=d"),
        ({"": [""]}, b"="),
        ({"a": []}, b""),
        ({"a": [None], "b": ["1"]}, b"a&b=1"),
        ({"a=": [None], "b": ["1"]}, b"a%3D&b=1"),
        ({"a": ["\ud800"]}, b"a=%3F"),
        ({"日": ["a b"]}, b"%E6%97%A5=a%20b"),
    ],
)
def test_what_would_be_read_otherwise_is_encoded(lists: Any, query: bytes) -> None:
    assert multi_value.quoted_query({"multiValueQueryStringParameters": lists}) == query


@pytest.mark.parametrize("write", [multi_value.quoted_query, multi_value.verbatim_query])
@pytest.mark.parametrize("event", [{}, {"queryStringParameters": None}, {"multiValueQueryStringParameters": {}}])
def test_no_parameters_are_an_empty_query(write: Any, event: dict[str, Any]) -> None:
    assert write(event) == b""


@pytest.mark.parametrize("write", [multi_value.quoted_query, multi_value.verbatim_query])
@pytest.mark.parametrize("key", ["queryStringParameters", "multiValueQueryStringParameters"])
@pytest.mark.parametrize("value", [7, True, {"a": "b"}, [7], [["x"]], [{}]])
def test_a_parameter_that_is_no_string_is_malformed(write: Any, key: str, value: Any) -> None:
    with pytest.raises(MalformedEvent, match="Expected the query parameter 'q' to be a string"):
        write({key: {"q": value}})
