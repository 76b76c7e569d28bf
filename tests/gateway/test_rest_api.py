"""A REST API's event, both ways, and a hand-written one."""

from typing import Any
from urllib.parse import parse_qsl, quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.errors import MalformedEvent
from lambent.gateway import rest_api
from lambent.gateway.model import Request, Response, Settings
from lambent.types import RawHeaders
from tests.payloads import payload

HOST = "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"


def request(name: str = "rest_v1", **changes: Any) -> Request:
    return rest_api.request(payload(name) | changes)


def at(whole: str | None, path: str | None) -> tuple[str, bytes, str]:
    event = payload("rest_v1")
    event["path"] = path
    event["requestContext"]["path"] = whole
    got = rest_api.request(event)
    return got.path, got.raw_path, got.root_path


def reply(headers: RawHeaders, body: bytes = b"", status: int = 200) -> dict[str, Any]:
    result: dict[str, Any] = rest_api.reply(Response(status, headers, body), {})
    return result


def test_a_request_is_read_field_by_field() -> None:
    assert request() == Request(
        method="GET",
        path="/prod/items/7",
        raw_path=b"/prod/items/7",
        query_string=b"q=lamp&q=oil",
        root_path="/prod",
        scheme="https",
        http_version="1.1",
        headers=[
            (b"accept", b"*/*"),
            (b"host", HOST.encode()),
            (b"user-agent", b"curl/8.9.1"),
            (b"x-forwarded-for", b"203.0.113.9"),
            (b"x-forwarded-port", b"443"),
            (b"x-forwarded-proto", b"https"),
        ],
        client=("203.0.113.9", 0),
        server=(HOST, 443),
        body=b"",
    )


def test_a_method_and_a_path_are_enough() -> None:
    assert request("direct_invoke") == Request(
        "GET", "/items/7", b"/items/7", b"", "", "https", "1.1", [], None, None, b""
    )


# The path and the stage


def test_the_path_is_decoded_exactly_once_and_the_raw_path_is_the_door_s_own() -> None:
    got = request("rest_v1_encoded_path")
    assert got.path == "/prod//files/a/b%2Fc d/"
    assert got.raw_path == b"/prod//files/a%2Fb%252Fc%20d/"
    assert got.root_path == "/prod"


def test_a_custom_domain_s_base_path_stays_in_the_path() -> None:
    got = request("rest_v1_custom_domain")
    assert (got.path, got.root_path, got.server) == ("/shop/items/7", "", ("api.example.com", 443))


@pytest.mark.parametrize(
    ("whole", "path", "expected"),
    [
        ("/prod/items", "/items", ("/prod/items", b"/prod/items", "/prod")),
        ("/prod//items", "/items", ("/prod//items", b"/prod//items", "/prod")),
        ("/prod/", "/", ("/prod/", b"/prod/", "/prod")),
        ("/prod", "/", ("/prod/", b"/prod/", "/prod")),
        ("/prod/prod/x", "/prod/x", ("/prod/prod/x", b"/prod/prod/x", "/prod")),
        ("/items", "/items", ("/items", b"/items", "")),
        ("/", "/", ("/", b"/", "")),
        ("//items", "/items", ("/items", b"/items", "")),
        ("/elsewhere", "/items", ("/items", b"/items", "")),
        (None, "/items", ("/items", b"/items", "")),
        (None, None, ("/", b"/", "")),
        ("/prod/%C3%BC", "/%C3%BC", ("/prod/ü", b"/prod/%C3%BC", "/prod")),
        ("/prod/ü", "/ü", ("/prod/ü", "/prod/ü".encode(), "/prod")),
        ("/prod/\ud800", "/\ud800", ("/prod/\ud800", b"/prod/?", "/prod")),
    ],
)
def test_the_root_path_is_what_stands_before_the_path(
    whole: str | None, path: str | None, expected: tuple[str, bytes, str]
) -> None:
    assert at(whole, path) == expected


@given(path=st.text(st.characters(codec="utf-8")), stage=st.text("abc_-", min_size=1))
def test_any_path_comes_back_behind_its_stage(path: str, stage: str) -> None:
    encoded = "/" + quote(path, safe="/")
    whole, raw, root = at(f"/{stage}{encoded}", encoded)
    assert (whole, raw, root) == (f"/{stage}/{path}", f"/{stage}{encoded}".encode(), f"/{stage}")
    assert unquote(raw.decode()) == whole


# The query


def test_the_query_is_built_again_without_loss() -> None:
    query = request("rest_v1_multi_value").query_string
    assert query == b"q=lamp&q=oil&a%20b=%2B%26%3D%25&flag=&%C3%BC=%E6%97%A5"


def test_without_lists_the_single_values_are_taken() -> None:
    assert request(multiValueQueryStringParameters=None).query_string == b"q=oil"


def test_a_parameter_that_is_null_has_no_equals_sign() -> None:
    assert request(multiValueQueryStringParameters={"flag": [None], "a": [""]}).query_string == b"flag&a="


@pytest.mark.parametrize("value", [{}, None])
def test_no_parameters_are_an_empty_query(value: Any) -> None:
    assert request(queryStringParameters=value, multiValueQueryStringParameters=value).query_string == b""


@pytest.mark.parametrize("value", [7, {"a": "b"}, [["x"]], True])
def test_a_parameter_that_is_no_string_is_malformed(value: Any) -> None:
    with pytest.raises(MalformedEvent, match="Expected the query parameter 'q' to be a string"):
        request(multiValueQueryStringParameters={"q": value})


TEXT = st.text(st.characters(codec="utf-8"), max_size=5)


@given(st.dictionaries(TEXT, st.lists(TEXT, min_size=1, max_size=3), max_size=4))
def test_every_value_comes_back_in_its_order(lists: dict[str, list[str]]) -> None:
    query = request(multiValueQueryStringParameters=lists, queryStringParameters=None).query_string.decode("ascii")
    assert parse_qsl(query, keep_blank_values=True) == [(name, value) for name in lists for value in lists[name]]
    assert "+" not in query


# Headers


def test_repeated_fields_stay_apart() -> None:
    headers = request("rest_v1_multi_value").headers
    assert [value for name, value in headers if name == b"x-tag"] == [b"one", b"two"]


def test_cookies_that_came_apart_are_one_field() -> None:
    headers = request("rest_v1_multi_value").headers
    assert [value for name, value in headers if name == b"cookie"] == [b"visits=3; theme=dark"]


@pytest.mark.parametrize("lists", [None, {}])
def test_without_lists_the_single_fields_are_taken(lists: Any) -> None:
    assert request(multiValueHeaders=lists, headers={"X-Tag": "two"}).headers == [(b"x-tag", b"two")]


def test_headers_may_be_null() -> None:
    got = request("rest_v1_console_test")
    assert (got.headers, got.root_path, got.path) == ([], "", "/items/7")
    assert (got.client, got.server) == (None, (HOST, 443))


def test_a_field_without_values_is_none() -> None:
    assert request(multiValueHeaders={"X-None": [], "X-Tag": ["one"]}).headers == [(b"x-tag", b"one")]


def test_a_string_in_place_of_a_list_is_one_value() -> None:
    assert request(multiValueHeaders={"X-Tag": "one", "X-Other": ["two"]}).headers == [
        (b"x-tag", b"one"),
        (b"x-other", b"two"),
    ]


@pytest.mark.parametrize("values", [7, None, {"a": "b"}, [7], [None], [["one"]]])
def test_fields_that_are_no_lists_of_strings_are_malformed(values: Any) -> None:
    with pytest.raises(MalformedEvent, match=r"^Expected"):
        request(multiValueHeaders={"X-Tag": values})


# Client, server, version, method, body


@pytest.mark.parametrize("identity", [None, {}, {"sourceIp": None}, {"sourceIp": ""}])
def test_a_client_that_is_not_told_is_none(identity: Any) -> None:
    event = payload("rest_v1")
    event["requestContext"]["identity"] = identity
    assert rest_api.request(event).client is None


@pytest.mark.parametrize("context", [None, {}])
def test_a_context_may_be_missing(context: Any) -> None:
    got = request(requestContext=context)
    assert (got.client, got.root_path, got.path, got.server) == (None, "", "/items/7", (HOST, 443))


@pytest.mark.parametrize(("protocol", "version"), [("HTTP/1.0", "1.0"), ("HTTP/2.0", "2"), ("x", "1.1"), (None, "1.1")])
def test_the_http_version_is_as_asgi_writes_it(protocol: str | None, version: str) -> None:
    event = payload("rest_v1")
    event["requestContext"]["protocol"] = protocol
    assert rest_api.request(event).http_version == version


def test_scheme_and_port_are_those_that_the_client_used() -> None:
    headers = {"Host": "localhost", "X-Forwarded-Proto": "http", "X-Forwarded-Port": "3000"}
    got = request(multiValueHeaders=None, headers=headers)
    assert (got.scheme, got.server) == ("http", ("localhost", 3000))


def test_the_method_is_in_upper_case() -> None:
    assert request(httpMethod="patch").method == "PATCH"


def test_a_binary_body_is_decoded() -> None:
    assert request("rest_v1_multi_value").body == b"\x89PNG\r\n\x1a\n\0\xff\0\x80"


# The reply


def test_a_reply_has_no_other_key_than_the_door_allows() -> None:
    got = reply([(b"content-type", b"text/plain"), (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")], b"hi", 201)
    assert got == {
        "statusCode": 201,
        "headers": {"content-type": "text/plain"},
        "multiValueHeaders": {"set-cookie": ["a=1", "b=2"]},
        "body": "hi",
        "isBase64Encoded": False,
    }


def test_a_reply_without_repeated_fields_has_no_lists() -> None:
    assert reply([(b"set-cookie", b"a=1"), (b"connection", b"close")], status=204) == {
        "statusCode": 204,
        "headers": {"set-cookie": "a=1"},
        "body": "",
        "isBase64Encoded": False,
    }


def test_a_binary_reply_is_base64() -> None:
    got = reply([(b"content-type", b"image/png")], b"\x89PNG")
    assert (got["body"], got["isBase64Encoded"]) == ("iVBORw==", True)


def test_more_types_can_be_text() -> None:
    response = Response(200, [(b"content-type", b"application/x-lamp")], b"oil")
    settings = Settings(text_types=frozenset({"application/x-lamp"}))
    assert rest_api.reply(response, {}, settings)["body"] == "oil"


def test_fields_of_one_connection_are_dropped() -> None:
    assert reply([(b"transfer-encoding", b"chunked"), (b"x-a", b"1")])["headers"] == {"x-a": "1"}


VALUE = st.text(st.characters(max_codepoint=255)).map(str.strip)


@given(st.lists(st.tuples(st.sampled_from([b"x-a", b"x-b", b"set-cookie", b"vary"]), VALUE)))
def test_no_field_of_a_reply_is_lost_or_said_twice(fields: list[tuple[bytes, str]]) -> None:
    got = reply([(name, value.encode("latin-1")) for name, value in fields])
    lists = got.get("multiValueHeaders", {})
    assert not set(lists) & set(got["headers"])
    said = {name: [value] for name, value in got["headers"].items()} | lists
    assert said == {name.decode(): [value for each, value in fields if each == name] for name, _ in fields}
