"""Signed requests to a service that answers, throttles, breaks, or says nothing."""

from __future__ import annotations

import asyncio
import hashlib
import re
import socket
import ssl
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from lambent.aws.client import Client
from lambent.aws.credentials import Provider
from lambent.aws.signature import Credentials, Signer
from lambent.aws.transport import Transport
from lambent.dev.certificate import find
from lambent.errors import ConfigurationError, ServiceError
from tests.support.aws_service import OK, SILENCE, Service
from tests.support.runtime_api import HANG_UP, Answer, Call, answer

NOW = 1_795_000_000.0
ENVIRON = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "hidden", "AWS_SESSION_TOKEN": "also-hidden"}
BUSY = answer(400, b'{"__type": "com.amazonaws.dynamodb#ProvisionedThroughputExceededException", "message": "later"}')


class Clock:
    """A clock that stands, and sleep that takes no time."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def client(self, service: Service | str, name: str = "dynamodb", **more: Any) -> Client:
        url = service if isinstance(service, str) else service.url
        usual: dict[str, Any] = {"credentials": Provider(ENVIRON), "sleep": self.sleep, "now": lambda: NOW}
        return Client(name, url, "eu-west-1", **(usual | {"dice": lambda: 1.0} | more))


def play(scenario: Callable[[Clock], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scenario(Clock()))


def is_signed(call: Call, name: str) -> bool:
    """Whether what arrived has the signature that it should have."""
    path, _, query = call.path.partition("?")
    names = re.findall(r"SignedHeaders=([^,]*)", call.headers["authorization"])[0].split(";")
    added = ("host", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token")
    sent = [(each, call.headers[each]) for each in names if each not in added]
    signer = Signer(name, "eu-west-1")
    credentials = Credentials("AKID", "hidden", "also-hidden")
    expected = signer.sign(credentials, NOW, call.method, call.headers["host"], path, query, sent, call.body)
    return all(call.headers[name] == value for name, value in expected)


@pytest.mark.parametrize("name", ["dynamodb", "s3"])
def test_a_request_arrives_as_it_was_signed(name: str) -> None:
    async def scenario(clock: Clock) -> None:
        async with Service(answer(200, b"[]", ["X-A: b"])) as service:
            client = clock.client(f"{service.url}/stage/", name)
            fields = [("Content-Type", "application/x-amz-json-1.0"), ("X-Amz-Meta-A", "two  spaces")]
            response = await client.call("PUT", "/a%20b/c%3D", query="z=1&a=%2F&b", headers=fields, body=b"{}")
            await client.close()
        assert (response.status, response.headers["x-a"], response.body) == (200, "b", b"[]")
        (call,) = service.calls
        assert (call.method, call.path, call.body) == ("PUT", "/stage/a%20b/c%3D?z=1&a=%2F&b", b"{}")
        assert call.headers["x-amz-security-token"] == "also-hidden"
        assert ("x-amz-content-sha256" in call.headers) is (name == "s3")
        assert call.headers.get("x-amz-content-sha256", hashlib.sha256(b"{}").hexdigest())
        assert is_signed(call, name)

    play(scenario)


@pytest.mark.parametrize("status", [200, 204, 301, 400, 403, 404, 409, 410, 412, 413, 501, 505])
def test_an_answer_is_returned_whatever_its_status(status: int) -> None:
    async def scenario(clock: Clock) -> None:
        async with Service(answer(status, b"" if status == 204 else b'{"message": "said"}')) as service:
            client = clock.client(service)
            assert (await client.call("GET", "/")).status == status
            await client.close()
        assert len(service.calls) == 1
        assert clock.pauses == []

    play(scenario)


@pytest.mark.parametrize(
    "step",
    [
        BUSY,
        HANG_UP,
        Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel", close=True),
        answer(429),
        answer(500),
        answer(502, b"<html>"),
        answer(503, b"<Error><Code>SlowDown</Code></Error>"),
        answer(504),
        answer(400, b'{"code": "ThrottlingException"}'),
        answer(400, b"<Error><Code>RequestTimeout</Code></Error>"),
    ],
)
def test_what_passes_is_asked_again(step: Answer) -> None:
    async def scenario(clock: Clock) -> None:
        async with Service(step, OK) as service:
            client = clock.client(service)
            response = await client.call("POST", "/a", body=b"twice")
            await client.close()
        assert response.status == 200
        assert [call.body for call in service.calls] == [b"twice"] * 2
        assert clock.pauses == [0.1]

    play(scenario)


def test_pauses_grow_and_are_thrown_by_dice() -> None:
    thrown = iter([0.5, 0.0, 1.0, 0.25, 1.0, 1.0, 1.0])

    async def scenario(clock: Clock) -> None:
        async with Service(*[answer(500)] * 20) as service:
            client = clock.client(service, attempts=8, dice=lambda: next(thrown))
            assert (await client.call("GET", "/")).status == 500
            await client.close()
        assert clock.pauses == pytest.approx([0.05, 0.0, 0.4, 0.2, 1.6, 3.2, 5.0])
        assert len(service.calls) == 8

    play(scenario)


@pytest.mark.parametrize(("asked", "pause"), [("2", 2.0), ("0", 0.1), ("3600", 5.0), ("tomorrow", 0.1), ("-1", 0.1)])
def test_a_service_may_say_how_long(asked: str, pause: float) -> None:
    async def scenario(clock: Clock) -> None:
        async with Service(answer(429, b"", [f"Retry-After: {asked}"])) as service:
            client = clock.client(service)
            await client.call("GET", "/")
            await client.close()
        assert clock.pauses == [pause]

    play(scenario)


def test_the_last_answer_counts() -> None:
    async def scenario(clock: Clock) -> None:
        async with Service(HANG_UP, answer(500), BUSY, answer(503, b"last"), OK) as service:
            client = clock.client(service)
            response = await client.call("GET", "/")
            await client.close()
        assert (response.status, response.body) == (503, b"last")
        assert len(service.calls) == 4

    play(scenario)


def test_no_answer_at_all_is_an_error() -> None:
    async def scenario(clock: Clock) -> None:
        async with Service(*[HANG_UP] * 3) as service:
            client = clock.client(f"{service.url}/stage", "execute-api", attempts=3)
            with pytest.raises(ServiceError) as caught:
                await client.call("POST", "/a?", query="token=hidden", body=b"hidden")
        assert (caught.value.status, caught.value.code) == (0, "")
        assert str(caught.value) == (
            f"execute-api at {service.url}/stage does not answer: it closed the connection without an answer (asked 3 "
            "times). Check that the endpoint is right, and that it can be reached from here: a function in a VPC needs "
            "a NAT gateway or a VPC endpoint."
        )

    play(scenario)


def test_nobody_there_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    async def scenario(clock: Clock) -> None:
        with pytest.raises(ServiceError, match=f"http://127.0.0.1:{port} does not answer: .*refused|failed"):
            await clock.client(f"http://127.0.0.1:{port}").call("GET", "/")
        assert len(clock.pauses) == 3

    play(scenario)


def test_a_certificate_that_is_not_trusted_is_not_asked_for_again(tmp_path: Path) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(find(("127.0.0.1",), tmp_path).server)

    async def scenario(clock: Clock) -> None:
        async with Service(tls=tls) as service:
            with pytest.raises(ServiceError, match=r"certificate verify failed.*\(asked once\)"):
                await clock.client(service).call("GET", "/")
        assert (service.calls, clock.pauses) == ([], [])

    play(scenario)


def test_an_attempt_has_its_time() -> None:
    async def scenario(clock: Clock) -> None:
        async with Service(SILENCE, OK) as service:
            client = clock.client(service, timeout=0.05)
            assert (await client.call("GET", "/")).status == 200
            await client.close()
        assert len(service.calls) == 2

    play(scenario)


# An invocation ends


def test_there_is_no_attempt_for_which_no_time_is_left() -> None:
    left = iter([10.0, 0.2, 0.2, 0.15])

    async def scenario(clock: Clock) -> None:
        async with Service(*[answer(500)] * 5) as service:
            client = clock.client(service, attempts=9, remaining=lambda: next(left))
            assert (await client.call("GET", "/")).status == 500
            await client.close()
        assert (len(service.calls), clock.pauses) == (2, [0.1])

    play(scenario)


def test_an_attempt_ends_with_the_invocation() -> None:
    async def scenario(clock: Clock) -> None:
        async with Service(SILENCE) as service:
            client = clock.client(service, remaining=lambda: 0.05)
            with pytest.raises(ServiceError, match=r"the invocation has no time left \(asked once\)"):
                await client.call("GET", "/")
            await service.closed.acquire()
            await client.close()

    play(scenario)


def test_waiting_for_a_turn_ends_with_the_invocation() -> None:
    async def scenario(clock: Clock) -> None:
        transport = Transport(limit=1)
        async with Service(SILENCE) as service:
            held = asyncio.create_task(clock.client(service, transport=transport).call("GET", "/held"))
            await service.asked.acquire()
            with pytest.raises(ServiceError, match="no time left"):
                await clock.client(service, transport=transport, remaining=lambda: 0.05).call("GET", "/")
            held.cancel()
            await asyncio.wait([held])
            transport.close()
        assert [call.path for call in service.calls] == ["/held"]

    play(scenario)


# What is shared, and what is wrong


def test_a_transport_that_is_shared_outlives_a_client() -> None:
    async def scenario(clock: Clock) -> None:
        transport = Transport()
        async with Service() as service:
            for _ in range(3):
                client = clock.client(service, transport=transport)
                await client.call("GET", "/")
                await client.close()
            transport.close()
        assert [call.connection for call in service.calls] == [0, 0, 0]

    play(scenario)


def test_a_client_may_be_used_after_it_was_closed() -> None:
    async def scenario(clock: Clock) -> None:
        async with Service() as service:
            client = clock.client(service)
            for _ in range(2):
                await client.call("GET", "/")
                await client.close()
                await service.closed.acquire()
        assert [call.connection for call in service.calls] == [0, 1]

    play(scenario)


def test_it_needs_credentials() -> None:
    async def scenario(clock: Clock) -> None:
        async with Service() as service:
            client = clock.client(service, credentials=Provider({"HOME": "/nowhere"}))
            with pytest.raises(ConfigurationError, match="No AWS credentials were found"):
                await client.call("GET", "/")
        assert service.calls == []

    play(scenario)


@pytest.mark.parametrize("path", ["", "a", "/a b", "/a\r\nx: y", "/ä", "/a\0"])
def test_a_path_that_is_not_encoded_is_named(path: str) -> None:
    async def scenario(clock: Clock) -> None:
        with pytest.raises(ConfigurationError, match="percent-encoded, but got"):
            await clock.client("http://127.0.0.1:1").call("GET", path)

    play(scenario)


@pytest.mark.parametrize("value", ["a\r\nx: y", "ä", "\0"])
def test_a_header_that_would_not_arrive_is_named(value: str) -> None:
    async def scenario(clock: Clock) -> None:
        with pytest.raises(ConfigurationError, match="'x-a' to be printable ASCII"):
            await clock.client("http://127.0.0.1:1").call("GET", "/", headers=[("x-a", value)])

    play(scenario)


def test_an_endpoint_that_is_none_is_named_at_once() -> None:
    with pytest.raises(ConfigurationError, match="http://HOST or https://HOST"):
        Client("s3", "s3.amazonaws.com", "eu-west-1")


def test_a_client_says_whom_it_asks() -> None:
    assert repr(Clock().client("https://a.com/prod/")) == "<dynamodb at https://a.com/prod>"
