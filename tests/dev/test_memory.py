"""The watch over an environment's memory."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from lambent.dev import memory
from lambent.dev.memory import MemoryWatch

LIMIT = 60


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "SECONDS", 0.001)


class Stage:
    """A process whose memory is what the test says."""

    def __init__(self) -> None:
        self.used = 50
        self.looks = 0
        self.looked = asyncio.Event()
        self.exceeded = asyncio.Event()
        self.times = 0
        self.watch = MemoryWatch(self.measure, 100, self.complain)

    def measure(self) -> int:
        self.looks += 1
        self.looked.set()
        return self.used

    def complain(self) -> None:
        self.times += 1
        self.exceeded.set()

    async def look(self) -> None:
        self.looked.clear()
        await self.looked.wait()


def play(scene: Callable[[Stage], Awaitable[None]]) -> None:
    async def staged() -> None:
        async with asyncio.timeout(LIMIT):
            await scene(Stage())

    asyncio.run(staged())


def test_it_looks_again_and_again_and_complains_once() -> None:
    async def scene(stage: Stage) -> None:
        stage.watch.start()
        for _ in range(3):
            await stage.look()
        stage.used = 100
        await stage.look()
        assert stage.times == 0, "what fits exactly fits"
        stage.used = 101
        await stage.exceeded.wait()
        looks = stage.looks
        await asyncio.sleep(0.02)  # in which it would look ten times
        assert (stage.times, stage.looks) == (1, looks)

    play(scene)


def test_stopped_it_does_not_look_and_started_again_it_does() -> None:
    async def scene(stage: Stage) -> None:
        stage.watch.stop()
        stage.watch.start()
        await stage.look()
        stage.watch.stop()
        looks = stage.looks
        await asyncio.sleep(0.02)
        assert stage.looks == looks
        stage.watch.start()
        await stage.look()
        stage.watch.stop()

    play(scene)


def test_started_twice_it_looks_as_often(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(stage: Stage) -> None:
        stage.watch.start()
        timer = stage.watch._timer
        stage.watch.start()
        assert stage.watch._timer is timer
        stage.watch.stop()
        assert timer is not None
        assert timer.cancelled()

    play(scene)


def test_who_complains_may_stop_it() -> None:
    async def scene(stage: Stage) -> None:
        def stop() -> None:
            stage.watch.stop()
            stage.exceeded.set()

        stage.watch = MemoryWatch(lambda: 1, 0, stop)
        stage.watch.start()
        await stage.exceeded.wait()

    play(scene)
