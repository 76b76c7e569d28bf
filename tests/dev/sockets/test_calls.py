"""Functions behind a WebSocket API, asked. What becomes of their replies: test_live.py."""

import asyncio
from typing import cast

from lambent.dev.arrivals import arrive
from lambent.dev.doors.model import Refusal
from lambent.dev.model import Entrance, Function, Streaming
from lambent.dev.routes.sockets import SocketRoutes
from lambent.dev.service import Service
from lambent.dev.sockets.calls import Calls
from lambent.dev.stream import HIGH_WATER, Stream
from tests.dev.instant import Instant, settle

TALK = Function("f", "app.handler", door="talk")


def test_a_streamed_reply_that_comes_too_late_is_let_go() -> None:
    async def ask() -> list[bool]:
        service, throttled = Instant([TALK]), list[bool]()
        stream = Stream("", throttled.append)
        (api,) = SocketRoutes([TALK], [Entrance("talk", "websocket", timeout=0.001)]).apis
        calls = Calls(cast("Service", service), lambda _: None)
        assert await calls.ask(api, api.targets["$default"], {}, arrive([])) is Refusal.TIMED_OUT
        service.taken[0][1].resolve(Streaming(stream))
        await settle()
        stream.feed(bytes(HIGH_WATER + 1))
        return throttled

    assert asyncio.run(ask()) == []
