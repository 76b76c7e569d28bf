"""S3: notifications, by themselves, in SQS and through EventBridge, and batch operations.

Source: docs.aws.amazon.com/AmazonS3, "Event message structure", "EventBridge event message structure", "Invoke AWS
Lambda function" (of batch operations).
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote_plus

from lambent.testing.events.messages import sqs
from lambent.testing.events.origin import HERE, LETTERS, UPPER, Event, Facts, Origin, at_least, iso
from lambent.testing.events.payloads import json_text

FAMILIES = (
    "ObjectCreated",
    "ObjectRemoved",
    "ObjectRestore",
    "ObjectTagging",
    "ObjectAcl",
    "LifecycleExpiration",
    "LifecycleTransition",
    "IntelligentTiering",
    "Replication",
    "ReducedRedundancyLostObject",
)
VERSIONS = {"Replication": "2.2", "ObjectTagging": "2.3", "ObjectAcl": "2.3", "IntelligentTiering": "2.3"}
VERSIONS |= dict.fromkeys(("LifecycleExpiration", "LifecycleTransition"), "2.3") | {"ObjectRestore:Delete": "2.3"}
"""The family of an event, or its name → the version of its structure, where that is not 2.1."""

REASONS = {
    "Object Created": ("PutObject", "POST Object", "CopyObject", "CompleteMultipartUpload"),
    "Object Deleted": ("DeleteObject", "Lifecycle Expiration"),
}
NONE: Mapping[str, str] = {}


def s3(
    *keys: str,
    bucket: str = "my-bucket",
    event_name: str = "ObjectCreated:Put",
    size: int = 1024,
    version_id: str = "",
    origin: Origin = HERE,
) -> Event:
    """Notifications about objects, a record for each key; AWS puts one into an event. Keys come quoted, as of a form.

    Of what was removed there is neither size nor tag. Raises ValueError for an event that S3 does not have.
    """
    facts = origin.facts()
    family = event_name.removeprefix("s3:").partition(":")[0]
    if family not in FAMILIES:
        raise ValueError(
            f"event_name: expected FAMILY:EVENT, the family {', '.join(FAMILIES)}, but got {event_name!r}."
        )
    name = event_name.removeprefix("s3:")
    sequencer = int(f"{int(facts.now):08X}{facts.hex(8)}", 16)
    records = []
    for number, key in enumerate(keys or ("my-key.txt",)):
        removed = family in ("ObjectRemoved", "LifecycleExpiration")
        about = {
            "key": quote_plus(key, safe="/"),
            **({} if removed else {"size": at_least(0, "size", size), "eTag": facts.hex(32)}),
            **({"versionId": version_id} if version_id else {}),
            "sequencer": f"00{sequencer + number:X}",
        }
        records.append(notification(facts, name, bucket, about))
    return {"Records": records}


def notification(facts: Facts, name: str, bucket: str, about: Event) -> Event:
    owner = "A" + facts.characters(13, UPPER)
    return {
        "eventVersion": VERSIONS.get(name, VERSIONS.get(name.partition(":")[0], "2.1")),
        "eventSource": "aws:s3",
        "awsRegion": facts.region,
        "eventTime": iso(facts.now),
        "eventName": name,
        "userIdentity": {"principalId": f"AWS:{facts.principal()}"},
        "requestParameters": {"sourceIPAddress": "203.0.113.9"},
        "responseElements": {"x-amz-request-id": facts.characters(16, UPPER), "x-amz-id-2": facts.base64(57)},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": facts.uuid(),
            "bucket": {"name": bucket, "ownerIdentity": {"principalId": owner}, "arn": f"arn:aws:s3:::{bucket}"},
            "object": about,
        },
    }


def s3_sqs(
    *keys: str,
    bucket: str = "my-bucket",
    event_name: str = "ObjectCreated:Put",
    size: int = 1024,
    queue: str = "my-queue",
    origin: Origin = HERE,
) -> Event:
    """Notifications that were sent to a queue, a message for each key, as the queue passes them on."""
    bodies = [
        s3(key, bucket=bucket, event_name=event_name, size=size, origin=origin) for key in keys or ("my-key.txt",)
    ]
    return sqs(*map(json_text, bodies), queue=queue, origin=origin)


def s3_eventbridge(
    key: str = "my-key.txt",
    *,
    bucket: str = "my-bucket",
    detail_type: str = "Object Created",
    size: int = 1024,
    origin: Origin = HERE,
) -> Event:
    """A notification by way of EventBridge: the key comes as it is, and field names are in small letters."""
    if detail_type not in REASONS:
        raise ValueError(f"detail_type: expected {', '.join(REASONS)}, but got {detail_type!r}.")
    facts = origin.facts()
    created = detail_type == "Object Created"
    about = {
        "key": key,
        **({"size": at_least(0, "size", size), "etag": facts.hex(32)} if created else {}),
        "sequencer": f"00{int(facts.now):08X}{facts.hex(8).upper()}",
    }
    return {
        "version": "0",
        "id": facts.uuid(),
        "detail-type": detail_type,
        "source": "aws.s3",
        "account": facts.account,
        "time": iso(facts.now, fraction=False),
        "region": facts.region,
        "resources": [f"arn:aws:s3:::{bucket}"],
        "detail": {
            "version": "0",
            "bucket": {"name": bucket},
            "object": about,
            "request-id": facts.characters(16, UPPER),
            "requester": facts.account,
            "source-ip-address": "203.0.113.9",
            "reason": REASONS[detail_type][0],
            **({} if created else {"deletion-type": "Permanently Deleted"}),
        },
    }


def s3_batch(
    *keys: str,
    bucket: str = "my-bucket",
    arguments: Mapping[str, str] = NONE,
    origin: Origin = HERE,
) -> Event:
    """Tasks of a batch job, one for each key: schema 2.0 where the job has arguments, else 1.0."""
    facts = origin.facts()
    where = {"s3Bucket": bucket} if arguments else {"s3BucketArn": f"arn:aws:s3:::{bucket}"}
    tasks = [
        {"taskId": facts.characters(20, LETTERS), "s3Key": quote_plus(key, safe="/"), "s3VersionId": None, **where}
        for key in keys or ("my-key.txt",)
    ]
    job: Event = {"id": facts.uuid()}
    return {
        "invocationSchemaVersion": "2.0" if arguments else "1.0",
        "invocationId": facts.base64(39),
        "job": {**job, "userArguments": dict(arguments)} if arguments else job,
        "tasks": tasks,
    }
