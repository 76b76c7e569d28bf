"""One thing for each event loop."""

import asyncio
import threading

from lambent.stores.loops import PerLoop


def test_a_loop_gets_its_own_and_keeps_it() -> None:
    things: PerLoop[list[int]] = PerLoop(list)

    async def twice() -> list[int]:
        assert things.get() is things.get()
        return things.get()

    first, second = asyncio.run(twice()), asyncio.run(twice())
    assert first is not second
    assert len(things._made) == 1  # that of the closed loop is dropped


def test_two_loops_at_once_have_two() -> None:
    things: PerLoop[list[int]] = PerLoop(list)
    found: list[list[int]] = []
    meet = threading.Barrier(2, timeout=60)

    async def get() -> None:
        found.append(things.get())
        meet.wait()
        assert any(things.get() is each for each in found)

    threads = [threading.Thread(target=lambda: asyncio.run(get())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    assert found[0] is not found[1]


def test_what_is_taken_is_made_anew() -> None:
    things: PerLoop[list[int]] = PerLoop(list)

    async def scene() -> None:
        assert things.take() is None
        first = things.get()
        assert things.take() is first
        assert things.get() is not first

    asyncio.run(scene())
