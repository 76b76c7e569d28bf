"""VPC Lattice's events of both versions, both ways."""

from typing import Any

import pytest

from lambent.errors import MalformedEvent
from lambent.gateway import lattice
from lambent.gateway.model import Request, Response, Settings
from lambent.types import RawHeaders
from tests.payloads import payload


def request(name: str = "lattice_v2", **changes: Any) -> Request:
    return lattice.request(payload(name) | changes)


def reply(headers: RawHeaders, body: bytes = b"", status: int = 200) -> dict[str, Any]:
    result: dict[str, Any] = lattice.reply(Response(status, headers, body), {})
    return result


def test_version_1_is_read_field_by_field() -> None:
    host = "items-0a40eebed65f8d69c.7d67968.vpc-lattice-svcs.eu-west-1.on.aws"
    assert request("lattice_v1") == Request(
        method="POST",
        path="/files/a/b%2Fc d",
        raw_path=b"/files/a%2Fb%252Fc%20d",
        query_string=b"q=lamp&q=oil",
        root_path="",
        scheme="https",
        http_version="1.1",
        headers=[
            (b"accept", b"*/*"),
            (b"content-type", b"application/octet-stream"),
            (b"host", host.encode()),
            (b"user-agent", b"curl/8.9.1"),
            (b"x-forwarded-for", b"10.0.3.7"),
            (b"x-tag", b"one,two"),
        ],
        client=("10.0.3.7", 0),
        server=(host, 443),
        body=b"\x89PNG\r\n\x1a\n\0\xff\0\x80",
    )


def test_version_2_is_read_field_by_field() -> None:
    assert request() == Request(
        method="GET",
        path="/items/7",
        raw_path=b"/items/7",
        query_string=b"q=lamp&q=oil&flag",
        root_path="",
        scheme="https",
        http_version="1.1",
        headers=[
            (b"accept", b"*/*"),
            (b"host", b"items.internal.example.com"),
            (b"x-forwarded-for", b"10.0.3.7"),
            (b"x-tag", b"one"),
            (b"x-tag", b"two"),
        ],
        client=("10.0.3.7", 0),
        server=("items.internal.example.com", 443),
        body=b"",
    )


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/x?a=1&a=2&b", ("/x", b"a=1&a=2&b")),
        ("/x?a=b?c", ("/x", b"a=b?c")),
        ("/x?", ("/x", b"")),
        ("?a", ("/", b"a")),
        ("/a%3Fb", ("/a?b", b"q=lamp&q=oil&flag=")),
        ("", ("/", b"q=lamp&q=oil&flag=")),
        (None, ("/", b"q=lamp&q=oil&flag=")),
    ],
)
def test_the_query_is_behind_the_path_or_built_from_the_parameters(
    path: str | None, expected: tuple[str, bytes]
) -> None:
    got = request(path=path)
    assert (got.path, got.query_string) == expected


def test_version_1_s_parameters_are_not_decoded() -> None:
    got = request("lattice_v1", raw_path="/x", query_string_parameters={"a%20b": "%2B", "c": ""})
    assert got.query_string == b"a%20b=%2B&c="


@pytest.mark.parametrize("parameters", [None, {}])
def test_no_parameters_are_an_empty_query(parameters: Any) -> None:
    assert request(path="/x", queryStringParameters=parameters).query_string == b""


def test_version_2_s_fields_may_be_strings_as_in_aws_s_example() -> None:
    got = request(headers={"accept": "*/*", "host": "h"})
    assert got.headers == [(b"accept", b"*/*"), (b"host", b"h")]


def test_version_2_s_fields_may_be_strings_and_lists() -> None:
    got = request(headers={"accept": "*/*", "x-tag": ["one", "two"]})
    assert got.headers == [(b"accept", b"*/*"), (b"x-tag", b"one"), (b"x-tag", b"two")]


@pytest.mark.parametrize("name", ["lattice_v1", "lattice_v2"])
@pytest.mark.parametrize("headers", [None, {}])
def test_headers_may_be_null_or_empty(name: str, headers: Any) -> None:
    got = request(name, headers=headers)
    assert (got.headers, got.client, got.server) == ([], None, None)


@pytest.mark.parametrize("value", [7, None, {"a": "b"}])
def test_fields_that_are_no_strings_are_malformed(value: Any) -> None:
    with pytest.raises(MalformedEvent, match=r"^Expected"):
        request(headers={"x-tag": ["one"], "x-other": value})


def test_the_client_is_told_by_the_proxies_that_are_trusted() -> None:
    event = payload("lattice_v2")
    event["headers"]["x-forwarded-for"] = ["192.0.2.66, 10.0.3.7, 10.0.0.1"]
    assert lattice.request(event, Settings(trusted_proxies=2)).client == ("10.0.3.7", 0)


@pytest.mark.parametrize("prefix", ["x-forwarded-for", "x-forwarded"])
def test_scheme_and_port_are_told_in_fields_of_either_name(prefix: str) -> None:
    got = request(headers={"host": ["h"], f"{prefix}-proto": ["http"], f"{prefix}-port": ["8080"]})
    assert (got.scheme, got.server, got.client) == ("http", ("h", 8080), None)


def test_a_body_of_either_version_is_decoded() -> None:
    assert request("lattice_v1").body == request(body="iVBORw0KGgoA/wCA", isBase64Encoded=True).body


def test_a_text_body_of_version_1_is_utf_8() -> None:
    assert request("lattice_v1", body="Öl", is_base64_encoded=False).body == "Öl".encode()


def test_a_body_that_cannot_be_read_is_malformed() -> None:
    with pytest.raises(MalformedEvent, match="base64"):
        request("lattice_v1", body="not base64!")


def test_a_reply_has_all_fields_that_are_documented() -> None:
    assert reply([(b"content-type", b"text/plain"), (b"keep-alive", b"1")], b"hi", 201) == {
        "statusCode": 201,
        "statusDescription": "201 Created",
        "headers": {"content-type": "text/plain"},
        "body": "hi",
        "isBase64Encoded": False,
    }


def test_repeated_fields_are_joined_and_cookies_are_not() -> None:
    got = reply([(b"vary", b"a"), (b"set-cookie", b"a=1"), (b"vary", b"b"), (b"set-cookie", b"b=2")])
    assert got["headers"] == {"vary": "a, b", "set-cookie": "a=1", "Set-cookie": "b=2"}


def test_a_binary_reply_is_base64() -> None:
    got = reply([(b"content-type", b"image/png")], b"\x89PNG")
    assert (got["body"], got["isBase64Encoded"]) == ("iVBORw==", True)
