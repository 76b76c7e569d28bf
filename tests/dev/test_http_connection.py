"""What uvicorn keeps of a head."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest

from lambent.dev.http_connection import HEAD_LIMIT
from lambent.dev.server import hang_up, http_server, listen
from lambent.types import Receive, Scope, Send

LIMIT = 60
START = b"GET / HTTP/1.1\r\nhost: localhost\r\n"


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the length of what it has got."""
    length = sum(len(name) + len(value) for name, value in scope["headers"]) + len(scope["query_string"])
    while (message := await receive()).get("more_body"):
        length += len(message["body"])
    length += len(message["body"])
    body = str(length).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def play(scene: Callable[[int], Awaitable[None]]) -> None:
    """With a server on a port."""

    async def staged() -> None:
        with listen("127.0.0.1", 0) as listener:
            http = http_server(application)
            serving = asyncio.create_task(http.serve(sockets=[listener]))
            try:
                async with asyncio.timeout(LIMIT):
                    await scene(listener.getsockname()[1])
            finally:
                await hang_up(http, serving)

    asyncio.run(staged())


def talk(port: int, *pieces: bytes) -> bytes:
    """Send all of it, and read until it is hung up."""
    with socket.create_connection(("127.0.0.1", port), timeout=LIMIT) as client:
        received = b""
        try:
            for piece in pieces:
                client.sendall(piece)
            client.shutdown(socket.SHUT_WR)
        except TimeoutError:
            raise
        except OSError:  # it hung up while we were sending: which error that is, is a matter of timing
            return received
        try:
            while piece := client.recv(65536):
                received += piece
        except ConnectionResetError:
            pass
        return received


@pytest.mark.parametrize(
    "endless",
    [
        [b"GET /", b"x" * 65_536],
        [b"GET / HTTP/1.1\r\nhost: localhost\r\nx: ", b"x" * 65_536],
        [START, b"x: y\r\n" * 10_000],
        [START.replace(b"GET", b"POST") + b"transfer-encoding: chunked\r\n\r\n0\r\n", b"x: y\r\n" * 10_000],
        [START.replace(b"GET", b"POST") + b"transfer-encoding: chunked\r\n\r\n1;", b"x" * 65_536],
    ],
)
def test_what_has_no_end_is_hung_up_on(endless: list[bytes]) -> None:
    async def scene(port: int) -> None:
        said = await asyncio.to_thread(talk, port, endless[0], *endless[1:] * 1000)
        assert b"HTTP/1.1 2" not in said

    play(scene)


def test_a_head_that_is_too_large_is_answered() -> None:
    async def scene(port: int) -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=LIMIT) as client:
            client.sendall(START + b"x: " + b"x" * (HEAD_LIMIT - len(START) - 2))
            said = await asyncio.to_thread(client.recv, 65536)
        assert said.startswith(b"HTTP/1.1 431 ")
        assert b"at most %d bytes" % HEAD_LIMIT in said

    play(scene)


def test_large_bodies_and_many_requests_on_a_connection_are_none_of_its_business() -> None:
    async def scene(port: int) -> None:
        body = b"x" * (5 * HEAD_LIMIT)
        head = START.replace(b"GET", b"POST") + b"content-length: %d\r\n\r\n" % len(body)
        small = START + b"x: " + b"x" * (HEAD_LIMIT // 3) + b"\r\n\r\n"
        last = START + b"connection: close\r\n\r\n"
        said = await asyncio.to_thread(talk, port, *[small] * 10, head, body, last)
        assert said.count(b"HTTP/1.1 200 ") == 12

    play(scene)
