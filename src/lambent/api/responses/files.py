"""A file, or the parts of it that are asked for.

Source: RFC 9110, 13 (conditions), 14 (ranges); RFC 6266 and RFC 8187 for its name.
"""

from __future__ import annotations

import asyncio

from lambent.api.responses.base import content_type, copied
from lambent.api.responses.ranges import multipart, requested
from lambent.api.responses.streams import Items, StreamingResponse
from lambent.errors import IncompleteResponse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import PathLike, stat_result
    from typing import BinaryIO

    from lambent.api.headers import Headers
    from lambent.api.responses.base import Background, HeaderFields
    from lambent.api.responses.ranges import Part
    from lambent.types import Receive, Scope, Send

CHUNK = 64 * 1024

BINARY = "application/octet-stream"


class FileResponse(StreamingResponse):
    """A file's content, read in threads, 64 KiB at a time.

    - `filename`: what a browser saves it as; without it there is no `content-disposition`
    - `media_type`: by the path's ending, unless given
    - `content_disposition`: `attachment`, or `inline`

    `etag` and `last-modified` are there unless given. With status 200, GET is answered 304 where the client has it, and
    206 or 416 where it asks for ranges; who asks for more than 16 gets it whole. Raises FileNotFoundError if it is not
    there, OSError for what is no file, before anything is sent; IncompleteResponse when it becomes shorter meanwhile.
    """

    __slots__ = ("path",)

    def __init__(
        self,
        path: str | PathLike[str],
        filename: str | None = None,
        media_type: str | None = None,
        status_code: int = 200,
        headers: HeaderFields | None = None,
        content_disposition: str = "attachment",
        background: Background | None = None,
    ) -> None:
        super().__init__((), status_code, headers, media_type or guessed(filename or str(path)), background)
        self.path = path
        if filename is not None:
            self.headers.setdefault("content-disposition", disposition(content_disposition, filename))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await copied(self)._sent(scope, receive, send)  # noqa: SLF001 - of the same class

    async def _sent(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Changes this: its status, its fields and its content are then those for this request."""
        found = await _opened_in_thread(self.path)
        try:
            self._describe(found)
            parts = self._select(scope, found)
        except BaseException:
            found.file.close()
            raise
        self.length = sum(len(each) if isinstance(each, bytes) else each[1] - each[0] for each in parts)
        self.content = Pieces(found, parts)
        await super().__call__(scope, receive, send)  # which closes it

    def _describe(self, found: Opened) -> None:
        from email.utils import formatdate

        self.headers.setdefault("etag", f'"{found.modified:x}-{found.size:x}"')
        self.headers.setdefault("last-modified", formatdate(found.seconds, usegmt=True))
        self.headers.setdefault("accept-ranges", "bytes")

    def _select(self, scope: Scope, found: Opened) -> list[Part]:
        """What is sent of it: and the status and the fields that say so."""
        from lambent.api.headers import Headers

        whole: list[Part] = [(0, found.size)]
        if self.status_code != 200 or scope["method"] not in {"GET", "HEAD"}:
            return whole
        asked = Headers(scope["headers"])
        if self._is_known(asked, found.seconds):
            self.status_code = 304
            return []
        if scope["method"] == "HEAD" or "range" not in asked or not self._is_still_that(asked):
            return whole
        ranges = requested(asked["range"], found.size)
        return whole if ranges is None else self._partly(ranges, found.size)

    def _is_known(self, asked: Headers, modified: int) -> bool:
        """Whether the client has it (RFC 9110, 13.2.2)."""
        if "if-none-match" in asked:
            known = [each.strip().removeprefix("W/") for each in asked["if-none-match"].split(",")]
            return "*" in known or self.headers["etag"].removeprefix("W/") in known
        since = _seconds(asked.get("if-modified-since"))
        return since is not None and modified <= since

    def _is_still_that(self, asked: Headers) -> bool:
        """Whether it is what the client has parts of: by a strong comparison (RFC 9110, 13.1.5)."""
        had = asked.get("if-range")
        if had is None:
            return True
        return had in (self.headers["last-modified"], self.headers["etag"]) and not had.startswith("W/")

    def _partly(self, ranges: list[tuple[int, int]], size: int) -> list[Part]:
        self.status_code = 206 if ranges else 416
        if not ranges:
            self.headers["content-range"] = f"bytes */{size}"
            return []
        if len(ranges) == 1:
            self.headers["content-range"] = f"bytes {ranges[0][0]}-{ranges[0][1] - 1}/{size}"
            return [ranges[0]]
        kind = self.headers.get("content-type") or content_type(self.media_type or BINARY, self.charset).decode(
            "latin-1"
        )
        boundary, parts = multipart(ranges, size, kind)
        self.headers["content-type"] = f"multipart/byteranges; boundary={boundary}"
        return parts


class Opened:
    """A file, or all of a small one."""

    __slots__ = ("content", "file", "modified", "path", "size")

    def __init__(self, path: str | PathLike[str], file: BinaryIO, status: stat_result) -> None:
        self.path = path
        self.size = status.st_size
        self.modified = status.st_mtime_ns
        self.file = file
        self.content = b""
        """All of it, where that is not more than one chunk: then the file is closed already."""

    @property
    def seconds(self) -> int:
        """When it was modified, as fields have it."""
        return self.modified // 1_000_000_000

    def read(self, place: int, end: int) -> bytes:
        """A piece from there. Raises IncompleteResponse if there is none."""
        if self.content:
            piece = self.content[place:end]
        else:
            self.file.seek(place)
            piece = self.file.read(min(CHUNK, end - place))
        if not piece:
            raise IncompleteResponse(f"Expected {self.path} to have {end} bytes as before, but now it has {place}.")
        return piece


def opened(path: str | PathLike[str]) -> Opened:
    """Raises OSError for what is no file, or cannot be read. A pipe is not waited for."""
    from errno import EINVAL, EISDIR
    from os import fstat, stat
    from stat import S_ISDIR, S_ISREG

    mode = stat(path).st_mode  # noqa: PTH116 - pathlib costs a cold start more
    if not S_ISREG(mode):
        raise OSError(
            EISDIR if S_ISDIR(mode) else EINVAL, "Expected a file to send, but it is something else", str(path)
        )
    file = open(path, "rb")  # noqa: PTH123, SIM115 - whoever sends it closes it
    try:
        found = Opened(path, file, fstat(file.fileno()))
        if found.size <= CHUNK:
            found.content = file.read(found.size)
            file.close()
    except BaseException:
        file.close()
        raise
    return found


async def _opened_in_thread(path: str | PathLike[str]) -> Opened:
    """Where this is cancelled, the file is closed when the thread comes back."""
    opening = asyncio.get_running_loop().run_in_executor(None, opened, path)
    try:
        return await asyncio.shield(opening)  # nothing can end what runs in a thread
    except asyncio.CancelledError:
        opening.add_done_callback(_close_after)
        raise


def _close_after(opening: asyncio.Future[Opened]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().file.close()


class Pieces(Items):
    """The parts of a file that are sent, a chunk at a time."""

    __slots__ = ("_file", "_left", "_place")

    def __init__(self, file: Opened, parts: list[Part]) -> None:
        super().__init__(())
        self._file = file
        self._left = parts[::-1]
        self._place = 0
        """In the part that is being sent, where it is the file's."""

    async def next(self) -> bytes:
        part = self._left[-1]
        if isinstance(part, bytes):
            return self._done(part)
        first, end = part
        place = max(first, self._place)
        file = self._file
        if file.content or file.file.closed:
            piece = file.read(place, end)
        else:
            piece = await self._run(file.read, place, end)
        self._place = place + len(piece)
        return self._done(piece) if self._place == end else piece

    def _done(self, piece: bytes) -> bytes:
        self._left.pop()
        self._place = 0
        return piece

    async def close(self) -> None:
        await self._close(self._file.file.close)


def guessed(name: str) -> str:
    """The media type by the name's ending. What is compressed is told as that, for that is what is sent."""
    from mimetypes import guess_type

    kind, encoding = guess_type(name.replace("?", "_").replace("#", "_"), strict=False)
    if encoding is not None:
        return {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}.get(
            encoding, BINARY
        )
    return kind or BINARY


def disposition(kind: str, filename: str) -> str:
    """`attachment; filename="a.txt"`; a name that needs more comes as RFC 8187 has it, after one that old clients take.

    Raises InvalidMessage for a kind that is not a token.
    """
    from urllib.parse import quote

    from lambent.api.headers import field_name

    kind = field_name(kind).decode()
    plain = "".join(each if " " <= each <= "~" and each not in '"\\%' else "_" for each in filename)
    if plain == filename:
        return f'{kind}; filename="{filename}"'
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='', errors='replace')}"


def _seconds(date: str | None) -> int | None:
    """Of a date in a field; None for what is none."""
    from email.utils import parsedate_to_datetime

    try:
        return None if date is None else int(parsedate_to_datetime(date).timestamp())
    except (ValueError, OverflowError, TypeError):
        return None
