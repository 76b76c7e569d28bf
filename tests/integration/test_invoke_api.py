"""boto3 and the AWS CLI against a running local Lambda, and functions that invoke functions."""

import base64
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.dev.fakes import Gate
from tests.dev.local import LocalLambda
from tests.integration.newcomer import tool

APP = '''
import asyncio, json, os, socket

import boto3

clients = []

def client():
    if not clients:
        clients.append(boto3.client("lambda"))
    return clients[0]

def hold():
    with socket.create_connection(("127.0.0.1", int(os.environ["GATE"]))) as gate:
        gate.sendall(b"here\\n")
        gate.recv(1)

def echo(event, context):
    print("echo was here", flush=True)
    custom = context.client_context.custom if context.client_context else None
    return {
        "event": event, "custom": custom, "tenant": context.tenant_id, "id": context.aws_request_id,
        "arn": context.invoked_function_arn,
    }

def boom(event, context):
    raise ValueError("boom")

def held(event, context):
    print("HELD", event, flush=True)
    hold()

def countdown(event, context):
    """Invokes itself until it is told to stop."""
    if event == 0:
        return [0]
    try:
        answer = client().invoke(FunctionName=context.function_name, Payload=json.dumps(event - 1))
    except client().exceptions.RecursiveInvocationException as error:
        return [event, type(error).__name__]
    return [event, *json.loads(answer["Payload"].read())]

def dispatch(event, context):
    """Has another one do it."""
    answer = client().invoke(FunctionName="report", InvocationType="Event", Payload=json.dumps(event))
    return answer["StatusCode"]

def report(event, context):
    print("REPORTED", json.dumps(event), flush=True)

async def streamed(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"first", "more_body": True})
    await asyncio.to_thread(hold)
    if scope["path"] == "/broken":
        raise ValueError("broken off")
    await send({"type": "http.response.body", "body": b"\\xff\\x00second"})
'''

PROJECT = """
[tool.lambent]
time-scale = 600

[tool.lambent.defaults]
timeout = 100
memory = 512

[tool.lambent.functions]
echo = { handler = "app:echo" }
boom = { handler = "app:boom", asynchronous = { on-failure = "function:report", dead-letter = "file:letters" } }
held = { handler = "app:held", environments = 1 }
closed = { handler = "app:echo", reserved-concurrency = 0 }
countdown = { handler = "app:countdown", environments = 1 }
dispatch = { handler = "app:dispatch" }
report = { handler = "app:report" }
streamed = { handler = "app:streamed", stream = true }

[tool.lambent.functions.managed]
handler = "app:echo"
runtime = "awslambdaric"
"""

EVENT = {
    "version": "2.0",
    "routeKey": "$default",
    "rawQueryString": "",
    "headers": {"host": "localhost"},
    "requestContext": {
        "domainName": "abc.lambda-url.us-east-1.on.aws",
        "http": {"method": "GET", "path": "/", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"},
    },
    "isBase64Encoded": False,
}


class Place(NamedTuple):
    """A local Lambda, and what is needed to talk to it."""

    local: LocalLambda
    client: Any
    gate: Gate
    folder: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.local.port}"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("functions")
    (folder / "app.py").write_text(APP, "utf-8")
    (folder / "pyproject.toml").write_text(PROJECT, "utf-8")
    with Gate() as gate:
        (folder / ".env").write_text(f"GATE={gate.port}\n", "utf-8")
        with LocalLambda(folder, "--config=pyproject.toml") as local:
            client = boto3.client(
                "lambda",
                endpoint_url=f"http://127.0.0.1:{local.port}",
                region_name="us-east-1",
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=Config(retries={"max_attempts": 0}, read_timeout=100),
            )
            yield Place(local, client, gate, folder)
            client.close()


def invoke(place: Place, name: str, event: object = None, **how: str) -> tuple[dict[str, Any], Any]:
    """The answer, and the payload in it."""
    answer = place.client.invoke(FunctionName=name, Payload=json.dumps(event), **how)
    with answer["Payload"] as payload:
        text = payload.read()
    return answer, json.loads(text) if text else None


# boto3


@pytest.mark.parametrize("name", ["echo", "managed"])
def test_a_function_is_invoked(name: str, place: Place) -> None:
    context = base64.b64encode(b'{"custom": {"a": "\\u00e9"}}').decode()
    answer, payload = invoke(place, name, {"n": 1}, ClientContext=context, LogType="Tail", TenantId="blue")
    assert (answer["StatusCode"], answer["ExecutedVersion"], "FunctionError" in answer) == (200, "$LATEST", False)
    assert (payload["event"], payload["custom"], payload["tenant"]) == ({"n": 1}, {"a": "é"}, "blue")
    assert payload["id"] == answer["ResponseMetadata"]["RequestId"]
    log = base64.b64decode(answer["LogResult"]).decode()
    assert re.search(rf"START RequestId: {payload['id']} .*\necho was here\nEND .*\nREPORT ", log)


def test_it_goes_by_every_name(place: Place) -> None:
    arn = "arn:aws:lambda:us-east-1:123456789012:function:echo"
    for name in ("echo", arn, "123456789012:function:echo"):
        assert invoke(place, name)[1]["arn"] == arn
    for how in ({"name": f"{arn}:$LATEST"}, {"name": "echo", "Qualifier": "$LATEST"}):
        assert invoke(place, **how)[1]["arn"] == f"{arn}:$LATEST"


@pytest.mark.parametrize("payload", [{}, {"Payload": b""}])
def test_no_payload_is_an_empty_event(payload: dict[str, bytes], place: Place) -> None:
    answer = place.client.invoke(FunctionName="echo", **payload)
    assert json.loads(answer["Payload"].read())["event"] == {}


def test_an_error_is_reported_as_aws_does(place: Place) -> None:
    answer, payload = invoke(place, "boom")
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert (payload["errorType"], payload["errorMessage"]) == ("ValueError", "boom")


def test_a_dry_run_runs_nothing(place: Place) -> None:
    assert invoke(place, "boom", InvocationType="DryRun")[0]["StatusCode"] == 204


@pytest.mark.parametrize(
    ("how", "exception", "words"),
    [
        (
            {"FunctionName": "nobody"},
            "ResourceNotFoundException",
            "function:nobody:$LATEST. The local Lambda has: boom,",
        ),
        ({"FunctionName": "echo:prod"}, "ResourceNotFoundException", "has no aliases"),
        ({"FunctionName": "echo", "Payload": b"{"}, "InvalidRequestContentException", "Could not parse request body"),
        ({"FunctionName": "echo", "ClientContext": "x"}, "InvalidRequestContentException", "Client context must"),
        ({"FunctionName": "closed"}, "TooManyRequestsException", "Rate Exceeded."),
        ({"FunctionName": "echo:a", "Qualifier": "b"}, "InvalidParameterValueException", "does not match"),
    ],
)
def test_a_refusal_raises_what_it_raises_on_aws(how: dict[str, Any], exception: str, words: str, place: Place) -> None:
    with pytest.raises(getattr(place.client.exceptions, exception)) as raised:
        place.client.invoke(**how)
    assert words in raised.value.response["Error"]["Message"]


def test_throttling_has_a_reason(place: Place) -> None:
    with pytest.raises(place.client.exceptions.TooManyRequestsException) as raised:
        place.client.invoke(FunctionName="closed")
    assert raised.value.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"


@pytest.mark.parametrize(("kind", "size"), [("RequestResponse", 6 << 20), ("Event", 1 << 20)])
def test_what_is_too_large_is_refused(kind: str, size: int, place: Place) -> None:
    with pytest.raises(ClientError) as raised:
        place.client.invoke(FunctionName="echo", InvocationType=kind, Payload=b'"' + b"a" * (size - 1) + b'"')
    error = raised.value.response
    assert (error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Code"]) == (
        413,
        "RequestEntityTooLargeException",
    )


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("delete_function", {"FunctionName": "echo"}),
        ("put_function_concurrency", {"FunctionName": "echo", "ReservedConcurrentExecutions": 1}),
        ("get_function_url_config", {"FunctionName": "echo"}),
        ("list_event_source_mappings", {}),
        ("list_layers", {}),
        ("get_account_settings", {}),
        ("list_tags", {"Resource": "arn:aws:lambda:us-east-1:000000000000:function:echo"}),
    ],
)
def test_operations_that_are_not_here_are_told(place: Place, operation: str, parameters: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match="is no operation of the local Lambda") as raised:
        getattr(place.client, operation)(**parameters)
    assert raised.value.response["Error"]["Code"] == "UnknownOperationException"


def test_functions_are_described(place: Place) -> None:
    pages = list(place.client.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 4}))
    assert [len(page["Functions"]) for page in pages] == [4, 4, 1]
    names = [each["FunctionName"] for page in pages for each in page["Functions"]]
    assert names == sorted(names)
    place.client.get_waiter("function_active_v2").wait(FunctionName="echo")
    described = place.client.get_function(FunctionName="managed")["Configuration"]
    assert described["Runtime"] == f"python{sys.version_info[0]}.{sys.version_info[1]}"
    assert place.client.get_function_configuration(FunctionName="echo")["MemorySize"] == 512
    assert place.client.get_function_concurrency(FunctionName="closed")["ReservedConcurrentExecutions"] == 0


# Streams


def chunks(answer: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for event in answer["EventStream"]:
        ((kind, value),) = event.items()
        yield kind, value.get("Payload", value)


def test_a_stream_comes_as_it_is_written(place: Place) -> None:
    event = json.dumps({**EVENT, "rawPath": "/"})
    answer = place.client.invoke_with_response_stream(FunctionName="streamed", Payload=event, LogType="Tail")
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert answer["ResponseStreamContentType"] == "application/vnd.amazon.eventstream"
    come = chunks(answer)
    received = b""
    while not received.endswith(b"first"):
        received += next(come)[1]
    prelude, _, _ = received.partition(bytes(8))
    assert json.loads(prelude)["statusCode"] == 200
    place.gate.arrive()  # which it was before: the first piece has come, the function is not done
    place.gate.release()
    *rest, (kind, end) = come
    assert b"".join(payload for _, payload in rest) == b"\xff\x00second"
    assert kind == "InvokeComplete"
    assert "ErrorCode" not in end
    assert b"REPORT RequestId: " in base64.b64decode(end["LogResult"])


def test_a_stream_that_breaks_off_says_so(place: Place) -> None:
    event = json.dumps({**EVENT, "rawPath": "/broken"})
    answer = place.client.invoke_with_response_stream(FunctionName="streamed", Payload=event)
    come = chunks(answer)
    assert next(come)[0] == "PayloadChunk"
    place.gate.arrive()
    place.gate.release()
    *_, (kind, end) = come
    assert (kind, end["ErrorCode"]) == ("InvokeComplete", "ValueError")
    assert json.loads(end["ErrorDetails"])["errorMessage"] == "broken off"


def test_a_function_that_does_not_stream_gives_one_chunk(place: Place) -> None:
    answer = place.client.invoke_with_response_stream(FunctionName="echo", Payload=b"1")
    (_, payload), (kind, end) = chunks(answer)
    assert json.loads(payload)["event"] == 1
    assert (kind, end) == ("InvokeComplete", {})


# Events


def test_an_event_that_fails_three_times_is_told_of(place: Place) -> None:
    answer, payload = invoke(place, "boom", {"order": 7}, InvocationType="Event")
    request_id = answer["ResponseMetadata"]["RequestId"]
    assert (answer["StatusCode"], payload) == (202, None)
    record = json.loads(place.local.wait_for(rf"REPORTED (.*{request_id}.*)\n")[1])
    assert record["requestContext"] == {
        "requestId": request_id,
        "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:boom:$LATEST",
        "condition": "RetriesExhausted",
        "approximateInvokeCount": 3,
    }
    assert record["requestPayload"] == {"order": 7}
    assert record["responsePayload"]["errorMessage"] == "boom"
    assert len(re.findall(f"START RequestId: {request_id} ", place.local.output)) == 3
    (letter,) = (place.folder / "letters").read_text("utf-8").splitlines()
    assert json.loads(letter)["Body"] == '{"order": 7}'


def status(place: Place) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(place.local.get("/_lambent/status").body)
    return read


def wait_until(place: Place, is_so: Callable[[dict[str, Any]], bool]) -> None:
    """As soon as the status says so."""
    limit = time.monotonic() + 20
    while not is_so(status(place)):
        assert time.monotonic() < limit, status(place)


def test_a_client_that_goes_away_takes_its_invocation_along(place: Place) -> None:
    """Unless that has begun."""
    invoke(place, "held", "first", InvocationType="Event")
    place.gate.arrive()
    with socket.create_connection(("127.0.0.1", place.local.port)) as gone:
        head = "POST /2015-03-31/functions/held/invocations HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8\r\n\r\n"
        gone.sendall(head.encode() + b'"second"')
        wait_until(place, lambda status: status["functions"]["held"]["waiting"] == 1)
    wait_until(place, lambda status: status["functions"]["held"]["waiting"] == 0)
    invoke(place, "held", "third", InvocationType="Event")
    counts = {"queued": 1, "in_flight": 1, "waiting_for_retry": 0}
    wait_until(place, lambda status: status["asynchronous"] == {"held": counts})
    place.gate.release()
    place.gate.arrive()
    place.gate.release()
    place.local.wait_for("HELD third")
    wait_until(place, lambda status: not status["asynchronous"])
    assert re.findall("HELD (.*)", place.local.output) == ["first", "third"]


def test_what_is_left_at_the_end_is_named(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("def handler(event, context):\n    raise ValueError\n", "utf-8")
    with LocalLambda(tmp_path, "app:handler") as local:
        asked = local.ask("POST", "/2015-03-31/functions/app-handler/invocations", b"{}", X_Amz_Invocation_Type="Event")
        assert (asked.status, asked.body) == (202, b"")
        local.wait_for("app-handler failed: the asynchronous invocation is tried again in 60 s, attempt 2 of 3")
        assert local.stop() == 0
        local.wait_for("Asynchronous invocations that are dropped, .*: 1 of app-handler waiting for retry")


# Functions that invoke functions


def test_a_function_may_invoke_itself(place: Place) -> None:
    """Though it has one environment only, which is busy."""
    assert invoke(place, "countdown", 4)[1] == [4, 3, 2, 1, 0]


def test_a_function_that_never_stops_invoking_itself_is_stopped(place: Place) -> None:
    _, payload = invoke(place, "countdown", 100)
    assert payload == [*range(100, 84, -1), "RecursiveInvocationException"]


def test_a_function_may_leave_it_to_another(place: Place) -> None:
    assert invoke(place, "dispatch", {"left": "behind"})[1] == 202
    place.local.wait_for(r'REPORTED \{"left": "behind"\}')


# The command line


def run(place: Place, *command: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "AWS_ENDPOINT_URL_LAMBDA": place.url, **more}
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=60)


def test_lambent_invoke_finds_it(place: Place) -> None:
    ran = run(place, sys.executable, "-m", "lambent", "invoke", "echo", "--event", '{"a": 1}', "--tail")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["event"] == {"a": 1}
    assert "echo was here" in ran.stderr
    ran = run(place, sys.executable, "-m", "lambent", "invoke", "boom", "--repeat", "2")
    assert ran.returncode == 1
    assert "The function failed. ValueError: boom\n" in ran.stderr
    assert re.search(r"2 invocations, median .* ms, p99 .* ms, 2 failed\n", ran.stderr)


@pytest.mark.skipif(sys.platform == "win32", reason="its environment is made for others")
def test_the_aws_cli_invokes(place: Place, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    ran = run(
        place,
        *(
            tool("aws"),
            "lambda",
            "invoke",
            "--function-name",
            "echo",
            "--payload",
            '{"a": 1}',
            "--log-type",
            "Tail",
            out,
        ),
        **credentials,
    )
    assert ran.returncode == 0, ran.stderr
    answer = json.loads(ran.stdout)
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert "echo was here" in base64.b64decode(answer["LogResult"]).decode()
    assert json.loads(out.read_text("utf-8"))["event"] == {"a": 1}

    ran = run(place, tool("aws"), "lambda", "list-functions", "--query", "Functions[0].FunctionName", **credentials)
    assert (ran.returncode, ran.stdout) == (0, '"boom"\n')
    ran = run(place, tool("aws"), "lambda", "invoke", "--function-name", "nobody", out, **credentials)
    assert "An error occurred (ResourceNotFoundException) when calling the Invoke operation" in ran.stderr
