"""Payload 2.0 of an HTTP API, both ways."""

from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambent.errors import MalformedEvent
from lambent.gateway import http_api
from lambent.gateway.model import Request, Response
from lambent.types import RawHeaders
from tests.payloads import payload


def request(name: str = "http_api_get", **changes: Any) -> Request:
    return http_api.request(payload(name) | changes)


def reply(headers: RawHeaders, body: bytes = b"", status: int = 200) -> dict[str, Any]:
    result: dict[str, Any] = http_api.reply(Response(status, headers, body), {})
    return result


def test_a_request_is_read_field_by_field() -> None:
    host = "r7xk2v9qpd.execute-api.eu-west-1.amazonaws.com"
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
            (b"content-length", b"0"),
            (b"host", host.encode()),
            (b"user-agent", b"curl/8.9.1"),
            (b"x-amzn-trace-id", b"Root=1-6869a2c4-5f1e2d3c4b5a69788796a5b4"),
            (b"x-forwarded-for", b"198.51.100.23"),
            (b"x-forwarded-port", b"443"),
            (b"x-forwarded-proto", b"https"),
        ],
        client=("198.51.100.23", 0),
        server=(host, 443),
        body=b"",
    )


# The path


def test_the_path_was_decoded_by_the_door_and_is_not_decoded_again() -> None:
    path = request("http_api_decoded_path").path
    assert path == "/files/a/b%2Fc d/ü+1"  # sent as /files/a%2Fb%252Fc%20d/%C3%BC+1


def test_the_raw_path_is_encoded_again() -> None:
    assert request("http_api_decoded_path").raw_path == b"/files/a/b%252Fc%20d/%C3%BC+1"


@given(st.text(min_size=1).map("/".__add__))
def test_an_encoded_path_decodes_to_the_path(path: str) -> None:
    encoded = http_api.encode_path(path).decode("ascii")
    assert unquote(encoded) == path
    assert not set("?# %") & set(encoded.replace("%", "", encoded.count("%")))


@pytest.mark.parametrize(
    ("path", "encoded"),
    [
        ("/a-b_c.d~e", b"/a-b_c.d~e"),
        ("/a:b@c!$&'()*+,;=", b"/a:b@c!$&'()*+,;="),
        ("/a?b#c", b"/a%3Fb%23c"),
        ("/100%", b"/100%25"),
        ("/[x]", b"/%5Bx%5D"),
        ("/日", b"/%E6%97%A5"),
        ("/\ud800", b"/%3F"),
        ("//a//b/", b"//a//b/"),
    ],
)
def test_what_may_stand_in_a_path_stands_there(path: str, encoded: bytes) -> None:
    assert request(rawPath=path).raw_path == encoded


@pytest.mark.parametrize("missing", ["", None])
def test_without_a_raw_path_the_context_tells_it(missing: str | None) -> None:
    assert request(rawPath=missing).path == "/items/7"


def test_without_any_path_it_is_the_root() -> None:
    event = payload("http_api_get")
    del event["rawPath"], event["requestContext"]["http"]["path"]
    assert http_api.request(event).path == "/"


# The stage


def test_the_stage_is_the_root_path_and_stays_in_the_path() -> None:
    got = request("http_api_stage")
    assert (got.root_path, got.path, got.raw_path) == ("/prod", "/prod/items/7", b"/prod/items/7")


@pytest.mark.parametrize(
    ("path", "root_path"),
    [
        ("/prod", "/prod"),
        ("/prod/", "/prod"),
        ("/prod//x", "/prod"),
        ("/production", ""),
        ("/production/x", ""),
        ("/prod.json", ""),
        ("/x/prod", ""),
        ("/Prod/x", ""),
        ("/", ""),
        ("prod/x", ""),
    ],
)
def test_the_stage_ends_at_a_slash(path: str, root_path: str) -> None:
    got = request("http_api_stage", rawPath=path)
    assert (got.root_path, got.path) == (root_path, path)


def test_the_default_stage_is_in_no_path() -> None:
    assert request(rawPath="/$default/x").root_path == ""


def test_a_custom_domain_without_the_stage_in_its_paths_has_no_root_path() -> None:
    got = request("http_api_custom_domain")
    assert (got.root_path, got.path, got.server) == ("", "/items/7", ("api.example.com", 443))


@pytest.mark.parametrize("stage", [None, ""])
def test_no_stage_is_the_default_one(stage: str | None) -> None:
    event = payload("http_api_get")
    event["requestContext"]["stage"] = stage
    assert http_api.request(event).root_path == ""


# Query, cookies, headers


@pytest.mark.parametrize("query", ["a=1&a=2", "a%20b=%2B+c", "flag", "flag=", "&&", "a=b=c", "q=%FF", "%C3%BC=ü", ""])
def test_the_query_is_passed_bit_for_bit(query: str) -> None:
    assert request(rawQueryString=query).query_string == query.encode()


def test_a_query_that_is_no_utf_8_is_passed_as_well_as_may_be() -> None:
    assert request(rawQueryString="q=\ud800&r").query_string == b"q=?&r"


def test_without_a_query_it_is_empty() -> None:
    event = payload("http_api_get")
    del event["rawQueryString"]
    assert http_api.request(event).query_string == b""
    assert request(rawQueryString=None).query_string == b""


def test_cookies_become_one_cookie_field() -> None:
    assert request("http_api_cookies").headers[-1] == (b"cookie", b"visits=3; theme=dark")


def test_no_cookies_are_no_field() -> None:
    assert b"cookie" not in dict(request(cookies=[]).headers)


@pytest.mark.parametrize("name", ["cookie", "Cookie", "COOKIE"])
def test_cookies_are_not_said_twice(name: str) -> None:
    assert request(headers={name: "a=1"}, cookies=["a=1"]).headers == [(b"cookie", b"a=1")]


@pytest.mark.parametrize("cookies", ["a=1; b=2", {"a": "1"}, 7, True])
def test_cookies_that_are_no_list_are_malformed(cookies: Any) -> None:
    told = rf"^Expected `cookies` to be a list of strings, but got a {type(cookies).__name__}\.$"
    with pytest.raises(MalformedEvent, match=told):
        request(cookies=cookies)


@pytest.mark.parametrize("headers", [None, {}])
def test_headers_may_be_null_or_empty(headers: dict[str, str] | None) -> None:
    assert request(headers=headers).headers == []


def test_headers_may_be_missing() -> None:
    got = request("http_api_no_headers")
    assert got.headers == []
    assert (got.scheme, got.server) == ("https", ("r7xk2v9qpd.execute-api.eu-west-1.amazonaws.com", 443))


def test_cookies_come_through_without_headers() -> None:
    assert request(headers=None, cookies=["a=1"]).headers == [(b"cookie", b"a=1")]


def test_names_come_in_lower_case() -> None:
    assert request(headers={"X-Name": "v"}).headers == [(b"x-name", b"v")]


# Scheme, version, client, server


def test_scheme_and_port_are_those_that_the_client_used() -> None:
    got = request(headers={"host": "localhost:3000", "x-forwarded-proto": "http", "x-forwarded-port": "3000"})
    assert (got.scheme, got.server) == ("http", ("localhost", 3000))


def test_without_a_port_in_the_host_the_forwarded_one_is_taken() -> None:
    assert request(headers={"host": "example.com", "x-forwarded-port": "8443"}).server == ("example.com", 8443)


@pytest.mark.parametrize(
    ("protocol", "version"),
    [
        ("HTTP/1.0", "1.0"),
        ("HTTP/1.1", "1.1"),
        ("HTTP/2", "2"),
        ("HTTP/2.0", "2"),
        ("HTTP/3", "3"),
        ("HTTP/3.0", "3"),
        ("gibberish", "1.1"),
        (None, "1.1"),
    ],
)
def test_the_http_version_is_as_asgi_writes_it(protocol: str | None, version: str) -> None:
    event = payload("http_api_get")
    event["requestContext"]["http"]["protocol"] = protocol
    assert http_api.request(event).http_version == version


def test_the_method_is_in_upper_case() -> None:
    event = payload("http_api_get")
    event["requestContext"]["http"]["method"] = "patch"
    assert http_api.request(event).method == "PATCH"


@pytest.mark.parametrize("address", [None, "", 7, True, ["203.0.113.9"], {"v4": "203.0.113.9"}])
def test_a_client_without_an_address_is_none(address: Any) -> None:
    event = payload("http_api_get")
    event["requestContext"]["http"]["sourceIp"] = address
    assert http_api.request(event).client is None


def test_a_client_that_is_not_told_is_none() -> None:
    event = payload("http_api_get")
    del event["requestContext"]["http"]["sourceIp"]
    assert http_api.request(event).client is None


@pytest.mark.parametrize("domain", [None, ""])
def test_a_server_without_a_name_is_none(domain: str | None) -> None:
    event = payload("http_api_no_headers")
    event["requestContext"]["domainName"] = domain
    assert http_api.request(event).server is None


def test_a_server_that_is_not_told_is_none() -> None:
    event = payload("http_api_no_headers")
    del event["requestContext"]["domainName"]
    assert http_api.request(event).server is None


# The body


def test_a_form_comes_as_base64() -> None:
    assert request("http_api_form_base64").body == b"name=ada&city=Z%C3%BCrich"


def test_a_body_that_cannot_be_read_is_malformed() -> None:
    with pytest.raises(MalformedEvent, match="base64"):
        request("http_api_form_base64", body="not base64!")


# The reply


def test_a_reply_has_all_fields_of_payload_2() -> None:
    assert reply([(b"content-type", b"text/plain"), (b"x-a", b"1")], b"hi", 201) == {
        "statusCode": 201,
        "headers": {"content-type": "text/plain", "x-a": "1"},
        "body": "hi",
        "isBase64Encoded": False,
    }


def test_a_reply_without_body_gets_no_content_type() -> None:
    assert reply([], status=204) == {"statusCode": 204, "headers": {}, "body": "", "isBase64Encoded": False}


def test_a_binary_reply_is_base64() -> None:
    got = reply([(b"content-type", b"image/png")], b"\x89PNG")
    assert (got["body"], got["isBase64Encoded"]) == ("iVBORw==", True)


def test_a_repeated_set_cookie_becomes_one_entry_each() -> None:
    got = reply([(b"set-cookie", b"a=1; Path=/"), (b"x-a", b"1"), (b"set-cookie", b"b=2, c")])
    assert got["cookies"] == ["a=1; Path=/", "b=2, c"]
    assert got["headers"] == {"x-a": "1"}


def test_a_reply_without_cookies_says_nothing_of_them() -> None:
    assert "cookies" not in reply([])


def test_repeated_fields_are_joined_in_order() -> None:
    got = reply([(b"vary", b"accept"), (b"link", b"<a>"), (b"vary", b"origin"), (b"vary", b"cookie")])
    assert got["headers"] == {"vary": "accept, origin, cookie", "link": "<a>"}


@pytest.mark.parametrize(
    "name",
    [
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    ],
)
def test_fields_of_one_connection_are_dropped(name: bytes) -> None:
    assert reply([(name, b"chunked"), (b"x-a", b"1")])["headers"] == {"x-a": "1"}


def test_values_that_are_not_ascii_are_latin_1() -> None:
    got = reply([(b"x-name", b"caf\xe9"), (b"set-cookie", b"n=\xe9")])
    assert (got["headers"], got["cookies"]) == ({"x-name": "café"}, ["n=é"])


VALUE = st.text(st.characters(max_codepoint=255)).map(str.strip)


@settings(max_examples=40)
@given(st.dictionaries(st.text("abc-", min_size=1), VALUE))
def test_a_reply_s_headers_are_read_back_as_a_request_s(fields: dict[str, str]) -> None:
    headers = [(name.encode(), value.encode("latin-1")) for name, value in fields.items()]
    assert request(headers=reply(headers)["headers"]).headers == headers
