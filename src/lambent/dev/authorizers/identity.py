"""Identity sources: where in a request a client says who it is. Pure.

    $request.header.Authorization      method.request.header.Authorization
    $request.querystring.token         method.request.querystring.token
    $context.routeKey                  context.httpMethod
    $stageVariables.tier               stageVariables.tier

on the left as HTTP APIs have them, on the right as REST APIs do; WebSocket APIs say `route` for `method`. Several may
stand in one text, with commas.

Source: docs.aws.amazon.com/apigateway, "Control access to HTTP APIs with AWS Lambda authorizers", "Configure a Lambda
authorizer using the API Gateway console".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from lambent.dev.doors import fields
from lambent.dev.doors.model import HTTPRequest

AUTHORIZATION = "$request.header.Authorization"
FORM = re.compile(
    r"(?:\$request|(?:method|route)\.request)\."
    r"(?P<where>header|querystring|multivalueheader|multivaluequerystring)\.(?P<name>.+)"
    r"|\$?(?P<around>context|stageVariables)\.(?P<key>.+)"
)


class Source(NamedTuple):
    """One of them, read."""

    where: str
    """`header`, `querystring`, `context` or `stageVariables`."""
    name: str

    def __str__(self) -> str:
        said = {"header": "header", "querystring": "query parameter", "context": "context variable"}
        return f"the {said.get(self.where, 'stage variable')} {self.name}"


def read(texts: Iterable[str]) -> tuple[Source, ...]:
    """ValueError: what is no identity source."""
    return tuple(_source(part.strip()) for text in texts for part in text.split(",") if part.strip())


def value(source: Source, request: HTTPRequest, event: Mapping[str, object]) -> str:
    """What the request has there; empty for nothing. `event` is what the door makes of the request."""
    if source.where == "header":
        wanted = source.name.lower().encode("latin-1", "replace")
        return ",".join(text.decode("latin-1") for name, text in request.headers if name == wanted).strip()
    if source.where == "querystring":
        return ",".join(fields.query_values(request.query_string).get(source.name, []))
    if source.where == "stageVariables":
        return _text(_within(event.get("stageVariables"), [source.name]))
    return _text(_within(context(event), source.name.split(".")))


def context(event: Mapping[str, object]) -> dict[str, object]:
    """`$context`, so far as requests tell it: the event's, with the names that HTTP APIs' events have elsewhere."""
    found = event.get("requestContext")
    if not isinstance(found, Mapping):
        return {}
    http = found.get("http")
    if not isinstance(http, Mapping):
        return dict(found)
    identity = {name: http.get(name) for name in ("sourceIp", "userAgent")}
    names = {"httpMethod": http.get("method"), "path": http.get("path"), "protocol": http.get("protocol")}
    return {**names, "identity": identity, **found}


def bearer(text: str) -> str:
    """The token, with or without `Bearer ` in front of it."""
    scheme, _, rest = text.partition(" ")
    return rest.strip() if scheme.lower() == "bearer" else text.strip()


def _source(text: str) -> Source:
    found = FORM.fullmatch(text)
    if found is None:
        raise ValueError(f"expected an identity source, such as {AUTHORIZATION}, but got {text!r}")
    if found["around"]:
        return Source(found["around"], found["key"])
    return Source(found["where"].removeprefix("multivalue"), found["name"])


def _within(value: object, path: list[str]) -> object:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _text(value: object) -> str:
    return "" if value is None else str(value)
