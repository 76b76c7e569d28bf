"""Where queues are, and why they cannot be reached. What they do is tested on a real one."""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path

import pytest

from lambent.dev.model import Function, Source
from lambent.dev.sources import queues
from lambent.dev.sources.queues import NO_BOTO3, NO_CREDENTIALS, Place, Unavailable, connect, place

F = Function("f", "app.handler", region="eu-west-1")
LOCAL = "http://127.0.0.1:4566"
ARN = "arn:aws:sqs:eu-north-1:111122223333:orders"


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody's shell: no credentials, no endpoints, nowhere to ask for them."""
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SQS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


@pytest.mark.parametrize(
    ("queue", "endpoint", "shell", "expected"),
    [
        ("orders", "", {}, Place("", "orders", "", "eu-west-1", "")),
        ("orders", LOCAL, {}, Place("", "orders", "", "eu-west-1", LOCAL)),
        ("orders", "", {"AWS_ENDPOINT_URL": LOCAL}, Place("", "orders", "", "eu-west-1", LOCAL)),
        (
            "orders",
            "",
            {"AWS_ENDPOINT_URL": "x", "AWS_ENDPOINT_URL_SQS": "y"},
            Place("", "orders", "", "eu-west-1", "y"),
        ),
        (ARN, "", {}, Place("", "orders", "111122223333", "eu-north-1", "")),
        (f"{LOCAL}/000000000000/q", "", {}, Place(f"{LOCAL}/000000000000/q", "", "", "eu-west-1", LOCAL)),
        (f"{LOCAL}/0/q", "http://sqs:1", {}, Place(f"{LOCAL}/0/q", "", "", "eu-west-1", "http://sqs:1")),
        (
            "https://sqs.us-west-2.amazonaws.com/1/q",
            "",
            {},
            Place("https://sqs.us-west-2.amazonaws.com/1/q", "", "", "us-west-2", ""),
        ),
    ],
)
def test_a_queue_is_where_it_is_said_to_be(queue: str, endpoint: str, shell: dict[str, str], expected: Place) -> None:
    assert place(Source("s", "f", "sqs", queue=queue, endpoint=endpoint), F, shell) == expected


def test_a_function_s_own_variables_come_before_the_shell_s() -> None:
    function = Function("f", "app.handler", env={"AWS_ENDPOINT_URL": LOCAL})
    assert place(Source("s", "f", "sqs", queue="q"), function, {"AWS_ENDPOINT_URL": "x"}).endpoint == LOCAL


def why_not(queue: str, endpoint: str = "", **env: str) -> str:
    source = Source("s", "f", "sqs", queue=queue, endpoint=endpoint)
    with pytest.raises(Unavailable) as told:
        asyncio.run(connect(source, Function("f", "app.handler", env=env, region="eu-west-1")))
    return str(told.value)


def test_without_boto3_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    assert why_not("orders", LOCAL) == NO_BOTO3
    assert 'pip install "lambent[aws]"' in NO_BOTO3


def test_without_credentials_it_says_what_to_set() -> None:
    assert why_not("orders") == NO_CREDENTIALS


def test_a_profile_that_there_is_not_is_told() -> None:
    assert "The config profile (nobody) could not be found" in why_not("orders", AWS_PROFILE="nobody")


def test_an_endpoint_that_does_not_answer_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert why_not("orders", f"http://127.0.0.1:{port}") == f"http://127.0.0.1:{port} does not answer"


class Client:
    """Of boto3, as far as one is asked here."""

    def __init__(self, **attributes: str) -> None:
        self.attributes = attributes
        self.closed = 0

    def get_queue_url(self, **_: str) -> dict[str, str]:
        return {"QueueUrl": LOCAL}

    def get_queue_attributes(self, **_: object) -> dict[str, dict[str, str]]:
        return {"Attributes": self.attributes}

    def close(self) -> None:
        self.closed += 1


def test_its_connections_are_closed_with_it_and_where_it_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    found, none = Client(QueueArn=ARN), Client()
    clients = [found, none]
    monkeypatch.setattr(queues, "make_client", lambda *_: clients.pop(0))
    queue = asyncio.run(connect(Source("s", "f", "sqs", queue="orders", endpoint=LOCAL), F))
    assert found.closed == 0
    queue.close()
    assert found.closed == 1
    assert "QueueArn" in why_not("orders", LOCAL)
    assert none.closed == 1
