"""Connections: from a WebSocket, from elsewhere, and to those that are gone, new, or at another endpoint."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from lambent import Connections, Lambent
from lambent.errors import ConfigurationError, ConnectionGone, InvalidMessage, ServiceError, StoreError
from lambent.gateway import websocket_api
from lambent.invocation import CURRENT, Handled
from lambent.stores import open_store
from lambent.stores.memory import MemoryStore
from lambent.stores.model import Stored
from lambent.types import Receive, Scope, Send
from lambent.websocket import connections as module
from lambent.websocket.archive import Archive
from lambent.websocket.broadcast import Broadcast
from lambent.websocket.endpoint import VARIABLE
from lambent.websocket.management import LIMIT, Info
from lambent.websocket.peers import LIVE, Live
from lambent.websocket.record import Record
from tests.payloads import payload
from tests.websocket.play import Gateway, Posts, played

Kept = TypeVar("Kept", bound=MemoryStore)

INFO = Info(1795255200.0, 1795255260.0, "203.0.113.7", "Firefox")
HERE = "https://aaaaaaaaaa.execute-api.eu-west-1.amazonaws.com/prod"
THERE = "https://bbbbbbbbbb.execute-api.us-east-1.amazonaws.com/dev"


@pytest.fixture(autouse=True)
def _nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (VARIABLE, "LAMBENT_STORE"):
        monkeypatch.delenv(name, raising=False)


class Told(Posts):
    """Posts that are also asked, and that say of each how new it was said to be, and how many were on their way."""

    def __init__(self, *ids: str) -> None:
        super().__init__()
        self.open.update(ids)
        self.ages: list[float | None] = []
        self.at_once = self.most = 0
        self.faults: dict[str, Exception] = {}
        self.closed = 0

    async def post(self, connection_id: str, data: bytes, *, connected_at: float | None = None) -> None:
        self.ages.append(connected_at)
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            if connection_id in self.faults:
                await asyncio.sleep(0)
                raise self.faults[connection_id]
            await super().post(connection_id, data, connected_at=connected_at)
        finally:
            self.at_once -= 1

    async def close(self, connection_id: str, *, connected_at: float | None = None) -> None:
        self.ages.append(connected_at)
        await super().close(connection_id, connected_at=connected_at)

    async def info(self, connection_id: str) -> Info:
        if connection_id not in self.open:
            raise ConnectionGone(f"Connection {connection_id} is gone.", 410, "GoneException")
        return INFO

    async def aclose(self) -> None:
        self.closed += 1


class Settled(Told):
    """As the management API is with a connection that it does not know yet: it waits, if it is told how new it is."""

    async def post(self, connection_id: str, data: bytes, *, connected_at: float | None = None) -> None:
        if connected_at is not None:
            self.open.add(connection_id)
        await super().post(connection_id, data, connected_at=connected_at)


class Broken(MemoryStore):
    """A store that does not do its part, once so many have been gone through."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after = after
        self.ended = False

    async def members(self, group: str) -> AsyncIterator[str]:
        try:
            number = 0
            async for member in super().members(group):
                if number == self.after:
                    raise StoreError("memory:// is out of memory.")
                yield member
                number += 1
        finally:
            self.ended = True


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Accept, and tell what comes."""
    await receive()
    await send({"type": "websocket.accept"})
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return
        await send({"type": "websocket.send", "text": message["text"]})


class Site(Gateway):
    """A gateway whose connections are a minute old, and Connections that reach them from elsewhere."""

    def __init__(self, app: Any = echo, posts: Told | None = None, *, environments: int = 1, **options: Any) -> None:
        super().__init__(app, environments=environments, **options)
        self.posts = self.told = posts or Told()
        told = {"lifespan": "off", "store": self.store, "websocket_endpoint": self.told}
        self.handlers = [Lambent(app, **{**told, **options}) for _ in self.handlers]
        self.connections = Connections(self.store, self.told)
        self.now = lambda: time.time() - 60

    async def joined(self, group: str = "room", environment: int = 0) -> str:
        """The id of one more connection, which is in the group."""
        socket = self.socket()
        await socket.connect(environment=environment)
        await self.connections.join(group, socket.id)
        return socket.id

    async def members(self, group: str = "room") -> set[str]:
        return await members(self.connections, group)

    async def has_record(self, connection_id: str) -> bool:
        return await Archive(self.store).load(connection_id) is not None


async def members(connections: Connections, group: str = "room") -> set[str]:
    return {member async for member in connections.members(group)}


async def crowd(store: MemoryStore, ids: list[str]) -> list[str]:
    """Put them into the group."""
    connections = Connections(store, Told())
    for each in ids:
        await connections.join("room", each)
    return ids


# One connection


def test_what_is_sent_arrives_as_it_is() -> None:
    async def story() -> None:
        posts = Told("one")
        written: Any = bytearray(b"ab")
        async with Connections(MemoryStore(), posts) as connections:
            await connections.send("one", "Grüße")
            await connections.send("one", b"\xff\x00")
            await connections.send("one", written)
            await connections.send_json("one", {"to": "Grüße", "n": [1, None]})
        assert posts.sent == [
            ("one", "Grüße".encode()),
            ("one", b"\xff\x00"),
            ("one", b"ab"),
            ("one", '{"to":"Grüße","n":[1,null]}'.encode()),
        ]

    played(story)


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (lambda it: it.send("one", {"a": 1}), "got a dict. As JSON it goes by `send_json`"),
        (lambda it: it.send("one", "ü" * (LIMIT // 2 + 1)), "The message has 131074 bytes, and API Gateway takes"),
        (lambda it: it.send_json("one", {1, 2}), "can be JSON, but: Object of type set"),
        (lambda it: it.send_json("one", float("nan")), "can be JSON, but: Out of range"),
        (lambda it: it.broadcast("room", None), "got a NoneType"),
        (lambda it: it.broadcast_json("room", "x" * LIMIT), "The message has 131074 bytes"),
    ],
)
def test_what_is_no_message_is_refused_before_anything_is_sent(
    act: Callable[[Connections], Awaitable[object]], told: str
) -> None:
    async def story() -> None:
        posts = Told("one")
        connections = Connections(MemoryStore(), posts)
        await connections.join("room", "one")
        with pytest.raises(InvalidMessage, match=told):
            await act(connections)
        assert not posts.sent
        assert not posts.ages

    played(story)


def test_a_message_of_128_kb_is_sent() -> None:
    async def story() -> None:
        posts = Told("one")
        await Connections(MemoryStore(), posts).send("one", b"x" * LIMIT)
        assert len(posts.sent[0][1]) == LIMIT

    played(story)


def test_one_that_is_gone_leaves_all_its_groups_and_keeps_its_record() -> None:
    async def story() -> None:
        site = Site()
        one, other = await site.joined(), await site.joined()
        await site.connections.join("hall", one)
        site.told.open.discard(one)

        with pytest.raises(ConnectionGone):
            await site.connections.send(one, "Hello?")

        assert (await site.members(), await site.members("hall")) == ({other}, set())
        assert await site.has_record(one)
        assert site.told.ages == [None]

    played(story)


def test_one_that_is_closed_hears_of_it_and_leaves_its_groups() -> None:
    heard: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        heard.append(await receive())

    async def story() -> None:
        site = Site(app)
        one, other = await site.joined(), await site.joined()
        heard.clear()

        await site.connections.close(one)

        assert site.told.ended == [one]
        assert await site.has_record(one)
        gone = site.socket()
        gone.id = one
        await gone.leave(1001, "Going away")
        assert heard == [{"type": "websocket.disconnect", "code": 1001, "reason": "Going away"}]
        assert await site.members() == {other}

    played(story)


def test_one_that_nobody_knows_is_closed() -> None:
    async def story() -> None:
        posts = Told()
        await Connections(MemoryStore(), posts).close("nobody")
        assert posts.ended == ["nobody"]
        await Connections(MemoryStore()).close("nobody")  # and nothing tells where

    played(story)


def test_api_gateway_is_asked_about_one() -> None:
    async def story() -> None:
        site = Site()
        one = await site.joined()
        assert await site.connections.info(one) == INFO
        site.told.open.clear()
        with pytest.raises(ConnectionGone):
            await site.connections.info(one)
        assert await site.members() == set()

    played(story)


# Groups


def test_members_join_and_leave() -> None:
    async def story() -> None:
        store = MemoryStore()
        connections = Connections(store, Told())
        await crowd(store, ["one", "two", "one"])
        await connections.join("hall", "one")
        assert await members(connections) == {"one", "two"}

        await connections.leave("room", "one")
        await connections.leave("room", "nobody")

        assert await members(connections) == {"two"}
        assert await members(connections, "hall") == {"one"}
        assert await members(connections, "nowhere") == set()

    played(story)


def test_a_membership_ends_with_the_life_of_a_connection() -> None:
    async def story() -> None:
        clock = [time.time()]
        store = MemoryStore(lambda: clock[0])
        connections = Connections(store, Told())
        await connections.join("room", "one")
        clock[0] += 7100
        assert await members(connections) == {"one"}
        clock[0] += 200
        assert await members(connections) == set()

    played(story)


def test_all_members_get_a_broadcast_but_those_that_are_left_out() -> None:
    async def story() -> None:
        store, posts = MemoryStore(), Told("one", "two", "three")
        connections = Connections(store, posts)
        await crowd(store, ["one", "two", "three"])

        assert await connections.broadcast("room", "to all") == Broadcast(3, 0, 0)
        assert await connections.broadcast("room", b"to two", exclude="one") == (2, 0, 0)
        assert await connections.broadcast_json("room", [1], exclude=["one", "two", "nobody"]) == (1, 0, 0)
        assert await connections.broadcast("nowhere", "to nobody") == (0, 0, 0)

        assert sorted(posts.sent) == [
            ("one", b"to all"),
            ("three", b"[1]"),
            ("three", b"to all"),
            ("three", b"to two"),
            ("two", b"to all"),
            ("two", b"to two"),
        ]
        assert await connections.broadcast("room", "to all", exclude=None) == (3, 0, 0)

    played(story)


def test_who_is_gone_leaves_all_groups_and_the_others_get_it() -> None:
    async def story() -> None:
        site = Site()
        ids = [await site.joined() for _ in range(5)]
        await site.connections.join("hall", ids[0])
        site.told.open -= {ids[0], ids[3]}

        assert await site.connections.broadcast("room", "Hi") == Broadcast(sent=3, gone=2, failed=0)

        assert await site.members() == set(ids) - {ids[0], ids[3]}
        assert await site.members("hall") == set()
        assert {each for each, _ in site.told.sent} == set(ids) - {ids[0], ids[3]}
        assert await site.has_record(ids[0])

    played(story)


def test_what_fails_is_counted_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        store, posts = MemoryStore(), Told("one", "two", "three")
        posts.faults = {
            "one": ServiceError("API Gateway answers 429.", 429, "LimitExceededException"),
            "three": TimeoutError("No answer."),
        }
        connections = Connections(store, posts)
        await crowd(store, ["one", "two", "three"])

        assert await connections.broadcast("room", "Hi") == Broadcast(sent=1, gone=0, failed=2)

        assert posts.sent == [("two", b"Hi")]
        assert await members(connections) == {"one", "two", "three"}

    with caplog.at_level(logging.WARNING, "lambent"):
        played(story)
    (record,) = caplog.records
    assert "Group 'room': 2 of its members could not be sent to. The first was " in record.getMessage()


@pytest.mark.parametrize("after", [0, 40])
def test_a_store_that_fails_is_raised_when_none_is_on_its_way_any_more(after: int) -> None:
    async def story() -> None:
        ids = [f"id{number}" for number in range(50)]
        store, posts = Broken(after), Told(*ids)
        await crowd(store, ids)

        with pytest.raises(StoreError, match="out of memory"):
            await Connections(store, posts, concurrency=4).broadcast("room", "Hi")

        assert len(posts.sent) == after
        assert posts.at_once == 0
        assert store.ended

    played(story)


def test_what_is_wrong_with_all_of_them_ends_a_broadcast() -> None:
    async def story() -> None:
        ids = [f"id{number}" for number in range(50)]
        store, posts = MemoryStore(), Told()
        posts.faults = dict.fromkeys(ids, ConfigurationError("There are no credentials."))
        await crowd(store, ids)

        with pytest.raises(ConfigurationError, match="no credentials"):
            await Connections(store, posts, concurrency=4).broadcast("room", "Hi")

        assert 1 <= len(posts.ages) <= 8

    played(story)


@pytest.mark.parametrize("concurrency", [1, 7, 100])
def test_so_many_are_on_their_way_at_a_time(concurrency: int) -> None:
    async def story() -> None:
        ids = [f"id{number}" for number in range(150)]
        store, posts = MemoryStore(), Told(*ids)
        await crowd(store, ids)

        assert (await Connections(store, posts, concurrency=concurrency).broadcast("room", "Hi")).sent == 150

        assert posts.most == concurrency

    played(story)


def test_a_concurrency_of_none_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="`concurrency` to be 1 or more, but got 0"):
        Connections(concurrency=0)


def test_one_of_ten_thousand_is_closed_under_a_broadcast() -> None:
    class Closing(Told):
        """Closes one while it is sent to others; and looks how many tasks there are."""

        tasks = 0

        async def post(self, connection_id: str, data: bytes, *, connected_at: float | None = None) -> None:
            if len(self.sent) == 3000:
                self.open.discard(self.last)
            self.tasks = max(self.tasks, len(asyncio.all_tasks()))
            await super().post(connection_id, data, connected_at=connected_at)

        last = ""

    async def story() -> None:
        ids = [f"id{number}" for number in range(10_000)]
        store, posts = MemoryStore(), Closing(*ids)
        await crowd(store, ids)
        connections = Connections(store, posts)
        posts.last = [member async for member in connections.members("room")][-1]

        assert await connections.broadcast("room", "Hi") == Broadcast(sent=9999, gone=1, failed=0)

        assert {each for each, _ in posts.sent} == set(ids) - {posts.last}
        assert posts.most == 100
        assert posts.tasks <= 110

    played(story)


def test_a_broadcast_that_is_cancelled_leaves_nothing_behind() -> None:
    class Slow(Told):
        async def post(self, connection_id: str, data: bytes, *, connected_at: float | None = None) -> None:
            self.arrived.set()
            await asyncio.Event().wait()

    async def story() -> None:
        store, posts = Broken(10_000), Slow()
        await crowd(store, [f"id{number}" for number in range(300)])
        broadcast = asyncio.create_task(Connections(store, posts).broadcast("room", "Hi"))
        await posts.arrived.wait()
        broadcast.cancel()
        with pytest.raises(asyncio.CancelledError):
            await broadcast
        assert store.ended

    played(story)


# Those that are new


def test_api_gateway_is_given_time_to_know_one_that_is_new() -> None:
    async def story() -> None:
        site = Site(posts=Settled())
        site.now = time.time
        one = await site.joined()
        site.told.open.clear()

        await site.connections.send(one, "Welcome")

        assert site.told.sent == [(one, b"Welcome")]
        first, second = site.told.ages
        assert first is None
        assert second == pytest.approx(time.time(), abs=5)

    played(story)


def test_one_that_is_new_is_closed_as_soon_as_api_gateway_knows_it() -> None:
    async def story() -> None:
        site = Site()
        site.now = time.time
        one = await site.joined()
        await site.connections.close(one)
        assert site.told.ages == [pytest.approx(time.time(), abs=5)]

    played(story)


def test_one_that_is_new_and_stays_unknown_is_lost_when_it_is_new_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        site = Site()
        site.now = time.time
        one = await site.joined()
        site.told.open.clear()

        with pytest.raises(ConnectionGone):
            await site.connections.send(one, "Welcome")
        assert await site.members() == {one}

        monkeypatch.setattr("lambent.websocket.management.SETTLING", 0.0)
        with pytest.raises(ConnectionGone):
            await site.connections.send(one, "Welcome")
        assert await site.members() == set()

    played(story)


def test_one_that_joined_before_it_was_let_in_stays() -> None:
    async def story() -> None:
        counted: list[Broadcast] = []

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            told = scope["extensions"]["aws.websocket"]
            await receive()
            if told["event"] == "connect":
                await site.connections.join("room", told["connection_id"])
                counted.append(await site.connections.broadcast("room", "Somebody is coming."))
            await send({"type": "websocket.accept"})
            await receive()

        site = Site(app)
        one, two = site.socket(), site.socket()
        await one.connect()
        await two.connect()

        assert counted == [(0, 1, 0), (1, 1, 0)]
        assert await site.connections.broadcast("room", "Hi") == (2, 0, 0)
        assert await site.members() == {one.id, two.id}

    played(story)


def test_one_that_was_never_let_in_leaves_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        connections = Connections(MemoryStore(), Told())
        await connections.join("room", "never")
        for _ in range(2):
            assert await connections.broadcast("room", "Hi") == (0, 1, 0)
            assert await members(connections) == {"never"}
        monkeypatch.setattr(module, "KNOCKING_SECONDS", 0.0)
        assert await connections.broadcast("room", "Hi") == (0, 1, 0)
        assert await members(connections) == set()

    played(story)


def test_no_more_doubts_are_kept_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        connections = Connections(MemoryStore(), Told())
        for each in ("one", "two", "three"):
            with pytest.raises(ConnectionGone):
                await connections.send(each, "Hi")
        assert set(vars(connections)["_doubts"]) == {"two", "three"}

    monkeypatch.setattr(module, "_DOUBTS", 2)
    played(story)


# Where they are


class Places:
    """Stands for Management: an API at each endpoint, with the connections that it has."""

    def __init__(self, there: dict[str, Told]) -> None:
        self.there = there
        self.opened: list[str] = []

    def __call__(self, endpoint: str, region: str, **_: object) -> Told:
        self.opened.append(f"{endpoint} in {region}")
        return self.there[endpoint]


class Counted(MemoryStore):
    """Knows how often it was read."""

    loads = 0

    async def load(self, key: str) -> Stored | None:
        self.loads += 1
        return await super().load(key)


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> Places:
    found = Places({HERE: Told("one", "two", "three"), THERE: Told("four", "five")})
    monkeypatch.setattr("lambent.websocket.management.Management", found)
    return found


async def kept(store: Kept, endpoint: str, *ids: str) -> Kept:
    """Records of connections of an API, which are in the group."""
    request = websocket_api.request(payload("websocket_connect"))
    for each in ids:
        record = Record(request, [], time.time() - 60, endpoint)
        await Archive(store).save(Archive(store).new(each, record))
    await crowd(store, list(ids))
    return store


def test_an_endpoint_that_is_told_is_the_only_one(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        store = await kept(Counted(), THERE, "one", "four")
        await Connections(store, HERE).send("one", "by hand")
        monkeypatch.setenv(VARIABLE, HERE)
        await Connections(store).send("one", "by the environment")
        assert store.loads == 0
        assert places.there[HERE].take() == ["by hand", "by the environment"]

        places.there[HERE].faults["two"] = ServiceError("No.", 403)
        with pytest.raises(ServiceError, match=r"^No\.$"):
            await Connections(store, HERE).send("two", "Hi")
        assert store.loads == 0

        with pytest.raises(ConnectionGone):
            await Connections(store, HERE).send("four", "It is elsewhere.")
        await Connections(store, HERE).close("one")
        await Connections(store, THERE).close("one")  # what is told by hand comes first

        assert places.there[THERE].sent == []
        assert places.there[HERE].ended == ["one"]
        assert places.there[THERE].ended == ["one"]
        assert set(places.opened) == {f"{HERE} in eu-west-1", f"{THERE} in us-east-1"}

    played(story)


def test_a_record_tells_the_endpoint_of_the_first_and_of_others_most_likely(places: Places) -> None:
    async def story() -> None:
        store = await kept(Counted(), HERE, "one", "two", "three")
        connections = Connections(store)
        for each in ("one", "two", "three"):
            await connections.send(each, each)
        assert places.there[HERE].take() == ["one", "two", "three"]
        assert store.loads == 1

        await connections.close("two")
        assert places.there[HERE].ended == ["two"]
        assert await Connections(store).info("one") == INFO

    played(story)


def test_a_group_may_have_connections_of_several_apis(places: Places) -> None:
    async def story() -> None:
        store = await kept(await kept(Counted(), HERE, "one", "two", "three"), THERE, "four", "five")
        for concurrency in (1, 100):
            connections = Connections(store, concurrency=concurrency)
            for _ in range(2):
                assert await connections.broadcast("room", "Hi") == (5, 0, 0)
                assert len(places.there[HERE].take()) == 3
                assert len(places.there[THERE].take()) == 2
        assert len(await members(Connections(store))) == 5

    played(story)


@pytest.mark.parametrize("status", [0, 400, 403, 404])
def test_the_record_is_asked_where_a_guess_fails(places: Places, status: int) -> None:
    async def story() -> None:
        store = await kept(await kept(Counted(), HERE, "one"), THERE, "four")
        places.there[HERE].faults["four"] = ServiceError("It is not one of mine.", status)
        connections = Connections(store)
        await connections.send("one", "Hi")
        await connections.send("four", "Hi")
        assert places.there[THERE].take() == ["Hi"]

    played(story)


def test_what_is_wrong_at_the_right_endpoint_is_raised(places: Places) -> None:
    async def story() -> None:
        store = await kept(Counted(), HERE, "one", "two")
        connections = Connections(store)
        await connections.send("one", "Hi")
        for status, loads in ((403, 1), (429, 0), (500, 0)):
            before = store.loads
            places.there[HERE].faults["two"] = ServiceError("No.", status)
            with pytest.raises(ServiceError, match=r"^No\.$"):
                await connections.send("two", "Hi")
            assert store.loads - before == loads
        assert len(places.there[HERE].ages) == 4

    played(story)


def test_one_without_a_record_has_no_endpoint_either(places: Places) -> None:
    async def story() -> None:
        with pytest.raises(ConnectionGone, match=r"^Connection nobody has no record in memory://, which would tell"):
            await Connections(MemoryStore()).send("nobody", "Hi")
        assert places.opened == []

    played(story)


def test_in_an_event_of_a_websocket_it_tells_the_endpoint(places: Places) -> None:
    async def story() -> None:
        store = Counted()
        connections = Connections(store)
        event = payload("websocket_message")
        context = event["requestContext"]
        context["domainName"], context["stage"] = HERE.removeprefix("https://").removesuffix("/prod"), "prod"
        token = CURRENT.set(Handled(event, None))
        try:
            await connections.send("one", "Hi")
        finally:
            CURRENT.reset(token)
        assert places.there[HERE].take() == ["Hi"]
        assert store.loads == 0

    played(story)


def test_in_a_conversation_its_record_tells_the_endpoint(places: Places) -> None:
    """Which has what the handler was told, such as a custom domain, and the event has not."""

    async def story() -> None:
        store = Counted()
        connections = Connections(store)
        token = CURRENT.set(Handled(payload("websocket_message"), None))
        live = LIVE.set(Live("one", 0.0, places.there[THERE], places.there[THERE].aclose, THERE))
        try:
            await connections.send("four", "Hi")
        finally:
            CURRENT.reset(token)
            LIVE.reset(live)
        assert places.there[THERE].take() == ["Hi"]
        assert (store.loads, places.opened) == (0, [f"{THERE} in us-east-1"])

    played(story)


def test_where_an_endpoint_is_told_messages_need_no_store(places: Places) -> None:
    async def story() -> None:
        connections = Connections(endpoint=HERE)
        await connections.send("one", "Hi")
        assert await connections.info("one") == INFO
        await connections.close("one")
        with pytest.raises(ConnectionGone):
            await connections.send("one", "Hi?")
        with pytest.raises(ConfigurationError, match="LAMBENT_STORE"):
            await connections.join("room", "one")

    played(story)


def test_where_nothing_is_told_it_says_so() -> None:
    async def story() -> None:
        connections = Connections()
        for act in (connections.send("one", "Hi"), connections.close("one"), connections.info("one")):
            with pytest.raises(ConfigurationError, match="LAMBENT_STORE"):
                await act
        with pytest.raises(ConfigurationError, match="LAMBENT_STORE"):
            connections.members("room")

    played(story)


# How long they last


def test_they_serve_one_event_loop_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    asyncio.run(open_store(url).init())
    monkeypatch.setenv("LAMBENT_STORE", url)
    posts = Told("one")
    connections = Connections(endpoint=posts)

    async def story() -> None:
        await connections.join("room", "one")
        assert await connections.broadcast("room", "Hi") == (1, 0, 0)
        await connections.leave("room", "one")
        assert await members(connections) == set()

    for _ in range(3):
        played(story)
    asyncio.run(connections.aclose())
    assert posts.take() == ["Hi"] * 3


def test_what_was_opened_here_is_closed_and_no_more(monkeypatch: pytest.MonkeyPatch, places: Places) -> None:
    class Open(MemoryStore):
        closed = 0

        async def close(self) -> None:
            self.closed += 1

    async def story() -> None:
        theirs, ours = Open(), Open()
        async with Connections(theirs) as connections:
            await kept(theirs, HERE, "one")
            await connections.send("one", "Hi")
        monkeypatch.setattr("lambent.stores.open_store", lambda _: ours)
        async with Connections("memory://") as connections:
            await connections.join("room", "one")
        async with Connections("memory://"):
            pass
        assert (theirs.closed, ours.closed, places.there[HERE].closed) == (0, 1, 1)

    played(story)


# In applications


def test_a_websocket_joins_and_speaks_to_its_room() -> None:
    async def story() -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            told = scope["extensions"]["aws.websocket"]
            await receive()
            if told["event"] == "connect":
                await site.connections.join("room", told["connection_id"])
            await send({"type": "websocket.accept"})
            while (message := await receive())["type"] != "websocket.disconnect":
                await site.connections.broadcast("room", message["text"], exclude=told["connection_id"])
            await site.connections.broadcast("room", "Somebody has left.")

        site = Site(app, environments=2)
        one, two, three = site.socket(), site.socket(), site.socket()
        for number, socket in enumerate((one, two, three)):
            await socket.connect(environment=number % 2)

        await one.send("Hi", environment=1)
        assert sorted(site.told.sent) == [(two.id, b"Hi"), (three.id, b"Hi")]
        site.told.take()

        await three.leave(environment=0)
        assert sorted(site.told.sent) == [(one.id, b"Somebody has left."), (two.id, b"Somebody has left.")]
        assert await site.members() == {one.id, two.id}

    played(story)


def test_an_http_route_pushes_to_websockets() -> None:
    async def story() -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "websocket":
                await echo(scope, receive, send)
            else:
                found = await site.connections.broadcast_json("room", {"path": scope["path"]})
                await send(
                    {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}
                )
                await send({"type": "http.response.body", "body": str(found.sent).encode()})

        site = Site(app)
        ids = {await site.joined(), await site.joined()}
        event = payload("http_api_get")

        reply = await site.invoke(event)

        assert (reply["statusCode"], reply["body"]) == (200, "2")
        assert dict(site.told.sent) == dict.fromkeys(
            ids, json.dumps({"path": event["rawPath"]}, separators=(",", ":")).encode()
        )

    played(story)


def chat(connections: Connections) -> FastAPI:
    """The chat of FastAPI's documentation, "Handling disconnections and multiple clients": groups are its manager."""
    app = FastAPI()

    @app.websocket("/ws/{client_id}")
    async def endpoint(websocket: WebSocket, client_id: int) -> None:
        told = websocket.scope["extensions"]["aws.websocket"]
        await websocket.accept()
        if told["event"] == "connect":
            await connections.join("chat", told["connection_id"])
        try:
            while True:
                data = await websocket.receive_text()
                await websocket.send_text(f"You wrote: {data}")
                await connections.broadcast("chat", f"Client #{client_id} says: {data}")
        except WebSocketDisconnect:
            await connections.broadcast("chat", f"Client #{client_id} left the chat", exclude=told["connection_id"])

    return app


@pytest.mark.parametrize("websockets", ["replay", "resident"])
def test_the_chat_of_fastapi_s_documentation_over_three_environments(websockets: str) -> None:
    async def story() -> None:
        store, posts = MemoryStore(), Told()
        told = {"websockets": websockets, "websocket_path": "/ws/{client_id}"}
        site = Site(chat(Connections(store, posts)), posts, environments=3, store=store, **told)
        sockets = [site.socket() for _ in range(6)]
        for number, socket in enumerate(sockets):
            await socket.connect(query={"client_id": str(number)}, environment=number % 3)

        for number, socket in enumerate(sockets):
            await socket.send("Hi", environment=(number + 1) % 3)
            said = f"Client #{number} says: Hi".encode()
            assert sorted(posts.sent) == sorted([(socket.id, b"You wrote: Hi"), *((each.id, said) for each in sockets)])
            posts.take()

        await sockets[0].leave(environment=2)
        assert sorted(posts.sent) == sorted((each.id, b"Client #0 left the chat") for each in sockets[1:])
        assert await members(Connections(store, posts), "chat") == {each.id for each in sockets[1:]}
        for handler in site.handlers:
            async with handler.lifetime():
                pass  # at its end, those that are resident end

    played(story)
