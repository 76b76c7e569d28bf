"""The loop of the import: offered, made, lent; and who serves on it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from lambent import Lambent
from lambent.ahead import Ahead
from lambent.runner import Runner
from lambent.testing import Client
from lambent.types import Receive, Scope, Send
from tests.payloads import payload
from tests.support.processes import Process

EVENT = payload("http_api_get")


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.fixture
def ahead(loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch) -> Ahead:
    """One of the test's own, in the place of the process's, to which `loop` was offered."""
    ahead = Ahead()
    ahead.offer(loop)
    for module in ("lambent.managed", "lambent.testing.environment"):
        monkeypatch.setattr(f"{module}.AHEAD", ahead)
    return ahead


class App:
    """Writes down where it is asked."""

    def __init__(self) -> None:
        self.loops: list[asyncio.AbstractEventLoop] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.loops.append(asyncio.get_running_loop())
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})


def test_what_was_offered_is_the_loop(ahead: Ahead, loop: asyncio.AbstractEventLoop) -> None:
    assert ahead.loop() is loop
    assert ahead.take() is loop
    assert ahead.take() is loop


def test_what_nobody_asked_for_is_not_taken(ahead: Ahead) -> None:
    assert ahead.take() is None


def test_the_last_offer_counts(ahead: Ahead, loop: asyncio.AbstractEventLoop) -> None:
    assert ahead.loop() is loop
    with closing(asyncio.new_event_loop()) as other:
        ahead.offer(other)
        assert ahead.take() is None
        assert ahead.loop() is other


def test_a_closed_loop_is_neither_asked_for_nor_taken(ahead: Ahead, loop: asyncio.AbstractEventLoop) -> None:
    ahead.loop()
    loop.close()
    assert ahead.take() is None
    with closing(ahead.loop()) as made:
        assert made is not loop
        assert ahead.take() is made


def test_a_loop_that_runs_is_not_taken(ahead: Ahead) -> None:
    async def take() -> asyncio.AbstractEventLoop | None:
        return ahead.take()

    loop = ahead.loop()
    assert loop.run_until_complete(take()) is None
    assert ahead.take() is loop


def test_many_threads_get_one_loop() -> None:
    ahead = Ahead()
    with ThreadPoolExecutor(8) as pool:
        loops = {each.result() for each in [pool.submit(ahead.loop) for _ in range(32)]}
    (loop,) = loops
    loop.close()


def test_calls_and_clients_are_on_the_loop_of_the_import_and_do_not_close_it(
    ahead: Ahead, loop: asyncio.AbstractEventLoop
) -> None:
    ahead.loop()
    app = App()
    with closing(Lambent(app)) as first:
        first(EVENT)
        with Client(app) as client:
            client.get("/")
        first(EVENT)
    with Client(app) as client:
        client.get("/")
    assert set(app.loops) == {loop}
    assert len(app.loops) == 7
    assert not loop.is_closed()
    assert asyncio.all_tasks(loop) == set()


def test_where_nothing_was_done_ahead_each_has_a_loop_of_its_own_and_closes_it(
    ahead: Ahead, loop: asyncio.AbstractEventLoop
) -> None:
    app = App()
    with closing(Lambent(app)) as handler, Client(app) as client:
        handler(EVENT)
        client.get("/")
    assert loop not in app.loops
    assert len(set(app.loops)) == 2
    assert all(each.is_closed() for each in app.loops)


def test_a_runner_leaves_the_lifetime_and_not_what_others_have_on_a_lent_loop(loop: asyncio.AbstractEventLoop) -> None:
    life: list[str] = []

    @asynccontextmanager
    async def lifetime() -> AsyncIterator[None]:
        yield
        life.append("left")

    other = loop.create_task(asyncio.Event().wait())
    runner = Runner(loop, lent=True)
    runner.start(lifetime())
    runner.stop(1)
    assert (life, other.done(), loop.is_closed()) == (["left"], False, False)
    Runner(loop).stop(1)
    assert other.cancelled()


LEFT = """
import asyncio
from lambent.ahead import AHEAD

async def stay():
    try:
        await asyncio.Event().wait()
    finally:
        print("cancelled")

loop = AHEAD.loop()
task = loop.create_task(stay())
loop.run_until_complete(asyncio.sleep(0))
"""


def test_a_loop_that_was_made_is_closed_with_the_process(tmp_path: Path) -> None:
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", LEFT]
    with Process(command, tmp_path, {}) as process:
        assert process.wait() == (0, "cancelled\n", "")


def test_forgotten_it_ends_what_was_made_and_leaves_what_was_offered() -> None:
    ahead = Ahead()
    made = ahead.loop()
    ahead.forget()
    assert made.is_closed()
    assert ahead.take() is None
    offered = asyncio.new_event_loop()
    ahead.offer(offered)
    assert ahead.loop() is offered
    ahead.forget()
    assert not offered.is_closed()
    assert ahead.take() is None
    offered.close()
