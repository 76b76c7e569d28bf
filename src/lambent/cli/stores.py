"""`lambent stores`: make what a store needs, and find out whether it works."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from secrets import token_hex
from statistics import median
from typing import TYPE_CHECKING

from lambent.errors import StoreConflict, StoreError
from lambent.stores.model import ABSENT

if TYPE_CHECKING:
    import click

    from lambent.stores.model import Store

ROUNDS = 10
"""How many times a value is saved and loaded."""
LIFE = 60
"""Seconds after which what was kept to check expires, should it not be deleted."""


def group() -> click.Group:
    """The commands, as click has them."""
    import click

    text = "Make a store of connections ready, and check it. Without URL: that of LAMBENT_STORE."
    stores = click.Group("stores", help=text)
    for name, act, about in (
        ("init", init, "Make the table, the file or the bucket at URL. What is there already stays as it is."),
        ("check", check, "Save, load and delete at URL, and tell how long that takes."),
    ):
        url = click.Argument(["url"], envvar="LAMBENT_STORE")
        stores.add_command(click.Command(name, params=[url], callback=_run(act), help=about))
    return stores


def _run(act: Callable[[Store], Awaitable[str]]) -> Callable[[str], None]:
    """The command that does this with a store, and prints what came of it. Exits with 0, with 1 if it does not work."""

    def run(url: str) -> None:
        from lambent.stores import open_store, shown

        async def use() -> str:
            store = open_store(url)
            try:
                return await act(store)
            finally:
                await store.close()

        try:
            print(f"{shown(url)} {asyncio.run(use())}")
        except StoreError as error:
            sys.exit(f"lambent: {error}")

    return run


async def init(store: Store) -> str:
    """Make what must be there. Raises StoreError."""
    await store.init()
    return "is ready."


async def check(store: Store) -> str:
    """Do all that a store is for, under names of its own. Raises StoreError for what does not work."""
    word = f"lambent-check-{token_hex(8)}"
    try:
        times = [await _save_and_load(store, word) for _ in range(ROUNDS + 1)]
        await _conflict(store, word)
        await _group(store, word)
    finally:
        with suppress(StoreError):  # what has failed before says more, and it expires
            await store.delete(word)
    if await store.load(word):
        raise StoreError(f"{store!r}: expected what had been deleted to be gone, but it was loaded: it cannot be used.")
    first, usual = _told(times[0]), _told(median(times[1:]))
    return f"works: a save and a load took {usual}, the first ones, with all that comes before, {first}."


def _told(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds >= 0.0001 else "less than 0.1 ms"


async def _save_and_load(store: Store, word: str) -> float:
    """The seconds that it took."""
    data = token_hex(512).encode()
    begun = time.perf_counter()
    version = await store.save(word, data, time.time() + LIFE)
    found = await store.load(word)
    taken = time.perf_counter() - begun
    if found is None or (found.data, found.version) != (data, version):
        came = "nothing" if found is None else "another value"
        raise StoreError(f"{store!r}: expected what had been saved, but {came} was loaded: this store cannot be used.")
    return taken


async def _conflict(store: Store, word: str) -> None:
    """A service that knows no conditions, as some that speak S3's language do not, loses what others write."""
    old = await store.save(word, b"old", time.time() + LIFE)
    await store.save(word, b"new", time.time() + LIFE, old)
    for version in (old, ABSENT):
        try:
            await store.save(word, b"lost", time.time() + LIFE, version)
        except StoreConflict:
            continue
        raise StoreError(f"{store!r}: expected a save over a newer value to fail, but it did not: it cannot be used.")


async def _group(store: Store, word: str) -> None:
    await store.join(word, "member", time.time() + LIFE)
    joined = [member async for member in store.members(word)]
    await store.leave(word, "member")
    left = [member async for member in store.members(word)]
    if (joined, left) != (["member"], []):
        raise StoreError(f"{store!r}: expected a group of one, then of none, but got {joined} and {left}.")
