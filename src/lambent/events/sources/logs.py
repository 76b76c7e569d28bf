"""CloudWatch Logs: lines of one log stream that a subscription filter let pass.

Source: docs.aws.amazon.com/AmazonCloudWatch/latest/logs, "Log group-level subscription filters". `awslogs.data` is
JSON, compressed by gzip, in base64. A CONTROL_MESSAGE only asks whether the function can be reached: there is nothing
to do.
"""

from __future__ import annotations

from lambent.errors import MalformedEvent
from lambent.events.model import Record
from lambent.events.sources import fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambent.types import Event

SINGLE = False

SIZE = 64 * 1024 * 1024
"""Bytes that the JSON may have. CloudWatch sends some; gzip makes six gigabytes of the six megabytes of an event."""

inner = fields.nothing_inside
reply = fields.no_partial_failures


class LogEvent:
    """One entry of a log."""

    __slots__ = ("at", "id", "message")

    def __init__(self, raw: Event) -> None:
        self.id = fields.text(raw, "id")
        """The same each time it is delivered."""
        self.at = fields.milliseconds(raw, "timestamp")
        """In seconds since the epoch."""
        self.message = fields.text(raw, "message")

    def __repr__(self) -> str:
        return f"<LogEvent {self.id}>"


class LogsRecord(Record):
    """Entries of one log stream. `raw` is what was unpacked."""

    __slots__ = ()

    source = "logs"

    @property
    def id(self) -> str:
        """Of the first entry."""
        found = self.events
        return found[0].id if found else ""

    @property
    def name(self) -> str:
        """Of the log group."""
        return self.log_group

    @property
    def log_group(self) -> str:
        """Its name."""
        return fields.text(self.raw, "logGroup")

    @property
    def log_stream(self) -> str:
        """Its name."""
        return fields.text(self.raw, "logStream")

    @property
    def owner(self) -> str:
        """The account whose log it is."""
        return fields.text(self.raw, "owner")

    @property
    def subscription_filters(self) -> list[str]:
        """Names of those that let it pass."""
        return fields.texts(self.raw, "subscriptionFilters")

    @property
    def events(self) -> list[LogEvent]:
        """In their order."""
        return [LogEvent(each) for each in fields.items(self.raw, "logEvents")]


def records(event: Event) -> Sequence[Record]:
    """Unpack. Raises MalformedEvent."""
    data = fields.mapping({"awslogs.data": unpacked(fields.text(event, "awslogs", "data"))}, "awslogs.data")
    return () if data.get("messageType") == "CONTROL_MESSAGE" else (LogsRecord(data),)


def unpacked(data: str) -> Event:
    """Base64 of gzip of JSON. Raises MalformedEvent."""
    import zlib
    from json import loads

    packed = fields.base64(data, "`awslogs.data`")
    stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        text = stream.decompress(packed, SIZE)
    except zlib.error:
        raise MalformedEvent("Expected `awslogs.data` to be compressed by gzip, but it is not.") from None
    if not stream.eof:
        raise MalformedEvent(f"Expected `awslogs.data` to be complete, and {SIZE} bytes at most, but it is not.")
    try:
        return loads(text)
    except (ValueError, RecursionError):
        raise MalformedEvent("Expected `awslogs.data` to hold JSON, but it does not.") from None
