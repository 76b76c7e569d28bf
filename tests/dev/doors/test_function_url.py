"""A Function URL: its events and what it makes of results."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent import gateway
from lambent.dev.doors.function_url import FunctionURL
from lambent.dev.doors.model import Arrival, HTTPRequest, Matched, Refusal, Site
from lambent.errors import InvalidMessage
from lambent.gateway import model as gateway_model

DOOR = FunctionURL(Site("app", "eu-west-1"))
ARRIVAL = Arrival(
    request_id="4b1d7f0c-27f2-4a3f-9a6b-0d0f3a9e6f11",
    gateway_id="ATfSmjLgPHcESJw=",
    trace="Root=1-6a5141a9-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=0",
    now=1783711145.5,
)
IDS = [
    (b"x-amzn-RequestId", ARRIVAL.request_id.encode()),
    (b"X-Amzn-Trace-Id", ARRIVAL.trace.encode()),
]


def request(
    path: bytes = b"/", query: bytes = b"", *headers: tuple[bytes, bytes], method: str = "GET", body: bytes = b""
) -> HTTPRequest:
    return HTTPRequest(
        method, path, query, [(b"host", b"127.0.0.1:3000"), *headers], body, ("127.0.0.1", 50000), "http", "1.1"
    )


def test_the_event_is_aws_s_field_by_field_and_in_its_order() -> None:
    sent = request(
        b"/capture/space%20value",
        b"repeat=one&repeat=two",
        (b"cookie", b"a=1; b=2"),
        (b"user-agent", b"curl/8"),
        (b"content-type", b"application/json"),
        method="POST",
        body=b'{"a": 1}',
    )
    url_id = Site("app").identifier(32)
    expected = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/capture/space%20value",
        "rawQueryString": "repeat=one&repeat=two",
        "cookies": ["a=1", "b=2"],
        "headers": {
            "host": "127.0.0.1:3000",
            "cookie": "a=1; b=2",
            "user-agent": "curl/8",
            "content-type": "application/json",
            "x-amzn-trace-id": "Root=1-6a5141a9-0123456789abcdef01234567",
            "x-forwarded-for": "127.0.0.1",
            "x-forwarded-port": "3000",
            "x-forwarded-proto": "http",
        },
        "queryStringParameters": {"repeat": "one,two"},
        "requestContext": {
            "accountId": "anonymous",
            "apiId": url_id,
            "domainName": f"{url_id}.lambda-url.eu-west-1.on.aws",
            "domainPrefix": url_id,
            "http": {
                "method": "POST",
                "path": "/capture/space value",
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "curl/8",
            },
            "requestId": ARRIVAL.request_id,
            "routeKey": "$default",
            "stage": "$default",
            "time": "10/Jul/2026:19:19:05 +0000",
            "timeEpoch": 1783711145500,
        },
        "body": '{"a": 1}',
        "isBase64Encoded": False,
    }
    assert json.dumps(DOOR.event(sent, ARRIVAL)) == json.dumps(expected)


def test_what_is_empty_is_absent() -> None:
    event = DOOR.event(request(), ARRIVAL)
    assert not {"cookies", "queryStringParameters", "pathParameters", "stageVariables", "body"} & event.keys()
    assert event["rawQueryString"] == ""


def test_the_raw_path_is_encoded_and_the_context_path_decoded() -> None:
    event = DOOR.event(request(b"/a%2Fb//c/"), ARRIVAL)
    assert event["rawPath"] == "/a%2Fb//c/"
    assert event["requestContext"]["http"]["path"] == "/a/b//c/"  # type: ignore[index]  # a JSON object


def test_tls_is_told_where_there_is_some() -> None:
    event = DOOR.event(request()._replace(scheme="https"), ARRIVAL)
    assert {"x-amzn-tls-version", "x-amzn-tls-cipher-suite"} <= event["headers"].keys()  # type: ignore[attr-defined]  # a JSON object


def test_an_envelope_becomes_the_response() -> None:
    result = {"statusCode": 201, "headers": {"content-type": "text/html"}, "cookies": ["a=1"], "body": "<p>é"}
    reply = DOOR.reply(json.dumps(result).encode(), ARRIVAL)
    assert reply == (201, [(b"set-cookie", b"a=1"), (b"content-type", b"text/html"), *IDS], "<p>é".encode())


def test_an_envelope_without_a_type_is_json() -> None:
    assert (b"content-type", b"application/json") in DOOR.reply(b'{"statusCode": "200"}', ARRIVAL).headers


@pytest.mark.parametrize(
    ("payload", "body"),
    [
        (b'{"a": [1, 2], "b": "\xc3\xa9"}', '{"a":[1,2],"b":"é"}'.encode()),
        (b"[1, 2]", b"[1,2]"),
        (b"17", b"17"),
        (b"true", b"true"),
        (b"null", b"null"),
        (b'"hello"', b"hello"),
        (b"no json", b"no json"),
    ],
)
def test_any_other_result_is_the_body_as_compact_json_and_a_string_bare(payload: bytes, body: bytes) -> None:
    assert DOOR.reply(payload, ARRIVAL) == (200, [(b"content-type", b"application/json"), *IDS], body)


def test_a_body_that_is_no_string_goes_as_compact_json() -> None:
    assert DOOR.reply(b'{"statusCode": 200, "body": {"a": 1}}', ARRIVAL).body == b'{"a":1}'


def test_a_reply_that_cannot_be_sent_is_an_error() -> None:
    with pytest.raises(InvalidMessage):
        DOOR.reply(b'{"statusCode": 0}', ARRIVAL)


def test_a_function_error_is_502_in_plain_text() -> None:
    reply = DOOR.refuse(Refusal.FUNCTION_ERROR, ARRIVAL)
    assert reply == (502, [(b"content-type", b"text/plain; charset=utf-8"), *IDS], b"Internal Server Error")


@pytest.mark.parametrize(("reason", "status"), [(Refusal.THROTTLED, 429), (Refusal.TOO_LARGE, 413)])
def test_other_refusals_are_json(reason: Refusal, status: int) -> None:
    reply = DOOR.refuse(reason, ARRIVAL)
    assert reply.status == status
    assert "Message" in json.loads(reply.body)


PATHS = st.text(
    st.characters(codec="ascii", categories=["L", "N"], include_characters="/-._~!$&'()*+,;=:@"), max_size=40
)
NAMES = st.from_regex(r"x-[a-z]{1,8}", fullmatch=True)
VALUES = st.text(st.characters(codec="ascii", categories=["L", "N"], include_characters=" ;="), max_size=20).map(
    str.strip
)


@given(
    PATHS.map(lambda path: f"/{path}".encode()),
    st.from_regex(rb"[a-z0-9=&%+]{0,30}", fullmatch=True),
    st.dictionaries(NAMES, VALUES),
    st.binary(max_size=200),
    st.sampled_from(["text/plain", "application/json", "application/octet-stream"]),
)
def test_what_goes_in_at_the_door_comes_out_at_the_gateway(
    path: bytes, query: bytes, headers: dict[str, str], body: bytes, kind: str
) -> None:
    fields = [(name.encode(), value.encode()) for name, value in headers.items()]
    sent = request(path, query, *fields, (b"content-type", kind.encode()), method="POST", body=body)
    event = json.loads(json.dumps(DOOR.event(sent, ARRIVAL)))
    got = gateway.detect(event, gateway.GATEWAYS).request(event, gateway_model.DEFAULTS)
    assert (got.method, got.raw_path, got.query_string, got.body) == ("POST", path, query, body)
    assert set(sent.headers) <= set(got.headers)
    assert got.client is not None
    assert got.client[0] == sent.client[0]


# Streams


def test_a_prelude_begins_a_response() -> None:
    begun = DOOR.begin(
        b'{"statusCode": "201", "headers": {"x": "1", "content-length": "2"}, "cookies": ["a"]}', ARRIVAL
    )
    kind = (b"content-type", b"application/octet-stream")
    assert begun == (201, [(b"set-cookie", b"a"), (b"x", b"1"), kind, *IDS], b"")


@pytest.mark.parametrize("prelude", [None, b"{}"])
def test_without_one_it_is_200_and_bytes(prelude: bytes | None) -> None:
    assert DOOR.begin(prelude, ARRIVAL) == (200, [(b"content-type", b"application/octet-stream"), *IDS], b"")


@pytest.mark.parametrize("prelude", [b"", b"[]", b'{"statusCode": 1}', b'{"headers": {"a": ["b"]}}'])
def test_one_that_cannot_be_read_is_refused(prelude: bytes) -> None:
    with pytest.raises(InvalidMessage):
        DOOR.begin(prelude, ARRIVAL)


def test_a_signed_request_tells_who_signed_and_a_route_is_never_told() -> None:
    matched = Matched("GET /x", "/x", {"id": "1"}, authorizer={"iam": {"accessKey": "AK"}})
    event = json.loads(json.dumps(DOOR.event(request(), ARRIVAL, matched)))
    assert event["requestContext"]["authorizer"] == {"iam": {"accessKey": "AK"}}
    assert (event["requestContext"]["accountId"], event["routeKey"]) == ("123456789012", "$default")
    assert "pathParameters" not in event
