"""Functions for what is not HTTP, all in one. Each notes what it is given as a line of JSON, in the file $SEEN."""

import json
import os
from dataclasses import dataclass

from lambent import Events
from lambent.events import DynamoDBRecord, EventBridgeRecord, KinesisRecord, S3Record, SnsRecord, SqsRecord

events = handler = Events()


@dataclass
class Order:
    id: int
    kind: str = "good"


def note(what, **told):
    line = json.dumps({what: told}, default=str) + "\n"
    with open(os.environ["SEEN"], "a") as file:  # noqa: PTH123 - as users write
        file.write(line)


@events.sqs("orders", concurrency=3)
async def order(order: Order, record: SqsRecord):
    note("order", id=order.id, kind=order.kind, receipt=record.receipt_handle, count=record.receive_count)
    if order.kind == "poison":
        raise ValueError("It cannot be shipped")


@events.sqs("steps.fifo")
def step(name: str, record: SqsRecord):
    if name == "a2" and record.receive_count == 1:
        raise ValueError("Not yet")
    note("step", name=name, group=record.group)


@events.sns("news")
async def news(text: str, record: SnsRecord):
    note("news", text=text, subject=record.subject, by=way(record))


@events.s3("uploads-*", event="ObjectCreated:*", prefix="in/")
async def upload(record: S3Record):
    note("upload", bucket=record.bucket, key=record.key, size=record.size, by=way(record))


@events.s3("uploads-*", event="ObjectRemoved:*")
async def removal(record: S3Record):
    note("removal", bucket=record.bucket, key=record.key)


@events.eventbridge("shop", "Order shipped", detail={"total": [{"numeric": [">", 100]}]})
async def shipped(detail: dict, record: EventBridgeRecord):
    note("shipped", total=detail["total"], at=record.at)


@events.kinesis("clicks")
async def click(page: dict, record: KinesisRecord):
    note("click", page=page["page"], shard=record.shard, key=record.partition_key)


@events.dynamodb("items", event="REMOVE")
async def gone(record: DynamoDBRecord):
    note("gone", keys=record.keys, old=record.old_image)


@events.dynamodb("items")
async def changed(record: DynamoDBRecord):
    note("changed", event=record.event_name, new=record.new_image)


@events.schedule("nightly")
async def nightly():
    note("nightly")


@events.otherwise
async def rest(event: dict):
    note("rest", event=event)
    return {"rest": sorted(event)}


def way(record):
    """The sources of what has carried it, the innermost first."""
    return [] if record.carrier is None else [record.carrier.source, *way(record.carrier)]
