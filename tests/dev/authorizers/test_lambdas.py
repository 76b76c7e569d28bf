import asyncio
from typing import Any, cast

import pytest

from lambent.dev.authorizers.answers import Answer
from lambent.dev.authorizers.lambdas import ROOM, Lambdas
from lambent.dev.authorizers.refusals import Denied
from lambent.dev.model import Authorizer, Cause, Entrance, Failed, Replied, Streaming
from lambent.dev.service import Service
from lambent.dev.stream import HIGH_WATER, Stream
from tests.dev.authorizers.deciding import UNAUTHORIZED, Deciding, policy, replied
from tests.dev.instant import settle

TTL = 300
AUTHORIZER = Authorizer("asked", "request", function="decide", ttl=TTL)
HTTP, REST = Entrance("shop", "http"), Entrance("shop", "rest")


class Asking:
    """Authorizers, and a clock."""

    def __init__(self, service: Deciding, patience: float = 20) -> None:
        self.service = service
        self.now = 0.0
        self.lambdas = Lambdas(cast("Service", service), patience, lambda: self.now)

    def ask(
        self, *identity: str, authorizer: Authorizer = AUTHORIZER, entrance: Entrance = REST, event: object = None
    ) -> Answer:
        told: dict[str, Any] = {"event": event}
        return asyncio.run(self.lambdas.ask(entrance, authorizer, identity, lambda: told, "Root=1-2-3")).answer

    def denied(self, *identity: str, **how: Any) -> tuple[int, bytes, str]:
        with pytest.raises(Denied) as caught:
            self.ask(*identity, **how)
        return caught.value.reply.status, caught.value.reply.body, caught.value.why


def test_the_function_is_asked() -> None:
    asking = Asking(Deciding(policy()))
    assert asking.ask("token", event="é").principal == "ada"
    (request,) = asking.service.requests
    assert (request.payload, request.trace) == ('{"event":"é"}'.encode(), "Root=1-2-3")
    assert asking.service.names == ["decide"]


def test_a_decision_is_kept_for_an_identity_and_a_time() -> None:
    asking = Asking(Deciding(policy()))
    for asking.now, identity in ((0, "a"), (1, "a"), (1, "b"), (TTL - 1, "a"), (TTL, "a"), (TTL + 1, "a")):
        asking.ask(identity)
    assert len(asking.service.taken) == 3


def test_entrances_and_authorizers_do_not_share_decisions() -> None:
    asking = Asking(Deciding(policy()))
    others = {"entrance": Entrance("other", "rest")}, {"authorizer": Authorizer("second", "request", function="decide")}
    for how in ({}, *others, {}, *others):
        asking.ask("a", **how)
    assert len(asking.service.taken) == 3


@pytest.mark.parametrize(("identity", "ttl"), [((), TTL), (("a",), 0)])
def test_one_of_nobody_or_for_no_time_is_not_kept(identity: tuple[str, ...], ttl: float) -> None:
    asking = Asking(Deciding(policy()))
    for _ in range(2):
        asking.ask(*identity, authorizer=Authorizer("asked", "request", function="decide", ttl=ttl))
    assert len(asking.service.taken) == 2


def test_new_code_decides_anew() -> None:
    asking = Asking(Deciding(policy()))
    for asking.service.code in (1, 1, 2, 2):
        asking.ask("a")
    assert len(asking.service.taken) == 2


def test_what_is_no_decision_is_not_kept() -> None:
    asking = Asking(Deciding(UNAUTHORIZED, policy()))
    assert asking.denied("a")[0] == 401
    assert asking.ask("a").principal == "ada"


def test_there_is_room_for_so_many() -> None:
    asking = Asking(Deciding(policy()))

    async def fill() -> None:
        for number in range(ROOM + 1):
            await asking.lambdas.ask(REST, AUTHORIZER, (str(number),), dict, "")

    asyncio.run(fill())
    for identity, asked in ((str(ROOM), 0), ("1", 0), ("0", 1)):
        before = len(asking.service.taken)
        asking.ask(identity)
        assert len(asking.service.taken) - before == asked, identity


def test_a_kept_decision_took_no_time() -> None:
    asking = Asking(Deciding(policy()))

    async def twice() -> list[int]:
        return [(await asking.lambdas.ask(REST, AUTHORIZER, ("a",), dict, "")).latency for _ in range(2)]

    assert asyncio.run(twice())[1] == 0


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Failed(Cause.FUNCTION, b'{"errorType":"KeyError","errorMessage":"x"}'), "the function raised: KeyError: x"),
        (Failed(Cause.TIMEOUT, b'{"errorType":"Sandbox.Timedout","errorMessage":"3 s"}'), "the time was up: Sandbox"),
        (Failed(Cause.EXIT, b"dead"), "failed: the process ended: dead"),
        (Failed(Cause.THROTTLED, b"{}"), "too many invocations wait"),
        (Replied(b"nonsense"), "made no decision: expected an object, but it returned 'nonsense'"),
        (replied(None), "made no decision: expected an object, but it returned None"),
        (replied({"isAuthorized": True}), "made no decision: expected a policyDocument"),
    ],
)
def test_without_a_decision_nobody_passes(answer: object, why: str) -> None:
    asking = Asking(Deciding(answer))
    status, body, said = asking.denied("a")
    assert (status, body) == (500, b'{"message":null}')
    assert said.startswith("the function decide ")
    assert why in said
    assert asking.denied("a", entrance=HTTP)[:2] == (500, b'{"message":"Internal Server Error"}')


def test_unauthorized_is_for_rest_apis() -> None:
    asking = Asking(Deciding(UNAUTHORIZED))
    assert asking.denied("a")[:2] == (401, b'{"message":"Unauthorized"}')
    assert asking.denied("a", entrance=HTTP)[0] == 500


def test_a_function_that_is_not_there_is_named() -> None:
    asking = Asking(Deciding())
    assert asking.denied("a", authorizer=Authorizer("asked", "request", function="x"))[::2] == (500, "x")


def test_patience_ends_and_what_had_not_begun_does_not() -> None:
    asking = Asking(Deciding(), patience=0.001)
    status, _, why = asking.denied("a")
    assert (status, why) == (500, "the function decide did not answer within 0.001 s")
    assert asking.service.queue == []


def test_a_streamed_one_that_comes_later_is_let_go() -> None:
    async def ask() -> list[bool]:
        service, throttled = Deciding(), list[bool]()
        stream = Stream("", throttled.append)
        service.waits = lambda invocation: False  # type: ignore[method-assign]  # it has begun
        with pytest.raises(Denied, match="did not answer"):
            await Lambdas(cast("Service", service), 0.001).ask(REST, AUTHORIZER, ("a",), dict, "")
        service.taken[0][1].resolve(Streaming(stream))
        await settle()
        stream.feed(bytes(HIGH_WATER + 1))
        return throttled

    assert asyncio.run(ask()) == []


def test_a_streamed_answer_is_none() -> None:
    async def ask() -> None:
        stream = Stream("", lambda _: None)
        service = Deciding()
        service.answers = [Streaming(stream)]
        with pytest.raises(Denied, match="streams its answer"):
            await Lambdas(cast("Service", service)).ask(REST, AUTHORIZER, ("a",), dict, "")

    asyncio.run(ask())
