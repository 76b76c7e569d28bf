"""JSON of requests, strictly: the same value or the same error, whatever reads it. Pure."""

from __future__ import annotations

from functools import cache

from lambent.api.exceptions import RequestInvalid
from lambent.api.model import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

DIGITS = bytes(0x30 if 0x30 <= each <= 0x39 else each for each in range(256))
"""Makes one digit of all, to find many of them."""

LONG = b"0" * 19
"""Digits of an integer that orjson may make a float of."""

ESCAPE = b"\\u"
"""What may be half a character: see `check_texts`."""


def parse_json(body: bytes) -> Any:
    """Raises RequestInvalid for what is no JSON: NaN is not, nor is what is not in UTF-8, or nested too deeply."""
    return reader()(body)


@cache
def reader() -> Callable[[bytes], Any]:
    """What reads: orjson where it is installed, but for long integers, and for what it refuses."""
    try:
        import orjson
    except ImportError:
        return read_plain
    loads = orjson.loads

    def read(body: bytes) -> Any:
        if LONG not in body.translate(DIGITS):
            try:
                return loads(body)
            except ValueError:
                pass  # it says why in words of its own, and refuses halves of surrogate pairs and a byte order mark
        return read_plain(body)

    return read


def check_texts(body: bytes) -> None:
    """Refuse halves of surrogate pairs: no text that leaves again can have them. What is no JSON is left to its reader.

    For bodies with ESCAPE in them: only as an escape can a half be in what is UTF-8. Raises RequestInvalid.
    """
    if b"\\ud" not in body and b"\\uD" not in body:
        return
    from lambent.errors import DecodingError
    from lambent.values.convert import parse

    try:
        value = parse(body)
    except DecodingError:
        return
    _check_halves(value)


def _check_halves(value: Any) -> None:
    import json

    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        message = "Expected JSON of whole characters, but half a surrogate pair is in it."
        raise RequestInvalid([Problem(("body",), message)]) from None
    except RecursionError:  # to write it takes a step more than to read it
        raise RequestInvalid([Problem(("body",), "Expected JSON that is not nested so deeply.")]) from None


def read_plain(body: bytes) -> Any:
    """By the standard library. Raises as `parse_json` does."""
    from lambent.errors import DecodingError
    from lambent.values.convert import parse

    if ESCAPE in body:
        check_texts(body)
    try:
        return parse(body)
    except DecodingError as error:
        raise RequestInvalid([Problem(("body",), str(error))]) from None
