"""Typed async handlers for everything that is not HTTP: queues, topics, streams, buses, schedules, triggers."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.events.avro import Avro
    from lambent.events.events import Events
    from lambent.events.idempotency import Idempotency
    from lambent.events.model import Record
    from lambent.events.sources.authorizer import AuthorizerRecord, allow, deny
    from lambent.events.sources.codepipeline import CodePipelineRecord
    from lambent.events.sources.cognito import CognitoRecord
    from lambent.events.sources.destination import DestinationRecord
    from lambent.events.sources.dynamodb import DynamoDBRecord
    from lambent.events.sources.eventbridge import EventBridgeRecord
    from lambent.events.sources.invoke import InvokeRecord
    from lambent.events.sources.kafka import KafkaRecord
    from lambent.events.sources.kinesis import KinesisRecord
    from lambent.events.sources.logs import LogsRecord
    from lambent.events.sources.mq import MqRecord
    from lambent.events.sources.rabbitmq import RabbitMqRecord
    from lambent.events.sources.s3 import S3Record
    from lambent.events.sources.schedule import ScheduleRecord
    from lambent.events.sources.ses import SesRecord
    from lambent.events.sources.sns import SnsRecord
    from lambent.events.sources.sqs import SqsRecord

__all__ = [
    "AuthorizerRecord",
    "Avro",
    "CodePipelineRecord",
    "CognitoRecord",
    "DestinationRecord",
    "DynamoDBRecord",
    "EventBridgeRecord",
    "Events",
    "Idempotency",
    "InvokeRecord",
    "KafkaRecord",
    "KinesisRecord",
    "LogsRecord",
    "MqRecord",
    "RabbitMqRecord",
    "Record",
    "S3Record",
    "ScheduleRecord",
    "SesRecord",
    "SnsRecord",
    "SqsRecord",
    "allow",
    "deny",
]

_WHERE = {
    "AuthorizerRecord": "sources.authorizer",
    "Avro": "avro",
    "CodePipelineRecord": "sources.codepipeline",
    "CognitoRecord": "sources.cognito",
    "DestinationRecord": "sources.destination",
    "DynamoDBRecord": "sources.dynamodb",
    "EventBridgeRecord": "sources.eventbridge",
    "Events": "events",
    "Idempotency": "idempotency",
    "InvokeRecord": "sources.invoke",
    "KafkaRecord": "sources.kafka",
    "KinesisRecord": "sources.kinesis",
    "LogsRecord": "sources.logs",
    "MqRecord": "sources.mq",
    "RabbitMqRecord": "sources.rabbitmq",
    "Record": "model",
    "S3Record": "sources.s3",
    "ScheduleRecord": "sources.schedule",
    "SesRecord": "sources.ses",
    "SnsRecord": "sources.sns",
    "SqsRecord": "sources.sqs",
    "allow": "sources.authorizer",
    "deny": "sources.authorizer",
}


def __getattr__(name: str) -> object:
    """Import what is asked for, and nothing else (PEP 562)."""
    if name not in _WHERE:
        raise AttributeError(f"module 'lambent.events' has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"lambent.events.{_WHERE[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
