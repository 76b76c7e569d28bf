"""One request over the local socket."""

import socket

import pytest

from lambent.errors import ConfigurationError, RuntimeAPIError, RuntimeAPIGone
from lambent.runtime import requests
from lambent.runtime.client import Client
from lambent.runtime.http1 import Reply, Request
from tests.support.runtime_api import BASE, HANG_UP, Answer, RuntimeAPI, answer, invocation

POST = Request("POST", f"{BASE}/invocation/id-1/response", (("content-type", "text/plain"),), b"hello")
OK = answer(202, b"ok")


def test_a_reply_is_received() -> None:
    with RuntimeAPI(invocation(b"[1]", "Lambda-Runtime-Trace-Id: Root=1")) as api:
        client = Client(api.address)
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


def test_a_post_arrives_whole() -> None:
    with RuntimeAPI() as api:
        client = Client(api.address)
        assert client.call(POST).status == 202
        client.close()

    (call,) = api.calls
    assert (call.method, call.path, call.body) == ("POST", POST.path, b"hello")
    assert call.headers == {"host": api.address, "content-type": "text/plain", "content-length": "5"}


@pytest.mark.parametrize("size", [0, 1, (1 << 16) - 1, 1 << 16, (1 << 16) + 1, 6_291_556])
def test_a_body_of_any_size_arrives_whole(size: int) -> None:
    body = bytes(range(256)) * (size // 256 + 1)
    with RuntimeAPI() as api:
        client = Client(api.address)
        client.call(POST._replace(body=body[:size]))
        client.close()

    assert api.calls[0].body == body[:size]


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_large_reply_is_received_whole(framing: str) -> None:
    event = bytes(range(256)) * 4096 * 6
    with RuntimeAPI(invocation(event, framing=framing)) as api:
        client = Client(api.address)
        assert client.call(requests.NEXT).body == event
        client.close()


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_reply_may_come_byte_by_byte(framing: str) -> None:
    step = invocation(b'{"a": [1, 2, 3]}', framing=framing)._replace(piece=1)
    with RuntimeAPI(step, step) as api:
        client = Client(api.address)
        assert [client.call(requests.NEXT).body for _ in range(2)] == [b'{"a": [1, 2, 3]}'] * 2
        client.close()


def test_the_connection_is_kept() -> None:
    with RuntimeAPI(invocation(), invocation()) as api:
        client = Client(api.address)
        for request in (requests.NEXT, POST, requests.NEXT, POST):
            client.call(request)
        client.close()

    assert [call.connection for call in api.calls] == [0, 0, 0, 0]


def test_a_connection_that_the_api_closes_is_made_again() -> None:
    closing = answer(202, b"", ["Connection: close"])._replace(close=True)
    until_the_end = Answer(b"HTTP/1.1 202 Accepted\r\n\r\nok", close=True)
    with RuntimeAPI(posts=[closing, until_the_end]) as api:
        client = Client(api.address)
        bodies = [client.call(POST).body for _ in range(3)]
        client.close()

    assert bodies == [b"", b"ok", b'{"status":"OK"}\n']
    assert [call.connection for call in api.calls] == [0, 1, 2]


def test_a_call_on_a_kept_connection_that_has_gone_is_made_once_more() -> None:
    with RuntimeAPI(posts=[OK, HANG_UP, OK]) as api:
        client = Client(api.address)
        assert [client.call(POST).body for _ in range(2)] == [b"ok", b"ok"]
        client.close()

    assert [call.connection for call in api.calls] == [0, 0, 1]


def test_a_call_on_a_new_connection_is_made_once() -> None:
    with RuntimeAPI(posts=[HANG_UP]) as api:
        client = Client(api.address)
        with pytest.raises(
            RuntimeAPIGone, match=f"^The Runtime API at {api.address} does not answer: it closed the con"
        ):
            client.call(POST)

    assert len(api.calls) == 1


def test_a_call_is_made_twice_at_most() -> None:
    with RuntimeAPI(posts=[OK, HANG_UP, HANG_UP]) as api:
        client = Client(api.address)
        client.call(POST)
        with pytest.raises(RuntimeAPIGone):
            client.call(POST)

    assert len(api.calls) == 3


def test_after_it_has_gone_the_next_call_makes_a_new_connection() -> None:
    with RuntimeAPI(posts=[HANG_UP, OK]) as api:
        client = Client(api.address)
        with pytest.raises(RuntimeAPIGone):
            client.call(POST)
        assert client.call(POST).body == b"ok"
        client.close()


def test_a_reply_that_is_cut_off_is_an_error() -> None:
    with RuntimeAPI(posts=[Answer(b"HTTP/1.1 202 Accepted\r\nContent-Length: 5\r\n\r\nhell", close=True)]) as api:
        client = Client(api.address)
        with pytest.raises(RuntimeAPIError, match="in the middle of a reply"):
            client.call(POST)
        client.close()


def test_a_body_that_is_refused_early_has_its_answer() -> None:
    refusal = answer(413, b"too large", ["Connection: close"])._replace(early=True, close=True)
    with RuntimeAPI(posts=[refusal, OK]) as api:
        client = Client(api.address)
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


def test_nothing_is_received_without_a_connection() -> None:
    with pytest.raises(RuntimeAPIGone, match="the connection is closed"):
        Client("127.0.0.1:9001").receive()


def test_whoever_does_not_listen_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(RuntimeAPIGone, match=f"The Runtime API at 127.0.0.1:{port} does not answer: .*refused"):
        Client(f"127.0.0.1:{port}").call(requests.NEXT)


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
def test_an_address_may_have_a_scheme_and_a_path(form: str, prefix: str) -> None:
    with RuntimeAPI(invocation()) as api:
        client = Client(form.format(api.address))
        client.call(requests.NEXT)
        client.close()

    assert api.calls[0].path == f"{prefix}{BASE}/invocation/next"
    assert api.calls[0].headers["host"] == api.address


def test_an_address_may_be_a_name() -> None:
    with RuntimeAPI(invocation()) as api:
        client = Client(f"localhost:{api.port}")
        client.call(requests.NEXT)
        client.close()

    assert api.calls[0].headers["host"] == f"localhost:{api.port}"


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_an_address_may_be_ipv6() -> None:
    with RuntimeAPI(invocation(), host="::1") as api:
        client = Client(f"http://{api.address}")
        client.call(requests.NEXT)
        client.close()

    assert api.calls[0].headers["host"] == api.address == f"[::1]:{api.port}"


@pytest.mark.parametrize(
    "address", ["", "9001", "localhost", ":9001", "h:port", "h:-1", "https://h:1", "http://", "/a"]
)
def test_an_address_of_the_wrong_form_is_shown(address: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Client(address)
    assert str(caught.value) == f"Expected AWS_LAMBDA_RUNTIME_API to be HOST:PORT, but got {address!r}."
