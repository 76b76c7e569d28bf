"""CloudFront with Lambda@Edge: its events and what it makes of generated responses."""

import base64
import json

import pytest
from hypothesis import given

from lambent.dev.doors import edge
from lambent.dev.doors.model import HTTPRequest, Refusal, Site
from lambent.errors import InvalidMessage
from lambent.gateway.model import Response
from tests.dev.doors.wire import ARRIVAL, answered, arrived, by_name, own, request, requests, responses

ORIGIN, VIEWER = edge.Edge(Site("app")), edge.viewer_request(Site("app"))
IDS = [
    (b"X-Cache", b"LambdaGeneratedResponse from cloudfront"),
    (b"X-Amz-Cf-Id", ARRIVAL.edge_request_id.encode()),
]


def answer(**result: object) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    status, headers, body = ORIGIN.reply(json.dumps(result).encode(), ARRIVAL)
    return status, headers[:-2], body


def test_a_viewer_request_is_aws_s_field_by_field_and_in_its_order() -> None:
    sent = request(b"/a%20b", b"q=1&q=a+b", (b"x-own", b"1"), (b"x-own", b"2"))
    expected = {
        "Records": [
            {
                "cf": {
                    "config": {
                        "distributionDomainName": f"d{Site('app').identifier(13)}.cloudfront.net",
                        "distributionId": f"E{Site('app').identifier(13).upper()}",
                        "eventType": "viewer-request",
                        "requestId": ARRIVAL.edge_request_id,
                    },
                    "request": {
                        "clientIp": "127.0.0.1",
                        "headers": {
                            "host": [{"key": "Host", "value": "127.0.0.1:3000"}],
                            "x-own": [{"key": "X-Own", "value": "1"}, {"key": "X-Own", "value": "2"}],
                        },
                        "method": "GET",
                        "querystring": "q=1&q=a+b",
                        "uri": "/a%20b",
                    },
                }
            }
        ]
    }
    assert json.dumps(VIEWER.event(sent, ARRIVAL)) == json.dumps(expected)


def test_an_origin_request_has_an_origin_and_what_cloudfront_adds() -> None:
    told = ORIGIN.request(request())
    assert list(told) == ["clientIp", "headers", "method", "origin", "querystring", "uri"]
    headers = told["headers"]
    assert isinstance(headers, dict)
    assert headers["x-forwarded-for"] == [{"key": "X-Forwarded-For", "value": "127.0.0.1"}]
    assert headers["cloudfront-forwarded-proto"] == [{"key": "CloudFront-Forwarded-Proto", "value": "http"}]


@pytest.mark.parametrize(("door", "limit"), [(VIEWER, 40 * 1024), (ORIGIN, 1024 * 1024)])
def test_a_body_is_base64_and_cut_at_the_limit(door: edge.Edge, limit: int) -> None:
    told = {"action": "read-only", "data": base64.b64encode(b"x" * limit).decode(), "encoding": "base64"}
    assert door.body(b"x" * limit) == {"body": told | {"inputTruncated": False}}
    assert door.body(b"x" * (limit + 1)) == {"body": told | {"inputTruncated": True}}
    assert door.limits.result == limit


def test_a_generated_response_is_sent() -> None:
    result = {
        "status": "201",
        "statusDescription": "Created",
        "headers": {"x-a": [{"key": "X-A", "value": "1"}, {"value": "2"}]},
        "body": "hé",
    }
    reply = ORIGIN.reply(json.dumps(result).encode(), ARRIVAL)
    assert reply == (201, [(b"X-A", b"1"), (b"x-a", b"2"), *IDS], "hé".encode())


def test_a_status_is_enough() -> None:
    assert answer(status="302") == (302, [], b"")


@pytest.mark.parametrize(("encoding", "body"), [("text", b"aGk="), ("base64", b"hi")])
def test_a_body_is_decoded_if_its_encoding_says_so(encoding: str, body: bytes) -> None:
    assert answer(status="200", body="aGk=", bodyEncoding=encoding)[2] == body


def test_a_content_length_is_ignored() -> None:
    assert answer(status="200", headers={"content-length": [{"value": "5"}]})[1] == []


@pytest.mark.parametrize(
    "name", ["Connection", "transfer-encoding", "Via", "X-Amz-Cf-Id", "X-Edge-Foo", "x-real-ip", "X-Amzn-RequestId"]
)
def test_a_header_that_no_function_may_set_is_an_error(name: str) -> None:
    with pytest.raises(InvalidMessage, match="CloudFront lets no function set"):
        answer(status="200", headers={name: [{"key": name, "value": "1"}]})


@pytest.mark.parametrize(
    "headers",
    [[], {"a": "1"}, {"a": {"value": "1"}}, {"a": ["1"]}, {"a": [{"value": 1}]}, {"a": [{"key": "b", "value": "1"}]}],
)
def test_headers_of_any_other_form_are_an_error(headers: object) -> None:
    with pytest.raises(InvalidMessage):
        answer(status="200", headers=headers)


def test_a_request_sent_on_is_an_error_that_says_there_is_no_origin() -> None:
    with pytest.raises(InvalidMessage, match="no origin here"):
        answer(**ORIGIN.request(request()))


@pytest.mark.parametrize(
    "result",
    [
        {},
        {"statusCode": 200},
        {"status": "OK"},
        {"status": "200", "bodyEncoding": "gzip"},
        {"status": "200", "body": {}},
    ],
)
def test_any_other_result_is_an_error(result: dict[str, object]) -> None:
    with pytest.raises(InvalidMessage):
        answer(**result)


def test_a_204_with_a_body_is_an_error() -> None:
    with pytest.raises(InvalidMessage, match="204"):
        answer(status="204", body="x")


@pytest.mark.parametrize(
    ("reason", "status", "outcome"),
    [
        (Refusal.FUNCTION_ERROR, 503, b"LambdaExecutionError from cloudfront"),
        (Refusal.UNUSABLE_REPLY, 502, b"LambdaValidationError from cloudfront"),
        (Refusal.THROTTLED, 503, b"LambdaLimitExceeded from cloudfront"),
    ],
)
def test_a_refusal_is_html_and_tells_its_kind(reason: Refusal, status: int, outcome: bytes) -> None:
    reply = ORIGIN.refuse(reason, ARRIVAL)
    assert reply.status == status
    assert {(b"X-Cache", outcome), (b"content-type", b"text/html")} <= set(reply.headers)
    assert b"The request could not be satisfied" in reply.body


@pytest.mark.parametrize("door", [ORIGIN, VIEWER])
@given(sent=requests())
def test_what_goes_in_at_the_door_comes_out_at_the_gateway(door: edge.Edge, sent: HTTPRequest) -> None:
    got = arrived(door, sent)
    expected = (sent.method, sent.raw_path, sent.query_string, sent.body)
    assert (got.method, got.raw_path, got.query_string, got.body) == expected
    # Folded: the order of headers of different names.
    assert by_name(own(got.headers)) == by_name(own(sent.headers))
    assert got.client == ("127.0.0.1", 0)


@given(responses())
def test_what_goes_out_at_the_gateway_comes_out_at_the_door(response: Response) -> None:
    # Folded: the order of headers of different names.
    assert answered(ORIGIN, response) == (response.status, by_name(own(response.headers)), response.body)
