"""An Application Load Balancer's event with and without multi-value headers, both ways."""

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.errors import MalformedEvent
from lambent.gateway import alb
from lambent.gateway.model import Request, Response, Settings
from lambent.types import RawHeaders
from tests.payloads import payload

HOST = "lambent-1234567890.eu-west-1.elb.amazonaws.com"


def request(name: str = "alb_single", **changes: Any) -> Request:
    return alb.request(payload(name) | changes)


def reply(headers: RawHeaders, body: bytes = b"", status: int = 200, name: str = "alb_single") -> dict[str, Any]:
    result: dict[str, Any] = alb.reply(Response(status, headers, body), payload(name))
    return result


def test_a_request_is_read_field_by_field() -> None:
    assert request() == Request(
        method="GET",
        path="/files/a/b%2Fc d",
        raw_path=b"/files/a%2Fb%252Fc%20d",
        query_string=b"q=oil&a%20b=%2B+&flag=",
        root_path="",
        scheme="https",
        http_version="1.1",
        headers=[
            (b"accept", b"*/*"),
            (b"host", HOST.encode()),
            (b"user-agent", b"curl/8.9.1"),
            (b"x-amzn-trace-id", b"Root=1-6869a1b9-0d3f5e0c4c1b2a3f4e5d6c7b"),
            (b"x-forwarded-for", b"203.0.113.9"),
            (b"x-forwarded-port", b"443"),
            (b"x-forwarded-proto", b"https"),
        ],
        client=("203.0.113.9", 0),
        server=(HOST, 443),
        body=b"",
    )


def test_a_health_check_has_no_host_and_no_client() -> None:
    user_agent = [(b"user-agent", b"ELB-HealthChecker/2.0")]
    assert request("alb_health_check") == Request("GET", "/", b"/", b"", "", "http", "1.1", user_agent, None, None, b"")


# Path, query, fields


@pytest.mark.parametrize("path", ["", None])
def test_without_a_path_it_is_the_root(path: str | None) -> None:
    assert request(path=path).path == "/"


def test_every_value_of_a_multi_value_query_is_passed_as_the_client_sent_it() -> None:
    assert request("alb_multi").query_string == b"q=lamp&q=oil&a%20b=%2B+&flag="


def test_names_that_decode_alike_stay_apart() -> None:
    parameters = {"a%62": ["1"], "ab": ["2"]}
    assert request("alb_multi", multiValueQueryStringParameters=parameters).query_string == b"a%62=1&ab=2"


PART = st.text(max_size=4).map(lambda text: quote(text, errors="replace"))


@given(st.dictionaries(PART, st.lists(PART, min_size=1, max_size=3), max_size=4))
def test_a_query_is_bit_for_bit_that_of_the_client(lists: dict[str, list[str]]) -> None:
    got = request("alb_multi", multiValueQueryStringParameters=lists).query_string
    assert got.decode() == "&".join(f"{name}={value}" for name in lists for value in lists[name])


def test_repeated_fields_stay_apart() -> None:
    assert request("alb_multi").headers[-2:] == [(b"x-tag", b"one"), (b"x-tag", b"two")]


@pytest.mark.parametrize("headers", [None, {}])
def test_headers_may_be_null_or_empty(headers: Any) -> None:
    got = request(headers=headers)
    assert (got.headers, got.client, got.server) == ([], None, None)


# The client


@pytest.mark.parametrize(
    ("forwarded", "trusted", "client"),
    [
        ("203.0.113.9", 1, "203.0.113.9"),
        ("192.0.2.66, 203.0.113.9", 1, "203.0.113.9"),
        ("192.0.2.66, 203.0.113.9, 130.176.0.1", 2, "203.0.113.9"),
        ("203.0.113.9", 2, "203.0.113.9"),
        ("192.0.2.66,203.0.113.9", 1, "203.0.113.9"),
        ("192.0.2.66, , 203.0.113.9,", 1, "203.0.113.9"),
        ("2001:db8::7", 1, "2001:db8::7"),
        ("[2001:db8::7]", 1, "2001:db8::7"),
    ],
)
def test_the_client_is_the_address_that_the_outermost_trusted_proxy_saw(
    forwarded: str, trusted: int, client: str
) -> None:
    event = payload("alb_single")
    event["headers"]["x-forwarded-for"] = forwarded
    assert alb.request(event, Settings(trusted_proxies=trusted)).client == (client, 0)


def test_addresses_in_several_fields_are_one_list() -> None:
    event = payload("alb_multi")
    event["multiValueHeaders"]["x-forwarded-for"] = ["192.0.2.66", "203.0.113.9"]
    assert alb.request(event).client == ("203.0.113.9", 0)


@pytest.mark.parametrize(("address", "port"), [("203.0.113.9:4711", 4711), ("203.0.113.9:x", 0), ("203.0.113.9:", 0)])
def test_a_client_s_port_is_told_if_the_load_balancer_keeps_it(address: str, port: int) -> None:
    assert request(headers={"x-forwarded-for": address}).client == ("203.0.113.9", port)


def test_a_client_s_port_stands_behind_brackets() -> None:
    assert request(headers={"x-forwarded-for": "[2001:db8::7]:4711"}).client == ("2001:db8::7", 4711)


@pytest.mark.parametrize("forwarded", ["", " ", ",", ", ,"])
def test_a_client_that_is_not_told_is_none(forwarded: str) -> None:
    assert request(headers={"x-forwarded-for": forwarded}).client is None


def test_without_a_trusted_proxy_there_is_no_client() -> None:
    assert alb.request(payload("alb_single"), Settings(trusted_proxies=0)).client is None


@given(st.text(st.characters(max_codepoint=255)), st.integers(-1, 4))
def test_whatever_a_client_claims_is_read(forwarded: str, trusted: int) -> None:
    event = payload("alb_single")
    event["headers"]["x-forwarded-for"] = forwarded
    client = alb.request(event, Settings(trusted_proxies=trusted)).client
    assert client is None or 0 <= client[1] <= 99999


# The body


def test_a_compressed_body_comes_as_base64() -> None:
    assert request(body="H4s=", isBase64Encoded=True).body == b"\x1f\x8b"


def test_a_body_that_cannot_be_read_is_malformed() -> None:
    with pytest.raises(MalformedEvent, match="base64"):
        request(body="not base64!", isBase64Encoded=True)


# The reply


def test_a_reply_has_a_description_and_never_a_null_body() -> None:
    assert reply([(b"x-a", b"1")], status=204) == {
        "statusCode": 204,
        "statusDescription": "204 No Content",
        "headers": {"x-a": "1"},
        "body": "",
        "isBase64Encoded": False,
    }


@pytest.mark.parametrize(("status", "description"), [(200, "200 OK"), (404, "404 Not Found"), (299, "299 Unknown")])
def test_a_status_is_described(status: int, description: str) -> None:
    assert reply([], status=status)["statusDescription"] == description


def test_lists_are_answered_with_lists() -> None:
    got = reply([(b"x-a", b"1"), (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")], name="alb_multi")
    assert got["multiValueHeaders"] == {"x-a": ["1"], "set-cookie": ["a=1", "b=2"]}
    assert "headers" not in got


def test_strings_are_answered_with_strings() -> None:
    got = reply([(b"vary", b"accept"), (b"x-a", b"1"), (b"vary", b"origin")])
    assert got["headers"] == {"vary": "accept, origin", "x-a": "1"}
    assert "multiValueHeaders" not in got


@pytest.mark.parametrize("lists", [None, "missing"])
def test_an_event_without_lists_is_answered_with_strings(lists: Any) -> None:
    event = {"multiValueHeaders": lists} if lists is None else {}
    assert "headers" in alb.reply(Response(200, [], b""), event)


def test_a_second_cookie_goes_under_another_spelling() -> None:
    got = reply([(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"set-cookie", b"c=3")])
    assert got["headers"] == {"set-cookie": "a=1", "Set-cookie": "b=2", "sEt-cookie": "c=3"}


@given(st.integers(1, 512))
def test_no_cookie_is_lost(count: int) -> None:
    headers = reply([(b"set-cookie", b"n=%d" % number) for number in range(count)])["headers"]
    assert list(headers.values()) == [f"n={number}" for number in range(count)]
    assert {name.lower() for name in headers} == {"set-cookie"}


@pytest.mark.parametrize("name", ["alb_single", "alb_multi"])
def test_fields_of_one_connection_are_dropped(name: str) -> None:
    got = reply([(b"connection", b"close"), (b"x-a", b"1")], name=name)
    assert list(got.get("headers") or got["multiValueHeaders"]) == ["x-a"]


def test_a_binary_reply_is_base64() -> None:
    got = reply([(b"content-type", b"text/html"), (b"content-encoding", b"gzip")], b"\x1f\x8b")
    assert (got["body"], got["isBase64Encoded"]) == ("H4s=", True)
