"""Multipart forms, read by python-multipart as they come (RFC 7578)."""

from __future__ import annotations

import asyncio

from lambent.api.exceptions import HTTPException
from lambent.api.forms import Form
from lambent.api.headers import Headers, media_type
from lambent.api.uploads import SPOOLED, UploadFile, base_name
from lambent.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from python_multipart import MultipartParser

    from lambent.api.forms import Limits
    from lambent.types import RawHeaders

PIECE = 256 * 1024
"""Bytes that are read in one go: about a millisecond's. Others have their turn in between."""

MAX_HEADERS = 8192
"""Bytes of header fields that one part may have; newer versions of the library hold each field to half of that."""


async def read_multipart(pieces: AsyncIterator[bytes], parameters: Mapping[str, str], limits: Limits) -> Form:
    """Read a form as it comes; the caller closes its files.

    - `parameters`: of the content type

    Raises HTTPException (400, 413) for one that is broken, ends early, or has more than the limits: then no file is
    left open. Raises ConfigurationError without python-multipart.
    """
    parts = Parts(limits)
    parser = _parser(parts, _boundary(parameters))
    try:
        async for piece in pieces:
            for start in range(0, len(piece), PIECE):
                if start:
                    await asyncio.sleep(0)
                _feed(parser, piece[start : start + PIECE])
        if not parts.ended:
            raise HTTPException(400, "Expected a multipart form that is complete, but its last boundary is missing.")
    except BaseException:
        parts.close()
        raise
    return Form(parts.values)


def _boundary(parameters: Mapping[str, str]) -> bytes:
    """Of 1 to 70 characters (RFC 2046, 5.1.1)."""
    boundary = parameters.get("boundary", "")
    if not 0 < len(boundary) <= 70 or not boundary.isascii() or not boundary.isprintable():
        raise HTTPException(400, "Expected a content type with a boundary of 1 to 70 characters.")
    return boundary.encode()


def _parser(parts: Parts, boundary: bytes) -> MultipartParser:
    try:
        from python_multipart import MultipartParser
    except ImportError:
        raise ConfigurationError(
            'Multipart forms are read by python-multipart, which is not installed: pip install "lambent[forms]".'
        ) from None
    return MultipartParser(
        boundary,
        {
            "on_part_begin": parts.begin,
            "on_header_field": parts.take_header_name,
            "on_header_value": parts.take_header_value,
            "on_header_end": parts.end_header,
            "on_headers_finished": parts.end_headers,
            "on_part_data": parts.take,
            "on_part_end": parts.end,
            "on_end": parts.end_all,
        },
    )


def _feed(parser: MultipartParser, data: bytes) -> None:
    from python_multipart.exceptions import FormParserError

    try:
        parser.write(data)
    except FormParserError:
        raise HTTPException(400, "Expected a multipart form that is well-formed.") from None


class Parts:
    """The parts of a form on its way, one after the other. What the parser tells comes in pieces."""

    __slots__ = (
        "_file",
        "_files",
        "_header_name",
        "_header_size",
        "_header_value",
        "_headers",
        "_limits",
        "_name",
        "_text",
        "_texts",
        "ended",
        "values",
    )

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._headers: RawHeaders = []
        self._header_name = self._header_value = b""
        self._header_size = 0
        self._name = ""
        self._text = bytearray()
        self._file: UploadFile | None = None
        """What the part is written to; None for a text."""
        self._texts = self._files = 0
        self.values: dict[str, list[str | UploadFile]] = {}
        self.ended = False

    def begin(self) -> None:
        self._headers = []
        self._header_size = 0

    def take_header_name(self, data: bytes, start: int, end: int) -> None:
        self._count_header(end - start)
        self._header_name += data[start:end]

    def take_header_value(self, data: bytes, start: int, end: int) -> None:
        self._count_header(end - start)
        self._header_value += data[start:end]

    def _count_header(self, size: int) -> None:
        self._header_size += size
        if self._header_size > MAX_HEADERS:
            raise HTTPException(
                400, f"Expected a multipart form with at most {MAX_HEADERS} bytes of headers in a part."
            )

    def end_header(self) -> None:
        self._headers.append((self._header_name.lower(), self._header_value.strip(b" \t")))
        self._header_name = self._header_value = b""

    def end_headers(self) -> None:
        parameters = media_type(_decoded(dict(self._headers).get(b"content-disposition", b"")))[1]
        if "name" not in parameters:
            raise HTTPException(400, "Expected each part of the form to have a name.")
        self._name = parameters["name"]
        if "filename" in parameters:
            self._begin_file(base_name(parameters["filename"]))
        else:
            self._begin_text()

    def _begin_file(self, filename: str) -> None:
        from tempfile import SpooledTemporaryFile

        self._files += 1
        if self._files > self._limits.files:
            raise HTTPException(400, f"Expected at most {self._limits.files} files.")
        file = SpooledTemporaryFile(max_size=SPOOLED)  # noqa: SIM115 - it is closed when the request is over
        self._file = UploadFile(file, size=0, filename=filename, headers=Headers(self._headers))

    def _begin_text(self) -> None:
        self._texts += 1
        if self._texts > self._limits.fields:
            raise HTTPException(400, f"Expected at most {self._limits.fields} form fields.")
        self._text.clear()

    def take(self, data: bytes, start: int, end: int) -> None:
        if self._file is not None:
            self._file.file.write(data[start:end])
        else:
            self._limits.check_part(len(self._text) + end - start)
            self._text += data[start:end]

    def end(self) -> None:
        """Keep the part, unless it is what browsers send where no file was chosen: nothing, without a name."""
        file, self._file = self._file, None
        if file is None:
            self.values.setdefault(self._name, []).append(str(self._text, "utf-8", "replace"))
            return
        file.size = file.file.tell()
        file.file.seek(0)
        if file.size or file.filename:
            self.values.setdefault(self._name, []).append(file)
        else:
            file.file.close()

    def end_all(self) -> None:
        self.ended = True

    def close(self) -> None:
        """Close all files, the one that is on its way too."""
        if self._file is not None:
            self._file.file.close()
        Form(self.values).close_files()


def _decoded(header: bytes) -> str:
    """Browsers write names in UTF-8."""
    try:
        return header.decode()
    except UnicodeDecodeError:
        return header.decode("latin-1")
