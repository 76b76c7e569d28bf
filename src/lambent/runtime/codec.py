"""JSON in and out: exact for people's own functions, fast for handlers whose values we know.

`EXACT` follows AWS's own client: a Decimal is a number, bytes are text in UTF-8, NaN passes, anything else that JSON
does not know is an error.
`fast()` is orjson where it is installed. Handlers of Lambent's own reply with plain JSON types, where both agree.
"""

from __future__ import annotations

import json
import os
import re
from decimal import Decimal
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from lambent.types import Event, Result


class Codec(NamedTuple):
    """How an event is read and a result written."""

    decode: Callable[[bytes], Event]
    encode: Callable[[Result], bytes]


def _encode(result: Result) -> bytes:
    """Write a result as AWS's client does. Raises TypeError or ValueError for what JSON does not know."""
    decimals: list[str] = []

    def default(value: object) -> str:
        if isinstance(value, bytes):
            return value.decode()
        if not isinstance(value, Decimal):
            raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
        decimals.append("NaN" if value.is_nan() else str(value))
        return f"{_MARK}{len(decimals) - 1}"

    text = json.dumps(result, default=default)
    if decimals:  # the encoder knows no way to write a number that is neither int nor float
        text = _MARKED.sub(lambda match: decimals[int(match[1])], text)
    return text.encode("ascii")


# Not to be guessed: no text of the user's, or of whoever calls, may be taken for a mark.
_MARK = f"decimal {os.urandom(16).hex()} "
_MARKED = re.compile(f'"{_MARK}(\\d+)"')


def _decode(event: bytes) -> Event:
    """Read an event, which is UTF-8. Raises ValueError."""
    return json.loads(event.decode())


EXACT = Codec(_decode, _encode)


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
