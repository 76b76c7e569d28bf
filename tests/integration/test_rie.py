"""AWS's own Runtime Interface Emulator runs `python -m lambent.runtime`: what holds there holds on Lambda."""

from __future__ import annotations

import base64
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lambent.dev.conversation import Answer, Call
from lambent.dev.extensions import Extensions
from lambent.dev.model import Delivery, InvokeRequest
from tests.integration.emulator import Emulator, binary, offered
from tests.payloads import payload

offered()  # else one line says that the whole module is skipped

EXAMPLE = Path(__file__).parents[2] / "examples" / "fastapi_app"

FUNCTION = """
import asyncio, os, sys, threading

pid = os.getpid()

def handler(event, context):
    return {"event": event, "pid": pid, **globals()[event["do"]](event, context)}

def echo(event, context):
    return {}

def describe(event, context):
    names = [name for name in dir(context) if not name.startswith("_")]
    given = {name: getattr(context, name) for name in names if isinstance(getattr(context, name), str)}
    custom = context.client_context and context.client_context.custom
    return {"context": given, "left": context.get_remaining_time_in_millis(), "custom": custom}

def fail(event, context):
    raise KeyError("a")

def crash(event, context):
    os._exit(7)

def leave(event, context):
    sys.exit(3)

def hang(event, context):
    threading.Event().wait()

async def coroutine(event, context):
    if event["do"] == "hang":
        await asyncio.sleep(60)
    return {"pid": pid}

def fill(event, context):
    return {"text": "x" * event["size"]}
"""


@pytest.fixture(scope="session")
def rie() -> Path:
    return binary()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("function")
    (folder / "app.py").write_text(FUNCTION, "utf-8")
    return folder


@pytest.fixture(scope="module")
def function(rie: Path, folder: Path) -> Iterator[Emulator]:
    with Emulator(rie, folder, "app.handler", AWS_LAMBDA_FUNCTION_NAME="hello") as emulator:
        yield emulator


@pytest.fixture(scope="module")
def example(rie: Path) -> Iterator[Emulator]:
    with Emulator(rie, EXAMPLE, "app:app") as emulator:
        yield emulator


# Functions


def test_a_function_replies(function: Emulator) -> None:
    first, second = (function.ask({"do": "echo", "text": "é\0"}) for _ in range(2))

    assert first["event"] == {"do": "echo", "text": "é\0"}
    assert first["pid"] == second["pid"], "one environment serves both"


def test_a_large_event_arrives_whole(function: Emulator) -> None:
    event = {"do": "echo", "text": "é" * 500_000}
    assert function.ask(event)["event"] == event


def test_the_context_is_filled(function: Emulator) -> None:
    client_context = base64.b64encode('{"custom": {"name": "Zoë"}}'.encode()).decode()
    reply = function.ask({"do": "describe"}, X_Amz_Client_Context=client_context, X_Amz_Tenant_Id="blue")

    request_id = reply["context"].pop("aws_request_id")
    assert len(request_id) == 36
    assert reply["context"] == {
        "function_name": "hello",
        "function_version": "$LATEST",
        "invoked_function_arn": "arn:aws:lambda:us-east-1:012345678912:function:hello",
        "memory_limit_in_mb": "3008",
        "log_group_name": "/aws/lambda/Functions",
        "log_stream_name": "$LATEST",
        "tenant_id": "blue",
        "trace_id": "",
    }
    assert 0 < reply["left"] <= 300_000
    assert reply["custom"] == {"name": "Zoë"}
    assert f"START RequestId: {request_id}" in function.log


def test_what_a_function_raises_is_its_reply(function: Emulator, folder: Path) -> None:
    error = function.ask({"do": "fail"})

    assert list(error) == ["errorMessage", "errorType", "requestId", "stackTrace"]
    assert (error["errorType"], error["errorMessage"]) == ("KeyError", "'a'")
    assert len(error["requestId"]) == 36
    assert [frame.split("\n")[0] for frame in error["stackTrace"]] == [
        f'  File "{folder}/app.py", line 7, in handler',
        f'  File "{folder}/app.py", line 19, in fail',
    ]
    assert function.ask({"do": "echo"})["event"] == {"do": "echo"}


def test_an_event_that_is_not_json_is_an_error(function: Emulator) -> None:
    error = function.invoke(b"{").json

    assert error["errorType"] == "Runtime.UnmarshalError"
    assert function.ask({"do": "echo"})["event"] == {"do": "echo"}


def test_a_reply_may_have_what_lambda_takes_and_no_more(function: Emulator) -> None:
    event = {"do": "fill", "size": 6_000_000}
    reply = function.ask(event)
    spare = 6_291_556 - len(json.dumps(reply))
    fitting = function.ask({**event, "size": 6_000_000 + spare})
    error = function.ask({**event, "size": 6_000_000 + spare + 1})

    assert len(json.dumps(fitting)) == 6_291_556
    assert error["errorType"] == "Function.ResponseSizeTooLarge"
    assert function.ask({"do": "echo"})["pid"] == reply["pid"], "the environment lives on"


@pytest.mark.parametrize(("do", "status"), [("crash", 7), ("leave", 3)])
def test_after_a_crash_a_new_environment_serves(function: Emulator, do: str, status: int) -> None:
    before = function.ask({"do": "echo"})["pid"]
    crashed = function.invoke(json.dumps({"do": do}).encode())
    after = function.ask({"do": "echo"})["pid"]

    assert crashed.status == 502
    assert crashed.json["errorType"] == "Runtime.ExitError"
    assert crashed.json["errorMessage"].endswith(f"Error: Runtime exited with error: exit status {status}")
    assert before != after


def test_after_the_platform_s_own_timeout_a_new_environment_serves(rie: Path, folder: Path) -> None:
    """Its start is part of the time that its first invocation has."""
    variables = {"AWS_LAMBDA_FUNCTION_TIMEOUT": "3", "LAMBENT_DEADLINE_MARGIN": "0"}
    with Emulator(rie, folder, "app.handler", **variables) as emulator:
        before = emulator.ask({"do": "describe"})
        late = emulator.invoke(b'{"do": "hang"}')
        after = emulator.ask({"do": "echo"})["pid"]

    assert before["left"] <= 3000
    assert late.body == b"Task timed out after 3.00 seconds"
    assert before["pid"] != after


def test_a_function_that_hangs_is_ended_before_the_platform_does_it(rie: Path, folder: Path) -> None:
    with Emulator(rie, folder, "app.handler", AWS_LAMBDA_FUNCTION_TIMEOUT="3") as emulator:
        before = emulator.ask({"do": "echo"})["pid"]
        late = emulator.invoke(b'{"do": "hang"}')
        after = emulator.ask({"do": "echo"})["pid"]
        log = emulator.log

    assert late.json["errorType"] == "Function.TimedOut"
    assert re.fullmatch(r"Task timed out after 2\.\d\d seconds", late.json["errorMessage"]), "of those left on arrival"
    assert "threading.Event().wait()" in log
    assert before != after


def test_a_coroutine_that_hangs_is_cancelled_and_the_environment_lives_on(rie: Path, folder: Path) -> None:
    with Emulator(rie, folder, "app.coroutine", AWS_LAMBDA_FUNCTION_TIMEOUT="1") as emulator:
        before = emulator.ask({"do": "echo"})["pid"]
        late = emulator.ask({"do": "hang"})
        after = emulator.ask({"do": "echo"})["pid"]

    assert late["errorMessage"] == "Task timed out after 0.75 seconds"
    assert before == after


def test_an_init_error_is_the_reply(rie: Path, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("raise ConnectionError('no database')", "utf-8")
    with Emulator(rie, tmp_path, "app.handler") as emulator:
        replies = [emulator.invoke(b"{}") for _ in range(2)]

    for reply in replies:
        assert reply.status == 502
        assert (reply.json["errorType"], reply.json["errorMessage"]) == ("ConnectionError", "no database")
        (frame,) = reply.json["stackTrace"]
        assert frame.startswith(f'  File "{tmp_path}/app.py", line 1, in <module>')


def test_a_bad_handler_name_is_the_reply(rie: Path, folder: Path) -> None:
    with Emulator(rie, folder, "app.missing") as emulator:
        reply = emulator.invoke(b"{}")

    assert reply.status == 502
    assert reply.json["errorType"] == "Runtime.HandlerNotFound"


# The FastAPI example


def request(
    door: str,
    path: str,
    query: str = "",
    method: str = "GET",
    body: bytes | None = None,
    content_type: str = "",
    cookies: tuple[str, ...] = (),
) -> dict[str, Any]:
    """The event that a request through `door` becomes."""
    event = payload(f"{door}_get")
    event.pop("queryStringParameters", None)
    event |= {"rawPath": path, "rawQueryString": query}
    event["requestContext"]["http"] |= {"method": method, "path": path}
    if cookies:
        event["cookies"] = list(cookies)
    if body is not None:
        event["headers"] |= {"content-type": content_type, "content-length": str(len(body))}
        event |= {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    return event


doors = pytest.mark.parametrize("door", ["function_url", "http_api"])


@doors
def test_json(example: Emulator, door: str) -> None:
    reply = example.ask(request(door, "/items/7", "q=a%2Bb+c"))

    assert (reply["statusCode"], reply["isBase64Encoded"]) == (200, False)
    assert reply["headers"]["content-type"] == "application/json"
    assert json.loads(reply["body"]) == {"item_id": 7, "q": "a+b c"}


@doors
def test_a_refusal(example: Emulator, door: str) -> None:
    reply = example.ask(request(door, "/items/seven"))

    assert reply["statusCode"] == 422
    assert json.loads(reply["body"])["detail"][0]["input"] == "seven"


@doors
def test_a_post(example: Emulator, door: str) -> None:
    item = {"name": "lämp", "price": 9.5, "tags": ["a"]}
    reply = example.ask(request(door, "/items", "", "POST", json.dumps(item).encode(), "application/json"))

    assert reply["statusCode"] == 201
    assert json.loads(reply["body"]) == item


@doors
def test_a_cookie(example: Emulator, door: str) -> None:
    reply = example.ask(request(door, "/visit", cookies=("visits=3", "theme=dark")))

    assert json.loads(reply["body"]) == {"visits": 4}
    assert reply["cookies"] == ["visits=4; HttpOnly; Path=/; SameSite=lax"]
    assert "set-cookie" not in reply["headers"]


@doors
def test_a_binary_body_comes(example: Emulator, door: str) -> None:
    reply = example.ask(request(door, "/logo.png"))

    assert (reply["statusCode"], reply["isBase64Encoded"]) == (200, True)
    assert reply["headers"]["content-type"] == "image/png"
    assert base64.b64decode(reply["body"]).startswith(b"\x89PNG\r\n\x1a\n")


@doors
def test_a_binary_body_goes(example: Emulator, door: str) -> None:
    field = b'--edge\r\ncontent-disposition: form-data; name="file"; filename="f.bin"\r\n\r\n\x00\xff\r\n--edge--\r\n'
    reply = example.ask(request(door, "/upload", "", "POST", field, "multipart/form-data; boundary=edge"))

    assert json.loads(reply["body"]) == {"filename": "f.bin", "content_type": None, "bytes": 2}


@doors
def test_an_application_that_raises(example: Emulator, door: str) -> None:
    reply = example.ask(request(door, "/error"))

    assert (reply["statusCode"], reply["body"]) == (500, "Internal Server Error")
    assert "RuntimeError: This route always raises." in example.log


@doors
def test_a_background_task_runs_after_the_reply(example: Emulator, door: str) -> None:
    left = example.ask(request(door, f"/notes/{door}", method="POST"))
    read = json.loads(example.ask(request(door, "/notes"))["body"])

    assert left["statusCode"] == 202
    assert door in read["notes"]
    assert read["pid"] == json.loads(left["body"])["pid"]


def test_the_lifespan_is_started_once(example: Emulator) -> None:
    pids = {json.loads(example.ask(request("function_url", "/notes"))["body"])["pid"] for _ in range(3)}

    assert len(pids) == 1
    assert example.log.count(f"Environment {pids.pop()} starts.") == 1


def test_an_event_of_no_gateway_is_an_error_and_the_next_one_is_served(example: Emulator) -> None:
    error = example.ask({"Records": [{"eventSource": "aws:sqs"}]})
    reply = example.ask(request("function_url", "/items/7"))

    assert error["errorType"] == "UnknownEvent"
    assert "Records" in error["errorMessage"]
    assert reply["statusCode"] == 200


# Life and death

LIFE = """
import asyncio, threading

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        print((await receive())["type"], flush=True)
        await send({"type": "lifespan.startup.complete"})
        print((await receive())["type"], flush=True)
        await globals()[MODE]()
        await send({"type": "lifespan.shutdown.complete"})
        print("the end", flush=True)
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x"})

async def at_once(): pass

async def slow(): await asyncio.Event().wait()

async def swallow():
    while True:
        try:
            await slow()
        except asyncio.CancelledError:
            pass

async def block(): threading.Event().wait()
"""


def ended(rie: Path, folder: Path, mode: str, **variables: str) -> list[str]:
    """What is printed between SIGTERM and the end, after a request; only what is not the emulator's."""
    (folder / "app.py").write_text(f"MODE = {mode!r}\n{LIFE}", "utf-8")
    with Emulator(rie, folder, "app:app", **variables) as emulator:
        assert emulator.ask(request("function_url", "/"))["statusCode"] == 200
        assert emulator.log.count("lifespan.startup\n") == 1
        log = emulator.end()
    return [line for line in log.splitlines() if line and " (rapid) " not in line]


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_sigterm_comes_and_the_lifespan_is_shut_down(rie: Path, tmp_path: Path, loop: str) -> None:
    pytest.importorskip(loop)
    assert ended(rie, tmp_path, "at_once", LAMBENT_LOOP=loop) == ["lifespan.shutdown", "the end"]


def test_without_the_extension_there_is_no_sigterm(rie: Path, tmp_path: Path) -> None:
    assert ended(rie, tmp_path, "at_once", LAMBENT_EXTENSION="0") == []


CUT_OFF = "The process did not end within 0.3 s and is cut off. It stands at:"


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("slow", f"The shutdown of the lifespan took more than 0.25 s.|{CUT_OFF}"),  # where the machine is slow
        ("swallow", CUT_OFF),
        ("block", CUT_OFF),
    ],
)
def test_a_shutdown_that_takes_too_long_is_told_of_before_the_platform_ends_it(
    rie: Path, tmp_path: Path, loop: str, mode: str, words: str
) -> None:
    pytest.importorskip(loop)
    first, second, *_ = ended(rie, tmp_path, mode, LAMBENT_LOOP=loop)
    assert first == "lifespan.shutdown"
    assert second.endswith(tuple(words.split("|")))


EXTENSIONS = """
import http.client, json, os, sys

def ask(method, path, body, headers):
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    api.request(method, path, body, headers)
    answer = api.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read().decode()

said = []
for method, path, body, headers in json.loads(sys.argv[1]):
    said.append(ask(method, "/2020-01-01/extension/" + path, body, headers))
name = "Lambda-Extension-Identifier"
for identifier in [headers[name] for _, headers, _ in said if name in headers]:
    waiting = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    waiting.request("GET", "/2020-01-01/extension/event/next", headers={name: identifier})
_, headers, _ = ask("GET", "/2018-06-01/runtime/invocation/next", None, {})
said.append(ask("POST", "/2020-01-01/extension/register", '{"events": []}', {"Lambda-Extension-Name": "late"}))
path = "/2018-06-01/runtime/invocation/" + headers["Lambda-Runtime-Aws-Request-Id"]
ask("POST", path + "/response", json.dumps([[status, text] for status, _, text in said]), {})
ask("GET", "/2018-06-01/runtime/invocation/next", None, {})
"""


def registration(name: str, body: str = '{"events": []}') -> tuple[str, str, str, dict[str, str]]:
    return "POST", "register", body, {"Lambda-Extension-Name": name} if name else {}


def test_the_local_lambda_says_the_same_to_extensions(rie: Path, tmp_path: Path) -> None:
    asked = [
        ("GET", "register", None, {}),
        registration(""),
        registration("a", '{"events": ["SHUTDOWN"]}'),
        registration("a", '{"events": ["NOPE"]}'),
        registration("a", '{"events": ["INVOKE", "SHUTDOWN"]}'),
        ("GET", "event/next", None, {}),
        ("GET", "event/next", None, {"Lambda-Extension-Identifier": "x"}),
        ("GET", "event/next", None, {"Lambda-Extension-Identifier": "11111111-1111-1111-1111-111111111111"}),
        registration("0"),
        registration("0"),
        *[registration(str(number), "{}") for number in range(1, 10)],
        registration("one too many"),
    ]
    (tmp_path / "probe.py").write_text(EXTENSIONS, "utf-8")
    with Emulator(rie, tmp_path, command=(sys.executable, "probe.py", json.dumps(asked)), _HANDLER="") as emulator:
        theirs = emulator.ask({})

    about = {"functionName": "test_function", "functionVersion": "$LATEST", "handler": ""}
    extensions = Extensions(about, bool)
    ours: list[Answer] = []
    for method, path, body, headers in asked:
        fields = {name.lower(): value for name, value in headers.items()}
        taken = Call(method, f"/2020-01-01/extension/{path}", fields, (body or "").encode(), False, [])
        assert extensions.take(taken, ours.append)
    extensions.close()
    late = Call("POST", "/2020-01-01/extension/register", {"lambda-extension-name": "late"}, b"{}", False, [])
    assert extensions.take(late, ours.append)

    assert [[answer.status, answer.body.decode()] for answer in ours] == theirs


TOLD = """
import http.client, json, os, threading

def connected():
    return http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])

def ask(connection, method, path, body=None, headers={}):
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    return answer.headers, answer.read()

extension, runtime, told = connected(), connected(), []
name = {"Lambda-Extension-Name": "e"}
headers, _ = ask(extension, "POST", "/2020-01-01/extension/register", '{"events": ["INVOKE"]}', name)
identified = {"Lambda-Extension-Identifier": headers["Lambda-Extension-Identifier"]}

def extend():
    told.append(ask(extension, "GET", "/2020-01-01/extension/event/next", None, identified)[1])

while True:
    thread = threading.Thread(target=extend)
    thread.start()
    headers, _ = ask(runtime, "GET", "/2018-06-01/runtime/invocation/next")
    thread.join()
    of_runtime = {key: headers[f"Lambda-Runtime-{header}"] for key, header in HEADERS.items()}
    path = f"/2018-06-01/runtime/invocation/{headers['Lambda-Runtime-Aws-Request-Id']}/response"
    ask(runtime, "POST", path, json.dumps([json.loads(told.pop()), of_runtime]))
"""
HEADERS = {"requestId": "Aws-Request-Id", "deadlineMs": "Deadline-Ms", "invokedFunctionArn": "Invoked-Function-Arn"}


def test_the_local_lambda_tells_extensions_the_same_of_an_invocation(rie: Path, tmp_path: Path) -> None:
    (tmp_path / "probe.py").write_text(f"HEADERS = {HEADERS}\n{TOLD}", "utf-8")
    with Emulator(rie, tmp_path, command=(sys.executable, "probe.py"), _HANDLER="") as emulator:
        theirs = [emulator.ask({}, X_Amzn_Trace_Id="Root=1-5759e988-bd862e3fe1be46a994272793") for _ in range(2)]
    for event, of_runtime in theirs:
        assert {key: str(event[key]) for key in HEADERS} == of_runtime

    extensions = Extensions({}, bool)
    said: list[Answer] = []
    register = "/2020-01-01/extension/register"
    body = b'{"events": ["INVOKE"]}'
    assert extensions.take(Call("POST", register, {"lambda-extension-name": "e"}, body, False, []), said.append)
    fields = {"lambda-extension-identifier": dict(said[0].headers)[b"lambda-extension-identifier"].decode()}
    assert extensions.take(Call("GET", "/2020-01-01/extension/event/next", fields, b"", False, []), said.append)
    request = InvokeRequest("id-1", b"{}", "Root=1-a")
    extensions.deliver(Delivery(request=request, invocation_id="i", deadline_ms=7, arn="arn"))
    ours = json.loads(said[1].body)
    assert shape(ours) == shape(theirs[0][0])


def shape(value: Any) -> Any:
    """The names in it, and the types of what they stand for."""
    return {name: shape(each) for name, each in value.items()} if isinstance(value, dict) else type(value)
