"""VPC Lattice, event structure versions 1 and 2.

Source: docs.aws.amazon.com/vpc-lattice, "Lambda functions as targets in VPC Lattice", for the fields of both versions,
microseconds, and 6 MB each way. The rest is inferred, not measured: version 1 has the format of Envoy's AWS Lambda
filter, so that filter's rules are taken to hold, and for version 2 as well: the path has the query, parameters are not
decoded, a body is base64 by its content type, a reply without a type is JSON. Of Lattice's own answers no form is
known.
"""

from __future__ import annotations

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
    RawHeaders,
    Refusal,
    Site,
)

JSON = b"application/json"
REFUSALS = {
    Refusal.FUNCTION_ERROR: (500, b"Internal Server Error"),
    Refusal.UNUSABLE_REPLY: (500, b"Internal Server Error"),
    Refusal.THROTTLED: (500, b"Internal Server Error"),
    Refusal.TOO_LARGE: (413, b"Request Entity Too Large"),
    Refusal.HEAD_TOO_LARGE: (431, b"Request Header Fields Too Large"),
    Refusal.URL_TOO_LONG: (414, b"URI Too Long"),
    Refusal.NO_ROUTE: (404, b"Not Found"),
    Refusal.TIMED_OUT: (504, b"Gateway Timeout"),
}


@dataclass(frozen=True, slots=True)
class LatticeV1:
    """One value per header and parameter: repeated headers joined by a comma, of repeated parameters the first."""

    site: Site
    title: str = "VPC Lattice, version 1"
    limits: Limits = LAMBDA_LIMITS

    def event(self, request: HTTPRequest, arrival: Arrival, matched: Matched = ANYTHING) -> Fields:  # noqa: ARG002 - the protocol of doors
        headers = header_values(request)
        text, is_base64 = fields.body_text(request.body, fields.last(headers).get("content-type", ""))
        query = fields.query_values(request.query_string, fields.encoded)
        return {
            "raw_path": target(request),
            "method": request.method,
            "headers": {name: ",".join(each) for name, each in headers.items()},
            "query_string_parameters": {key: each[0] for key, each in query.items()},
            "body": text,
            "is_base64_encoded": is_base64,
        }

    def reply(self, payload: bytes, arrival: Arrival) -> HTTPReply:  # noqa: ARG002 - the protocol of doors
        """`headers` has one value each."""
        return reply(payload, lists=False)

    def refuse(self, reason: Refusal, arrival: Arrival) -> HTTPReply:  # noqa: ARG002 - the protocol of doors
        return refusal(reason)

    def stamped(self, reply: HTTPReply, arrival: Arrival) -> HTTPReply:  # noqa: ARG002 - the protocol of doors
        return reply


@dataclass(frozen=True, slots=True)
class LatticeV2:
    """Headers and parameters in lists, and a context that tells where the request came from."""

    site: Site
    title: str = "VPC Lattice"
    limits: Limits = LAMBDA_LIMITS

    def event(self, request: HTTPRequest, arrival: Arrival, matched: Matched = ANYTHING) -> Fields:  # noqa: ARG002 - the protocol of doors
        headers = header_values(request)
        text, is_base64 = fields.body_text(request.body, fields.last(headers).get("content-type", ""))
        return {
            "version": "2.0",
            "path": target(request),
            "method": request.method,
            "headers": headers,
            "queryStringParameters": fields.query_values(request.query_string, fields.encoded),
            "body": text,
            "isBase64Encoded": is_base64,
            "requestContext": self.context(arrival),
        }

    def context(self, arrival: Arrival) -> Fields:
        """`requestContext`, of a service without an auth policy. The time is a string of microseconds."""
        unique = f"{int(self.site.identifier(13), 36):017x}"
        where = f"{self.site.region}:{self.site.account}"
        return {
            "serviceNetworkArn": f"arn:aws:vpc-lattice:{where}:servicenetwork/sn-{unique}",
            "serviceArn": f"arn:aws:vpc-lattice:{where}:service/svc-{unique}",
            "targetGroupArn": f"arn:aws:vpc-lattice:{where}:targetgroup/tg-{unique}",
            "identity": {"sourceVpcArn": f"arn:aws:ec2:{where}:vpc/vpc-{unique}"},
            "region": self.site.region,
            "timeEpoch": str(int(arrival.now * 1_000_000)),
        }

    def reply(self, payload: bytes, arrival: Arrival) -> HTTPReply:  # noqa: ARG002 - the protocol of doors
        """A value of `headers` may be a list, as in the event."""
        return reply(payload, lists=True)

    def refuse(self, reason: Refusal, arrival: Arrival) -> HTTPReply:  # noqa: ARG002 - the protocol of doors
        return refusal(reason)

    def stamped(self, reply: HTTPReply, arrival: Arrival) -> HTTPReply:  # noqa: ARG002 - the protocol of doors
        return reply


def target(request: HTTPRequest) -> str:
    """Path and query as they were sent."""
    query = fields.encoded(request.query_string)
    return fields.encoded(request.raw_path) + (f"?{query}" if query else "")


def header_values(request: HTTPRequest) -> dict[str, list[str]]:
    """The client's headers and those of a proxy; Lattice has no trace."""
    headers = fields.header_values(request.headers)
    added = fields.forwarded(request, fields.joined_headers(request.headers))
    return headers | {name: [value] for name, value in added.items()}


def reply(payload: bytes, *, lists: bool) -> HTTPReply:
    """Nothing but an envelope will do. `statusDescription` is read and not sent.

    Names that differ in case only are sent each; that Lattice does so is hoped: Envoy's filter keeps the last of them.
    """
    result = envelope.read_object(payload)
    status = envelope.status_code(result.get("statusCode"))
    headers = header_list(result.get("headers")) if lists else envelope.header_list(result.get("headers"))
    return envelope.assembled(status, headers, envelope.body(result, envelope.refuse_body), JSON)


def header_list(value: object) -> RawHeaders:
    """The headers that may be sent on, of strings and of lists."""
    if not isinstance(value, dict):
        return envelope.header_list(value)
    lists = {name: each if isinstance(each, list) else [each] for name, each in value.items()}
    return envelope.kept(envelope.multi_values(lists))


def refusal(reason: Refusal) -> HTTPReply:
    status, text = REFUSALS[reason]
    return HTTPReply(status, [(b"content-type", b"text/plain; charset=utf-8")], text)
