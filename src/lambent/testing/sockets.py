"""WebSockets to a handler in this process: what API Gateway does between a client and a function, in memory.

    with Client(app) as client, client.websocket(query={"room": "kitchen"}) as socket:
        socket.send("hello")
        assert socket.receive() == "hello"

Each connection, message and end is an event of its own, which is over when the call returns. What is posted meanwhile
waits for `receive`, for this socket and for all others of the client.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Any, Self

from lambent.dev.doors.model import Fields
from lambent.errors import ConfigurationError
from lambent.testing.line import Line, closing


class Socket:
    """What sockets of both kinds tell."""

    def __init__(self, line: Line) -> None:
        self._line = line

    @property
    def id(self) -> str:
        """Of the connection."""
        return self._line.id

    @property
    def subprotocol(self) -> str:
        """That was agreed on; empty for none."""
        return self._line.subprotocol

    @property
    def closed(self) -> int | None:
        """With which code; None while it is open."""
        return self._line.ended.code if self._line.ended else None


class WebSocket(Socket):
    """A client's end of a connection. It is made on entering `with`, and closed on leaving."""

    def __init__(
        self, line: Line, run: Callable[[object], bytes], around: Callable[[], AbstractContextManager[None]]
    ) -> None:
        super().__init__(line)
        self._run = run
        self._around = around
        self._leave = ExitStack()

    def __enter__(self) -> Self:
        """Raises WebSocketRefused, and if strict what the handler raises."""
        with ExitStack() as stack:
            stack.enter_context(self._around())
            try:
                self._line.admit(self._ask(self._line.knock()))
            except BaseException:
                self._line.give_up()
                raise
            self._settle()
            self._leave = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._leave:
            self.close()

    def send(self, data: object) -> None:
        """Send text, or any other JSON value as JSON. Bytes end the connection, as API Gateway takes none.

        Raises WebSocketClosed, and if strict what the handler raises.
        """
        event = self._line.say(data)
        if event is not None:
            self._line.answered(self._ask(event))
        self._settle()

    def receive(self) -> str:
        """The next message. Raises WebSocketClosed when there are no more, TimeoutError when there is none yet."""
        return self._line.take()

    def receive_json(self) -> Any:
        """The next message, read as JSON."""
        return json.loads(self.receive())

    def close(self, code: int | None = None, reason: str = "") -> None:
        """End the connection. The function is told 1005 where no code is said, as browsers do."""
        self._line.end(closing(code, reason))
        self._settle()

    def _settle(self) -> None:
        event = self._line.left()
        if event is not None:
            self._ask(event)

    def _ask(self, event: Fields) -> bytes | None:
        try:
            return self._run(event)
        except ConfigurationError:  # of whoever wrote the test
            raise
        except Exception:
            if self._line.strict:
                raise
            return None


class AsyncWebSocket(Socket):
    """A client's end of a connection, on the running event loop. It is made by `async with`, and closed by it."""

    def __init__(self, line: Line, run: Callable[[object], Awaitable[bytes]]) -> None:
        super().__init__(line)
        self._run = run

    async def __aenter__(self) -> Self:
        """As `WebSocket.__enter__`."""
        try:
            self._line.admit(await self._ask(self._line.knock()))
        except BaseException:
            self._line.give_up()
            raise
        await self._settle()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def send(self, data: object) -> None:
        """As `WebSocket.send`."""
        event = self._line.say(data)
        if event is not None:
            self._line.answered(await self._ask(event))
        await self._settle()

    async def receive(self, timeout: float = 1.0) -> str:
        """The next message. Raises WebSocketClosed when no more come, TimeoutError when none has come in time."""
        line = self._line
        async with asyncio.timeout(timeout):
            while not line.inbox and not line.ended:
                line.news.clear()
                await line.news.wait()
        return line.take()

    async def receive_json(self, timeout: float = 1.0) -> Any:
        """The next message, read as JSON."""
        return json.loads(await self.receive(timeout))

    async def close(self, code: int | None = None, reason: str = "") -> None:
        """As `WebSocket.close`."""
        self._line.end(closing(code, reason))
        await self._settle()

    async def _settle(self) -> None:
        event = self._line.left()
        if event is not None:
            await self._ask(event)

    async def _ask(self, event: Fields) -> bytes | None:
        try:
            return await self._run(event)
        except ConfigurationError:  # of whoever wrote the test
            raise
        except Exception:
            if self._line.strict:
                raise
            return None
