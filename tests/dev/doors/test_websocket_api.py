"""A WebSocket API: its events, and what it makes of replies to `$connect` and to messages."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.dev.doors import websocket_api
from lambent.dev.doors.model import Arrival, Fields, HTTPReply, HTTPRequest, Matched, Refusal, Site
from lambent.dev.doors.websocket_api import DELETED, Connection, WebSocketAPI
from lambent.errors import InvalidMessage
from lambent.gateway import websocket_api as other_side

API = WebSocketAPI(Site("chat", "eu-west-1", api="talk"))
ARRIVAL = Arrival("4b1d7f0c-27f2-4a3f-9a6b-0d0f3a9e6f11", "JCIuSmjLgPHcESJw=", "Root=1-2-3;Parent=4", 1751753177.41)
CONNECTION = Connection("JCIuTfPGDoECJkA=", 1751753177.405, "localhost:3000", "127.0.0.1", "websockets/15.0", "prod")


def request(*headers: tuple[bytes, bytes], query: bytes = b"") -> HTTPRequest:
    fields = [(b"host", b"localhost:3000"), (b"connection", b"Upgrade"), (b"upgrade", b"websocket"), *headers]
    return HTTPRequest("GET", b"/prod", query, fields, b"", ("127.0.0.1", 50000), "http", "1.1")


def told(event: Fields) -> str:
    return json.dumps(event)


def test_the_event_of_a_handshake_is_aws_s_field_by_field_and_in_its_order() -> None:
    sent = request(
        (b"user-agent", b"a"), (b"sec-websocket-key", b"k"), (b"x-a", b"1"), (b"x-a", b"2"), query=b"x=1&x=2"
    )
    single = {
        "Host": "localhost:3000",
        "Sec-WebSocket-Key": "k",
        "User-Agent": "a",
        "X-A": "2",
        "X-Amzn-Trace-Id": "Root=1-2-3",
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Port": "3000",
        "X-Forwarded-Proto": "http",
    }
    expected = {
        "headers": single,
        "multiValueHeaders": {name: [value] for name, value in single.items()} | {"X-A": ["1", "2"]},
        "queryStringParameters": {"x": "2"},
        "multiValueQueryStringParameters": {"x": ["1", "2"]},
        "requestContext": {
            "routeKey": "$connect",
            "eventType": "CONNECT",
            "extendedRequestId": "JCIuSmjLgPHcESJw=",
            "requestTime": "05/Jul/2025:22:06:17 +0000",
            "messageDirection": "IN",
            "stage": "local",
            "connectedAt": 1751753177410,
            "requestTimeEpoch": 1751753177410,
            "identity": {"userAgent": "a", "sourceIp": "127.0.0.1"},
            "requestId": "JCIuSmjLgPHcESJw=",
            "domainName": "localhost:3000",
            "connectionId": websocket_api.connecting(sent, ARRIVAL).id,
            "apiId": Site("talk").identifier(10),
        },
        "isBase64Encoded": False,
    }
    assert told(API.event(sent, ARRIVAL)) == told(expected)


def test_the_event_of_a_message_is_aws_s_field_by_field_and_in_its_order() -> None:
    expected = {
        "requestContext": {
            "routeKey": "join",
            "messageId": websocket_api.message_id(ARRIVAL),
            "eventType": "MESSAGE",
            "extendedRequestId": "JCIuSmjLgPHcESJw=",
            "requestTime": "05/Jul/2025:22:06:17 +0000",
            "messageDirection": "IN",
            "stage": "prod",
            "connectedAt": 1751753177405,
            "requestTimeEpoch": 1751753177410,
            "identity": {"userAgent": "websockets/15.0", "sourceIp": "127.0.0.1"},
            "requestId": "JCIuSmjLgPHcESJw=",
            "domainName": "localhost:3000",
            "connectionId": "JCIuTfPGDoECJkA=",
            "apiId": Site("talk").identifier(10),
        },
        "body": '{"action": "join"}',
        "isBase64Encoded": False,
    }
    assert told(API.message(CONNECTION, ARRIVAL, "join", '{"action": "join"}')) == told(expected)


def test_the_event_of_an_end_is_aws_s_field_by_field_and_in_its_order() -> None:
    """As captured of one that `@connections` closed, with an authorizer."""
    headers = {"Host": "localhost:3000", "x-api-key": "", "X-Forwarded-For": "", "x-restapi": ""}
    expected = {
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "requestContext": {
            "routeKey": "$disconnect",
            "disconnectStatusCode": 1000,
            "authorizer": {"principalId": "user"},
            "eventType": "DISCONNECT",
            "extendedRequestId": "JCIuSmjLgPHcESJw=",
            "requestTime": "05/Jul/2025:22:06:17 +0000",
            "messageDirection": "IN",
            "disconnectReason": "Connection Closed Normally",
            "stage": "prod",
            "connectedAt": 1751753177405,
            "requestTimeEpoch": 1751753177410,
            "identity": {"userAgent": "websockets/15.0", "sourceIp": "127.0.0.1"},
            "requestId": "JCIuSmjLgPHcESJw=",
            "domainName": "localhost:3000",
            "connectionId": "JCIuTfPGDoECJkA=",
            "apiId": Site("talk").identifier(10),
        },
        "isBase64Encoded": False,
    }
    connection = CONNECTION._replace(authorizer={"principalId": "user"})
    assert told(API.disconnect(connection, ARRIVAL, DELETED)) == told(expected)


def test_what_is_empty_is_absent() -> None:
    event = API.event(request(), ARRIVAL)
    assert not {"queryStringParameters", "multiValueQueryStringParameters", "stageVariables", "body"} & event.keys()
    context = event["requestContext"]
    assert isinstance(context, dict)
    assert context["identity"] == {"sourceIp": "127.0.0.1"}
    assert "authorizer" not in context


def test_stage_variables_and_what_an_authorizer_said_go_with_every_event() -> None:
    lambda_said = {"principalId": "ada", "integrationLatency": 3, "tier": "gold"}
    matched = Matched("$connect", stage="prod", variables={"t": "v"}, authorizer={"lambda": lambda_said})
    first = API.event(request(), ARRIVAL, matched)
    kept = websocket_api.settled(websocket_api.connecting(request(), ARRIVAL, matched))
    later = (API.message(kept, ARRIVAL, "$default", ""), API.disconnect(kept, ARRIVAL, DELETED))
    assert first["requestContext"]["authorizer"] == lambda_said  # type: ignore[index]  # an object of JSON
    for event in (first, *later):
        context = event["requestContext"]
        assert isinstance(context, dict)
        assert event["stageVariables"] == {"t": "v"}
        assert {"principalId": "ada", "tier": "gold"}.items() <= context["authorizer"].items()
        assert context["stage"] == "prod"
    assert "integrationLatency" not in kept.authorizer  # type: ignore[operator]  # it has one


def test_ids_look_like_those_of_aws_and_are_others_each_time() -> None:
    first, second = (websocket_api.identifier(ARRIVAL._replace(request_id=each), "connection") for each in "ab")
    for name in (first, second, websocket_api.message_id(ARRIVAL)):
        assert websocket_api.ID.fullmatch(name)
    assert first != second
    assert re.search("[+/]", first + second) is None


def test_an_error_frame_is_aws_s_byte_for_byte() -> None:
    """As captured, in August 2020."""
    frame = '{"message": "Internal server error", "connectionId":"Qyi07eCbtjMCJKw=", "requestId":"Qyi3UG41tjMFlUg="}'
    assert websocket_api.error_frame("Internal server error", "Qyi07eCbtjMCJKw=", "Qyi3UG41tjMFlUg=") == frame


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (Refusal.FUNCTION_ERROR, 502),
        (Refusal.UNUSABLE_REPLY, 502),
        (Refusal.THROTTLED, 500),
        (Refusal.TIMED_OUT, 504),
        (Refusal.NO_ROUTE, 403),
    ],
)
def test_a_refusal_has_its_status(reason: Refusal, status: int) -> None:
    assert websocket_api.refusal(reason).status == status


@pytest.mark.parametrize(
    ("reply", "offered", "chosen"),
    [
        ({"statusCode": 200}, [], ""),
        ({"statusCode": 299}, ["a"], ""),
        ({"statusCode": "200", "headers": {"Sec-WebSocket-Protocol": "b"}}, ["a", "b"], "b"),
        ({"statusCode": 200, "headers": {"sec-websocket-protocol": "c"}}, ["a", "b"], ""),
        ({"statusCode": 200, "multiValueHeaders": {"Sec-WebSocket-Protocol": ["a"]}}, ["a"], "a"),
    ],
)
def test_a_reply_lets_a_client_in_and_names_the_subprotocol(
    reply: dict[str, object], offered: list[str], chosen: str
) -> None:
    assert websocket_api.admission(json.dumps(reply).encode(), offered) == chosen


def test_another_status_refuses_it_with_what_goes_with_that() -> None:
    reply = {"statusCode": 401, "headers": {"WWW-Authenticate": "Bearer"}, "body": "no"}
    found = websocket_api.admission(json.dumps(reply).encode(), [])
    assert isinstance(found, HTTPReply)
    assert (found.status, found.body) == (401, b"no")
    assert (b"WWW-Authenticate", b"Bearer") in found.headers


@pytest.mark.parametrize(
    "payload", [b"null", b'"yes"', b"{}", b'{"statusCode": 99}', b'{"statusCode": 403, "body": 1}']
)
def test_what_is_no_reply_is_told(payload: bytes) -> None:
    with pytest.raises(InvalidMessage):
        websocket_api.admission(payload, [])


@pytest.mark.parametrize(
    ("payload", "sent"),
    [
        (b'{"statusCode": 200, "body": "hi"}', "hi"),
        (b'{"statusCode": 500, "body": "hi"}', "hi"),
        (b'{"statusCode": 200}', ""),
        (b'{"statusCode": 200, "body": "aGk=", "isBase64Encoded": true}', "hi"),
        (b'{"a": 1}', '{"a": 1}'),
        (b'"text"', "text"),
        (b"null", ""),
    ],
)
def test_a_route_response_is_the_body(payload: bytes, sent: str) -> None:
    assert websocket_api.route_response(payload) == sent


def test_a_body_that_is_none_is_told() -> None:
    with pytest.raises(InvalidMessage, match="body must be a string"):
        websocket_api.route_response(b'{"statusCode": 200, "body": {}}')


def test_subprotocols_may_stand_in_one_header_or_in_several() -> None:
    headers = [(b"sec-websocket-protocol", b"a, b"), (b"other", b"x"), (b"sec-websocket-protocol", b"c")]
    assert websocket_api.subprotocols(headers) == ["a", "b", "c"]


@given(st.text())
def test_a_message_that_goes_in_here_comes_out_at_the_gateway(text: str) -> None:
    event = json.loads(json.dumps(API.message(CONNECTION, ARRIVAL, "$default", text)))
    assert other_side.message(event) == text


@given(st.dictionaries(st.text(min_size=1), st.text(), max_size=3))
def test_a_handshake_that_goes_in_here_comes_out_at_the_gateway(query: dict[str, str]) -> None:
    from urllib.parse import parse_qsl, urlencode

    sent = request((b"sec-websocket-protocol", b"a"), (b"cookie", b"s=1"), query=urlencode(query).encode())
    read = other_side.request(json.loads(json.dumps(API.event(sent, ARRIVAL))))
    assert read.method == "GET"
    assert dict(read.headers)[b"cookie"] == b"s=1"
    assert dict(parse_qsl(read.query_string.decode(), keep_blank_values=True)) == query
