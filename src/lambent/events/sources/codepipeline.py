"""CodePipeline: a job, of an action that invokes the function.

Source: docs.aws.amazon.com/codepipeline, "Invoke an AWS Lambda function in a pipeline" (JSON event). What the function
returns goes nowhere: the pipeline waits until PutJobSuccessResult or PutJobFailureResult is called with the job's id.
"""

from __future__ import annotations

from lambent.events.model import Record
from lambent.events.sources import fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambent.types import Event

SINGLE = True

_JOB = "CodePipeline.job"

inner = fields.nothing_inside
reply = fields.no_partial_failures


class Artifact:
    """What goes into an action, or is to come out of it: an object in S3."""

    __slots__ = ("bucket", "key", "name", "revision")

    def __init__(self, raw: Event) -> None:
        self.name = fields.text(raw, "name")
        """As the pipeline calls it."""
        self.bucket = fields.text(raw, "location", "s3Location", "bucketName")
        self.key = fields.text(raw, "location", "s3Location", "objectKey")
        self.revision = fields.text_or_none(raw, "revision")
        """Such as a commit; None if there is none, or not yet."""

    def __repr__(self) -> str:
        return f"<Artifact {self.name} s3://{self.bucket}/{self.key}>"


class Credentials:
    """For the artifacts alone, and for a time."""

    __slots__ = ("access_key_id", "secret_access_key", "session_token")

    def __init__(self, raw: Event) -> None:
        self.access_key_id = fields.text(raw, "accessKeyId")
        self.secret_access_key = fields.text(raw, "secretAccessKey")
        self.session_token = fields.text_or_none(raw, "sessionToken")

    def __repr__(self) -> str:
        return "<Credentials>"


class CodePipelineRecord(Record):
    """One job."""

    __slots__ = ()

    source = "codepipeline"

    @property
    def id(self) -> str:
        """Of the job: what its result is reported for."""
        return fields.text(self.raw, _JOB, "id")

    @property
    def name(self) -> str:
        """Of the function, as the action has it: the pipeline is not told."""
        return fields.text_or_none(self._data, "actionConfiguration", "configuration", "FunctionName") or ""

    @property
    def account(self) -> str:
        """Twelve digits."""
        return fields.text(self.raw, _JOB, "accountId")

    @property
    def user_parameters(self) -> str:
        """As the action has them; empty if it has none."""
        return fields.text_or_none(self._data, "actionConfiguration", "configuration", "UserParameters") or ""

    @property
    def body(self) -> str:
        """The user parameters."""
        return self.user_parameters

    @property
    def input_artifacts(self) -> list[Artifact]:
        return [Artifact(each) for each in fields.items(self._data, "inputArtifacts")]

    @property
    def output_artifacts(self) -> list[Artifact]:
        return [Artifact(each) for each in fields.items(self._data, "outputArtifacts")]

    @property
    def credentials(self) -> Credentials:
        """What opens the artifacts. Neither its text nor that of the record shows them; `raw` does."""
        return Credentials(fields.mapping(self._data, "artifactCredentials"))

    @property
    def continuation_token(self) -> str | None:
        """What the function gave when it asked to be called again; None the first time."""
        return fields.text_or_none(self._data, "continuationToken")

    @property
    def encryption_key(self) -> str | None:
        """Id or ARN of the key of KMS that the artifacts are encrypted with; None for the default one."""
        return fields.text_or_none(self._data, "encryptionKey", "id")

    @property
    def _data(self) -> dict[str, Event]:
        return fields.mapping(self.raw, _JOB, "data")


def records(event: Event) -> Sequence[Record]:
    return (CodePipelineRecord(fields.event_object(event)),)
