"""PostgreSQL: what else may happen to a connection, and URLs."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from secrets import token_hex
from typing import TYPE_CHECKING, Any, cast

import asyncpg
import pytest

from lambent.errors import ConfigurationError, StoreError
from lambent.stores import open_store, postgresql
from tests.stores.places import SECRET
from tests.support.proxy import Proxy

if TYPE_CHECKING:
    from lambent.stores.model import Store
    from lambent.stores.sql import SQLStore
    from tests.stores.places import Place


@pytest.fixture
def server(ready: Callable[[str], Place]) -> Place:
    return ready("postgresql")


async def connections(administrator: asyncpg.Connection) -> list[int]:
    """Those to this database but our own."""
    rows = await administrator.fetch(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    return [row[0] for row in rows]


def test_connections_that_the_server_ended_are_replaced(server: Place, word: str) -> None:
    """As in a freeze: the loop has not heard of it when the next call comes. All of them are dead, not one only."""

    async def end() -> set[int]:
        administrator = await asyncpg.connect(server.url)
        before = await connections(administrator)
        for pid in before:
            await administrator.execute("SELECT pg_terminate_backend($1, 5000)", pid)
        await administrator.close()
        return set(before)

    async def scene() -> None:
        store = server.open()
        await asyncio.gather(*(store.save(f"{word}{number}", b"1", time.time() + 60) for number in range(20)))
        with ThreadPoolExecutor(1) as elsewhere:
            assert len(elsewhere.submit(lambda: asyncio.run(end())).result()) == 4  # and not one for each call
        assert await store.load(f"{word}0")
        assert all(await asyncio.gather(*(store.load(f"{word}{number}") for number in range(20))))
        await store.close()

    asyncio.run(scene())


def test_connections_that_were_lost_on_the_way_are_replaced(
    server: Place, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody says so: only the time that it takes does. All of them are lost, not one only."""
    monkeypatch.setattr(postgresql, "PATIENCE", 1.0)

    async def scene() -> None:
        async with Proxy(server.address) as proxy:
            store = server.open(url=server.at(proxy.address))
            await asyncio.gather(*(store.save(f"{word}{number}", b"1", time.time() + 60) for number in range(20)))
            proxy.mute()
            assert all(await asyncio.gather(*(store.load(f"{word}{number}") for number in range(20))))
            await store.close()

    asyncio.run(scene())


async def hold_all(store: Store, until: asyncio.Event) -> list[asyncio.Task[int]]:
    """Have all connections at work, each until the event is set; then they ask something."""
    database = cast("Any", store)._database
    begun = asyncio.Semaphore(0)

    async def work(connection: asyncpg.Connection) -> int:
        begun.release()
        await until.wait()
        return cast("int", await connection.fetchval("SELECT 1"))

    tasks = [asyncio.create_task(database._run(work)) for _ in range(postgresql.CONNECTIONS)]
    for _ in tasks:
        await begun.acquire()
    return tasks


def test_who_waits_for_a_connection_waits_longer_than_for_the_server(
    server: Place, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "PATIENCE", 1.0)

    async def scene() -> None:
        store = server.open()
        until = asyncio.Event()
        held = await hold_all(store, until)
        load = asyncio.ensure_future(store.load(word))
        await asyncio.wait([load], timeout=1.2)
        assert not load.done()
        until.set()
        assert await load is None
        assert await asyncio.gather(*held) == [1] * postgresql.CONNECTIONS
        await store.close()

    asyncio.run(scene())


def test_who_waits_in_vain_is_told_so_and_cuts_nobody_off(
    server: Place, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "PATIENCE", 0.3)

    async def scene() -> None:
        store = server.open()
        until = asyncio.Event()
        held = await hold_all(store, until)
        with pytest.raises(StoreError, match=r"all 4 connections of this environment have been busy for 0\.9 seconds"):
            await store.load(word)
        until.set()
        assert await asyncio.gather(*held) == [1] * postgresql.CONNECTIONS
        assert await store.load(word) is None
        await store.close()

    asyncio.run(scene())


def test_a_server_that_says_nothing_is_not_taken_for_a_busy_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "PATIENCE", 0.3)

    async def scene(port: int) -> None:
        store = open_store(f"postgresql://ann@127.0.0.1:{port}/db")
        with pytest.raises(StoreError, match="the server does not answer"):
            await store.load("a")
        await store.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        asyncio.run(scene(listener.getsockname()[1]))


def test_several_make_the_tables_at_once(server: Place) -> None:
    """IF NOT EXISTS alone does not let them."""
    schema = f"s{token_hex(4)}"

    async def scene() -> None:
        administrator = await asyncpg.connect(server.url)
        await administrator.execute(f"CREATE SCHEMA {schema}")
        stores = [server.open(url=f"{server.url}?search_path={schema}") for _ in range(8)]
        await asyncio.gather(*(store.init() for store in stores))
        await asyncio.gather(*(store.close() for store in stores))
        await administrator.close()

    asyncio.run(scene())


def messages(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The type and the rest of each ("Message Formats" in PostgreSQL's documentation)."""
    while data:
        size = int.from_bytes(data[1:5])
        yield chr(data[0]), data[5 : size + 1]
        data = data[size + 1 :]


def test_a_proxy_may_give_out_connections_by_transaction(server: Place, word: str) -> None:
    """No statement has a name, and none is run after a Sync that came after its Parse. Nothing else is asked."""

    async def scene() -> None:
        async with Proxy(server.address) as proxy:
            store = cast("SQLStore", server.open(url=server.at(proxy.address)))
            store.purge_every = 10**9
            await store.load(word)
            proxy.asked.clear()
            await store.save(word, b"1", time.time() + 60)
            await store.load(word)
            await store.join(word, word, time.time() + 60)
            asked = list(messages(bytes(proxy.asked)))
            await store.close()
        # Parse, Describe, Flush; Parse again, as some versions of asyncpg do, Bind, Execute, Sync.
        assert re.fullmatch("(PDHP?BES){3}", "".join(kind for kind, _ in asked))
        assert all(rest.startswith(b"\0") for kind, rest in asked if kind == "P")

    asyncio.run(scene())


def test_a_user_without_rights_is_told_which(server: Place) -> None:
    role = f"lambent_{token_hex(4)}"

    async def scene() -> None:
        administrator = await asyncpg.connect(server.url)
        await administrator.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{SECRET}'")
        user = server.url.partition("//")[2].partition(":")[0]
        store = open_store(server.url.replace(f"//{user}:", f"//{role}:"))
        try:
            with pytest.raises(StoreError, match=r"permission denied .* needs SELECT, INSERT, UPDATE and DELETE"):
                await store.load("a")
        finally:
            await store.close()
            await administrator.execute(f"DROP ROLE {role}")
            await administrator.close()

    asyncio.run(scene())


def test_a_database_that_is_not_there_is_named(server: Place) -> None:
    url = server.url.rpartition("/")[0] + "/lambent_nowhere"

    async def scene() -> None:
        with pytest.raises(StoreError, match=r'database "lambent_nowhere" does not exist\. Make the database first'):
            await open_store(url).load("a")

    asyncio.run(scene())


@pytest.mark.parametrize(
    "url", ["postgresql://ann:p#w@host/db", "postgresql://ann:[pa55@host/db", "postgresql://host:pa55/db"]
)
def test_a_url_that_cannot_be_read_is_told_what_to_quote(url: str) -> None:
    with pytest.raises(ConfigurationError, match="write %40 for @") as caught:
        open_store(url)
    assert "p#w" not in str(caught.value)
