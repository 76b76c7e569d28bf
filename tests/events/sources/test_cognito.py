"""Cognito: triggers, and the event as the reply."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.errors import InvalidResult
from lambent.events.model import Source
from lambent.events.sources import cognito
from lambent.events.sources.cognito import CognitoRecord
from lambent.testing import events
from lambent.testing.events.cognito import SOURCES
from tests.events.sources.mutations import mutated, read_all
from tests.payloads import payload

SOURCE: Source = cognito


def trigger(event: Any) -> CognitoRecord:
    (record,) = cognito.records(event)
    assert isinstance(record, CognitoRecord)
    return record


def test_a_trigger_is_read_field_by_field() -> None:
    record = trigger(payload("cognito_token_generation_v2"))
    assert record.source == "cognito"
    assert (record.trigger, record.name) == ("TokenGeneration_HostedAuth", "TokenGeneration_HostedAuth")
    assert (record.pool, record.client_id, record.region) == ("eu-west-1_aBcDeFgHi", "1example23456789", "eu-west-1")
    assert (record.user, record.version) == ("jane", "2")
    assert record.request["scopes"] == ["openid", "email"]
    assert record.body is record.request
    assert record.attributes["email"] == "jane@example.com"
    assert record.client_metadata == {"shop": "7"}
    assert "jane" not in repr(record)


@pytest.mark.parametrize("source", SOURCES)
def test_what_is_filled_in_is_replied(source: str) -> None:
    event = events.cognito(source)
    record = trigger(event)
    record.response["autoConfirmUser"] = True
    reply = cognito.result(record, None)
    assert reply is event
    assert reply["response"]["autoConfirmUser"] is True


@pytest.mark.parametrize("response", [None, ...])
def test_a_response_that_is_not_there_can_be_filled_in(response: Any) -> None:
    event = events.cognito("PostConfirmation")
    if response is ...:
        del event["response"]
    else:
        event["response"] = response
    record = trigger(event)
    record.response["a"] = 1
    assert cognito.result(record, None)["response"] == {"a": 1}


def test_an_event_that_is_returned_is_the_reply() -> None:
    record = trigger(events.cognito())
    returned = {**record.raw, "response": {"autoConfirmUser": True}}
    assert cognito.result(record, returned) is returned


@pytest.mark.parametrize("returned", [True, "ok", {}, {"autoConfirmUser": True}, [], 0])
def test_what_cognito_would_not_recognise_is_refused(returned: object) -> None:
    with pytest.raises(InvalidResult, match="to return None or the event, but it returned") as caught:
        cognito.result(trigger(events.cognito()), returned)
    assert "autoConfirmUser" not in str(caught.value)


@given(data=st.data(), source=st.sampled_from(SOURCES))
def test_any_mutation_is_read_or_refused_as_listed(data: st.DataObject, source: str) -> None:
    read_all(cognito, data.draw(mutated(events.cognito(source))))
