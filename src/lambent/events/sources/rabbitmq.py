"""Amazon MQ: queues of RabbitMQ.

Source: docs.aws.amazon.com/lambda, "Using Lambda with Amazon MQ". There is no partial batch response: if a message
fails, the batch comes again.

- `rmqMessagesByQueue` is an object, `queue::virtual host` → messages.
- Text in headers is `{"bytes": [104, 105]}`, Java's signed bytes; numbers and booleans are as they are.
- `basicProperties.timestamp` is text: `Jan 1, 1970, 12:33:41 AM`, in UTC.
"""

from __future__ import annotations

from lambent.errors import MalformedEvent
from lambent.events.model import Record
from lambent.events.sources import fields
from lambent.events.sources.fields import no_partial_failures as reply
from lambent.events.sources.fields import nothing_inside as inner
from lambent.events.sources.streams import data, signed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambent.types import Event

__all__ = ["SINGLE", "RabbitMqRecord", "inner", "records", "reply"]

SINGLE = False

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class RabbitMqRecord(Record):
    """One message of AMQP."""

    __slots__ = ("arn", "queue", "virtual_host")

    source = "rabbitmq"

    arn: str
    """Of the broker; empty if the event does not say."""
    queue: str
    """Its name."""
    virtual_host: str
    """That the queue is in, such as `/`."""

    def __init__(
        self, raw: Event, carrier: Record | None = None, *, arn: str = "", queue: str = "", virtual_host: str = ""
    ) -> None:
        super().__init__(raw, carrier)
        self.arn = arn
        self.queue = queue
        self.virtual_host = virtual_host

    @property
    def id(self) -> str:
        """`messageId`, if its sender has given it one; else empty."""
        return self._property("messageId") or ""

    @property
    def name(self) -> str:
        """Of the queue."""
        return self.queue

    @property
    def body(self) -> bytes:
        """As it was sent."""
        return data(self.raw, "data")

    @property
    def redelivered(self) -> bool:
        """Whether it may have come before."""
        return self.raw.get("redelivered") is True

    @property
    def headers(self) -> dict[str, Event]:
        """With text as str, or as bytes where it is not UTF-8."""
        return {name: _value(each) for name, each in fields.mapping(self.raw, "basicProperties", "headers").items()}

    @property
    def content_type(self) -> str | None:
        """As its sender says."""
        return self._property("contentType")

    @property
    def content_encoding(self) -> str | None:
        """As its sender says; nothing is decoded for it."""
        return self._property("contentEncoding")

    @property
    def correlation_id(self) -> str | None:
        return self._property("correlationId")

    @property
    def reply_to(self) -> str | None:
        """The queue of answers."""
        return self._property("replyTo")

    @property
    def type(self) -> str | None:
        """What its sender calls such messages."""
        return self._property("type")

    @property
    def user_id(self) -> str | None:
        """RabbitMQ has seen to it that this is the user that has sent it."""
        return self._property("userId")

    @property
    def app_id(self) -> str | None:
        """What has sent it, as it says."""
        return self._property("appId")

    @property
    def priority(self) -> int | None:
        """From 0 on."""
        return fields.whole_or_none(self.raw, "basicProperties", "priority")

    @property
    def size(self) -> int | None:
        """Of the body, in bytes."""
        return fields.whole_or_none(self.raw, "basicProperties", "bodySize")

    @property
    def sent_at(self) -> float | None:
        """In seconds since the epoch; None if its sender does not say."""
        text = self._property("timestamp")
        return None if text is None else _seconds(text)

    def _property(self, name: str) -> str | None:
        return fields.text_or_none(self.raw, "basicProperties", name)


def _value(told: Event) -> Event:
    """A header's value: text, a number, a boolean, null; a list or a table of such."""
    if isinstance(told, list):
        return [_value(each) for each in told]
    if not isinstance(told, dict):
        return told
    if told.keys() != {"bytes"}:
        return {name: _value(each) for name, each in told.items()}
    content = signed(told["bytes"], "text in a header")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content


def _seconds(text: str) -> float:
    """`Jan 1, 1970, 12:33:41 AM` → 2021.0; newer Java has a narrow space before the half of the day."""
    from datetime import UTC, datetime

    try:
        month, day, year, clock, half = text.replace(",", " ").split()
        hour, minute, second = (int(each) for each in clock.split(":"))
        hour = hour % 12 + {"AM": 0, "PM": 12}[half]
        return datetime(int(year), _MONTHS.index(month) + 1, int(day), hour, minute, second, tzinfo=UTC).timestamp()
    except (ValueError, LookupError, OverflowError):
        raise MalformedEvent(
            "Expected `basicProperties.timestamp` to be a time, such as Jan 1, 1970, 12:33:41 AM, but it is none."
        ) from None


def records(event: Event) -> Sequence[Record]:
    arn = fields.text_or_none(event, "eventSourceArn") or ""
    found: list[Record] = []
    for place, messages in fields.mapping(event, "rmqMessagesByQueue").items():
        queue, separator, host = place.rpartition("::")
        if not isinstance(messages, list) or not all(isinstance(each, dict) for each in messages):
            raise MalformedEvent(f"Expected `rmqMessagesByQueue` to have a list of objects for {place!r:.300}.")
        where = (queue, host) if separator else (place, "")
        found += [RabbitMqRecord(raw, arn=arn, queue=where[0], virtual_host=where[1]) for raw in messages]
    return found
