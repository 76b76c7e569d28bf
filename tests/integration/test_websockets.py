"""WebSocket applications of frameworks through the local Lambda, and behind an emulator of API Gateway, not ours.

In the local Lambda they run on our runtime, records in SQLite. In the emulator they run in AWS's way, `handler(event,
context)` in a process that stays, with replies that leave at the end, and records in DynamoDB.
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import psutil
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.dev.local import LocalLambda, gone, until
from tests.integration.newcomer import ROOT, free_port, tool, variables
from tests.integration.terminal import Terminal

APPLICATIONS = ROOT / "tests/data/sockets"
FUNCTIONS = ("fastapi", "starlette", "resident")
STORE = "dynamodb://Connections"


class Place(NamedTuple):
    """Where the functions are."""

    urls: dict[str, str]
    """Function → the URL of its API."""

    def socket(self, function: str, query: str = "", **options: Any) -> ClientConnection:
        """Connect to a function's WebSocket API."""
        found: ClientConnection = connect(f"{self.urls[function]}?{query}", open_timeout=30, close_timeout=5, **options)
        return found


def client(service: str, port: int) -> Any:
    return boto3.client(
        service,
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def archive() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for path in APPLICATIONS.glob("*.py"):
            file.write(path, path.name)
    return packed.getvalue()


def deployed(port: int, name: str, code: bytes) -> str:
    """Make a function and the WebSocket API in front of it. Returns its URL."""
    apis = client("apigatewayv2", port)
    api = apis.create_api(Name=name, ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action")["ApiId"]
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    function = client("lambda", port).create_function(
        FunctionName=name,
        Runtime="python{}.{}".format(*sys.version_info),
        Role="arn:aws:iam::000000000000:role/any",
        Handler=f"app.{name}",
        Code={"ZipFile": code},
        Timeout=20,
        Environment={
            "Variables": {
                "PYTHONPATH": f"{ROOT / 'src'}:{packages}",
                "LAMBENT_STORE": f"{STORE}?endpoint_url=http://127.0.0.1:{port}",
                "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI": f"http://127.0.0.1:{port}/_aws/execute-api/{api}/prod",
            }
        },
    )
    integration = apis.create_integration(
        ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=function["FunctionArn"]
    )["IntegrationId"]
    for key in ("$connect", "$default", "$disconnect"):
        apis.create_route(ApiId=api, RouteKey=key, Target=f"integrations/{integration}")
    apis.create_stage(ApiId=api, StageName="prod", AutoDeploy=True)
    return f"ws://127.0.0.1:{port}/_aws/execute-api/{api}/prod"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Place]]:
    """ministack, with the store made by the command, and all functions deployed."""
    home = tmp_path_factory.mktemp("ministack")
    port = free_port()
    seen = variables(home, BIND_HOST="127.0.0.1", GATEWAY_PORT=str(port), TMPDIR=str(home))
    with Terminal(home, seen) as terminal:
        job = terminal.start(f"'{tool('ministack')}'")
        assert job.wait_for(re.compile(f"Running on http://127.0.0.1:{port}")), job.output
        url = f"{STORE}?region=us-east-1&endpoint_url=http://127.0.0.1:{port}"
        keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        lambent = Path(sys.executable).with_name("lambent")
        subprocess.run([lambent, "stores", "init", url], check=True, env={**variables(home), **keys})
        code = archive()
        yield port, Place({name: deployed(port, name, code) for name in FUNCTIONS})
        workers = psutil.Process(job.pid).children(recursive=True)
        for name in FUNCTIONS:
            client("lambda", port).delete_function(FunctionName=name)
        for worker in workers:  # it does not wait for them when it ends
            with suppress(psutil.NoSuchProcess):
                worker.kill()
        assert gone(workers)
        job.press_ctrl_c()


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The local Lambda. Each function has one environment, so that a manager in memory knows all connections."""
    folder = tmp_path_factory.mktemp("project")
    tables = [
        f"""
[tool.lambent.doors.{name}-sockets]
kind = "websocket"
stage = "{name}"

[tool.lambent.functions.{name}]
handler = "app.{name}"
door = "{name}-sockets"
path = "/{{proxy+}}"
timeout = 20
environments = 1
"""
        for name in FUNCTIONS
    ]
    text = f'[tool.lambent]\napp-dir = "{APPLICATIONS}"\n' + "".join(tables)
    (folder / "pyproject.toml").write_text(text, "utf-8")
    with LocalLambda(folder) as running:
        running.wait_for("Ctrl-C stops it")
        yield Place({name: f"ws://127.0.0.1:{running.port}/{name}" for name in FUNCTIONS})


@pytest.fixture(params=["local", "emulator"])
def place(request: pytest.FixtureRequest) -> Place:
    if request.param == "local":
        found: Place = request.getfixturevalue("local")
        return found
    _, found = request.getfixturevalue("cloud")
    return found


def asked(socket: ClientConnection, text: str, answers: int = 1) -> list[str]:
    """Send, and receive so many answers."""
    socket.send(text)
    return [str(socket.recv(timeout=60)) for _ in range(answers)]


def test_the_echo_of_fastapis_tutorial(place: Place) -> None:
    with place.socket("fastapi") as socket:
        assert asked(socket, "one") == ["Message text was: one"]
        assert asked(socket, "two") == ["Message text was: two"]


def test_dependencies_and_authentication(place: Place) -> None:
    with place.socket("fastapi", "to=/items/plumbus/ws&token=jessica&q=3") as socket:
        assert asked(socket, "hi", 3) == [
            "Session cookie or query token value is: jessica",
            "Query parameter q is: 3",
            "Message text was: hi, for item ID: plumbus",
        ]
    with place.socket("fastapi", "to=/items/plumbus/ws", additional_headers={"cookie": "session=rick"}) as socket:
        assert asked(socket, "hi", 2)[0] == "Session cookie or query token value is: rick"
    with pytest.raises(InvalidStatus) as refused:
        place.socket("fastapi", "to=/items/plumbus/ws")
    assert refused.value.response.status_code == 403


def test_a_manager_of_connections_in_memory_where_conversations_are_resident(place: Place) -> None:
    with place.socket("resident", "to=/ws/1") as one, place.socket("resident", "to=/ws/2") as two:
        assert asked(one, "hello", 2) == ["You wrote: hello", "Client #1 says: hello"]
        assert two.recv(timeout=60) == "Client #1 says: hello"
        two.close()
        assert one.recv(timeout=60) == "Client #2 left the chat"


def test_the_examples_of_starlettes_documentation(place: Place) -> None:
    with place.socket("starlette", "to=/") as socket:
        (answer,) = asked(socket, '{"a": 1}')
        assert json.loads(answer) == {"got": {"a": 1}}
    with place.socket("starlette", "to=/hi/ali") as socket:
        # The greeting comes at once; in AWS's runtime it waits for the next event.
        assert asked(socket, "ho", 2) == ["Hello, ali", "HO"]
    with place.socket("starlette", "to=/once") as socket:
        assert asked(socket, "[1, 2]") == ["[2,1]"]
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=60)


def test_records_go_with_their_connections(cloud: tuple[int, Place]) -> None:
    port, place = cloud
    with place.socket("fastapi", "mark=this-one") as socket:
        assert asked(socket, "one") == ["Message text was: one"]
        assert len(records(port)) == 1
    until(lambda: not records(port))


def records(port: int) -> list[Any]:
    """Those of the test above."""
    found = client("dynamodb", port).scan(TableName="Connections")["Items"]
    return [item for item in found if b"this-one" in item["data"]["B"]]
