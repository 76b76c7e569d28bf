"""Forms with files as tests write them: multipart/form-data, as browsers send it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from mimetypes import guess_type
from typing import Any

from lambent.errors import ConfigurationError

Content = bytes | bytearray | memoryview | str
File = Content | tuple[str | None, Content] | tuple[str | None, Content, str | None]
"""Its content, or a name with that, and perhaps a media type. A name that is None leaves a field without one."""
Files = Mapping[str, File] | Iterable[tuple[str, File]]

NAMELESS = "upload"
"""What a file is called that has no name, as by httpx."""
ESCAPES = {ord('"'): "%22", ord("\r"): "%0D", ord("\n"): "%0A"}
"""In names (HTML, "multipart/form-data encoding algorithm")."""


def multipart(fields: Any, files: Files) -> tuple[bytes, str]:
    """Texts and files → the body and its type. The same ones give the same body. Raises ConfigurationError."""
    parts = [_text(name, each) for name, value in _pairs(fields) for each in _several(value)]
    parts += [_file(name, each) for name, each in _pairs(files)]
    boundary = sha256(b"".join(parts)).hexdigest().encode()
    body = b"".join(b"--%b\r\n%b\r\n" % (boundary, part) for part in parts) + b"--%b--\r\n" % boundary
    return body, f"multipart/form-data; boundary={boundary.decode()}"


def _pairs(given: Any) -> Iterable[tuple[str, Any]]:
    return given.items() if isinstance(given, Mapping) else given


def _several(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list | tuple) else [value]


def _text(name: str, value: object) -> bytes:
    return _disposition(name) + b"\r\n\r\n" + (value if isinstance(value, bytes) else str(value).encode())


def _file(name: str, given: Any) -> bytes:
    filename, content, *kind = given if isinstance(given, tuple) and len(given) in {2, 3} else (NAMELESS, given)
    if not isinstance(content, bytes | bytearray | memoryview | str):
        raise ConfigurationError(
            f"files: expected bytes or text, or a tuple of a name, these, and perhaps a media type, but got "
            f"{given!r:.100} as {name!r}."
        )
    media_type = kind[0] if kind else None
    head = _disposition(name)
    if filename is not None:
        head += b'; filename="%b"' % _quoted(filename)
        media_type = media_type or guess_type(filename)[0] or "application/octet-stream"
    if media_type is not None:
        head += b"\r\ncontent-type: %b" % media_type.encode()
    return head + b"\r\n\r\n" + (content.encode() if isinstance(content, str) else bytes(content))


def _disposition(name: str) -> bytes:
    return b'content-disposition: form-data; name="%b"' % _quoted(name)


def _quoted(name: str) -> bytes:
    return name.translate(ESCAPES).encode()
