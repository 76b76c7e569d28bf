"""next → handle → again. One invocation at a time, in the thread that calls; many at a time are in `slots.py`."""

from __future__ import annotations

import asyncio
import logging
import os
import time
import weakref
from contextlib import suppress
from contextvars import copy_context

from lambent.errors import (
    AlreadyReplied,
    ConfigurationError,
    IncompleteResponse,
    InvalidResult,
    RuntimeAPIError,
    RuntimeAPIGone,
    TimedOut,
)
from lambent.invocation import CURRENT
from lambent.runtime import logs, requests
from lambent.runtime.diagnostic import diagnose, log_record
from lambent.runtime.invocation import LambdaContext
from lambent.runtime.reply import RuntimeInvocation, check, said, working_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

    from lambent.http1 import Reply, Request
    from lambent.runner import Runner
    from lambent.runtime.client import Client
    from lambent.runtime.codec import Codec
    from lambent.runtime.reply import Link
    from lambent.runtime.watchdog import Watchdog
    from lambent.types import Handler

logger = logging.getLogger("lambent")

_TRACE_ID = "_X_AMZN_TRACE_ID"

_EXPIRY_SECONDS = 5.0
"""How long the watchdog's post is waited for, at most: it takes a millisecond."""

_POLL_SECONDS = 0.005


def run(client: Client, runner: Runner, handler: Handler, codec: Codec, watchdog: Watchdog) -> None:
    """Handle invocations until `runner` is interrupted or its lifetime ends by itself.

    Raises RuntimeAPIGone when the platform has gone, RuntimeAPIError when it says what cannot be, and
    ConfigurationError when a handler has closed the event loop.
    """
    client.closing = runner.unwatch  # the next connection may get the number of this one
    variables = dict(os.environ)  # os.environ encodes and decodes at each look
    link = BlockingLink(client)
    logs.follow(link)
    _on_fork(link)
    while runner.wait_readable(client.send(requests.NEXT)):
        received = taken(client.receive())
        _set_trace_id(received.headers.get("lambda-runtime-trace-id"))
        # what is set of context variables ends with the invocation
        copy_context().run(_handle, received, variables, link, runner, handler, codec, watchdog)
        link.confirm()
        if runner.loop.is_closed():
            raise ConfigurationError(
                "The handler has closed the event loop, which is the environment's: the environment is replaced. "
                "Leave it open, or use one of your own: asyncio.run()."
            )


def _handle(
    received: Reply,
    variables: Mapping[str, str],
    link: BlockingLink,
    runner: Runner,
    handler: Handler,
    codec: Codec,
    watchdog: Watchdog,
) -> None:
    invocation = link.invocation = None
    try:
        invocation = link.invocation = begun(received, variables, codec, link)
        CURRENT.set(invocation)
        watchdog.watch(invocation, runner.cancel)
        runner.run(handler.serve(invocation))
        ended(invocation)
    except (Exception, asyncio.CancelledError) as error:
        request_id = received.headers["lambda-runtime-aws-request-id"]
        request = failure(error, request_id, invocation, received)
        if request is not None:
            link.send(request)
        elif invocation is not None and invocation.streaming:
            with suppress(OSError, asyncio.CancelledError):
                runner.run(invocation.abort(error))
    if invocation is not None:
        if invocation.work:
            with suppress(asyncio.CancelledError):  # the time is up: the watchdog has said so
                runner.run(invocation.finish())
        if invocation.late is not None:
            _await_threads(runner)
        invocation.work = None
        watchdog.forget(invocation)


def _await_threads(runner: Runner) -> None:
    """Wait for the threads of pools, while the loop goes on: one cannot be cancelled, and none is to run on into the
    next invocation. At the deadline the watchdog ends the process.
    """
    from lambent.runtime import stacks

    while stacks.of_pools():
        with suppress(asyncio.CancelledError):
            runner.run(asyncio.sleep(_POLL_SECONDS))


class BlockingLink:
    """One invocation after the other over a client that blocks."""

    __slots__ = ("__weakref__", "_client", "_posted", "invocation")

    def __init__(self, client: Client) -> None:
        self._client: Client | Orphan = client
        self._posted: Request | None = None
        self.invocation: RuntimeInvocation | None = None

    def send(self, request: Request) -> None:
        """Post; whether it has arrived is for `confirm` to say."""
        self._posted = request
        with suppress(RuntimeAPIGone):  # `confirm` sends it once more, and raises that
            self._client.send(request)

    def orphan(self) -> None:
        """This is the child of a fork."""
        self._client = Orphan()

    async def post(self, request: Request) -> None:
        self.send(request)

    async def write(self, data: bytes) -> None:
        await self._client.write(data)

    def confirm(self) -> None:
        """Read the answer to the post that ended the invocation, if that was not the watchdog's."""
        posted, self._posted = self._posted, None
        invocation = self.invocation
        if posted is None:
            if invocation is not None and invocation.expiry is not None:
                invocation.expiry.wait(_EXPIRY_SECONDS)
            return
        try:
            answer = self._client.receive()
        except RuntimeAPIGone as error:
            if invocation is not None and invocation.writer is not None:
                logger.error("The Runtime API took no more of a streamed reply: %s", error)
                return
            answer = self._client.call(posted)  # a kept-alive connection may go at any time: once more, on a new one
        check(answer, posted)


class Orphan:
    """The client of a process that a handler has forked: the invocation is its parent's."""

    def send(self, _: object) -> NoReturn:
        """End this process: it has come back from the handler."""
        logger.critical(
            "A process that the handler has forked came back to the runtime, and ends. End it with os._exit(), or use "
            "multiprocessing or subprocess."
        )
        os._exit(1)

    call = write = send

    def receive(self) -> NoReturn:
        """The same."""
        self.send(None)


def _on_fork(link: BlockingLink) -> None:
    if hasattr(os, "register_at_fork"):
        orphan = weakref.WeakMethod(link.orphan)  # what is registered stays so

        def in_child() -> None:
            if (call := orphan()) is not None:
                call()

        os.register_at_fork(after_in_child=in_child)


# What is the same for one invocation at a time and for many


def taken(received: Reply) -> Reply:
    """Check that an answer to `next` is an invocation. Raises RuntimeAPIError."""
    if received.status != 200:
        raise RuntimeAPIError(f"Expected an invocation, but the Runtime API answered {said(received)}.")
    if not received.headers.get("lambda-runtime-aws-request-id"):
        raise RuntimeAPIError("Expected the headers of an invocation, but there is no Lambda-Runtime-Aws-Request-Id.")
    return received


def begun(received: Reply, variables: Mapping[str, str], codec: Codec, link: Link) -> RuntimeInvocation:
    """Read an invocation. Raises InvalidResult for an event or a client context that cannot be read."""
    context = LambdaContext(received.headers, variables, time.time)
    try:
        event = codec.decode(received.body)
    except ValueError as error:
        raise InvalidResult(f"Unable to unmarshal input: {error}", "Runtime.UnmarshalError") from None
    return RuntimeInvocation(event, context, codec, link, received.headers.get("lambda-runtime-invocation-id", ""))


def ended(invocation: RuntimeInvocation) -> None:
    """Check that a handler has ended with a reply. Raises IncompleteResponse."""
    if not invocation.replied:
        raise IncompleteResponse("The handler ended without a reply.")
    if invocation.streaming:
        raise IncompleteResponse("The handler ended in the middle of its streamed reply.")


def failure(
    error: BaseException, request_id: str, invocation: RuntimeInvocation | None, received: Reply
) -> Request | None:
    """Log what a handler raised. Returns what is to be posted; None if there was a reply already."""
    late = invocation is not None and invocation.late is not None
    if not late or not isinstance(error, (asyncio.CancelledError, TimedOut)):  # of those the watchdog has told
        logger.disabled = False  # logging.config disables what it does not know
        shown = log_record(error)
        logger.error("Request %s failed.", request_id, exc_info=shown, extra={"aws_request_id": request_id})
    if invocation is None:
        echo = received.headers.get("lambda-runtime-invocation-id", "")
        return requests.error(request_id, diagnose(error, working_directory()), echo)
    try:
        invocation.claim()
    except (AlreadyReplied, TimedOut):
        return None
    return invocation.error(diagnose(error, working_directory()))


def _set_trace_id(trace_id: str | None) -> None:
    """Where the X-Ray SDK and others look for it."""
    if trace_id:
        os.environ[_TRACE_ID] = trace_id
    else:
        os.environ.pop(_TRACE_ID, None)
