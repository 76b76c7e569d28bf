"""The event that a Lambda authorizer is asked with. Pure.

    HTTP API, 2.0     {"version", "type": "REQUEST", "routeArn", "identitySource": [...], ...}
    HTTP API, 1.0     {"version", "type": "REQUEST", "methodArn", "identitySource", "authorizationToken", ...}
    REST, REQUEST     {"type": "REQUEST", "methodArn", ...}
    REST, TOKEN       {"type": "TOKEN", "methodArn", "authorizationToken"}
    WebSocket API     {"type": "REQUEST", "methodArn", ...}, of $connect

`...` is what the function behind the route is told of the request, but for the body.

Source: docs.aws.amazon.com/apigateway, "Control access to HTTP APIs with AWS Lambda authorizers", "Input to an API
Gateway Lambda authorizer". Believed, not measured: what an HTTP API says where no identity source is configured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lambent.dev.doors import DOORS, fields
from lambent.dev.doors.model import Arrival, Entry, Fields, HTTPRequest, Matched

BODY = frozenset({"body", "isBase64Encoded", "version", "type"})
FORMATS = {"1.0": "http1", "2.0": "http"}
"""The format of the authorizer's event → the door that makes events of it."""
PATH = "pathParameters"
EMPTY = (
    "queryStringParameters",
    "multiValueQueryStringParameters",
    PATH,
    "stageVariables",
)


def of_http_api(
    payload: str, request: HTTPRequest, arrival: Arrival, matched: Matched, door: Entry, values: Sequence[str]
) -> Fields:
    """In the authorizer's format, whichever the one of the route is."""
    seen = DOORS[FORMATS[payload]](door.site).event(request, arrival, matched)
    arn = method_arn(seen, request, matched, door)
    if payload == "2.0":
        head: Fields = {"version": "2.0", "type": "REQUEST", "routeArn": arn, "identitySource": list(values) or None}
        return head | bodiless(seen)
    token = ",".join(values) or None
    head = {"version": "1.0", "type": "REQUEST", "methodArn": arn, "identitySource": token, "authorizationToken": token}
    return head | bodiless(seen)


def of_rest_api(event: Mapping[str, object], arn: str) -> Fields:
    """Of a REQUEST authorizer. What is empty is an empty object here, rather than null."""
    told = bodiless(event)
    return {"type": "REQUEST", "methodArn": arn} | told | {name: told.get(name) or {} for name in EMPTY}


def of_websocket_api(event: Mapping[str, object], arn: str) -> Fields:
    """Of a REQUEST authorizer of `$connect`."""
    told = bodiless(event)
    return {"type": "REQUEST", "methodArn": arn} | told | {name: told.get(name) or {} for name in EMPTY if name != PATH}


def of_token(token: str, arn: str) -> Fields:
    return {"type": "TOKEN", "methodArn": arn, "authorizationToken": token}


def bodiless(event: Mapping[str, object]) -> Fields:
    return {name: value for name, value in event.items() if name not in BODY}


def method_arn(event: Mapping[str, object], request: HTTPRequest, matched: Matched, door: Entry) -> str:
    """`arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/GET/items/7`, with the path as it came.

    Of a WebSocket API `…/prod/$connect`.
    """
    found = event.get("requestContext")
    context: Mapping[str, object] = found if isinstance(found, Mapping) else {}
    path = fields.encoded(request.raw_path).removeprefix(matched.prefix).removeprefix("/")
    where = (
        f"arn:aws:execute-api:{door.site.region}:{context.get('accountId') or door.site.account}:{context.get('apiId')}"
    )
    if context.get("eventType") == "CONNECT":
        return f"{where}/{context.get('stage')}/{context.get('routeKey')}"
    return f"{where}/{context.get('stage')}/{request.method}/{path}"
