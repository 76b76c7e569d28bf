"""Lambda Function URL: payload format 2.0, by its own rules of paths, cookies and results.

Source: docs.aws.amazon.com/lambda, "Invoking Lambda function URLs"; events captured in July 2026; results as measured.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from lambent.dev.doors import envelope, fields
from lambent.dev.doors.model import (
    ANYTHING,
    LAMBDA_LIMITS,
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
OCTETS = b"application/octet-stream"

# Of 413 and 429 only the statuses are documented; their bodies have the form of the door's other refusals. The last
# four never come from AWS: a URL has no routes, no time limit and no limits of its own on heads.
REFUSALS = {
    Refusal.FUNCTION_ERROR: (502, b"Internal Server Error"),
    Refusal.UNUSABLE_REPLY: (502, b"Internal Server Error"),
    Refusal.THROTTLED: (429, b'{"Message":"Rate Exceeded."}'),
    Refusal.TOO_LARGE: (413, b'{"Message":"Request must be smaller than 6291556 bytes"}'),
    Refusal.HEAD_TOO_LARGE: (431, b'{"Message":"Request Header Fields Too Large"}'),
    Refusal.URL_TOO_LONG: (414, b'{"Message":"URI Too Long"}'),
    Refusal.NO_ROUTE: (404, b'{"Message":"Not Found"}'),
    Refusal.TIMED_OUT: (504, b"Gateway Timeout"),
}
TLS = {"x-amzn-tls-cipher-suite": "TLS_AES_128_GCM_SHA256", "x-amzn-tls-version": "TLSv1.3"}


@dataclass(frozen=True, slots=True)
class FunctionURL:
    """`rawPath` is percent-encoded as it came, `requestContext.http.path` decoded; cookies are told twice."""

    site: Site
    title: str = "Function URL"
    limits: Limits = LAMBDA_LIMITS

    def event(self, request: HTTPRequest, arrival: Arrival, matched: Matched = ANYTHING) -> Fields:
        headers = fields.gateway_headers(request, arrival.trace)
        if request.scheme == "https":
            headers |= TLS
        cookies = fields.cookies(headers)
        query = fields.query_parameters(request.query_string)
        return {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": fields.encoded(request.raw_path),
            "rawQueryString": fields.encoded(request.query_string),
            **({"cookies": cookies} if cookies else {}),
            "headers": headers,
            **({"queryStringParameters": query} if query else {}),
            "requestContext": self.context(request, headers, arrival, matched),
            **fields.body(request.body, headers.get("content-type", "")),
        }

    def context(self, request: HTTPRequest, headers: dict[str, str], arrival: Arrival, matched: Matched) -> Fields:
        """`requestContext`, for a URL of AuthType NONE unless there is an `iam` in the authorizer."""
        url_id = self.site.identifier(32)
        return {
            "accountId": self.site.account if matched.authorizer else "anonymous",
            "apiId": url_id,
            **fields.authorizer(matched),
            "domainName": f"{url_id}.lambda-url.{self.site.region}.on.aws",
            "domainPrefix": url_id,
            "http": fields.http_field(request, headers),
            "requestId": arrival.request_id,
            "routeKey": "$default",
            "stage": "$default",
            **fields.clock_fields(arrival.now),
        }

    def reply(self, payload: bytes, arrival: Arrival) -> HTTPReply:
        """An object with `statusCode` is an envelope, a string the body, anything else the body as compact JSON."""
        result = envelope.read(payload)
        if isinstance(result, dict) and "statusCode" in result:
            reply = envelope.response(result, JSON, compact)
        elif isinstance(result, str):
            reply = HTTPReply(200, [(b"content-type", JSON)], result.encode("utf-8", "replace"))
        else:
            reply = HTTPReply(200, [(b"content-type", JSON)], compact(result).encode("utf-8", "replace"))
        return stamped(reply, arrival)

    def begin(self, prelude: bytes | None, arrival: Arrival) -> HTTPReply:
        """Invoke mode RESPONSE_STREAM. Without a prelude it is 200, of unknown type."""
        if prelude is None:
            return stamped(HTTPReply(200, [(b"content-type", OCTETS)], b""), arrival)
        start = {"statusCode": 200, **envelope.read_object(prelude), "body": None}
        return stamped(envelope.response(start, OCTETS, compact), arrival)

    def refuse(self, reason: Refusal, arrival: Arrival) -> HTTPReply:
        status, text = REFUSALS[reason]
        kind = b"application/json" if text.startswith(b"{") else b"text/plain; charset=utf-8"
        return stamped(HTTPReply(status, [(b"content-type", kind)], text), arrival)

    def stamped(self, reply: HTTPReply, arrival: Arrival) -> HTTPReply:
        return stamped(reply, arrival)


def compact(value: object) -> str:
    """JSON without spaces: measured for results that are no envelope, taken over for bodies that are no string."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def stamped(reply: HTTPReply, arrival: Arrival) -> HTTPReply:
    """The ids that the door adds to whatever it answers."""
    ids = [(b"x-amzn-RequestId", arrival.request_id.encode()), (b"X-Amzn-Trace-Id", arrival.trace.encode("latin-1"))]
    return reply._replace(headers=[*reply.headers, *ids])
