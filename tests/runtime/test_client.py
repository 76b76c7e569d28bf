"""One request over the local socket: the same for the client that blocks and for the one on an event loop."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Protocol

import pytest

from lambent.errors import ConfigurationError, RuntimeAPIError, RuntimeAPIGone
from lambent.http1 import Reply, Request
from lambent.runtime import requests
from lambent.runtime.client import AsyncClient, Client
from tests.integration.newcomer import free_port
from tests.support.runtime_api import BASE, HANG_UP, LIMIT, Answer, RuntimeAPI, answer, invocation

POST = Request("POST", f"{BASE}/invocation/id-1/response", (("content-type", "text/plain"),), b"hello")
OK = answer(202, b"ok")


class Calling(Protocol):
    """What the tests ask of a client."""

    def call(self, request: Request) -> Reply: ...
    def send(self, request: Request) -> object: ...
    def receive(self) -> Reply: ...
    def close(self) -> None: ...


class OnLoop:
    """An AsyncClient, asked as a Client is."""

    def __init__(self, loop: asyncio.AbstractEventLoop, address: str) -> None:
        self.loop = loop
        self.client = AsyncClient(address)
        self.close = self.client.close

    def call(self, request: Request) -> Reply:
        return self.loop.run_until_complete(self.client.call(request))

    def send(self, request: Request) -> None:
        self.loop.run_until_complete(self.client.send(request))

    def receive(self) -> Reply:
        return self.loop.run_until_complete(self.client.receive())


Connect = Callable[[str], Calling]


@pytest.fixture(params=["blocking", "asyncio", "uvloop"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    """Makes a client for an address."""
    if request.param == "blocking":
        yield Client
        return
    loop = pytest.importorskip(request.param).new_event_loop()
    yield lambda address: OnLoop(loop, address)
    loop.close()


@pytest.fixture(params=["asyncio", "uvloop"])
def loop(request: pytest.FixtureRequest) -> Iterator[asyncio.AbstractEventLoop]:
    loop = pytest.importorskip(request.param).new_event_loop()
    yield loop
    loop.close()


def test_a_reply_is_received(connect: Connect) -> None:
    with RuntimeAPI(invocation(b"[1]", "Lambda-Runtime-Trace-Id: Root=1")) as api:
        client = connect(api.address)
        reply = client.call(requests.NEXT)
        client.close()

    assert reply == Reply(
        200,
        {
            "lambda-runtime-aws-request-id": "id-1",
            "lambda-runtime-deadline-ms": "4102444800000",
            "content-type": "application/json",
            "lambda-runtime-trace-id": "Root=1",
            "content-length": "3",
        },
        b"[1]",
        keep_alive=True,
    )
    (call,) = api.calls
    assert (call.method, call.path, call.body) == ("GET", f"{BASE}/invocation/next", b"")
    assert call.headers == {"host": api.address}


def test_a_post_arrives_whole(connect: Connect) -> None:
    with RuntimeAPI() as api:
        client = connect(api.address)
        assert client.call(POST).status == 202
        client.close()

    (call,) = api.calls
    assert (call.method, call.path, call.body) == ("POST", POST.path, b"hello")
    assert call.headers == {"host": api.address, "content-type": "text/plain", "content-length": "5"}


@pytest.mark.parametrize("size", [0, 1, (1 << 16) - 1, 1 << 16, (1 << 16) + 1, 6_291_556])
def test_a_body_of_any_size_arrives_whole(connect: Connect, size: int) -> None:
    body = bytes(range(256)) * (size // 256 + 1)
    with RuntimeAPI() as api:
        client = connect(api.address)
        client.call(POST._replace(body=body[:size]))
        client.close()

    assert api.calls[0].body == body[:size]


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_large_reply_is_received_whole(connect: Connect, framing: str) -> None:
    event = bytes(range(256)) * 4096 * 6
    with RuntimeAPI(invocation(event, framing=framing)) as api:
        client = connect(api.address)
        assert client.call(requests.NEXT).body == event
        client.close()


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_reply_may_come_byte_by_byte(connect: Connect, framing: str) -> None:
    step = invocation(b'{"a": [1, 2, 3]}', framing=framing)._replace(piece=1)
    with RuntimeAPI(step, step) as api:
        client = connect(api.address)
        assert [client.call(requests.NEXT).body for _ in range(2)] == [b'{"a": [1, 2, 3]}'] * 2
        client.close()


def test_the_connection_is_kept(connect: Connect) -> None:
    with RuntimeAPI(invocation(), invocation()) as api:
        client = connect(api.address)
        for request in (requests.NEXT, POST, requests.NEXT, POST):
            client.call(request)
        client.close()

    assert [call.connection for call in api.calls] == [0, 0, 0, 0]


def test_a_connection_that_the_api_closes_is_made_again(connect: Connect) -> None:
    closing = answer(202, b"", ["Connection: close"])._replace(close=True)
    until_the_end = Answer(b"HTTP/1.1 202 Accepted\r\n\r\nok", close=True)
    with RuntimeAPI(posts=[closing, until_the_end]) as api:
        client = connect(api.address)
        bodies = [client.call(POST).body for _ in range(3)]
        client.close()

    assert bodies == [b"", b"ok", b'{"status":"OK"}\n']
    assert [call.connection for call in api.calls] == [0, 1, 2]


def test_a_call_on_a_kept_connection_that_has_gone_is_made_once_more(connect: Connect) -> None:
    with RuntimeAPI(posts=[OK, HANG_UP, OK]) as api:
        client = connect(api.address)
        assert [client.call(POST).body for _ in range(2)] == [b"ok", b"ok"]
        client.close()

    assert [call.connection for call in api.calls] == [0, 0, 1]


def test_a_call_on_a_new_connection_is_made_once(connect: Connect) -> None:
    with RuntimeAPI(posts=[HANG_UP]) as api:
        client = connect(api.address)
        with pytest.raises(
            RuntimeAPIGone, match=f"^The Runtime API at {api.address} does not answer: it closed the con"
        ):
            client.call(POST)

    assert len(api.calls) == 1


def test_a_call_is_made_twice_at_most(connect: Connect) -> None:
    with RuntimeAPI(posts=[OK, HANG_UP, HANG_UP]) as api:
        client = connect(api.address)
        client.call(POST)
        with pytest.raises(RuntimeAPIGone):
            client.call(POST)

    assert len(api.calls) == 3


def test_after_it_has_gone_the_next_call_makes_a_new_connection(connect: Connect) -> None:
    with RuntimeAPI(posts=[HANG_UP, OK]) as api:
        client = connect(api.address)
        with pytest.raises(RuntimeAPIGone):
            client.call(POST)
        assert client.call(POST).body == b"ok"
        client.close()


def test_a_reply_that_is_cut_off_is_an_error(connect: Connect) -> None:
    with RuntimeAPI(posts=[Answer(b"HTTP/1.1 202 Accepted\r\nContent-Length: 5\r\n\r\nhell", close=True)]) as api:
        client = connect(api.address)
        with pytest.raises(RuntimeAPIError, match="in the middle of a reply"):
            client.call(POST)
        client.close()


def test_a_body_that_is_refused_early_has_its_answer(connect: Connect) -> None:
    refusal = answer(413, b"too large", ["Connection: close"])._replace(early=True, close=True)
    with RuntimeAPI(posts=[refusal, OK]) as api:
        client = connect(api.address)
        assert client.call(POST._replace(body=b"x" * 6_000_000))[::2] == (413, b"too large")
        assert client.call(POST).body == b"ok"
        client.close()


def test_a_request_may_be_sent_now_and_its_answer_received_later() -> None:
    with RuntimeAPI(posts=[OK]) as api:
        client = Client(api.address)
        connection = client.send(POST)
        connection.recv(1, socket.MSG_PEEK)  # it is there
        assert client.receive().body == b"ok"
        client.close()


def test_there_is_no_time_limit_on_an_answer() -> None:
    with RuntimeAPI() as api:
        client = Client(api.address)
        assert client.send(requests.NEXT).gettimeout() is None, "the environment may be frozen for hours"
        client.close()


def test_nothing_is_received_without_a_connection(connect: Connect) -> None:
    with pytest.raises(RuntimeAPIGone, match="the connection is closed"):
        connect("127.0.0.1:9001").receive()


def test_whoever_does_not_listen_is_named(connect: Connect) -> None:
    port = free_port()
    with pytest.raises(RuntimeAPIGone, match=f"The Runtime API at 127.0.0.1:{port} does not answer: .*refused"):
        connect(f"127.0.0.1:{port}").call(requests.NEXT)


@pytest.mark.parametrize(
    ("form", "prefix"),
    [
        ("{}", ""),
        ("http://{}", ""),
        ("http://{}/", ""),
        ("{}/.rt", "/.rt"),
        ("http://{}/.rt/", "/.rt"),
        ("http://{}/a/b", "/a/b"),
    ],
)
def test_an_address_may_have_a_scheme_and_a_path(connect: Connect, form: str, prefix: str) -> None:
    with RuntimeAPI(invocation()) as api:
        client = connect(form.format(api.address))
        client.call(requests.NEXT)
        client.close()

    assert api.calls[0].path == f"{prefix}{BASE}/invocation/next"
    assert api.calls[0].headers["host"] == api.address


def test_an_address_may_be_a_name(connect: Connect) -> None:
    with RuntimeAPI(invocation()) as api:
        client = connect(f"localhost:{api.port}")
        client.call(requests.NEXT)
        client.close()

    assert api.calls[0].headers["host"] == f"localhost:{api.port}"


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_an_address_may_be_ipv6(connect: Connect) -> None:
    with RuntimeAPI(invocation(), host="::1") as api:
        client = connect(f"http://{api.address}")
        client.call(requests.NEXT)
        client.close()

    assert api.calls[0].headers["host"] == api.address == f"[::1]:{api.port}"


@pytest.mark.parametrize(
    "address", ["", "9001", "localhost", ":9001", "h:port", "h:-1", "h:65536", "h:²", "https://h:1", "http://", "/a"]
)
def test_an_address_of_the_wrong_form_is_shown(connect: Connect, address: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        connect(address)
    assert str(caught.value) == f"Expected AWS_LAMBDA_RUNTIME_API to be HOST:PORT, but got {address!r}."


# On a loop only


def test_the_loop_goes_on_while_an_answer_is_waited_for(loop: asyncio.AbstractEventLoop) -> None:
    asked = threading.Event()

    def late() -> Answer:
        assert asked.wait(LIMIT)
        return invocation(b"[1]")

    async def both(client: AsyncClient) -> Reply:
        call = asyncio.ensure_future(client.call(requests.NEXT))
        await asyncio.sleep(0)
        asked.set()
        return await call

    with RuntimeAPI(late) as api:
        client = OnLoop(loop, api.address)
        assert loop.run_until_complete(both(client.client)).body == b"[1]"
        client.close()


def test_an_answer_that_is_cancelled_is_not_read_by_the_next_one(loop: asyncio.AbstractEventLoop) -> None:
    async def cancelled(client: AsyncClient) -> None:
        call = asyncio.ensure_future(client.call(requests.NEXT))
        await asyncio.to_thread(api.wait_until_idle)
        call.cancel()
        await asyncio.wait([call])

    with RuntimeAPI() as api:
        client = OnLoop(loop, api.address)
        loop.run_until_complete(cancelled(client.client))
        assert client.call(POST).status == 202
        client.close()
    assert [call.connection for call in api.calls] == [0, 1]


HUGE = POST._replace(body=bytes(1 << 26))
"""More than the buffers of a connection hold."""


async def half_way(sending: Awaitable[object], listener: socket.socket) -> None:
    """Cancel it when some of HUGE has come."""
    loop = asyncio.get_running_loop()
    listener.setblocking(False)
    task = asyncio.ensure_future(sending)
    peer, _ = await loop.sock_accept(listener)
    with peer:
        come = 0
        while come < 1 << 16:
            come += len(await loop.sock_recv(peer, 1 << 16))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def test_a_request_that_is_cancelled_half_way_is_not_followed_by_another(loop: asyncio.AbstractEventLoop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = OnLoop(loop, f"127.0.0.1:{listener.getsockname()[1]}")
        loop.run_until_complete(half_way(client.client.send(HUGE), listener))
        with pytest.raises(RuntimeAPIGone, match="the connection is closed"):
            client.receive()


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_more_of_a_body_that_is_cancelled_half_way_closes_the_connection(
    loop: asyncio.AbstractEventLoop, kind: type[Any]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = kind(f"127.0.0.1:{listener.getsockname()[1]}")
        begun = client.send(POST)
        if isinstance(client, AsyncClient):
            loop.run_until_complete(begun)
        loop.run_until_complete(half_way(client.write(HUGE.body), listener))
        with pytest.raises(ConnectionResetError, match="is closed"):
            loop.run_until_complete(client.write(b"more"))
