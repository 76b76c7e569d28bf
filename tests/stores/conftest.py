"""A place for each store, and a clock that tests move."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from secrets import token_hex

import pytest

from lambent.stores.model import Store
from tests.stores.places import PLACES, WITHOUT_INIT, WITHOUT_SERVICE, Place


class Clock:
    """Begins now, since services have clocks of their own, and goes on as it is told.

    Services remove by their own: what is to be there in a test lives longer than a test takes.
    """

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now

    def after(self, seconds: float) -> float:
        return self.now + seconds


@pytest.fixture(scope="session")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Place]]:
    """Gives a place by its name, made ready when it is first asked for."""
    with ExitStack() as stack:

        @cache
        def make(name: str) -> Place:
            made = stack.enter_context(PLACES[name](tmp_path_factory.mktemp(name)))
            made.run(init)
            return made

        yield make


async def init(store: Store) -> None:
    await store.init()


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, ready: Callable[[str], Place]) -> Place:
    """Each of PLACES. Tests share it: names begin with `word`."""
    return ready(request.param)


@pytest.fixture(params=[name for name in PLACES if name not in WITHOUT_SERVICE])
def service(request: pytest.FixtureRequest, ready: Callable[[str], Place]) -> Place:
    """Each that has a service, which may be away."""
    return ready(request.param)


@pytest.fixture(params=[name for name in PLACES if name not in WITHOUT_INIT])
def unmade(request: pytest.FixtureRequest, ready: Callable[[str], Place]) -> Place:
    """Each where something has to be made first, and at `bare` has not been."""
    return ready(request.param)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def word() -> str:
    """One that no other test has."""
    return token_hex(8)
