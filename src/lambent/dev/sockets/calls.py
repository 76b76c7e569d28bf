"""Functions behind a WebSocket API, asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

from lambent.dev import custom
from lambent.dev.buffering import let_go
from lambent.dev.custom import CustomFailed, Rejected
from lambent.dev.doors.model import Arrival, Fields, Refusal
from lambent.dev.doors.websocket_api import SECONDS
from lambent.dev.model import Cause, Failed, Invocation, InvokeRequest, Result, Streaming
from lambent.dev.routes.sockets import API, Target
from lambent.dev.service import Service
from lambent.errors import UnknownFunction


class Calls:
    """Asks as API Gateway does: it waits for so long, and no longer.

    - `say`: takes a line for people
    """

    def __init__(self, service: Service, say: Callable[[str], None]) -> None:
        self._service = service
        self.say = say

    async def ask(
        self, api: API, target: Target, event: Fields, arrival: Arrival, gone: asyncio.Future[None] | None = None
    ) -> bytes | Refusal:
        """The function's reply, or why there is none. Once `gone` is done, what has not begun shall not."""
        payload = json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()
        request = InvokeRequest(arrival.request_id, payload, arrival.trace)
        try:
            request = await custom.with_context(request, None, target.function)
            invocation = self._service.invoke(target.function.name, request)
        except (CustomFailed, Rejected, UnknownFunction) as error:
            self.say(f"RequestId: {arrival.request_id} {error}")
            return Refusal.FUNCTION_ERROR
        if gone is not None:
            gone.add_done_callback(lambda _: self._service.withdraw(invocation))
        result = await self._in_time(api, target, invocation)
        if result is None:
            return Refusal.TIMED_OUT
        if isinstance(result, Streaming):
            result.stream.abandon()
            self.say(f"RequestId: {arrival.request_id} WebSocket API cannot use the reply: it takes no streamed ones.")
            return Refusal.UNUSABLE_REPLY
        if isinstance(result, Failed):
            return Refusal.THROTTLED if result.cause is Cause.THROTTLED else Refusal.FUNCTION_ERROR
        return result.payload

    async def _in_time(self, api: API, target: Target, invocation: Invocation) -> Result | None:
        """None: it took too long, and runs on. The time of a function that somebody debugs does not count."""
        if target.function.debug:
            return await invocation.result
        seconds = api.entrance.timeout or SECONDS
        await asyncio.wait({invocation.result}, timeout=seconds)
        if invocation.result.done() or invocation.held:
            return await invocation.result
        invocation.result.add_done_callback(let_go)
        late = f"{target.function.name} has not replied within the {seconds:g} s that WebSocket API waits"
        self.say(f"RequestId: {invocation.request.request_id} {late}; it runs on.")
        return None
