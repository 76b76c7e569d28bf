"""The pieces of payload format 2.0."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.dev.doors import fields
from lambent.dev.doors.model import HTTPRequest

BASE64 = {"isBase64Encoded": True}


def request(*headers: tuple[bytes, bytes], client: str = "203.0.113.7", scheme: str = "http") -> HTTPRequest:
    return HTTPRequest("GET", b"/", b"", list(headers), b"", (client, 50000), scheme, "1.1")


def test_an_encoded_path_is_left_as_it_came() -> None:
    assert fields.encoded(b"/a%2Fb/%C3%A9/x+y;z=1/~%7e//") == "/a%2Fb/%C3%A9/x+y;z=1/~%7e//"


def test_bytes_that_no_url_may_hold_are_encoded() -> None:
    assert fields.encoded(b"/\xc3\xa9 \x00") == "/%C3%A9%20%00"


def test_a_decoded_path_is_decoded_once() -> None:
    assert fields.decoded(b"/a%2Fb/%C3%A9/%252F/x+y") == "/a/b/é/%2F/x+y"


def test_a_path_that_is_not_utf_8_can_still_be_told() -> None:
    assert fields.decoded(b"/%ff") == "/\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (b"", {}),
        (b"repeat=one&repeat=two", {"repeat": "one,two"}),
        (b"literalPlus=a+b&encodedPlus=a%2Bb", {"literalPlus": "a b", "encodedPlus": "a+b"}),
        (b"empty=&bare", {"empty": "", "bare": ""}),
        (b"a=1&&b=2&", {"a": "1", "b": "2"}),
        (b"a=b=c", {"a": "b=c"}),
        (b"%C3%A9=%26", {"é": "&"}),
    ],
)
def test_a_query_is_decoded_and_repeats_joined_by_a_comma(query: bytes, expected: dict[str, str]) -> None:
    assert fields.query_parameters(query) == expected


def test_repeated_headers_are_joined_by_a_bare_comma() -> None:
    joined = fields.joined_headers([(b"x-a", b"1"), (b"x-b", b"2"), (b"x-a", b"3")])
    assert joined == {"x-a": "1,3", "x-b": "2"}


def test_header_names_are_lower_case_and_values_latin_1() -> None:
    assert fields.joined_headers([(b"X-Name", b"caf\xe9")]) == {"x-name": "café"}


def test_cookie_fields_are_joined_as_cookies_are() -> None:
    assert fields.joined_headers([(b"cookie", b"a=1"), (b"cookie", b"b=2; c=3")]) == {"cookie": "a=1; b=2; c=3"}


def test_repeated_headers_can_be_kept_apart_but_cookies() -> None:
    sent = [(b"x-a", b"1"), (b"cookie", b"a=1"), (b"x-a", b"2"), (b"cookie", b"b=2")]
    assert fields.header_values(sent) == {"x-a": ["1", "2"], "cookie": ["a=1; b=2"]}


def test_of_repeated_values_the_last_is_taken() -> None:
    assert fields.last({"a": ["1", "2"], "b": ["3"]}) == {"a": "2", "b": "3"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [("x-my-header", "X-My-Header"), ("ACCEPT", "Accept"), ("cloudfront-viewer-tls", "CloudFront-Viewer-Tls")],
)
def test_header_names_are_spelled_as_api_gateway_spells_them(name: str, expected: str) -> None:
    assert fields.title_case(name) == expected


def test_a_query_can_be_left_encoded() -> None:
    assert fields.query_values(b"a=%2B+&a=2&b", fields.encoded) == {"a": ["%2B+", "2"], "b": [""]}


def test_what_the_gateway_says_comes_last_and_once() -> None:
    sent = request((b"X-Forwarded-Proto", b"gopher"), (b"host", b"h"), (b"a", b"1"), (b"a", b"2"))
    names = [name for name, _ in fields.received_headers(sent, "t")]
    added = [b"x-amzn-trace-id", b"x-forwarded-for", b"x-forwarded-port", b"x-forwarded-proto"]
    assert names == [b"host", b"a", b"a", *added]


def test_cookies_are_taken_apart() -> None:
    assert fields.cookies({"cookie": "a=1; b=2;c=3; "}) == ["a=1", "b=2", "c=3"]


def test_no_cookies_are_none() -> None:
    assert fields.cookies({}) == []


def test_the_gateway_adds_its_headers() -> None:
    assert fields.gateway_headers(request((b"host", b"127.0.0.1:3000")), "Root=1-2-3") == {
        "host": "127.0.0.1:3000",
        "x-amzn-trace-id": "Root=1-2-3",
        "x-forwarded-for": "203.0.113.7",
        "x-forwarded-port": "3000",
        "x-forwarded-proto": "http",
    }


def test_a_forwarded_for_is_continued_and_other_claims_are_replaced() -> None:
    sent = request(
        (b"x-forwarded-for", b"1.2.3.4"),
        (b"x-forwarded-proto", b"gopher"),
        (b"x-forwarded-port", b"1"),
        (b"host", b"h"),
    )
    headers = fields.gateway_headers(sent, "t")
    assert headers["x-forwarded-for"] == "1.2.3.4, 203.0.113.7"
    assert (headers["x-forwarded-proto"], headers["x-forwarded-port"]) == ("http", "80")


@pytest.mark.parametrize(
    ("host", "port"), [(b"[::1]:8000", "8000"), (b"h:abc", "443"), (b"h", "443"), (b"[::1]", "443")]
)
def test_the_forwarded_port_is_that_of_the_host_header_or_of_the_scheme(host: bytes, port: str) -> None:
    headers = fields.gateway_headers(request((b"host", host), scheme="https"), "t")
    assert headers["x-forwarded-port"] == port


@pytest.mark.parametrize(
    "kind", ["text/plain", "text/html; charset=utf-8", "application/json", "APPLICATION/JSON;x=1", "application/xml"]
)
def test_text_goes_as_text(kind: str) -> None:
    assert fields.body("é".encode(), kind) == {"body": "é", "isBase64Encoded": False}


@pytest.mark.parametrize(
    "kind", ["", "application/x-www-form-urlencoded", "multipart/form-data", "application/vnd.api+json", "image/png"]
)
def test_everything_else_goes_as_base64(kind: str) -> None:
    assert fields.body(b"a=1", kind) == {"body": "YT0x"} | BASE64


def test_text_that_is_not_utf_8_goes_as_base64() -> None:
    assert fields.body(b"\xff", "text/plain") == {"body": "/w=="} | BASE64


def test_an_empty_body_is_absent() -> None:
    assert fields.body(b"", "application/octet-stream") == {"isBase64Encoded": False}


@given(st.binary(min_size=1), st.sampled_from(["", "text/plain", "application/json", "image/png"]))
def test_no_body_is_harmed(content: bytes, kind: str) -> None:
    told = json.loads(json.dumps(fields.body(content, kind)))
    text = told["body"]
    assert (base64.b64decode(text) if told["isBase64Encoded"] else text.encode()) == content


def test_the_clock_is_written_as_aws_writes_it() -> None:
    assert fields.clock_fields(1783711145.5) == {"time": "10/Jul/2026:19:19:05 +0000", "timeEpoch": 1783711145500}


def test_a_request_without_a_user_agent_has_an_empty_one() -> None:
    assert fields.http_field(request(), {}) == {
        "method": "GET",
        "path": "/",
        "protocol": "HTTP/1.1",
        "sourceIp": "203.0.113.7",
        "userAgent": "",
    }
