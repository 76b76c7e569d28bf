"""Cross-origin resource sharing: which pages of other origins may read what the application answers.

The rules are those of the Fetch standard (fetch.spec.whatwg.org, "HTTP CORS protocol"), the options have Starlette's
names. A browser asks, and obeys; nothing here keeps anybody else out.
"""

from __future__ import annotations

from lambent.api.middleware.fields import is_token, replaced, value_of, varied
from lambent.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Sequence

    from lambent.types import ASGIApp, Message, RawHeaders, Receive, Scope, Send

METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY")
"""What `*` stands for."""

SAFELISTED = ("accept", "accept-language", "content-language", "content-type")
"""Header fields that are always allowed, whatever their values."""

ORIGIN = b"access-control-allow-origin"
CREDENTIALS = (b"access-control-allow-credentials", b"true")

QUESTION = (
    b"Origin",
    b"Access-Control-Request-Method",
    b"Access-Control-Request-Headers",
    b"Access-Control-Request-Private-Network",
)
"""What the answer to a preflight depends on."""

SCHEME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789+-.")
HOST = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-._:[]")
PORTS = {"http": ":80", "https": ":443"}


class CORSMiddleware:
    """Answers preflights, and tells browsers which responses pages of other origins may read.

    - `allow_origins`: `https://example.com`, without a path; `*` for all; `null`, which any sandboxed page has, counts
      only where it is named, or where `*` goes without credentials
    - `allow_origin_regex`: what the whole of an origin matches, in lower case; for subdomains
    - `allow_methods`, `allow_headers`: what requests may have, in any case; `*` for all
    - `allow_credentials`: cookies and `Authorization` may come; then the origin is named in the response, never `*`
    - `expose_headers`: what a page may read of the response's header fields, beside the safe ones
    - `max_age`: seconds that a browser keeps the answer to a preflight
    - `allow_private_network`: pages of the public network may ask an application in a private one

    A refused preflight is answered 400 with the reasons. What the application raises has no response here: the response
    that somebody else makes of it has no CORS fields. WebSockets pass: browsers ask nobody before they open one, so
    that the application has to look at `Origin` itself. Raises ConfigurationError.
    """

    __slots__ = (
        "_always",
        "_any_header",
        "_expose",
        "_granted",
        "_headers",
        "_methods",
        "_mirrors",
        "_origins",
        "_private_network",
        "app",
    )

    def __init__(
        self,
        app: ASGIApp,
        allow_origins: Sequence[str] = (),
        allow_methods: Sequence[str] = ("GET",),
        allow_headers: Sequence[str] = (),
        allow_credentials: bool = False,
        allow_origin_regex: str | None = None,
        expose_headers: Sequence[str] = (),
        max_age: int = 600,
        allow_private_network: bool = False,
    ) -> None:
        self.app = app
        self._origins = Origins(allow_origins, allow_origin_regex)
        methods = tuple(each.upper() for each in _tokens("allow_methods", allow_methods))
        self._methods = METHODS if "*" in methods else methods
        self._any_header = "*" in allow_headers
        self._headers = sorted(
            {*SAFELISTED, *(each.lower() for each in _tokens("allow_headers", allow_headers))} - {"*"}
        )
        self._private_network = allow_private_network
        self._mirrors = allow_credentials or not self._origins.any
        """Whether the origin itself is named in the response, for which it varies."""
        exposed = ", ".join(_tokens("expose_headers", expose_headers)).encode()
        self._granted = [CREDENTIALS] if allow_credentials else []
        self._expose = [(b"access-control-expose-headers", exposed)] if exposed else []
        self._always = [
            (b"access-control-allow-methods", ", ".join(self._methods).encode()),
            (b"access-control-max-age", b"%d" % _seconds(max_age)),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = scope["headers"]
        origin = value_of(asked, b"origin")
        if origin is not None and scope["method"] == "OPTIONS":
            method = value_of(asked, b"access-control-request-method")
            if method is not None:
                await self._answer(origin, method, asked, send)
                return
        shared = self._shared(origin)
        mirrors = self._mirrors

        async def send_shared(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = replaced(message.get("headers", ()), shared)
                message = {**message, "headers": varied(headers, (b"Origin",)) if mirrors else headers}
            await send(message)

        await self.app(scope, receive, send_shared)

    def _shared(self, origin: bytes | None) -> RawHeaders:
        """What makes a response readable. `*` is there whoever asks, so that caches need not tell requests apart."""
        if not self._mirrors:
            return [(ORIGIN, b"*"), *self._expose]
        if origin is None or not self._allows(origin):
            return []
        return [(ORIGIN, origin), *self._granted, *self._expose]

    def _allows(self, origin: bytes) -> bool:
        return self._origins.allow(origin.decode("latin-1"))

    async def _answer(self, origin: bytes, method: bytes, asked: RawHeaders, send: Send) -> None:
        """Answer a preflight."""
        names = _names(value_of(asked, b"access-control-request-headers") or b"")
        private = value_of(asked, b"access-control-request-private-network") == b"true"
        reasons = self._reasons(origin, method, names, private=private)
        fields = [(b"vary", b", ".join(QUESTION))]
        if reasons:
            body = f"The preflight is refused: {', '.join(reasons)}.\n".encode()
            fields += [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
        else:
            body = b""
            fields += [(ORIGIN, origin if self._mirrors else b"*"), *self._granted, *self._always]
            if allowed := ", ".join(names if self._any_header else self._headers):
                fields.append((b"access-control-allow-headers", allowed.encode()))
            if private:
                fields.append((b"access-control-allow-private-network", b"true"))
        await send({"type": "http.response.start", "status": 400 if reasons else 204, "headers": fields})
        await send({"type": "http.response.body", "body": body})

    def _reasons(self, origin: bytes, method: bytes, names: Sequence[str], *, private: bool) -> list[str]:
        """Why a preflight is refused; empty if it is not."""
        reasons = []
        if self._mirrors and not self._allows(origin):
            reasons.append("the origin is not allowed")
        if method.decode("latin-1") not in self._methods:
            reasons.append("the method is not allowed")
        if not all(map(is_token, names)) if self._any_header else not set(names) <= set(self._headers):
            reasons.append("a header is not allowed")
        if private and not self._private_network:
            reasons.append("private networks are not allowed")
        return reasons


class Origins:
    """Which origins are allowed."""

    __slots__ = ("_named", "_pattern", "any")

    def __init__(self, allowed: Sequence[str], pattern: str | None) -> None:
        self.any = "*" in allowed
        self._named = frozenset(map(_origin, _listed("allow_origins", allowed))) - {"*"}
        self._pattern = None if pattern is None else _compiled(pattern)

    def allow(self, origin: str) -> bool:
        """Whether an origin is allowed, with all that it sends. `null` is, if it is named."""
        if origin in self._named:
            return True
        found = normal(origin)
        if not found or found == "null":
            return False
        return (
            self.any
            or found in self._named
            or (self._pattern is not None and self._pattern.fullmatch(found) is not None)
        )


def normal(origin: str) -> str:
    """An origin in lower case, without the port that its scheme has anyway; empty for what is none."""
    if origin == "null":
        return origin
    scheme, _, host = origin.lower().partition("://")
    if not scheme or not host or not SCHEME.issuperset(scheme) or not HOST.issuperset(host):
        return ""
    return f"{scheme}://{host.removesuffix(PORTS.get(scheme, ' '))}"


def _names(text: bytes) -> list[str]:
    """The header fields that a preflight asks for, in lower case."""
    return [each for each in (name.strip().lower() for name in text.decode("latin-1").split(",")) if each]


def _origin(text: str) -> str:
    found = text if text == "*" else normal(text)
    if not found:
        raise ConfigurationError(
            f"allow_origins: expected '*', or origins such as 'https://example.com', without a path or a slash at the "
            f"end, but got {text!r}. Patterns go into allow_origin_regex."
        )
    return found


def _tokens(option: str, names: Sequence[str]) -> tuple[str, ...]:
    for name in _listed(option, names):
        if not is_token(name):
            raise ConfigurationError(f"{option}: expected names of letters, digits and dashes, but got {name!r}.")
    return tuple(names)


def _listed(option: str, values: Sequence[str]) -> Sequence[str]:
    """A text is a sequence of texts, too, but never the one that was meant."""
    if isinstance(values, str):
        raise ConfigurationError(f"{option}: expected a list of texts, but got a text: write [{values!r}].")
    return values


def _compiled(pattern: str) -> re.Pattern[str]:
    import re

    try:
        return re.compile(pattern)
    except re.error as error:
        raise ConfigurationError(
            f"allow_origin_regex: expected a regular expression, but got {pattern!r}: {error}."
        ) from error


def _seconds(max_age: int) -> int:
    if max_age < 0:
        raise ConfigurationError(f"max_age: expected a number of seconds from 0, but got {max_age!r}.")
    return max_age
