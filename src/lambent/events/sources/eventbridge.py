"""EventBridge: an event of a bus, as a rule passes it on without a transformation.

Source: docs.aws.amazon.com/eventbridge, "Events in Amazon EventBridge". A function is invoked asynchronously, with one
event: what it returns goes nowhere, and a failure is retried.
"""

from __future__ import annotations

from lambent.events.model import Record
from lambent.events.sources import fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambent.types import Event

SINGLE = True

reply = fields.no_partial_failures


class EventBridgeRecord(Record):
    """One event of a bus."""

    __slots__ = ()

    source = "eventbridge"
    is_decoded = True

    @property
    def id(self) -> str:
        """The same each time it is delivered."""
        return fields.text(self.raw, "id")

    @property
    def name(self) -> str:
        """Its origin: neither bus nor rule are told."""
        return self.origin

    @property
    def origin(self) -> str:
        """Its `source`: `aws.ec2`, `my.application`."""
        return fields.text(self.raw, "source")

    @property
    def detail_type(self) -> str:
        return fields.text(self.raw, "detail-type")

    @property
    def detail(self) -> Event:
        """What has happened: an object."""
        return fields.at(self.raw, ("detail",))

    @property
    def body(self) -> Event:
        """The detail."""
        return self.detail

    @property
    def account(self) -> str:
        """Twelve digits."""
        return fields.text(self.raw, "account")

    @property
    def region(self) -> str:
        return fields.text(self.raw, "region")

    @property
    def at(self) -> float:
        """As its sender says, in seconds since the epoch; AWS gives whole ones."""
        return fields.time(self.raw, "time")

    @property
    def resources(self) -> list[str]:
        """ARNs of what it is about; may be empty."""
        return fields.texts(self.raw, "resources")

    @property
    def replay(self) -> str | None:
        """Name of the replay that sends it once more from an archive; None for an event as it happens."""
        return fields.text_or_none(self.raw, "replay-name")


def records(event: Event) -> Sequence[Record]:
    return (EventBridgeRecord(fields.event_object(event)),)


def inner(record: Record) -> Sequence[Record]:
    """What S3 says by way of the bus. Calls of S3 that CloudTrail tells of have its source, too, but no object."""
    raw = record.raw
    detail = raw.get("detail")
    if raw.get("source") != "aws.s3" or not isinstance(detail, dict) or not {"bucket", "object"} <= detail.keys():
        return ()
    from lambent.events.sources.s3 import S3BusRecord

    return (S3BusRecord(raw, record),)
