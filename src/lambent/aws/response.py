"""What an AWS service answered, and how it names its errors. Pure.

Source: smithy.io, "AWS JSON 1.0 protocol" and "AWS restJson1 protocol" (operation error serialization); Amazon S3 API
Reference, "Error responses".

    x-amzn-errortype: GoneException:http://internal.amazon.com/coral/...     REST APIs
    {"__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", "message": "..."}
    <Error><Code>NoSuchKey</Code><Message>...</Message></Error>
"""

from __future__ import annotations

from typing import NamedTuple


class Response(NamedTuple):
    """An answer, whatever its status."""

    status: int
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def code(self) -> str:
        """The error as the service names it, such as `ConditionalCheckFailedException`; empty if it names none."""
        return _bare(self.headers.get("x-amzn-errortype", "")) or _said(self.body)[0]

    @property
    def message(self) -> str:
        """What the service says of it; empty if nothing."""
        return _said(self.body)[1]


def _said(body: bytes) -> tuple[str, str]:
    """Code and message of an error, as JSON or XML has them."""
    start = body.lstrip()[:1]
    if start == b"{":
        return _of_json(body)
    return _of_xml(body) if start == b"<" else ("", "")


def _of_json(body: bytes) -> tuple[str, str]:
    import json

    try:
        said = json.loads(body)
    except ValueError:
        return "", ""
    code = said.get("__type") or said.get("code") or ""
    message = said.get("message") or said.get("Message") or ""
    return _bare(code) if isinstance(code, str) else "", message if isinstance(message, str) else ""


def _of_xml(body: bytes) -> tuple[str, str]:
    from html import unescape

    text = body.decode("utf-8", "replace")
    code, message = (unescape(_between(text, f"<{name}>", f"</{name}>")) for name in ("Code", "Message"))
    return code, message


def _between(text: str, start: str, end: str) -> str:
    _, found, rest = text.partition(start)
    return rest.partition(end)[0].strip() if found else ""


def _bare(code: str) -> str:
    """A name without the namespace in front of it and the address behind it."""
    return code.partition(":")[0].rpartition("#")[2].strip()
