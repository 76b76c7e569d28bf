"""Tokens by PyJWT, right and wrong in each way."""

import base64
import json

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.dev.authorizers import tokens
from lambent.dev.authorizers.tokens import BadToken, Expired
from lambent.dev.model import Authorizer
from tests.dev.authorizers.issuer import CLAIMS, ISSUER, NOW, elliptic, jwk, token

AUTHORIZER = Authorizer("users", "jwt", issuer=ISSUER, audience=("shop", "admin"))


BREAKING = {"alg": "a\r\nb: c"}


def believe(text: str, key: dict[str, object] | None = None, now: float = NOW) -> None:
    found = tokens.read(text)
    tokens.verify(found, key or jwk())
    tokens.check(found.claims, AUTHORIZER, now)


def refused(text: str, key: dict[str, object] | None = None, now: float = NOW) -> tuple[str, str]:
    """What a client is told, and what a person is."""
    with pytest.raises(BadToken) as caught:
        believe(text, key, now)
    assert text not in caught.value.why
    return caught.value.description, caught.value.why


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512"])
def test_a_token_of_rsa_is_believed(algorithm: str) -> None:
    believe(token(algorithm=algorithm))


def test_the_key_may_leave_its_algorithm_open() -> None:
    key = jwk()
    del key["alg"]
    believe(token(algorithm="RS384"), key)


def test_unsigned_ones_are_not() -> None:
    unsigned = jwt.encode(CLAIMS, None, algorithm="none", headers={"kid": "a"})  # type: ignore[arg-type]  # what an attacker does
    description, why = refused(unsigned)
    assert description == "signing method none is invalid"
    assert why == "expected alg to be one of RS256, RS384, RS512, but it is 'none'"


def test_nor_those_signed_with_the_public_key_as_a_secret() -> None:
    signed = jwt.encode(CLAIMS, "public" * 10, algorithm="HS256", headers={"kid": "a"})
    assert refused(signed)[0] == "signing method HS256 is invalid"


def test_nor_elliptic_curves() -> None:
    text, key = elliptic()
    assert "but it is 'ES256'" in refused(text, key)[1]
    header, rest = part({"alg": "RS256", "kid": "e"}), text.partition(".")[2]
    assert "is no RSA key" in refused(f"{header}.{rest}", key)[1]


def test_another_key_has_another_signature() -> None:
    assert refused(token(by="b")) == ("crypto/rsa: verification error", "the signature is not that of the key 'a'")


def test_claims_that_were_changed_have_none() -> None:
    header, _, signature = token().split(".")
    assert refused(f"{header}.{part({**CLAIMS, 'sub': 'eve'})}.{signature}")[0] == "crypto/rsa: verification error"


def test_a_broken_key_is_named() -> None:
    description, why = refused(token(), {**jwk(), "n": "%%%"})
    assert description == 'unable to decode "n" from RSA public key'
    assert why.startswith("the key 'a' of the JWKS is no RSA key: ")


def test_a_token_has_to_name_its_key() -> None:
    assert refused(token(kid=None))[1].endswith("it has no kid")


@pytest.mark.parametrize(
    ("text", "description", "why"),
    [
        ("secret", "token contains an invalid number of segments", "the token has one part rather than three"),
        ("a.b", "token contains an invalid number of segments", "the token has 2 parts rather than three"),
        ("a.b.c.d", "token contains an invalid number of segments", "the token has 4 parts rather than three"),
        ("é.b.c", "token is malformed", "the token's header is no JSON object in base64"),
        (f"{part([1])}.{part({})}.x", "token is malformed", "the token's header is no JSON object in base64"),
        (f"{part({})}.{part('a')}.x", "token is malformed", "the token's claims is no JSON object in base64"),
        (f"{part({})}.{part({})}.x", "signing method None is invalid", "but it is None"),
        (f"{part(BREAKING)}.{part({})}.x", "signing method abc is invalid", "but it is 'a\\r\\n"),
    ],
)
def test_what_is_no_token_is_named(text: str, description: str, why: str) -> None:
    told, said = refused(text)
    assert told == description
    assert why in said


@pytest.mark.parametrize(
    ("claims", "description", "why"),
    [
        ({"iss": "https://evil"}, "the token does not have a valid issuer", "issuer is 'https://evil', but the autho"),
        ({"iss": ISSUER[:-1]}, "the token does not have a valid issuer", f"wants '{ISSUER}'"),
        (
            {"aud": "other"},
            "the token does not have a valid audience",
            "aud is 'other', but the authorizer wants 'shop'",
        ),
        ({"aud": []}, "the token does not have a valid audience", "its aud is []"),
        ({"aud": "other", "client_id": "shop"}, "the token does not have a valid audience", "its aud is 'other'"),
        ({"exp": NOW}, "the token has expired", "it expired 0 s ago"),
        ({"exp": NOW - 7200}, "the token has expired", "it expired 2 hours ago, at 2026-11-"),
        ({"exp": None}, "the token does not have an expiry", "it has no exp"),
        ({"exp": "soon"}, "token is malformed", "its exp has to be a time in seconds, but is 'soon'"),
        ({"exp": 1e300}, "token is malformed", "its exp has to be a time"),
        ({"nbf": NOW + 1}, "the token is not valid yet", "in 1 s (nbf)"),
        ({"iat": NOW + 600}, "the token is used before issued", "in 10 minutes (iat)"),
    ],
)
def test_claims_that_do_not_fit_are_named(claims: dict[str, object], description: str, why: str) -> None:
    told, said = refused(token({**CLAIMS, **claims}))
    assert told == description
    assert why in said


@pytest.mark.parametrize(
    "claims", [{"aud": ["x", "admin"]}, {"aud": "shop", "client_id": "x"}, {"nbf": NOW, "iat": NOW}, {"exp": NOW + 0.5}]
)
def test_claims_that_fit(claims: dict[str, object]) -> None:
    believe(token({**CLAIMS, **claims}))


def test_a_client_id_stands_in_for_an_audience() -> None:
    claims = {name: value for name, value in CLAIMS.items() if name != "aud"}
    believe(token({**claims, "client_id": "shop"}))
    assert "its client_id is 'x'" in refused(token({**claims, "client_id": "x"}))[1]
    assert "its client_id is None" in refused(token(claims))[1]


def test_expiry_is_told_apart() -> None:
    with pytest.raises(Expired):
        believe(token(), now=NOW + 60)


def test_nothing_is_missing_here(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tokens.missing() == ""
    monkeypatch.setattr(tokens, "find_spec", lambda _: None)
    assert tokens.missing() == (
        'tokens are checked with PyJWT and cryptography, not installed here. Run: pip install "lambent[jwt]"'
    )


@given(
    st.text(max_size=60)
    | st.lists(st.sampled_from([part({"alg": "RS256", "kid": "a"}), part({}), "e30", "", "="]), max_size=4).map(
        ".".join
    )
)
def test_nonsense_is_refused_and_nothing_worse(text: str) -> None:
    with pytest.raises(BadToken):
        believe(text)
