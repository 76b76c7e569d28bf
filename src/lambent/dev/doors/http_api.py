"""API Gateway HTTP API, payload format 2.0; unless told otherwise its `$default` route on the `$default` stage.

Source: docs.aws.amazon.com/apigateway, "Working with AWS Lambda proxy integrations for HTTP APIs", "Quotas for
configuring and running an HTTP API"; events captured in July 2026, replies in AWS's own snapshots of April 2025. As
others report: the stage is in `rawPath` on a custom domain, too, where the mapping's key is not.
"""

from __future__ import annotations

from dataclasses import dataclass

from lambent.dev.doors import envelope, fields
from lambent.dev.doors.model import (
    ANYTHING,
    Arrival,
    Fields,
    HTTPReply,
    HTTPRequest,
    Limits,
    Matched,
    Refusal,
    Site,
)

JSON = b"application/json"
TEXT = b"text/plain; charset=utf-8"

DEFAULT = "$default"
LIMITS = Limits(head=10_240, seconds=30)

# Believed, not measured: the answers to a throttled integration, to one that takes too long, and to a head too large.
REFUSALS = {
    Refusal.FUNCTION_ERROR: (500, b'{"message":"Internal Server Error"}'),
    Refusal.UNUSABLE_REPLY: (500, b'{"message":"Internal Server Error"}'),
    Refusal.THROTTLED: (503, b'{"message":"Service Unavailable"}'),
    Refusal.TOO_LARGE: (413, b'{"message":"Request Entity Too Large"}'),
    Refusal.HEAD_TOO_LARGE: (431, b'{"message":"Request Header Fields Too Large"}'),
    Refusal.URL_TOO_LONG: (414, b'{"message":"URI Too Long"}'),
    Refusal.NO_ROUTE: (404, b'{"message":"Not Found"}'),
    Refusal.TIMED_OUT: (503, b'{"message":"Service Unavailable"}'),
}


@dataclass(frozen=True, slots=True)
class HTTPAPI:
    """`rawPath` is decoded, as `requestContext.http.path` is; cookies are taken out of the headers."""

    site: Site
    title: str = "HTTP API"
    limits: Limits = LIMITS

    def event(self, request: HTTPRequest, arrival: Arrival, matched: Matched = ANYTHING) -> Fields:
        headers = fields.gateway_headers(request, arrival.trace)
        cookies = fields.cookies(headers)
        headers.pop("cookie", None)
        query = fields.query_parameters(request.query_string)
        return {
            "version": "2.0",
            "routeKey": matched.route_key,
            "rawPath": path(request, matched),
            "rawQueryString": fields.encoded(request.query_string),
            **({"cookies": cookies} if cookies else {}),
            "headers": headers,
            **({"queryStringParameters": query} if query else {}),
            "requestContext": self.context(request, headers, arrival, matched),
            **optional(
                "pathParameters", {name: fields.decoded(each.encode()) for name, each in matched.parameters.items()}
            ),
            **optional("stageVariables", dict(matched.variables)),
            **fields.body(request.body, headers.get("content-type", "")),
        }

    def context(self, request: HTTPRequest, headers: dict[str, str], arrival: Arrival, matched: Matched) -> Fields:
        """`requestContext`."""
        api_id = self.site.identifier(10)
        return {
            "accountId": self.site.account,
            "apiId": api_id,
            **fields.authorizer(matched),
            "domainName": f"{api_id}.execute-api.{self.site.region}.amazonaws.com",
            "domainPrefix": api_id,
            "http": {**fields.http_field(request, headers), "path": path(request, matched)},
            "requestId": arrival.gateway_id,
            "routeKey": matched.route_key,
            "stage": matched.stage or DEFAULT,
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

    def stamped(self, reply: HTTPReply, arrival: Arrival) -> HTTPReply:
        return stamped(reply, arrival)


def path(request: HTTPRequest, matched: Matched) -> str:
    """Decoded, with the stage in front unless that is `$default`, and without the key of a domain's mapping."""
    rest = fields.decoded(request.raw_path[len(matched.prefix) :])
    stage = "" if matched.stage in ("", DEFAULT) else f"/{matched.stage}"
    return f"{stage}{rest}" or "/"


def optional(name: str, values: dict[str, str]) -> Fields:
    """A field that is absent where there is nothing in it."""
    return {name: values} if values else {}


def refusal(reason: Refusal, arrival: Arrival) -> HTTPReply:
    """What an HTTP API answers by itself, in either payload format."""
    status, text = REFUSALS[reason]
    return stamped(HTTPReply(status, [(b"content-type", JSON)], text), arrival)


def stamped(reply: HTTPReply, arrival: Arrival) -> HTTPReply:
    """The id that the door adds to whatever it answers."""
    return reply._replace(headers=[*reply.headers, (b"Apigw-Requestid", arrival.gateway_id.encode())])
