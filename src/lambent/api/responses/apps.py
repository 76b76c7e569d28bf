"""Any ASGI application as a response."""

from __future__ import annotations

from lambent.api.responses.base import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.types import ASGIApp, Message, RawHeaders, Receive, Scope, Send


class AppResponse(Response):
    """Its status, fields and body are those that the application sends; `headers` are added to them.

    `status_code` is the application's where it has one, as Starlette's responses have.
    """

    __slots__ = ("app",)

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(None, getattr(app, "status_code", 200))
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fields = self.headers.raw()
        await self.app(scope, receive, Adding(send, fields) if fields else send)
        if self.background is not None:
            await self.background()


class Adding:
    """A `send` that adds fields: where the application has none of that name, and cookies."""

    __slots__ = ("_fields", "_send")

    def __init__(self, send: Send, fields: RawHeaders) -> None:
        self._send = send
        self._fields = fields

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            given = list(message.get("headers", ()))
            names = {bytes(name).lower() for name, _ in given} - {b"set-cookie"}
            message = {**message, "headers": given + [each for each in self._fields if each[0] not in names]}
        await self._send(message)
