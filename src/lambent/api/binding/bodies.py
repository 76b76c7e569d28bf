"""What of a request's body is read before arguments are made of it: JSON, or a form. The edge to the network."""

from __future__ import annotations

from lambent.api.binding.media_types import is_form, is_json
from lambent.api.exceptions import HTTPException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from lambent.api.binding.reading import Reading
    from lambent.api.request import Request
    from lambent.api.uploads import UploadFile

JSON = b"application/json"
"""How nearly all of it comes."""


class JsonBody:
    """A body of JSON. One of another type is not read; where it is `required`, it is answered with 415."""

    __slots__ = ("_required",)

    def __init__(self, *, required: bool) -> None:
        self._required = required

    def prepare(self, reading: Reading) -> Awaitable[bytes]:
        """The body, or nothing. Raises HTTPException (413, 415), and what reading raises."""
        request = reading.request
        kind = request.headers.find(b"content-type")
        if kind == JSON or kind is None or is_json(kind.decode("latin-1")):
            return request.body()
        return self._other(request)

    async def _other(self, request: Request) -> bytes:
        if self._required and await request.body():
            raise HTTPException(415, "Expected a body of JSON, as application/json.")
        return b""


class FormBody:
    """A form. Something else is not read, unless one is `required`; `contents` are the files whose bytes are wanted."""

    __slots__ = ("_contents", "_required")

    def __init__(self, contents: Sequence[str], *, required: bool) -> None:
        self._contents = contents
        self._required = required

    async def prepare(self, reading: Reading) -> bytes:
        """Nothing: a form is no JSON. Raises HTTPException (400, 413, 415), and what reading raises."""
        request = reading.request
        if not self._required and not is_form(request.headers.get("content-type")):
            return b""
        form = reading.form = await request.form()
        if self._contents:
            reading.contents = {name: [await _content(each) for each in form.getlist(name)] for name in self._contents}
        return b""


async def _content(value: str | UploadFile) -> str | bytes:
    """Of a file, which stands at its beginning again; a text is none, and left to be refused."""
    if isinstance(value, str):
        return value
    content = await value.read()
    await value.seek(0)
    return content
