"""API Gateway HTTP API, payload format 2.0, one `$default` route on the `$default` stage.

Source: docs.aws.amazon.com/apigateway, "Working with AWS Lambda proxy integrations for HTTP APIs"; events captured in
July 2026, replies in AWS's own snapshots of April 2025.
"""

from __future__ import annotations

from dataclasses import dataclass

from lambent.dev.doors import envelope, fields
from lambent.dev.doors.model import LAMBDA_LIMITS, Arrival, Fields, HTTPReply, HTTPRequest, Limits, Refusal, Site

JSON = b"application/json"
TEXT = b"text/plain; charset=utf-8"

# The status of a throttled integration is believed, not measured.
REFUSALS = {
    Refusal.FUNCTION_ERROR: (500, b'{"message":"Internal Server Error"}'),
    Refusal.UNUSABLE_REPLY: (500, b'{"message":"Internal Server Error"}'),
    Refusal.THROTTLED: (503, b'{"message":"Service Unavailable"}'),
    Refusal.TOO_LARGE: (413, b'{"message":"Request Entity Too Large"}'),
}


@dataclass(frozen=True, slots=True)
class HTTPAPI:
    """`rawPath` is decoded, as `requestContext.http.path` is; cookies are taken out of the headers."""

    site: Site
    title: str = "HTTP API"
    limits: Limits = LAMBDA_LIMITS

    def event(self, request: HTTPRequest, arrival: Arrival) -> Fields:
        headers = fields.gateway_headers(request, arrival.trace)
        cookies = fields.cookies(headers)
        headers.pop("cookie", None)
        query = fields.query_parameters(request.query_string)
        return {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": fields.decoded(request.raw_path),
            "rawQueryString": fields.encoded(request.query_string),
            **({"cookies": cookies} if cookies else {}),
            "headers": headers,
            **({"queryStringParameters": query} if query else {}),
            "requestContext": self.context(request, headers, arrival),
            **fields.body(request.body, headers.get("content-type", "")),
        }

    def context(self, request: HTTPRequest, headers: dict[str, str], arrival: Arrival) -> Fields:
        """`requestContext`, of a route without an authorizer."""
        api_id = self.site.identifier(10)
        return {
            "accountId": self.site.account,
            "apiId": api_id,
            "domainName": f"{api_id}.execute-api.{self.site.region}.amazonaws.com",
            "domainPrefix": api_id,
            "http": fields.http_field(request, headers),
            "requestId": arrival.gateway_id,
            "routeKey": "$default",
            "stage": "$default",
            **fields.clock_fields(arrival.now),
        }

    def reply(self, payload: bytes, arrival: Arrival) -> HTTPReply:
        """An object with `statusCode` is an envelope, a string is the body, anything else is the body byte for byte."""
        result = envelope.read(payload)
        if isinstance(result, dict) and "statusCode" in result:
            reply = envelope.response(result, TEXT, envelope.refuse_body)  # believed: not measured
        elif isinstance(result, str):
            reply = HTTPReply(200, [(b"content-type", JSON)], result.encode("utf-8", "replace"))
        else:
            reply = HTTPReply(200, [(b"content-type", JSON)], payload)
        return stamped(reply, arrival)

    def refuse(self, reason: Refusal, arrival: Arrival) -> HTTPReply:
        return refusal(reason, arrival)


def refusal(reason: Refusal, arrival: Arrival) -> HTTPReply:
    """What an HTTP API answers by itself, in either payload format."""
    status, text = REFUSALS[reason]
    return stamped(HTTPReply(status, [(b"content-type", JSON)], text), arrival)


def stamped(reply: HTTPReply, arrival: Arrival) -> HTTPReply:
    """The id that the door adds to whatever it answers."""
    return reply._replace(headers=[*reply.headers, (b"Apigw-Requestid", arrival.gateway_id.encode())])
