"""Messages of SQS as the event source mapping hands them to a function, and what its answer says of them. Pure.

Source: docs.aws.amazon.com/lambda, "Using Lambda with Amazon SQS", "Handling errors for an SQS event source".
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from lambent.dev.model import SYNCHRONOUS_LIMIT

Record = Mapping[str, Any]
"""A JSON object of AWS's. Its values are Any: each service has its own."""

ENVELOPE = len(b'{"Records": []}')


class Message(NamedTuple):
    """One that was received."""

    id: str
    receipt: str
    """What it is deleted by."""
    record: Record
    """As the function sees it."""
    size: int
    """Bytes of it in the event."""


def message(received: Mapping[str, Any], arn: str) -> Message:
    """What botocore received from the queue of this ARN."""
    attributes = received.get("MessageAttributes") or {}
    digest = {"md5OfMessageAttributes": received["MD5OfMessageAttributes"]} if attributes else {}
    record = {
        "messageId": received["MessageId"],
        "receiptHandle": received["ReceiptHandle"],
        "body": received.get("Body", ""),
        "attributes": dict(received.get("Attributes") or {}),
        "messageAttributes": {name: attribute(value) for name, value in attributes.items()},
        **digest,
        "md5OfBody": received["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": arn.split(":")[3],
    }
    return Message(received["MessageId"], received["ReceiptHandle"], record, len(json.dumps(record)) + 2)


def attribute(value: Mapping[str, Any]) -> Record:
    """One of the sender's."""
    lists: Record = {"stringListValues": [], "binaryListValues": []}
    if "BinaryValue" in value:
        content = base64.b64encode(value["BinaryValue"]).decode("ascii")
        return {"binaryValue": content, **lists, "dataType": value["DataType"]}
    return {"stringValue": value.get("StringValue", ""), **lists, "dataType": value["DataType"]}


def event(messages: Iterable[Message]) -> bytes:
    return json.dumps({"Records": [each.record for each in messages]}).encode()


def batches(messages: Sequence[Message], most: int, limit: int = SYNCHRONOUS_LIMIT) -> Iterator[list[Message]]:
    """In order, with `most` messages and `limit` bytes of an event each; one that is larger goes alone."""
    batch: list[Message] = []
    size = ENVELOPE
    for each in messages:
        if batch and (len(batch) == most or size + each.size > limit):
            yield batch
            batch, size = [], ENVELOPE
        batch.append(each)
        size += each.size
    if batch:
        yield batch


class Misreported(ValueError):
    """What a function answered does not say which messages failed: all of them count as failed."""


def failures(payload: bytes, batch: Iterable[Message]) -> set[str]:
    """The ids of messages that a function reports as failed, in its `batchItemFailures`. Raises Misreported."""
    try:
        answer = json.loads(payload)
    except (ValueError, RecursionError):
        raise misreported(payload) from None
    items = answer.get("batchItemFailures") if isinstance(answer, dict) else answer or None
    if items is None:
        return set()
    if not isinstance(items, list):
        raise misreported(payload)
    failed = [item.get("itemIdentifier") if isinstance(item, dict) else None for item in items]
    ids = {each.id for each in batch}
    known = {each for each in failed if isinstance(each, str) and each in ids}
    if len(known) != len(set(map(repr, failed))):
        raise misreported(payload)
    return known


def misreported(payload: bytes) -> Misreported:
    expected = '{"batchItemFailures": [{"itemIdentifier": "…"}]} with ids of messages of the batch'
    return Misreported(f"expected {expected}, but got {payload[:200].decode('utf-8', 'replace')}")
