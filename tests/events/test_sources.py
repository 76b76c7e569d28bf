"""Each event has one source: those in tests/data, and those that the builders make."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.events.model import Record
from lambent.events.sources import INVOKE, KINDS, detect, named
from lambent.testing import events
from tests.events.sources.mutations import STRANGE
from tests.payloads import NAMES, payload

SOURCES = {
    "codepipeline": "codepipeline",
    "cognito_token_generation_v2": "cognito",
    "destination": "destination",
    "destination_kinesis_batch": "destination",
    "dynamodb_all_types": "dynamodb",
    "dynamodb_stream": "dynamodb",
    "eventbridge": "schedule",
    "http_api_authorizer_v1": "authorizer",
    "http_api_authorizer_v2": "authorizer",
    "kafka_msk": "kafka",
    "kafka_self_managed": "kafka",
    "kinesis": "kinesis",
    "kinesis_aggregated": "kinesis",
    "logs_control_message": "logs",
    "mq": "mq",
    "rabbitmq": "rabbitmq",
    "rest_authorizer_request": "authorizer",
    "rest_authorizer_token": "authorizer",
    "s3": "s3",
    "s3_eventbridge": "eventbridge",
    "schedule_scheduler": "schedule",
    "ses_request_response": "ses",
    "sns": "sns",
    "sqs": "sqs",
    "sqs_fifo": "sqs",
}
"""What is in tests/data and not here has no source: requests, and what was sent by hand."""

BUILT: dict[str, Callable[[], Any]] = {
    "authorizer": events.authorizer,
    "authorizer-request": events.authorizer_request,
    "authorizer-token": events.authorizer_token,
    "codepipeline": events.codepipeline,
    "cognito": events.cognito,
    "destination": events.destination,
    "dynamodb": events.dynamodb,
    "eventbridge": events.eventbridge,
    "kafka": events.kafka,
    "kinesis": events.kinesis,
    "logs": events.logs,
    "mq": events.mq,
    "rabbitmq": events.rabbitmq,
    "s3": events.s3,
    "schedule": events.schedule,
    "ses": events.ses,
    "sns": events.sns,
    "sqs": events.sqs,
}


@pytest.mark.parametrize("name", NAMES)
def test_each_payload_has_one_source(name: str) -> None:
    event = payload(name)
    expected = SOURCES.get(name, "invoke")
    assert detect(event).name == expected
    matching = {kind.name for kind in KINDS if kind.matches(event)}
    also = {"eventbridge"} if expected == "schedule" else set()  # a schedule's event is one of the bus, too
    assert matching == ({expected} - {"invoke"}) | also


@pytest.mark.parametrize("name", BUILT)
def test_each_source_takes_what_its_builder_makes(name: str) -> None:
    event = BUILT[name]()
    kind = detect(event)
    assert kind.name == name.partition("-")[0]
    records = kind.source.records(event)
    assert records
    for record in records:
        assert (record.source, record.raw is not None, record.carrier) == (kind.name, True, None)
        assert all(isinstance(each, str) for each in (record.id, record.name, repr(record)))
        hash(record.group)
        assert not kind.source.inner(record)
    if kind.source.SINGLE:
        assert len(records) == 1
    else:
        assert kind.source.reply(records, []) in (None, {"batchItemFailures": []})


@pytest.mark.parametrize("kind", [*KINDS, INVOKE], ids=lambda kind: kind.name)
def test_every_source_has_what_its_protocol_says(kind: Any) -> None:
    """And its records have no dict of their own: there may be thousands."""
    module = kind.source
    assert isinstance(module.SINGLE, bool)
    for function, parameters in (("records", ["event"]), ("inner", ["record"]), ("reply", ["records", "failed"])):
        assert list(inspect.signature(getattr(module, function)).parameters) == parameters
    types = [each for _, each in inspect.getmembers(module, inspect.isclass) if issubclass(each, Record)]
    own = [each for each in types if each.__module__ == module.__name__]
    assert own
    for each in own:
        assert each.source == kind.name
        assert each.__dictoffset__ == 0
    assert named(kind.name) is kind


@pytest.mark.parametrize("event", [{}, [], None, "", 7, {"Records": []}, {"Records": [None]}, {"Records": {"0": {}}}])
def test_what_nothing_tells_was_sent_by_hand(event: Any) -> None:
    assert detect(event) is INVOKE


@given(
    event=STRANGE
    | st.dictionaries(
        st.sampled_from(
            [
                "Records",
                "eventSource",
                "source",
                "detail-type",
                "detail",
                "awslogs",
                "requestContext",
                "type",
                "methodArn",
            ]
        ),
        STRANGE | st.lists(st.dictionaries(st.sampled_from(["eventSource", "EventSource"]), STRANGE), max_size=2),
    )
)
def test_telling_sources_apart_never_raises(event: Any) -> None:
    assert detect(event) in (*KINDS, INVOKE)
