"""Requests to Lambda authorizers, beside the documented ones in tests/data."""

from typing import Any

import pytest

from lambent.dev.authorizers import events
from lambent.dev.doors.http_api import HTTPAPI
from lambent.dev.doors.http_api_v1 import HTTPAPIv1
from lambent.dev.doors.model import Door, HTTPRequest, Matched, Site
from lambent.dev.doors.rest_api import RESTAPI
from lambent.dev.doors.websocket_api import WebSocketAPI
from tests.dev.doors.wire import ARRIVAL, request
from tests.payloads import payload

SITE = Site("shop", "eu-west-1", "123456789012")
API = SITE.identifier(10)
MATCHED = Matched(route_key="GET /items/{id}", resource="/items/{id}", parameters={"id": "7"})
REQUEST = request(b"/items/7", b"q=lamp&q=oil", (b"authorization", b"Bearer token"), (b"x-own", b"a"), body=b"{}")
VALUES = ("Bearer token",)


def asked(version: str, door: Door, sent: HTTPRequest = REQUEST, matched: Matched = MATCHED) -> dict[str, Any]:
    return events.of_http_api(version, sent, ARRIVAL, matched, door, VALUES)


@pytest.mark.parametrize("door", [HTTPAPI(SITE), HTTPAPIv1(SITE)])
def test_format_2_is_as_documented_whatever_the_routes_own_is(door: Door) -> None:
    told = asked("2.0", door)
    documented = payload("http_api_authorizer_v2")
    assert list(told)[:4] == list(documented)[:4]
    assert set(told) - set(documented) == {"queryStringParameters"}
    assert set(documented) <= set(told)
    assert told["routeArn"] == f"arn:aws:execute-api:eu-west-1:123456789012:{API}/$default/GET/items/7"
    assert told["identitySource"] == ["Bearer token"]
    assert (told["type"], told["version"], told["routeKey"]) == ("REQUEST", "2.0", "GET /items/{id}")
    assert told["requestContext"].keys() == documented["requestContext"].keys()


@pytest.mark.parametrize("door", [HTTPAPI(SITE), HTTPAPIv1(SITE)])
def test_format_1_is_as_documented_whatever_the_routes_own_is(door: Door) -> None:
    told = asked("1.0", door)
    documented = payload("http_api_authorizer_v1")
    assert told.keys() == documented.keys()
    assert told["methodArn"] == f"arn:aws:execute-api:eu-west-1:123456789012:{API}/$default/GET/items/7"
    assert told["identitySource"] == told["authorizationToken"] == "Bearer token"
    assert told["requestContext"].keys() == documented["requestContext"].keys()


def test_without_identity_sources_there_are_none() -> None:
    for version in ("1.0", "2.0"):
        told = events.of_http_api(version, REQUEST, ARRIVAL, MATCHED, HTTPAPI(SITE), ())
        assert told["identitySource"] is None


def test_a_rest_api_asks_with_the_whole_event_but_the_body() -> None:
    door = RESTAPI(SITE)
    event = door.event(REQUEST, ARRIVAL, MATCHED)
    told = events.of_rest_api(event, events.method_arn(event, REQUEST, MATCHED, door))
    assert told.keys() == payload("rest_authorizer_request").keys()
    assert (told["type"], told["stageVariables"]) == ("REQUEST", {})
    assert told["methodArn"] == f"arn:aws:execute-api:eu-west-1:123456789012:{API}/prod/GET/items/7"


def test_or_with_a_token() -> None:
    assert events.of_token("Bearer token", "arn") == {**payload("rest_authorizer_token"), "methodArn": "arn"}


@pytest.mark.parametrize(
    ("path", "matched", "expected"),
    [
        (b"/", Matched(), "prod/GET/"),
        (b"/a%2Fb/", Matched(), "prod/GET/a%2Fb/"),
        (b"/v1/items", Matched(stage="v1", prefix="/v1"), "v1/GET/items"),
        (b"/shop/items", Matched(stage="v1", prefix="/shop", is_base_path=True), "v1/GET/items"),
        (b"/v1", Matched(stage="v1", prefix="/v1"), "v1/GET/"),
    ],
)
def test_the_arn_is_that_of_the_method(path: bytes, matched: Matched, expected: str) -> None:
    door, sent = RESTAPI(SITE), request(path)
    arn = events.method_arn(door.event(sent, ARRIVAL, matched), sent, matched, door)
    assert arn == f"arn:aws:execute-api:eu-west-1:123456789012:{API}/{expected}"


def test_a_websocket_api_asks_with_the_handshake() -> None:
    api, matched = WebSocketAPI(Site("chat", "eu-west-1")), Matched("$connect", stage="prod")
    event = api.event(REQUEST, ARRIVAL, matched)
    arn = f"arn:aws:execute-api:eu-west-1:123456789012:{api.site.identifier(10)}/prod/$connect"
    assert events.method_arn(event, REQUEST, matched, api) == arn
    told = events.of_websocket_api(event, arn)
    assert list(told)[:2] == ["type", "methodArn"]
    assert (told["type"], told["methodArn"], told["stageVariables"]) == ("REQUEST", arn, {})
    assert told["requestContext"] == event["requestContext"]
    assert not {"isBase64Encoded", "body", "pathParameters"} & told.keys()
