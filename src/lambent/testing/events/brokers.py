"""Amazon MQ: ActiveMQ and RabbitMQ.

Source: docs.aws.amazon.com/lambda, "Using Lambda with Amazon MQ".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from lambent.testing.events.origin import HERE, Event, Facts, Origin, encoded
from lambent.testing.events.payloads import Payload, content
from lambent.testing.events.streams import signed

NONE: Mapping[str, str] = {}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def mq(
    *messages: Payload,
    queue: str = "my-queue",
    broker: str = "my-broker",
    properties: Mapping[str, str] = NONE,
    origin: Origin = HERE,
) -> Event:
    """Messages of an ActiveMQ queue, as base64: text messages, and bytes messages for what is given as bytes."""
    facts = origin.facts()
    arn, broker_id = broker_arn(facts, broker)
    session = (
        f"ID:{broker_id}-1.mq.{facts.region}.amazonaws.com-{facts.digits(5)}-{facts.milliseconds - 3_600_000}-4:1:1:1"
    )
    told = [
        {
            "messageID": f"{session}:{number}",
            "messageType": "jms/bytes-message" if isinstance(each, bytes) else "jms/text-message",
            "deliveryMode": 1,
            "replyTo": None,
            "type": None,
            "expiration": "60000",
            "priority": 1,
            "correlationId": facts.uuid(),
            "redelivered": False,
            "destination": {"physicalName": queue},
            "data": encoded(content(each)),
            "timestamp": facts.milliseconds,
            "brokerInTime": facts.milliseconds,
            "brokerOutTime": facts.milliseconds + 1,
            "properties": dict(properties),
        }
        for number, each in enumerate(messages or ("Hello from ActiveMQ!",), 1)
    ]
    return {"eventSource": "aws:mq", "eventSourceArn": arn, "messages": told}


def rabbitmq(
    *messages: Payload,
    queue: str = "my-queue",
    virtual_host: str = "/",
    broker: str = "my-broker",
    headers: Mapping[str, str] = NONE,
    content_type: str = "text/plain",
    origin: Origin = HERE,
) -> Event:
    """Messages of a RabbitMQ queue, as base64; headers as lists of signed bytes, as Java has them."""
    facts = origin.facts()
    told = [
        {
            "basicProperties": {
                "contentType": content_type,
                "contentEncoding": None,
                "headers": {name: {"bytes": signed(value.encode())} for name, value in headers.items()},
                "deliveryMode": 1,
                "priority": 34,
                "correlationId": None,
                "replyTo": None,
                "expiration": "60000",
                "messageId": None,
                "timestamp": java_time(facts.now),
                "type": None,
                "userId": facts.principal(),
                "appId": None,
                "clusterId": None,
                "bodySize": len(content(each)),
            },
            "redelivered": False,
            "data": encoded(content(each)),
        }
        for each in messages or ("Hello from RabbitMQ!",)
    ]
    arn, _ = broker_arn(facts, broker)
    return {"eventSource": "aws:rmq", "eventSourceArn": arn, "rmqMessagesByQueue": {f"{queue}::{virtual_host}": told}}


def broker_arn(facts: Facts, broker: str) -> tuple[str, str]:
    """And the id that is in it."""
    broker_id = f"b-{facts.uuid()}"
    return facts.arn("mq", f"broker:{broker}:{broker_id}"), broker_id


def java_time(now: float) -> str:
    """`Jan 1, 1970, 12:33:41 AM`"""
    at = datetime.fromtimestamp(now, UTC)
    half = "PM" if at.hour >= 12 else "AM"
    return f"{MONTHS[at.month - 1]} {at.day}, {at.year}, {at.hour % 12 or 12}:{at:%M:%S} {half}"
