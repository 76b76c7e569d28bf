"""Lambda@Edge's viewer-request and origin-request, both ways."""

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.errors import MalformedEvent, TruncatedBody
from lambent.gateway import edge
from lambent.gateway.model import Request, Response
from lambent.types import RawHeaders
from tests.payloads import payload

HOST = "d111111abcdef8.cloudfront.net"


def request(name: str = "edge_viewer_request", **changes: Any) -> Request:
    event = payload(name)
    event["Records"][0]["cf"]["request"].update(changes)
    return edge.request(event)


def reply(headers: RawHeaders, body: bytes = b"", status: int = 200) -> dict[str, Any]:
    result: dict[str, Any] = edge.reply(Response(status, headers, body), payload("edge_viewer_request"))
    return result


def test_a_viewer_s_request_is_read_field_by_field() -> None:
    assert request() == Request(
        method="GET",
        path="/files/a/b%2Fc d",
        raw_path=b"/files/a%2Fb%252Fc%20d",
        query_string=b"q=lamp&q=oil&plus=a+b&flag",
        root_path="",
        scheme="https",
        http_version="1.1",
        headers=[(b"host", HOST.encode()), (b"user-agent", b"curl/8.9.1"), (b"accept", b"*/*")],
        client=("203.0.113.9", 0),
        server=(HOST, 443),
        body=b"",
    )


def test_every_value_of_an_origin_s_request_is_passed() -> None:
    got = request("edge_origin_request")
    assert [value for name, value in got.headers if name == b"x-tag"] == [b"one", b"two"]
    assert (got.method, got.body) == ("POST", b"\x89PNG\r\n\x1a\n\0\xff\0\x80")


@given(st.text(st.characters(codec="utf-8")))
def test_a_path_is_decoded_exactly_once(path: str) -> None:
    got = request(uri="/" + quote(path, safe="/"))
    assert (got.path, got.raw_path) == (f"/{path}", b"/" + quote(path, safe="/").encode())


@pytest.mark.parametrize("uri", ["", None])
def test_without_a_path_it_is_the_root(uri: str | None) -> None:
    assert (request(uri=uri).path, request(uri=uri).raw_path) == ("/", b"/")


@pytest.mark.parametrize("query", ["a=1&a=2", "a%20b=%2B+c", "flag", "flag=", "&&", "q=%FF", "", None])
def test_the_query_is_passed_bit_for_bit(query: str | None) -> None:
    assert request(querystring=query).query_string == (query or "").encode()


def test_the_scheme_is_told_if_the_distribution_forwards_it() -> None:
    headers = {
        "host": [{"key": "Host", "value": "example.com"}],
        "cloudfront-forwarded-proto": [{"key": "CloudFront-Forwarded-Proto", "value": "http"}],
    }
    got = request(headers=headers)
    assert (got.scheme, got.server) == ("http", ("example.com", 80))


@pytest.mark.parametrize("headers", [None, {}])
def test_without_headers_the_server_is_the_distribution(headers: Any) -> None:
    got = request(headers=headers)
    assert (got.headers, got.server) == ([], (HOST, 443))


@pytest.mark.parametrize("address", [None, ""])
def test_a_client_that_is_not_told_is_none(address: str | None) -> None:
    assert request(clientIp=address).client is None


def test_a_value_s_key_may_be_missing() -> None:
    assert request(headers={"x-tag": [{"value": "one"}]}).headers == [(b"x-tag", b"one")]


# The body


def test_a_text_body_is_utf_8() -> None:
    assert request(body={"encoding": "text", "data": "Öl", "inputTruncated": False}).body == "Öl".encode()


@pytest.mark.parametrize("body", [None, {}, {"encoding": "base64", "data": ""}, {"encoding": "base64"}])
def test_a_body_that_is_not_included_is_empty(body: Any) -> None:
    assert request(body=body).body == b""


def test_a_part_of_a_body_is_refused() -> None:
    with pytest.raises(TruncatedBody, match=r"cut it off.* 40 KB .* 1 MB") as caught:
        request(body={"encoding": "base64", "data": "aGk=", "inputTruncated": True})
    assert caught.value.status == 413


def test_a_body_that_cannot_be_read_is_malformed() -> None:
    with pytest.raises(MalformedEvent, match="base64"):
        request(body={"encoding": "base64", "data": "not base64!"})


# The reply


def test_a_reply_has_a_status_that_is_a_string_and_lists_of_values() -> None:
    got = reply([(b"content-type", b"text/plain"), (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")], b"hi", 201)
    assert got == {
        "status": "201",
        "headers": {
            "content-type": [{"key": "content-type", "value": "text/plain"}],
            "set-cookie": [{"key": "set-cookie", "value": "a=1"}, {"key": "set-cookie", "value": "b=2"}],
        },
        "body": "hi",
        "bodyEncoding": "text",
    }


def test_a_binary_reply_is_base64() -> None:
    got = reply([(b"content-type", b"image/png")], b"\x89PNG")
    assert (got["body"], got["bodyEncoding"]) == ("iVBORw==", "base64")


@pytest.mark.parametrize(
    "name",
    [b"content-length", b"connection", b"transfer-encoding", b"via", b"x-cache", b"x-amz-cf-id", b"x-edge-location"],
)
def test_fields_that_cloudfront_refuses_are_dropped(name: bytes) -> None:
    assert list(reply([(name, b"1"), (b"x-a", b"1")])["headers"]) == ["x-a"]


VALUE = st.text(st.characters(max_codepoint=255)).map(str.strip)


@given(st.lists(st.tuples(st.sampled_from([b"x-a", b"x-b", b"set-cookie"]), VALUE.map(lambda v: v.encode("latin-1")))))
def test_a_reply_s_headers_are_read_back_as_a_request_s(fields: RawHeaders) -> None:
    got = request(headers=reply(fields)["headers"]).headers
    assert sorted(got) == sorted(fields)
