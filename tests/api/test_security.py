"""Credentials of requests: what is taken, and how what is not is refused."""

import asyncio
import base64
from typing import Annotated, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.api import Api, Depends
from lambent.api.exceptions import HTTPException
from lambent.api.security import (
    APIKeyHeader,
    HTTPAuthorizationCredentials,
    HTTPBasic,
    HTTPBasicCredentials,
    HTTPBearer,
    Scheme,
)
from lambent.errors import ConfigurationError


def called(scheme: Any, given: str | None) -> Any:
    return asyncio.run(scheme(given))


def basic(text: str) -> str:
    return f"Basic {base64.b64encode(text.encode()).decode()}"


@pytest.mark.parametrize("given", ["Bearer abc", "bearer abc", "BEARER  abc "])
def test_a_bearer_has_a_token(given: str) -> None:
    found = called(HTTPBearer(), given)
    assert (found.scheme.lower(), found.credentials) == ("bearer", "abc")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a:b", ("a", "b")), ("a:b:c", ("a", "b:c")), (":", ("", "")), ("ä:ö", ("ä", "ö"))],
)
def test_a_user_has_a_password(text: str, expected: tuple[str, str]) -> None:
    found = called(HTTPBasic(), basic(text))
    assert (found.username, found.password) == expected


def test_a_key_is_taken_as_it_is() -> None:
    assert called(APIKeyHeader(name="X-Key"), "abc def") == "abc def"


REFUSED: list[tuple[Scheme, str | None]] = [
    *[(HTTPBearer(), each) for each in (None, "", "Bearer", "Bearer ", "Basic abc", "abc", "Bearerabc")],
    *[
        (HTTPBasic(), each)
        for each in (None, "Basic", "Bearer YTpi", "Basic YTpi!", "Basic YQ==", "Basic /w==", "Basic é")
    ],
    *[(HTTPBasic(), each) for each in (basic("a\n:b"), basic("a:\0"))],
    *[(APIKeyHeader(name="X-Key"), each) for each in (None, "")],
]


@pytest.mark.parametrize(("scheme", "given"), REFUSED)
def test_what_is_not_there_is_asked_for(scheme: Scheme, given: str | None) -> None:
    with pytest.raises(HTTPException) as raised:
        called(scheme, given)
    assert raised.value.status_code == 401
    assert raised.value.headers == {"WWW-Authenticate": scheme.challenge}


@pytest.mark.parametrize(
    "scheme", [HTTPBearer(auto_error=False), HTTPBasic(auto_error=False), APIKeyHeader(name="a", auto_error=False)]
)
def test_what_need_not_be_there_is_none(scheme: Scheme) -> None:
    assert called(scheme, None) is None


@given(st.text())
def test_nothing_that_comes_does_harm(text: str) -> None:
    for scheme in (HTTPBearer(auto_error=False), HTTPBasic(auto_error=False)):
        called(scheme, text)
        called(scheme, f"{type(scheme).__name__.removeprefix('HTTP')} {text}")


@pytest.mark.parametrize("realm", ['a"b', "a\r\nb", "ä", "a\\"])
def test_a_realm_stays_within_its_quotes(realm: str) -> None:
    with pytest.raises(ConfigurationError, match="realm"):
        HTTPBasic(realm=realm)


def test_secrets_are_not_shown() -> None:
    shown = repr([HTTPAuthorizationCredentials("Bearer", "secret"), HTTPBasicCredentials("a", "secret")])
    assert "secret" not in shown


def test_routes_are_guarded() -> None:
    api = Api()
    bearer, key = HTTPBearer(), APIKeyHeader(name="X-Key", auto_error=False)

    @api.get("/me")
    async def me(
        who: Annotated[HTTPAuthorizationCredentials, Depends(bearer)], key: Annotated[str | None, Depends(key)]
    ) -> dict[str, str | None]:
        return {"token": who.credentials, "key": key}

    async def asked() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://test") as client:
            return [
                await client.get("/me"),
                await client.get("/me", headers={"Authorization": "Bearer abc", "X-Key": "k"}),
            ]

    refused, answered = asyncio.run(asked())
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    assert refused.json() == {"detail": "Not authenticated"}
    assert answered.json() == {"token": "abc", "key": "k"}
