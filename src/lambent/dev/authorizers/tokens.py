"""JSON Web Tokens: read, and checked as API Gateway does. Pure; the signature by PyJWT and cryptography.

First the form, then the algorithm and the key, the signature, and last what the token claims. There is no leeway: a
token is expired from the second on that `exp` names.

Source: docs.aws.amazon.com/apigateway, "Control access to HTTP APIs with JWT authorizers". Measured: what clients are
told of a token of another form and of another audience. Believed, not measured: what they are told otherwise; that
`exp` has to be there; that algorithms with PSS padding are refused.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import NamedTuple

from lambent.dev.model import Authorizer

ALGORITHMS = ("RS256", "RS384", "RS512")
"""Of RSA only."""

FAR = 1e11
"""Seconds since the epoch that no date has. Not a number compares to nothing."""

LIBRARIES = {"PyJWT": "jwt", "cryptography": "cryptography"}


class BadToken(Exception):
    """It cannot be believed. `description` is what a client of AWS is told, `why` what a person here is."""

    def __init__(self, description: str, why: str) -> None:
        super().__init__(why)
        self.description = description
        self.why = why


class Expired(BadToken):
    """It could be believed once."""


class Token(NamedTuple):
    """One of the right form. Nothing of it has been checked."""

    text: str
    algorithm: str
    key_id: str
    claims: Mapping[str, object]


def read(text: str) -> Token:
    """Raises BadToken for what has another form, an algorithm that is not AWS's, or no key id."""
    parts = text.split(".")
    if len(parts) != 3:
        why = f"the token has {_parts(len(parts))} rather than three with dots between them"
        raise BadToken("token contains an invalid number of segments", why)
    header, claims = _segment(parts[0], "header"), _segment(parts[1], "claims")
    algorithm, key_id = header.get("alg"), header.get("kid")
    if algorithm not in ALGORITHMS:
        expected = f"expected alg to be one of {', '.join(ALGORITHMS)}"
        raise BadToken(f"signing method {_plain(algorithm)} is invalid", f"{expected}, but it is {algorithm!r:.40}")
    if not isinstance(key_id, str) or not key_id:
        raise BadToken("token is missing a kid", "the token does not say by which key it was signed: it has no kid")
    return Token(text, str(algorithm), key_id, claims)


def verify(token: Token, key: Mapping[str, object]) -> None:
    """Check the signature with a key of a JWKS. Raises BadToken. Nothing of `missing` may be."""
    import jwt

    try:
        found = jwt.PyJWK.from_dict(dict(key), algorithm=token.algorithm)
    except Exception as error:  # binascii's and cryptography's own among them
        # cryptography may quote what it read, which is public, but long.
        why = f"the key {token.key_id!r:.60} of the JWKS is no RSA key: {error!s:.200}"
        raise BadToken('unable to decode "n" from RSA public key', why) from None
    try:
        jwt.PyJWS().decode(token.text, found, algorithms=list(ALGORITHMS))
    except jwt.PyJWTError:
        why = f"the signature is not that of the key {token.key_id!r:.60}"
        raise BadToken("crypto/rsa: verification error", why) from None


def check(claims: Mapping[str, object], authorizer: Authorizer, now: float) -> None:
    """Issuer, audience and times. Raises BadToken, and Expired."""
    if claims.get("iss") != authorizer.issuer:
        why = f"its issuer is {claims.get('iss')!r:.200}, but the authorizer wants {authorizer.issuer!r}"
        raise BadToken("the token does not have a valid issuer", why)
    if authorizer.audience:
        check_audience(claims, authorizer.audience)
    check_times(claims, now)


def check_audience(claims: Mapping[str, object], wanted: tuple[str, ...]) -> None:
    """`aud` counts, and where there is none, `client_id`."""
    name = "aud" if "aud" in claims else "client_id"
    found = claims.get(name)
    if not set(wanted) & set(map(str, found if isinstance(found, list) else [found])):
        why = f"its {name} is {found!r:.200}, but the authorizer wants {' or '.join(map(repr, wanted))}"
        raise BadToken("the token does not have a valid audience", why)


def check_times(claims: Mapping[str, object], now: float) -> None:
    expires = _time(claims, "exp")
    if expires is None:
        raise BadToken("the token does not have an expiry", "it has no exp: it would be good for ever")
    if now >= expires:
        raise Expired("the token has expired", f"it expired {_ago(now - expires)} ago, at {_clock(expires)}")
    for name, meaning in (("nbf", "is not valid before"), ("iat", "says that it was issued at")):
        begins = _time(claims, name)
        if begins is not None and now < begins:
            why = f"it {meaning} {_clock(begins)}, in {_ago(begins - now)} ({name})"
            raise BadToken("the token is not valid yet" if name == "nbf" else "the token is used before issued", why)


def missing() -> str:
    """What is needed and not installed, as a sentence; empty if all is there."""
    absent = [name for name, module in LIBRARIES.items() if find_spec(module) is None]
    if not absent:
        return ""
    return f'tokens are checked with {" and ".join(absent)}, not installed here. Run: pip install "lambent[jwt]"'


def _segment(text: str, what: str) -> dict[str, object]:
    try:
        found = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BadToken("token is malformed", f"the token's {what} is no JSON object in base64")
    return found


def _time(claims: Mapping[str, object], name: str) -> float | None:
    found = claims.get(name)
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int | float) or not abs(found) < FAR:
        raise BadToken("token is malformed", f"its {name} has to be a time in seconds, but is {found!r:.40}")
    return float(found)


def _parts(count: int) -> str:
    return "one part" if count == 1 else f"{count} parts"


def _plain(value: object) -> str:
    """What may stand in quotes in a header."""
    return "".join(each for each in str(value)[:40] if each.isascii() and (each.isalnum() or each in "-_."))


def _clock(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _ago(seconds: float) -> str:
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
