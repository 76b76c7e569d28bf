"""What a message carries as its text: a notification of SNS, an event of S3, of a bus, a schedule, a destination. Pure.

Most messages carry none of these, and there may be thousands: only a text that has the name of a field which all of
such events have is parsed. Source: captures of what S3, EventBridge, SNS and Lambda send to queues and topics.
"""

from __future__ import annotations

from lambent.events.sources import detect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambent.events.model import Record
    from lambent.types import Event

SOURCES = ("s3", "schedule", "eventbridge", "destination")
"""That send their events to queues and topics, too."""

_MARKS = ('"TopicArn"', '"aws:s3"', '"detail-type"', '"functionArn"')
"""One of which is in every text that is parsed."""

_UNREADABLE = (LookupError, TypeError, ValueError, AttributeError, RecursionError)


def carried(message: object, carrier: Record) -> Sequence[Record]:
    """Return the records in it, each with its carrier; none if it is anything else. Never raises."""
    if not isinstance(message, str) or message[:1] != "{" or not any(mark in message for mark in _MARKS):
        return ()
    from json import loads

    from lambent.errors import MalformedEvent

    try:
        return _records(loads(message), carrier)
    except (*_UNREADABLE, MalformedEvent):
        return ()


def is_test(message: object) -> bool:
    """Whether S3 has sent it, itself or by way of a topic, to see if it may. It is about no object. Never raises."""
    from json import loads

    try:
        while isinstance(message, str) and "s3:TestEvent" in message:
            content = loads(message)
            if content.get("Event") == "s3:TestEvent":
                return True
            message = content.get("Message") if content.get("Type") == "Notification" else None
    except _UNREADABLE:
        pass
    return False


def _records(content: Event, carrier: Record) -> Sequence[Record]:
    if content.get("Type") == "Notification" and "TopicArn" in content and "Message" in content:
        from lambent.events.sources.sns import SnsRecord

        return (SnsRecord(content, carrier),)
    kind = detect(content)
    if kind.name not in SOURCES:
        return ()
    found = kind.source.records(content)
    for each in found:
        each.carrier = carrier
    return found
