"""VPC Lattice: its events, in both versions, and what it makes of results."""

import json

import pytest
from hypothesis import given

from lambent.dev.doors.lattice import LatticeV1, LatticeV2
from lambent.dev.doors.model import HTTPRequest, Refusal, Site
from lambent.errors import InvalidMessage
from lambent.gateway.model import Response
from tests.dev.doors.wire import ARRIVAL, answered, arrived, by_name, own, request, requests, responses, told

V1, V2 = LatticeV1(Site("app", "eu-west-1")), LatticeV2(Site("app", "eu-west-1"))
JSON = (b"content-type", b"application/json")
SENT = request(b"/a%20b", b"q=%C3%A9&q=a+b", (b"x-own", b"1"), (b"x-own", b"2"))
FORWARDED = {"x-forwarded-for": "127.0.0.1", "x-forwarded-port": "3000", "x-forwarded-proto": "http"}


def test_the_event_of_version_1_has_one_value_each() -> None:
    expected = {
        "raw_path": "/a%20b?q=%C3%A9&q=a+b",
        "method": "GET",
        "headers": {"host": "127.0.0.1:3000", "x-own": "1,2"} | FORWARDED,
        "query_string_parameters": {"q": "%C3%A9"},
        "body": "",
        "is_base64_encoded": False,
    }
    assert json.dumps(V1.event(SENT, ARRIVAL)) == json.dumps(expected)


def test_the_event_of_version_2_has_lists_and_a_context() -> None:
    event = told(V2, SENT)
    context = event.pop("requestContext")
    expected = {
        "version": "2.0",
        "path": "/a%20b?q=%C3%A9&q=a+b",
        "method": "GET",
        "headers": {"host": ["127.0.0.1:3000"], "x-own": ["1", "2"]} | {name: [FORWARDED[name]] for name in FORWARDED},
        "queryStringParameters": {"q": ["%C3%A9", "a+b"]},
        "body": "",
        "isBase64Encoded": False,
    }
    assert json.dumps(event) == json.dumps(expected)
    assert isinstance(context, dict)
    fields = ["serviceNetworkArn", "serviceArn", "targetGroupArn", "identity", "region", "timeEpoch"]
    assert list(context) == fields


def test_the_time_is_a_string_of_microseconds() -> None:
    assert V2.context(ARRIVAL)["timeEpoch"] == "1783711145500000"


def test_a_body_that_is_no_text_is_base64() -> None:
    event = told(V1, request(b"/", b"", (b"content-type", b"image/png"), body=b"hi"))
    assert (event["body"], event["is_base64_encoded"]) == ("aGk=", True)


@pytest.mark.parametrize("door", [V1, V2])
def test_an_envelope_becomes_the_response(door: LatticeV1 | LatticeV2) -> None:
    result = {
        "statusCode": 201,
        "statusDescription": "201 Created",
        "headers": {"x-a": "1", "Connection": "close"},
        "body": "aGk=",
        "isBase64Encoded": True,
    }
    assert door.reply(json.dumps(result).encode(), ARRIVAL) == (201, [(b"x-a", b"1"), JSON], b"hi")


def test_a_header_may_be_a_list_in_version_2_alone() -> None:
    payload = b'{"statusCode": 200, "headers": {"set-cookie": ["a=1", "b=2"]}}'
    assert V2.reply(payload, ARRIVAL).headers == [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"), JSON]
    with pytest.raises(InvalidMessage):
        V1.reply(payload, ARRIVAL)


@pytest.mark.parametrize("door", [V1, V2])
@pytest.mark.parametrize("payload", [b'"hello"', b"null", b"{}", b'{"statusCode": 200, "body": {}}', b"{oops"])
def test_any_other_result_is_an_error(door: LatticeV1 | LatticeV2, payload: bytes) -> None:
    with pytest.raises(InvalidMessage):
        door.reply(payload, ARRIVAL)


@pytest.mark.parametrize("door", [V1, V2])
@pytest.mark.parametrize(("reason", "status"), [(Refusal.FUNCTION_ERROR, 500), (Refusal.TOO_LARGE, 413)])
def test_a_refusal_is_plain_text(door: LatticeV1 | LatticeV2, reason: Refusal, status: int) -> None:
    reply = door.refuse(reason, ARRIVAL)
    assert reply[:2] == (status, [(b"content-type", b"text/plain; charset=utf-8")])


@given(requests())
def test_what_goes_in_at_the_door_comes_out_at_the_gateway(sent: HTTPRequest) -> None:
    got = arrived(V2, sent)
    expected = (sent.method, sent.raw_path, sent.query_string, sent.body)
    assert (got.method, got.raw_path, got.query_string, got.body) == expected
    # Folded: the order of headers of different names.
    assert by_name(own(got.headers)) == by_name(own(sent.headers))


@given(requests())
def test_version_1_joins_what_is_repeated(sent: HTTPRequest) -> None:
    got = arrived(V1, sent)
    expected = (sent.method, sent.raw_path, sent.query_string, sent.body)
    assert (got.method, got.raw_path, got.query_string, got.body) == expected
    # Folded: headers of one name are one.
    assert dict(own(got.headers)) == {name: b",".join(each) for name, each in by_name(own(sent.headers)).items()}


@pytest.mark.parametrize("door", [V1, V2])
@given(response=responses())
def test_the_gateway_joins_repeated_headers_of_a_response_but_no_cookies(
    door: LatticeV1 | LatticeV2, response: Response
) -> None:
    # Folded: headers of one name are one, and the order.
    expected = {
        name: each if name == b"set-cookie" else [b", ".join(each)]
        for name, each in by_name(own(response.headers)).items()
    }
    assert answered(door, response) == (response.status, expected, response.body)
