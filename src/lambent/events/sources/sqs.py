"""SQS: messages of a standard or a FIFO queue.

Source: docs.aws.amazon.com/lambda, "Using Lambda with Amazon SQS", "Handling errors for an SQS event source";
docs.aws.amazon.com/AWSSimpleQueueService, "Amazon SQS message metadata".

- Attributes come as text, times as milliseconds.
- Only the queue's name, which ends in `.fifo`, tells that messages have an order: those of a standard queue may have a
  group, too, for fair queues.
- Nothing but `{"batchItemFailures": [{"itemIdentifier": messageId}]}` makes a partial failure; an empty list says that
  all went well, and an identifier that is empty, or not of this batch, fails the whole of it.
"""

from __future__ import annotations

from lambent.events.model import Record
from lambent.events.sources import fields
from lambent.events.sources.carried import carried, is_test

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lambent.types import Event, Result

SINGLE = False


class SqsRecord(Record):
    """One message."""

    __slots__ = ()

    source = "sqs"

    @property
    def id(self) -> str:
        """`messageId`: the same each time it is received."""
        return fields.text(self.raw, "messageId")

    @property
    def arn(self) -> str:
        """Of the queue."""
        return fields.text(self.raw, "eventSourceARN")

    @property
    def queue(self) -> str:
        """Its name, with `.fifo` if it has that."""
        arn = self.raw.get("eventSourceARN")  # as in `group`: all are asked
        return arn.rpartition(":")[2] if isinstance(arn, str) else fields.last(self.arn)

    name = queue

    @property
    def region(self) -> str:
        return fields.text(self.raw, "awsRegion")

    @property
    def body(self) -> str:
        """As it was sent."""
        body = self.raw.get("body")  # as in `group`
        return body if isinstance(body, str) else fields.text(self.raw, "body")

    @property
    def is_fifo(self) -> bool:
        return self.arn.endswith(".fifo")

    @property
    def group(self) -> str | None:
        """`MessageGroupId` of a FIFO queue; None for a standard queue, where it says nothing of order."""
        arn = self.raw.get("eventSourceARN")  # as `arn` does: all of 10 000 messages are asked
        if isinstance(arn, str) and not arn.endswith(".fifo"):
            return None
        return fields.text(self.raw, "attributes", "MessageGroupId") if self.is_fifo else None

    @property
    def deduplication_id(self) -> str | None:
        """`MessageDeduplicationId`; None for a standard queue."""
        return fields.text_or_none(self.raw, "attributes", "MessageDeduplicationId")

    @property
    def sequence_number(self) -> str | None:
        """Grows within a group; None for a standard queue."""
        return fields.text_or_none(self.raw, "attributes", "SequenceNumber")

    @property
    def receive_count(self) -> int:
        """How often it has been received without being deleted, this time included: 1 for the first. Approximate."""
        return fields.count(self.raw, "attributes", "ApproximateReceiveCount")

    @property
    def sent_at(self) -> float:
        """In seconds since the epoch."""
        return fields.milliseconds(self.raw, "attributes", "SentTimestamp")

    @property
    def first_received_at(self) -> float:
        """In seconds since the epoch. Approximate."""
        return fields.milliseconds(self.raw, "attributes", "ApproximateFirstReceiveTimestamp")

    @property
    def attributes(self) -> dict[str, Event]:
        """What SQS says of it, as text."""
        return fields.mapping(self.raw, "attributes")

    @property
    def message_attributes(self) -> dict[str, str | int | float | bytes]:
        """What its sender says of it: text, numbers and bytes."""
        return {name: _value(name, each) for name, each in fields.mapping(self.raw, "messageAttributes").items()}

    @property
    def receipt_handle(self) -> str:
        """What deletes it, or makes it invisible for longer."""
        return fields.text(self.raw, "receiptHandle")


def _value(name: str, attribute: Event) -> Event:
    kind = fields.text(attribute, "dataType")
    field = "binaryValue" if kind.startswith("Binary") else "stringValue"
    return fields.attribute(name, kind, fields.text(attribute, field))


def records(event: Event) -> Sequence[Record]:
    return [SqsRecord(raw) for raw in fields.raw_records(event, "aws:sqs")]


def inner(record: Record) -> Sequence[Record]:
    """A notification of SNS, or what else AWS sends to queues. Never raises."""
    return carried(record.raw.get("body"), record)


def is_nothing(record: Record) -> bool:
    """Whether it is S3's test of a new configuration, which is not about any object."""
    return is_test(record.raw.get("body"))


def reply(records: Sequence[Record], failed: Iterable[Record]) -> Result:  # noqa: ARG001 - as the Source protocol says
    """Name the messages that are to come again, each once; of a record inside of one, that one."""
    identifiers = dict.fromkeys(_message(each).id for each in failed)
    return {"batchItemFailures": [{"itemIdentifier": each} for each in identifiers]}


def _message(record: Record) -> Record:
    while record.carrier is not None:
        record = record.carrier
    return record
