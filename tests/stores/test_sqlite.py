"""SQLite: URLs, files and processes."""

import asyncio
import os
import sqlite3
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest

from lambent.errors import ConfigurationError, StoreError
from lambent.stores import open_store, sqlite
from lambent.stores.model import Store

LIMIT = 60
SOURCE = Path(__file__).parents[2] / "src"

COUNTER = """
import asyncio, sys
from lambent.errors import StoreConflict
from lambent.stores import open_store

async def count():
    store = open_store(sys.argv[1])
    await store.init()
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(int(sys.argv[2])):
        while True:
            found = await store.load("counter")
            number = int(found.data) if found else 0
            try:
                await store.save("counter", b"%d" % (number + 1), 2e10, found.version if found else "")
                break
            except StoreConflict:
                pass
    await store.close()

asyncio.run(count())
"""


async def init(url: str) -> None:
    store = open_store(url)
    await store.init()
    await store.close()


async def load(url: str) -> bytes | None:
    store = open_store(url)
    try:
        found = await store.load("counter")
    finally:
        await store.close()
    return found and found.data


def test_several_processes_use_one_file(tmp_path: Path) -> None:
    """They make it at once, and count together: no step gets lost."""
    url = f"sqlite:///{tmp_path}/a b%20ü?.db"
    command = [sys.executable, "-c", COUNTER, url, "25"]
    seen = {**os.environ, "PYTHONPATH": str(SOURCE)}
    pipe = subprocess.PIPE
    processes = [subprocess.Popen(command, env=seen, text=True, stdin=pipe, stdout=pipe, stderr=pipe) for _ in range(4)]
    assert [process.stdout and process.stdout.readline() for process in processes] == ["ready\n"] * 4
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate(timeout=60)[1] for process in processes] == [""] * 4
    assert asyncio.run(load(url)) == b"100"


def test_three_slashes_begin_here_and_stay_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = open_store("sqlite:///store.db")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")

    async def scene() -> None:
        await store.init()
        await store.close()

    asyncio.run(scene())
    assert repr(store) == f"sqlite:///{tmp_path}/store.db"
    assert (tmp_path / "store.db").exists()


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("sqlite://file.db", "Write sqlite:///file.db."),  # as Mangum's documentation had it
        ("sqlite://var/file.db", "Write sqlite:///var/file.db."),
        ("sqlite://", "Write sqlite:///connections.db."),
        ("sqlite:///", "Write sqlite:///connections.db."),
        ("sqlite:///:memory:", "write memory://."),
        ("sqlite://:memory:", "write memory://."),
    ],
)
def test_another_form_is_told_the_right_one(url: str, advice: str) -> None:
    with pytest.raises(
        ConfigurationError, match="Expected sqlite:///path, or sqlite:////path from the root on"
    ) as caught:
        open_store(url)
    assert str(caught.value).endswith(advice)


@pytest.mark.parametrize("url", ["sqlite:///y.db?timeout=5", "sqlite:///y.db?a=1&b=2"])
def test_options_are_no_part_of_the_path(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"there are no options\. Write sqlite:///y\.db\.$"):
        open_store(url)


def test_to_look_makes_no_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    with pytest.raises(StoreError, match=f"it has not been made yet. Run: lambent stores init {url}"):
        asyncio.run(load(url))
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=f"expected the folder {tmp_path}/no to be there. Make it first"):
        asyncio.run(init(f"sqlite:///{tmp_path}/no/store.db"))


def test_another_file_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Connection(sqlite3.Connection):
        closed = 0

        def close(self) -> None:
            Connection.closed += 1
            super().close()

    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Connection))
    (tmp_path / "notes.txt").write_text("not a database" * 100, "utf-8")
    with pytest.raises(StoreError, match="file is not a database"):
        asyncio.run(init(f"sqlite:///{tmp_path}/notes.txt"))
    assert (tmp_path / "notes.txt").read_text("utf-8").startswith("not a")
    assert Connection.closed == 1


def test_readers_go_on_while_another_process_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer waits for it, but not for ever."""
    url = f"sqlite:///{tmp_path}/store.db"
    monkeypatch.setattr(sqlite, "PATIENCE", 0.2)

    async def scene() -> None:
        await init(url)
        other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
        store = open_store(url)
        await store.save("counter", b"1", 2e10)
        other.execute("BEGIN EXCLUSIVE")
        assert await store.load("counter")
        with pytest.raises(StoreError, match=r"another process has been writing for more than 0\.2 seconds"):
            await store.save("counter", b"2", 2e10)
        other.execute("COMMIT")
        await store.save("counter", b"3", 2e10)
        await store.close()
        other.close()

    asyncio.run(scene())


def test_the_loop_goes_on_while_the_disk_is_waited_for(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"

    async def scene() -> None:
        await init(url)
        other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
        store = open_store(url)
        other.execute("BEGIN IMMEDIATE")
        save = asyncio.ensure_future(store.save("counter", b"1", 2e10))
        await asyncio.wait([save], timeout=0.05)
        assert not save.done()
        other.execute("COMMIT")
        assert await save
        await store.close()
        other.close()

    asyncio.run(scene())


def test_whoever_asks_while_it_is_closed_is_answered(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"

    async def scene() -> None:
        await init(url)
        store = open_store(url)
        await store.load("k")
        calls = [store.load("k"), store.close(), store.load("k"), store.close(), store.close(), store.load("k")]
        assert await asyncio.gather(*calls) == [None] * len(calls)
        await store.close()

    asyncio.run(scene())


async def thread_of(store: Store) -> threading.Thread:
    """The one that it starts when it is first asked."""
    before = set(threading.enumerate())
    await store.load("k")
    (thread,) = set(threading.enumerate()) - before
    return thread


def test_a_close_that_fails_is_told_and_ends_the_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path}/store.db"

    class Connection(sqlite3.Connection):
        def close(self) -> None:
            super().close()
            raise sqlite3.OperationalError("disk I/O error")

    async def scene() -> None:
        await init(url)
        monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Connection))
        store = open_store(url)
        thread = await thread_of(store)
        with pytest.raises(StoreError, match="disk I/O error"):
            await store.close()
        await asyncio.to_thread(thread.join, LIMIT)
        assert not thread.is_alive()

    asyncio.run(scene())


def test_a_close_that_is_cancelled_ends_the_thread_all_the_same(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"

    async def scene() -> None:
        await init(url)
        store = open_store(url)
        thread = await thread_of(store)
        close = asyncio.ensure_future(store.close())
        await asyncio.sleep(0)
        close.cancel()
        with pytest.raises(asyncio.CancelledError):
            await close
        await asyncio.to_thread(thread.join, LIMIT)
        assert not thread.is_alive()

    asyncio.run(scene())
    assert not (tmp_path / "store.db-wal").exists()  # the last that closes a file removes it
