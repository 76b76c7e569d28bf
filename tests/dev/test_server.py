"""The local Lambda as people meet it: a real `lambent dev`, real processes, AWS's own runtime in them."""

import asyncio
import concurrent.futures
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lambent.dev import server
from lambent.dev.config import Project
from lambent.dev.model import Entrance, Function, Route
from lambent.errors import ConfigurationError
from tests.dev.fakes import Gate
from tests.dev.instant import settle
from tests.dev.local import LIMIT, LocalLambda, gone

pytest.importorskip("awslambdaric", reason="AWS's runtime has wheels for Linux only")

HANDLER = '''
import json, os, socket, threading, time

def handler(event, context):
    """Does what the path says."""
    path = event["rawPath"]
    if path == "/hold":
        gate = socket.create_connection(("127.0.0.1", int(os.environ["GATE"])))
        gate.sendall(f"{os.getpid()} {event['rawQueryString']}\\n".encode())
        gate.recv(1)
    if path == "/forever":
        threading.Event().wait()
    if path == "/exit":
        os._exit(3)
    if path == "/raise":
        raise ValueError("boom <b>")
    if path == "/large":
        return "x" * 7_000_000
    if path == "/context":
        told = ["aws_request_id", "function_name", "memory_limit_in_mb", "invoked_function_arn"]
        context = {name: getattr(context, name) for name in told}
        return context | {"trace": os.environ["_X_AMZN_TRACE_ID"], "stage": os.environ.get("STAGE")}
    return {"statusCode": 200, "body": f"{event['requestContext']['http']['method']} {path} {event.get('body')}"}
'''


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "app.py").write_text(HANDLER, "utf-8")
    return folder


@pytest.fixture(scope="module")
def local(directory: Path) -> Iterator[LocalLambda]:
    # One of these requests takes as long as it may: the others have that time, however busy the machine is.
    options = ("--runtime", "awslambdaric", "--timeout", "3", "--env", "STAGE=test", "--memory", "256")
    with LocalLambda(directory, "app:handler", *options) as running:
        yield running


@contextlib.contextmanager
def gated(directory: Path, *options: str) -> Iterator[tuple[LocalLambda, Gate, concurrent.futures.Executor]]:
    """A server whose function waits at a gate, and threads to send requests from."""
    gate_options = ("--runtime", "awslambdaric", "--timeout", "60", *options)
    with (
        Gate() as gate,
        concurrent.futures.ThreadPoolExecutor() as pool,
        LocalLambda(directory, "app.handler", "--env", f"GATE={gate.port}", *gate_options) as running,
    ):
        yield running, gate, pool


def test_a_request_is_answered_by_the_function(local: LocalLambda) -> None:
    answer = local.ask("PATCH", "/a%20b?x=1", b"hi", content_type="text/plain")
    assert (answer.status, answer.body) == (200, b"PATCH /a%20b hi")
    assert answer.headers["x-amzn-RequestId"]
    assert answer.headers["server"] is None


def test_the_function_is_told_who_it_is(local: LocalLambda) -> None:
    answer = local.get("/context")
    told = json.loads(answer.body)
    assert told == {
        "aws_request_id": answer.headers["x-amzn-RequestId"],
        "function_name": "app-handler",
        "memory_limit_in_mb": "256",
        "invoked_function_arn": "arn:aws:lambda:us-east-1:123456789012:function:app-handler",
        "trace": answer.headers["X-Amzn-Trace-Id"],
        "stage": "test",
    }


def test_the_terminal_has_start_end_and_report(local: LocalLambda) -> None:
    request_id = local.get().headers["x-amzn-RequestId"]
    local.wait_for(rf"START RequestId: {request_id} Version: \$LATEST\n")
    local.wait_for(rf"END RequestId: {request_id}\nREPORT RequestId: {request_id}\tDuration: [\d.]+ ms\tBilled")


def test_an_exception_is_502_and_its_traceback_in_the_terminal(local: LocalLambda) -> None:
    answer = local.get("/raise")
    assert (answer.status, answer.body) == (502, b"Internal Server Error")
    local.wait_for(r"Traceback \(most recent call last\):\n  File .*app\.py.*\n.*\nValueError: boom <b>\n")


def test_a_browser_is_shown_the_traceback(local: LocalLambda) -> None:
    answer = local.get("/raise", Accept="text/html")
    assert answer.status == 502
    assert b"app.py&quot;" in answer.body
    assert b"boom &lt;b&gt;" in answer.body


def test_an_exit_in_the_middle_is_502_and_the_next_request_served(local: LocalLambda) -> None:
    assert local.get("/exit").status == 502
    assert local.get("/").status == 200
    local.wait_for("Runtime exited with error: exit status 3")


def test_a_timeout_is_502_and_the_next_request_served(local: LocalLambda) -> None:
    assert local.get("/forever").status == 502
    assert local.get("/").status == 200
    local.wait_for(r"Task timed out after 3\.00 seconds")


def test_a_result_over_the_limit_is_502_and_the_same_environment_goes_on(local: LocalLambda) -> None:
    assert local.get("/large").status == 502
    local.wait_for(r"Function\.ResponseSizeTooLarge: Response payload size exceeded")
    assert local.get("/").status == 200


def test_a_body_over_the_limit_is_413(local: LocalLambda) -> None:
    assert local.ask("POST", "/", b"x" * 7_000_000).status == 413


def test_a_chunked_one_too_and_the_connection_lives_on(local: LocalLambda) -> None:
    with socket.create_connection(("127.0.0.1", local.port), timeout=LIMIT) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(7):
            client.sendall(b"f4240\r\n" + b"x" * 1_000_000 + b"\r\n")
        client.sendall(b"0\r\n\r\nGET /after HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        text = b"".join(iter(lambda: client.recv(65536), b""))
    assert text.startswith(b"HTTP/1.1 413 ")
    assert text.endswith(b"GET /after None")


def test_another_site_is_refused(local: LocalLambda) -> None:
    assert local.get("/", Host="evil.test").status == 403
    assert local.get("/", Origin="https://evil.test").status == 403
    assert local.get("/", Host=f"app.localhost:{local.port}", Origin="http://localhost:5173").status == 200


def test_a_forwarded_for_of_the_client_is_no_proof_of_its_address(local: LocalLambda) -> None:
    with socket.create_connection(("127.0.0.1", local.port), timeout=LIMIT) as client:
        client.sendall(b"GET / HTTP/1.0\r\nHost: localhost\r\nX-Forwarded-For: 9.9.9.9\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 200")


def test_a_port_that_is_taken_is_an_error_with_advice(local: LocalLambda) -> None:
    with pytest.raises(ConfigurationError, match=rf"Port {local.port} is taken.*--port"):
        server.listen("127.0.0.1", local.port)


def test_a_host_that_is_not_ours_is_an_error_with_advice() -> None:
    with pytest.raises(ConfigurationError, match="--host"):
        server.listen("no.such.host.invalid", 0)
    with pytest.raises(ConfigurationError, match="Cannot listen on port"):
        server.listen("203.0.113.1", 0)


def test_the_listening_socket_lets_asyncio_set_nodelay() -> None:
    with server.listen("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP
        assert server.url(listener).startswith("http://127.0.0.1:")


def test_concurrent_requests_have_an_environment_each(directory: Path) -> None:
    with gated(directory) as (running, gate, pool):
        answers = [pool.submit(running.get, f"/hold?{number}") for number in range(4)]
        arrived = [gate.arrive().split() for _ in answers]
        assert len({process for process, _ in arrived}) == 4
        assert {query for _, query in arrived} == {"0", "1", "2", "3"}
        for _ in answers:
            gate.release()
        assert [answer.result().status for answer in answers] == [200] * 4


def test_beyond_the_limit_they_wait_and_one_whose_client_went_away_never_runs(directory: Path) -> None:
    with gated(directory, "--environments", "1") as (running, gate, pool):
        first = pool.submit(running.get, "/hold?first")
        process, query = gate.arrive().split()
        with socket.create_connection(("127.0.0.1", running.port)) as client:
            client.sendall(b"GET /hold?gone HTTP/1.1\r\nHost: localhost\r\n\r\n")
            running.until(lambda: running.status()["waiting"] == 1)
        running.until(lambda: running.status()["waiting"] == 0)
        last = pool.submit(running.get, "/hold?last")
        running.until(lambda: running.status()["waiting"] == 1)
        gate.release()
        assert gate.arrive().split() == [process, "last"]
        gate.release()
        assert (query, first.result().status, last.result().status) == ("first", 200, 200)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_and_leaves_no_process(directory: Path, how: signal.Signals) -> None:
    with LocalLambda(directory, "app:handler", "--runtime", "awslambdaric") as running:
        running.get()
        children = running.family()
        assert children
        assert running.stop(how) == 0
        assert gone(children)


def test_a_request_in_flight_may_end_first(directory: Path) -> None:
    with gated(directory) as (running, gate, pool):
        answer = pool.submit(running.get, "/hold")
        gate.arrive()
        running.process.send_signal(signal.SIGINT)
        running.wait_for("Stopping")
        gate.release()
        assert answer.result().status == 200
        assert running.process.wait(LIMIT) == 0


def test_one_that_does_not_end_is_ended(directory: Path) -> None:
    with gated(directory) as (running, gate, pool):
        answer = pool.submit(running.get, "/hold")
        gate.arrive()
        children = running.family()
        assert running.stop() == 0
        assert answer.result().status == 502
        assert gone(children)


def test_a_second_signal_ends_it_at_once(directory: Path) -> None:
    with gated(directory) as (running, gate, pool):
        answer = pool.submit(running.get, "/hold")
        gate.arrive()
        children = running.family()
        running.process.send_signal(signal.SIGINT)
        running.wait_for("Stopping")
        assert running.stop() == 0
        with contextlib.suppress(ConnectionError):
            answer.result()
        assert gone(children)
    assert "Traceback" not in running.output


def test_a_client_that_stalls_does_not_keep_it_and_makes_no_noise(directory: Path) -> None:
    with (
        LocalLambda(directory, "app:handler", "--runtime", "awslambdaric") as running,
        socket.create_connection(("127.0.0.1", running.port), timeout=LIMIT) as client,
    ):
        client.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 100")
        assert running.stop() == 0
    assert running.output.endswith("Stopping.\n")


def test_killed_it_takes_its_environments_along(directory: Path) -> None:
    with LocalLambda(directory, "app:handler", "--runtime", "awslambdaric") as running:
        running.get()
        children = running.family()
        assert children
        running.process.kill()
        running.process.wait(LIMIT)
        assert gone(children)


@pytest.mark.parametrize("runtime", ["awslambdaric", "lambent"])
def test_a_function_that_cannot_be_imported_is_shown_and_served_once_it_is_fixed(tmp_path: Path, runtime: str) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("import nothing_of_that_name\n", "utf-8")
    with LocalLambda(tmp_path, "broken:handler", "--runtime", runtime, "--warm", "1") as running:
        running.wait_for("nothing_of_that_name")
        answer = running.get("/")
        assert (answer.status, answer.body) == (502, b"Internal Server Error")
        shown = running.get("/", Accept="text/html")
        assert shown.status == 502
        assert b"Runtime.ImportModuleError" in shown.body
        assert b"nothing_of_that_name" in shown.body
        broken.write_text("def handler(event, context):\n    return 'fixed, at last'\n", "utf-8")
        assert running.get("/").body == b"fixed, at last"


def test_our_own_runtime_serves_an_application_and_runs_its_shutdown(tmp_path: Path) -> None:
    (tmp_path / "web.py").write_text(APPLICATION, "utf-8")
    with LocalLambda(tmp_path, "web:app", "--door", "http") as running:
        answer = running.get("/a%20b?x=1", Cookie="a=1; b=2")
        assert (answer.status, answer.body) == (200, b"started /a b x=1 a=1; b=2")
        assert answer.headers.get_all("set-cookie") == ["c=3", "d=4"]
        assert answer.headers["Apigw-Requestid"]
        assert running.stop() == 0
    assert "lifespan.shutdown seen" in running.output


DOORS: dict[str, list[Any]] = {
    "http1": ["path"],
    "rest": ["path"],
    "alb-multi": ["path"],
    "lattice": ["path"],
    "edge": ["Records", 0, "cf", "request", "uri"],
}
"""Where each has the path in its event."""


@pytest.fixture(scope="module")
def echoes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalLambda]:
    """A function behind each door."""
    folder = tmp_path_factory.mktemp("echoes")
    (folder / "echo.py").write_text(ECHO, "utf-8")
    table = 'handler = "echo.handler"\nruntime = "awslambdaric"\n'
    tables = [f'[tool.lambent.functions.{door}]\n{table}door = "{door}"\npath = "/{door}/{{id}}"\n' for door in DOORS]
    (folder / "pyproject.toml").write_text("".join(tables), "utf-8")
    with LocalLambda(folder) as running:
        yield running


@pytest.mark.parametrize("door", DOORS)
def test_each_door_shows_the_function_its_own_event(echoes: LocalLambda, door: str) -> None:
    answer = echoes.ask("PUT", f"/{door}/a%20b", b"hi", content_type="text/plain")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain")
    event = json.loads(answer.body)
    for step in DOORS[door]:
        event = event[step]
    assert event == f"/{door}/a%20b"


ECHO = """
import json

def handler(event, context):
    body = json.dumps(event)
    if "Records" in event:
        return {"status": "200", "headers": {"content-type": [{"value": "text/plain"}]}, "body": body}
    kind = "multiValueHeaders" if "elb" in event["requestContext"] else "headers"
    value = ["text/plain"] if kind == "multiValueHeaders" else "text/plain"
    return {"statusCode": 200, kind: {"content-type": value}, "body": body}
"""

APPLICATION = """
state = []

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        state.append((await receive())["type"].replace("lifespan.startup", "started"))
        await send({"type": "lifespan.startup.complete"})
        print(f"{(await receive())['type']} seen\\n", end="", flush=True)
        await send({"type": "lifespan.shutdown.complete"})
        return
    cookie = dict(scope["headers"])[b"cookie"].decode()
    body = f"{state[0]} {scope['path']} {scope['query_string'].decode()} {cookie}"
    headers = [(b"set-cookie", b"c=3"), (b"set-cookie", b"d=4"), (b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body.encode()})
"""


def test_a_terminal_that_went_away_is_no_reason_to_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w", closefd=False) as nowhere:
        monkeypatch.setattr(sys, "stdout", nowhere)
        server.say("hello")
        os.dup2(os.open(os.devnull, os.O_WRONLY), write)
    os.close(write)


def test_stopping_hears_the_first_signal_and_the_second() -> None:
    async def scene() -> list[bool]:
        with server.stopping() as (asked, insisted):
            heard = []
            for event in (asked, insisted):
                os.kill(os.getpid(), signal.SIGINT)
                await event.wait()
                heard += [asked.is_set(), insisted.is_set()]
            return heard

    assert asyncio.run(scene()) == [True, False, True, True]


def test_who_is_cancelled_while_it_waits_for_either_leaves_nothing_behind() -> None:
    async def scene() -> set[asyncio.Task[Any]]:
        before = asyncio.all_tasks()
        task: asyncio.Task[None] = asyncio.create_task(asyncio.sleep(LIMIT))
        waiting = asyncio.create_task(server.either(task, asyncio.Event()))
        await settle()
        waiting.cancel()
        await settle()
        left = asyncio.all_tasks() - before - {task}
        task.cancel()
        return left

    assert asyncio.run(scene()) == set()


def test_a_function_without_a_path_is_not_said_to_be_served_on_one() -> None:
    where = "http://127.0.0.1:3000"
    told = server.banner(Project((Function("orders", "app.handler"),)), where)
    assert "1 function is served on http://127.0.0.1:3000\n\n  orders  by the Invoke API" in told
    alone = server.banner(Project((Function("api", "app:app", path="/{proxy+}"),)), where)
    assert "app:app is served on http://127.0.0.1:3000\n\n  Function URL" in alone


def test_websocket_apis_are_said_to_be_served_at_their_addresses() -> None:
    where = "http://127.0.0.1:3000"
    alone = server.banner(Project((Function("chat", "app:app", path="/{proxy+}", door="websocket"),)), where)
    assert "app:app is served on ws://127.0.0.1:3000/local\n\n  WebSocket API; up to" in alone
    join = Function("join", "app.join", path="/join", routes=(Route("talk", "", "join"), Route("talk", "", "leave")))
    functions = (Function("chat", "app.chat", door="talk"), join)
    told = server.banner(Project(functions, (Entrance("talk", "websocket", base_path="/talk"),)), where)
    assert "  chat  ws://127.0.0.1:3000/talk $connect, $default, $disconnect  WebSocket API talk\n" in told
    assert "  join  http://127.0.0.1:3000/join  Function URL\n" in told
    assert "  join  ws://127.0.0.1:3000/talk join, leave  WebSocket API talk\n" in told
