"""JSON of what routes return, the same bytes by whatever is installed."""

from __future__ import annotations

from functools import cache

from lambent.api.responses.base import JSON, Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Dumps = Callable[[Any], bytes]


class JSONResponse(Response):
    """Content as JSON; see `dumps`."""

    __slots__ = ()
    media_type = JSON

    def render(self, content: Any) -> bytes:
        return _encoder()(content)


def dumps(value: Any) -> bytes:
    """A value → JSON in UTF-8, without spaces. Raises InvalidResult, which names the place and the type there.

    | value | JSON |
    |---|---|
    | dict and other mappings | an object; keys may be None, bool, int, float, times, UUID, Enum: as text |
    | list, tuple, set, frozenset and other collections | an array |
    | dataclass, NamedTuple | an object of its fields, but for those of a dataclass that begin with `_` |
    | models of pydantic, Structs of msgspec | as their library writes them |
    | str, int (of any length), bool, None | the same; a lone surrogate is escaped |
    | float | the same; NaN and infinities are null |
    | datetime, date, time | text, ISO 8601 |
    | UUID, Decimal | text |
    | Enum | its value |

    By orjson where it is installed, else by the standard library.
    """
    return _encoder()(value)


@cache
def _encoder() -> Dumps:
    try:
        from orjson import OPT_PASSTHROUGH_DATACLASS, OPT_PASSTHROUGH_DATETIME, OPT_PASSTHROUGH_SUBCLASS, Fragment
        from orjson import dumps as encode
    except ImportError:
        from lambent.api.responses.json_text import write

        return write

    # Of dataclasses it would write attributes that are no fields; and orjson 3.13.0 writes time(0, 0, 0, 10_000) as
    # 00:00:00.10000, which is ten times as much, and some offsets of old times as +02:60.
    options = OPT_PASSTHROUGH_DATACLASS | OPT_PASSTHROUGH_DATETIME | OPT_PASSTHROUGH_SUBCLASS

    def default(value: Any) -> Any:
        return _opener()(value, Fragment)

    def encoded(value: Any) -> bytes:
        try:
            return encode(value, default, options)
        except TypeError:  # keys that are no text, long integers, lone surrogates, deep values; or it cannot be written
            from lambent.api.responses.json_text import write

            return write(value)

    return encoded


@cache
def _opener() -> Callable[[Any, Callable[[bytes], Any]], Any]:
    """Loaded with the first value that needs it: many functions have none."""
    from lambent.api.responses.json_values import opened

    return opened
