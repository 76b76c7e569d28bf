"""Models of pydantic and msgspec, which say themselves how they are made. Neither is imported here. Pure.

They are told by their attributes; whoever has a model has imported its library. A record's JSON goes to them as it is.
Their errors are told anew: they tend to have the value in them.
"""

from __future__ import annotations

import sys
from functools import partial

from lambent.errors import ConfigurationError, DecodingError
from lambent.events.mismatch import Mismatch, kind, step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from lambent.events.mismatch import Convert
    from lambent.types import Event

PYDANTIC = "pydantic"
MSGSPEC = "msgspec"

_SPOKEN = (
    "assertion_error",
    "datetime_object_invalid",
    "get_attribute_error",
    "iteration_error",
    "mapping_type",
    "union_tag_invalid",
    "value_error",
)
"""Errors of pydantic whose words may have the value in them, beside those that it does not know."""


class Library:
    """How annotations of one library are made: of a decoded value, and of JSON."""

    __slots__ = ("convert", "read")

    def __init__(self, convert: Convert, read: Callable[[str | bytes], Event]) -> None:
        self.convert = convert
        self.read = read
        """Raises DecodingError."""


def owner(annotation: Event) -> str:
    """The library whose model this is; empty for none."""
    if isinstance(annotation, type) and "pydantic" in sys.modules and hasattr(annotation, "__pydantic_validator__"):
        return PYDANTIC
    if isinstance(annotation, type) and "msgspec" in sys.modules and hasattr(annotation, "__struct_fields__"):
        return MSGSPEC
    return ""


def owners(annotation: Event) -> set[str]:
    """Of the models in an annotation, however deep: `list[Order] | None`."""
    found = {owner(annotation)} | {owner(getattr(annotation, "__origin__", None))}
    for each in getattr(annotation, "__args__", ()):
        found |= owners(each)
    return found - {""}


def library(annotation: Event) -> Library | None:
    """Of the one library whose models an annotation has; None if it has none, or of both. Raises ConfigurationError."""
    found = owners(annotation)
    if len(found) != 1:
        return None
    try:
        return _pydantic(annotation) if found == {PYDANTIC} else _msgspec(annotation)
    except Exception as error:
        raise ConfigurationError(f"{found.pop()} makes nothing of {annotation!r:.200}: {error}") from error


def _pydantic(annotation: Event) -> Library:
    pydantic = sys.modules["pydantic"]
    adapter = pydantic.TypeAdapter(annotation)
    failure = pydantic.ValidationError

    def read(text: str | bytes) -> Event:
        try:
            return adapter.validate_json(text)
        except failure as error:
            raise DecodingError(str(_of_pydantic(error))) from None

    def convert(value: Event) -> Event:
        try:
            return adapter.validate_python(value)
        except failure as error:
            first = error
        try:  # what is strict takes a time as text from JSON only
            return adapter.validate_json(_json(value))
        except (failure, TypeError, ValueError, RecursionError):
            raise _of_pydantic(first) from None

    return Library(convert, read)


def _json(value: Event) -> str:
    from json import dumps

    return dumps(value, allow_nan=False)


def _of_pydantic(error: Event) -> Mismatch:
    """The first of its errors."""
    from typing import get_args

    told = error.errors(include_url=False, include_context=False)
    first, known = told[0], get_args(getattr(sys.modules.get("pydantic_core.core_schema"), "ErrorType", None))
    code = first["type"]
    if code in known and code not in _SPOKEN and not _quotes(code):
        expected = f"valid ({code}: {first['msg']})"
    else:
        expected = f"valid ({code})"
    came = "it is missing" if code == "missing" else f"got {kind(first['input'])}"
    if len(told) > 1:
        came += f"; and {len(told) - 1} more"
    mismatch = Mismatch("there" if code == "missing" else expected, came if code != "json_invalid" else "it is not")
    mismatch.steps = [step(each) for each in reversed(first["loc"])]
    return mismatch


def _quotes(code: str) -> bool:
    """Whether such errors quote what they could not read: a letter of a UUID, a part of a URL."""
    return code.endswith(("_parsing", "_violation", "_encoding")) and not code.startswith(("int_", "bool_", "float_"))


def _msgspec(annotation: Event) -> Library:
    msgspec = sys.modules["msgspec"]
    decoder = msgspec.json.Decoder(annotation)
    failure = msgspec.MsgspecError
    make = partial(msgspec.convert, type=annotation)

    def read(text: str | bytes) -> Event:
        try:
            return decoder.decode(text)
        except (failure, UnicodeError, RecursionError) as error:
            raise DecodingError(str(_of_msgspec(error))) from None

    def convert(value: Event) -> Event:
        try:
            return make(value)
        except failure as error:
            raise _of_msgspec(error) from None

    return Library(convert, read)


def _of_msgspec(error: Exception) -> Mismatch:
    """In its words, such as "Expected `int`, got `str`", unless they quote the value, or are a model's own."""
    said = str(error)
    words, _, at = said.rpartition(" - at `") if said.endswith("`") and " - at `" in said else (said, "", "$")
    if error.__cause__ is not None or isinstance(error, UnicodeError):
        words = type(error.__cause__ or error).__name__
    for quoting in ("Invalid enum value", "Invalid value"):
        if words.startswith(quoting):
            words = quoting
    mismatch = Mismatch(f"valid ({words})", "it is not")
    mismatch.steps = [at.removesuffix("`").partition("$")[2]]
    return mismatch
