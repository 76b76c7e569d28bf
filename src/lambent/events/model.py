"""What events are made of: records, and what a source can say of them. Pure."""

from __future__ import annotations

from typing import Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence
    from typing import ClassVar

    from lambent.types import Event, Result


class Record:
    """One thing that has happened, as its source tells it. Subclasses read what they know of `raw` when asked for it.

    One may come inside of another: an SNS notification in a message of SQS. Then `carrier` is the outer one, and that
    is what is reported where something fails.
    """

    __slots__ = ("carrier", "raw")

    source: ClassVar[str] = ""
    """The name of its source, as `Events` calls it."""

    is_decoded: ClassVar[bool] = False
    """Whether the body is JSON's value already: what is text there is a string, and no JSON to decode."""

    filled_in: ClassVar[str] = ""
    """Where the reply is the event itself: the field of it that is filled in, and that alone is kept to be replayed."""

    def __init__(self, raw: Event, carrier: Record | None = None) -> None:
        self.raw = raw
        """As it came: the JSON that AWS documents."""
        self.carrier = carrier

    @property
    def id(self) -> str:
        """What names it in logs, such as the id of a message; empty if it has none."""
        return ""

    @property
    def name(self) -> str:
        """Of the queue, topic, bucket, table, stream or log group: what registrations are matched with."""
        return ""

    @property
    def body(self) -> Event:
        """What is decoded for a function: text, bytes, or JSON that has been decoded already."""
        return self.raw

    @property
    def group(self) -> Hashable:
        """Records of one group are handled one after the other, in their order; None: it is of no group."""
        return None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}>"


class Source(Protocol):
    """One kind of event: a module of `lambent.events.sources` with these names. Pure.

    It may have two more:

    - `result(record, returned)`: where it is SINGLE, what a function has returned → the reply; the same for a reply.
      Raises InvalidResult
    - `is_nothing(record)`: whether a record is no news, which nobody need take
    """

    @property
    def SINGLE(self) -> bool:  # noqa: N802 - a constant of a module
        """Whether an event is one record, and what its function returns is the reply."""

    def records(self, event: Event) -> Sequence[Record]:
        """Take an event apart. MalformedEvent, LookupError, TypeError, ValueError and AttributeError fail it.

        What is wrong with one record alone does not raise here, but in its properties: it fails alone.
        """

    def inner(self, record: Record) -> Sequence[Record]:
        """What a record carries that is of another source, each with `carrier` set; empty for nothing."""

    def reply(self, records: Sequence[Record], failed: Iterable[Record]) -> Result | None:
        """The partial batch response, where the source has one; else None, and any failure fails the invocation."""
