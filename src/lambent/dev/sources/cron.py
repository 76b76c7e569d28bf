"""EventBridge's cron expressions: six fields, and the times they name. Pure.

Source: docs.aws.amazon.com/eventbridge, "Cron expressions"; docs.aws.amazon.com/scheduler, "Cron-based schedules". What
these leave open is taken in the sense of Quartz, whose syntax this is: `LW`, `L-3`, ranges that pass the end
(`FRI-MON`), steps among days of the week. `31W` names no day in a month that has no 31st.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple, Protocol

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


class Field(NamedTuple):
    """What a field may hold."""

    title: str
    first: int
    last: int
    marks: str
    names: tuple[str, ...] = ()
    """Of its values, the first one's first."""

    def mistake(self, text: str) -> ValueError:
        names = f" or {self.names[0]}-{self.names[-1]}" if self.names else ""
        values = f"{self.first}-{self.last}{names}, with {self.marks}"
        return ValueError(f"expected {self.title} to be {values}, but got {text!r}")


MINUTES = Field("the minutes", 0, 59, ", - * /")
HOURS = Field("the hours", 0, 23, ", - * /")
DAY_OF_MONTH = Field("the day of the month", 1, 31, ", - * ? / L W")
MONTH = Field("the month", 1, 12, ", - * /", MONTHS)
DAY_OF_WEEK = Field("the day of the week", 1, 7, ", - * ? / L #", WEEKDAYS)
YEAR = Field("the year", 1970, 2199, ", - * /")
FIELDS = (MINUTES, HOURS, DAY_OF_MONTH, MONTH, DAY_OF_WEEK, YEAR)


class DayRule(Protocol):
    """Which days of a month are meant: none of them, too."""

    def days(self, year: int, month: int) -> Sequence[int]: ...


class OnDay(NamedTuple):
    """`15`; where the month has none, no day."""

    day: int

    def days(self, year: int, month: int) -> Sequence[int]:
        return [self.day] if self.day <= length(year, month) else []


class LastDay(NamedTuple):
    """`L`, and `L-3`: as many days before that."""

    before: int

    def days(self, year: int, month: int) -> Sequence[int]:
        day = length(year, month) - self.before
        return [day] if day >= 1 else []


class NearestWorkday(NamedTuple):
    """`15W`: of Monday to Friday the closest one in the same month. `LW`, day 0: to its last day."""

    day: int

    def days(self, year: int, month: int) -> Sequence[int]:
        last = length(year, month)
        day = self.day or last
        if day > last:
            return []
        weekday = calendar.weekday(year, month, day)
        if weekday == calendar.SATURDAY:
            return [day - 1 if day > 1 else day + 2]
        if weekday == calendar.SUNDAY:
            return [day + 1 if day < last else day - 2]
        return [day]


class OnWeekday(NamedTuple):
    """`2`, Monday: of every week; `2#3`, the third of the month; `2L`, number -1, its last."""

    weekday: int
    number: int = 0

    def days(self, year: int, month: int) -> Sequence[int]:
        first = 1 + (self.weekday - 1 - sunday_first(date(year, month, 1))) % 7
        days = range(first, length(year, month) + 1, 7)
        if not self.number:
            return days
        return days[-1:] if self.number < 0 else days[self.number - 1 : self.number]


class Cron(NamedTuple):
    """An expression, read. Numbers are in order."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[DayRule, ...]
    months: tuple[int, ...]
    years: tuple[int, ...]

    def following(self, after: datetime) -> Iterator[datetime]:
        """The times on the wall's clock that come later, in order. All are naive."""
        start = after.replace(second=0, microsecond=0, tzinfo=None) + timedelta(minutes=1)
        for day in self._dates(start.date()):
            for hour in self.hours:
                for minute in self.minutes:
                    moment = datetime(day.year, day.month, day.day, hour, minute)  # noqa: DTZ001 - of the wall
                    if moment >= start:
                        yield moment

    def _dates(self, start: date) -> Iterator[date]:
        for year in self.years:
            for month in self.months:
                if (year, month) >= (start.year, start.month):
                    days = sorted({day for rule in self.days for day in rule.days(year, month)})
                    yield from (found for day in days if (found := date(year, month, day)) >= start)


def parse(text: str) -> Cron:
    """What stands within `cron(…)`. ValueError says what was expected."""
    fields = text.upper().split()
    if len(fields) != len(FIELDS):
        six = "six fields, minutes, hours, day of month, month, day of week and year"
        raise ValueError(f"expected {six}, but got {len(fields)}: {text!r}")
    minutes, hours, day, month, weekday, year = fields
    if (day == "?") is (weekday == "?"):
        either = "expected ? as either the day of the month or the day of the week, and the other one said"
        raise ValueError(f"{either}, but got {day} and {weekday}")
    rules = [weekday_rules(each) for each in weekday.split(",")] if day == "?" else map(day_rules, day.split(","))
    return Cron(
        numbers(minutes, MINUTES),
        numbers(hours, HOURS),
        tuple(dict.fromkeys(rule for some in rules for rule in some)),
        numbers(month, MONTH),
        numbers(year, YEAR),
    )


def day_rules(text: str) -> list[DayRule]:
    """One item of the day of the month."""
    if text == "LW":
        return [NearestWorkday(0)]
    if last := re.fullmatch(r"L(?:-(\d{1,2}))?", text):
        if int(last[1] or 0) >= DAY_OF_MONTH.last:
            raise DAY_OF_MONTH.mistake(text)
        return [LastDay(int(last[1] or 0))]
    if text.endswith("W"):
        return [NearestWorkday(number(text[:-1], DAY_OF_MONTH))]
    return [OnDay(day) for day in item(text, DAY_OF_MONTH)]


def weekday_rules(text: str) -> list[DayRule]:
    """One item of the day of the week. `L` alone is the week's last day, Saturday."""
    if text == "L":
        return [OnWeekday(DAY_OF_WEEK.last)]
    if text.endswith("L"):
        return [OnWeekday(number(text[:-1], DAY_OF_WEEK), -1)]
    weekday, hash_, occurrence = text.partition("#")
    if not hash_:
        return [OnWeekday(each) for each in item(text, DAY_OF_WEEK)]
    if occurrence not in ("1", "2", "3", "4", "5"):
        raise ValueError(f"expected 1 to 5 after the # of a day of the week, but got {text!r}")
    return [OnWeekday(number(weekday, DAY_OF_WEEK), int(occurrence))]


def numbers(text: str, field: Field) -> tuple[int, ...]:
    """All that a field names, in order."""
    return tuple(sorted({each for piece in text.split(",") for each in item(piece, field)}))


def item(text: str, field: Field) -> Sequence[int]:
    """What one of its items names: `5`, `*`, `1-5`, and each with a step: `/15`."""
    span, slash, step = text.partition("/")
    if slash and (not (step.isascii() and step.isdigit()) or int(step) == 0):
        raise field.mistake(text)
    if span == "*":
        found: Sequence[int] = range(field.first, field.last + 1)
    elif "-" in span:
        low, high = (number(end, field) for end in span.split("-", 1))
        found = range(low, high + 1) if low <= high else [*range(low, field.last + 1), *range(field.first, high + 1)]
    else:
        low = number(span, field)
        found = range(low, field.last + 1) if slash else [low]
    return found[:: int(step or 1)]


def number(text: str, field: Field) -> int:
    """One value, by its number or name."""
    if text in field.names:
        return field.first + field.names.index(text)
    if not (text.isascii() and text.isdigit()) or not field.first <= int(text) <= field.last:
        raise field.mistake(text)
    return int(text)


def length(year: int, month: int) -> int:
    """Days of the month."""
    return calendar.monthrange(year, month)[1]


def sunday_first(day: date) -> int:
    """The day of the week, from 0 for Sunday."""
    return day.isoweekday() % 7
