"""What was sent by hand, or by a service that has no form of its own: the event is what it is.

The Invoke API, Step Functions, rules of IoT, schedules with an input of their own, and every service that is not in
`KINDS`. What the function returns is the reply.
"""

from __future__ import annotations

from lambent.events.model import Record
from lambent.events.sources import fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambent.types import Event

SINGLE = True

inner = fields.nothing_inside
reply = fields.no_partial_failures


class InvokeRecord(Record):
    """The event itself: any JSON value."""

    __slots__ = ()

    source = "invoke"
    is_decoded = True


def records(event: Event) -> Sequence[Record]:
    return (InvokeRecord(event),)
