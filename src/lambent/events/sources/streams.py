"""What Kinesis, DynamoDB streams, Kafka and brokers have in common: encoded data, positions, partial failures. Pure.

Source: docs.aws.amazon.com/lambda, "Configuring partial batch response with Kinesis Data Streams and Lambda", "… with
DynamoDB and Lambda".

- Of the sequence numbers that a reply has, Lambda takes the lowest, and everything from there on comes again.
- An empty list says that all went well. An identifier that is empty fails the whole batch.
"""

from __future__ import annotations

from lambent.errors import MalformedEvent
from lambent.events.model import Record
from lambent.events.sources import fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from lambent.types import Event, Result


class StreamRecord(Record):
    """One record of a stream of Kinesis or DynamoDB."""

    __slots__ = ()

    @property
    def id(self) -> str:
        """`eventID`: the same each time it comes."""
        return fields.text(self.raw, "eventID")

    @property
    def arn(self) -> str:
        """Of the stream, or of the consumer with enhanced fan-out."""
        return fields.text(self.raw, "eventSourceARN")

    @property
    def name(self) -> str:
        """Of the stream, or of DynamoDB's table: `arn:aws:SERVICE:REGION:ACCOUNT:KIND/NAME`, and more after a slash."""
        return self.arn.partition("/")[2].partition("/")[0]

    @property
    def region(self) -> str:
        return fields.text(self.raw, "awsRegion")


def checkpoint(failed: Iterable[Record], *path: str) -> Result:
    """The reply that names the lowest sequence number; `path`: where records have theirs. Raises MalformedEvent."""
    numbers = [fields.text(outermost(each).raw, *path) for each in failed]
    if not numbers:
        return {"batchItemFailures": []}
    for each in numbers:
        if not (each.isascii() and each.isdecimal()):
            raise MalformedEvent(f"Expected `{'.'.join(path)}` to be a whole number, but it is none.")
    lowest = min(numbers, key=lambda each: (len(each.lstrip("0")), each.lstrip("0")))
    return {"batchItemFailures": [{"itemIdentifier": lowest}]}


def outermost(record: Record) -> Record:
    """The one that is reported: what carries it, if anything does."""
    while record.carrier is not None:
        record = record.carrier
    return record


def whole(holder: Event, *path: str) -> int:
    """A whole number, which must be there. Raises MalformedEvent."""
    value = fields.whole_or_none(holder, *path)
    if value is None:
        raise fields.wrong(path, "a whole number", value)
    return value


def seconds(holder: Event, *path: str, unit: float = 1.0) -> float:
    """A number of seconds, or of `unit` seconds. Raises MalformedEvent."""
    value = fields.at(holder, path)
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value * unit)
        except OverflowError:
            pass
    raise fields.wrong(path, "a number", value)


def data(holder: Event, *path: str) -> bytes:
    """What a string of base64 encodes. Raises MalformedEvent."""
    return fields.base64(fields.text(holder, *path), f"`{'.'.join(path)}`")


def signed(numbers: Event, what: str) -> bytes:
    """Bytes as Java has them: numbers from -128 to 127; those up to 255 are taken, too. Raises MalformedEvent."""
    try:
        return bytes([number & 255 if -128 <= number <= 255 else 256 for number in numbers])
    except (TypeError, ValueError):
        raise MalformedEvent(f"Expected {what} to be a list of bytes, from -128 to 127.") from None
