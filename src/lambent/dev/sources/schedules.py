"""Schedules of EventBridge, its rules' and its Scheduler's: when they fire next, and with which event. Pure.

Source: docs.aws.amazon.com/eventbridge, "Setting a schedule pattern for scheduled rules";
docs.aws.amazon.com/scheduler, "Schedule types" and "Adding context attributes". What the Scheduler sends where no input
is configured: observed, not documented.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, tzinfo
from typing import NamedTuple

from lambent.dev.model import Function, Source
from lambent.dev.sources import cron
from lambent.dev.sources.cron import Cron

SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}
FORMS = "rate(5 minutes), cron(0 12 * * ? *) or at(2030-01-31T12:00:00)"
LONGEST_RATE = 10**6
"""In its unit: some hundred years. Longer ones would leave the calendar."""


class Rate(NamedTuple):
    """Every so many seconds."""

    period: int


class At(NamedTuple):
    """Once, when the wall's clock shows this time."""

    moment: datetime


Schedule = Rate | At | Cron


def parse(expression: str, *, scheduler: bool = True) -> Schedule:
    """`rate(…)`, `cron(…)`, `at(…)`. A rule wants `1 minute`, `5 minutes`, and has no `at`. ValueError says why not."""
    match = re.fullmatch(r"\s*(rate|cron|at)\s*\((.*)\)\s*", expression)
    if not match:
        raise ValueError(f"expected {FORMS}, but got {expression!r}")
    kind, content = match[1], match[2].strip()
    if kind == "rate":
        return rate(content, scheduler=scheduler)
    if kind == "cron":
        return cron.parse(content)
    if not scheduler:
        raise ValueError(f"expected rate(…) or cron(…), as a rule has no at(…), but got {expression!r}")
    return at(content)


def rate(text: str, *, scheduler: bool) -> Rate:
    match = re.fullmatch(r"([0-9]+)\s+(minute|hour|day)(s?)", text)
    if not match or not 1 <= int(match[1]) <= LONGEST_RATE:
        units = "a whole number, 1 or more, and a unit, minutes, hours or days"
        raise ValueError(f"expected a rate of {units}, but got rate({text})")
    value, unit, plural = int(match[1]), match[2], bool(match[3])
    if not scheduler and plural is (value == 1):
        right = unit if value == 1 else f"{unit}s"
        raise ValueError(f"expected rate({value} {right}), as a rule wants it, but got rate({text})")
    return Rate(value * SECONDS[unit])


def at(text: str) -> At:
    if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", text):
        try:
            return At(datetime.fromisoformat(text))
        except ValueError:
            pass
    raise ValueError(f"expected a time such as at(2030-01-31T12:00:00), but got at({text})")


def zone(name: str) -> tzinfo:
    """By its name, such as `Europe/Berlin`. ValueError for one that there is not."""
    if name == "UTC":
        return UTC
    import zoneinfo

    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"expected the name of a time zone, such as Europe/Berlin, but got {name!r}") from None


def following(schedule: Schedule, after: float, since: float, zone: tzinfo) -> float | None:
    """When it fires next: later than `after`, counted from `since` if it is a rate. In seconds since the epoch.

    None: not any more. Where clocks are put forward, a time that they skip fires nothing; where they are put back, one
    that they show twice fires once. A rate takes no notice of clocks.
    """
    if isinstance(schedule, Rate):
        return next_of(schedule.period, after, since)
    if isinstance(schedule, At):
        once = schedule.moment.replace(tzinfo=zone).timestamp()
        return once if once > after else None
    for wall in schedule.following(datetime.fromtimestamp(after, zone)):
        moment = wall.replace(tzinfo=zone).astimezone(UTC)
        if moment.timestamp() > after and moment.astimezone(zone).replace(tzinfo=None) == wall:
            return moment.timestamp()
    return None


def next_of(period: int, after: float, since: float) -> float:
    times = max(0, int((after - since) // period)) + 1
    moment = since + times * period
    return moment if moment > after else moment + period  # the division had been rounded down


def is_scheduler(source: Source) -> bool:
    """Whether a rule could not do it."""
    return source.scheduler or source.time_zone != "UTC" or source.schedule.strip().startswith("at")


def event(source: Source, function: Function, moment: float, event_id: str) -> bytes:
    """What the function is invoked with: the schedule's input, or else the event that EventBridge makes."""
    scheduler = is_scheduler(source)
    service, resource = ("scheduler", "schedule/default/") if scheduler else ("events", "rule/")
    arn = f"arn:aws:{service}:{function.region}:{function.account}:{resource}{source.name}"
    when = iso(moment)
    if source.input:
        return (in_context(source.input, arn, when, event_id) if scheduler else source.input).encode()
    made = {
        "version": "0",
        "id": event_id,
        "detail-type": "Scheduled Event",
        "source": f"aws.{service}",
        "account": function.account,
        "time": when,
        "region": function.region,
        "resources": [arn],
        "detail": "{}" if scheduler else {},
    }
    return json.dumps(made).encode()


def in_context(text: str, arn: str, when: str, execution: str) -> str:
    """The input with what the Scheduler puts into it."""
    context = {"schedule-arn": arn, "scheduled-time": when, "execution-id": execution, "attempt-number": "1"}
    return re.sub(r"<aws\.scheduler\.([a-z-]+)>", lambda found: context.get(found[1], found[0]), text)


def iso(moment: float) -> str:
    """In whole seconds: `2026-11-21T09:30:00Z`."""
    return datetime.fromtimestamp(int(moment), UTC).isoformat().replace("+00:00", "Z")
