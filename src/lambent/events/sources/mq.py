"""Amazon MQ: queues of ActiveMQ.

Source: docs.aws.amazon.com/lambda, "Using Lambda with Amazon MQ". There is no partial batch response: if a message
fails, the batch comes again.
"""

from __future__ import annotations

from lambent.errors import MalformedEvent
from lambent.events.model import Record
from lambent.events.sources import fields
from lambent.events.sources.fields import no_partial_failures as reply
from lambent.events.sources.fields import nothing_inside as inner
from lambent.events.sources.streams import data, seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambent.types import Event

__all__ = ["SINGLE", "MqRecord", "inner", "records", "reply"]

SINGLE = False


class MqRecord(Record):
    """One message of JMS."""

    __slots__ = ("arn",)

    source = "mq"

    arn: str
    """Of the broker; empty if the event does not say."""

    def __init__(self, raw: Event, carrier: Record | None = None, *, arn: str = "") -> None:
        super().__init__(raw, carrier)
        self.arn = arn

    @property
    def id(self) -> str:
        """`messageID`: the same each time it comes."""
        return fields.text(self.raw, "messageID")

    @property
    def queue(self) -> str:
        """`destination.physicalName`."""
        destination = fields.mapping(self.raw, "destination")
        return fields.text(destination, "physicalName" if "physicalName" in destination else "physicalname")

    @property
    def name(self) -> str:
        """Of the queue."""
        return self.queue

    @property
    def message_type(self) -> str:
        """`jms/text-message` or `jms/bytes-message`."""
        return fields.text(self.raw, "messageType")

    @property
    def body(self) -> str | bytes:
        """Of a text message the text; of any other its bytes."""
        content = data(self.raw, "data")
        if self.message_type != "jms/text-message":
            return content
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise MalformedEvent(
                f"Expected the data of a text message to be UTF-8, but byte {error.start} is not."
            ) from None

    @property
    def properties(self) -> dict[str, Event]:
        """What its sender says of it."""
        return fields.mapping(self.raw, "properties")

    @property
    def correlation_id(self) -> str | None:
        return fields.text_or_none(self.raw, "correlationId" if "correlationId" in self.raw else "correlationID")

    @property
    def reply_to(self) -> str | None:
        """The destination of answers."""
        return fields.text_or_none(self.raw, "replyTo")

    @property
    def type(self) -> str | None:
        """`JMSType`: what its sender calls such messages."""
        return fields.text_or_none(self.raw, "type")

    @property
    def priority(self) -> int | None:
        """From 0 to 9, the highest."""
        return fields.whole_or_none(self.raw, "priority")

    @property
    def redelivered(self) -> bool:
        """Whether it may have come before."""
        return self.raw.get("redelivered") is True

    @property
    def sent_at(self) -> float:
        """In seconds since the epoch."""
        return seconds(self.raw, "timestamp", unit=0.001)

    @property
    def received_at(self) -> float:
        """When the broker has got it: in seconds since the epoch."""
        return seconds(self.raw, "brokerInTime", unit=0.001)


def records(event: Event) -> Sequence[Record]:
    arn = fields.text_or_none(event, "eventSourceArn") or ""
    found = fields.items(event, "messages")
    for each in found:
        if not isinstance(each, dict):
            raise fields.wrong(("messages",), "a list of objects", each, "one of them is")
    return [MqRecord(raw, arn=arn) for raw in found]
