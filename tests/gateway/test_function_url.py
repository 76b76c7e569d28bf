"""Payload 2.0 of a Function URL, where it differs from an HTTP API's."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambent.dev.doors import DOORS
from lambent.dev.doors.model import Arrival, HTTPRequest, Site
from lambent.gateway import GATEWAYS, detect, function_url, http_api
from lambent.gateway.model import DEFAULTS, Request
from tests.payloads import payload

HOST = "k3dd6xvqzr5yb7mpu2wfhq4n5a0tjcls.lambda-url.eu-west-1.on.aws"


def request(name: str = "function_url_get", **changes: Any) -> Request:
    return function_url.request(payload(name) | changes)


def test_a_request_is_read_field_by_field() -> None:
    assert request() == Request(
        method="GET",
        path="/items/7",
        raw_path=b"/items/7",
        query_string=b"q=lamp&q=oil&empty=&plus=a+b&encoded=a%2Bb",
        root_path="",
        scheme="https",
        http_version="1.1",
        headers=[
            (b"accept", b"*/*"),
            (b"accept-encoding", b"gzip, deflate, br"),
            (b"host", HOST.encode()),
            (b"user-agent", b"curl/8.9.1"),
            (b"x-amzn-tls-cipher-suite", b"TLS_AES_128_GCM_SHA256"),
            (b"x-amzn-tls-version", b"TLSv1.3"),
            (b"x-amzn-trace-id", b"Root=1-6869a1b9-0d3f5e0c4c1b2a3f4e5d6c7b"),
            (b"x-forwarded-for", b"203.0.113.9"),
            (b"x-forwarded-port", b"443"),
            (b"x-forwarded-proto", b"https"),
        ],
        client=("203.0.113.9", 0),
        server=(HOST, 443),
        body=b"",
    )


def test_the_path_is_decoded_exactly_once() -> None:
    assert request("function_url_encoded_path").path == "/files/a/b%2Fc d/ü+1"


def test_the_raw_path_is_the_door_s_own() -> None:
    assert request("function_url_encoded_path").raw_path == b"/files/a%2Fb%252Fc%20d/%C3%BC+1"


@pytest.mark.parametrize(("path", "raw"), [("/ü", "/ü".encode()), ("/\ud800", b"/?"), (None, b"/")])
def test_a_raw_path_is_bytes_whatever_came(path: str | None, raw: bytes) -> None:
    assert request(rawPath=path).raw_path == raw


@pytest.mark.parametrize(
    ("raw_path", "path"),
    [
        ("/a+b", "/a+b"),
        ("/%2525", "/%25"),
        ("/100%", "/100%"),
        ("/%zz", "/%zz"),
        ("/%FF", "/\ufffd"),
        ("/%C3%BC", "/ü"),
        ("/ü", "/ü"),
        ("/a%3Fb%23c", "/a?b#c"),
        ("//a//", "//a//"),
        ("", "/"),
        (None, "/"),
    ],
)
def test_a_path_is_decoded_as_utf_8(raw_path: str | None, path: str) -> None:
    assert request(rawPath=raw_path).path == path


def test_a_url_has_no_stage() -> None:
    assert request(rawPath="/$default/x").root_path == ""


def test_cookies_that_come_twice_are_passed_once() -> None:
    headers = request("function_url_cookies").headers
    assert [value for name, value in headers if name == b"cookie"] == [b"visits=3; theme=dark"]


def test_cookies_without_the_field_become_it() -> None:
    assert (b"cookie", b"a=1; b=2") in request(cookies=["a=1", "b=2"]).headers


def test_a_binary_body_is_decoded() -> None:
    assert request("function_url_binary_post").body == b"\x89PNG\r\n\x1a\n\0\xff\0\x80"


def test_a_text_body_is_utf_8() -> None:
    assert request("function_url_json_post").body == '{"name":"Öllampe","price":12.5}'.encode()


def test_a_url_replies_as_an_http_api_does() -> None:
    assert function_url.reply is http_api.reply


SEGMENT = st.text(st.characters(codec="utf-8", exclude_characters="/"), max_size=5)
FIELDS = st.dictionaries(st.sampled_from([b"x-a", b"x-b", b"accept", b"content-type"]), st.just(b"a/b; c=d"))


@settings(max_examples=40)
@given(
    method=st.sampled_from(["GET", "POST", "PROPFIND"]),
    segments=st.lists(SEGMENT, max_size=3),
    query=st.text("ab=&%2F+;", max_size=9),
    fields=FIELDS,
    body=st.binary(max_size=9),
    door=st.sampled_from(["http", "url"]),
)
def test_a_request_comes_out_of_the_local_door_s_event_as_it_went_in(
    method: str, segments: list[str], query: str, fields: dict[bytes, bytes], body: bytes, door: str
) -> None:
    path = "/" + "/".join(segments)
    headers = [(b"host", b"localhost:3000"), *fields.items()]
    sent = HTTPRequest(method, http_api.encode_path(path), query.encode(), headers, body, ("::1", 5), "http", "1.1")
    event = DOORS[door](Site("app")).event(sent, Arrival("id", "id=", "Root=1", 0.0))

    got = detect(event, GATEWAYS).request(event, DEFAULTS)

    assert (got.method, got.path, got.raw_path) == (method, path, sent.raw_path)
    assert (got.query_string, got.body) == (sent.query_string, body)
    assert set(headers) <= set(got.headers)
    assert (got.scheme, got.client, got.server) == ("http", ("::1", 0), ("localhost", 3000))
