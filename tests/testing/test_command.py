"""`lambent event`, as it is typed."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lambent import cli
from lambent.testing.kinds import KINDS


class Terminal:
    """Runs the program in this process."""

    def __init__(self, capfd: pytest.CaptureFixture[str]) -> None:
        self._capfd = capfd

    def type(self, *arguments: str) -> tuple[object, str, str]:
        """The exit status, and what it wrote to either side."""
        with pytest.raises(SystemExit) as left:
            cli.main(["event", *arguments])
        output = self._capfd.readouterr()
        return left.value.code, output.out, output.err

    def event(self, *arguments: str) -> Any:
        code, out, err = self.type(*arguments)
        assert code == 0, err
        return json.loads(out)


@pytest.fixture
def terminal(capfd: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(capfd)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_printed_and_explained(terminal: Terminal, kind: str) -> None:
    assert terminal.event(kind, "--seed", "1", "--time", "2026-01-01") == terminal.event(
        kind, "--seed", "1", "--time", "2026-01-01T00:00:00Z"
    )
    code, out, _ = terminal.type(kind, "--help")
    assert code == 0
    assert "--set PATH=VALUE" in out


def test_the_kinds_are_listed(terminal: Terminal) -> None:
    for arguments in (["--help"],):
        code, out, _ = terminal.type(*arguments)
        assert code == 0
        assert all(kind in out for kind in KINDS)


def test_what_is_typed_is_in_the_event(terminal: Terminal) -> None:
    event = terminal.event("sqs", "--body", "a", "--body", "ü", "--queue", "orders", "--group", "g", "--records", "3")
    assert [each["body"] for each in event["Records"]] == ["a", "ü", "a"]
    assert event["Records"][0]["eventSourceARN"] == "arn:aws:sqs:us-east-1:123456789012:orders.fifo"
    event = terminal.event("sqs", "--fifo", "--attribute", "a=1", "--attribute", "b:=2")
    told = event["Records"][0]["messageAttributes"]
    assert [told["a"]["dataType"], told["b"]["dataType"]] == ["String", "Number"]
    event = terminal.event("sns", "--topic", "news", "--message", "hi", "--subject", "", "--attribute", "k=v")
    assert event["Records"][0]["Sns"]["MessageAttributes"] == {"k": {"Type": "String", "Value": "v"}}
    event = terminal.event("s3", "--bucket", "b", "--key", "a b", "--size", "0", "--region", "eu-west-1")
    assert event["Records"][0]["s3"]["object"]["size"] == 0
    assert event["Records"][0]["awsRegion"] == "eu-west-1"
    image = '{"id": "1", "price": 1.10, "big": 12345678901234567890.123456789}'
    event = terminal.event("dynamodb", "--table", "t", "--event-name", "INSERT", "--new-image", image)
    numbers = {"price": {"N": "1.1"}, "big": {"N": "12345678901234567890.123456789"}}
    assert event["Records"][0]["dynamodb"]["NewImage"] == {"id": {"S": "1"}, **numbers}
    event = terminal.event("eventbridge", "--detail-type", "T", "--source", "s", "--detail", '{"a": 1.5}')
    assert (event["detail-type"], event["source"], event["detail"]) == ("T", "s", {"a": 1.5})
    event = terminal.event("kinesis", "--data", "a", "--account", "000000000001")
    assert event["Records"][0]["kinesis"]["data"] == "YQ=="
    assert ":000000000001:" in event["Records"][0]["eventSourceARN"]
    event = terminal.event("kafka", "--self-managed", "--value", "a", "--header", "h=v", "--partition", "2")
    assert event["records"]["my-topic-2"][0]["headers"] == [{"h": [118]}]
    event = terminal.event("cognito", "--trigger", "PostConfirmation", "--attribute", "email=a@b.test")
    assert event["request"]["userAttributes"]["email"] == "a@b.test"


def test_requests_are_typed_as_for_curl(terminal: Terminal) -> None:
    event = terminal.event("rest", "POST", "/items?a=1&a=2", "-H", "x-a: b: c", "--data", '{"a": 1}')
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"]}
    assert (event["httpMethod"], event["headers"]["X-A"]) == ("POST", "b: c")
    assert event["headers"]["Content-Type"] == "application/json"
    assert terminal.event("alb")["path"] == "/"
    event = terminal.event("http", "GET", "/items/7", "--route", "GET /items/{id}")
    assert event["pathParameters"] == {"id": "7"}


def test_the_events_of_a_websocket(terminal: Terminal, tmp_path: Path) -> None:
    typed = ["--query", "room=a", "-H", "cookie: a=1", "--subprotocol", "v1", "--connection-id", "abc="]
    event = terminal.event("websocket-connect", *typed)
    assert (event["queryStringParameters"], event["headers"]["Sec-WebSocket-Protocol"]) == ({"room": "a"}, "v1")
    assert event["requestContext"]["connectionId"] == "abc="
    (tmp_path / "said.json").write_text('{"action": "say"}')
    event = terminal.event("websocket-message", "--data", f"@{tmp_path}/said.json", "--route", "say")
    assert (event["body"], event["requestContext"]["routeKey"]) == ('{"action": "say"}', "say")
    event = terminal.event("websocket-disconnect", "--code", "4001", "--reason", "bye")
    assert event["requestContext"]["disconnectReason"] == "bye"
    code, _, complaint = terminal.type("websocket-disconnect", "--code", "7")
    assert (code, "--code: expected 1000 to 4999, or -1, but got 7." in complaint) == (2, True)


def test_a_body_may_lie_in_a_file(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "image.png").write_bytes(b"\x89PNG")
    assert terminal.event("url", "PUT", "/", "--data", f"@{tmp_path}/image.png")["body"] == "iVBORw=="
    assert terminal.type("url", "PUT", "/", "--data", "@/no/such/file")[0] == 2


def test_any_field_can_be_set(terminal: Terminal) -> None:
    event = terminal.event(
        "sqs", "--set", "Records.0.messageId=7", "--set", "Records.0.attributes.AWSTraceHeader=Root=1"
    )
    assert event["Records"][0]["messageId"] == "7"
    assert event["Records"][0]["attributes"]["AWSTraceHeader"] == "Root=1"


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (["sqz"], "There is no kind 'sqz'. Did you mean sqs?"),
        (["dynamo"], "Did you mean dynamodb?"),
        (["???"], "There are: sqs, sns"),
        (["s3", "--size", "big"], "'--size': expected a whole number, but got 'big'"),
        (["s3", "--size", "-1"], "'--size': expected a whole number"),
        (["s3", "--event-name", "x"], "--event-name: expected FAMILY:EVENT"),
        (["sqs", "--records", "0"], "--records"),
        (["sqs", "--receive-count", "0"], "--receive-count: expected 1 or more"),
        (["sqs", "--attribute", "a"], "NAME=VALUE"),
        (["rabbitmq", "--header", "a:=5"], "'--header' / '-H': expected NAME=VALUE, but got 'a:=5'"),
        (["kafka", "--header", "a:=5"], "expected NAME=VALUE, but got 'a:=5'"),
        (["lex", "--slot", "=a"], "expected NAME=VALUE, but got '=a'"),
        (["sqs", "--bucket", "a"], "No such option"),
        (["sqs", "--set", "Records.5.body=a"], "Records is a list of 1"),
        (["sqs", "--set", "Records.0.price=NaN"], "not JSON compliant"),
        (["sqs", "--time", "noon"], "2026-01-01T12:00:00Z"),
        (["sqs", "--account", "1"], "12 digits"),
        (["sqs", "--seed", "x"], "--seed"),
        (["eventbridge", "--detail", "{"], "'--detail': expected JSON, but got '{'"),
        (["eventbridge", "--detail", "[1]"], "expected a JSON object"),
        (["dynamodb", "--new-image", "{'id': 1}"], "expected JSON"),
        (["dynamodb", "--new-image", '{"id": 1e999}'], "id: Expected a number"),
        (["dynamodb", "--event-name", "UPSERT"], "INSERT, MODIFY, REMOVE"),
        (["cognito", "--trigger", "presignup"], "Did you mean PreSignUp?"),
        (["http", "GET", "items"], "expected a path"),
        (["http", "-H", "x"], "NAME: VALUE"),
    ],
)
def test_what_is_not_understood_exits_with_2(terminal: Terminal, line: list[str], complaint: str) -> None:
    code, out, err = terminal.type(*line)
    assert (code, out) == (2, "")
    assert complaint in err


def test_the_event_goes_through_a_pipe_whatever_the_terminal_speaks() -> None:
    script = "import sys; from lambent.cli import main; main(sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", script, "event", "sqs", "--body", "é"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert json.loads(done.stdout)["Records"][0]["body"] == "é"
