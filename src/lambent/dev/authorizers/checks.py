"""What of authorizers cannot work, said before the first request. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import lru_cache

from lambent.dev.authorizers import identity, tokens
from lambent.dev.authorizers.identity import AUTHORIZATION, Source
from lambent.dev.model import Authorizer, Entrance, Route

AWS_IAM = "AWS_IAM"
OPEN = "NONE"

HTTP_API = ("http", "http1")
KINDS = {
    "http": ("jwt", "request"),
    "http1": ("jwt", "request"),
    "rest": ("request", "token", "cognito"),
    "websocket": ("request",),
}
"""Of authorizers, by the kind of the entrance."""
SIGNED = ("http", "http1", "rest", "url", "websocket")
"""Entrances that know AWS_IAM."""


def complaints(entrance: Entrance, routes: Collection[Route], functions: Collection[str]) -> Iterator[str]:
    """What is wrong with an entrance's authorizers, and with what its routes say of them."""
    for authorizer in entrance.authorizers:
        yield from (
            f"the authorizer {authorizer.name}: {each}" for each in _of_authorizer(authorizer, entrance, functions)
        )
    names = {authorizer.name for authorizer in entrance.authorizers} | {OPEN, ""}
    known = names | ({AWS_IAM} if entrance.kind in SIGNED else set())
    if entrance.default_authorizer not in known:
        yield f"the default authorizer: {_unknown(entrance.default_authorizer, known)}"
    for route in routes:
        yield from (f"the route {route.method} {route.path}: {each}" for each in _of_route(route, entrance, known))


@lru_cache(256)
def sources(authorizer: Authorizer) -> tuple[Source, ...]:
    """Where the identity is read. A token, unless that is said, in `Authorization`."""
    by_default = () if authorizer.kind == "request" else (AUTHORIZATION,)
    return identity.read(authorizer.identity or by_default)


def _of_authorizer(authorizer: Authorizer, entrance: Entrance, functions: Collection[str]) -> Iterator[str]:
    allowed = KINDS.get(entrance.kind, ())
    if authorizer.kind not in allowed:
        has = f"has {' or '.join(allowed)}" if allowed else "has none"
        yield f"an entrance of kind {entrance.kind} {has}, but it is {authorizer.kind}"
    try:
        identity.read(authorizer.identity)
    except ValueError as error:
        yield str(error)
    if authorizer.pattern:
        try:
            re.compile(authorizer.pattern)
        except re.error as error:
            yield f"expected a regular expression, but got {authorizer.pattern!r}: {error}"
    if authorizer.kind in ("request", "token"):
        yield from _of_function(authorizer, entrance, functions)
    elif not authorizer.issuer:
        yield "expected an issuer, but there is none"
    elif missing := tokens.missing():
        yield missing


def _of_function(authorizer: Authorizer, entrance: Entrance, functions: Collection[str]) -> Iterator[str]:
    if authorizer.function not in functions:
        yield f"expected one of the functions {', '.join(functions)}, but got {authorizer.function or 'none'}"
    if authorizer.payload not in ("1.0", "2.0"):
        yield f"expected payload format 1.0 or 2.0, but got {authorizer.payload}"
    if authorizer.simple and (entrance.kind not in HTTP_API or authorizer.payload == "1.0"):
        yield "only payload format 2.0 of an HTTP API has simple answers"


def _of_route(route: Route, entrance: Entrance, known: Collection[str]) -> Iterator[str]:
    if route.authorizer not in known:
        yield _unknown(route.authorizer, known)
    if route.api_key and entrance.kind not in ("rest", "websocket"):
        yield f"only REST APIs and WebSocket APIs have API keys, but the entrance is of kind {entrance.kind}"


def _unknown(name: str, known: Collection[str]) -> str:
    return f"expected one of the authorizers {', '.join(sorted(filter(None, known)))}, but got {name}"
