"""HTTP requests as tests write them. Pure."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, Generic, NamedTuple, TypedDict, TypeVar, Unpack
from urllib.parse import urlencode

from lambent.dev.diff.request import Headers, read_request
from lambent.dev.doors.model import HTTPRequest
from lambent.errors import ConfigurationError
from lambent.testing.uploads import Files, multipart

R = TypeVar("R")

Pairs = Mapping[str, object] | Iterable[tuple[str, object]]

AGENT = "lambent"


class Options(TypedDict, total=False):
    """What can be said of a request."""

    params: Pairs | str
    """The query, beside what the URL has of it. A value that is a list is repeated."""
    headers: Headers
    cookies: Mapping[str, str]
    json: object
    """The body, as JSON."""
    data: bytes | bytearray | memoryview | str | Pairs | None
    """The body: as it is, or the fields of a form."""
    files: Files | None
    """Files of a form: `{"picture": ("a.png", b"...", "image/png")}`, or just the bytes; `data` is its other fields."""
    authorizer: Mapping[str, object]
    """What an authorizer has found out: `{"jwt": {"claims": {…}, "scopes": […]}}`, `{"lambda": {…}}` or `{"iam": {…}}`.

    It stands in the event where the door has it.
    """


class Order(NamedTuple):
    """A request, and what goes with it."""

    request: HTTPRequest
    authorizer: Mapping[str, object] | None = None
    is_located: bool = False
    """Whether its host was said."""


class Verbs(ABC, Generic[R]):
    """Requests by their methods. Each takes a path or URL, and Options."""

    @abstractmethod
    def send(self, order: Order) -> R:
        """Send it, and give the response."""

    def request(self, method: str, url: str, **options: Unpack[Options]) -> R:
        """Raises ConfigurationError for what is no request."""
        return self.send(written(method, url, options))

    def get(self, url: str, **options: Unpack[Options]) -> R:
        return self.request("GET", url, **options)

    def head(self, url: str, **options: Unpack[Options]) -> R:
        return self.request("HEAD", url, **options)

    def options(self, url: str, **options: Unpack[Options]) -> R:
        return self.request("OPTIONS", url, **options)

    def delete(self, url: str, **options: Unpack[Options]) -> R:
        return self.request("DELETE", url, **options)

    def post(self, url: str, **options: Unpack[Options]) -> R:
        return self.request("POST", url, **options)

    def put(self, url: str, **options: Unpack[Options]) -> R:
        return self.request("PUT", url, **options)

    def patch(self, url: str, **options: Unpack[Options]) -> R:
        return self.request("PATCH", url, **options)


def written(method: str, url: str, options: Options) -> Order:
    """As HTTPRequest. Raises ConfigurationError, which says what was expected."""
    unknown = sorted(set(options) - set(Options.__annotations__))
    if unknown:
        known = ", ".join(Options.__annotations__)
        raise ConfigurationError(f"{method} {url}: expected options of {known}, but got {', '.join(unknown)}.")
    body, kind = content(options)
    implied = {"user-agent": AGENT, "accept": "*/*", **kind, **cookie(options.get("cookies") or {})}
    given = listed(options.get("headers") or ())
    named = {name.lower() for name, _ in given}
    fields = [*((name, value) for name, value in implied.items() if name not in named), *given]
    try:
        request = read_request(method, with_query(url, options.get("params") or ""), fields, body)
    except ValueError as error:
        raise ConfigurationError(f"{method} {url}: {error}.") from None
    return Order(request, options.get("authorizer"), "host" in named or not url.startswith("/"))


def content(options: Options) -> tuple[bytes, dict[str, str]]:
    """The body and its type, which text and bytes do not have. Raises ConfigurationError."""
    data: Any = options.get("data")
    files = options.get("files")
    if isinstance(data, bytearray | memoryview):
        data = bytes(data)
    if "json" in options:
        if data or files is not None:
            raise ConfigurationError("Expected a body as `json`, or as `data` and `files`, but got both.")
        return json.dumps(options["json"], separators=(",", ":")).encode(), {"content-type": "application/json"}
    if files is not None:
        if data and isinstance(data, str | bytes):
            raise ConfigurationError("Expected the fields of a form as `data` beside `files`, but got a whole body.")
        body, kind = multipart(data or (), files)
        return body, {"content-type": kind}
    if data is None or isinstance(data, str | bytes):
        return data.encode() if isinstance(data, str) else data or b"", {}
    try:
        form = urlencode(data, doseq=True).encode()
    except TypeError:
        expected = "bytes, text or the fields of a form, such as {'name': 'ann'}"
        raise ConfigurationError(f"Expected `data` to be {expected}, but got {data!r:.100}.") from None
    return form, {"content-type": "application/x-www-form-urlencoded"}


def listed(headers: Any) -> list[tuple[str, str]]:
    """Names and values. Raises ConfigurationError."""
    try:
        pairs = [(name, value) for name, value in (headers.items() if isinstance(headers, Mapping) else headers)]
    except (TypeError, ValueError):
        expected = "names and values, such as {'accept': 'text/html'}"
        raise ConfigurationError(f"Expected `headers` to be {expected}, but got {headers!r:.100}.") from None
    for pair in pairs:
        if not all(isinstance(each, str) for each in pair):
            raise ConfigurationError(f"Expected a header's name and value to be text, but got {pair!r:.100}.")
    return pairs


def cookie(cookies: Mapping[str, str]) -> dict[str, str]:
    return {"cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())} if cookies else {}


def with_query(url: str, params: Pairs | str) -> str:
    pairs: Any = params
    more = pairs if isinstance(pairs, str) else urlencode(pairs, doseq=True)
    url, hash_, fragment = url.partition("#")
    return url + (("&" if "?" in url else "?") + more if more else "") + hash_ + fragment
