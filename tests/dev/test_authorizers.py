"""One request that has found a route, decided on, with the doors that tell of it."""

import asyncio
import json
from typing import Any, cast

import pytest

from lambent.dev.authorizers import Authorizers
from lambent.dev.authorizers.caller import IAM, NOBODY, Caller, Cognito
from lambent.dev.authorizers.keys import Keys
from lambent.dev.doors import DOORS
from lambent.dev.doors.model import HTTPReply, Matched, Site
from lambent.dev.guard import Allowed, Guard
from lambent.dev.model import Authorizer, Cause, Entrance, Failed, Replied, Route
from lambent.dev.service import Service
from tests.dev.authorizers.deciding import UNAUTHORIZED, Deciding, policy
from tests.dev.authorizers.issuer import CLAIMS, ISSUER, NOW, jwks, token
from tests.dev.doors.wire import ARRIVAL, request
from tests.payloads import payload

URL = "https://login.example.com/jwks"
JWT = Authorizer("who", "jwt", issuer=ISSUER, audience=("shop",), jwks=URL)
POOL = Authorizer("who", "cognito", issuer=ISSUER, jwks=URL)
HEADER = ("$request.header.Authorization",)
REQUEST = Authorizer("who", "request", function="decide", identity=HEADER)
SIMPLE = Authorizer("who", "request", function="decide", identity=HEADER, simple=True)
TOKEN = Authorizer("who", "token", function="decide", pattern="Bearer .*")
SIGNED = payload("function_url_iam")["headers"]["authorization"]
SECRET = "Bearer hush-hush"
MATCHED = Matched("GET /items/{id}", "/items/{id}", {"id": "7"}, variables={"tier": "free"})


class Asking:
    """An entrance with one authorizer, and requests to it."""

    def __init__(
        self,
        kind: str,
        authorizer: Authorizer | None = None,
        *answers: object,
        caller: Caller = NOBODY,
        **entrance: Any,
    ) -> None:
        self.entrance = Entrance("shop", kind, authorizers=(authorizer,) if authorizer else (), **entrance)
        self.route = Route("shop", "GET", "/items/{id}", "who" if authorizer else "")
        self.service = Deciding(*answers)
        self.said: list[str] = []
        keys = Keys(lambda _: jwks("a"))
        self.authorizers = Authorizers(
            cast("Service", self.service), self.said.append, caller=caller, keys=keys, clock=lambda: NOW, patience=20
        )
        self.guard: Guard = self.authorizers
        self.door = DOORS[kind](Site("api"))

    def check(self, authorization: str = "", query: bytes = b"", **headers: str) -> Allowed | HTTPReply:
        given = {
            name.replace("_", "-"): text for name, text in {**headers, "authorization": authorization}.items() if text
        }
        raw = [(name.encode(), text.encode()) for name, text in given.items()]
        sent = request(b"/items/7", query, *raw, body=b"body")
        return asyncio.run(self.guard.check(self.route, self.entrance, sent, MATCHED, ARRIVAL, self.door))

    def told(self, authorization: str = "", query: bytes = b"", **headers: str) -> dict[str, Any]:
        """`requestContext` of the function behind the route."""
        leave = self.check(authorization, query, **headers)
        assert isinstance(leave, Allowed), self.said
        matched = MATCHED._replace(authorizer=leave.authorizer, identity=leave.identity)
        event = json.loads(json.dumps(self.door.event(request(b"/items/7"), ARRIVAL, matched)))
        found: dict[str, Any] = event["requestContext"]
        return found

    def denied(self, authorization: str = "", query: bytes = b"", **headers: str) -> tuple[int, str]:
        """Status, and the line for people."""
        reply = self.check(authorization, query, **headers)
        assert isinstance(reply, HTTPReply)
        line = self.said.pop()
        assert line.startswith(f"RequestId: {ARRIVAL.request_id} {self.door.title} answers {reply.status}, by ")
        assert "\n" not in line
        return reply.status, line.partition(", by ")[2]


# Which authorizer


def test_a_route_without_one_is_open() -> None:
    asking = Asking("http", JWT, default_authorizer="who")
    for name in ("", "who"):
        asking.route = asking.route._replace(authorizer=name)
        assert asking.denied()[0] == 401
    asking.route = asking.route._replace(authorizer="NONE")
    assert asking.check() == Allowed()
    assert Asking("url").check() == Allowed()


def test_one_that_is_not_there_lets_nobody_pass() -> None:
    asking = Asking("http", JWT)
    asking.route = asking.route._replace(authorizer="nobody")
    assert asking.denied() == (500, "the authorizer nobody: the entrance shop has no such one, but who.")


# JSON Web Tokens


def test_claims_are_told_where_aws_tells_them() -> None:
    claims = {name: str(value) for name, value in CLAIMS.items()}
    assert Asking("http", JWT).told(token())["authorizer"] == {"jwt": {"claims": claims, "scopes": None}}
    assert Asking("http1", JWT).told(token())["authorizer"]["claims"] == claims
    assert Asking("rest", POOL).told(token({**CLAIMS, "token_use": "id"}))["authorizer"]["claims"]["sub"] == "ada"


def test_a_token_is_read_where_the_authorizer_says() -> None:
    asking = Asking("http", Authorizer("who", "jwt", issuer=ISSUER, jwks=URL, identity=("$request.querystring.t",)))
    assert asking.told(query=f"t={token()}".encode())
    assert asking.denied(token()) == (401, "the authorizer who: the request has no token in the query parameter t.")


def test_without_a_token_nobody_passes() -> None:
    why = "the authorizer who: the request has no token in the header Authorization."
    assert Asking("http", JWT).denied() == Asking("rest", POOL).denied() == (401, why)
    reply = Asking("http", JWT).check()
    assert isinstance(reply, HTTPReply)
    assert (b"www-authenticate", b"Bearer") in reply.headers


def test_somebody_who_was_named_needs_none() -> None:
    ada = Caller(claims={"sub": "ada"})
    assert Asking("http", JWT, caller=ada).told()["authorizer"]["jwt"]["claims"]["sub"] == "ada"
    assert Asking("rest", POOL, caller=ada).told("nonsense")["authorizer"]["claims"]["sub"] == "ada"


# Functions that decide


def test_a_simple_answer() -> None:
    context = {"name": "ada", "level": 7, "roles": ["a"], "in": {"a": None}}
    asking = Asking("http", SIMPLE, {"isAuthorized": True, "context": context})
    assert asking.told(SECRET)["authorizer"] == {"lambda": context}
    (event,) = asking.service.events
    assert event["identitySource"] == [SECRET]
    assert "body" not in event
    asking = Asking("http", SIMPLE, {"isAuthorized": False})
    assert asking.denied(SECRET) == (403, "the authorizer who: isAuthorized is false.")


@pytest.mark.parametrize("kind", ["http", "http1", "rest"])
def test_a_policy(kind: str) -> None:
    asking = Asking(kind, REQUEST, policy(context={"level": 7}))
    told = asking.told(SECRET)["authorizer"]
    if kind == "http":
        assert told == {"lambda": {"level": 7}}
    else:
        assert isinstance(told.pop("integrationLatency"), int)
        assert told == {"principalId": "ada", "level": "7" if kind == "rest" else 7}


@pytest.mark.parametrize("kind", ["http", "rest"])
def test_a_kept_policy_is_evaluated_for_each_request(kind: str) -> None:
    asking = Asking(kind, REQUEST, policy(resource="*/GET/items/7"))
    for _ in range(2):
        assert asking.told(SECRET)
    sent = request(b"/items/8", b"", (b"authorization", SECRET.encode()))
    reply = asyncio.run(asking.guard.check(asking.route, asking.entrance, sent, MATCHED, ARRIVAL, asking.door))
    assert isinstance(reply, HTTPReply)
    assert reply.status == 403
    assert asking.said[-1].endswith("by the authorizer who: its policy does not allow it: no statement is about it.")
    assert len(asking.service.taken) == 1


def test_a_policy_that_denies() -> None:
    assert Asking("rest", REQUEST, policy("Deny")).denied(SECRET) == (
        403,
        "the authorizer who: its policy does not allow it: a statement denies it.",
    )


def test_a_token_authorizer_is_asked_with_the_token() -> None:
    asking = Asking("rest", TOKEN, policy())
    assert asking.told(SECRET)["authorizer"]["principalId"] == "ada"
    (event,) = asking.service.events
    assert event.keys() == {"type", "methodArn", "authorizationToken"}
    assert event["authorizationToken"] == SECRET
    assert event["methodArn"].endswith("/prod/GET/items/7")
    assert asking.denied("Basic x") == (401, "the authorizer who: the token does not match 'Bearer .*'.")
    assert len(asking.service.taken) == 1


@pytest.mark.parametrize(("kind", "authorizer"), [("http", REQUEST), ("rest", REQUEST), ("rest", TOKEN)])
def test_without_an_identity_nobody_is_asked(kind: str, authorizer: Authorizer) -> None:
    asking = Asking(kind, authorizer, policy())
    assert asking.denied() == (401, "the authorizer who: the request has nothing in the header Authorization.")
    assert asking.service.taken == []


def test_identities_around_the_request() -> None:
    sources = ("$context.routeKey", "$stageVariables.tier", "$context.identity.sourceIp")
    asking = Asking("http", Authorizer("who", "request", function="decide", identity=sources), policy())
    assert asking.told()
    assert asking.service.events[0]["identitySource"] == ["GET /items/{id}", "free", "127.0.0.1"]


def test_without_identity_sources_each_request_is_asked_of() -> None:
    asking = Asking("rest", Authorizer("who", "request", function="decide"), policy())
    for _ in range(2):
        assert asking.told()
    assert len(asking.service.taken) == 2


def test_what_a_function_quotes_of_a_secret_is_left_out() -> None:
    asking = Asking("rest", REQUEST, Replied(f"what is {SECRET}?".encode()))
    status, why = asking.denied(SECRET)
    assert (status, "hush" in why) == (500, False)
    assert why.endswith("made no decision: expected an object, but it returned 'what is …?'.")
    assert Asking("rest", REQUEST, UNAUTHORIZED).denied(SECRET)[0] == 401


def test_what_a_function_says_stays_on_one_line() -> None:
    failed = Failed(Cause.FUNCTION, b'{"errorType":"E","errorMessage":"one\\ntwo"}')
    assert Asking("rest", REQUEST, failed).denied(SECRET)[1].endswith("the function raised: E: one two.")


# AWS_IAM


def signed(kind: str, caller: Caller = NOBODY) -> Asking:
    asking = Asking(kind, caller=caller)
    asking.route = asking.route._replace(authorizer="AWS_IAM")
    return asking


@pytest.mark.parametrize("kind", ["url", "http"])
def test_a_signature_is_told_where_aws_tells_it(kind: str) -> None:
    asking = signed(kind)
    for _ in range(2):
        told = asking.told(SIGNED)["authorizer"]["iam"]
        assert told.keys() == payload("function_url_iam")["requestContext"]["authorizer"]["iam"].keys()
        assert told["accessKey"] == "AKIAIOSFODNN7EXAMPLE"
    assert asking.said == ["Signatures (AWS_IAM) have to be there, but are not verified here."]


def test_and_by_a_rest_api_as_an_identity() -> None:
    ada = Caller(iam=IAM(user_arn="arn:aws:iam::1:user/ada"), cognito=Cognito("i", "p", ["authenticated", "idp"]))
    told = signed("rest", ada).told()["identity"]
    assert told["userArn"] == "arn:aws:iam::1:user/ada"
    assert (told["cognitoIdentityId"], told["cognitoIdentityPoolId"]) == ("i", "p")
    assert signed("rest").told(SIGNED)["identity"]["accessKey"] == "AKIAIOSFODNN7EXAMPLE"


@pytest.mark.parametrize("kind", ["url", "http", "http1", "rest"])
def test_without_a_signature_nobody_passes(kind: str) -> None:
    status, why = signed(kind).denied()
    assert status == 403
    assert why.startswith("authorization: it is not signed with AWS credentials")
    assert signed(kind, Caller(claims={"sub": "ada"})).denied()[0] == 403


# API keys


def keyed(source: str = "header", authorizer: Authorizer | None = None, *answers: object) -> Asking:
    asking = Asking("rest", authorizer, *answers, api_keys={"partner": "k" * 20}, api_key_source=source)
    asking.route = asking.route._replace(api_key=True)
    return asking


def test_an_api_key_is_told() -> None:
    told = keyed().told(x_api_key="k" * 20)["identity"]
    assert told["apiKey"] == "k" * 20
    assert len(told["apiKeyId"]) == 10


def test_without_one_nobody_passes() -> None:
    none = "authorization: it wants an API key in the header x-api-key."
    other = "authorization: the header x-api-key is none of the API keys, which are: partner."
    assert keyed().denied() == (403, none)
    assert keyed().denied(x_api_key="wrong-but-long") == (403, other)
    assert keyed("header", REQUEST, policy(usageIdentifierKey="k" * 20)).denied(SECRET)[0] == 403


def test_an_authorizer_may_name_it() -> None:
    asking = keyed("authorizer", REQUEST, policy(usageIdentifierKey="k" * 20))
    assert asking.told(SECRET)["identity"]["apiKey"] == "k" * 20
    asking = keyed("authorizer", REQUEST, policy())
    status, why = asking.denied(SECRET, x_api_key="k" * 20)
    assert (status, why) == (403, "the authorizer who: it wants an API key in the authorizer's usageIdentifierKey.")


def test_the_authorizer_comes_first() -> None:
    assert keyed("header", REQUEST, policy()).denied(x_api_key="wrong")[0] == 401
