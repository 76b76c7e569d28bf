"""Cron expressions of EventBridge, against an implementation of the common part and against the calendar itself."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, timedelta
from itertools import islice

import pytest
from cronsim import CronSim
from hypothesis import given
from hypothesis import strategies as st

from lambent.dev.sources.cron import MONTHS, WEEKDAYS, parse

SHOWN = "%a %Y-%m-%d %H:%M"
START = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)  # a Saturday


def shown(text: str, start: datetime = START, count: int = 3) -> list[str]:
    return [f"{moment:{SHOWN}}" for moment in islice(parse(text).following(start), count)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 10 * * ? *", ["Sat 2026-11-21 10:00", "Sun 2026-11-22 10:00", "Mon 2026-11-23 10:00"]),
        ("15 12 * * ? *", ["Sat 2026-11-21 12:15", "Sun 2026-11-22 12:15", "Mon 2026-11-23 12:15"]),
        ("0 18 ? * MON-FRI *", ["Mon 2026-11-23 18:00", "Tue 2026-11-24 18:00", "Wed 2026-11-25 18:00"]),
        ("0 8 1 * ? *", ["Tue 2026-12-01 08:00", "Fri 2027-01-01 08:00", "Mon 2027-02-01 08:00"]),
        ("0/15 * * * ? *", ["Sat 2026-11-21 09:45", "Sat 2026-11-21 10:00", "Sat 2026-11-21 10:15"]),
        ("0/5 8-17 ? * MON-FRI *", ["Mon 2026-11-23 08:00", "Mon 2026-11-23 08:05", "Mon 2026-11-23 08:10"]),
        ("0 9 ? * 2#1 *", ["Mon 2026-12-07 09:00", "Mon 2027-01-04 09:00", "Mon 2027-02-01 09:00"]),
        ("15 10 ? * 6L 2026-2027", ["Fri 2026-11-27 10:15", "Fri 2026-12-25 10:15", "Fri 2027-01-29 10:15"]),
        ("0 0 ? * L *", ["Sat 2026-11-28 00:00", "Sat 2026-12-05 00:00", "Sat 2026-12-12 00:00"]),
        ("0 0 L * ? *", ["Mon 2026-11-30 00:00", "Thu 2026-12-31 00:00", "Sun 2027-01-31 00:00"]),
        ("0 0 L-3 * ? *", ["Fri 2026-11-27 00:00", "Mon 2026-12-28 00:00", "Thu 2027-01-28 00:00"]),
        ("0 0 LW JAN,FEB ? *", ["Fri 2027-01-29 00:00", "Fri 2027-02-26 00:00", "Mon 2028-01-31 00:00"]),
        ("0 0 3W * ? *", ["Thu 2026-12-03 00:00", "Mon 2027-01-04 00:00", "Wed 2027-02-03 00:00"]),
        ("0 0 1W 5 ? *", ["Mon 2027-05-03 00:00", "Mon 2028-05-01 00:00", "Tue 2029-05-01 00:00"]),
        ("0 0 31W 1,2 ? *", ["Fri 2027-01-29 00:00", "Mon 2028-01-31 00:00", "Wed 2029-01-31 00:00"]),
        ("0 0 29 2 ? *", ["Tue 2028-02-29 00:00", "Sun 2032-02-29 00:00", "Fri 2036-02-29 00:00"]),
        ("0 0 ? * 3#5 *", ["Tue 2026-12-29 00:00", "Tue 2027-03-30 00:00", "Tue 2027-06-29 00:00"]),
        ("0 0 ? * fri-mon *", ["Sun 2026-11-22 00:00", "Mon 2026-11-23 00:00", "Fri 2026-11-27 00:00"]),
        ("59 23 31 12 ? 2199", ["Tue 2199-12-31 23:59"]),
        ("0 0 1 1 ? 1970-2026", []),
        ("0 0 30 2 ? *", []),
    ],
)
def test_times_come_in_order(text: str, expected: list[str]) -> None:
    assert shown(text) == expected


def test_a_time_that_is_now_is_past() -> None:
    assert shown("30 9 * * ? *", count=1) == ["Sun 2026-11-22 09:30"]
    assert shown("30 9 * * ? *", START - timedelta(microseconds=1), count=1) == ["Sat 2026-11-21 09:30"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "expected six fields, minutes, hours, day of month, month, day of week and year, but got 0: ''"),
        ("0 12 * * ?", "expected six fields, minutes, hours, day of month, month, day of week and year, but got 5"),
        ("0 12 * * * *", "expected ? as either the day of the month or the day of the week, and the other one said"),
        ("0 12 ? * ? *", "expected ? as either the day of the month or the day of the week, and the other one said"),
        ("60 12 * * ? *", "expected the minutes to be 0-59, with , - * /, but got '60'"),
        ("0 24 * * ? *", "expected the hours to be 0-23, with , - * /, but got '24'"),
        ("0 0 0 * ? *", "expected the day of the month to be 1-31, with , - * ? / L W, but got '0'"),
        ("0 0 W * ? *", "expected the day of the month to be 1-31, with , - * ? / L W, but got ''"),
        ("0 0 L-31 * ? *", "expected the day of the month to be 1-31, with , - * ? / L W, but got 'L-31'"),
        ("0 0 ? * 0 *", "expected the day of the week to be 1-7 or SUN-SAT, with , - * ? / L #, but got '0'"),
        ("0 0 ? * MON#6 *", "expected 1 to 5 after the # of a day of the week, but got 'MON#6'"),
        ("0 0 1 JUNE ? *", "expected the month to be 1-12 or JAN-DEC, with , - * /, but got 'JUNE'"),
        ("0 0 1 * ? 1969", "expected the year to be 1970-2199, with , - * /, but got '1969'"),
        ("*/0 0 1 * ? *", "expected the minutes to be 0-59, with , - * /, but got '*/0'"),
        ("1,,2 0 1 * ? *", "expected the minutes to be 0-59, with , - * /, but got ''"),
        ("1- 0 1 * ? *", "expected the minutes to be 0-59, with , - * /, but got ''"),
        ("² 0 1 * ? *", "expected the minutes to be 0-59, with , - * /, but got '²'"),
    ],
)
def test_a_mistake_names_the_field_and_what_it_may_be(text: str, expected: str) -> None:
    with pytest.raises(ValueError) as told:
        parse(text)
    assert str(told.value).startswith(expected)


def values(first: int, last: int, names: tuple[str, ...] = ()) -> st.SearchStrategy[str]:
    """Items of a field, but for what the counterpart takes otherwise: ranges that pass the end, or are of one value."""
    one = st.integers(first, last).map(lambda n: names[n - first] if names and n % 2 else str(n))
    ends = st.lists(st.integers(first, last), min_size=2, max_size=2, unique=True)
    span = ends.map(lambda both: f"{min(both)}-{max(both)}")
    step = st.integers(1, 20).map(str)
    starred = step.map(lambda step: f"*/{step}")
    stepped = st.tuples(span, step).map("/".join)
    item = st.one_of(one, span, starred, stepped)
    return st.one_of(st.just("*"), st.lists(item, min_size=1, max_size=3).map(",".join))


YEARS = datetime.fromisoformat("1990-01-01"), datetime.fromisoformat("2090-01-01")
moments = st.datetimes(*YEARS).map(lambda moment: moment.replace(microsecond=0))
months = values(1, 12, MONTHS)


@given(values(0, 59), values(0, 23), st.one_of(st.just("L"), st.just("LW"), values(1, 28)), months, moments)
def test_days_of_the_month_are_those_of_others(minute: str, hour: str, day: str, month: str, start: datetime) -> None:
    theirs = CronSim(f"{minute} {hour} {day} {month} *", start)
    ours = parse(f"{minute} {hour} {day} {month} ? *").following(start)
    assert list(islice(ours, 5)) == list(islice(theirs, 5))


def theirs_of(day: int, mark: str) -> str:
    """With days of the week counted from 0."""
    return f"{day - 1}{mark}"


@given(values(0, 59), values(0, 23), months, st.integers(1, 7), st.sampled_from(["", "L", "#1", "#4", "#5"]), moments)
def test_days_of_the_week_are_those_of_others(
    minute: str, hour: str, month: str, day: int, mark: str, start: datetime
) -> None:
    theirs = CronSim(f"{minute} {hour} * {month} {theirs_of(day, mark)}", start)
    ours = parse(f"{minute} {hour} ? {month} {day}{mark} *").following(start)
    named = parse(f"{minute} {hour} ? {month} {WEEKDAYS[day - 1]}{mark} *").following(start)
    expected = list(islice(theirs, 5))
    assert list(islice(ours, 5)) == expected
    assert list(islice(named, 5)) == expected


@given(st.integers(1, 31), moments)
def test_a_nearest_workday_is_one_and_near(day: int, start: datetime) -> None:
    for found in islice(parse(f"0 0 {day}W * ? *").following(start), 12):
        wanted = date(found.year, found.month, day)
        near = [wanted + timedelta(days) for days in (0, -1, 1, -2, 2)]
        workdays = [each for each in near if each.month == wanted.month and each.weekday() < calendar.SATURDAY]
        assert found.date() == workdays[0]


@given(st.lists(st.integers(1970, 2199), min_size=1, max_size=5), moments)
def test_years_are_those_that_are_named(years: list[int], start: datetime) -> None:
    found = [each.year for each in parse(f"0 0 1 1 ? {','.join(map(str, years))}").following(start)]
    assert found == sorted({year for year in years if (year, 1, 1, 0, 0) > start.timetuple()[:5]})
