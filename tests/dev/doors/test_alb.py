"""An Application Load Balancer: its events and what it makes of results."""

import json

import pytest
from hypothesis import given

from lambent.dev.doors import alb
from lambent.dev.doors.model import MEGABYTE, HTTPRequest, Refusal, Site
from lambent.errors import InvalidMessage
from lambent.gateway.model import Response
from tests.dev.doors.wire import (
    ARRIVAL,
    answered,
    arrived,
    by_name,
    own,
    parameters,
    request,
    requests,
    responses,
    told,
)

SINGLE, MULTI = alb.ALB(Site("app", "eu-west-1")), alb.multi_value(Site("app", "eu-west-1"))
HTML = (b"content-type", b"text/html; charset=utf-8")
HEADERS = {
    "host": "127.0.0.1:3000",
    "x-own": "2",
    "x-amzn-trace-id": "Root=1-2-3",
    "x-forwarded-for": "127.0.0.1",
    "x-forwarded-port": "3000",
    "x-forwarded-proto": "http",
}
SENT = request(b"/a%20b", b"q=%C3%A9&q=a+b", (b"x-own", b"1"), (b"x-own", b"2"))


def test_the_event_has_one_value_each_and_nothing_is_decoded() -> None:
    expected = {
        "requestContext": {"elb": {"targetGroupArn": SINGLE.target_group}},
        "httpMethod": "GET",
        "path": "/a%20b",
        "queryStringParameters": {"q": "a+b"},
        "headers": HEADERS,
        "body": "",
        "isBase64Encoded": False,
    }
    assert json.dumps(SINGLE.event(SENT, ARRIVAL)) == json.dumps(expected)


def test_with_multi_value_headers_the_event_has_lists_alone() -> None:
    expected = {
        "requestContext": {"elb": {"targetGroupArn": MULTI.target_group}},
        "httpMethod": "GET",
        "path": "/a%20b",
        "multiValueQueryStringParameters": {"q": ["%C3%A9", "a+b"]},
        "multiValueHeaders": {name: [value] for name, value in HEADERS.items()} | {"x-own": ["1", "2"]},
        "body": "",
        "isBase64Encoded": False,
    }
    assert json.dumps(MULTI.event(SENT, ARRIVAL)) == json.dumps(expected)


def test_a_target_group_has_an_arn() -> None:
    prefix = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/app/"
    assert SINGLE.target_group.startswith(prefix)
    assert len(SINGLE.target_group) == len(prefix) + 16


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ([(b"content-type", b"application/json")], "hi"),
        ([(b"content-type", b"application/json"), (b"content-encoding", b"gzip")], "aGk="),
        ([(b"content-type", b"application/x-www-form-urlencoded")], "aGk="),
        ([], "aGk="),
    ],
)
def test_a_body_is_base64_by_its_type_and_whenever_it_is_encoded(headers: list[tuple[bytes, bytes]], body: str) -> None:
    event = told(SINGLE, request(b"/", b"", *headers, body=b"hi"))
    assert (event["body"], event["isBase64Encoded"]) == (body, body != "hi")


@pytest.mark.parametrize(("door", "value"), [(SINGLE, b"1"), (MULTI, b"2")])
def test_the_headers_of_the_other_mode_are_ignored(door: alb.ALB, value: bytes) -> None:
    result = {"statusCode": 200, "headers": {"a": "1"}, "multiValueHeaders": {"a": ["2"]}}
    assert door.reply(json.dumps(result).encode(), ARRIVAL).headers[0] == (b"a", value)


def test_an_envelope_becomes_the_response() -> None:
    result = {
        "statusCode": 404,
        "statusDescription": "404 Nothing",
        "headers": {"content-type": "text/html; charset=utf-8", "connection": "close"},
        "body": "PHA+",
        "isBase64Encoded": True,
    }
    assert SINGLE.reply(json.dumps(result).encode(), ARRIVAL) == (404, [HTML], b"<p>")


def test_cookies_under_different_spellings_are_all_sent() -> None:
    result = {"statusCode": 200, "headers": {"set-cookie": "a=1", "Set-cookie": "b=2"}}
    reply = SINGLE.reply(json.dumps(result).encode(), ARRIVAL)
    assert [value for name, value in reply.headers if name.lower() == b"set-cookie"] == [b"a=1", b"b=2"]


def test_a_body_may_be_absent() -> None:
    expected = (200, [(b"content-type", b"application/octet-stream")], b"")
    assert SINGLE.reply(b'{"statusCode": 200}', ARRIVAL) == expected


@pytest.mark.parametrize(
    "payload",
    [
        b'{"statusCode": 200, "body": null}',
        b'{"statusCode": 200, "body": {}}',
        b'{"statusCode": 200, "headers": {"a": 1}}',
        b'{"statusCode": 200, "headers": []}',
        b'{"body": "x"}',
        b'"hello"',
        b"null",
    ],
)
def test_any_other_result_is_an_error(payload: bytes) -> None:
    with pytest.raises(InvalidMessage):
        SINGLE.reply(payload, ARRIVAL)


@pytest.mark.parametrize("reason", [Refusal.FUNCTION_ERROR, Refusal.UNUSABLE_REPLY, Refusal.THROTTLED])
def test_every_failure_is_502_in_html(reason: Refusal) -> None:
    reply = SINGLE.refuse(reason, ARRIVAL)
    assert reply[:2] == (502, [(b"server", b"awselb/2.0"), (b"content-type", b"text/html")])
    assert b"<center><h1>502 Bad Gateway</h1></center>" in reply.body


def test_a_request_too_large_is_413_in_html() -> None:
    reply = SINGLE.refuse(Refusal.TOO_LARGE, ARRIVAL)
    assert reply.status == 413
    assert b"413 Request Entity Too Large" in reply.body


def test_a_megabyte_is_the_most_in_either_direction() -> None:
    assert SINGLE.limits[:2] == MULTI.limits[:2] == (MEGABYTE, MEGABYTE)


@given(requests())
def test_what_goes_in_at_the_door_comes_out_at_the_gateway(sent: HTTPRequest) -> None:
    got = arrived(MULTI, sent)
    assert (got.method, got.raw_path, got.body) == (sent.method, sent.raw_path, sent.body)
    # Folded: the order of parameters and headers of different names.
    assert parameters(got.query_string) == parameters(sent.query_string)
    assert by_name(own(got.headers)) == by_name(own(sent.headers))


@given(requests())
def test_without_multi_value_headers_the_last_of_each_name_comes_out(sent: HTTPRequest) -> None:
    got = arrived(SINGLE, sent)
    assert (got.method, got.raw_path, got.body) == (sent.method, sent.raw_path, sent.body)
    # Folded: all but the last value of a name, and the order.
    assert parameters(got.query_string) == {name: each[-1:] for name, each in parameters(sent.query_string).items()}
    assert dict(own(got.headers)) == dict(own(sent.headers))
    assert len(own(got.headers)) == len(dict(own(sent.headers)))


@given(responses())
def test_what_goes_out_at_the_gateway_comes_out_at_the_door(response: Response) -> None:
    # Folded: the order of headers of different names.
    assert answered(MULTI, response) == (response.status, by_name(own(response.headers)), response.body)


@given(responses())
def test_without_multi_value_headers_the_gateway_joins_repeated_headers_of_a_response_but_no_cookies(
    response: Response,
) -> None:
    # Folded: headers of one name are one, and the order.
    expected = {
        name: each if name == b"set-cookie" else [b", ".join(each)]
        for name, each in by_name(own(response.headers)).items()
    }
    assert answered(SINGLE, response) == (response.status, expected, response.body)


def test_where_no_rule_matches_the_listener_has_a_fixed_response() -> None:
    fixed = [(b"server", b"awselb/2.0"), (b"content-type", b"text/plain; charset=utf-8")]
    assert SINGLE.refuse(Refusal.NO_ROUTE, ARRIVAL) == (404, fixed, b"")
    late = SINGLE.refuse(Refusal.TIMED_OUT, ARRIVAL)
    assert (late.status, b"504 Gateway Time-out" in late.body) == (504, True)
    assert SINGLE.refuse(Refusal.URL_TOO_LONG, ARRIVAL).status == 414
