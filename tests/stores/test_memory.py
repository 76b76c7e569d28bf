"""What the store in memory does besides: it does not grow for ever."""

import asyncio

from lambent.stores import open_store
from lambent.stores.memory import MemoryStore
from tests.stores.conftest import Clock


def kept(store: MemoryStore) -> list[int]:
    return [len(each) for each in (store._values, store._memberships, store._members, store._groups)]


def test_what_has_expired_goes_as_others_come(clock: Clock) -> None:
    """One that lives on does not stand before it."""
    store = MemoryStore(clock)

    async def scene() -> None:
        await store.save("long", b"", clock.after(10_000))
        await store.join("long", "long", clock.after(10_000))
        for number in range(500):
            await store.save(f"{number}", b"", clock.after(10))
            await store.join(f"{number}", f"{number}", clock.after(10))
        clock.now += 11
        for _ in range(500):
            await store.save("one", b"", clock.after(10_000))
            await store.join("one", "one", clock.after(10_000))
        assert kept(store) == [2, 2, 2, 2]

    asyncio.run(scene())


def test_nothing_stays_of_whoever_leaves(clock: Clock) -> None:
    store = MemoryStore(clock)

    async def scene() -> None:
        for member in ("a", "b"):
            await store.join("one", member, clock.after(10))
            await store.join("other", member, clock.after(10))
        await store.forget("a")
        await store.leave("one", "b")
        await store.leave("other", "b")
        await store.leave("other", "nobody")
        assert [member async for member in store.members("nowhere")] == []
        assert kept(store) == [0, 0, 0, 0]

    asyncio.run(scene())


def test_each_url_opens_another() -> None:
    one, other = open_store("memory://"), open_store("memory://")

    async def scene() -> None:
        await one.save("a", b"", 2e10)
        assert await one.load("a")
        assert await other.load("a") is None

    asyncio.run(scene())
    assert repr(one) == "memory://"
