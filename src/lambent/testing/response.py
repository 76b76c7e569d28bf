"""What comes back: an HTTP response, as a client sees it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from email.message import Message
from typing import Any

from lambent.dev.doors.model import RawHeaders


class Headers(Mapping[str, str]):
    """Of a response. Names in any case; of a name that is repeated the values are joined by commas."""

    def __init__(self, fields: RawHeaders) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in fields:
            self._values.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))

    def __getitem__(self, name: str) -> str:
        return ", ".join(self._values[name.lower()])

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._values

    def all(self, name: str) -> list[str]:
        """Each value of its own, in order."""
        return list(self._values.get(name.lower(), ()))

    def __repr__(self) -> str:
        return f"Headers({dict(self)!r})"


class Response:
    """An HTTP response."""

    def __init__(self, status: int, fields: RawHeaders, body: bytes) -> None:
        self.status = status
        self.headers = Headers(fields)
        self.body = body

    @property
    def text(self) -> str:
        """The body in the charset that its type names, in UTF-8 if it names none."""
        head = Message()
        head["content-type"] = self.headers.get("content-type", "")
        charset = head.get_param("charset")
        try:
            return self.body.decode(charset if isinstance(charset, str) else "utf-8", "replace")
        except LookupError:  # there is no such charset
            return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body, read. ValueError if it is no JSON: the message has its beginning."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise ValueError(f"Expected a body that is JSON, but got {self.body[:200]!r}: {error}.") from None

    @property
    def cookies(self) -> dict[str, str]:
        """Those that it sets, by name, without their attributes; these are in `headers.all("set-cookie")`."""
        pairs = (each.partition(";")[0].partition("=") for each in self.headers.all("set-cookie"))
        return {name.strip(): value.strip() for name, _, value in pairs}

    def __repr__(self) -> str:
        return f"<Response {self.status} {self.headers.get('content-type', '')} {self.body[:60]!r}>"
