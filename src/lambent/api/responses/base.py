"""A response that is whole: a status, header fields, a body."""

from __future__ import annotations

from lambent.api.headers import MutableHeaders, field_value
from lambent.api.reply import ClientGone
from lambent.errors import InvalidResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from datetime import datetime
    from typing import Any, TypeVar

    from lambent.types import Message, RawHeaders, Receive, Scope, Send

    HeaderFields = Mapping[str, str] | Iterable[tuple[str, str]]
    Background = Callable[[], Awaitable[object]]
    Kind = TypeVar("Kind", bound="Response")

JSON = "application/json"
JSON_FIELD = (b"content-type", b"application/json")

BODILESS = frozenset((*range(100, 200), 204, 304))
"""Statuses without a body (RFC 9110, 6.4.1)."""


class Response:
    """Sent as it is: bytes, text in UTF-8, or what a subclass makes of its content in `render`.

    - `headers`: a mapping, or pairs where a field is repeated; `content-length` and `content-type` are there unless
      given here. Raises InvalidMessage for a field that would be read as more than it is
    - `media_type`: what `content-type` says; a text gets its charset
    - `background`: called when it has been sent

    Statuses without a body (1xx, 204, 304) are sent without one and what describes it; so is the answer to HEAD, with
    what describes the body of GET.
    """

    __slots__ = ("__dict__", "_headers", "background", "body", "status_code")

    media_type: str | None = None
    charset = "utf-8"

    def __init__(
        self,
        content: Any = None,
        status_code: int = 200,
        headers: HeaderFields | None = None,
        media_type: str | None = None,
        background: Background | None = None,
    ) -> None:
        self.status_code = status_code if type(status_code) is int else int(status_code)  # an HTTPStatus too
        if media_type is not None:
            self.media_type = media_type
        self.background = background
        self._headers = None if headers is None else MutableHeaders(headers)
        self.body: bytes = self.render(content)

    @property
    def headers(self) -> MutableHeaders:
        """What was given, and is added or replaced here; made when first asked for."""
        if self._headers is None:
            self._headers = MutableHeaders()
        return self._headers

    def render(self, content: Any) -> bytes:
        """Content → body. Raises InvalidResult for what it is not made of."""
        if content is None:
            return b""
        if isinstance(content, str):
            return content.encode(self.charset)
        if isinstance(content, bytes | bytearray | memoryview):
            return bytes(content)
        raise InvalidResult(
            f"Expected the content of a {type(self).__name__} to be str or bytes, but got {type(content).__name__}. "
            "Use JSONResponse for JSON.",
            "Function.InvalidResult",
        )

    def raw_headers(self) -> RawHeaders:
        """As ASGI has them, names in lower case, a list of its own."""
        return self._described(len(self.body))

    def _described(self, length: int | None) -> RawHeaders:
        """The fields, with the body's length, if known, and its type; without these where there is no body."""
        headers = self._headers
        raw: RawHeaders = [] if headers is None else headers.raw()
        if self.status_code in BODILESS:
            return [field for field in raw if field[0] not in {b"content-length", b"content-type"}]
        kind = self.media_type
        if headers is not None:
            if length is not None and "content-length" in headers:
                length = None
            if kind is not None and "content-type" in headers:
                kind = None
        if length is not None:
            raw.append((b"content-length", b"%d" % length))
        if kind is not None:
            raw.append(JSON_FIELD if kind == JSON else (b"content-type", content_type(kind, self.charset)))
        return raw

    def start(self) -> Message:
        """The message that begins it."""
        return {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers()}

    def set_cookie(
        self,
        key: str,
        value: str = "",
        max_age: int | None = None,
        expires: datetime | str | None = None,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: str | None = "lax",
        partitioned: bool = False,
    ) -> None:
        """Add a Set-Cookie field. Raises InvalidMessage for what would be read as more than it is."""
        from lambent.api.cookies import set_cookie_value

        field = set_cookie_value(
            key,
            value,
            max_age=max_age,
            expires=expires,
            path=path,
            domain=domain,
            secure=secure,
            httponly=httponly,
            samesite=samesite,
            partitioned=partitioned,
        )
        self.headers.append("set-cookie", field)

    def delete_cookie(
        self,
        key: str,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: str | None = "lax",
        partitioned: bool = False,
    ) -> None:
        """Have the client forget it. Path, domain and `partitioned` must be those that it was set with."""
        self.set_cookie(
            key,
            max_age=0,
            expires="Thu, 01 Jan 1970 00:00:00 GMT",
            path=path,
            domain=domain,
            secure=secure,
            httponly=httponly,
            samesite=samesite,
            partitioned=partitioned,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - as ASGI has it
        try:
            await send(self.start())
            is_empty = scope["method"] == "HEAD" or self.status_code in BODILESS
            await send({"type": "http.response.body", "body": b"" if is_empty else self.body})
        except ClientGone:
            pass
        if self.background is not None:
            await self.background()


def copied(response: Kind) -> Kind:
    """One to change for a request: the other stays as it is, for others. They share their content and background."""
    from copy import copy

    made = copy(response)
    if response._headers is not None:  # noqa: SLF001 - of the same class
        made._headers = MutableHeaders()  # noqa: SLF001
        for field in response._headers.raw():  # noqa: SLF001
            made._headers.append_raw(*field)  # noqa: SLF001
    return made


def content_type(media_type: str, charset: str) -> bytes:
    """Of texts with their charset. Raises InvalidMessage for what would be read as more than it is."""
    if media_type.startswith("text/") and "charset=" not in media_type.lower():
        media_type = f"{media_type}; charset={charset}"
    return field_value("content-type", media_type)


class PlainTextResponse(Response):
    """A text."""

    __slots__ = ()
    media_type = "text/plain"


class HTMLResponse(Response):
    """A page, as it is: nothing is escaped."""

    __slots__ = ()
    media_type = "text/html"


class RedirectResponse(Response):
    """Elsewhere: `url` may be relative. What a URL cannot have is percent-encoded, and what is encoded stays so."""

    __slots__ = ()

    def __init__(
        self,
        url: str,
        status_code: int = 307,
        headers: HeaderFields | None = None,
        background: Background | None = None,
    ) -> None:
        super().__init__(None, status_code, headers, background=background)
        self.headers["location"] = location(url)


def location(url: object) -> str:
    """Printable ASCII, whatever came: a line end, too, is percent-encoded."""
    from urllib.parse import quote

    return quote(str(url), safe=":/%#?=@[]!$&'()*+,;~", errors="surrogatepass")


class Draft(Response):
    """What a route is given that asks for a Response: fields, cookies and the status are sent with what it returns."""

    __slots__ = ()
    status_code: Any

    def __init__(self) -> None:
        super().__init__()
        self.status_code = None
        """Until it is set: what the route says."""
