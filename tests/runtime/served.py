"""The loop of the runtime against a Runtime API that follows a script."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from lambent.runner import Runner
from lambent.runtime import loop as runtime_loop
from lambent.runtime import watchdog as runtime_watchdog
from lambent.runtime.client import Client
from lambent.runtime.codec import EXACT, Codec
from lambent.runtime.watchdog import Watchdog
from lambent.types import Handler, Invocation
from tests.support.runtime_api import LIMIT, RuntimeAPI, Step

NOW = 1_800_000_000.0
"""What the clock says to a watchdog in `on_time`, in seconds since the epoch."""


def deadline(seconds: float) -> str:
    """The header of an invocation that has so many from the moment on that a watchdog in `on_time` takes it."""
    return f"Lambda-Runtime-Deadline-Ms: {int((NOW + seconds) * 1000)}"


@contextmanager
def on_time(*, patient: bool = True) -> Iterator[None]:
    """A busy machine takes no time from an invocation that is on its way to the watchdog: its clock stands still.

    A `patient` watchdog also waits for the loop, and for the end of what it has cancelled, as long as it takes.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runtime_watchdog, "time", lambda: NOW)
        if patient:
            patch.setattr(runtime_watchdog.Expired, "grace", LIMIT)
        yield


def served(
    handler: Handler,
    *steps: Step,
    posts: Iterable[Step] = (),
    codec: Codec = EXACT,
    loop: asyncio.AbstractEventLoop | None = None,
) -> RuntimeAPI:
    """Run the loop until the script is at its end and the next invocation has been asked for."""
    runner = Runner(loop)
    api = RuntimeAPI(*steps, posts=posts, idle=runner.interrupt)
    with api:
        client = Client(api.address)
        try:
            runner.start(handler.lifetime())
            watchdog = watching(runner, api)
            runtime_loop.run(client, runner, handler, codec, watchdog)
        finally:
            watchdog.close()
            client.close()
            runner.stop(1)
    return api


def watching(runner: Runner, api: RuntimeAPI) -> Watchdog:
    return Watchdog(runner.loop, api.address, 0.25, lambda event: None, bool)


def leave(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder that is removed then, until the test ends."""
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()


class Replying:
    """A Handler that is one coroutine function."""

    def __init__(self, serve: Callable[[Invocation], Any]) -> None:
        self._serve = serve

    async def serve(self, invocation: Invocation) -> None:
        await self._serve(invocation)

    def lifetime(self) -> AbstractAsyncContextManager[None]:
        return nullcontext()
