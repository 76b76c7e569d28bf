"""What is sent, on its way to the server: seen by the log, with the request's id."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import Timeout
    from collections.abc import Awaitable

    from lambent.api.access_log import Entry
    from lambent.types import Message, Send

ID = b"x-request-id"
GONE = 499
"""The status of a response that never began, for nobody takes it; as nginx says."""


class ClientGone(OSError):
    """The server says that nobody takes the response any more (ASGI 2.4, "Send")."""


def gone(entry: Entry) -> None:
    """Tell the log that the client has gone."""
    if not entry.begun:
        entry.status_code = GONE
    entry.error_detail = entry.error_detail or "The client went away before it had all of the response."


def noted(send: Send, entry: Entry) -> Send:
    """A `send` that tells the log the status, and the client the request's id. Raises ClientGone for an OSError."""

    async def reply(message: Message) -> None:
        is_start = message["type"] == "http.response.start"
        if is_start:
            entry.status_code, entry.begun = message["status"], True
            headers = message.get("headers", ())
            for name, _ in headers:
                if name == ID:
                    break
            else:
                # the message stays as it is: applications may have one that they send again and again
                message = {**message, "headers": [*headers, (ID, entry.id.encode("latin-1"))]}
        try:
            await send(message)
        except OSError as error:
            entry.begun = entry.begun and not is_start
            gone(entry)
            raise ClientGone(*error.args) from error

    return reply


class Begun:
    """A `send` that knows whether a response has begun, and stops the clock then."""

    __slots__ = ("_send", "_timer", "begun")

    def __init__(self, send: Send, timer: Timeout) -> None:
        self._send = send
        self._timer = timer
        self.begun = False

    def __call__(self, message: Message) -> Awaitable[None]:
        if not self.begun:
            self.begun = True
            if not self._timer.expired():
                self._timer.reschedule(None)
        return self._send(message)
