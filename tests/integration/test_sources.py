"""Event sources of the local Lambda: schedules, and real queues of an emulator of AWS, filled by boto3."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.dev.local import LIMIT, LocalLambda, until
from tests.integration.newcomer import free_port, tool, variables
from tests.integration.terminal import Terminal

APP = """
import json, os, pathlib, time

SEEN = pathlib.Path(os.environ["SEEN"])

def note(what):
    with SEEN.open("a") as file:
        file.write(json.dumps(what) + "\\n")

def orders(event, context):
    failed = []
    for record in event["Records"]:
        note(record)
        if record["body"] == "poison":
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}

def steps(event, context):
    "Stops at the first one that fails, and reports it with all that follow."
    for number, record in enumerate(event["Records"]):
        if record["body"] == "a2" and record["attributes"]["ApproximateReceiveCount"] == "1":
            return {"batchItemFailures": [{"itemIdentifier": each["messageId"]} for each in event["Records"][number:]]}
        note({"step": record["body"], "attributes": record["attributes"]})

def slow(event, context):
    note({"slow": [record["body"] for record in event["Records"]]})
    time.sleep(60)

def tick(event, context):
    note({"tick": event})
"""

CONFIGURATION = """
[tool.lambent]
time-scale = 60

[tool.lambent.functions]
orders = { handler = "app.orders" }
steps = { handler = "app.steps" }
slow = { handler = "app.slow", timeout = 100 }
tick = { handler = "app.tick" }

[tool.lambent.sources]
orders = { function = "orders", queue = "QUEUE", report-batch-item-failures = true }
steps = { function = "steps", queue = "steps.fifo", report-batch-item-failures = true }
late = { function = "orders", queue = "arn:aws:sqs:us-east-1:123456789012:late", endpoint = "ENDPOINT" }
slow = { function = "slow", queue = "slow" }
every-minute = { function = "tick", schedule = "rate(1 minute)" }
some-day = { function = "tick", schedule = "at(2199-01-01T00:00:00)", input = { by = "hand" } }
"""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of ministack."""
    home = tmp_path_factory.mktemp("ministack")
    port = free_port()
    seen = variables(home, BIND_HOST="127.0.0.1", GATEWAY_PORT=str(port), TMPDIR=str(home))
    with Terminal(home, seen) as terminal:
        job = terminal.start(f"'{tool('ministack')}'")
        assert job.wait_for(re.compile(f"Running on http://127.0.0.1:{port}")), job.output
        yield f"http://127.0.0.1:{port}"
        job.press_ctrl_c()


class Cloud:
    """Its queues."""

    def __init__(self, url: str) -> None:
        self.url = url
        session = boto3.session.Session("test", "test", region_name="us-east-1")
        self.sqs = session.client("sqs", endpoint_url=url)

    def queue(self, name: str, **attributes: str) -> str:
        url: str = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url

    def send(self, url: str, *bodies: str, **more: Any) -> None:
        for body in bodies:
            self.sqs.send_message(QueueUrl=url, MessageBody=body, **more)

    def arn(self, url: str) -> str:
        attributes = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
        return str(attributes["QueueArn"])

    def receive(self, url: str, wait: int = LIMIT) -> list[str]:
        received = self.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=wait, MaxNumberOfMessages=10)
        return [each["Body"] for each in received.get("Messages", [])]

    def count(self, url: str) -> int:
        """Messages that it has, whether they are hidden or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(attributes[name]) for name in names)


class Seen:
    """What the functions have noted."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def all(self) -> list[dict[str, Any]]:
        lines = self.path.read_text("utf-8").splitlines(keepends=True) if self.path.exists() else []
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def having(self, key: str) -> list[Any]:
        return [each[key] for each in self.all() if key in each]


def start(tmp_path: Path, cloud: Cloud, queue: str) -> LocalLambda:
    """Without credentials, which the emulator does not look at."""
    (tmp_path / "app.py").write_text(APP, "utf-8")
    text = CONFIGURATION.replace("QUEUE", queue).replace("ENDPOINT", cloud.url)
    (tmp_path / "pyproject.toml").write_text(text, "utf-8")
    nobody = {name: str(tmp_path / "none") for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")}
    shell = {"AWS_ENDPOINT_URL": cloud.url, "AWS_EC2_METADATA_DISABLED": "true", **nobody}
    return LocalLambda(tmp_path, variables={"SEEN": str(tmp_path / "seen"), **shell})


def test_queues_and_schedules_invoke_functions(tmp_path: Path, cloud: str) -> None:
    there = Cloud(cloud)
    dead = there.queue("dead")
    redrive = json.dumps({"deadLetterTargetArn": there.arn(dead), "maxReceiveCount": "2"})
    orders = there.queue("orders", VisibilityTimeout="3", RedrivePolicy=redrive)
    steps = there.queue("steps.fifo", FifoQueue="true", VisibilityTimeout="3")
    slow = there.queue("slow", VisibilityTimeout="300")
    seen = Seen(tmp_path / "seen")
    number = {"Total": {"DataType": "Number", "StringValue": "7"}, "Raw": {"DataType": "Binary", "BinaryValue": b"\0"}}
    there.send(orders, "good", MessageAttributes=number)
    there.send(orders, "poison", "better")
    for step in ("a1", "b1", "a2", "b2", "a3"):
        there.send(steps, step, MessageGroupId=step[0], MessageDeduplicationId=step)

    with start(tmp_path, there, orders) as local:
        # a queue that comes, goes, and comes again
        missing = rf"late: there is no queue \S+:late at {re.escape(cloud)}. It is tried again"
        local.wait_for(missing)
        late = there.queue("late")
        there.send(late, "first")
        until(lambda: "first" in seen.having("body"), lambda: local.output)
        there.sqs.delete_queue(QueueUrl=late)
        local.until(lambda: len(re.findall(missing, local.output)) == 2)
        there.send(there.queue("late"), "second")
        until(lambda: "second" in seen.having("body"), lambda: local.output)

        # a queue of which not all succeeds
        assert there.receive(dead) == ["poison"]
        assert seen.having("body").count("poison") == 2
        good = next(each for each in seen.all() if each.get("body") == "good")
        check_record(good, there.arn(orders))
        until(lambda: there.count(orders) == 0)

        # a queue that keeps order
        until(lambda: len(set(seen.having("step"))) == 5, lambda: str(seen.having("step")))
        for group in "ab":
            order = [step for step in dict.fromkeys(seen.having("step")) if step[0] == group]
            assert order == sorted(order)
        groups = {each["attributes"]["MessageGroupId"] for each in seen.all() if each.get("step") == "b1"}
        assert groups == {"b"}, "once or, where the machine is slow, again"

        # schedules, sixty times as fast, and by hand
        until(lambda: seen.having("tick"))
        (tick, *_) = seen.having("tick")
        assert tick["resources"] == ["arn:aws:events:us-east-1:123456789012:rule/every-minute"]
        assert local.ask("POST", "/_lambent/sources/some-day", None).status == 202
        until(lambda: {"by": "hand"} in seen.having("tick"))
        status = json.loads(local.get("/_lambent/status").body)["sources"]
        assert status["orders"]["queue"] == there.arn(orders)
        assert status["orders"]["messages"]["failed"] >= 2
        assert {name: each["state"] for name, each in status.items()} == {
            **dict.fromkeys(("orders", "steps", "late", "slow"), "polling"),
            **dict.fromkeys(("every-minute", "some-day"), "waiting"),
        }

        # the end, with a batch under way
        there.send(slow, "unfinished")
        until(lambda: seen.having("slow"), lambda: local.output)
        assert local.stop() == 0
        assert there.receive(slow, 0) == ["unfinished"]
    assert "slow: 1 message given back to the queue." in local.output
    assert "Traceback" not in local.output


def check_record(record: dict[str, Any], arn: str) -> None:
    """That it is one of AWS."""
    captured = json.loads((Path(__file__).parents[1] / "data" / "sqs.json").read_text("utf-8"))["Records"][0]
    assert record.keys() == captured.keys() | {"md5OfMessageAttributes"}
    assert record["attributes"].keys() == captured["attributes"].keys()
    assert (record["eventSourceARN"], record["awsRegion"]) == (arn, "us-east-1")
    lists: dict[str, Any] = {"stringListValues": [], "binaryListValues": []}
    assert record["messageAttributes"] == {
        "Total": {"stringValue": "7", **lists, "dataType": "Number"},
        "Raw": {"binaryValue": "AA==", **lists, "dataType": "Binary"},
    }
