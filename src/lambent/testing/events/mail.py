"""SES: an e-mail that was received.

Source: docs.aws.amazon.com/ses, "Contents of notifications for Amazon SES email receiving", "AWS Lambda action" (of
receipt rules): the function is told the headers, never the body.
"""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import formatdate, parseaddr

from lambent.testing.events.origin import HERE, LOWER, Event, Facts, Origin, iso

VERDICTS = ("spamVerdict", "virusVerdict", "spfVerdict", "dkimVerdict", "dmarcVerdict")


def ses(
    *,
    sender: str = "Jane Doe <jane@example.com>",
    recipients: Sequence[str] = ("john@example.com",),
    subject: str = "Hello from SES!",
    function: str = "my-function",
    invocation_type: str = "Event",
    origin: Origin = HERE,
) -> Event:
    """One message, to one receipt rule whose action is the function."""
    facts = origin.facts()
    if invocation_type not in ("Event", "RequestResponse"):
        raise ValueError(f"invocation_type: expected Event or RequestResponse, but got {invocation_type!r}.")
    if not recipients:
        raise ValueError("recipients: expected one at least.")
    action = {
        "type": "Lambda",
        "functionArn": facts.arn("lambda", f"function:{function}"),
        "invocationType": invocation_type,
    }
    receipt = {
        "timestamp": iso(facts.now),
        "processingTimeMillis": 574,
        "recipients": list(recipients),
        **{name: {"status": "PASS"} for name in VERDICTS},
        "action": action,
    }
    record = {
        "eventSource": "aws:ses",
        "eventVersion": "1.0",
        "ses": {"mail": mail(facts, sender, recipients, subject), "receipt": receipt},
    }
    return {"Records": [record]}


def mail(facts: Facts, sender: str, recipients: Sequence[str], subject: str) -> Event:
    address = parseaddr(sender)[1]
    if "@" not in address:
        raise ValueError(f"sender: expected an address, such as Jane Doe <jane@example.com>, but got {sender!r}.")
    message_id, date = f"<{facts.hex(20)}@{address.rpartition('@')[2]}>", formatdate(facts.now)
    headers = {
        "Return-Path": f"<{address}>",
        "From": sender,
        "To": ", ".join(recipients),
        "Subject": subject,
        "Date": date,
        "Message-ID": message_id,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
    }
    common = {
        "returnPath": address,
        "from": [sender],
        "date": date,
        "to": list(recipients),
        "messageId": message_id,
        "subject": subject,
    }
    return {
        "timestamp": iso(facts.now),
        "source": address,
        "messageId": facts.characters(40, LOWER),
        "destination": list(recipients),
        "headersTruncated": False,
        "headers": [{"name": name, "value": value} for name, value in headers.items()],
        "commonHeaders": common,
    }
