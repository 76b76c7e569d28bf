"""SNS: notifications of a topic, to a function or by way of a queue.

Source: docs.aws.amazon.com/lambda, "Invoking Lambda functions with Amazon SNS notifications"; docs.aws.amazon.com/sns,
"Amazon SNS message delivery", "Amazon SNS message attributes".

- A function is given `{"EventSource": "aws:sns", "Sns": {...}}`, with a capital E as nobody else writes it. A queue is
  given the notification alone, and names that end in `URL` where the other has `Url`. With raw delivery, the message.
- There are no partial failures: an event, which has one notification, is retried as a whole.
"""

from __future__ import annotations

from lambent.events.model import Record
from lambent.events.sources import fields
from lambent.events.sources.carried import carried, is_test

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambent.types import Event

SINGLE = False

reply = fields.no_partial_failures


class SnsRecord(Record):
    """One notification. `raw` is a record of an event, or what is in a message of SQS."""

    __slots__ = ()

    source = "sns"

    @property
    def notification(self) -> dict[str, Event]:
        """The fields, whichever way it came."""
        return fields.mapping(self.raw, "Sns") if "Sns" in self.raw else fields.mapping(self.raw)

    @property
    def id(self) -> str:
        """`MessageId`: the same for each subscriber, and each time."""
        return fields.text(self.notification, "MessageId")

    @property
    def arn(self) -> str:
        """Of the topic."""
        return fields.text(self.notification, "TopicArn")

    @property
    def topic(self) -> str:
        """Its name."""
        return fields.last(self.arn)

    @property
    def name(self) -> str:
        """Of the topic."""
        return self.topic

    @property
    def subject(self) -> str | None:
        return fields.text_or_none(self.notification, "Subject")

    @property
    def body(self) -> str:
        """`Message`, as it was published."""
        return fields.text(self.notification, "Message")

    @property
    def sent_at(self) -> float:
        """In seconds since the epoch."""
        return fields.time(self.notification, "Timestamp")

    @property
    def message_attributes(self) -> dict[str, Event]:
        """What its publisher says of it: text, numbers, bytes, lists."""
        return {
            name: fields.attribute(name, fields.text(each, "Type"), fields.text(each, "Value"))
            for name, each in fields.mapping(self.notification, "MessageAttributes").items()
        }


def records(event: Event) -> Sequence[Record]:
    return [SnsRecord(raw) for raw in fields.raw_records(event, "aws:sns", "EventSource")]


def inner(record: Record) -> Sequence[Record]:
    """An event of S3, or what else AWS sends to topics. Never raises."""
    return carried(_message(record), record)


def is_nothing(record: Record) -> bool:
    """Whether it is S3's test of a new configuration, which is not about any object."""
    return is_test(_message(record))


def _message(record: Record) -> object:
    raw = record.raw.get("Sns", record.raw)
    return raw.get("Message") if isinstance(raw, dict) else None
