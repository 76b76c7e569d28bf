"""JSON in and out: exact for people's own functions, fast for handlers whose values we know.

`EXACT` follows AWS's own client: a Decimal is a number, bytes are text in UTF-8, NaN passes, anything else that JSON
does not know is an error. Text is UTF-8, as in that client from Python 3.12 on; `ESCAPED` is ASCII, as in that before.
`fast()` is orjson where it is installed. Handlers of Lambent's own reply with plain JSON types, where both agree.
"""

from __future__ import annotations

import json
import os
import re
import sys
from decimal import Decimal
from typing import NamedTuple

from lambent.runtime.function import Function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from lambent.types import Event, Handler, Result


class Codec(NamedTuple):
    """How an event is read and a result written."""

    decode: Callable[[bytes], Event]
    encode: Callable[[Result], bytes]


def _encode(result: Result) -> bytes:
    """Write a result as AWS's client does. Raises TypeError or ValueError for what JSON does not know."""
    try:
        return _text(result, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # lone surrogates, which only escapes can write
        return _escape(result)


def _escape(result: Result) -> bytes:
    """The same in ASCII."""
    return _text(result, ensure_ascii=True).encode("ascii")


def _text(result: Result, *, ensure_ascii: bool) -> str:
    decimals: list[str] = []

    def default(value: object) -> str:
        if isinstance(value, bytes):
            return value.decode()
        if not isinstance(value, Decimal):
            raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
        decimals.append("NaN" if value.is_nan() else str(value))
        return f"{_MARK}{len(decimals) - 1}"

    text = json.dumps(result, default=default, ensure_ascii=ensure_ascii)
    if decimals:  # the encoder knows no way to write a number that is neither int nor float
        text = _MARKED.sub(lambda match: decimals[int(match[1])], text)
    return text


# Not to be guessed: no text of the user's, or of whoever calls, may be taken for a mark.
_MARK = f"decimal {os.urandom(16).hex()} "
_MARKED = re.compile(f'"{_MARK}(\\d+)"')


def _decode(event: bytes) -> Event:
    """Read an event, which is UTF-8. Raises ValueError."""
    return json.loads(event.decode())


EXACT = Codec(_decode, _encode)
ESCAPED = Codec(_decode, _escape)

_OF_FUNCTIONS = EXACT if sys.version_info >= (3, 12) else ESCAPED


def suited(handler: Handler) -> Codec:
    """The codec for a handler: what a plain function replies is written as by AWS's client in this Python's runtime.

    Functions for events reply the same values, but always in UTF-8.
    """
    if isinstance(handler, Function):
        return _OF_FUNCTIONS
    return fast() if getattr(handler, "plain_json", False) else EXACT


def fast() -> Codec:
    """The fastest codec that is installed, for plain JSON values."""
    try:
        import orjson
    except ImportError:
        return EXACT

    def decode(event: bytes) -> Event:
        try:
            return orjson.loads(event)
        except ValueError:  # it refuses NaN and lone surrogates, which Lambda passes on
            return json.loads(event)

    return Codec(decode, orjson.dumps)
