"""The store that functions are lent."""

import asyncio
import threading
from pathlib import Path

import pytest

from lambent.dev.sockets import storage
from lambent.dev.sockets.storage import Storage
from lambent.errors import ConfigurationError
from lambent.stores import open_store


def test_it_can_be_used_while_it_is_open_and_is_gone_afterwards() -> None:
    async def scene() -> None:
        said: list[str] = []
        kept = Storage(said.append)
        kept.open()
        url = kept.url
        kept.open()
        assert kept.url == url
        await kept.made()
        store = open_store(url)
        version = await store.save("connection/a", b"1", 4e9)
        found = await store.load("connection/a")
        assert found is not None
        assert (found.data, found.version) == (b"1", version)
        await store.close()
        folder = Path(url.removeprefix("sqlite:///")).parent
        assert folder.is_dir()
        await kept.close()
        assert not folder.exists()
        assert (kept.url, said) == ("", [])

    asyncio.run(scene())


def test_one_that_is_closed_while_it_is_made_leaves_nothing() -> None:
    async def scene() -> None:
        kept = Storage(print)
        for _ in range(5):
            kept.open()
            folder = Path(kept.url.removeprefix("sqlite:///")).parent
            while not any(folder.iterdir()):  # noqa: ASYNC110 - a thread makes it
                await asyncio.sleep(0)
            await kept.close()
            assert not folder.exists()
            assert [each.name for each in threading.enumerate() if each.name.startswith("lambent-sqlite")] == []

    asyncio.run(scene())


def test_one_that_was_never_opened_is_closed_all_the_same() -> None:
    async def scene() -> None:
        kept = Storage(print)
        await kept.made()
        await kept.close()

    asyncio.run(scene())


def test_where_there_can_be_none_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(url: str) -> object:
        raise ConfigurationError("SQLite is not here.")

    monkeypatch.setattr(storage, "open_store", fails)

    async def scene() -> None:
        said: list[str] = []
        kept = Storage(said.append)
        kept.open()
        await kept.made()
        assert kept.url == ""
        assert "SQLite is not here." in said[0]
        assert "LAMBENT_STORE" in said[0]
        await kept.close()

    asyncio.run(scene())
