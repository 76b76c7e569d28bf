"""next → handle → again. One invocation at a time, in the thread that calls."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from contextlib import suppress
from contextvars import copy_context

from lambent.errors import AlreadyReplied, IncompleteResponse, InvalidResult, RuntimeAPIError, RuntimeAPIGone
from lambent.runtime import requests
from lambent.runtime.diagnostic import diagnose, log_record
from lambent.runtime.invocation import LambdaContext

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from lambent.runner import Runner
    from lambent.runtime.client import Client
    from lambent.runtime.codec import Codec
    from lambent.runtime.http1 import Reply, Request
    from lambent.types import Event, Handler, Result

logger = logging.getLogger("lambent")

_TRACE_ID = "_X_AMZN_TRACE_ID"


def run(client: Client, runner: Runner, handler: Handler, codec: Codec) -> None:
    """Handle invocations until `runner` is interrupted or its lifetime ends by itself.

    Raises RuntimeAPIGone when the platform has gone, and RuntimeAPIError when it says what cannot be.
    """
    client.closing = runner.unwatch  # the next connection may get the number of this one
    variables = dict(os.environ)  # os.environ encodes and decodes at each look
    while runner.wait_readable(client.send(requests.NEXT)):
        received = client.receive()
        if received.status != 200:
            raise RuntimeAPIError(f"Expected an invocation, but the Runtime API answered {_said(received)}.")
        copy_context().run(_handle, received, variables, client, runner, handler, codec)  # what it sets ends with it


def _handle(
    received: Reply, variables: dict[str, str], client: Client, runner: Runner, handler: Handler, codec: Codec
) -> None:
    request_id = received.headers.get("lambda-runtime-aws-request-id")
    if not request_id:
        raise RuntimeAPIError("Expected the headers of an invocation, but there is no Lambda-Runtime-Aws-Request-Id.")
    _set_trace_id(received.headers.get("lambda-runtime-trace-id"))
    echo = received.headers.get("lambda-runtime-invocation-id", "")
    post = Post(client)
    try:
        context = LambdaContext(received.headers, variables, time.time)
        event = _decoded(received.body, codec)
        invocation = RuntimeInvocation(event, context, codec, post, echo)
        runner.run(handler.serve(invocation))
        if not post.sent:
            raise IncompleteResponse("The handler ended without a reply.")
    except (Exception, asyncio.CancelledError) as error:
        logger.error("Request %s failed.", request_id, exc_info=log_record(error))
        if not post.sent:
            post.send(requests.error(request_id, diagnose(error, os.getcwd()), echo))
    post.confirm()


class RuntimeInvocation:
    """An invocation whose reply is posted at once, while the handler goes on."""

    __slots__ = ("_codec", "_echo", "_post", "context", "event")

    def __init__(self, event: Event, context: LambdaContext, codec: Codec, post: Post, echo: str) -> None:
        self.event = event
        self.context = context
        self._codec = codec
        self._post = post
        self._echo = echo

    async def reply(self, result: Result) -> None:
        """Post the reply. Raises AlreadyReplied, and InvalidResult for one that cannot be a reply."""
        if self._post.sent:
            raise AlreadyReplied(f"Request {self.context.aws_request_id} was replied to already.")
        body, content_type = _encoded(result, self._codec.encode)
        self._post.send(requests.response(self.context.aws_request_id, body, content_type, self._echo))


class Post:
    """The one post that ends an invocation: sent as soon as it is known, confirmed when the handler has ended."""

    __slots__ = ("_client", "_request")

    def __init__(self, client: Client) -> None:
        self._client = client
        self._request: Request | None = None

    @property
    def sent(self) -> bool:
        return self._request is not None

    def send(self, request: Request) -> None:
        self._request = request
        with suppress(RuntimeAPIGone):  # `confirm` sends it once more, and raises that
            self._client.send(request)

    def confirm(self) -> None:
        """Read the answer. A refusal concerns this invocation only and is logged; a fault of the platform is raised."""
        if self._request is None:
            return
        try:
            answer = self._client.receive()
        except RuntimeAPIGone:  # a kept-alive connection may go at any time: once more, on a new one
            answer = self._client.call(self._request)
        if answer.status >= 500:
            raise RuntimeAPIError(f"The Runtime API answered {_said(answer)} to {self._request.path}.")
        if answer.status >= 300:
            logger.error("The Runtime API refused %s: %s", self._request.path, _said(answer))


def _encoded(result: Result, encode: Callable[[Result], bytes]) -> tuple[bytes, str]:
    """The bytes of a reply and their content type."""
    if isinstance(result, bytes):
        body, content_type = result, "application/octet-stream"
    else:
        content_type = "application/json"
        try:
            body = encode(result)
        except (TypeError, ValueError, RecursionError) as error:
            raise InvalidResult(f"Unable to marshal response: {error}", "Runtime.MarshalError") from None
    if len(body) > requests.RESPONSE_LIMIT:
        raise InvalidResult(
            f"The reply has {len(body)} bytes, and Lambda takes {requests.RESPONSE_LIMIT}. "
            "Give less at a time, or a link to where it lies.",
            "Function.ResponseSizeTooLarge",
        )
    return body, content_type


def _decoded(body: bytes, codec: Codec) -> Event:
    try:
        return codec.decode(body)
    except ValueError as error:
        raise InvalidResult(f"Unable to unmarshal input: {error}", "Runtime.UnmarshalError") from None


def _set_trace_id(trace_id: str | None) -> None:
    """Where the X-Ray SDK and others look for it."""
    if trace_id:
        os.environ[_TRACE_ID] = trace_id
    else:
        os.environ.pop(_TRACE_ID, None)


def _said(reply: Reply) -> str:
    return f"{reply.status} {reply.body[:200].decode('utf-8', 'replace').strip()}"
