"""When schedules fire, and with what."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.dev.model import Function, Source
from lambent.dev.sources.schedules import At, Rate, event, following, is_scheduler, iso, parse, zone

DATA = Path(__file__).parents[2] / "data"
BERLIN = ZoneInfo("Europe/Berlin")
F = Function("f", "app.handler", region="eu-west-1")


def epoch(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def firings(expression: str, start: str, count: int, name: str = "UTC") -> list[str]:
    moment: float | None = epoch(start)
    since = epoch(start)
    found = []
    for _ in range(count):
        if moment is None or (moment := following(parse(expression), moment, since, zone(name))) is None:
            break
        found.append(iso(moment))
    return found


def test_a_rate_counts_from_its_beginning() -> None:
    assert firings("rate(5 minutes)", "2026-11-21T09:30:07Z", 2) == ["2026-11-21T09:35:07Z", "2026-11-21T09:40:07Z"]
    assert following(Rate(60), 1000, 10, UTC) == 1030
    assert parse(" rate( 1   hour ) ", scheduler=False) == Rate(3600)
    assert parse("rate(2 days)", scheduler=False) == Rate(172_800)
    assert parse("rate(1 minutes)") == parse("rate(1 minute)") == Rate(60)


@given(st.integers(1, 10**6), st.floats(0, 4e9), st.floats(0, 4e9))
def test_a_rate_never_stands_still_nor_skips(period: int, since: float, passed: float) -> None:
    after = since + passed
    found = following(Rate(period), after, since, UTC)
    assert found is not None
    assert after < found <= after + period + 1e-3


def test_a_moment_comes_once() -> None:
    once = "at(2026-11-21T10:00:00)"
    assert firings(once, "2026-11-21T09:30:00Z", 5) == ["2026-11-21T10:00:00Z"]
    assert firings(once, "2026-11-21T08:30:00Z", 5, "Europe/Berlin") == ["2026-11-21T09:00:00Z"]
    assert firings(once, "2026-11-21T10:00:00Z", 5) == []
    assert parse(once) == At(datetime.fromisoformat("2026-11-21T10:00:00"))


def test_a_time_that_clocks_skip_fires_nothing() -> None:
    assert firings("cron(30 2 * * ? *)", "2026-03-27T12:00:00Z", 3, "Europe/Berlin") == [
        "2026-03-28T01:30:00Z",
        "2026-03-30T00:30:00Z",
        "2026-03-31T00:30:00Z",
    ]


def test_a_time_that_clocks_show_twice_fires_once() -> None:
    assert firings("cron(30 2 * * ? *)", "2026-10-24T12:00:00Z", 3, "Europe/Berlin") == [
        "2026-10-25T00:30:00Z",
        "2026-10-26T01:30:00Z",
        "2026-10-27T01:30:00Z",
    ]
    assert firings("cron(30 2 * * ? *)", "2026-10-25T01:10:00Z", 1, "Europe/Berlin") == ["2026-10-26T01:30:00Z"]
    assert firings("cron(0/30 * * * ? *)", "2026-10-24T23:45:00Z", 4, "Europe/Berlin") == [
        "2026-10-25T00:00:00Z",
        "2026-10-25T00:30:00Z",
        "2026-10-25T02:00:00Z",
        "2026-10-25T02:30:00Z",
    ]


@given(
    st.datetimes(*map(datetime.fromisoformat, ("2020-01-01", "2030-01-01")), timezones=st.just(UTC)),
    st.integers(0, 59),
    st.integers(0, 23),
    st.sampled_from(["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]),
)
def test_the_wall_shows_the_time_that_is_said(start: datetime, minute: int, hour: int, name: str) -> None:
    found = following(parse(f"cron({minute} {hour} * * ? *)"), start.timestamp(), 0, zone(name))
    assert found is not None
    assert found > start.timestamp()
    wall = datetime.fromtimestamp(found, zone(name))
    assert (wall.hour, wall.minute, wall.second, wall.fold) == (hour, minute, 0, 0)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("5 minutes", "expected rate(5 minutes), cron(0 12 * * ? *) or at(2030-01-31T12:00:00), but got '5 minutes'"),
        ("rate(5 minutes", "expected rate(5 minutes), cron"),
        (
            "rate(5)",
            "expected a rate of a whole number, 1 or more, and a unit, minutes, hours or days, but got rate(5)",
        ),
        ("rate(0 minutes)", "expected a rate of a whole number, 1 or more"),
        ("rate(5 seconds)", "expected a rate of a whole number, 1 or more"),
        ("rate(99999999999 days)", "expected a rate of a whole number, 1 or more"),
        ("rate(1 minutes)", "expected rate(1 minute), as a rule wants it, but got rate(1 minutes)"),
        ("rate(5 minute)", "expected rate(5 minutes), as a rule wants it, but got rate(5 minute)"),
        ("cron(0 12 * * *)", "expected six fields"),
        ("at(2026-11-21T10:00:00)", "expected rate(…) or cron(…), as a rule has no at(…)"),
    ],
)
def test_a_mistake_says_what_was_expected(expression: str, expected: str) -> None:
    with pytest.raises(ValueError) as told:
        parse(expression, scheduler=False)
    assert str(told.value).startswith(expected)


@pytest.mark.parametrize("text", ["2026-02-30T10:00:00", "2026-11-21", "2026-11-21T10:00:00Z", ""])
def test_so_it_does_of_a_moment(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected a time such as at\(2030-01-31T12:00:00\), but got"):
        parse(f"at({text})")


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "/etc/passwd", "Europe", "a\0b"])
def test_so_it_does_of_a_time_zone(name: str) -> None:
    with pytest.raises(ValueError, match="expected the name of a time zone, such as Europe/Berlin"):
        zone(name)


def test_the_event_of_a_rule_is_eventbridge_s() -> None:
    captured = json.loads((DATA / "eventbridge.json").read_text("utf-8"))
    source = Source("nightly", "f", "schedule", schedule="rate(1 day)")
    made = json.loads(event(source, F, epoch(captured["time"]) + 0.9, captured["id"]))
    assert made == captured
    assert list(made) == list(captured)


def test_the_scheduler_s_event_is_its_own() -> None:
    source = Source("nightly", "f", "schedule", schedule="rate(1 day)", scheduler=True)
    made = json.loads(event(source, F, 0, "1"))
    assert (made["source"], made["detail"]) == ("aws.scheduler", "{}")
    assert made["resources"] == ["arn:aws:scheduler:eu-west-1:123456789012:schedule/default/nightly"]


def test_an_input_is_the_event() -> None:
    text = '{"at": "<aws.scheduler.scheduled-time>", "n": "<aws.scheduler.attempt-number>", "x": "<aws.scheduler.y>"}'
    rule = Source("nightly", "f", "schedule", schedule="rate(1 day)", input=text)
    assert event(rule, F, 0, "1") == text.encode()
    scheduler = Source("nightly", "f", "schedule", schedule="rate(1 day)", input=text, scheduler=True)
    assert json.loads(event(scheduler, F, 0, "1")) == {
        "at": "1970-01-01T00:00:00Z",
        "n": "1",
        "x": "<aws.scheduler.y>",
    }


def test_what_a_rule_cannot_do_the_scheduler_does() -> None:
    assert is_scheduler(Source("s", "f", "schedule", schedule="at(2030-01-01T00:00:00)"))
    assert is_scheduler(Source("s", "f", "schedule", schedule="rate(1 day)", time_zone="Europe/Berlin"))
    assert not is_scheduler(Source("s", "f", "schedule", schedule="rate(1 day)"))
