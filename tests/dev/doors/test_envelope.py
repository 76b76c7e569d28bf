"""What functions return, read field by field."""

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.dev.doors import envelope
from lambent.dev.doors.model import HTTPReply
from lambent.errors import InvalidMessage


def test_what_is_no_json_is_text_however_deep_it_is() -> None:
    for payload in (b"{", b"[" * 100_000):
        assert envelope.read(payload) == payload.decode()


def response(**fields: object) -> HTTPReply:
    return envelope.response({"statusCode": 200} | fields, b"application/json", json.dumps)


@pytest.mark.parametrize(("value", "status"), [(200, 200), ("418", 418), (204.0, 204), ("500", 500), (599, 599)])
def test_a_status_that_is_a_whole_number_is_taken(value: object, status: int) -> None:
    assert envelope.status_code(value) == status


@pytest.mark.parametrize(
    "value", [0, 101, 199, 600, -200, 200.5, "test", "", None, True, [200], {}, float("inf"), "1e999"]
)
def test_any_other_status_is_named_in_the_error(value: object) -> None:
    with pytest.raises(InvalidMessage, match="statusCode must be an integer from 200 to 599"):
        envelope.status_code(value)


def test_headers_keep_their_order_and_gain_the_default_type() -> None:
    assert response(headers={"x-b": "1", "x-a": "2"}).headers == [
        (b"x-b", b"1"),
        (b"x-a", b"2"),
        (b"content-type", b"application/json"),
    ]


def test_a_content_type_of_any_case_is_kept() -> None:
    assert response(headers={"Content-TYPE": "text/html"}).headers == [(b"Content-TYPE", b"text/html")]


def test_numbers_and_booleans_are_written_as_json() -> None:
    assert response(headers={"a": 1, "b": True, "content-type": "x"}).headers[:2] == [(b"a", b"1"), (b"b", b"true")]


def test_a_null_header_is_none() -> None:
    assert response(headers={"x-a": None}).headers == response(headers=None).headers


def test_a_header_that_is_not_ascii_is_latin_1_and_beyond_that_utf_8() -> None:
    assert envelope.header("a", "é") == (b"a", b"\xe9")
    assert envelope.header("a", "€") == (b"a", b"\xe2\x82\xac")


@pytest.mark.parametrize("name", ["Connection", "Content-Length", "keep-alive", "Transfer-Encoding", "upgrade", "Date"])
def test_headers_of_the_connection_are_dropped(name: str) -> None:
    assert response(headers={name: "17"}).headers == response().headers


@pytest.mark.parametrize("value", ["a\r\nset-cookie: b", "a\nb", "a\rb", "a\0b", "\x7f"])
def test_a_header_value_cannot_break_out(value: str) -> None:
    with pytest.raises(InvalidMessage, match="line break"):
        response(headers={"x-a": value})
    with pytest.raises(InvalidMessage, match="line break"):
        response(cookies=[value])


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\nb", "é", "a\0"])
def test_a_header_name_cannot_break_out(name: str) -> None:
    with pytest.raises(InvalidMessage, match="no header name may have"):
        response(headers={name: "1"})


@given(st.text(), st.text())
def test_whatever_a_header_is_it_fits_on_its_line(name: str, value: str) -> None:
    try:
        wire_name, wire_value = envelope.header(name, value)
    except InvalidMessage:
        return
    assert set(wire_name.decode("ascii")) <= set(string.printable) - set(string.whitespace + ":")
    assert not set(wire_value) & {0, 10, 13}


def test_cookies_come_before_other_set_cookie_headers() -> None:
    reply = response(cookies=["a=1", "b=2"], headers={"set-cookie": "c=3", "content-type": "x"})
    assert [value for name, value in reply.headers if name == b"set-cookie"] == [b"a=1", b"b=2", b"c=3"]


@pytest.mark.parametrize("cookies", ["a=1", [1], {"a": "1"}])
def test_cookies_that_are_no_list_of_strings_are_refused(cookies: object) -> None:
    with pytest.raises(InvalidMessage, match="cookies must be a list"):
        response(cookies=cookies)


@pytest.mark.parametrize("headers", [[], "a", 1])
def test_headers_that_are_no_object_are_refused(headers: object) -> None:
    with pytest.raises(InvalidMessage, match="headers must be an object"):
        response(headers=headers)


def test_a_header_that_is_a_list_is_refused() -> None:
    with pytest.raises(InvalidMessage, match="must be a string"):
        response(headers={"x": ["1"]})


def test_a_base64_body_is_decoded() -> None:
    assert response(body="AP8=", isBase64Encoded=True).body == b"\0\xff"


def test_a_body_that_is_not_base64_but_said_to_be_is_refused() -> None:
    with pytest.raises(InvalidMessage, match="not base64"):
        response(body="?", isBase64Encoded=True)


@pytest.mark.parametrize("body", [None, ""])
def test_no_body_is_an_empty_one(body: object) -> None:
    assert response(body=body).body == b""


def test_the_door_says_what_becomes_of_a_body_that_is_no_string() -> None:
    assert response(body={"a": 1}).body == b'{"a": 1}'


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body_has_none(status: int) -> None:
    assert response(statusCode=status, body="x").body == b""


def test_a_result_that_is_no_json_is_text() -> None:
    assert envelope.read(b"{oops \xff") == "{oops \N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize("payload", [b'"a"', b"[]", b"null", b"{oops"])
def test_a_result_that_is_no_object_is_named_in_the_error(payload: bytes) -> None:
    with pytest.raises(InvalidMessage, match="must return an object"):
        envelope.read_object(payload)


def test_lists_of_values_become_one_header_each() -> None:
    assert envelope.multi_values({"a": ["1", 2, None], "b": []}) == [(b"a", b"1"), (b"a", b"2")]


@pytest.mark.parametrize("headers", [[], "a", {"a": "1"}])
def test_lists_of_values_that_are_none_are_refused(headers: object) -> None:
    with pytest.raises(InvalidMessage, match="multiValueHeaders must be an object of lists"):
        envelope.multi_values(headers)
