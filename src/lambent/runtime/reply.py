"""An invocation and the one reply to it: whole, streamed, or the error in its place.

open ──reply──▶ replied        Whoever claims the post may send it: the handler's own code, in the loop or a
  ├────stream──▶ streaming ──▶ ended or failed        thread, or the watchdog when the time is up. The others come late.
  ├────error───▶ replied
  └────time up─▶ replied
"""

from __future__ import annotations

import asyncio
import logging
import os
from typing import Protocol

from lambent.errors import AlreadyReplied, InvalidResult, RuntimeAPIError, TimedOut
from lambent.invocation import Handled, Streamed
from lambent.runtime import requests, stream
from lambent.runtime.diagnostic import diagnose

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from threading import Event as Signal

    from lambent.http1 import Reply, Request
    from lambent.runtime.codec import Codec
    from lambent.runtime.diagnostic import Diagnostic
    from lambent.runtime.invocation import LambdaContext
    from lambent.types import Event, Result, Writer

logger = logging.getLogger("lambent")

_WHOLE = 1 << 16
"""Pieces up to this size are copied once, to leave in one packet with what frames them."""


class Link(Protocol):
    """The connection that an invocation came over."""

    async def post(self, request: Request) -> None:
        """Send the whole request. What fails is found when its answer is read."""

    async def write(self, data: bytes) -> None:
        """Send more of its body, as fast as the other side takes it. Raises OSError."""


class RuntimeInvocation(Handled):
    """An invocation whose reply is posted at once, while the handler goes on."""

    __slots__ = ("_claims", "_codec", "_echo", "_link", "expiry", "held", "late", "writer")

    can_stream = True
    prompt = True
    context: LambdaContext

    def __init__(self, event: Event, context: LambdaContext, codec: Codec, link: Link, echo: str) -> None:
        super().__init__(event, context)
        self._codec = codec
        self._echo = echo
        self._link = link
        self._claims = [None]
        self.writer: ResponseStream | None = None
        """The stream, if that is how it was replied to."""
        self.held = False
        self.late: TimedOut | None = None
        """That the time was up."""
        self.expiry: Signal | None = None
        """There if the watchdog replies in place of the handler; set when it has."""

    @property
    def replied(self) -> bool:
        """Whether somebody has claimed the post."""
        return not self._claims

    @property
    def streaming(self) -> bool:
        """Whether a streamed reply has begun and not ended."""
        return self.writer is not None and self.writer.open

    async def reply(self, result: Result) -> None:
        """Post the reply. Raises AlreadyReplied, TimedOut, and InvalidResult for one that cannot be a reply."""
        request = self.response(result)
        self.claim()
        await self._link.post(request)

    async def stream(self, prelude: Mapping[str, object] | None) -> Writer:
        """Post the beginning of a reply. Raises as `reply` does."""
        request = self._streamed(prelude, b"")
        self.claim()
        self.writer = ResponseStream(self._link.write)
        await self._link.post(request)
        return self.writer

    def claim(self) -> None:
        """Take the right to post, which there is once. Raises AlreadyReplied or TimedOut if somebody has it."""
        try:
            self._claims.pop()  # atomic: of two threads one gets it
        except IndexError:
            if self.late is not None:
                raise TimedOut(f"Request {self.request_id} ran out of time; this reply comes late.") from None
            raise AlreadyReplied(f"Request {self.request_id} was replied to already.") from None

    def expire(self, expiry: Signal) -> bool:
        """Take the right to post for the watchdog, which sets `expiry` when it has. Returns whether it got it."""
        try:
            self._claims.pop()
        except IndexError:
            return False
        self.expiry = expiry
        return True

    def response(self, result: Result) -> Request:
        """The request that posts a result. Raises InvalidResult."""
        if type(result) is Streamed:
            stream.refuse(len(result.body))
            return self._streamed(result.prelude, stream.chunk(result.body) + stream.LAST)
        body, content_type = _encoded(result, self._codec.encode)
        return requests.response(self.context.aws_request_id, body, content_type, self._echo)

    def error(self, diagnostic: Diagnostic) -> Request:
        """The request that posts a failure."""
        return requests.error(self.context.aws_request_id, diagnostic, self._echo)

    async def abort(self, error: BaseException) -> None:
        """End a streamed reply with an error: with that the time was up, if it was. Raises OSError."""
        assert self.writer is not None  # noqa: S101 - `streaming` was asked
        await self.writer.fail(diagnose(self.late or error, working_directory()), self.request_id)

    def _streamed(self, prelude: Mapping[str, object] | None, more: bytes) -> Request:
        content_type = stream.content_type(prelude)
        return requests.streamed(self.context.aws_request_id, content_type, self._echo, stream.begin(prelude) + more)


class ResponseStream:
    """The Writer of a streamed reply: chunks over the connection that the invocation came by."""

    __slots__ = ("_size", "_turn", "_write", "open")

    def __init__(self, write: Callable[[bytes], Awaitable[None]]) -> None:
        self._write = write
        self._turn = asyncio.Lock()
        """Held for a piece: several tasks may write, and what frames one must stay with it."""
        self._size = 0
        self.open = True
        """Whether it is to go on; False too if the other side has gone."""

    async def write(self, data: bytes) -> None:
        """Send a piece. Raises InvalidResult beyond the limit, and OSError if the other side has gone."""
        self._size += len(data)
        stream.refuse(self._size)
        async with self._turn:
            if len(data) <= _WHOLE:
                await self._send(stream.chunk(data))
            else:
                await self._send(b"%x\r\n" % len(data))
                await self._send(data)
                await self._send(b"\r\n")

    async def close(self) -> None:
        """Send the end."""
        async with self._turn:
            await self._send(stream.LAST)
            self.open = False

    async def fail(self, diagnostic: Diagnostic, request_id: str) -> None:
        """Send the end of one that was not to end there."""
        async with self._turn:
            await self._send(stream.failed(diagnostic, request_id))
            self.open = False

    async def _send(self, data: bytes) -> None:
        if not self.open:
            raise ConnectionResetError("The reply has ended, or the Runtime API takes no more of it.")
        try:
            if data:
                await self._write(data)
        except OSError:
            self.open = False
            raise


def check(answer: Reply, request: Request) -> None:
    """Read the answer to a post. A refusal concerns this invocation only and is logged; a fault of theirs is raised."""
    if answer.status >= 500:
        raise RuntimeAPIError(f"The Runtime API answered {said(answer)} to {request.path}.")
    if answer.status >= 300:
        logger.error("The Runtime API refused %s: %s", request.path, said(answer))


def said(reply: Reply) -> str:
    """An answer, short enough for a message."""
    return f"{reply.status} {reply.body[:200].decode('utf-8', 'replace').strip()}"


def working_directory() -> str:
    """For a diagnostic; empty if it has been removed."""
    try:
        return os.getcwd()
    except OSError:
        return ""


def _encoded(result: Result, encode: Callable[[Result], bytes]) -> tuple[bytes, str]:
    """The bytes of a reply and their content type."""
    if isinstance(result, bytes):
        body, content_type = result, "application/octet-stream"
    else:
        content_type = "application/json"
        try:
            body = encode(result)
        except (TypeError, ValueError, RecursionError) as error:
            from lambent.runtime.place import of_fault

            place = of_fault(result)
            at = f", at {place}" if place else ""
            raise InvalidResult(f"Unable to marshal response: {error}{at}", "Runtime.MarshalError") from None
    if len(body) > requests.RESPONSE_LIMIT:
        raise InvalidResult(
            f"The reply has {len(body)} bytes, and Lambda takes {requests.RESPONSE_LIMIT}. "
            "Give less at a time, stream it, or give a link to where it lies.",
            "Function.ResponseSizeTooLarge",
        )
    return body, content_type
