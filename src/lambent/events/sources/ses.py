"""SES: an e-mail that came in, to a receipt rule whose action is the function. Its headers, never its text.

Source: docs.aws.amazon.com/ses, "Invoke Lambda function action", "Contents of notifications for Amazon SES email
receiving".

With the invocation type `RequestResponse` the reply decides what becomes of the e-mail: `{"disposition": ...}`, one of
DISPOSITIONS. SES takes anything else for CONTINUE. With `Event` the reply goes nowhere.
"""

from __future__ import annotations

from lambent.errors import InvalidResult
from lambent.events.model import Record
from lambent.events.sources import fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambent.types import Event, Result

SINGLE = True

DISPOSITIONS = ("CONTINUE", "STOP_RULE", "STOP_RULE_SET")
"""Go on; leave out the other actions of this rule; leave out the other rules, too."""

inner = fields.nothing_inside
reply = fields.no_partial_failures


class SesRecord(Record):
    """One e-mail."""

    __slots__ = ()

    source = "ses"

    @property
    def id(self) -> str:
        """That SES gave it: also the name of the object, where another action has put it into S3."""
        return fields.text(self.raw, "ses", "mail", "messageId")

    @property
    def name(self) -> str:
        """The first of the recipients; empty if there is none."""
        found = self.recipients
        return found[0] if found else ""

    @property
    def body(self) -> Event:
        """`mail` and `receipt`, as they came."""
        return fields.mapping(self.raw, "ses")

    @property
    def sender(self) -> str:
        """Of the envelope: where it is sent back to."""
        return fields.text(self.raw, "ses", "mail", "source")

    @property
    def recipients(self) -> list[str]:
        """Those that the receipt rule is about."""
        return fields.texts(self.raw, "ses", "receipt", "recipients")

    @property
    def destination(self) -> list[str]:
        """All recipients of the envelope."""
        return fields.texts(self.raw, "ses", "mail", "destination")

    @property
    def subject(self) -> str | None:
        return fields.text_or_none(self.raw, "ses", "mail", "commonHeaders", "subject")

    @property
    def from_addresses(self) -> list[str]:
        """Of the header `From`, with names: anyone can write them."""
        return fields.texts(self.raw, "ses", "mail", "commonHeaders", "from")

    @property
    def to_addresses(self) -> list[str]:
        """Of the header `To`, with names."""
        return fields.texts(self.raw, "ses", "mail", "commonHeaders", "to")

    @property
    def message_id(self) -> str | None:
        """Of the header `Message-ID`, with its angle brackets."""
        return fields.text_or_none(self.raw, "ses", "mail", "commonHeaders", "messageId")

    @property
    def headers(self) -> list[tuple[str, str]]:
        """In their order, names as they were written."""
        found = fields.items(self.raw, "ses", "mail", "headers")
        return [(fields.text(each, "name"), fields.text(each, "value")) for each in found]

    @property
    def headers_truncated(self) -> bool:
        """Whether they were more than 10 KB, and some are missing."""
        return fields.at(self.raw, ("ses", "mail", "headersTruncated")) is True

    @property
    def received_at(self) -> float:
        """In seconds since the epoch."""
        return fields.time(self.raw, "ses", "mail", "timestamp")

    @property
    def processing_seconds(self) -> float:
        """From its arrival to this action."""
        return (fields.whole_or_none(self.raw, "ses", "receipt", "processingTimeMillis") or 0) / 1000

    @property
    def spam(self) -> str | None:
        """A verdict: PASS, FAIL, GRAY (undecided), PROCESSING_FAILED, DISABLED; None if there is none."""
        return self._verdict("spam")

    @property
    def virus(self) -> str | None:
        """A verdict, as of spam."""
        return self._verdict("virus")

    @property
    def spf(self) -> str | None:
        """A verdict, as of spam."""
        return self._verdict("spf")

    @property
    def dkim(self) -> str | None:
        """A verdict, as of spam."""
        return self._verdict("dkim")

    @property
    def dmarc(self) -> str | None:
        """A verdict, as of spam."""
        return self._verdict("dmarc")

    @property
    def dmarc_policy(self) -> str | None:
        """Of the sender's domain, where DMARC failed: `none`, `quarantine`, `reject`."""
        return fields.text_or_none(self.raw, "ses", "receipt", "dmarcPolicy")

    @property
    def is_answered(self) -> bool:
        """Whether SES waits for the reply, and goes by it."""
        return fields.text_or_none(self.raw, "ses", "receipt", "action", "invocationType") == "RequestResponse"

    def _verdict(self, kind: str) -> str | None:
        return fields.text_or_none(self.raw, "ses", "receipt", f"{kind}Verdict", "status")


def records(event: Event) -> Sequence[Record]:
    return (SesRecord(fields.only(event, "aws:ses")),)


def result(record: Record, returned: object) -> Result:  # noqa: ARG001 - as for every source
    """Give the reply: a disposition by its name, or `{"disposition": ...}`; None goes on. Raises InvalidResult."""
    if returned is None:
        return None
    found = returned.get("disposition") if isinstance(returned, dict) else returned
    if found in DISPOSITIONS:
        return {"disposition": found}
    raise InvalidResult(
        f"Expected a function of SES to return None or one of {', '.join(DISPOSITIONS)}, "
        f"but it returned {type(returned).__name__} that is none. SES would take it for CONTINUE.",
        "Runtime.MarshalError",
    )
