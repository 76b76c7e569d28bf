"""What has been done is not done again: every row of the tables, and the race in every store."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.errors import (
    AlreadyInProgress,
    ConfigurationError,
    DecodingError,
    IdempotencyMismatch,
    InvalidResult,
    StoreConflict,
    StoreError,
)
from lambent.events import CognitoRecord, Events, Idempotency, allow
from lambent.events.idempotency import GRACE, WITHOUT_DEADLINE
from lambent.events.model import Record
from lambent.events.sources import named
from lambent.invocation import CURRENT, Handled
from lambent.stores import STORE
from lambent.stores.memory import MemoryStore
from lambent.stores.model import LONGEST, Store, Stored
from lambent.testing import events
from tests.stores.places import PLACES, Place

ROOT = Path(__file__).parents[2]


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class Scene:
    """A function, counted, and as many environments around one store as are asked for."""

    def __init__(self, **options: Any) -> None:
        self.clock = Clock()
        self.store = MemoryStore(self.clock)
        self.options = options
        self.runs = 0
        self.left: float | None = 10.0

    def environment(self, **options: Any) -> Idempotency:
        given: dict[str, Any] = {"store": self.store, "now": self.clock} | self.options | options
        return Idempotency(**given)

    async def call(self) -> object:
        self.runs += 1
        return {"run": self.runs}

    async def once(self, body: Any = "a", call: Callable[[], Awaitable[Any]] | None = None, **options: Any) -> Any:
        record = message(body)
        return await self.environment(**options).once(record, call or self.call, lambda: self.left, ("sqs",))


def message(body: Any) -> Record:
    """The same body, the same id."""
    event = events.sqs(body)
    event["Records"][0]["messageId"] = event["Records"][0]["md5OfBody"]
    return named("sqs").source.records(event)[0]


def play(scene: Callable[[], Awaitable[None]]) -> None:
    async def within() -> None:
        await scene()

    asyncio.run(asyncio.wait_for(within(), 20))


async def failing() -> None:
    raise ZeroDivisionError


# The first table


def test_what_is_done_is_not_done_again_and_its_result_given_again() -> None:
    async def scene() -> None:
        stage = Scene()
        assert await stage.once() == await stage.once() == await stage.once() == {"run": 1}
        assert await stage.once("b") == {"run": 2}

    play(scene)


def test_what_has_expired_is_done_again() -> None:
    async def scene() -> None:
        stage = Scene(expires=60)
        await stage.once()
        stage.clock.now += 59.9
        assert await stage.once() == {"run": 1}
        stage.clock.now += 0.2
        assert await stage.once() == {"run": 2}

    play(scene)


def test_what_is_in_progress_elsewhere_is_not_begun() -> None:
    async def scene() -> None:
        stage = Scene()

        async def meanwhile() -> str:
            with pytest.raises(AlreadyInProgress, match="handled elsewhere"):
                await stage.once()
            return "done"

        assert await stage.once(call=meanwhile) == "done"
        assert await stage.once() == "done"
        assert stage.runs == 0

    play(scene)


def test_a_clock_may_tell_whole_seconds() -> None:
    async def scene() -> None:
        stage = Scene(in_progress=60, now=lambda: 1_000_000)

        async def meanwhile() -> str:
            with pytest.raises(AlreadyInProgress):
                await stage.once()
            return "done"

        assert await stage.once(call=meanwhile) == await stage.once() == "done"

    play(scene)


@pytest.mark.parametrize(
    ("left", "options", "seconds"),
    [
        (10.0, {}, 10.0 + GRACE),
        (10.0, {"in_progress": 3.0}, 3.0),
        (None, {}, WITHOUT_DEADLINE),
        (10.0, {"expires": 1.0}, 10.0 + GRACE),
    ],
)
def test_what_crashed_may_be_begun_again_when_its_time_is_over(
    left: float | None, options: Any, seconds: float
) -> None:
    async def scene() -> None:
        stage = Scene(**options)
        stage.left = left
        crashed = stage.environment()
        await crashed._claim(crashed._name(message("a").id, ("sqs",)), "", left)  # and never again
        stage.clock.now += seconds - 0.1
        with pytest.raises(AlreadyInProgress):
            await stage.once()
        stage.clock.now += 0.2
        assert await stage.once() == await stage.once() == {"run": 1}

    play(scene)


def test_a_process_that_is_killed_leaves_it_in_progress(tmp_path: Path) -> None:
    """A real one, with a file for a store."""
    url = f"sqlite:///{tmp_path}/store.db"
    script = f"""
import asyncio, os
from lambent.events import Idempotency

async def crash():
    os._exit(9)

asyncio.run(Idempotency(store={url!r}, prefix="p", in_progress=30).run("k", crash))
"""

    async def scene() -> None:
        store = Idempotency(store=url)._opened()
        await store.init()
        ended = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-c", script], env={"PYTHONPATH": str(ROOT / "src")}, check=False
        )
        assert ended.returncode == 9
        stage = Scene()
        later = Idempotency(store=store, prefix="p", now=lambda: time.time() + 31)
        with pytest.raises(AlreadyInProgress):
            await Idempotency(store=store, prefix="p").run("k", stage.call)
        assert await later.run("k", stage.call) == {"run": 1}
        await store.close()

    play(scene)


def test_another_payload_is_refused() -> None:
    async def scene() -> None:
        stage = Scene(key="body.id", payload="body.amount")
        await stage.once({"id": 1, "amount": 5, "at": "now"})
        assert await stage.once({"id": 1, "amount": 5, "at": "later"}) == {"run": 1}
        with pytest.raises(IdempotencyMismatch, match="not the same payload"):
            await stage.once({"id": 1, "amount": 6})
        assert await stage.once({"id": 1, "amount": 6}, payload=None) == {"run": 1}
        assert stage.runs == 1

    play(scene)


def test_a_payload_that_was_not_asked_for_before_is_not_compared() -> None:
    async def scene() -> None:
        stage = Scene(key="body.id")
        await stage.once({"id": 1})
        assert await stage.once({"id": 1, "x": 2}, payload="body.x") == {"run": 1}

    play(scene)


# The second table


@pytest.mark.parametrize("error", [ZeroDivisionError, SystemExit, asyncio.CancelledError])
def test_what_has_failed_may_be_tried_again_at_once(error: type[BaseException]) -> None:
    async def fail() -> None:
        raise error

    async def scene() -> None:
        stage = Scene()
        with pytest.raises(error):
            await stage.once(call=fail)
        assert await stage.once() == {"run": 1}

    play(scene)


def test_what_has_failed_where_the_clock_is_ahead_may_be_tried_again_at_once() -> None:
    async def scene() -> None:
        stage = Scene()
        with pytest.raises(ZeroDivisionError):
            await stage.once(call=failing, now=lambda: stage.clock() + 1)
        assert await stage.once() == await stage.once() == {"run": 1}

    play(scene)


def test_what_is_cancelled_may_go_on_in_a_thread_and_keeps_its_time() -> None:
    async def scene() -> None:
        stage = Scene()
        began = asyncio.Event()

        async def hang() -> None:
            began.set()
            await asyncio.Event().wait()

        task = asyncio.ensure_future(stage.once(call=hang))
        await began.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(AlreadyInProgress):
            await stage.once()
        stage.clock.now += 10 + GRACE
        assert await stage.once() == {"run": 1}

    play(scene)


def test_who_is_slower_than_its_time_and_still_alone_has_done_it() -> None:
    async def scene() -> None:
        stage = Scene()

        async def slow() -> str:
            stage.clock.now += 100
            return "slow"

        assert await stage.once(call=slow) == await stage.once() == "slow"

    play(scene)


def test_who_was_overtaken_gives_its_result_and_leaves_the_other_s(caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        stage = Scene()

        async def slow() -> str:
            stage.clock.now += 100
            assert await stage.once() == {"run": 1}
            return "slow"

        assert await stage.once(call=slow) == "slow"
        assert await stage.once() == {"run": 1}

    play(scene)
    assert "it may have run twice" in caplog.text


def test_who_was_overtaken_and_fails_does_not_let_a_third_in() -> None:
    async def scene() -> None:
        stage = Scene()
        first_failed = asyncio.Event()

        async def second() -> str:
            await first_failed.wait()
            with pytest.raises(AlreadyInProgress):
                await stage.once()
            return "second"

        async def first() -> None:
            stage.clock.now += 100
            tasks.append(asyncio.ensure_future(stage.once(call=second)))
            await asyncio.sleep(0)  # it has begun
            raise ZeroDivisionError

        tasks: list[asyncio.Future[Any]] = []
        with pytest.raises(ZeroDivisionError):
            await stage.once(call=first)
        first_failed.set()
        assert await tasks[0] == "second"
        assert stage.runs == 0

    play(scene)


# A store that fails


class Failing(MemoryStore):
    """Its saves fail or conflict, by their number from 1 on; the write is done before, if it is `lost`."""

    def __init__(self, clock: Clock, faults: dict[int, Exception], *, lost: bool = False) -> None:
        super().__init__(clock)
        self.saves = 0
        self.faults = faults
        self.lost = lost

    async def save(self, key: str, data: bytes, expires: float, version: str | None = None) -> str:
        self.saves += 1
        fault = self.faults.get(self.saves)
        if fault is None or self.lost:
            saved = await super().save(key, data, expires, version)
        if fault is not None:
            raise fault
        return saved


DOWN = StoreError("the store is down")


def test_without_its_store_nothing_is_begun() -> None:
    async def scene() -> None:
        stage = Scene()
        stage.store = Failing(stage.clock, {1: DOWN})
        with pytest.raises(StoreError, match="is down"):
            await stage.once()
        assert stage.runs == 0
        assert await stage.once() == {"run": 1}

    play(scene)


def test_it_runs_without_its_store_if_that_is_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        stage = Scene(on_error="run")
        stage.store = Failing(stage.clock, {1: DOWN, 2: DOWN})
        assert await stage.once() == {"run": 1}
        assert await stage.once() == {"run": 2}

    play(scene)
    assert caplog.text.count("The idempotency store failed") == 2


def test_what_is_done_stays_done_if_the_store_fails_afterwards(caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        stage = Scene()
        stage.store = Failing(stage.clock, {2: DOWN})
        assert await stage.once() == {"run": 1}
        with pytest.raises(AlreadyInProgress):
            await stage.once()

    play(scene)
    assert "could not be saved" in caplog.text


def test_what_failed_is_what_is_raised_if_the_store_fails_too(caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        stage = Scene()
        stage.store = Failing(stage.clock, {2: DOWN})
        with pytest.raises(ZeroDivisionError):
            await stage.once(call=failing)
        stage.clock.now += 10 + GRACE
        assert await stage.once() == {"run": 1}

    play(scene)
    assert "in progress until its time is over" in caplog.text


def test_its_own_write_whose_answer_was_lost_is_not_taken_for_another_s() -> None:
    async def scene() -> None:
        stage = Scene()
        stage.store = Failing(stage.clock, {1: StoreConflict("there is one")}, lost=True)
        assert await stage.once() == await stage.once() == {"run": 1}

    play(scene)


def test_where_others_come_and_go_it_gives_up() -> None:
    async def scene() -> None:
        stage = Scene()
        stage.store = Failing(stage.clock, dict.fromkeys(range(1, 9), StoreConflict("changed")))
        with pytest.raises(AlreadyInProgress):
            await stage.once()
        assert stage.runs == 0
        assert stage.store.saves == 4

    play(scene)


@pytest.mark.parametrize("data", [b"", b"[]", b'{"until": "x"}', b'{"until": true}', b"\xff"])
def test_what_somebody_else_keeps_there_is_left_alone(data: bytes) -> None:
    async def scene() -> None:
        stage = Scene()
        name = stage.environment()._name(message("a").id, ("sqs",))
        await stage.store.save(name, data, stage.clock.now + 60)
        with pytest.raises(StoreError, match="something else is there"):
            await stage.once()
        assert stage.runs == 0

    play(scene)


def test_when_the_time_is_up_while_it_is_saved_it_is_saved_all_the_same() -> None:
    async def scene() -> None:
        saving, goes_on = asyncio.Event(), asyncio.Event()

        class Slow(MemoryStore):
            async def save(self, key: str, data: bytes, expires: float, version: str | None = None) -> str:
                if b"result" in data:
                    saving.set()
                    await goes_on.wait()
                return await super().save(key, data, expires, version)

        stage = Scene()
        stage.store = Slow(stage.clock)
        task = asyncio.ensure_future(stage.once())
        await saving.wait()
        task.cancel()
        await asyncio.sleep(0)
        goes_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await stage.once() == {"run": 1}

    play(scene)


# Results


@dataclass
class Receipt:
    number: int


def test_a_result_is_plain_json_from_the_first_time_on() -> None:
    async def receipt() -> Receipt:
        return Receipt(7)

    async def scene() -> None:
        stage = Scene()
        assert await stage.once(call=receipt) == await stage.once() == {"number": 7}

    play(scene)


def test_without_replay_results_are_the_function_s_and_not_kept() -> None:
    async def scene() -> None:
        stage = Scene(replay=False)
        result = object()

        async def give() -> object:
            return result

        assert await stage.once(call=give) is result
        assert await stage.once() is None
        assert stage.runs == 0

    play(scene)


@pytest.mark.parametrize(("result", "why"), [(object(), "but got a object"), ("x" * 262_144, "bytes of at most")])
def test_a_result_that_cannot_be_kept_is_given_once_and_the_work_not_done_again(
    result: object, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def give() -> object:
        return result

    async def scene() -> None:
        stage = Scene()
        assert await stage.once(call=give) is result or isinstance(result, str)
        with pytest.raises(InvalidResult, match=f"has been done, .* {why}"):
            await stage.once()
        assert stage.runs == 0

    play(scene)
    assert "cannot be kept" in caplog.text
    assert "replay=False" in caplog.text


# Keys


def test_what_is_kept_has_hashes_and_neither_keys_nor_payloads() -> None:
    async def scene() -> None:
        stage = Scene(key="body.card", payload="body.pin")
        await stage.once({"card": "4111111111111111", "pin": "pa55"})
        kept = repr(stage.store._values)
        assert "4111" not in kept
        assert "pa55" not in kept

    play(scene)


@pytest.mark.parametrize(
    ("name", "prefix", "begins"),
    [("charge", "", "idempotency/charge#"), ("", "", "idempotency/function#"), ("charge", "pay", "idempotency/pay#")],
)
def test_keys_begin_with_the_function_or_the_prefix(
    name: str, prefix: str, begins: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", name)
    idempotency = Idempotency(prefix=prefix, store="memory://")
    assert idempotency._name("a", ("sqs",)).startswith(begins)
    assert (idempotency._name("a", ("sqs",)) == idempotency._name("a", ("sns",))) is bool(prefix)


@given(st.text(min_size=1, max_size=900), st.text(max_size=900).filter(lambda each: "\0" not in each))
def test_a_key_is_never_too_long(key: str, prefix: str) -> None:
    assert len(Idempotency(prefix=prefix)._name(key, ()).encode()) <= LONGEST


def test_a_prefix_that_is_too_long_is_hashed_with_its_key() -> None:
    names = {Idempotency(prefix="é" * 300 + end)._name(key, ()) for end in "ab" for key in "cd"}
    assert len(names) == 4
    assert all(len(each) < 100 for each in names)


@pytest.mark.parametrize("key", [None, "", [], [None, None]])
def test_an_empty_key_would_be_everybody_s(key: object) -> None:
    async def scene() -> None:
        stage = Scene(key=lambda record: key)
        with pytest.raises(DecodingError, match="it is empty"):
            await stage.once()
        assert stage.runs == 0

    play(scene)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"expires": 0}, "more than 0"),
        ({"expires": None}, "Expected `expires` to be a finite number of seconds, more than 0, but got None"),
        ({"expires": float("inf")}, "a finite number of seconds, more than 0, but got inf"),
        ({"in_progress": -1.0}, "more than 0"),
        ({"on_error": "ignore"}, "'fail' or 'run'"),
        ({"key": "body."}, "a path such as"),
        ({"payload": ""}, "a path such as"),
        ({"key": ["body.id"]}, "a path such as"),
        ({"expires": "1"}, "Expected `expires` to be a finite number of seconds, more than 0, but got '1'"),
    ],
)
def test_what_cannot_work_is_refused_at_once(options: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Idempotency(**options)


# Anywhere else


def test_it_runs_once_by_a_key_in_a_route() -> None:
    async def scene() -> None:
        stage = Scene()
        payments = stage.environment(prefix="payments")
        first = await payments.run("k", stage.call, payload={"amount": 5})
        assert first == await payments.run("k", stage.call, payload={"amount": 5}) == {"run": 1}
        with pytest.raises(IdempotencyMismatch):
            await payments.run("k", stage.call, payload={"amount": 6})
        assert await stage.environment(prefix="mails").run("k", stage.call) == {"run": 2}

    play(scene)


class Context:
    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 5000


def test_there_it_is_in_progress_until_the_invocation_s_deadline() -> None:
    async def scene() -> None:
        stage = Scene()
        payments = stage.environment()
        context: Any = Context()
        token = CURRENT.set(Handled({}, context))

        async def meanwhile() -> str:
            stage.clock.now += 5 + GRACE - 0.1
            with pytest.raises(AlreadyInProgress):
                await payments.run("k", stage.call)
            stage.clock.now += 0.2
            assert await payments.run("k", stage.call) == {"run": 1}
            return "late"

        assert await payments.run("k", meanwhile) == "late"
        CURRENT.reset(token)

    play(scene)


def test_a_function_is_decorated_by_a_key_of_its_arguments() -> None:
    async def scene() -> None:
        stage = Scene(payload=lambda order, note="": note)

        @stage.environment(key=lambda order, note="": order["id"])
        async def charge(order: dict[str, int], note: str = "") -> str:
            stage.runs += 1
            return f"{order['id']} {note}"

        assert charge.__name__ == "charge"
        assert await charge({"id": 1}, note="a") == await charge({"id": 1}, "a") == "1 a"
        with pytest.raises(IdempotencyMismatch):
            await charge({"id": 1}, "b")
        assert stage.runs == 1

    play(scene)


def test_a_decorated_function_needs_a_function_of_its_arguments() -> None:
    for key in (None, "body.id"):
        with pytest.raises(ConfigurationError, match="a function of the arguments"):
            Idempotency(key)(failing)


def test_a_sync_function_cannot_be_decorated() -> None:
    def charge(order: int) -> Any: ...

    with pytest.raises(ConfigurationError, match=r"async function below @Idempotency\(\), but got .*charge"):
        Idempotency(lambda order: order)(charge)


# With Events


@dataclass
class Paid:
    id: int
    amount: int


def test_a_message_that_comes_again_is_not_handled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STORE, "memory://")
    handler, seen = Events(), list[Any]()

    @handler.sqs("orders", idempotency=Idempotency("body.id"))
    async def order(order: dict[str, Any]) -> None:
        seen.append(order["id"])
        if order.get("fails"):
            raise ZeroDivisionError

    batch = events.sqs({"id": 1}, {"id": 2, "fails": True}, {"no": "id"}, queue="orders")
    failures = [each["itemIdentifier"] for each in handler(batch)["batchItemFailures"]]
    assert failures == [each["messageId"] for each in batch["Records"][1:]]
    assert handler(events.sqs({"id": 1}, {"id": 2}, queue="orders")) == {"batchItemFailures": []}
    assert seen == [1, 2, 2]
    handler.close()


def test_two_functions_do_not_share_keys_unless_they_say_so() -> None:
    store = MemoryStore()
    handler, seen = Events(), list[str]()

    def register(queue: str, prefix: str = "") -> None:
        @handler.sqs(queue, idempotency=Idempotency("body.id", store=store, prefix=prefix))
        async def handle(record: Record) -> None:
            seen.append(record.name)

    for queue, prefix in [("a", ""), ("b", ""), ("c", "same"), ("d", "same")]:
        register(queue, prefix)
        handler(events.sqs({"id": 1}, queue=queue))
    assert seen == ["a", "b", "c"]
    handler.close()


def test_retries_are_within_one_attempt() -> None:
    store = MemoryStore()
    handler, tries = Events(), list[int]()

    @handler.sqs("orders", retries=2, backoff=0, idempotency=Idempotency(store=store))
    async def order(order: str) -> None:
        tries.append(1)
        if len(tries) < 3:
            raise ZeroDivisionError

    event = events.sqs("a", queue="orders")
    assert handler(event) == handler(event) == {"batchItemFailures": []}
    assert len(tries) == 3
    handler.close()


def test_a_path_leads_into_what_the_decoder_has_made() -> None:
    handler, seen = Events(), list[int]()
    once = Idempotency("body.id", payload="body.amount", store=MemoryStore())

    @handler.sqs("orders", decoder="base64+json", idempotency=once)
    async def order(order: dict[str, int]) -> None:
        seen.append(order["id"])

    @handler.sqs("models", decoder=lambda body: Paid(**json.loads(body)), idempotency=once)
    async def paid(paid: Any) -> None:
        seen.append(paid.id)

    encoded = b64encode(b'{"id": 1, "amount": 5}').decode()
    assert handler(events.sqs(encoded, encoded, queue="orders")) == {"batchItemFailures": []}
    assert handler(events.sqs({"id": 2, "amount": 5}, queue="models")) == {"batchItemFailures": []}
    other = events.sqs({"id": 2, "amount": 6}, queue="models")
    assert len(handler(other)["batchItemFailures"]) == 1
    assert seen == [1, 2]
    handler.close()


def test_what_is_given_again_is_the_reply_in_the_form_of_the_source() -> None:
    handler, ran = Events(), list[str]()
    once = Idempotency(lambda record: "same", store=MemoryStore())

    @handler.cognito("PreSignUp_*", idempotency=once)
    async def sign_up(record: CognitoRecord) -> None:
        ran.append("cognito")
        record.response["autoConfirmUser"] = True

    @handler.authorizer(idempotency=once)
    async def who(record: Record) -> object:
        ran.append("authorizer")
        return allow("ada", context={"plan": "free"})

    @handler.ses(idempotency=once)
    async def mail(record: Record) -> str:
        ran.append("ses")
        return "STOP_RULE"

    first, again = (handler(events.cognito())["response"] for _ in range(2))
    assert first == again
    assert again["autoConfirmUser"] is True
    for make in (events.authorizer, events.ses):
        assert handler(make()) == handler(make())
    assert ran == ["cognito", "authorizer", "ses"]
    handler.close()


@pytest.mark.parametrize("returns", [True, False])
def test_of_cognito_the_response_alone_is_kept_and_filled_into_the_event_that_comes_again(returns: bool) -> None:
    handler, ran, store = Events(), list[str | None](), MemoryStore()

    @handler.cognito(idempotency=Idempotency("user", store=store))
    async def migrate(record: CognitoRecord) -> object:
        ran.append(record.client_id)
        record.response["finalUserStatus"] = "CONFIRMED"
        return record.raw if returns else None

    def asked(client: str) -> Any:
        event = events.cognito("UserMigration_Authentication", user="ada", pool="eu-central-1_a1B2c3D4e")
        request = {"password": f"secret of {client}"}
        return event | {"callerContext": {"clientId": client}, "request": request, "response": {}}

    for client in ("web", "app"):
        assert handler(asked(client)) == asked(client) | {"response": {"finalUserStatus": "CONFIRMED"}}
    assert ran == ["web"]
    (kept,) = [json.loads(stored.data) for stored, _ in store._values.values()]
    assert kept["result"] == {"response": {"finalUserStatus": "CONFIRMED"}}
    handler.close()


@pytest.mark.parametrize("replay", [True, False])
def test_what_middleware_adds_to_a_response_afterwards_is_replied_each_time(replay: bool) -> None:
    handler = Events()

    @handler.middleware
    async def quiet(record: Record, call: Callable[[], Awaitable[Any]]) -> Any:
        assert isinstance(record, CognitoRecord)
        returned = await call()
        record.response["messageAction"] = "SUPPRESS"
        return returned

    @handler.cognito(idempotency=Idempotency("user", store=MemoryStore(), replay=replay))
    async def migrate(record: CognitoRecord) -> None:
        record.response["finalUserStatus"] = "CONFIRMED"

    first, again = (handler(events.cognito(user="ada"))["response"] for _ in range(2))
    assert (first["finalUserStatus"], first["messageAction"]) == ("CONFIRMED", "SUPPRESS")
    assert again == first if replay else "finalUserStatus" not in again
    assert again["messageAction"] == "SUPPRESS"
    handler.close()


def test_a_function_of_batches_is_refused() -> None:
    handler = Events()

    @handler.sqs("orders", idempotency=Idempotency(store="memory://"))
    async def order(records: list[Record]) -> None: ...

    with pytest.raises(ConfigurationError, match=r"order .* takes batches, but idempotency is about single records"):
        handler(events.sqs("a", queue="orders"))


def test_without_a_store_the_message_fails_and_the_error_says_what_to_set(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv(STORE, raising=False)
    handler = Events()

    @handler.sqs("orders", idempotency=Idempotency())
    async def order(order: str) -> None: ...

    with caplog.at_level(logging.ERROR):
        assert len(handler(events.sqs("a", queue="orders"))["batchItemFailures"]) == 1
    assert "Set LAMBENT_STORE" in caplog.text
    handler.close()


def test_a_store_that_was_opened_here_is_closed_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[object] = []

    class Closing(MemoryStore):
        async def close(self) -> None:
            closed.append(self)

    monkeypatch.setattr("lambent.stores.memory.open_store", lambda url: Closing())

    async def scene() -> None:
        theirs = Closing()
        for store in ("memory://", theirs):
            idempotency = Idempotency(store=store)
            await idempotency.close()
            await idempotency.run("k", Scene().call)
            await idempotency.close()
        assert len(closed) == 1
        assert closed[0] is not theirs

    play(scene)


# Every store


@pytest.fixture(scope="module", params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with PLACES[request.param](tmp_path_factory.mktemp(request.param)) as made:
        made.run(lambda store: store.init())
        yield made


def test_of_twenty_at_the_same_time_one_runs(place: Place) -> None:
    """In two environments; the one waits until all others have been told."""

    async def scene(one: Store) -> None:
        other = place.open()
        environments = [Idempotency(store=store, prefix=place.url[:9]) for store in (one, other)]
        told, runs = asyncio.Event(), list[int]()
        refused: list[AlreadyInProgress] = []

        async def call() -> str:
            runs.append(1)
            await told.wait()
            return "done"

        async def attempt(number: int) -> object:
            try:
                return await environments[number % 2].run("k", call)
            except AlreadyInProgress as error:
                refused.append(error)
                if len(refused) == 19:
                    told.set()
                return None

        results = await asyncio.wait_for(asyncio.gather(*map(attempt, range(20))), 20)
        assert [each for each in results if each] == ["done"]
        assert await asyncio.gather(*(each.run("k", call) for each in environments * 3)) == ["done"] * 6
        assert len(runs) == 1
        await other.close()

    place.run(scene)


def test_what_failed_or_crashed_is_begun_again(place: Place) -> None:
    async def scene(store: Store) -> None:
        stage = Scene()
        first = Idempotency(store=store, prefix="failed", in_progress=50)
        with pytest.raises(ZeroDivisionError):
            await first.run("k", failing)
        assert await first.run("k", stage.call) == {"run": 1}
        await first._claim(first._name("crashed", ()), "", None)
        with pytest.raises(AlreadyInProgress):
            await first.run("crashed", stage.call)
        later = Idempotency(store=store, prefix="failed", now=lambda: time.time() + 51)
        runs = await asyncio.gather(*(later.run("crashed", stage.call) for _ in range(5)), return_exceptions=True)
        assert {"run": 2} in runs
        assert all(each == {"run": 2} or isinstance(each, AlreadyInProgress) for each in runs)
        assert stage.runs == 2

    place.run(scene)


def test_a_store_that_keeps_nothing_that_long_says_so_before_anything_is_done(place: Place) -> None:
    """S3 keeps things for a day at most."""

    async def scene(store: Store) -> None:
        stage = Scene()
        long = Idempotency(store=store, prefix="long", expires=7 * 86400.0, on_error="run")
        if place.url.startswith("s3:"):
            with pytest.raises(ConfigurationError, match="within a day"):
                await long.run("k", stage.call)
            assert stage.runs == 0
            long = Idempotency(store=store, prefix="long", expires=86400.0)
        assert await long.run("k", stage.call) == await long.run("k", stage.call) == {"run": 1}

    place.run(scene)


def test_what_is_kept_is_small(place: Place) -> None:
    async def scene(store: Store) -> None:
        idempotency = Idempotency(store=store, prefix="small", payload="id")

        async def nothing() -> None: ...

        await idempotency.run("k", nothing, payload="p")
        stored = await store.load(idempotency._name("k", ())) or Stored(b"", "")
        assert json.loads(stored.data)["result"] is None
        assert len(stored.data) < 120

    place.run(scene)
