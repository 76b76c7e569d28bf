"""Messages: SQS, SNS, and SNS by way of SQS.

Source: docs.aws.amazon.com/lambda, "Using Lambda with Amazon SQS", "Invoking Lambda functions with Amazon SNS
notifications"; docs.aws.amazon.com/sns, "Amazon SNS message delivery"; docs.aws.amazon.com/AWSSimpleQueueService,
"Amazon SQS message metadata", for the digest of attributes. Of an SNS event the names end in `Url`, as events that
were captured have it; `Subject` is null if there is none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from lambent.testing.events.origin import HERE, Event, Facts, Origin, at_least, encoded, iso, md5
from lambent.testing.events.payloads import Payload, json_text, text

Attribute = str | int | float | bytes
"""Of a message: String, Number or Binary."""

NONE: Mapping[str, Attribute] = {}


def sqs(
    *bodies: Payload,
    queue: str = "my-queue",
    attributes: Mapping[str, Attribute] = NONE,
    fifo: bool = False,
    group: str = "",
    receive_count: int = 1,
    origin: Origin = HERE,
) -> Event:
    """Messages of a queue, a record for each body. With `fifo` or `group` the queue's name ends in `.fifo`.

    A body that is an event, such as one of `s3` or `sns_notification`, is one that was sent to the queue by its source.
    """
    facts = origin.facts()
    fifo = fifo or bool(group) or queue.endswith(".fifo")
    name = queue if queue.endswith(".fifo") or not fifo else f"{queue}.fifo"
    sequence = int(f"188{facts.digits(17)}")
    records = []
    for number, each in enumerate(bodies or ("Hello from SQS!",)):
        body = text(each)
        sent = facts.milliseconds - 250 + number
        received = {
            "ApproximateReceiveCount": str(at_least(1, "receive_count", receive_count)),
            "SentTimestamp": str(sent),
            **(in_order(body, group or "default", sequence + number * 256) if fifo else {}),
            "SenderId": facts.principal(),
            "ApproximateFirstReceiveTimestamp": str(sent + 5),
        }
        records.append(message(facts, body, received, attributes, facts.arn("sqs", name)))
    return {"Records": records}


def in_order(body: str, group: str, sequence: int) -> Event:
    """What a FIFO queue adds; its deduplication is by content."""
    digest = hashlib.sha256(body.encode("utf-8", "replace")).hexdigest()
    return {"SequenceNumber": str(sequence), "MessageGroupId": group, "MessageDeduplicationId": digest}


def message(facts: Facts, body: str, received: Event, attributes: Mapping[str, Attribute], queue_arn: str) -> Event:
    """One record. The digest of its attributes is there if it has any."""
    digest = {"md5OfMessageAttributes": attributes_digest(attributes)} if attributes else {}
    return {
        "messageId": facts.uuid(),
        "receiptHandle": "AQEB" + facts.base64(220),
        "body": body,
        "attributes": received,
        "messageAttributes": {name: sqs_attribute(value) for name, value in attributes.items()},
        **digest,
        "md5OfBody": md5(body.encode("utf-8", "replace")),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": facts.region,
    }


def sqs_attribute(value: Attribute) -> Event:
    field = "binaryValue" if isinstance(value, bytes) else "stringValue"
    lists: Event = {"stringListValues": [], "binaryListValues": []}
    return {field: attribute_text(value), **lists, "dataType": data_type(value)}


def data_type(value: Attribute) -> str:
    """Raises TypeError for what no attribute can be."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | bytes):
        raise TypeError(f"Expected an attribute to be a string, a number or bytes, but got {value!r:.100}.")
    return "String" if isinstance(value, str) else "Binary" if isinstance(value, bytes) else "Number"


def attribute_text(value: Attribute) -> str:
    return encoded(value) if isinstance(value, bytes) else str(value)


def attributes_digest(attributes: Mapping[str, Attribute]) -> str:
    """MD5 over name, type and value of each, in the order of names; each with its length, four bytes, before it."""
    pieces = bytearray()
    for name, value in sorted(attributes.items()):
        raw = value if isinstance(value, bytes) else str(value).encode()
        kind = b"\x02" if isinstance(value, bytes) else b"\x01"
        for lead, piece in ((b"", name.encode()), (b"", data_type(value).encode()), (kind, raw)):
            pieces += lead + len(piece).to_bytes(4, "big") + piece
    return md5(bytes(pieces))


def sns(
    *messages: Payload,
    topic: str = "my-topic",
    subject: str = "",
    attributes: Mapping[str, Attribute] = NONE,
    origin: Origin = HERE,
) -> Event:
    """Notifications of a topic, a record for each message; AWS puts one into an event."""
    facts = origin.facts()
    records = []
    for each in messages or ("Hello from SNS!",):
        topic_arn, subscription = whence(facts, topic)
        signed = signature(facts, subscription)
        records.append(
            {
                "EventSource": "aws:sns",
                "EventVersion": "1.0",
                "EventSubscriptionArn": subscription,
                "Sns": {
                    "Type": "Notification",
                    "MessageId": facts.uuid(),
                    "TopicArn": topic_arn,
                    "Subject": subject or None,
                    "Message": text(each),
                    "Timestamp": iso(facts.now),
                    **signed,
                    "MessageAttributes": sns_attributes(attributes),
                },
            }
        )
    return {"Records": records}


def sns_notification(
    message: Payload = "Hello from SNS!",
    *,
    topic: str = "my-topic",
    subject: str = "",
    attributes: Mapping[str, Attribute] = NONE,
    origin: Origin = HERE,
) -> Event:
    """A notification as a subscribed queue gets it: the body of a message, unless raw delivery is on."""
    facts = origin.facts()
    topic_arn, subscription = whence(facts, topic)
    signed = signature(facts, subscription)
    return {
        "Type": "Notification",
        "MessageId": facts.uuid(),
        "TopicArn": topic_arn,
        **({"Subject": subject} if subject else {}),
        "Message": text(message),
        "Timestamp": iso(facts.now),
        **{name.replace("Url", "URL"): value for name, value in signed.items()},
        **({"MessageAttributes": sns_attributes(attributes)} if attributes else {}),
    }


def sns_sqs(
    *messages: Payload,
    topic: str = "my-topic",
    queue: str = "my-queue",
    subject: str = "",
    attributes: Mapping[str, Attribute] = NONE,
    origin: Origin = HERE,
) -> Event:
    """Notifications of a topic that a queue is subscribed to, as the queue passes them on."""
    bodies = [
        sns_notification(each, topic=topic, subject=subject, attributes=attributes, origin=origin)
        for each in messages or ("Hello from SNS!",)
    ]
    return sqs(*map(json_text, bodies), queue=queue, origin=origin)


def whence(facts: Facts, topic: str) -> tuple[str, str]:
    """The ARNs of the topic and of the subscription."""
    arn = facts.arn("sns", topic)
    return arn, f"{arn}:{facts.uuid()}"


def signature(facts: Facts, subscription: str) -> Event:
    """It has the form of one, and proves nothing."""
    host = f"https://sns.{facts.region}.amazonaws.com"
    return {
        "SignatureVersion": "1",
        "Signature": facts.base64(256),
        "SigningCertUrl": f"{host}/SimpleNotificationService-{facts.hex(32)}.pem",
        "UnsubscribeUrl": f"{host}/?Action=Unsubscribe&SubscriptionArn={subscription}",
    }


def sns_attributes(attributes: Mapping[str, Attribute]) -> Event:
    return {name: {"Type": data_type(value), "Value": attribute_text(value)} for name, value in attributes.items()}
