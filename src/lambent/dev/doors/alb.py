"""Application Load Balancer, its target group with or without multi-value headers.

`statusDescription` is read and not sent: the local server writes the reason phrase that belongs to the status.

Source: docs.aws.amazon.com/elasticloadbalancing, "Use Lambda functions as targets of an Application Load Balancer".
Believed, not measured: the content type of a reply without one, that header values must be strings, and the status of
headers too large. Where no rule matches, a listener does what its default action says: here, a fixed response.
"""

from __future__ import annotations

from dataclasses import dataclass

from lambent.dev.doors import envelope, fields
from lambent.dev.doors.model import (
    ANYTHING,
    MEGABYTE,
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

BINARY = b"application/octet-stream"
LIMITS = Limits(body=MEGABYTE, result=MEGABYTE, head=64 * 1024, url=16 * 1024)

REFUSALS = {
    Refusal.FUNCTION_ERROR: (502, "Bad Gateway"),
    Refusal.UNUSABLE_REPLY: (502, "Bad Gateway"),
    Refusal.THROTTLED: (502, "Bad Gateway"),
    Refusal.TOO_LARGE: (413, "Request Entity Too Large"),
    Refusal.HEAD_TOO_LARGE: (400, "Bad Request"),
    Refusal.URL_TOO_LONG: (414, "Request-URI Too Large"),
    Refusal.TIMED_OUT: (504, "Gateway Time-out"),
}
PAGE = "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n</body>\r\n</html>\r\n"


@dataclass(frozen=True, slots=True)
class ALB:
    """Path and query are as they were sent, encoded. Headers and query are told once or in lists, never both."""

    site: Site
    multi_value: bool = False
    limits: Limits = LIMITS

    @property
    def title(self) -> str:
        return f"Application Load Balancer{', multi-value headers' if self.multi_value else ''}"

    def event(self, request: HTTPRequest, arrival: Arrival, matched: Matched = ANYTHING) -> Fields:  # noqa: ARG002 - the protocol of doors
        headers = fields.header_values(fields.received_headers(request, arrival.trace))
        query = fields.query_values(request.query_string, fields.encoded)
        text, is_base64 = self.body(request, headers)
        return {
            "requestContext": {"elb": {"targetGroupArn": self.target_group}},
            "httpMethod": request.method,
            "path": fields.encoded(request.raw_path),
            **self.values("queryStringParameters", "multiValueQueryStringParameters", query),
            **self.values("headers", "multiValueHeaders", headers),
            "body": text,
            "isBase64Encoded": is_base64,
        }

    @property
    def target_group(self) -> str:
        where = f"{self.site.region}:{self.site.account}"
        group = f"{self.site.function}/{int(self.site.identifier(12), 36):016x}"
        return f"arn:aws:elasticloadbalancing:{where}:targetgroup/{group}"

    def values(self, single: str, multi: str, values: dict[str, list[str]]) -> Fields:
        return {multi: values} if self.multi_value else {single: fields.last(values)}

    def body(self, request: HTTPRequest, headers: dict[str, list[str]]) -> tuple[str, bool]:
        """Base64 by content type, and whenever there is a content encoding."""
        kind = "" if "content-encoding" in headers else fields.last(headers).get("content-type", "")
        return fields.body_text(request.body, kind)

    def reply(self, payload: bytes, arrival: Arrival) -> HTTPReply:  # noqa: ARG002 - the protocol of doors
        """Nothing but an envelope will do. The headers of the other mode are ignored; a null body is an error."""
        result = envelope.read_object(payload)
        if "body" in result and result["body"] is None:
            raise InvalidMessage("body must be a string or absent, but the function returned null.")
        status = envelope.status_code(result.get("statusCode"))
        content = envelope.body(result, envelope.refuse_body)
        return envelope.assembled(status, envelope.kept(self.headers(result)), content, BINARY)

    def headers(self, result: dict[str, object]) -> RawHeaders:
        """Those of the target group's mode."""
        if self.multi_value:
            return envelope.multi_values(result.get("multiValueHeaders"))
        headers = result.get("headers")
        for name, value in headers.items() if isinstance(headers, dict) else ():
            if not isinstance(value, str):
                raise InvalidMessage(
                    f"The value of header {name!r} must be a string, but the function returned {value!r}."
                )
        return envelope.single_values(headers)

    def refuse(self, reason: Refusal, arrival: Arrival) -> HTTPReply:  # noqa: ARG002 - the protocol of doors
        if reason is Refusal.NO_ROUTE:
            return HTTPReply(404, [(b"server", b"awselb/2.0"), (b"content-type", b"text/plain; charset=utf-8")], b"")
        status, phrase = REFUSALS[reason]
        headers = [(b"server", b"awselb/2.0"), (b"content-type", b"text/html")]
        return HTTPReply(status, headers, PAGE.format(f"{status} {phrase}").encode())

    def stamped(self, reply: HTTPReply, arrival: Arrival) -> HTTPReply:  # noqa: ARG002 - the protocol of doors
        return reply


def multi_value(site: Site) -> ALB:
    """The door of a target group with `lambda.multi_value_headers.enabled`."""
    return ALB(site, multi_value=True)
