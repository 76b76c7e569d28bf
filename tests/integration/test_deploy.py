"""What `lambent build` has made, deployed to an emulator of AWS that is not ours, and called from outside.

examples/deploy/app in both forms: for the managed runtime, where ministack calls `handler(event, context)` as AWS's own
client does, and OS-only, where it starts the zip's `bootstrap`. The stacks are those of examples/deploy: templates of
CloudFormation, and of SAM for a REST API and a load balancer, by AWS's translator.

What ministack cannot do:
- start AWS_LAMBDA_EXEC_WRAPPER: its managed functions run without Lambent's runtime
- stream: what a Function URL in RESPONSE_STREAM gives comes at once, without its cookies, and bytes are lost; a REST
  API has no such integrations; so all doors are asked in their buffered mode, and one streams text
- hold a zip to its architecture, its Python, /var/task or a read-only file system: it unpacks the zip, and runs it
- take all of a template: `stacks.py` says what in other words, in `ADAPTATIONS` and `buffer`
The first and the third are shown without it: the unpacked zips are started as Lambda starts them, by our Runtime API.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from lambent.testing import events
from tests.dev.local import LIMIT, until
from tests.integration.newcomer import ROOT
from tests.integration.stacks import ARCHITECTURE, PYTHON, Stack, Stacks, translate
from tests.integration.test_where_it_runs import managed, without_python_path
from tests.payloads import payload
from tests.stores.ministack import ministack
from tests.support.processes import Process
from tests.support.runtime_api import RuntimeAPI, invocation

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Lambda runs Linux, and so does all of this")

EXAMPLE = ROOT / "examples" / "deploy" / "app"
PROVIDED = "provided.al2023"
FORMS = (PYTHON, PROVIDED)
HTTP = ("http-api", "rest-streaming", "function-url-streaming", "alb")
PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")

# What the example has no use for.
MORE = """
from fastapi import Request, Response

from .web import app, handler


@app.post("/orders", status_code=201)
async def order(request: Request, response: Response) -> dict[str, object]:
    body = await request.body()
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return {"body": body.hex(), "cookies": request.cookies, "query": request.query_params.multi_items()}


@app.get("/fails")
async def fails() -> None:
    raise RuntimeError("on purpose")
"""


@pytest.fixture(scope="module")
def zips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Runtime → what the command has built for it."""
    folder = tmp_path_factory.mktemp("built")
    ignored = shutil.ignore_patterns("__pycache__", "dist")
    project = Path(shutil.copytree(EXAMPLE, folder / "app", ignore=ignored))
    (project / "hello" / "more.py").write_text(MORE, "utf-8")
    own = ("--provided", "--interpreter", interpreter(folder / "python"))
    with ThreadPoolExecutor() as pool:
        for building in [
            pool.submit(build, project, folder / PYTHON),
            pool.submit(build, project, folder / PROVIDED, *own),
        ]:
            building.result()
    return {runtime: folder / runtime / "hello.zip" for runtime in FORMS}


def build(project: Path, output: Path, *options: str | Path) -> None:
    command = [sys.executable, "-m", "lambent", "build", project, "--output", output, *options]
    version = PYTHON.removeprefix("python")
    ran = subprocess.run(
        [*command, "--python", version, "--arch", ARCHITECTURE], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "Note: " not in ran.stdout


def interpreter(folder: Path) -> Path:
    """The running Python under the name of one to be packed: no package index has one that runs in any folder."""
    version = "python{}.{}".format(*sys.version_info)
    for path, text in {
        folder / "bin" / version: f'#!/bin/sh\nexec "{sys.base_prefix}/bin/{version}" "$@"\n',
        folder / "lib" / version / "os.py": "",
    }.items():
        path.parent.mkdir(parents=True)
        path.write_text(text, "utf-8")
        path.chmod(0o755)
    return folder


def unpacked(path: Path, folder: Path) -> Path:
    """As Lambda does it: with the permissions that the zip has, for a user who cannot change anything."""
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            Path(archive.extract(member, folder)).chmod(member.external_attr >> 16 & 0o555)
    return folder


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def test_a_managed_runtime_starts_the_wrapper_in_the_zip(zips: dict[str, Path], tmp_path: Path) -> None:
    """And all that it imports has its bytecode: nothing is added to the folder, even where it could be."""
    task = unpacked(zips[PYTHON], tmp_path / "var task")
    before = files(task)
    (reply,) = managed(task, task, "hello.web.handler", EVENT)
    assert json.loads(reply["body"]) == {"hello": "world", "runtime": "Lambent's"}
    assert files(task) == before


def test_an_os_only_runtime_starts_the_bootstrap_in_the_zip(zips: dict[str, Path], tmp_path: Path) -> None:
    task = unpacked(zips[PROVIDED], tmp_path / "var task")
    before = files(task)
    with RuntimeAPI(invocation(EVENT)) as api:
        seen = {
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "AWS_LAMBDA_FUNCTION_NAME": "hello",
            "LAMBDA_TASK_ROOT": str(task),
            "_HANDLER": "hello.web.handler",
        }
        with Process(without_python_path(task / "bootstrap"), tmp_path, seen) as process:
            api.wait_until_idle()
            assert process.stop() == (0, "", "")
    (reply,) = api.posts
    assert json.loads(reply.json["body"]) == {"hello": "world", "runtime": "Lambent's"}
    assert files(task) == before


EVENT = json.dumps(events.http_request("url")).encode()


@pytest.fixture(scope="module")
def stacks(zips: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stacks]:
    folder = tmp_path_factory.mktemp("sam")
    translated = translate(folder, "rest-streaming", "alb")
    with ministack(tmp_path_factory.mktemp("ministack"), "test") as place:
        made = Stacks(place, zips, translated)
        yield made
        made.delete_all()


@pytest.fixture(scope="module", params=[(name, form) for name in HTTP for form in FORMS], ids="-".join)
def deployed(stacks: Stacks, request: pytest.FixtureRequest) -> tuple[Stack, str]:
    name, form = request.param
    return stacks.wait(stacks.create(name, form)), form


def test_an_application_is_called_by_http(deployed: tuple[Stack, str]) -> None:
    stack, form = deployed
    index = stack.ask("/")
    assert (index.status, index.json) == (200, {"hello": "world", "runtime": RUNTIMES[form]})
    assert stack.ask("/items/7?size=big").json == {"item": 7, "size": "big"}
    assert stack.ask("/ticks?pause=0").body == b"data: 0\n\ndata: 1\n\ndata: 2\n\n"


RUNTIMES = {PYTHON: "AWS's", PROVIDED: "Lambent's"}


def test_bytes_come_back_as_they_are(deployed: tuple[Stack, str]) -> None:
    pixel = deployed[0].ask("/pixel.gif")
    assert (pixel.status, pixel.headers["content-type"], pixel.body) == (200, "image/gif", PIXEL)


def test_a_body_and_cookies_go_both_ways(deployed: tuple[Stack, str]) -> None:
    body = bytes(range(256))
    headers = {"Cookie": "x=1; y=2", "Content_Type": "application/octet-stream"}
    answer = deployed[0].ask("/orders?a=1&a=2&b=%20", "POST", body, **headers)
    assert answer.status == 201
    assert answer.json == {
        "body": body.hex(),
        "cookies": {"x": "1", "y": "2"},
        "query": [["a", "1"], ["a", "2"], ["b", " "]],
    }
    assert [each.partition(";")[0] for each in answer.headers.get_all("set-cookie", [])] == ["a=1", "b=2"]


def test_what_fails_is_told_and_the_next_one_is_answered(deployed: tuple[Stack, str]) -> None:
    stack, _ = deployed
    assert stack.ask("/nowhere").status == 404
    failed = stack.ask("/fails")
    assert (failed.status, failed.body) == (500, b"Internal Server Error")
    assert stack.ask("/items/x").status == 422
    assert stack.ask("/").status == 200


def test_a_function_url_streams_where_the_runtime_is_ours(stacks: Stacks) -> None:
    stack = stacks.wait(stacks.create("function-url-streaming", PROVIDED, stream=True))
    ticks = stack.ask("/ticks?pause=0")
    assert (ticks.headers["content-type"], ticks.body) == (
        "text/event-stream; charset=utf-8",
        b"data: 0\n\ndata: 1\n\ndata: 2\n\n",
    )
    assert stack.ask("/").json["runtime"] == "Lambent's"
    assert stack.ask("/nowhere").status == 404


@pytest.mark.parametrize("form", FORMS)
def test_what_is_said_to_a_socket_is_answered(stacks: Stacks, form: str) -> None:
    stack = stacks.wait(stacks.create("websocket", form))
    with connect(f"{stack.socket}?name=Ada", open_timeout=LIMIT) as socket:
        for count in (1, 2):
            socket.send("Hello?")
            assert socket.recv(timeout=LIMIT) == f"Ada said: Hello? ({count})"
        assert len(items(stacks, stack)) > 0
    until(lambda: not items(stacks, stack))


def items(stacks: Stacks, stack: Stack) -> list[Any]:
    """Of the table of connections."""
    found: list[Any] = stacks.client("dynamodb").scan(TableName=stack.outputs["Connections"])["Items"]
    return found


def test_messages_are_handled_and_one_that_fails_comes_again_alone(stacks: Stacks) -> None:
    names = [stacks.create("sqs", form) for form in FORMS]  # both wait at the same time
    queues = [Orders(stacks, stacks.wait(name)) for name in names]
    for queue in queues:
        assert queue.warm() == "reported"
        queue.send({"id": 1, "item": "lamp"}, POISON, {"id": 3, "item": "chair"})
    for queue in queues:
        (failed,) = queue.failed()
        assert json.loads(failed["Body"]) == POISON
        assert int(failed["Attributes"]["ApproximateReceiveCount"]) > 2  # twice by the function
        assert queue.left() == {"": "0", "NotVisible": "0"}
        until(queue.has_shipped)


POISON = {"id": 2, "item": "nothing"}


class Orders:
    """The queue of a stack, and what becomes of its messages."""

    def __init__(self, stacks: Stacks, stack: Stack) -> None:
        self._stacks = stacks
        self._outputs = stack.outputs
        self._sqs = stacks.client("sqs")

    def warm(self) -> Any:
        """Have the function start, by the schedule that it knows as well. What it returns."""
        event = payload("schedule_scheduler")
        functions = self._stacks.client("lambda")
        invoked = functions.invoke(FunctionName=self._outputs["Hello"], Payload=json.dumps(event))
        return json.load(invoked["Payload"])

    def send(self, *orders: dict[str, object]) -> None:
        entries = [{"Id": str(order["id"]), "MessageBody": json.dumps(order)} for order in orders]
        assert not self._sqs.send_message_batch(QueueUrl=self._outputs["Orders"], Entries=entries).get("Failed")

    def failed(self) -> list[Any]:
        """What has arrived in the queue for such."""
        found: list[Any] = self._sqs.receive_message(
            QueueUrl=self._outputs["Failed"],
            WaitTimeSeconds=LIMIT,
            MaxNumberOfMessages=10,
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
        )["Messages"]
        return found

    def left(self) -> dict[str, str]:
        told = self._sqs.get_queue_attributes(QueueUrl=self._outputs["Orders"], AttributeNames=["All"])["Attributes"]
        return {which: told[f"ApproximateNumberOfMessages{which}"] for which in ("", "NotVisible")}

    def has_shipped(self) -> bool:
        """Whether the function's log has either order that can be, once."""
        found = self._stacks.client("logs").filter_log_events(logGroupName=self._outputs["Logs"])["events"]
        text = "".join(each["message"] for each in found)
        return [text.count(order) for order in ("order 1: lamp", "order 3: chair")] == [1, 1]
