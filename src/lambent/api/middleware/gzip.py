"""Responses made smaller on their way, for clients that take them so."""

from __future__ import annotations

from lambent.api.middleware.fields import replaced, value_of, varied
from lambent.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import zlib
    from collections.abc import Sequence

    from lambent.types import ASGIApp, Message, RawHeaders, Receive, Scope, Send

TYPES = (
    "text/*",
    "*+json",
    "*+xml",
    "application/javascript",
    "application/json",
    "application/jsonl",
    "application/wasm",
    "application/x-ndjson",
    "application/xml",
    "application/yaml",
    "font/otf",
    "font/ttf",
)
"""What becomes smaller. Images, archives, audio and video are compressed already."""

EVENTS = "text/event-stream"
"""Proxies and clients of streams of events differ in what they make of compression: only where it is asked for."""

BODILESS = frozenset((204, 205, 206, 304))
"""These have no body, or a part of one, whose place counts in bytes."""

LEFT_ALONE = frozenset(
    (b"content-encoding", b"content-range", b"content-digest", b"repr-digest", b"digest", b"content-md5")
)
"""It is encoded already, or something says what its bytes are."""

GZIP = 31
"""`wbits` of zlib for the largest window in a gzip container."""


class GZipMiddleware:
    """Compresses bodies for clients that accept gzip.

    - `minimum_size`: bytes; what is smaller leaves as it is
    - `compresslevel`: 1, the fastest, to 9, the smallest
    - `types`: of bodies: `text/html`, `text/*`, `*+json`. `text/event-stream` counts only where it is named in full

    A body that is sent in pieces is compressed in pieces, each of which leaves at once. The head waits for the first of
    them, which tells whether there are more. Left alone: what is encoded already, partial, without a body, or marked
    `no-transform`; responses to HEAD; what does not become smaller. brotli and zstd are not spoken.

    A response that holds a secret beside something that the client sent tells an eavesdropper by its size how alike
    the two are (BREACH). Where that may be, as with a token in a page beside a search term, keep the middleware away
    from that route, or mask the secret anew in every response. Raises ConfigurationError.
    """

    __slots__ = ("_level", "_minimum", "_types", "app")

    def __init__(
        self, app: ASGIApp, minimum_size: int = 500, compresslevel: int = 6, types: Sequence[str] = TYPES
    ) -> None:
        if not 1 <= compresslevel <= 9:
            raise ConfigurationError(f"compresslevel: expected 1 to 9, but got {compresslevel!r}.")
        if minimum_size < 0:
            raise ConfigurationError(f"minimum_size: expected a number of bytes from 0, but got {minimum_size!r}.")
        self.app = app
        self._minimum = minimum_size
        self._level = compresslevel
        self._types = Types(types)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        accepted = scope["method"] != "HEAD" and accepts_gzip(value_of(scope["headers"], b"accept-encoding") or b"")
        known = value_of(scope["headers"], b"if-none-match") or b""
        await self.app(scope, receive, Packing(send, self._types, self._minimum, self._level if accepted else 0, known))


class Packing:
    """One response on its way: the `send` that the application is given."""

    __slots__ = ("_head", "_known", "_level", "_minimum", "_packer", "_send", "_types")

    def __init__(self, send: Send, types: Types, minimum: int, level: int, known: bytes) -> None:
        self._send = send
        self._types = types
        self._minimum = minimum
        self._level = level
        """0: the client does not take it, but another one would: caches have to know."""
        self._known = known
        """Tags that the client has."""
        self._head: Message | None = None
        """What waits for the first piece of the body."""
        self._packer: zlib._Compress | None = None

    async def __call__(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.start" and self._types.fit(message):
            self._head = message
        elif kind == "http.response.body" and self._packer is not None:
            await self._go_on(self._packer, message)
        elif self._head is not None:
            head, self._head = self._head, None
            if kind == "http.response.body":
                await self._begin(head, message)
            else:  # a file that the server is to send, or the like
                await self._send(head)
                await self._send(message)
        elif kind == "http.response.start" and self._types.vary(message):
            await self._send({**message, "headers": unpacked(message.get("headers", ()), self._known)})
        else:
            await self._send(message)

    async def _begin(self, head: Message, message: Message) -> None:
        headers = head.get("headers", ())
        body, more = message.get("body", b""), message.get("more_body", False)
        size = len(body) if body and not more else stated(headers, None if more else 0)
        if size is not None and size < self._minimum:
            await self._send(head)
            await self._send(message)
            return
        if self._level and not more:
            packed = _packed(body, self._level)
            if len(packed) < len(body):
                await self._send({**head, "headers": encoded(headers, len(packed))})
                await self._send({**message, "body": packed})
                return
        elif self._level:
            self._packer = _packer(self._level)
            await self._send({**head, "headers": encoded(headers, None)})
            await self._go_on(self._packer, message)
            return
        await self._send({**head, "headers": varied(headers, (b"Accept-Encoding",))})
        await self._send(message)

    async def _go_on(self, packer: zlib._Compress, message: Message) -> None:
        import zlib

        body = message.get("body", b"")
        if not message.get("more_body", False):
            packed = packer.compress(body) + packer.flush()
        elif body:
            packed = packer.compress(body) + packer.flush(zlib.Z_SYNC_FLUSH)
        else:
            packed = b""
        await self._send({**message, "body": packed})


class Types:
    """Which responses become smaller, by their type."""

    __slots__ = ("_families", "_names", "_suffixes")

    def __init__(self, types: Sequence[str]) -> None:
        if isinstance(types, str):
            raise ConfigurationError(f"types: expected a list of texts, but got a text: write [{types!r}].")
        names = [each.lower() for each in types]
        for each in names:
            family, slash, name = each.partition("/")
            if not (family and slash and name) and not each.startswith("*+"):
                raise ConfigurationError(f"types: expected 'text/html', 'text/*' or '*+json', but got {each!r}.")
        self._names = frozenset(names)
        self._families = frozenset(each[:-2] for each in names if each.endswith("/*"))
        self._suffixes = tuple(each[1:] for each in names if each.startswith("*+"))

    def fit(self, head: Message) -> bool:
        """Whether the body of this response may be compressed, as far as the head tells."""
        if head["status"] < 200 or head["status"] in BODILESS:
            return False
        media_type = b""
        for raw, value in head.get("headers", ()):
            name = raw.lower()
            if name in LEFT_ALONE or (name == b"cache-control" and b"no-transform" in value.lower()):
                return False
            if name == b"content-type":
                media_type = value
        return self.have(_media_type(media_type))

    def vary(self, head: Message) -> bool:
        """Whether this stands for a body, or is a part of one, that may be compressed elsewhere."""
        if head["status"] == 304:  # which does not say its type
            return True
        return head["status"] == 206 and self.have(_media_type(value_of(head.get("headers", ()), b"content-type")))

    def have(self, media_type: str) -> bool:
        if media_type in self._names:
            return True
        if media_type == EVENTS:
            return False
        return media_type.partition("/")[0] in self._families or media_type.endswith(self._suffixes)


def accepts_gzip(field: bytes) -> bool:
    """Whether a client takes gzip, and does not prefer the plain body (RFC 9110, 12.5.3)."""
    if b"gzip" not in field.lower() and b"*" not in field:
        return False
    weights: dict[bytes, float] = {}
    for each in field.lower().split(b","):
        coding, *parameters = map(bytes.strip, each.split(b";"))
        weights[coding] = _weight(parameters)
    weight = weights.get(b"gzip", weights.get(b"x-gzip", weights.get(b"*", 0.0)))
    return weight > 0 and weight >= weights.get(b"identity", 0.0)


def _weight(parameters: Sequence[bytes]) -> float:
    """Of a coding: 1 where it has none, and 0 where that is no weight."""
    for each in parameters:
        name, _, text = each.partition(b"=")
        if name.strip() == b"q":
            digits = text.strip()
            return float(digits) if len(digits) <= 5 and digits.replace(b".", b"", 1).isdigit() else 0.0
    return 1.0


def encoded(headers: RawHeaders, size: int | None) -> RawHeaders:
    """The fields of a response, once its body is compressed to `size` bytes; None: nobody knows yet."""
    fields = [(b"content-encoding", b"gzip")]
    if size is not None:
        fields.append((b"content-length", b"%d" % size))
    tag = value_of(headers, b"etag")
    if tag is not None:
        fields.append((b"etag", tag if tag.startswith(b"W/") else b"W/" + tag))
    kept = [field for field in headers if field[0].lower() not in {b"content-length", b"accept-ranges"}]
    return varied(replaced(kept, fields), (b"Accept-Encoding",))


def unpacked(headers: RawHeaders, known: bytes) -> RawHeaders:
    """The fields of a 206 or 304 as the whole would have them (RFC 9110, 15.3.7 and 15.4.5).

    - `known`: the tags that the client has; where that of the compressed body is among them, it is the response's
    """
    tag = value_of(headers, b"etag")
    if tag is not None and not tag.startswith(b"W/") and b"W/" + tag in known:
        headers = replaced(headers, [(b"etag", b"W/" + tag)])
    return varied(headers, (b"Accept-Encoding",))


def stated(headers: RawHeaders, default: int | None) -> int | None:
    """`Content-Length`, or the default for what is none."""
    value = value_of(headers, b"content-length")
    return int(value) if value is not None and value.isdigit() else default


def _media_type(field: bytes | None) -> str:
    return (field or b"").partition(b";")[0].strip().lower().decode("latin-1")


def _packed(body: bytes, level: int) -> bytes:
    import zlib

    return zlib.compress(body, level, GZIP)


def _packer(level: int) -> zlib._Compress:
    import zlib

    return zlib.compressobj(level, zlib.DEFLATED, GZIP)
