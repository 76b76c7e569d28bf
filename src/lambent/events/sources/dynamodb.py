"""DynamoDB streams: changes of a table's items.

Source: docs.aws.amazon.com/lambda, "Using AWS Lambda with Amazon DynamoDB", "Configuring partial batch response with
DynamoDB and Lambda"; docs.aws.amazon.com/amazondynamodb, "Working with streams", "DynamoDB Streams and Time to Live".

- A batch is of one shard, in its order. What fails blocks what follows: from the lowest sequence number that is
  reported on, everything comes again.
- The stream's view type says which images there are; keys always are.
"""

from __future__ import annotations

from lambent.events.model import Record
from lambent.events.sources import fields
from lambent.events.sources.attribute_values import item
from lambent.events.sources.fields import nothing_inside as inner
from lambent.events.sources.streams import StreamRecord, checkpoint, seconds, whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lambent.types import Event, Result

__all__ = ["SINGLE", "DynamoDBRecord", "inner", "records", "reply"]

SINGLE = False

_SEQUENCE_NUMBER = ("dynamodb", "SequenceNumber")


class DynamoDBRecord(StreamRecord):
    """One change of one item."""

    __slots__ = ()

    source = "dynamodb"

    @property
    def table(self) -> str:
        """Its name."""
        return self.name

    @property
    def event_name(self) -> str:
        """INSERT, MODIFY or REMOVE."""
        return fields.text(self.raw, "eventName")

    @property
    def keys(self) -> dict[str, Event]:
        """The item's primary key, as Python's values."""
        return item(fields.at(self.raw, ("dynamodb", "Keys")))

    @property
    def new_image(self) -> dict[str, Event] | None:
        """The item after the change; None if it was removed, or if the stream's view does not have it.

        Numbers are int, or Decimal with a fraction; binary values are bytes; sets are sets.
        """
        return self._image("NewImage")

    @property
    def old_image(self) -> dict[str, Event] | None:
        """The item before the change; None if it was inserted, or if the stream's view does not have it."""
        return self._image("OldImage")

    def _image(self, name: str) -> dict[str, Event] | None:
        image = fields.at(self.raw, ("dynamodb", name))
        return None if image is None else item(image)

    @property
    def body(self) -> dict[str, Event] | None:
        """The new image; of a REMOVE the old one. None if the stream's view does not have it."""
        return self.old_image if self.event_name == "REMOVE" else self.new_image

    @property
    def group(self) -> str:
        """A batch is of one shard, so there is one for all."""
        return "shard"

    @property
    def at(self) -> float:
        """When it was changed: in seconds since the epoch, to the second. Approximate."""
        return seconds(self.raw, "dynamodb", "ApproximateCreationDateTime")

    @property
    def sequence_number(self) -> str:
        """Grows within a shard: up to 40 digits."""
        return fields.text(self.raw, *_SEQUENCE_NUMBER)

    @property
    def size(self) -> int:
        """Of keys and images, in bytes."""
        return whole(self.raw, "dynamodb", "SizeBytes")

    @property
    def view(self) -> str:
        """KEYS_ONLY, NEW_IMAGE, OLD_IMAGE or NEW_AND_OLD_IMAGES."""
        return fields.text(self.raw, "dynamodb", "StreamViewType")

    @property
    def expired(self) -> bool:
        """Whether DynamoDB itself has removed it: its time to live was over."""
        identity = fields.mapping(self.raw, "userIdentity")
        principal = identity.get("principalId", identity.get("PrincipalId"))
        return self.event_name == "REMOVE" and principal == "dynamodb.amazonaws.com"


def records(event: Event) -> Sequence[Record]:
    return [DynamoDBRecord(raw) for raw in fields.raw_records(event, "aws:dynamodb")]


def reply(records: Sequence[Record], failed: Iterable[Record]) -> Result:  # noqa: ARG001 - as the Source protocol says
    """The lowest sequence number that has failed: from there on, everything comes again.

    Raises MalformedEvent if one that has failed does not have any: then the whole batch comes again.
    """
    return checkpoint(failed, *_SEQUENCE_NUMBER)
