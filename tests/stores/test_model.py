"""What every store does, each of PLACES over its real service."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from secrets import token_bytes, token_hex
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from lambent.errors import ConfigurationError, StoreConflict, StoreError
from lambent.stores import shown
from lambent.stores.model import ABSENT, LARGEST, LONGEST, Store, Stored, check
from tests.integration.newcomer import free_port
from tests.stores.conftest import Clock
from tests.stores.places import LOCAL, SECRET, Place
from tests.support.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LIMIT = 60
"""Seconds within which a service that is down is given up."""


async def members(store: Store, group: str) -> list[str]:
    return sorted([member async for member in store.members(group)])


def latter() -> float:
    return time.time() + 60


# Values


def test_what_is_saved_is_loaded(place: Place, word: str) -> None:
    async def scene(store: Store) -> None:
        assert await store.load(word) is None
        version = await store.save(word, b"one", latter())
        assert await store.load(word) == Stored(b"one", version)
        another = await store.save(word, b"two", latter())
        assert await store.load(word) == Stored(b"two", another)
        assert len({version, another, ABSENT}) == 3
        assert isinstance((await store.load(word) or Stored(b"", "")).data, bytes)

    place.run(scene)


def test_the_same_value_saved_again_has_another_version(place: Place, word: str) -> None:
    async def scene(store: Store) -> None:
        first = await store.save(word, b"same", latter())
        second = await store.save(word, b"same", latter(), first)
        assert first != second
        with pytest.raises(StoreConflict):
            await store.save(word, b"same", latter(), first)

    place.run(scene)


def test_what_is_deleted_is_gone(place: Place, word: str) -> None:
    async def scene(store: Store) -> None:
        version = await store.save(word, b"one", latter())
        await store.delete(word)
        await store.delete(word)
        assert await store.load(word) is None
        with pytest.raises(StoreConflict):
            await store.save(word, b"two", latter(), version)
        assert await store.load(word) is None

    place.run(scene)


def test_a_version_holds_until_the_next_save(place: Place, word: str) -> None:
    async def scene(store: Store) -> None:
        first = await store.save(word, b"one", latter(), ABSENT)
        second = await store.save(word, b"two", latter(), first)
        for wrong in (first, ABSENT, "x", "-"):
            with pytest.raises(StoreConflict):
                await store.save(word, b"three", latter(), wrong)
        assert await store.load(word) == Stored(b"two", second)
        with pytest.raises(StoreConflict):
            await store.save(f"{word}/other", b"one", latter(), second)

    place.run(scene)


def test_of_racing_writers_one_wins(place: Place, word: str) -> None:
    """Two stores, as two environments have them."""

    async def attempt(store: Store, version: str, writer: int) -> str:
        try:
            return await store.save(word, b"%d" % writer, latter(), version)
        except StoreConflict:
            return ""

    async def scene(one: Store) -> None:
        other = place.open()
        version = ABSENT
        for _ in range(4):
            attempts = [attempt((one, other)[writer % 2], version, writer) for writer in range(20)]
            won = {writer: new for writer, new in enumerate(await asyncio.gather(*attempts)) if new}
            assert len(won) == 1
            ((writer, version),) = won.items()
            assert await one.load(word) == await other.load(word) == Stored(b"%d" % writer, version)
        await other.close()

    place.run(scene)


@pytest.mark.parametrize("data", [b"", bytes(range(256)), b"\xff\xfe\x00", token_bytes(LARGEST)], ids=len)
def test_a_value_is_any_bytes(place: Place, word: str, data: bytes) -> None:
    async def scene(store: Store) -> None:
        version = await store.save(word, data, latter())
        assert await store.load(word) == Stored(data, version)

    place.run(scene)


def short(name: str) -> str:
    return ascii(name)[:12]


NAMES = [
    "connection/L0SM9cOFvHcCIhw=",
    "é ü 漢 🙂",
    "a b%2F+?&#",
    "../..//x/",
    "'; --",
    "\n\t\r\x01\x7f",
    '{}[]*^~|`<>"\\',
    "ß" * 200,
]
"""16 characters, and a separator, go before each."""


@pytest.mark.parametrize("name", NAMES, ids=short)
def test_a_name_is_any_text(place: Place, word: str, name: str) -> None:
    async def scene(store: Store) -> None:
        own, like = f"{word}/{name}", f"{word}/{name}x"
        version = await store.save(own, b"one", latter())
        assert await store.load(own) == Stored(b"one", version)
        assert await store.load(like) is None
        await store.join(own, own, latter())
        await store.join(own, like, latter())
        assert await members(store, own) == [own, like]
        assert await members(store, like) == []
        await store.forget(own)
        assert await members(store, own) == [like]

    place.run(scene)


def test_names_are_told_apart_by_case_and_by_form(place: Place, word: str) -> None:
    names = [f"{word}{end}" for end in ("a", "A", "a ", " a", "\u00e9", "e\u0301", "/", "//", "")]

    async def scene(store: Store) -> None:
        for name in names:
            await store.save(name, name.encode(), latter())
            await store.join(word, name, latter())
        assert [(await store.load(name) or Stored(b"", "")).data for name in names] == [name.encode() for name in names]
        assert await members(store, word) == sorted(names)

    place.run(scene)


def test_a_long_name_is_taken(place: Place, word: str) -> None:
    async def scene(store: Store) -> None:
        name = word.ljust(LONGEST, "x")
        version = await store.save(name, b"one", latter())
        assert await store.load(name) == Stored(b"one", version)
        await store.join(name, name, latter())
        assert await members(store, name) == [name]

    place.run(scene)


@pytest.mark.parametrize("name", ["", "x" * (LONGEST + 1), "ß" * 257, "a\0b", "\ud800"], ids=short)
def test_what_is_no_name_is_refused_by_each_method(place: Place, name: str) -> None:
    calls: list[Callable[[Store], Awaitable[Any]]] = [
        lambda store: store.load(name),
        lambda store: store.save(name, b"", latter()),
        lambda store: store.delete(name),
        lambda store: store.join(name, "m", latter()),
        lambda store: store.join("g", name, latter()),
        lambda store: store.leave(name, "m"),
        lambda store: store.leave("g", name),
        lambda store: store.forget(name),
        lambda store: members(store, name),
    ]

    async def scene(store: Store) -> None:
        for call in calls:
            with pytest.raises(ConfigurationError, match="Expected a key, a group or a member of 1 to 512 bytes"):
                await call(store)

    place.run(scene)


def test_a_value_that_is_too_large_is_refused(place: Place, word: str) -> None:
    async def scene(store: Store) -> None:
        with pytest.raises(ConfigurationError, match="Expected a value of 262144 bytes at most, but got 262145"):
            await store.save(word, bytes(LARGEST + 1), latter())
        assert await store.load(word) is None

    place.run(scene)


# Expiry


def test_what_has_expired_is_not_found(place: Place, word: str, clock: Clock) -> None:
    async def scene(store: Store) -> None:
        await store.save(word, b"one", clock.after(1000))
        clock.now += 999.9
        assert await store.load(word)
        clock.now += 0.2
        assert await store.load(word) is None

    place.run(scene, clock)


def test_what_has_expired_is_absent_to_whoever_saves(place: Place, word: str, clock: Clock) -> None:
    async def scene(store: Store) -> None:
        old = await store.save(word, b"one", clock.after(1000))
        clock.now += 1001
        with pytest.raises(StoreConflict):
            await store.save(word, b"two", clock.after(1000), old)
        version = await store.save(word, b"three", clock.after(1000), ABSENT)
        assert await store.load(word) == Stored(b"three", version)

    place.run(scene, clock)


def test_a_save_moves_the_end(place: Place, word: str, clock: Clock) -> None:
    async def scene(store: Store) -> None:
        first = await store.save(word, b"one", clock.after(1000))
        await store.save(word, b"one", clock.after(10_000), first)
        clock.now += 5000
        assert await store.load(word)

    place.run(scene, clock)


def test_what_is_saved_too_late_is_not_found(place: Place, word: str, clock: Clock) -> None:
    async def scene(store: Store) -> None:
        await store.save(word, b"one", clock.after(-1000))
        assert await store.load(word) is None
        await store.join(word, "m", clock.after(-1000))
        assert await members(store, word) == []

    place.run(scene, clock)


def test_a_member_expires_and_may_join_again(place: Place, word: str, clock: Clock) -> None:
    async def scene(store: Store) -> None:
        await store.join(word, "a", clock.after(1000))
        await store.join(word, "b", clock.after(1000))
        await store.join(word, "b", clock.after(10_000))
        await store.join(word, "c", clock.after(10_000))
        await store.join(word, "c", clock.after(1000))
        assert await members(store, word) == ["a", "b", "c"]
        clock.now += 1001
        assert await members(store, word) == ["b"]
        await store.join(word, "a", clock.after(1000))
        assert await members(store, word) == ["a", "b"]

    place.run(scene, clock)


# Groups


def test_members_join_and_leave(place: Place, word: str) -> None:
    async def scene(store: Store) -> None:
        assert await members(store, word) == []
        for member in ("a", "b", "b", "c"):
            await store.join(word, member, latter())
        assert await members(store, word) == ["a", "b", "c"]
        await store.leave(word, "b")
        await store.leave(word, "b")
        await store.leave(f"{word}/other", "a")
        assert await members(store, word) == ["a", "c"]

    place.run(scene)


def test_who_is_forgotten_is_in_no_group(place: Place, word: str) -> None:
    ann, ben = f"{word}-ann", f"{word}-ben"

    async def scene(store: Store) -> None:
        for group in range(30):
            await store.join(f"{word}/{group}", ann, latter())
            await store.join(f"{word}/{group}", ben, latter())
        await store.leave(f"{word}/0", ann)
        await store.save(ann, b"a value of that name is another thing", latter())
        await store.forget(ann)
        await store.forget(ann)
        assert [await members(store, f"{word}/{group}") for group in range(30)] == [[ben]] * 30
        assert await store.load(ann)
        await store.join(f"{word}/1", ann, latter())
        assert await members(store, f"{word}/1") == [ann, ben]

    place.run(scene)


def test_a_group_has_thousands_of_members(place: Place, word: str) -> None:
    """More than one answer of any service holds."""
    names = [f"{number:05}-{'x' * 20}" for number in range(place.many)]

    async def scene(store: Store) -> None:
        for start in range(0, len(names), 100):
            await asyncio.gather(*(store.join(word, name, latter()) for name in names[start : start + 100]))
        found = [member async for member in store.members(word)]
        assert len(found) == len(names)
        assert set(found) == set(names)

    place.run(scene)


def test_members_may_leave_while_they_are_gone_through(place: Place, word: str) -> None:
    async def scene(store: Store) -> None:
        for number in range(20):
            await store.join(word, f"{number}", latter())
        met = []
        async for member in store.members(word):
            met.append(member)
            await store.leave(word, member)
        assert sorted(met) == sorted(f"{number}" for number in range(20))
        assert await members(store, word) == []

    place.run(scene)


# Connections


def test_a_closed_store_may_be_used_again(place: Place, word: str) -> None:
    async def scene(store: Store) -> None:
        await store.save(word, b"one", latter())
        await store.close()
        await store.close()
        assert await store.load(word)
        await store.close()

    place.run(scene)


def test_one_loop_after_the_other_uses_a_store(place: Place, word: str) -> None:
    store = place.open()

    async def save() -> None:
        await store.save(word, b"one", latter())
        await store.close()

    async def load() -> None:
        assert await store.load(word)
        await store.close()

    asyncio.run(save())
    asyncio.run(load())


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_another_loop_may_use_a_store_that_was_left_open(place: Place, word: str) -> None:
    """What the first one left is the program's fault, which Python warns of; the second does not suffer from it."""

    def scenes(store: Store) -> None:
        async def save() -> None:
            await store.save(word, b"one", latter())

        async def load() -> None:
            assert await store.load(word)

        async def last() -> None:
            assert await store.load(word)
            await store.close()

        for scene in (save, load, last):
            asyncio.run(scene())

    scenes(place.open())
    gc.collect()  # here, and not in another test


def test_many_calls_at_once_are_all_answered(place: Place, word: str) -> None:
    async def scene(store: Store) -> None:
        await asyncio.gather(*(store.save(f"{word}/{number}", b"%d" % number, latter()) for number in range(100)))
        found = await asyncio.gather(*(store.load(f"{word}/{number}") for number in range(100)))
        assert [each and each.data for each in found] == [b"%d" % number for number in range(100)]

    place.run(scene)


def test_one_that_is_closed_several_times_at_once_may_be_used_again(place: Place, word: str) -> None:
    async def scene(store: Store) -> None:
        version = await store.save(word, b"one", latter())
        await asyncio.gather(store.close(), store.close(), store.close())
        assert await store.load(word) == Stored(b"one", version)

    place.run(scene)


def test_a_call_that_is_cancelled_harms_no_other(place: Place, word: str) -> None:
    async def scene(store: Store) -> None:
        await store.save(word, b"one", latter())
        for patience in range(20):
            call = asyncio.ensure_future(store.load(word))
            for _ in range(patience):
                await asyncio.sleep(0)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
            assert (await store.load(word) or Stored(b"", "")).data == b"one"

    place.run(scene)


# When the service does not do its part


def calls(word: str) -> list[Callable[[Store], Awaitable[Any]]]:
    return [
        lambda store: store.load(word),
        lambda store: store.save(word, b"one", latter()),
        lambda store: store.save(word, b"one", latter(), ABSENT),
        lambda store: store.delete(word),
        lambda store: store.join(word, "m", latter()),
        lambda store: store.leave(word, "m"),
        lambda store: members(store, word),
        lambda store: store.forget("m"),
    ]


def test_a_service_that_is_down_is_named_soon_and_without_secrets(service: Place, word: str) -> None:
    url = service.secretly_at(f"{LOCAL}:{free_port()}")

    async def scene(store: Store) -> None:
        assert SECRET not in repr(store)
        for call in calls(word):
            begun = time.monotonic()
            with pytest.raises(StoreError) as caught:
                await call(store)
            assert time.monotonic() - begun < LIMIT
            assert shown(url) in str(caught.value)
            error: BaseException | None = caught.value
            while error is not None:
                assert SECRET not in f"{error!r}"
                error = error.__cause__ or error.__context__

    service.run(scene, url=url)


@asynccontextmanager
async def behind_a_proxy(service: Place) -> AsyncIterator[tuple[Store, Proxy]]:
    async with Proxy(service.address) as proxy:
        store = service.open(url=service.at(proxy.address))
        yield store, proxy
        await store.close()


def test_a_service_that_comes_back_is_used_again(service: Place, word: str) -> None:
    async def scene() -> None:
        async with behind_a_proxy(service) as (store, proxy):
            await store.save(word, b"one", latter())
            await proxy.stop()
            with pytest.raises(StoreError):
                await store.load(word)
            await proxy.start()
            assert await store.load(word)

    asyncio.run(scene())


def test_a_connection_that_has_died_is_replaced(service: Place, word: str) -> None:
    """As after a freeze: the service, or something between, has hung up meanwhile."""

    async def scene() -> None:
        async with behind_a_proxy(service) as (store, proxy):
            await store.save(word, b"one", latter())
            for call in calls(word):
                await proxy.cut()
                with suppress(StoreConflict):  # from the one with ABSENT
                    await call(store)
            assert proxy.connections > len(calls(word))

    asyncio.run(scene())


def test_a_save_whose_answer_gets_lost_is_in_no_conflict_with_itself(service: Place, word: str) -> None:
    """It is sent again, and finds what it has written itself. Which answer gets lost must not matter."""

    async def scene() -> None:
        async with behind_a_proxy(service) as (store, proxy):
            version = await store.save(word, b"0", latter(), ABSENT)
            before = proxy.answers
            version = await store.save(word, b"1", latter(), version)
            answers = proxy.answers - before
            for number in range(1, answers + 1):
                proxy.lose = proxy.answers + number
                version = await store.save(word, b"%d" % number, latter(), version)
                assert await store.load(word) == Stored(b"%d" % number, version)
                proxy.lose = proxy.answers + number
                version = await store.save(f"{word}/{number}", b"new", latter(), ABSENT)
                assert await store.load(f"{word}/{number}") == Stored(b"new", version)
                version = await store.save(word, b"next", latter())

    asyncio.run(scene())


def test_connections_are_kept(service: Place, word: str) -> None:
    async def scene() -> None:
        async with behind_a_proxy(service) as (store, proxy):
            await store.load(word)
            before = proxy.connections
            for _ in range(20):
                await store.load(word)
            assert proxy.connections == before

    asyncio.run(scene())


def test_what_has_not_been_made_says_how_it_is(unmade: Place, word: str) -> None:
    async def scene(store: Store) -> None:
        for call in calls(word):
            with pytest.raises(StoreError) as caught:
                await call(store)
            assert f"lambent stores init {shown(unmade.bare)}" in str(caught.value)
        await store.init()
        version = await store.save(word, b"one", latter())
        await store.init()
        assert await store.load(word) == Stored(b"one", version)

    unmade.run(scene, url=unmade.bare)


def test_several_may_make_it_at_once(place: Place) -> None:
    async def scene(store: Store) -> None:
        stores = [place.open() for _ in range(5)]
        await asyncio.gather(store.init(), *(each.init() for each in stores))
        await asyncio.gather(*(each.close() for each in stores))

    place.run(scene)


# All of it, against a dictionary


class Histories(RuleBasedStateMachine):
    """A store and a plain model of it live through the same."""

    KEYS = st.sampled_from(["a", "b", "c/d"])
    GROUPS = st.sampled_from(["g", "h"])
    SECONDS = st.sampled_from([500, 5000])

    def __init__(self, place: Place) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._clock = Clock()
        self._store = place.open(self._clock)
        self._word = token_hex(8)
        self._values: dict[str, tuple[bytes, str, float]] = {}
        self._members: dict[tuple[str, str], float] = {}
        self._versions = [ABSENT]

    def teardown(self) -> None:
        self._runner.run(self._close())
        self._runner.close()

    async def _close(self) -> None:
        await self._store.close()

    def _live(self, key: str) -> tuple[bytes, str]:
        data, version, expires = self._values.get(key, (b"", ABSENT, 0.0))
        return (data, version) if expires > self._clock.now else (b"", ABSENT)

    @rule(key=KEYS, data=st.binary(max_size=8), seconds=SECONDS, which=st.integers(0, 7))
    def save(self, key: str, data: bytes, seconds: float, which: int) -> None:
        """With the version that it has, with whatever is there, or with one that was given at some time."""
        choices: dict[int, str | None] = {0: None, 1: ABSENT, 2: self._versions[-1], 3: self._versions[0]}
        version = choices.get(which, self._live(key)[1])
        expires = self._clock.after(seconds)

        async def save() -> str:
            return await self._store.save(self._word + key, data, expires, version)

        if version is None or version == self._live(key)[1]:
            new = self._runner.run(save())
            assert new not in self._versions
            self._versions.append(new)
            self._values[key] = data, new, expires
        else:
            with pytest.raises(StoreConflict):
                self._runner.run(save())

    @rule(key=KEYS)
    def load(self, key: str) -> None:
        async def load() -> Stored | None:
            return await self._store.load(self._word + key)

        data, version = self._live(key)
        assert self._runner.run(load()) == (Stored(data, version) if version else None)

    @rule(key=KEYS)
    def delete(self, key: str) -> None:
        async def delete() -> None:
            await self._store.delete(self._word + key)

        self._runner.run(delete())
        self._values.pop(key, None)

    @rule(group=GROUPS, member=KEYS, seconds=SECONDS)
    def join(self, group: str, member: str, seconds: float) -> None:
        expires = self._clock.after(seconds)

        async def join() -> None:
            await self._store.join(self._word + group, self._word + member, expires)

        self._runner.run(join())
        self._members[group, member] = expires

    @rule(group=GROUPS, member=KEYS)
    def leave(self, group: str, member: str) -> None:
        async def leave() -> None:
            await self._store.leave(self._word + group, self._word + member)

        self._runner.run(leave())
        self._members.pop((group, member), None)

    @rule(member=KEYS)
    def forget(self, member: str) -> None:
        async def forget() -> None:
            await self._store.forget(self._word + member)

        self._runner.run(forget())
        self._members = {pair: expires for pair, expires in self._members.items() if pair[1] != member}

    @rule(group=GROUPS)
    def go_through(self, group: str) -> None:
        live = [pair[1] for pair, expires in self._members.items() if pair[0] == group and expires > self._clock.now]
        expected = sorted(self._word + member for member in live)
        assert self._runner.run(members(self._store, self._word + group)) == expected

    @rule(seconds=st.sampled_from([100, 1000, 10_000]))
    def wait(self, seconds: float) -> None:
        self._clock.now += seconds


def test_a_store_lives_as_a_dictionary_does(place: Place) -> None:
    class There(Histories):
        def __init__(self) -> None:
            super().__init__(place)

    run_state_machine_as_test(
        There,
        settings=settings(
            max_examples=15 if place.address else 60,
            stateful_step_count=30,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )


# Without a store


@pytest.mark.parametrize("name", ["a", "x" * 512, "ß" * 256, *NAMES], ids=short)
def test_what_every_store_takes_passes(name: str) -> None:
    check(name, data=bytes(LARGEST))


@pytest.mark.parametrize("name", [7, None, b"room"])
def test_what_is_no_text_is_refused_by_its_type(name: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"but got {name!r} of type {type(name).__name__}"):
        check(name)
