"""Requests with a JSON Web Token: JWT authorizers of HTTP APIs, and those of user pools of REST APIs.

A user pool's token is an id token, unless the route has scopes: then it is an access token. Believed, not measured:
that a REST API answers 401 where no scope fits.

Source: docs.aws.amazon.com/apigateway, "Control access to HTTP APIs with JWT authorizers", "Control access to REST APIs
using Amazon Cognito user pools as an authorizer".
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping

from lambent.dev.authorizers import claims as told
from lambent.dev.authorizers import identity, tokens
from lambent.dev.authorizers.caller import Caller
from lambent.dev.authorizers.identity import Source
from lambent.dev.authorizers.keys import Keys
from lambent.dev.authorizers.refusals import REST, Denied, challenged, failed, unauthorized, without_scope
from lambent.dev.authorizers.tokens import BadToken, Expired
from lambent.dev.model import Authorizer, Route

Claims = Mapping[str, object]


class Bearers:
    """All authorizers that read tokens."""

    def __init__(self, keys: Keys | None = None, clock: Callable[[], float] = time.time) -> None:
        self._keys = keys or Keys()
        self._clock = clock

    async def of_http_api(
        self, authorizer: Authorizer, route: Route, text: str, caller: Caller
    ) -> Mapping[str, object]:
        """`{"claims", "scopes"}`. Raises Denied."""
        claims: Claims | None = caller.claimed(authorizer, self._clock())
        if claims is None:
            try:
                claims = await self._claims(authorizer, text)
            except BadToken as error:
                raise Denied(challenged(error.description), error.why) from None
        granted = [scope for scope in told.scopes(claims) if scope in route.scopes]
        if route.scopes and not granted:
            raise Denied(without_scope(route.scopes), missing_scope(route, claims))
        return {"claims": told.of_http_api(claims), "scopes": granted or None}

    async def of_user_pool(
        self, authorizer: Authorizer, route: Route, text: str, caller: Caller
    ) -> Mapping[str, object]:
        """`{"claims", "scopes"}`. Raises Denied."""
        claims: Claims | None = caller.claimed(authorizer, self._clock())
        if claims is None:
            claims = await self._pooled(authorizer, route, text)
        if route.scopes and not set(route.scopes) & set(told.scopes(claims)):
            raise Denied(unauthorized(REST), missing_scope(route, claims))
        return {"claims": told.of_user_pool(claims), "scopes": None}

    async def _pooled(self, authorizer: Authorizer, route: Route, text: str) -> Claims:
        try:
            claims = await self._claims(authorizer, text)
        except Expired as error:
            raise Denied(unauthorized(REST, "The incoming token has expired"), error.why) from None
        except BadToken as error:
            raise Denied(unauthorized(REST), error.why) from None
        wanted = "access" if route.scopes else "id"
        if claims.get("token_use", wanted) != wanted:
            which = "a route with scopes" if route.scopes else "a route without scopes"
            why = f"its token_use is {claims['token_use']!r:.40}, but {which} wants {wanted!r}"
            raise Denied(unauthorized(REST), why)
        audience = str(claims.get("aud", claims.get("client_id", "")))
        if authorizer.pattern and not re.fullmatch(authorizer.pattern, audience):
            raise Denied(unauthorized(REST), f"its aud {audience!r:.200} does not match {authorizer.pattern!r}")
        return claims

    async def _claims(self, authorizer: Authorizer, text: str) -> Claims:
        """Raises BadToken, and Denied where tokens cannot be checked at all."""
        token = tokens.read(identity.bearer(text))
        kind = REST if authorizer.kind == "cognito" else "http"
        if absent := tokens.missing():
            raise Denied(failed(kind), absent)
        key = await self._keys.find(authorizer.jwks, authorizer.issuer, token.key_id)
        tokens.verify(token, key)
        tokens.check(token.claims, authorizer, self._clock())
        return token.claims


def missing(kind: str, source: Source) -> Denied:
    """A request without a token."""
    return Denied(challenged() if kind != REST else unauthorized(REST), f"the request has no token in {source}")


def missing_scope(route: Route, claims: Claims) -> str:
    found = " ".join(told.scopes(claims)) or "none"
    return f"the route wants one of the scopes {' '.join(route.scopes)}, but the token has {found!r:.200}"
