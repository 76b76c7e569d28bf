"""What is sent, on its way to the server: seen by the log, with the request's id."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import Timeout
    from collections.abc import Awaitable

    from lambent.api.access_log import Entry
    from lambent.types import Message, Send

ID = b"x-request-id"


def noted(send: Send, entry: Entry) -> Send:
    """A `send` that tells the log the status, and the client the request's id."""

    def reply(message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            entry.status_code = message["status"]
            headers = message.get("headers", ())
            for name, _ in headers:
                if name == ID:
                    break
            else:
                # the message stays as it is: applications may have one that they send again and again
                message = {**message, "headers": [*headers, (ID, entry.id.encode("latin-1"))]}
        return send(message)

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
