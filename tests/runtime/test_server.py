"""The runtime where a port is given: HTTP by uvicorn, from start to end."""

from __future__ import annotations

import json
import signal
import socket
import sys
from contextlib import closing
from pathlib import Path

import pytest

from lambent.errors import ConfigurationError
from lambent.runtime.server import endpoint
from tests.support.processes import Process
from tests.support.runtime_api import LIMIT
from tests.support.web_server import COMMAND, WebServer, ask

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGTERM, and no sh")

APP = """
import asyncio, lambent, sys

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return await lifespan(scope, receive, send)
    {body}

async def lifespan(scope, receive, send):
    await receive()
    {startup}
    scope["state"]["database"] = "open"
    await send({{"type": "lifespan.startup.complete"}})
    print("started", flush=True)
    {serving}
    {shutdown}
    print("stopped", flush=True)
    await send({{"type": "lifespan.shutdown.complete"}})

async def answer(send, text):
    await send({{"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(text))]}})
    await send({{"type": "http.response.body", "body": text.encode()}})

end = asyncio.Event()
off = lambent.Lambent(app, lifespan="off")
on = lambent.Lambent(app, lifespan="on")

def handler(event, context):
    return event
"""


def write(
    folder: Path,
    body: str = "await answer(send, 'hello')",
    startup: str = "pass",
    serving: str = "await receive()",
    shutdown: str = "pass",
) -> Path:
    source = APP.format(body=body, startup=startup, serving=serving, shutdown=shutdown)
    (folder / "app.py").write_text(source, "utf-8")
    return folder


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_an_application_is_served_from_startup_to_shutdown(tmp_path: Path, loop: str) -> None:
    write(
        tmp_path,
        "await answer(send, scope['state'].pop('database') + ' ' + type(asyncio.get_running_loop()).__module__)",
    )
    with WebServer(tmp_path, "app:app", LAMBENT_LOOP=loop) as server:
        with closing(server.connection()) as connection:
            answers = [ask(connection), ask(connection)]
        ended = server.stop()

    module = "uvloop" if loop == "uvloop" else "asyncio.unix_events"
    assert answers == [(200, f"open {module}".encode())] * 2
    assert server.log.startswith("started\n"), "a port that is open is an application that is ready"
    assert ended.stdout.splitlines()[-1] == "stopped"
    assert ended.status == 0


@pytest.mark.parametrize(
    ("target", "variables"),
    [("app.handler", {"PORT": "0"}), ("", {"PORT": "0", "_HANDLER": "app.handler"})],
)
def test_a_function_is_refused(tmp_path: Path, target: str, variables: dict[str, str]) -> None:
    with Process([*COMMAND, *filter(None, [target])], write(tmp_path), variables) as process:
        ended = process.wait()

    assert (ended.status, ended.stdout) == (1, "")
    assert ended.stderr == (
        "Expected 'app.handler' to be an ASGI application or a Lambent, for it is to be served over HTTP, but it "
        "handles events: Lambda can run it, and so can lambent dev.\n"
    )


def test_an_endpoint_wins_over_the_runtime_api_and_that_over_a_port(tmp_path: Path) -> None:
    """Web Functions set the first two; whoever sets PORT for a function means something else."""
    write(tmp_path)
    api = "nowhere"
    with WebServer(tmp_path, "app:app", AWS_LAMBDA_HTTP_ENDPOINT="127.0.0.1:0", AWS_LAMBDA_RUNTIME_API=api) as server:
        assert server.listening()[0] == "127.0.0.1"
    with Process([*COMMAND, "app:app"], tmp_path, {"PORT": "0", "AWS_LAMBDA_RUNTIME_API": api}) as process:
        assert process.wait().stderr == "Expected AWS_LAMBDA_RUNTIME_API to be HOST:PORT, but got 'nowhere'.\n"


def test_the_lifespan_is_as_the_handler_says(tmp_path: Path) -> None:
    with WebServer(write(tmp_path, "await answer(send, str(scope['state']))"), "app.off") as server:
        with closing(server.connection()) as connection:
            assert ask(connection).body == b"{}"
        server.stop()
    assert "started" not in server.log


@pytest.mark.parametrize(
    ("startup", "words"),
    [
        ("raise ConnectionError('no database')", "ConnectionError: no database\n"),
        ("await send({'type': 'lifespan.startup.failed', 'message': 'no database'}); return", "no database\n"),
    ],
)
def test_a_startup_that_fails_is_loud(tmp_path: Path, startup: str, words: str) -> None:
    with WebServer(write(tmp_path, startup=startup), "app.on") as server:
        ended = server.wait()

    assert ended.status == 1
    assert ended.stdout.startswith("Init of 'app.on' failed.\n")
    assert ended.stdout.endswith(words)


def test_a_module_that_cannot_be_loaded_is_loud(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import nowhere\n", "utf-8")
    with WebServer(tmp_path, "app:app") as server:
        ended = server.wait()

    assert ended.status == 1
    assert ended.stdout.startswith("Init of 'app:app' failed.\nTraceback")
    assert ended.stdout.endswith("No module named 'nowhere'\n")


def test_a_port_that_is_taken_is_loud(tmp_path: Path) -> None:
    with (
        socket.create_server(("0.0.0.0", 0)) as other,
        WebServer(write(tmp_path), "app:app", PORT=str(other.getsockname()[1])) as server,
    ):
        ended = server.wait()

    assert ended.status != 0
    assert "address already in use" in ended.stdout


def test_an_open_request_ends_before_the_lifespan(tmp_path: Path) -> None:
    body = "print('asked', flush=True); await asyncio.to_thread(sys.stdin.readline); await answer(send, 'late')"
    with (
        WebServer(write(tmp_path, body), "app:app", LAMBENT_SHUTDOWN_SECONDS=str(LIMIT)) as server,
        closing(server.connection()) as connection,
    ):
        connection.request("GET", "/")
        server.wait_for("asked")
        server.terminate()
        server.wait_for("Waiting for connections to close")
        ended = server.wait("go on\n")
        assert connection.getresponse().read() == b"late"

    lines = [line for line in ended.stdout.splitlines() if not line.startswith("INFO")]
    assert (lines, ended.status) == (["stopped"], 0)


@pytest.mark.parametrize("seconds", ["0", "0.5"])
def test_an_open_request_is_cut_off_when_the_time_is_up(tmp_path: Path, seconds: str) -> None:
    body = "print('asked', flush=True); await asyncio.Event().wait()"
    with (
        WebServer(write(tmp_path, body), "app:app", LAMBENT_SHUTDOWN_SECONDS=seconds) as server,
        closing(server.connection()) as connection,
    ):
        connection.request("GET", "/")
        server.wait_for("asked")
        ended = server.stop()

    assert "timeout graceful shutdown exceeded" in ended.stdout
    assert ended.stdout.splitlines()[-1] == "stopped"
    assert ended.status == 0


@pytest.mark.parametrize(
    ("shutdown", "words"),
    [
        ("await asyncio.Event().wait()", "The shutdown of the lifespan took more than 1.5 s.\n"),
        ("raise KeyError('a')", "KeyError: 'a'\n"),
    ],
)
def test_a_shutdown_that_fails_is_loud_and_bounded(tmp_path: Path, shutdown: str, words: str) -> None:
    with WebServer(write(tmp_path, shutdown=shutdown), "app:app") as server:
        server.listening()
        ended = server.stop()

    assert ended.status == 1
    assert ended.stdout.endswith(words)


def test_a_lifespan_that_ends_by_itself_ends_the_server(tmp_path: Path) -> None:
    write(tmp_path, "end.set()", serving="await end.wait(); raise KeyError('gone')")
    with WebServer(tmp_path, "app:app") as server, closing(server.connection()) as connection:
        connection.request("GET", "/")
        ended = server.wait()

    assert ended.status == 1
    assert "The lifespan ended by itself, and so the server ends.\n" in ended.stdout
    assert "KeyError: 'gone'\n" in ended.stdout


def test_a_signal_before_it_listens_ends_it_at_once(tmp_path: Path) -> None:
    startup = "print('starting', flush=True); await asyncio.Event().wait()"
    with WebServer(write(tmp_path, startup=startup), "app:app") as server:
        server.wait_for("starting")
        assert server.stop().status == 128 + signal.SIGTERM


def test_work_after_the_response_is_done(tmp_path: Path) -> None:
    """`lambent.current()` is there as on Lambda, and the environment is not frozen."""
    body = "lambent.current().wait_until(work()); await answer(send, repr(lambent.current().request_id))"
    write(tmp_path, body)
    with (tmp_path / "app.py").open("a") as file:
        file.write("\nasync def work():\n    await asyncio.sleep(0)\n    print('worked', flush=True)\n")
    with WebServer(tmp_path, "app:app") as server, closing(server.connection()) as connection:
        assert ask(connection).body == b"''"
        server.wait_for("worked")
        server.stop()


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"AWS_LAMBDA_HTTP_ENDPOINT": "0.0.0.0:3000"}, ("0.0.0.0", 3000)),
        ({"AWS_LAMBDA_HTTP_ENDPOINT": "http://127.0.0.1:3000/", "PORT": "80"}, ("127.0.0.1", 3000)),
        ({"AWS_LAMBDA_HTTP_ENDPOINT": "[::]:3000"}, ("::", 3000)),
        ({"PORT": "8080"}, ("0.0.0.0", 8080)),
    ],
)
def test_an_endpoint_is_read(environ: dict[str, str], expected: tuple[str, int]) -> None:
    assert endpoint(environ) == expected


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"AWS_LAMBDA_HTTP_ENDPOINT": "3000"}, "Expected AWS_LAMBDA_HTTP_ENDPOINT to be HOST:PORT, but got '3000'."),
        ({"AWS_LAMBDA_HTTP_ENDPOINT": "h:x"}, "Expected AWS_LAMBDA_HTTP_ENDPOINT to be HOST:PORT, but got 'h:x'."),
        ({"PORT": "http"}, "Expected PORT to be a number from 0 to 65535, but got 'http'."),
        ({"PORT": "65536"}, "Expected PORT to be a number from 0 to 65535, but got '65536'."),
    ],
)
def test_an_endpoint_that_cannot_be_is_named(environ: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        endpoint(environ)
    assert str(caught.value) == words


@pytest.mark.parametrize("text", ["soon", "-1", "nan", "3601"])
def test_a_time_for_the_shutdown_that_cannot_be_is_named(tmp_path: Path, text: str) -> None:
    with Process([*COMMAND, "app:app"], write(tmp_path), {"PORT": "0", "LAMBENT_SHUTDOWN_SECONDS": text}) as process:
        ended = process.wait()
    assert ended.status == 1
    assert ended.stderr == f"Expected LAMBENT_SHUTDOWN_SECONDS to be seconds from 0 to 3600, but got {text!r}.\n"


def test_without_uvicorn_the_extra_is_named(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "uvicorn.py").write_text("raise ImportError('not here')", "utf-8")
    with Process([*COMMAND, "app:app"], tmp_path, {"PORT": "0"}) as process:
        assert process.wait() == (
            1,
            "",
            'Serving HTTP needs uvicorn, which is not installed. Run: pip install "lambent[server]"\n',
        )


def test_json_that_a_framework_makes_arrives(tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / "examples" / "anywhere"
    with WebServer(example, "app:handler") as server, closing(server.connection()) as connection:
        answer = ask(connection)
        server.stop()
    assert json.loads(answer.body) == {"function": "none"}
