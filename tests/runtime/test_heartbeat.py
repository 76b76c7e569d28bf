"""A loop that is held up is named."""

import asyncio
import logging
import threading
from collections.abc import Callable

import pytest

from lambent.runtime.heartbeat import Heartbeat
from tests.support.runtime_api import LIMIT


class Seen(logging.Handler):
    """Sets an event at the first record."""

    def __init__(self) -> None:
        super().__init__()
        self.event = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.event.set()


@pytest.fixture(params=["asyncio", "uvloop"])
def new_loop(request: pytest.FixtureRequest) -> Callable[[], asyncio.AbstractEventLoop]:
    factory: Callable[[], asyncio.AbstractEventLoop] = pytest.importorskip(request.param).new_event_loop
    return factory


def test_what_holds_up_the_loop_is_shown(
    new_loop: Callable[[], asyncio.AbstractEventLoop], caplog: pytest.LogCaptureFixture
) -> None:
    async def block() -> Heartbeat:
        heartbeat = Heartbeat(loop, 0.01)
        assert seen.event.wait(LIMIT)
        await asyncio.sleep(0)
        return heartbeat

    seen = Seen()
    logger = logging.getLogger("lambent")
    logger.addHandler(seen)
    loop = new_loop()
    try:
        loop.run_until_complete(block()).close()
    finally:
        loop.close()
        logger.removeHandler(seen)
    record = caplog.records[0]
    assert record.levelname == "WARNING"
    assert record.getMessage().startswith(
        "The event loop is held up for more than 0.01 s, and with it every invocation"
    )
    assert ", in block\n" in record.getMessage()


def test_it_ends_with_its_loop(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    loop = new_loop()
    loop.close()
    heartbeat = Heartbeat(loop, 0.001)
    heartbeat._thread.join(LIMIT)
    assert not heartbeat._thread.is_alive()
    heartbeat.close()


def test_a_loop_that_only_waits_is_not_held_up(
    new_loop: Callable[[], asyncio.AbstractEventLoop], caplog: pytest.LogCaptureFixture
) -> None:
    loop = new_loop()
    heartbeat = Heartbeat(loop)
    loop.run_until_complete(asyncio.sleep(0.01))
    heartbeat.close()
    loop.close()
    assert caplog.records == []
