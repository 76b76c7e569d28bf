"""Records in a store: read once, written once, and merged where others write as well."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from lambent.errors import InvalidMessage, StoreConflict, StoreError
from lambent.gateway.model import Request
from lambent.stores.memory import MemoryStore
from lambent.stores.model import Stored
from lambent.websocket.archive import Archive, Kept, key
from lambent.websocket.record import Record

ID = "JCIuTfPGDoECJkA="


class Counting(MemoryStore):
    """Counts what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.meanwhile: Callable[[], Awaitable[object]] | None = None
        """Happens before the next save."""

    async def load(self, key: str) -> Stored | None:
        self.asked.append("load")
        return await super().load(key)

    async def save(self, key: str, data: bytes, expires: float, version: str | None = None) -> str:
        self.asked.append("save")
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            await meanwhile()
        return await super().save(key, data, expires, version)


def record(**session: object) -> Record:
    request = Request("GET", "/ws", b"/ws", b"", "", "wss", "1.1", [], None, None, b"")
    made = Record(request, [], 1e12, "https://example.com/prod")
    made.session = session
    return made


def story(tell: Callable[[Archive, Counting], Awaitable[None]]) -> None:
    async def main() -> None:
        store = Counting()
        await tell(Archive(store), store)

    asyncio.run(main())


async def kept(archive: Archive, **session: object) -> Kept:
    """One that is saved, and loaded again."""
    await archive.save(archive.new(ID, record(**session)))
    found = await archive.load(ID)
    assert found is not None
    return found


async def session(archive: Archive) -> Any:
    found = await archive.load(ID)
    return None if found is None else found.record.session


def test_a_record_is_kept_under_the_id_of_its_connection() -> None:
    assert key(ID) == f"connection/{ID}"

    async def tell(archive: Archive, store: Counting) -> None:
        assert await archive.load(ID) is None
        await archive.save(archive.new(ID, record(a=1)))
        stored = await store.load(key(ID))
        assert stored is not None
        assert stored.data == record(a=1).encode()
        assert await session(archive) == {"a": 1}

    story(tell)


def test_it_is_written_only_if_it_has_changed() -> None:
    async def tell(archive: Archive, store: Counting) -> None:
        found = await kept(archive, a=1)
        store.asked.clear()
        await archive.save(found)
        assert store.asked == []
        found.record.session["a"] = 2
        await archive.save(found)
        await archive.save(found)
        assert store.asked == ["save"]

    story(tell)


def test_a_new_one_replaces_whatever_is_there() -> None:
    async def tell(archive: Archive, store: Counting) -> None:
        await kept(archive, a=1)
        await archive.save(archive.new(ID, record(b=1)))
        assert await session(archive) == {"b": 1}

    story(tell)


def test_what_two_have_changed_is_merged() -> None:
    async def tell(archive: Archive, store: Counting) -> None:
        one, other = await kept(archive, a=1, b=1, c=1), await archive.load(ID)
        assert other is not None
        one.record.session |= {"a": 2}
        other.record.session |= {"b": 2}
        del other.record.session["c"]
        await archive.save(one)
        await archive.save(other)
        assert await session(archive) == {"a": 2, "b": 2}
        assert other.record.session == {"a": 2, "b": 2}  # so that a later change is one of that

    story(tell)


def test_the_last_one_wins_a_key_that_both_have_changed_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    async def tell(archive: Archive, store: Counting) -> None:
        one, other = await kept(archive, name="secret-0"), await archive.load(ID)
        assert other is not None
        one.record.session["name"], other.record.session["name"] = "secret-1", "secret-2"
        await archive.save(one)
        await archive.save(other)
        assert await session(archive) == {"name": "secret-2"}

    story(tell)
    (logged,) = caplog.messages
    assert "'name'" in logged
    assert ID in logged
    assert "secret" not in logged


def test_one_that_was_deleted_meanwhile_stays_so() -> None:
    async def tell(archive: Archive, store: Counting) -> None:
        one, other = await kept(archive), await archive.load(ID)
        assert other is not None
        await archive.delete(other)
        one.record.session["a"] = 1
        await archive.save(one)
        assert await session(archive) is None

    story(tell)


def test_one_that_was_deleted_here_is_not_written_again() -> None:
    async def tell(archive: Archive, store: Counting) -> None:
        one = await kept(archive)
        await store.join("room", ID, 1e12)
        await archive.delete(one)
        one.record.session["a"] = 1
        store.asked.clear()
        await archive.save(one)
        assert store.asked == []
        assert [each async for each in store.members("room")] == []

    story(tell)


def test_several_changes_while_it_is_saved_are_all_kept() -> None:
    async def tell(archive: Archive, store: Counting) -> None:
        found = [await kept(archive)]
        for number in range(7):
            other = await archive.load(ID)
            assert other is not None
            found.append(other)
            other.record.session[str(number)] = number
        found[0].record.session["x"] = "x"
        await asyncio.gather(*map(archive.save, found))
        assert await session(archive) == {"x": "x", **{str(number): number for number in range(7)}}

    story(tell)


def test_one_that_changes_all_the_time_is_given_up() -> None:
    class Restless(Counting):
        async def save(self, key: str, data: bytes, expires: float, version: str | None = None) -> str:
            if version is not None:
                raise StoreConflict("It has been changed meanwhile.")
            return await super().save(key, data, expires, version)

    async def main() -> None:
        archive = Archive(Restless())
        found = await kept(archive)
        found.record.session["a"] = 1
        with pytest.raises(StoreError, match=f"{ID} is changed all the time"):
            await archive.save(found)

    asyncio.run(main())


def test_one_of_two_claims_it() -> None:
    async def tell(archive: Archive, store: Counting) -> None:
        one, other = await kept(archive), await archive.load(ID)
        assert other is not None
        assert await archive.claim(one)
        assert not await archive.claim(other)
        assert await archive.claim(one)

    story(tell)


def test_a_claim_of_what_is_gone_fails() -> None:
    async def tell(archive: Archive, store: Counting) -> None:
        one = await kept(archive)
        await store.delete(key(ID))
        assert not await archive.claim(one)

    story(tell)


@pytest.mark.parametrize("data", [b"", b"{}\n{}", b"\x80\x04", b"null\nnull", b'"a"\n"b"'])
def test_what_is_no_record_is_said_to_be_none(data: bytes) -> None:
    async def tell(archive: Archive, store: Counting) -> None:
        await store.save(key(ID), data, 1e12)
        with pytest.raises(StoreError, match=f"Expected the record of connection {ID} as Lambent writes it"):
            await archive.load(ID)

    story(tell)


def test_a_session_that_is_not_json_is_not_written() -> None:
    async def tell(archive: Archive, store: Counting) -> None:
        found = await kept(archive, a=1)
        found.record.session["a"] = {1}
        with pytest.raises(InvalidMessage, match="'a'"):
            await archive.save(found)
        assert await session(archive) == {"a": 1}

    story(tell)


def test_a_session_is_put_into_the_dictionary_that_the_application_has() -> None:
    async def tell(archive: Archive, store: Counting) -> None:
        found = await kept(archive, a=1)
        theirs: dict[str, object] = {"b": 2}
        assert found.into(theirs) is theirs
        assert theirs == {"a": 1}
        assert found.into(None) is found.record.session

    story(tell)


def test_what_happens_during_a_save_is_merged_too() -> None:
    async def tell(archive: Archive, store: Counting) -> None:
        one, other = await kept(archive), await archive.load(ID)
        assert other is not None
        one.record.session["a"] = 1
        other.record.session["b"] = 1
        store.meanwhile = lambda: archive.save(other)
        await archive.save(one)
        assert await session(archive) == {"a": 1, "b": 1}

    story(tell)


@pytest.mark.parametrize(
    ("ours", "theirs", "owner"),
    [
        ("", "", "first"),
        ("mine", "", "mine"),
        ("", "theirs", "theirs"),
        ("mine", "theirs", "mine"),
    ],
)
def test_who_has_taken_over_last_is_the_owner(ours: str, theirs: str, owner: str) -> None:
    async def tell(archive: Archive, store: Counting) -> None:
        before = archive.new(ID, record())
        before.record.owner = "first"
        await archive.save(before)
        one, other = await archive.load(ID), await archive.load(ID)
        assert one is not None
        assert other is not None
        one.record.owner, other.record.owner = ours or "first", theirs or "first"
        one.record.session["a"] = other.record.session["b"] = 1
        await archive.save(other)
        await archive.save(one)
        await archive.save(one)  # as at the end of an event that has sent something
        found = await archive.load(ID)
        assert found is not None
        assert (found.record.owner, found.record.session) == (owner, {"a": 1, "b": 1})

    story(tell)
