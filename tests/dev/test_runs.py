"""An invocation in an environment."""

import asyncio

from lambent.dev.model import Invocation, InvokeRequest
from lambent.dev.runs import Run


def test_one_that_is_held_has_all_the_time_there_is_and_tells_its_invoker() -> None:
    async def held() -> tuple[bool, bool]:
        loop = asyncio.get_running_loop()
        run = Run(Invocation(InvokeRequest("id", b"", ""), loop), loop.time())
        timer = run.timer = loop.call_later(60, lambda: None)
        assert not run.invocation.held
        run.hold()
        return timer.cancelled(), run.invocation.held

    assert asyncio.run(held()) == (True, True)
