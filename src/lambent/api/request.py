"""A request, as functions want it: everything is read when it is asked for, once."""

from __future__ import annotations

from lambent.api.exceptions import HTTPException, RequestInvalid
from lambent.api.headers import Headers, media_type
from lambent.api.model import MAX_BODY
from lambent.api.query import MAX_FIELDS, parse_query
from lambent.api.url import route_path, url_of
from lambent.errors import ConfigurationError, LambentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from typing import Any

    from lambent.api.forms import Form, Limits
    from lambent.api.query import QueryParams
    from lambent.types import Context, Event, Message, Receive, Scope

MAX_FILES = 100
"""Files of a form."""
MAX_PART = 1024 * 1024
"""Bytes of a text in a form."""

CHARSETS = frozenset("utf-8 utf8 us-ascii ascii iso-8859-1 latin-1 latin1 windows-1252 cp1252 utf-16".split())
"""What texts may be in. Python knows others that are made to keep a server busy."""


class ClientDisconnect(LambentError):
    """The client went away before all of its request had come."""


class State:
    """What `scope["state"]` has, as attributes: the lifespan's, and what middleware and functions put there."""

    __slots__ = ("_values",)

    _values: dict[str, Any]

    def __init__(self, values: dict[str, Any]) -> None:
        object.__setattr__(self, "_values", values)

    def __getattr__(self, name: str) -> Any:
        try:
            values: dict[str, Any] = object.__getattribute__(self, "_values")
            return values[name]
        except KeyError:
            raise AttributeError(f"The request's state has no {name!r}.", name=name, obj=self) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self._values[name] = value

    def __delattr__(self, name: str) -> None:
        try:
            del self._values[name]
        except KeyError:
            raise AttributeError(f"The request's state has no {name!r}.", name=name, obj=self) from None


class Request:
    """One HTTP request.

    - `path_params`: variables of the path, as texts
    - `max_body`: bytes of a body at most, whether it is read whole or in pieces: more is HTTPException (413)
    - `max_fields`: of a query string or a form at most: more is HTTPException (400)
    - `headers`: those of the scope, where they have been read already
    """

    __slots__ = (
        "_begun",
        "_body",
        "_cookies",
        "_form",
        "_json",
        "_query",
        "_receive",
        "headers",
        "id",
        "max_body",
        "max_fields",
        "path_params",
        "scope",
    )

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        variables: Mapping[str, str],
        max_body: int = MAX_BODY,
        max_fields: int = MAX_FIELDS,
        headers: Headers | None = None,
    ) -> None:
        self.scope = scope
        self.path_params = variables
        self.headers = Headers(scope.get("headers", ())) if headers is None else headers
        self.max_body = max_body
        self.max_fields = max_fields
        self.id = ""
        """As the access log has it: the client's `X-Request-Id`, else Lambda's."""
        self._receive = receive
        self._begun = False
        self._body: bytes | None = None
        self._query: QueryParams | None = None
        self._cookies: dict[str, str] | None = None
        self._json: Any = ...
        self._form: Form | None = None

    @property
    def method(self) -> str:
        method: str = self.scope["method"]
        return method

    @property
    def path(self) -> str:
        """Percent-decoded, without `root_path`; begins with a slash."""
        return route_path(self.scope)

    @property
    def url(self) -> str:
        """As the client wrote it, if its `Host` can be believed; without one that can, the server's, or the path only.

        What is no character of a URL is percent-encoded.
        """
        return url_of(self.scope, self.headers.get("host", ""))

    @property
    def query_string(self) -> bytes:
        query: bytes = self.scope.get("query_string", b"")
        return query

    @property
    def query(self) -> QueryParams:
        """Raises HTTPException (400) for more than `max_fields` parameters."""
        if self._query is None:
            self._query = parse_query(self.scope.get("query_string", b""), self.max_fields)
        return self._query

    @property
    def cookies(self) -> dict[str, str]:
        if self._cookies is None:
            from lambent.api.cookies import parse_cookies

            self._cookies = parse_cookies(self.headers.get("cookie", ""))
        return self._cookies

    @property
    def client(self) -> tuple[str, int] | None:
        """Its address and port, as far as the server knows them."""
        client = self.scope.get("client")
        return None if client is None else (client[0], client[1])

    @property
    def state(self) -> State:
        return State(self.scope.setdefault("state", {}))

    @property
    def event(self) -> Event:
        """What invoked the function; None elsewhere than on Lambda."""
        return self.scope.get("aws.event")

    @property
    def context(self) -> Context | None:
        """Of the invocation; None elsewhere than on Lambda."""
        return self.scope.get("aws.context")

    async def body(self) -> bytes:
        """All of it. Raises HTTPException (413), ClientDisconnect, and ConfigurationError if `stream` has taken it."""
        body = self._body
        if body is None:
            self._begin()
            message = await self._receive()
            body = message.get("body", b"")
            if message["type"] != "http.request" or message.get("more_body") or len(body) > self.max_body:
                body = b"".join([piece async for piece in self._pieces(message)])
            self._body = body
        return body

    def stream(self) -> AsyncIterator[bytes]:
        """Its pieces as they come, which are not kept: once, unless `body` was called before. Raises as `body` does."""
        if self._body is not None:
            return _only(self._body)
        self._begin()
        return self._pieces(None)

    def _begin(self) -> None:
        if self._begun:
            raise ConfigurationError(
                "The body of the request has been read as a stream, which leaves nothing. Call `await request.body()` "
                "before `stream()` or `form()`: they take it from there."
            )
        length = self.headers.find(b"content-length")
        if length is not None and length.isdigit() and (len(length) > 18 or int(length) > self.max_body):
            raise self._too_large()
        self._begun = True

    async def _pieces(self, message: Message | None) -> AsyncIterator[bytes]:
        size = 0
        more = True
        while more:
            if message is None:
                message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect("Expected more of the request's body, but the client went away.")
            piece: bytes = message.get("body", b"")
            size += len(piece)
            if size > self.max_body:
                raise self._too_large()
            if piece:
                yield piece
            more = message.get("more_body", False)
            message = None

    def _too_large(self) -> HTTPException:
        return HTTPException(413, f"Expected a body of at most {self.max_body} bytes.")

    async def json(self) -> Any:
        """The value. Raises RequestInvalid for what is no JSON, and as `body` does."""
        if self._json is ...:
            from lambent.api.json_body import parse_json

            self._json = parse_json(await self.body())
        return self._json

    async def text(self) -> str:
        """Raises HTTPException (415) for a charset that is not known, RequestInvalid for other bytes than it has."""
        charset = self._content_type()[1].get("charset", "utf-8").lower()
        if charset not in CHARSETS:
            raise HTTPException(415, "Expected a text in UTF-8.")
        try:
            return str(await self.body(), charset)
        except UnicodeDecodeError as error:
            from lambent.api.model import Problem

            message = f"Expected text of its charset, but byte {error.start} is not."
            raise RequestInvalid([Problem(("body",), message)]) from None

    async def form(self, *, max_files: int = MAX_FILES, max_fields: int = 0, max_part_size: int = MAX_PART) -> Form:
        """Texts and files; empty without a content type. Files are closed when the request is over.

        - `max_part_size`: bytes of one text

        Raises HTTPException: 415 for what is no form, 400 for one that is broken or has too many fields or files, 413
        for one that is too large. Raises as `body` does, and ConfigurationError without python-multipart.
        """
        if self._form is None:
            from lambent.api.forms import Limits

            self._form = await self._read_form(Limits(max_fields or self.max_fields, max_files, max_part_size))
        return self._form

    async def _read_form(self, limits: Limits) -> Form:
        from lambent.api.forms import MULTIPART, URLENCODED, Form, check_charset, parse_urlencoded

        kind, parameters = self._content_type()
        if not kind:
            return Form({})
        if kind not in {MULTIPART, URLENCODED}:
            raise HTTPException(415, f"Expected a form, as {URLENCODED} or {MULTIPART}.")
        check_charset(parameters)
        if kind == URLENCODED:
            return parse_urlencoded(await self.body(), limits)
        from lambent.api.multipart import read_multipart

        return await read_multipart(self.stream(), parameters, limits)

    def _content_type(self) -> tuple[str, dict[str, str]]:
        return media_type(self.headers.get("content-type", ""))

    def close(self) -> None:
        """Close the files of its form, if there is one. Whoever answers the request does it at the end."""
        if self._form is not None:
            self._form.close_files()

    def __repr__(self) -> str:
        """Neither path nor query: they may hold what is secret."""
        return f"{type(self).__name__}({self.method}, id={self.id!r:.100})"


async def _only(body: bytes) -> AsyncIterator[bytes]:
    if body:
        yield body
