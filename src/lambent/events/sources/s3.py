"""S3: what has happened to an object, told by S3 itself, or by EventBridge.

Source: docs.aws.amazon.com/AmazonS3, "Event message structure", "EventBridge event message structure", "Supported
event types for SQS, SNS, and Lambda".

- A notification has the key encoded as in a form, `red+lamp.png`; an event of the bus has it as it is.
- Of what was removed there is neither size nor tag. Only creations and removals have a sequencer.
- A function is invoked asynchronously: an event that fails is retried as a whole.
"""

from __future__ import annotations

from lambent.events.model import Record
from lambent.events.sources import fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambent.types import Event

SINGLE = False

inner = fields.nothing_inside
reply = fields.no_partial_failures


class S3Record(Record):
    """What has happened to one object."""

    __slots__ = ()

    source = "s3"

    @property
    def id(self) -> str:
        """Bucket, key and sequencer: the same for each copy of this notification, and for no other."""
        return f"{self.bucket}/{self.key}@{self.sequencer or self.request_id or ''}"

    @property
    def name(self) -> str:
        """Of the bucket."""
        return self.bucket

    @property
    def bucket(self) -> str:
        """Its name."""
        return fields.text(self.raw, "s3", "bucket", "name")

    @property
    def key(self) -> str:
        """Decoded: as the other calls of S3 want it."""
        from urllib.parse import unquote_plus

        return unquote_plus(fields.text(self.raw, "s3", "object", "key"))

    @property
    def size(self) -> int | None:
        """In bytes; None of what is not there any more."""
        return fields.whole_or_none(self.raw, "s3", "object", "size")

    @property
    def etag(self) -> str | None:
        """Without quotation marks."""
        return fields.text_or_none(self.raw, "s3", "object", "eTag")

    @property
    def version_id(self) -> str | None:
        """None if the bucket keeps no versions."""
        return fields.text_or_none(self.raw, "s3", "object", "versionId")

    @property
    def sequencer(self) -> str | None:
        """Hexadecimal; the later of two events of one key has the greater one, once both are as long (zeros left)."""
        return fields.text_or_none(self.raw, "s3", "object", "sequencer")

    @property
    def event_name(self) -> str:
        """`ObjectCreated:Put`, `ObjectRemoved:Delete` …, whichever way it came."""
        return fields.text(self.raw, "eventName").removeprefix("s3:")

    @property
    def region(self) -> str:
        """Of the bucket."""
        return fields.text(self.raw, "awsRegion")

    @property
    def at(self) -> float:
        """When S3 was done with it, in seconds since the epoch."""
        return fields.time(self.raw, "eventTime")

    @property
    def request_id(self) -> str | None:
        """Of the request that did it."""
        return fields.text_or_none(self.raw, "responseElements", "x-amz-request-id")


class S3BusRecord(S3Record):
    """The same, as EventBridge tells it: `raw` is the event of the bus."""

    __slots__ = ()

    @property
    def bucket(self) -> str:
        """Its name."""
        return fields.text(self.raw, "detail", "bucket", "name")

    @property
    def key(self) -> str:
        """As the other calls of S3 want it."""
        return fields.text(self.raw, "detail", "object", "key")

    @property
    def size(self) -> int | None:
        """In bytes; None of what is not there any more."""
        return fields.whole_or_none(self.raw, "detail", "object", "size")

    @property
    def etag(self) -> str | None:
        """Without quotation marks."""
        return fields.text_or_none(self.raw, "detail", "object", "etag")

    @property
    def version_id(self) -> str | None:
        """None if the bucket keeps no versions."""
        return fields.text_or_none(self.raw, "detail", "object", "version-id")

    @property
    def sequencer(self) -> str | None:
        """Hexadecimal, as of a notification."""
        return fields.text_or_none(self.raw, "detail", "object", "sequencer")

    @property
    def event_name(self) -> str:
        """As a notification has it: `ObjectCreated:Put` for `Object Created` by `PutObject`."""
        told = fields.text(self.raw, "detail-type")
        detail = fields.mapping(self.raw, "detail")
        return _event_name(told, str(detail.get("reason")), str(detail.get("deletion-type")))

    @property
    def region(self) -> str:
        """Of the bucket."""
        return fields.text(self.raw, "region")

    @property
    def at(self) -> float:
        """In whole seconds since the epoch."""
        return fields.time(self.raw, "time")

    @property
    def request_id(self) -> str | None:
        """Of the request that did it."""
        return fields.text_or_none(self.raw, "detail", "request-id")


_CREATED = {"PutObject": "Put", "POST Object": "Post", "CopyObject": "Copy"}
_DELETED = {"Permanently Deleted": "Delete", "Delete Marker Created": "DeleteMarkerCreated"}
_OTHERS = {
    "Object Restore Initiated": "ObjectRestore:Post",
    "Object Restore Completed": "ObjectRestore:Completed",
    "Object Restore Expired": "ObjectRestore:Delete",
    "Object Storage Class Changed": "LifecycleTransition",
    "Object Access Tier Changed": "IntelligentTiering",
    "Object ACL Updated": "ObjectAcl:Put",
    "Object Tags Added": "ObjectTagging:Put",
    "Object Tags Deleted": "ObjectTagging:Delete",
}
"""`detail-type` → the name of the notification."""


def _event_name(detail_type: str, reason: str, deletion: str) -> str:
    """Return the name of the notification; what is not known keeps the words of EventBridge."""
    if detail_type == "Object Created":
        return f"ObjectCreated:{_CREATED.get(reason, reason)}"
    if detail_type == "Object Deleted":
        family = "LifecycleExpiration" if reason == "Lifecycle Expiration" else "ObjectRemoved"
        return f"{family}:{_DELETED.get(deletion, deletion)}"
    return _OTHERS.get(detail_type, detail_type)


def records(event: Event) -> Sequence[Record]:
    return [S3Record(raw) for raw in fields.raw_records(event, "aws:s3")]
