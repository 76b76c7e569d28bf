"""Files of a form as arguments: an UploadFile, bytes, or a list of either. Pure."""

from __future__ import annotations

from lambent.api.binding.sources import is_upload
from lambent.errors import ConfigurationError
from lambent.values.mismatch import Mismatch, mismatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lambent.values.mismatch import Convert


def is_contents(annotation: Any) -> bool:
    """Whether bytes are wanted. Raises ConfigurationError for what a file cannot be."""
    if is_upload(annotation):
        return False
    if bytes not in (annotation, *_inner(annotation)):
        raise ConfigurationError(f"Expected UploadFile, bytes, or a list of either for a file, but got {annotation!r}.")
    return True


def _inner(annotation: Any) -> list[Any]:
    args = getattr(annotation, "__args__", ())
    return [*args, *(each for arg in args for each in _inner(arg))]


def converter(*, many: bool) -> Convert:
    """Of what a form has under the name."""
    return _files if many else _file


def _file(value: Any) -> Any:
    if isinstance(value, str):
        raise mismatch("a file", value)
    return value


def _files(values: list[Any]) -> list[Any]:
    for index, each in enumerate(values):
        try:
            _file(each)
        except Mismatch as error:
            raise error.within(index) from None
    return values
