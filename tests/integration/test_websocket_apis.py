"""WebSocket APIs of the local Lambda: plain functions in real environments, boto3, and the `websockets` library."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import boto3
import pytest
from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.dev.local import LIMIT, LocalLambda, gone

APP = '''
import json, os, time

STORE = os.environ.get("LAMBENT_STORE")

def posting():
    import boto3

    return boto3.client("apigatewaymanagementapi", region_name="eu-west-1")

def chat(event, context):
    """Does what the message, or the query of the handshake, says."""
    about = event["requestContext"]
    kind = about["eventType"]
    if kind == "CONNECT":
        query = event.get("queryStringParameters") or {}
        return {"statusCode": int(query.get("status", 200)), "headers": {"Sec-WebSocket-Protocol": "chat"}}
    if kind == "DISCONNECT":
        print(f"left {about['connectionId']} {about['disconnectStatusCode']} {about['disconnectReason']}")
        return {"statusCode": 200}
    if event["body"] == "raise":
        raise ValueError("boom")
    if event["body"] == "sleep":
        time.sleep(60)
    if event["body"] == "event":
        posting().post_to_connection(ConnectionId=about["connectionId"], Data=json.dumps(event).encode())
    return {"statusCode": 200, "body": "WORD" + event["body"]}

def join(event, context):
    return {"statusCode": 200, "body": f"joined {context.function_name}"}

def web(event, context):
    """Pushes to a connection from a request."""
    posting().post_to_connection(ConnectionId=event["queryStringParameters"]["to"], Data=b"pushed")
    return {"statusCode": 200, "body": STORE}
'''

PROJECT = """
[tool.lambent.defaults]
timeout = 5

[tool.lambent.doors.talk]
kind = "websocket"

[tool.lambent.functions.chat]
handler = "app.chat"
door = "talk"
routes = ["$connect", "$disconnect", { route = "$default", route-response = true }]
concurrency = 50
warm = 1

[tool.lambent.functions.join]
handler = "app.join"
routes = [{ route = "join", door = "talk", route-response = true }]

[tool.lambent.functions.web]
handler = "app.web"
path = "/push"
timeout = 20
"""


def project(folder: Path, text: str = PROJECT) -> Path:
    (folder / "app.py").write_text(APP.replace("WORD", "you said: "), "utf-8")
    (folder / "pyproject.toml").write_text(text, "utf-8")
    return folder


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalLambda]:
    with LocalLambda(project(tmp_path_factory.mktemp("project"))) as running:
        running.wait_for("Ctrl-C stops it")
        yield running


def opened(local: LocalLambda, path: str = "/local", **options: Any) -> ClientConnection:
    options = {"open_timeout": LIMIT, "close_timeout": LIMIT, **options}
    client: ClientConnection = connect(f"ws://localhost:{local.port}{path}", **options)
    return client


def told(client: ClientConnection) -> str:
    answer = client.recv(LIMIT)
    assert isinstance(answer, str)
    return answer


def ended(client: ClientConnection) -> tuple[int | None, str | None]:
    try:
        while True:
            client.recv(LIMIT)
    except ConnectionClosed:
        return client.close_code, client.close_reason


def sockets(local: LocalLambda) -> dict[str, Any]:
    found = json.loads(local.get("/_lambent/status").body)["sockets"]
    assert isinstance(found, dict)
    return found


def management(local: LocalLambda, path: str = "/local") -> Any:
    return boto3.client(
        "apigatewaymanagementapi",
        region_name="eu-west-1",
        endpoint_url=f"http://localhost:{local.port}{path}",
        aws_access_key_id="any",
        aws_secret_access_key="any",
    )


def own_id(client: ClientConnection) -> str:
    """As its function is told it."""
    client.send("event")
    event = json.loads(told(client))
    assert told(client) == "you said: event"
    return str(event["requestContext"]["connectionId"])


def test_a_handshake_messages_and_the_end(local: LocalLambda) -> None:
    with opened(local, "/local?name=ada", subprotocols=["other", "chat"]) as client:
        assert client.subprotocol == "chat"
        client.send("event")
        event = json.loads(told(client))
        context = event["requestContext"]
        assert (context["eventType"], context["routeKey"], context["stage"]) == ("MESSAGE", "$default", "local")
        assert context["domainName"] == f"localhost:{local.port}"
        assert told(client) == "you said: event"
        client.send('{"action": "join"}')
        assert told(client) == "joined join"
        client.close(4001, "enough")
    local.wait_for(f"left {context['connectionId']} 4001 enough")


def test_the_banner_says_where(local: LocalLambda) -> None:
    where = rf"ws://127\.0\.0\.1:{local.port}/local"
    assert re.search(rf"  chat  {where} \$connect, \$disconnect, \$default  WebSocket API talk\n", local.output)
    assert re.search(rf"  join  {where} join  WebSocket API talk\n", local.output)


def test_a_name_below_localhost_is_its_own(local: LocalLambda) -> None:
    with (
        socket.create_connection(("127.0.0.1", local.port), LIMIT) as plain,
        connect(f"ws://talk.localhost:{local.port}/", sock=plain, open_timeout=LIMIT) as client,
    ):
        client.send("hello")
        assert told(client) == "you said: hello"


@pytest.mark.parametrize(
    ("path", "options", "status"),
    [
        ("/local?status=401", {}, 401),
        ("/local?status=500", {}, 500),
        ("/local?status=nonsense", {}, 502),
        ("/ws", {}, 403),
        ("/", {}, 403),
        ("/local", {"origin": "https://evil.test"}, 403),
    ],
)
def test_a_client_is_refused(local: LocalLambda, path: str, options: dict[str, Any], status: int) -> None:
    with pytest.raises(InvalidStatus) as raised, opened(local, path, **options):
        pass
    assert raised.value.response.status_code == status


def test_a_request_is_no_handshake_and_a_handshake_no_request(local: LocalLambda) -> None:
    assert local.get("/local").status == 426
    with pytest.raises(InvalidStatus) as raised, opened(local, "/push"):
        pass
    assert raised.value.response.status_code == 403
    local.wait_for(r"A WebSocket was refused at /push on localhost\. There are: /local \(talk\)")


def test_a_failure_and_a_time_out_leave_it_open(local: LocalLambda) -> None:
    with opened(local) as client:
        for message in ("raise", "sleep"):
            client.send(message)
            assert json.loads(told(client))["message"] == "Internal server error"
        client.send("still here")
        assert told(client) == "you said: still here"


@pytest.mark.parametrize("path", ["", "/", "/local", "/any/stage"])
def test_boto3_posts_asks_and_closes(local: LocalLambda, path: str) -> None:
    api = management(local, path)
    with opened(local, user_agent_header="agent/1") as client:
        name = own_id(client)
        api.post_to_connection(ConnectionId=name, Data="é".encode())
        assert told(client) == "é"
        found = api.get_connection(ConnectionId=name)
        assert found["Identity"] == {"SourceIp": "127.0.0.1", "UserAgent": "agent/1"}
        assert found["ConnectedAt"] <= found["LastActiveAt"]
        with pytest.raises(api.exceptions.PayloadTooLargeException):
            api.post_to_connection(ConnectionId=name, Data=b"x" * 131_073)
        api.delete_connection(ConnectionId=name)
        assert ended(client) == (1000, "Connection Closed Normally")
        for ask in (api.get_connection, api.delete_connection):
            with pytest.raises(api.exceptions.GoneException):
                ask(ConnectionId=name)
    local.wait_for(f"left {name} 1000 Connection Closed Normally")


def test_a_request_pushes_and_all_functions_have_one_store(local: LocalLambda) -> None:
    with opened(local) as client:
        answer = local.get(f"/push?to={own_id(client).replace('=', '%3D')}")
        assert told(client) == "pushed"
    assert answer.body.startswith(b"sqlite:///")
    assert Path(answer.body.decode().removeprefix("sqlite:///")).is_file()


@pytest.mark.parametrize(("message", "code"), [(b"bytes", 1003), ("x" * 131_073, 1009), ("x" * 32_769, 1009)])
def test_what_api_gateway_does_not_take_ends_it(local: LocalLambda, message: str | bytes, code: int) -> None:
    with opened(local) as client:
        name = own_id(client)
        client.send(message)
        assert ended(client)[0] == code
    local.wait_for(f"left {name} {code} ")


def test_what_it_takes_arrives(local: LocalLambda) -> None:
    pieces = ["x" * 32_768] * 3
    with opened(local) as client:
        client.send(pieces)
        assert told(client) == f"you said: {''.join(pieces)}"


def test_a_client_that_vanishes_is_told_of(local: LocalLambda) -> None:
    with opened(local) as client:
        name = own_id(client)
        client.socket.shutdown(socket.SHUT_RDWR)
        local.wait_for(f"left {name} 1006 ")


def test_three_hundred_at_once(local: LocalLambda) -> None:
    async def scene() -> None:
        async with asyncio.timeout(LIMIT), AsyncExitStack() as stack:
            address = f"ws://127.0.0.1:{local.port}/local"
            clients = await asyncio.gather(
                *(stack.enter_async_context(connect_async(address, ping_interval=None)) for _ in range(300))
            )
            for number, client in enumerate(clients):
                await client.send(str(number))
            answers = await asyncio.gather(*(client.recv() for client in clients))
            assert answers == [f"you said: {number}" for number in range(300)]
            assert len(sockets(local)) == 300

    asyncio.run(scene())
    local.until(lambda: not sockets(local))


def test_connections_end_with_the_server_and_nothing_is_left(tmp_path: Path) -> None:
    with LocalLambda(project(tmp_path)) as running, opened(running) as client:
        name = own_id(client)
        store = Path(running.get(f"/push?to={name.replace('=', '%3D')}").body.decode().removeprefix("sqlite:///"))
        children = running.family()
        running.process.send_signal(signal.SIGINT)
        assert ended(client) == (1001, "Going away")
        assert running.process.wait(LIMIT) == 0
        assert gone(children)
        assert not store.parent.exists()
    assert f"left {name} 1001 Going away" in running.output
    assert "Traceback" not in running.output


def test_a_client_that_does_not_answer_does_not_keep_the_server(tmp_path: Path) -> None:
    with LocalLambda(project(tmp_path)) as running, socket.create_connection(("127.0.0.1", running.port)) as client:
        client.sendall(
            b"GET /local HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        running.until(lambda: sockets(running))
        since = time.monotonic()
        assert running.stop() == 0
        assert time.monotonic() - since < 8


def test_they_outlast_new_code_but_not_their_api(tmp_path: Path) -> None:
    with LocalLambda(project(tmp_path)) as running, opened(running) as client:
        client.send("before")
        assert told(client) == "you said: before"
        (tmp_path / "app.py").write_text(APP.replace("WORD", "now you said: "), "utf-8")
        running.wait_for("chat: reloaded")
        client.send("after")
        assert told(client) == "now you said: after"
        without = (
            PROJECT.partition("[tool.lambent.doors.talk]")[0] + PROJECT[PROJECT.index("[tool.lambent.functions.web]") :]
        )
        (tmp_path / "pyproject.toml").write_text(without, "utf-8")
        assert ended(client) == (1001, "Going away")


def test_idle_ones_are_closed_in_scaled_time(tmp_path: Path) -> None:
    text = PROJECT.replace("[tool.lambent.defaults]", "[tool.lambent]\ntime-scale = 2000\n\n[tool.lambent.defaults]")
    with LocalLambda(project(tmp_path, text)) as running, opened(running, ping_interval=None) as client:
        assert ended(client) == (1001, "Going away")
        running.wait_for("left .* 1001 Going away")
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://127.0.0.1:{running.port}/")


def test_by_the_command_line_alone(tmp_path: Path) -> None:
    project(tmp_path, "")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    variables = {"TMPDIR": str(temporary), "TEMP": str(temporary), "TMP": str(temporary)}
    with LocalLambda(tmp_path, "app.chat", "--door", "websocket", variables=variables) as running:
        running.wait_for(rf"app\.chat is served on ws://127\.0\.0\.1:{running.port}/local\n\n  WebSocket API; up to")
        assert list(temporary.rglob("connections.db"))
        with opened(running) as client:
            client.send("raise")
            assert json.loads(told(client))["message"] == "Internal server error"
        assert running.get("/anything").status == 426
        assert running.stop() == 0
    assert list(temporary.iterdir()) == []


def test_over_tls_they_are_closed_without_a_wait(tmp_path: Path) -> None:
    pytest.importorskip("cryptography", reason="makes the certificate")
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "LOCALAPPDATA": str(tmp_path / "cache")}
    with LocalLambda(project(tmp_path), None, "--https", variables=cache) as running:
        trust = ssl.create_default_context(cafile=running.wait_for(r"Clients have to trust (.*ca\.pem)")[1])
        address = f"wss://localhost:{running.port}/local"
        with pytest.raises(InvalidStatus), connect(f"wss://localhost:{running.port}/x", ssl=trust):
            pass
        since = time.monotonic()
        with connect(address, ssl=trust) as client:
            client.send("event")
            event = json.loads(told(client))
            assert event["requestContext"]["domainName"] == f"localhost:{running.port}"
        assert time.monotonic() - since < 9  # a client waits ten for a server that does not close
        with connect(address, ssl=trust) as client:
            client.send("x" * 131_073)
            assert ended(client)[0] == 1009
        assert running.stop() == 0
