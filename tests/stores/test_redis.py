"""Redis: what is there, how long it lives, and URLs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from redis import Redis

from lambent.errors import ConfigurationError, StoreError
from lambent.stores import open_store, redis
from tests.stores.conftest import Clock
from tests.support.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambent.stores.model import Store
    from tests.stores.places import Place


@pytest.fixture
def server(ready: Callable[[str], Place]) -> Place:
    return ready("redis")


@pytest.fixture
def client(server: Place) -> Iterator[Redis]:
    with Redis.from_url(f"redis://{server.address}/0") as client:
        yield client


def prefix(server: Place) -> str:
    return urlsplit(server.url).query.partition("=")[2]


def test_each_key_goes_by_itself(server: Place, client: Redis, word: str, clock: Clock) -> None:
    """A set lives as long as the last that is in it."""

    async def scene(store: Store) -> None:
        await store.save(f"{word}/a", b"", clock.after(100))
        await store.save(f"{word}/a", b"", clock.after(50))
        await store.join(f"{word}/g", f"{word}/m", clock.after(100))
        await store.join(f"{word}/g", f"{word}/n", clock.after(50))
        await store.join(f"{word}/h", f"{word}/m", clock.after(200))

    server.run(scene, clock)
    keys = sorted(key.decode().removeprefix(prefix(server)) for key in client.scan_iter(f"{prefix(server)}*{word}*"))
    expected = {"values:{}/a": 50, "groups:{}/g": 100, "groups:{}/h": 200, "members:{}/m": 200, "members:{}/n": 50}
    assert keys == sorted(key.format(word) for key in expected)
    for key, seconds in expected.items():
        assert client.pttl(prefix(server) + key.format(word)) == pytest.approx(seconds * 1000, abs=5000)


def test_what_has_expired_leaves_a_set_that_lives_on(server: Place, client: Redis, word: str, clock: Clock) -> None:
    """Not all at once: others wait meanwhile."""
    group = f"{prefix(server)}groups:{word}"
    client.zadd(group, {f"{number}": clock.after(1000) for number in range(250)})

    async def scene(store: Store) -> None:
        clock.now += 1001
        left = []
        for _ in range(3):
            await store.join(word, "one", clock.after(1000))
            left.append(client.zcard(group))
        assert left == [151, 51, 1]

    server.run(scene, clock)


def test_nothing_stays_of_whoever_is_forgotten(server: Place, client: Redis, word: str, clock: Clock) -> None:
    async def scene(store: Store) -> None:
        for group in range(5):
            await store.join(f"{word}/{group}", f"{word}/m", clock.after(10))
        await store.leave(f"{word}/0", f"{word}/m")
        await store.forget(f"{word}/m")

    server.run(scene, clock)
    assert list(client.scan_iter(f"{prefix(server)}*{word}*")) == []


def test_connections_that_were_lost_on_the_way_are_replaced(
    server: Place, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody says so: only the time that it takes does. All of them are lost, not one only."""
    monkeypatch.setattr(redis, "PATIENCE", 0.3)

    async def scene() -> None:
        async with Proxy(server.address) as proxy:
            store = server.open(url=server.at(proxy.address))
            await asyncio.gather(*(store.save(f"{word}{number}", b"1", time.time() + 60) for number in range(20)))
            proxy.mute()
            assert all(await asyncio.gather(*(store.load(f"{word}{number}") for number in range(20))))
            await store.close()

    asyncio.run(scene())


def test_a_prefix_keeps_two_programs_apart(server: Place, word: str, clock: Clock) -> None:
    async def scene(one: Store) -> None:
        other = server.open(clock, f"{server.url}{word}:")
        await one.save(word, b"one", clock.after(10))
        await one.join("g", word, clock.after(10))
        assert await other.load(word) is None
        assert [member async for member in other.members("g")] == []
        await other.close()

    server.run(scene, clock)


def test_a_wrong_password_is_told_and_not_shown(server: Place) -> None:
    url = f"redis://ann:pa55@{server.address}"

    async def scene() -> None:
        store = open_store(url)
        with pytest.raises(StoreError, match="Check the user and the password in the URL") as caught:
            await store.load("a")
        assert "pa55" not in f"{caught.value!r}{caught.value.__cause__!r}"
        await store.close()

    asyncio.run(scene())


@pytest.mark.parametrize(
    "url",
    [
        "redis://ann:p#pa55@host",
        "redis://ann:[pa55@host",
        "redis://host:pa55",
        "redis://ann:pa55/x@host",
        "redis://host/name",
        "redis://host?pa55=1",
        "redis://host?socket_timeout=pa55",
        "redis://host?decode_responses=true",
        "redis://",
        "redis:///0",
    ],
)
def test_a_url_that_cannot_be_read_is_told_what_to_quote(url: str) -> None:
    with pytest.raises(ConfigurationError, match="write %40 for @") as caught:
        open_store(url)
    assert "=pa55" not in str(caught.value)
    assert "p#pa55" not in str(caught.value)


@pytest.mark.parametrize("url", ["redis://host", "redis://host/3", "rediss://u:p@host:1/0?ssl_cert_reqs=none&prefix=a"])
def test_a_url_is_read(url: str) -> None:
    open_store(url)
