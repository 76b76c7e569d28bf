"""API Gateway REST API; unless told otherwise its resources `/` and `/{proxy+}`, and its stage `prod`.

The local address stands for a custom domain name, mapped to the stage at its root: so no path has the stage in it, and
links and redirects lead back here. If the request's path begins with a base path, both paths have it; if it begins with
the stage, as at the API's own address, `path` is without and `requestContext.path` with it. `binaryMediaTypes` is
`*/*`, which matches every `Content-Type` and every `Accept`: every body comes as base64, every `isBase64Encoded` is
heeded.

A REST API keeps most header names as the client spelled them. The local server has them in lower case: so all are
Title-Case here, which is what AWS does to Authorization, Host, User-Agent and X-*, and what most HTTP/1.1 clients send.

Source: docs.aws.amazon.com/apigateway, "Lambda proxy integrations in API Gateway", "Amazon API Gateway important
notes", "Quotas for configuring and running a REST API"; events captured in July 2026, replies as measured by
LocalStack's validated tests and AWS's snapshots of April 2025.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from lambent.dev.doors import envelope, fields
from lambent.dev.doors.http_api_v1 import identity, values
from lambent.dev.doors.model import (
    ANYTHING,
    Arrival,
    Fields,
    HTTPReply,
    HTTPRequest,
    Limits,
    Matched,
    RawHeaders,
    Refusal,
    Site,
)
from lambent.errors import InvalidMessage

JSON = b"application/json"
STAGE = "prod"
KEYS = frozenset({"isBase64Encoded", "statusCode", "headers", "multiValueHeaders", "body"})

LIMITS = Limits(head=10_240, seconds=29)

FAILED = b'{"message": "Internal server error"}'
# Believed, not measured: the status of a throttled integration, the error types of a request too long and of one that
# takes too long, and all of the answer to a head too large.
REFUSALS = {
    Refusal.FUNCTION_ERROR: (502, FAILED, b"InternalServerErrorException"),
    Refusal.UNUSABLE_REPLY: (502, FAILED, b"InternalServerErrorException"),
    Refusal.THROTTLED: (500, FAILED, b"InternalServerErrorException"),
    Refusal.TOO_LARGE: (413, b'{"message":"Request Too Long"}', b"RequestTooLargeException"),
    Refusal.HEAD_TOO_LARGE: (431, b'{"message":"Request Header Fields Too Large"}', b"BadRequestException"),
    Refusal.URL_TOO_LONG: (414, b'{"message":"URI Too Long"}', b"BadRequestException"),
    Refusal.NO_ROUTE: (
        403,
        b'{"message":"Missing Authentication Token"}',
        b"MissingAuthenticationTokenException",
    ),
    Refusal.TIMED_OUT: (504, b'{"message": "Endpoint request timed out"}', b"InternalServerErrorException"),
}

TAKEN_OUT = frozenset({"connection", "content-length"})
REMAPPED = frozenset(
    b"authorization connection content-length content-md5 date expect host max-forwards proxy-authenticate server "
    b"trailer upgrade user-agent www-authenticate".split()
)


@dataclass(frozen=True, slots=True)
class RESTAPI:
    """`path` and `requestContext.path` are both encoded; `Connection` and `Content-Length` are taken out."""

    site: Site
    title: str = "REST API"
    limits: Limits = LIMITS

    def event(self, request: HTTPRequest, arrival: Arrival, matched: Matched = ANYTHING) -> Fields:
        received = fields.received_headers(request, arrival.trace)
        headers = {
            name: each
            for name, each in fields.header_values(received, fields.title_case).items()
            if name.lower() not in TAKEN_OUT
        }
        path = fields.encoded(request.raw_path)
        own = path[len(matched.prefix) :] or "/"
        shown = path if matched.is_base_path else own
        return {
            "resource": resource(own, matched),
            # Measured: slashes at the start collapse here, and stay in requestContext.
            "path": f"/{shown.lstrip('/')}" if shown.startswith("//") else shown,
            "httpMethod": request.method,
            **values(headers, fields.query_values(request.query_string)),
            "pathParameters": parameters(own, matched) or None,
            "stageVariables": dict(matched.variables) or None,
            "requestContext": self.context(request, headers, arrival, matched),
            "body": base64.b64encode(request.body).decode("ascii") or None,
            "isBase64Encoded": bool(request.body),
        }

    def context(
        self, request: HTTPRequest, headers: dict[str, list[str]], arrival: Arrival, matched: Matched
    ) -> Fields:
        """`requestContext`."""
        path = fields.encoded(request.raw_path)
        named = resource(path[len(matched.prefix) :], matched)
        host = fields.last(headers).get("Host", "")
        domain = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
        return {
            "resourceId": resource_id(self.site, matched),
            **fields.flat_authorizer(matched, "claims"),
            "resourcePath": named,
            "httpMethod": request.method,
            "extendedRequestId": arrival.gateway_id,
            "requestTime": fields.clock(arrival.now),
            "path": path,
            "accountId": self.site.account,
            "protocol": f"HTTP/{request.http_version}",
            "stage": matched.stage or STAGE,
            "domainPrefix": domain.partition(".")[0],
            "requestTimeEpoch": int(arrival.now * 1000),
            "requestId": arrival.api_request_id,
            "identity": identity(request, headers, matched),
            "domainName": domain,
            "deploymentId": self.site.identifier(7)[1:],
            "apiId": self.site.identifier(10),
        }

    def reply(self, payload: bytes, arrival: Arrival) -> HTTPReply:
        """An object of the keys that AWS knows, and no other. Without a status it is 200."""
        result = envelope.read_object(payload)
        if unknown := sorted(result.keys() - KEYS):
            raise InvalidMessage(
                f"A REST API takes {', '.join(sorted(KEYS))} only, but the function returned {unknown}."
            )
        status = envelope.status_code(result.get("statusCode", 200))
        content = envelope.body(result, envelope.refuse_body)
        return stamped(envelope.assembled(status, remapped(merged(result)), content, JSON), arrival)

    def begin(self, prelude: bytes | None, arrival: Arrival) -> HTTPReply:
        """Response transfer mode STREAM. Any key may be there, but a prelude must."""
        if prelude is None:
            raise InvalidMessage("a REST API needs status and headers in front of a streamed body, and there are none.")
        start = envelope.read_object(prelude)
        status = envelope.status_code(start.get("statusCode", 200))
        return stamped(envelope.assembled(status, remapped(merged(start)), b"", JSON), arrival)

    def refuse(self, reason: Refusal, arrival: Arrival) -> HTTPReply:
        status, text, error = REFUSALS[reason]
        return stamped(HTTPReply(status, [(b"content-type", JSON), (b"x-amzn-ErrorType", error)], text), arrival)

    def stamped(self, reply: HTTPReply, arrival: Arrival) -> HTTPReply:
        return stamped(reply, arrival)


def resource(path: str, matched: Matched) -> str:
    """As it is called; an API of which no more is known has two."""
    return matched.resource or ("/{proxy+}" if path.strip("/") else "/")


def resource_id(site: Site, matched: Matched) -> str:
    """The same for a resource on every start."""
    return (
        site._replace(api=f"{site.api or site.function} {matched.resource}") if matched.resource else site
    ).identifier(6)


def parameters(path: str, matched: Matched) -> dict[str, str]:
    """Not decoded; a greedy one is without the slash at its end."""
    if matched.resource:
        return dict(matched.parameters)
    return {"proxy": path.strip("/")} if path.strip("/") else {}


def merged(result: dict[str, object]) -> RawHeaders:
    """The lists first, then what `headers` adds to them: a value that is in both is sent once."""
    lists = envelope.multi_values(result.get("multiValueHeaders"))
    sent = {(name.lower(), value) for name, value in lists}
    singles = envelope.single_values(result.get("headers"))
    return lists + [(name, value) for name, value in singles if (name.lower(), value) not in sent]


def remapped(headers: RawHeaders) -> RawHeaders:
    """What an integration may not say comes out under another name."""
    renamed = [(b"x-amzn-Remapped-" + name if name.lower() in REMAPPED else name, value) for name, value in headers]
    return envelope.kept(renamed)


def stamped(reply: HTTPReply, arrival: Arrival) -> HTTPReply:
    """The ids that the door adds to whatever it answers."""
    ids = [
        (b"x-amzn-RequestId", arrival.api_request_id.encode()),
        (b"x-amz-apigw-id", arrival.gateway_id.encode()),
        (b"X-Amzn-Trace-Id", arrival.trace.partition(";")[0].encode("latin-1")),
    ]
    return reply._replace(headers=[*reply.headers, *ids])
