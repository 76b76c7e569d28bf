"""SES: e-mails that came in, and what is to become of them."""

from typing import Any

import pytest
from hypothesis import given

from lambent.errors import InvalidResult, MalformedEvent
from lambent.events.model import Source
from lambent.events.sources import ses
from lambent.events.sources.ses import SesRecord
from lambent.testing import events
from tests.events.sources.mutations import mutated, read_all
from tests.payloads import payload

SOURCE: Source = ses


def mail() -> SesRecord:
    (record,) = ses.records(payload("ses_request_response"))
    assert isinstance(record, SesRecord)
    return record


def test_a_mail_is_read_field_by_field() -> None:
    record = mail()
    assert record.source == "ses"
    assert record.id == "o3vrnil0e2ic28trm7dfhrc2v0clambda4nbp0g1"
    assert (record.name, record.sender) == ("johndoe@example.com", "janedoe@example.com")
    assert record.recipients == ["johndoe@example.com"]
    assert record.destination == ["johndoe@example.com", "sales@example.com"]
    assert (record.subject, record.message_id) == ("Lamp 7", "<0123456789example.com>")
    assert record.from_addresses == ["Jane Doe <janedoe@example.com>"]
    assert record.to_addresses == ["johndoe@example.com"]
    assert [name for name, _ in record.headers] == ["Return-Path", "Received", "Received", "From", "Subject"]
    assert record.headers_truncated is False
    assert (record.received_at, record.processing_seconds) == (1751753177.410, 0.574)
    assert (record.spam, record.virus, record.spf) == ("PASS", "PASS", "GRAY")
    assert (record.dkim, record.dmarc, record.dmarc_policy) == ("PROCESSING_FAILED", "FAIL", "reject")
    assert record.body == record.raw["ses"]
    assert record.is_answered
    (asynchronous,) = ses.records(events.ses())
    assert isinstance(asynchronous, SesRecord)
    assert not asynchronous.is_answered
    assert asynchronous.dmarc_policy is None


@pytest.mark.parametrize("disposition", ses.DISPOSITIONS)
def test_a_disposition_is_the_reply(disposition: str) -> None:
    assert ses.result(mail(), disposition) == {"disposition": disposition}
    assert ses.result(mail(), {"disposition": disposition}) == {"disposition": disposition}


def test_nothing_goes_on() -> None:
    assert ses.result(mail(), None) is None


@pytest.mark.parametrize("returned", ["stop_rule", "", {}, {"disposition": None}, {"disposition": []}, True, 7, []])
def test_what_ses_would_ignore_is_refused(returned: object) -> None:
    with pytest.raises(InvalidResult, match="None or one of CONTINUE, STOP_RULE, STOP_RULE_SET") as caught:
        ses.result(mail(), returned)
    assert caught.value.error_type == "Runtime.MarshalError"


def test_there_is_one_mail_in_an_event() -> None:
    event = events.ses()
    event["Records"] *= 2
    with pytest.raises(MalformedEvent, match="one record of aws:ses, but there are 2"):
        ses.records(event)


@given(event=mutated(payload("ses_request_response")))
def test_any_mutation_is_read_or_refused_as_listed(event: Any) -> None:
    read_all(ses, event)
