"""Kinesis data streams. What the Kinesis Producer Library has put together is taken apart.

Source: docs.aws.amazon.com/lambda, "Using Lambda to process records from Amazon Kinesis Data Streams", "Configuring
partial batch response with Kinesis Data Streams and Lambda".

- A batch is of one shard, in its order. What fails blocks what follows: from the lowest sequence number that is
  reported on, everything comes again.
- Records of an aggregate have one sequence number: if one of them fails, all of them come again.
"""

from __future__ import annotations

from lambent.errors import MalformedEvent
from lambent.events.model import Record
from lambent.events.sources import fields
from lambent.events.sources.fields import nothing_inside as inner
from lambent.events.sources.streams import StreamRecord, checkpoint, data, seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lambent.types import Event, Result

__all__ = ["SINGLE", "AggregatedRecord", "KinesisRecord", "inner", "records", "reply"]

SINGLE = False

_SEQUENCE_NUMBER = ("kinesis", "sequenceNumber")

_MAGIC = "84maw"
"""How base64 of F3 89 9A C2 begins, with which aggregates do."""


class KinesisRecord(StreamRecord):
    """One record of a stream."""

    __slots__ = ()

    source = "kinesis"

    @property
    def stream(self) -> str:
        """Its name, without the consumer's."""
        return self.name

    @property
    def shard(self) -> str:
        """Its id, such as `shardId-000000000006`."""
        return fields.text(self.raw, "eventID").partition(":")[0]

    @property
    def sequence_number(self) -> str:
        """Grows within a shard: up to 129 digits."""
        return fields.text(self.raw, *_SEQUENCE_NUMBER)

    @property
    def partition_key(self) -> str:
        """What its producer has chosen; it decides on the shard."""
        return fields.text(self.raw, "kinesis", "partitionKey")

    @property
    def body(self) -> bytes:
        """Its data, as it was put."""
        return data(self.raw, "kinesis", "data")

    @property
    def group(self) -> str:
        """A batch is of one shard, so there is one for all."""
        return "shard"

    @property
    def at(self) -> float:
        """When it arrived at the stream: in seconds since the epoch, to the millisecond. Approximate."""
        return seconds(self.raw, "kinesis", "approximateArrivalTimestamp")


class AggregatedRecord(KinesisRecord):
    """One of several that were put as one; `raw` is that one."""

    __slots__ = ("_data", "_partition_key", "explicit_hash_key", "subsequence_number")

    def __init__(self, raw: Event, part: tuple[str, str | None, bytes], number: int) -> None:
        super().__init__(raw)
        self._partition_key, self.explicit_hash_key, self._data = part
        self.subsequence_number = number
        """Its place in the aggregate, from 0."""

    @property
    def id(self) -> str:
        """`eventID` and the place in the aggregate."""
        return f"{super().id}:{self.subsequence_number}"

    @property
    def partition_key(self) -> str:
        """Its own; that of the aggregate is one of its records'."""
        return self._partition_key

    @property
    def body(self) -> bytes:
        """Its own data."""
        return self._data


def records(event: Event) -> Sequence[Record]:
    found: list[Record] = []
    for raw in fields.raw_records(event, "aws:kinesis"):
        held = raw.get("kinesis")
        encoded = held.get("data") if isinstance(held, dict) else None
        if isinstance(encoded, str) and encoded.startswith(_MAGIC):
            found += _apart(raw, encoded)
        else:
            found.append(KinesisRecord(raw))
    return found


def _apart(raw: dict[str, Event], encoded: str) -> Sequence[Record]:
    """The records of an aggregate. What only looks like one is a record as any other, as AWS's consumers have it."""
    from lambent.events.sources.aggregates import parts

    try:
        found = parts(fields.base64(encoded, "`kinesis.data`"))
    except MalformedEvent:  # the record says so itself, and fails alone
        found = None
    if found is None:
        return [KinesisRecord(raw)]
    return [AggregatedRecord(raw, part, number) for number, part in enumerate(found)]


def reply(records: Sequence[Record], failed: Iterable[Record]) -> Result:  # noqa: ARG001 - as the Source protocol says
    """The lowest sequence number that has failed: from there on, everything comes again.

    Raises MalformedEvent if one that has failed does not have any: then the whole batch comes again.
    """
    return checkpoint(failed, *_SEQUENCE_NUMBER)
