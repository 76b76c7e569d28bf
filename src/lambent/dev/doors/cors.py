"""Cross-origin requests, as a door answers them by itself. Load balancers, VPC Lattice and CloudFront do not.

- An HTTP API answers preflights with 204, and replaces whatever CORS headers the function sends.
- A function URL answers preflights with 200, and adds its headers to those of the function.
- A REST API has nothing of the kind: SAM's `Cors` and CDK's `defaultCorsPreflightOptions` make an OPTIONS method for
  each resource that has none, which answers 200; its other methods send what their functions do.

Source: docs.aws.amazon.com/apigateway, "Configure CORS for HTTP APIs in API Gateway"; docs.aws.amazon.com/lambda,
"Creating and managing Lambda function URLs"; docs.aws.amazon.com/serverless-application-model, "CorsConfiguration".
Believed, not measured: both statuses, the bodies, that an origin which is not allowed gets an answer without headers,
that an HTTP API has its headers on its own errors, too, and that a function URL sends headers twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lambent.dev.doors.model import HTTPReply, RawHeaders

if TYPE_CHECKING:
    from lambent.dev.model import Cors

KINDS = ("http", "http1", "url", "rest")
"""Of doors that can be told to answer them."""

ALL = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
PREFIX = b"access-control-"


def asked(headers: RawHeaders) -> tuple[str, str]:
    """Origin, and the method that a preflight asks about; empty if there is none."""
    values = {name: value.decode("latin-1") for name, value in headers}
    return values.get(b"origin", ""), values.get(b"access-control-request-method", "")


def preflight(kind: str, cors: Cors, origin: str) -> HTTPReply:
    """The answer of an HTTP API or a function URL."""
    status = 200 if kind == "url" else 204
    allowed = allowed_origin(cors, origin)
    if not allowed:
        return HTTPReply(status, [], b"")
    headers = [
        *common(cors, allowed),
        *listed(b"access-control-allow-methods", cors.methods),
        *listed(b"access-control-allow-headers", cors.headers),
        *([(b"access-control-max-age", b"%d" % cors.max_age)] if cors.max_age is not None else []),
    ]
    return HTTPReply(status, headers, b"")


def mock(cors: Cors, origin: str, methods: Iterable[str]) -> HTTPReply:
    """The answer of a REST API's OPTIONS method, as SAM makes it, for a resource with these other methods."""
    known = set(methods)
    named = cors.methods or (ALL if "ANY" in known else tuple(sorted({*known, "OPTIONS"})))
    headers = [
        (b"content-type", b"application/json"),
        *listed(b"Access-Control-Allow-Methods", named),
        *listed(b"Access-Control-Allow-Headers", cors.headers),
        (b"Access-Control-Allow-Origin", (allowed_origin(cors, origin) or (*cors.origins, "*")[0]).encode("latin-1")),
        *([(b"Access-Control-Max-Age", b"%d" % cors.max_age)] if cors.max_age is not None else []),
        *([(b"Access-Control-Allow-Credentials", b"true")] if cors.credentials else []),
    ]
    return HTTPReply(200, headers, b"{}\n")


def applied(kind: str, cors: Cors | None, origin: str, reply: HTTPReply) -> HTTPReply:
    """The reply to a request of this origin, as the door sends it on."""
    if cors is None or kind == "rest":
        return reply
    headers = reply.headers
    if kind != "url":
        headers = [field for field in headers if not field[0].lower().startswith(PREFIX)]
    allowed = allowed_origin(cors, origin)
    exposed = [*common(cors, allowed), *listed(b"access-control-expose-headers", cors.exposed)] if allowed else []
    return reply._replace(headers=[*headers, *exposed])


def allowed_origin(cors: Cors, origin: str) -> str:
    """What to say of it; empty: nothing. `https://*` stands for every origin of that scheme."""
    if not origin:
        return ""
    if "*" in cors.origins:
        return origin if cors.credentials else "*"
    schemes = [each.removesuffix("*") for each in cors.origins if each.endswith("://*")]
    return origin if origin in cors.origins or origin.startswith(tuple(schemes)) else ""


def common(cors: Cors, allowed: str) -> RawHeaders:
    credentials = [(b"access-control-allow-credentials", b"true")] if cors.credentials else []
    return [(b"access-control-allow-origin", allowed.encode("latin-1")), *credentials]


def listed(name: bytes, values: Iterable[str]) -> RawHeaders:
    text = ",".join(values)
    return [(name, text.encode("latin-1"))] if text else []
