"""Answers as AWS gives them, byte for byte."""

import json

import pytest

from lambent.dev.authorizers import refusals
from lambent.dev.doors.model import HTTPReply

DENIED = b'{"Message":"User is not authorized to access this resource '


@pytest.mark.parametrize(
    ("reply", "status", "body", "error"),
    [
        (refusals.unauthorized("http"), 401, b'{"message":"Unauthorized"}', None),
        (refusals.unauthorized("http1"), 401, b'{"message":"Unauthorized"}', None),
        (refusals.unauthorized("rest"), 401, b'{"message":"Unauthorized"}', b"UnauthorizedException"),
        (refusals.forbidden("http"), 403, b'{"message":"Forbidden"}', None),
        (refusals.forbidden("rest"), 403, b'{"message":"Forbidden"}', b"ForbiddenException"),
        (refusals.denied("http", explicitly=True), 403, b'{"message":"Forbidden"}', None),
        (
            refusals.denied("rest", explicitly=True),
            403,
            DENIED + b'with an explicit deny in an identity-based policy"}',
            b"AccessDeniedException",
        ),
        (
            refusals.denied("rest", explicitly=False),
            403,
            DENIED + b'because no identity-based policy allows the execute-api:Invoke action"}',
            b"AccessDeniedException",
        ),
        (refusals.failed("http"), 500, b'{"message":"Internal Server Error"}', None),
        (refusals.failed("rest"), 500, b'{"message":null}', b"AuthorizerConfigurationException"),
    ],
)
def test_an_answer(reply: HTTPReply, status: int, body: bytes, error: bytes | None) -> None:
    assert (reply.status, reply.body) == (status, body)
    assert dict(reply.headers) == {b"content-type": b"application/json"} | (
        {b"x-amzn-ErrorType": error} if error else {}
    )
    json.loads(reply.body)


def test_a_function_url_says_where_to_read_on() -> None:
    text = json.loads(refusals.forbidden("url").body)["Message"]
    assert text.endswith("https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html")


def test_a_jwt_authorizer_challenges() -> None:
    assert dict(refusals.challenged().headers)[b"www-authenticate"] == b"Bearer"
    told = dict(refusals.challenged("the token does not have a valid audience").headers)[b"www-authenticate"]
    assert told == (
        b'Bearer scope="" error="invalid_token" error_description="the token does not have a valid audience"'
    )
    scoped = refusals.without_scope(("a", "b"))
    assert (scoped.status, scoped.body) == (403, b'{"message":"Forbidden"}')
    assert dict(scoped.headers)[b"www-authenticate"] == b'Bearer scope="a b" error="insufficient_scope"'
