"""EventBridge: events of a bus, and schedules of rules and of the Scheduler.

Source: docs.aws.amazon.com/eventbridge, "Events in Amazon EventBridge"; docs.aws.amazon.com/lambda, "Invoke a Lambda
function on a schedule". What the Scheduler sends where no input is configured: observed, not documented.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lambent.testing.events.origin import HERE, Event, Facts, Origin, iso

DETAIL: Mapping[str, object] = {"id": "1"}


def eventbridge(
    detail: Mapping[str, object] = DETAIL,
    *,
    detail_type: str = "Order Placed",
    source: str = "my.application",
    resources: Sequence[str] = (),
    origin: Origin = HERE,
) -> Event:
    """One event of a bus, as a rule passes it on without a transformation."""
    return bus_event(origin.facts(), detail_type, source, list(resources), dict(detail))


def schedule(rule: str = "my-schedule", *, scheduler: bool = False, origin: Origin = HERE) -> Event:
    """A rule whose time has come; with `scheduler`, a schedule of the EventBridge Scheduler in its default group."""
    facts = origin.facts()
    if scheduler:
        return bus_event(
            facts, "Scheduled Event", "aws.scheduler", [facts.arn("scheduler", f"schedule/default/{rule}")], "{}"
        )
    return bus_event(facts, "Scheduled Event", "aws.events", [facts.arn("events", f"rule/{rule}")], {})


def bus_event(facts: Facts, detail_type: str, source: str, resources: list[str], detail: object) -> Event:
    """The envelope. The time is in whole seconds."""
    return {
        "version": "0",
        "id": facts.uuid(),
        "detail-type": detail_type,
        "source": source,
        "account": facts.account,
        "time": iso(facts.now, fraction=False),
        "region": facts.region,
        "resources": resources,
        "detail": detail,
    }
