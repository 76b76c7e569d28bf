"""CodePipeline: jobs."""

from typing import Any

from hypothesis import given

from lambent.events.model import Source
from lambent.events.sources import codepipeline
from lambent.events.sources.codepipeline import CodePipelineRecord
from lambent.testing import events
from tests.events.sources.mutations import mutated, read_all
from tests.payloads import payload

SOURCE: Source = codepipeline


def job(event: Any) -> CodePipelineRecord:
    (record,) = codepipeline.records(event)
    assert isinstance(record, CodePipelineRecord)
    return record


def test_a_job_is_read_field_by_field() -> None:
    record = job(payload("codepipeline"))
    assert record.source == "codepipeline"
    assert (record.id, record.account) == ("11111111-abcd-1111-abcd-111111abcdef", "123456789012")
    assert (record.name, record.user_parameters) == ("my-function", '{"stage": "test"}')
    assert record.body == record.user_parameters
    (given_,) = record.input_artifacts
    assert (given_.name, given_.bucket, given_.key, given_.revision) == (
        "MyApp",
        "pipeline-eu-west-1",
        "pipeline/MyApp/abc.zip",
        None,
    )
    assert [repr(each) for each in record.output_artifacts] == [
        "<Artifact Out s3://pipeline-eu-west-1/pipeline/Out/def.zip>"
    ]
    assert record.continuation_token == "step 2"
    assert record.encryption_key == "arn:aws:kms:eu-west-1:123456789012:key/1"


def test_the_credentials_are_not_shown() -> None:
    record = job(payload("codepipeline"))
    assert record.credentials.access_key_id == "ASIAXMPLXMPLXMPLXMPL"
    assert record.credentials.secret_access_key == "made-up-secret-access-key"
    assert record.credentials.session_token == "made-up-session-token"
    assert "made-up" not in f"{record} {record!r} {record.credentials} {record.credentials!r}"


def test_what_an_action_does_not_have_is_empty() -> None:
    record = job(events.codepipeline())
    assert (record.user_parameters, record.continuation_token, record.encryption_key) == ("", None, None)
    assert record.output_artifacts == []


@given(event=mutated(payload("codepipeline")))
def test_any_mutation_is_read_or_refused_as_listed(event: Any) -> None:
    read_all(codepipeline, event)
