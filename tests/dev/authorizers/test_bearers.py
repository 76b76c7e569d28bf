"""Tokens at an HTTP API and at a REST API's user pool."""

import asyncio
import json

import pytest

from lambent.dev.authorizers import tokens
from lambent.dev.authorizers.bearers import Bearers
from lambent.dev.authorizers.caller import NOBODY, Caller
from lambent.dev.authorizers.keys import Keys
from lambent.dev.authorizers.refusals import Denied
from lambent.dev.model import Authorizer, Route
from tests.dev.authorizers.issuer import CLAIMS, ISSUER, NOW, jwks, token

URL = "https://login.example.com/jwks"
USERS = Authorizer("users", "jwt", issuer=ISSUER, audience=("shop",), jwks=URL)
POOL = Authorizer("pool", "cognito", issuer=ISSUER, jwks=URL)
OPEN = Route("shop", "GET", "/")
SCOPED = OPEN._replace(scopes=("items:read", "items:write"))
ID = {**CLAIMS, "token_use": "id", "cognito:groups": ["a", "b"], "exp": NOW + 60}
ACCESS = {**CLAIMS, "token_use": "access", "scope": "openid items:read"}


def check(authorizer: Authorizer, text: str, route: Route = OPEN, caller: Caller = NOBODY) -> dict[str, object]:
    bearers = Bearers(Keys(lambda _: jwks("a")), lambda: NOW)
    judge = bearers.of_user_pool if authorizer.kind == "cognito" else bearers.of_http_api
    return dict(asyncio.run(judge(authorizer, route, text, caller)))


def denied(
    authorizer: Authorizer, text: str, route: Route = OPEN, caller: Caller = NOBODY
) -> tuple[int, dict[str, str], str]:
    """Status, body, and why."""
    with pytest.raises(Denied) as caught:
        check(authorizer, text, route, caller)
    assert text not in caught.value.why or not text
    return caught.value.reply.status, json.loads(caught.value.reply.body), caught.value.why


def challenge(authorizer: Authorizer, text: str, route: Route = OPEN) -> str:
    with pytest.raises(Denied) as caught:
        check(authorizer, text, route)
    return dict(caught.value.reply.headers)[b"www-authenticate"].decode()


@pytest.mark.parametrize("text", [token(), f"Bearer {token()}"])
def test_a_token_passes_an_http_api(text: str) -> None:
    told = check(USERS, text)
    assert told == {"claims": {name: str(value) for name, value in CLAIMS.items()}, "scopes": None}


def test_one_of_the_routes_scopes_is_enough() -> None:
    told = check(USERS, token(ACCESS), SCOPED)
    assert told["scopes"] == ["items:read"]
    status, body, why = denied(USERS, token({**CLAIMS, "scp": ["openid"]}), SCOPED)
    assert (status, body) == (403, {"message": "Forbidden"})
    assert why == "the route wants one of the scopes items:read items:write, but the token has 'openid'"


def test_a_bad_token_is_challenged() -> None:
    assert challenge(USERS, "secret") == (
        'Bearer scope="" error="invalid_token" error_description="token contains an invalid number of segments"'
    )
    status, body, why = denied(USERS, token({**CLAIMS, "exp": NOW - 1}))
    assert (status, body) == (401, {"message": "Unauthorized"})
    assert why.startswith("it expired 1 s ago")


def test_so_is_one_by_an_unknown_key() -> None:
    assert "unable to find a signing key" in challenge(USERS, token(kid="z"))


def test_a_user_pools_id_token_passes_a_rest_api() -> None:
    told = check(POOL, token(ID))["claims"]
    assert isinstance(told, dict)
    assert (told["sub"], told["cognito:groups"]) == ("ada", "a,b")
    assert told["exp"].endswith("UTC 2026")


def test_and_its_access_token_where_there_are_scopes() -> None:
    assert check(POOL, token(ACCESS), SCOPED)["claims"]


@pytest.mark.parametrize(
    ("claims", "route", "message", "why"),
    [
        ({**ID, "exp": NOW}, OPEN, "The incoming token has expired", "it expired 0 s ago"),
        ({**ID, "iss": "https://evil"}, OPEN, "Unauthorized", "its issuer is 'https://evil'"),
        (ACCESS, OPEN, "Unauthorized", "its token_use is 'access', but a route without scopes wants 'id'"),
        (ID, SCOPED, "Unauthorized", "its token_use is 'id', but a route with scopes wants 'access'"),
        ({**ACCESS, "scope": "x"}, SCOPED, "Unauthorized", "items:write, but the token has 'x'"),
    ],
)
def test_others_do_not(claims: dict[str, object], route: Route, message: str, why: str) -> None:
    status, body, said = denied(POOL, token(claims), route)
    assert (status, body) == (401, {"message": message})
    assert why in said


def test_a_pattern_is_for_the_audience() -> None:
    pool = Authorizer("pool", "cognito", issuer=ISSUER, jwks=URL, pattern="sh.p")
    assert check(pool, token(ID))
    assert "its aud 'shop2' does not match 'sh.p'" in denied(pool, token({**ID, "aud": "shop2"}))[2]


def test_somebody_who_was_named_needs_no_token() -> None:
    ada = Caller(claims={"sub": "ada", "scope": "items:read", "exp": NOW + 1})
    told = check(USERS, "", SCOPED, ada)
    assert told == {
        "claims": {
            "iss": ISSUER,
            "aud": "shop",
            "iat": str(NOW),
            "exp": str(NOW + 1),
            "sub": "ada",
            "scope": "items:read",
        },
        "scopes": ["items:read"],
    }
    assert check(POOL, "", OPEN, ada)
    assert denied(USERS, "", SCOPED, Caller(claims={}))[0] == 403
    assert denied(POOL, "", SCOPED, Caller(claims={}))[0] == 401


def test_without_the_libraries_nobody_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "find_spec", lambda _: None)
    for authorizer, message in ((USERS, "Internal Server Error"), (POOL, None)):
        status, body, why = denied(authorizer, token())
        assert (status, body) == (500, {"message": message})
        assert 'pip install "lambent[jwt]"' in why
