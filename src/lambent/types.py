"""The vocabulary: the names that every other module speaks in.

ASGI shapes are those of the ASGI specification 3.0 (asgi.readthedocs.io, "HTTP & WebSocket" and "Lifespan").
`Context` is what AWS passes to a Python handler (docs.aws.amazon.com/lambda, "Python context object").
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

Scope = MutableMapping[str, Any]
"""What is known of a connection before it speaks. Values are as the ASGI specification types them, key by key."""

Message = MutableMapping[str, Any]
"""One ASGI message: a dict with a `type`, the rest depends on it."""

Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

Event = Any
"""The decoded JSON of an invocation's payload: any JSON value, a dict for every gateway."""

Result = Any
"""What a handler replies with: a JSON value, or `bytes` that leave as they are."""

RawHeaders = list[tuple[bytes, bytes]]
"""Header fields in order, names in lower case, repeated ones kept apart."""


class Context(Protocol):
    """What Lambda tells about one invocation beside its event. Sizes and times in the units that the names give."""

    @property
    def aws_request_id(self) -> str: ...
    @property
    def function_name(self) -> str: ...
    @property
    def function_version(self) -> str: ...
    @property
    def invoked_function_arn(self) -> str: ...
    @property
    def memory_limit_in_mb(self) -> str: ...
    @property
    def log_group_name(self) -> str: ...
    @property
    def log_stream_name(self) -> str: ...
    def get_remaining_time_in_millis(self) -> int: ...


class Writer(Protocol):
    """A streamed reply that has begun."""

    async def write(self, data: bytes) -> None:
        """Send a piece of it, and wait as long as the other side does not take it. Raises OSError if it never will."""

    async def close(self) -> None:
        """End it. Whoever replied may go on."""


class Invocation(Protocol):
    """One event on its way through a handler. Whoever runs the handler makes it; the handler replies to it, once."""

    @property
    def event(self) -> Event: ...
    @property
    def context(self) -> Context | None: ...
    @property
    def can_stream(self) -> bool:
        """Whether `stream` may be called, and a Streamed be the reply."""

    @property
    def prompt(self) -> bool:
        """Whether a reply leaves when it is given, while the handler goes on."""

    @property
    def late(self) -> Exception | None:
        """That the time was up, and the client has been told: whatever the handler would say of itself comes late."""

    async def reply(self, result: Result) -> None:
        """Give the whole reply. A second one, of either kind, raises `AlreadyReplied`."""

    async def stream(self, prelude: Mapping[str, object] | None) -> Writer:
        """Begin a streamed reply: with what the door reads first, or None for bytes that are passed on as they are.

        An exception of the handler after this ends the stream with an error.
        """


class Handler(Protocol):
    """What a runtime runs: one invocation at a time, within a lifetime that lasts as long as the environment."""

    async def serve(self, invocation: Invocation) -> None:
        """Reply to `invocation`, then finish what is left to do. An exception before the reply is the invocation's."""

    def lifetime(self) -> AbstractAsyncContextManager[None]:
        """Entered before the first invocation and left after the last one, both in one task."""
