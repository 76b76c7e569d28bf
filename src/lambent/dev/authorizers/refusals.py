"""What clients are answered in place of the function, door by door. Pure.

Source: docs.aws.amazon.com/apigateway, "Gateway response types", "Troubleshooting issues with HTTP API JWT
authorizers"; docs.aws.amazon.com/lambda, "Control access to Lambda function URLs"; answers that people captured, of
2020 to 2026. The door's ids are not among the headers: the front door adds them to whatever is answered.
"""

from __future__ import annotations

import base64
import hashlib

from lambent.dev.doors.model import HTTPReply, RawHeaders

JSON = (b"content-type", b"application/json")
REST = "rest"
URL = "url"

EXPLICIT = "with an explicit deny in an identity-based policy"
IMPLICIT = "because no identity-based policy allows the execute-api:Invoke action"
URL_FORBIDDEN = (
    b'{"Message":"Forbidden. For troubleshooting Function URL authorization issues, see: '
    b'https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"}'
)


class Denied(Exception):
    """The request does not pass. `why` is for people; nothing in it is a secret."""

    def __init__(self, reply: HTTPReply, why: str) -> None:
        super().__init__(why)
        self.reply = reply
        self.why = why


def unauthorized(kind: str, message: str = "Unauthorized") -> HTTPReply:
    """Who somebody is was not said, or cannot be believed."""
    return _reply(kind, 401, f'{{"message":"{message}"}}', b"UnauthorizedException")


def forbidden(kind: str) -> HTTPReply:
    """Of an HTTP API and a function URL: not allowed. Of a REST API: without a valid API key."""
    if kind == URL:
        return HTTPReply(403, [JSON, (b"x-amzn-ErrorType", b"AccessDeniedException")], URL_FORBIDDEN)
    return _reply(kind, 403, '{"message":"Forbidden"}', b"ForbiddenException")


def denied(kind: str, *, explicitly: bool) -> HTTPReply:
    """By an authorizer that knows who it is."""
    if kind != REST:
        return forbidden(kind)
    text = f"User is not authorized to access this resource {EXPLICIT if explicitly else IMPLICIT}"
    return _reply(kind, 403, f'{{"Message":"{text}"}}', b"AccessDeniedException")


def failed(kind: str) -> HTTPReply:
    """The authorizer gave no usable decision. `null` is what a REST API says."""
    text = '{"message":null}' if kind == REST else '{"message":"Internal Server Error"}'
    return _reply(kind, 500, text, b"AuthorizerConfigurationException")


def unsigned(kind: str) -> HTTPReply:
    """A request without a signature, where there has to be one."""
    if kind != REST:
        return forbidden(kind)
    return _reply(kind, 403, '{"message":"Missing Authentication Token"}', b"MissingAuthenticationTokenException")


def signed_otherwise(kind: str, authorization: str) -> HTTPReply:
    """`Authorization` has something else than a signature. It is told as a hash."""
    if kind != REST:
        return forbidden(kind)
    hashed = base64.b64encode(hashlib.sha256(authorization.encode("latin-1", "replace")).digest()).decode("ascii")
    text = (
        "Invalid key=value pair (missing equal-sign) in Authorization header "
        f"(hashed with SHA-256 and encoded with Base64): '{hashed}'."
    )
    return _reply(kind, 403, f'{{"message":"{text}"}}', b"IncompleteSignatureException")


def challenged(description: str = "") -> HTTPReply:
    """401 of a JWT authorizer; the description says what is wrong with the token, empty if there is none."""
    told = f' scope="" error="invalid_token" error_description="{description}"' if description else ""
    reply = unauthorized("http")
    return reply._replace(headers=[*reply.headers, (b"www-authenticate", f"Bearer{told}".encode("latin-1", "replace"))])


def without_scope(scopes: tuple[str, ...]) -> HTTPReply:
    """403 of a JWT authorizer. Believed, not measured: the header."""
    told = f'Bearer scope="{" ".join(scopes)}" error="insufficient_scope"'
    reply = forbidden("http")
    return reply._replace(headers=[*reply.headers, (b"www-authenticate", told.encode("latin-1", "replace"))])


def _reply(kind: str, status: int, text: str, error: bytes) -> HTTPReply:
    """Only a REST API names the error."""
    headers: RawHeaders = [JSON, (b"x-amzn-ErrorType", error)] if kind == REST else [JSON]
    return HTTPReply(status, headers, text.encode())
