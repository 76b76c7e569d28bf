"""The @connections API, and what its answers mean."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import boto3
import pytest
from botocore.config import Config
from hypothesis import given
from hypothesis import strategies as st

from lambent.aws.credentials import Provider
from lambent.errors import ConfigurationError, ConnectionGone, InvalidMessage, ServiceError
from lambent.websocket.management import LIMIT, Info, Management
from tests.support.aws_service import Service
from tests.support.runtime_api import HANG_UP, Answer, Call, answer

NOW = 1_795_000_000.0
ID = "JCIuTfPGDoECJkA="
GONE = answer(410, b"", ["x-amzn-ErrorType: GoneException"])
FORBIDDEN = answer(403, b'{"message": "User is not authorized"}', ["x-amzn-ErrorType: ForbiddenException"])


class Clock:
    """Time passes by sleeping alone."""

    def __init__(self) -> None:
        self.time = NOW
        self.pauses: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.time += seconds

    def management(self, service: Service, stage: str = "/prod", **more: Any) -> Management:
        environ = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "hidden"}
        more = {"sleep": self.sleep, "now": lambda: self.time, "dice": lambda: 1.0} | more
        return Management(f"{service.url}{stage}", "eu-west-1", credentials=Provider(environ), **more)


def play(scenario: Callable[[Clock], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scenario(Clock()))


def asked(
    *steps: Answer, does: Callable[[Management, Clock], Coroutine[Any, Any, object]], **more: Any
) -> tuple[list[Call], Clock]:
    """Have it done, and return what the API was asked."""

    async def scenario() -> tuple[list[Call], Clock]:
        clock = Clock()
        async with Service(*steps) as service:
            management = clock.management(service, **more)
            try:
                await does(management, clock)
            finally:
                await management.aclose()
        return service.calls, clock

    return asyncio.run(scenario())


# What is asked


def test_a_message_is_posted() -> None:
    (call,), _ = asked(does=lambda to, _: to.post(ID, b"\x00hello"))
    assert (call.method, call.path, call.body) == ("POST", "/prod/@connections/JCIuTfPGDoECJkA%3D", b"\x00hello")
    assert "/eu-west-1/execute-api/aws4_request" in call.headers["authorization"]


@pytest.mark.parametrize("stage", ["", "/", "/prod", "/a/b/"])
def test_an_endpoint_may_have_a_path(stage: str) -> None:
    (call,), _ = asked(does=lambda to, _: to.close(ID), stage=stage)
    assert (call.method, call.path) == ("DELETE", f"{stage.rstrip('/')}/@connections/JCIuTfPGDoECJkA%3D")


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=10).filter(lambda text: text not in {".", ".."}))
def test_a_connection_is_one_part_of_the_path(connection_id: str) -> None:
    from urllib.parse import unquote

    from lambent.websocket.management import _path

    path = _path(connection_id)
    assert path.isascii()
    assert path.count("/") == 2
    assert unquote(path.removeprefix("/@connections/")) == connection_id


def test_boto3_asks_the_same() -> None:
    """Method, target, body and, but for what it tells of itself, the headers."""

    def ours(calls: list[Call]) -> list[tuple[str, str, bytes]]:
        return [(call.method, call.path, call.body) for call in calls]

    async def scenario(clock: Clock) -> None:
        told = answer(200, json.dumps(TOLD).encode())
        async with Service(answer(200), answer(204), told, answer(200), answer(204), told) as service:
            management = clock.management(service)
            await management.post(ID, b"hello")
            await management.close(ID)
            info = await management.info(ID)
            await management.aclose()
            await asyncio.to_thread(theirs, service.url, info)
        assert ours(service.calls[:3]) == ours(service.calls[3:])
        for we, they in zip(service.calls[:3], service.calls[3:], strict=True):
            assert we.headers["host"] == they.headers["host"]
            scopes = [call.headers["authorization"].split("/", 2)[2].split(",")[0] for call in (we, they)]
            assert scopes == ["eu-west-1/execute-api/aws4_request"] * 2

    def theirs(url: str, info: Info) -> None:
        session = boto3.session.Session("AKID", "hidden", region_name="eu-west-1")
        client = session.client("apigatewaymanagementapi", endpoint_url=f"{url}/prod", config=Config(retries={}))
        client.post_to_connection(ConnectionId=ID, Data=b"hello")
        client.delete_connection(ConnectionId=ID)
        found = client.get_connection(ConnectionId=ID)
        client.close()
        assert info.connected_at == found["ConnectedAt"].timestamp()
        assert info.last_active_at == found["LastActiveAt"].timestamp()
        assert (info.source_ip, info.user_agent) == (found["Identity"]["SourceIp"], found["Identity"]["UserAgent"])

    play(scenario)


TOLD = {
    "connectedAt": "2026-11-18T09:46:40.250Z",
    "lastActiveAt": "2026-11-18T09:46:41Z",
    "identity": {"sourceIp": "192.0.2.1", "userAgent": "curl"},
}


@pytest.mark.parametrize(
    ("told", "info"),
    [
        (TOLD, Info(1794995200.25, 1794995201.0, "192.0.2.1", "curl")),
        ({"connectedAt": 12.5, "lastActiveAt": 13, "identity": {}}, Info(12.5, 13.0, "", "")),
        (
            {"connectedAt": "2026-11-18T10:46:40+01:00", "lastActiveAt": "2026-11-18T09:46:40Z", "identity": None},
            Info(1794995200.0, 1794995200.0, "", ""),
        ),
    ],
)
def test_a_connection_is_told_of(told: object, info: Info) -> None:
    async def scenario(clock: Clock) -> None:
        async with Service(answer(200, json.dumps(told).encode())) as service:
            management = clock.management(service)
            assert await management.info(ID) == info
            await management.aclose()
        assert service.calls[0].method == "GET"

    play(scenario)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"<html>", b'{"connectedAt": "soon", "lastActiveAt": 1}'])
def test_what_cannot_be_read_of_it_is_an_error(body: bytes) -> None:
    with pytest.raises(ServiceError, match="Expected JSON with connectedAt"):
        asked(answer(200, body), does=lambda of, _: of.info(ID))


# What is answered


@pytest.mark.parametrize("call", ["post", "info"])
def test_one_that_is_gone_is_an_os_error(call: str) -> None:
    with pytest.raises(ConnectionGone, match=f"connection {ID} is gone") as caught:
        asked(GONE, does=lambda to, _: to.post(ID, b"") if call == "post" else to.info(ID))
    assert isinstance(caught.value, OSError)
    assert (caught.value.status, caught.value.code) == (410, "GoneException")


def test_one_that_is_gone_is_closed() -> None:
    calls, clock = asked(GONE, does=lambda to, _: to.close(ID))
    assert (len(calls), clock.pauses) == (1, [])


@pytest.mark.parametrize("call", ["post", "close"])
def test_one_that_has_just_come_may_not_be_known_yet(call: str) -> None:
    def does(to: Management, clock: Clock) -> Coroutine[Any, Any, None]:
        since = clock.time - 1
        return to.post(ID, b"hi", connected_at=since) if call == "post" else to.close(ID, connected_at=since)

    calls, clock = asked(GONE, GONE, GONE, does=does)
    assert len(calls) == 4
    assert clock.pauses == pytest.approx([0.1, 0.2, 0.4])


def test_one_that_is_not_known_after_5_seconds_is_gone() -> None:
    async def does(to: Management, clock: Clock) -> None:
        with pytest.raises(ConnectionGone):
            await to.post(ID, b"hi", connected_at=NOW - 1)

    calls, clock = asked(*[GONE] * 30, does=does)
    assert clock.time == pytest.approx(NOW + 4)
    assert len(calls) == len(clock.pauses) + 1
    assert len(calls) < 10


@pytest.mark.parametrize("age", [5.0, 5.5, 7200.0, -60.0])
def test_one_that_came_before_is_gone_at_once(age: float) -> None:
    """A clock that is a minute behind has nobody wait for that minute."""

    async def does(to: Management, clock: Clock) -> None:
        with pytest.raises(ConnectionGone):
            await to.post(ID, b"hi", connected_at=NOW - age)

    calls, _ = asked(GONE, GONE, does=does)
    assert len(calls) == 1


def test_nobody_waits_beyond_the_invocation() -> None:
    async def does(to: Management, clock: Clock) -> None:
        with pytest.raises(ConnectionGone):
            await to.post(ID, b"hi", connected_at=NOW)

    _, clock = asked(*[GONE] * 9, does=does, remaining=lambda: 0.3)
    assert clock.pauses == pytest.approx([0.1, 0.2])


def test_a_message_of_the_limit_is_posted() -> None:
    (call,), _ = asked(does=lambda to, _: to.post(ID, b"a" * LIMIT))
    assert len(call.body) == 131_072


def test_a_message_beyond_the_limit_is_refused_before_it_is_sent() -> None:
    async def scenario(clock: Clock) -> None:
        async with Service() as service:
            management = clock.management(service)
            with pytest.raises(InvalidMessage, match=r"at most 131072 bytes, .* but got 131073: send it in parts"):
                await management.post(ID, b"a" * (LIMIT + 1))
        assert service.calls == []

    play(scenario)


def test_a_message_that_the_api_refuses_as_too_long_is_the_same_error() -> None:
    with pytest.raises(InvalidMessage, match="at most 131072 bytes"):
        asked(answer(413), does=lambda to, _: to.post(ID, b"a"))


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (
            FORBIDDEN,
            "answers 403 ForbiddenException. It says: 'User is not authorized'. Allow execute-api:ManageConnections on",
        ),
        (answer(403), "if that is allowed, the endpoint is wrong: its stage, its region"),
        (
            answer(400, b'{"message": "Invalid connectionId: a"}', ["x-amzn-ErrorType: BadRequestException"]),
            "answers 400 BadRequestException. It says: 'Invalid connectionId: a'. Either the connection's id is none",
        ),
        (answer(404, b"<html>"), "answers 404. The endpoint is wrong: it should end with the API's stage"),
        (answer(301), "answers 301."),
        (answer(501), "answers 501."),
    ],
)
@pytest.mark.parametrize("call", ["post", "close", "info"])
def test_what_is_refused_is_named(step: Answer, words: str, call: str) -> None:
    def does(to: Management, _: Clock) -> Coroutine[Any, Any, object]:
        return to.post(ID, b"private") if call == "post" else getattr(to, call)(ID)

    with pytest.raises(ServiceError) as caught:
        asked(step, does=does)
    said = str(caught.value)
    assert words in said
    assert "WebSocket API at http://127.0.0.1:" in said
    assert ID in said
    assert "hidden" not in said
    assert "private" not in said


@pytest.mark.parametrize("step", [answer(429, b"", ["x-amzn-ErrorType: LimitExceededException"]), answer(500), HANG_UP])
def test_what_passes_is_posted_again(step: Answer) -> None:
    calls, _ = asked(step, step, does=lambda to, _: to.post(ID, b"hi"))
    assert [call.body for call in calls] == [b"hi"] * 3


def test_many_are_posted_at_a_time() -> None:
    async def does(to: Management, _: Clock) -> None:
        await asyncio.gather(*(to.post(f"{number}=", b"%d" % number) for number in range(300)))

    calls, _ = asked(does=does)
    assert {(call.path, call.body) for call in calls} == {
        (f"/prod/@connections/{number}%3D", b"%d" % number) for number in range(300)
    }
    assert len({call.connection for call in calls}) <= 50


def test_an_endpoint_that_is_none_is_named_at_once() -> None:
    with pytest.raises(ConfigurationError, match="http://HOST or https://HOST"):
        Management("wss://a.com/prod", "eu-west-1")


def test_it_says_whom_it_asks() -> None:
    assert repr(Management("https://a.com/prod", "eu-west-1")) == "Management('https://a.com/prod')"
