"""An HTTP API: its events and what it makes of results."""

import json
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent import gateway
from lambent.dev.doors.http_api import HTTPAPI
from lambent.dev.doors.model import Arrival, HTTPRequest, Matched, Refusal, Site
from lambent.errors import InvalidMessage
from lambent.gateway import model as gateway_model
from tests.dev.doors.wire import arrived, requests, told

DOOR = HTTPAPI(Site("app", "eu-west-1"))
ARRIVAL = Arrival("4b1d7f0c-27f2-4a3f-9a6b-0d0f3a9e6f11", "ATfSmjLgPHcESJw=", "Root=1-2-3", 1783711145.5)
ID = (b"Apigw-Requestid", b"ATfSmjLgPHcESJw=")
JSON = (b"content-type", b"application/json")


def request(
    path: bytes = b"/", query: bytes = b"", *headers: tuple[bytes, bytes], method: str = "GET", body: bytes = b""
) -> HTTPRequest:
    fields = [(b"host", b"127.0.0.1:3000"), *headers]
    return HTTPRequest(method, path, query, fields, body, ("127.0.0.1", 50000), "http", "1.1")


def test_the_event_is_aws_s_field_by_field_and_in_its_order() -> None:
    sent = request(
        b"/capture/space%20value", b"repeat=one&repeat=two", (b"cookie", b"a=1; b=2"), (b"user-agent", b"curl/8")
    )
    api_id = Site("app").identifier(10)
    expected = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/capture/space value",
        "rawQueryString": "repeat=one&repeat=two",
        "cookies": ["a=1", "b=2"],
        "headers": {
            "host": "127.0.0.1:3000",
            "user-agent": "curl/8",
            "x-amzn-trace-id": "Root=1-2-3",
            "x-forwarded-for": "127.0.0.1",
            "x-forwarded-port": "3000",
            "x-forwarded-proto": "http",
        },
        "queryStringParameters": {"repeat": "one,two"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": api_id,
            "domainName": f"{api_id}.execute-api.eu-west-1.amazonaws.com",
            "domainPrefix": api_id,
            "http": {
                "method": "GET",
                "path": "/capture/space value",
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "curl/8",
            },
            "requestId": "ATfSmjLgPHcESJw=",
            "routeKey": "$default",
            "stage": "$default",
            "time": "10/Jul/2026:19:19:05 +0000",
            "timeEpoch": 1783711145500,
        },
        "isBase64Encoded": False,
    }
    assert json.dumps(DOOR.event(sent, ARRIVAL)) == json.dumps(expected)


def test_what_is_empty_is_absent() -> None:
    event = DOOR.event(request(), ARRIVAL)
    assert not {"cookies", "queryStringParameters", "pathParameters", "stageVariables", "body"} & event.keys()


def test_the_raw_path_is_decoded() -> None:
    assert DOOR.event(request(b"/a%2Fb%3Fc//d/"), ARRIVAL)["rawPath"] == "/a/b?c//d/"


def test_cookies_are_taken_out_of_the_headers() -> None:
    event = DOOR.event(request(b"/", b"", (b"cookie", b"a=1"), (b"cookie", b"b=2")), ARRIVAL)
    assert event["cookies"] == ["a=1", "b=2"]
    assert "cookie" not in event["headers"]  # type: ignore[operator]  # a JSON object


def test_an_envelope_becomes_the_response() -> None:
    result = {"statusCode": 201, "headers": {"x-a": "1"}, "cookies": ["a=1"], "body": "hi"}
    text = (b"content-type", b"text/plain; charset=utf-8")
    assert DOOR.reply(json.dumps(result).encode(), ARRIVAL) == (
        201,
        [(b"set-cookie", b"a=1"), (b"x-a", b"1"), text, ID],
        b"hi",
    )


def test_a_base64_body_is_decoded_whatever_its_type() -> None:
    assert DOOR.reply(b'{"statusCode": 200, "body": "AP8=", "isBase64Encoded": true}', ARRIVAL).body == b"\0\xff"


@pytest.mark.parametrize(
    ("payload", "body"),
    [
        (b'{ "message": 1 }', b'{ "message": 1 }'),
        (b"[1, 2]", b"[1, 2]"),
        (b"17", b"17"),
        (b'"Hello"', b"Hello"),
        (b"{oops", b"{oops"),
    ],
)
def test_any_other_result_is_the_body_byte_for_byte_and_a_string_bare(payload: bytes, body: bytes) -> None:
    assert DOOR.reply(payload, ARRIVAL) == (200, [JSON, ID], body)


@pytest.mark.parametrize("fields", ['"statusCode": 0', '"statusCode": 200.5', '"statusCode": 200, "body": {}'])
def test_a_reply_that_cannot_be_sent_is_an_error(fields: str) -> None:
    with pytest.raises(InvalidMessage):
        DOOR.reply(f"{{{fields}}}".encode(), ARRIVAL)


@pytest.mark.parametrize(
    ("reason", "status", "message"),
    [
        (Refusal.FUNCTION_ERROR, 500, "Internal Server Error"),
        (Refusal.THROTTLED, 503, "Service Unavailable"),
        (Refusal.TOO_LARGE, 413, "Request Entity Too Large"),
        (Refusal.HEAD_TOO_LARGE, 431, "Request Header Fields Too Large"),
        (Refusal.NO_ROUTE, 404, "Not Found"),
        (Refusal.TIMED_OUT, 503, "Service Unavailable"),
    ],
)
def test_a_refusal_is_json(reason: Refusal, status: int, message: str) -> None:
    assert DOOR.refuse(reason, ARRIVAL) == (status, [JSON, ID], f'{{"message":"{message}"}}'.encode())


@given(
    st.text(st.characters(exclude_categories=["C"], exclude_characters="?#"), max_size=20),
    st.lists(st.from_regex(r"[a-z]{1,5}=[a-z0-9]{0,5}", fullmatch=True), max_size=4),
    st.binary(max_size=100),
)
def test_what_goes_in_at_the_door_comes_out_at_the_gateway(path: str, cookies: list[str], body: bytes) -> None:
    from urllib.parse import quote

    jar = [(b"cookie", "; ".join(cookies).encode())] if cookies else []
    sent = request(f"/{quote(path)}".encode(), b"a=%20&b", *jar, method="PUT", body=body)
    event = json.loads(json.dumps(DOOR.event(sent, ARRIVAL)))
    got = gateway.detect(event, gateway.GATEWAYS).request(event, gateway_model.DEFAULTS)
    assert (got.method, got.path, got.query_string, got.body) == ("PUT", f"/{path}", b"a=%20&b", body)
    assert [value for name, value in got.headers if name == b"cookie"] == [value for _, value in jar]


STAGED = Matched("GET /items/{id}", "/items/{id}", {"id": "a%2Fb%20c"}, "prod", "/prod", variables={"table": "t"})
MAPPED = STAGED._replace(prefix="/shop", is_base_path=True)


@pytest.mark.parametrize(
    ("path", "matched", "raw_path"),
    [
        (b"/prod/items/a%2Fb%20c", STAGED, "/prod/items/a/b c"),
        (b"/prod", STAGED, "/prod"),
        (b"/items/1", STAGED._replace(prefix=""), "/prod/items/1"),
        (b"/shop/items/1", MAPPED, "/prod/items/1"),
        (b"/shop/items/1", MAPPED._replace(stage="$default"), "/items/1"),
        (b"/shop", MAPPED._replace(stage=""), "/"),
    ],
)
def test_the_path_has_the_stage_and_no_mapping_s_key(path: bytes, matched: Matched, raw_path: str) -> None:
    event = told(DOOR, request(path), matched)
    context = event["requestContext"]
    assert isinstance(context, dict)
    assert event["rawPath"] == context["http"]["path"] == raw_path


def test_the_route_is_told() -> None:
    event = told(DOOR, request(b"/prod/items/a%2Fb%20c"), STAGED)
    context = event["requestContext"]
    assert isinstance(context, dict)
    assert event["routeKey"] == context["routeKey"] == "GET /items/{id}"
    assert (context["stage"], event["stageVariables"]) == ("prod", {"table": "t"})
    assert event["pathParameters"] == {"id": "a/b c"}
    assert not {"pathParameters", "stageVariables"} & told(DOOR, request()).keys()


@pytest.mark.parametrize("kind", ["jwt", "lambda", "iam"])
def test_what_an_authorizer_found_out_has_a_place_by_its_kind(kind: str) -> None:
    context = told(DOOR, request(), Matched(authorizer={kind: {"a": 1}}))["requestContext"]
    assert isinstance(context, dict)
    assert context["authorizer"] == {kind: {"a": 1}}
    assert list(context)[2] == "authorizer"


@given(requests())
def test_the_application_sees_the_stage_as_its_root(sent: HTTPRequest) -> None:
    for prefix in ("/prod", ""):
        got = arrived(DOOR, sent._replace(raw_path=prefix.encode() + sent.raw_path), STAGED._replace(prefix=prefix))
        assert (got.path, got.root_path) == ("/prod" + unquote(sent.raw_path.decode()), "/prod")
