"""Replies piece by piece, through two Lambda services: cargo-lambda, which others made, and the local Lambda.

Nothing here looks at a clock: an application stands still at a gate until the test has seen what it sent before.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection, HTTPResponse, IncompleteRead
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.dev.fakes import Gate
from tests.dev.local import LocalLambda
from tests.support.cargo_lambda import CargoLambda
from tests.support.processes import runtime
from tests.support.runtime_api import LIMIT

APP = '''
import asyncio, json, os
from lambent import Lambent, current

async def gate(line="here"):
    """Tell the test that we are here, and stay until it lets go."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(os.environ["GATE"]))
    writer.write(f"{line}\\n".encode())
    await reader.read(1)
    writer.close()

async def app(scope, receive, send):
    async def start(status=200, *headers):
        headers = [(b"content-type", b"text/plain"), *headers]
        await send({"type": "http.response.start", "status": status, "headers": headers})

    async def piece(data, more=True):
        await send({"type": "http.response.body", "body": data, "more_body": more})

    path = scope["path"].rstrip("/").rpartition("/")[2]
    if path == "pieces":
        await start(201, (b"x-custom", b"yes"), (b"set-cookie", b"a=1; Path=/"), (b"set-cookie", b"b=2"))
        await piece(b"one\\n")
        await gate()
        await piece(b"")
        await piece(b"two\\n")
        await gate()
        await piece(b"", False)
    elif path == "empty":
        await start(303, (b"location", b"/elsewhere"))
        await piece(b"", False)
    elif path == "flushed":
        await start()
        await piece(b"")
        await gate()
        await piece(b"late", False)
    elif path == "early":
        await start()
        raise ValueError("before the first byte")
    elif path == "late":
        await start()
        await piece(b"one\\n")
        await gate()
        raise ValueError("after the first byte")
    elif path == "binary":
        await start()
        await piece(bytes(range(256)) * 4096)
        await piece(bytes(8), False)
    elif path == "fast":
        sent, seen, turns = 0, 0, 0

        async def send_all():
            nonlocal sent
            for _ in range(64):
                await piece(bytes(1 << 20))
                sent += 1

        await start()
        sending = asyncio.create_task(send_all())
        while (turns < 5000 or not sent) and not sending.done():  # until it stands still for so many turns
            await asyncio.sleep(0)
            seen, turns = sent, turns + 1 if seen == sent else 0
        await gate(sent)
        await sending
        await piece(b"", False)
    elif path == "background":
        await start()
        await piece(b"done\\n", False)
        await gate()
        print("work after the reply has ended", flush=True)
    elif path == "later":
        await start()
        await piece(b"done\\n", False)
        current().wait_until(gate())

class FunctionURL:
    """What makes a Function URL's event of one whose domain name is `localhost`."""

    def __init__(self, handler):
        self._handler = handler
        self.lifetime = handler.lifetime

    async def serve(self, invocation):
        invocation.event["requestContext"]["domainName"] = "id.lambda-url.us-east-1.on.aws"
        await self._handler.serve(invocation)

handler = FunctionURL(Lambent(app, stream=True))

async def generate(event, context):
    yield {"statusCode": 202, "headers": {"content-type": "text/plain"}, "cookies": ["a=1", "b=2"]}
    yield "one\\n"
    await gate()
    yield b"two\\n"
'''


FRAMEWORK = """
import os
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from app import gate

app = FastAPI()

@app.get("/events")
async def events():
    async def stream():
        for number in range(3):
            yield f"data: {number}\\n\\n"
            await gate()
    return StreamingResponse(stream(), media_type="text/event-stream")

@app.get("/download")
async def download():
    async def stream():
        for number in range(3):
            yield bytes([number]) * 100_000
            await gate()
    return StreamingResponse(stream(), media_type="application/octet-stream")

@app.get("/exit")
async def exit():
    async def stream():
        yield b"one\\n"
        await gate()
        os._exit(3)
    return StreamingResponse(stream())
"""


class Service(NamedTuple):
    """A Function URL that streams."""

    port: int
    prefix: str
    """In front of every path."""

    @contextmanager
    def get(self, path: str) -> Iterator[HTTPResponse]:
        """Ask. The response is there as soon as its status and headers are."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)) as connection:
            connection.request("GET", self.prefix + path)
            with connection.getresponse() as response:
                yield response


@pytest.fixture(scope="module")
def gate() -> Iterator[Gate]:
    with Gate() as gate:
        yield gate


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory, gate: Gate) -> Iterator[Callable[[str, str], Service]]:
    """Starts a service with a function behind it, once each."""
    directory = tmp_path_factory.mktemp("app")
    (directory / "app.py").write_text(APP, "utf-8")
    (directory / "framework.py").write_text(FRAMEWORK, "utf-8")
    running: dict[tuple[str, str], Service] = {}
    with ExitStack() as stack:

        def start(service: str, target: str) -> Service:
            if (service, target) not in running:
                running[service, target] = begun(stack, service, target)
            return running[service, target]

        def begun(stack: ExitStack, service: str, target: str) -> Service:
            if service == "local":
                options = ["--stream", "--timeout", "60", "--env", f"GATE={gate.port}"]
                return Service(stack.enter_context(LocalLambda(directory, f"app:{target}", *options)).port, "")
            cargo = stack.enter_context(CargoLambda(tmp_path_factory.mktemp("cargo") / "project"))
            stack.enter_context(runtime(directory, cargo.address, f"app:{target}", GATE=gate.port))
            return Service(cargo.port, "/lambda-url/_")

        yield start


@pytest.fixture(params=["cargo-lambda", "local"])
def service(request: pytest.FixtureRequest, started: Callable[[str, str], Service]) -> Service:
    return started(request.param, "handler")


@pytest.fixture(params=["cargo-lambda", "local"])
def generator(request: pytest.FixtureRequest, started: Callable[[str, str], Service]) -> Service:
    return started(request.param, "generate")


def test_a_piece_arrives_before_the_next_one_is_sent(service: Service, gate: Gate) -> None:
    with service.get("/pieces") as response:
        assert (response.status, response.headers["x-custom"]) == (201, "yes")
        assert response.headers["content-type"] == "text/plain"
        assert response.headers.get_all("set-cookie") == ["a=1; Path=/", "b=2"]
        assert response.readline() == b"one\n"
        gate.arrive()
        gate.release()
        assert response.readline() == b"two\n"
        gate.arrive()
        gate.release()
        assert response.read() == b""


def test_an_empty_piece_sends_the_headers_off(service: Service, gate: Gate) -> None:
    with service.get("/flushed") as response:
        assert response.status == 200
        gate.arrive()
        gate.release()
        assert response.read() == b"late"


def test_status_and_headers_of_an_empty_body_arrive(service: Service) -> None:
    with service.get("/empty") as response:
        assert (response.status, response.headers["location"], response.read()) == (303, "/elsewhere", b"")


def test_a_large_piece_and_eight_nul_bytes_arrive_unharmed(service: Service) -> None:
    with service.get("/binary") as response:
        assert response.read() == bytes(range(256)) * 4096 + bytes(8)


def test_an_application_that_is_faster_than_its_client_waits(service: Service, gate: Gate) -> None:
    with service.get("/fast") as response:
        sent = int(gate.arrive())
        assert 0 < sent < 64
        gate.release()
        assert len(response.read()) == 64 << 20


def test_an_error_before_the_first_byte_is_answered(service: Service) -> None:
    with service.get("/early") as response:
        assert (response.status, response.read()) == (500, b"Internal Server Error")


def test_an_error_after_it_breaks_the_connection_off(started: Callable[[str, str], Service], gate: Gate) -> None:
    with started("local", "handler").get("/late") as response:
        assert (response.status, response.readline()) == (200, b"one\n")
        gate.arrive()
        gate.release()
        with pytest.raises(IncompleteRead):
            response.read()


def test_the_reply_arrives_while_the_application_goes_on(service: Service, gate: Gate) -> None:
    for path in ("/background", "/later"):
        with service.get(path) as response:
            assert response.read() == b"done\n"
            gate.arrive()
            gate.release()


def test_a_generator_streams(generator: Service, gate: Gate) -> None:
    with generator.get("/") as response:
        assert (response.status, response.headers["content-type"]) == (202, "text/plain")
        assert response.headers.get_all("set-cookie") == ["a=1", "b=2"]
        assert response.readline() == b"one\n"
        gate.arrive()
        gate.release()
        assert response.read() == b"two\n"


# The local Lambda alone


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP, "utf-8")
    (tmp_path / "framework.py").write_text(FRAMEWORK, "utf-8")
    return tmp_path


def local(directory: Path, gate: Gate, *options: str) -> LocalLambda:
    return LocalLambda(directory, "framework:app", "--timeout", "60", "--env", f"GATE={gate.port}", *options)


@pytest.mark.parametrize("door", ["url", "rest"])
def test_server_sent_events_and_a_download_arrive_piece_by_piece(directory: Path, gate: Gate, door: str) -> None:
    with local(directory, gate, "--stream", "--door", door) as running:
        service = Service(running.port, "")
        with service.get("/events") as response:
            assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
            for number in range(3):
                assert response.readline() + response.readline() == f"data: {number}\n\n".encode()
                gate.arrive()
                gate.release()
            assert response.read() == b""
        with service.get("/download") as response:
            for number in range(3):
                assert response.read(100_000) == bytes([number]) * 100_000
                gate.arrive()
                gate.release()
            assert response.read() == b""


def test_a_process_that_ends_in_the_middle_breaks_the_connection_off(directory: Path, gate: Gate) -> None:
    with local(directory, gate, "--stream") as running:
        with Service(running.port, "").get("/exit") as response:
            assert response.readline() == b"one\n"
            gate.arrive()
            gate.release()
            with pytest.raises(IncompleteRead):
                response.read()
        running.wait_for("The reply broke off, and with it the client's connection")
        running.wait_for("exit status 3")
        assert "uvicorn" not in running.output
        assert "without completing" not in running.output


def test_with_nothing_set_to_stream_the_prelude_is_in_the_body_and_the_log_says_why(
    directory: Path, gate: Gate
) -> None:
    with local(directory, gate, "--env", "LAMBENT_STREAM=1", "--door", "url") as running:
        with Service(running.port, "").get("/openapi.json") as response:
            assert response.status == 200
            prelude, separator, body = response.read().partition(bytes(8))
            assert json.loads(prelude)["headers"]["content-type"] == "application/json"
            assert separator
            assert json.loads(body)["openapi"]
        running.wait_for("The reply was streamed, but nothing was set to stream it")
