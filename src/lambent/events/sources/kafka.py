"""Kafka: Amazon MSK, and clusters of one's own.

Source: docs.aws.amazon.com/lambda, "Using Lambda with Amazon MSK", "Using Lambda with self-managed Apache Kafka",
"Configuring error handling controls for Kafka event sources".

- `records` is an object, `topic-partition` → the records of that partition, in their order.
- Keys and values are base64, and absent or null where Kafka has none: a tombstone has no value.
- A failure is `{"itemIdentifier": {"partition": "topic-0", "offset": 5}}`, the partition as the event has it. What was
  not in the event, or is none, fails the whole batch. AWS asks for every record that has failed and promises to send
  those again, not those that follow; so each is named, as well as what was not begun because of it.
- Lambda takes such replies from mappings in provisioned mode with ReportBatchItemFailures; others ignore them, and take
  a batch as done: for these there is `Events(partial_failures=False)`.
"""

from __future__ import annotations

from lambent.errors import MalformedEvent
from lambent.events.model import Record
from lambent.events.sources import fields
from lambent.events.sources.fields import nothing_inside as inner
from lambent.events.sources.streams import data, outermost, seconds, signed, whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lambent.types import Event, Result

__all__ = ["SINGLE", "KafkaRecord", "inner", "records", "reply"]

SINGLE = False


class KafkaRecord(Record):
    """One record of a partition."""

    __slots__ = ("group",)

    source = "kafka"

    group: str
    """The topic and the partition, as the event has them: `orders-0`."""

    def __init__(self, raw: Event, carrier: Record | None = None, *, group: str = "") -> None:
        super().__init__(raw, carrier)
        self.group = group

    @property
    def id(self) -> str:
        """`topic-partition-offset`: the same each time it comes."""
        return f"{self.group}-{self.offset}"

    @property
    def topic(self) -> str:
        return fields.text(self.raw, "topic")

    @property
    def name(self) -> str:
        """Of the topic."""
        return self.topic

    @property
    def partition(self) -> int:
        return whole(self.raw, "partition")

    @property
    def offset(self) -> int:
        """Grows within the partition."""
        return whole(self.raw, "offset")

    @property
    def key(self) -> bytes | None:
        """None if it has none."""
        return None if self.raw.get("key") is None else data(self.raw, "key")

    @property
    def body(self) -> bytes | None:
        """Its value; None for a tombstone, which says that what has this key is deleted."""
        return None if self.raw.get("value") is None else data(self.raw, "value")

    @property
    def headers(self) -> list[tuple[str, bytes]]:
        """In their order; a name may come more than once."""
        return [
            (name, signed(value, f"the header {name!r:.80}"))
            for each in fields.items(self.raw, "headers")
            for name, value in _header(each)
        ]

    @property
    def at(self) -> float:
        """In seconds since the epoch; of what, `timestamp_type` says."""
        return seconds(self.raw, "timestamp", unit=0.001)

    @property
    def timestamp_type(self) -> str:
        """CREATE_TIME: its producer's time; LOG_APPEND_TIME: the broker's."""
        return fields.text(self.raw, "timestampType")


def _header(entry: Event) -> Iterable[tuple[str, Event]]:
    if not isinstance(entry, dict):
        raise fields.wrong(("headers",), "a list of objects", entry, "one of them is")
    return entry.items()


def records(event: Event) -> Sequence[Record]:
    found: list[Record] = []
    for partition, held in fields.mapping(event, "records").items():
        if not isinstance(held, list) or not all(isinstance(each, dict) for each in held):
            raise MalformedEvent(
                f"Expected `records` to have a list of objects for {partition!r:.300}, but it does not."
            )
        found += [KafkaRecord(raw, group=partition) for raw in held]
    return found


def reply(records: Sequence[Record], failed: Iterable[Record]) -> Result:  # noqa: ARG001 - as the Source protocol says
    """Name each record that has failed.

    Raises MalformedEvent if one that has failed does not have an offset: then the whole batch comes again.
    """
    named = {(str(each.group), whole(each.raw, "offset")): None for each in map(outermost, failed)}
    return {
        "batchItemFailures": [
            {"itemIdentifier": {"partition": partition, "offset": offset}} for partition, offset in named
        ]
    }
