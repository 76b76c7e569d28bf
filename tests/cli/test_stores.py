"""`lambent stores`: what it makes, and what it finds."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from lambent.cli import stores
from lambent.errors import StoreError
from lambent.stores.memory import MemoryStore
from lambent.stores.model import Stored
from tests.cli.terminal import Terminal
from tests.integration.newcomer import free_port


def test_a_store_is_made_and_checked(terminal: Terminal, folder: Path) -> None:
    left = terminal.type("stores", "init", "sqlite:///store.db")
    assert (left.code, left.text) == (0, "sqlite:///store.db is ready.\n")
    assert (folder / "store.db").exists()
    left = terminal.type("stores", "check", "sqlite:///store.db")
    assert left.code == 0
    assert left.text.startswith("sqlite:///store.db works: a save and a load took ")


def test_to_make_it_again_harms_nothing(terminal: Terminal, folder: Path) -> None:
    assert [terminal.type("stores", "init", "sqlite:///store.db").code for _ in range(2)] == [0, 0]


def test_what_is_not_made_is_not_checked(terminal: Terminal, folder: Path) -> None:
    url = f"sqlite:///{folder}/store.db"
    assert terminal.type("stores", "check", url).code == (
        f"lambent: {url}: it has not been made yet. Run: lambent stores init {url}"
    )


def test_a_password_may_come_from_the_environment(
    terminal: Terminal, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setenv("LAMBENT_STORE", f"redis://ann:pa55@127.0.0.1:{port}")
    code = str(terminal.type("stores", "check").code)
    assert code.startswith(f"lambent: redis://ann:…@127.0.0.1:{port}: the server does not answer")
    assert "pa55" not in code


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["check"], 2, "Missing argument 'URL'"),
        (["make", "memory://"], 2, "No such command 'make'"),
        (["check", "store.db"], "lambent: Expected the URL of a store to begin with one of memory://", ""),
        (["init", "sqlite://store.db"], "lambent: Expected sqlite:///path", ""),
        (["init", "redis://host/name"], "lambent: Expected redis://", ""),
    ],
)
def test_what_is_not_understood_is_told(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: object, said: str
) -> None:
    monkeypatch.delenv("LAMBENT_STORE", raising=False)
    left = terminal.type("stores", *arguments)
    assert left.code == code or str(left.code).startswith(str(code))
    assert said in left.text


# Services that do not do their part


class Forgetful(MemoryStore):
    async def load(self, key: str) -> Stored | None:
        return None


class Stale(MemoryStore):
    """Loads what was there before the last save."""

    def __init__(self) -> None:
        super().__init__()
        self._before: Stored | None = Stored(b"", "0")

    async def load(self, key: str) -> Stored | None:
        before, self._before = self._before, await super().load(key)
        return before


class Unconditional(MemoryStore):
    async def save(self, key: str, data: bytes, expires: float, version: str | None = None) -> str:
        return await super().save(key, data, expires)


class Keeping(MemoryStore):
    async def delete(self, key: str) -> None:
        pass


class Lonely(MemoryStore):
    async def members(self, group: str) -> AsyncIterator[str]:
        async for member in super().members(f"not {group}"):
            yield member


class Clinging(MemoryStore):
    async def leave(self, group: str, member: str) -> None:
        pass


class Failing(MemoryStore):
    async def save(self, key: str, data: bytes, expires: float, version: str | None = None) -> str:
        raise StoreError("full")

    async def delete(self, key: str) -> None:
        raise StoreError("also this")


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        (Forgetful, "expected what had been saved, but nothing was loaded"),
        (Stale, "expected what had been saved, but another value was loaded"),
        (Unconditional, "expected a save over a newer value to fail, but it did not"),
        (Keeping, "expected what had been deleted to be gone"),
        (Lonely, r"expected a group of one, then of none, but got \[\] and \[\]"),
        (Clinging, r"expected a group of one, then of none, but got \['member'\] and \['member'\]"),
        (Failing, "full"),
    ],
)
def test_a_store_that_does_not_keep_its_word_is_found_out(kind: Callable[[], MemoryStore], complaint: str) -> None:
    with pytest.raises(StoreError, match=complaint):
        asyncio.run(stores.check(kind()))


def test_a_check_leaves_nothing() -> None:
    store = MemoryStore()
    assert asyncio.run(stores.check(store)).startswith("works: ")
    assert not store._values
    assert not store._memberships
