"""Events in the forms of AWS, with your values in them.

    from lambent.testing import events

    events.sqs({"id": 7}, {"id": 8}, queue="orders")
    events.s3("images/lamp.png", bucket="uploads", size=2048)
    events.dynamodb({"id": "1"}, table="items")
    events.http_request("rest", "POST", "/items?a=1", body={"id": 7})

Each function returns a JSON object, as the handler is given it. What is not said has a default; ids and times are made
up, and are the same for the same arguments with an origin that has both:

    events.sqs("hello", origin=events.Origin(seed=1, now=1_767_225_600))

Payloads are text, bytes, or anything that JSON has: an event is one, so `events.sqs(events.s3("a.txt"))` is a
notification that was sent to a queue. TypeError and ValueError tell what cannot be in such an event.
"""

from __future__ import annotations

from lambent.testing.events.brokers import mq, rabbitmq
from lambent.testing.events.buses import eventbridge, schedule
from lambent.testing.events.cognito import cognito
from lambent.testing.events.conversations import connect, iot, lex
from lambent.testing.events.fields import changed
from lambent.testing.events.mail import ses
from lambent.testing.events.messages import sns, sns_notification, sns_sqs, sqs
from lambent.testing.events.operations import alarm, codepipeline, config, destination, logs, secret
from lambent.testing.events.origin import HERE, Event, Origin
from lambent.testing.events.requests import (
    authorizer,
    authorizer_request,
    authorizer_token,
    http_request,
    message_request,
)
from lambent.testing.events.sockets import websocket_connect, websocket_disconnect, websocket_message
from lambent.testing.events.storage import s3, s3_batch, s3_eventbridge, s3_sqs
from lambent.testing.events.streams import documentdb, dynamodb, firehose, kafka, kinesis

__all__ = [
    "HERE",
    "Event",
    "Origin",
    "alarm",
    "authorizer",
    "authorizer_request",
    "authorizer_token",
    "changed",
    "codepipeline",
    "cognito",
    "config",
    "connect",
    "destination",
    "documentdb",
    "dynamodb",
    "eventbridge",
    "firehose",
    "http_request",
    "iot",
    "kafka",
    "kinesis",
    "lex",
    "logs",
    "message_request",
    "mq",
    "rabbitmq",
    "s3",
    "s3_batch",
    "s3_eventbridge",
    "s3_sqs",
    "schedule",
    "secret",
    "ses",
    "sns",
    "sns_notification",
    "sns_sqs",
    "sqs",
    "websocket_connect",
    "websocket_disconnect",
    "websocket_message",
]
