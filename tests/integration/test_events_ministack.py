"""Functions for what is not HTTP get the events of an emulator of AWS, not ours.

They are one function with many sources, `handler = events`, in a process that the emulator starts; and the same in the
local Lambda, which polls the emulator's queues.

ministack does all that is tested here. Of Kinesis and DynamoDB streams it does not heed which records a function
reports, and goes on as if all had succeeded; its schedules fire once a minute at most. Those are tested elsewhere.
"""

from __future__ import annotations

import io
import json
import re
import sys
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest

from tests.dev.local import LIMIT, LocalLambda, gone, until
from tests.integration.newcomer import ROOT, free_port, tool, variables
from tests.integration.terminal import Terminal

APP = ROOT / "tests/data/messages/app.py"
FUNCTION = "everything"


class Cloud:
    """One region of the emulator, and what events come from there."""

    def __init__(self, url: str, region: str) -> None:
        self.url = url
        self._session = boto3.session.Session("test", "test", region_name=region)
        self.sqs = self.client("sqs")

    def client(self, service: str) -> Any:
        return self._session.client(service, endpoint_url=self.url)

    def queue(self, name: str, **attributes: str) -> str:
        url: str = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url

    def orders(self) -> tuple[str, str]:
        """A queue whose messages come twice, then go to another one."""
        dead = self.queue("dead")
        redrive = json.dumps({"deadLetterTargetArn": self.arn(dead), "maxReceiveCount": "2"})
        return self.queue("orders", VisibilityTimeout="60", RedrivePolicy=redrive), dead

    def steps(self) -> str:
        """A queue that keeps order."""
        return self.queue("steps.fifo", FifoQueue="true", VisibilityTimeout="3")

    def arn(self, queue: str) -> str:
        told = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        return str(told["Attributes"]["QueueArn"])

    def send(self, queue: str, *bodies: object) -> None:
        entries = [{"Id": str(number), "MessageBody": json.dumps(each)} for number, each in enumerate(bodies)]
        assert not self.sqs.send_message_batch(QueueUrl=queue, Entries=entries).get("Failed")

    def send_steps(self, queue: str, *names: str) -> None:
        """The first letter is the group."""
        entries = [
            {"Id": name, "MessageBody": name, "MessageGroupId": name[0], "MessageDeduplicationId": name}
            for name in names
        ]
        assert not self.sqs.send_message_batch(QueueUrl=queue, Entries=entries).get("Failed")

    def count(self, queue: str) -> int:
        """Messages that it has, whether they are hidden or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
        return sum(int(attributes[name]) for name in names)

    def receive(self, queue: str) -> list[Any]:
        received = self.sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=LIMIT, MaxNumberOfMessages=10)
        return [json.loads(each["Body"]) for each in received.get("Messages", [])]


class Seen:
    """What the functions have noted."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def having(self, what: str, **also: object) -> list[dict[str, Any]]:
        lines = self.path.read_text("utf-8").splitlines(keepends=True) if self.path.exists() else []
        noted = [json.loads(line) for line in lines if line.endswith("\n")]
        return [each[what] for each in noted if what in each and also.items() <= each[what].items()]

    def until(self, what: str, number: int = 1, **also: object) -> list[dict[str, Any]]:
        """Wait for so many notes, at least."""
        until(lambda: len(self.having(what, **also)) >= number, self.show)
        return self.having(what, **also)

    def show(self) -> str:
        return self.path.read_text("utf-8") if self.path.exists() else "Nothing is noted."


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of ministack. What it has started ends with it."""
    home = tmp_path_factory.mktemp("ministack")
    port = free_port()
    seen = variables(home, BIND_HOST="127.0.0.1", GATEWAY_PORT=str(port), TMPDIR=str(home))
    with Terminal(home, seen) as terminal:
        job = terminal.start(f"'{tool('ministack')}'")
        assert job.wait_for(re.compile(f"Running on http://127.0.0.1:{port}")), job.output
        yield f"http://127.0.0.1:{port}"
        workers = psutil.Process(job.pid).children(recursive=True)
        for worker in workers:  # it does not wait for them when it ends
            with suppress(psutil.NoSuchProcess):
                worker.kill()
        assert gone(workers)
        job.press_ctrl_c()


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return Seen(tmp_path_factory.mktemp("seen") / "notes")


class Deployed(Cloud):
    """The function, in AWS's way, and what is mapped to it."""

    def __init__(self, url: str, notes: Path) -> None:
        super().__init__(url, "us-east-1")
        self.functions = self.client("lambda")
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as file:
            file.write(APP, APP.name)
        packages = next(path for path in sys.path if path.endswith("site-packages"))
        self.function: str = self.functions.create_function(
            FunctionName=FUNCTION,
            Runtime="python{}.{}".format(*sys.version_info),
            Role="arn:aws:iam::000000000000:role/any",
            Handler="app.handler",
            Code={"ZipFile": packed.getvalue()},
            Timeout=20,
            Environment={"Variables": {"PYTHONPATH": f"{ROOT / 'src'}:{packages}", "SEEN": str(notes)}},
        )["FunctionArn"]

    def map(self, source: str, **options: Any) -> None:
        """Have a queue or a stream polled."""
        self.functions.create_event_source_mapping(EventSourceArn=source, FunctionName=FUNCTION, **options)

    def map_queue(self, queue: str) -> str:
        self.map(self.arn(queue), FunctionResponseTypes=["ReportBatchItemFailures"])
        return queue

    def topic(self, name: str, protocol: str, endpoint: str) -> str:
        """One with a subscription."""
        sns = self.client("sns")
        topic: str = sns.create_topic(Name=name)["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint)
        return topic

    def rule(self, name: str, source: str) -> None:
        """Pass on what a source tells the bus."""
        bus = self.client("events")
        bus.put_rule(Name=name, EventPattern=json.dumps({"source": [source]}))
        bus.put_targets(Rule=name, Targets=[{"Id": "function", "Arn": self.function}])

    def bucket(self, name: str, **notifications: object) -> Any:
        """One that tells of its objects. Returns the client."""
        s3 = self.client("s3")
        s3.create_bucket(Bucket=name)
        s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration=notifications)
        return s3


@pytest.fixture(scope="module")
def cloud(emulator: str, seen: Seen) -> Deployed:
    return Deployed(emulator, seen.path)


def test_a_poison_message_ends_in_the_other_queue_and_all_else_is_handled_once(cloud: Deployed, seen: Seen) -> None:
    queue, dead = cloud.orders()
    poison = {"id": 3, "kind": "poison"}
    cloud.send(queue, *({"id": number} for number in range(3)), poison, *({"id": number} for number in range(4, 8)))
    cloud.map_queue(queue)
    cloud.send(queue, "no order")

    for number in (1, 2):
        (failed,) = seen.until("order", kind="poison", count=number)
        # so that nobody waits a minute for the next time
        cloud.sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=failed["receipt"], VisibilityTimeout=0)
    assert cloud.receive(dead) == [poison]
    assert sorted(each["id"] for each in seen.having("order", kind="good")) == [0, 1, 2, 4, 5, 6, 7]
    assert len(seen.having("order", kind="poison")) == 2
    assert cloud.count(queue) == 1  # what is no order has failed, and waits for the second time


def test_what_a_group_has_is_handled_in_its_order(cloud: Deployed, seen: Seen) -> None:
    queue = cloud.steps()
    cloud.send_steps(queue, "a1", "b1", "a2", "b2", "a3", "b3")
    cloud.map_queue(queue)
    until(lambda: cloud.count(queue) == 0, seen.show)
    steps = [each["name"] for each in seen.having("step")]
    assert [each for each in steps if each[0] == "a"] == ["a1", "a2", "a3"]
    assert [each for each in steps if each[0] == "b"] == ["b1", "b2", "b3"]
    assert steps.index("b3") < steps.index("a2")  # which failed the first time, and held up its group only


def test_a_notification_comes_by_itself_or_in_a_message(cloud: Deployed, seen: Seen) -> None:
    queue = cloud.map_queue(cloud.queue("inbox"))
    topic = cloud.topic("news", "lambda", cloud.function)
    assert cloud.topic("news", "sqs", cloud.arn(queue)) == topic
    cloud.client("sns").publish(TopicArn=topic, Message="It rains", Subject="Weather")
    heard = seen.until("news", 2)
    told = {"text": "It rains", "subject": "Weather"}
    assert sorted(heard, key=lambda each: each["by"]) == [{**told, "by": []}, {**told, "by": ["sqs"]}]
    until(lambda: cloud.count(queue) == 0)


def test_an_event_of_a_bus_finds_its_function_by_its_detail(cloud: Deployed, seen: Seen) -> None:
    cloud.rule("of-the-shop", "shop")
    entries = [
        {"Source": "shop", "DetailType": "Order shipped", "Detail": json.dumps({"total": total})} for total in (150, 50)
    ]
    assert cloud.client("events").put_events(Entries=entries)["FailedEntryCount"] == 0
    (shipped,) = seen.until("shipped")
    assert (shipped["total"], shipped["at"] > 1_700_000_000) == (150, True)
    assert seen.until("rest", event={"total": 50})


def test_what_is_put_into_a_stream_comes_in_its_order(cloud: Deployed, seen: Seen) -> None:
    kinesis = cloud.client("kinesis")
    kinesis.create_stream(StreamName="clicks", ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName="clicks", WaiterConfig={"Delay": 1})
    pages = [f"page {number}" for number in range(20)]
    records = [{"Data": json.dumps({"page": page}).encode(), "PartitionKey": page[-1]} for page in pages]
    kinesis.put_records(StreamName="clicks", Records=records)
    stream = kinesis.describe_stream_summary(StreamName="clicks")["StreamDescriptionSummary"]["StreamARN"]
    cloud.map(stream, StartingPosition="TRIM_HORIZON")
    clicks = seen.until("click", len(pages))
    assert [each["page"] for each in clicks] == pages
    assert [each["key"] for each in clicks] == [page[-1] for page in pages]
    assert {each["shard"] for each in clicks} == {"shardId-000000000000"}


def test_what_happens_to_an_item_comes_as_pythons_values(cloud: Deployed, seen: Seen) -> None:
    dynamodb = cloud.client("dynamodb")
    table = dynamodb.create_table(
        TableName="items",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )["TableDescription"]
    cloud.map(table["LatestStreamArn"], StartingPosition="TRIM_HORIZON")
    lamp = {"id": {"S": "lamp"}, "price": {"N": "9"}, "colours": {"L": [{"S": "red"}, {"NULL": True}]}}
    dynamodb.put_item(TableName="items", Item=lamp)
    dynamodb.put_item(TableName="items", Item=lamp | {"price": {"N": "8"}})
    dynamodb.delete_item(TableName="items", Key={"id": {"S": "lamp"}})
    (gone,) = seen.until("gone")
    told = {"id": "lamp", "price": 8, "colours": ["red", None]}
    assert gone == {"keys": {"id": "lamp"}, "old": told}
    assert seen.having("changed") == [{"event": "INSERT", "new": told | {"price": 9}}, {"event": "MODIFY", "new": told}]


@pytest.mark.parametrize(
    ("way", "by"),
    [("function", []), ("queue", ["sqs"]), ("topic", ["sns"]), ("both", ["sns", "sqs"]), ("bus", ["eventbridge"])],
)
def test_what_happens_to_an_object_is_told_in_many_ways(cloud: Deployed, seen: Seen, way: str, by: list[str]) -> None:
    bucket = f"uploads-{way}"
    kinds = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]
    queue = ""
    if way == "function":
        s3 = cloud.bucket(bucket, LambdaFunctionConfigurations=[{"LambdaFunctionArn": cloud.function, "Events": kinds}])
    elif way == "queue":
        queue = cloud.queue("uploads")
        s3 = cloud.bucket(bucket, QueueConfigurations=[{"QueueArn": cloud.arn(queue), "Events": kinds}])
    elif way == "topic":
        topic = cloud.topic("uploads", "lambda", cloud.function)
        s3 = cloud.bucket(bucket, TopicConfigurations=[{"TopicArn": topic, "Events": kinds}])
    elif way == "both":
        queue = cloud.queue("uploads-of-a-topic")
        topic = cloud.topic("uploads-for-a-queue", "sqs", cloud.arn(queue))
        s3 = cloud.bucket(bucket, TopicConfigurations=[{"TopicArn": topic, "Events": kinds}])
    else:
        cloud.rule("of-s3", "aws.s3")
        s3 = cloud.bucket(bucket, EventBridgeConfiguration={})
    if queue:
        cloud.map_queue(queue)
    s3.put_object(Bucket=bucket, Key="in/red lamp+.png", Body=b"12345")
    (upload,) = seen.until("upload", bucket=bucket)
    assert upload == {"bucket": bucket, "key": "in/red lamp+.png", "size": 5, "by": by}
    s3.delete_object(Bucket=bucket, Key="in/red lamp+.png")
    (removal,) = seen.until("removal", bucket=bucket)
    assert removal == {"bucket": bucket, "key": "in/red lamp+.png"}
    if queue:
        until(lambda: cloud.count(queue) == 0)  # what S3 sends to see if it may, too


def test_what_has_no_source_is_answered(cloud: Deployed, seen: Seen) -> None:
    reply = cloud.functions.invoke(FunctionName=FUNCTION, Payload=b'{"hello": 1, "again": 2}')
    assert (json.load(reply["Payload"]), reply.get("FunctionError")) == ({"rest": ["again", "hello"]}, None)


CONFIGURATION = """
[tool.lambent.functions.everything]
handler = "app.handler"

[tool.lambent.sources]
orders = { function = "everything", queue = "orders", report-batch-item-failures = true }
steps = { function = "everything", queue = "steps.fifo", report-batch-item-failures = true }
nightly = { function = "everything", schedule = "cron(0 3 * * ? *)" }
"""


def test_the_local_lambda_polls_for_the_same_functions(tmp_path: Path, emulator: str) -> None:
    cloud = Cloud(emulator, "eu-west-1")  # which has nothing of the other tests
    seen = Seen(tmp_path / "notes")
    queue, dead = cloud.orders()
    steps = cloud.steps()
    poison = {"id": 3, "kind": "poison"}
    cloud.send(queue, {"id": 1}, {"id": 2}, poison, {"id": 4})
    cloud.send_steps(steps, "a1", "b1", "a2", "b2", "a3")

    (tmp_path / "app.py").write_text(APP.read_text("utf-8"), "utf-8")
    (tmp_path / "pyproject.toml").write_text(CONFIGURATION, "utf-8")
    nobody = {name: str(tmp_path / "none") for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")}
    shell = {"AWS_ENDPOINT_URL": emulator, "AWS_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true", **nobody}
    with LocalLambda(tmp_path, variables={"SEEN": str(seen.path), **shell}) as local:
        assert local.ask("POST", "/_lambent/sources/nightly", None).status == 202
        for number in (1, 2):
            (failed,) = seen.until("order", kind="poison", count=number)
            cloud.sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=failed["receipt"], VisibilityTimeout=0)
        assert cloud.receive(dead) == [poison]
        assert sorted(each["id"] for each in seen.having("order", kind="good")) == [1, 2, 4]
        until(lambda: cloud.count(steps) == 0, seen.show)
        names = [each["name"] for each in seen.having("step")]
        assert [each for each in names if each[0] == "a"] == ["a1", "a2", "a3"]
        assert [each for each in names if each[0] == "b"] == ["b1", "b2"]
        seen.until("nightly")
        assert local.stop() == 0
    assert '"outcome": "failed", "error": "ValueError: It cannot be shipped"' in local.output
