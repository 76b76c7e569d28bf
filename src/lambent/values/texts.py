"""Values that JSON has no type for, and has as text: decimals, times, UUIDs. Pure."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from uuid import UUID

from lambent.values.mismatch import Mismatch, mismatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from lambent.types import Event
    from lambent.values.mismatch import Convert


def decimal(value: Event) -> Decimal:
    """Of text or of a number, with the digits that are written."""
    if isinstance(value, str | int | float | Decimal) and type(value) is not bool:
        try:
            exact = Decimal(repr(value) if isinstance(value, float) else value)
        except InvalidOperation:
            exact = Decimal("NaN")
        if exact.is_finite():
            return exact
        raise Mismatch("a decimal number", "it is none")
    raise mismatch("a decimal number", value)


def parsed(wanted: type, form: str, parse: Callable[[str], Event]) -> Convert:
    """Of text in a form that `parse` takes. It raises ValueError for any other."""

    def convert(value: Event) -> Event:
        if isinstance(value, str):
            try:
                return parse(value)
            except ValueError:
                raise Mismatch(form, "it is none") from None
        if isinstance(value, wanted) and (wanted is not date or not isinstance(value, datetime)):
            return value
        raise mismatch(form, value)

    return convert


def _datetime(text: str) -> datetime:
    if len(text) <= 10:  # a date alone
        raise ValueError
    return datetime.fromisoformat(text)


def _date(text: str) -> date:
    if len(text) != 10 or text[4] != "-" or text[7] != "-":  # other forms of ISO 8601
        raise ValueError
    return date.fromisoformat(text)


def _time(text: str) -> time:
    if text[2:3] != ":":
        raise ValueError
    return time.fromisoformat(text)


def _uuid(text: str) -> UUID:
    if len(text) not in (32, 36) or (len(text) == 36) != (text[8::5][:4] == "----"):
        raise ValueError
    return UUID(text)


TEXTS: dict[Event, Convert] = {
    Decimal: decimal,
    datetime: parsed(datetime, "a time, such as 2026-01-01T12:00:00Z", _datetime),
    date: parsed(date, "a date, such as 2026-01-01", _date),
    time: parsed(time, "a time of day, such as 12:00:00", _time),
    UUID: parsed(UUID, "a UUID", _uuid),
}
