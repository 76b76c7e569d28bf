"""What gateways send for `GET /items/42?q=lamp&page=2`, in the size they really have. The values are made up."""

from __future__ import annotations

import json
import time
from typing import Any

PATH = "/items/42"
QUERY = "q=lamp&page=2"

HEADERS = {
    "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "accept-encoding": "gzip, deflate, br, zstd",
    "accept-language": "en-GB,en;q=0.7",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "x-amzn-trace-id": "Root=1-6740a1b2-3c4d5e6f708192a3b4c5d6e7",
    "x-forwarded-for": "203.0.113.7",
    "x-forwarded-port": "443",
    "x-forwarded-proto": "https",
}


def _event(domain: str, api_id: str, account_id: str, route_key: str) -> dict[str, Any]:
    """Payload format 2.0."""
    return {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": PATH,
        "rawQueryString": QUERY,
        "headers": {**HEADERS, "host": domain},
        "queryStringParameters": {"q": "lamp", "page": "2"},
        "requestContext": {
            "accountId": account_id,
            "apiId": api_id,
            "domainName": domain,
            "domainPrefix": api_id,
            "http": {
                "method": "GET",
                "path": PATH,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": HEADERS["user-agent"],
            },
            "requestId": "8f6b2c1d-4e5f-4a7b-9c8d-0e1f2a3b4c5d",
            "routeKey": route_key,
            "stage": "$default",
            "time": "21/Nov/2026:10:00:00 +0000",
            "timeEpoch": 1795255200000,
        },
        "isBase64Encoded": False,
    }


FUNCTION_URL = _event(
    "abcdefghijklmnopqrstuvwxyz012345.lambda-url.eu-central-1.on.aws",
    "abcdefghijklmnopqrstuvwxyz012345",
    "anonymous",
    "$default",
)
HTTP_API = _event("a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com", "a1b2c3d4e5", "123456789012", "GET /items/{id}")

_SOCKETS = "w1x2y3z4a5.execute-api.eu-central-1.amazonaws.com"

DOORS = {"Function URL": FUNCTION_URL, "HTTP API": HTTP_API}


CONNECTION_ID = "JCIuTfPGDoECJkA="


def connection() -> dict[str, Any]:
    """`$connect` of a connection that begins now."""
    headers = {"Host": _SOCKETS, "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13"}
    headers |= {name.title(): value for name, value in HEADERS.items()}
    return {
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        **_socket_event("CONNECT", "$connect"),
    }


def message(body: str) -> dict[str, Any]:
    """What the client of that connection sends."""
    event = _socket_event("MESSAGE", "$default")
    event["requestContext"]["messageId"] = "JCIuUfPGDoECJkA="
    return {**event, "body": body}


def ended() -> dict[str, Any]:
    """`$disconnect` of that connection."""
    event = _socket_event("DISCONNECT", "$disconnect")
    event["requestContext"] |= {"disconnectStatusCode": 1001, "disconnectReason": ""}
    return event


def _socket_event(kind: str, route_key: str) -> dict[str, Any]:
    now = int(time.time() * 1000)
    return {
        "requestContext": {
            "routeKey": route_key,
            "eventType": kind,
            "extendedRequestId": "JCIuSmjLgPHcESJw=",
            "requestTime": "21/Nov/2026:10:00:00 +0000",
            "messageDirection": "IN",
            "stage": "prod",
            "connectedAt": now,
            "requestTimeEpoch": now,
            "identity": {"sourceIp": "203.0.113.7", "userAgent": HEADERS["user-agent"]},
            "requestId": "JCIuSmjLgPHcESJw=",
            "domainName": _SOCKETS,
            "connectionId": CONNECTION_ID,
            "apiId": "w1x2y3z4a5",
        },
        "isBase64Encoded": False,
    }


def batch(count: int, *, failing: bool = False) -> dict[str, Any]:
    """An SQS event of so many messages, the last of which is to fail, if one is."""
    (record,) = records(1000)["Records"]
    messages = [{**record, "messageId": f"{number:08x}-87a3-44ab-83d2-661975830a7d"} for number in range(count)]
    if failing:
        messages[-1]["body"] = record["body"].replace("leave at door", "fail")
    return {"Records": messages}


def records(size: int) -> dict[str, Any]:
    """An SQS event of about `size` bytes of JSON."""
    record = {
        "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a" + "b1C2" * 30,
        "body": '{"order": 4711, "lines": [{"article": "lamp", "count": 2, "price": 12.5}], "note": "leave at door"}',
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1795255200000",
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": "1795255200012",
        },
        "messageAttributes": {"kind": {"stringValue": "order", "dataType": "String"}},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:orders",
        "awsRegion": "eu-central-1",
    }
    return {"Records": [record] * (size // len(json.dumps(record)))}
