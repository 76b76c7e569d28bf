"""Schedules: rules of EventBridge whose time has come, and schedules of the EventBridge Scheduler.

Source: docs.aws.amazon.com/lambda, "Invoke a Lambda function on a schedule"; docs.aws.amazon.com/eventbridge,
"Creating an Amazon EventBridge rule that runs on a schedule". What the Scheduler sends where it has no input: observed.

An input of the user's own takes the place of all of this: then the event says nothing of a schedule, and comes as one
that was sent by hand.
"""

from __future__ import annotations

from lambent.errors import MalformedEvent
from lambent.events.model import Record
from lambent.events.sources import fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambent.types import Event

SINGLE = True

inner = fields.nothing_inside
reply = fields.no_partial_failures


class ScheduleRecord(Record):
    """A time that has come."""

    __slots__ = ()

    source = "schedule"

    @property
    def id(self) -> str:
        """Of the event; the same if it is delivered twice."""
        return fields.text(self.raw, "id")

    @property
    def arn(self) -> str:
        """Of the rule, or the schedule."""
        found = fields.texts(self.raw, "resources")
        if found:
            return found[0]
        raise MalformedEvent("Expected `resources` to have the ARN of a rule or a schedule, but it is empty.")

    @property
    def name(self) -> str:
        """Of the rule, or the schedule, without its bus or group."""
        return fields.last(self.arn, "/")

    @property
    def schedule_group(self) -> str | None:
        """Of a schedule of the Scheduler; None for a rule."""
        return self.arn.split("/")[-2] if self.is_scheduler and self.arn.count("/") >= 2 else None

    @property
    def is_scheduler(self) -> bool:
        """Whether it is the Scheduler's, not a rule's."""
        return fields.text(self.raw, "source") == "aws.scheduler"

    @property
    def at(self) -> float:
        """The time that was due, in whole seconds since the epoch."""
        return fields.time(self.raw, "time")

    @property
    def body(self) -> Event:
        """The detail: `{}` of a rule, and as text of the Scheduler."""
        return fields.at(self.raw, ("detail",))

    @property
    def account(self) -> str:
        """Twelve digits."""
        return fields.text(self.raw, "account")

    @property
    def region(self) -> str:
        return fields.text(self.raw, "region")


def records(event: Event) -> Sequence[Record]:
    return (ScheduleRecord(fields.event_object(event)),)
