"""An ASGI application whose exceptions reach the test: also those after the response, which are logged otherwise."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar

from lambent.testing.wires import Wires, adapted
from lambent.types import ASGIApp, Invocation, Receive, Scope, Send

RAISED: ContextVar[list[Exception]] = ContextVar("what applications raised")
"""In the invocation that is being handled."""


class Strict:
    """A Handler: the application behind the adapter."""

    def __init__(self, app: ASGIApp, *, stream: bool, wires: Wires | None = None) -> None:
        self._app = app
        self._adapter = adapted(self._watched, stream, wires or Wires(), errors="raise")

    async def serve(self, invocation: Invocation) -> None:
        """As the adapter does. Raises what the application raises, in any case."""
        raised: list[Exception] = []
        token = RAISED.set(raised)
        try:
            await self._adapter.serve(invocation)
        finally:
            RAISED.reset(token)
        if raised:
            raise raised[0]

    def lifetime(self) -> AbstractAsyncContextManager[None]:
        """The application's lifespan."""
        return self._adapter.lifetime()

    async def _watched(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            if scope["type"] == "http":
                RAISED.get().append(error)
            raise
