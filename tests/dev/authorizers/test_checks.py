import pytest

from lambent.dev.authorizers import checks, tokens
from lambent.dev.model import Authorizer, Entrance, Route

JWT = Authorizer("users", "jwt", issuer="https://me")
ASKED = Authorizer("asked", "request", function="decide")


def complaints(kind: str, *authorizers: Authorizer, default: str = "", routes: tuple[Route, ...] = ()) -> list[str]:
    entrance = Entrance("shop", kind, authorizers=authorizers, default_authorizer=default)
    return list(checks.complaints(entrance, routes, ["decide", "api"]))


@pytest.mark.parametrize(
    ("kind", "authorizer"),
    [
        ("http", JWT),
        ("http1", ASKED),
        ("http", Authorizer("a", "request", function="decide", simple=True)),
        ("rest", Authorizer("a", "token", function="decide", pattern="^Bearer .+")),
        ("rest", Authorizer("a", "cognito", issuer="https://pool", identity=("method.request.header.Auth",))),
    ],
)
def test_what_works_is_let_alone(kind: str, authorizer: Authorizer) -> None:
    routes = tuple(Route("shop", "GET", "/", name) for name in (authorizer.name, "NONE", "AWS_IAM", ""))
    assert complaints(kind, authorizer, default=authorizer.name, routes=routes) == []


@pytest.mark.parametrize(
    ("kind", "authorizer", "complaint"),
    [
        ("rest", JWT, "an entrance of kind rest has request or token or cognito, but it is jwt"),
        ("url", JWT, "an entrance of kind url has none, but it is jwt"),
        ("http", Authorizer("users", "jwt"), "expected an issuer, but there is none"),
        ("http", Authorizer("users", "request", function="x"), "expected one of the functions decide, api, but got x"),
        ("http", Authorizer("users", "request"), "expected one of the functions decide, api, but got none"),
        (
            "http",
            Authorizer("users", "request", function="decide", payload="3"),
            "expected payload format 1.0 or 2.0, but got 3",
        ),
        (
            "http",
            Authorizer("users", "request", function="decide", payload="1.0", simple=True),
            "only payload format 2.0 of an HTTP API has simple answers",
        ),
        (
            "rest",
            Authorizer("users", "request", function="decide", simple=True),
            "only payload format 2.0 of an HTTP API has simple answers",
        ),
        (
            "http",
            Authorizer("users", "jwt", issuer="i", identity=("Authorization",)),
            "expected an identity source, such as $request.header.Authorization, but got 'Authorization'",
        ),
        (
            "rest",
            Authorizer("users", "token", function="decide", pattern="("),
            "expected a regular expression, but got '(': missing ), unterminated subpattern at position 0",
        ),
    ],
)
def test_what_does_not_is_named(kind: str, authorizer: Authorizer, complaint: str) -> None:
    assert complaints(kind, authorizer) == [f"the authorizer users: {complaint}"]


def test_routes_name_authorizers_that_there_are() -> None:
    route = Route("shop", "GET", "/items", "other", api_key=True)
    assert complaints("http", JWT, default="x", routes=(route,)) == [
        "the default authorizer: expected one of the authorizers AWS_IAM, NONE, users, but got x",
        "the route GET /items: expected one of the authorizers AWS_IAM, NONE, users, but got other",
        "the route GET /items: only REST APIs and WebSocket APIs have API keys, but the entrance is of kind http",
    ]
    assert complaints("alb", default="AWS_IAM") == [
        "the default authorizer: expected one of the authorizers NONE, but got AWS_IAM"
    ]


def test_without_the_libraries_tokens_cannot_be_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "find_spec", lambda _: None)
    (complaint,) = complaints("http", JWT)
    assert 'Run: pip install "lambent[jwt]"' in complaint
