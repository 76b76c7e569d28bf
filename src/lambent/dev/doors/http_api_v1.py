"""API Gateway HTTP API, payload format 1.0; unless told otherwise its `$default` route on the `$default` stage.

Source: docs.aws.amazon.com/apigateway, "Working with AWS Lambda proxy integrations for HTTP APIs"; events and replies
in AWS's own snapshots of April 2025. Believed, not measured: `resource`, `resourceId` and `resourcePath` of the
`$default` route, both paths on a custom domain, and that bodies are base64 by the same rules as in format 2.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lambent.dev.doors import envelope, fields
from lambent.dev.doors.http_api import DEFAULT, LIMITS, TEXT, refusal, stamped
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


@dataclass(frozen=True, slots=True)
class HTTPAPIv1:
    """`path` is encoded, `requestContext.path` decoded; header names are in Title-Case; what is empty is null."""

    site: Site
    title: str = "HTTP API, payload format 1.0"
    limits: Limits = LIMITS

    def event(self, request: HTTPRequest, arrival: Arrival, matched: Matched = ANYTHING) -> Fields:
        headers = fields.header_values(fields.received_headers(request, arrival.trace), fields.title_case)
        return {
            "version": "1.0",
            "resource": matched.resource or "/$default",
            "path": fields.encoded(request.raw_path),
            "httpMethod": request.method,
            **values(headers, fields.query_values(request.query_string)),
            "requestContext": self.context(request, headers, arrival, matched),
            "pathParameters": {k: fields.decoded(v.encode()) for k, v in matched.parameters.items()} or None,
            "stageVariables": dict(matched.variables) or None,
            **nullable_body(request.body, fields.last(headers).get("Content-Type", "")),
        }

    def context(
        self, request: HTTPRequest, headers: dict[str, list[str]], arrival: Arrival, matched: Matched
    ) -> Fields:
        """`requestContext`."""
        api_id = self.site.identifier(10)
        return {
            "accountId": self.site.account,
            "apiId": api_id,
            **fields.flat_authorizer(matched, "claims", "scopes"),
            "domainName": f"{api_id}.execute-api.{self.site.region}.amazonaws.com",
            "domainPrefix": api_id,
            "extendedRequestId": arrival.gateway_id,
            "httpMethod": request.method,
            "identity": identity(request, headers, matched),
            "path": fields.decoded(request.raw_path),
            "protocol": f"HTTP/{request.http_version}",
            "requestId": arrival.gateway_id,
            "requestTime": fields.clock(arrival.now),
            "requestTimeEpoch": int(arrival.now * 1000),
            "resourceId": matched.route_key,
            "resourcePath": matched.resource or "/$default",
            "stage": matched.stage or DEFAULT,
        }

    def reply(self, payload: bytes, arrival: Arrival) -> HTTPReply:
        """Nothing but an envelope will do. Both kinds of headers are sent: first the single ones, then the lists."""
        result = envelope.read_object(payload)
        given = [
            *envelope.single_values(result.get("headers")),
            *envelope.multi_values(result.get("multiValueHeaders")),
        ]
        headers = [(title_case(name), value) for name, value in envelope.kept(given)]
        content = envelope.body(result, envelope.refuse_body)
        return stamped(
            envelope.assembled(envelope.status_code(result.get("statusCode")), headers, content, TEXT), arrival
        )

    def refuse(self, reason: Refusal, arrival: Arrival) -> HTTPReply:
        return refusal(reason, arrival)

    def stamped(self, reply: HTTPReply, arrival: Arrival) -> HTTPReply:
        return stamped(reply, arrival)


def title_case(name: bytes) -> bytes:
    return fields.title_case(name.decode("ascii")).encode("ascii")


def values(headers: dict[str, list[str]], query: dict[str, list[str]]) -> Fields:
    """Headers and query, each told twice: the last value, and all of them. No query is null."""
    return {
        "headers": fields.last(headers),
        "multiValueHeaders": headers,
        "queryStringParameters": fields.last(query) or None,
        "multiValueQueryStringParameters": query or None,
    }


def identity(request: HTTPRequest, headers: dict[str, list[str]], matched: Matched) -> Fields:
    """`requestContext.identity`: all null but for address and agent, unless the request was signed."""
    told = (matched.authorizer or {}).get("iam")
    iam = told if isinstance(told, Mapping) else {}
    cognito = iam.get("cognitoIdentity")
    pool = cognito if isinstance(cognito, Mapping) else {}
    return {
        "accessKey": iam.get("accessKey"),
        "accountId": iam.get("accountId"),
        "caller": iam.get("callerId"),
        "cognitoAuthenticationProvider": ",".join(map(str, pool.get("amr") or ())) or None,
        "cognitoAuthenticationType": ("authenticated" if pool else None),
        "cognitoIdentityId": pool.get("identityId"),
        "cognitoIdentityPoolId": pool.get("identityPoolId"),
        "principalOrgId": iam.get("principalOrgId"),
        "sourceIp": request.client[0],
        "user": iam.get("userId"),
        "userAgent": fields.last(headers).get("User-Agent"),
        "userArn": iam.get("userArn"),
        **matched.identity,
    }


def nullable_body(content: bytes, content_type: str) -> Fields:
    """`body` and `isBase64Encoded`; an empty body is null."""
    text, is_base64 = fields.body_text(content, content_type)
    return {"body": text or None, "isBase64Encoded": is_base64}
