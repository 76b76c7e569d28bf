"""Forms: names with their values, texts and files."""

from __future__ import annotations

from collections.abc import Mapping

from lambent.api.exceptions import HTTPException
from lambent.api.query import fields
from lambent.api.uploads import UploadFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


class Form(Mapping[str, "str | UploadFile"]):
    """The last value of each name, a text or a file; `getlist` has all of them."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Sequence[str | UploadFile]]) -> None:
        self._values = values

    def getlist(self, name: str) -> list[str | UploadFile]:
        """All values of a name, in order; none if it is not there."""
        return list(self._values.get(name, ()))

    def multi_items(self) -> list[tuple[str, str | UploadFile]]:
        """Each name with each of its values: names in the order in which they came first."""
        return [(name, value) for name, values in self._values.items() for value in values]

    def __getitem__(self, name: str) -> str | UploadFile:
        return self._values[name][-1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        """Names only: values may be secret."""
        return f"{type(self).__name__}({', '.join(self)})"

    async def close(self) -> None:
        """Close its files. Whoever answers the request does it at the end."""
        self.close_files()

    def close_files(self) -> None:
        """As `close`, for those who cannot wait."""
        for _, value in self.multi_items():
            if isinstance(value, UploadFile):
                value.file.close()


class Limits:
    """What a form may have at most: texts, files, and bytes of one text."""

    __slots__ = ("fields", "files", "part")

    def __init__(self, fields: int, files: int, part: int) -> None:
        self.fields = fields
        self.files = files
        self.part = part

    def check_part(self, size: int) -> None:
        """Raises HTTPException (413)."""
        if size > self.part:
            raise HTTPException(413, f"Expected at most {self.part} bytes in a field of the form.")


def check_charset(parameters: Mapping[str, str]) -> None:
    """Raises HTTPException (415) for a form that says to be anything but UTF-8."""
    if parameters.get("charset", "utf-8").lower() not in {"utf-8", "utf8", "us-ascii", "ascii"}:
        raise HTTPException(415, "Expected a form in UTF-8.")


def parse_urlencoded(body: bytes, limits: Limits) -> Form:
    """Raises HTTPException (400, 413) for more than the limits."""
    values = fields(body, limits.fields, "form fields")
    if len(body) > limits.part:
        for value in [value for each in values.values() for value in each]:
            limits.check_part(len(value.encode()))
    return Form(values)
