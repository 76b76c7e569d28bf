"""Streams: DynamoDB, Kinesis, Firehose, Kafka (Amazon MSK and self-managed), DocumentDB.

Source: docs.aws.amazon.com/lambda, "Using AWS Lambda with Amazon DynamoDB", "Using Lambda to process records from
Amazon Kinesis Data Streams", "Using Lambda with Amazon MSK", "Using Lambda with self-managed Apache Kafka", "Using
Lambda with Amazon DocumentDB"; docs.aws.amazon.com/firehose, "Transform source data".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lambent.testing.events.attribute_values import item, size
from lambent.testing.events.origin import HERE, LOWER, Event, Facts, Origin, at_least, encoded, iso
from lambent.testing.events.payloads import Payload, content

Item = Mapping[str, object]

EXAMPLE: Item = {"id": "1", "name": "lamp"}
NO_ITEM: Item = {}
NO_HEADERS: Mapping[str, str | bytes] = {}

IMAGES = {"INSERT": (False, True), "MODIFY": (True, True), "REMOVE": (True, False)}
"""The event's name → whether there was an item before, and whether there is one after."""

VIEWS = ("NEW_AND_OLD_IMAGES", "NEW_IMAGE", "OLD_IMAGE", "KEYS_ONLY")


def dynamodb(
    *new_images: Item,
    table: str = "my-table",
    event_name: str = "",
    old_image: Item = NO_ITEM,
    keys: Sequence[str] = (),
    view: str = "NEW_AND_OLD_IMAGES",
    origin: Origin = HERE,
) -> Event:
    """Changes of a table's items, a record for each new image; given as plain values, they come as DynamoDB's JSON.

    `event_name` is INSERT, MODIFY or REMOVE, and follows from the images if it is not said. `keys` are names of
    attributes: the first of the image, if none are named. Raises ValueError for images that do not go with the name.
    """
    facts = origin.facts()
    if view not in VIEWS:
        raise ValueError(f"view: expected {', '.join(VIEWS)}, but got {view!r}.")
    name = event_name or implied(new_images, old_image)
    check_images(name, new_images, old_image)
    stream = facts.arn("dynamodb", f"table/{table}/stream/{iso(facts.now - 86_400).removesuffix('Z')}")
    sequence = int(facts.digits(22))
    changes: Sequence[Item] = new_images or (NO_ITEM if name == "REMOVE" else EXAMPLE,)
    records = []
    for number, new in enumerate(changes):
        old = old_image or (EXAMPLE if name == "REMOVE" else NO_ITEM)
        change = {**images(new, old, keys, view), "StreamViewType": view}
        change["SequenceNumber"] = str(sequence + number)
        records.append(change_record(facts, name, change, stream))
    return {"Records": records}


def implied(new: Sequence[Item], old: Item) -> str:
    return "INSERT" if not old else "MODIFY" if new else "REMOVE"


def check_images(name: str, new: Sequence[Item], old: Item) -> None:
    """Raises ValueError."""
    if name not in IMAGES:
        raise ValueError(f"event_name: expected {', '.join(IMAGES)}, but got {name!r}.")
    had, has = IMAGES[name]
    if old and not had:
        raise ValueError("old_image: there is none for an INSERT. Leave it out, or make it a MODIFY.")
    if new and not has:
        raise ValueError("new_image: there is none for a REMOVE. Give the item as it was, as the old image.")
    if had and has and not (old and new):
        raise ValueError("A MODIFY has an old and a new image, but one of them was not given.")


def images(new: Item, old: Item, keys: Sequence[str], view: str) -> Event:
    """Keys and images, as far as the view has them, and what they weigh. Raises ValueError for a key that is absent."""
    present = {"NewImage": item(new), "OldImage": item(old)}
    whole = present["NewImage"] or present["OldImage"]
    names = keys or list(whole)[:1]
    if missing := [name for name in names if name not in whole]:
        raise ValueError(f"keys: the item has no {', '.join(missing)}. It has {', '.join(whole)}.")
    shown = {name: image for name, image in present.items() if image and shows(view, name)}
    fields = {"Keys": {name: whole[name] for name in names}, **shown}
    return {**fields, "SizeBytes": sum(map(size, fields.values()))}


def shows(view: str, image: str) -> bool:
    return view == "NEW_AND_OLD_IMAGES" or view == {"NewImage": "NEW_IMAGE", "OldImage": "OLD_IMAGE"}[image]


def change_record(facts: Facts, name: str, change: Event, stream: str) -> Event:
    order = ("Keys", "NewImage", "OldImage", "SequenceNumber", "SizeBytes", "StreamViewType")
    told = {field: change[field] for field in order if field in change}
    return {
        "eventID": facts.hex(32),
        "eventName": name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": facts.region,
        "dynamodb": {"ApproximateCreationDateTime": int(facts.now), **told},
        "eventSourceARN": stream,
    }


def kinesis(
    *data: Payload,
    stream: str = "my-stream",
    partition_key: str = "1",
    shard: int = 0,
    origin: Origin = HERE,
) -> Event:
    """Records of one shard of a stream, in its order; their data comes as base64."""
    facts = origin.facts()
    sequence = int(f"49{facts.digits(54)}")
    shard_id = f"shardId-{at_least(0, 'shard', shard):012d}"
    records = []
    for number, each in enumerate(data or ("Hello from Kinesis!",)):
        sequence_number = str(sequence + number)
        records.append(
            {
                "kinesis": {
                    "kinesisSchemaVersion": "1.0",
                    "partitionKey": partition_key,
                    "sequenceNumber": sequence_number,
                    "data": encoded(content(each)),
                    "approximateArrivalTimestamp": facts.milliseconds / 1000,
                },
                "eventSource": "aws:kinesis",
                "eventVersion": "1.0",
                "eventID": f"{shard_id}:{sequence_number}",
                "eventName": "aws:kinesis:record",
                "invokeIdentityArn": f"arn:aws:iam::{facts.account}:role/lambda-role",
                "awsRegion": facts.region,
                "eventSourceARN": facts.arn("kinesis", f"stream/{stream}"),
            }
        )
    return {"Records": records}


def firehose(*data: Payload, stream: str = "my-delivery-stream", origin: Origin = HERE) -> Event:
    """Records that a delivery stream has transformed, direct PUT being their source; their data comes as base64."""
    facts = origin.facts()
    sequence = int(f"49{facts.digits(54)}")
    records = [
        {
            "recordId": f"{sequence + number}000000",
            "approximateArrivalTimestamp": facts.milliseconds,
            "data": encoded(content(each)),
        }
        for number, each in enumerate(data or ("Hello from Firehose!",))
    ]
    return {
        "invocationId": facts.uuid(),
        "deliveryStreamArn": facts.arn("firehose", f"deliverystream/{stream}"),
        "region": facts.region,
        "records": records,
    }


def kafka(
    *values: Payload,
    topic: str = "my-topic",
    partition: int = 0,
    offset: int = 0,
    key: str = "",
    headers: Mapping[str, str | bytes] = NO_HEADERS,
    self_managed: bool = False,
    origin: Origin = HERE,
) -> Event:
    """Messages of one partition, from `offset` on, of Amazon MSK or of a cluster of one's own.

    Keys and values come as base64, headers as lists of signed bytes, as Java has them.
    """
    facts = origin.facts()
    cluster = f"{facts.characters(6, LOWER)}.c1.kafka.{facts.region}.amazonaws.com"
    brokers = (
        ("kafka-2.example.com", "kafka-1.example.com")
        if self_managed
        else (f"b-2.my-cluster.{cluster}", f"b-1.my-cluster.{cluster}")
    )
    messages = [
        {
            "topic": topic,
            "partition": at_least(0, "partition", partition),
            "offset": at_least(0, "offset", offset) + number,
            "timestamp": facts.milliseconds,
            "timestampType": "CREATE_TIME",
            **({"key": encoded(content(key))} if key else {}),
            "value": encoded(content(each)),
            "headers": [{name: signed(content(value))} for name, value in headers.items()],
        }
        for number, each in enumerate(values or ("Hello from Kafka!",))
    ]
    arn = facts.arn("kafka", f"cluster/my-cluster/{facts.uuid()}-4")
    return {
        "eventSource": "SelfManagedKafka" if self_managed else "aws:kafka",
        **({} if self_managed else {"eventSourceArn": arn}),
        "bootstrapServers": ",".join(f"{broker}:9092" for broker in brokers),
        "records": {f"{topic}-{partition}": messages},
    }


def signed(raw: bytes) -> list[int]:
    """From -128 to 127."""
    return [byte - 256 if byte > 127 else byte for byte in raw]


def documentdb(
    *documents: Item,
    cluster: str = "my-cluster",
    database: str = "my-database",
    collection: str = "my-collection",
    origin: Origin = HERE,
) -> Event:
    """Documents that were inserted, an event for each, in MongoDB's extended JSON."""
    facts = origin.facts()
    events = []
    for number, document in enumerate(documents or (EXAMPLE,)):
        key = {"_id": document["_id"] if "_id" in document else {"$oid": f"{int(facts.now):08x}{facts.hex(16)}"}}
        change = {
            "_id": {"_data": f"01{int(facts.now):08x}{number + 1:08x}01000000{number + 1:02x}000041e1"},
            "clusterTime": {"$timestamp": {"t": int(facts.now), "i": number + 1}},
            "documentKey": key,
            "fullDocument": {**key, **document},
            "ns": {"db": database, "coll": collection},
            "operationType": "insert",
        }
        events.append({"event": change})
    return {"eventSourceArn": facts.arn("rds", f"cluster:{cluster}"), "events": events, "eventSource": "aws:docdb"}
