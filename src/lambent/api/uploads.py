"""Files that came with a form."""

from __future__ import annotations

import asyncio

from lambent.api.headers import Headers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO

SPOOLED = 1024 * 1024
"""Bytes of a file that are held in memory; a larger one is in a temporary file."""


class UploadFile:
    """One file of a form, at its beginning. It is closed when the request is over.

    - `file`: what holds it, to be read without waiting
    - `filename`: as the client named it, without the path; may be empty
    - `size`: in bytes
    - `headers`: of its part of the form
    """

    __slots__ = ("file", "filename", "headers", "size")

    def __init__(
        self, file: IO[bytes], *, size: int | None = None, filename: str | None = None, headers: Headers | None = None
    ) -> None:
        self.file = file
        self.size = size
        self.filename = filename
        self.headers = Headers() if headers is None else headers

    @property
    def content_type(self) -> str | None:
        """As the client says; it may be wrong."""
        return self.headers.get("content-type")

    async def read(self, size: int = -1) -> bytes:
        """So many bytes from where it stands; all that are left by default."""
        return self.file.read(size) if self._is_in_memory(0) else await asyncio.to_thread(self.file.read, size)

    async def seek(self, offset: int) -> None:
        """Stand at a byte, counted from the beginning."""
        self.file.seek(offset)

    async def write(self, data: bytes) -> None:
        """Write from where it stands."""
        if self._is_in_memory(len(data)):
            self.file.write(data)
        else:
            await asyncio.to_thread(self.file.write, data)
        if self.size is not None:
            self.size = max(self.size, self.file.tell())

    async def close(self) -> None:
        """Throw it away."""
        self.file.close()

    def _is_in_memory(self, more: int) -> bool:
        """Whether it is there, and still when so many bytes have been added."""
        if getattr(self.file, "_rolled", True):
            return False
        return not more or self.file.tell() + more <= SPOOLED

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size}, content_type={self.content_type!r:.100})"


def base_name(filename: str) -> str:
    """What is left of a name without the path before it, of either kind, and without control characters.

    Empty for what would lead elsewhere: `..` and `.`.
    """
    name = filename.replace("\\", "/").rpartition("/")[2]
    name = "".join(each for each in name if each >= " " and each != "\x7f").strip()
    return "" if name in {".", ".."} else name
