"""Lambda's destinations: how an asynchronous invocation of a function went, or a batch that was given up.

Source: docs.aws.amazon.com/lambda, "Capturing records of Lambda asynchronous invocations", "Retain discarded batch
records". Of a batch there is no payload, only where its records can be read again.
"""

from __future__ import annotations

from lambent.events.model import Record
from lambent.events.sources import fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambent.types import Event

SINGLE = True

_BATCHES = ("KinesisBatchInfo", "DDBStreamBatchInfo")

inner = fields.nothing_inside
reply = fields.no_partial_failures


class DestinationRecord(Record):
    """One invocation that is over."""

    __slots__ = ()

    source = "destination"
    is_decoded = True

    @property
    def id(self) -> str:
        """`requestId` of the invocation."""
        return fields.text(self.raw, "requestContext", "requestId")

    @property
    def name(self) -> str:
        """Of the function."""
        return self.function

    @property
    def arn(self) -> str:
        """Of the function, with its version or alias."""
        return fields.text(self.raw, "requestContext", "functionArn")

    @property
    def function(self) -> str:
        """Its name."""
        parts = self.arn.split(":")
        return parts[6] if len(parts) > 6 else parts[-1]

    @property
    def qualifier(self) -> str | None:
        """Version or alias that was invoked: `$LATEST`; None if it is not told."""
        parts = self.arn.split(":")
        return parts[7] if len(parts) > 7 else None

    @property
    def condition(self) -> str:
        """`Success`, `RetriesExhausted`, `EventAgeExceeded`; of a batch also `RetryAttemptsExhausted` and others."""
        return fields.text(self.raw, "requestContext", "condition")

    @property
    def succeeded(self) -> bool:
        return self.condition == "Success"

    @property
    def invoke_count(self) -> int | None:
        """How often it was tried. Approximate."""
        return fields.whole_or_none(self.raw, "requestContext", "approximateInvokeCount")

    @property
    def at(self) -> float:
        """When it was over, in seconds since the epoch."""
        return fields.time(self.raw, "timestamp")

    @property
    def request_payload(self) -> Event:
        """The event that the function was given."""
        return fields.at(self.raw, ("requestPayload",))

    @property
    def response_payload(self) -> Event:
        """What it returned, or its error; None if it was never invoked."""
        return fields.at(self.raw, ("responsePayload",))

    @property
    def body(self) -> Event:
        """What the next function wants: the response if it went well, otherwise the request."""
        return self.response_payload if self.succeeded else self.request_payload

    @property
    def function_error(self) -> str | None:
        """`Unhandled`, or None."""
        return fields.text_or_none(self.raw, "responseContext", "functionError")

    @property
    def error_type(self) -> str | None:
        """Name of the exception; None where it went well, or failed without one."""
        return self._error("errorType")

    @property
    def error_message(self) -> str | None:
        """As it was raised."""
        return self._error("errorMessage")

    @property
    def stack(self) -> list[str]:
        """Lines of the traceback; empty if there is none."""
        return fields.texts(self.response_payload, "stackTrace") if self._failed else []

    @property
    def batch(self) -> dict[str, Event]:
        """Of a stream: shard, first and last sequence number, and how many; empty for an asynchronous invocation."""
        return next((fields.mapping(self.raw, name) for name in _BATCHES if name in self.raw), {})

    @property
    def _failed(self) -> bool:
        return not self.succeeded and isinstance(self.response_payload, dict)

    def _error(self, name: str) -> str | None:
        return fields.text_or_none(self.response_payload, name) if self._failed else None


def records(event: Event) -> Sequence[Record]:
    return (DestinationRecord(fields.event_object(event)),)
