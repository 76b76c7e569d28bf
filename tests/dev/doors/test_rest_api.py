"""A REST API: its events and what it makes of results."""

import json

import pytest
from hypothesis import given

from lambent.dev.doors.model import HTTPRequest, Matched, Refusal, Site
from lambent.dev.doors.rest_api import RESTAPI
from lambent.errors import InvalidMessage
from lambent.gateway import rest_api
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

DOOR = RESTAPI(Site("app", "eu-west-1"))
JSON = (b"content-type", b"application/json")
IDS = [
    (b"x-amzn-RequestId", ARRIVAL.api_request_id.encode()),
    (b"x-amz-apigw-id", b"ATfSmjLgPHcESJw="),
    (b"X-Amzn-Trace-Id", b"Root=1-2-3"),
]


def sent_headers(**result: object) -> list[tuple[bytes, bytes]]:
    reply = DOOR.reply(json.dumps(result).encode(), ARRIVAL)
    return [field for field in reply.headers if field not in [JSON, *IDS]]


def test_the_event_is_aws_s_field_by_field_and_in_its_order() -> None:
    sent = request(b"/a%20b/", b"q=1&q=2", (b"user-agent", b"curl/8"), method="PUT", body=b"{}")
    headers = {
        "Host": "127.0.0.1:3000",
        "User-Agent": "curl/8",
        "X-Amzn-Trace-Id": "Root=1-2-3",
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Port": "3000",
        "X-Forwarded-Proto": "http",
    }
    nobody = ["accessKey", "accountId", "caller", "cognitoAuthenticationProvider", "cognitoAuthenticationType"]
    nobody += ["cognitoIdentityId", "cognitoIdentityPoolId", "principalOrgId"]
    agent = {"sourceIp": "127.0.0.1", "user": None, "userAgent": "curl/8", "userArn": None}
    expected = {
        "resource": "/{proxy+}",
        "path": "/a%20b/",
        "httpMethod": "PUT",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": {"q": "2"},
        "multiValueQueryStringParameters": {"q": ["1", "2"]},
        "pathParameters": {"proxy": "a%20b"},
        "stageVariables": None,
        "requestContext": {
            "resourceId": Site("app").identifier(6),
            "resourcePath": "/{proxy+}",
            "httpMethod": "PUT",
            "extendedRequestId": "ATfSmjLgPHcESJw=",
            "requestTime": "10/Jul/2026:19:19:05 +0000",
            "path": "/a%20b/",
            "accountId": "123456789012",
            "protocol": "HTTP/1.1",
            "stage": "prod",
            "domainPrefix": "127",
            "requestTimeEpoch": 1783711145500,
            "requestId": ARRIVAL.api_request_id,
            "identity": dict.fromkeys(nobody) | agent,
            "domainName": "127.0.0.1",
            "deploymentId": Site("app").identifier(7)[1:],
            "apiId": Site("app").identifier(10),
        },
        "body": "e30=",
        "isBase64Encoded": True,
    }
    assert json.dumps(DOOR.event(sent, ARRIVAL)) == json.dumps(expected)


def test_what_is_empty_is_null() -> None:
    event = told(DOOR, request())
    empty = ["queryStringParameters", "multiValueQueryStringParameters", "pathParameters", "stageVariables", "body"]
    assert [event[name] for name in empty] == [None] * 5
    assert (event["resource"], event["isBase64Encoded"]) == ("/", False)


def test_slashes_at_the_start_collapse_in_the_path_alone() -> None:
    event = told(DOOR, request(b"///a//b/"))
    assert event["path"] == "/a//b/"
    assert event["requestContext"]["path"] == "///a//b/"  # type: ignore[index]  # a JSON object


def test_connection_and_content_length_are_taken_out() -> None:
    event = told(DOOR, request(b"/", b"", (b"connection", b"close"), (b"content-length", b"0")))
    assert not {"Connection", "Content-Length"} & event["headers"].keys()  # type: ignore[attr-defined]  # a JSON object


def test_an_envelope_becomes_the_response() -> None:
    assert DOOR.reply(b'{"statusCode": "201", "body": "{}"}', ARRIVAL) == (201, [JSON, *IDS], b"{}")


def test_a_result_without_a_status_is_200() -> None:
    assert DOOR.reply(b"{}", ARRIVAL) == (200, [JSON, *IDS], b"")


def test_a_base64_body_is_decoded() -> None:
    assert DOOR.reply(b'{"body": "AP8=", "isBase64Encoded": true}', ARRIVAL).body == b"\0\xff"


def test_lists_come_first_and_a_value_that_is_in_both_is_sent_once() -> None:
    found = sent_headers(headers={"X-A": "3", "x-a": "1", "b": True}, multiValueHeaders={"x-a": ["1", "2"]})
    assert found == [(b"x-a", b"1"), (b"x-a", b"2"), (b"X-A", b"3"), (b"b", b"true")]


def test_null_headers_are_none() -> None:
    assert sent_headers(headers=None, multiValueHeaders=None) == []


@pytest.mark.parametrize("name", ["Connection", "Date", "Server", "WWW-Authenticate", "content-length", "Host"])
def test_headers_that_are_not_the_function_s_to_say_are_renamed(name: str) -> None:
    assert sent_headers(headers={name: "x"}) == [(f"x-amzn-Remapped-{name}".encode(), b"x")]


def test_a_transfer_encoding_is_dropped() -> None:
    assert sent_headers(headers={"Transfer-Encoding": "chunked"}) == []


@pytest.mark.parametrize(
    "payload",
    [
        b'"hello"',
        b"[1]",
        b"null",
        b"{oops",
        b'{"statusCode": 200, "cookies": []}',
        b'{"statusCode": 200, "statusDescription": "OK"}',
        b'{"statusCode": "test"}',
        b'{"statusCode": 0}',
        b'{"body": {}}',
        b'{"multiValueHeaders": {"a": "1"}}',
    ],
)
def test_any_other_result_is_an_error(payload: bytes) -> None:
    with pytest.raises(InvalidMessage):
        DOOR.reply(payload, ARRIVAL)


@pytest.mark.parametrize("reason", [Refusal.FUNCTION_ERROR, Refusal.UNUSABLE_REPLY])
def test_a_function_error_is_502_with_the_space_and_the_error_s_type(reason: Refusal) -> None:
    error = (b"x-amzn-ErrorType", b"InternalServerErrorException")
    assert DOOR.refuse(reason, ARRIVAL) == (502, [JSON, error, *IDS], b'{"message": "Internal server error"}')


@pytest.mark.parametrize(("reason", "status"), [(Refusal.THROTTLED, 500), (Refusal.TOO_LARGE, 413)])
def test_other_refusals_are_json(reason: Refusal, status: int) -> None:
    reply = DOOR.refuse(reason, ARRIVAL)
    assert (reply.status, list(json.loads(reply.body))) == (status, ["message"])


def test_no_route_is_403_and_a_time_out_504() -> None:
    no_route = (b"x-amzn-ErrorType", b"MissingAuthenticationTokenException")
    text = b'{"message":"Missing Authentication Token"}'
    assert DOOR.refuse(Refusal.NO_ROUTE, ARRIVAL) == (403, [JSON, no_route, *IDS], text)
    late = DOOR.refuse(Refusal.TIMED_OUT, ARRIVAL)
    assert (late.status, late.body) == (504, b'{"message": "Endpoint request timed out"}')


STAGED = Matched("GET /items/{id}", "/items/{id}", {"id": "a%20b"}, "test", "/test", variables={"table": "t"})
MAPPED = STAGED._replace(prefix="/shop", is_base_path=True)


def test_the_stage_is_in_the_context_s_path_alone() -> None:
    event = told(DOOR, request(b"/test/items/a%20b"), STAGED)
    context = event["requestContext"]
    assert isinstance(context, dict)
    assert (event["resource"], event["path"]) == ("/items/{id}", "/items/a%20b")
    assert (event["pathParameters"], event["stageVariables"]) == ({"id": "a%20b"}, {"table": "t"})
    assert (context["resourcePath"], context["path"], context["stage"]) == ("/items/{id}", "/test/items/a%20b", "test")
    assert told(DOOR, request(b"/test"), STAGED._replace(resource="/"))["path"] == "/"


def test_a_base_path_is_in_both() -> None:
    event = told(DOOR, request(b"/shop/items/a%20b"), MAPPED)
    context = event["requestContext"]
    assert isinstance(context, dict)
    assert (event["path"], context["path"]) == ("/shop/items/a%20b", "/shop/items/a%20b")


def test_a_resource_has_an_id_of_its_own_and_the_api_another() -> None:
    def ids(resource: str) -> tuple[object, object]:
        context = told(DOOR, request(), Matched(resource=resource))["requestContext"]
        assert isinstance(context, dict)
        return context["resourceId"], context["apiId"]

    assert ids("/a") == ids("/a") != ids("/b")
    assert ids("/a")[1] == ids("/b")[1]


@pytest.mark.parametrize(
    ("authorizer", "expected"),
    [
        ({"jwt": {"claims": {"sub": "1"}, "scopes": None}}, {"claims": {"sub": "1"}}),
        ({"lambda": {"principalId": "p", "a": "1"}}, {"principalId": "p", "a": "1"}),
        ({"iam": {"accessKey": "AK"}}, None),
        (None, None),
    ],
)
def test_what_an_authorizer_found_out_is_flat(authorizer: dict[str, object] | None, expected: object) -> None:
    context = told(DOOR, request(), Matched(authorizer=authorizer))["requestContext"]
    assert isinstance(context, dict)
    assert context.get("authorizer") == expected


def test_who_signed_and_with_which_key_is_in_the_identity() -> None:
    pool = {"amr": ["authenticated", "login.example"], "identityId": "i", "identityPoolId": "p"}
    iam = {
        "accessKey": "AK",
        "accountId": "1",
        "callerId": "C",
        "cognitoIdentity": pool,
        "userArn": "arn",
        "userId": "U",
    }
    context = told(DOOR, request(), Matched(authorizer={"iam": iam}, identity={"apiKey": "k"}))["requestContext"]
    assert isinstance(context, dict)
    found = {name: value for name, value in context["identity"].items() if value is not None}
    assert found == {
        "accessKey": "AK",
        "accountId": "1",
        "apiKey": "k",
        "caller": "C",
        "cognitoAuthenticationProvider": "authenticated,login.example",
        "cognitoAuthenticationType": "authenticated",
        "cognitoIdentityId": "i",
        "cognitoIdentityPoolId": "p",
        "sourceIp": "127.0.0.1",
        "user": "U",
        "userArn": "arn",
    }


@given(requests())
def test_the_application_sees_stage_and_base_path_as_the_client_sent_them(sent: HTTPRequest) -> None:
    for matched, root_path in ((STAGED, "/test"), (MAPPED, "")):
        path = matched.prefix.encode() + b"/" + sent.raw_path.lstrip(b"/")
        got = arrived(DOOR, sent._replace(raw_path=path), matched)
        assert (got.raw_path, got.root_path, got.body) == (path, root_path, sent.body)


@given(requests())
def test_what_goes_in_at_the_door_comes_out_at_the_gateway(sent: HTTPRequest) -> None:
    got = arrived(DOOR, sent)
    # Folded: slashes at the start, the order of different names, and how the query was encoded.
    assert (got.method, got.root_path, got.body) == (sent.method, "", sent.body)
    assert got.raw_path == b"/" + sent.raw_path.lstrip(b"/")
    assert decoded_parameters(got.query_string) == decoded_parameters(sent.query_string)
    assert by_name(own(got.headers)) == by_name(own(sent.headers))


@given(responses())
def test_what_goes_out_at_the_gateway_comes_out_at_the_door(response: Response) -> None:
    # Folded: the order of headers of different names.
    assert answered(DOOR, response) == (response.status, by_name(own(response.headers)), response.body)


# Streams


def test_a_prelude_begins_a_response() -> None:
    prelude = b'{"statusCode": 201, "headers": {"server": "s"}, "multiValueHeaders": {"x": ["1", "2"]}, "more": 1}'
    begun = DOOR.begin(prelude, ARRIVAL)
    fields = [(b"x", b"1"), (b"x", b"2"), (b"x-amzn-Remapped-server", b"s"), JSON]
    assert begun == (201, [*fields, *IDS], b"")


@pytest.mark.parametrize("prelude", [None, b"", b"[]", b'{"statusCode": 1}'])
def test_one_that_is_missing_or_cannot_be_read_is_refused(prelude: bytes | None) -> None:
    with pytest.raises(InvalidMessage):
        DOOR.begin(prelude, ARRIVAL)


@given(responses())
def test_a_streamed_response_begins_as_a_whole_one(response: Response) -> None:
    prelude = rest_api.prelude(response, {})
    begun = DOOR.begin(json.dumps(prelude).encode(), ARRIVAL)
    whole = DOOR.reply(json.dumps(rest_api.reply(response, {})).encode(), ARRIVAL)
    assert (begun.status, begun.headers) == (
        whole.status,
        [field for field in whole.headers if b"ength" not in field[0]],
    )
