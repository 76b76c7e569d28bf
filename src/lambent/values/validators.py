"""Models of pydantic and msgspec, which say themselves how they are made. Pure.

They are told by their attributes; whoever has a model has imported its library. Only for what `annotated_types` say,
which it heeds, pydantic is imported here. A record's JSON goes to them as it is.
Their errors are told anew: they tend to have the value in them.
"""

from __future__ import annotations

import re
import sys
from functools import partial
from importlib import import_module

from lambent.errors import ConfigurationError
from lambent.values.mismatch import MOST, Mismatch, kind, missing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lambent.types import Event
    from lambent.values.mismatch import Convert

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


_HOMES = {"pydantic": PYDANTIC, "pydantic_core": PYDANTIC, "annotated_types": PYDANTIC, "msgspec": MSGSPEC}
"""Where that comes from which is said in Annotated: `Field(ge=1)`, `Ge(1)`, `Meta(ge=1)`."""

_MSGSPEC_CODES = {"Object missing required field": "missing", "Object contains unknown field": "unexpected"}


class Library:
    """How annotations of one library are made: of a decoded value, of JSON, and of texts where JSON has other types."""

    __slots__ = ("convert", "read", "spell")

    def __init__(self, convert: Convert, read: Callable[[str | bytes], Event], spell: Convert) -> None:
        self.convert = convert
        self.read = read
        self.spell = spell
        """Of a text, a list of them, or a dict of either: "3" does for a number."""


def owner(annotation: Event) -> str:
    """The library whose model this is; empty for none."""
    if isinstance(annotation, type) and "pydantic" in sys.modules:
        for each in ("__pydantic_validator__", "__get_pydantic_core_schema__"):
            if hasattr(annotation, each):
                return PYDANTIC
    if isinstance(annotation, type) and "msgspec" in sys.modules and hasattr(annotation, "__struct_fields__"):
        return MSGSPEC
    return ""


def owners(annotation: Event) -> set[str]:
    """Of the models in an annotation, however deep: `list[Order] | None`; and of what is said beside a type.

    Raises ConfigurationError for what is said for a library that is not there.
    """
    found = {owner(annotation)} | {owner(getattr(annotation, "__origin__", None))}
    for each in getattr(annotation, "__args__", ()):
        found |= owners(each)
    for each in getattr(annotation, "__metadata__", ()):
        home = type(each).__module__.partition(".")[0]
        if home == "annotated_types":
            _check_loaded(each)
        found.add(_HOMES.get(home, ""))
    return {each for each in found if each in sys.modules}


def _check_loaded(said: Event) -> None:
    """Load the library that heeds `annotated_types`, unless it is there. Raises ConfigurationError if there is none."""
    if sys.modules.get(PYDANTIC) is None:
        try:
            import_module(PYDANTIC)
        except ImportError:
            raise ConfigurationError(f"{said!r:.200} is heeded by pydantic only: install it.") from None


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
            return adapter.validator.validate_json(text)  # which the adapter's own method calls with all its options
        except failure as error:
            raise _of_pydantic(error) from None

    def convert(value: Event) -> Event:
        try:
            return adapter.validate_python(value)
        except failure as error:
            first = error
        try:  # what is strict takes a time as text from JSON only
            return adapter.validate_json(_json(value))
        except (failure, TypeError, ValueError, RecursionError):
            raise _of_pydantic(first) from None

    def spell(value: Event) -> Event:
        try:
            return adapter.validate_python(value, strict=False)
        except failure as error:
            raise _of_pydantic(error) from None

    return Library(convert, read, spell)


def _json(value: Event) -> str:
    from json import dumps

    return dumps(value, allow_nan=False)


def _of_pydantic(error: Event) -> Mismatch:
    """The first of its errors, with the others, unless there are so many that they are not to be held in memory."""
    from typing import get_args

    if error.error_count() > 10 * MOST:
        return Mismatch("valid", f"there are {error.error_count()} errors in it")
    known = get_args(getattr(sys.modules.get("pydantic_core.core_schema"), "ErrorType", None))
    first, *others = (_told(each, known) for each in error.errors(include_url=False, include_context=False))
    first.others = others
    return first


def _told(error: Event, known: Sequence[str]) -> Mismatch:
    code = error["type"]
    if code == "missing":
        mismatch = missing()
    else:
        words = error["msg"] if code in known and code not in _SPOKEN and not _quotes(code) else ""
        came = "it is not" if code == "json_invalid" else f"got {kind(error['input'])}"
        mismatch = Mismatch(f"valid ({code}: {words})" if words else f"valid ({code})", came)
        mismatch.words = words
        mismatch.code = "unexpected" if code == "extra_forbidden" else "invalid"
    mismatch.steps = list(reversed(error["loc"]))
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
            raise _of_msgspec(error) from None

    def convert(value: Event) -> Event:
        try:
            return make(value)
        except (failure, UnicodeError) as error:
            raise _of_msgspec(error) from None

    def spell(value: Event) -> Event:
        try:
            return make(value, strict=False)
        except (failure, UnicodeError) as error:
            raise _of_msgspec(error) from None

    return Library(convert, read, spell)


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
    mismatch.words = words
    mismatch.code = next((code for start, code in _MSGSPEC_CODES.items() if words.startswith(start)), "invalid")
    mismatch.steps = _steps(at.removesuffix("`"))
    return mismatch


def _steps(path: str) -> list[str | int]:
    """`$.items[0].price` → price, 0, items. For a key of any object msgspec has `[...]`."""
    found = re.findall(r"\.([^.\[]+)|\[([^\]]*)\]", path)
    return [name or (int(index) if index.isdecimal() else index) for name, index in reversed(found)]
