"""An HTTP API with payload format 1.0: its events and what it makes of results."""

import json
from urllib.parse import unquote

import pytest
from hypothesis import given

from lambent.dev.doors.http_api_v1 import HTTPAPIv1
from lambent.dev.doors.model import HTTPRequest, Matched, Refusal, Site
from lambent.errors import InvalidMessage
from lambent.gateway.model import Response
from tests.dev.doors.wire import (
    ARRIVAL,
    answered,
    arrived,
    by_name,
    decoded_parameters,
    own,
    request,
    requests,
    responses,
    told,
)

DOOR = HTTPAPIv1(Site("app", "eu-west-1"))
ID = (b"Apigw-Requestid", b"ATfSmjLgPHcESJw=")


def test_the_event_is_aws_s_field_by_field_and_in_its_order() -> None:
    sent = request(b"/a%20b", b"q=1&q=2", (b"user-agent", b"curl/8"), (b"x-own", b"1"), (b"x-own", b"2"))
    api_id = Site("app").identifier(10)
    headers = {
        "Host": "127.0.0.1:3000",
        "User-Agent": "curl/8",
        "X-Own": "2",
        "X-Amzn-Trace-Id": "Root=1-2-3",
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Port": "3000",
        "X-Forwarded-Proto": "http",
    }
    expected = {
        "version": "1.0",
        "resource": "/$default",
        "path": "/a%20b",
        "httpMethod": "GET",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()} | {"X-Own": ["1", "2"]},
        "queryStringParameters": {"q": "2"},
        "multiValueQueryStringParameters": {"q": ["1", "2"]},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": api_id,
            "domainName": f"{api_id}.execute-api.eu-west-1.amazonaws.com",
            "domainPrefix": api_id,
            "extendedRequestId": "ATfSmjLgPHcESJw=",
            "httpMethod": "GET",
            "identity": {
                "accessKey": None,
                "accountId": None,
                "caller": None,
                "cognitoAuthenticationProvider": None,
                "cognitoAuthenticationType": None,
                "cognitoIdentityId": None,
                "cognitoIdentityPoolId": None,
                "principalOrgId": None,
                "sourceIp": "127.0.0.1",
                "user": None,
                "userAgent": "curl/8",
                "userArn": None,
            },
            "path": "/a b",
            "protocol": "HTTP/1.1",
            "requestId": "ATfSmjLgPHcESJw=",
            "requestTime": "10/Jul/2026:19:19:05 +0000",
            "requestTimeEpoch": 1783711145500,
            "resourceId": "$default",
            "resourcePath": "/$default",
            "stage": "$default",
        },
        "pathParameters": None,
        "stageVariables": None,
        "body": None,
        "isBase64Encoded": False,
    }
    assert json.dumps(DOOR.event(sent, ARRIVAL)) == json.dumps(expected)


def test_what_is_empty_is_null() -> None:
    event = told(DOOR, request())
    assert event["queryStringParameters"] is event["multiValueQueryStringParameters"] is event["body"] is None


def test_the_query_is_decoded_and_plus_is_a_space() -> None:
    assert told(DOOR, request(b"/", b"a=%C3%A9+%2B"))["queryStringParameters"] == {"a": "é +"}


def test_the_cookie_stays_a_header() -> None:
    event = told(DOOR, request(b"/", b"", (b"cookie", b"a=1"), (b"cookie", b"b=2")))
    assert event["headers"]["Cookie"] == "a=1; b=2"  # type: ignore[index]  # a JSON object


def test_both_kinds_of_headers_are_sent_the_single_ones_first_and_cased_again() -> None:
    result = {"statusCode": 201, "headers": {"myheader": "1"}, "multiValueHeaders": {"MYHEADER": ["2", "3"]}}
    text = (b"content-type", b"text/plain; charset=utf-8")
    expected = [(b"Myheader", b"1"), (b"Myheader", b"2"), (b"Myheader", b"3"), text, ID]
    assert DOOR.reply(json.dumps(result).encode(), ARRIVAL) == (201, expected, b"")


def test_a_base64_body_is_decoded_whatever_its_type() -> None:
    assert DOOR.reply(b'{"statusCode": 200, "body": "AP8=", "isBase64Encoded": true}', ARRIVAL).body == b"\0\xff"


@pytest.mark.parametrize(
    "payload",
    [
        b'"hello"',
        b"[1]",
        b"null",
        b"{oops",
        b'{"message": 1}',
        b'{"statusCode": 0}',
        b'{"statusCode": 200, "body": {}}',
        b'{"statusCode": 200, "multiValueHeaders": {"a": "1"}}',
    ],
)
def test_nothing_but_an_envelope_will_do(payload: bytes) -> None:
    with pytest.raises(InvalidMessage):
        DOOR.reply(payload, ARRIVAL)


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (Refusal.FUNCTION_ERROR, 500),
        (Refusal.UNUSABLE_REPLY, 500),
        (Refusal.THROTTLED, 503),
        (Refusal.TOO_LARGE, 413),
        (Refusal.NO_ROUTE, 404),
        (Refusal.TIMED_OUT, 503),
    ],
)
def test_a_refusal_is_json(reason: Refusal, status: int) -> None:
    reply = DOOR.refuse(reason, ARRIVAL)
    assert (reply.status, list(json.loads(reply.body))) == (status, ["message"])


@given(requests())
def test_what_goes_in_at_the_door_comes_out_at_the_gateway(sent: HTTPRequest) -> None:
    got = arrived(DOOR, sent)
    assert (got.method, got.raw_path, got.body) == (sent.method, sent.raw_path, sent.body)
    # Folded: the order of parameters and headers of different names, and how the query was encoded.
    assert decoded_parameters(got.query_string) == decoded_parameters(sent.query_string)
    assert by_name(own(got.headers)) == by_name(own(sent.headers))


@given(responses())
def test_what_goes_out_at_the_gateway_comes_out_at_the_door(response: Response) -> None:
    # Folded: the order of headers of different names.
    assert answered(DOOR, response) == (response.status, by_name(own(response.headers)), response.body)


STAGED = Matched("GET /items/{id}", "/items/{id}", {"id": "a%2Fb%20c"}, "prod", "/prod", variables={"table": "t"})


def test_the_route_is_told_and_both_paths_are_the_client_s() -> None:
    for path, matched in (
        (b"/prod/items/a%2Fb%20c", STAGED),
        (b"/shop/items/a%2Fb%20c", STAGED._replace(prefix="/shop", is_base_path=True)),
    ):
        event = told(DOOR, request(path), matched)
        context = event["requestContext"]
        assert isinstance(context, dict)
        assert (event["path"], context["path"]) == (path.decode(), unquote(path.decode()))
        assert event["resource"] == context["resourcePath"] == "/items/{id}"
        assert (context["resourceId"], context["stage"]) == ("GET /items/{id}", "prod")
        assert (event["pathParameters"], event["stageVariables"]) == ({"id": "a/b c"}, {"table": "t"})


def test_what_an_authorizer_found_out_is_flat() -> None:
    for authorizer, expected in (
        ({"jwt": {"claims": {"sub": "1"}, "scopes": None}}, {"claims": {"sub": "1"}, "scopes": None}),
        ({"lambda": {"a": 1}}, {"a": 1}),
    ):
        context = told(DOOR, request(), Matched(authorizer=authorizer))["requestContext"]
        assert isinstance(context, dict)
        assert context["authorizer"] == expected


@given(requests())
def test_the_application_sees_the_stage_as_its_root(sent: HTTPRequest) -> None:
    path = b"/prod" + sent.raw_path
    got = arrived(DOOR, sent._replace(raw_path=path), STAGED)
    assert (got.raw_path, got.root_path) == (path, "/prod")
