"""The loop of the runtime against a Runtime API that follows a script."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

from lambent.runner import Runner
from lambent.runtime import loop as runtime_loop
from lambent.runtime.client import Client
from lambent.runtime.codec import EXACT, Codec
from lambent.runtime.watchdog import Watchdog
from lambent.types import Handler, Invocation
from tests.support.runtime_api import RuntimeAPI, Step


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


class Replying:
    """A Handler that is one coroutine function."""

    def __init__(self, serve: Callable[[Invocation], Any]) -> None:
        self._serve = serve

    async def serve(self, invocation: Invocation) -> None:
        await self._serve(invocation)

    def lifetime(self) -> AbstractAsyncContextManager[None]:
        return nullcontext()
