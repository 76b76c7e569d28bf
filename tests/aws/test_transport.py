"""Requests over kept connections, whatever becomes of these."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from lambent.aws.transport import Origin, Transport, _context, parse
from lambent.dev.certificate import Certificate, find
from lambent.errors import ConfigurationError
from lambent.http1 import Reply, Request
from tests.support.aws_service import RESET, SILENCE, Service
from tests.support.runtime_api import HANG_UP, LIMIT, Answer, answer

Run = Callable[[Coroutine[Any, Any, object]], object]

GET = Request("GET", "/a?b=c")
POST = Request("POST", "/a", (("x-a", "1"),), b"hello")


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a coroutine on a loop of that kind."""
    factory = pytest.importorskip(request.param).new_event_loop

    def play(coroutine: Coroutine[Any, Any, object]) -> object:
        with asyncio.Runner(loop_factory=factory) as runner:
            return runner.run(coroutine)

    return play


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return find(("localhost", "127.0.0.1"), tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def tls(certificate: Certificate) -> ssl.SSLContext:
    """The server's side."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.server)
    return context


def client(certificate: Certificate, **more: Any) -> Transport:
    """Trusts the authority of the certificate."""
    return Transport(context=ssl.create_default_context(cafile=certificate.authority), **more)


async def ask(transport: Transport, service: Service, request: Request = GET, timeout: float = LIMIT) -> Reply:
    return await transport.send(parse(service.url)[0], request, timeout)


# One request


def test_a_request_arrives_and_its_answer_too(run: Run) -> None:
    async def scenario() -> None:
        transport = Transport()
        async with Service(answer(418, b"tea", ["X-A: 1"])) as service:
            reply = await ask(transport, service, POST)
            transport.close()
        assert (reply.status, reply.headers["x-a"], reply.body) == (418, "1", b"tea")
        (call,) = service.calls
        assert (call.method, call.path, call.body) == ("POST", "/a", b"hello")
        assert call.headers == {"host": f"127.0.0.1:{service.port}", "x-a": "1", "content-length": "5"}

    run(scenario())


@pytest.mark.parametrize("size", [0, (1 << 16) - 1, 1 << 16, (1 << 16) + 1, 3_000_000])
@pytest.mark.parametrize("secure", [False, True])
def test_bodies_of_any_size_go_both_ways(
    run: Run, certificate: Certificate, tls: ssl.SSLContext, size: int, secure: bool
) -> None:
    body = (bytes(range(251)) * (size // 251 + 1))[:size]

    async def scenario() -> None:
        transport = client(certificate)
        async with Service(answer(200, body[::-1]), tls=tls if secure else None) as service:
            reply = await ask(transport, service, POST._replace(body=body))
            transport.close()
        assert reply.body == body[::-1]
        assert service.calls[0].body == body

    run(scenario())


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nhello",
        b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    ],
)
@pytest.mark.parametrize("piece", [1, 1 << 20])
def test_an_answer_is_read_however_it_comes(run: Run, data: bytes, piece: int) -> None:
    async def scenario() -> None:
        transport = Transport()
        async with Service(Answer(data, piece, close=b"\r\n\r\nhello" in data)) as service:
            assert (await ask(transport, service)).body == b"hello"
            transport.close()

    run(scenario())


def test_an_answer_to_a_head_has_no_body(run: Run) -> None:
    async def scenario() -> None:
        transport = Transport()
        async with Service(Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")) as service:
            reply = await ask(transport, service, Request("HEAD", "/a"))
            assert (reply.headers["content-length"], reply.body) == ("5", b"")
            assert (await ask(transport, service)).status == 200
            transport.close()
        assert [call.connection for call in service.calls] == [0, 0]

    run(scenario())


def test_a_body_that_is_refused_before_it_is_read_is_answered(run: Run) -> None:
    async def scenario() -> None:
        transport = Transport()
        refused = answer(413, b"too long")._replace(early=True, close=True)
        async with Service(refused) as service:
            reply = await ask(transport, service, POST._replace(body=b"a" * 100))
            assert (reply.status, reply.body) == (413, b"too long")
            transport.close()

    run(scenario())


# Connections are kept


@pytest.mark.parametrize("secure", [False, True])
def test_a_connection_is_used_again(run: Run, certificate: Certificate, tls: ssl.SSLContext, secure: bool) -> None:
    async def scenario() -> None:
        transport = client(certificate)
        async with Service(tls=tls if secure else None) as service:
            for _ in range(5):
                assert (await ask(transport, service)).status == 200
            transport.close()
            await service.closed.acquire()
        assert [call.connection for call in service.calls] == [0] * 5

    run(scenario())


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("step", [HANG_UP, RESET])
def test_a_kept_connection_that_dies_under_a_request_fails_nobody(
    run: Run, certificate: Certificate, tls: ssl.SSLContext, secure: bool, step: Answer
) -> None:
    async def scenario() -> None:
        transport = client(certificate)
        async with Service(answer(200), step, answer(201), tls=tls if secure else None) as service:
            assert (await ask(transport, service, POST)).status == 200
            assert (await ask(transport, service, POST)).status == 201
            transport.close()
        assert [call.connection for call in service.calls] == [0, 0, 1]

    run(scenario())


@pytest.mark.parametrize("secure", [False, True])
def test_connections_that_were_closed_meanwhile_are_not_used(
    run: Run, certificate: Certificate, tls: ssl.SSLContext, secure: bool
) -> None:
    async def scenario() -> None:
        transport = client(certificate)
        async with Service(tls=tls if secure else None) as service:
            await asyncio.gather(*(ask(transport, service) for _ in range(4)))
            await service.hang_up()  # as over a freeze: nobody here has looked since
            assert (await ask(transport, service)).status == 200
            transport.close()
        assert len(service.calls) == 5
        assert service.calls[-1].connection == service.most

    run(scenario())


def test_a_connection_on_which_something_came_unasked_is_not_used(run: Run) -> None:
    async def scenario() -> None:
        transport = Transport()
        both = Answer(answer(200, b"a").data + answer(200, b"not asked for").data)
        async with Service(both, answer(200, b"b")) as service:
            assert (await ask(transport, service)).body == b"a"
            assert (await ask(transport, service)).body == b"b"
            transport.close()

    run(scenario())


def test_an_idle_connection_is_not_used_for_ever(run: Run) -> None:
    clock = [1000.0]

    async def scenario() -> None:
        transport = Transport(idle=60, now=lambda: clock[0])
        async with Service() as service:
            for passed in (0, 60, 61, 1):
                clock[0] += passed
                await ask(transport, service)
            transport.close()
        assert [call.connection for call in service.calls] == [0, 0, 1, 1]

    run(scenario())


def test_a_connection_that_is_not_to_be_kept_is_closed(run: Run) -> None:
    async def scenario() -> None:
        transport = Transport()
        async with Service(answer(200, b"", ["Connection: close"])) as service:
            await ask(transport, service)
            await service.closed.acquire()
            await ask(transport, service)
            transport.close()
        assert [call.connection for call in service.calls] == [0, 1]

    run(scenario())


def test_many_requests_share_a_few_connections(run: Run) -> None:
    async def scenario() -> None:
        transport = Transport(limit=7)
        async with Service() as service:
            replies = await asyncio.gather(*(ask(transport, service) for _ in range(200)))
            assert {reply.status for reply in replies} == {200}
            assert len(service.calls) == 200
            assert service.most == 7
            transport.close()

    run(scenario())


def test_hosts_do_not_share_connections(run: Run) -> None:
    async def scenario() -> None:
        transport = Transport()
        async with Service() as first, Service() as second:
            for service in (first, second, first):
                await ask(transport, service)
            transport.close()
        assert ([call.connection for call in first.calls], len(second.calls)) == ([0, 0], 1)

    run(scenario())


# Loops come and go


def test_another_loop_has_connections_of_its_own(run: Run) -> None:
    transport = Transport()

    async def scenario() -> list[int]:
        async with Service() as service:
            await ask(transport, service)
            await ask(transport, service)
            return [call.connection for call in service.calls]

    assert run(scenario()) == [0, 0]
    assert run(scenario()) == [0, 0]
    transport.close()
    gc.collect()  # a socket that nobody closed would warn, which is an error here


def test_one_that_is_dropped_closes_without_a_warning(run: Run) -> None:
    async def scenario() -> None:
        async with Service() as service:
            await ask(Transport(), service)
            gc.collect()
            await service.closed.acquire()

    run(scenario())


def test_it_may_be_used_after_it_was_closed(run: Run) -> None:
    async def scenario() -> None:
        transport = Transport()
        async with Service() as service:
            await ask(transport, service)
            transport.close()
            transport.close()
            await service.closed.acquire()
            await ask(transport, service)
            transport.close()
        assert [call.connection for call in service.calls] == [0, 1]

    run(scenario())


def test_what_is_in_use_when_it_is_closed_ends_well(run: Run) -> None:
    async def scenario() -> None:
        transport = Transport()
        async with Service(answer(200, b"a" * 1000)._replace(piece=1)) as service:
            task = asyncio.create_task(ask(transport, service))
            await service.asked.acquire()
            transport.close()
            assert len((await task).body) == 1000
            await service.closed.acquire()

    run(scenario())


# What goes wrong


def test_silence_ends_in_time_and_the_connection_with_it(run: Run) -> None:
    async def scenario() -> None:
        transport = Transport()
        async with Service(SILENCE) as service:
            with pytest.raises(TimeoutError, match=r"^no answer within 0\.05 s$"):
                await ask(transport, service, timeout=0.05)
            await service.closed.acquire()
            assert (await ask(transport, service)).status == 200
            transport.close()

    run(scenario())


def test_what_is_cancelled_closes_its_connection_and_lets_the_next_one_in(run: Run) -> None:
    async def scenario() -> None:
        transport = Transport(limit=1)
        async with Service(SILENCE) as service:
            task = asyncio.create_task(ask(transport, service))
            await service.asked.acquire()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await service.closed.acquire()
            assert (await ask(transport, service)).status == 200
            transport.close()

    run(scenario())


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (HANG_UP, "it closed the connection without an answer"),
        (RESET, "reset by peer"),
        (Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel", close=True), "in the middle of a reply"),
        (Answer(b"SSH-2.0-OpenSSH_9.9\r\n\r\n", close=True), "expected HTTP/1.1. Expected an HTTP/1.1 status line"),
    ],
)
def test_a_fresh_connection_that_fails_is_an_error(run: Run, step: Answer, words: str) -> None:
    async def scenario() -> None:
        transport = Transport()
        async with Service(step) as service:
            with pytest.raises(ConnectionError, match=words):
                await ask(transport, service)
        assert len(service.calls) == 1

    run(scenario())


def test_a_kept_connection_that_dies_in_the_middle_of_an_answer_is_an_error(run: Run) -> None:
    async def scenario() -> None:
        transport = Transport()
        half = Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel", close=True)
        async with Service(answer(200), half) as service:
            await ask(transport, service)
            with pytest.raises(ConnectionError, match="in the middle of a reply"):
                await ask(transport, service)
            transport.close()
        assert len(service.calls) == 2

    run(scenario())


def test_nobody_there_is_an_error(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    async def scenario() -> None:
        with pytest.raises(ConnectionRefusedError):
            await Transport().send(Origin("http", "127.0.0.1", port), GET, LIMIT)

    run(scenario())


def test_a_name_that_is_none_is_an_error(run: Run) -> None:
    async def scenario() -> None:
        with pytest.raises(socket.gaierror):
            await Transport().send(Origin("http", "nowhere.invalid", 80), GET, LIMIT)

    run(scenario())


def test_the_second_address_is_tried_after_the_first(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        nobody = listener.getsockname()

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        resolve = loop.getaddrinfo

        async def resolved(host: bytes, port: int, **more: Any) -> list[Any]:
            if host != b"two.example":
                return await resolve(host, port, **more)  # uvloop asks again for what it connects to
            good = await resolve("127.0.0.1", port, **more)
            return [(*good[0][:4], nobody), *good]

        transport = Transport()
        async with Service() as service:
            monkeypatch.setattr(loop, "getaddrinfo", resolved)
            assert (await transport.send(Origin("http", "two.example", service.port), GET, LIMIT)).status == 200
            transport.close()
        assert service.calls[0].headers["host"] == f"two.example:{service.port}"

    run(scenario())


# TLS


def test_an_authority_that_is_not_known_is_an_error(run: Run, tls: ssl.SSLContext) -> None:
    async def scenario() -> None:
        async with Service(tls=tls) as service:
            with pytest.raises(ssl.SSLCertVerificationError, match="certificate verify failed"):
                await ask(Transport(), service)
        assert service.calls == []

    run(scenario())


def test_a_name_that_is_not_the_certificates_is_an_error(run: Run, tmp_path: Path) -> None:
    other = find(("localhost",), tmp_path)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(other.server)

    async def scenario() -> None:
        async with Service(tls=tls) as service:
            with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
                await ask(client(other), service)

    run(scenario())


def test_a_bundle_of_authorities_can_be_named(
    run: Run, certificate: Certificate, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate.authority))

    async def scenario() -> None:
        transport = Transport()
        async with Service(tls=tls) as service:
            assert (await transport.send(Origin("https", "localhost", service.port), GET, LIMIT)).status == 200
            transport.close()

    run(scenario())


def test_tls_that_is_cut_off_is_an_error(run: Run, certificate: Certificate) -> None:
    """A server that takes what a client says in a handshake, and leaves."""

    async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.close()

    async def scenario() -> None:
        async with await asyncio.start_server(leave, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(OSError, match=r"EOF|reset"):
                await client(certificate).send(Origin("https", "127.0.0.1", port), GET, LIMIT)

    run(scenario())


def test_older_tls_works_too(run: Run, certificate: Certificate, tls: ssl.SSLContext) -> None:
    async def scenario() -> None:
        context = ssl.create_default_context(cafile=certificate.authority)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        transport = Transport(context=context)
        async with Service(tls=tls) as service:
            for _ in range(3):
                assert (await ask(transport, service, POST)).status == 200
            transport.close()
        assert [call.connection for call in service.calls] == [0, 0, 0]

    run(scenario())


# Endpoints


@pytest.mark.parametrize(
    ("endpoint", "origin", "path", "authority"),
    [
        ("https://a.B.com", Origin("https", "a.b.com", 443), "", "a.b.com"),
        ("https://a.com:443/prod/", Origin("https", "a.com", 443), "/prod", "a.com"),
        ("http://127.0.0.1:8000/a/b", Origin("http", "127.0.0.1", 8000), "/a/b", "127.0.0.1:8000"),
        ("http://a.com:443", Origin("http", "a.com", 443), "", "a.com:443"),
        ("http://[::1]:8000", Origin("http", "::1", 8000), "", "[::1]:8000"),
        ("HTTP://[::1]", Origin("http", "::1", 80), "", "[::1]"),
    ],
)
def test_an_endpoint_is_taken_apart(endpoint: str, origin: Origin, path: str, authority: str) -> None:
    assert parse(endpoint) == (origin, path)
    assert origin.authority == authority


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        ("", "http://HOST or https://HOST, but got ''"),
        ("a.com", "but got 'a.com'"),
        ("wss://a.com/prod", "but got 'wss://a.com/prod'"),
        ("https:///prod", "but got 'https:///prod'"),
        ("https://bücher.example", "but got 'https://bücher.example'"),
        ("https://a.com:port", "cannot be read as one"),
        ("https://[a.com", "cannot be read as one"),
        ("https://user:hidden@a.com", "no user"),
        ("https://a.com?token=hidden", "no query"),
        ("https://a.com/#hidden", "no fragment"),
    ],
)
def test_an_endpoint_that_is_none_is_named(endpoint: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse(endpoint)
    assert words in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_the_authorities_are_read_once() -> None:
    assert _context(None) is _context(None)
    assert _context(None).verify_mode is ssl.CERT_REQUIRED
    assert _context(None).check_hostname
