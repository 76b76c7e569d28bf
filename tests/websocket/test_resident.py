"""Conversations that wait where they are: parked, resumed, taken over, and not too many of them."""

import asyncio
import logging
from contextvars import copy_context
from typing import Any, cast

import pytest
from fastapi import FastAPI
from starlette.websockets import WebSocket, WebSocketDisconnect

from lambent import current
from lambent.errors import ConfigurationError, StoreError
from lambent.managed import ReturnedInvocation
from lambent.types import Message, Receive, Scope, Send
from lambent.websocket.resident import Held, Residents
from lambent.websocket.visit import Visit
from tests.websocket.play import Gateway, Kind, played

ACCEPT: Message = {"type": "websocket.accept"}
HERE = Kind(prompt=True, websockets="resident")


def says(text: str) -> Message:
    return {"type": "websocket.send", "text": text}


class Counter:
    """Counts the messages of a conversation in a local variable, and notes down how its runs begin and end."""

    def __init__(self) -> None:
        self.noted: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        told = scope["extensions"]["aws.websocket"]
        self.noted.append(f"begun at {told['event']}")
        count = 0
        try:
            await receive()
            await send(ACCEPT)
            while (await receive())["type"] == "websocket.receive":
                count += 1
                await send(says(str(count)))
            self.noted.append("returned")
        except asyncio.CancelledError:
            self.noted.append("cancelled")
            raise


def residents(gateway: Gateway, environment: int = 0) -> Residents:
    conversations = gateway.handlers[environment]._conversations
    assert conversations is not None
    assert conversations._residents is not None
    return conversations._residents


async def unsaved(visit: Visit) -> None:
    """Keeps no session."""


# Resumed where they wait


def test_a_conversation_goes_on_where_it_waits(resident: Kind) -> None:
    app = Counter()

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        for _ in range(3):
            await socket.send()
        assert gateway.posts.take() == ["1", "2", "3"]
        assert len(residents(gateway)) == 1
        await socket.leave()
        assert len(residents(gateway)) == 0

    resident.play(app, story)
    assert app.noted == ["begun at connect", "returned"]


def test_another_environment_replays_and_the_first_one_replays_after_it(resident: Kind) -> None:
    app = Counter()

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        for environment in (0, 0, 1, 1, 0):
            await socket.send(environment=environment)
        assert gateway.posts.take() == ["1", "2", "1", "2", "1"]
        await socket.leave(environment=1)

    resident.play(app, story, environments=2)
    assert app.noted == [
        "begun at connect",
        "begun at message",  # in the second environment
        "cancelled",  # the one that has missed what came there
        "begun at message",
        *("cancelled", "begun at disconnect", "returned"),
        "cancelled",  # the first environment ends
    ]


def test_taking_over_is_one_save_and_resuming_is_none() -> None:
    async def story(gateway: Gateway) -> None:
        saves = []
        store: Any = gateway.store
        save = store.save

        async def noting(*arguments: Any) -> str:
            saves.append(arguments)
            return cast("str", await save(*arguments))

        store.save = noting
        socket = gateway.socket()
        await socket.connect()
        for environment, count in ((0, 0), (1, 1), (1, 0), (0, 1)):
            saves.clear()
            await socket.send(environment=environment)
            assert len(saves) == count

    HERE.play(Counter(), story, environments=2)


def test_a_session_of_another_environment_is_what_the_conversation_sees() -> None:
    seen: list[dict[str, Any]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        session = scope["extensions"]["aws.websocket"]["session"]  # taken once
        await receive()
        await send(ACCEPT)
        while (message := await receive())["type"] == "websocket.receive":
            seen.append(dict(session))
            session[message["text"]] = True

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        for text, environment in (("a", 0), ("b", 1), ("c", 0), ("d", 0)):
            await socket.send(text, environment)

    HERE.play(app, story, environments=2)
    assert [sorted(session) for session in seen] == [[], ["a"], ["a", "b"], ["a", "b", "c"]]


class Poked:
    """Its conversations answer with their session; `poke` changes that of one, whether it waits or not."""

    def __init__(self) -> None:
        self.sessions: dict[str, dict[str, Any]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        told = scope["extensions"]["aws.websocket"]
        session = self.sessions[told["connection_id"]] = told["session"]
        await receive()
        await send(ACCEPT)
        while (message := await receive())["type"] == "websocket.receive":
            session[message["text"]] = "said"
            await send(says(" ".join(session)))


def test_what_changes_in_a_session_while_it_waits_is_kept_with_the_next_event_here(resident: Kind) -> None:
    app = Poked()

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        app.sessions[socket.id]["poked"] = 1
        for text in ("a", "b"):
            await socket.send(text)
        await socket.send("c", environment=1)
        assert gateway.posts.take() == ["poked a", "poked a b", "poked a b c"]

    resident.play(app, story, environments=2)


def test_it_is_kept_too_where_another_environment_has_had_an_event_since(resident: Kind) -> None:
    apps = [Poked(), Poked()]

    async def story(gateway: Gateway) -> None:
        for handler, app in zip(gateway.handlers, apps, strict=True):
            handler.app = app
        socket = gateway.socket()
        await socket.connect()
        apps[0].sessions[socket.id]["poked"] = 1
        await socket.send("a", environment=1)
        for environment in (0, 1):
            await socket.send("b", environment)
        assert [sorted(text.split()) for text in gateway.posts.take()] == [["a"], *[["a", "b", "poked"]] * 2]

    resident.play(apps[0], story, environments=2)


def test_it_is_kept_too_when_it_ends_here(resident: Kind) -> None:
    """With its environment, or since others wait."""
    app = Poked()

    async def story(gateway: Gateway) -> None:
        sockets = [gateway.socket() for _ in range(2)]
        for socket in sockets:
            await socket.connect()
            app.sessions[socket.id]["poked"] = 1
        residents(gateway)._limit = 1
        await gateway.socket().connect()
        residents(gateway)._limit = 1000
        await gateway.end()
        for socket in sockets:
            await socket.send("a", environment=1)
        assert gateway.posts.take() == ["poked a"] * 2

    resident.play(app, story, environments=2)


@pytest.mark.parametrize("down", [False, True])
def test_what_cannot_be_kept_while_it_waits_is_lost_and_logged(caplog: pytest.LogCaptureFixture, down: bool) -> None:
    app = Poked()

    async def story(gateway: Gateway) -> None:
        one, two = gateway.socket(), gateway.socket()
        for socket in (one, two):
            await socket.connect()
            app.sessions[socket.id]["poked"] = 1 if down else {1}
        assert await one.send("a") == {"statusCode": 200}
        assert gateway.posts.take() == ["poked a" if down else "a"]
        store: Any = gateway.store
        if down:
            store.save = refused
        await gateway.end()

    async def refused(*_: Any) -> str:
        raise StoreError("The store is down.")

    HERE.play(app, story)
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * (1 if down else 2)
    assert ("The store is down." if down else "'poked' to be JSON") in caplog.text


def test_a_session_that_no_store_takes_is_lost_and_ends_nobody_else_s(caplog: pytest.LogCaptureFixture) -> None:
    app = Poked()

    async def story(gateway: Gateway) -> None:
        large, other, crowded = sockets = [gateway.socket() for _ in range(3)]
        for socket in sockets[:2]:
            await socket.connect()
        app.sessions[large.id]["poked"] = "x" * 300_000
        residents(gateway)._limit = 2
        assert await crowded.connect() == {"statusCode": 200}  # by which the first one ends
        assert residents(gateway).find(large.id) is None
        app.sessions[other.id]["poked"] = "x" * 300_000
        app.sessions[crowded.id]["poked"] = 1
        await gateway.end()
        assert len(residents(gateway)) == 0
        for socket in sockets:
            await socket.send("a", environment=1)
        assert gateway.posts.take() == ["a", "a", "poked a"]

    HERE.play(app, story, environments=2)
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert "262144 bytes at most" in caplog.text


def test_a_session_that_no_store_takes_once_it_is_merged_is_lost(caplog: pytest.LogCaptureFixture) -> None:
    apps = [Poked(), Poked()]

    async def story(gateway: Gateway) -> None:
        for handler, app in zip(gateway.handlers, apps, strict=True):
            handler.app = app
        socket = gateway.socket()
        await socket.connect()
        await socket.send("a", environment=1)
        apps[0].sessions[socket.id]["first"] = "x" * 150_000
        apps[1].sessions[socket.id]["second"] = "x" * 150_000
        await socket.send("b", environment=1)
        assert await socket.send("c") == {"statusCode": 200}
        assert gateway.posts.take() == ["a", "a second b", "a second b c"]

    HERE.play(apps[0], story, environments=2)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "It is lost." in caplog.text


def test_a_store_that_raises_what_none_should_stops_no_end(caplog: pytest.LogCaptureFixture) -> None:
    app = Poked()

    async def refused(*_: Any) -> str:
        raise LookupError("no such table")

    async def story(gateway: Gateway) -> None:
        for socket in [gateway.socket() for _ in range(2)]:
            await socket.connect()
            app.sessions[socket.id]["poked"] = 1
        store: Any = gateway.store
        store.save = refused
        await gateway.end()
        assert len(residents(gateway)) == 0

    HERE.play(app, story)
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2
    assert "no such table" in caplog.text


@pytest.mark.parametrize("answers", [False, True])
def test_one_that_is_taken_over_in_the_middle_of_an_event_is_not_resumed_afterwards(*, answers: bool) -> None:
    runs: list[str] = []

    async def story(gateway: Gateway) -> None:
        begun, go = asyncio.Event(), asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            told = scope["extensions"]["aws.websocket"]
            runs.append(told["event"])
            await receive()
            await send(ACCEPT)
            while (message := await receive())["type"] == "websocket.receive":
                if message["text"] == "slow":
                    begun.set()
                    await go.wait()
                told["session"][message["text"]] = True
                if answers:
                    await send(says("ok"))

        for handler in gateway.handlers:
            handler.app = app
        socket = gateway.socket()
        await socket.connect()
        slow = asyncio.ensure_future(socket.send("slow", 0))
        await begun.wait()
        await socket.send("fast", 1)
        go.set()
        await slow
        assert runs == ["connect", "message"]
        await socket.send("again", 0)
        assert runs == ["connect", "message", "message"]

    HERE.play(Counter(), story, environments=2)


def test_an_environment_names_itself_and_no_two_do_so_alike() -> None:
    assert len({Residents(unsaved).environment for _ in range(100)}) == 100


# What the application sees of the event


def test_scope_and_current_invocation_change_in_place(resident: Kind) -> None:
    seen: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        invocation = current()
        told = scope["extensions"]["aws.websocket"]
        await receive()
        await send(ACCEPT)
        while True:
            message = await receive()
            assert current() is invocation
            assert invocation.event is scope["aws.event"]
            assert invocation.context is scope["aws.context"]
            seen.append((told["event"], told["route_key"], scope["aws.event"].get("body")))
            if message["type"] == "websocket.disconnect":
                break

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        await socket.send("one")
        await socket.send("two")
        await socket.leave()

    resident.play(app, story)
    assert seen == [
        ("message", "$default", "one"),
        ("message", "$default", "two"),
        ("disconnect", "$disconnect", None),
    ]


def test_what_an_event_waits_for_is_done_before_its_invocation_is_over(resident: Kind) -> None:
    done: list[str] = []

    async def work(text: str) -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        done.append(text)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        while (message := await receive())["type"] == "websocket.receive":
            current().wait_until(work(message["text"]))

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        for text in ("one", "two"):
            await socket.send(text)
            assert done[-1] == text

    resident.play(app, story)


def test_while_it_waits_there_is_no_invocation_to_wait_for_anything() -> None:
    async def story(gateway: Gateway) -> None:
        errors: list[Exception] = []
        go, over = asyncio.Event(), asyncio.Event()

        async def later() -> None:
            await go.wait()
            try:
                current().wait_until(asyncio.sleep(0))
            except ConfigurationError as error:
                errors.append(error)
            over.set()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(later())
                await Counter()(scope, receive, send)

        gateway.handlers[0].app = app
        await gateway.socket().connect()
        go.set()
        await over.wait()
        (error,) = errors
        assert "is over" in str(error)

    HERE.play(Counter(), story)


# One event after the other


def test_two_messages_at_once_come_one_after_the_other(resident: Kind) -> None:
    order: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        while (message := await receive())["type"] == "websocket.receive":
            order.append(f"begin {message['text']}")
            for _ in range(10):
                await asyncio.sleep(0)
            order.append(f"end {message['text']}")

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        await asyncio.gather(*(socket.send(text) for text in "abc"))
        assert residents(gateway)._turns == {}

    resident.play(app, story)
    assert order == [f"{what} {text}" for text in "abc" for what in ("begin", "end")]


def test_two_connections_do_not_wait_for_each_other() -> None:
    both = asyncio.Barrier(2)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        while (await receive())["type"] == "websocket.receive":
            await both.wait()

    async def story(gateway: Gateway) -> None:
        sockets = [gateway.socket() for _ in range(2)]
        for socket in sockets:
            await socket.connect()
        await asyncio.gather(*(socket.send() for socket in sockets))

    HERE.play(app, story)


# Sends on one that waits


class ConnectionManager:
    """As in FastAPI's documentation, "Handling disconnections and multiple clients"."""

    def __init__(self) -> None:
        self.active_connections: list[WebSocket] = []

    async def connect(self, websocket: WebSocket) -> None:
        await websocket.accept()
        self.active_connections.append(websocket)

    def disconnect(self, websocket: WebSocket) -> None:
        self.active_connections.remove(websocket)

    async def send_personal_message(self, message: str, websocket: WebSocket) -> None:
        await websocket.send_text(message)

    async def broadcast(self, message: str) -> None:
        for connection in self.active_connections:
            await connection.send_text(message)


def chat() -> FastAPI:
    app = FastAPI()
    manager = ConnectionManager()

    @app.websocket("/ws/{client_id}")
    async def websocket_endpoint(websocket: WebSocket, client_id: int) -> None:
        await manager.connect(websocket)
        try:
            while True:
                data = await websocket.receive_text()
                await manager.send_personal_message(f"You wrote: {data}", websocket)
                await manager.broadcast(f"Client #{client_id} says: {data}")
        except WebSocketDisconnect:
            manager.disconnect(websocket)
            await manager.broadcast(f"Client #{client_id} left the chat")

    return app


def test_an_in_memory_connection_manager_broadcasts_in_one_environment(resident: Kind) -> None:
    async def story(gateway: Gateway) -> None:
        one, two = gateway.socket(), gateway.socket()
        await one.connect({"client_id": "1"})
        await two.connect({"client_id": "2"})
        await one.send("hello")
        posted = [(connection_id, data.decode()) for connection_id, data in gateway.posts.sent]
        assert posted == [
            (one.id, "You wrote: hello"),
            (one.id, "Client #1 says: hello"),
            (two.id, "Client #1 says: hello"),
        ]
        gateway.posts.sent.clear()
        await one.leave()
        assert gateway.posts.sent == [(two.id, b"Client #1 left the chat")]
        await two.send("anybody?")
        assert gateway.posts.take()[1:] == ["You wrote: anybody?", "Client #2 says: anybody?"]

    resident.play(chat(), story, websocket_path="/ws/{client_id}", errors="raise")


def test_an_in_memory_connection_manager_fails_in_replay(replay: Kind) -> None:
    """Why there is the option: it keeps connections of events that have ended, and sends to them."""

    async def story(gateway: Gateway) -> None:
        one, two = gateway.socket(), gateway.socket()
        await one.connect({"client_id": "1"})
        await two.connect({"client_id": "2"})
        with pytest.raises((WebSocketDisconnect, RuntimeError)):  # what Starlette says of it depends on its version
            await one.send("hello")
        assert gateway.posts.sent == [(one.id, b"You wrote: hello")]
        assert gateway.posts.ended == [one.id]

    replay.play(chat(), story, websocket_path="/ws/{client_id}", errors="raise")


@pytest.mark.parametrize("fails", [False, True])
def test_one_that_another_closes_while_it_waits_hears_its_end(
    resident: Kind, caplog: pytest.LogCaptureFixture, fails: bool
) -> None:
    """As it does where all of them are in one server: a manager forgets it there."""
    manager, ends = ConnectionManager(), []
    app = FastAPI()

    @app.websocket("/")
    async def endpoint(websocket: WebSocket) -> None:
        await manager.connect(websocket)
        try:
            while await websocket.receive_text() == "alone, please":
                for other in list(manager.active_connections):
                    if other is not websocket:
                        await other.close(4000)
        except WebSocketDisconnect as end:
            await asyncio.sleep(0)
            ends.append(end.code)
            manager.disconnect(websocket)
            if fails:
                raise LookupError("no such room") from end
            raise

    async def story(gateway: Gateway) -> None:
        one, two, three = sockets = [gateway.socket() for _ in range(3)]
        for socket in sockets:
            await socket.connect()
        third = residents(gateway).find(three.id)
        assert third is not None
        await one.send("alone, please")
        assert gateway.posts.ended == [two.id, three.id]
        await two.leave()
        assert ends
        await asyncio.wait({third.visit.run.task})  # by itself
        await three.leave()
        assert ends == [4000, 4000]
        assert len(manager.active_connections) == 1

    resident.play(app, story)
    told = ["The application raised while it waited for its next event."] * 2 if fails else []
    assert [record.message for record in caplog.records] == told


# Not too many, and not for too long


def test_the_one_that_has_waited_longest_ends_where_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Counter()

    async def story(gateway: Gateway) -> None:
        sockets = [gateway.socket() for _ in range(4)]
        await sockets[0].connect()
        residents(gateway)._limit = 3
        for socket in sockets[1:3]:
            await socket.connect()
        await sockets[0].send()
        assert app.noted == ["begun at connect"] * 3
        await sockets[3].connect()
        assert len(residents(gateway)) == 3
        assert residents(gateway).find(sockets[1].id) is None
        assert app.noted == [*["begun at connect"] * 4, "cancelled"]
        await sockets[1].send()  # which begins again
        assert gateway.posts.take() == ["1", "1"]
        assert residents(gateway).find(sockets[2].id) is None

    HERE.play(app, story)


def test_one_that_has_waited_for_too_long_ends() -> None:
    app = Counter()

    async def story(gateway: Gateway) -> None:
        old, new = gateway.socket(), gateway.socket()
        await old.connect()
        now = 0.0
        there = residents(gateway)
        there._now, there._age = (lambda: now), 7200.0
        await old.send()
        now = 7199.9
        await new.connect()
        assert there.find(old.id) is not None
        now = 7200.0
        await new.send()
        assert there.find(old.id) is None
        assert there.find(new.id) is not None

    HERE.play(app, story)
    assert app.noted == ["begun at connect", "begun at connect", "cancelled", "cancelled"]


def test_one_that_is_at_an_event_never_ends_for_being_one_too_many() -> None:
    async def story(gateway: Gateway) -> None:
        begun, go = asyncio.Event(), asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await receive()
            await send(ACCEPT)
            await receive()
            begun.set()
            await go.wait()
            await send(says("done"))
            await receive()

        gateway.handlers[0].app = app
        busy, other = gateway.socket(), gateway.socket()
        await busy.connect()
        residents(gateway)._limit = 1
        sent = asyncio.ensure_future(busy.send())
        await begun.wait()
        await other.connect()
        go.set()
        assert await sent == {"statusCode": 200}
        assert gateway.posts.take() == ["done"]

    HERE.play(Counter(), story)


def test_all_end_with_the_environment() -> None:
    app = Counter()

    async def story(gateway: Gateway) -> None:
        async with gateway.handlers[0].lifetime():
            for _ in range(3):
                await gateway.socket().connect()
        assert app.noted.count("cancelled") == 3
        assert len(residents(gateway)) == 0

    HERE.play(app, story)


def test_one_that_ends_while_it_waits_is_replayed(caplog: pytest.LogCaptureFixture) -> None:
    runs: list[str] = []

    async def story(gateway: Gateway) -> None:
        go = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            runs.append(scope["extensions"]["aws.websocket"]["event"])
            await receive()
            await send(ACCEPT)
            waiting = asyncio.ensure_future(receive())
            alarm = asyncio.ensure_future(go.wait())
            try:
                await asyncio.wait({waiting, alarm}, return_when=asyncio.FIRST_COMPLETED)
                if not waiting.done():
                    raise LookupError("no such room")
                await send(says("done"))
                await receive()
            finally:
                waiting.cancel()
                alarm.cancel()

        gateway.handlers[0].app = app
        socket = gateway.socket()
        await socket.connect()
        resident = residents(gateway).find(socket.id)
        assert resident is not None
        go.set()
        await asyncio.wait({resident.visit.run.task})
        await asyncio.sleep(0)
        assert len(residents(gateway)) == 0
        go.clear()
        assert await socket.send() == {"statusCode": 200}
        assert gateway.posts.take() == ["done"]

    HERE.play(Counter(), story)
    assert runs == ["connect", "message"]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "The application raised while it waited" in caplog.text


def test_a_second_connect_ends_the_conversation_of_the_first(resident: Kind) -> None:
    app = Counter()

    async def story(gateway: Gateway) -> None:
        socket = gateway.socket()
        await socket.connect()
        await socket.connect()
        assert app.noted == ["begun at connect", "cancelled", "begun at connect"]
        assert len(residents(gateway)) == 1

    resident.play(app, story)


def test_a_conversation_whose_record_is_gone_ends(resident: Kind) -> None:
    app = Counter()

    async def story(gateway: Gateway) -> None:
        sockets = [gateway.socket() for _ in range(2)]
        for socket in sockets:
            await socket.connect()
            await gateway.store.delete(f"connection/{socket.id}")
        assert await sockets[0].send() == {"statusCode": 410}
        assert await sockets[1].leave() == {"statusCode": 200}
        assert len(residents(gateway)) == 0

    resident.play(app, story)
    assert app.noted == ["begun at connect"] * 2 + ["cancelled"] * 2


# By themselves


def test_a_turn_is_one_at_a_time_for_each_connection() -> None:
    async def story() -> None:
        there = Residents(unsaved)
        inside: list[str] = []

        async def at(connection_id: str) -> None:
            async with there.turn(connection_id):
                assert connection_id not in inside
                inside.append(connection_id)
                await asyncio.sleep(0)
                inside.remove(connection_id)

        await asyncio.gather(*(at(connection_id) for connection_id in "aabba"))
        assert there._turns == {}

    played(story)


def test_a_turn_that_is_not_waited_for_leaves_nothing() -> None:
    async def story() -> None:
        there = Residents(unsaved)

        async def at() -> None:
            async with there.turn("a"):
                pytest.fail("it is taken")

        async with there.turn("a"):
            task = asyncio.ensure_future(at())
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait({task})
        assert there._turns == {}

    played(story)


def test_what_is_held_is_what_current_tells() -> None:
    one, two = ReturnedInvocation({"n": 1}, None), ReturnedInvocation({"n": 2}, None)
    surroundings = copy_context()
    held = Held(one, surroundings)
    invocation = surroundings.run(current)
    assert (invocation.event, invocation.work) == ({"n": 1}, one.work)
    held.hold(two)
    assert surroundings.run(current) is invocation
    assert (invocation.event, invocation.work is two.work) == ({"n": 2}, True)
    held.release()
    assert invocation.work is None


def test_to_end_what_is_not_there_does_nothing() -> None:
    async def story() -> None:
        there = Residents(unsaved)
        await there.drop("a")
        await there.park("a")
        there.leave("a")
        await there.close()
        assert there.find("a") is None
        assert len(there) == 0

    played(story)
