"""Who calls: credentials of a request, for `Depends`, told in the OpenAPI document.

    bearer = HTTPBearer()

    @api.get("/me")
    async def me(credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]): ...

They read what came, and answer 401 where it is not there or cannot be read. Whether it is right, the application says.
"""

from __future__ import annotations

from lambent.api.exceptions import HTTPException
from lambent.api.markers import Header
from lambent.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from inspect import Signature
    from typing import Any

    Json = dict[str, Any]


class HTTPAuthorizationCredentials:
    """What stands in `Authorization`: `Bearer` and the token."""

    __slots__ = ("credentials", "scheme")

    def __init__(self, scheme: str, credentials: str) -> None:
        self.scheme = scheme
        self.credentials = credentials

    def __repr__(self) -> str:
        """Without the secret: it may come into a log."""
        return f"HTTPAuthorizationCredentials(scheme={self.scheme!r})"


class HTTPBasicCredentials:
    """Who, and the password. Compare with `secrets.compare_digest`, in UTF-8."""

    __slots__ = ("password", "username")

    def __init__(self, username: str, password: str) -> None:
        self.username = username
        self.password = password

    def __repr__(self) -> str:
        """Without the secret: it may come into a log."""
        return f"HTTPBasicCredentials(username={self.username!r})"


class Credential(Header):
    """The header that a scheme reads. The document tells of the scheme, not of the header."""

    __slots__ = ("security",)

    def __init__(self, name: str, security: Scheme) -> None:
        super().__init__(None, alias=name, include_in_schema=False)
        self.security = security


class Scheme:
    """A way to say who calls.

    - `header`: where that is said
    - `kind`: the security scheme object, but for its description
    - `challenge`: the value of WWW-Authenticate, with 401
    - `scheme_name`: in the document; a class has its own
    - `auto_error`: without credentials, the request is answered with 401. Otherwise None is given
    """

    def __init__(
        self, header: str, kind: Json, challenge: str, *, scheme_name: str | None, description: str, auto_error: bool
    ) -> None:
        self.name = scheme_name or type(self).__name__
        self.kind = kind
        self.description = description
        self.auto_error = auto_error
        self.challenge = challenge
        self.__signature__ = self._signature(header)

    def _signature(self, header: str) -> Signature:
        """One parameter, whose marker knows this scheme: so it comes into the document."""
        from inspect import Parameter, Signature

        kind = Parameter.POSITIONAL_OR_KEYWORD
        return Signature([Parameter("given", kind, default=Credential(header, self), annotation=str | None)])

    def scheme(self) -> Json:
        """The security scheme object."""
        return {**self.kind, **({"description": self.description} if self.description else {})}

    def refuse(self) -> None:
        """Raises HTTPException(401), where that is wanted."""
        if self.auto_error:
            raise HTTPException(401, "Not authenticated", {"WWW-Authenticate": self.challenge})


class HTTPBearer(Scheme):
    """`Authorization: Bearer <token>` → HTTPAuthorizationCredentials.

    - `bearer_format`: what a token is, such as `JWT`, for the document only
    """

    def __init__(
        self,
        *,
        bearer_format: str = "",
        scheme_name: str | None = None,
        description: str = "",
        auto_error: bool = True,
    ) -> None:
        kind = {"type": "http", "scheme": "bearer", **({"bearerFormat": bearer_format} if bearer_format else {})}
        super().__init__(
            "authorization", kind, "Bearer", scheme_name=scheme_name, description=description, auto_error=auto_error
        )

    async def __call__(self, given: str | None) -> HTTPAuthorizationCredentials | None:
        scheme, token = split(given)
        if scheme.lower() == "bearer" and token:
            return HTTPAuthorizationCredentials(scheme, token)
        self.refuse()
        return None


class HTTPBasic(Scheme):
    """`Authorization: Basic <base64>` → HTTPBasicCredentials.

    - `realm`: what a browser shows when it asks
    """

    def __init__(
        self,
        *,
        realm: str = "",
        scheme_name: str | None = None,
        description: str = "",
        auto_error: bool = True,
    ) -> None:
        if not (realm.isascii() and (realm.isprintable() or not realm)) or '"' in realm or "\\" in realm:
            raise ConfigurationError(f"Expected a realm of printable ASCII without quotes, but got {realm!r:.100}.")
        challenge = f'Basic realm="{realm}", charset="UTF-8"'
        super().__init__(
            "authorization",
            {"type": "http", "scheme": "basic"},
            challenge,
            scheme_name=scheme_name,
            description=description,
            auto_error=auto_error,
        )

    async def __call__(self, given: str | None) -> HTTPBasicCredentials | None:
        scheme, encoded = split(given)
        found = decoded(encoded) if scheme.lower() == "basic" else None
        if found is None:
            self.refuse()
        return found


class APIKeyHeader(Scheme):
    """A header of any name → its value.

    - `name`: of the header, such as `X-API-Key`
    """

    def __init__(
        self, *, name: str, scheme_name: str | None = None, description: str = "", auto_error: bool = True
    ) -> None:
        kind = {"type": "apiKey", "in": "header", "name": name}
        super().__init__(name, kind, "APIKey", scheme_name=scheme_name, description=description, auto_error=auto_error)

    async def __call__(self, given: str | None) -> str | None:
        if not given:
            self.refuse()
        return given or None


def split(given: str | None) -> tuple[str, str]:
    """Scheme and credentials; empty where there are none."""
    scheme, _, rest = (given or "").strip().partition(" ")
    return scheme, rest.strip()


def decoded(encoded: str) -> HTTPBasicCredentials | None:
    """Of base64 of UTF-8 (RFC 7617), up to the first colon the user; None for what is not that."""
    from binascii import a2b_base64

    try:
        username, colon, password = str(a2b_base64(encoded, strict_mode=True), "utf-8").partition(":")
    except ValueError:
        return None
    if not colon or not (username + password).isprintable():
        return None
    return HTTPBasicCredentials(username, password)
