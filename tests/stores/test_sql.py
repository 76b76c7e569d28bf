"""What the two stores in tables do besides: what has expired goes, bit by bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import pytest

from lambent.errors import StoreError
from lambent.stores.sql import PURGE, PURGE_EVERY, SQLStore
from tests.stores.conftest import Clock

if TYPE_CHECKING:
    from lambent.stores.model import Store
    from tests.stores.places import Place

COUNT = "SELECT (SELECT count(*) FROM lambent_values WHERE key LIKE $1), "
COUNT += "(SELECT count(*) FROM lambent_members WHERE member LIKE $1)"


@pytest.fixture(params=["sqlite", "postgresql"])
def table(request: pytest.FixtureRequest, ready: Callable[[str], Place]) -> Place:
    return ready(request.param)


def test_what_has_expired_goes_at_most_a_hundred_at_a_time(table: Place, word: str, clock: Clock) -> None:
    async def scene(opened: Store) -> None:
        store = cast("SQLStore", opened)
        store.purge_every = 10**9
        await store._database.execute("DELETE FROM lambent_values")
        await store._database.execute("DELETE FROM lambent_members")
        for number in range(150):
            await store.save(f"{word}{number}", b"", clock.after(10))
            await store.join("g", f"{word}{number}", clock.after(10))
        await store.save(f"{word}long", b"", clock.after(100))
        await store.join("g", f"{word}long", clock.after(100))
        store.purge_every = 1
        assert await store._database.fetch(COUNT, f"{word}%") == [(151, 151)]
        clock.now += 11
        await store.save(f"{word}long", b"", clock.after(100))
        assert await store._database.fetch(COUNT, f"{word}%") == [(51, 51)]
        await store.join("g", f"{word}long", clock.after(100))
        assert await store._database.fetch(COUNT, f"{word}%") == [(1, 1)]
        assert await store.load(f"{word}long")

    table.run(scene, clock)


def test_it_happens_now_and_then(table: Place, word: str, clock: Clock) -> None:
    """One write in ten is to purge here: of 300, neither none does nor every other, which no chance brings about."""

    async def scene(opened: Store) -> None:
        store = cast("SQLStore", opened)
        assert store.purge_every == PURGE_EVERY == 100
        store.purge_every = 10
        purged = 0
        execute = store._database.execute

        async def count(statement: str, *values: object) -> int:
            nonlocal purged
            purged += statement == PURGE[0]
            return await execute(statement, *values)

        store._database.execute = count  # type: ignore[method-assign]  # to see what is asked
        for _ in range(300):
            await store.save(word, b"", clock.after(10))
        assert 0 < purged < 150

    table.run(scene, clock)


def test_a_purge_that_fails_takes_no_save_with_it(table: Place, word: str, clock: Clock) -> None:
    async def scene(opened: Store) -> None:
        store = cast("SQLStore", opened)
        store.purge_every = 1
        execute = store._database.execute

        async def fail(statement: str, *values: object) -> int:
            if statement in PURGE:
                raise StoreError("deadlock")
            return await execute(statement, *values)

        store._database.execute = fail  # type: ignore[method-assign]  # what a busy server may do
        await store.save(word, b"", clock.after(10))
        assert await store.load(word)

    table.run(scene, clock)
